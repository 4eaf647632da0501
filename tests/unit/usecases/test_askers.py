"""Whose a case is after a rotation and after a change of address: the person's, and never the next holder's."""

import re
from typing import Any

import pytest
from tests.unit.usecases.test_cases import Office
from tests.unit.usecases.test_rotation import moved, with_a_new_pepper

from builders import PEOPLE
from case_world import CASE, CaseWorld, Killer
from consent_center.adapters.addresses import parse_address
from consent_center.domain.capability import StatusLink, seal_status
from consent_center.domain.case import Case, CaseLetter, CaseState, LogLine, Right
from consent_center.domain.errors import ExpiredTokenError
from consent_center.domain.lock import locks_of
from consent_center.usecases.askers import followed, who_asked
from consent_center.usecases.cases import Asked, ask_by_link, look_at_proof, look_at_status, requests_of
from consent_center.usecases.downloads import fetch, package_token
from consent_center.usecases.letters import Delivery
from consent_center.usecases.suppress import erase
from fakes import InMemoryMoves
from fakes.cases import InMemoryExports
from usecase_world import World

OLD, NEW = PEOPLE[0], "new@example.com"


@pytest.fixture
def office(world: World) -> Office:
    world.confirm(world.asked())
    world.clock.move(seconds=3600)
    return Office(world)


def rotated(office: Office, *emails: str) -> None:
    """A new pepper, to which the records of these addresses have moved."""
    old = [office.world.contact(email) for email in emails]
    with_a_new_pepper(office.world)
    moves = InMemoryMoves(office.world.subjects)
    for contact in old:
        moved(office.world, contact, moves)


def move(office: Office) -> None:
    office.world.clock.move(seconds=60)
    office.world.move(NEW)
    office.world.clock.move(seconds=60)


def somebody_else(office: Office) -> None:
    """The old address has another holder, who signs up there."""
    office.world.clock.move(days=1)
    office.world.confirm(office.world.asked("events", email=OLD))
    office.world.clock.move(seconds=60)


def erased(world: World) -> None:
    """Somebody erases who is at the new address."""
    door = {"source": "operator", "client": "operator", "controller": "fjordmeter"}
    erase(parse_address(NEW), keep_fingerprint=False, **door, **world.deciding)


def grounds(office: Office, email: str) -> list[str]:
    subject = office.world.subjects.load(office.world.contact(email)).subject
    return [lock.ground for lock in locks_of(subject, office.world.clock())]


def status_token(office: Office, case: Case) -> str:
    return seal_status(StatusLink(case.contact, case.id), office.world.secrets.links())


def listed(office: Office, email: str) -> list[str]:
    """The requests that the preference page of an address shows."""
    held = office.world.subjects.holdings(office.world.contact(email))
    found = requests_of(
        held.subject,
        held.profile.address if held.profile else None,
        cases=office.cases,
        subjects=office.world.subjects,
        secrets=office.world.secrets,
    )
    return [case.id for case, _ in found]


# ---- One open case of a right -----------------------------------------------------------------------------------


@pytest.mark.parametrize("email", [OLD, "nobody@example.com"])
def test_a_rotation_makes_no_second_case_of_the_same_right(office: Office, email: str) -> None:
    case = office.open(Right.ERASURE, email=email).case
    rotated(office, email)
    again = office.open(Right.ERASURE, email=email)

    assert (again.is_new, again.case.id, len(office.cases.files)) == (False, case.id, 1)
    assert office.open(Right.ACCESS, email=email).is_new


def test_a_case_from_before_a_rotation_is_proved_from_the_preference_page_after_it(office: Office) -> None:
    case = office.open(Right.ERASURE).case
    rotated(office, OLD)
    proved = office.open(Right.ERASURE, proved=True)

    assert (proved.case.id, proved.case.state) == (case.id, CaseState.COOLING_OFF)
    assert grounds(office, OLD) == ["erasure"]


@pytest.mark.parametrize("email", [OLD, "nobody@example.com"])
def test_of_two_that_ask_at_once_during_a_rotation_one_is_opened(office: Office, email: str) -> None:
    """Another asks just before this one is stored, and found the person under the other pepper."""
    before = office.world.contact(email)
    with_a_new_pepper(office.world)
    moves = InMemoryMoves(office.world.subjects)
    add, raced = office.cases.add, []

    def first_another(case: Case, log: LogLine, **other: Any) -> None:
        if not raced:
            raced.append(True)
            moved(office.world, before, moves)
            office.open(Right.ERASURE, email=email, contact=office.world.contact(email))
        add(case, log, **other)

    office.cases.add = first_another  # type: ignore[method-assign, assignment]
    opened = office.open(Right.ERASURE, email=email, contact=before)

    assert (opened.is_new, len(office.cases.files)) == (False, 1)
    assert set(office.particulars.kept) == set(office.cases.files)


def test_who_moved_finds_their_open_case_from_the_new_address(office: Office) -> None:
    case = office.open(Right.ERASURE).case
    move(office)
    again = office.open(Right.ERASURE, proved=True, email=NEW)

    assert (again.case.id, again.is_new, len(office.cases.files)) == (case.id, True, 1)
    assert grounds(office, NEW) == ["erasure"]


def test_a_case_of_who_moved_away_stands_in_the_way_of_nobody_at_the_old_address(office: Office) -> None:
    mine = office.open(Right.ERASURE).case
    move(office)
    theirs = office.open(Right.ERASURE)

    assert theirs.is_new
    assert office.open(Right.ERASURE).case.id == theirs.case.id
    assert office.open(Right.ERASURE, email=NEW).case.id == mine.id
    somebody_else(office)
    office.prove(theirs.case)
    assert (grounds(office, OLD), grounds(office, NEW)) == (["erasure"], [])


def test_each_sees_their_own_requests_and_no_other(office: Office) -> None:
    mine = office.open(Right.ERASURE).case
    move(office)
    somebody_else(office)
    theirs = office.open(Right.ACCESS).case

    assert (listed(office, NEW), listed(office, OLD)) == ([mine.id], [theirs.id])
    rotated(office, OLD, NEW)
    assert (listed(office, NEW), listed(office, OLD)) == ([mine.id], [theirs.id])


def test_a_link_to_preferences_from_before_a_move_opens_no_case(office: Office) -> None:
    token = office.world.manage_token()
    move(office)
    somebody_else(office)
    with pytest.raises(ExpiredTokenError):
        ask_by_link(
            token, Asked("access"), cool_off_hours=48, limits=office.world.limits, particulars=office.particulars,
            **office.ports,
        )  # fmt: skip

    assert office.cases.files == {}


# ---- Links of a case --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_moved", [False, True], ids=["rotation", "move"])
def test_every_link_of_a_case_goes_on_working_for_its_person(office: Office, has_moved: bool) -> None:
    case = office.open(Right.ERASURE, details="All of it.").case
    proof, token = office.proof(case), status_token(office, case)
    if has_moved:
        move(office)
        somebody_else(office)
    else:
        rotated(office, OLD)
    here, other = (NEW, OLD) if has_moved else (OLD, "nobody@example.com")
    given = {"cases": office.cases, "secrets": office.world.secrets}
    shown = {**given, "subjects": office.world.subjects}
    look_at_proof(proof, particulars=office.particulars, clock=office.world.clock, **given)
    proved = office.prove(case).case

    assert proved.chain == office.world.subjects.load(office.world.contact(here)).subject.chain
    assert (grounds(office, here), grounds(office, other)) == (["erasure"], [])
    assert look_at_status(token, **shown).case.state is CaseState.COOLING_OFF
    office.cancel(case)
    assert (grounds(office, here), grounds(office, other)) == ([], [])


@pytest.mark.parametrize("has_moved", [False, True], ids=["rotation", "move"])
def test_an_objection_reaches_its_person_and_not_the_next_holder(office: Office, has_moved: bool) -> None:
    case = office.open(Right.OBJECTION).case
    if has_moved:
        move(office)
        somebody_else(office)
    else:
        rotated(office, OLD)
    office.prove(case)

    assert office.world.reason("events", NEW if has_moved else OLD) == "objected"
    if has_moved:
        assert office.world.reason("events", OLD) == "given"


@pytest.mark.parametrize("right", [Right.ERASURE, Right.OBJECTION])
def test_a_case_of_somebody_who_moved_and_is_gone_does_nothing_to_the_next_holder(office: Office, right: Right) -> None:
    case = office.open(right).case
    move(office)
    somebody_else(office)
    erased(office.world)
    before = office.world.subjects.load(office.world.contact(OLD)).subject
    office.prove(case)

    assert who_asked(case, office.world.subjects) is None
    assert office.world.subjects.load(office.world.contact(OLD)).subject == before
    assert office.deliver(case, "received") is Delivery.NOTHING_HELD


@pytest.mark.parametrize("letter", [CaseLetter.PROVE, CaseLetter.RECEIVED, CaseLetter.READY])
def test_letters_go_to_where_the_person_is_and_carry_no_link_to_the_next_holder(
    office: Office, letter: CaseLetter
) -> None:
    case = office.open(Right.ACCESS).case
    assert office.deliver(case, letter) is Delivery.SENT
    move(office)
    somebody_else(office)
    assert office.deliver(case, letter, 1) is Delivery.SENT

    assert [one.to for one in office.world.mailer.letters if "case" in one.subject] == [OLD, NEW]
    assert re.search(f"/rights/(status|verify)/{status_token(office, case)[:8]}", office.world.mailer.letters[-1].text)


@pytest.mark.parametrize("has_moved", [False, True], ids=["rotation", "move"])
def test_a_file_is_fetched_by_its_person_after_a_change_of_place(office: Office, has_moved: bool) -> None:
    case = office.open(Right.ACCESS, proved=True).case
    exports = InMemoryExports()
    exports.write(case.id, "answer.zip", [b"zip"], office.world.clock() // 1000)
    if has_moved:
        move(office)
    else:
        rotated(office, OLD)
    link = fetch(
        package_token(case, "answer.zip", secrets=office.world.secrets, clock=office.world.clock),
        subjects=office.world.subjects,
        cases=office.cases,
        exports=exports,
        limits=office.world.limits,
        secrets=office.world.secrets,
        clock=office.world.clock,
        pause=office.world.pause,
    )

    assert "answer.zip" in link


def test_the_address_is_kept_where_an_erasure_takes_away_what_leads_to_it(office: Office) -> None:
    case = office.open(Right.ERASURE, proved=True).case
    move(office)
    kept = followed(
        case, office.particulars.kept[case.id], subjects=office.world.subjects, particulars=office.particulars
    )
    assert kept == office.particulars.kept[case.id]
    assert kept is not None
    assert kept["address"] == NEW
    erased(office.world)

    assert office.deliver(case, "done") is Delivery.SENT
    assert office.world.mailer.letters[-1].to == NEW


def test_particulars_have_an_end_until_their_case_is_stored(office: Office) -> None:
    office.cases.add = _killed  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        office.open()

    (end,) = office.particulars.ends.values()
    assert end == office.world.clock() // 1000 + 86_400


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


# ---- Carrying it out ----------------------------------------------------------------------------------------------


def decided_by(world: CaseWorld, email: str) -> tuple[Any, ...]:
    subject = world.people.subjects.load(world.people.contact(email)).subject
    return subject.chain, subject.seq, subject.decided, subject.locks


def ended(kills: set[tuple[int, str]]) -> tuple[dict[str, Any], int]:
    """How an erasure ends whose person moved, and whose old address somebody else has, killed at these calls."""
    world = CaseWorld(killer=Killer(kills))
    world.subscribe()
    world.open(Right.ERASURE, CaseState.COOLING_OFF)
    people = world.people
    people.move(NEW)
    people.confirm(people.asked("events", email=OLD))
    people.outbox.orders.clear()
    next_holder = decided_by(world, OLD)
    world.run(10)
    return {
        "state": world.case.state,
        "chain": people.subjects.load(people.contact(NEW)).subject.chain,
        "next holder": decided_by(world, OLD) == next_holder,
        "asked about": {(ask.address, *ask.former_addresses) for ask in (*world.crm.asked, *world.post_house.asked)},
        "letters": world.letters,
        "shredded": CASE in world.particulars.shredded,
    }, world.killer.calls


def test_an_erasure_of_somebody_who_moved_erases_them_and_leaves_the_next_holder_alone_wherever_it_is_killed() -> None:
    whole, calls = ended(set())
    assert whole == {
        "state": CaseState.DONE,
        "chain": None,
        "next holder": True,
        "asked about": {(NEW,)},
        "letters": ["received/0", "done/0"],
        "shredded": True,
    }
    for call in range(1, calls + 1):
        assert ended({(call, "before")})[0] == ended({(call, "after")})[0] == whole, call


def test_whose_new_address_nobody_knows_is_left_to_staff() -> None:
    world = CaseWorld()
    world.subscribe()
    world.open(Right.ACCESS)
    people = world.people
    people.move(NEW)
    people.confirm(people.asked("events", email=OLD))
    erased(people)
    world.run(1)

    assert (world.case.state, world.lines.count("particulars_missing")) == (CaseState.WITH_STAFF, 1)
    assert (world.crm.asked, world.exports.kept) == ([], {})
