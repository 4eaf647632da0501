"""Sealing the ledger, day by day."""

import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import pytest

from consent_center.domain.chain import GENESIS
from consent_center.domain.errors import UnavailableError
from consent_center.domain.seal import LATE_DAYS, Leaf, Seal, SignedSeal, day_after
from consent_center.usecases.sealing import seal_days
from fakes import HashingSigner, InMemorySeals
from ledgers import FIRST_DAY, SealedLedger

NEXT_NOON = int(datetime.fromisoformat(f"{day_after(FIRST_DAY)}T12:00").replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def ledger() -> SealedLedger:
    return SealedLedger()


def covered(ledger: SealedLedger, seal: Seal) -> set[tuple[str, int]]:
    return {(leaf.chain, leaf.seq) for leaf in ledger.seals.leaves(seal)}


def test_a_seal_covers_the_entries_of_its_day_and_names_the_seal_before(ledger: SealedLedger) -> None:
    ledger.add("a")
    ledger.add("b")
    (first,) = ledger.next_night().done
    ledger.add("a")
    (second,) = ledger.next_night().done

    assert (first.day, first.entries, first.prev) == (FIRST_DAY, 2, GENESIS)
    assert (second.entries, second.prev) == (1, first.hash)
    assert covered(ledger, first) == {("a", 1), ("b", 1)}
    assert covered(ledger, second) == {("a", 2)}


def test_today_is_never_sealed(ledger: SealedLedger) -> None:
    ledger.add("a", "00:30:00.000")

    assert ledger.seal().due == []
    assert ledger.seals.kept == {}


def test_days_without_entries_are_sealed_too(ledger: SealedLedger) -> None:
    ledger.pass_days(3)
    sealing = ledger.seal()

    assert sealing.due == ["2027-01-15", "2027-01-16", "2027-01-17"]
    assert [seal.entries for seal in sealing.done] == [0, 0, 0]
    assert ledger.verify().findings == []


def test_after_days_off_each_day_gets_its_own_seal(ledger: SealedLedger) -> None:
    ledger.add("a")
    ledger.next_night()
    for _ in range(4):
        ledger.add("a")
        ledger.pass_days()
    sealing = ledger.seal()

    assert [seal.entries for seal in sealing.done] == [1, 1, 1, 1]
    assert ledger.verify().findings == []


def test_running_twice_changes_nothing(ledger: SealedLedger) -> None:
    ledger.add("a")
    ledger.next_night()
    kept = dict(ledger.seals.kept)

    assert ledger.seal().due == []
    assert ledger.seals.kept == kept


def test_an_entry_that_comes_late_joins_the_next_seal_once(ledger: SealedLedger) -> None:
    late = ledger.add("a", "23:59:59.999")
    ledger.add("b")
    ledger.index.hidden.add(late.hash)
    (first,) = ledger.next_night().done
    ledger.index.hidden.clear()
    seals = [seal for _ in range(LATE_DAYS + 2) for seal in ledger.next_night().done]

    assert covered(ledger, first) == {("b", 1)}
    assert [(seal.entries, seal.late) for seal in seals] == [(1, 1)] + [(0, 0)] * (LATE_DAYS + 1)
    assert covered(ledger, seals[0]) == {("a", 1)}


def test_an_entry_that_comes_later_than_that_is_in_no_seal(ledger: SealedLedger) -> None:
    entry = ledger.add("a")
    ledger.index.hidden.add(entry.hash)
    for _ in range(LATE_DAYS + 1):
        ledger.next_night()
    ledger.index.hidden.clear()

    assert [seal.entries for seal in ledger.next_night().done] == [0]


def test_of_two_runs_at_once_the_first_seal_stands_and_both_go_on_from_it(ledger: SealedLedger) -> None:
    entry = ledger.add("a")
    ledger.add("b")
    ledger.pass_days(2)
    other = SealedLedger(ledger.index, ledger.seals, ledger.signer, ledger.day)
    ledger.index.hidden.add(entry.hash)

    def meanwhile() -> None:
        ledger.seals.before_keeping = lambda: None
        ledger.index.hidden.clear()
        other.seal()

    ledger.seals.before_keeping = meanwhile
    sealing = ledger.seal()

    assert sealing.failed is None
    assert [seal.entries for seal in sealing.done] == [2, 0]
    assert [signed.seal for _, signed in sorted(ledger.seals.kept.items())] == sealing.done
    assert ledger.verify().findings == []


def test_a_run_that_is_killed_is_continued_by_the_next(ledger: SealedLedger) -> None:
    class KilledError(BaseException):
        pass

    def killed() -> None:
        raise KilledError

    for _ in range(3):
        ledger.add("a")
        ledger.pass_days()
    ledger.seals.before_keeping = killed
    with pytest.raises(KilledError):
        ledger.seal()
    ledger.seals.before_keeping = lambda: None

    assert [seal.entries for seal in ledger.seal().done] == [1, 1, 1]
    assert ledger.verify().findings == []


def test_a_run_that_fails_keeps_what_it_sealed_and_says_why_it_stopped(ledger: SealedLedger) -> None:
    for _ in range(3):
        ledger.add("a")
        ledger.pass_days()
    ledger.index.fails_at = "2027-01-17"
    sealing = ledger.seal()

    assert [seal.day for seal in sealing.done] == ["2027-01-15", "2027-01-16"]
    assert isinstance(sealing.failed, UnavailableError)
    ledger.index.fails_at = None
    assert [seal.day for seal in ledger.seal().done] == ["2027-01-17"]


def test_nothing_is_kept_that_was_not_signed(ledger: SealedLedger) -> None:
    ledger.add("a")
    ledger.signer.refuses = True

    assert isinstance(ledger.next_night().failed, UnavailableError)
    assert (ledger.seals.kept, ledger.seals.lists) == ({}, {})


def test_a_lost_list_of_leaves_stops_the_run_instead_of_sealing_its_entries_twice(ledger: SealedLedger) -> None:
    ledger.add("a")
    ledger.next_night()
    ledger.seals = InMemorySeals(dict(ledger.seals.kept), {})

    assert isinstance(ledger.next_night().failed, UnavailableError)


def test_two_entries_under_one_hash_are_two_leaves(ledger: SealedLedger) -> None:
    entry = ledger.add("a")
    ledger.index.entry_of["copy", 1] = entry
    (seal,) = ledger.next_night().done

    assert list(ledger.seals.leaves(seal)) == [Leaf(entry.hash, "a", 1), Leaf(entry.hash, "copy", 1)]


class Passing:
    """A day of so many entries, and seals that keep nothing: what is left in memory is the job's own."""

    def __init__(self, entries: int) -> None:
        self.entries = entries

    def first_day(self) -> str:
        return FIRST_DAY

    def leaves(self, day: str | Seal) -> Iterator[Leaf]:
        if day == FIRST_DAY:
            yield from (Leaf(f"{number:064x}", "chain", number) for number in range(self.entries))

    def newest(self) -> None:
        return None

    def of_day(self, day: str) -> None:
        return None

    def add(self, leaves: Iterable[Leaf], sign: Callable[[], SignedSeal]) -> SignedSeal:
        assert sum(1 for _ in leaves) == self.entries
        return sign()


def test_memory_does_not_grow_with_the_entries_of_a_day() -> None:
    def peak(entries: int) -> int:
        passing = Passing(entries)
        tracemalloc.start()
        try:
            sealing = seal_days(index=passing, seals=passing, signer=HashingSigner(), clock=lambda: NEXT_NOON)
            assert sealing.entries == entries
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    assert peak(20_000) < 2 * peak(100)
