"""Records in memory that go to another place: under a new pepper, or to a new address."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError, TakenPlaceError
from consent_center.domain.moving import AddressRequest, Moving
from consent_center.domain.subject import Subject
from consent_center.ports.letters import Part
from fakes.subjects import InMemorySubjects


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
