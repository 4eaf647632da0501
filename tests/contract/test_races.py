"""Many changes to one person at once, on every engine: each ends in an allowed outcome with the chain unbroken."""

import pytest

from at_once import at_once
from builders import LINKS, a_decision
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.limits import DynamoLimits
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.bootstrap import _pause
from consent_center.domain.capability import WithdrawLink, seal_withdrawal
from consent_center.domain.errors import (
    InvalidFormError,
    RequestGoneError,
    StaleSubjectError,
    TooManyTriesError,
    UnavailableError,
)
from consent_center.domain.passcode import MOST_TRIES
from consent_center.usecases.letters import Delivery
from fakes import InMemoryLedger, InMemorySubjects
from usecase_world import World


@pytest.fixture(params=["in memory", "engine"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "in memory":
        subjects = InMemorySubjects()
        return World(subjects=subjects, ledger=InMemoryLedger(subjects))
    database = request.getfixturevalue("engine_database")
    return World(subjects=DynamoSubjects(database, _pause, lambda: 0), ledger=DynamoLedger(), pause=_pause)


def test_of_many_decisions_on_one_version_exactly_one_is_stored(world: World) -> None:
    outcomes = at_once(*[lambda n=number: world.subjects.commit(a_decision(chain=f"chain-{n}")) for number in range(8)])

    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, StaleSubjectError) for outcome in outcomes) == 7


def test_two_confirmations_are_one_event(world: World) -> None:
    token = world.asked()
    shown = world.look(token).wording.hash
    outcomes = at_once(*[lambda: world.confirm(token, shown)[1]] * 2)

    assert sorted(outcomes, key=str) == [False, True]
    assert world.kinds() == ["given"]


def test_a_confirmation_against_a_withdrawal_of_everything_ends_withdrawn(world: World) -> None:
    world.confirm(world.asked("product-news"))
    stop = world.stop_token()
    world.clock.move(seconds=1)
    token = world.asked("events")
    shown = world.look(token).wording.hash
    world.clock.move(seconds=1)
    outcomes = at_once(lambda: world.confirm(token, shown)[1], lambda: world.withdraw(stop)[1])

    assert True in outcomes
    assert all(outcome is True or isinstance(outcome, RequestGoneError) for outcome in outcomes)
    assert (world.reason("product-news"), world.reason("events")) == ("withdrawn", "withdrawn")
    assert world.kinds() in (["given", "given", "withdrawn"], ["given", "withdrawn"])


def test_a_confirmation_against_the_withdrawal_of_another_topic_keeps_both(world: World) -> None:
    world.confirm(world.asked("product-news"))
    stop = world.stop_token("product-news")
    world.clock.move(seconds=1)
    token = world.asked("events")
    shown = world.look(token).wording.hash
    outcomes = at_once(lambda: world.confirm(token, shown)[1], lambda: world.withdraw(stop)[1])

    assert outcomes == [True, True]
    assert (world.reason("product-news"), world.reason("events")) == ("withdrawn", "given")
    assert len(world.kinds()) == 3


def test_a_confirmation_against_a_cancellation_never_outlives_it(world: World) -> None:
    for number in range(5):
        email = f"person-{number}@example.com"
        token = world.asked(email=email)
        shown, stop = world.look(token).wording.hash, world.letter_token("stop_url")
        outcomes = at_once(lambda t=token, s=shown: world.confirm(t, s)[1], lambda s=stop: world.withdraw(s)[1])

        assert not any(isinstance(outcome, UnavailableError) for outcome in outcomes)
        assert world.reason(email=email) in ("withdrawn", "no_record")
        assert world.kinds(email) in (["given", "withdrawn"], [])
        assert all(isinstance(outcome, bool | RequestGoneError) for outcome in outcomes)


def test_sixteen_changes_to_one_person_leave_one_unbroken_chain(world: World) -> None:
    tokens = [world.asked("product-news"), world.asked("events")]
    shown = [world.look(token).wording.hash for token in tokens]
    world.clock.move(seconds=1)
    stops = [seal_withdrawal(WithdrawLink(world.contact(), "dm", topics), LINKS) for topics in (("pn",), ("ev",), ())]
    confirmations = [lambda n=number % 2: world.confirm(tokens[n], shown[n]) for number in range(6)]
    withdrawals = [lambda n=number % 3: world.withdraw(stops[n]) for number in range(10)]
    outcomes = at_once(*confirmations, *withdrawals)

    assert len(outcomes) == 16
    assert not any(isinstance(outcome, UnavailableError) for outcome in outcomes[6:])
    assert all(isinstance(outcome, tuple | RequestGoneError | UnavailableError) for outcome in outcomes)
    events = world.events()
    last = {
        topic: change["after"] for event in events for change in event.body["changes"] for topic in change["topics"]
    }
    for topic, after in last.items():
        assert world.reason(topic) == {"ConsentGiven": "given", "ConsentWithdrawn": "withdrawn"}[after]
    acknowledged = sum(outcome[1] for outcome in outcomes if isinstance(outcome, tuple))
    assert acknowledged == len(events)


def test_of_many_codes_typed_at_once_no_more_than_five_are_compared(engine_database: Database) -> None:
    world = World(limits=DynamoLimits(engine_database))
    token = world.sign_up()
    assert world.deliver() is Delivery.SENT
    right = int(world.letter_code().replace(" ", ""))
    outcomes = at_once(
        *[lambda by=by: world.enter(token, f"{(right + by) % 1_000_000:06d}") for by in range(1, 13)]  # type: ignore[misc]
    )

    assert sum(isinstance(outcome, InvalidFormError) for outcome in outcomes) == MOST_TRIES
    assert sum(isinstance(outcome, TooManyTriesError) for outcome in outcomes) == 12 - MOST_TRIES
