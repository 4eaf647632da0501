"""Holds and restrictions as they stand in a state: short, scoped, and over at their second."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, PURPOSE, a_contact, a_decision, a_policy
from consent_center.domain.affected import LEFT_IN_PEACE, who_is_affected
from consent_center.domain.lock import (
    HOLD,
    RESTRICTED,
    Ground,
    Interest,
    Lock,
    is_restricted,
    locks_of,
    with_lock,
    without_lock,
)
from consent_center.domain.permission import Recording, RecordingRules, permission
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Subject

POLICY = a_policy()
END = NOON // 1000 + 3600

LOCKS = st.builds(
    Lock,
    st.sampled_from([HOLD, RESTRICTED]),
    st.integers(0, 10**10),
    st.none() | st.integers(1, 4_102_444_800),
    st.sampled_from(["", *Ground, *Interest]).map(str),
    st.lists(st.sampled_from(["dm", "tr", "gr", "i1"]), unique=True).map(tuple),
)


@given(LOCKS)
def test_a_lock_is_read_as_it_was_written(lock: Lock) -> None:
    assert Lock.read(str(lock)) == lock


@pytest.mark.parametrize("word", [HOLD, RESTRICTED])
def test_a_word_alone_covers_everything_and_has_no_end(word: str) -> None:
    lock = Lock.read(word)

    assert lock == Lock(word)
    assert lock.covers("dm")
    assert lock.is_in_force_at(NOON * 10)


def test_a_hold_is_over_at_its_second() -> None:
    subject = Subject(a_contact(), locks=(str(Lock(HOLD, 3, END, "person")),))

    assert [lock.seq for lock in locks_of(subject, END * 1000 - 1)] == [3]
    assert locks_of(subject, END * 1000) == []


def test_setting_and_lifting_leave_other_locks_and_marks_alone() -> None:
    subject = Subject(a_contact(), locks=("undeliverable", str(Lock(HOLD, 2, END, "person"))))
    both = replace(subject, locks=with_lock(subject, Lock(RESTRICTED, 3, None, "b"), NOON))

    assert [lock.seq for lock in locks_of(both, NOON)] == [2, 3]
    assert without_lock(both, 2, NOON) == ("undeliverable", "restricted:3::b:")
    assert without_lock(both, 9, NOON) == both.locks
    assert without_lock(both, 3, END * 1000) == ("undeliverable",), "what is over goes with the next change"


def restricted(*codes: str) -> Subject:
    subject = a_decision().subject
    return replace(subject, locks=(str(Lock(RESTRICTED, 2, None, "c", codes)),))


def test_a_restriction_denies_what_it_covers_and_nothing_else() -> None:
    purpose = POLICY.purpose(PURPOSE)

    def says(subject: Subject) -> str:
        return permission(subject, purpose, channel="email", topic="product-news", now=NOON).reason

    assert says(restricted()) == says(restricted("dm")) == says(restricted("tr", "dm")) == "restricted"
    assert says(restricted("tr")) == "given"
    assert is_restricted(restricted("tr"), POLICY.purpose("tracking"), NOON)


def test_a_hold_denies_nothing() -> None:
    subject = replace(a_decision().subject, locks=(str(Lock(HOLD, 2, END, "person")), "hold"))

    assert permission(subject, POLICY.purpose(PURPOSE), channel="email", topic=None, now=NOON).allowed


def test_a_restriction_of_one_purpose_stops_its_profiling_and_no_other_purpose() -> None:
    rules = RecordingRules(POLICY, "fjordmeter", "email")

    assert rules.of(a_decision().subject, NOON) == Recording(profile=True)
    assert rules.of(restricted("dm"), NOON) == Recording(profile=True)
    assert rules.of(restricted("gr"), NOON) == Recording()


def test_whoever_is_restricted_hears_of_no_change_and_whoever_is_held_does() -> None:
    compiled = dict(POLICY.raw)
    compiled["notices"] = [{**compiled["notices"][0], "change": "material", "changes": []}]
    edition = Policy(compiled).newest_notice

    def affected(subject: Subject) -> object:
        return who_is_affected(subject, edition, POLICY, in_force_from=NOON, now=NOON)

    assert affected(restricted()) == LEFT_IN_PEACE
    assert affected(replace(a_decision().subject, locks=("hold",))) == affected(a_decision().subject) != LEFT_IN_PEACE
