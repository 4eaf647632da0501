"""Carrying cases out: each right to its end, recipients that answer late or never, and workers that are killed."""

import datetime as dt
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import PEOPLE, PURPOSE
from case_world import CASE, CaseWorld, KilledError, Killer
from consent_center.domain.case import CaseLetter, CaseState, LogLine, Pause, Right
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import (
    ClosedCaseError,
    ForbiddenStepError,
    InvalidFormError,
    SettledTaskError,
    UnavailableError,
    UnknownCaseError,
)
from consent_center.domain.lock import Interest, locks_of
from consent_center.domain.objection import Against
from consent_center.domain.recipient import Answer, TaskState
from consent_center.domain.subject import Subject
from consent_center.usecases.answers_of_recipients import note_answer, try_again
from consent_center.usecases.case_own_part import start_correction
from consent_center.usecases.locks import Locking, set_lock
from consent_center.usecases.record import Statement, record_decision

DAY = 86_400_000

LATER = Answer(TaskState.ASKED, "accepted")


@pytest.fixture
def world() -> CaseWorld:
    world = CaseWorld()
    world.subscribe()
    return world


def record(world: CaseWorld) -> Subject:
    return world.people.subjects.load(world.people.contact()).subject


def say(world: CaseWorld, recipient: str, state: TaskState, **other: Any) -> bool:
    return note_answer(CASE, recipient, state, cases=world.cases, orders=world.orders, clock=world.clock, **other)


def hold(world: CaseWorld, days: int) -> None:
    until = dt.datetime.fromtimestamp((world.clock() + days * DAY) / 1000, dt.UTC)
    set_lock(Locking(PEOPLE[0], Interest.CONTROLLER, "claim 17", until=until), **world.deciding())


def test_an_erasure_waits_for_its_cool_off_and_then_goes_everywhere(world: CaseWorld) -> None:
    world.open(Right.ERASURE, CaseState.COOLING_OFF)
    world.look()
    assert (world.case.state, record(world).chain is not None) == (CaseState.COOLING_OFF, True)
    assert world.crm.asked == []

    world.run(3)
    assert (world.case.state, record(world).chain) == (CaseState.DONE, None)
    assert [ask.verb for ask in (*world.crm.asked, *world.post_house.asked)] == ["erase", "erase"]
    assert {ask.address for ask in (*world.crm.asked, *world.post_house.asked)} == {PEOPLE[0]}
    assert world.letters == ["received/0", "done/0"]
    assert (world.case.closed_at > 0, world.case.expires_at > world.case.closed_at // 1000) == (True, True)


def test_who_has_data_under_a_legal_duty_is_not_told_to_erase_them(world: CaseWorld) -> None:
    world.open(Right.ERASURE)
    world.look()

    assert set(world.tasks) == {"crm", "post-house"}


def test_the_plan_says_what_goes_and_what_stays_by_which_rule(world: CaseWorld) -> None:
    world.open(Right.ERASURE, choices={"keep_fingerprint": True})
    world.look()

    outcome = world.case.outcome
    assert outcome["held"]
    assert f"data of {PURPOSE}" in outcome["goes"]
    assert "data of invoices" not in outcome["goes"]
    assert [(row["what"], row["rule"]) for row in outcome["stays"]] == [
        ("ledger", None),
        ("fingerprint", "suppression"),
        ("file", "rights-file"),
    ]
    assert outcome["stays"][1]["until"] == "2030-01-15"
    assert record(world).suppression is not None


@pytest.mark.parametrize(("choices", "is_kept_out"), [({}, True), ({"keep_fingerprint": False}, False)])
def test_whoever_had_objected_and_did_not_choose_stays_kept_out(
    world: CaseWorld, choices: dict[str, bool], is_kept_out: bool
) -> None:
    said = Statement(PEOPLE[0], DecisionState.OBJECTED, against=Against.MARKETING)
    record_decision(said, **world.deciding())
    world.open(Right.ERASURE, choices=choices)
    world.run(1)

    assert record(world).chain is None
    assert (record(world).suppression is not None) == is_kept_out


def test_the_particulars_of_an_erasure_go_once_its_last_letter_went_out(world: CaseWorld) -> None:
    world.are_letters_delivered = False
    world.open(Right.ERASURE)
    world.run(0.5)
    assert CASE not in world.particulars.shredded
    world.are_letters_delivered = True
    world.deliver()

    world.run(0.5)
    assert CASE in world.particulars.shredded
    assert (world.case.due_at, "shredded_at" in world.case.outcome) == (0, True)


def test_a_letter_that_never_goes_out_does_not_keep_the_particulars_for_ever(world: CaseWorld) -> None:
    world.are_letters_delivered = False
    world.open(Right.ERASURE)
    world.run(29)
    assert CASE not in world.particulars.shredded

    world.run(2)
    assert CASE in world.particulars.shredded


def test_a_hold_puts_our_own_erasure_off_and_the_person_is_told_so(world: CaseWorld) -> None:
    hold(world, 90)
    world.open(Right.ERASURE)
    world.run(80)
    assert (world.case.state, record(world).chain is not None) == (CaseState.PARTLY_DONE, True)
    assert world.case.outcome["hold"]["interest"] == "controller"
    assert world.letters == ["received/0", "partly/0"]
    assert world.particulars.read(CASE) is not None

    world.run(20)
    assert (world.case.state, record(world).chain) == (CaseState.DONE, None)
    assert world.letters[-1] == "done/0"
    assert len(world.crm.asked) == 1


def test_nobody_known_is_erased_without_writing_anything_about_them() -> None:
    world = CaseWorld()
    world.open(Right.ERASURE)
    world.run(1)

    assert (world.case.state, world.case.outcome["held"]) == (CaseState.DONE, False)
    assert world.people.subjects.subjects == {}
    assert len(world.crm.asked) == 1


@pytest.mark.parametrize("state", [TaskState.DONE, TaskState.NOTHING_HELD])
def test_a_recipient_that_answers_later_is_waited_for(world: CaseWorld, state: TaskState) -> None:
    world.crm.script = [LATER]
    world.open(Right.ERASURE)
    world.run(3)
    assert (world.case.state, world.tasks["crm"].state) == (CaseState.RUNNING, TaskState.ASKED)
    assert world.tasks["post-house"].state is TaskState.DONE

    assert say(world, "crm", state)
    assert world.orders.orders[-1][0] == CASE
    world.run(1)
    assert world.case.state is CaseState.DONE
    assert len(world.crm.asked) == 1


def test_an_answer_counts_once_and_cannot_be_changed(world: CaseWorld) -> None:
    world.crm.script = world.post_house.script = [LATER]
    world.open(Right.ERASURE)
    world.look()
    assert say(world, "crm", TaskState.DONE)
    assert not say(world, "crm", TaskState.DONE)
    with pytest.raises(SettledTaskError):
        say(world, "crm", TaskState.NOTHING_HELD)
    with pytest.raises(UnknownCaseError):
        say(world, "survey-lab", TaskState.DONE)
    assert world.lines.count("task_done") == 1


def test_a_closed_case_takes_no_answer(world: CaseWorld) -> None:
    world.crm.script = [LATER]
    world.open(Right.ERASURE)
    world.look()
    world.cases.files[CASE] = replace(world.file, case=replace(world.case, state=CaseState.REFUSED))
    with pytest.raises(ClosedCaseError):
        say(world, "crm", TaskState.DONE)
    with pytest.raises(ClosedCaseError):
        try_again(CASE, "crm", by="staff:desk", cases=world.cases, orders=world.orders, clock=world.clock)


def test_only_staff_say_that_something_is_impossible_and_why(world: CaseWorld) -> None:
    world.crm.script = [LATER]
    world.open(Right.ERASURE)
    world.look()
    with pytest.raises(InvalidFormError, match="state"):
        say(world, "crm", TaskState.IMPOSSIBLE, reason="on paper")
    with pytest.raises(InvalidFormError, match="reason"):
        say(world, "crm", TaskState.IMPOSSIBLE, by="staff:desk")
    assert say(world, "crm", TaskState.IMPOSSIBLE, by="staff:desk", reason="on paper")
    world.run(0.1)
    assert (world.case.state, world.tasks["crm"].reason) == (CaseState.DONE, "on paper")


def test_a_recipient_that_fails_for_ever_holds_up_no_other_and_the_person_hears_of_it_in_time(
    world: CaseWorld,
) -> None:
    world.crm.script = [UnavailableError("no answer")]
    world.open(Right.ERASURE)
    looks = world.run(9)
    assert (world.case.state, world.tasks["crm"].state) == (CaseState.PARTLY_DONE, TaskState.FAILED)
    assert [name for look in looks for name in look.given_up] == ["crm"]
    assert (len(world.post_house.asked), world.tasks["post-house"].state) == (1, TaskState.DONE)
    assert world.letters == ["received/0", "partly/0"]
    assert world.case.outcome["missing"] == ["crm"]
    assert (world.clock() - world.case.received_at) / DAY < 26
    assert len(world.crm.effects) == 1
    assert world.particulars.read(CASE) is not None

    tries = len(world.crm.asked)
    world.run(60)
    assert (len(world.crm.asked), world.case.state) == (tries, CaseState.PARTLY_DONE)
    world.crm.script = [Answer(TaskState.DONE)]
    try_again(CASE, "crm", by="staff:desk", cases=world.cases, orders=world.orders, clock=world.clock)
    world.run(1)
    assert (world.case.state, world.letters[-1]) == (CaseState.DONE, "done/0")
    assert len(world.crm.effects) == 1
    assert CASE in world.particulars.shredded


def test_tries_come_after_a_minute_and_then_ever_later_until_a_week_has_passed(world: CaseWorld) -> None:
    world.crm.script = [UnavailableError("no answer")]
    world.open(Right.ERASURE)
    began, times = world.clock(), []
    while world.tasks.get("crm") is None or world.tasks["crm"].state is TaskState.WAITING:
        world.clock.now = max(world.clock(), world.case.due_at * 1000)
        before = len(world.crm.asked)
        world.look()
        if len(world.crm.asked) > before:
            times.append((world.clock() - began) / 1000)
    waits = [later - earlier for earlier, later in pairwise(times)]
    for wait, least in zip(waits, [60, 300, 1800, 7200, 43200, *[86400] * 7], strict=True):
        assert least <= wait <= least * 1.2 + 1
    assert 6.5 <= times[-1] / 86_400 <= 9.5


def test_what_is_settled_is_not_tried_again(world: CaseWorld) -> None:
    world.crm.script = [LATER]
    world.open(Right.ERASURE)
    world.look()
    with pytest.raises(ForbiddenStepError):
        try_again(CASE, "post-house", by="staff:desk", cases=world.cases, orders=world.orders, clock=world.clock)


def test_a_mistake_in_one_connector_is_a_failed_try_that_names_nobody(world: CaseWorld) -> None:
    world.crm.script = [KeyError(PEOPLE[0])]
    world.open(Right.ERASURE)
    world.look()

    assert (world.tasks["crm"].state, world.tasks["crm"].answer) == (TaskState.WAITING, "KeyError")
    assert world.tasks["post-house"].state is TaskState.DONE
    assert PEOPLE[0] not in repr(world.file)


def test_what_a_connector_cannot_do_is_a_task_for_staff(world: CaseWorld) -> None:
    world.crm.verbs = frozenset()
    world.open(Right.ERASURE)
    world.look()

    assert (world.tasks["crm"].state, world.tasks["crm"].answer, world.crm.asked) == (TaskState.ASKED, "manual", [])


def test_a_recipient_that_is_silent_is_told_of_five_days_before_the_end(world: CaseWorld) -> None:
    world.crm.script = [LATER]
    world.open(Right.ERASURE)
    world.run(60)

    assert world.case.state is CaseState.PARTLY_DONE
    told = world.case.told[CaseLetter.PARTLY.value]
    assert 4.9 <= (world.days.ends_at(world.case) * 1000 - told) / DAY <= 8
    # Staff are warned while the person waits for an answer, and not once they have one.
    assert world.warnings == [10, 5]


@pytest.mark.parametrize("right", [Right.ACCESS, Right.PORTABILITY])
def test_an_answer_holds_what_recipients_sent(world: CaseWorld, right: Right) -> None:
    world.crm.script = [Answer(TaskState.DONE, collected={"crm.json": "{}"})]
    world.post_house.verbs = frozenset()
    world.open(right)
    world.run(1)

    assert (world.case.state, world.letters) == (CaseState.DONE, ["received/0", "ready/0"])
    assert world.exports.kept[CASE, f"{right}.zip"][0] == b"[('crm', {'crm.json': '{}'})]"
    assert world.case.outcome["package"]["name"] == f"{right}.zip"
    assert set(world.tasks) == {"crm"}
    world.run(28)
    assert CASE not in world.particulars.shredded
    world.run(2)
    assert CASE in world.particulars.shredded


def test_an_answer_does_not_wait_for_a_recipient_past_five_days_before_the_end(world: CaseWorld) -> None:
    world.crm.script = [LATER]
    world.open(Right.ACCESS)
    world.run(15)
    assert world.case.state is CaseState.RUNNING

    world.run(15)
    assert (world.case.state, world.case.outcome["missing"]) == (CaseState.DONE, ["crm"])
    assert world.case.closed_at < world.days.warns_at(world.case, 4) * 1000
    assert world.tasks["crm"].state is TaskState.FAILED


def test_we_hold_nothing_is_an_answer_too() -> None:
    world = CaseWorld(holds_nothing=True)
    world.open(Right.ACCESS)
    world.run(1)

    assert (world.case.state, world.letters) == (CaseState.DONE, ["received/0", "done/0"])
    assert (world.case.outcome["held"], "package" in world.case.outcome) == (False, False)


def test_what_was_collected_and_then_lost_is_asked_for_again(world: CaseWorld) -> None:
    world.crm.script = [Answer(TaskState.DONE, collected={"crm.json": "{}"})]
    world.post_house.script = [LATER]
    world.open(Right.ACCESS)
    world.look()
    # Another look had read the particulars before, and kept them after.
    world.particulars.keep(CASE, {"address": PEOPLE[0]})
    say(world, "post-house", TaskState.DONE)
    world.run(1)

    assert world.case.state is CaseState.DONE
    assert b"crm.json" in world.exports.kept[CASE, "access.zip"][0]


@pytest.mark.parametrize("files", [{"a.txt": "\ud800"}, {"\udfff.txt": "x"}])
def test_files_that_nobody_can_store_hold_up_no_other_recipient(world: CaseWorld, files: dict[str, str]) -> None:
    world.crm.script = [Answer(TaskState.DONE, "", files)]
    world.open(Right.ACCESS)
    assert world.look().given_up == ["crm"]

    crm = world.tasks["crm"]
    assert (crm.state, crm.answer, crm.told_at) == (TaskState.FAILED, "unreadable_files", world.clock())
    assert world.tasks["post-house"].state is TaskState.DONE
    assert (world.case.state, world.case.outcome["missing"]) == (CaseState.DONE, ["crm"])


def test_a_restriction_is_a_lock_with_its_ground_and_is_lifted_after_the_letter(world: CaseWorld) -> None:
    world.open(Right.RESTRICTION, choices={"ground": "c", "purposes": [PURPOSE]})
    world.run(1)
    (lock,) = locks_of(record(world), world.clock())
    assert (lock.kind, lock.ground, lock.purposes) == ("restricted", "c", ("dm",))
    assert (world.case.state, world.case.outcome["lock"]) == (CaseState.DONE, lock.seq)
    world.run(100)
    assert CASE not in world.particulars.shredded

    world.are_letters_delivered = False
    asked = replace(world.case, outcome={**world.case.outcome, "lift_asked_at": world.clock()})
    world.cases.commit(replace(asked.owing(CaseLetter.LIFTING), due_at=world.clock() // 1000), [])
    world.run(1)
    assert locks_of(record(world), world.clock())
    world.are_letters_delivered = True
    world.deliver()
    world.run(1)
    assert locks_of(record(world), world.clock()) == []
    assert world.letters == ["received/0", "done/0", "lifting/0"]


def test_what_a_proved_erasure_stops_is_stopped_before_anything_else_and_once(world: CaseWorld) -> None:
    world.open(Right.ERASURE, CaseState.COOLING_OFF)
    world.look()
    assert [lock.kind for lock in locks_of(record(world), world.clock())] == ["restricted"]
    world.look()
    assert world.lines.count("stopped") == 1


def test_what_nobody_has_proved_stops_nothing(world: CaseWorld) -> None:
    world.open(Right.ERASURE, CaseState.UNPROVEN)
    world.look()

    assert locks_of(record(world), world.clock()) == []


@pytest.mark.parametrize("state", [CaseState.CANCELLED, CaseState.REFUSED])
def test_what_is_not_carried_out_leaves_nothing_stopped(world: CaseWorld, state: CaseState) -> None:
    world.open(Right.ERASURE, CaseState.COOLING_OFF)
    world.look()
    world.cases.commit(replace(world.case.moved(state), due_at=1, closed_at=world.clock()), [])
    world.run(3)

    assert locks_of(record(world), world.clock()) == []
    assert (world.crm.asked, world.lines.count("taken_back")) == ([], 1)


def test_what_was_asked_anew_stays_stopped(world: CaseWorld) -> None:
    world.open(Right.ERASURE, CaseState.COOLING_OFF)
    world.look()
    world.cases.commit(replace(world.case.moved(CaseState.CANCELLED), due_at=1, closed_at=world.clock()), [])
    again = replace(world.case, id="case00000000000000000002", state=CaseState.COOLING_OFF, version=0)
    world.cases.add(again, LogLine(world.clock(), "received", "person"))
    world.look()

    assert [lock.kind for lock in locks_of(record(world), world.clock())] == ["restricted"]


def test_an_objection_stops_here_and_everywhere(world: CaseWorld) -> None:
    world.open(Right.OBJECTION)
    world.run(1)

    assert {record(world).decided[code].state for code in ("*.dm.any", "*.pf.any")} == {DecisionState.OBJECTED}
    assert [ask.verb for ask in (*world.crm.asked, *world.post_house.asked)] == ["stop", "stop"]
    assert world.case.state is CaseState.DONE


def test_an_objection_to_one_purpose_reaches_that_purpose(world: CaseWorld) -> None:
    world.open(Right.OBJECTION, choices={"purposes": ["grouping"]})
    world.run(1)

    assert "*.dm.any" not in record(world).decided
    assert set(world.tasks) == {"crm"}


def test_recipients_are_told_of_a_new_address(world: CaseWorld) -> None:
    world.open(Right.RECTIFICATION)
    right = {"name": "Ada", "address": PEOPLE[1]}
    started = start_correction(world.case, right, particulars=world.particulars, chance=world.people.chance)
    world.cases.commit(started, [])
    world.run(1)

    (ask,) = world.crm.asked
    assert (ask.verb, ask.address, ask.corrections) == ("correct", PEOPLE[0], {"name": "Ada", "address": PEOPLE[1]})
    assert world.case.state is CaseState.DONE


def test_a_request_that_nobody_proves_lapses_at_its_day(world: CaseWorld) -> None:
    world.open(Right.ERASURE, CaseState.UNPROVEN)
    world.run(60)

    assert (world.case.state, world.letters) == (CaseState.LAPSED, ["prove/0", "lapsed/0"])
    assert world.case.closed_at == world.days.ends_at(world.case) * 1000
    assert record(world).chain is not None
    assert world.crm.asked == []
    assert world.warnings == []


def test_a_question_that_is_never_answered_lapses_a_month_later(world: CaseWorld) -> None:
    world.open(Right.ACCESS, CaseState.WITH_PERSON, pause=Pause("shared mailbox", world.clock() + DAY))
    world.run(60)

    assert (world.case.state, world.case.closed_at) == (CaseState.LAPSED, world.case.received_at + 31 * DAY)
    # The question stops the period that the person was told, and not the day of the stricter reading.
    assert world.warnings == [10, 5, 1]


def test_staff_are_warned_three_times_and_daily_once_it_is_late(world: CaseWorld) -> None:
    world.open(Right.COMPLAINT, CaseState.WITH_STAFF)
    world.run(35)

    late = (world.clock() - world.days.ends_at(world.case) * 1000) // DAY
    assert world.warnings == [10, 5, 1, *[0] * (late + 1)]
    assert world.lines.count("deadline_near") == 3


def test_whoever_looks_late_is_warned_once_of_what_is_left(world: CaseWorld) -> None:
    world.open(Right.COMPLAINT, CaseState.WITH_STAFF)
    world.clock.now = world.days.warns_at(world.case, 5) * 1000 + 1

    world.look()
    world.look()
    assert world.warnings == [5]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_warning_may_come_twice_and_is_never_lost(when: str) -> None:
    for call in range(1, 12):
        world = CaseWorld()
        world.open(Right.COMPLAINT, CaseState.WITH_STAFF)
        world.look()
        world.clock.now = world.days.warns_at(world.case, 5) * 1000
        world.killer = Killer({(call, when)})
        world.run(0.01)
        assert (world.case.warned, set(world.warnings)) == (5, {5}), call


def test_a_warning_is_told_though_the_rest_of_the_look_fails(world: CaseWorld) -> None:
    world.crm.script = [LATER]
    world.open(Right.ACCESS)
    world.look()
    world.exports.is_full = True
    world.clock.now = world.days.warns_at(world.case, 5) * 1000
    with pytest.raises(UnavailableError):
        world.look()

    assert world.warnings == [5]


def test_a_second_letter_of_a_kind_has_another_name(world: CaseWorld) -> None:
    world.open(Right.COMPLAINT, CaseState.WITH_STAFF)
    world.look()
    world.cases.commit(world.case.owing(CaseLetter.RECEIVED), [])
    world.look()

    assert world.letters == ["received/0", "received/1"]


def test_a_letter_that_cannot_be_ordered_stays_owed(world: CaseWorld) -> None:
    world.open(Right.COMPLAINT, CaseState.WITH_STAFF)
    world.people.outbox.refuses = True
    with pytest.raises(UnavailableError):
        world.look()
    assert world.case.owes == ("received",)
    world.people.outbox.refuses = False
    world.look()
    assert world.letters == ["received/0"]


def test_a_package_that_cannot_be_stored_is_made_later(world: CaseWorld) -> None:
    world.open(Right.ACCESS)
    world.exports.is_full = True
    with pytest.raises(UnavailableError):
        world.look()
    assert (world.case.state, world.case.due_at <= world.clock() // 1000) == (CaseState.RUNNING, True)
    world.exports.is_full = False
    world.look()
    assert world.case.state is CaseState.DONE


def test_a_case_whose_particulars_are_gone_is_for_staff(world: CaseWorld) -> None:
    world.open(Right.ACCESS)
    world.particulars.shred(CASE)
    world.look()

    assert (world.case.state, world.lines[-1]) == (CaseState.WITH_STAFF, "particulars_missing")


def test_there_is_nothing_to_do_in_a_case_that_is_not_there(world: CaseWorld) -> None:
    assert world.look().steps == 0


# ---- Killed anywhere ----------------------------------------------------------------------------------------------


def ended(right: Right, kills: set[tuple[int, str]]) -> tuple[dict[str, Any], int]:
    """How a case ends whose worker is killed at these calls; and how many calls there were."""
    world = CaseWorld(killer=Killer(set(kills)))
    world.subscribe()
    world.crm.script = [UnavailableError("no answer"), Answer(TaskState.DONE, collected={"a": "b"})]
    world.post_house.script = [Answer(TaskState.DONE)]
    state = CaseState.COOLING_OFF if right is Right.ERASURE else CaseState.RUNNING
    world.open(right, state, choices={"keep_fingerprint": True})
    world.run()
    subject = record(world)
    times = {"started_at", "stopped_at", "own_at", "shredded_at", "package", "stays"}
    return {
        "state": world.case.state,
        "outcome": {name: value for name, value in world.case.outcome.items() if name not in times},
        "stays": [row["what"] for row in world.case.outcome.get("stays", ())],
        "outcome names": sorted(world.case.outcome),
        "tasks": {task.recipient: (task.verb, task.state, task.answer) for task in world.file.tasks},
        "lines": sorted(world.lines),
        "letters": world.letters,
        "owes": world.case.owes,
        "due": world.case.due_at,
        "effects": (world.crm.effects, world.post_house.effects),
        "kept": world.particulars.kept,
        "packages": {key: content for key, (content, _) in world.exports.kept.items()},
        "record": (subject.chain, subject.decided, subject.suppression and subject.suppression.basis, subject.erasing),
        "profile": world.people.subjects.holdings(world.people.contact()).profile,
        "events": [entry.kind for entry in world.people.subjects.entry_of.values()],
    }, world.killer.calls


BOTH = [Right.ERASURE, Right.PORTABILITY]


@pytest.mark.parametrize("right", BOTH)
def test_killed_before_or_after_any_one_call_it_ends_the_same(right: Right) -> None:
    whole, calls = ended(right, set())
    assert whole["state"] is CaseState.DONE
    assert whole["effects"][0] == {f"{CASE}/crm/{'erase' if right is Right.ERASURE else 'collect'}"}
    for call in range(1, calls + 1):
        for when in ("before", "after"):
            # A connector that has acted and was not heard is asked once more, and answers what comes next.
            assert _but_retries(ended(right, {(call, when)})[0]) == _but_retries(whole), f"killed {when} call {call}"


@pytest.mark.parametrize("right", BOTH)
@given(kills=st.sets(st.tuples(st.integers(1, 120), st.sampled_from(["before", "after"])), max_size=40))
@settings(max_examples=60, deadline=None)
def test_killed_again_and_again_it_ends_the_same(right: Right, kills: set[tuple[int, str]]) -> None:
    assert _but_retries(ended(right, kills)[0]) == _but_retries(ended(right, set())[0])


def _but_retries(end: dict[str, Any]) -> dict[str, Any]:
    """A failed try that was not noted is no line."""
    return {**end, "lines": [line for line in end["lines"] if line != "task_retry"]}


def test_the_killer_kills() -> None:
    world = CaseWorld(killer=Killer({(1, "before")}))
    world.open(Right.ERASURE)
    with pytest.raises(KilledError):
        world.look()


def test_two_at_once_do_nothing_twice(world: CaseWorld) -> None:
    """A second worker looks at each of the first one's calls."""
    for call in range(1, 60):
        other = CaseWorld()
        other.subscribe()
        other.open(Right.ERASURE)
        crossed = _Crossing(other, call)
        other.killer = crossed
        other.run()
        assert (other.case.state, other.letters) == (CaseState.DONE, ["received/0", "done/0"]), call
        assert len(other.crm.effects) == len(other.post_house.effects) == 1
        kinds = [entry.kind for entry in other.people.subjects.entry_of.values()]
        assert kinds.count("erased") == 1, call


class _Crossing(Killer):
    """Lets another worker do everything that is due just before one call of this one."""

    def __init__(self, world: CaseWorld, call: int) -> None:
        super().__init__()
        self.world, self.call = world, call

    def strike(self, when: str) -> None:
        if (self.calls, when) == (self.call, "before"):
            self.call = 0
            self.world.look()
