"""The same right asked for again, and several restrictions of one person: none of them swallows or ends another."""

from collections.abc import Mapping
from typing import Any

import pytest

from builders import PEOPLE
from case_world import CASE, CaseWorld, Killer, step
from consent_center.adapters.addresses import parse_address
from consent_center.domain.case import CaseState, Right
from consent_center.domain.lock import Ground, locks_of
from consent_center.domain.recipient import Answer, TaskState, Verb
from consent_center.usecases.answers_of_recipients import note_answer
from consent_center.usecases.cases import Opened, Read, open_case
from consent_center.usecases.feedback import Happening, Report, take_report
from consent_center.usecases.locks import Locking, set_lock
from consent_center.usecases.staff_cases import Step
from consent_center.usecases.suppress import erase

ME = PEOPLE[0]

SILENT = Answer(TaskState.ASKED, "accepted")


@pytest.fixture
def world() -> CaseWorld:
    world = CaseWorld()
    world.subscribe()
    return world


def ask(
    world: CaseWorld, right: Right, choices: Mapping[str, Any] | None = None, details: str = "", email: str = ME
) -> Opened:
    """Ask by the link of the preferences, which proves the mailbox."""
    return open_case(
        Read(right, details, choices or {}),
        parse_address(email),
        world.people.contact(email),
        source="preferences",
        by="person",
        language="en",
        proved=True,
        cool_off_hours=48,
        cases=world.cases,
        particulars=world.particulars,
        orders=world.orders,
        **world.people.deciding,
    )


def locks(world: CaseWorld, email: str = ME) -> list[str]:
    subject = world.people.subjects.load(world.people.contact(email)).subject
    return [lock.ground for lock in locks_of(subject, world.clock())]


def keys(world: CaseWorld, verb: Verb) -> list[str]:
    """What the CRM was asked to do, by the case that asked it."""
    return [asked.case for asked in world.crm.asked if asked.verb is verb]


def lift(world: CaseWorld) -> None:
    step(world, Step.LIFT)
    world.run(1)


def bounce(world: CaseWorld) -> None:
    """Letters to the address stopped arriving: whoever has it now may be somebody else."""
    world.clock.move(days=1)
    report = Report(Happening.HARD_BOUNCE, world.clock(), (), (ME,), "")
    take_report(report, addresses=parse_address, **world.people.deciding)
    world.clock.move(days=1)


# ---- Asking again ---------------------------------------------------------------------------------------------------


def test_who_signs_up_again_and_asks_for_erasure_again_is_erased_though_a_recipient_of_the_first_is_silent(
    world: CaseWorld,
) -> None:
    world.crm.script = [SILENT]
    world.open(Right.ERASURE, CaseState.COOLING_OFF)
    world.run(40)
    assert world.case.state is CaseState.PARTLY_DONE
    world.subscribe()
    again = ask(world, Right.ERASURE)
    assert (again.is_new, locks(world)) == (True, ["erasure"])

    world.id = again.case.id
    world.run(40)
    assert world.people.subjects.load(world.people.contact()).subject.chain is None
    assert keys(world, Verb.ERASE) == [CASE, again.case.id]


def test_who_agrees_again_and_objects_again_is_stopped_again(world: CaseWorld) -> None:
    world.crm.script = [SILENT]
    world.open(Right.OBJECTION)
    world.run(1)
    world.subscribe()
    assert world.people.reason("events") == "given"
    again = ask(world, Right.OBJECTION)

    assert (again.is_new, world.people.reason("events")) == (True, "objected")
    world.id = again.case.id
    world.run(1)
    assert keys(world, Verb.STOP) == [CASE, again.case.id]


def test_who_agrees_again_before_the_objection_is_looked_at_is_stopped_by_the_same_request(world: CaseWorld) -> None:
    first = ask(world, Right.OBJECTION)
    world.clock.move(seconds=60)
    world.subscribe()
    assert world.people.reason("events") == "given"

    assert (ask(world, Right.OBJECTION).case.id, world.people.reason("events")) == (first.case.id, "objected")


def test_what_a_person_allows_after_objecting_stays_allowed_though_the_worker_stops_once_more(
    world: CaseWorld,
) -> None:
    world.id = ask(world, Right.OBJECTION).case.id
    world.clock.move(seconds=60)
    world.subscribe()
    world.run(1)

    assert ("stopped" in world.lines, world.people.reason("events")) == (True, "given")


def test_what_is_wrong_besides_goes_to_staff_once_the_first_was_decided(world: CaseWorld) -> None:
    world.crm.script = [SILENT]
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF, particulars={"details": "My name is Ada."})
    joined = ask(world, Right.RECTIFICATION, details="And my company is Babbage.")
    assert (joined.case.id, "Babbage" in world.particulars.kept[CASE]["details"]) == (CASE, True)
    step(world, Step.START, corrections={"name": "Ada"})
    again = ask(world, Right.RECTIFICATION, details="My company is wrong, too.")

    assert (again.is_new, again.case.state) == (True, CaseState.WITH_STAFF)
    assert "wrong" not in world.particulars.kept[CASE]["details"]


def test_a_second_copy_of_the_data_is_the_first_one_as_long_as_that_is_not_made(world: CaseWorld) -> None:
    world.crm.script = [SILENT]
    world.open(Right.ACCESS)
    world.run(1)
    assert "own_at" in world.case.outcome

    assert ask(world, Right.ACCESS).case.id == CASE


def test_what_waits_for_recipients_of_a_former_holder_alone_goes_on(world: CaseWorld) -> None:
    world.crm.script = [SILENT]
    world.open(Right.OBJECTION)
    world.run(1)
    bounce(world)

    assert (ask(world, Right.OBJECTION).is_new, world.case.state) == (True, CaseState.RUNNING)
    note_answer(CASE, "crm", TaskState.DONE, cases=world.cases, orders=world.orders, clock=world.clock)
    world.run(1)
    assert world.case.state is CaseState.DONE


# ---- Several restrictions -------------------------------------------------------------------------------------------


def restricted_twice(world: CaseWorld) -> str:
    """Two requests that restrict the same, both carried out; answers the second one's id."""
    world.open(Right.RESTRICTION, choices={"ground": "a"})
    world.run(1)
    second = ask(world, Right.RESTRICTION, {"ground": "a"}, "another thing is wrong").case.id
    world.id = second
    world.run(1)
    world.id = CASE
    return second


def test_lifting_one_of_two_requests_for_the_same_leaves_what_the_other_asked_for(world: CaseWorld) -> None:
    second = restricted_twice(world)
    assert locks(world) == ["a"]
    lift(world)
    assert (locks(world), keys(world, Verb.LIFT)) == (["a"], [])

    world.id = second
    lift(world)
    assert (locks(world), keys(world, Verb.LIFT)) == ([], [second])


def test_the_one_that_found_everything_restricted_ends_nothing_of_the_one_that_restricted_it(world: CaseWorld) -> None:
    world.id = restricted_twice(world)
    lift(world)

    assert (locks(world), keys(world, Verb.LIFT)) == (["a"], [])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_call_leaves_no_moment_without_the_restriction_of_the_other(when: str) -> None:
    number = 0
    while True:
        number += 1
        world = CaseWorld()
        world.subscribe()
        restricted_twice(world)
        step(world, Step.LIFT)
        world.look()
        world.killer = Killer({(number, when)})
        commit = world.people.subjects.commit

        def watched(*arguments: Any, world: CaseWorld = world, commit: Any = commit) -> None:
            commit(*arguments)
            assert "a" in locks(world)

        world.people.subjects.commit = watched  # type: ignore[method-assign, assignment]
        world.run(1)
        assert (locks(world), "lifted_at" in world.case.outcome) == (["a"], True)
        if world.killer.at:
            break
    assert number > 10


def test_what_staff_restricted_themselves_is_theirs_to_lift(world: CaseWorld) -> None:
    set_lock(Locking(ME, Ground("a"), "request", ()), **world.deciding())
    ask(world, Right.RESTRICTION, {"ground": "a"})
    (world.id,) = world.cases.files
    world.run(1)
    assert locks(world) == ["a", "a"]
    lift(world)

    assert locks(world) == ["a"]


def test_a_request_from_before_an_erasure_lifts_nothing_of_the_record_since(world: CaseWorld) -> None:
    world.open(Right.RESTRICTION, choices={"ground": "a"})
    world.run(1)
    door = {"source": "operator", "client": "operator", "controller": "fjordmeter"}
    erase(parse_address(ME), keep_fingerprint=False, **door, **world.people.deciding)
    world.subscribe()
    since = ask(world, Right.RESTRICTION, {"ground": "a"}).case.id
    world.id = since
    world.run(1)
    world.id = CASE
    lift(world)

    assert (locks(world), "lifted_at" in world.case.outcome) == (["a"], True)


def test_who_asked_again_between_two_changes_of_address_stays_restricted_when_the_first_ends(world: CaseWorld) -> None:
    world.open(Right.RESTRICTION, choices={"ground": "c"})
    world.run(1)
    world.people.move("two@example.com")
    second = ask(world, Right.RESTRICTION, {"ground": "a"}, email="two@example.com").case.id
    world.id = second
    world.run(1)
    world.id = CASE
    world.people.move("three@example.com", "two@example.com")
    lift(world)

    assert (locks(world, "three@example.com"), keys(world, Verb.LIFT)) == (["a"], [])
    assert world.tasks["crm"].answer == "still_restricted"
