"""A restored table in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError
from consent_center.domain.subject import Subject
from fakes.memory import InMemorySubjects


@dataclass
class InMemoryRestoredRecords:
    subjects: InMemorySubjects

    def records(self) -> Iterator[ContactPoint]:
        yield from list(self.subjects.subjects)

    def put(self, subject: Subject, replaces_version: int) -> None:
        held = self.subjects.subjects.get(subject.contact)
        if (held.version if held else 0) != replaces_version:
            raise StaleSubjectError
        self.subjects.subjects[subject.contact] = subject
