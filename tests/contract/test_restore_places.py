"""A restore of a table in which records changed place, or were in use, since the backup: on the fake and on moto."""

from dataclasses import replace
from typing import Any

import pytest
from tests.contract.test_address_moves import Place
from tests.contract.test_restore import (
    COMES,
    STAYS,
    Drill,
    brought_by_others,
    confirmed,
    erased,
    held_for_a_while,
    in_dynamodb,
    in_memory,
    kept_out,
)
from tests.contract.test_restore_since import objects

from cli.restore import _replay_all
from consent_center.adapters.dynamodb.items import SUBJECTS_ITEMS
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.listing import DynamoListing
from consent_center.adapters.dynamodb.moves import DynamoMoves
from consent_center.adapters.dynamodb.restore import DynamoRestoredRecords
from consent_center.adapters.dynamodb.retention import DynamoRetention
from consent_center.domain.restore import Outcome
from consent_center.ports.letters import Part
from consent_center.ports.people import Dossier, End, Retention
from fakes import InMemoryListing, InMemoryMoves, InMemoryRetention, InMemorySubjects
from usecase_world import World

NEW = "new@example.com"


@pytest.fixture(params=["in memory", "moto"])
def drill(request: pytest.FixtureRequest) -> Drill:
    return in_memory() if request.param == "in memory" else in_dynamodb(request.getfixturevalue("moto_database"))


def place_of(world: World) -> Place:
    if isinstance(world.subjects, InMemorySubjects):
        return Place(world, InMemoryMoves(world.subjects), InMemoryListing(world.subjects))
    database = world.subjects._database
    return Place(world, DynamoMoves(database), DynamoListing(database))


def retention_of(world: World) -> Retention:
    if isinstance(world.subjects, InMemorySubjects):
        return InMemoryRetention(world.subjects)
    return DynamoRetention(world.subjects._database, world.clock)


def rotated_since(drill: Drill) -> Any:
    """Somebody stopped one topic before the backup, and moved to another pepper after it; their place before."""
    world = drill.world
    confirmed(world, STAYS)
    world.clock.move(seconds=10)
    world.withdraw(world.stop_token("events", STAYS))
    world.clock.move(seconds=10)
    drill.back_up()
    before = world.contact(STAYS)
    place_of(world).rotate()
    return before


def test_who_moved_to_another_pepper_since_the_backup_is_in_one_place(drill: Drill) -> None:
    before = rotated_since(drill)
    world = drill.world

    assert set(drill.replayed()) == {Outcome.UNCHANGED}

    assert (world.reason("product-news", STAYS), world.reason("events", STAYS)) == ("given", "withdrawn")
    assert world.subjects.load(world.contact(STAYS)).subject.version == 0
    erased(world, STAYS, keep=False)
    left = world.subjects.holdings(before)
    assert (left.profile, left.subject.chain) == (None, None)


def test_who_was_kept_out_and_moved_to_another_pepper_is_kept_out_in_one_place(drill: Drill) -> None:
    world = drill.world
    before = rotated_since(drill)
    world.clock.move(seconds=10)
    kept_out(world, STAYS)

    drill.replayed()

    assert world.reason("product-news", STAYS) == "suppressed"
    assert world.subjects.load(before).subject.suppression is not None
    assert world.subjects.load(world.contact(STAYS)).subject.version == 0


def test_who_was_kept_out_at_an_address_that_only_the_damaged_table_knows_stays_out_there() -> None:
    drill = in_memory()
    world = drill.world
    confirmed(world, STAYS)
    drill.back_up()
    world.move(NEW, STAYS)
    world.clock.move(seconds=10)
    kept_out(world, NEW)

    drill.replayed()

    assert (world.reason(email=STAYS), world.reason(email=NEW)) == ("restricted", "suppressed")


def test_who_must_still_be_told_where_their_data_are_from_gets_no_marketing_after_a_restore(drill: Drill) -> None:
    world = drill.world
    brought_by_others(world, COMES)
    drill.back_up()
    held_for_a_while(world, COMES)
    before = world.subjects.load(world.contact(COMES)).subject

    drill.replayed()

    assert world.subjects.load(world.contact(COMES)).subject.inform_by == before.inform_by > 0
    assert world.reason(email=COMES) == "not_informed"


def test_a_second_run_leaves_out_what_somebody_did_after_the_first_began() -> None:
    drill = in_memory()
    world = drill.world
    confirmed(world, STAYS)
    drill.back_up()
    live = World(subjects=world.subjects, ledger=world.ledger, clock=world.clock)
    drill.replayed()
    began = world.clock()
    world.clock.move(seconds=10)
    live.withdraw(live.stop_token("events", STAYS))

    assert set(drill.again(until=began)) == {Outcome.UNCHANGED}
    assert Outcome.BROUGHT_UP in drill.again()


def test_a_state_whose_time_was_over_does_not_come_back(moto_database: Any) -> None:
    drill = in_dynamodb(moto_database)
    world = drill.world
    drill.back_up()
    confirmed(world, COMES)
    objects(world, COMES)
    retention = DynamoRetention(moto_database, world.clock)
    found = retention.dossier(world.contact(COMES))
    assert found is not None
    retention.keep(found, {Part("state"): End(world.clock() // 1000 + 100, None)}, [], None)
    world.clock.move(days=1)

    assert drill.replayed() == []
    assert world.subjects.load(world.contact(COMES)).subject.version == 0


def test_what_a_restore_changes_has_its_clocks_worked_out_that_day(drill: Drill) -> None:
    world = drill.world
    if isinstance(world.subjects, InMemorySubjects):
        world.subjects.clock = world.clock
    confirmed(world, STAYS)
    drill.back_up()
    confirmed(world, COMES)
    objects(world, COMES)
    world.withdraw(world.stop_token("events", STAYS))

    drill.replayed()

    for email in (STAYS, COMES):
        found = retention_of(world).dossier(world.contact(email))
        assert isinstance(found, Dossier)
        assert found.review_on == "2027-01-15"


def test_a_suppression_that_is_taken_over_ends_when_it_is_over(drill: Drill) -> None:
    world = drill.world
    if isinstance(world.subjects, InMemorySubjects):
        world.subjects.clock = world.clock
    drill.back_up()
    kept_out(world, COMES)
    records, originals = drill.restore()
    (original,) = originals()
    end = world.clock() // 1000 + 100
    suppression = original.suppression._replace(until=end)
    here = replace(world.subjects.load(world.contact(COMES)).subject, version=1, suppression=suppression)
    records.put(here, 0)

    assert world.subjects.load(world.contact(COMES)).subject.suppression == suppression
    world.clock.move(seconds=100)
    assert world.subjects.load(world.contact(COMES)).subject.suppression is None


class _Means:
    """The adapters of a drill, with the copy in the table's place."""

    def __init__(self, drill: Drill, database: Any) -> None:
        world = drill.world
        self.clock, self.subjects, self.ledger = world.clock, world.subjects, DynamoLedger()
        self._database = database

    def restored_records(self, table: str) -> DynamoRestoredRecords:
        return DynamoRestoredRecords(self._database, table, self.clock)


def test_states_of_the_damaged_table_that_nobody_can_read_are_counted(moto_database: Any) -> None:
    drill = in_dynamodb(moto_database)
    confirmed(drill.world, COMES)
    key = {"pk": {"S": "S#k1#x"}, "sk": {"S": "STATE"}}
    moto_database.call("PutItem", TableName="subjects", Item={**key, "v": {"N": "9"}, "chain": {"S": "x"}})
    moto_database.bind(SUBJECTS_ITEMS, "restored")

    means: Any = _Means(drill, moto_database)
    report = _replay_all(means, "subjects", "restored", drill.world.policy)

    assert report.unreadable == 1
    assert "1 states of the table cannot be read" in str(report)


def test_a_second_run_leaves_out_who_came_after_the_first_began(moto_database: Any) -> None:
    drill = in_dynamodb(moto_database)
    began = drill.world.clock()
    confirmed(drill.world, COMES)
    objects(drill.world, COMES)
    moto_database.bind(SUBJECTS_ITEMS, "restored")
    means: Any = _Means(drill, moto_database)

    assert not _replay_all(means, "subjects", "restored", drill.world.policy, until=began).outcomes
    assert _replay_all(means, "subjects", "restored", drill.world.policy).outcomes == {"carried_over": 1}
