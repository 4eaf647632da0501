"""Who may turn a no into a yes: nobody but the person."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from builders import NOON, a_contact, a_decision
from consent_center.domain.chain import Entry, verify
from consent_center.domain.decision import Decided, DecisionState, require_allowed
from consent_center.domain.errors import ForbiddenTransitionError
from consent_center.domain.subject import Subject

LETS_GO = (DecisionState.LIFTED, DecisionState.UNKNOWN)
"""No yes, and no longer a no either."""

NOES = [DecisionState.WITHDRAWN, DecisionState.REFUSED, DecisionState.OBJECTED]


@pytest.mark.parametrize("no", NOES)
@pytest.mark.parametrize("yes", [DecisionState.GIVEN, DecisionState.RENEWED, *LETS_GO])
def test_only_the_person_turns_a_no_into_a_yes(no: DecisionState, yes: DecisionState) -> None:
    require_allowed(no, yes, by_person=True)
    with pytest.raises(ForbiddenTransitionError):
        require_allowed(no, yes, by_person=False)


@given(st.sampled_from(DecisionState), st.sampled_from(DecisionState))
def test_whoever_acts_may_always_lower(before: DecisionState, after: DecisionState) -> None:
    if not (after.permits or after in LETS_GO):
        require_allowed(before, after, by_person=False)


def test_a_consent_with_an_end_is_relied_on_until_that_second() -> None:
    decided = Decided(DecisionState.GIVEN, NOON, 1, valid_until=NOON // 1000 + 60)

    assert decided.permits_at(NOON + 59_999)
    assert not decided.permits_at(NOON + 60_000)


def test_one_press_for_two_topics_is_one_event() -> None:
    decision = a_decision(topics=("product-news", "events"))

    assert decision.entry.seq == 1
    assert [change["topics"] for change in decision.entry.body["changes"]] == [["product-news", "events"]]
    assert {decided.seq for decided in decision.subject.decided.values()} == {1}


class Life(RuleBasedStateMachine):
    """Whatever happens in whatever order, no yes appears without the person, and the chain holds."""

    def __init__(self) -> None:
        super().__init__()
        self.subject = Subject(a_contact())
        self.entries: list[Entry] = []
        self.said_no: set[str] = set()
        self.now = NOON

    def act(self, topic: str, to: DecisionState, *, by_person: bool) -> None:
        decision = a_decision(self.subject, topics=(topic,), to=to, at=self.now, by_person=by_person)
        self.subject = decision.subject
        self.entries.append(decision.entry)

    @rule(ms=st.integers(-5_000, 5_000))
    def time_passes_or_the_clock_is_set_back(self, ms: int) -> None:
        self.now += ms

    @rule(topic=st.sampled_from(["product-news", "events"]))
    def the_person_agrees(self, topic: str) -> None:
        self.act(topic, DecisionState.GIVEN, by_person=True)
        self.said_no.discard(topic)

    @rule(topic=st.sampled_from(["product-news", "events"]), no=st.sampled_from(NOES), by_person=st.booleans())
    def somebody_lowers(self, topic: str, no: DecisionState, by_person: bool) -> None:
        self.act(topic, no, by_person=by_person)
        self.said_no.add(topic)

    @precondition(lambda self: self.said_no)
    @rule(data=st.data())
    def a_system_tries_to_raise(self, data: st.DataObject) -> None:
        topic = data.draw(st.sampled_from(sorted(self.said_no)))
        with pytest.raises(ForbiddenTransitionError):
            self.act(topic, DecisionState.GIVEN, by_person=False)

    @invariant()
    def nobody_who_said_no_is_at_yes(self) -> None:
        codes = {"product-news": "dm.pn.email", "events": "dm.ev.email"}
        assert not any(self.subject.decided[codes[topic]].state.permits for topic in self.said_no)

    @invariant()
    def the_chain_holds(self) -> None:
        assert verify("chain-1", self.entries, head=self.subject.head) == []
        assert self.subject.version == self.subject.seq == len(self.entries)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
