"""Who came after the backup, and who has an address since: the same on the fake, on moto and on the local engine."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from tests.contract.test_restore import COMES, LEAVES, Drill, confirmed, erased, in_dynamodb, in_memory

from consent_api.models import HoldLiftIn, RestrictionLiftIn
from consent_center.adapters.addresses import parse_address
from consent_center.domain import wishes
from consent_center.domain.lock import Ground
from consent_center.domain.objection import Against
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.restore import Outcome
from consent_center.usecases.check import Question, check_permissions
from consent_center.usecases.feedback import Happening, Report, take_report
from consent_center.usecases.locks import Locking, lift_lock, set_lock
from usecase_world import BASE_URL, World


@pytest.fixture(params=["in memory", "moto", "engine"])
def drill(request: pytest.FixtureRequest) -> Drill:
    if request.param == "in memory":
        return in_memory()
    return in_dynamodb(request.getfixturevalue(f"{request.param}_database"))


def asked_about(world: World, purpose: str, channel: str, email: str) -> str:
    (answer,) = check_permissions(
        Question(purpose, channel, None, [email]),
        base_url=BASE_URL,
        policy=world.policy,
        subjects=world.subjects,
        addresses=parse_address,
        secrets=world.secrets,
        clock=world.clock,
    )
    return answer.permission.reason.value


def said(world: World, email: str) -> tuple[str, str]:
    """What is allowed that rests on an interest, which needs no yes."""
    return asked_about(world, "insight", "web", email), asked_about(world, "grouping", "any", email)


def objects(world: World, email: str) -> None:
    world.wish(world.manage_token(email), wishes.object_to_all(world.policy, Against.MARKETING))
    world.clock.move(seconds=10)
    world.wish(world.manage_token(email), wishes.object_to(world.policy.purpose("insight")))


def bounced(world: World, email: str) -> None:
    world.clock.move(seconds=10)
    take_report(
        Report(Happening.HARD_BOUNCE, world.clock(), (), (email,), ""), addresses=parse_address, **world.deciding
    )


def test_an_objection_of_somebody_who_came_after_the_backup_stays(drill: Drill) -> None:
    world = drill.world
    drill.back_up()
    confirmed(world, COMES)
    confirmed(world, LEAVES)
    objects(world, COMES)
    before = said(world, COMES)
    chain = world.subjects.load(world.contact(COMES)).subject.chain

    outcomes = drill.replayed()

    assert said(world, COMES) == before
    assert before[0] == "objected"
    assert (world.reason(email=COMES), world.reason(email=LEAVES)) == ("objected", "no_record")
    assert outcomes.count(Outcome.CARRIED_OVER) == 1
    assert world.subjects.load(world.contact(COMES)).subject.chain == chain
    assert world.subjects.load(world.contact(LEAVES)).subject.version == 0
    assert set(drill.again()) == {Outcome.UNCHANGED}

    confirmed(world, COMES)
    assert (world.reason(email=COMES), said(world, COMES)[0]) == ("given", "objected")


def test_a_restriction_of_somebody_who_came_after_the_backup_stays(drill: Drill) -> None:
    world = drill.world
    drill.back_up()
    confirmed(world, COMES)
    set_lock(Locking(COMES, Ground.CLAIMS, "asked"), client="crm", addresses=parse_address, **world.deciding)

    drill.replayed()

    assert said(world, COMES) == ("restricted", "restricted")


def test_who_signed_up_and_objected_where_somebody_was_erased_since_the_backup_stays_out(drill: Drill) -> None:
    world = drill.world
    confirmed(world, COMES)
    drill.back_up()
    erased(world, COMES, keep=False)
    confirmed(world, COMES)
    objects(world, COMES)

    outcomes = drill.replayed()

    assert said(world, COMES)[0] == "objected"
    assert set(outcomes) == {Outcome.ERASED, Outcome.CARRIED_OVER}
    assert set(drill.again()) == {Outcome.UNCHANGED}


def test_a_state_that_the_ledger_does_not_know_is_restricted_for_staff() -> None:
    drill = in_memory()
    drill.back_up()
    confirmed(drill.world, COMES)
    objects(drill.world, COMES)
    subject = drill.world.subjects.load(drill.world.contact(COMES)).subject
    del drill.world.subjects.entry_of[subject.chain, subject.seq]

    assert drill.replayed() == [Outcome.UNREADABLE]
    assert said(drill.world, COMES) == ("restricted", "restricted")


def test_a_damaged_state_that_nobody_can_read_stops_no_restore(moto_database: Any) -> None:
    drill = in_dynamodb(moto_database)
    drill.back_up()
    for table in ("subjects", "restored"):
        key = {"pk": {"S": "S#k1#x"}, "sk": {"S": "STATE"}}
        moto_database.call("PutItem", TableName=table, Item={**key, "v": {"N": "9"}, "chain": {"S": "x"}})
    confirmed(drill.world, COMES)
    objects(drill.world, COMES)

    assert drill.replayed() == [Outcome.CARRIED_OVER]


def test_a_restore_knows_since_when_an_address_has_another_holder(drill: Drill) -> None:
    world = drill.world
    confirmed(world, LEAVES)
    drill.back_up()
    bounced(world, LEAVES)
    before = world.subjects.load(world.contact(LEAVES)).subject

    drill.replayed()

    after = world.subjects.load(world.contact(LEAVES)).subject
    assert (after.holder_since, after.locks) == (before.holder_since, (UNDELIVERABLE,))
    assert after.holder_since > 0


def test_what_a_restore_restricted_is_lifted_once_somebody_has_looked() -> None:
    drill = in_memory()
    world = drill.world
    confirmed(world, LEAVES)
    drill.back_up()
    world.move("new@example.com", LEAVES)
    drill.replayed()
    assert world.reason(email=LEAVES) == "restricted"
    told = datetime.fromtimestamp(world.clock() / 1000, UTC)

    lifting = RestrictionLiftIn(recipient=LEAVES, number=0, note="moved back", person_told_at=told).lifting()
    assert lift_lock(lifting, client="crm", addresses=parse_address, **world.deciding).is_new

    assert world.reason(email=LEAVES) == "given"
    with pytest.raises(ValidationError):
        HoldLiftIn(recipient=LEAVES, number=0, reason="no restore sets a hold")
