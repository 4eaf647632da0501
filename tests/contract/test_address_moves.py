"""What every implementation of the AddressMoves port does, and what a person's old links and address do after it."""

from dataclasses import dataclass

import pytest

from at_once import at_once
from builders import PEOPLE, PURPOSE, a_decision
from consent_center.adapters.addresses import parse_address
from consent_center.adapters.dynamodb.address_moves import DynamoAddressMoves
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.listing import DynamoListing
from consent_center.adapters.dynamodb.moves import DynamoMoves
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.domain.contact import ContactPoint, Keyring
from consent_center.domain.errors import (
    ExpiredTokenError,
    NothingHeldError,
    RequestGoneError,
    StaleSubjectError,
    TakenPlaceError,
    UnavailableError,
)
from consent_center.domain.moving import MOVED, move
from consent_center.domain.subject import Act
from consent_center.ports.people import Listing, Moves, Send
from consent_center.usecases.move_address import move_address
from consent_center.usecases.rotation import Outcome, move_to_current
from consent_center.usecases.suppress import erase
from fakes import (
    InMemoryLedger,
    InMemoryListing,
    InMemoryMoves,
    InMemorySubjects,
    SettableClock,
    no_pause,
)
from usecase_world import World

OLD, NEW, THIRD = PEOPLE[0], "new@example.com", "third@example.com"


@dataclass
class Place:
    world: World
    rotation: Moves
    listing: Listing

    def listed(self) -> list[ContactPoint]:
        return [one for shard in range(self.listing.shards) for one in self.listing.records("fjordmeter", shard)]

    def remains(self) -> list[ContactPoint]:
        return [one for shard in range(self.listing.shards) for one in self.listing.remains("fjordmeter", shard)]

    def rotate(self) -> list[Outcome]:
        """Add a key, make it current, and move everybody."""
        known = self.world.secrets.pepper
        new = f"k{len(known.keys) + 1}"
        self.world.secrets.pepper = Keyring(new, {**known.keys, new: f"pepper-{new}".encode()})
        means = {"subjects": self.world.subjects, "secrets": self.world.secrets, "pause": no_pause}
        return [move_to_current(one, moves=self.rotation, addresses=parse_address, **means) for one in self.listed()]

    def erase(self, email: str, *, keep_fingerprint: bool = False) -> None:
        door = {"source": "operator", "client": "operator", "controller": "fjordmeter"}
        erase(parse_address(email), keep_fingerprint=keep_fingerprint, **door, **self.world.deciding)


@pytest.fixture(params=["in memory", "moto", "engine"])
def place(request: pytest.FixtureRequest) -> Place:
    return a_place(request)


@pytest.fixture(params=["in memory", "engine"])
def arena(request: pytest.FixtureRequest) -> Place:
    """Where many may act at once, which moto cannot."""
    return a_place(request)


def a_place(request: pytest.FixtureRequest) -> Place:
    if request.param == "in memory":
        subjects = InMemorySubjects()
        world = World(subjects=subjects, ledger=InMemoryLedger(subjects))
        return Place(world, InMemoryMoves(subjects), InMemoryListing(subjects))
    database = request.getfixturevalue(f"{request.param}_database")
    clock = SettableClock()
    world = World(
        subjects=DynamoSubjects(database, no_pause, clock),
        ledger=DynamoLedger(),
        address_moves=DynamoAddressMoves(database, clock, lambda: "ledger"),
        clock=clock,
    )
    return Place(world, DynamoMoves(database), DynamoListing(database))


def test_a_record_moves_whole_and_its_old_address_is_unknown(place: Place) -> None:
    world = place.world
    world.confirm(world.asked("product-news"))
    world.subjects.record_sends([Send(world.contact(), PURPOSE, 1)])
    before = world.subjects.holdings(world.contact())

    world.move(NEW)

    after = world.subjects.holdings(world.contact(NEW))
    assert (after.subject.decided, after.subject.chain) == (before.subject.decided, before.subject.chain)
    assert (after.profile.address.mailable, after.profile.language) == (NEW, before.profile.language)
    assert dict(after.last_sends) == dict(before.last_sends)
    assert world.kinds(NEW) == ["given", MOVED]
    assert (world.reason("product-news", NEW), world.reason("product-news")) == ("given", "no_record")
    assert place.listed() == [world.contact(NEW)]
    left = world.subjects.holdings(world.contact())
    assert (left.profile, dict(left.last_sends), left.subject.chain) == (None, {}, None)
    payload = world.subjects.payload(after.subject.chain, 2)
    assert (payload.content["from"], payload.content["address"]) == (OLD, NEW)


def test_links_of_letters_to_the_old_address_withdraw_at_the_new_one(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    of_confirmation, stop, topic = world.letter_token("stop_url"), world.stop_token(), world.stop_token("events")

    world.move(NEW)
    world.move(THIRD, NEW)

    assert world.withdraw(topic)[1]
    assert (world.reason("events", THIRD), world.reason("product-news", THIRD)) == ("withdrawn", "given")
    assert world.withdraw(of_confirmation)[1]
    assert world.reason("product-news", THIRD) == "withdrawn"
    assert not world.withdraw(stop)[1]
    assert world.kinds(THIRD) == ["given", MOVED, MOVED, "withdrawn", "withdrawn"]


def test_whoever_has_the_old_address_next_is_somebody_else_to_every_link(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    of_mover = world.stop_token()
    world.move(NEW)
    world.confirm(world.asked("events"))
    of_next = world.stop_token("events")
    world.clock.move(seconds=10)

    assert world.withdraw(of_next)[1]
    assert (world.reason("events"), world.reason("events", NEW)) == ("withdrawn", "given")
    assert world.withdraw(of_mover)[1]
    assert world.reason("product-news", NEW) == "withdrawn"
    assert world.kinds() == ["given", "withdrawn"]


def test_links_are_followed_through_rotations_before_and_after_a_move(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    first = world.stop_token("events")
    place.rotate()
    second = world.stop_token("product-news")
    world.move(NEW)
    world.confirm(world.asked("events"))
    assert set(place.rotate()) == {Outcome.MOVED}

    assert world.withdraw(first)[1]
    assert world.withdraw(second)[1]
    assert world.kinds(NEW) == ["given", MOVED, "withdrawn", "withdrawn"]
    assert world.reason("events") == "given"


def test_who_comes_back_to_an_old_address_is_found_by_the_links_of_all_times(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    first = world.stop_token("events")
    world.move(NEW)
    second = world.stop_token("product-news", NEW)
    world.move(OLD, NEW)

    assert world.withdraw(first)[1]
    assert world.withdraw(second)[1]
    assert world.kinds() == ["given", MOVED, MOVED, "withdrawn", "withdrawn"]
    assert place.listed() == [world.contact()]


def test_a_request_at_the_old_address_stays_there_and_is_confirmed_or_cancelled_there(place: Place) -> None:
    world = place.world
    world.confirm(world.asked("product-news"))
    world.clock.move(seconds=1)
    asked = world.asked("events")
    world.move(NEW)
    cancelled = world.asked("product-news")
    world.not_me(world.letter_token("not_me_url"))

    with pytest.raises(RequestGoneError):
        world.confirm(cancelled, "")
    world.confirm(asked)
    assert (world.reason("events"), world.reason("events", NEW)) == ("given", "no_record")
    assert world.kinds(NEW) == ["given", MOVED]


def test_nobody_moves_to_where_somebody_is_or_asked_not_to_be_written_to(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    world.confirm(world.asked(email=NEW))
    token = world.asked_to_move(NEW)
    with pytest.raises(TakenPlaceError):
        world.confirm_change(token)

    place.erase(NEW, keep_fingerprint=True)
    with pytest.raises(RequestGoneError):
        world.confirm_change(token)
    with pytest.raises(TakenPlaceError):
        world.confirm_change(world.asked_to_move(NEW))

    assert (world.reason("events"), world.reason("events", NEW)) == ("given", "suppressed")


def test_a_link_that_moved_a_record_says_so_again_and_every_other_of_that_time_is_gone(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    here, there = world.asked_to_move(NEW), world.asked_to_move(THIRD)
    assert world.look_at_change(here).address == NEW
    assert world.confirm_change(here)[1]

    again, is_new = world.confirm_change(here)
    assert (again.is_done, is_new) == (True, False)
    with pytest.raises(RequestGoneError):
        world.confirm_change(there)
    world.move(THIRD, NEW)
    with pytest.raises(RequestGoneError):
        world.look_at_change(here)
    assert world.kinds(THIRD) == ["given", MOVED, MOVED]


def test_a_move_made_on_what_has_changed_since_is_refused_and_leaves_all_as_it_is(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    subject = world.subjects.load(world.contact()).subject
    there = world.subjects.load(world.contact(NEW)).subject
    act = Act(MOVED, by_person=True, facts={}, details={})
    moving = move(subject, there, parse_address(NEW), act, now=world.clock(), chance=world.chance.decision())
    world.withdraw(world.stop_token())

    with pytest.raises(StaleSubjectError):
        world.address_moves.move(moving)

    assert (world.kinds(), world.kinds(NEW)) == (["given", "withdrawn"], [])


def test_a_decision_made_on_the_old_place_is_refused_there(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    stale = world.subjects.load(world.contact()).subject
    world.move(NEW)

    with pytest.raises(StaleSubjectError):
        world.subjects.commit(a_decision(stale))


def test_erasing_somebody_clears_what_leads_to_them_and_nobody_else(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    first = world.stop_token()
    world.move(NEW)
    world.confirm(world.asked("events"))
    world.move(THIRD)
    world.confirm(world.asked("product-news"))

    place.erase(NEW)

    here = world.subjects.load(world.contact()).subject
    assert [move.pseudonym for move in here.former] == ["", world.contact(THIRD).pseudonym]
    assert world.subjects.load(world.contact(NEW)).subject.came_from == ()
    assert not world.withdraw(first)[1]
    assert (world.reason("events", THIRD), world.reason("product-news")) == ("given", "given")


def test_who_is_erased_and_kept_out_is_so_at_the_old_address_too(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    world.move(NEW)

    place.erase(NEW, keep_fingerprint=True)

    assert (world.reason(), world.reason(email=NEW)) == ("suppressed", "suppressed")
    assert sorted(place.remains()) == sorted([world.contact(), world.contact(NEW)])
    assert world.subjects.load(world.contact()).subject.former == ()


def test_what_ended_by_itself_leaves_what_led_on_and_takes_what_led_there(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    stop = world.stop_token()
    world.move(NEW)
    stub = world.subjects.load(world.contact()).subject

    world.address_moves.settle(stub)
    assert world.subjects.load(world.contact()).subject.former == stub.former
    assert world.withdraw(stop)[1]

    world.address_moves.settle(world.subjects.load(world.contact(NEW)).subject)
    assert world.subjects.load(world.contact()).subject.former == ()


def test_staff_move_a_record_as_the_person_does(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    door = {"source": "case", "client": "officer"}
    means = {**door, "moves": world.address_moves, **world.deciding}

    with pytest.raises(NothingHeldError):
        move_address(world.contact(THIRD), parse_address(NEW), **means)
    evidence = move_address(world.contact(OLD), parse_address(NEW), **means)

    assert [entry.evidence for entry in world.events(NEW)][-1] == evidence
    assert world.events(NEW)[-1].body["recorded_by"] == "officer"


def test_a_page_that_was_opened_before_the_move_shows_and_changes_nothing_after_it(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    token = world.manage_token()
    world.move(NEW)

    with pytest.raises(ExpiredTokenError):
        world.page(token)
    world.confirm(world.asked("events"))
    with pytest.raises(ExpiredTokenError):
        world.page(token)
    assert world.page(world.manage_token()).profile.address.mailable == OLD
    assert world.page(world.manage_token(NEW)).profile.address.mailable == NEW


def test_a_move_against_a_withdrawal_by_an_old_link_ends_withdrawn(arena: Place) -> None:
    world = arena.world
    for number in range(4):
        old, new = f"old-{number}@example.com", f"new-{number}@example.com"
        world.confirm(world.asked(email=old))
        stop, change = world.stop_token(email=old), world.asked_to_move(new, old)
        outcomes = at_once(lambda t=change: world.confirm_change(t)[1], lambda t=stop: world.withdraw(t)[1])

        assert outcomes == [True, True]
        assert world.reason("events", new) == "withdrawn"
        assert sorted(world.kinds(new)) == ["given", MOVED, "withdrawn"]


def test_a_move_against_a_confirmation_at_the_new_address_never_loses_either(arena: Place) -> None:
    world = arena.world
    for number in range(4):
        old, new = f"old-{number}@example.com", f"new-{number}@example.com"
        world.confirm(world.asked("events", email=old))
        change, asked = world.asked_to_move(new, old), world.asked("product-news", email=new)
        shown = world.look(asked).wording.hash
        outcomes = at_once(lambda t=change: world.confirm_change(t)[1], lambda t=asked, s=shown: world.confirm(t, s)[1])

        assert True in outcomes
        assert all(outcome is True or isinstance(outcome, TakenPlaceError) for outcome in outcomes)
        moved = outcomes == [True, True]
        here = new if moved else old
        assert (world.reason("events", here), world.reason("product-news", new)) == ("given", "given")


def test_two_moves_at_once_are_one(arena: Place) -> None:
    world = arena.world
    world.confirm(world.asked())
    here, there = world.asked_to_move(NEW), world.asked_to_move(THIRD)
    outcomes = at_once(*[lambda t=token: world.confirm_change(t)[1] for token in (here, there, here, there)])

    assert outcomes.count(True) == 1
    assert not any(isinstance(outcome, UnavailableError) for outcome in outcomes)
    assert len(arena.listed()) == 1
    assert [kinds for email in (NEW, THIRD) if (kinds := world.kinds(email))] == [["given", MOVED]]
