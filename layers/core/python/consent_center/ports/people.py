"""What is stored of people: their records, what is kept of them and until when, and how records move."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from consent_center.domain.audience import Reached
from consent_center.domain.chain import Payload
from consent_center.domain.contact import Address, ContactPoint
from consent_center.domain.moving import AddressRequest, Moving
from consent_center.domain.request import Request
from consent_center.domain.subject import Decision, Subject
from consent_center.ports.letters import Part


@dataclass(frozen=True, slots=True)
class Profile:
    """Who a contact point is, as the person told us."""

    address: Address
    name: str | None
    company: str | None
    interests: tuple[str, ...]
    language: str

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return "Profile(…)"


@dataclass(frozen=True, slots=True)
class Record:
    """What is stored of a contact point: its state, and the request that was asked for, if it is still there."""

    subject: Subject
    request: Request | None = None


class End(NamedTuple):
    """From the epoch second `at` an item is gone, by a retention rule of the policy (None: no rule's doing)."""

    at: int
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that the preference page shows of a contact point. Requests that have expired may be among them."""

    subject: Subject
    profile: Profile | None = None
    requests: Sequence[Request] = ()
    last_sends: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """When a letter last went out, in epoch milliseconds, by purpose and channel."""
    profile_end: End | None = None
    """When the profile is gone, if an end was given to it."""


@dataclass(frozen=True, slots=True)
class Send:
    """A letter that was sent; `at` in epoch milliseconds."""

    contact: ContactPoint
    purpose: str
    at: int


class Subjects(Protocol):
    def add_request(self, request: Request) -> None:
        """Store a sign-up request without reading anything."""

    def load(self, contact: ContactPoint, request: str | None = None) -> Record:
        """The newest state, and after it the request by its id. A stored request may have expired: it knows itself."""

    def holdings(self, contact: ContactPoint) -> Holdings:
        """Everything that is stored of a contact point, but its events, in one read."""

    def last_sends(self, contacts: Sequence[ContactPoint], purpose: str, channel: str) -> Mapping[ContactPoint, int]:
        """When a letter last went out, in epoch milliseconds; 0 for never. Whoever could not be read is left out."""

    def save_language(self, contact: ContactPoint, language: str) -> None:
        """Write to a person in this language from now on. Nothing happens where nothing is stored."""

    def mark_requested(self, contact: ContactPoint, requested: Mapping[str, int]) -> None:
        """Note which scope codes letters ask about, each until its epoch second. Decides nothing.

        StaleSubjectError if somebody else is deciding at this moment.
        """

    def cancel_request(self, contact: ContactPoint, request: str, requested: Mapping[str, int], now: int) -> None:
        """Remove a request so that no confirmation under way can still use it; `requested` is what stays marked.

        Harmless to repeat. StaleSubjectError if somebody else is deciding at this moment; `now` in epoch milliseconds.
        """

    def commit(self, decision: Decision, profile: Profile | None = None) -> None:
        """Store state, ledger entry, payload and profile: all or none.

        StaleSubjectError if the record is no longer at the version that the decision was made on.
        """

    def clear(self, subject: Subject, until: int | None) -> None:
        """Remove all that an erasure leaves to remove: requests, sends, profile, and the payloads of its chain.

        `subject` as it was loaded, with `erasing`. What leads there from its earlier addresses goes first; where its
        suppression stays, it stands there too unless somebody else has the address. A record without decisions is gone
        from the epoch second `until`.
        Harmless to repeat; whoever decides meanwhile keeps what is theirs. StaleSubjectError, UnavailableError.
        """

    def states(self, contacts: Sequence[ContactPoint]) -> Mapping[ContactPoint, Subject]:
        """The newest state of each contact point, up to 1,000; whoever could not be read is left out."""

    def reached(self, contacts: Sequence[ContactPoint]) -> Mapping[ContactPoint, Reached | None]:
        """Where each contact point is written to, up to 1,000; None for nowhere. Unreadable ones are left out."""

    def record_sends(self, sends: Sequence[Send]) -> set[ContactPoint]:
        """Store when a letter last went out; answers the contact points for which that failed."""

    def payload(self, chain: str, seq: int) -> Payload | None:
        """The personal details of one event, if they are still kept."""

    def payloads(self, chain: str) -> Mapping[int, Payload]:
        """The personal details of a chain's events by seq, as far as they are still kept."""

    def kept_payloads(self, chain: str) -> Iterator["KeptPayload"]:
        """The same with their ends, in order of seq and as a stream. UnavailableError may come at any place of it."""


class KeptPayload(NamedTuple):
    """The personal details of one event; `end` is when they go, None where nothing ends them yet."""

    seq: int
    payload: Payload
    end: End | None


@dataclass(frozen=True, slots=True)
class Dossier:
    """A record with the ends of its items."""

    subject: Subject
    last_sends: Mapping[tuple[str, str], int]
    """When a letter last went out, in epoch milliseconds, by purpose and channel."""
    ends: Mapping[Part, End | None]
    """None where nothing ends an item yet."""
    with_circumstances: frozenset[int]
    """The events whose circumstances are still there."""
    review_on: str | None
    """The day (UTC) on which the ends are worked out again."""


class Retention(Protocol):
    def dossier(self, contact: ContactPoint) -> Dossier | None:
        """A record with its ends, or None where there is none that has a chain. UnavailableError."""

    def keep(
        self,
        dossier: Dossier,
        ends: Mapping[Part, End | None],
        bare: Iterable[int],
        review_on: str | None,
    ) -> None:
        """Give items new ends, remove circumstances, and note the day of the next review.

        StaleSubjectError if the record has moved on since the dossier was read; harmless to repeat.
        """

    def end_strays(self, contact: ContactPoint, now: int) -> int:
        """Give sends without a record their end, now (epoch seconds); how many. UnavailableError.

        They were on their way when their person was erased or moved.
        """


class Listing(Protocol):
    """All records of a controller, for work that goes through everybody: in shards, so that it can be shared out."""

    shards: int

    def records(self, controller: str, shard: int) -> Iterator[ContactPoint]:
        """The records of a shard (from 0), as a stream in the order of their keys.

        Whoever decided in the last seconds may not be among them, and some may have expired: the record itself says.
        UnavailableError may come at any place of it.
        """

    def remains(self, controller: str, shard: int) -> Iterator[ContactPoint]:
        """What is left of people who are suppressed and have no record, likewise. It may have expired."""


class Moves(Protocol):
    def move(self, old: ContactPoint, new: ContactPoint) -> bool:
        """Take a record with all that stands beside it to another place; False if it is not there (any more).

        The old place then leads to the new one, for links. A kill leaves the record whole at one of the two.
        TakenPlaceError if there is somebody at the new place; StaleSubjectError if somebody decides at this moment;
        UnavailableError.
        """


class RestoredRecords(Protocol):
    """A table of Subjects that was restored from a backup and that nobody uses yet."""

    def records(self) -> Iterator[ContactPoint]:
        """Every record in it, as a stream: the only reading of a whole table there is. UnavailableError on the way."""

    def put(self, subject: Subject, replaces_version: int) -> None:
        """Store a state without an entry, because its entries are there already.

        Its ends are worked out at a review, which is due that day; where nothing but a suppression is left, it ends
        with that. StaleSubjectError if the record is not at that version; UnavailableError.
        """


class AddressMoves(Protocol):
    """Changes of address: the requests that wait at a new place, and the move."""

    def ask(self, request: AddressRequest) -> None:
        """Store a request at its new place without reading anything."""

    def asked(self, contact: ContactPoint, request: str) -> AddressRequest | None:
        """A request by its place and id. It may have expired: it knows itself."""

    def move(self, moving: Moving, request: AddressRequest | None = None) -> None:
        """Take a record with profile and sends to its new place, its entry with it, and leave the stub: all or none.

        `request` is used up by it. A kill leaves the record whole at one of the two places. StaleSubjectError if one
        of them is no longer as it was read, or the request is gone; UnavailableError.
        """

    def settle(self, ended: Subject) -> None:
        """What is left to do once a stored state has been removed because its time was over: what leads there goes,
        and what led on from there is put back. Harmless to repeat. StaleSubjectError, UnavailableError.
        """


class Reviews(Protocol):
    """Records whose ends are to be worked out anew."""

    def order(self, contact: ContactPoint) -> None:
        """Have a record looked at once its newest event can no longer be undone, or UnavailableError."""

    def due(self, day: str) -> Iterator[ContactPoint]:
        """The records whose review is on a day (UTC), as a stream. UnavailableError may come at any place of it.

        `untold` takes the place of a day for those who should have been told by now.
        """


@dataclass(frozen=True, slots=True)
class Removal:
    """An item that expired and was removed. Names nobody: the key is hashed, and is itself a fingerprint."""

    name: str
    """The event of the removal, so that telling it twice leaves one proof."""
    table: str
    kind: str
    """What it was: the first word of its sort key, such as `STATE` or `PENDING`."""
    key_hash: str
    """SHA-256 of the item's key, in hexadecimal."""
    ended_at: int
    """Epoch seconds."""
    removed_at: int
    """Epoch seconds."""
    rule: str | None


class Removals(Protocol):
    def prove(self, removal: Removal, keep_until: int | None) -> None:
        """Keep a proof, until an epoch second if one is given. Telling it again changes nothing. UnavailableError."""
