"""The end of a restriction: told to the person first, and then to every recipient that was told of its beginning."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from builders import PEOPLE, PURPOSE
from case_world import CASE, CaseWorld, Killer, step
from consent_center.domain.case import CaseState, LogLine, Right
from consent_center.domain.errors import ClosedCaseError, ForbiddenStepError, SettledTaskError, UnavailableError
from consent_center.domain.lock import Ground, locks_of
from consent_center.domain.recipient import Answer, Task, TaskState, Verb
from consent_center.usecases.answers_of_recipients import note_answer, try_again
from consent_center.usecases.locks import Lifting, Locking, lift_lock, set_lock
from consent_center.usecases.staff_cases import Step

OTHER = "case00000000000000000002"


@pytest.fixture
def world() -> CaseWorld:
    world = CaseWorld()
    world.subscribe()
    return world


def restricted(world: CaseWorld) -> None:
    """A restriction that was carried out everywhere."""
    world.open(Right.RESTRICTION, choices={"ground": "c", "purposes": [PURPOSE]})
    world.run(1)
    assert world.case.state is CaseState.DONE


def lift(world: CaseWorld) -> None:
    """Staff decide that it ends."""
    step(world, Step.LIFT, "the claim is settled")


def verbs(world: CaseWorld) -> list[list[str]]:
    return [[ask.verb.value for ask in one.asked] for one in (world.crm, world.post_house)]


def is_restricted(world: CaseWorld) -> bool:
    return bool(locks_of(world.people.subjects.load(world.people.contact()).subject, world.clock()))


def say(world: CaseWorld, state: TaskState) -> bool:
    return note_answer(CASE, "crm", state, cases=world.cases, orders=world.orders, clock=world.clock)


def test_who_was_told_of_a_restriction_is_told_of_its_end_once_the_person_was(world: CaseWorld) -> None:
    restricted(world)
    world.are_letters_delivered = False
    lift(world)
    world.run(0.5)
    assert (verbs(world), is_restricted(world)) == ([["restrict"], ["restrict"]], True)

    world.are_letters_delivered = True
    world.deliver()
    world.run(1)
    assert (verbs(world), is_restricted(world)) == ([["restrict", "lift"], ["restrict", "lift"]], False)
    assert {(task.verb, task.state) for task in world.tasks.values()} == {(Verb.LIFT, TaskState.DONE)}
    assert {ask.key for ask in world.crm.asked} == {f"{CASE}/crm/restrict", f"{CASE}/crm/lift"}
    assert world.lines.index("lifted") < len(world.lines) - 2
    assert world.letters == ["received/0", "done/0", "lifting/0"]


def test_who_held_nothing_or_could_not_restrict_is_not_told_of_an_end(world: CaseWorld) -> None:
    world.crm.script = [Answer(TaskState.NOTHING_HELD)]
    restricted(world)
    lift(world)
    world.run(1)

    assert verbs(world) == [["restrict"], ["restrict", "lift"]]
    assert world.tasks["crm"].verb is Verb.RESTRICT


def test_a_recipient_that_knows_no_end_is_told_by_hand(world: CaseWorld) -> None:
    world.crm.verbs = frozenset(Verb) - {Verb.LIFT}
    restricted(world)
    lift(world)
    world.run(1)

    assert (world.tasks["crm"].state, world.tasks["crm"].answer) == (TaskState.ASKED, "manual")
    assert note_answer(
        CASE, "crm", TaskState.DONE, "manual", by="staff:desk", cases=world.cases, orders=world.orders,
        clock=world.clock,
    )  # fmt: skip
    assert world.tasks["crm"].state is TaskState.DONE


def test_the_address_is_kept_until_the_last_recipient_has_heard_of_the_end(world: CaseWorld) -> None:
    restricted(world)
    world.crm.script = [UnavailableError("no answer")]
    lift(world)
    looks = world.run(60)
    assert [name for look in looks for name in look.given_up] == ["crm"]
    assert (world.tasks["crm"].state, CASE in world.particulars.shredded) == (TaskState.FAILED, False)

    world.crm.script = [Answer(TaskState.DONE)]
    try_again(CASE, "crm", by="staff:desk", cases=world.cases, orders=world.orders, clock=world.clock)
    world.run(40)
    assert (world.tasks["crm"].state, CASE in world.particulars.shredded) == (TaskState.DONE, True)
    assert {ask.key for ask in world.crm.asked if ask.verb is Verb.LIFT} == {f"{CASE}/crm/lift"}
    assert world.case.due_at == 0


def test_a_closed_case_takes_answers_about_the_end_of_a_restriction_alone(world: CaseWorld) -> None:
    restricted(world)
    with pytest.raises(ClosedCaseError):
        say(world, TaskState.FAILED)
    world.crm.script = [Answer(TaskState.ASKED, "accepted")]
    lift(world)
    world.run(1)
    assert world.tasks["crm"].state is TaskState.ASKED

    assert say(world, TaskState.DONE)
    with pytest.raises(SettledTaskError):
        say(world, TaskState.FAILED)


def other_restriction(world: CaseWorld, *recipients: str, purposes: tuple[str, ...] = ()) -> None:
    """Another request of the same person that restricts, and that recipients were told of."""
    now = world.clock()
    locked = set_lock(Locking(PEOPLE[0], Ground("a"), "request", purposes), **world.deciding())
    case = replace(
        world.case,
        id=OTHER,
        version=0,
        state=CaseState.RUNNING,
        choices={"ground": "a", "purposes": list(purposes)},
        outcome={"started_at": now, "lock": locked.number},
    )
    world.cases.add(case, LogLine(now, "received", "person"))
    done = [Task(name, Verb.RESTRICT, TaskState.DONE, told_at=now) for name in recipients]
    world.cases.commit(world.cases.files[OTHER].case, [], done)


def test_an_end_that_was_not_told_to_all_before_the_person_was_erased_is_given_up_and_seen(world: CaseWorld) -> None:
    restricted(world)
    world.crm.script = [UnavailableError("no answer")]
    lift(world)
    world.run(0.5)
    assert world.tasks["crm"].state is TaskState.WAITING
    world.particulars.shred(CASE)
    world.cases.commit(replace(world.case, outcome={**world.case.outcome, "shredded_at": world.clock()}), [])
    looks = world.run(60)

    assert (world.tasks["crm"].state, world.tasks["crm"].answer) == (TaskState.FAILED, "particulars_missing")
    assert [name for look in looks for name in look.given_up] == ["crm"]
    assert (world.case.state, world.case.due_at, world.lines[-1]) == (CaseState.DONE, 0, "particulars_missing")


def test_who_has_to_restrict_for_another_request_too_hears_of_the_last_end_alone(world: CaseWorld) -> None:
    restricted(world)
    other_restriction(world, "crm")
    lift(world)
    world.run(40)

    assert verbs(world) == [["restrict"], ["restrict", "lift"]]
    crm = world.tasks["crm"]
    assert (crm.verb, crm.state, crm.answer) == (Verb.RESTRICT, TaskState.DONE, "still_restricted")
    assert crm.told_at > 0
    assert CASE in world.particulars.shredded


def test_a_restriction_that_came_while_the_end_was_still_to_be_told_is_not_undone(world: CaseWorld) -> None:
    restricted(world)
    world.crm.script = [UnavailableError("no answer")]
    lift(world)
    world.run(0.01)
    other_restriction(world, "crm")
    world.crm.script = [Answer(TaskState.DONE)]
    tries = len(world.crm.asked)
    world.run(2)

    assert (len(world.crm.asked), world.tasks["crm"].answer) == (tries, "still_restricted")


def test_an_other_restriction_that_was_lifted_holds_nothing_up(world: CaseWorld) -> None:
    restricted(world)
    other_restriction(world, "crm")
    number = world.cases.files[OTHER].case.outcome["lock"]
    now = datetime.fromtimestamp(world.clock() / 1000, UTC)
    lift_lock(Lifting(PEOPLE[0], "restriction_lifted", number, "over", now), **world.deciding())
    lift(world)
    world.run(1)

    assert verbs(world)[0] == ["restrict", "lift"]


def test_what_recipients_hold_of_somebody_whom_we_do_not_know_is_restricted_and_lifted_too() -> None:
    world = CaseWorld()
    world.open(Right.RESTRICTION, choices={"ground": "c"})
    world.run(100)
    assert ("lock" in world.case.outcome, CASE in world.particulars.shredded) == (False, False)
    lift(world)
    world.run(40)

    assert verbs(world) == [["restrict", "lift"], ["restrict", "lift"]]
    assert CASE in world.particulars.shredded


def test_where_nobody_holds_anything_there_is_nothing_to_lift_and_nothing_is_kept() -> None:
    world = CaseWorld()
    world.crm.script = world.post_house.script = [Answer(TaskState.NOTHING_HELD)]
    world.open(Right.RESTRICTION, choices={"ground": "c"})
    world.run(100)

    with pytest.raises(ForbiddenStepError):
        lift(world)
    assert CASE in world.particulars.shredded


def ended(kill: tuple[int, str] | None) -> dict[str, Any]:
    """What a lifting came to if the worker was killed at one of its calls."""
    world = CaseWorld()
    world.subscribe()
    restricted(world)
    lift(world)
    world.killer = Killer({kill} if kill else set())
    world.run(1)
    return {
        "calls": world.killer.calls,
        "verbs": [sorted({ask.key for ask in one.asked}) for one in (world.crm, world.post_house)],
        "letters": world.letters,
        "events": [entry.kind for entry in world.people.subjects.entry_of.values()],
        "tasks": {name: (task.verb, task.state) for name, task in world.tasks.items()},
        "shredded": CASE in world.particulars.shredded,
    }


def test_a_lifting_that_is_killed_at_any_call_ends_the_same() -> None:
    whole = ended(None)
    assert whole["events"].count("restriction_lifted") == 1
    calls = whole.pop("calls")
    assert calls > 20
    for number in range(1, calls + 1):
        for when in ("before", "after"):
            killed = ended((number, when))
            killed.pop("calls")
            assert killed == whole, (number, when)
