"""What every implementation of the Listing port does."""

from dataclasses import dataclass

import pytest

from builders import PEOPLE
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.listing import DynamoListing
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.domain.contact import ContactPoint
from consent_center.ports.people import Listing
from fakes import InMemoryLedger, InMemoryListing, InMemorySubjects, SettableClock, no_pause
from usecase_world import World


@dataclass
class Records:
    world: World
    listing: Listing

    def all(self, controller: str = "fjordmeter") -> list[ContactPoint]:
        return [contact for shard in range(self.listing.shards) for contact in self.listing.records(controller, shard)]


@pytest.fixture(params=["in memory", "moto", "engine"])
def records(request: pytest.FixtureRequest) -> Records:
    if request.param == "in memory":
        subjects = InMemorySubjects()
        return Records(World(subjects=subjects, ledger=InMemoryLedger(subjects)), InMemoryListing(subjects))
    database = request.getfixturevalue(f"{request.param}_database")
    world = World(subjects=DynamoSubjects(database, no_pause, SettableClock()), ledger=DynamoLedger())
    return Records(world, DynamoListing(database))


def test_everybody_who_decided_stands_in_one_shard_and_stays_there(records: Records) -> None:
    emails = [PEOPLE[0], *(f"reader{number}@example.com" for number in range(20))]
    for email in emails:
        records.world.confirm(records.world.asked(email=email))

    everybody = {records.world.contact(email) for email in emails}
    assert sorted(records.all(), key=str) == sorted(everybody, key=str)

    records.world.withdraw(records.world.stop_token())
    assert sorted(records.all(), key=str) == sorted(everybody, key=str)


def test_who_only_asked_and_whoever_is_of_another_controller_is_not_listed(records: Records) -> None:
    records.world.asked()

    assert records.all() == []
    records.world.confirm(records.world.asked())
    assert records.all("somebody-else") == []
    assert records.all() == [records.world.contact()]
