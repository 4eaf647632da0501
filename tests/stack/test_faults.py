"""Faults between the functions and what they call: nothing is lost, stored twice, or raised, and nobody is told so.

Most of a case is waiting for time-outs and for tries in between. So all cases that were selected run side by side, each
with a person of its own and with faults that meet only that person's requests.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest

import local.runtime_api
import shipped_policy
from consent_center.adapters.addresses import parse_address
from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.subjects import _subject
from consent_center.adapters.policy_files import load_policy
from consent_center.domain.capability import ManageLink, seal_manage
from consent_center.domain.chain import Entry, verify
from consent_center.domain.contact import ContactPoint, Keyring, contact_point
from consent_center.domain.decision import DecisionState
from consent_center.domain.objection import Against
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Subject
from faults import (
    ANSWER_LOST,
    CLOSED,
    CONFLICT,
    CONFLICT_OF_ONE,
    FAILING,
    HANGING,
    OVERLOADED,
    QUEUE_REFUSES,
    QUEUE_THROTTLES,
    THROTTLED,
    THROTTLED_ACCOUNT,
    Fault,
    FaultProxy,
)
from local import emulator
from local.stack import LocalStack, free_port
from world import Answer, Auditor, Visitor, assert_that_no_log_names_a_person

LETTERS = "direct-marketing-email"
SIDE_BY_SIDE = 12


@dataclass
class World:
    """The stack behind the proxy, and what only the owner of the account may read."""

    stack: LocalStack
    proxy: FaultProxy
    policy: Policy
    _tokens: dict[str, str] = field(default_factory=dict)

    @cached_property
    def owner(self) -> Auditor:
        return Auditor(self.stack)

    @cached_property
    def peppers(self) -> Keyring:
        return self._keyring("PepperSecret")

    @cached_property
    def links(self) -> Keyring:
        return self._keyring("LinksSecret")

    @cached_property
    def form(self) -> str:
        """A form that was shown long enough ago to be filled in by a person; it may be sent any number of times."""
        visitor = Visitor(self.stack)
        shown = visitor.hidden(visitor.get("/subscribe").body, "form")
        time.sleep(1.05)
        return shown

    @cached_property
    def scope_codes(self) -> dict[tuple[str, str | None, str], str]:
        """The code of each scope by what a ledger entry calls it."""
        scopes = [scope for purpose in self.policy.purposes.values() for scope in purpose.all_scopes()]
        return {
            (scope.purpose, scope.topic, scope.channel): scope.code
            for scope in (*scopes, *(against.scope for against in Against))
        }

    def _keyring(self, resource: str) -> Keyring:
        secrets = self.stack.client("secretsmanager")
        stored = json.loads(secrets.get_secret_value(SecretId=self.stack.resources[resource])["SecretString"])
        return Keyring(stored.pop("current"), {key_id: key.encode() for key_id, key in stored.items()})

    def token(self, scope: str) -> str:
        if scope not in self._tokens:
            asked = Visitor(self.stack).get(f"/_local/token?scope=consent.{scope}")
            self._tokens[scope] = asked.json["access_token"]
        return self._tokens[scope]


@dataclass(frozen=True)
class Books:
    """All that is stored about one person's decisions."""

    subject: Subject
    entries: tuple[Entry, ...]
    profile: Any

    @property
    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.entries]


class Person(Visitor):
    """Somebody of whom the test knows how they are stored."""

    def __init__(self, world: World) -> None:
        super().__init__(world.stack)
        self.world = world
        self.chain: str | None = None

    @cached_property
    def contact(self) -> ContactPoint:
        controller = self.world.policy.form_purpose.controller
        return contact_point(
            parse_address(self.email), controller=controller, channel="email", peppers=self.world.peppers
        )

    @property
    def names(self) -> tuple[str, ...]:
        """What the requests about this person have in them."""
        known = (self.contact.pseudonym, self.email)
        return (*known, self.chain) if self.chain else known

    def books(self) -> Books:
        """Everything stored, after checking that the chain holds and that the state is what the ledger says."""
        state, profile = (self._item(name) for name in (keys.STATE, keys.PROFILE))
        subject = _subject(self.contact, state) if state else Subject(self.contact)
        if subject.chain is None:
            assert not subject.decided
            return Books(subject, (), profile)
        self.chain = subject.chain
        entries = self.world.owner.entries(subject.chain)
        payloads = self.world.owner.payloads(subject.chain)
        assert verify(subject.chain, entries, payloads, subject.head) == []
        assert subject.seq == len(entries) == len(payloads)
        assert _replayed(entries, self.world) == (
            {code: decided.state for code, decided in subject.decided.items()},
            {code: decided.seq for code, decided in subject.decided.items()},
            set(subject.preferences),
        )
        return Books(subject, tuple(entries), profile)

    def _item(self, sort_key: str) -> Any:
        key = {"pk": {"S": keys.of_contact(self.contact)}, "sk": {"S": sort_key}}
        table = self.world.stack.resources["SubjectsTable"]
        return self.world.owner.database.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")

    def api(self, scope: str, path: str, **body: Any) -> Answer:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.world.token(scope)}"}
        return self.request("POST", path, json.dumps(body).encode(), headers)

    def sign_up(self, *topics: str) -> Answer:
        return self.post("/subscribe", email=self.email, topic=topics, name="Ada Lovelace", form=self.world.form)

    def decide(self, decision: str = "given", *topics: str) -> Answer:
        """What another system records."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        evidence = {
            "collected_at": now,
            "confirmed_at": now,
            "method": "form at the fair",
            "wording": ["Yes, write to me."],
            "language": "en",
        }
        return self.api(
            "write",
            "/v1/decisions",
            recipient=self.email,
            purpose=LETTERS,
            topics=topics or ("events", "product-news"),
            decision=decision,
            **({"evidence": evidence} if decision == "given" else {}),
        )

    def given(self, *topics: str) -> "Person":
        assert self.decide("given", *topics).status == 200
        self.books()
        return self

    def manage(self) -> str:
        """The path that a letter with the link to the preferences leads to."""
        link = ManageLink(self.contact, int(time.time()) + 3600)
        return f"/preferences/{seal_manage(link, self.world.links)}"


def _replayed(entries: Sequence[Entry], world: World) -> tuple[dict[str, Any], dict[str, int], set[str]]:
    """What the entries alone say: state and newest event by scope, and which preferences there are."""
    states: dict[str, Any] = {}
    seqs: dict[str, int] = {}
    preferences: set[str] = set()
    for entry in entries:
        for row in entry.body["changes"]:
            for topic in row["topics"] or [None]:
                code = world.scope_codes[row["purpose"], topic, row["channel"]]
                states[code], seqs[code] = DecisionState(row["after"]), entry.seq
                if states[code] is DecisionState.UNKNOWN:
                    del states[code], seqs[code]
        for key, wish in entry.body.get("preferences", {}).items():
            (preferences.add if any(wish.values()) else preferences.discard)(key)
    return states, seqs, preferences


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
    refuses: Callable[[Answer], None] = says_try_again
    succeeds: Callable[[Answer], None] = succeeds


def _sign_up(person: Person) -> Press:
    return lambda: person.sign_up("events")


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
    link = person.letter()["headers"]["List-Unsubscribe"].strip("<>")
    return lambda: person.post(link, **{"List-Unsubscribe": "One-Click"})


def _not_me(person: Person) -> Press:
    assert person.sign_up("events").status == 200
    link = person.link("not-me")
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
    "send": Route(_send, ("BatchWriteItem",), _GIVEN, says_that_the_send_is_not_recorded),
    "check": Route(_check(), ("BatchGetItem",), _GIVEN, denies_because_it_cannot_read, allows),
    "check-and-send": Route(
        _check(record_send=True), ("BatchGetItem", "BatchWriteItem"), _GIVEN, denies_because_it_cannot_read, allows
    ),
    "check-of-fewer": Route(
        _check_of_somebody_who_wants_fewer,
        ("BatchGetItem", "BatchGetItem"),
        ("given", "preferences"),
        denies_because_it_cannot_read,
        allows,
    ),
    "look-up": Route(_look_up, ("BatchGetItem",), _GIVEN),
    "confirm-page": Route(_confirm_page, ("GetItem", "GetItem"), ()),
    "page": Route(_page(), ("Query",), _GIVEN),
    "history": Route(_page("/history"), ("GetItem", "Query", "Query"), _GIVEN),
    "why": Route(_why, ("GetItem", "GetItem"), _GIVEN),
}

READS = {"GetItem", "Query", "BatchGetItem"}


def _refusals(operation: str) -> list[Fault]:
    """Faults after which nothing has been carried out."""
    if operation == "SendMessage":
        return [QUEUE_REFUSES, QUEUE_THROTTLES, CLOSED]
    return [THROTTLED, THROTTLED_ACCOUNT, FAILING, OVERLOADED, CLOSED]


class Case:
    """Something that runs beside other cases, with a person of its own."""

    def run(self, world: World) -> None:
        raise NotImplementedError


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
        # A letter that was ordered may be written while we look.
        assert called[: len(route.calls)] == list(route.calls)
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
        route.succeeds(press())
        assert person.books().kinds == list(route.kinds)


def _each(routes: Sequence[str] = tuple(ROUTES)) -> Iterator[tuple[str, str]]:
    """Every route with every operation that it makes."""
    for name in routes:
        for operation in dict.fromkeys(ROUTES[name].calls):
            yield name, operation


UNTOUCHED = [Untouched(name) for name in ROUTES]
LASTING = [
    *(Lasting(route, operation, tuple(_refusals(operation))) for route, operation in _each()),
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
    # Each operation of each route meets one fault of each kind in turn, rather than all of them.
    *(
        Passing(route, operation, fault)
        for number, (route, operation) in enumerate(_each())
        for fault in (_refusals(operation)[number % len(_refusals(operation))], ANSWER_LOST)
    ),
    *(Passing(route, "TransactWriteItems", CONFLICT) for route, made in _each() if made == "TransactWriteItems"),
    *(Passing(route, made, CONFLICT_OF_ONE) for route, made in _each(["cancel", "not-me"]) if made == "UpdateItem"),
    Passing("confirm", "TransactWriteItems", HANGING),
    Passing("check", "BatchGetItem", HANGING),
]
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
    assert world.form
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {case: pool.submit(case.run, world) for case in cases}
        pool.shutdown(cancel_futures=True)


Outcomes = dict[Case, "Future[None]"]


@pytest.mark.parametrize("case", UNTOUCHED, ids=str)
def test_without_a_fault_a_request_calls_what_the_other_tests_spoil(case: Case, outcomes: Outcomes) -> None:
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
