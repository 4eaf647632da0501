"""Two recipients of the local stack are asked, and call back through the front door."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from builders import PEOPLE, a_contact
from consent_center.adapters.aws import wire
from consent_center.adapters.connectors.registry import RegisteredConnectors
from consent_center.adapters.dynamodb.cases import DynamoCases
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.recipient_secrets import ManagedRecipientSecrets
from consent_center.adapters.sealed import SealedParticulars
from consent_center.adapters.sqs import QueuedCases
from consent_center.adapters.wire import Wire
from consent_center.domain.case import Case, CaseState, LogLine, Right
from consent_center.domain.recipient import Ask, Task, TaskState, Verb
from consent_center.ports.cases import CaseFile
from fakes import no_pause, real_clock
from local import recipient
from local.recipient import BEHAVIOURS
from local.stack import LocalStack
from moto_wire import ENVIRONMENT
from world import Answer, Visitor

JSON = {"Content-Type": "application/json"}


class Recipients:
    """The connectors as the worker has them, on the running stack, with one case in which both were asked."""

    def __init__(self, stack: LocalStack) -> None:
        self._visitor = Visitor(stack)
        environment = {**ENVIRONMENT, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ENDPOINT_URL": stack.emulator_url}

        self.wires: list[Wire] = []

        def called(service: str) -> Wire:
            self.wires.append(wire(service, environment, clock=real_clock, pause=no_pause))
            return self.wires[-1]

        database, table = Database(called("dynamodb")), stack.resources["CasesTable"]
        self.cases = DynamoCases(database, table, real_clock)
        self.particulars = SealedParticulars(database, table, stack.resources["CaseKeysTable"])
        self.orders = QueuedCases(called("sqs"), stack.resources["CaseStepsQueue"])
        self.connectors = RegisteredConnectors(
            json.loads(recipient.connectors(f"http://127.0.0.1:{recipient.port_for(stack.port)}")),
            ManagedRecipientSecrets(lambda: called("secretsmanager"), recipient.SECRET, real_clock),
            called,
            real_clock,
            public_url=stack.url,
            inside_too=True,
        )
        self.case = f"case{uuid.uuid4().hex[:20]}"
        now = real_clock()
        contact = a_contact(f"{self.case}@example.com")
        state = CaseState.RUNNING
        case = Case(self.case, Right.ERASURE, state, contact, "en", "DK", "page", now, "2099-01-01", "2099-01-01")
        self.particulars.keep(self.case, {"address": f"{self.case}@example.com"})
        self.cases.add(case, LogLine(now, "received", "person"))
        tasks = [Task(name, Verb.ERASE, TaskState.ASKED) for name in recipient.NAMES]
        self.cases.commit(self.file.case, [], tasks)

    def start_erasure(self) -> None:
        """As if the person had just proved that they ask, and nobody had been asked yet."""
        file, now = self.file, real_clock()
        waiting = [replace(task, state=TaskState.WAITING) for task in file.tasks]
        self.cases.commit(replace(file.case, proved_at=now, due_at=now // 1000), [], waiting)
        self.orders.order(self.case, now // 1000)

    @property
    def file(self) -> CaseFile:
        file = self.cases.load(self.case)
        assert file is not None
        return file

    def state(self, name: str) -> TaskState:
        return next(task.state for task in self.file.tasks if task.recipient == name)

    def ask(self, name: str) -> TaskState:
        key = f"{self.case}/{name}/erase"
        return self.connectors.of(name).ask(Ask(self.case, name, Verb.ERASE, key, PEOPLE[0], "2099-01-01")).state

    def told(self, name: str, **wanted: Any) -> Answer:
        return self._visitor.request("POST", f"/_local/recipients/{name}", json.dumps(wanted).encode(), JSON)

    def asked(self, name: str) -> dict[str, Any]:
        """What this case asked of a recipient."""
        shown = self._visitor.request("GET", f"/_local/recipients/{name}").json["asked"]
        (mine,) = [one for one in shown if one["case"] == self.case]
        return dict(mine)

    def call_back(self, name: str, body: bytes) -> Answer:
        return self._visitor.request("POST", f"/recipients/{name}/answers", body, JSON)


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def recipients(stack: LocalStack) -> Iterator[Recipients]:
    asked = Recipients(stack)
    yield asked
    for name in recipient.NAMES:
        # They are told of every change that other tests make.
        asked.told(name, behaviour="done")
    for one in asked.wires:
        one.connections.close()


def test_a_recipient_answers_at_once_and_another_calls_back(recipients: Recipients) -> None:
    assert recipients.told("crm", behaviour="done").status == 200
    assert recipients.told("post-house", behaviour="later", seconds=0.2).status == 200

    assert recipients.ask("crm") is TaskState.DONE
    assert recipients.ask("post-house") is TaskState.ASKED

    until(lambda: recipients.state("post-house") is TaskState.DONE)
    # The worker may have looked again since.
    assert "recipient:post-house" in [line.by for line in recipients.file.log]
    until(lambda: recipients.asked("post-house")["called_back"] == [200])
    assert recipients.asked("crm")["times"] == recipients.asked("post-house")["times"] == 1


def test_a_call_back_that_comes_twice_is_noted_once(recipients: Recipients) -> None:
    recipients.told("post-house", behaviour="later", seconds=0)
    recipients.ask("post-house")
    until(lambda: recipients.asked("post-house")["called_back"] == [200])
    recipients.ask("post-house")

    until(lambda: recipients.asked("post-house")["called_back"] == [200, 200])
    # The worker may have written lines of its own meanwhile.
    assert [line.by for line in recipients.file.log].count("recipient:post-house") == 1
    assert recipients.asked("post-house")["times"] == 2


def test_a_call_back_that_nobody_signed_changes_nothing(recipients: Recipients) -> None:
    answer = recipients.call_back("crm", json.dumps({"case": recipients.case, "state": "done"}).encode())

    assert (answer.status, answer.json["type"]) == (401, "urn:consent-center:problem:bad-signature")
    assert recipients.state("crm") is TaskState.ASKED


def test_a_recipient_that_is_not_played_or_told_nonsense_is_refused(recipients: Recipients) -> None:
    assert recipients.told("cloud", behaviour="done").status == 404
    refused = recipients.told("crm", behaviour="sulk")

    assert refused.status == 400
    assert all(name in refused.body for name in BEHAVIOURS)


def test_the_worker_asks_them_itself_and_goes_on_when_one_calls_back(stack: LocalStack, recipients: Recipients) -> None:
    """An erasure from the queue on: what the worker may do, and where it may go, is the template's to say."""
    recipients.told("crm", behaviour="error")
    recipients.told("post-house", behaviour="later", seconds=0.5)
    recipients.start_erasure()

    until(lambda: recipients.state("post-house") is TaskState.DONE, 40)
    until(lambda: recipients.asked("crm")["times"] == 1, 40)

    crm = next(task for task in recipients.file.tasks if task.recipient == "crm")
    assert (crm.state, crm.tries, crm.answer) == (TaskState.WAITING, 1, "unavailable")
    assert not recipients.asked("crm")["acted"]
    assert recipients.asked("post-house")["times"] == 1
    assert recipients.asked("post-house")["verb"] == "erase"
    by_hand = {task.recipient for task in recipients.file.tasks if task.answer == "manual"}
    assert by_hand, "recipients without a connector are for staff"
