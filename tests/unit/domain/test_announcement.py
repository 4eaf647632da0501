"""What other systems are told of a change, and that they end up knowing what holds however it reaches them."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from builders import PEOPLE, PURPOSE, a_policy
from consent_center.domain import wishes
from consent_center.domain.announcement import announcement
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.objection import Against
from consent_center.domain.policy import Period
from consent_center.domain.subject import Preference, Subject
from usecase_world import World


def test_a_confirmation_tells_each_topic_with_its_state_and_nobody_who_it_is() -> None:
    world = World()
    world.confirm(world.asked("product-news", "events"))
    subject = world.subjects.subjects[world.contact()]

    told = announcement(None, subject, world.policy)

    assert told is not None
    assert (told["chain"], told["seq"], told["controller"], told["erased"]) == (subject.chain, 1, "fjordmeter", False)
    assert sorted((one["topic"], one["before"], one["after"]) for one in told["changes"]) == [
        ("events", "ConsentUnknown", "ConsentGiven"),
        ("product-news", "ConsentUnknown", "ConsentGiven"),
    ]
    written = json.dumps(told)
    assert PEOPLE[0] not in written
    assert subject.contact.pseudonym not in written


def test_an_objection_to_everything_is_told_as_one_beside_what_it_withdraws() -> None:
    world = World()
    world.confirm(world.asked("events"))
    before = world.subjects.subjects[world.contact()]
    world.clock.move(seconds=60)
    assert world.wish(world.manage_token(), wishes.object_to_all(world.policy, Against.MARKETING))

    told = announcement(before, world.subjects.subjects[world.contact()], world.policy)

    assert told is not None
    assert {(one["purpose"], one.get("objection"), one["after"]) for one in told["changes"]} == {
        (None, "direct-marketing", "ObjectionRaised"),
        (PURPOSE, None, "ConsentWithdrawn"),
    }


def test_a_pause_and_a_lock_are_told_and_marks_are_not() -> None:
    policy, chain = a_policy(), "c" * 26
    still = Subject(World().contact(), 3, chain, 2, last_at=1_800_000_000_000)
    key = policy.purpose(PURPOSE).preference_key("email")
    paused = replace(still, seq=3, preferences={key: Preference(1_801_000_000, Period(3, 0))})

    assert announcement(still, replace(still, version=4, requested={"dm.ev.email": 9}), policy) is None
    told = announcement(still, paused, policy)
    assert told is not None
    assert told["preferences"] == [
        {"purpose": PURPOSE, "channel": "email", "paused_until": "2027-01-26T21:46:40.000Z", "at_most_every": "3.0"}
    ]
    bounced = announcement(still, replace(still, seq=3, locks=("undeliverable",)), policy)
    assert bounced is not None
    assert (bounced["locks"], bounced["deliverable"]) == (["undeliverable"], False)


def test_an_erasure_is_told_under_the_chain_that_is_gone() -> None:
    policy, contact = a_policy(), World().contact()
    held = Subject(contact, 3, "c" * 26, 2, decided={"dm.ev.email": Decided(DecisionState.GIVEN, 5, 2)})

    told = announcement(held, Subject(contact, 4), policy)

    assert told is not None
    assert (told["chain"], told["seq"], told["erased"]) == ("c" * 26, 2, True)
    assert [one["after"] for one in told["changes"]] == ["ConsentUnknown"]


def test_what_the_policy_no_longer_names_is_told_by_its_code() -> None:
    policy, contact = a_policy(), World().contact()
    after = Subject(contact, 1, "c" * 26, 1, decided={"zz.yy.email": Decided(DecisionState.WITHDRAWN, 5, 1)})

    told = announcement(None, after, policy)

    assert told is not None
    (change,) = told["changes"]
    assert (change["purpose"], change["topic"], change["channel"]) == ("zz", "yy", "email")


STATES = st.sampled_from([DecisionState.GIVEN, DecisionState.WITHDRAWN, DecisionState.EXPIRED])
STEPS = st.lists(st.tuples(st.sampled_from(["dm.ev.email", "dm.pn.email"]), STATES), min_size=1, max_size=8)


@given(steps=STEPS, order=st.randoms())
def test_whoever_keeps_the_highest_seq_of_each_scope_knows_what_holds_in_whatever_order_it_comes(
    steps: list[tuple[str, DecisionState]], order: Any
) -> None:
    policy, subject = a_policy(), Subject(World().contact(), 0, "c" * 26)
    told = []
    for seq, (code, state) in enumerate(steps, start=1):
        before, subject = (
            subject,
            replace(subject, version=seq, seq=seq, decided={**subject.decided, code: Decided(state, seq, seq)}),
        )
        told.append(announcement(before, subject, policy))
    order.shuffle(told)

    known: dict[str, tuple[int, str]] = {}
    for one in [*told, *told]:
        assert one is not None
        for change in one["changes"]:
            key = str(change["topic"])
            known[key] = max(known.get(key, (0, "")), (one["seq"], change["after"]))

    holds = {str(policy.scope_by_code(code).topic): decided.state.value for code, decided in subject.decided.items()}
    assert {key: state for key, (_, state) in known.items()} == holds
