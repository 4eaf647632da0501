"""May a letter be sent: yes only where the person's consent is in force."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, PURPOSE, a_contact, a_decision, a_policy, a_policy_with_sales
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.objection import Against
from consent_center.domain.permission import (
    AskedAbout,
    Permission,
    Reason,
    Recording,
    RecordingRules,
    permission,
)
from consent_center.domain.policy import Period, Purpose
from consent_center.domain.subject import Preference, Subject

MARKETING = a_policy().purpose(PURPOSE)


def ask(subject: Subject, topic: str | None = None, *, now: int = NOON) -> Permission:
    return permission(subject, MARKETING, channel="email", topic=topic, now=now)


def given_topics(*topics: str, valid_until: int | None = None) -> Subject:
    return a_decision(topics=topics, valid_until=valid_until).subject


def test_a_given_topic_is_allowed_and_names_its_evidence() -> None:
    assert ask(given_topics("product-news"), "product-news") == Permission(Reason.GIVEN, "chain-1.1", None)


def test_a_topic_that_was_never_given_is_denied() -> None:
    assert ask(given_topics("product-news"), "events").reason is Reason.NO_RECORD


def test_without_a_topic_any_given_topic_of_the_purpose_allows() -> None:
    assert ask(given_topics("events")).allowed


def test_whose_data_came_from_others_gets_no_marketing_until_they_were_told() -> None:
    subject = replace(given_topics("events"), inform_by=NOON // 1000 - 60)

    assert ask(subject).reason is Reason.NOT_INFORMED
    assert ask(replace(subject, inform_by=0)).reason is Reason.GIVEN
    assert ask(subject, "product-news").reason is Reason.NO_RECORD, "what is denied anyway keeps its reason"


def test_somebody_unknown_is_denied() -> None:
    assert ask(Subject(a_contact())).reason is Reason.NO_RECORD


def a_sale(group: str = "meters", *, valid_until: int | None = None) -> tuple[Purpose, Subject]:
    purpose = a_policy_with_sales().purpose("similar")
    code = purpose.scope(group, "email").code
    sold = Decided(DecisionState.SOFT_OPT_IN, NOON, 1, valid_until)
    return purpose, Subject(a_contact(), 1, "chain-1", 1, decided={code: sold})


def test_a_sale_allows_its_own_product_group_until_its_end() -> None:
    purpose, subject = a_sale(valid_until=NOON // 1000 + 60)

    def ask_of(group: str | None, now: int = NOON) -> Permission:
        return permission(subject, purpose, channel="email", topic=group, now=now)

    assert ask_of("meters") == Permission(Reason.SOFT_OPT_IN, "chain-1.1", NOON // 1000 + 60)
    assert ask_of("valves").reason is Reason.NO_RECORD
    assert ask_of(None) == Permission(Reason.NO_PRODUCT_GROUP)
    assert ask_of("meters", NOON + 60_000).reason is Reason.EXPIRED


def test_a_purpose_that_rested_on_sales_once_needs_a_consent_when_it_rests_on_consent() -> None:
    purpose, subject = a_sale()

    assert ask_now(subject, replace(purpose, legal_basis="consent")) is Reason.NO_RECORD


def test_an_objection_to_direct_marketing_stops_what_rests_on_a_sale() -> None:
    purpose, subject = a_sale()

    assert ask_now(with_objection(subject, Against.MARKETING, NOON), purpose) is Reason.OBJECTED


def ask_now(subject: Subject, purpose: Purpose) -> Reason:
    return permission(subject, purpose, channel="email", topic="meters", now=NOON).reason


def test_a_withdrawn_topic_is_denied_while_the_other_stays_allowed() -> None:
    subject = a_decision(given_topics("product-news", "events"), to=DecisionState.WITHDRAWN).subject

    assert ask(subject, "product-news").reason is Reason.WITHDRAWN
    assert ask(subject, "events").allowed
    assert ask(subject).allowed


def test_a_consent_that_ended_is_denied_from_that_second() -> None:
    subject = given_topics("product-news", valid_until=NOON // 1000 + 60)

    assert ask(subject, "product-news", now=NOON + 59_999) == Permission(Reason.GIVEN, "chain-1.1", NOON // 1000 + 60)
    assert ask(subject, "product-news", now=NOON + 60_000).reason is Reason.EXPIRED


def test_a_request_that_waits_for_confirmation_is_pending_until_it_is_void() -> None:
    subject = Subject(a_contact(), requested={"dm.pn.email": NOON // 1000 + 60})

    assert ask(subject, "product-news").reason is Reason.PENDING
    assert ask(subject, "events").reason is Reason.NO_RECORD
    assert ask(subject, "product-news", now=NOON + 60_000).reason is Reason.NO_RECORD


def test_a_no_is_told_rather_than_a_request_that_followed_it() -> None:
    withdrawn = a_decision(given_topics("product-news"), to=DecisionState.WITHDRAWN).subject
    subject = Subject(
        a_contact(), decided=withdrawn.decided, chain="chain-1", requested={"dm.pn.email": NOON // 1000 + 60}
    )

    assert ask(subject, "product-news").reason is Reason.WITHDRAWN


def test_a_restricted_record_allows_nothing() -> None:
    given_subject = given_topics("product-news")
    subject = Subject(a_contact(), decided=given_subject.decided, chain="chain-1", locks=("restricted",))

    assert ask(subject, "product-news").reason is Reason.RESTRICTED


def test_a_retired_topic_allows_nothing() -> None:
    subject = given_topics("paper")

    assert not ask(subject, "paper").allowed
    assert not ask(subject).allowed


def ask_about(purpose: str, subject: Subject, channel: str) -> Reason:
    return permission(subject, a_policy().purpose(purpose), channel=channel, topic=None, now=NOON).reason


def test_what_rests_on_an_interest_is_allowed_until_the_person_objects() -> None:
    objected = Subject(a_contact(), chain="c", decided={"in.-.web": Decided(DecisionState.OBJECTED, NOON, 1)})
    lifted = Subject(a_contact(), chain="c", decided={"in.-.web": Decided(DecisionState.LIFTED, NOON, 2)})

    assert ask_about("insight", Subject(a_contact()), "web") is Reason.OTHER_BASIS
    assert ask_about("insight", objected, "web") is Reason.OBJECTED
    assert ask_about("insight", lifted, "web") is Reason.OTHER_BASIS


def test_a_purpose_without_a_channel_of_its_own_is_one_decision_for_all_of_them() -> None:
    objected = Subject(a_contact(), chain="c", decided={"gr.-.any": Decided(DecisionState.OBJECTED, NOON, 1)})

    for channel in ("any", "email", "post"):
        assert ask_about("grouping", objected, channel) is Reason.OBJECTED


def with_objection(subject: Subject, against: Against, at: int, seq: int = 9) -> Subject:
    decided = {**subject.decided, against.scope.code: Decided(DecisionState.OBJECTED, at, seq)}
    return replace(subject, chain="chain-1", decided=decided)


def test_an_objection_to_direct_marketing_stops_all_of_it_and_nothing_else() -> None:
    subject = with_objection(given_topics("product-news"), Against.MARKETING, NOON + 1)

    assert ask(subject, "product-news").reason is Reason.OBJECTED
    assert ask(subject, "events").reason is Reason.OBJECTED
    assert ask_about("grouping", subject, "any") is Reason.OBJECTED
    assert ask_about("insight", subject, "web") is Reason.OTHER_BASIS
    assert ask_about("invoices", subject, "email") is Reason.OTHER_BASIS


def test_a_consent_given_after_an_objection_counts_for_itself_alone() -> None:
    subject = with_objection(given_topics("product-news"), Against.MARKETING, NOON - 1, seq=0)

    assert ask(subject, "product-news").allowed
    assert ask(subject, "events").reason is Reason.OBJECTED


def test_a_consent_of_the_same_moment_as_an_objection_does_not_count() -> None:
    subject = with_objection(given_topics("product-news"), Against.MARKETING, NOON, seq=1)

    assert ask(subject, "product-news").reason is Reason.OBJECTED


def test_an_objection_to_profiling_leaves_letters_alone() -> None:
    subject = with_objection(given_topics("product-news"), Against.PROFILING, NOON + 1)

    assert ask(subject, "product-news").allowed
    assert ask_about("grouping", subject, "any") is Reason.OBJECTED


def test_marketing_by_mail_on_an_interest_is_never_allowed() -> None:
    purpose = replace(a_policy().purpose("grouping"), channels=("email",))

    assert permission(Subject(a_contact()), purpose, channel="email", topic=None, now=NOON).reason is Reason.NO_RECORD


def test_while_data_are_restricted_only_what_the_law_demands_goes_on() -> None:
    subject = replace(given_topics("product-news"), locks=("restricted",))

    assert ask_about("insight", subject, "web") is Reason.RESTRICTED
    assert ask_about("invoices", subject, "email") is Reason.OTHER_BASIS


def preferring(**other: Any) -> Subject:
    return replace(given_topics("product-news"), preferences={"dm.email": Preference(**other)})


def test_a_pause_holds_until_its_second_and_then_ends_by_itself() -> None:
    subject = preferring(paused_until=NOON // 1000 + 60)

    assert ask(subject, "product-news", now=NOON + 59_999).reason is Reason.PAUSED
    assert ask(subject, "product-news", now=NOON + 60_000).allowed


def test_a_pause_hides_no_withdrawal() -> None:
    subject = a_decision(preferring(paused_until=NOON), to=DecisionState.WITHDRAWN).subject

    assert ask(subject, "product-news").reason is Reason.WITHDRAWN


def with_staleness(months: int = 12) -> Purpose:
    return replace(MARKETING, stale_after=Period(months=months))


@pytest.mark.parametrize(
    ("now", "last_send", "reason"),
    [
        ("2028-02-28T11:59", None, Reason.GIVEN),
        ("2028-02-28T12:00", None, Reason.STALE),
        ("2028-02-28T12:00", "2027-02-28T12:01", Reason.GIVEN),
        ("2029-01-30T12:00", "2028-01-31T12:00", Reason.GIVEN),
        ("2029-01-31T12:00", "2028-01-31T12:00", Reason.STALE),
    ],
)
def test_a_consent_that_nobody_used_for_a_year_is_stale(now: str, last_send: str | None, reason: Reason) -> None:
    given_at = epoch("2027-02-28T12:00")
    subject = Subject(a_contact(), chain="c", decided={"dm.pn.email": Decided(DecisionState.GIVEN, given_at, 1)})
    asked = AskedAbout(with_staleness(), "email", None)
    at = epoch(now)

    assert asked.permission(subject, at, epoch(last_send) if last_send else None).reason is reason
    assert asked.needs_last_send(subject, at)
    assert not asked.needs_last_send(subject, given_at + 300 * 86_400_000)


def test_one_fresh_consent_among_stale_ones_is_what_a_letter_rests_on() -> None:
    old, new = (Decided(DecisionState.GIVEN, epoch(f"{year}-02-28T12:00"), seq) for year, seq in ((2027, 1), (2028, 2)))
    subject = Subject(a_contact(), chain="c", decided={"dm.pn.email": old, "dm.ev.email": new})
    answer = AskedAbout(with_staleness(), "email", None).permission(subject, epoch("2028-06-01T12:00"))

    assert (answer.reason, answer.evidence) == (Reason.GIVEN, "c.2")


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def test_who_wants_fewer_letters_gets_the_next_one_when_the_time_is_over() -> None:
    subject = preferring(at_most_every=Period(days=14))

    def after(days: int) -> Reason:
        at = NOON + days * 86_400_000
        return permission(subject, MARKETING, channel="email", topic=None, now=at, last_send=NOON).reason

    assert AskedAbout(MARKETING, "email", None).needs_last_send(subject, NOON)
    assert (after(13), after(14)) == (Reason.FREQUENCY, Reason.GIVEN)
    assert ask(subject).allowed, "no letter went out yet"


RECORDING = RecordingRules(a_policy(), "fjordmeter", "email")


def test_nothing_is_recorded_without_a_yes_to_exactly_that() -> None:
    opens = Subject(a_contact(), chain="c", decided={"tr.op.email": Decided(DecisionState.GIVEN, NOON, 1)})

    assert RECORDING.of(Subject(a_contact()), NOON) == Recording(opens=False, clicks=False, profile=True)
    assert RECORDING.of(opens, NOON) == Recording(opens=True, clicks=False, profile=True)
    assert RECORDING.of(replace(opens, locks=("restricted",)), NOON) == Recording()


@pytest.mark.parametrize("against", Against)
def test_an_objection_ends_recording_and_profiling(against: Against) -> None:
    opens = Subject(a_contact(), chain="c", decided={"tr.op.email": Decided(DecisionState.GIVEN, NOON, 1)})

    assert RECORDING.of(with_objection(opens, against, NOON + 1), NOON + 2) == Recording()


def test_an_unknown_topic_or_channel_is_an_error_and_no_answer() -> None:
    with pytest.raises(UnknownNameError):
        ask(given_topics("product-news"), "no-such-topic")
    with pytest.raises(UnknownNameError):
        permission(given_topics("product-news"), MARKETING, channel="pigeon", topic=None, now=NOON)


@given(
    st.dictionaries(
        st.sampled_from(["dm.pn.email", "dm.ev.email", "dm.pa.email"]),
        st.builds(
            Decided,
            st.sampled_from([state for state in DecisionState if not state.permits]),
            st.integers(0, NOON),
            st.integers(1, 99),
        ),
    ),
    st.dictionaries(st.sampled_from(["dm.pn.email", "dm.ev.email"]), st.integers(0, 2 * NOON // 1000)),
    st.sampled_from([None, "product-news", "events"]),
)
def test_nothing_but_a_given_consent_is_ever_a_yes(
    decided: dict[str, Decided], requested: dict[str, int], topic: str | None
) -> None:
    subject = Subject(a_contact(), chain="chain-1", decided=decided, requested=requested)

    assert not ask(subject, topic).allowed


def test_a_retired_topics_yes_does_not_hide_a_withdrawal() -> None:
    subject = a_decision(given_topics("product-news"), to=DecisionState.WITHDRAWN).subject
    subject = a_decision(subject, topics=("paper",), at=NOON + 1).subject

    assert ask(subject).reason is Reason.WITHDRAWN
