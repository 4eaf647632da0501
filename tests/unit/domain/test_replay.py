"""What held at a moment of the past, from entries alone: as the record itself said then, and no guess beyond it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOON, PURPOSE, a_policy
from consent_center.domain.chain import Entry
from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.lock import HOLD, RESTRICTED, Lock, facts_of, locks_of, with_lock, without_lock
from consent_center.domain.objection import Against
from consent_center.domain.permission import Reason
from consent_center.domain.policy import Period, Policy, Scope
from consent_center.domain.reach import reached, unreachable
from consent_center.domain.replay import Question, Replay, Verdict, answers
from consent_center.domain.retention import EXPIRED, STALE, ended
from consent_center.domain.subject import (
    Act,
    Decision,
    Preference,
    Randomness,
    Subject,
    decide,
    end_by_itself,
    restore,
    state_before,
    tell,
    timestamp,
    with_locks,
)
from consent_center.domain.told import TOLD, About, Telling

DAY = 86_400_000
CONTACT = ContactPoint("fjordmeter", "email", "k1", "p" * 26)
CHANCE = Randomness("chain", "salt", "other salt")


class Life:
    """One record as the product keeps it, and the entries that it leaves."""

    def __init__(self, **purpose: Any) -> None:
        raw = a_policy().raw
        rows = [{**row, **(purpose if row["id"] == PURPOSE else {})} for row in raw["purposes"]]
        self.policy = Policy({**raw, "purposes": rows})
        self.subject = Subject(CONTACT)
        self.entries: list[Entry] = []
        self.before: tuple[Mapping[str, Any], list[Scope]] | None = None
        self.now = NOON

    @property
    def purpose(self) -> Any:
        return self.policy.purpose(PURPOSE)

    def act(
        self, kind: str, state: DecisionState | None, *topics: str, facts: Mapping[str, Any] | None = None, **other: Any
    ) -> "Life":
        scopes = [self.purpose.scope(topic, "email") for topic in topics]
        return self.decide(kind, [(scope, state) for scope in scopes] if state else [], facts or {}, **other)

    def decide(
        self,
        kind: str,
        changes: list[tuple[Scope, Any]],
        facts: Mapping[str, Any],
        preferences: Mapping[str, Preference] | None = None,
    ) -> "Life":
        scopes = [scope for scope, _ in changes]
        self.before = (state_before(self.subject, scopes, preferences or {}), scopes)
        decision = decide(
            self.subject,
            changes,
            Act(kind, by_person=True, facts=facts, details={}),
            now=self.now,
            chance=CHANCE,
            valid_until=self.purpose.ends([one for one, state in changes if state.permits], self.now),
            preferences=preferences,
        )
        if kind == "given" and facts.get("capability") == "confirm":
            decision = reached(decision)
        if kind == "undeliverable":
            decision = unreachable(decision)
        self.subject = decision.subject
        self.entries.append(decision.entry)
        return self

    def give(self, *topics: str) -> "Life":
        return self.act("given", DecisionState.GIVEN, *topics, facts={"capability": "confirm"})

    def withdraw(self, *topics: str) -> "Life":
        return self.act("withdrawn", DecisionState.WITHDRAWN, *topics)

    def note(self) -> None:
        """Enter what ended by itself, as a look at the record does."""
        for one in ended(self.subject, {}, self.policy, self.now):
            facts = {"ended_at": timestamp(one.at * 1000)}
            decision = end_by_itself(
                self.subject,
                one.scopes,
                Act(STALE if one.is_stale else EXPIRED, by_person=False, facts=facts, details={}),
                ended_at=one.at,
                is_stale=one.is_stale,
                now=self.now,
                chance=CHANCE,
            )
            self._keep(decision)

    def lock(self, what: str) -> None:
        codes = ("dm",) if what == "restrict one" else ()
        kind, until = (HOLD, self.now // 1000 + 864_000) if what == "hold" else (RESTRICTED, None)
        lock = Lock(kind, self.subject.seq + 1, until, "c", codes)
        act = Act(
            "hold_set" if what == "hold" else "restricted",
            by_person=False,
            facts=facts_of(lock, self.policy),
            details={},
        )
        locks = with_lock(self.subject, lock, self.now)
        self._keep(with_locks(self.subject, locks, act, now=self.now, chance=CHANCE))

    def free(self) -> None:
        for lock in locks_of(self.subject, self.now):
            kind = "hold_lifted" if lock.kind == HOLD else "restriction_lifted"
            act = Act(kind, by_person=False, facts={"lifts": lock.seq}, details={})
            locks = without_lock(self.subject, lock.seq, self.now)
            self._keep(with_locks(self.subject, locks, act, now=self.now, chance=CHANCE))

    def _keep(self, decision: Decision) -> None:
        # Only the newest act can be undone.
        self.subject, self.before = decision.subject, None
        self.entries.append(decision.entry)

    def undo(self) -> "Life":
        if self.before is not None:
            before, scopes = self.before
            act = Act("restored", by_person=True, facts={"restores": self.subject.seq}, details={})
            decision = restore(self.subject, before, scopes, act, now=self.now, chance=CHANCE)
            self.subject, self.before = decision.subject, None
            self.entries.append(decision.entry)
        return self

    def later(self, days: float) -> "Life":
        self.now += int(days * DAY)
        return self

    def asked(self, since: int, until: int | None = None, topic: str | None = "events") -> list[tuple[Any, ...]]:
        question = Question(self.purpose, "email", topic)
        replay = Replay(CONTACT, self.policy)
        found = answers(self.entries, replay, question, since, since if until is None else until)
        return [((one.at - NOON) // DAY, one.verdict, one.reason, one.evidence) for one in found]


YES, NO, UNKNOWN = Verdict.ALLOWED, Verdict.NOT_ALLOWED, Verdict.UNKNOWN


def test_before_the_yes_between_and_after_the_no_each_names_its_entry() -> None:
    life = Life().give("events").later(10).withdraw("events").later(10)

    assert life.asked(NOON - DAY) == [(-1, NO, Reason.NO_RECORD, None)]
    assert life.asked(NOON) == [(0, YES, Reason.GIVEN, "chain.1")]
    assert life.asked(NOON + 10 * DAY - 1) == [(9, YES, Reason.GIVEN, "chain.1")]
    assert life.asked(NOON + 10 * DAY) == [(10, NO, Reason.WITHDRAWN, "chain.2")]


def test_a_span_tells_every_answer_that_there_was_in_it() -> None:
    life = Life().give("events").later(2).withdraw("events").later(2).give("events")

    assert life.asked(NOON - DAY, NOON + 9 * DAY) == [
        (-1, NO, Reason.NO_RECORD, None),
        (0, YES, Reason.GIVEN, "chain.1"),
        (2, NO, Reason.WITHDRAWN, "chain.2"),
        (4, YES, Reason.GIVEN, "chain.3"),
    ]


def test_a_consent_ends_by_itself_and_its_own_entry_says_so() -> None:
    life = Life(valid_for={"months": 0, "days": 30}).give("events")

    assert life.asked(NOON, NOON + 40 * DAY) == [
        (0, YES, Reason.GIVEN, "chain.1"),
        (30, NO, Reason.EXPIRED, "chain.1"),
    ]


def test_a_consent_that_was_stated_counts_from_when_it_was_given() -> None:
    life = Life(valid_for={"months": 0, "days": 30})
    life.act("given", DecisionState.GIVEN, "events", facts={"collected_at": "2027-01-05T08:00:00+00:00"})

    assert [row[:3] for row in life.asked(NOON, NOON + 40 * DAY)] == [(0, YES, Reason.GIVEN), (20, NO, Reason.EXPIRED)]


def test_what_depends_on_a_send_is_unknown_and_not_guessed() -> None:
    stale = Life(stale_after={"months": 0, "days": 60}).give("events")
    assert stale.asked(NOON, NOON + 90 * DAY) == [
        (0, YES, Reason.GIVEN, "chain.1"),
        (60, UNKNOWN, Reason.STALE, "chain.1"),
    ]

    fewer = Life().give("events").later(1)
    fewer.act("preferences", None, preferences={"dm.email": Preference(None, Period(days=14))})
    assert fewer.asked(NOON + DAY) == [(1, UNKNOWN, Reason.GIVEN, "chain.1")]


def test_a_pause_is_in_the_ledger_and_ends_by_itself() -> None:
    life = Life().give("events").later(1)
    life.act("preferences", None, preferences={"dm.email": Preference((NOON + 8 * DAY) // 1000, Period(days=14))})

    assert life.asked(NOON, NOON + 9 * DAY) == [
        (0, YES, Reason.GIVEN, "chain.1"),
        (1, NO, Reason.PAUSED, "chain.2"),
        (8, UNKNOWN, Reason.GIVEN, "chain.1"),
    ]


def test_an_objection_to_all_marketing_and_a_bounce_stand_against_it() -> None:
    life = Life().give("events").later(1)
    life.decide("objected", [(Against.MARKETING.scope, DecisionState.OBJECTED)], {})
    life.later(1).decide("undeliverable", [], {})

    assert life.asked(NOON + DAY, NOON + 5 * DAY) == [
        (1, NO, Reason.OBJECTED, "chain.2"),
        (2, NO, Reason.UNDELIVERABLE, "chain.3"),
    ]
    assert life.later(1).give("events").asked(life.now) == [(3, YES, Reason.GIVEN, "chain.4")]


def test_an_undo_restores_the_consent_with_the_time_and_end_that_it_had() -> None:
    life = Life(valid_for={"months": 0, "days": 30}).give("events").later(10).withdraw("events").undo()

    assert life.asked(life.now, NOON + 40 * DAY) == [
        (10, YES, Reason.GIVEN, "chain.3"),
        (30, NO, Reason.EXPIRED, "chain.3"),
    ]


def test_an_entry_that_says_nothing_readable_leaves_everything_unknown() -> None:
    life = Life().give("events")
    spoilt = replace(life.entries[0], body={**life.entries[0].body, "seq": 2, "changes": [{"after": "Whatever"}]})
    life.entries.append(spoilt)

    assert [row[1] for row in life.asked(NOON)] == [UNKNOWN]


def test_what_the_policy_never_had_is_refused_as_a_question_and_left_out_of_an_entry() -> None:
    with pytest.raises(UnknownNameError):
        Question(a_policy().purpose(PURPOSE), "email", "no-such-topic")
    life = Life().give("events")
    changes = [*life.entries[0].body["changes"], {"purpose": "gone", "topics": [], "channel": "email", "after": "x"}]
    life.entries[0] = replace(life.entries[0], body={**life.entries[0].body, "changes": changes[:1]})
    assert life.asked(NOON)[0][1] is YES


def test_since_when_something_is_retired_no_entry_says() -> None:
    life = Life().give("paper", "events")

    assert life.asked(NOON, topic="paper") == [(0, UNKNOWN, Reason.GIVEN, "chain.1")]
    assert life.asked(NOON - DAY, topic="paper") == [(-1, NO, Reason.NO_RECORD, None)]
    assert life.asked(NOON, topic=None) == [(0, YES, Reason.GIVEN, "chain.1")]


_TOPICS = st.sets(st.sampled_from(["events", "product-news"]), min_size=1).map(sorted)
_ACTS = st.one_of(
    st.tuples(st.sampled_from(["give", "withdraw"]), _TOPICS),
    st.tuples(st.just("undo"), st.just([])),
    st.tuples(st.sampled_from(["object", "lift", "pause", "fewer", "bounce"]), st.just([])),
    st.tuples(st.sampled_from(["note", "hold", "restrict", "restrict one", "free"]), st.just([])),
)


def happen(life: Life, what: str, topics: list[str]) -> None:
    if what in ("give", "withdraw"):
        (life.give if what == "give" else life.withdraw)(*topics)
    elif what == "undo":
        life.undo()
    elif what == "object":
        life.decide("objected", [(Against.MARKETING.scope, DecisionState.OBJECTED)], {})
    elif what == "lift":
        life.decide("lifted", [(Against.MARKETING.scope, DecisionState.LIFTED)], {})
    elif what == "bounce":
        life.decide("undeliverable", [], {})
    elif what == "note":
        life.note()
    elif what in ("hold", "restrict", "restrict one"):
        life.lock(what)
    elif what == "free":
        life.free()
    else:
        wish = Preference(life.now // 1000 + 864_000) if what == "pause" else Preference(None, Period(days=14))
        life.act("preferences", None, preferences={"dm.email": wish})


@given(
    acts=st.lists(st.tuples(_ACTS, st.integers(0, 40)), max_size=12),
    valid_for=st.sampled_from([None, {"months": 0, "days": 30}]),
    stale_after=st.sampled_from([None, {"months": 0, "days": 45}]),
)
@settings(max_examples=150, deadline=None)
def test_whatever_happened_the_replay_says_what_the_record_said_then(
    acts: list[Any], valid_for: Any, stale_after: Any
) -> None:
    life = Life(valid_for=valid_for, stale_after=stale_after)
    replay = Replay(CONTACT, life.policy)
    for (what, topics), days in acts:
        life.later(days)
        count = len(life.entries)
        happen(life, what, topics)
        for entry in life.entries[count:]:
            replay.take(entry)
        rebuilt, kept = replay.subject, life.subject
        assert (rebuilt.decided, rebuilt.preferences, rebuilt.locks, rebuilt.head) == (
            *(kept.decided, kept.preferences, kept.locks, kept.head),
        )
        question = Question(life.purpose, "email", "events")
        answer = replay.answer(question, life.now)
        if answer.verdict is Verdict.UNKNOWN:
            assert stale_after or any(one.at_most_every for one in kept.preferences.values())
        for last_send in (None, life.now, life.now - 20 * DAY):
            said = question.asked.permission(kept, life.now, last_send)
            if answer.verdict is not Verdict.UNKNOWN:
                assert said.allowed == (answer.verdict is Verdict.ALLOWED)


@pytest.mark.parametrize("own", [False, True])
def test_a_replay_knows_since_when_the_person_had_been_told_where_their_data_are_from(own: bool) -> None:
    policy = a_policy()
    scope = policy.purpose(PURPOSE).scope("events", "email")
    told = {"inform_by": timestamp(NOON + 30 * DAY), "collected_at": timestamp(NOON)}
    act = Act("given", by_person=False, facts=told, details={}, inform_by=NOON // 1000 + 30 * 86_400)
    given_ = decide(Subject(CONTACT), [(scope, DecisionState.GIVEN)], act, now=NOON, chance=CHANCE)
    if own:
        act = Act("preferences", by_person=True, facts={}, details={})
        then = decide(given_.subject, [], act, now=NOON + DAY, chance=CHANCE)
    else:
        act = Act(TOLD, by_person=False, facts=Telling(About.SOURCE, "1", None, "en", NOON + DAY).facts, details={})
        then = tell(given_.subject, act, inform_by=0, now=NOON + DAY, chance=CHANCE)
    replay = Replay(CONTACT, policy)
    question = Question(policy.purpose(PURPOSE), "email", "events")

    found = answers([given_.entry, then.entry], replay, question, NOON, NOON + 2 * DAY)
    assert [(one.at, one.reason) for one in found[-2:]] == [(NOON, Reason.NOT_INFORMED), (NOON + DAY, Reason.GIVEN)]
    assert replay.subject.inform_by == then.subject.inform_by == 0
