"""Periods, scopes and wording."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import PURPOSE, a_policy
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.policy import Period, Policy
from consent_center.domain.wording import Wording, consent_wording

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T12:00:00+00:00")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2027-01-31", 1, "2027-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-11-30", 1, "2026-12-30"),
        ("2026-12-15", 36, "2029-12-15"),
    ],
)
def test_a_month_that_lacks_the_day_ends_on_its_last_day(start: str, months: int, end: str) -> None:
    assert Period(months=months).after(day(start)) == day(end)


@given(MOMENTS, st.integers(0, 120), st.integers(0, 400))
def test_a_longer_period_never_ends_earlier(start: datetime, months: int, days: int) -> None:
    end = Period(months, days).after(start)

    assert end >= start
    assert Period(months + 1, days).after(start) > end
    assert Period(months, days + 1).after(start) > end


@given(MOMENTS, st.integers(0, 120))
def test_a_month_is_a_calendar_month(start: datetime, months: int) -> None:
    end = Period(months=months).after(start)

    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day <= start.day
    assert end.timetz() == start.timetz()


def test_a_scope_is_stored_under_codes_that_never_change() -> None:
    policy = a_policy()

    assert policy.purpose(PURPOSE).scope("events", "email").code == "dm.ev.email"
    assert policy.purpose("tracking").scope(None, "email").code == "tr.-.email"


def test_what_was_retired_can_still_be_withdrawn() -> None:
    assert "dm.pa.email" in {scope.code for scope in a_policy().purpose(PURPOSE).scopes("email")}


def test_unknown_names_say_what_kind_of_name_is_unknown() -> None:
    with pytest.raises(UnknownNameError, match="purpose"):
        a_policy().purpose("no-such-purpose")
    with pytest.raises(UnknownNameError, match="topic"):
        a_policy().purpose(PURPOSE).topic("no-such-topic")


@pytest.mark.parametrize(
    ("written", "said"), [("Once a month", "Once a month."), ("Once a month.", "Once a month."), ("When?", "When?")]
)
def test_a_sentence_ends_once(written: str, said: str) -> None:
    assert a_policy().sentence({"en": written}, "en") == said


def test_a_policy_of_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format"):
        Policy({"format": 2})


def wording(*topics: str) -> Wording:
    policy = a_policy()
    purpose = policy.purpose(PURPOSE)
    return consent_wording(policy, purpose, [purpose.topic(topic) for topic in topics], "en")


def test_the_wording_names_sender_topics_frequency_and_the_way_out() -> None:
    text = "\n".join(wording("product-news", "events").paragraphs)

    for part in ("Fjordmeter", "Product-News", "Events", "Once a month.", "withdraw at any time"):
        assert part in text


def test_the_hash_is_of_exactly_what_was_shown() -> None:
    assert wording("events").hash == wording("events").hash
    assert wording("events").hash != wording("product-news").hash
    shown = wording("events")
    assert Wording(shown.paragraphs, "da", shown.notice).hash != shown.hash
    assert Wording(shown.paragraphs, "en", "2027-01-01").hash != shown.hash


def test_a_purpose_without_consent_text_has_no_wording() -> None:
    policy = a_policy()
    raw = {**policy.raw, "purposes": [{**policy.raw["purposes"][0], "consent_text": None}]}
    silent = Policy(raw)

    with pytest.raises(UnknownNameError):
        consent_wording(silent, silent.purpose(PURPOSE), [], "en")


def test_files_of_requests_are_kept_as_the_rules_that_cover_them_say() -> None:
    rights = a_policy().rights

    assert (rights.cool_off_hours, rights.step_up_lapses_days) == (48, 30)
    assert (rights.file_kept, rights.particulars_kept) == (Period(months=36), Period(days=30))


@pytest.mark.parametrize("kind", ["rights-file", "rights-payload"])
def test_a_policy_that_does_not_say_how_long_requests_are_kept_is_not_guessed_at(kind: str) -> None:
    raw = a_policy().raw
    rules = [rule for rule in raw["retention_rules"] if rule["covers"] != kind]

    with pytest.raises(ValueError, match="how long"):
        _ = Policy({**raw, "retention_rules": rules}).rights
