"""An address that gets its next holder: what was asked for and sent before is not theirs. On every implementation."""

from typing import Any

import pytest
from tests.contract.test_address_moves import NEW, OLD, THIRD, Place, a_place

from builders import PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.domain.errors import RequestGoneError
from consent_center.usecases.check import Question, check_permissions
from consent_center.usecases.feedback import Happening, Report, take_report
from consent_center.usecases.sends import SendOutcome, confirm_sends
from usecase_world import BASE_URL, World

LETTER = (PURPOSE, "email")


@pytest.fixture(params=["in memory", "moto", "engine"])
def place(request: pytest.FixtureRequest) -> Place:
    return a_place(request)


def sent(world: World, send_id: str | None) -> SendOutcome:
    means: dict[str, Any] = {"subjects": world.subjects, "secrets": world.secrets, "clock": world.clock}
    (outcome,) = confirm_sends([send_id or ""], policy=world.policy, **means)
    return outcome


def last_sends(world: World, email: str) -> list[tuple[str, str]]:
    return list(world.subjects.holdings(world.contact(email)).last_sends)


def checked(world: World, email: str = OLD) -> str | None:
    (answer,) = world.check(email)
    assert answer.permission.allowed
    return answer.send_id


def test_a_change_of_address_is_of_who_asked_for_it_and_not_of_who_has_the_address_next(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    token = world.asked_to_move(NEW)
    place.erase(OLD)
    world.clock.move(days=1)
    world.confirm(world.asked())
    next_holder = world.subjects.load(world.contact()).subject
    world.clock.move(days=1)

    with pytest.raises(RequestGoneError, match="gone"):
        world.confirm_change(token)

    assert world.subjects.load(world.contact()).subject.chain == next_holder.chain
    assert world.subjects.holdings(world.contact(NEW)).profile is None


def test_a_change_of_address_is_gone_once_letters_stopped_reaching_the_old_one(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    token = world.asked_to_move(NEW)
    world.clock.move(seconds=10)
    bounce = Report(Happening.HARD_BOUNCE, world.clock(), (), (OLD,), "")
    take_report(bounce, addresses=parse_address, **world.deciding)
    world.clock.move(days=1)
    world.confirm(world.asked())

    with pytest.raises(RequestGoneError, match="gone"):
        world.confirm_change(token)

    assert (world.reason(), world.reason(email=NEW)) == ("given", "no_record")
    assert world.confirm_change(world.asked_to_move(NEW))[1], "who asks now moves"


def test_a_send_that_is_confirmed_after_an_erasure_leaves_nothing(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    letter = checked(world)
    place.erase(OLD)
    world.clock.move(seconds=30)

    assert sent(world, letter) is SendOutcome.NO_RECORD
    assert last_sends(world, OLD) == []

    world.confirm(world.asked())
    assert sent(world, letter) is SendOutcome.NO_RECORD, "the next holder got no letter yet"
    assert last_sends(world, OLD) == []
    assert sent(world, checked(world)) is SendOutcome.RECORDED
    assert last_sends(world, OLD) == [LETTER]


def test_a_send_that_is_confirmed_after_a_move_is_the_movers(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    letter = checked(world)
    world.move(NEW)
    world.confirm(world.asked())

    assert sent(world, letter) is SendOutcome.RECORDED
    assert (last_sends(world, OLD), last_sends(world, NEW)) == ([], [LETTER])


def test_a_letter_to_who_was_erased_is_not_the_letter_of_who_moved_there(place: Place) -> None:
    world = place.world
    world.confirm(world.asked(email=NEW))
    letter = checked(world, NEW)
    place.erase(NEW)
    world.confirm(world.asked())
    world.move(NEW)

    assert sent(world, letter) is SendOutcome.NO_RECORD
    assert last_sends(world, NEW) == []


def test_who_moved_and_came_back_got_the_letters_of_before(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    letter = checked(world)
    world.move(NEW)
    world.move(OLD, NEW)

    assert sent(world, letter) is SendOutcome.RECORDED
    assert last_sends(world, OLD) == [LETTER]


def test_a_letter_from_before_the_bounce_is_not_the_next_holders(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    letter = checked(world)
    world.clock.move(seconds=10)
    bounce = Report(Happening.HARD_BOUNCE, world.clock(), (), (OLD,), "")
    take_report(bounce, addresses=parse_address, **world.deciding)
    world.clock.move(days=1)
    world.confirm(world.asked())

    assert sent(world, letter) is SendOutcome.NO_RECORD
    assert last_sends(world, OLD) == []


def test_a_letter_that_needs_no_yes_is_noted_of_nobody_who_is_unknown(place: Place) -> None:
    world = place.world
    (answer,) = check_permissions(
        Question("grouping", "any", None, [THIRD], record_send=True),
        base_url=BASE_URL,
        addresses=parse_address,
        policy=world.policy,
        subjects=world.subjects,
        secrets=world.secrets,
        clock=world.clock,
    )

    assert answer.permission.allowed
    assert last_sends(world, THIRD) == []
    assert sent(world, answer.send_id) is SendOutcome.NO_RECORD


@pytest.mark.parametrize("first", [OLD, NEW])
def test_after_everybody_is_erased_nothing_stays_at_an_address_that_people_left(place: Place, first: str) -> None:
    world = place.world
    if not hasattr(world.subjects, "_clock"):
        world.subjects.clock = world.clock
    world.confirm(world.asked())
    world.move(NEW)
    world.confirm(world.asked())
    world.clock.move(seconds=10)
    place.erase(first)
    place.erase(NEW if first == OLD else OLD)
    ended = world.subjects.load(world.contact()).subject

    world.clock.move(days=30)
    world.address_moves.settle(ended)

    here = world.subjects.load(world.contact()).subject
    assert (here.chain, here.suppression, here.leads_on) == (None, None, False)
    assert here.last_at == 0, "what is stored there has ended"
