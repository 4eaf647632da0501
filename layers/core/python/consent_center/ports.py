"""What use cases need from the world. Every port has a fake and an adapter, held to one contract by the same tests.

An adapter that cannot reach its service raises UnavailableError; nothing it was asked to store may be relied on.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from consent_center.domain.audience import AudiencePart, AudienceRun, Reached
from consent_center.domain.case import Case, LogLine
from consent_center.domain.chain import Entry, Payload
from consent_center.domain.contact import Address, ContactPoint, Keyring
from consent_center.domain.moving import AddressRequest, Moving
from consent_center.domain.recipient import Answer, Ask, Task, Verb
from consent_center.domain.request import Request
from consent_center.domain.seal import Leaf, Seal, SignedSeal
from consent_center.domain.statistics import Cell, Event
from consent_center.domain.subject import Decision, Randomness, Subject
from consent_center.domain.told import Telling


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


class Ledger(Protocol):
    def entries(self, chain: str) -> list[Entry]:
        """Every entry of a chain, in order."""

    def stream(self, chain: str) -> Iterator[Entry]:
        """The same as a stream, for chains of any length. UnavailableError may come at any place of it."""

    def entry(self, chain: str, seq: int) -> Entry | None:
        """One entry of a chain."""

    def append(self, entry: Entry) -> None:
        """Store an entry that belongs to no record. StaleSubjectError if its place is taken; UnavailableError."""


@dataclass(frozen=True, slots=True)
class LetterOrder:
    """A letter to be written and sent; ids only, so that a queue never holds a person.

    `request` is the sign-up that the letter asks about; for a receipt, and for where data came from, the number of the
    event (`seq`); for a changed notice `<edition>/<epoch ms since when people are shown it>`; for a letter of a case
    `<case>/<what it says>/<how many there were before>`; for other letters a random name, so that duplicates are seen.
    `brand` is the one that was asked, for a link to preferences; other letters tell it by what they are about.
    """

    letter: str
    contact: ContactPoint
    request: str
    brand: str | None = None


class Signer(Protocol):
    @property
    def key_id(self) -> str:
        """The name of the key, by which whoever verifies finds its public half."""

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, or UnavailableError."""


class Outbox(Protocol):
    def order(self, order: LetterOrder) -> None:
        """Queue a letter, or UnavailableError."""


class Tellings(Protocol):
    """Letters that were handed over, for whoever may write evidence."""

    def note(self, contact: ContactPoint, telling: Telling) -> None:
        """Have it entered that a person was told, or UnavailableError. Harmless to repeat."""

    def put_off(self, contact: ContactPoint, telling: Telling) -> None:
        """The same, once what the person does now can no longer be undone."""


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

    def was_sent(self, name: str) -> bool:
        """Whether somebody who claimed a letter noted that it was sent."""


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
class Attachment:
    """A file that goes with a letter."""

    name: str
    media_type: str
    content: bytes

    def __repr__(self) -> str:
        """Hides the content, because a repr ends up in logs and tracebacks."""
        return f"Attachment({self.name!r})"


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
    attachments: Sequence[Attachment] = ()

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


class FileTexts(Protocol):
    def page(self, name: str, language: str, **context: Any) -> str:
        """The page of that name as HTML that needs nothing else."""

    def file(self, name: str, language: str, **context: Any) -> str:
        """The file of that name as plain text."""


class Part(NamedTuple):
    """One item of a record: `state`, `profile`, `sent` of `<purpose>#<channel>`, or `payload` of a seq."""

    kind: str
    of: str = ""


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


class DayIndex(Protocol):
    """The ledger by day, as it is sealed. What was written in the last seconds may not be in it yet."""

    def first_day(self) -> str:
        """The day (UTC) before which there can be no entry."""

    def leaves(self, day: str) -> Iterator[Leaf]:
        """All entries dated on a day, sorted by hash, as a stream. UnavailableError may come at any place of it."""


class Seals(Protocol):
    """Where seals are kept: nobody can replace one."""

    def newest(self) -> SignedSeal | None:
        """The seal of the last day that has one."""

    def of_day(self, day: str) -> SignedSeal | None:
        """The seal of a day."""

    def leaves(self, seal: Seal) -> Iterator[Leaf]:
        """The list of leaves of a seal, sorted by hash, as a stream."""

    def add(self, leaves: Iterable[Leaf], sign: Callable[[], SignedSeal]) -> SignedSeal:
        """Keep a list of leaves and the seal that `sign` makes once the list has passed by.

        Answers the seal that is kept for that day: an earlier one if somebody else was first.
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


class Announcements(Protocol):
    def publish(self, announcements: Sequence[Mapping[str, Any]]) -> None:
        """Tell other systems, each at least once. UnavailableError if one was not taken; others may have been."""


class AnnouncementOrders(Protocol):
    """Announcements that recipients of data are to be told, each by itself."""

    def order(self, orders: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Have each recipient told an announcement. UnavailableError if one was not taken; others may have been."""

    def put_off(self, receipt: str, seconds: int) -> None:
        """Have an order that was taken, and not carried out, come again after so long. UnavailableError."""


class ToldRecipients(Protocol):
    """Recipients of data that are told of changes."""

    def tell(self, recipient: str, announcement: Mapping[str, Any]) -> bool:
        """Whether it was told: False for a recipient that the settings no longer have told.

        UnavailableError if it did not take it; RecipientGoneError if it never will. Telling it again has one effect.
        """


class PublicKeys(Protocol):
    def jwks(self) -> Mapping[str, Any]:
        """The public halves of the keys that sign receipts (RFC 7517, 5), or UnavailableError."""


@dataclass(frozen=True, slots=True)
class StoredMail:
    """The beginning of a mail that arrived, and when that was in epoch milliseconds."""

    beginning: bytes
    arrived_at: int

    def __repr__(self) -> str:
        """Hides the mail, because a repr ends up in logs and tracebacks."""
        return "StoredMail(…)"


class IncomingMails(Protocol):
    def read(self, name: str, most: int) -> StoredMail | None:
        """The first `most` bytes of a mail that arrived; None if it was dealt with before. UnavailableError."""

    def remove(self, name: str) -> None:
        """Forget a mail that was dealt with. Harmless to repeat. UnavailableError."""

    def set_aside(self, name: str, reason: str) -> None:
        """Move a mail to where people will look for it. Harmless to repeat. UnavailableError."""


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
    jurisdiction: str | None = None


class Imports(Protocol):
    def about(self, import_id: str) -> Import:
        """What all rows share. UnavailableError also where nothing is kept (any more)."""

    def rows(self, import_id: str, part: int) -> Sequence[str]:
        """The rows of a part, one line of JSON each; parts count from 1."""

    def is_reported(self, import_id: str, part: int) -> bool:
        """Whether a part is done."""

    def add_report(self, import_id: str, part: int, lines: Iterable[str]) -> None:
        """Store what became of a part's rows. If there is a report already it stays."""


class Statistics(Protocol):
    """Counters of what happened, which know nobody."""

    def count(self, events: Sequence[Event], *, marked_until: int, kept_days: int) -> int:
        """Add each event to its counters once, however often it is told, and answer how many were new.

        An event is known until the epoch second `marked_until`; a day's counters go `kept_days` after it.
        UnavailableError: some may be counted, and telling all again counts the rest.
        """

    def counts(self, first: str, last: str, now: int) -> Iterator[tuple[Cell, int]]:
        """The counters of the days (UTC) from `first` through `last`, as a stream; one may come in several parts.

        Those that have expired at `now` (epoch seconds) are left out. UnavailableError may come at any place of it.
        """


class AudienceOrders(Protocol):
    """What is to be done about audiences."""

    def order(self, run: AudienceRun, shard: int) -> None:
        """Have one shard of a run made, or UnavailableError. Ordering one twice is harmless."""

    def changed(self, contact: ContactPoint, chain: str, purposes: Sequence[str]) -> None:
        """Have it said of a contact point, soon, whether it belongs to these purposes (codes), or UnavailableError.

        `chain` is what audiences know it by, which its record may no longer say by then.
        """


class Counted(NamedTuple):
    """Whom a shard's part looked at."""

    looked_at: int
    included: int
    left_out: Mapping[str, int]


class AudienceFiles(Protocol):
    """Where audiences lie. Only who fetches them reads them; nobody replaces a part or a manifest."""

    def part(self, run: AudienceRun, shard: int) -> AudiencePart | None:
        """The part of a shard, once it is there."""

    def add_part(self, run: AudienceRun, shard: int, rows: Iterable[str], counted: Callable[[], Counted]) -> None:
        """Keep a shard's rows, and what `counted` says once they have passed by. If there is a part it stays."""

    def finish(self, run: AudienceRun, manifest: str) -> None:
        """Say that a run is whole. If somebody said so before it stays."""

    def add_changes(self, purpose: str, at: int, rows: Sequence[str]) -> None:
        """Keep lines about people who decided; `at` in epoch milliseconds. Harmless to repeat."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All that is stored of a case but its particulars: its log is in the order of time."""

    case: Case
    tasks: Sequence[Task] = ()
    log: Sequence[LogLine] = ()


class Due(NamedTuple):
    """A case that somebody has to look at from the epoch second `due_at` on."""

    case: str
    due_at: int


class OpenCase(NamedTuple):
    """A case in the list of those that are open; `case` is None where what is stored cannot be read."""

    answer_by: str
    id: str
    case: Case | None


class Cases(Protocol):
    """Cases with their logs and tasks. What has expired is not there, however late it is removed."""

    shards: int

    def add(
        self,
        case: Case,
        log: LogLine,
        *,
        elsewhere: Sequence[ContactPoint] = (),
        others: Collection[str] = (),
    ) -> None:
        """Store a new case, whose particulars are kept already, and from now on without an end of their own.

        OpenCaseError if the same contact point, or one of `elsewhere`, has an open case of the same right that is none
        of `others`: these are somebody else's. UnavailableError.
        """

    def load(self, case: str) -> CaseFile | None:
        """The newest state of a case with its tasks and log, strongly consistent; None for none.

        UnreadableCaseError where what is stored cannot be read; UnavailableError.
        """

    def commit(self, case: Case, log: Sequence[LogLine], tasks: Sequence[Task] = ()) -> Case:
        """Store the case with log lines and changed tasks, all or none; the case with its new version.

        A closed case no longer stands in the way of another of the same right. With `expires_at` all that is stored
        of it ends then. StaleCaseError if the case, or one of the tasks, is no longer at its version. UnavailableError.
        """

    def of(self, contacts: Sequence[ContactPoint]) -> list[Case]:
        """Every case of these contact points, open or closed, the newest first. UnavailableError."""

    def due(self, shard: int, until: int) -> Iterator[Due]:
        """Open cases of a shard (from 0) that are due until an epoch second, earliest first, as a stream."""

    def hold_back(self, due: Due, until: int) -> None:
        """Leave a case that was ordered out of `due` until an epoch second, or until it is changed.

        Nothing happens if it was changed already. UnavailableError.
        """

    def put_off(self, case: str, until: int) -> bool:
        """Leave a case that cannot be read out of `due` until an epoch second; True the first time.

        UnavailableError.
        """

    def open_cases(self, shard: int, after: tuple[str, str] = ("", ""), most: int | None = None) -> Iterator[OpenCase]:
        """The open cases of a shard by the day to answer by and then by id, as a stream, for staff.

        From what comes `after` a day and an id on; `most` is how many somebody means to read. UnavailableError on the
        way.
        """


class Particulars(Protocol):
    """What a case knows about a person: sealed with a key of its own, which no backup holds."""

    def keep(self, case: str, particulars: Mapping[str, Any], until: int = 0) -> None:
        """Keep, in place of what was kept before: `address`, `details`, `new_address`, …

        Until an epoch second, unless the case is stored by then (`Cases.add`); 0 for without such an end.

        ParticularsTooLargeError for more than 200,000 bytes as JSON: then nothing was changed. UnavailableError.
        """

    def read(self, case: str) -> Mapping[str, Any] | None:
        """What is kept; None once it was shredded, or for a case that has none. UnavailableError."""

    def shred(self, case: str) -> None:
        """Destroy the key, so that nobody can ever read it again. Harmless to repeat. UnavailableError."""


class CaseOrders(Protocol):
    def order(self, case: str, due_at: int) -> None:
        """Have a case looked at, soon. Ordering it twice is harmless. UnavailableError."""


class Days(Protocol):
    """Reads a case's deadlines off a calendar."""

    def of(self, case: Case) -> tuple[str, str]:
        """The last day to answer and the same by the stricter reading, with the case's pause and extension (ISO)."""

    def may_extend(self, case: Case, now: int) -> bool:
        """Whether the person can still be told in time that it takes longer (Art. 12(3)); epoch milliseconds."""

    def may_pause(self, case: Case, now: int) -> bool:
        """Whether a question asked at `now` (epoch milliseconds) stops the period."""

    def warns_at(self, case: Case, days: int) -> int:
        """The epoch second at which so many days are left, by the earlier of both readings."""

    def ends_at(self, case: Case) -> int:
        """The epoch second at which the last day to answer is over."""


class Connector(Protocol):
    """One recipient's system."""

    verbs: frozenset[Verb]

    def ask(self, ask: Ask) -> Answer:
        """Tell it what to do; UnavailableError if it may answer another time. Asking twice has one effect there."""


class Connectors(Protocol):
    def of(self, recipient: str) -> Connector:
        """The connector of a recipient of the policy. One without any is a task for staff."""


class RecipientSecrets(Protocol):
    """What recipients and we sign messages with."""

    def keys(self, name: str) -> tuple[bytes, ...]:
        """The keys of a name, the newest first; none for a name that is not there. UnavailableError."""


class StoredPackage(NamedTuple):
    """A file that was made for a person: size in bytes, SHA-256 in hexadecimal, gone at an epoch second."""

    name: str
    size: int
    sha256: str
    expires_at: int


class Exports(Protocol):
    """Files made for one person. They leave by themselves."""

    def write(self, case: str, name: str, content: Iterable[bytes], now: int) -> StoredPackage:
        """Keep a file, as a stream, in place of one of the same name; `now` in epoch seconds. UnavailableError."""

    def link(self, case: str, name: str, seconds: int, now: int) -> str | None:
        """An address that fetches the file for so many seconds; None if it is gone. UnavailableError."""

    def remove(self, case: str) -> None:
        """Remove all files of a case. Harmless to repeat. UnavailableError."""
