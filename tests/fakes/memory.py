"""Ports in memory."""

import secrets
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from consent_center.adapters.dynamodb.claims import HELD_SECONDS
from consent_center.domain.chain import Entry, Payload
from consent_center.domain.contact import ContactPoint, Keyring
from consent_center.domain.errors import StaleSubjectError, UnavailableError
from consent_center.domain.request import Request
from consent_center.domain.subject import Decision, Randomness, Subject
from consent_center.ports import Envelope, Holdings, Import, LetterOrder, Profile, Record, Send


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
        return Randomness(chain=self.name(), salt=secrets.token_hex(32))


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

    def add_request(self, request: Request) -> None:
        self.calls.append("add_request")
        self.requests[request.contact, request.id] = request

    def load(self, contact: ContactPoint, request: str | None = None) -> Record:
        self.calls.append("load")
        subject = self.subjects.get(contact, Subject(contact))
        return Record(subject, self.requests.get((contact, request)) if request else None)

    def holdings(self, contact: ContactPoint) -> Holdings:
        self.calls.append("holdings")
        return Holdings(
            self.subjects.get(contact, Subject(contact)),
            self.profiles.get(contact),
            tuple(request for (of, _), request in self.requests.items() if of == contact),
            {(purpose, of.channel): at for (of, purpose), at in self.sends.items() if of == contact},
        )

    def last_sends(self, contacts: Sequence[ContactPoint], purpose: str, channel: str) -> Mapping[ContactPoint, int]:
        self.calls.append("last_sends")
        return {
            contact: self.sends.get((contact, purpose), 0) for contact in contacts if contact not in self.unreadable
        }

    def save_language(self, contact: ContactPoint, language: str) -> None:
        self.calls.append("save_language")
        with self.lock:
            if contact in self.subjects:
                self.subjects[contact] = replace(self.subjects[contact], language=language)
            if contact in self.profiles:
                self.profiles[contact] = replace(self.profiles[contact], language=language)

    def mark_requested(self, contact: ContactPoint, requested: Mapping[str, int]) -> None:
        self.calls.append("mark_requested")
        with self.lock:
            subject = self.subjects.get(contact, Subject(contact))
            self.subjects[contact] = replace(subject, requested=dict(requested))

    def cancel_request(self, contact: ContactPoint, request: str, requested: Mapping[str, int], now: int) -> None:
        self.calls.append("cancel_request")
        with self.lock:
            self.requests.pop((contact, request), None)
            subject = self.subjects.get(contact, Subject(contact))
            self.subjects[contact] = replace(subject, version=subject.version + 1, requested=dict(requested))

    def commit(self, decision: Decision, profile: Profile | None = None) -> None:
        self.calls.append("commit")
        contact, entry = decision.subject.contact, decision.entry
        with self.lock:
            if self.subjects.get(contact, Subject(contact)).version != decision.replaces_version:
                raise StaleSubjectError
            if (entry.chain, entry.seq) in self.entry_of:
                raise StaleSubjectError
            self.subjects[contact] = decision.subject
            self.entry_of[entry.chain, entry.seq] = entry
            self.payload_of[entry.chain, entry.seq] = decision.payload
            if profile is not None:
                known = self.profiles.get(contact, profile)
                self.profiles[contact] = replace(
                    profile,
                    name=profile.name or known.name,
                    company=profile.company or known.company,
                    interests=profile.interests or known.interests,
                )

    def states(self, contacts: Sequence[ContactPoint]) -> Mapping[ContactPoint, Subject]:
        self.calls.append("states")
        return {
            contact: self.subjects.get(contact, Subject(contact))
            for contact in contacts
            if contact not in self.unreadable
        }

    def record_sends(self, sends: Sequence[Send]) -> set[ContactPoint]:
        self.calls.append("record_sends")
        stored = [send for send in sends if send.contact not in self.unreadable]
        self.sends |= {(send.contact, send.purpose): send.at for send in stored}
        return {send.contact for send in sends} - {send.contact for send in stored}

    def payload(self, chain: str, seq: int) -> Payload | None:
        return self.payload_of.get((chain, seq))

    def payloads(self, chain: str) -> Mapping[int, Payload]:
        return {seq: payload for (of_chain, seq), payload in self.payload_of.items() if of_chain == chain}


@dataclass
class InMemoryLedger:
    subjects: InMemorySubjects

    def entries(self, chain: str) -> list[Entry]:
        return [entry for (of_chain, _), entry in sorted(self.subjects.entry_of.items()) if of_chain == chain]

    def entry(self, chain: str, seq: int) -> Entry | None:
        return self.subjects.entry_of.get((chain, seq))


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
class CollectingDeadLetters:
    orders: list[tuple[str, str]] = field(default_factory=list)

    def set_aside(self, order: str, reason: str) -> None:
        self.orders.append((order, reason))


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
