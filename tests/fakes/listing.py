"""All records in memory, for work that goes through everybody."""

from collections.abc import Iterator
from dataclasses import dataclass

from consent_center.domain.contact import ContactPoint
from fakes.subjects import InMemorySubjects


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
