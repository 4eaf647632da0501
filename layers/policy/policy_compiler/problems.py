"""What the compiler has to say about a policy: where, what is wrong, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding. `line` is 1-based; `pointer` is a JSON pointer into the file ("/" is the whole file)."""

    file: str
    line: int
    pointer: str
    what: str
    mend: str
    rule: str
    is_warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.is_warning else ""
        return f"{self.file}:{self.line}: {self.pointer}: {kind}{self.what} Mend: {self.mend} [{self.rule}]"


class PolicyError(Exception):
    """The policy cannot be used; `problems` says why, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__(f"{len(self.problems)} problems")
