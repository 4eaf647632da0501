"""May a letter be sent: yes only where the person's consent is in force."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, PURPOSE, a_contact, a_decision, a_policy
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.permission import Permission, Reason, permission
from consent_center.domain.subject import Subject

MARKETING = a_policy().purpose(PURPOSE)


def ask(subject: Subject | None, topic: str | None = None, *, now: int = NOON) -> Permission:
    return permission(subject, MARKETING, channel="email", topic=topic, now=now)


def given_topics(*topics: str, valid_until: int | None = None) -> Subject:
    return a_decision(topics=topics, valid_until=valid_until).subject


def test_a_given_topic_is_allowed_and_names_its_evidence() -> None:
    assert ask(given_topics("product-news"), "product-news") == Permission(Reason.GIVEN, "chain-1.1", None)


def test_a_topic_that_was_never_given_is_denied() -> None:
    assert ask(given_topics("product-news"), "events").reason is Reason.NO_RECORD


def test_without_a_topic_any_given_topic_of_the_purpose_allows() -> None:
    assert ask(given_topics("events")).allowed


def test_somebody_unknown_is_denied() -> None:
    assert ask(None).reason is Reason.NO_RECORD
    assert ask(Subject(a_contact())).reason is Reason.NO_RECORD


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


def test_a_purpose_that_rests_on_an_interest_is_not_answered_with_a_yes() -> None:
    insight = a_policy().purpose("insight")
    decided = {"in.-.email": Decided(DecisionState.GIVEN, NOON, 1)}

    assert not permission(
        Subject(a_contact(), decided=decided, chain="c"), insight, channel="email", topic=None, now=NOON
    ).allowed
    objected = {"in.-.email": Decided(DecisionState.OBJECTED, NOON, 1)}
    assert (
        permission(
            Subject(a_contact(), decided=objected, chain="c"), insight, channel="email", topic=None, now=NOON
        ).reason
        is Reason.OBJECTED
    )


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
