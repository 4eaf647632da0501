"""Holds and restrictions: what the organisation's people set and lift, each an event of the person's own chain.

A hold is the organisation's decision and has an end; a restriction is the person's right (Art. 18 GDPR) and is lifted
once they were told (Art. 18(3)). Neither decides anything for the person, and neither stops a withdrawal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent_center.domain.chain import evidence_id
from consent_center.domain.contact import Address, ContactPoint
from consent_center.domain.errors import InvalidAddressError, InvalidFormError, NothingHeldError
from consent_center.domain.lock import (
    HOLD,
    LIFTING,
    LOCKING,
    MOST_LOCKS,
    Ground,
    Interest,
    Lock,
    facts_of,
    locks_of,
    with_lock,
    without_lock,
)
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Act, Subject, with_locks
from consent_center.ports.basics import Addresses, Chance, Clock, Pause, Secrets
from consent_center.ports.people import Subjects
from consent_center.usecases.acts import facts
from consent_center.usecases.attempts import ATTEMPTS, decided_afresh
from consent_center.usecases.whose import whose

CHANNEL = "email"

API = "api"
"""The source and the capability of what comes this way."""


@dataclass(frozen=True, slots=True)
class Locking:
    """A hold (with an `Interest` and an end) or a restriction (with a `Ground`) of purposes, or of everything."""

    recipient: str
    ground: Ground | Interest
    reason: str
    """In words, for people; kept with the personal details."""
    purposes: Sequence[str] = ()
    until: datetime | None = None
    controller: str | None = None
    """Who keeps it; the only controller where none is named."""

    @property
    def kind(self) -> str:
        """The kind of its event."""
        return "hold_set" if isinstance(self.ground, Interest) else "restricted"

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return f"Locking({self.kind!r})"


@dataclass(frozen=True, slots=True)
class Lifting:
    """The end of a hold or a restriction before its time; `number` is that of the event that set it."""

    recipient: str
    kind: str
    """A kind of `LIFTING`."""
    number: int
    reason: str
    person_told_at: datetime | None = None
    """When the person was told that a restriction will be lifted (Art. 18(3) GDPR)."""
    controller: str | None = None
    """As in a Locking."""

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return f"Lifting({self.kind!r})"


@dataclass(frozen=True, slots=True)
class Locked:
    """`number` names the lock when it is lifted; `evidence` is the entry; `is_new` tells whether this call made it."""

    is_new: bool
    number: int
    evidence: str | None


def set_lock(
    locking: Locking,
    *,
    client: str,
    policy: Policy,
    subjects: Subjects,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Locked:
    """Set a hold or a restriction; `client` is the system that asks. What it answers is stored.

    Asking again for what is in force makes no second one. InvalidFormError names each field that is wrong;
    UnknownNameError for a purpose that the controller lacks; NothingHeldError where there is no record;
    UnavailableError.
    """
    address, contact = _of(locking, policy, subjects, addresses, secrets)
    codes = tuple(sorted({policy.purpose_of(contact.controller, name).code for name in locking.purposes}))
    until = _end(locking, policy, clock())

    def attempt() -> Locked:
        now = clock()
        subject = _held(subjects, contact)
        lock = Lock(LOCKING[locking.kind], subject.seq + 1, until, str(locking.ground), codes)
        in_force = locks_of(subject, now)
        same = next((one for one in in_force if one.serves_as(lock)), None)
        if same is not None:
            return Locked(is_new=False, number=same.seq, evidence=evidence_id(subject.chain or "", same.seq))
        if len(in_force) >= MOST_LOCKS:
            raise InvalidFormError({"recipient": "too_many_locks"})
        act = Act(
            locking.kind,
            by_person=False,
            facts={**_facts(policy, client), **facts_of(lock, policy)},
            details={"address": address.mailable, "reason": locking.reason},
        )
        decision = with_locks(subject, with_lock(subject, lock, now), act, now=now, chance=chance.decision())
        subjects.commit(decision)
        return Locked(is_new=True, number=lock.seq, evidence=decision.entry.evidence)

    return decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def lift_lock(
    lifting: Lifting,
    *,
    client: str,
    policy: Policy,
    subjects: Subjects,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Locked:
    """Lift a hold or a restriction. One that is over or was lifted before changes nothing.

    InvalidFormError if the person was not told before a restriction ends; NothingHeldError; UnavailableError.
    """
    address, contact = _of(lifting, policy, subjects, addresses, secrets)
    told = {}
    if LIFTING[lifting.kind] != HOLD:
        if lifting.person_told_at is None:
            raise InvalidFormError({"person_told_at": "required"})
        if lifting.person_told_at.timestamp() * 1000 > clock():
            raise InvalidFormError({"person_told_at": "not_told_yet"})
        told["person_told_at"] = lifting.person_told_at.isoformat()

    def attempt() -> Locked:
        now = clock()
        subject = _held(subjects, contact)
        wanted = (LIFTING[lifting.kind], lifting.number)
        if all((lock.kind, lock.seq) != wanted for lock in locks_of(subject, now)):
            return Locked(is_new=False, number=lifting.number, evidence=None)
        act = Act(
            lifting.kind,
            by_person=False,
            facts={**_facts(policy, client), **told, "lifts": lifting.number},
            details={"address": address.mailable, "reason": lifting.reason},
        )
        locks = without_lock(subject, lifting.number, now)
        decision = with_locks(subject, locks, act, now=now, chance=chance.decision())
        subjects.commit(decision)
        return Locked(is_new=True, number=lifting.number, evidence=decision.entry.evidence)

    return decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def _of(
    asked: Locking | Lifting, policy: Policy, subjects: Subjects, addresses: Addresses, secrets: Secrets
) -> tuple[Address, ContactPoint]:
    try:
        address = addresses(asked.recipient)
    except InvalidAddressError as error:
        raise InvalidFormError({"recipient": str(error)}) from None
    controller = policy.controller_meant(asked.controller)
    return address, whose(address, controller=controller, subjects=subjects, secrets=secrets)


def _held(subjects: Subjects, contact: ContactPoint) -> Subject:
    subject = subjects.load(contact).subject
    if subject.chain is None:
        raise NothingHeldError
    return subject


def _facts(policy: Policy, client: str) -> dict[str, object]:
    return {**facts(policy, (), source=API, capability=API), "recorded_by": client}


def _end(locking: Locking, policy: Policy, now: int) -> int | None:
    """A hold ends on a day, at the latest when the policy's rule for holds says. InvalidFormError."""
    if not isinstance(locking.ground, Interest):
        return None
    if locking.until is None:
        raise InvalidFormError({"until": "required"})
    until = int(locking.until.timestamp())
    if until * 1000 <= now:
        raise InvalidFormError({"until": "past"})
    rule = policy.rule_covering("hold")
    if rule is not None and rule.period is not None and until > rule.period.after_epoch(now):
        raise InvalidFormError({"until": "too_late"})
    return until
