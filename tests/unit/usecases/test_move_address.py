"""A change of address over fakes: what goes along, what stays, and who each old link and list is about."""

from dataclasses import replace

import pytest
from tests.unit.usecases.test_imports import ImportWorld

from builders import PEOPLE, PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.domain import wishes
from consent_center.domain.announcement import announcement
from consent_center.domain.capability import WithdrawLink, seal_withdrawal
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import (
    InvalidFormError,
    InvalidTokenError,
    MovedAwayError,
    NothingHeldError,
    TooManyRequestsError,
    UnavailableError,
)
from consent_center.domain.moving import MOST_ADDRESSES, MOVED, move
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.replay import Replay
from consent_center.domain.subject import Act, Move, Subject
from consent_center.domain.suppression import Basis
from consent_center.usecases.feedback import Happening, Outcome, Report, take_report
from consent_center.usecases.history import explain
from consent_center.usecases.record import Proof, Statement, record_decision
from consent_center.usecases.suppress import suppress
from consent_center.usecases.withdraw import undo_withdrawal
from fakes import InMemoryLedger

OLD, NEW = PEOPLE[0], "new@example.com"
DOOR = {"source": "operator", "client": "operator", "controller": "fjordmeter"}


@pytest.fixture
def world() -> ImportWorld:
    world = ImportWorld()
    world.confirm(world.asked())
    return world


def of(world: ImportWorld, email: str) -> Subject:
    return world.subjects.load(world.contact(email)).subject


def by_staff(world: ImportWorld, subject: Subject, there: Subject) -> Subject:
    act = Act(MOVED, by_person=False, facts={}, details={})
    moving = move(subject, there, parse_address(NEW), act, now=world.clock(), chance=world.chance.decision())
    return moving.decision.subject


def test_a_list_with_an_older_yes_raises_nothing_at_the_old_address(world: ImportWorld) -> None:
    world.withdraw(world.stop_token())
    world.move(NEW)

    (report,) = world.bring(world.yes(OLD))
    assert (report["outcome"], report["reason"], report["evidence"]) == ("moved_away", None, None)
    assert (world.reason(), world.kinds()) == ("no_record", [])
    world.clock.move(days=3)
    (report,) = world.bring(world.yes(OLD), name="import-2")
    assert (report["outcome"], world.reason()) == ("recorded", "given")


def test_another_system_that_states_an_older_yes_is_refused(world: ImportWorld) -> None:
    at = world.moment
    proof = Proof(at, "phone", ("Yes.",), "en", confirmed_at=at)
    statement = Statement(OLD, DecisionState.GIVEN, PURPOSE, ("events",), proof=proof)
    world.move(NEW)

    with pytest.raises(MovedAwayError):
        record_decision(statement, client="crm", addresses=parse_address, **world.deciding)


def test_a_link_of_unknown_time_lowers_for_all_who_were_ever_at_the_address(world: ImportWorld) -> None:
    bare = seal_withdrawal(WithdrawLink(world.contact(), "dm"), world.secrets.links())
    world.move(NEW)
    world.confirm(world.asked())

    assert world.withdraw(bare)[1]
    assert (world.reason(), world.reason(email=NEW)) == ("withdrawn", "withdrawn")
    assert not world.withdraw(bare)[1]


def test_a_letter_that_was_checked_while_its_person_moved_is_still_theirs(world: ImportWorld) -> None:
    world.clock.move(seconds=10)
    change = world.asked_to_move(NEW)
    world.clock.move(ms=40)
    stop = world.stop_token()
    world.clock.move(ms=-30)
    assert world.confirm_change(change)[1]

    assert world.withdraw(stop)[1]
    assert world.reason(email=NEW) == "withdrawn"


def test_what_an_old_link_stopped_can_be_undone_from_its_page(world: ImportWorld) -> None:
    stop = world.stop_token()
    world.move(NEW)
    stopped = world.withdrawal(stop)
    assert stopped.contact == world.contact(NEW)

    assert undo_withdrawal(stop, stopped.done or "", **world.deciding)
    assert world.reason(email=NEW) == "given"


def test_what_undoes_a_press_elsewhere_is_refused_for_an_old_link(world: ImportWorld) -> None:
    world.confirm(world.asked(email=PEOPLE[1]))
    foreign = world.withdrawal(world.stop_token(email=PEOPLE[1]))
    stop = world.stop_token()
    world.move(NEW)

    with pytest.raises(InvalidTokenError):
        undo_withdrawal(stop, foreign.done or "", **world.deciding)


def test_an_undo_from_before_the_move_undoes_nothing_of_the_next_holder(world: ImportWorld) -> None:
    token = world.manage_token()
    done = world.wish(token, wishes.stop(world.policy.purpose(PURPOSE), "events"))
    stop = world.stop_token("product-news")
    stopped = world.withdrawal(stop)
    world.move(NEW)
    world.confirm(world.asked())
    for topic in ("events", "product-news"):
        world.withdraw(world.stop_token(topic))

    assert world.kinds() == ["given", "withdrawn", "withdrawn"]
    assert not undo_withdrawal(stop, stopped.done or "", **world.deciding)
    assert (done, world.reason("product-news")) != (None, "given")


def test_a_complaint_about_an_old_letter_stops_the_mover_and_a_bounce_does_not(world: ImportWorld) -> None:
    stop = world.stop_token()
    world.move(NEW)
    means = {**world.deciding, "addresses": parse_address}
    bounced = Report(Happening.HARD_BOUNCE, world.clock(), (stop,), (OLD,), "news@example.com")
    assert take_report(bounced, **means).outcome is Outcome.IGNORED
    assert world.reason(email=NEW) == "given"

    complaint = replace(bounced, happening=Happening.COMPLAINT)
    assert take_report(complaint, **means).outcome is Outcome.WITHDRAWN
    assert world.reason(email=NEW) == "withdrawn"


def test_why_explains_an_old_letter_by_the_record_that_moved(world: ImportWorld) -> None:
    token = world.stop_token("events")
    world.move(NEW)
    world.confirm(world.asked("product-news"))
    means = {name: one for name, one in world.deciding.items() if name not in ("chance", "pause")}
    found = explain(token, ledger=InMemoryLedger(world.subjects), **means)

    assert (found.topic.id, found.still_allowed, found.how) == ("events", True, "form")


def test_the_entry_names_nobody_and_its_payload_both_addresses(world: ImportWorld) -> None:
    world.move(NEW)
    entry = world.events(NEW)[-1]

    assert (entry.kind, entry.body["changes"], entry.body["capability"]) == (MOVED, [], "address")
    assert "@" not in str(entry.body)


def test_locks_preferences_and_who_must_be_told_go_along(world: ImportWorld) -> None:
    token = world.manage_token()
    world.wish(token, wishes.fewer(world.policy.purpose(PURPOSE), "3.0"))
    before = replace(of(world, OLD), locks=("restricted",), inform_by=2_000_000_000)
    after = by_staff(world, before, Subject(world.contact(NEW), 7))

    assert (after.locks, after.preferences, after.inform_by) == (before.locks, before.preferences, before.inform_by)
    assert (after.version, after.heard_at) == (8, before.heard_at)


def test_letters_reach_a_new_address_that_its_person_confirmed(world: ImportWorld) -> None:
    world.subjects.subjects[world.contact()] = replace(of(world, OLD), locks=(UNDELIVERABLE,))
    there = Subject(world.contact(NEW))
    assert by_staff(world, of(world, OLD), there).locks == (UNDELIVERABLE,)
    act = Act(MOVED, by_person=True, facts={"capability": "address"}, details={})
    moving = move(of(world, OLD), there, parse_address(NEW), act, now=world.clock(), chance=world.chance.decision())

    assert moving.decision.subject.locks == ()
    replay = Replay(there.contact, world.policy)
    replay.subject = replace(replay.subject, locks=(UNDELIVERABLE,))
    replay.take(moving.decision.entry)
    assert (replay.is_whole, replay.subject.locks) == (True, ())


def test_who_is_suppressed_is_so_at_both_addresses_and_may_move_back(world: ImportWorld) -> None:
    suppress(parse_address(OLD), basis=Basis.REQUEST, **DOOR, **world.deciding)
    world.move(NEW)
    assert (world.reason(), world.reason(email=NEW)) == ("suppressed", "suppressed")

    world.move(OLD, NEW)
    assert (world.reason(), world.reason(email=NEW)) == ("suppressed", "suppressed")
    assert of(world, OLD).former == ()


def test_a_mark_or_a_cancellation_at_the_old_address_does_not_end_what_leads_on(world: ImportWorld) -> None:
    stop = world.stop_token()
    world.move(NEW)
    world.asked("events")
    world.not_me(world.letter_token("not_me_url"))
    world.clock.move(days=30)

    assert of(world, OLD).former
    assert world.withdraw(stop)[1]


def test_a_process_that_ends_before_the_move_leaves_all_as_it_was(world: ImportWorld) -> None:
    change = world.asked_to_move(NEW)

    def ends() -> None:
        raise UnavailableError("the process ends")

    world.address_moves.before_moving = ends
    with pytest.raises(UnavailableError):
        world.confirm_change(change)
    assert (world.reason(), world.kinds(), world.kinds(NEW)) == ("given", ["given"], [])

    world.address_moves.before_moving = lambda: None
    assert world.confirm_change(change)[1]


def test_a_withdrawal_at_the_last_moment_goes_along(world: ImportWorld) -> None:
    change, stop = world.asked_to_move(NEW), world.stop_token()
    world.address_moves.before_moving = lambda: world.withdraw(stop)

    assert world.confirm_change(change)[1]
    assert world.reason(email=NEW) == "withdrawn"
    assert world.kinds(NEW) == ["given", "withdrawn", MOVED]


def test_a_record_knows_only_so_many_earlier_addresses(world: ImportWorld) -> None:
    came = tuple(Move("k1", f"{number:026d}", number) for number in range(1, MOST_ADDRESSES + 1))

    with pytest.raises(TooManyRequestsError):
        by_staff(world, replace(of(world, OLD), came_from=came), Subject(world.contact(NEW)))


def test_who_asks_for_the_address_that_is_held_or_holds_nothing_is_told_so(world: ImportWorld) -> None:
    token = world.manage_token()
    with pytest.raises(InvalidFormError):
        world.ask_to_move(token, OLD.upper())
    world.subjects.profiles.clear()

    with pytest.raises(NothingHeldError):
        world.ask_to_move(token, NEW)


def test_of_a_move_nothing_is_told_but_that_it_happened(world: ImportWorld) -> None:
    world.move(NEW)
    told = announcement(None, of(world, NEW), world.policy)

    assert told is not None
    assert (told["moved"], told["erased"], told["changes"], told["seq"]) == (True, False, [], 2)
    assert announcement(of(world, NEW), of(world, NEW), world.policy) is None
