"""The two days to answer by: Regulation 1182/71 and the stricter reading, pauses, extensions and warnings."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_case, a_policy
from consent_center.domain.calendar import calendar_of, same_date, zone_of
from consent_center.domain.case import Case, CaseState, Extension, Pause
from consent_center.domain.deadline import WARNINGS, CaseDays, Deadlines, deadlines

POLICY = a_policy()
DAYS = CaseDays(POLICY)
ZONE = zone_of(POLICY, "fjordmeter")
CLOCK = ZoneInfo("Europe/Copenhagen")
DAY = 86_400_000
COUNTRIES = ("DK", "NO", "SE", "DE")
LAPSES = 30
"""As in the policy of the tests."""


def noon(day: str) -> int:
    return at(f"{day}T12:00")


def at(wall: str) -> int:
    """Epoch milliseconds of a time on a wall in Copenhagen."""
    return int(datetime.fromisoformat(wall).replace(tzinfo=CLOCK).timestamp() * 1000)


def days(received: str, country: str = "DK", **other: object) -> Deadlines:
    moment = at(received) if "T" in received else noon(received)
    return deadlines(moment, calendar=calendar_of(POLICY, country), zone=ZONE, **{"now": moment, **other})  # type: ignore[arg-type]


def received(day: str, **other: object) -> Case:
    """A case received on a day, with its two days counted."""
    return counted(a_case(received_at=noon(day), **other))


def counted(case: Case) -> Case:
    answer_by, strict = DAYS.of(case)
    return replace(case, answer_by=answer_by, strict_answer_by=strict)


@pytest.mark.parametrize(
    ("day", "country", "answer_by", "strict"),
    [
        # A plain month, and one that ends on a Saturday or a Sunday.
        ("2026-09-02", "DK", "2026-10-02", "2026-10-01"),
        ("2026-03-05", "DK", "2026-04-07", "2026-04-04"),
        ("2026-08-05", "DK", "2026-09-07", "2026-09-04"),
        # The end of January, in a common year and in a leap year (29 February 2028 is a Tuesday).
        ("2026-01-28", "DK", "2026-03-02", "2026-02-27"),
        ("2026-01-29", "DK", "2026-03-02", "2026-02-28"),
        ("2026-01-30", "DK", "2026-03-02", "2026-02-28"),
        ("2026-01-31", "DK", "2026-03-02", "2026-02-28"),
        ("2027-01-29", "DK", "2027-03-01", "2027-02-28"),
        ("2028-01-28", "DK", "2028-02-28", "2028-02-27"),
        ("2028-01-29", "DK", "2028-02-29", "2028-02-28"),
        ("2028-01-31", "DK", "2028-02-29", "2028-02-29"),
        # The end of February and of April.
        ("2026-02-28", "DK", "2026-03-30", "2026-03-27"),
        ("2028-02-29", "DK", "2028-03-29", "2028-03-28"),
        ("2027-04-30", "DK", "2027-05-31", "2027-05-29"),
        ("2026-08-31", "DK", "2026-09-30", "2026-09-30"),
        # Easter 2026: Maundy Thursday, 2 April, is a holiday in Denmark and Norway only.
        ("2026-03-02", "DK", "2026-04-07", "2026-04-01"),
        ("2026-03-02", "NO", "2026-04-07", "2026-04-01"),
        ("2026-03-02", "DE", "2026-04-02", "2026-04-01"),
        ("2026-03-03", "DE", "2026-04-07", "2026-04-02"),
        # 1 May 2026 is a Friday; 17 May 2028 a Wednesday, 2027 Whit Monday; 3 October 2028 a Tuesday.
        ("2026-04-01", "DK", "2026-05-01", "2026-04-30"),
        ("2026-04-01", "NO", "2026-05-04", "2026-04-30"),
        ("2026-04-01", "DE", "2026-05-04", "2026-04-30"),
        ("2028-04-17", "NO", "2028-05-18", "2028-05-16"),
        ("2028-04-17", "DK", "2028-05-17", "2028-05-16"),
        ("2027-04-17", "DK", "2027-05-18", "2027-05-16"),
        ("2028-09-03", "DE", "2028-10-04", "2028-10-02"),
        ("2028-09-03", "DK", "2028-10-03", "2028-10-02"),
        # Store Bededag is none since 2024; 5 June and 24 December are working days in Denmark.
        ("2024-03-26", "DK", "2024-04-26", "2024-04-25"),
        ("2026-05-05", "DK", "2026-06-05", "2026-06-04"),
        ("2026-11-24", "DK", "2026-12-24", "2026-12-23"),
        # Christmas and the ends of years.
        ("2026-11-25", "DK", "2026-12-28", "2026-12-24"),
        ("2026-12-01", "DK", "2027-01-04", "2026-12-31"),
        ("2026-12-31", "DK", "2027-02-01", "2027-01-30"),
        ("2026-11-30", "DK", "2026-12-30", "2026-12-29"),
    ],
)
def test_a_request_is_answered_within_a_month(day: str, country: str, answer_by: str, strict: str) -> None:
    assert days(day, country) == Deadlines(answer_by, strict)


@pytest.mark.parametrize(
    ("moment", "answer_by"),
    [
        # 22:30 in UTC is half past midnight in summer and half past eleven in winter.
        ("2026-08-31T23:59", "2026-09-30"),
        ("2026-09-01T00:00", "2026-10-01"),
        ("2026-11-30T23:30", "2026-12-30"),
        ("2026-12-01T00:30", "2027-01-04"),
        # The nights in which clocks change: 29 March and 25 October.
        ("2026-03-29T01:59", "2026-04-29"),
        ("2026-03-29T03:00", "2026-04-29"),
        ("2026-03-29T00:00", "2026-04-29"),
        ("2026-03-28T23:59", "2026-04-28"),
        ("2026-10-25T02:30", "2026-11-25"),
        ("2026-10-25T23:59", "2026-11-25"),
    ],
)
def test_the_day_of_receipt_is_that_of_the_controllers_clock(moment: str, answer_by: str) -> None:
    assert days(moment).answer_by == answer_by


def test_a_day_ends_with_its_last_hour_there() -> None:
    for day, end in (("2026-10-01", "2026-10-01T22:00"), ("2026-10-25", "2026-10-25T23:00")):
        assert DAYS.ends_at(a_case(answer_by=day)) == datetime.fromisoformat(end).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("day", "answer_by", "strict"),
    [
        # From 28 February, not from 31 January, and not from 2 March where that had moved to.
        ("2026-01-31", "2026-04-28", "2026-04-28"),
        ("2026-09-02", "2026-12-02", "2026-12-01"),
        ("2026-09-25", "2026-12-28", "2026-12-24"),
        ("2026-12-31", "2027-03-31", "2027-03-30"),
    ],
)
def test_an_extension_adds_two_months_to_the_end_before_it_moved(day: str, answer_by: str, strict: str) -> None:
    assert days(day, extension=True) == Deadlines(answer_by, strict)


@pytest.mark.parametrize(
    ("asked", "answer", "now", "answer_by"),
    [
        ("2026-09-03", "2026-09-10", "2026-09-10", "2026-10-09"),
        ("2026-09-03", "2026-09-03", "2026-09-03", "2026-10-02"),
        ("2026-09-03", "2026-09-04", "2026-11-01", "2026-10-05"),  # Saturday, so Monday
        # Nobody has answered: until now, and until it lapses.
        ("2026-09-03", None, "2026-09-10", "2026-10-09"),
        ("2026-09-03", None, "2026-10-03", "2026-11-02"),
        ("2026-09-03", None, "2027-03-01", "2026-11-02"),
    ],
)
def test_a_question_stops_the_first_reading_only(asked: str, answer: str | None, now: str, answer_by: str) -> None:
    pause = Pause("role mailbox", noon(asked), noon(answer) if answer else 0)

    assert days("2026-09-02", pause=pause, now=noon(now)) == Deadlines(answer_by, "2026-10-01")


def test_a_question_lapses_after_the_days_of_the_policy() -> None:
    pause = Pause("role mailbox", noon("2026-09-03"))

    assert days("2026-09-02", pause=pause, now=noon("2027-01-01"), question_lapses_days=14).answer_by == "2026-10-16"


def test_a_question_and_an_extension_both_count() -> None:
    pause = Pause("role mailbox", noon("2026-09-03"), noon("2026-09-10"))

    assert days("2026-09-02", pause=pause, extension=True) == Deadlines("2026-12-09", "2026-12-01")


# ---- What may move the day -----------------------------------------------------------------------------


@pytest.mark.parametrize(("moment", "may"), [("2026-10-01T23:59", True), ("2026-10-02T00:00", False)])
def test_an_extension_is_told_within_the_first_month_by_the_stricter_reading(moment: str, may: bool) -> None:
    assert DAYS.may_extend(received("2026-09-02"), at(moment)) is may


def test_a_pause_gives_no_more_time_to_tell_of_an_extension() -> None:
    case = received("2026-09-02", pause=Pause("role mailbox", noon("2026-09-03"), noon("2026-09-20")))

    assert case.answer_by == "2026-10-19"
    assert not DAYS.may_extend(case, noon("2026-10-02"))


def test_there_is_one_extension_and_none_of_what_is_closed() -> None:
    extension = Extension("2026-12-02", "complex", noon("2026-09-20"))

    assert not DAYS.may_extend(received("2026-09-02", extension=extension), noon("2026-09-21"))
    assert not DAYS.may_extend(received("2026-09-02", state=CaseState.DONE), noon("2026-09-21"))


@pytest.mark.parametrize(("moment", "may"), [("2026-09-05T23:59", True), ("2026-09-06T00:00", False)])
def test_a_question_stops_the_period_when_it_is_asked_within_three_days(moment: str, may: bool) -> None:
    assert DAYS.may_pause(received("2026-09-02"), at(moment)) is may


def test_a_second_question_stops_nothing() -> None:
    asked = received("2026-09-02", pause=Pause("role mailbox", noon("2026-09-03")))

    assert not DAYS.may_pause(asked, noon("2026-09-04"))
    assert not DAYS.may_pause(received("2026-09-02", state=CaseState.LAPSED), noon("2026-09-03"))


def test_a_case_has_the_days_of_its_receipt_its_answer_and_its_extension() -> None:
    case = received("2026-09-02")
    open_question = replace(case, pause=Pause("role mailbox", noon("2026-09-03")))
    settled = replace(case, pause=Pause("role mailbox", noon("2026-09-03"), noon("2026-09-10")))
    longer = replace(settled, extension=Extension("", "complex", noon("2026-09-20")))

    assert DAYS.of(case) == DAYS.of(open_question) == Deadlines("2026-10-02", "2026-10-01")
    assert DAYS.of(settled) == Deadlines("2026-10-09", "2026-10-01")
    assert DAYS.of(longer) == Deadlines("2026-12-09", "2026-12-01")
    assert DAYS.of_request(noon("2026-09-02"), controller="fjordmeter", jurisdiction="DK") == DAYS.of(case)


def test_a_case_has_the_holidays_of_its_own_jurisdiction() -> None:
    assert received("2026-04-01", jurisdiction="DK").answer_by == "2026-05-01"
    assert received("2026-04-01", jurisdiction="NO").answer_by == "2026-05-04"


# ---- Warnings ------------------------------------------------------------------------------------------


def test_staff_are_warned_ten_five_and_one_day_before_the_earlier_of_both() -> None:
    # The strict day is Thursday, 12 November 2026; ten days before is a Monday, five a Saturday.
    case = received("2026-10-13")
    assert case.strict_answer_by == "2026-11-12"
    given = []
    for number in range(40):
        now = noon("2026-10-15") + number * DAY
        warning = DAYS.next_warning(case, now)
        if warning is not None:
            given.append((ZONE.day_of(now).isoformat(), warning))
            case = replace(case, warned=warning)

    assert given == [("2026-11-02", 10), ("2026-11-06", 5), ("2026-11-11", 1)]


def test_a_warning_that_was_missed_is_not_made_up_for() -> None:
    case = received("2026-10-13")

    assert DAYS.next_warning(case, noon("2026-11-09")) == 5
    assert DAYS.next_warning(replace(case, warned=5), noon("2026-11-09")) is None
    assert DAYS.next_warning(case, noon("2026-12-09")) == 1
    assert DAYS.next_warning(replace(case, warned=1), noon("2026-12-09")) is None
    assert DAYS.next_warning(replace(case, state=CaseState.DONE), noon("2026-11-09")) is None


def test_a_warning_comes_before_the_days_on_which_nobody_works() -> None:
    # Five days before 31 December are 26 December, and Christmas Eve is a closing day.
    case = received("2026-12-01", warned=10)

    assert DAYS.warns_at(case, 5) * 1000 == at("2026-12-23T00:00")
    assert DAYS.next_warning(case, at("2026-12-22T23:59")) is None
    assert DAYS.next_warning(case, at("2026-12-23T00:00")) == 5


# ---- Properties ----------------------------------------------------------------------------------------

RECEIVED = st.dates(date(2023, 6, 1), date(2038, 6, 30))
MOMENTS = st.builds(lambda day, second: ZONE.start_of(day) * 1000 + second * 1000, RECEIVED, st.integers(0, 82_799))
PAUSES = st.none() | st.tuples(st.integers(0, 3), st.integers(0, 40))


def _count(moment: int, country: str, waits: tuple[int, int] | None, extension: bool) -> Deadlines:
    pause = Pause("asked", moment + waits[0] * DAY, moment + sum(waits) * DAY) if waits else None
    return deadlines(
        moment,
        calendar=calendar_of(POLICY, country),
        zone=ZONE,
        pause=pause,
        extension=extension,
        now=moment + 90 * DAY,
        question_lapses_days=LAPSES,
    )


@given(MOMENTS, st.sampled_from(COUNTRIES), PAUSES, st.booleans())
def test_the_day_is_a_working_day_and_no_earlier_than_the_strict_one(
    moment: int, country: str, waits: tuple[int, int] | None, extension: bool
) -> None:
    found = _count(moment, country, waits, extension)

    assert calendar_of(POLICY, country).is_working_day(date.fromisoformat(found.answer_by))
    assert found.warn_from == found.strict_answer_by <= found.answer_by
    # The strict day knows no pause.
    assert found.strict_answer_by == _count(moment, country, None, extension).strict_answer_by


@given(MOMENTS, st.sampled_from(COUNTRIES))
def test_a_month_is_never_longer_than_one_and_the_holidays_at_its_end(moment: int, country: str) -> None:
    found = _count(moment, country, None, extension=False)
    receipt, end, strict = (
        ZONE.day_of(moment),
        date.fromisoformat(found.answer_by),
        date.fromisoformat(found.strict_answer_by),
    )
    unmoved = same_date(receipt, 1)

    assert unmoved.day == receipt.day or (unmoved + timedelta(days=1)).day == 1
    assert timedelta(0) <= unmoved - strict <= timedelta(days=1)
    assert unmoved <= end <= unmoved + timedelta(days=5)
    calendar = calendar_of(POLICY, country)
    assert not any(calendar.is_working_day(unmoved + timedelta(days=n)) for n in range((end - unmoved).days))
    assert sum(calendar.is_working_day(receipt + timedelta(days=n)) for n in range(1, (end - receipt).days + 1)) >= 2


@given(MOMENTS, st.integers(0, 40 * DAY // 1000), st.sampled_from(COUNTRIES), st.booleans())
def test_who_asks_later_is_never_answered_sooner(moment: int, seconds: int, country: str, extension: bool) -> None:
    first = _count(moment, country, None, extension)
    second = _count(moment + seconds * 1000, country, None, extension)

    assert first.answer_by <= second.answer_by
    assert first.strict_answer_by <= second.strict_answer_by


@given(MOMENTS, st.sampled_from(COUNTRIES), PAUSES)
def test_an_extension_is_two_months_and_never_more_than_three_from_receipt(
    moment: int, country: str, waits: tuple[int, int] | None
) -> None:
    plain, more = (_count(moment, country, waits, extension) for extension in (False, True))
    receipt = ZONE.day_of(moment)

    assert plain.answer_by < more.answer_by
    assert plain.strict_answer_by < more.strict_answer_by <= same_date(receipt, 3).isoformat()
    if waits is None:
        assert calendar_of(POLICY, country).working_day_from(same_date(receipt, 3)).isoformat() >= more.answer_by


@given(MOMENTS, st.sampled_from(COUNTRIES), st.integers(0, 3), st.integers(0, 60))
def test_a_pause_never_takes_a_day_away_nor_adds_more_than_a_question_lives(
    moment: int, country: str, asked: int, waited: int
) -> None:
    without = date.fromisoformat(_count(moment, country, None, extension=False).answer_by)
    found = date.fromisoformat(_count(moment, country, (asked, waited), extension=False).answer_by)

    assert without <= found or waited == 0
    assert found <= same_date(ZONE.day_of(moment), 1) + timedelta(days=min(waited + 1, LAPSES) + 5)


@given(MOMENTS, st.sampled_from(COUNTRIES), st.sampled_from(WARNINGS))
def test_a_warning_is_due_exactly_when_it_is_announced(moment: int, country: str, days: int) -> None:
    case = counted(a_case(received_at=moment, jurisdiction=country))
    when = DAYS.warns_at(case, days) * 1000
    nearest = min(other for other in WARNINGS if DAYS.warns_at(case, other) * 1000 <= when)

    assert DAYS.next_warning(case, when) == nearest <= days
    assert DAYS.next_warning(replace(case, warned=nearest), when) is None
    before = DAYS.next_warning(case, when - 1)
    assert before is None or before > nearest
