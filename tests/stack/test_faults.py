"""Faults between the functions and what they call: nothing is lost, stored twice, or raised, and nobody is told so.

Most of a case is waiting for time-outs and for tries in between. So all cases that were selected run side by side, each
with a person of its own and with faults that meet only that person's requests.
"""

import json
import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

import local.runtime_api
import shipped_policy
from consent_center.adapters.dynamodb import keys
from consent_center.adapters.policy_files import load_policy
from consent_center.domain.contact import source_name
from consent_center.domain.network import shortened
from faults import (
    ANSWER_LOST,
    CLOSED,
    CONFLICT,
    CONFLICT_OF_ONE,
    FAILING,
    HANGING,
    IDENTITY_REJECTED,
    LETTER_REFUSED,
    MAIL_THROTTLED,
    OVERLOADED,
    QUEUE_REFUSES,
    QUEUE_THROTTLES,
    THROTTLED,
    THROTTLED_ACCOUNT,
    Fault,
    FaultProxy,
    one_unprocessed,
)
from local import emulator
from local.stack import LocalStack, free_port
from spoiled import LETTERS, Person, World
from walk import Walk
from world import Answer, assert_that_no_log_names_a_person, first_link

SIDE_BY_SIDE = 12


Press = Callable[[], Answer]


def _told(answer: Answer) -> str:
    """The title of a page, or a document, for whoever reads that a test failed."""
    return f"{answer.status}: {answer.body.partition('<title>')[2].partition('<')[0] or answer.body[:500]}"


def says_try_again(answer: Answer) -> None:
    assert answer.status == 503, _told(answer)
    assert answer.headers["retry-after"]


def denies_because_it_cannot_read(answer: Answer) -> None:
    assert answer.status == 200, _told(answer)
    assert [(row["allowed"], row["reason"]) for row in answer.json["results"]] == [(False, "unavailable")]


def says_that_the_send_is_not_recorded(answer: Answer) -> None:
    assert answer.status == 200, _told(answer)
    assert [(row["recorded"], row["reason"]) for row in answer.json["results"]] == [(False, "unavailable")]


def succeeds(answer: Answer) -> None:
    assert answer.status in (200, 303), _told(answer)


def says_that_it_is_undone(answer: Answer) -> None:
    assert answer.status == 200, _told(answer)
    assert "as it was before" in answer.body


def allows(answer: Answer) -> None:
    assert answer.status == 200, _told(answer)
    assert [row["allowed"] for row in answer.json["results"]] == [True]


@dataclass(frozen=True)
class Route:
    """A request that a test spoils: what must be there before it, what it calls, and what it stores."""

    prepare: Callable[[Person], Press]
    calls: tuple[str, ...]
    """The operations about the person, in their order."""
    kinds: tuple[str, ...]
    """Of all ledger entries after the preparation and one successful press."""
    after_the_decision: str = ""
    """What fails too late to keep the decision from being stored: stopping comes first, and again is harmless."""
    refuses: Callable[[Answer], None] = says_try_again
    succeeds: Callable[[Answer], None] = succeeds


def _sign_up(person: Person) -> Press:
    return lambda: person.sign_up("events")


def _type_code(person: Person) -> Press:
    waiting = person.waiting(person.sign_up("events"))
    code = person.code()
    person.request_id = json.loads(person.world.proxy.message(*person.names))["request"]
    return lambda: person.post(waiting, code=code)


def _confirm(person: Person) -> Press:
    assert person.sign_up("events").status == 200
    link = person.link("confirm")
    shown = person.hidden(person.get(link).body, "shown")
    return lambda: person.post(link, shown=shown)


def _confirm_page(person: Person) -> Press:
    assert person.sign_up("events").status == 200
    link = person.link("confirm")
    return lambda: person.get(link)


def _cancel(person: Person) -> Press:
    assert person.sign_up("events").status == 200
    link = first_link(person.letter()["headers"])
    return lambda: person.post(link, **{"List-Unsubscribe": "One-Click"})


def _not_me(person: Person) -> Press:
    assert person.sign_up("events").status == 200
    link = person.link("not-me")
    return lambda: person.post(link)


def _not_me_after_all(person: Person) -> Press:
    """Somebody else has confirmed already."""
    assert person.sign_up("events").status == 200
    link = person.link("not-me")
    assert person.confirm().status == 200
    _receipt_was_sent(person)
    return lambda: person.post(link)


def _stop(**fields: str) -> Callable[[Person], Press]:
    def prepare(person: Person) -> Press:
        link = person.given().stop_link("events")
        return lambda: person.post(link, **fields)

    return prepare


def _undo_stop(**fields: str) -> Callable[[Person], Press]:
    def prepare(person: Person) -> Press:
        link = person.given().stop_link("events")
        done = person.hidden(person.post(link, by="page").body, "done")
        person.books()
        return lambda: person.post(link, do="undo", done=done, **fields)

    return prepare


def _preference(**fields: str) -> Callable[[Person], Press]:
    def prepare(person: Person) -> Press:
        path = person.given().manage()
        return lambda: person.post(path, **fields)

    return prepare


def _undo_preference(person: Person) -> Press:
    path = person.given().manage()
    done = person.hidden(person.press(path, do="stop_everything").body, "done")
    person.books()
    return lambda: person.press(path, do="undo", done=done)


def _ask_for_link(person: Person) -> Press:
    person.given()
    return lambda: person.post("/preferences", email=person.email)


def _send(person: Person) -> Press:
    send_id = person.given().check("events")["send_id"]
    return lambda: person.api("check", "/v1/sends", sends=[{"send_id": send_id}])


def _check(**more: Any) -> Callable[[Person], Press]:
    def prepare(person: Person) -> Press:
        question = {"purpose": LETTERS, "channel": "email", "topic": "events", "recipients": [person.given().email]}
        return lambda: person.api("check", "/v1/permission-checks", **question, **more)

    return prepare


def _check_of_somebody_who_wants_fewer(person: Person) -> Press:
    succeeds(person.post(person.given().manage(), do="fewer", purpose=LETTERS, period="1.0"))
    return _check_again(person)


def _check_again(person: Person) -> Press:
    question = {"purpose": LETTERS, "channel": "email", "topic": "events", "recipients": [person.email]}
    return lambda: person.api("check", "/v1/permission-checks", **question)


def _look_up(person: Person) -> Press:
    person.given()
    return lambda: person.api("read", "/v1/permissions/lookup", recipient=person.email)


def _page(path: str = "") -> Callable[[Person], Press]:
    def prepare(person: Person) -> Press:
        link = person.given().manage()
        return lambda: person.get(link + path)

    return prepare


def _why(person: Person) -> Press:
    url = person.given().check("events")["why_url"]
    return lambda: person.get(url)


_DECIDES = ("GetItem", "TransactWriteItems")
_GIVEN = ("given",)

ROUTES = {
    "sign-up": Route(_sign_up, ("UpdateItem", "PutItem", "SendMessage"), ()),
    "code": Route(_type_code, ("UpdateItem", "GetItem"), ()),
    "confirm": Route(_confirm, ("GetItem", *_DECIDES), _GIVEN),
    "one-click": Route(_stop(**{"List-Unsubscribe": "One-Click"}), _DECIDES, ("given", "withdrawn")),
    "stop-page": Route(_stop(by="page"), _DECIDES, ("given", "withdrawn")),
    "stop-everything": Route(_stop(by="page", do="everything"), _DECIDES, ("given", "withdrawn")),
    "cancel": Route(_cancel, ("GetItem", "DeleteItem", "UpdateItem", "GetItem"), ()),
    "not-me": Route(_not_me, ("GetItem", "DeleteItem", "UpdateItem", "GetItem", "PutItem"), ()),
    "undo-stop": Route(_undo_stop(), ("GetItem", *_DECIDES), ("given", "withdrawn", "restored")),
    "fewer-instead": Route(_undo_stop(instead="fewer 1.0"), ("GetItem", *_DECIDES), ("given", "withdrawn", "restored")),
    "ask-for-link": Route(_ask_for_link, ("UpdateItem", "SendMessage"), _GIVEN),
    "stop": Route(_preference(do="stop", purpose=LETTERS, topic="events"), _DECIDES, ("given", "withdrawn")),
    "pause": Route(_preference(do="pause", purpose=LETTERS, period="1.0"), _DECIDES, ("given", "preferences")),
    "fewer": Route(_preference(do="fewer", purpose=LETTERS, period="1.0"), _DECIDES, ("given", "preferences")),
    "object": Route(_preference(do="object", to="direct-marketing"), _DECIDES, ("given", "objected")),
    "undo": Route(
        _undo_preference,
        ("GetItem", *_DECIDES),
        ("given", "withdrawn", "restored"),
        succeeds=says_that_it_is_undone,
    ),
    "start": Route(
        _preference(do="start", purpose=LETTERS, topic="surveys"),
        ("Query", "UpdateItem", "PutItem", "SendMessage"),
        _GIVEN,
    ),
    "language": Route(_preference(do="language", language="da"), ("UpdateItem", "UpdateItem"), _GIVEN),
    "decision": Route(lambda person: person.decide, _DECIDES, _GIVEN),
    "recorded-no": Route(lambda person: lambda: person.decide("refused"), _DECIDES, ("refused",)),
    "not-me-after-all": Route(
        _not_me_after_all,
        ("GetItem", "DeleteItem", "UpdateItem", "UpdateItem", "GetItem", "TransactWriteItems", "PutItem"),
        ("given", "withdrawn"),
        after_the_decision="PutItem",
    ),
    "send": Route(_send, ("BatchWriteItem",), _GIVEN, refuses=says_that_the_send_is_not_recorded),
    "check": Route(_check(), ("BatchGetItem",), _GIVEN, refuses=denies_because_it_cannot_read, succeeds=allows),
    "check-and-send": Route(
        _check(record_send=True),
        ("BatchGetItem", "BatchWriteItem"),
        _GIVEN,
        refuses=denies_because_it_cannot_read,
        succeeds=allows,
    ),
    "check-of-fewer": Route(
        _check_of_somebody_who_wants_fewer,
        ("BatchGetItem", "BatchGetItem"),
        ("given", "preferences"),
        refuses=denies_because_it_cannot_read,
        succeeds=allows,
    ),
    "look-up": Route(_look_up, ("BatchGetItem",), _GIVEN),
    "confirm-page": Route(_confirm_page, ("GetItem", "GetItem"), ()),
    "page": Route(_page(), ("Query",), _GIVEN),
    "history": Route(_page("/history"), ("GetItem", "Query", "Query"), _GIVEN),
    "why": Route(_why, ("Query", "GetItem"), _GIVEN),
}

READS = {"GetItem", "Query", "BatchGetItem"}


def _refusals(operation: str) -> list[Fault]:
    """Faults after which nothing has been carried out."""
    if operation == "SendMessage":
        return [QUEUE_REFUSES, QUEUE_THROTTLES, CLOSED]
    return [THROTTLED, THROTTLED_ACCOUNT, FAILING, OVERLOADED, CLOSED]


def stand_in_order(calls: tuple[str, ...], called: list[str]) -> bool:
    """Whether all these calls were made one after the other; workers that follow what happened may call in between."""
    rest = iter(called)
    return all(call in rest for call in calls)


class Case(ABC):
    """Something that runs beside other cases, with a person of its own."""

    @abstractmethod
    def run(self, world: World) -> None:
        """Fails as a test does."""


@dataclass(frozen=True)
class Untouched(Case):
    """Nothing is spoiled: the route calls what the other cases spoil."""

    route: str

    def __str__(self) -> str:
        return self.route

    def run(self, world: World) -> None:
        route, person = ROUTES[self.route], Person(world)
        press = route.prepare(person)
        before = len(world.proxy.operations(*person.names))
        route.succeeds(press())
        called = world.proxy.operations(*person.names)[before:]
        assert stand_in_order(route.calls, called), called
        assert person.books().kinds == list(route.kinds)


@dataclass(frozen=True)
class Lasting(Case):
    """An operation fails in every way until somebody mends it."""

    route: str
    operation: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"{self.route}-{self.operation}" + (f"-{self.faults[0]}" if len(self.faults) == 1 else "")

    def run(self, world: World) -> None:
        route, person = ROUTES[self.route], Person(world)
        press = route.prepare(person)
        before = person.books()
        for fault in self.faults:
            with world.proxy.spoiling(self.operation, fault, *person.names) as rule:
                route.refuses(press())
            assert rule.met, "the route did not call it"
        after = person.books()
        if self.operation == route.after_the_decision:
            assert after.kinds == list(route.kinds)
        else:
            assert (after.entries, after.profile) == (before.entries, before.profile)
            assert after.subject.decided == before.subject.decided
        route.succeeds(press())
        assert person.books().kinds == list(route.kinds)


@dataclass(frozen=True)
class Passing(Case):
    """An operation fails once."""

    route: str
    operation: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.route}-{self.operation}-{self.fault}"

    def run(self, world: World) -> None:
        route, person = ROUTES[self.route], Person(world)
        press = route.prepare(person)
        with world.proxy.spoiling(self.operation, self.fault, *person.names, times=1) as rule:
            route.succeeds(press())
        assert rule.met == 1, "the route did not call it"
        assert person.books().kinds == list(route.kinds)


@dataclass(frozen=True)
class AnswerLost(Case):
    """The engine carries it out, and whoever asked never hears of it."""

    route: str
    operation: str

    def __str__(self) -> str:
        return f"{self.route}-{self.operation}"

    def run(self, world: World) -> None:
        route, person = ROUTES[self.route], Person(world)
        press = route.prepare(person)
        with world.proxy.spoiling(self.operation, ANSWER_LOST, *person.names) as rule:
            route.refuses(press())
        assert rule.met, "the route did not call it"
        # Nobody presses again within the second, and a later press must not count for more.
        time.sleep(1.05)
        route.succeeds(press())
        assert person.books().kinds == list(route.kinds)


@dataclass(frozen=True)
class OneOfTwo(Case):
    """One key, or write, of a batch stays unprocessed, once or always."""

    operation: str
    times: int | None

    def __str__(self) -> str:
        return f"{self.operation}-{'always' if self.times is None else 'once'}"

    def run(self, world: World) -> None:
        hit, spared, unknown = Person(world).given(), Person(world).given(), Person(world)
        question = {"purpose": LETTERS, "channel": "email", "record_send": self.operation == "BatchWriteItem"}
        recipients = [hit.email, spared.email, unknown.email, hit.email]
        fault = one_unprocessed(hit.contact.pseudonym)
        with world.proxy.spoiling(self.operation, fault, hit.contact.pseudonym, times=self.times) as rule:
            answer = hit.api("check", "/v1/permission-checks", recipients=recipients, **question)
        expected = (False, "unavailable") if self.times is None else (True, "given")
        assert rule.met
        assert [(row["allowed"], row["reason"]) for row in answer.json["results"]] == [
            expected,
            (True, "given"),
            (False, "no_record"),
            expected,
        ]


@dataclass(frozen=True)
class OneOfManyBatches(Case):
    """A check of more people than one read takes, of which one read fails."""

    fault: Fault

    def __str__(self) -> str:
        return str(self.fault)

    def run(self, world: World) -> None:
        first, last = Person(world).given(), Person(world).given()
        strangers = [f"{number}.{first.email}" for number in range(150)]
        question = {"purpose": LETTERS, "channel": "email", "recipients": [first.email, *strangers, last.email]}
        with world.proxy.spoiling("BatchGetItem", self.fault, first.contact.pseudonym) as rule:
            answer = first.api("check", "/v1/permission-checks", **question)
        assert rule.met
        assert [row["reason"] for row in answer.json["results"]] == [
            *["unavailable"] * 100,
            *["no_record"] * 51,
            "given",
        ]
        assert [row["allowed"] for row in answer.json["results"]] == [False] * 151 + [True]


@dataclass(frozen=True)
class LetterNeverTaken(Case):
    """The mail service says that it will never take a letter."""

    fault: Fault

    def __str__(self) -> str:
        return str(self.fault)

    def run(self, world: World) -> None:
        person = Person(world)
        with world.proxy.spoiling("SendEmail", self.fault, person.email) as rule:
            assert person.sign_up("events").status == 200
            (reason,) = _waited_for(lambda: _set_aside(world, person))
        assert rule.met == 1, "it is not tried again"
        assert "send letter" in reason
        assert person.check("events")["reason"] == "pending"
        assert person.books().entries == ()
        assert person.sign_up("events").status == 200
        assert person.confirm().status == 200
        assert person.books().kinds == ["given"]
        assert len(person.letters()) == 1


@dataclass(frozen=True)
class LetterNotTakenNow(Case):
    """The mail service takes no letter now."""

    fault: Fault

    def __str__(self) -> str:
        return str(self.fault)

    def run(self, world: World) -> None:
        person = Person(world)
        with world.proxy.spoiling("SendEmail", self.fault, person.email) as rule:
            assert person.sign_up("events").status == 200
            _waited_for(lambda: rule.met)
            again = {"Records": [{"messageId": "again", "body": world.proxy.message(*person.names)}]}
            retried = world.stack.invoke("DeliveryWorkerFunction", again)
        assert retried == {"batchItemFailures": [{"itemIdentifier": "again"}]}, "the queue is to deliver it again"
        assert rule.met == 1, "nobody sends what another worker may just be sending"
        assert not _set_aside(world, person)
        assert not person.letters()
        _let_the_claim_end(world, person)
        for _ in range(2):
            assert world.stack.invoke("DeliveryWorkerFunction", again) == {"batchItemFailures": []}
        assert len(person.letters()) == 1
        assert person.check("events")["reason"] == "pending"


@dataclass(frozen=True)
class ReceiptNotOrdered(Case):
    """The queue takes no order when somebody confirms."""

    fault: Fault

    def __str__(self) -> str:
        return str(self.fault)

    def run(self, world: World) -> None:
        person = Person(world)
        press = _confirm(person)
        with world.proxy.spoiling("SendMessage", self.fault, *person.names) as rule:
            succeeds(press())
        assert rule.met
        assert person.books().kinds == ["given"]
        assert not person.receipts()
        succeeds(press())
        _receipt_was_sent(person)
        succeeds(press())
        assert person.books().kinds == ["given"]
        assert len(person.receipts()) == 1


@dataclass(frozen=True)
class SignUpOf(Case):
    """Somebody of whom much, little or nothing is known signs up."""

    become: str

    def __str__(self) -> str:
        return self.become

    def run(self, world: World) -> None:
        person = Person(world)
        if self.become != "unknown":
            ROUTES[self.become].prepare(person)()
            if self.become == "confirm":
                _receipt_was_sent(person)
        before = len(world.proxy.operations(*person.names))
        succeeds(person.sign_up("surveys"))
        # What comes after the message is the worker's.
        assert stand_in_order(ROUTES["sign-up"].calls, world.proxy.operations(*person.names)[before:])


@dataclass(frozen=True)
class RandomWalk(Case):
    """Everything at random."""

    number: int

    def __str__(self) -> str:
        return str(self.number)

    def run(self, world: World) -> None:
        seed = int(os.environ.get("WALK_SEED") or random.SystemRandom().randrange(1_000_000))
        walk = Walk(world, seed)
        try:
            walk.go()
        except AssertionError as error:
            steps = "\n".join(walk.log)
            raise AssertionError(f"WALK_SEED={seed} walks the same way again: {error}\n{steps}") from error


def _receipt_was_sent(person: Person) -> None:
    """Wait until the worker is through with the receipt of the first event, so that its calls are no longer ours."""
    person.receipts(1)
    person.books()
    claim = {"pk": {"S": f"LETTER#{person.chain}.1"}, "sk": {"S": "CLAIM"}}
    table, database = person.world.stack.resources["TransientTable"], person.world.owner.database

    def is_closed() -> bool:
        item = database.get_item(TableName=table, Key=claim, ConsistentRead=True).get("Item", {})
        return item.get("sent", {}).get("N", "0") != "0"

    _waited_for(is_closed)


def _waited_for(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + 30
    while not (found := look()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return found


def _set_aside(world: World, person: Person) -> list[str]:
    """Why each of a person's orders lies in the queue of dead letters; they stay there."""
    queue = world.stack.resources["DeadLettersQueue"]
    found = world.queues.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
    ).get("Messages", [])
    return [
        message["MessageAttributes"]["reason"]["StringValue"]
        for message in found
        if person.contact.pseudonym in message["Body"]
    ]


def _let_the_claim_end(world: World, person: Person) -> None:
    """As if the time had passed for which a worker holds a letter."""
    request = json.loads(world.proxy.message(*person.names))["request"]
    world.owner.database.update_item(
        TableName=world.stack.resources["TransientTable"],
        Key={"pk": {"S": keys.of_letter(request)}, "sk": {"S": "CLAIM"}},
        UpdateExpression="SET held_until = :past",
        ExpressionAttributeValues={":past": {"N": "0"}},
    )


def _each(routes: Sequence[str] = tuple(ROUTES)) -> Iterator[tuple[str, str]]:
    """Every route with every operation that it makes."""
    for name in routes:
        for operation in dict.fromkeys(ROUTES[name].calls):
            yield name, operation


def _numbered() -> Iterator[tuple[int, tuple[str, str]]]:
    return enumerate(_each())


def _in_turn(faults: list[Fault], number: int) -> tuple[Fault, ...]:
    """Three of some faults, others for the next number: all of them everywhere would take minutes."""
    start = number % len(faults)
    return tuple((faults[start:] + faults[:start])[:3])


UNTOUCHED = [Untouched(name) for name in ROUTES]
LASTING = [
    *(Lasting(route, operation, _in_turn(_refusals(operation), number)) for number, (route, operation) in _numbered()),
    *(Lasting(route, "TransactWriteItems", (CONFLICT,)) for route in ("confirm", "one-click", "decision", "undo")),
    *(Lasting(route, "DeleteItem", (CONFLICT_OF_ONE,)) for route in ("cancel", "not-me")),
    *(
        Lasting(route, operation, (HANGING,))
        for route, operation in [
            ("sign-up", "PutItem"),
            ("sign-up", "SendMessage"),
            ("confirm", "TransactWriteItems"),
            ("one-click", "GetItem"),
            ("stop", "TransactWriteItems"),
            ("decision", "TransactWriteItems"),
            ("check", "BatchGetItem"),
            ("check-and-send", "BatchWriteItem"),
        ]
    ),
]
PASSING = [
    *(
        Passing(route, operation, fault)
        for number, (route, operation) in _numbered()
        for fault in (*_in_turn(_refusals(operation), number)[:1], ANSWER_LOST)
    ),
    *(Passing(route, "TransactWriteItems", CONFLICT) for route, made in _each() if made == "TransactWriteItems"),
    *(Passing(route, made, CONFLICT_OF_ONE) for route, made in _each(["cancel", "not-me"]) if made == "UpdateItem"),
    Passing("confirm", "TransactWriteItems", HANGING),
    Passing("check", "BatchGetItem", HANGING),
]
KNOWN = [SignUpOf(become) for become in ("unknown", "confirm-page", "confirm", "one-click", "object", "not-me")]
UNPROCESSED = [OneOfTwo(operation, times) for operation in ("BatchGetItem", "BatchWriteItem") for times in (1, None)]
LOST = [AnswerLost(route, operation) for route, operation in _each() if operation not in READS]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack of its own, whose functions reach everything through the proxy."""
    shipped_policy.compiled()
    port, state = free_port(), tmp_path_factory.mktemp("faults") / "state"
    engine = f"http://127.0.0.1:{emulator.port_for(port)}"
    with pytest.MonkeyPatch.context() as patch, FaultProxy(engine, f"http://127.0.0.1:{port}") as proxy:
        patch.setattr(local.runtime_api, "PROCESSES", 5)
        with LocalStack(port, state, parameters={"SignUpsPerAddress": "1000"}, endpoints=proxy.endpoints) as running:
            yield World(running, proxy, load_policy())
    assert_that_no_log_names_a_person(state)


@pytest.fixture(scope="module")
def outcomes(world: World, request: pytest.FixtureRequest) -> Iterator[dict[Case, "Future[None]"]]:
    """The outcome of every case that was selected."""
    callspecs = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    cases = [spec.params["case"] for spec in callspecs if spec and "case" in spec.params]
    # The longest one first, because it is the one that is waited for.
    cases.sort(key=lambda case: not isinstance(case, RandomWalk))
    assert world.form
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {case: pool.submit(case.run, world) for case in cases}
        pool.shutdown(cancel_futures=True)


Outcomes = dict[Case, "Future[None]"]


@pytest.mark.parametrize("case", UNTOUCHED, ids=str)
def test_without_a_fault_a_request_calls_what_the_other_tests_spoil(case: Case, outcomes: Outcomes) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", KNOWN, ids=str)
def test_who_signs_up_cannot_be_told_from_what_is_asked_of_the_database(case: Case, outcomes: Outcomes) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", PASSING, ids=str)
def test_a_passing_fault_is_not_noticed_and_nothing_is_stored_twice(case: Case, outcomes: Outcomes) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", LOST, ids=str)
def test_an_answer_that_was_lost_after_the_write_is_success_at_the_next_press_and_one_event(
    case: Case, outcomes: Outcomes
) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", LASTING, ids=str)
def test_a_lasting_fault_stores_nothing_says_try_again_and_trying_again_works(case: Case, outcomes: Outcomes) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", UNPROCESSED, ids=str)
def test_whoever_stays_unprocessed_in_a_batch_is_denied_and_nobody_else(case: Case, outcomes: Outcomes) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", [OneOfManyBatches(THROTTLED), OneOfManyBatches(HANGING)], ids=str)
def test_exactly_those_are_denied_whose_part_of_a_large_check_could_not_be_read(case: Case, outcomes: Outcomes) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", [LetterNeverTaken(LETTER_REFUSED), LetterNeverTaken(IDENTITY_REJECTED)], ids=str)
def test_a_letter_that_is_never_taken_is_set_aside_and_the_sign_up_stays_pending(
    case: Case, outcomes: Outcomes
) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", [LetterNotTakenNow(MAIL_THROTTLED), LetterNotTakenNow(CLOSED)], ids=str)
def test_a_letter_that_is_not_taken_now_stays_ordered_and_is_sent_once(case: Case, outcomes: Outcomes) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", [ReceiptNotOrdered(QUEUE_REFUSES), ReceiptNotOrdered(HANGING)], ids=str)
def test_a_consent_whose_receipt_cannot_be_ordered_is_stored_and_the_next_press_orders_it(
    case: Case, outcomes: Outcomes
) -> None:
    outcomes[case].result()


@pytest.mark.parametrize("case", [RandomWalk(1)], ids=str)
def test_after_random_acts_under_random_faults_all_that_was_acknowledged_is_stored_once(
    case: Case, outcomes: Outcomes
) -> None:
    outcomes[case].result()


def test_a_network_that_cannot_be_counted_means_try_again(world: World) -> None:
    person = Person(world)
    controller = world.policy.controller_meant(None)
    network = source_name(shortened("127.0.0.1") or "", controller, world.peppers).removeprefix("source#")
    # This fault meets whoever signs up from this computer, so nothing else may run beside this test.
    with world.proxy.spoiling("UpdateItem", THROTTLED, network) as rule:
        says_try_again(person.sign_up("events"))
        says_try_again(person.post("/preferences", email=person.email))
    assert rule.met
    assert person.sign_up("events").status == 200
