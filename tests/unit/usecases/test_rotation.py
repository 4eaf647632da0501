"""Finding people under several peppers, and following a move."""

import pytest

from builders import PEOPLE
from consent_center.adapters.addresses import parse_address
from consent_center.domain.contact import ContactPoint, Keyring
from consent_center.usecases.rotation import Outcome, is_move, move_to_current
from consent_center.usecases.sends import confirm_sends
from consent_center.usecases.whose import whose
from fakes import InMemoryMoves, no_pause
from usecase_world import World


def with_a_new_pepper(world: World) -> None:
    known = world.secrets.pepper
    new = f"k{len(known.keys) + 1}"
    world.secrets.pepper = Keyring(new, {**known.keys, new: f"pepper-{new}".encode()})


def moved(world: World, contact: ContactPoint, moves: InMemoryMoves | None = None) -> Outcome:
    return move_to_current(
        contact,
        subjects=world.subjects,
        moves=moves or InMemoryMoves(world.subjects),
        addresses=parse_address,
        secrets=world.secrets,
        pause=no_pause,
    )


def found(world: World, email: str = PEOPLE[0]) -> ContactPoint:
    return whose(parse_address(email), controller="fjordmeter", subjects=world.subjects, secrets=world.secrets)


def test_with_one_pepper_nothing_is_read_to_find_somebody() -> None:
    world = World()

    assert found(world) == world.contact()
    assert world.subjects.calls == []


def test_with_several_the_same_is_read_for_everybody() -> None:
    world = World()
    world.confirm(world.asked())
    old = world.contact()
    with_a_new_pepper(world)
    world.subjects.calls.clear()

    assert found(world) == old
    of_somebody_known = list(world.subjects.calls)
    world.subjects.calls.clear()
    assert found(world, "nobody@example.com") == world.contact("nobody@example.com")
    assert world.subjects.calls == of_somebody_known == ["load", "load"]


def test_a_check_looks_under_older_peppers_only_for_whom_nothing_is_known() -> None:
    world = World()
    world.confirm(world.asked())
    world.subjects.calls.clear()
    world.check(PEOPLE[0], "nobody@example.com")
    assert world.subjects.calls == ["states"]

    old = world.contact()
    with_a_new_pepper(world)
    assert world.reason() == "given"
    assert world.subjects.calls == ["states"] * 3

    world.subjects.unreadable = {old}
    assert world.reason() == "unavailable"


def test_somebody_whose_address_went_stays_under_the_older_pepper_and_is_found() -> None:
    world = World()
    world.confirm(world.asked())
    old = world.contact()
    world.subjects.profiles.clear()
    world.subjects.payload_of.clear()
    with_a_new_pepper(world)

    assert moved(world, old) is Outcome.NO_ADDRESS
    assert world.reason() == "given"


def test_without_a_profile_the_newest_event_that_tells_the_address_is_enough() -> None:
    world = World()
    world.confirm(world.asked())
    old = world.contact()
    world.subjects.profiles.clear()
    with_a_new_pepper(world)

    assert moved(world, old) is Outcome.MOVED
    assert world.reason() == "given"


def test_who_decides_while_they_are_moved_wins_and_is_moved_then() -> None:
    world = World()
    world.confirm(world.asked())
    old, stop = world.contact(), world.stop_token()
    with_a_new_pepper(world)
    moves = InMemoryMoves(world.subjects, before_moving=lambda: world.withdraw(stop))

    assert moved(world, old, moves) is Outcome.MOVED
    assert world.reason() == "withdrawn"
    assert world.kinds() == ["given", "withdrawn"]


def test_a_kill_before_the_move_leaves_everything_where_it_was() -> None:
    world = World()
    world.confirm(world.asked())
    old = world.contact()
    with_a_new_pepper(world)

    def killed() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moved(world, old, InMemoryMoves(world.subjects, before_moving=killed))
    assert world.reason() == "given"
    assert moved(world, old) is Outcome.MOVED


def test_a_letter_checked_before_a_rotation_is_noted_where_the_record_is() -> None:
    world = World()
    world.confirm(world.asked())
    sent = world.check()[0].send_id or ""
    old = world.contact()
    with_a_new_pepper(world)
    moved(world, old)

    confirm_sends([sent], policy=world.policy, subjects=world.subjects, secrets=world.secrets, clock=world.clock)

    assert [contact for contact, _ in world.subjects.sends] == [world.contact()]


def test_nothing_is_told_or_counted_of_a_move() -> None:
    state, marker, came = {"chain": {}}, {"moved_to": {}}, {"chain": {}, "moved_from": {}}

    assert is_move(state, marker)
    assert is_move(None, came)
    assert is_move({"p": {}}, came)
    assert is_move(marker, None)
    assert not is_move(came, state)
    assert not is_move(came, came)
    assert not is_move(None, state)
