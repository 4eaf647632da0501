"""Carrying a case out: `look_at` does whatever is due in it now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from consent_center.domain.case import LogLine
from consent_center.ports import Cases, Clock, LetterOrder, Outbox


@dataclass(slots=True)
class Looked:
    """What a look did, for numbers and logs."""

    number: str = ""
    """The case's, which says nothing about a person."""
    steps: int = 0
    days_left: int = 0
    """Staff are to be warned: so many days are left; 0 for no warning."""
    is_overdue: bool = False
    given_up: Sequence[str] = ()
    """Recipients that will not be tried again by themselves."""


def look_at(case: str, *, cases: Cases, outbox: Outbox, clock: Clock) -> Looked:
    """Order the letters that a case owes, by its id. Nothing happens where there is no such case.

    Safe to run twice and by two at once: a letter has one name, by which it is claimed before it is sent.
    StaleCaseError if somebody else changed the case meanwhile; UnavailableError. Looking again does the rest.
    """
    file = cases.load(case)
    if file is None:
        return Looked()
    found = file.case
    if not found.owes:
        if found.due_at:
            cases.commit(replace(found, due_at=0), [])
        return Looked(found.number)
    for letter in found.owes:
        before = sum(line.what == "letter" and line.facts.get("letter") == letter for line in file.log)
        outbox.order(LetterOrder("case", found.contact, f"{found.id}/{letter}/{before}"))
    now = clock()
    told = {**found.told, **dict.fromkeys(found.owes, now)}
    lines = [LogLine(now, "letter", "worker", {"letter": letter}) for letter in found.owes]
    cases.commit(replace(found, owes=(), told=told, due_at=0), lines)
    return Looked(found.number, steps=1)
