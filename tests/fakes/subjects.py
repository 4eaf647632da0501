"""The records of people in memory, with what was asked for, sent and decided."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from consent_center.domain.audience import Reached
from consent_center.domain.capability import SEND_GOOD_FOR_MS
from consent_center.domain.chain import Entry, Payload
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError
from consent_center.domain.moving import AddressRequest
from consent_center.domain.request import Request
from consent_center.domain.subject import Decision, Move, Subject
from consent_center.ports.letters import Part
from consent_center.ports.people import End, Holdings, KeptPayload, Profile, Record, Send


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
