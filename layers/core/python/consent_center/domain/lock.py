"""Locks on a record: a hold keeps what it covers for a dispute, a restriction (Art. 18 GDPR) keeps it and lets nobody
use it.

A lock stands in the state as one short text, `<kind>:<event>:<end>:<ground>:<purpose codes>`, because every permission
check reads it. Whoever asks looks at the end: a hold that is over is no hold, though nobody has taken it away yet.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from consent_center.domain.chain import Entry
from consent_center.domain.policy import Policy, Purpose
from consent_center.domain.subject import Subject, timestamp

RESTRICTED, HOLD = "restricted", "hold"

LOCKING = {"hold_set": HOLD, "restricted": RESTRICTED}
LIFTING = {"hold_lifted": HOLD, "restriction_lifted": RESTRICTED}
"""The kinds of the events that set and lift locks, with the kind of the lock."""

MOST_LOCKS = 4
"""Holds and restrictions of one record at a time: its state has to stay small."""


class Ground(StrEnum):
    """Why a person may have the use of their data restricted, by the letters of Art. 18(1) GDPR."""

    ACCURACY = "a"
    """They say that it is wrong, and it is being checked."""
    UNLAWFUL = "b"
    """It was unlawful, and they want it kept."""
    CLAIMS = "c"
    """They need it for a legal claim."""
    OBJECTION = "d"
    """They objected, and the interests are being weighed (Art. 21(1))."""


ASKED = {"erasure", "restriction"}
"""Grounds of restrictions that hold while a person's request for just that (a `Right`) is looked at: nothing is sent
meanwhile, and taking the request back lifts exactly this one."""


class Interest(StrEnum):
    """Whose legal claim a hold serves (Art. 17(3)(e) GDPR)."""

    CONTROLLER = "controller"
    PERSON = "person"
    THIRD_PARTY = "third_party"


class Lock(NamedTuple):
    """One hold or restriction."""

    kind: str
    seq: int = 0
    """The event that set it; 0 for one without an event of its own."""
    until: int | None = None
    """Epoch seconds from which it is over by itself; None: it is lifted."""
    ground: str = ""
    """A `Ground`, an `Interest`, or one of `ASKED`."""
    purposes: tuple[str, ...] = ()
    """Codes of the purposes that it covers; none for everything."""

    def __str__(self) -> str:
        """How it stands in the state."""
        return f"{self.kind}:{self.seq}:{self.until or ''}:{self.ground}:{'+'.join(self.purposes)}"

    @classmethod
    def read(cls, text: str) -> "Lock":
        """The lock that was written so; one word alone covers everything and has no end. ValueError."""
        if ":" not in text:
            return cls(text)
        kind, seq, until, ground, purposes = text.split(":")
        codes = tuple(purposes.split("+")) if purposes else ()
        return cls(kind, int(seq), int(until) if until else None, ground, codes)

    def is_in_force_at(self, now: int) -> bool:
        """Whether it holds at `now` (epoch milliseconds)."""
        return self.until is None or now < self.until * 1000

    def covers(self, purpose_code: str) -> bool:
        """Whether it covers a purpose, by its code; `*` is what concerns all of them."""
        return not self.purposes or purpose_code == "*" or purpose_code in self.purposes

    def serves_as(self, other: "Lock") -> bool:
        """Whether another lock says the same, whichever event set it."""
        return self._replace(seq=0) == other._replace(seq=0)


def locks_of(subject: Subject, now: int) -> list[Lock]:
    """The holds and restrictions in force at `now` (epoch milliseconds), in the order in which they were set."""
    if not subject.locks:
        return []
    return [lock for lock in _read(subject.locks) if lock.is_in_force_at(now)]


def is_restricted(subject: Subject, purpose: Purpose, now: int) -> bool:
    """Whether a restriction covers a purpose at `now` (epoch milliseconds)."""
    return bool(subject.locks) and any(
        lock.kind == RESTRICTED and lock.covers(purpose.code) for lock in locks_of(subject, now)
    )


def with_lock(subject: Subject, lock: Lock, now: int) -> tuple[str, ...]:
    """The locks of a record once one was set; those that are over go."""
    return (*_without(subject, lambda other: not other.is_in_force_at(now)), str(lock))


def without_lock(subject: Subject, seq: int, now: int) -> tuple[str, ...]:
    """The locks of a record once the one that event `seq` set was lifted; those that are over go."""
    return _without(subject, lambda other: other.seq == seq or not other.is_in_force_at(now))


def names_of(lock: Lock, policy: Policy) -> list[str]:
    """The ids of the purposes that a lock covers; none for everything."""
    by_code = {purpose.code: purpose.id for purpose in policy.purposes.values()}
    return [by_code.get(code, code) for code in lock.purposes]


def facts_of(lock: Lock, policy: Policy) -> dict[str, Any]:
    """What the entry of the event that sets a lock says of it."""
    until = timestamp(lock.until * 1000) if lock.until is not None else None
    return {"ground": lock.ground, "until": until, "covers": names_of(lock, policy)}


def lock_in(entry: Entry, policy: Policy) -> Lock:
    """The lock that an entry of a kind of `LOCKING` says was set. KeyError, ValueError, UnknownNameError."""
    until, body = entry.body["until"], entry.body
    end = round(dt.datetime.fromisoformat(until).timestamp()) if until else None
    codes = tuple(policy.purpose(name).code for name in body["covers"])
    return Lock(LOCKING[entry.kind], entry.seq, end, body["ground"], codes)


def held_until(locks: Sequence[Lock]) -> int | None:
    """When the last of these is over by itself, in epoch seconds; None if one of them is not, or there is none."""
    ends = [lock.until for lock in locks if lock.until is not None]
    return max(ends) if ends and len(ends) == len(locks) else None


def _read(texts: Iterable[str]) -> list[Lock]:
    return [lock for lock in map(Lock.read, texts) if lock.kind in (RESTRICTED, HOLD)]


def _without(subject: Subject, goes: Callable[[Lock], bool]) -> tuple[str, ...]:
    """Other marks, such as that letters do not arrive, stay as they are."""
    return tuple(
        text for text in subject.locks if (lock := Lock.read(text)).kind not in (RESTRICTED, HOLD) or not goes(lock)
    )
