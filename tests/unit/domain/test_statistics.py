"""Which counter an event adds to, and which numbers may be told."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import PURPOSE, a_policy
from consent_center.domain import statistics
from consent_center.domain.statistics import (
    BASE,
    MEASURES,
    Cell,
    TooManyRowsError,
    cells_of_confirmation,
    cells_of_entry,
    published,
    tabulate,
)
from consent_center.usecases.editions import CHAIN, note_editions
from fakes import CountingChance, InMemoryLedger, InMemorySubjects

DAY = dt.date(2028, 2, 29)
NOON = 1_800_000_000_000


def an_entry(*changes: tuple[str, list[str], str, str], kind: str = "given", **facts: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "at": "2028-02-29T23:59:59.999Z",
        "controller": "fjordmeter",
        "source": "form",
        "language": "en",
        "purposes": {purpose: {"basis": "consent", "brand": "blue"} for purpose, *_ in changes if purpose != "*"},
        "changes": [
            {"purpose": purpose, "topics": topics, "channel": "email", "before": before, "after": after}
            for purpose, topics, before, after in changes
        ],
        **facts,
    }


def told(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(cell.purpose, cell.measure) for cell in cells_of_entry(body)]


def test_an_event_counts_once_for_a_purpose_however_many_topics_changed() -> None:
    body = an_entry(
        ("news", ["a", "b"], "ConsentUnknown", "ConsentGiven"),
        ("news", ["c"], "ConsentWithdrawn", "ConsentGiven"),
        ("surveys", [], "ConsentUnknown", "ConsentGiven"),
    )

    assert cells_of_entry(body) == (
        Cell("2028-02-29", "given", "fjordmeter", "blue", "news", "form", "en"),
        Cell("2028-02-29", "given", "fjordmeter", "blue", "surveys", "form", "en"),
    )


def test_a_yes_to_what_was_given_is_a_renewal() -> None:
    assert told(an_entry(("news", [], "ConsentGiven", "ConsentGiven"))) == [("news", "renewed")]


def test_what_an_objection_to_everything_stops_is_counted_as_withdrawn() -> None:
    body = an_entry(
        ("*", ["direct-marketing"], "ConsentUnknown", "ObjectionRaised"),
        ("news", ["a"], "ConsentGiven", "ConsentWithdrawn"),
        kind="objected",
    )

    assert told(body) == [("*", "objected"), ("news", "withdrawn")]


def test_a_withdrawal_that_is_undone_is_no_second_yes() -> None:
    body = an_entry(("news", ["a"], "ConsentWithdrawn", "ConsentGiven"), kind="restored")

    assert told(body) == [("news", "restored")]


def test_an_event_that_changes_no_decision_counts_by_its_kind() -> None:
    assert told(an_entry(kind="preferences")) == [("", "preferences")]
    purposes = {"news": {"basis": "consent", "brand": None}}
    assert told(an_entry(kind="preferences", purposes=purposes)) == [("news", "preferences")]


def test_a_kind_of_event_that_is_new_gets_a_column_of_its_own() -> None:
    (cell,) = cells_of_entry(an_entry(kind="moved"))
    table = tabulate([(cell, 7)], first=DAY, last=DAY, group=("day",), purpose=None)

    assert table.measures == (*MEASURES, "moved")
    assert table.rows[0].told["moved"] == 5


def test_that_an_edition_was_published_is_about_nobody_and_counts_for_nobody() -> None:
    subjects = InMemorySubjects()
    ledger = InMemoryLedger(subjects)
    note_editions(policy=a_policy(), ledger=ledger, chance=CountingChance(), clock=lambda: NOON)
    (entry,) = ledger.entries(CHAIN)

    assert cells_of_entry(entry.body) == ()


@pytest.mark.parametrize(
    "broken", [{}, {"at": "yesterday"}, {"changes": None}, {"changes": [{"before": "Maybe", "after": "ConsentGiven"}]}]
)
def test_what_no_version_of_ours_wrote_is_not_guessed_at(broken: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError, TypeError, AttributeError)):
        cells_of_entry({**an_entry(), **broken} if broken else {})


@pytest.mark.parametrize(
    ("seconds", "measure"),
    [
        (0, "confirmed_5m"),
        (300, "confirmed_5m"),
        (301, "confirmed_1h"),
        (3_600, "confirmed_1h"),
        (3_601, "confirmed_1d"),
        (86_400, "confirmed_1d"),
        (86_401, "confirmed_later"),
        (-5, "confirmed_5m"),
    ],
)
def test_how_long_people_took_is_told_in_four_steps(seconds: int, measure: str) -> None:
    policy = a_policy()
    scopes = policy.purpose(PURPOSE).scopes("email")
    end = policy.pending_period.after_epoch(NOON)
    cells = cells_of_confirmation(
        {scope.code: end for scope in scopes}, NOON + seconds * 1000, controller="c", language="en", policy=policy
    )

    assert [(cell.purpose, cell.measure) for cell in cells] == [(PURPOSE, measure)]


def test_a_scope_that_the_policy_has_no_more_is_passed_over() -> None:
    assert cells_of_confirmation({"zz.a.email": 1}, NOON, controller="c", language="", policy=a_policy()) == ()


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, 0), (1, None), (4, None), (5, 5), (7, 5), (8, 10), (12, 10), (13, 15), (1_000_003, 1_000_005)],
)
def test_small_numbers_are_withheld_and_others_rounded(number: int, shown: int | None) -> None:
    assert published(number) == shown


CELLS = st.builds(
    Cell,
    st.sampled_from(["2028-02-28", "2028-02-29", "2028-03-01"]),
    st.sampled_from(["given", "withdrawn", "requested"]),
    st.just("c"),
    st.sampled_from(["", "blue"]),
    st.sampled_from(["news", "surveys"]),
    st.sampled_from(["form", "api"]),
    st.sampled_from(["en", "da"]),
)
COUNTS = st.lists(st.tuples(CELLS, st.integers(1, 12)), max_size=30)
DIMENSIONS = st.lists(
    st.sampled_from(["controller", "brand", "purpose", "source", "language"]), max_size=3, unique=True
).flatmap(lambda others: st.sampled_from([[], ["day"], ["month"]]).map(lambda period: (*period, *others)))


@given(COUNTS, DIMENSIONS, DIMENSIONS)
def test_nothing_that_is_told_can_be_subtracted_down_to_a_few(
    counts: list[tuple[Cell, int]], one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    """Whoever asks in two ways and subtracts gets a multiple of five: never one, two, three or four."""
    numbers = set()
    for group in (one, other):
        table = tabulate(counts, first=dt.date(2028, 2, 28), last=dt.date(2028, 3, 1), group=group, purpose=None)
        for row in (*table.rows, table.total):
            numbers |= {number for number in row.told.values() if number is not None}

    assert all(number % BASE == 0 for number in numbers)
    assert not {abs(a - b) for a in numbers for b in numbers} & {1, 2, 3, 4}


@given(COUNTS, DIMENSIONS)
def test_each_way_to_group_adds_up_to_the_same(counts: list[tuple[Cell, int]], group: tuple[str, ...]) -> None:
    table = tabulate(counts, first=dt.date(2028, 2, 28), last=dt.date(2028, 3, 1), group=group, purpose=None)

    for measure in table.measures:
        expected = sum(number for cell, number in counts if cell.measure == measure)
        assert sum(row.counts[measure] for row in table.rows) == table.total.counts[measure] == expected


def test_days_without_events_stand_there_with_zeros() -> None:
    counts = [(Cell("2028-02-28", "given", purpose="news"), 5), (Cell("2028-03-01", "given", purpose="surveys"), 5)]
    table = tabulate(
        counts, first=dt.date(2028, 2, 28), last=dt.date(2028, 3, 1), group=("day", "purpose"), purpose=None
    )

    assert [(row.names, row.counts["given"]) for row in table.rows] == [
        (("2028-02-28", "news"), 5),
        (("2028-02-28", "surveys"), 0),
        (("2028-02-29", "news"), 0),
        (("2028-02-29", "surveys"), 0),
        (("2028-03-01", "news"), 0),
        (("2028-03-01", "surveys"), 5),
    ]


def test_months_are_whole_rows_too() -> None:
    counts = [(Cell("2027-12-31", "given"), 3), (Cell("2028-02-29", "given"), 3)]
    table = tabulate(counts, first=dt.date(2027, 12, 1), last=DAY, group=("month",), purpose=None)

    assert [(row.names[0], row.told["given"]) for row in table.rows] == [
        ("2027-12", None),
        ("2028-01", 0),
        ("2028-02", None),
    ]
    assert table.total.told["given"] == 5


def test_one_purpose_is_told_alone() -> None:
    counts = [(Cell("2028-02-29", "given", purpose="news"), 5), (Cell("2028-02-29", "given", purpose="other"), 9)]
    table = tabulate(counts, first=DAY, last=DAY, group=(), purpose="news")

    assert (len(table.rows), table.total.counts["given"]) == (1, 5)


def test_a_table_that_nobody_would_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MOST_ROWS", 5)
    counts = [(Cell("2028-02-29", "given", purpose="news"), 5), (Cell("2028-02-29", "given", purpose="other"), 9)]

    with pytest.raises(TooManyRowsError):
        tabulate(counts, first=dt.date(2028, 2, 27), last=DAY, group=("day", "purpose"), purpose=None)


def test_a_withheld_number_is_a_word_in_a_file() -> None:
    table = tabulate([(Cell("2028-02-29", "requested"), 2)], first=DAY, last=DAY, group=("day",), purpose=None)

    assert list(table.lines())[1][:3] == ("2028-02-29", "withheld", "0")
