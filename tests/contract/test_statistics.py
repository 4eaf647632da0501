"""What every implementation of the Statistics port does: each event counts once, however it is told."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.statistics import ATTEMPTS, LARGEST_TRANSACTION, DynamoStatistics
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.errors import UnavailableError
from consent_center.domain.statistics import Cell, Event
from consent_center.ports.exchange import Statistics
from fakes import InMemoryStatistics, no_pause

NOW = 1_800_000_000
GIVEN = Cell("2027-01-15", "given", "fjordmeter", "", "news#1", "form", "en")
WITHDRAWN = Cell("2027-01-15", "withdrawn", "fjordmeter", "blå", "*", "page", "")


@pytest.fixture(params=["in memory", "moto", "engine"])
def statistics(request: pytest.FixtureRequest) -> Statistics:
    if request.param == "in memory":
        return InMemoryStatistics()
    return DynamoStatistics(request.getfixturevalue(f"{request.param}_database"), "statistics", no_pause)


def count(statistics: Statistics, *events: Event) -> int:
    return statistics.count(events, marked_until=NOW + 100, kept_days=1_096)


def sums(statistics: Statistics, first: str = "2027-01-01", last: str = "2027-12-31", now: int = NOW) -> Counter[Cell]:
    found: Counter[Cell] = Counter()
    for cell, number in statistics.counts(first, last, now):
        found[cell] += number
    return found


def test_an_event_counts_once_however_often_it_is_told(statistics: Statistics) -> None:
    both = Event("a", (GIVEN, WITHDRAWN))

    assert count(statistics, both, both, Event("b", (GIVEN,))) == 2
    assert count(statistics, both) == 0
    assert sums(statistics) == {GIVEN: 2, WITHDRAWN: 1}


def test_a_batch_that_was_counted_in_part_counts_the_rest(statistics: Statistics) -> None:
    events = [Event(str(number), (GIVEN,)) for number in range(150)]
    assert count(statistics, *events[20:60]) == 40

    assert count(statistics, *events) == 110
    assert sums(statistics) == {GIVEN: 150}


def test_a_batch_of_nothing_but_different_counters_is_counted(statistics: Statistics) -> None:
    cells = [GIVEN._replace(purpose=f"purpose-{number}") for number in range(120)]
    events = [Event(str(number), (cell, WITHDRAWN)) for number, cell in enumerate(cells)]

    assert count(statistics, *events) == 120
    assert sums(statistics) == {**dict.fromkeys(cells, 1), WITHDRAWN: 120}


def test_days_are_found_by_their_range_and_only_they(statistics: Statistics) -> None:
    days = ["2026-12-31", "2027-01-01", "2027-01-31", "2027-02-01", "2027-02-02"]
    cells = {day: GIVEN._replace(day=day) for day in days}
    count(statistics, *(Event(day, (cell,)) for day, cell in cells.items()))

    assert sums(statistics, "2027-01-01", "2027-02-01") == {cells[day]: 1 for day in days[1:4]}
    assert sums(statistics, "2027-02-02", "2027-02-02") == {cells[days[4]]: 1}


def test_a_counter_is_gone_when_its_time_is_over(statistics: Statistics) -> None:
    statistics.count([Event("a", (GIVEN,))], marked_until=NOW, kept_days=1)
    # 2027-01-15 and one day more: until the end of the sixteenth.
    end = 1_800_144_000

    assert sums(statistics, now=end - 1) == {GIVEN: 1}
    assert sums(statistics, now=end) == {}


class LittleEngine:
    """As much of DynamoDB's transactions as counting uses; each goes as the plan says, and well after its end."""

    def __init__(self, plan: Iterable[str] = ()) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.plan = iter(plan)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        assert operation == "TransactWriteItems"
        writes = arguments["TransactItems"]
        assert len(writes) <= LARGEST_TRANSACTION
        goes = next(self.plan, "well")
        if goes == "conflict":
            raise CallFailedError(
                "TransactionCanceledException", ("None",) * (len(writes) - 1) + ("TransactionConflict",)
            )
        if goes == "refused":
            raise CallFailedError("InternalServerError")
        puts = [write["Put"]["Item"] for write in writes if "Put" in write]
        taken = [(item["pk"]["S"], item["sk"]["S"]) in self.items for item in puts]
        if any(taken):
            reasons = ["ConditionalCheckFailed" if one else "None" for one in taken]
            raise CallFailedError("TransactionCanceledException", (*reasons, *["None"] * (len(writes) - len(puts))))
        for item in puts:
            self.items[item["pk"]["S"], item["sk"]["S"]] = item
        for write in writes[len(puts) :]:
            key, values = write["Update"]["Key"], write["Update"]["ExpressionAttributeValues"]
            item = self.items.setdefault((key["pk"]["S"], key["sk"]["S"]), {"n": 0})
            item["n"] += int(values[":n"]["N"])
        if goes == "answer lost":
            raise CallFailedError("TimeoutError")
        return {}

    @property
    def sums(self) -> Counter[Cell]:
        found: Counter[Cell] = Counter()
        for (partition, sort), item in self.items.items():
            if partition.startswith("N#"):
                found[Cell(*keys.counter_in(sort))] += item["n"]
        return found


EVENTS = [Event(str(number), (GIVEN, WITHDRAWN)[: 1 + number % 2]) for number in range(12)]
DELIVERIES = st.lists(st.lists(st.sampled_from(EVENTS), max_size=12), max_size=8)
PLANS = st.lists(st.sampled_from(["well", "answer lost", "conflict", "refused"]), max_size=12)


@given(DELIVERIES, PLANS)
@settings(max_examples=150)
def test_any_sequence_of_deliveries_failures_and_halves_counts_each_event_once(
    deliveries: list[list[Event]], plan: list[str]
) -> None:
    engine = LittleEngine(plan)
    statistics = DynamoStatistics(engine, "statistics", no_pause)  # type: ignore[arg-type]
    for batch in deliveries:
        try:
            count(statistics, *batch)
        except UnavailableError:
            # As a stream does: in halves, as often as it takes.
            for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
                for _ in range(len(plan) + 1):
                    try:
                        count(statistics, *half)
                        break
                    except UnavailableError:
                        continue
    told = {event.id: event for batch in deliveries for event in batch}

    assert engine.sums == Counter(cell for event in told.values() for cell in event.cells)


def test_who_meets_others_again_and_again_gives_up_and_is_told_again() -> None:
    statistics = DynamoStatistics(LittleEngine(["conflict"] * ATTEMPTS), "statistics", no_pause)  # type: ignore[arg-type]

    with pytest.raises(UnavailableError):
        count(statistics, EVENTS[0])
    assert count(statistics, EVENTS[0]) == 1


def test_what_is_kept_of_an_event_does_not_say_which_it_was() -> None:
    engine = LittleEngine()
    count(DynamoStatistics(engine, "statistics", no_pause), Event("event-one", (GIVEN,)))  # type: ignore[arg-type]

    assert "event-one" not in repr(engine.items)
