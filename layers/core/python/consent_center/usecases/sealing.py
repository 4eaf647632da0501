"""Sealing the ledger: one seal for each day that is over."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from consent_center.domain.errors import DomainError
from consent_center.domain.seal import (
    LATE_DAYS,
    Draft,
    Leaf,
    Seal,
    SignedSeal,
    day_after,
    day_of,
    days_between,
    without,
)
from consent_center.ports.basics import Clock
from consent_center.ports.evidence import DayIndex, Seals, Signer


@dataclass
class Sealing:
    """What a run did."""

    due: list[str]
    """The days that had no seal when it began."""
    done: list[Seal] = field(default_factory=list)
    failed: DomainError | None = None
    """Why it stopped before the last of these days."""

    @property
    def entries(self) -> int:
        return sum(seal.entries for seal in self.done)

    @property
    def late(self) -> int:
        return sum(seal.late for seal in self.done)


def seal_days(*, index: DayIndex, seals: Seals, signer: Signer, clock: Clock) -> Sealing:
    """Seal every day up to yesterday (UTC) that has no seal, in order, each on the one before.

    Each seal stands by itself, so a run that is killed is continued by the next. Two runs at once both end with the
    seals of whoever was first.
    """
    newest = seals.newest()
    first = index.first_day() if newest is None else day_after(newest.seal.day)
    sealing = Sealing(list(days_between(first, day_after(day_of(clock()), -1))))
    prev = None if newest is None else newest.seal
    for day in sealing.due:
        try:
            prev = _seal_day(day, prev, index=index, seals=seals, signer=signer)
        except DomainError as error:
            sealing.failed = error
            break
        sealing.done.append(prev)
    return sealing


def _seal_day(day: str, prev: Seal | None, *, index: DayIndex, seals: Seals, signer: Signer) -> Seal:
    draft = Draft(day)

    def sign() -> SignedSeal:
        seal = draft.finish(prev, signer.key_id)
        return SignedSeal(seal, signer.sign(seal.document))

    return seals.add(draft.through(_to_cover(day, index, seals)), sign).seal


def _to_cover(day: str, index: DayIndex, seals: Seals) -> Iterator[tuple[Leaf, bool]]:
    """The entries of the day, and those that came late for the days before, each with whether it is late."""
    earlier = [day_after(day, -ago) for ago in range(1, LATE_DAYS + 1)]
    # A late entry may already be in any seal since its own day, and these are the only days read.
    covered = [seals.leaves(signed.seal) for signed in map(seals.of_day, earlier) if signed is not None]
    late = without(heapq.merge(*(index.leaves(earlier_day) for earlier_day in earlier)), heapq.merge(*covered))
    return heapq.merge(((leaf, False) for leaf in index.leaves(day)), ((leaf, True) for leaf in late))
