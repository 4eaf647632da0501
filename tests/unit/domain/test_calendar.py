"""Working days, where a day begins, and months that have no such date."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_policy
from consent_center.domain.calendar import Calendar, Zone, calendar_of, same_date, zone_of

POLICY = a_policy()
ZONES = {
    "Europe/Copenhagen": zone_of(POLICY, "fjordmeter"),
    # A clock that changes at midnight, and one on the other side of UTC.
    "Atlantic/Azores": Zone(((1767225600, -60), (1774746000, 0), (1792890000, -60))),
    "Pacific/Auckland": Zone(((1767225600, 780), (1775311200, 720), (1790431200, 780))),
}
DAYS = st.dates(date(2026, 1, 3), date(2026, 12, 29))


@given(DAYS, st.sampled_from(sorted(ZONES)))
def test_a_day_begins_where_the_clock_says(day: date, name: str) -> None:
    zone, clock = ZONES[name], ZoneInfo(name)
    start = zone.start_of(day)

    assert zone.day_of(start * 1000) == day
    assert zone.day_of(start * 1000 - 1) == day - timedelta(days=1)
    assert datetime.fromtimestamp(start, clock).date() == day
    assert datetime.fromtimestamp(start - 1, clock).date() == day - timedelta(days=1)


@given(st.integers(1767500000, 1798600000), st.sampled_from(sorted(ZONES)))
def test_a_moment_is_within_its_day(seconds: int, name: str) -> None:
    zone = ZONES[name]
    day = zone.day_of(seconds * 1000)

    assert zone.start_of(day) <= seconds < zone.end_of(day)
    assert day == datetime.fromtimestamp(seconds, ZoneInfo(name)).date()


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)]
)
def test_the_night_of_summer_time_makes_a_day_shorter_and_that_of_winter_time_longer(day: str, hours: int) -> None:
    zone, on = ZONES["Europe/Copenhagen"], date.fromisoformat(day)

    assert zone.end_of(on) - zone.start_of(on) == hours * 3600


def test_outside_the_table_a_clock_stays_as_it_is_there() -> None:
    zone = ZONES["Europe/Copenhagen"]

    for year in (2023, 2038):
        start = zone.start_of(date(year, 7, 1))
        assert datetime.fromtimestamp(start, UTC).hour == 23
        assert zone.day_of(start * 1000) == date(year, 7, 1)


@given(st.dates(date(2023, 1, 1), date(2039, 12, 31)), st.sampled_from(["DK", "NO", "SE", "DE", "FR"]))
def test_the_next_working_day_is_one_and_none_is_passed_over(day: date, country: str) -> None:
    calendar = calendar_of(POLICY, country)
    found = calendar.working_day_from(day)

    assert calendar.is_working_day(found)
    between = [day + timedelta(days=n) for n in range((found - day).days)]
    assert not any(map(calendar.is_working_day, between))
    assert len(between) <= 6


def test_days_that_only_touch_each_other_make_no_third() -> None:
    calendar = Calendar(2026, ("01011031",))

    assert not calendar.is_working_day(date(2026, 1, 1))
    # 1103 stands there too, across the two.
    assert calendar.is_working_day(date(2026, 11, 3))


def test_nobody_works_on_closing_days_and_periods_do_not_care() -> None:
    calendar = Calendar(2026, ("1225",), frozenset({"12-24", "2026-12-23"}))

    assert calendar.staffed_day_until(date(2026, 12, 25)) == date(2026, 12, 22)
    assert calendar.staffed_day_until(date(2027, 12, 23)) == date(2027, 12, 23)
    assert calendar.working_day_from(date(2026, 12, 24)) == date(2026, 12, 24)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("2026-01-28", 1, "2026-02-28"),
        ("2026-01-29", 1, "2026-02-28"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-29", 1, "2028-02-29"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-02-28", 1, "2026-03-28"),
        ("2028-02-29", 1, "2028-03-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-04-30", 1, "2026-05-30"),
        ("2026-08-31", 1, "2026-09-30"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-12-31", 2, "2027-02-28"),
    ],
)
def test_a_month_ends_with_the_same_date_or_with_its_last_day(day: str, months: int, then: str) -> None:
    assert same_date(date.fromisoformat(day), months) == date.fromisoformat(then)
