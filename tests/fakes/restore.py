"""A restored table in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError
from consent_center.domain.subject import Subject, timestamp
from consent_center.ports.letters import Part
from consent_center.ports.people import End
from fakes.subjects import InMemorySubjects


@dataclass
class InMemoryRestoredRecords:
    subjects: InMemorySubjects

    def records(self) -> Iterator[ContactPoint]:
        yield from list(self.subjects.subjects)

    def put(self, subject: Subject, replaces_version: int) -> None:
        held = self.subjects.subjects.get(subject.contact)
        if (held.version if held else 0) != replaces_version:
            raise StaleSubjectError
        store, place = self.subjects, subject.contact
        store.subjects[place] = subject
        store.ends.pop((place, Part("state")), None)
        store.reviews.pop(place, None)
        if subject.chain is not None:
            store.reviews[place] = timestamp(store.clock())[:10]
        elif subject.suppression is not None and subject.suppression.until is not None:
            store.ends[place, Part("state")] = End(subject.suppression.until)
