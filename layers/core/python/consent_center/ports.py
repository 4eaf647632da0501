"""What use cases need from the world. Every port has a fake and an adapter, held to one contract by the same tests.

An adapter that cannot reach its service raises UnavailableError; nothing it was asked to store may be relied on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from consent_center.domain.chain import Entry, Payload
from consent_center.domain.contact import Address, ContactPoint, Keyring
from consent_center.domain.request import Request
from consent_center.domain.subject import Decision, Randomness, Subject


class Clock(Protocol):
    def __call__(self) -> int:
        """The time now, in epoch milliseconds."""


class Pause(Protocol):
    def __call__(self, attempt: int) -> None:
        """Wait a little before trying again; longer the more attempts there were (from 0)."""


class Chance(Protocol):
    def name(self) -> str:
        """A new random name: 26 characters of base32."""

    def decision(self) -> Randomness:
        """The random parts of one decision."""


class Secrets(Protocol):
    def peppers(self) -> Keyring:
        """The keys of pseudonyms."""

    def links(self) -> Keyring:
        """The keys that links are signed with."""


class Addresses(Protocol):
    def __call__(self, text: str) -> Address:
        """The address that was typed, or InvalidAddressError."""


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


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that the preference page shows of a contact point. Requests that have expired may be among them."""

    subject: Subject
    profile: Profile | None = None
    requests: Sequence[Request] = ()
    last_sends: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """When a letter last went out, in epoch milliseconds, by purpose and channel."""


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

    def states(self, contacts: Sequence[ContactPoint]) -> Mapping[ContactPoint, Subject]:
        """The newest state of each contact point, up to 1,000; whoever could not be read is left out."""

    def record_sends(self, sends: Sequence[Send]) -> set[ContactPoint]:
        """Store when a letter last went out; answers the contact points for which that failed."""

    def payload(self, chain: str, seq: int) -> Payload | None:
        """The personal details of one event, if they are still kept."""

    def payloads(self, chain: str) -> Mapping[int, Payload]:
        """The personal details of a chain's events by seq, as far as they are still kept."""


class Ledger(Protocol):
    def entries(self, chain: str) -> list[Entry]:
        """Every entry of a chain, in order."""

    def entry(self, chain: str, seq: int) -> Entry | None:
        """One entry of a chain."""


@dataclass(frozen=True, slots=True)
class LetterOrder:
    """A letter to be written and sent; ids only, so that a queue never holds a person.

    `request` is the sign-up that the letter asks about; for other letters a random name, so that duplicates are seen.
    """

    letter: str
    contact: ContactPoint
    request: str


class Signer(Protocol):
    @property
    def key_id(self) -> str:
        """The name of the key, by which whoever verifies finds its public half."""

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, or UnavailableError."""


class Outbox(Protocol):
    def order(self, order: LetterOrder) -> None:
        """Queue a letter, or UnavailableError."""


class Claims(Protocol):
    def take(self, name: str, now: int, until: int = 0) -> bool:
        """Claim a letter before sending it (`now` in epoch seconds). False: it was sent already.

        The claim is kept while a queue may deliver an order again, and at least until the epoch second `until`.
        UnavailableError while somebody else holds it.
        """

    def finish(self, name: str, now: int) -> None:
        """Note that the letter was sent."""

    def was_taken(self, name: str) -> bool:
        """Whether a letter was ever claimed: it was sent, or was about to be."""


class Limits(Protocol):
    def take(self, name: str, most: int, now: int) -> bool:
        """Count one use of `name` in this hour; False if there have been `most` already. `now` in epoch seconds."""

    def take_until(self, name: str, most: int, end: int) -> bool:
        """Count one use of `name`; False if there have been `most` already. Goes on until the epoch second `end`."""

    def block(self, name: str, until: int) -> None:
        """Block a name until an epoch second. Blocking again can only make it longer."""

    def is_blocked(self, name: str, now: int) -> bool:
        """Whether the name is blocked at `now` (epoch seconds)."""


class DeadLetters(Protocol):
    def set_aside(self, order: str, reason: str) -> None:
        """Keep an order that can never be carried out where people will look for it, or UnavailableError."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One letter to one address."""

    to: str
    sender_name: str
    sender_address: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        """Hides the letter, because a repr ends up in logs and tracebacks."""
        return "Envelope(…)"


class Mailer(Protocol):
    def send(self, envelope: Envelope) -> None:
        """Hand a letter over. LetterRefusedError if it will never be taken, UnavailableError if it may be later."""


class WrittenLetter(Protocol):
    @property
    def subject(self) -> str:
        """One line."""

    @property
    def text(self) -> str:
        """The letter as plain text."""

    @property
    def html(self) -> str:
        """The same letter as HTML."""


class LetterTexts(Protocol):
    def letter(self, name: str, language: str, **context: Any) -> WrittenLetter:
        """The letter of that name in a language."""


@dataclass(frozen=True, slots=True)
class Import:
    """What all rows of an import share. `at` is when it was asked for, in epoch milliseconds."""

    purpose: str
    attested_by: str
    """The operator who answers for it: an id, never an address."""
    at: int
    parts: int
    rows: int
    from_person: bool = True
    """False: somebody else gave us the data, and the person has to be told (Art. 14 GDPR)."""
    method: str | None = None
    wording: tuple[str, ...] = ()
    notice: str | None = None
    language: str | None = None


class Imports(Protocol):
    def about(self, import_id: str) -> Import:
        """What all rows share. UnavailableError also where nothing is kept (any more)."""

    def rows(self, import_id: str, part: int) -> Sequence[str]:
        """The rows of a part, one line of JSON each; parts count from 1."""

    def is_reported(self, import_id: str, part: int) -> bool:
        """Whether a part is done."""

    def add_report(self, import_id: str, part: int, lines: Iterable[str]) -> None:
        """Store what became of a part's rows. If there is a report already it stays."""
