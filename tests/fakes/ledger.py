"""The ledger in memory, and the seals of its days."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from consent_center.domain.chain import Entry
from consent_center.domain.errors import StaleSubjectError, UnavailableError
from consent_center.domain.seal import Leaf, Seal, SignedSeal
from fakes.subjects import InMemorySubjects


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
