"""A new edition reaches those whom it concerns, and never takes more than they agreed to."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, PURPOSE, a_contact, a_decision, a_policy
from consent_center.domain.affected import Affected, Follows, who_is_affected
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.objection import Against
from consent_center.domain.permission import AskedAbout, Reason
from consent_center.domain.policy import Notice, Policy
from consent_center.domain.subject import Subject

DEPLOYED = NOON + 1_000_000
NOW = DEPLOYED + 1_000_000
NEWS = "dm.pn.email"


def an_edition(change: str, *changes: tuple[str, str | None]) -> Notice:
    return Notice("2027-01-01", "2027-01-01", {"fjordmeter": {"en": "b" * 64}}, change, changes, {"en": "Changed."})


def asked_of(subject: Subject, edition: Notice, policy: Policy | None = None) -> Affected:
    return who_is_affected(subject, edition, policy or a_policy(), in_force_from=DEPLOYED, now=NOW)


def subscriber(**other: Any) -> Subject:
    return a_decision(**other).subject


def decided(subject: Subject, code: str, state: DecisionState, at: int = NOON + 1) -> Subject:
    return replace(subject, decided={**subject.decided, code: Decided(state, at, subject.seq + 1)})


REWORDED = an_edition("material", ("consent-wording", PURPOSE))
PASSED_ON = an_edition("material", ("recipient-added", PURPOSE))


@pytest.mark.parametrize("change", ["first", "typo", "information"])
def test_a_small_change_reaches_nobody(change: str) -> None:
    edition = an_edition(change, ("consent-wording", PURPOSE), ("recipient-removed", PURPOSE))

    assert asked_of(subscriber(), edition).follows is Follows.NOBODY


def test_who_uses_what_changed_is_told() -> None:
    assert asked_of(subscriber(), PASSED_ON) == Affected((PURPOSE,), ())


def test_who_uses_something_else_is_not_told() -> None:
    assert asked_of(subscriber(), an_edition("material", ("recipient-added", "tracking"))) == Affected()


def test_who_agreed_to_other_words_is_asked_again_about_exactly_that() -> None:
    affected = asked_of(subscriber(topics=("events",)), REWORDED)

    assert affected.follows is Follows.ASKED_AGAIN
    assert [scope.code for scope in affected.asked] == ["dm.ev.email"]


def test_who_agreed_to_the_new_words_already_is_told_and_not_asked() -> None:
    assert asked_of(subscriber(at=DEPLOYED), REWORDED).follows is Follows.TOLD


def test_a_topic_that_was_withdrawn_is_not_asked_about() -> None:
    person = decided(subscriber(topics=("product-news", "events")), NEWS, DecisionState.WITHDRAWN)

    assert [scope.code for scope in asked_of(person, REWORDED).asked] == ["dm.ev.email"]


@pytest.mark.parametrize(
    "state", [DecisionState.WITHDRAWN, DecisionState.REFUSED, DecisionState.OBJECTED, DecisionState.EXPIRED]
)
@pytest.mark.parametrize(
    "edition",
    [REWORDED, PASSED_ON, an_edition("material"), an_edition("new_purpose", ("purpose-added", "tracking"))],
    ids=["reworded", "passed-on", "unnamed", "new"],
)
def test_who_said_no_or_whose_yes_ran_out_hears_nothing(state: DecisionState, edition: Notice) -> None:
    assert asked_of(decided(subscriber(), NEWS, state), edition).follows is Follows.NOBODY


def test_who_objected_to_all_marketing_hears_nothing_of_it() -> None:
    person = decided(subscriber(), Against.MARKETING.scope.code, DecisionState.OBJECTED)

    assert asked_of(person, REWORDED).follows is Follows.NOBODY
    assert asked_of(person, an_edition("new_purpose", ("purpose-added", "tracking"))).follows is Follows.NOBODY


def test_a_consent_that_ended_by_itself_is_not_asked_for_again() -> None:
    assert asked_of(subscriber(valid_until=NOW // 1000), REWORDED).follows is Follows.NOBODY


def test_locked_data_are_not_used_to_write() -> None:
    assert asked_of(replace(subscriber(), locks=("restricted",)), REWORDED).follows is Follows.NOBODY


def test_nobody_unknown_is_written_to() -> None:
    assert asked_of(Subject(a_contact()), an_edition("material")).follows is Follows.NOBODY


def test_a_new_purpose_on_consent_is_asked_of_who_is_there_and_decided_nothing_about_it() -> None:
    edition = an_edition("new_purpose", ("purpose-added", "tracking"))

    affected = asked_of(subscriber(), edition)

    assert affected.told == ("tracking",)
    assert {scope.code for scope in affected.asked} == {"tr.op.email", "tr.ck.email"}
    assert asked_of(decided(subscriber(), "tr.op.email", DecisionState.REFUSED), edition) == Affected()


def test_a_new_purpose_on_another_basis_is_told_to_who_is_there() -> None:
    edition = an_edition("new_purpose", ("purpose-added", "insight"))

    assert asked_of(subscriber(), edition) == Affected(("insight",), ())
    assert asked_of(decided(subscriber(), "in.-.web", DecisionState.OBJECTED), edition) == Affected()


def test_a_material_change_that_has_no_place_is_told_to_who_is_there() -> None:
    everywhere = asked_of(subscriber(), an_edition("material", ("kept-longer", None)))

    assert everywhere == asked_of(subscriber(), an_edition("material"))
    assert PURPOSE in everywhere.told
    assert "tracking" not in everywhere.told


def test_what_only_became_less_is_not_told() -> None:
    edition = an_edition("material", ("recipient-added", "tracking"), ("kept-shorter", PURPOSE))

    assert asked_of(subscriber(), edition) == Affected()


def with_topic(retired: tuple[str, ...] = ()) -> Policy:
    """The policy after an edit: a topic more, and some retired."""
    raw = a_policy().raw
    rows = []
    for row in raw["purposes"]:
        if row["id"] == PURPOSE:
            topics = [{**topic, "retired": topic["retired"] or topic["id"] in retired} for topic in row["topics"]]
            rows.append({**row, "topics": [*topics, {**topics[0], "id": "more", "code": "mo", "retired": False}]})
        else:
            rows.append(row)
    return Policy({**raw, "purposes": rows})


def test_a_topic_that_is_added_later_is_not_given() -> None:
    person, after = subscriber(topics=("product-news", "events")), with_topic().purpose(PURPOSE)

    assert AskedAbout(after, "email", "more").permission(person, NOW).reason is Reason.NO_RECORD
    assert AskedAbout(after, "email", "events").permission(person, NOW).reason is Reason.GIVEN


STATES = st.sampled_from([None, *(state for state in DecisionState if state is not DecisionState.UNKNOWN)])


@given(STATES, STATES, st.sets(st.sampled_from(["product-news", "events"])))
def test_no_edit_of_topics_widens_a_consent(
    news: DecisionState | None, events: DecisionState | None, retired: set[str]
) -> None:
    person = subscriber()
    answers = {NEWS: news, "dm.ev.email": events}
    person = replace(person, decided={code: Decided(one, NOON, 1) for code, one in answers.items() if one})
    before, after = a_policy().purpose(PURPOSE), with_topic(tuple(retired)).purpose(PURPOSE)

    for topic in (None, "product-news", "events", "more"):
        now = AskedAbout(after, "email", topic).permission(person, NOW).allowed
        if now:
            assert topic != "more"
            assert AskedAbout(before, "email", topic).permission(person, NOW).allowed
