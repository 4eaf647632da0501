"""What every implementation of the DayIndex port does."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from consent_center.adapters.dynamodb import day_index, keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.day_index import DynamoDayIndex
from consent_center.domain.chain import Entry
from consent_center.domain.errors import UnavailableError
from consent_center.domain.seal import Leaf
from consent_center.ports.evidence import DayIndex
from fakes import InMemoryDayIndex
from ledgers import an_entry

DAY = "2027-01-15"

Add = Callable[[Entry], None]


def adding(database: Database) -> Add:
    def add(entry: Entry, **other: str) -> None:
        """As `commit` writes it."""
        texts = {
            "pk": keys.of_chain(entry.chain),
            "sk": keys.of_event(entry.seq),
            "hash": entry.hash,
            "day": keys.of_day(entry.at, entry.hash),
            "body": "{}",
            **other,
        }
        database.call("PutItem", TableName="ledger", Item={name: {"S": text} for name, text in texts.items()})

    return add


@pytest.fixture(params=["in memory", "moto", "engine"])
def index_and_add(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[DayIndex, Add]:
    if request.param == "in memory":
        index = InMemoryDayIndex()
        return index, lambda entry: index.entry_of.update({(entry.chain, entry.seq): entry})
    # Small pages, so that they are turned.
    monkeypatch.setattr(day_index, "_PAGE", 3)
    database = request.getfixturevalue(f"{request.param}_database")
    return DynamoDayIndex(database, "ledger"), adding(database)


def test_the_entries_of_a_day_come_sorted_by_hash_however_many_pages_they_fill(
    index_and_add: tuple[DayIndex, Add],
) -> None:
    index, add = index_and_add
    entries = [an_entry(f"chain{number}", 1, "0" * 64, f"{DAY}T00:00:00.{number:03d}Z") for number in range(40)]
    for entry in entries:
        add(entry)
    add(an_entry("before", 1, "0" * 64, "2027-01-14T23:59:59.999Z"))
    add(an_entry("after", 1, "0" * 64, "2027-01-16T00:00:00.000Z"))

    assert list(index.leaves(DAY)) == sorted(Leaf(entry.hash, entry.chain, 1) for entry in entries)


def test_a_day_without_entries_has_none(index_and_add: tuple[DayIndex, Add]) -> None:
    index, _ = index_and_add

    assert list(index.leaves(DAY)) == []


@pytest.mark.parametrize("engine", ["moto", "engine"])
def test_no_entry_is_older_than_its_table(request: pytest.FixtureRequest, engine: str) -> None:
    index = DynamoDayIndex(request.getfixturevalue(f"{engine}_database"), "ledger")

    assert index.first_day() == datetime.now(UTC).date().isoformat()


@pytest.mark.parametrize("engine", ["moto", "engine"])
def test_what_is_no_entry_does_not_keep_the_others_from_a_seal(request: pytest.FixtureRequest, engine: str) -> None:
    database = request.getfixturevalue(f"{engine}_database")
    add = adding(database)
    entry = an_entry("chain", 1, "0" * 64, f"{DAY}T00:00:00.000Z")
    add(entry)
    strange = [{"hash": "zz"}, {"hash": "A" * 64}, {"pk": "X"}, {"sk": "E#1"}]
    for number, changes in enumerate(strange):
        add(an_entry(f"strange{number}", 1, "0" * 64, f"{DAY}T00:00:00.000Z"), **changes)  # type: ignore[call-arg]

    assert list(DynamoDayIndex(database, "ledger").leaves(DAY)) == [Leaf(entry.hash, "chain", 1)]


def test_an_index_that_does_not_answer_is_unavailable(moto_database: Database) -> None:
    index = DynamoDayIndex(moto_database, "no-such-table")

    with pytest.raises(UnavailableError):
        list(index.leaves(DAY))
    with pytest.raises(UnavailableError):
        index.first_day()
