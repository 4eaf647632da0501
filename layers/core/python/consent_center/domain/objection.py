"""Objections that bind a controller as a whole: to direct marketing, and to profiling for it (Art. 21(2)-(3) GDPR).

They need no reason and no weighing, cover every purpose that the policy marks so, today or later, and hold until the
person decides otherwise: about the whole, or about one purpose.
"""

from enum import StrEnum

from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.policy import Purpose, Scope
from consent_center.domain.subject import Subject


class Against(StrEnum):
    """What a person can object to as a whole."""

    MARKETING = "direct-marketing"
    PROFILING = "profiling"

    @property
    def scope(self) -> Scope:
        """Where it is kept. No purpose has the code `*`."""
        return _SCOPES[self]

    def covers(self, purpose: Purpose) -> bool:
        """Whether the objection stops this purpose."""
        return purpose.marketing if self is Against.MARKETING else purpose.profiling


_SCOPES = {
    against: Scope("*", against.value, "any", code)
    for against, code in ((Against.MARKETING, "*.dm.any"), (Against.PROFILING, "*.pf.any"))
}

OBJECTIONS = {scope.code: against for against, scope in _SCOPES.items()}
"""The objections by the code of their scope."""

_CODES = frozenset(OBJECTIONS)


def objection(subject: Subject, purpose: Purpose) -> Decided | None:
    """The newest objection in force that covers a purpose as a whole."""
    if _CODES.isdisjoint(subject.decided):
        return None
    found = [
        decided
        for code, against in OBJECTIONS.items()
        if (decided := subject.decided.get(code)) is not None
        and decided.state is DecisionState.OBJECTED
        and against.covers(purpose)
    ]
    return max(found, key=newness) if found else None


def in_force(subject: Subject, purpose: Purpose, scope: Scope) -> Decided | None:
    """What the person decided last about a scope: about itself, or by an objection that covers its purpose.

    At the same moment the objection counts, because one act then did both.
    """
    return newest_of(subject.decided.get(scope.code), objection(subject, purpose))


def newest_of(own: Decided | None, general: Decided | None) -> Decided | None:
    """Which of a decision about a scope and an `objection` that covers its purpose is in force."""
    if own is None or general is None:
        return own or general
    return own if newness(own) > newness(general) else general


def newness(decided: Decided) -> tuple[int, int]:
    """Sorts decisions of one person by when they were made."""
    return decided.at, decided.seq
