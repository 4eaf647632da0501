"""What may follow what in a rights request, whoever tries which step in which order."""

from collections.abc import Iterator

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from builders import NOON, a_case
from consent_center.domain.case import Case, CaseLetter, CaseState
from consent_center.domain.errors import ForbiddenStepError

CLOSED = {CaseState.DONE, CaseState.REFUSED, CaseState.CANCELLED, CaseState.LAPSED}
ACTED_ON = {CaseState.COOLING_OFF, CaseState.RUNNING, CaseState.PARTLY_DONE, CaseState.DONE}
STEPS = st.sampled_from(list(CaseState))


def following(state: CaseState) -> Iterator[CaseState]:
    """The states that a proved case may go to."""
    for wanted in CaseState:
        try:
            yield a_case(state=state).moved(wanted).state
        except ForbiddenStepError:
            continue


class AnySteps(RuleBasedStateMachine):
    """Tries every step at every moment; what is allowed is done."""

    case: Case
    now: int
    been: list[CaseState]

    @initialize(is_sure=st.booleans())
    def receive(self, is_sure: bool) -> None:
        state = CaseState.WITH_STAFF if is_sure else CaseState.UNPROVEN
        self.case = a_case(state=state, proved_at=NOON if is_sure else 0)
        self.now = NOON
        self.been = [state]

    @rule(wanted=STEPS, later=st.integers(0, 10**9))
    def step(self, wanted: CaseState, later: int) -> None:
        self.now += later
        self._try(wanted, **({"closed_at": self.now} if wanted.is_closed else {}))

    @rule(wanted=STEPS, later=st.integers(0, 10**9))
    def prove(self, wanted: CaseState, later: int) -> None:
        self.now += later
        self._try(wanted, proved_at=self.case.proved_at or self.now)

    @rule(letters=st.lists(st.sampled_from(list(CaseLetter)), max_size=3))
    def promise(self, letters: list[CaseLetter]) -> None:
        before = self.case.owes
        self.case = self.case.owing(*letters)

        assert self.case.owes[: len(before)] == before
        assert set(self.case.owes) == {*before, *letters}
        assert len(set(self.case.owes)) == len(self.case.owes)

    def _try(self, wanted: CaseState, **changes: int) -> None:
        before = self.case
        try:
            self.case = before.moved(wanted, **changes)
        except ForbiddenStepError:
            assert self.case is before
        else:
            assert self.case.state is wanted
            self.been.append(wanted)

    @invariant()
    def nothing_is_done_for_somebody_who_proved_nothing(self) -> None:
        assert self.case.proved_at or self.case.state not in ACTED_ON

    @invariant()
    def what_is_closed_stays_closed(self) -> None:
        assert not CLOSED & set(self.been[:-1])
        assert self.case.state.is_closed == (self.case.state in CLOSED)

    @invariant()
    def a_case_never_waits_for_its_proof_again(self) -> None:
        assert CaseState.UNPROVEN not in self.been[1:]

    @invariant()
    def times_go_on(self) -> None:
        assert self.case.received_at == NOON
        assert self.case.closed_at == 0 or NOON <= self.case.closed_at <= self.now
        assert self.case.proved_at == 0 or NOON <= self.case.proved_at <= (self.case.closed_at or self.now)


TestAnySteps = AnySteps.TestCase


@pytest.mark.parametrize("state", [state for state in CaseState if state not in CLOSED])
def test_every_open_case_can_be_closed(state: CaseState) -> None:
    reached, left = {state}, [state]
    while left:
        for after in following(left.pop()):
            if after not in reached:
                reached.add(after)
                left.append(after)

    assert reached & CLOSED


@pytest.mark.parametrize("state", sorted(CLOSED))
def test_nothing_follows_a_closed_state(state: CaseState) -> None:
    assert list(following(state)) == []


@pytest.mark.parametrize("wanted", sorted(ACTED_ON))
def test_what_nobody_proved_is_not_carried_out_from_any_state(wanted: CaseState) -> None:
    for state in CaseState:
        with pytest.raises(ForbiddenStepError):
            a_case(state=state, proved_at=0).moved(wanted)


def test_proof_and_step_may_come_in_one() -> None:
    case = a_case(state=CaseState.UNPROVEN, proved_at=0).moved(CaseState.RUNNING, proved_at=NOON + 1)

    assert (case.state, case.proved_at) == (CaseState.RUNNING, NOON + 1)


def test_a_request_that_lapses_needs_no_proof() -> None:
    assert a_case(state=CaseState.UNPROVEN, proved_at=0).moved(CaseState.LAPSED).state.is_closed
