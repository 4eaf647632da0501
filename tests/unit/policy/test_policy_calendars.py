"""The tables of days in the compiled policy say what calendars on the wall say."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.unit.policy.policy_copies import OTHER, TODAY, Copy

from consent_center.domain.calendar import Calendar, calendar_of, zone_of
from consent_center.domain.policy import Policy
from consent_center.domain.recipient import Verb
from policy_compiler import calendars, compiler, connectors, shape, source

KNOWN = {
    "DK": """2024-01-01 2024-03-28 2024-03-29 2024-04-01 2024-05-09 2024-05-20 2024-12-25 2024-12-26
             2026-01-01 2026-04-02 2026-04-03 2026-04-06 2026-05-14 2026-05-25 2026-12-25
             2027-01-01 2027-03-25 2027-03-26 2027-03-29 2027-05-06 2027-05-17""",
    "NO": """2024-01-01 2024-03-28 2024-03-29 2024-04-01 2024-05-01 2024-05-09 2024-05-17 2024-05-20 2024-12-25
             2024-12-26
             2026-01-01 2026-04-02 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25 2026-12-25
             2027-01-01 2027-03-25 2027-03-26 2027-03-29 2027-05-06 2027-05-17""",
    "SE": """2024-01-01 2024-03-29 2024-04-01 2024-05-01 2024-05-09 2024-06-06 2024-12-25 2024-12-26
             2026-01-01 2026-01-06 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-12-25
             2027-01-01 2027-01-06 2027-03-26 2027-03-29 2027-05-06""",
    "DE": """2024-01-01 2024-03-29 2024-04-01 2024-05-01 2024-05-09 2024-05-20 2024-10-03 2024-12-25 2024-12-26
             2026-01-01 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25 2026-12-25
             2027-01-01 2027-03-26 2027-03-29 2027-05-06 2027-05-17""",
}
"""All public holidays from Monday to Friday in the years that occur, worked out by hand from the laws of each country
and the Easters of 31 March 2024, 5 April 2026 and 28 March 2027."""


def days_off(calendar: Calendar, year: int) -> list[str]:
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return [f"{day}" for day in days if day.year == year and day.weekday() < 5 and not calendar.is_working_day(day)]


@pytest.fixture
def shipped(example: Copy) -> Policy:
    return Policy(compiler.draft(example.folder, TODAY)[1])


@pytest.mark.parametrize("country", KNOWN)
@pytest.mark.parametrize("year", [2024, 2026, 2027])
def test_public_holidays_are_those_on_the_wall(shipped: Policy, country: str, year: int) -> None:
    known = [day for day in KNOWN[country].split() if day.startswith(f"{year}")]

    assert days_off(calendar_of(shipped, country), year) == known


@pytest.mark.parametrize("day", ["2024-04-26", "2026-05-01", "2026-06-05", "2026-12-24", "2026-12-31"])
def test_denmark_works_on_store_bededag_and_on_the_closing_days_of_banks(shipped: Policy, day: str) -> None:
    assert calendar_of(shipped, "DK").is_working_day(date.fromisoformat(day))


def test_a_holiday_of_one_state_counts_where_that_state_is_named(example: Copy) -> None:
    corpus_christi = date(2026, 6, 4)
    before = calendar_of(Policy(compiler.draft(example.folder, TODAY)[1]), "DE")
    example.edit("  closing_days:", "  subdivisions: {DE: BY}\n  closing_days:")
    after = calendar_of(Policy(compiler.draft(example.folder, TODAY)[1]), "DE")

    assert before.is_working_day(corpus_christi)
    assert not after.is_working_day(corpus_christi)
    assert set(days_off(before, 2026)) < set(days_off(after, 2026))


def test_every_year_of_the_tables_has_holidays_and_the_next_one_has_none(shipped: Policy) -> None:
    for country in shipped.jurisdictions:
        calendar = calendar_of(shipped, country)
        for year in range(calendars.FIRST_YEAR, calendars.LAST_YEAR + 1):
            assert len(days_off(calendar, year)) >= 4, (country, year)
            assert not calendar.is_beyond_table(date(year, 12, 31))
        assert calendar.is_beyond_table(date(calendars.LAST_YEAR + 1, 1, 1))
        assert calendar.is_beyond_table(date(calendars.FIRST_YEAR - 1, 12, 31))
        assert days_off(calendar, calendars.LAST_YEAR + 1) == []


def test_of_a_country_that_the_policy_does_not_name_only_weekends_are_known(shipped: Policy) -> None:
    calendar = calendar_of(shipped, "FR")

    assert calendar.is_working_day(date(2026, 1, 1))
    assert not calendar.is_working_day(date(2026, 1, 3))
    assert calendar.is_beyond_table(date(2026, 1, 1))


@pytest.mark.parametrize("name", sorted(set(calendars.TIME_ZONES.values()) | {"Atlantic/Azores", "Pacific/Auckland"}))
def test_the_table_of_a_clock_is_the_clock(name: str) -> None:
    clock = ZoneInfo(name)
    changes = calendars.changes_of(name)
    starts = [start for start, _ in changes]

    assert starts == sorted(set(starts))
    for start, ahead in changes:
        assert datetime.fromtimestamp(start, clock).utcoffset() == timedelta(minutes=ahead)
    for before, after in itertools.pairwise(changes):
        assert datetime.fromtimestamp(after[0] - 1, clock).utcoffset() == timedelta(minutes=before[1])


def test_a_controller_has_the_clock_of_its_country_or_its_own(example: Copy) -> None:
    compiled = Policy(compiler.draft(example.folder, TODAY)[1])
    assert compiled.controller("fjordmeter")["time_zone"] == "Europe/Copenhagen"
    example.edit("time_zone: Europe/Copenhagen", "time_zone: Atlantic/Azores")
    elsewhere = Policy(compiler.draft(example.folder, TODAY)[1])

    midnight = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp() * 1000)
    assert zone_of(compiled, "fjordmeter").day_of(midnight - 1) == date(2026, 7, 1)
    assert zone_of(elsewhere, "fjordmeter").day_of(midnight - 1) == date(2026, 6, 30)


def test_what_the_policy_leaves_out_is_usual() -> None:
    data = source.read(OTHER / "policy.yaml", "policy.yaml").data
    edition = {"version": "1", "languages": {}, "summary": {"de": "S"}, "approved_by": {"de": "A"}}
    document = compiler.build.document(data, [edition], {})
    found = Policy(document)

    assert document["controllers"][0]["time_zone"] == "Europe/Berlin"
    assert (found.rights.cool_off_hours, found.rights.step_up_lapses_days) == (48, 30)
    assert (str(found.rights.file_kept), str(found.rights.particulars_kept)) == ("24.0", "0.14")


def test_a_recipient_without_a_connector_is_told_by_staff(example: Copy) -> None:
    written = "{kind: webhook, url: https://a.example.org/x, secret_name: a, events: true, verbs: [erase, stop]}"
    example.edit(
        "    name: Advokathuset Lodline P/S\n", f"    name: Advokathuset Lodline P/S\n    connector: {written}\n"
    )
    found = Policy(compiler.draft(example.folder, TODAY)[1])

    by_hand, told = found.connection("crm"), found.connection("lawyers")
    assert (by_hand.kind, by_hand.verbs, by_hand.settings) == ("manual", connectors.VERBS, {})
    assert (told.kind, told.verbs, told.events) == ("webhook", ("erase", "stop"), True)
    assert told.settings == {"url": "https://a.example.org/x", "secret_name": "a"}
    assert found.connection("crm").verbs == by_hand.verbs


def test_the_schema_and_the_compiler_know_the_same_connectors() -> None:
    schema = shape.definitions()["connector"]["properties"]

    assert schema["kind"]["enum"] == list(connectors.KINDS)
    assert tuple(schema["verbs"]["items"]["enum"]) == connectors.VERBS
    named = {key for kind in connectors.KINDS.values() for key in (*kind.needs, *kind.knows)}
    assert set(schema) == {"kind", "verbs", *named}


def test_verbs_are_those_of_the_domain() -> None:
    assert tuple(Verb) == connectors.VERBS
