"""Requests beside each other: what is taken back is what this one stopped, and what is asked further is not lost."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.usecases.test_askers import NEW, OLD, grounds, listed, move, rotated, status_token
from tests.unit.usecases.test_cases import Office

from builders import PURPOSE
from case_world import CASE, CaseWorld
from consent_center.adapters.addresses import parse_address
from consent_center.domain.case import Case, CaseState, LogLine, Right
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import CaseGoneError, StaleCaseError, UnavailableError
from consent_center.domain.lock import locks_of
from consent_center.domain.recipient import Task, Verb
from consent_center.usecases.case_stops import stop_at_once, take_back
from consent_center.usecases.cases import look_at_status
from consent_center.usecases.feedback import Happening, Report, take_report
from usecase_world import World


@pytest.fixture
def office(world: World) -> Office:
    world.confirm(world.asked())
    world.clock.move(seconds=3600)
    return Office(world)


def done(office: Office, case: Case) -> Case:
    """The case once it is carried out."""
    return office.put(replace(office.now(case).moved(CaseState.DONE), closed_at=office.world.clock()))


def purposes_that_may_be_objected_to(office: Office) -> list[str]:
    return [one.id for one in office.world.policy.purposes.values() if one.may_be_objected_to]


def next_holder(office: Office) -> None:
    """Letters to the address bounced, and whoever has it now signs up from there."""
    office.world.clock.move(days=1)
    report = Report(Happening.HARD_BOUNCE, office.world.clock(), (), (OLD,), "")
    take_report(report, addresses=parse_address, **office.world.deciding)
    office.world.clock.move(days=1)
    office.world.confirm(office.world.asked("events", email=OLD))
    office.world.clock.move(seconds=60)


# ---- Taking back --------------------------------------------------------------------------------------------------


def test_a_request_that_nobody_proved_lifts_no_restriction_of_an_earlier_one(office: Office) -> None:
    done(office, office.open(Right.RESTRICTION, proved=True, choices={"ground": "a"}).case)
    typed_by_a_stranger = office.open(Right.RESTRICTION, choices={"ground": "a"}).case
    office.cancel(typed_by_a_stranger)

    assert grounds(office, OLD) == ["a"]


def test_a_second_press_on_an_old_request_lifts_nothing_of_a_newer_one(office: Office) -> None:
    old = office.open(Right.ERASURE, proved=True).case
    office.cancel(old)
    office.open(Right.ERASURE, proved=True)
    office.cancel(old)

    assert grounds(office, OLD) == ["erasure"]


def test_a_request_that_found_everything_restricted_leaves_it_so_when_it_is_taken_back(office: Office) -> None:
    first = done(office, office.open(Right.RESTRICTION, proved=True, choices={"ground": "a"}).case)
    second = office.open(Right.RESTRICTION, proved=True, choices={"ground": "a"}).case
    assert grounds(office, OLD) == ["a"]
    take_back(second, **office.stopping)
    assert grounds(office, OLD) == ["a"]

    take_back(first, **office.stopping)
    assert grounds(office, OLD) == []


def test_a_press_that_was_under_way_while_it_was_taken_back_leaves_nothing_restricted(office: Office) -> None:
    """The restriction is set after the taking back has looked for it."""
    case = office.open(Right.ERASURE).case
    commit, raced = office.world.subjects.commit, []

    def after_it_was_taken_back(decision: Any) -> None:
        if not raced:
            raced.append(True)
            office.cancel(case)
        commit(decision)

    office.world.subjects.commit = after_it_was_taken_back  # type: ignore[method-assign, assignment]
    office.prove(case)

    assert (office.now(case).state, grounds(office, OLD)) == (CaseState.CANCELLED, [])


def test_a_press_that_comes_after_another_one_whose_request_is_done_lifts_nothing(office: Office) -> None:
    case = office.open(Right.RESTRICTION, choices={"ground": "a"}).case
    load = office.cases.load

    def done_meanwhile(name: str) -> Any:
        file = load(name)
        office.cases.load = load  # type: ignore[method-assign]
        office.prove(case)
        done(office, case)
        return file

    office.cases.load = done_meanwhile  # type: ignore[method-assign]
    office.prove(case)

    assert (office.now(case).state, grounds(office, OLD)) == (CaseState.DONE, ["a"])


class TwoRequests(CaseWorld):
    """Two requests of one person."""

    def second(self, right: Right, state: CaseState, **choices: Any) -> Case:
        """Another request of the same person, which found stopped what the first had stopped."""
        case = replace(self.case, id="case00000000000000000002", right=right, version=0)
        case = replace(case, state=state, closed_at=0, choices=choices, outcome={}, owes=(), due_at=0)
        self.particulars.keep(case.id, self.particulars.kept[CASE])
        self.cases.add(case, LogLine(self.clock(), "received", "person"))
        return self.cases.files[case.id].case

    @property
    def locks(self) -> list[str]:
        subject = self.people.subjects.load(self.people.contact()).subject
        return [lock.ground for lock in locks_of(subject, self.clock())]


def test_what_a_refused_request_had_stopped_goes_on_resting_for_a_newer_one() -> None:
    world = TwoRequests()
    world.subscribe()
    world.open(Right.ERASURE, CaseState.COOLING_OFF)
    world.look()
    world.cases.commit(replace(world.case.moved(CaseState.REFUSED), closed_at=world.clock()), [])
    newer = world.second(Right.ERASURE, CaseState.COOLING_OFF)
    world.stop(newer)
    world.look()
    assert (world.lines[-1], world.locks) == ("taken_back", ["erasure"])

    world.take_back(newer)
    assert world.locks == []


def test_refusing_a_second_request_leaves_what_the_first_had_stopped() -> None:
    world = TwoRequests()
    world.subscribe()
    world.open(Right.RESTRICTION, choices={"ground": "a"})
    world.look()
    assert world.case.state is CaseState.DONE
    second = world.second(Right.RESTRICTION, CaseState.WITH_STAFF, ground="a")
    world.stop(second)
    world.take_back(second)

    assert world.locks == ["a"]


# ---- Asking further -----------------------------------------------------------------------------------------------


def test_a_second_objection_stops_at_once_what_the_first_did_not(office: Office) -> None:
    named = purposes_that_may_be_objected_to(office)[:1]
    first = office.open(Right.OBJECTION, proved=True, choices={"purposes": named})
    assert office.world.reason("events") == "given"
    second = office.open(Right.OBJECTION, proved=True)

    assert (second.case.id, office.world.reason("events")) == (first.case.id, "objected")
    assert "purposes" not in office.now(first.case).choices
    assert [line.what for line in office.cases.files[first.case.id].log][-1] == "asked_further"
    assert office.now(first.case).owes == ("received",)


def test_a_purpose_that_is_named_after_an_objection_to_marketing_is_stopped_too(office: Office) -> None:
    named = purposes_that_may_be_objected_to(office)[:1]
    case = office.open(Right.OBJECTION, proved=True).case
    office.open(Right.OBJECTION, proved=True, choices={"purposes": named})
    events = office.world.kinds()
    subject = office.world.subjects.load(case.contact).subject
    code = office.world.policy.purpose(named[0]).code
    assert [one.state for key, one in subject.decided.items() if key.startswith(code)] == [DecisionState.OBJECTED]

    before = office.now(case)
    office.open(Right.OBJECTION, proved=True, choices={"purposes": named})
    assert (office.now(case), office.world.kinds()) == (before, events)


def test_asking_the_same_once_more_changes_nothing(office: Office) -> None:
    named = purposes_that_may_be_objected_to(office)[:1]
    first = office.open(Right.OBJECTION, proved=True, choices={"purposes": named}).case
    before, events = office.now(first), office.world.kinds()
    office.open(Right.OBJECTION, proved=True, choices={"purposes": named})

    assert (office.now(first), office.world.kinds()) == (before, events)


def test_what_is_asked_further_while_it_is_begun_has_the_recipients_of_both_told(office: Office) -> None:
    one, other = purposes_that_may_be_objected_to(office)[:2]
    case = office.open(Right.OBJECTION, proved=True, choices={"purposes": [one]}).case
    office.put(replace(office.now(case), outcome={"started_at": 1, "stopped_at": 1}), Task("crm", Verb.STOP))
    office.open(Right.OBJECTION, proved=True, choices={"purposes": [other]})
    after = office.now(case)

    assert (after.choices["purposes"], after.outcome) == (sorted([one, other]), {"stopped_at": 1})


def test_a_wider_restriction_takes_the_place_of_the_first_and_is_taken_back_whole(office: Office) -> None:
    one, other = list(office.world.policy.purposes)[:2]
    case = office.open(Right.RESTRICTION, proved=True, choices={"ground": "a", "purposes": [one]}).case
    office.open(Right.RESTRICTION, proved=True, choices={"ground": "c", "purposes": [other]})
    subject = office.world.subjects.load(case.contact).subject
    (lock,) = locks_of(subject, office.world.clock())
    codes = {office.world.policy.purpose(name).code for name in (one, other)}
    assert (lock.ground, set(lock.purposes)) == ("c", codes)

    office.put(office.now(case).moved(CaseState.REFUSED))
    take_back(office.now(case), **office.stopping)
    assert grounds(office, OLD) == []


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_kill_at_any_write_of_a_second_request_leaves_no_time_unrestricted(office: Office, fails_at: int) -> None:
    """Pressing again leads to the same end; whatever was restricted stays so all the time."""
    one, other = list(office.world.policy.purposes)[:2]
    case = office.open(Right.RESTRICTION, proved=True, choices={"ground": "a", "purposes": [one]}).case
    wide = {"ground": "a", "purposes": [other]}
    code = office.world.policy.purpose(one).code

    writes = []

    def killed(commit: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            writes.append(commit)
            if len(writes) == fails_at:
                raise UnavailableError("killed")
            return commit(*arguments)

        return call

    for port in (office.world.subjects, office.cases):
        port.commit = killed(port.commit)  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        office.open(Right.RESTRICTION, proved=True, choices=wide)
    locks = locks_of(office.world.subjects.load(case.contact).subject, office.world.clock())
    assert any(lock.covers(code) for lock in locks)
    office.open(Right.RESTRICTION, proved=True, choices=wide)

    (lock,) = locks_of(office.world.subjects.load(case.contact).subject, office.world.clock())
    assert len(lock.purposes) == 2
    assert office.now(case).choices["purposes"] == sorted([one, other])


def test_whoever_changes_the_request_at_the_same_moment_does_not_lose_what_was_asked(office: Office) -> None:
    case = office.open(Right.RESTRICTION, proved=True, choices={"ground": "a", "purposes": [PURPOSE]}).case
    commit, raced = office.cases.commit, []

    def another_first(changed: Case, log: Sequence[LogLine], tasks: Sequence[Task] = ()) -> Case:
        if not raced:
            raced.append(True)
            commit(replace(office.now(case), warned=10), [])
            raise StaleCaseError
        return commit(changed, log, tasks)

    office.cases.commit = another_first  # type: ignore[method-assign]
    office.open(Right.RESTRICTION, proved=True, choices={"ground": "a"})

    assert (office.now(case).warned, office.now(case).choices) == (10, {"ground": "a"})


def test_a_person_who_comes_by_their_own_link_proves_what_they_chose_and_not_what_a_stranger_typed(
    office: Office,
) -> None:
    named = purposes_that_may_be_objected_to(office)[:1]
    typed = office.open(Right.OBJECTION, choices={"purposes": named}).case
    office.open(Right.OBJECTION, proved=True)
    assert (office.now(typed).choices, office.world.reason("events")) == ({}, "objected")

    typed = office.open(Right.ERASURE, choices={"keep_fingerprint": False}).case
    office.open(Right.ERASURE, proved=True, choices={"keep_fingerprint": True})
    assert office.now(typed).choices == {"keep_fingerprint": True}


def test_what_a_stranger_types_changes_no_choice_of_a_request_that_is_open(office: Office) -> None:
    named = purposes_that_may_be_objected_to(office)[:1]
    case = office.open(Right.OBJECTION, proved=True, choices={"purposes": named}).case
    office.open(Right.OBJECTION)

    assert (office.now(case).choices, office.world.reason("events")) == ({"purposes": named}, "given")


def test_a_choice_that_was_carried_out_stays_as_it_was(office: Office) -> None:
    case = office.open(Right.ERASURE, proved=True, choices={"keep_fingerprint": True}).case
    started = office.put(replace(office.now(case).moved(CaseState.RUNNING), outcome={"started_at": 1}))
    office.open(Right.ERASURE, proved=True, choices={"keep_fingerprint": False})

    assert office.now(case) == started


# ---- The next holder of an address ------------------------------------------------------------------------------


@pytest.mark.parametrize("proved", [False, True])
def test_a_new_holder_is_not_joined_to_a_request_of_the_former_one(office: Office, proved: bool) -> None:
    former = office.open(Right.ERASURE, proved=proved).case
    next_holder(office)
    assert listed(office, OLD) == []
    mine = office.open(Right.ERASURE, proved=True)

    assert (mine.is_new, listed(office, OLD)) == (True, [mine.case.id])
    closed = office.cases.files[former.id]
    assert (closed.case.state, closed.log[-1].what) == (CaseState.LAPSED, "lapsed")
    # Nobody writes about it to whoever has the address now.
    assert closed.case.owes == ()
    assert grounds(office, OLD) == ["erasure"]
    office.cancel(mine.case)
    assert grounds(office, OLD) == []


def test_a_new_holder_opens_no_page_of_a_request_of_the_former_one_and_takes_none_back(office: Office) -> None:
    former = office.open(Right.ERASURE, proved=True).case
    given = {"cases": office.cases, "secrets": office.world.secrets, "subjects": office.world.subjects}
    assert look_at_status(status_token(office, former), **given).case.id == former.id
    next_holder(office)
    with pytest.raises(CaseGoneError):
        look_at_status(status_token(office, former), **given)
    with pytest.raises(CaseGoneError):
        office.cancel(former)

    assert office.now(former).state is CaseState.COOLING_OFF


# ---- Who moved ----------------------------------------------------------------------------------------------------


def moved_in(world: CaseWorld, right: Right, state: CaseState = CaseState.RUNNING) -> None:
    world.subscribe()
    world.open(right, state)
    world.look()
    world.people.move(NEW)
    world.people.outbox.orders.clear()


@pytest.mark.parametrize("right", [Right.ERASURE, Right.RESTRICTION])
def test_recipients_are_asked_about_the_address_of_before_too(right: Right) -> None:
    world = CaseWorld()
    moved_in(world, right, CaseState.COOLING_OFF if right is Right.ERASURE else CaseState.WITH_STAFF)
    if world.case.state is CaseState.WITH_STAFF:
        world.cases.commit(replace(world.case.moved(CaseState.RUNNING), due_at=world.clock() // 1000), [])
    world.run(10)

    assert [(ask.address, ask.former_addresses) for ask in world.crm.asked] == [(NEW, (OLD,))]
    assert world.case.state is CaseState.DONE


def test_recipients_are_not_asked_about_an_address_that_somebody_else_has_since() -> None:
    world = CaseWorld()
    moved_in(world, Right.ERASURE, CaseState.COOLING_OFF)
    world.people.confirm(world.people.asked("events", email=OLD))
    world.people.outbox.orders.clear()
    world.run(10)

    assert [(ask.address, ask.former_addresses) for ask in world.crm.asked] == [(NEW, ())]


def test_a_request_of_who_was_rotated_and_moved_afterwards_goes_on(office: Office) -> None:
    case = office.open(Right.ERASURE).case
    rotated(office, OLD)
    move(office)
    proved = office.prove(case).case

    assert proved.chain == office.world.subjects.load(office.world.contact(NEW)).subject.chain
    assert grounds(office, NEW) == ["erasure"]
    office.cancel(case)
    assert grounds(office, NEW) == []


def test_stopping_again_after_a_move_finds_what_was_stopped_before_it(office: Office) -> None:
    case = office.open(Right.ERASURE, proved=True).case
    move(office)
    stop_at_once(case, **office.stopping)

    assert grounds(office, NEW) == ["erasure"]
    take_back(case, **office.stopping)
    assert grounds(office, NEW) == []
