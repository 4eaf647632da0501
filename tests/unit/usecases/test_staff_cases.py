"""What staff do with cases: file them, find them, and decide on what they saw."""

from dataclasses import replace
from typing import Any

import pytest

from builders import PEOPLE, PURPOSE
from case_world import CASE, CaseWorld, file, step
from consent_center.domain.case import CaseState, Right
from consent_center.domain.errors import (
    ForbiddenStepError,
    InvalidFormError,
    StaleCaseError,
    UnavailableError,
    UnknownCaseError,
    UnknownNameError,
)
from consent_center.domain.lock import locks_of
from consent_center.domain.recipient import Answer, TaskState
from consent_center.usecases.staff_cases import (
    Refusal,
    Step,
    list_cases,
    look_into,
)

DAY = 86_400_000

LINES = {
    Step.ASK_IDENTITY: "identity_asked",
    Step.IDENTITY_SURE: "identity_sure",
    Step.EXTEND: "extended",
    Step.REFUSE: "refused",
    Step.START: "start_decided",
    Step.COMPLETE: "done",
    Step.CANCEL: "cancelled",
    Step.LIFT: "lift_asked",
}

OPEN = [state for state in CaseState if not state.is_closed]


@pytest.fixture
def world() -> CaseWorld:
    world = CaseWorld()
    world.subscribe()
    return world


@pytest.mark.parametrize(
    ("right", "choices", "state"),
    [
        (Right.ACCESS, {}, CaseState.RUNNING),
        (Right.PORTABILITY, {}, CaseState.RUNNING),
        (Right.OBJECTION, {}, CaseState.RUNNING),
        (Right.ERASURE, {}, CaseState.COOLING_OFF),
        (Right.RESTRICTION, {"ground": "b"}, CaseState.RUNNING),
        (Right.RESTRICTION, {"ground": "d"}, CaseState.WITH_STAFF),
        (Right.RECTIFICATION, {}, CaseState.WITH_STAFF),
        (Right.COMPLAINT, {}, CaseState.WITH_STAFF),
    ],
)
def test_a_request_of_somebody_who_is_known_to_have_asked_goes_on_at_once(
    world: CaseWorld, right: Right, choices: dict[str, Any], state: CaseState
) -> None:
    filed = file(world, right, choices=choices)

    stored = world.cases.load(filed.case.id)
    assert stored is not None
    assert (stored.case.state, stored.case.proved_at, stored.case.owes) == (state, world.clock(), ("received",))
    assert stored.log[0].by == "staff:desk"
    assert world.orders.orders == [(filed.case.id, world.clock() // 1000)]
    assert PEOPLE[0] not in repr(stored)


def test_the_period_runs_from_when_the_request_arrived(world: CaseWorld) -> None:
    late = file(world, received_at=world.clock() - 5 * DAY).case
    assert world.days.ends_at(late) * 1000 - world.clock() < 27 * DAY
    with pytest.raises(InvalidFormError, match="received_at"):
        file(world, Right.ERASURE, received_at=world.clock() + 1)


def test_where_nobody_is_sure_the_mailbox_is_asked(world: CaseWorld) -> None:
    case = file(world, Right.ERASURE, is_identity_sure=False).case

    assert (case.state, case.owes, case.proved_at) == (CaseState.UNPROVEN, ("prove",), 0)


def test_the_same_request_twice_is_one_case(world: CaseWorld) -> None:
    first = file(world)
    again = file(world, details="once more")

    assert (again.is_new, again.case.id) == (False, first.case.id)
    assert list(world.particulars.kept) == [first.case.id]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"email": "ada"}, InvalidFormError),
        ({"right": Right.RESTRICTION}, InvalidFormError),
        ({"right": Right.OBJECTION, "choices": {"purposes": ["nothing"]}}, UnknownNameError),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_kept(
    world: CaseWorld, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        file(world, **changes)
    assert (world.particulars.kept, world.cases.files) == ({}, {})


def test_a_queue_that_fails_loses_no_case(world: CaseWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(case: str, due_at: int) -> None:
        raise UnavailableError("order case")

    monkeypatch.setattr(world.orders, "order", fails)
    case = file(world).case

    assert 0 < world.cases.files[case.id].case.due_at <= world.clock() // 1000


def test_open_cases_come_by_their_day_in_pages_and_each_once(world: CaseWorld) -> None:
    world.open(Right.ACCESS)
    opened = world.cases.files.pop(CASE)
    for number in range(7):
        right = Right.ERASURE if number % 2 else Right.ACCESS
        case = replace(opened.case, id=f"case{number}", right=right, answer_by=f"2027-02-{20 - number}")
        world.cases.files[case.id] = replace(opened, case=case)
    world.cases.files["case3"] = replace(
        world.cases.files["case3"], case=replace(world.cases.files["case3"].case, state=CaseState.DONE)
    )
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = list_cases(world.cases, cursor=cursor, most=2)
        seen += [case.id for case in page.cases]
        cursor, pages = page.cursor, pages + 1
    assert (seen, pages) == (["case6", "case5", "case4", "case2", "case1", "case0"], 3)
    assert [case.id for case in list_cases(world.cases, right=Right.ERASURE).cases] == ["case5", "case1"]
    assert list_cases(world.cases, state=CaseState.WITH_STAFF).cases == []
    with pytest.raises(InvalidFormError, match="cursor"):
        list_cases(world.cases, cursor="x")


def test_what_the_person_wrote_is_read_only_by_who_decides(world: CaseWorld) -> None:
    world.open(Right.ACCESS)
    _, hidden = look_into(CASE, with_particulars=False, cases=world.cases, particulars=world.particulars)
    _, shown = look_into(CASE, with_particulars=True, cases=world.cases, particulars=world.particulars)

    assert (hidden, shown) == (None, {"address": PEOPLE[0]})
    with pytest.raises(UnknownCaseError):
        look_into("nothing", with_particulars=False, cases=world.cases, particulars=world.particulars)


def test_two_people_do_not_overwrite_each_other(world: CaseWorld) -> None:
    world.open(Right.COMPLAINT, CaseState.WITH_STAFF)
    seen = world.case.version
    step(world, Step.COMPLETE)
    with pytest.raises(StaleCaseError):
        step(world, Step.REFUSE, version=seen, ground=Refusal.UNFOUNDED)
    assert world.case.state is CaseState.DONE


def test_a_question_within_three_days_stops_the_period_until_it_is_answered(world: CaseWorld) -> None:
    world.open(Right.ACCESS, CaseState.WITH_STAFF)
    before = world.days.ends_at(world.case)
    step(world, Step.ASK_IDENTITY)
    assert (world.case.state, world.case.owes[-1]) == (CaseState.WITH_PERSON, "more_needed")
    world.clock.move(days=10)
    step(world, Step.IDENTITY_SURE)

    assert world.case.state is CaseState.RUNNING
    assert world.days.ends_at(world.case) - before == 10 * 86_400


def test_a_later_question_stops_nothing(world: CaseWorld) -> None:
    world.open(Right.ACCESS, CaseState.WITH_STAFF)
    before = world.days.ends_at(world.case)
    world.clock.move(days=4)
    step(world, Step.ASK_IDENTITY)
    world.clock.move(days=10)
    step(world, Step.IDENTITY_SURE)

    assert (world.days.ends_at(world.case), world.case.pause) == (before, None)


def test_whoever_is_sure_of_an_erasure_starts_its_cool_off(world: CaseWorld) -> None:
    world.open(Right.ERASURE, CaseState.UNPROVEN)
    step(world, Step.IDENTITY_SURE)

    assert (world.case.state, world.case.cool_off_until) == (CaseState.COOLING_OFF, world.clock() + 2 * DAY)
    # Nobody is asked to prove what is certain.
    assert world.case.owes == ("received",)
    with pytest.raises(ForbiddenStepError):
        step(world, Step.IDENTITY_SURE)


def test_a_case_takes_longer_once_and_only_if_the_person_is_told_in_time(world: CaseWorld) -> None:
    world.open(Right.ACCESS, CaseState.WITH_STAFF)
    world.clock.move(days=25)
    first = world.case.answer_by
    step(world, Step.EXTEND)
    assert (world.case.owes[-1], world.case.warned) == ("extended", 0)
    assert world.case.extension is not None
    assert world.case.extension.until == world.case.answer_by > first
    with pytest.raises(ForbiddenStepError):
        step(world, Step.EXTEND)


def test_nobody_is_told_too_late_that_it_takes_longer(world: CaseWorld) -> None:
    world.open(Right.ACCESS, CaseState.WITH_STAFF)
    world.clock.move(days=40)
    with pytest.raises(ForbiddenStepError):
        step(world, Step.EXTEND)


def test_a_pause_that_ends_after_an_extension_moves_the_day_that_the_person_is_told(world: CaseWorld) -> None:
    world.open(Right.ACCESS, CaseState.WITH_STAFF)
    step(world, Step.ASK_IDENTITY)
    step(world, Step.EXTEND)
    first = world.case.answer_by
    world.clock.move(seconds=10 * 86_400)
    step(world, Step.IDENTITY_SURE)

    assert world.case.extension is not None
    assert world.case.extension.until == world.case.answer_by > first


@pytest.mark.parametrize("name", [Step.ASK_IDENTITY, Step.EXTEND])
def test_what_the_person_is_told_has_a_reason(world: CaseWorld, name: Step) -> None:
    world.open(Right.ACCESS, CaseState.WITH_STAFF)
    with pytest.raises(InvalidFormError, match="reason"):
        step(world, name, reason=" ")


def test_a_refusal_has_a_ground_that_fits_the_right_and_a_letter(world: CaseWorld) -> None:
    world.open(Right.ACCESS, CaseState.WITH_STAFF)
    with pytest.raises(InvalidFormError, match="required"):
        step(world, Step.REFUSE)
    with pytest.raises(InvalidFormError, match="not_for_this_right"):
        step(world, Step.REFUSE, ground=Refusal.LEGAL_OBLIGATION)
    step(world, Step.REFUSE, ground=Refusal.EXCESSIVE)

    assert (world.case.state, world.case.outcome["ground"], world.case.owes[-1]) == (
        CaseState.REFUSED,
        "excessive",
        "refused",
    )
    assert world.case.expires_at > world.case.closed_at // 1000
    world.run(40)
    assert CASE in world.particulars.shredded


@pytest.mark.parametrize(("purposes", "is_refused"), [([], False), ([PURPOSE], False), (["insight"], True)])
def test_an_objection_to_marketing_is_weighed_against_nothing(
    world: CaseWorld, purposes: list[str], is_refused: bool
) -> None:
    world.open(Right.OBJECTION, CaseState.WITH_STAFF, choices={"purposes": purposes})
    if is_refused:
        step(world, Step.REFUSE, ground=Refusal.COMPELLING_GROUNDS)
    else:
        with pytest.raises(InvalidFormError, match="not_for_this_right"):
            step(world, Step.REFUSE, ground=Refusal.COMPELLING_GROUNDS)
    assert (world.case.state is CaseState.REFUSED) == is_refused


def test_what_was_carried_out_cannot_be_refused(world: CaseWorld) -> None:
    world.crm.script = [Answer(TaskState.ASKED)]
    world.open(Right.ERASURE)
    world.look()
    with pytest.raises(ForbiddenStepError):
        step(world, Step.REFUSE, ground=Refusal.LEGAL_CLAIMS)


def test_a_rectification_starts_with_what_is_right(world: CaseWorld) -> None:
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    with pytest.raises(InvalidFormError, match="corrections"):
        step(world, Step.START)
    step(world, Step.START, corrections={"name": "Ada King"})
    world.run(1)

    assert [ask.corrections for ask in world.crm.asked] == [{"name": "Ada King"}]
    assert world.case.state is CaseState.DONE
    assert "Ada King" not in repr(world.file)


def test_of_two_who_start_a_rectification_at_once_nobody_is_told_what_was_not_decided(
    world: CaseWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    seen, keep = world.case.version, world.particulars.keep

    def late(case: str, particulars: Any) -> None:
        monkeypatch.setattr(world.particulars, "keep", keep)
        step(world, Step.START, corrections={"name": "Ada King"}, version=seen)
        keep(case, particulars)

    monkeypatch.setattr(world.particulars, "keep", late)
    with pytest.raises(StaleCaseError):
        step(world, Step.START, corrections={"name": "Ada Kong"}, version=seen)
    world.run(2)
    assert (world.crm.asked, world.case.state, world.lines[-1]) == ([], CaseState.WITH_STAFF, "corrections_lost")

    step(world, Step.START, corrections={"name": "Ada King"})
    world.run(1)
    assert [ask.corrections for ask in world.crm.asked] == [{"name": "Ada King"}]
    assert world.case.state is CaseState.DONE


@pytest.mark.parametrize("name", [Step.START, Step.COMPLETE])
def test_nothing_is_carried_out_for_somebody_unproved(world: CaseWorld, name: Step) -> None:
    world.open(Right.COMPLAINT, CaseState.WITH_STAFF, proved_at=0)
    with pytest.raises(ForbiddenStepError):
        step(world, name)


def test_a_restriction_is_lifted_by_staff_after_the_letter(world: CaseWorld) -> None:
    world.open(Right.RESTRICTION, choices={"ground": "a"})
    with pytest.raises(ForbiddenStepError):
        step(world, Step.LIFT)
    world.run(1)
    step(world, Step.LIFT)
    with pytest.raises(ForbiddenStepError):
        step(world, Step.LIFT)
    world.run(1)

    assert locks_of(world.people.subjects.load(world.people.contact()).subject, world.clock()) == []
    assert world.letters[-1] == "lifting/0"


@pytest.mark.parametrize("state", [state for state in CaseState if state.is_closed])
@pytest.mark.parametrize("name", list(Step))
def test_a_closed_case_is_never_opened_again(world: CaseWorld, state: CaseState, name: Step) -> None:
    world.open(Right.ACCESS, state)
    with pytest.raises((ForbiddenStepError, InvalidFormError)):
        step(world, name, ground=Refusal.EXCESSIVE)
    assert world.case.state is state


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("name", list(Step))
def test_each_step_leaves_a_line_that_says_who_or_changes_nothing(
    world: CaseWorld, state: CaseState, name: Step
) -> None:
    world.open(Right.ERASURE, state)
    before = world.file
    try:
        step(world, name, ground=Refusal.NO_GROUND)
    except ForbiddenStepError:
        assert world.file == before
        return
    assert (world.file.log[-1].what, world.file.log[-1].by) == (LINES[name], "staff:desk")
    assert world.case.version == before.case.version + 1
    assert world.orders.orders[-1][0] == CASE


def test_a_case_that_is_not_there_cannot_be_moved(world: CaseWorld) -> None:
    world.open(Right.ACCESS)
    gone = world.cases.files.pop(CASE)
    with pytest.raises(UnknownCaseError):
        step(world, Step.CANCEL, version=gone.case.version)
