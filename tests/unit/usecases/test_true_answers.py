"""What people are told of their request is true: what was done, until when they may prove it, and why it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from builders import PEOPLE
from case_world import CASE, CaseWorld, Killer, file, step
from consent_center.domain.capability import open_rights
from consent_center.domain.case import Case, CaseLetter, CaseState, LogLine, Right
from consent_center.domain.chain import verify
from consent_center.domain.errors import ExpiredTokenError, ForbiddenStepError, InvalidFormError
from consent_center.domain.lock import locks_of
from consent_center.domain.recipient import Answer, TaskState
from consent_center.domain.subject import Subject
from consent_center.ports.people import Profile
from consent_center.usecases.answers_of_recipients import note_answer
from consent_center.usecases.case_letters import deliver_case_letter
from consent_center.usecases.case_times import letter_order
from consent_center.usecases.letters import Delivery
from consent_center.usecases.staff_cases import Refusal, Step
from usecase_world import BASE_URL, PlainLetter

DAY = 86_400_000
OLD, NEW = PEOPLE[0], "new@example.com"
OTHER = "case00000000000000000002"


@dataclass
class Said:
    """Letters as what they say."""

    contexts: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def letter(self, name: str, language: str, **context: Any) -> PlainLetter:
        self.contexts[name] = context
        return PlainLetter(name, language, "")


@pytest.fixture
def world() -> CaseWorld:
    world = CaseWorld()
    world.subscribe()
    return world


def record(world: CaseWorld, email: str = OLD) -> Subject:
    return world.people.subjects.load(world.people.contact(email)).subject


def profile(world: CaseWorld, email: str = OLD) -> Profile | None:
    return world.people.subjects.holdings(world.people.contact(email)).profile


def write(world: CaseWorld, letter: str) -> tuple[Delivery, Mapping[str, Any]]:
    """Deliver the next letter of a kind: what came of it, and what it says."""
    said = Said()
    people = world.people
    outcome = deliver_case_letter(
        letter_order(world.file, letter),
        base_url=BASE_URL,
        site=lambda _brand, _language: {},
        policy=people.policy,
        subjects=people.subjects,
        cases=world.cases,
        particulars=world.particulars,
        claims=people.claims,
        mailer=people.mailer,
        texts=said,
        secrets=people.secrets,
        clock=world.clock,
    )
    return outcome, said.contexts.get(f"case_{letter}", {})


def another(world: CaseWorld, right: Right = Right.ACCESS, state: CaseState = CaseState.DONE, **changes: Any) -> Case:
    """A further request at the same address, with a file that was made for it."""
    now = world.clock()
    case = Case(
        *(OTHER, right, state, world.people.contact(), "en", "DK", "page", now, "2027-02-15", "2027-02-15"),
        proved_at=now,
        closed_at=now if state.is_closed else 0,
    )
    world.particulars.keep(OTHER, {"address": OLD, "collected": {"crm": {"a.json": "all of it"}}})
    world.exports.write(OTHER, "answer-1.zip", [b"all of it"], now // 1000)
    world.cases.add(replace(case, **changes), LogLine(now, "received", "person"))
    return world.cases.files[OTHER].case


# ---- What was done --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", [Right.ERASURE, Right.RESTRICTION, Right.OBJECTION])
def test_what_is_carried_out_by_us_is_not_called_done_by_hand(world: CaseWorld, right: Right) -> None:
    world.open(right, CaseState.WITH_STAFF, choices={"ground": "a", "weak_proof": True})
    world.look()
    with pytest.raises(ForbiddenStepError) as refused:
        step(world, Step.COMPLETE)
    assert refused.value.instead == "start"

    step(world, Step.START)
    world.run(60)
    assert world.case.state is CaseState.DONE
    assert len(world.crm.effects) == 1


def test_what_was_done_here_and_by_every_recipient_may_be_called_done(world: CaseWorld) -> None:
    world.open(Right.ERASURE, CaseState.WITH_STAFF, outcome={"own_at": world.clock()})
    step(world, Step.COMPLETE)

    assert world.case.state is CaseState.DONE


@pytest.mark.parametrize("right", [Right.ACCESS, Right.PORTABILITY, Right.RECTIFICATION, Right.COMPLAINT])
def test_what_staff_can_answer_they_can_call_done(world: CaseWorld, right: Right) -> None:
    world.open(right, CaseState.WITH_STAFF)
    step(world, Step.COMPLETE)

    assert world.case.state is CaseState.DONE


# ---- Rectification --------------------------------------------------------------------------------------------------


def test_what_staff_find_right_stands_in_our_own_record_too(world: CaseWorld) -> None:
    interest = next(iter(world.people.policy.interests_of(world.people.contact().controller)))
    right = {"name": "Ada King", "company": "Engines", "phone": "1", "interest": interest}
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    step(world, Step.START, corrections=right)
    world.run(1)

    known = profile(world)
    assert known is not None
    assert (known.name, known.company, known.interests) == ("Ada King", "Engines", (interest,))
    assert world.case.state is CaseState.DONE
    assert [ask.corrections for ask in world.crm.asked] == [right]
    events = world.people.events()
    assert events[-1].kind == "corrected"
    assert events[-1].body["recorded_by"] == f"case:{world.case.number}"
    assert "King" not in repr(events)


def test_a_new_address_takes_the_record_along_and_both_mailboxes_hear_of_it(world: CaseWorld) -> None:
    chain = record(world).chain
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    step(world, Step.START, corrections={"address": f" {NEW} ", "name": "Ada King"})
    world.run(1)

    moved = profile(world, NEW)
    assert moved is not None
    assert (moved.address.mailable, moved.name) == (NEW, "Ada King")
    assert (record(world, NEW).chain, record(world).chain, profile(world)) == (chain, None, None)
    assert [entry.kind for entry in world.people.events(NEW)] == ["given", "moved", "corrected"]
    assert chain is not None
    assert verify(chain, world.people.events(NEW)) == []
    assert [(ask.address, ask.corrections["address"]) for ask in world.crm.asked] == [(OLD, NEW)]
    assert write(world, "done")[0] is Delivery.SENT
    assert [letter.to for letter in world.people.mailer.letters[-2:]] == [OLD, NEW]


def test_another_spelling_of_the_address_is_no_move(world: CaseWorld) -> None:
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    step(world, Step.START, corrections={"address": OLD.replace("ada", "Ada")})
    world.run(1)

    known = profile(world)
    assert known is not None
    assert known.address.mailable == OLD.replace("ada", "Ada")
    assert world.case.state is CaseState.DONE


def test_an_address_that_somebody_has_is_for_staff_to_decide_before_anybody_is_told(world: CaseWorld) -> None:
    world.people.confirm(world.people.asked(email=NEW))
    before = record(world), record(world, NEW)
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    step(world, Step.START, corrections={"address": NEW, "name": "Ada King"})
    world.run(1)

    assert world.case.state is CaseState.WITH_STAFF
    assert world.lines[-1] == "not_corrected"
    assert (record(world), record(world, NEW)) == before
    assert world.crm.asked == []

    step(world, Step.START, corrections={"name": "Ada King"})
    world.run(1)
    assert (world.case.state, record(world).chain) == (CaseState.DONE, before[0].chain)
    assert [ask.corrections for ask in world.crm.asked] == [{"name": "Ada King"}]


def test_who_moved_meanwhile_is_put_right_and_never_who_has_their_old_address(world: CaseWorld) -> None:
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    chain = record(world).chain
    world.clock.move(days=1)
    world.people.move(NEW)
    world.clock.move(days=1)
    world.people.confirm(world.people.asked(email=OLD, name="Grace Hopper"))
    step(world, Step.START, corrections={"address": "third@example.com", "name": "Ada King"})
    world.run(1)

    holder, mover = profile(world), profile(world, "third@example.com")
    assert holder is not None
    assert mover is not None
    assert (holder.name, mover.name, record(world, "third@example.com").chain) == ("Grace Hopper", "Ada King", chain)


def test_the_letter_that_ends_a_request_is_not_sent_to_somebody_else_at_the_address_that_staff_had_named(
    world: CaseWorld,
) -> None:
    """It has the link to the request's page in it."""
    world.people.confirm(world.people.asked(email=NEW))
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    step(world, Step.START, corrections={"address": NEW})
    world.run(1)
    assert world.lines[-1] == "not_corrected"
    for name in world.tasks:
        note_answer(
            CASE, name, TaskState.IMPOSSIBLE, by="staff:desk", reason="not to be done", cases=world.cases,
            orders=world.orders, clock=world.clock,
        )  # fmt: skip
    step(world, Step.COMPLETE)
    sent = len(world.people.mailer.letters)

    assert write(world, "done")[0] is Delivery.SENT
    assert [letter.to for letter in world.people.mailer.letters[sent:]] == [OLD]


def test_what_was_put_right_by_an_earlier_decision_is_put_right_anew_by_the_next(world: CaseWorld) -> None:
    world.crm.script = [Answer(TaskState.ASKED, "accepted")]
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    step(world, Step.START, corrections={"name": "Ada"})
    world.look()
    assert "own_at" in world.case.outcome
    world.cases.commit(world.case.moved(CaseState.WITH_STAFF), [])
    step(world, Step.START, corrections={"name": "Ada King"})
    world.look()

    known = profile(world)
    assert known is not None
    assert (known.name, "own_at" in world.case.outcome) == ("Ada King", True)


def test_of_whom_nothing_is_held_nothing_is_written() -> None:
    world = CaseWorld()
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    step(world, Step.START, corrections={"address": NEW, "name": "Ada King"})
    world.run(1)

    assert (world.case.state, world.case.outcome["held"]) == (CaseState.DONE, False)
    assert (world.people.subjects.subjects, world.people.subjects.profiles) == ({}, {})


@pytest.mark.parametrize(
    ("corrections", "field"),
    [
        ({"address": "ada"}, "corrections/address"),
        ({"address": " "}, "corrections/address"),
        ({"name": ""}, "corrections/name"),
        ({"company": "x" * 1_000}, "corrections/company"),
        ({"name": "\u202eada"}, "corrections/name"),
        ({"interest": "nothing"}, "corrections/interest"),
        ({"interest": " , "}, "corrections/interest"),
    ],
)
def test_a_correction_that_is_wrong_is_refused_before_it_is_kept(
    world: CaseWorld, corrections: dict[str, str], field: str
) -> None:
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    with pytest.raises(InvalidFormError) as refused:
        step(world, Step.START, corrections=corrections)

    assert list(refused.value.fields) == [field]
    assert world.case.state is CaseState.WITH_STAFF
    assert world.particulars.kept[CASE] == {"address": OLD}


def test_a_rectification_killed_anywhere_ends_the_same() -> None:
    def ended(kills: set[tuple[int, str]]) -> tuple[Any, int]:
        world = CaseWorld()
        world.subscribe()
        world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
        step(world, Step.START, corrections={"address": NEW, "name": "Ada King"})
        world.killer = Killer(set(kills))
        world.run(40)
        known = profile(world, NEW)
        assert known is not None
        kinds = [entry.kind for entry in world.people.events(NEW)]
        return (world.case.state, world.letters, known.name, kinds, len(world.crm.effects)), world.killer.calls

    whole, calls = ended(set())
    assert whole == (CaseState.DONE, ["received/0", "done/0"], "Ada King", ["given", "moved", "corrected"], 1)
    for call in range(1, calls + 1):
        for when in ("before", "after"):
            assert ended({(call, when)})[0] == whole, f"killed {when} call {call}"


# ---- How long a request may be proved -------------------------------------------------------------------------------


def test_a_request_that_is_filed_late_can_still_be_proved_for_a_month(world: CaseWorld) -> None:
    filed = file(world, Right.ERASURE, received_at=world.clock() - 40 * DAY, is_identity_sure=False).case
    world.id = filed.id
    first = world.clock()
    # The letter may be written before it is noted that it was ordered.
    outcome, said = write(world, "prove")
    assert outcome is Delivery.SENT
    assert said["ends_by"] > said["answer_by"]
    token = said["prove_url"].rsplit("/", 1)[1].partition("?")[0]
    world.look()
    assert world.case.state is CaseState.UNPROVEN

    world.clock.move(days=20)
    world.cases.commit(world.case.owing(CaseLetter.PROVE), [])
    world.look()
    # Asking again lengthens nothing.
    assert write(world, "prove")[1]["ends_by"] == said["ends_by"]
    world.run(60)
    assert (world.case.state, world.case.closed_at) == (CaseState.LAPSED, first + 30 * DAY)
    keys = world.people.secrets.links()
    assert open_rights(token, keys, now=first // 1000 + 30 * 86_400 - 1).case == filed.id
    with pytest.raises(ExpiredTokenError):
        open_rights(token, keys, now=world.case.closed_at // 1000)


def test_a_request_that_came_in_time_can_be_proved_until_its_day(world: CaseWorld) -> None:
    world.open(Right.ERASURE, CaseState.UNPROVEN)
    said = write(world, "prove")[1]
    world.run(60)

    assert said["ends_by"] == said["answer_by"]
    assert world.case.closed_at == world.days.ends_at(world.case) * 1000


# ---- What an erasure leaves -----------------------------------------------------------------------------------------


def test_an_erasure_takes_what_earlier_requests_know_and_the_files_made_for_them(world: CaseWorld) -> None:
    another(world)
    world.open(Right.ERASURE, CaseState.COOLING_OFF)
    world.run(6)

    assert world.case.state is CaseState.DONE
    assert (world.particulars.kept, world.exports.kept) == ({}, {})
    assert world.cases.files[OTHER].log[-1].what == "shredded"


def test_an_erasure_leaves_a_request_that_still_has_to_be_answered(world: CaseWorld) -> None:
    another(world, Right.COMPLAINT, CaseState.WITH_STAFF)
    world.open(Right.ERASURE, CaseState.COOLING_OFF)
    world.run(6)

    assert list(world.particulars.kept) == [OTHER]


def test_an_erasure_takes_nothing_that_a_former_holder_asked_for(world: CaseWorld) -> None:
    another(world)
    world.clock.move(days=1)
    people = world.people
    people.subjects.subjects[people.contact()] = replace(record(world), holder_since=world.clock())
    world.clock.move(days=1)
    world.open(Right.ERASURE)
    world.run(2)

    assert world.case.state is CaseState.DONE
    assert list(world.particulars.kept) == [OTHER]


def test_an_erasure_killed_anywhere_leaves_nothing_of_earlier_requests() -> None:
    def left(kills: set[tuple[int, str]]) -> int:
        world = CaseWorld()
        world.subscribe()
        another(world)
        world.people.move(NEW)
        world.open(Right.ERASURE, particulars={"address": NEW}, contact=world.people.contact(NEW))
        world.killer = Killer(set(kills))
        world.run(40)
        assert (world.case.state, world.particulars.kept, world.exports.kept) == (CaseState.DONE, {}, {})
        return world.killer.calls

    for call in range(1, left(set()) + 1):
        for when in ("before", "after"):
            left({(call, when)})


def test_a_restriction_that_went_with_an_erasure_is_not_lifted_and_comes_to_rest(world: CaseWorld) -> None:
    world.open(Right.RESTRICTION, choices={"ground": "a"})
    world.run(2)
    assert "lock" in world.case.outcome
    world.are_letters_delivered = False
    step(world, Step.LIFT)
    world.look()
    world.are_letters_delivered = True
    world.id = OTHER
    world.open(Right.ERASURE)
    world.run(6)
    assert (world.case.state, world.particulars.kept) == (CaseState.DONE, {})

    world.id = CASE
    world.look()
    assert (world.case.due_at, "lifted_at" in world.case.outcome) == (0, False)
    assert locks_of(record(world), world.clock()) == []
    with pytest.raises(ForbiddenStepError):
        step(world, Step.LIFT)


# ---- Reasons --------------------------------------------------------------------------------------------------------


def test_each_question_is_the_one_that_is_asked(world: CaseWorld) -> None:
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    step(world, Step.ASK_IDENTITY, reason="Question one")
    assert write(world, "more_needed")[1]["reasons"] == "Question one"
    step(world, Step.IDENTITY_SURE, reason="")
    world.look()
    step(world, Step.ASK_IDENTITY, reason="Question two")

    assert write(world, "more_needed")[1]["reasons"] == "Question two"


def test_a_question_after_the_third_day_is_asked_as_well(world: CaseWorld) -> None:
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    world.clock.move(days=5)
    step(world, Step.ASK_IDENTITY, reason="Question one")

    assert write(world, "more_needed")[1]["reasons"] == "Question one"


@pytest.mark.parametrize("reason", ["", "We checked the register."])
@pytest.mark.parametrize(
    ("name", "letter", "ground"), [(Step.REFUSE, "refused", Refusal.ACCURATE), (Step.COMPLETE, "done", None)]
)
def test_what_was_asked_before_is_no_reason_of_what_came_of_it(
    world: CaseWorld, name: Step, letter: str, ground: Refusal | None, reason: str
) -> None:
    world.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    step(world, Step.ASK_IDENTITY, reason="Which name stands in your passport?")
    step(world, Step.IDENTITY_SURE, reason="They called.")
    step(world, Step.EXTEND, reason="Many requests")
    step(world, name, reason=reason, ground=ground)

    assert write(world, letter)[1]["reasons"] == reason


def test_what_is_carried_out_after_a_question_is_done_without_a_reason(world: CaseWorld) -> None:
    world.crm.script = [Answer(TaskState.DONE)]
    world.open(Right.ERASURE, CaseState.WITH_STAFF)
    step(world, Step.ASK_IDENTITY, reason="Which number?")
    step(world, Step.IDENTITY_SURE, reason="They called.")
    world.run(2)
    world.clock.move(days=3)
    world.run(2)

    assert world.case.state is CaseState.DONE
    assert "reasons" not in world.case.outcome


# ---- What is said of it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("was_sent", "is_told"), [(False, False), (True, True)])
def test_a_recipient_that_was_sent_nothing_is_not_said_to_have_been_told(
    world: CaseWorld, was_sent: bool, is_told: bool
) -> None:
    world.crm.script = [Answer(TaskState.FAILED, "no_secret", was_sent=was_sent)]
    world.open(Right.ERASURE)
    world.run(1)

    assert (world.tasks["crm"].state, world.tasks["crm"].told_at > 0) == (TaskState.FAILED, is_told)


@pytest.mark.parametrize("asked_on_day", [1, 35])
def test_a_question_about_who_asks_can_be_answered_for_a_month_however_late_it_comes(
    world: CaseWorld, asked_on_day: int
) -> None:
    world.open(Right.ACCESS, CaseState.WITH_STAFF)
    world.run(asked_on_day)
    asked_at = world.clock()
    step(world, Step.ASK_IDENTITY)
    world.run(60)

    assert world.case.state is CaseState.LAPSED
    assert world.case.closed_at >= asked_at + 30 * 86_400_000
