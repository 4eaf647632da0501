"""Bringing a record that comes from a backup up to what the ledger says happened since.

The ledger is not restored with it, so it knows more. What lowered comes back at once: withdrawals, objections,
suppressions, erasures, restrictions. What raised does not, because its personal details, which prove it, are lost with
the table: the person is asked again. An address change cannot be repeated, because no entry says the new address: the
record is kept and used for nothing until somebody has looked at it.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from consent_center.domain.chain import Entry, is_whole
from consent_center.domain.decision import DecisionState
from consent_center.domain.lock import RESTRICTED, Lock, with_lock
from consent_center.domain.moving import MOVED
from consent_center.domain.policy import Policy
from consent_center.domain.replay import Replay, epoch_ms
from consent_center.domain.subject import Subject
from consent_center.domain.suppression import Basis, Suppression

ERASED = "erased"


class Outcome(StrEnum):
    """What became of one restored record."""

    UNCHANGED = "unchanged"
    """Nothing happened since."""
    BROUGHT_UP = "brought_up"
    CARRIED_OVER = "carried_over"
    """Who came after the backup, with nothing but their noes and locks."""
    ERASED = "erased"
    MOVED_AWAY = "moved_away"
    """The person's address is another one since, and nobody knows which: restricted, for staff."""
    UNREADABLE = "unreadable"
    """An entry is missing, or does not follow, or is not readable: restricted, for staff."""


@dataclass(frozen=True, slots=True)
class BroughtUp:
    """A record as it has to be stored now; `lost` counts decisions for that cannot come back without their proof."""

    outcome: Outcome
    subject: Subject
    lost: int = 0


def bring_up(
    subject: Subject, entries: Iterable[Entry], policy: Policy, *, has_proof: Callable[[int], bool], now: int
) -> BroughtUp:
    """A restored record after the entries of its chain that are newer than it, in order.

    `has_proof` says whether the payload of an event was restored too; `now` in epoch milliseconds.
    """
    replay = Replay(subject.contact, policy)
    replay.subject = subject
    outcome, lost = Outcome.UNCHANGED, 0
    for entry in entries:
        before = replay.subject
        if entry.seq != before.seq + 1 or entry.body.get("prev") != before.head or not is_whole(entry):
            return BroughtUp(Outcome.UNREADABLE, set_aside(before, now), lost)
        if entry.kind == ERASED:
            return BroughtUp(Outcome.ERASED, _tombstone(before, entry), lost)
        replay.take(entry)
        after, gone = _without_raises(before, replay.subject, has_proof)
        lost += gone
        replay.subject = _suppressed(after, entry)
        if outcome is not Outcome.MOVED_AWAY:
            outcome = Outcome.MOVED_AWAY if entry.kind == MOVED else Outcome.BROUGHT_UP
    if outcome is Outcome.UNCHANGED:
        return BroughtUp(outcome, subject)
    if not replay.is_whole:
        return BroughtUp(Outcome.UNREADABLE, set_aside(replay.subject, now), lost)
    brought = replay.subject if outcome is Outcome.BROUGHT_UP else set_aside(replay.subject, now)
    return BroughtUp(outcome, replace(brought, version=subject.version + 1), lost)


def came_since(here: Subject, original: Subject) -> Subject:
    """A record that is younger than the backup, at its place in the copy: what it said no to, and its locks.

    `original` is the record in the table that was damaged. An objection to what rests on an interest stands in nothing
    else, and without it somebody unknown would be written to.
    """
    return replace(
        original,
        contact=here.contact,
        version=here.version + 1,
        decided={code: one for code, one in original.decided.items() if one.state.is_the_persons_no},
        requested=here.requested,
        preferences={},
        suppression=here.suppression,
        erasing=None,
        inform_by=0,
        former=here.former,
        came_from=(),
    )


def _without_raises(before: Subject, after: Subject, has_proof: Callable[[int], bool]) -> tuple[Subject, int]:
    """The state without consents that nothing proves any more: what was there before them stays."""
    decided, lost = dict(after.decided), 0
    for code, new in after.decided.items():
        known = before.decided.get(code)
        if new == known or not (new.state.permits or new.state is DecisionState.LIFTED) or has_proof(after.seq):
            continue
        lost += 1
        if known is None:
            del decided[code]
        else:
            decided[code] = known
    for code, known in before.decided.items():
        # A no that somebody took back is such a raise too.
        if code not in after.decided and known.state.is_the_persons_no and not has_proof(after.seq):
            decided[code] = known
            lost += 1
    return replace(after, decided=decided), lost


def _suppressed(subject: Subject, entry: Entry) -> Subject:
    """What an entry says of a suppression: that there is one since, or that the person lifted it.

    A lift is the person's own yes, which does not come back; so the suppression stays.
    """
    told = entry.body.get("suppression")
    return replace(subject, suppression=_read(told, entry)) if told else subject


def _tombstone(subject: Subject, entry: Entry) -> Subject:
    told = entry.body.get("suppression")
    return Subject(
        subject.contact,
        subject.version + 1,
        last_at=epoch_ms(entry.at),
        suppression=_read(told, entry) if told else None,
        erasing=subject.chain,
        former=subject.former,
        came_from=subject.came_from,
    )


def _read(told: dict[str, Any], entry: Entry) -> Suppression:
    until = told["until"]
    end = round(dt.datetime.fromisoformat(until).timestamp()) if until else None
    return Suppression(Basis(told["basis"]), epoch_ms(entry.at), str(told["notice"]), end)


def set_aside(subject: Subject, now: int) -> Subject:
    """The record under a restriction that covers everything and that only staff lift."""
    lock = Lock(RESTRICTED)
    locks = subject.locks if str(lock) in subject.locks else with_lock(subject, lock, now)
    return replace(subject, version=subject.version + 1, locks=locks)
