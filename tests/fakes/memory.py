"""Ports in memory."""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from consent_center.adapters.dynamodb.claims import HELD_SECONDS
from consent_center.domain.audience import AudiencePart, AudienceRun, Reached
from consent_center.domain.capability import SEND_GOOD_FOR_MS
from consent_center.domain.chain import Entry, Payload
from consent_center.domain.contact import ContactPoint, Keyring
from consent_center.domain.errors import StaleSubjectError, TakenPlaceError, UnavailableError
from consent_center.domain.moving import AddressRequest, Moving
from consent_center.domain.request import Request
from consent_center.domain.seal import Leaf, Seal, SignedSeal
from consent_center.domain.statistics import Cell, Event
from consent_center.domain.subject import Decision, Move, Randomness, Subject
from consent_center.domain.told import Telling
from consent_center.ports import (
    Counted,
    Dossier,
    End,
    Envelope,
    Holdings,
    Import,
    KeptPayload,
    LetterOrder,
    Part,
    Profile,
    Record,
    Removal,
    Send,
    StoredMail,
)


@dataclass
class SettableClock:
    """A clock that stands still until a test moves it."""

    now: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now

    def move(self, *, ms: int = 0, seconds: int = 0, days: int = 0) -> None:
        self.now += ms + 1000 * (seconds + 86400 * days)


def no_pause(attempt: int) -> None:
    """Tests do not wait."""


def real_clock() -> int:
    """For engines that look at the date of a signature."""
    return time.time_ns() // 1_000_000


@dataclass
class CountingChance:
    """Names that tests can foresee; salts that no two tests share, because an engine remembers what it has stored."""

    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"name{self.count:022d}"

    def decision(self) -> Randomness:
        return Randomness(self.name(), secrets.token_urlsafe(16), secrets.token_urlsafe(16))


@dataclass
class FixedSecrets:
    pepper: Keyring = field(default_factory=lambda: Keyring("k1", {"k1": b"pepper-one"}))
    link: Keyring = field(default_factory=lambda: Keyring("k1", {"k1": b"links-one"}))

    def peppers(self) -> Keyring:
        return self.pepper

    def links(self) -> Keyring:
        return self.link


@dataclass
class InMemorySubjects:
    """Keeps versions and conditions as DynamoDB does, and counts what it was asked to do in `calls`."""

    subjects: dict[ContactPoint, Subject] = field(default_factory=dict)
    requests: dict[tuple[ContactPoint, str], Request] = field(default_factory=dict)
    profiles: dict[ContactPoint, Profile] = field(default_factory=dict)
    entry_of: dict[tuple[str, int], Entry] = field(default_factory=dict)
    payload_of: dict[tuple[str, int], Payload] = field(default_factory=dict)
    sends: dict[tuple[ContactPoint, str], int] = field(default_factory=dict)
    unreadable: set[ContactPoint] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    clock: Callable[[], int] = lambda: 0
    """Tells what has expired; by default nothing has."""
    ends: dict[tuple[ContactPoint | str, Part], End] = field(default_factory=dict)
    """When an item is gone, of a contact point or of a chain."""
    reviews: dict[ContactPoint, str] = field(default_factory=dict)
    address_requests: dict[tuple[ContactPoint, str], AddressRequest] = field(default_factory=dict)
    moved: dict[ContactPoint, ContactPoint] = field(default_factory=dict)
    """Where records went that are no longer at these places."""

    def place(self, contact: ContactPoint) -> ContactPoint:
        while contact in self.moved:
            contact = self.moved[contact]
        return contact

    def is_gone(self, of: ContactPoint | str, part: Part) -> bool:
        end = self.ends.get((of, part))
        return end is not None and end.at * 1000 <= self.clock()

    def _subject(self, contact: ContactPoint) -> Subject:
        subject = self.subjects.get(contact, Subject(contact))
        if self.is_gone(contact, Part("state")):
            return Subject(contact, subject.version, former=subject.former)
        return subject

    def add_request(self, request: Request) -> None:
        self.calls.append("add_request")
        self.requests[request.contact, request.id] = request

    def load(self, contact: ContactPoint, request: str | None = None) -> Record:
        self.calls.append("load")
        place = self.place(contact)
        found = self.requests.get((place, request)) or self.requests.get((contact, request)) if request else None
        return Record(self._subject(place), replace(found, contact=place) if found else None)

    def holdings(self, contact: ContactPoint) -> Holdings:
        self.calls.append("holdings")
        contact = self.place(contact)
        return Holdings(
            self._subject(contact),
            None if self.is_gone(contact, Part("profile")) else self.profiles.get(contact),
            tuple(request for (of, _), request in self.requests.items() if of == contact),
            {
                (purpose, of.channel): at
                for (of, purpose), at in self.sends.items()
                if of == contact and not self.is_gone(contact, sent(purpose, contact))
            },
            self.ends.get((contact, Part("profile"))),
        )

    def last_sends(self, contacts: Sequence[ContactPoint], purpose: str, channel: str) -> Mapping[ContactPoint, int]:
        self.calls.append("last_sends")
        return {
            contact: 0 if self.is_gone(contact, sent(purpose, contact)) else self.sends.get((contact, purpose), 0)
            for contact in contacts
            if contact not in self.unreadable
        }

    def save_language(self, contact: ContactPoint, language: str) -> None:
        self.calls.append("save_language")
        contact = self.place(contact)
        with self.lock:
            if contact in self.subjects:
                self.subjects[contact] = replace(self.subjects[contact], language=language)
            if contact in self.profiles:
                self.profiles[contact] = replace(self.profiles[contact], language=language)

    def mark_requested(self, contact: ContactPoint, requested: Mapping[str, int]) -> None:
        self.calls.append("mark_requested")
        contact = self.place(contact)
        with self.lock:
            subject = self.subjects.get(contact, Subject(contact))
            self._end_later(contact, max(requested.values()))
            self.subjects[contact] = replace(subject, requested=dict(requested))

    def cancel_request(self, contact: ContactPoint, request: str, requested: Mapping[str, int], now: int) -> None:
        self.calls.append("cancel_request")
        with self.lock:
            self.requests.pop((contact, request), None)
            contact = self.place(contact)
            self.requests.pop((contact, request), None)
            subject = self.subjects.get(contact, Subject(contact))
            self._end_later(contact, max([now // 1000 + 3600, *requested.values()]))
            self.subjects[contact] = replace(subject, version=subject.version + 1, requested=dict(requested))

    def _end_later(self, contact: ContactPoint, until: int) -> None:
        """Of a state without decisions or a suppression, which leaves by itself."""
        known, end = self.subjects.get(contact), self.ends.get((contact, Part("state")))
        is_somebody = known is not None and (known.chain or known.suppression or known.erasing)
        if not is_somebody and (known is None or (end is not None and end.at < until)):
            self.ends[contact, Part("state")] = End(until)

    def commit(self, decision: Decision, profile: Profile | None = None) -> None:
        self.calls.append("commit")
        contact, entry = decision.subject.contact, decision.entry
        with self.lock:
            if contact in self.moved:
                raise StaleSubjectError
            if self.subjects.get(contact, Subject(contact)).version != decision.replaces_version:
                raise StaleSubjectError
            if (entry.chain, entry.seq) in self.entry_of:
                raise StaleSubjectError
            self.subjects[contact] = decision.subject
            self.ends.pop((contact, Part("state")), None)
            self.reviews.pop(contact, None)
            self.entry_of[entry.chain, entry.seq] = entry
            self.payload_of[entry.chain, entry.seq] = decision.payload
            if profile is not None:
                was_gone = self.is_gone(contact, Part("profile"))
                self.ends.pop((contact, Part("profile")), None)
                known = profile if was_gone else self.profiles.get(contact, profile)
                self.profiles[contact] = replace(
                    profile,
                    name=profile.name or known.name,
                    company=profile.company or known.company,
                    interests=profile.interests or known.interests,
                )

    def clear(self, subject: Subject, until: int | None) -> None:
        self.calls.append("clear")
        contact = subject.contact
        with self.lock:
            stored = self.subjects.get(contact)
            if stored is None or stored.version != subject.version:
                raise StaleSubjectError
            for move in subject.came_from:
                self.forget(subject, move)
            if subject.chain is None:
                self.profiles.pop(contact, None)
                self.requests = {key: one for key, one in self.requests.items() if key[0] != contact}
                waiting = self.address_requests
                self.address_requests = {key: one for key, one in waiting.items() if key[0] != contact}
                self.sends = {key: at for key, at in self.sends.items() if key[0] != contact}
                self.ends = {key: end for key, end in self.ends.items() if key[0] != contact}
                if until is not None and (subject.suppression or not subject.leads_on):
                    self.ends[contact, Part("state")] = End(until)
            self.payload_of = {key: one for key, one in self.payload_of.items() if key[0] != subject.erasing}
            self.subjects[contact] = replace(stored, version=stored.version + 1, erasing=None, came_from=())

    def forget(self, subject: Subject, move: Move) -> None:
        """Remove what leads to a record from an earlier address of its."""
        place = self.place(subject.contact._replace(key_id=move.key_id, pseudonym=move.pseudonym))
        there = self.subjects.get(place)
        if there is None or all(one.at != move.at for one in there.former):
            return
        kept, is_nobodys = there.suppression, there.chain is None and there.erasing is None
        left = tuple(one.forgotten() if one.at == move.at else one for one in there.former)
        is_empty = is_nobodys and all(one.leads_nowhere for one in left)
        if is_nobodys and kept is None and subject.suppression is not None:
            kept = subject.suppression
            if kept.until is not None:
                self.ends[place, Part("state")] = End(kept.until)
        elif is_empty and (until := kept.until if kept else 0) is not None:
            ends = [(self.clock() + SEND_GOOD_FOR_MS) // 1000, *there.requested.values()]
            self.ends[place, Part("state")] = End(max([*ends, until]))
        left = () if is_empty else left
        self.subjects[place] = replace(there, version=there.version + 1, former=left, suppression=kept)

    def states(self, contacts: Sequence[ContactPoint]) -> Mapping[ContactPoint, Subject]:
        self.calls.append("states")
        return {contact: self._subject(self.place(contact)) for contact in contacts if contact not in self.unreadable}

    def reached(self, contacts: Sequence[ContactPoint]) -> Mapping[ContactPoint, Reached | None]:
        self.calls.append("reached")
        found = {contact: self.profiles.get(contact) for contact in contacts if contact not in self.unreadable}
        return {
            contact: None
            if profile is None or self.is_gone(contact, Part("profile"))
            else Reached(profile.address.mailable, profile.language, profile.address.normalised)
            for contact, profile in found.items()
        }

    def record_sends(self, sends: Sequence[Send]) -> set[ContactPoint]:
        self.calls.append("record_sends")
        stored = [send for send in sends if send.contact not in self.unreadable]
        self.sends |= {(send.contact, send.purpose): send.at for send in stored}
        for send in stored:
            self.ends.pop((send.contact, sent(send.purpose, send.contact)), None)
        return {send.contact for send in sends} - {send.contact for send in stored}

    def payload(self, chain: str, seq: int) -> Payload | None:
        return None if self.is_gone(chain, event(seq)) else self.payload_of.get((chain, seq))

    def payloads(self, chain: str) -> Mapping[int, Payload]:
        return {kept.seq: kept.payload for kept in self.kept_payloads(chain)}

    def kept_payloads(self, chain: str) -> Iterator[KeptPayload]:
        for (of_chain, seq), payload in sorted(self.payload_of.items(), key=lambda one: one[0]):
            if of_chain == chain and not self.is_gone(chain, event(seq)):
                yield KeptPayload(seq, payload, self.ends.get((chain, event(seq))))


def sent(purpose: str, contact: ContactPoint) -> Part:
    return Part("sent", f"{purpose}#{contact.channel}")


def event(seq: int) -> Part:
    return Part("payload", str(seq))


@dataclass
class InMemoryRetention:
    subjects: InMemorySubjects

    def dossier(self, contact: ContactPoint) -> Dossier | None:
        store = self.subjects
        subject = store.subjects.get(contact)
        if subject is None or subject.chain is None or store.is_gone(contact, Part("state")):
            return None
        sends = {
            purpose: at
            for (of, purpose), at in store.sends.items()
            if of == contact and not store.is_gone(contact, sent(purpose, contact))
        }
        seqs = [seq for chain, seq in sorted(store.payload_of) if chain == subject.chain]
        parts = [Part("state"), *(sent(purpose, contact) for purpose in sends)]
        parts += [Part("profile")] if contact in store.profiles else []
        ends = {part: store.ends.get((contact, part)) for part in parts}
        return Dossier(
            subject,
            {(purpose, contact.channel): at for purpose, at in sends.items()},
            ends | {event(seq): store.ends.get((subject.chain, event(seq))) for seq in seqs},
            frozenset(seq for seq in seqs if store.payload_of[subject.chain, seq].circumstances is not None),
            store.reviews.get(contact),
        )

    def keep(
        self, dossier: Dossier, ends: Mapping[Part, End | None], bare: Iterable[int], review_on: str | None
    ) -> None:
        store, contact, chain = self.subjects, dossier.subject.contact, dossier.subject.chain
        assert chain is not None
        with store.lock:
            if store.subjects[contact].version != dossier.subject.version:
                raise StaleSubjectError
            for part, end in ends.items():
                key = (chain if part.kind == "payload" else contact, part)
                if end is None:
                    store.ends.pop(key, None)
                else:
                    store.ends[key] = end
            for seq in bare:
                store.payload_of[chain, seq] = replace(store.payload_of[chain, seq], circumstances=None)
            store.reviews.pop(contact, None)
            if review_on is not None:
                store.reviews[contact] = review_on

    def end_strays(self, contact: ContactPoint, now: int) -> int:
        store = self.subjects
        with store.lock:
            subject = store.subjects.get(contact)
            if subject is not None and subject.chain is not None:
                return 0
            parts = [sent(purpose, contact) for of, purpose in store.sends if of == contact]
            strays = [part for part in parts if (contact, part) not in store.ends]
            store.ends |= {(contact, part): End(now) for part in strays}
        return len(strays)


@dataclass
class InMemoryLedger:
    subjects: InMemorySubjects

    def entries(self, chain: str) -> list[Entry]:
        return list(self.stream(chain))

    def stream(self, chain: str) -> Iterator[Entry]:
        found = sorted(self.subjects.entry_of.items(), key=lambda one: one[0])
        yield from (entry for (of_chain, _), entry in found if of_chain == chain)

    def entry(self, chain: str, seq: int) -> Entry | None:
        return self.subjects.entry_of.get((chain, seq))

    def append(self, entry: Entry) -> None:
        with self.subjects.lock:
            if (entry.chain, entry.seq) in self.subjects.entry_of:
                raise StaleSubjectError
            self.subjects.entry_of[entry.chain, entry.seq] = entry


@dataclass
class CollectingReviews:
    """Records to look at, and those that the reviews of `subjects` name for a day."""

    subjects: InMemorySubjects
    ordered: list[ContactPoint] = field(default_factory=list)
    refuses: set[ContactPoint] = field(default_factory=set)

    def order(self, contact: ContactPoint) -> None:
        if contact in self.refuses:
            raise UnavailableError("order review")
        self.ordered.append(contact)

    def due(self, day: str) -> Iterator[ContactPoint]:
        return iter([contact for contact, on in self.subjects.reviews.items() if on == day])


@dataclass
class CollectingTellings:
    """Letters that were handed over: those to be entered now, and those to be entered later."""

    noted: list[tuple[ContactPoint, Telling]] = field(default_factory=list)
    put_back: list[tuple[ContactPoint, Telling]] = field(default_factory=list)
    refuses: bool = False

    def note(self, contact: ContactPoint, telling: Telling) -> None:
        if self.refuses:
            raise UnavailableError("note telling: refused")
        self.noted.append((contact, telling))

    def put_off(self, contact: ContactPoint, telling: Telling) -> None:
        self.put_back.append((contact, telling))


@dataclass
class InMemoryListing:
    subjects: InMemorySubjects
    shards: int = 4

    def records(self, controller: str, shard: int) -> Iterator[ContactPoint]:
        for contact, subject in sorted(self.subjects.subjects.items(), key=lambda pair: pair[0].pseudonym):
            if contact.controller == controller and subject.chain and sum(contact.pseudonym.encode()) % 4 == shard:
                yield contact

    def remains(self, controller: str, shard: int) -> Iterator[ContactPoint]:
        for contact, subject in sorted(self.subjects.subjects.items(), key=lambda pair: pair[0].pseudonym):
            is_left = subject.chain is None and subject.suppression is not None
            if contact.controller == controller and is_left and sum(contact.pseudonym.encode()) % 4 == shard:
                yield contact


@dataclass
class InMemoryMoves:
    subjects: InMemorySubjects
    before_moving: Callable[[], object] = lambda: None
    """What happens at the last moment: somebody decides, or the process ends."""

    def move(self, old: ContactPoint, new: ContactPoint) -> bool:
        store = self.subjects
        read = store.subjects.get(old)
        if read is None:
            return False
        self.before_moving()
        with store.lock:
            there = store.subjects.get(new, Subject(new))
            if there.chain or there.suppression or there.erasing or new in store.moved:
                raise TakenPlaceError
            if store.subjects.get(old) != read:
                raise StaleSubjectError
            version = max(read.version, there.version) + 1
            requested = {**there.requested, **read.requested}
            former = tuple(sorted((*there.former, *read.former), key=lambda move: move.at))
            store.subjects[new] = replace(read, contact=new, version=version, requested=requested, former=former)
            del store.subjects[old]
            store.moved[old] = new
            if old in store.profiles:
                store.profiles[new] = store.profiles.pop(old)
            if old in store.reviews:
                store.reviews[new] = store.reviews.pop(old)
            store.requests = {
                (new if of == old else of, name): replace(one, contact=new) if of == old else one
                for (of, name), one in store.requests.items()
            }
            store.sends = {(new if of == old else of, purpose): at for (of, purpose), at in store.sends.items()}
            store.ends = {(new if of == old else of, part): end for (of, part), end in store.ends.items()}
        return True


@dataclass
class InMemoryAddressMoves:
    subjects: InMemorySubjects
    before_moving: Callable[[], object] = lambda: None
    """What happens at the last moment: somebody decides, or the process ends."""

    @property
    def requests(self) -> dict[tuple[ContactPoint, str], AddressRequest]:
        return self.subjects.address_requests

    def ask(self, request: AddressRequest) -> None:
        self.requests[request.contact, request.id] = request

    def asked(self, contact: ContactPoint, request: str) -> AddressRequest | None:
        place = self.subjects.place(contact)
        found = self.requests.get((contact, request)) or self.requests.get((place, request))
        return replace(found, contact=place) if found else None

    def move(self, moving: Moving, request: AddressRequest | None = None) -> None:
        store, decision = self.subjects, moving.decision
        old, new, entry = moving.old.contact, moving.decision.subject.contact, moving.decision.entry
        self.before_moving()
        with store.lock:
            there = store.subjects.get(new, Subject(new))
            if old in store.moved or new in store.moved or there.version != decision.replaces_version:
                raise StaleSubjectError
            if store.subjects.get(old) != moving.old or (entry.chain, entry.seq) in store.entry_of:
                raise StaleSubjectError
            if request is not None:
                keys = [key for key in self.requests if key[1] == request.id]
                if not keys:
                    raise StaleSubjectError
                del self.requests[keys[0]]
            store.subjects |= {old: moving.left, new: decision.subject}
            store.entry_of[entry.chain, entry.seq] = entry
            store.payload_of[entry.chain, entry.seq] = decision.payload
            for part in (Part("state"), Part("profile")):
                store.ends.pop((old, part), None)
            store.ends.pop((new, Part("state")), None)
            if old in store.profiles:
                store.profiles[new] = replace(store.profiles.pop(old), address=moving.address)
            store.reviews.pop(old, None)
            store.sends = {(new if of == old else of, purpose): at for (of, purpose), at in store.sends.items()}

    def settle(self, ended: Subject) -> None:
        store = self.subjects
        with store.lock:
            for move in ended.came_from:
                store.forget(replace(ended, suppression=None), move)
            here = store.subjects.get(ended.contact)
            if not ended.leads_on or (here is not None and here.former):
                return
            version = (here.version if here else ended.version) + 1
            stub = here or Subject(ended.contact, last_at=ended.last_at)
            store.subjects[ended.contact] = replace(stub, version=version, former=ended.former)


@dataclass
class CollectingRemovals:
    proved: dict[str, tuple[Removal, int | None]] = field(default_factory=dict)

    def prove(self, removal: Removal, keep_until: int | None) -> None:
        self.proved.setdefault(removal.name, (removal, keep_until))


@dataclass
class CollectingAnnouncements:
    told: list[Mapping[str, Any]] = field(default_factory=list)
    refuses: bool = False

    def publish(self, announcements: Sequence[Mapping[str, Any]]) -> None:
        if self.refuses:
            raise UnavailableError("announce")
        self.told += announcements


@dataclass
class CollectingAnnouncementOrders:
    ordered: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    put_offs: list[tuple[str, int]] = field(default_factory=list)
    refuses: bool = False

    def order(self, orders: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        if self.refuses:
            raise UnavailableError("order announcement")
        self.ordered += orders

    def put_off(self, receipt: str, seconds: int) -> None:
        if self.refuses:
            raise UnavailableError("put off announcement")
        self.put_offs.append((receipt, seconds))


@dataclass
class ScriptedRecipients:
    """Say what they were told to, one answer after the other; the last is repeated for ever."""

    script: list[bool | Exception] = field(default_factory=lambda: [True])
    told: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """What was taken."""

    def tell(self, recipient: str, announcement: Mapping[str, Any]) -> bool:
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        if said:
            self.told.append((recipient, announcement))
        return said


@dataclass
class InMemoryClaims:
    held: dict[str, int] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)

    def take(self, name: str, now: int, until: int = 0) -> bool:
        if name in self.sent:
            return False
        if self.held.get(name, 0) > now:
            raise UnavailableError("somebody else is sending this letter")
        self.held[name] = now + HELD_SECONDS
        return True

    def finish(self, name: str, now: int) -> None:
        self.sent.add(name)

    def was_taken(self, name: str) -> bool:
        return name in self.held

    def was_sent(self, name: str) -> bool:
        return name in self.sent


@dataclass
class CollectingOutbox:
    orders: list[LetterOrder] = field(default_factory=list)
    refuses: bool = False

    def order(self, order: LetterOrder) -> None:
        if self.refuses:
            raise UnavailableError("order letter: refused")
        self.orders.append(order)


@dataclass
class CollectingMailer:
    letters: list[Envelope] = field(default_factory=list)
    fails_with: Exception | None = None

    def send(self, envelope: Envelope) -> None:
        if self.fails_with is not None:
            raise self.fails_with
        self.letters.append(envelope)


@dataclass
class InMemoryLimits:
    used: dict[tuple[str, int], int] = field(default_factory=dict)
    blocked: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, most: int, now: int) -> bool:
        key = (name, now // 3600)
        if self.used.get(key, 0) >= most:
            return False
        self.used[key] = self.used.get(key, 0) + 1
        return True

    def take_until(self, name: str, most: int, end: int) -> bool:
        self.used[name, end] = self.used.get((name, end), 0) + 1
        return self.used[name, end] <= most

    def block(self, name: str, until: int) -> None:
        self.blocked[name] = max(until, self.blocked.get(name, 0))

    def is_blocked(self, name: str, now: int) -> bool:
        return now < self.blocked.get(name, 0)


@dataclass
class PlainKeys:
    fails: bool = False

    def jwks(self) -> Mapping[str, object]:
        if self.fails:
            raise UnavailableError("public key: KMSInternalException")
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "receipts-1", "n": "AQ", "e": "AQAB"}]}


@dataclass
class CollectingDeadLetters:
    orders: list[tuple[str, str]] = field(default_factory=list)

    def set_aside(self, order: str, reason: str) -> None:
        self.orders.append((order, reason))


@dataclass
class InMemoryDayIndex:
    """Entries by day; `entry_of` is the one of InMemorySubjects where both are used together."""

    entry_of: dict[tuple[str, int], Entry] = field(default_factory=dict)
    began: str = "2027-01-15"
    hidden: set[str] = field(default_factory=set)
    """Hashes that have not reached the index yet."""
    fails_at: str | None = None
    """A day whose entries cannot be read."""

    def first_day(self) -> str:
        return self.began

    def leaves(self, day: str) -> Iterator[Leaf]:
        for (chain, seq), entry in sorted(self.entry_of.items(), key=lambda kept: (kept[1].hash, kept[0])):
            if day == self.fails_at:
                raise UnavailableError("leaves: Throttling")
            if entry.at[:10] == day and entry.hash not in self.hidden:
                yield Leaf(entry.hash, chain, seq)


@dataclass
class InMemorySeals:
    kept: dict[str, SignedSeal] = field(default_factory=dict)
    lists: dict[tuple[str, str], list[Leaf]] = field(default_factory=dict)
    before_keeping: Callable[[], object] = lambda: None
    """What happens at the last moment: somebody else keeps a seal, or the process ends."""

    def newest(self) -> SignedSeal | None:
        return self.kept[max(self.kept)] if self.kept else None

    def of_day(self, day: str) -> SignedSeal | None:
        return self.kept.get(day)

    def leaves(self, seal: Seal) -> Iterator[Leaf]:
        if (seal.day, seal.leaves) not in self.lists:
            raise UnavailableError("read leaves: NoSuchKey")
        return iter(self.lists[seal.day, seal.leaves])

    def add(self, leaves: Iterable[Leaf], sign: Callable[[], SignedSeal]) -> SignedSeal:
        listed = list(leaves)
        signed = sign()
        self.lists[signed.seal.day, signed.seal.leaves] = listed
        self.before_keeping()
        return self.kept.setdefault(signed.seal.day, signed)


@dataclass
class HashingSigner:
    """Signs with a keyed hash: enough to see that a signature belongs to a document and a key."""

    key_id: str = "key-1"
    refuses: bool = False

    def sign(self, message: bytes) -> bytes:
        if self.refuses:
            raise UnavailableError("sign: Throttling")
        return hashlib.sha256(self.key_id.encode() + message).digest()

    def holds(self, message: bytes, signature: bytes) -> bool:
        return hashlib.sha256(self.key_id.encode() + message).digest() == signature


@dataclass
class InMemoryMails:
    """Mails that arrived, by name; `for_staff` are those that were set aside, with the reason."""

    arrived: dict[str, StoredMail] = field(default_factory=dict)
    for_staff: dict[str, str] = field(default_factory=dict)
    fails_with: Exception | None = None

    def read(self, name: str, most: int) -> StoredMail | None:
        stored = self.arrived.get(name)
        return StoredMail(stored.beginning[:most], stored.arrived_at) if stored else None

    def remove(self, name: str) -> None:
        if self.fails_with is not None:
            raise self.fails_with
        self.arrived.pop(name, None)

    def set_aside(self, name: str, reason: str) -> None:
        if self.arrived.pop(name, None) is not None:
            self.for_staff[name] = reason


@dataclass
class InMemoryImports:
    kept: dict[str, Import] = field(default_factory=dict)
    parts: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    reports: dict[tuple[str, int], list[str]] = field(default_factory=dict)

    def about(self, import_id: str) -> Import:
        if import_id not in self.kept:
            raise UnavailableError("import: NoSuchKey")
        return self.kept[import_id]

    def rows(self, import_id: str, part: int) -> Sequence[str]:
        if (import_id, part) not in self.parts:
            raise UnavailableError("import: NoSuchKey")
        return self.parts[import_id, part]

    def is_reported(self, import_id: str, part: int) -> bool:
        return (import_id, part) in self.reports

    def add_report(self, import_id: str, part: int, lines: Iterable[str]) -> None:
        self.reports.setdefault((import_id, part), list(lines))


@dataclass
class InMemoryStatistics:
    marks: dict[str, int] = field(default_factory=dict)
    numbers: dict[Cell, int] = field(default_factory=dict)
    ends: dict[Cell, int] = field(default_factory=dict)
    fails_with: Exception | None = None

    def count(self, events: Sequence[Event], *, marked_until: int, kept_days: int) -> int:
        if self.fails_with is not None:
            raise self.fails_with
        new = {event.id: event for event in events if event.id not in self.marks}
        for event in new.values():
            self.marks[event.id] = marked_until
            for cell in event.cells:
                self.numbers[cell] = self.numbers.get(cell, 0) + 1
                over = datetime.fromisoformat(cell.day).replace(tzinfo=UTC) + timedelta(days=1 + kept_days)
                self.ends[cell] = int(over.timestamp())
        return len(new)

    def counts(self, first: str, last: str, now: int) -> Iterator[tuple[Cell, int]]:
        for cell, number in self.numbers.items():
            if first <= cell.day <= last and self.ends[cell] > now:
                yield cell, number


@dataclass
class CollectingAudienceOrders:
    ordered: list[tuple[AudienceRun, int]] = field(default_factory=list)
    noted: list[tuple[ContactPoint, str, Sequence[str]]] = field(default_factory=list)

    def order(self, run: AudienceRun, shard: int) -> None:
        self.ordered.append((run, shard))

    def changed(self, contact: ContactPoint, chain: str, purposes: Sequence[str]) -> None:
        self.noted.append((contact, chain, list(purposes)))


@dataclass
class InMemoryAudiences:
    rows: dict[tuple[AudienceRun, str], list[str]] = field(default_factory=dict)
    """By the name of a part, whether or not a manifest names it."""
    notes: dict[tuple[AudienceRun, int], AudiencePart] = field(default_factory=dict)
    manifests: dict[AudienceRun, str] = field(default_factory=dict)
    changes: dict[str, list[list[str]]] = field(default_factory=dict)

    def part(self, run: AudienceRun, shard: int) -> AudiencePart | None:
        return self.notes.get((run, shard))

    def add_part(self, run: AudienceRun, shard: int, rows: Iterable[str], counted: Callable[[], Counted]) -> None:
        kept = list(rows)
        text = "".join(f"{row}\n" for row in kept).encode()
        sha256 = hashlib.sha256(text).hexdigest()
        name = f"part-{shard:03d}-{sha256[:16]}.ndjson.gz"
        self.rows.setdefault((run, name), kept)
        self.notes.setdefault((run, shard), AudiencePart(shard, name, sha256, len(text), *counted()))

    def finish(self, run: AudienceRun, manifest: str) -> None:
        self.manifests.setdefault(run, manifest)

    def add_changes(self, purpose: str, at: int, rows: Sequence[str]) -> None:
        kept = self.changes.setdefault(purpose, [])
        if list(rows) not in kept:
            kept.append(list(rows))
