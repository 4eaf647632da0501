"""A change of address: the record goes to its new place in one act, and what stays says to old letters where it went.

Art. 16 GDPR. The new address is proven before (double opt-in), and nothing else that was decided changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from consent_center.domain.contact import Address, ContactPoint
from consent_center.domain.errors import TakenPlaceError, TooManyRequestsError
from consent_center.domain.reach import reached
from consent_center.domain.subject import Act, Decision, Move, Randomness, Subject, decide
from consent_center.domain.suppression import Suppression

MOVED = "moved"
"""The kind of the event."""

UNDER_WAY_MS = 5_000
"""A check can read a record just before it moves and date its letter just after: such a letter is the mover's."""

MOST_ADDRESSES = 20
"""Earlier addresses that a record knows; each makes it a little larger, and a permission check reads all of it."""


@dataclass(frozen=True, slots=True)
class AddressRequest:
    """A new address that nobody has confirmed yet. It decides nothing, and ends by itself."""

    id: str
    contact: ContactPoint
    """The new place."""
    address: Address
    old: ContactPoint
    """Where the record was when this was asked for."""
    chain: str
    """The record that goes: by the time of the press somebody else may have the old address."""
    language: str
    requested_at: int
    """Epoch milliseconds."""
    expires_at: int
    """Epoch seconds."""

    def is_pending_at(self, now: int) -> bool:
        """Whether it can still be confirmed at `now` (epoch milliseconds)."""
        return now < self.expires_at * 1000

    def __repr__(self) -> str:
        """Hides who asked, because a repr ends up in logs and tracebacks."""
        return f"AddressRequest({self.id!r})"


@dataclass(frozen=True, slots=True)
class Moving:
    """What one change of address writes, all or nothing."""

    old: Subject
    """As it was read; what is stored must still be it."""
    left: Subject
    """What stays at the old place."""
    decision: Decision
    """The record at its new place. `replaces_version` is of what was there."""
    address: Address

    def __repr__(self) -> str:
        """Hides the address, because a repr ends up in logs and tracebacks."""
        return "Moving(…)"


def move(subject: Subject, there: Subject, address: Address, act: Act, *, now: int, chance: Randomness) -> Moving:
    """Take a record to `there`, the state at the place of its new address; `now` in epoch milliseconds.

    Requests stay where they are, with the marks of what they ask about: whoever reads the old mailbox confirms them.
    A suppression goes along and stays as well, because lists that others hold name the old address.
    TakenPlaceError where somebody is known at the new place, or asked not to be written to there;
    TooManyRequestsError for a record that had too many addresses.
    """
    old, new = subject.contact, there.contact
    returns = {one.at for one in subject.came_from if (one.key_id, one.pseudonym) == (new.key_id, new.pseudonym)}
    is_kept_out = there.suppression is not None and there.suppression.holds_at(now) and not returns
    if there.chain is not None or there.erasing is not None or is_kept_out:
        raise TakenPlaceError
    came_from = [one for one in subject.came_from if one.at not in returns]
    if len(came_from) >= MOST_ADDRESSES:
        raise TooManyRequestsError
    # Later than anything at either place, so that the order of moves is the order of their times.
    decision = decide(subject, (), act, now=max(now, subject.last_at + 1, there.last_at + 1), chance=chance)
    if act.by_person:
        decision = reached(decision)
    after = decision.subject
    at = after.last_at
    arrived = replace(
        after,
        contact=new,
        version=max(after.version, there.version + 1),
        requested=there.requested,
        suppression=_longer(subject.suppression, there.suppression),
        former=tuple(one for one in there.former if one.at not in returns),
        came_from=(*came_from, Move(old.key_id, old.pseudonym, at)),
        here_since=at if there.last_at and not returns else subject.here_since,
    )
    left = Subject(
        old,
        subject.version + 1,
        last_at=at,
        requested=subject.requested,
        suppression=subject.suppression,
        former=(*subject.former, Move(new.key_id, new.pseudonym, at)),
    )
    return Moving(subject, left, replace(decision, subject=arrived, replaces_version=there.version), address)


def has_left(before: Sequence[object], after: Sequence[object]) -> bool:
    """Whether somebody moved away between two states of a place, from what each says of former records."""
    return len(after) > len(before)


def _longer(one: Suppression | None, other: Suppression | None) -> Suppression | None:
    if one is None or other is None:
        return one or other
    return one if one.until is None or (other.until is not None and one.until >= other.until) else other
