"""A recipient calls back."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import recipient_answers.app
from builders import NOON, PEOPLE, a_contact
from consent_center.bootstrap import Services
from consent_center.config import Config
from consent_center.domain.case import Case, CaseState, LogLine, Right
from consent_center.domain.errors import BadSignatureError, StaleCaseError, UnavailableError
from consent_center.domain.recipient import Task, TaskState, Verb
from consent_center.domain.webhook import TOLERANCE_SECONDS, headers, message
from consent_center.usecases.call_backs import _NOBODY, take_call_back
from fakes import SettableClock
from fakes.cases import FixedRecipientSecrets, InMemoryCases, ListOfCaseOrders

EVENTS = Path(__file__).parents[2] / "events/recipient_answers"
KEY, LAB_KEY = b"the-key-of-the-crm-system", b"the-key-of-the-survey-lab"
CASE, OTHER = "case00000000000000000001", "case00000000000000000002"
CONTEXT = SimpleNamespace(
    function_name="test",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-north-1:000000000000:function:test",
    aws_request_id="00000000-0000-4000-8000-000000000002",
)


class Endpoint:
    """The function over fakes, with a case in which the CRM was asked to erase and the lab to collect."""

    def __init__(self) -> None:
        self.clock, self.cases, self.orders = SettableClock(), InMemoryCases(), ListOfCaseOrders()
        self.secrets = FixedRecipientSecrets({"crm": (KEY,), "lab": (LAB_KEY,)})
        services = Services(Config({}))
        services.clock, services.cases, services.case_orders = self.clock, self.cases, self.orders
        services.recipient_secrets = self.secrets
        services.recipient_connectors = {
            "crm": {"kind": "webhook", "secret_name": "crm"},
            "lab": {"kind": "webhook", "secret_name": "lab"},
            "cloud": {"kind": "manual"},
        }
        self.services = services
        for number, case_id in enumerate((CASE, OTHER)):
            right = (Right.ERASURE, Right.ACCESS)[number]
            case = Case(
                case_id, right, CaseState.RUNNING, a_contact(), "en", "DK", "page", NOON, "2027-02-15", "2027-02-15"
            )
            self.cases.add(case, LogLine(NOON, "received", "person"))
        self._have(CASE, Task("crm", Verb.ERASE, TaskState.ASKED))
        self._have(OTHER, Task("lab", Verb.COLLECT, TaskState.ASKED))

    def _have(self, case: str, task: Task) -> None:
        self.cases.commit(self.cases.files[case].case, [], [task])

    def settle(self, state: CaseState) -> None:
        file = self.cases.files[CASE]
        self.cases.files[CASE] = replace(file, case=replace(file.case, state=state))

    def task(self, case: str = CASE) -> Task:
        (task,) = self.cases.files[case].tasks
        return task

    def post(
        self,
        body: Any,
        *,
        recipient: str = "crm",
        key: bytes = KEY,
        id: str = "answer-1",  # noqa: A002 - as the header calls it
        late: int = 0,
        encoded: bool = False,
        **changed: str,
    ) -> tuple[int, dict[str, Any]]:
        event = json.loads((EVENTS / ("post-answer-base64.json" if encoded else "post-answer.json")).read_text())
        text = body if isinstance(body, str) else json.dumps(body)
        signed = headers(id, self.clock() // 1000 - late, text.encode(), [key])
        event["headers"] = {**event["headers"], **signed, **{k.replace("_", "-"): v for k, v in changed.items()}}
        event["body"] = base64.b64encode(text.encode()).decode() if encoded else text
        return self.handle(event, recipient)

    def handle(self, event: dict[str, Any], recipient: str = "crm") -> tuple[int, dict[str, Any]]:
        path = f"/recipients/{recipient}/answers"
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["pathParameters"] = {"recipient": recipient}
        answer = recipient_answers.app.lambda_handler(event, CONTEXT)  # type: ignore[arg-type]
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    endpoint = Endpoint()
    monkeypatch.setattr(recipient_answers.app, "services", lambda: endpoint.services)
    return endpoint


def said(state: str = "done", case: str = CASE, **more: Any) -> dict[str, Any]:
    return {"case": case, "state": state, **more}


def code(answer: dict[str, Any]) -> str:
    return str(answer["type"]).rpartition(":")[2]


@pytest.mark.parametrize(
    ("state", "becomes"),
    [("done", TaskState.DONE), ("nothing_held", TaskState.NOTHING_HELD), ("failed", TaskState.FAILED)],
)
def test_what_a_recipient_says_is_noted_and_the_case_looked_at(
    endpoint: Endpoint, state: str, becomes: TaskState
) -> None:
    status, answer = endpoint.post(said(state, code="contract.ended"))

    assert (status, answer) == (200, {"case": CASE, "state": state, "repeated": False})
    assert (endpoint.task().state, endpoint.task().answer) == (becomes, "contract.ended")
    assert endpoint.orders.orders == [(CASE, endpoint.clock() // 1000)]
    assert endpoint.cases.files[CASE].log[-1].by == "recipient:crm"


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_is_believed_as_text_and_as_base64(endpoint: Endpoint, encoded: bool) -> None:
    status, _ = endpoint.post('{"case":  "case00000000000000000001", "state": "done", "note": "Æ"}', encoded=encoded)

    assert status == 200
    assert endpoint.task().state is TaskState.DONE


@pytest.mark.parametrize("state", ["done", "failed"])
def test_the_same_message_twice_has_one_effect_and_says_so(endpoint: Endpoint, state: str) -> None:
    endpoint.post(said(state))
    lines = len(endpoint.cases.files[CASE].log)

    status, answer = endpoint.post(said(state))

    assert (status, answer["repeated"]) == (200, True)
    assert len(endpoint.cases.files[CASE].log) == lines
    assert len(endpoint.orders.orders) == 1


def test_a_message_that_is_replayed_undoes_nothing_that_came_after_it(endpoint: Endpoint) -> None:
    endpoint.post(said("failed"))
    endpoint._have(CASE, replace(endpoint.task(), state=TaskState.WAITING))

    status, answer = endpoint.post(said("failed"))

    assert (status, answer["repeated"]) == (200, True)
    assert endpoint.task().state is TaskState.WAITING


def test_a_message_that_is_replayed_after_the_case_was_closed_is_known(endpoint: Endpoint) -> None:
    endpoint.post(said())
    endpoint.settle(CaseState.DONE)

    assert endpoint.post(said()) == (200, {"case": CASE, "state": "done", "repeated": True})


@pytest.mark.parametrize(
    "changes",
    [
        {"key": LAB_KEY},
        {"late": TOLERANCE_SECONDS + 1},
        {"late": -TOLERANCE_SECONDS - 1},
        {"webhook_signature": ""},
        {"webhook_signature": "v1,AAAA"},
        {"webhook_id": "answer-2"},
        {"webhook_timestamp": "1800000001"},
        {"recipient": "lab"},
        {"recipient": "cloud"},
        {"recipient": "unheard-of"},
    ],
    ids=repr,
)
def test_a_message_that_is_not_signed_by_the_recipient_changes_nothing(
    endpoint: Endpoint, changes: dict[str, Any]
) -> None:
    status, answer = endpoint.post(said(), **changes)

    assert (status, code(answer)) == (401, "bad-signature")
    assert endpoint.task().state is TaskState.ASKED
    assert "load" not in endpoint.cases.calls, "whoever cannot sign costs no read"


def test_nobody_signs_for_a_recipient_without_a_secret_not_even_with_the_key_that_stands_in_for_one(
    endpoint: Endpoint,
) -> None:
    endpoint._have(CASE, Task("cloud", Verb.ERASE, TaskState.ASKED))
    body = json.dumps(said()).encode()
    signed = message(headers("answer-1", endpoint.clock() // 1000, body, [_NOBODY]), body)

    with pytest.raises(BadSignatureError):
        take_call_back(
            "cloud",
            signed,
            connectors=endpoint.services.recipient_connectors,
            secrets=endpoint.secrets,
            cases=endpoint.cases,
            orders=endpoint.orders,
            clock=endpoint.clock,
        )
    for recipient in ("cloud", "unheard-of"):
        status, answer = endpoint.post(said(), recipient=recipient, key=_NOBODY)
        assert (status, code(answer)) == (401, "bad-signature")
    assert [task.state for task in endpoint.cases.files[CASE].tasks] == [TaskState.ASKED, TaskState.ASKED]
    assert "load" not in endpoint.cases.calls


def test_a_message_without_headers_is_not_believed(endpoint: Endpoint) -> None:
    event = json.loads((EVENTS / "post-answer.json").read_text())
    event["headers"] = {}

    assert endpoint.handle(event)[0] == 401


def test_a_body_that_was_changed_on_its_way_is_not_believed(endpoint: Endpoint) -> None:
    event = json.loads((EVENTS / "post-answer.json").read_text())
    event["headers"] |= headers("answer-1", endpoint.clock() // 1000, event["body"].encode(), [KEY])
    event["body"] = event["body"].replace("done", "failed")

    assert endpoint.handle(event)[0] == 401


def test_one_recipient_says_nothing_about_what_another_was_asked(endpoint: Endpoint) -> None:
    status, answer = endpoint.post(said(), recipient="lab", key=LAB_KEY)

    assert (status, code(answer)) == (404, "unknown-case")
    assert endpoint.task().state is TaskState.ASKED


@pytest.mark.parametrize("case", ["case-of-nobody", OTHER])
def test_a_case_that_asked_nothing_of_the_recipient_is_unknown(endpoint: Endpoint, case: str) -> None:
    status, answer = endpoint.post(said(case=case))

    assert (status, code(answer)) == (404, "unknown-case")


@pytest.mark.parametrize("state", [CaseState.DONE, CaseState.CANCELLED, CaseState.REFUSED, CaseState.LAPSED])
def test_a_closed_case_takes_no_answer(endpoint: Endpoint, state: CaseState) -> None:
    endpoint.settle(state)

    status, answer = endpoint.post(said())

    assert (status, code(answer)) == (409, "closed-case")
    assert endpoint.task().state is TaskState.ASKED


def test_a_case_that_is_partly_done_takes_one(endpoint: Endpoint) -> None:
    endpoint.settle(CaseState.PARTLY_DONE)

    assert endpoint.post(said())[0] == 200


def test_what_was_settled_is_not_settled_otherwise(endpoint: Endpoint) -> None:
    endpoint.post(said())

    status, answer = endpoint.post(said("failed"), id="answer-2")

    assert (status, code(answer)) == (409, "settled-task")
    assert endpoint.task().state is TaskState.DONE


def test_what_was_collected_is_fetched_by_asking_again(endpoint: Endpoint) -> None:
    status, answer = endpoint.post(said("ready", OTHER), recipient="lab", key=LAB_KEY)
    again = endpoint.post(said("ready", OTHER), recipient="lab", key=LAB_KEY)

    assert (status, answer["repeated"], again[1]["repeated"]) == (200, False, True)
    task = endpoint.task(OTHER)
    assert (task.state, task.next_at) == (TaskState.WAITING, endpoint.clock() // 1000)
    assert endpoint.orders.orders == [(OTHER, endpoint.clock() // 1000)]


def test_ready_after_the_end_is_too_late(endpoint: Endpoint) -> None:
    endpoint.post(said("nothing_held", OTHER), recipient="lab", key=LAB_KEY)

    status, answer = endpoint.post(said("ready", OTHER), recipient="lab", key=LAB_KEY, id="answer-2")

    assert (status, code(answer)) == (409, "settled-task")


def test_data_that_were_never_handed_over_are_not_called_done(endpoint: Endpoint) -> None:
    status, answer = endpoint.post(said("done", OTHER), recipient="lab", key=LAB_KEY)

    assert (status, answer["field"]) == (422, "/state")
    assert endpoint.task(OTHER).state is TaskState.ASKED


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "done"}, "/case"),
        (said(case=""), "/case"),
        (said(case="x" * 101), "/case"),
        (said(case="CASE#1"), "/case"),
        (said(case=7), "/case"),  # type: ignore[arg-type]
        ({"case": CASE}, "/state"),
        (said("impossible"), "/state"),
        (said("asked"), "/state"),
        (said(["done"]), "/state"),  # type: ignore[arg-type]
        (said("ready"), "/state"),
        (said(code=PEOPLE[0]), "/code"),
        (said(code="x" * 61), "/code"),
        (said(code={"a": 1}), "/code"),
        (said(code="two\nlines"), "/code"),
    ],
    ids=repr,
)
def test_a_field_that_is_wrong_is_named_and_not_repeated(endpoint: Endpoint, body: Any, field: str) -> None:
    status, answer = endpoint.post(body)

    assert (status, code(answer), answer["field"]) == (422, "invalid-field", field)
    assert PEOPLE[0] not in json.dumps(answer)
    assert endpoint.task().state is TaskState.ASKED


@pytest.mark.parametrize("body", ["", "{", "[]", '"done"', "null", "[" * 10_000, '{"case": NaN'])
def test_what_is_no_object_is_refused(endpoint: Endpoint, body: str) -> None:
    status, answer = endpoint.post(body)

    assert (status, code(answer)) == (400, "invalid-json")


@pytest.mark.parametrize("encoded", [False, True])
def test_a_huge_body_is_refused_before_it_is_read(endpoint: Endpoint, encoded: bool) -> None:
    status, answer = endpoint.post(said(note="x" * 1_000_000), encoded=encoded)

    assert (status, code(answer)) == (413, "body-too-large")
    assert endpoint.cases.calls.count("load") == 0


def test_a_body_that_is_no_base64_is_not_believed(endpoint: Endpoint) -> None:
    event = json.loads((EVENTS / "post-answer-base64.json").read_text())

    assert endpoint.handle({**event, "body": "%%%"})[0] == 401
    assert endpoint.handle({**event, "body": "abc"})[0] == 401


def test_a_body_that_cannot_be_written_as_utf_8_is_not_believed(endpoint: Endpoint) -> None:
    event = json.loads((EVENTS / "post-answer.json").read_text())

    assert endpoint.handle({**event, "body": '{"case": "\ud800"}'})[0] == 401


def test_without_the_secrets_nothing_is_believed_and_the_recipient_comes_again(endpoint: Endpoint) -> None:
    endpoint.secrets.is_away = True

    status, answer = endpoint.post(said())

    assert (status, code(answer)) == (503, "unavailable")
    assert endpoint.task().state is TaskState.ASKED


def test_an_answer_is_noted_though_the_queue_refuses_the_order(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise UnavailableError("order case: away")

    monkeypatch.setattr(endpoint.orders, "order", away)

    assert endpoint.post(said())[0] == 200
    assert endpoint.task().state is TaskState.DONE
    assert endpoint.cases.files[CASE].case.due_at == endpoint.clock() // 1000, "the schedule finds it"


def test_an_answer_that_comes_while_the_case_moves_is_noted_on_what_it_has_become(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, met = endpoint.cases.commit, []

    def first_too_late(*arguments: Any) -> Any:
        if not met:
            met.append(True)
            raise StaleCaseError
        return commit(*arguments)

    monkeypatch.setattr(endpoint.cases, "commit", first_too_late)

    assert endpoint.post(said())[0] == 200
    assert endpoint.task().state is TaskState.DONE


def test_an_error_of_ours_is_admitted_and_says_nothing(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> Any:
        raise RuntimeError(PEOPLE[0])

    monkeypatch.setattr(endpoint.cases, "load", broken)

    status, answer = endpoint.post(said())

    assert (status, code(answer)) == (500, "internal")


def test_another_address_is_not_found(endpoint: Endpoint) -> None:
    event = json.loads((EVENTS / "post-answer.json").read_text())
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/recipients/crm"

    answer = recipient_answers.app.lambda_handler(event, CONTEXT)  # type: ignore[arg-type]

    assert (answer["statusCode"], code(json.loads(answer["body"]))) == (404, "not-found")


def test_what_is_said_late_of_a_restriction_does_not_count_for_its_end(endpoint: Endpoint) -> None:
    file = endpoint.cases.files[CASE]
    endpoint.cases.commit(
        replace(file.case, outcome={"lifted_at": NOON}), [], [replace(endpoint.task(), verb=Verb.LIFT)]
    )
    endpoint.settle(CaseState.DONE)

    for key, status, problem in (
        (None, 422, "invalid-field"),
        (7, 422, "invalid-field"),
        (f"{CASE}/crm/restrict", 409, "settled-task"),
    ):
        refused, answer = endpoint.post(said(**({"key": key} if key is not None else {})), id=f"late-{key}")
        assert (refused, code(answer)) == (status, problem), key
    assert endpoint.task().state is TaskState.ASKED

    assert endpoint.post(said(key=f"{CASE}/crm/lift"), id="now")[0] == 200
    assert endpoint.task().state is TaskState.DONE
