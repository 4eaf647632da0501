"""What each recipient of data is told of a change, under which name, and how often it is tried."""

from dataclasses import replace
from typing import Any

import pytest

from builders import PURPOSE, a_policy_with_recipients
from consent_center.domain.announcement import again_after, announcement, concerning, message_id
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.policy import Period
from consent_center.domain.subject import Preference, Subject
from consent_center.domain.webhook import check, headers, message
from usecase_world import World

CHAIN = "c" * 26
POLICY = a_policy_with_recipients()
GIVEN = Decided(DecisionState.GIVEN, 5, 2)


def told_of(before: Subject | None = None, **after: Any) -> dict[str, Any]:
    """The whole announcement of a record that became so."""
    still = before or Subject(World().contact(), 3, CHAIN, 2, last_at=1_800_000_000_000)
    told = announcement(still, replace(still, version=4, seq=3, **after), POLICY)
    assert told is not None
    return told


def test_a_recipient_is_told_of_the_purposes_that_name_it_and_of_no_other() -> None:
    told = told_of(decided={"dm.ev.email": GIVEN, "gr.-.any": Decided(DecisionState.OBJECTED, 5, 2)})

    both, one = concerning("crm", told, POLICY), concerning("post-house", told, POLICY)

    assert both is not None
    assert one is not None
    assert {change["purpose"] for change in both["changes"]} == {PURPOSE, "grouping"}
    assert {change["purpose"] for change in one["changes"]} == {PURPOSE}
    assert {key: one[key] for key in ("chain", "seq", "at")} == {key: told[key] for key in ("chain", "seq", "at")}
    assert concerning("authority", told, POLICY) is None, "nothing of what it gets has changed"
    assert concerning("nobody", told, POLICY) is None


def test_a_pause_concerns_whom_its_purpose_names() -> None:
    key = POLICY.purpose(PURPOSE).preference_key("email")
    told = told_of(preferences={key: Preference(1_801_000_000, Period(3, 0))})

    assert concerning("crm", told, POLICY) == told
    assert concerning("authority", told, POLICY) is None


@pytest.mark.parametrize(
    ("code", "who"), [("*.dm.any", {"crm", "post-house"}), ("*.pf.any", {"crm"})], ids=["marketing", "profiling"]
)
def test_an_objection_to_everything_of_a_kind_concerns_whom_a_purpose_of_the_kind_names(
    code: str, who: set[str]
) -> None:
    told = told_of(decided={code: Decided(DecisionState.OBJECTED, 5, 2)})

    assert {name for name in ("crm", "post-house", "authority") if concerning(name, told, POLICY)} == who


@pytest.mark.parametrize(
    "after",
    [{"locks": ("restricted.2.1900000000..",)}, {"locks": ("undeliverable",)}, {"came_from": ("elsewhere",)}],
    ids=["restricted", "undeliverable", "moved"],
)
def test_locks_and_moves_concern_whoever_may_hold_data_of_the_controller(after: dict[str, Any]) -> None:
    told = {**told_of(**after), "changes": []}

    assert all(concerning(name, told, POLICY) for name in ("crm", "post-house", "authority"))
    assert concerning("nobody", told, POLICY) is None, "no purpose names it"
    assert concerning("crm", {**told, "controller": "somebody-else"}, POLICY) is None


def test_an_erasure_is_told_to_all_and_under_another_name_than_the_event_before_it() -> None:
    held = Subject(World().contact(), 3, CHAIN, 2, decided={"dm.ev.email": GIVEN})
    given = announcement(None, held, POLICY)
    erased = announcement(held, Subject(World().contact(), 4), POLICY)
    assert given is not None
    assert erased is not None

    part = concerning("authority", erased, POLICY)

    assert part is not None
    assert (part["erased"], part["changes"]) == (True, [])
    assert given["seq"] == erased["seq"], "an erasure is no event of the chain"
    assert message_id("crm", given) == f"{CHAIN}-2-crm"
    assert message_id("crm", erased) == f"{CHAIN}-2-erased-crm"


def test_the_name_of_a_message_is_one_that_the_scheme_can_sign() -> None:
    name = message_id("post-house", told_of(decided={"dm.ev.email": GIVEN}))
    signed = headers(name, 1_800_000_000, b"{}", [b"k" * 24])

    check(message(signed, b"{}"), [b"k" * 24], 1_800_000_000)


def test_a_recipient_is_tried_five_times_within_half_a_day_after_longer_and_longer_waits() -> None:
    waits = [again_after(tries) for tries in range(1, 5)]

    assert waits == sorted(set(waits))
    assert sum(waits) <= 43_200
    # No queue of Amazon's holds a message back for longer than twelve hours.
    assert max(waits) < 43_200
    assert again_after(5) == again_after(9) == 0
