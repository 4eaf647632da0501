"""The ledger, its days and its seals."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from consent_center.domain.chain import Entry
from consent_center.domain.seal import Leaf, Seal, SignedSeal


class Ledger(Protocol):
    def entries(self, chain: str) -> list[Entry]:
        """Every entry of a chain, in order."""

    def stream(self, chain: str) -> Iterator[Entry]:
        """The same as a stream, for chains of any length. UnavailableError may come at any place of it."""

    def entry(self, chain: str, seq: int) -> Entry | None:
        """One entry of a chain."""

    def append(self, entry: Entry) -> None:
        """Store an entry that belongs to no record. StaleSubjectError if its place is taken; UnavailableError."""


class Signer(Protocol):
    @property
    def key_id(self) -> str:
        """The name of the key, by which whoever verifies finds its public half."""

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, or UnavailableError."""


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
