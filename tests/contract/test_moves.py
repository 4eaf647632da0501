"""What every implementation of the Moves port does, and what a person's old links and addresses do after it."""

from dataclasses import dataclass, replace

import pytest

from builders import PEOPLE, PURPOSE, a_decision
from consent_center.adapters.addresses import parse_address
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.listing import DynamoListing
from consent_center.adapters.dynamodb.moves import DynamoMoves
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.domain.capability import Capability
from consent_center.domain.contact import ContactPoint, Keyring
from consent_center.domain.errors import RequestGoneError, StaleSubjectError, TakenPlaceError
from consent_center.ports.people import Listing, Moves, Send
from consent_center.usecases.rotation import Outcome, move_to_current
from consent_center.usecases.suppress import erase
from fakes import InMemoryLedger, InMemoryListing, InMemoryMoves, InMemorySubjects, SettableClock, no_pause
from usecase_world import World


@dataclass
class Place:
    world: World
    moves: Moves
    listing: Listing

    def rotate(self) -> list[Outcome]:
        """Add a key, make it current, and move everybody."""
        known = self.world.secrets.pepper
        new = f"k{len(known.keys) + 1}"
        self.world.secrets.pepper = Keyring(new, {**known.keys, new: f"pepper-{new}".encode()})
        return self.move()

    def move(self) -> list[Outcome]:
        return [
            move_to_current(
                contact,
                subjects=self.world.subjects,
                moves=self.moves,
                addresses=parse_address,
                secrets=self.world.secrets,
                pause=no_pause,
            )
            for contact in self.listed()
        ]

    def listed(self) -> list[ContactPoint]:
        shards = range(self.listing.shards)
        return [contact for shard in shards for contact in self.listing.records("fjordmeter", shard)]

    def remains(self) -> list[ContactPoint]:
        shards = range(self.listing.shards)
        return [contact for shard in shards for contact in self.listing.remains("fjordmeter", shard)]

    def erase(self) -> None:
        world = self.world
        erase(
            parse_address(PEOPLE[0]),
            keep_fingerprint=True,
            source="operator",
            client="operator",
            controller="fjordmeter",
            **world.deciding,
        )


@pytest.fixture(params=["in memory", "moto", "engine"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "in memory":
        subjects = InMemorySubjects()
        world = World(subjects=subjects, ledger=InMemoryLedger(subjects))
        return Place(world, InMemoryMoves(subjects), InMemoryListing(subjects))
    database = request.getfixturevalue(f"{request.param}_database")
    world = World(subjects=DynamoSubjects(database, no_pause, SettableClock()), ledger=DynamoLedger())
    return Place(world, DynamoMoves(database), DynamoListing(database))


def test_a_record_moves_whole_and_says_the_same_under_its_new_key(place: Place) -> None:
    world = place.world
    world.confirm(world.asked("product-news"))
    world.subjects.record_sends([Send(world.contact(), PURPOSE, 1)])
    before = world.subjects.holdings(world.contact())

    assert place.rotate() == [Outcome.MOVED]

    after = world.subjects.holdings(world.contact())
    assert after.subject == replace(before.subject, contact=world.contact(), version=before.subject.version + 1)
    assert (after.profile, dict(after.last_sends)) == (before.profile, dict(before.last_sends))
    assert place.listed() == [world.contact()]
    assert world.kinds() == ["given"]
    assert place.move() == [Outcome.CURRENT]


def test_links_of_an_old_letter_withdraw_for_somebody_who_was_moved_twice(place: Place) -> None:
    world = place.world
    not_mine = world.asked()
    world.confirm(not_mine)
    stop = world.stop_token()
    topic = world.stop_token("product-news")

    place.rotate()
    place.rotate()
    assert world.reason() == "given"

    assert world.withdraw(topic, "page")[1]
    assert world.withdraw(stop)[1]
    assert world.reason() == "withdrawn"
    assert place.listed() == [world.contact()]
    assert world.kinds() == ["given", "withdrawn", "withdrawn"]


def test_before_anybody_is_moved_people_are_found_under_the_older_key(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    old = world.contact()
    world.secrets.pepper = Keyring("k2", {**world.secrets.pepper.keys, "k2": b"pepper-two"})

    assert world.reason() == "given"
    world.withdraw(world.stop_token())
    assert world.reason() == "withdrawn"
    world.clock.move(seconds=1)
    world.confirm(world.asked("events"))

    assert place.listed() == [old]
    assert world.reason("events") == "given"


def test_a_request_that_is_open_while_its_person_is_moved_can_be_confirmed_or_cancelled(place: Place) -> None:
    world = place.world
    world.confirm(world.asked("product-news"))
    confirmed = world.asked("events")
    place.rotate()
    world.confirm(confirmed)
    assert world.reason("events") == "given"

    world.withdraw(world.stop_token())
    world.clock.move(seconds=1)
    later = world.asked("events")
    not_me = world.letter_token("not_me_url")
    place.rotate()
    world.withdraw(not_me, "not-me", Capability.NOT_ME)
    with pytest.raises(RequestGoneError):
        world.confirm(later, "")


def test_who_is_erased_stays_suppressed_through_two_rotations(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    old = world.contact()
    place.erase()

    assert place.rotate() == []
    assert place.rotate() == []

    assert world.reason() == "suppressed"
    assert world.reason(email=PEOPLE[0].replace("@", "+tag@")) == "suppressed"
    # Nobody knows the address any more, so its key has to stay.
    assert place.remains() == [old]


def test_nobody_is_moved_to_where_somebody_is(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    world.confirm(world.asked(email="other@example.com"))
    here, there = world.contact(), world.contact("other@example.com")

    with pytest.raises(TakenPlaceError):
        place.moves.move(here, there)

    assert sorted(place.listed()) == sorted([here, there])


def test_a_decision_made_on_the_old_place_is_made_anew_on_the_new_one(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    stale = world.subjects.load(world.contact())
    place.rotate()

    with pytest.raises(StaleSubjectError):
        world.subjects.commit(a_decision(stale.subject))
    assert world.reason() == "given"


def test_moving_what_is_not_there_moves_nothing(place: Place) -> None:
    assert not place.moves.move(place.world.contact(), place.world.contact("other@example.com"))
