"""Named retention rules that a policy may choose from, each with its source and review date."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

from policy_compiler import source


@dataclass(frozen=True, slots=True)
class NamedRule:
    """A row of rules_library.yaml; periods are written as in a policy."""

    id: str
    name: str
    jurisdiction: str
    covers: str
    clock: str
    period: str
    legal_source: str
    review_on: str
    never_sent: str | None = None
    justification: str | None = None
    signed_by: str | None = None


@cache
def rules() -> tuple[NamedRule, ...]:
    """Every rule, in the order of the file."""
    file = resources.files("policy_compiler").joinpath("rules_library.yaml")
    data = source.parse(file.read_text(encoding="utf-8"), file.name).data
    return tuple(NamedRule(id=key, **row) for key, row in data.items())
