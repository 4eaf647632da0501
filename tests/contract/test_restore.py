"""A table that was restored brings nobody back: the same on the fake, on moto and on the local engine."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from builders import PEOPLE, PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.items import SUBJECTS_ITEMS, StateItem
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.restore import DynamoRestoredRecords
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import (
    ForbiddenTransitionError,
    NothingHeldError,
    StaleSubjectError,
    SuppressedError,
)
from consent_center.domain.lock import Ground
from consent_center.domain.restore import Outcome
from consent_center.domain.subject import Act, decide, timestamp
from consent_center.domain.suppression import Basis
from consent_center.domain.wishes import stop_everything
from consent_center.usecases.acts import facts
from consent_center.usecases.letters import Delivery
from consent_center.usecases.locks import Lifting, Locking, lift_lock, set_lock
from consent_center.usecases.restore import replay
from consent_center.usecases.suppress import erase, suppress
from fakes import InMemoryLedger, InMemoryRestoredRecords, InMemorySubjects, SettableClock, no_pause
from usecase_world import World

STAYS, LEAVES, GOES, COMES, UNKNOWN = (
    f"person-{name}@example.com" for name in ("stays", "leaves", "goes", "comes", "x")
)


@dataclass
class Drill:
    """A world, and what its table of records is after a restore."""

    world: World
    back_up: Callable[[], None]
    """Take the backup that is restored later."""
    restore: Callable[[], tuple[Any, Callable[[], list[Any]]]]
    """Put the backup in the table's place; its records, and the states in the table that was there."""

    def replayed(self) -> list[Outcome]:
        self.records, self.originals = self.restore()
        return self.again()

    def again(self, until: int | None = None) -> list[Outcome]:
        records = self.records
        found = [self._again(records, contact, None, until) for contact in list(records.records())]
        readable = [one for one in self.originals() if one is not None]
        taken_over = [self._again(records, one.contact, one, until) for one in readable]
        return found + [outcome for outcome in taken_over if outcome is not Outcome.UNCHANGED]

    def _again(self, records: Any, contact: Any, original: Any, until: int | None) -> Outcome:
        return replay(
            contact,
            records=records,
            subjects=self.world.subjects,
            ledger=self.world.ledger or InMemoryLedger(self.world.subjects),
            policy=self.world.policy,
            clock=self.world.clock,
            original=original,
            until=until,
        ).outcome


def in_memory() -> Drill:
    subjects = InMemorySubjects()
    # The ledger lives on, whichever table of records is there.
    world = World(subjects=subjects, ledger=InMemoryLedger(subjects))
    kept: list[InMemorySubjects] = []

    def back_up() -> None:
        lock, subjects.lock = subjects.lock, None  # type: ignore[assignment]
        kept[:] = [copy.deepcopy(subjects)]
        subjects.lock = lock

    def restore() -> tuple[Any, Callable[[], list[Any]]]:
        damaged = [one for one in subjects.subjects.values() if one.suppression or one.chain]
        back = kept[0]
        back.entry_of, back.lock, back.clock = subjects.entry_of, subjects.lock, subjects.clock
        world.subjects = back
        return InMemoryRestoredRecords(back), lambda: damaged

    return Drill(world, back_up, restore)


def in_dynamodb(database: Database) -> Drill:
    clock = SettableClock()
    world = World(subjects=DynamoSubjects(database, no_pause, clock), ledger=DynamoLedger(), clock=clock)
    source = StateItem.Meta.table_name

    def items(table: str) -> list[Any]:
        return list(database.call("Scan", TableName=table, ConsistentRead=True)["Items"])

    kept: list[Any] = []

    def back_up() -> None:
        kept[:] = items(source)

    def restore() -> tuple[Any, Callable[[], list[Any]]]:
        damaged = DynamoRestoredRecords(database, source, clock)
        database.bind(SUBJECTS_ITEMS, "restored")
        for item in items("restored"):
            database.call("DeleteItem", TableName="restored", Key={"pk": item["pk"], "sk": item["sk"]})
        for item in kept:
            database.call("PutItem", TableName="restored", Item=item)
        return DynamoRestoredRecords(database, "restored", clock), lambda: list(damaged.originals())

    return Drill(world, back_up, restore)


@pytest.fixture(params=["in memory", "moto", "engine"])
def drill(request: pytest.FixtureRequest) -> Drill:
    if request.param == "in memory":
        return in_memory()
    return in_dynamodb(request.getfixturevalue(f"{request.param}_database"))


def confirmed(world: World, email: str) -> None:
    world.clock.move(seconds=10)
    world.confirm(world.asked(email=email))


def stopped(world: World, email: str) -> None:
    world.clock.move(seconds=10)
    world.ask_for_link(email)
    if world.deliver_link() is not Delivery.SENT:
        return
    world.wish(world.letter_token("preferences_url"), stop_everything(world.policy))


def erased(world: World, email: str, *, keep: bool = True) -> None:
    erase(
        parse_address(email),
        keep_fingerprint=keep,
        source="operator",
        client="operator",
        controller="fjordmeter",
        **world.deciding,
    )


def kept_out(world: World, email: str) -> None:
    suppress(
        parse_address(email),
        basis=Basis.REQUEST,
        source="api",
        client="desk",
        controller="fjordmeter",
        **world.deciding,
    )


def brought_by_others(world: World, email: str) -> None:
    """Somebody else gave us the person's yes, and the person must still be told so."""
    world.clock.move(seconds=10)
    due = world.clock() // 1000 + 30 * 86_400
    scopes = world.policy.purpose(PURPOSE).scopes("email")
    told = facts(world.policy, scopes, source="import", capability="import") | {"inform_by": timestamp(due * 1000)}
    act = Act("given", by_person=False, facts=told, details={"address": email}, inform_by=due)
    subject = world.subjects.load(world.contact(email)).subject
    yes = [(scope, DecisionState.GIVEN) for scope in scopes]
    world.subjects.commit(decide(subject, yes, act, now=world.clock(), chance=world.chance.decision()))


def held_for_a_while(world: World, email: str) -> None:
    """Staff set a restriction and lift it, which decides nothing."""
    means = {"client": "crm", "addresses": parse_address, **world.deciding}
    world.clock.move(seconds=10)
    lock = set_lock(Locking(email, Ground.CLAIMS, "asked"), **means)
    world.clock.move(seconds=10)
    told = datetime.fromtimestamp(world.clock() / 1000, UTC)
    lift_lock(Lifting(email, "restriction_lifted", lock.number, "done", told), **means)


def test_who_left_stays_away_and_who_was_erased_is_absent(drill: Drill) -> None:
    world = drill.world
    for email in (STAYS, LEAVES, GOES):
        confirmed(world, email)
    drill.back_up()
    stopped(world, LEAVES)
    erased(world, GOES)
    kept_out(world, UNKNOWN)

    outcomes = drill.replayed()

    assert world.reason(email=STAYS) == "given"
    assert world.reason(email=LEAVES) == "withdrawn"
    assert world.reason(email=GOES) == world.reason(email=UNKNOWN) == "suppressed"
    gone = world.subjects.holdings(world.contact(GOES))
    assert gone.subject.chain is gone.profile is None
    assert not gone.requests
    assert outcomes.count(Outcome.ERASED) == 1
    assert set(drill.again()) == {Outcome.UNCHANGED}


def test_without_the_replay_they_would_all_be_back(drill: Drill) -> None:
    world = drill.world
    confirmed(world, LEAVES)
    confirmed(world, GOES)
    drill.back_up()
    stopped(world, LEAVES)
    erased(world, GOES)

    drill.restore()

    assert world.reason(email=LEAVES) == world.reason(email=GOES) == "given"


def test_a_yes_that_lost_its_proof_does_not_come_back_and_the_next_decision_goes_on_from_the_ledger(
    drill: Drill,
) -> None:
    world = drill.world
    confirmed(world, COMES)
    stopped(world, COMES)
    drill.back_up()
    confirmed(world, COMES)
    assert world.reason(email=COMES) == "given"

    drill.replayed()

    assert world.reason(email=COMES) == "withdrawn"
    confirmed(world, COMES)
    assert world.reason(email=COMES) == "given"
    assert world.kinds(COMES)[-1] == "given"


def test_who_is_erased_without_a_fingerprint_leaves_nothing(drill: Drill) -> None:
    world = drill.world
    confirmed(world, GOES)
    chain = world.subjects.load(world.contact(GOES)).subject.chain
    drill.back_up()
    erased(world, GOES, keep=False)

    drill.replayed()

    assert world.reason(email=GOES) == "no_record"
    assert not world.subjects.payloads(chain)


def test_a_run_that_was_cut_short_is_finished_by_the_next(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    world = drill.world
    confirmed(world, GOES)
    chain = world.subjects.load(world.contact(GOES)).subject.chain
    drill.back_up()
    erased(world, GOES)

    with monkeypatch.context() as patched:
        patched.setattr(type(world.subjects), "clear", _killed)
        with pytest.raises(KeyboardInterrupt):
            drill.replayed()
    assert world.subjects.payloads(chain)
    drill.again()

    assert not world.subjects.payloads(chain)
    assert world.subjects.holdings(world.contact(GOES)).profile is None


def test_a_record_that_somebody_uses_already_is_not_written(drill: Drill) -> None:
    confirmed(drill.world, STAYS)
    drill.back_up()
    records, _ = drill.restore()
    subject = drill.world.subjects.load(drill.world.contact(STAYS)).subject

    with pytest.raises(StaleSubjectError):
        records.put(subject, subject.version - 1)


def test_a_missing_entry_sets_the_record_aside_for_staff() -> None:
    drill = in_memory()
    confirmed(drill.world, LEAVES)
    drill.back_up()
    stopped(drill.world, LEAVES)
    stopped(drill.world, LEAVES)
    chain = drill.world.subjects.load(drill.world.contact(LEAVES)).subject.chain
    entry = drill.world.subjects.entry_of[chain, 2]
    drill.world.subjects.entry_of[chain, 2] = entry.__class__({**entry.body, "prev": "0" * 64}, entry.hash)

    assert drill.replayed() == [Outcome.UNREADABLE]
    assert drill.again() == [Outcome.UNREADABLE]
    assert drill.world.reason(email=LEAVES) == "restricted"
    assert len(drill.world.subjects.load(drill.world.contact(LEAVES)).subject.locks) == 1


ACTS: dict[str, Callable[[World, str], None]] = {
    "confirm": confirmed,
    "stop": stopped,
    "erase": erased,
    "erase all": lambda world, email: erased(world, email, keep=False),
    "keep out": kept_out,
    "import": brought_by_others,
    "lock for a while": held_for_a_while,
}

LIFE = st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from(PEOPLE[:2])), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LIFE, LIFE)
@example([("import", PEOPLE[0])], [("lock for a while", PEOPLE[0])])
def test_after_a_restore_nobody_may_be_written_to_who_could_not_be_just_before(before: Any, since: Any) -> None:
    drill = in_memory()
    drill.world.most = drill.world.most.__class__(per_address=100, per_source=1000)

    def live(acts: Any) -> None:
        for act, email in acts:
            drill.world.clock.move(days=31)
            try:
                ACTS[act](drill.world, email)
            except (AssertionError, ForbiddenTransitionError, NothingHeldError, SuppressedError):
                # No letter went out, because there was nothing to ask; or it is refused.
                continue

    live(before)
    drill.back_up()
    live(since)
    allowed = {email for email in PEOPLE[:2] if drill.world.reason(email=email) == "given"}

    drill.replayed()

    assert {email for email in PEOPLE[:2] if drill.world.reason(email=email) == "given"} <= allowed
    assert set(drill.again()) <= {Outcome.UNCHANGED}


def _killed(*args: Any) -> None:
    raise KeyboardInterrupt
