"""How a broken policy is written down, and the parts of the shipped one that several of them break."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A policy broken in one way: `edits` are pairs of old and new text, perhaps with another file; `on` stands on the
    line to be named, or `below` lines above."""

    rule: str
    edits: Sequence[tuple[str, ...]]
    pointer: str
    on: str
    mend: str
    warns: bool = False
    file: str = "policy.yaml"
    says: str = ""
    below: int = 0
    times: int = 1
    """How often it is told: what is missing in every language, once for each."""


T = "{en: T, da: T, nb: T, de: T}"

EDITION = f"{{published_on: 2026-12-01, change: typo, summary: {T}, approved_by: {T}}}"

END_OF_NOTICES = "# ---- Where this policy came from"

NEXT_EDITION = (END_OF_NOTICES, f'  "2026-12-01": {EDITION}\n{END_OF_NOTICES}')
"""One more edition, which nobody has published."""

SALE = (
    'consent\n    law: "Danish Marketing Practices Act s. 10; GDPR Art. 6(1)(a)"\n    marketing: true\n',
    'soft_opt_in\n    law: "Danish Marketing Practices Act s. 10(2)"\n    marketing: true\n',
)
"""The newsletter, as if it rested on sales."""

LAWYERS = "    name: Advokathuset Lodline P/S\n"
