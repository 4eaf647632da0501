"""How long records in memory are kept, and what is said of their end."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError, UnavailableError
from consent_center.ports.letters import Part
from consent_center.ports.people import Dossier, End, Removal
from fakes.subjects import InMemorySubjects, event, sent


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
class CollectingRemovals:
    proved: dict[str, tuple[Removal, int | None]] = field(default_factory=dict)

    def prove(self, removal: Removal, keep_until: int | None) -> None:
        self.proved.setdefault(removal.name, (removal, keep_until))
