"""Each right on the running stack: from the page over the mailbox and the recipients to the closed case."""

import io
import json
import re
import time
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

import pytest

from consent_center.adapters.aws import wire
from consent_center.adapters.dynamodb.cases import DynamoCases
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.sqs import QueuedCases
from consent_center.domain.case import Case, LogLine
from consent_center.domain.recipient import Task
from consent_center.ports.cases import CaseFile
from consent_center.usecases.attempts import decided_afresh
from fakes import no_pause, real_clock
from local.stack import LocalStack
from moto_wire import ENVIRONMENT
from world import Answer, Auditor, Visitor

CLOSED = {"done", "refused", "cancelled", "lapsed"}


@dataclass
class Asker(Visitor):
    """Somebody who asks for a right."""

    def ask(self, right: str, **fields: Any) -> str:
        """Fill in the form, press the button of the page that the letter leads to; the path of the status page."""
        form = self.hidden(self.get("/rights").body, "form")
        time.sleep(1.05)
        asked = self.post("/rights", form=form, type=right, email=self.email, **fields)
        assert asked.status == 200, asked.body
        link = self.link("rights/verify")
        shown = self.get(link)
        assert shown.status == 200
        proved = self.post(link)
        assert proved.status == 303, proved.body
        return proved.headers["location"]

    def staff(self, method: str, path: str, **body: Any) -> Answer:
        scopes = "%20".join(f"consent.cases.{one}" for one in ("read", "write", "decide"))
        token = self.get(f"/_local/token?scope={scopes}").json["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self.request(method, path, json.dumps(body).encode() if body else None, headers)

    def case(self, status: str) -> dict[str, Any]:
        """The case behind a status page, as staff see it."""
        number = re.search(r"\b[A-Z2-7]{8}\b", self.get(status).body)
        assert number
        table = (
            self.stack.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=self.stack.resources["CasesTable"], ConsistentRead=True)
        )
        names = {item["pk"]["S"] for page in table for item in page["Items"] if item["sk"]["S"] == "CASE"}
        (name,) = [one for one in names if one.removeprefix("CASE#")[:8].upper() == number[0]]
        found = self.staff("GET", f"/v1/cases/{name.removeprefix('CASE#')}")
        assert found.status == 200, found.body
        return dict(found.json)

    def settle_by_hand(self, status: str) -> None:
        """Recipients without a system of their own are asked by staff, who say what became of it."""
        case = self.case(status)
        for task in case["tasks"]:
            if task["state"] == "asked" and task["answer"] == "manual":
                path = f"/v1/cases/{case['id']}/tasks/{task['recipient']}"
                said = self.staff("POST", path, do="settle", state="done")
                assert said.status == 200, said.body

    def closed(self, status: str, *, seconds: float = 60) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while (case := self.case(status))["state"] not in CLOSED:
            assert time.monotonic() < end, (case["state"], case["tasks"], [line["what"] for line in case["log"]])
            self.settle_by_hand(status)
            time.sleep(0.5)
        return case

    def cooled_off(self, status: str) -> None:
        """As if the days in which an erasure can be taken back were over."""
        self.as_if_later(self.case(status)["id"], lambda file, now: (replace(file.case, cool_off_until=now), []))

    def as_if_later(self, case: str, change: Callable[[CaseFile, int], tuple[Case, list[Task]]]) -> None:
        """Bring a moment forward that is stored in a case, and have the worker look; `change` gets the time in ms."""
        environment = {**ENVIRONMENT, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ENDPOINT_URL": self.stack.emulator_url}
        wires = [wire(service, environment, clock=real_clock, pause=no_pause) for service in ("dynamodb", "sqs")]
        try:
            cases = DynamoCases(Database(wires[0]), self.stack.resources["CasesTable"], real_clock)
            orders = QueuedCases(wires[1], self.stack.resources["CaseStepsQueue"])
            # The worker may be at it, too.
            decided_afresh(lambda: _change(cases, case, change), attempts=20, pause=lambda _: time.sleep(0.1))
            orders.order(case, real_clock() // 1000)
        finally:
            for one in wires:
                one.connections.close()


def _change(cases: DynamoCases, case: str, change: Callable[[CaseFile, int], tuple[Case, list[Task]]]) -> None:
    file = cases.load(case)
    assert file is not None
    now = real_clock()
    changed, tasks = change(file, now)
    cases.commit(replace(changed, due_at=now // 1000), [LogLine(now, "tested", "worker")], tasks)


@pytest.fixture
def asker(stack: LocalStack) -> Asker:
    made = Asker(stack)
    made.subscribed("product-news", "events")
    for name in ("crm", "post-house"):
        headers = {"Content-Type": "application/json"}
        assert made.request("POST", f"/_local/recipients/{name}", b'{"behaviour": "done"}', headers).status == 200
    return made


def file_of(asker: Asker, status: str) -> zipfile.ZipFile:
    """The file behind the button of the status page."""
    page = unescape(asker.get(status).body)
    found = re.search(r'href="(/rights/download/[^"]+)"', page)
    assert found, page
    answer = asker.get(found[1])
    assert answer.status == 303, answer.body
    with urllib.request.urlopen(answer.headers["location"]) as response:
        return zipfile.ZipFile(io.BytesIO(response.read()))


@pytest.mark.parametrize("right", ["access", "portability"])
def test_a_copy_is_made_and_fetched_from_the_status_page(asker: Asker, right: str) -> None:
    status = asker.ask(right)
    case = asker.closed(status)
    assert case["state"] == "done", case

    package = file_of(asker, status)
    assert package.testzip() is None
    name = next(
        one for one in package.namelist() if one.endswith(".json") and "schema" not in one and "manifest" not in one
    )
    assert asker.email in package.read(name).decode()
    assert "downloaded" in [line["what"] for line in asker.case(status)["log"]]
    assert case["outcome"]["package"]["size"] > 0


def test_an_erasure_takes_the_person_out_everywhere_and_says_so(asker: Asker) -> None:
    assert asker.check("product-news")["reason"] == "given"
    status = asker.ask("erasure", keep_fingerprint="yes")
    assert asker.check("product-news")["allowed"] is False, "nothing is sent while it can still be taken back"
    assert asker.case(status)["state"] == "cooling_off"

    asker.cooled_off(status)
    case = asker.closed(status)

    assert case["state"] == "done"
    assert {task["state"] for task in case["tasks"]} <= {"done", "nothing_held"}
    assert {"crm", "post-house"} <= {task["recipient"] for task in case["tasks"]}
    assert asker.check("product-news")["reason"] == "suppressed"
    items = Auditor(asker.stack).everything()["SubjectsTable"]
    assert not [item for item in items if asker.email in json.dumps(item)]
    end = time.monotonic() + 20
    while not any("/rights/status/" in link for letter in asker.letters()[2:] for link in letter["links"]):
        assert time.monotonic() < end
        time.sleep(0.2)


def test_an_objection_binds_at_once_and_recipients_are_told_to_stop(asker: Asker) -> None:
    status = asker.ask("objection")
    assert asker.check("product-news")["allowed"] is False

    case = asker.closed(status)

    assert case["state"] == "done"
    assert {task["verb"] for task in case["tasks"]} <= {"stop"}
    asked = asker.get("/_local/recipients/crm").json
    assert asked


def test_a_restriction_stops_the_use_and_keeps_the_data_until_the_person_was_told_that_it_ends(asker: Asker) -> None:
    status = asker.ask("restriction", ground="c")
    end = time.monotonic() + 30
    while asker.check("product-news")["reason"] != "restricted":
        assert time.monotonic() < end
        time.sleep(0.2)
    assert any(asker.email in json.dumps(item) for item in Auditor(asker.stack).everything()["SubjectsTable"])
    asker.settle_by_hand(status)
    assert asker.get(status).status == 200


def test_a_rectification_is_decided_by_staff_and_carried_out_here_and_by_recipients(asker: Asker) -> None:
    moved = replace(asker, email=f"new-{asker.email}")
    status = asker.ask("rectification", details="My name is spelled Ada.")
    case = asker.case(status)
    assert case["state"] == "with_staff"
    assert case["particulars"]["details"] == "My name is spelled Ada."

    path = f"/v1/cases/{case['id']}/transitions"
    for _ in range(5):
        version = asker.case(status)["version"]
        right = {"name": "Ada", "address": moved.email}
        started = asker.staff("POST", path, step="start", version=version, corrections=right)
        if started.status != 409:
            break
    assert started.status == 200, started.body

    assert asker.closed(status)["state"] == "done"
    assert (asker.check("product-news")["reason"], moved.check("product-news")["reason"]) == ("no_record", "given")


def test_a_request_that_is_taken_back_restores_what_it_stopped(asker: Asker) -> None:
    status = asker.ask("erasure")
    assert asker.check("product-news")["allowed"] is False

    taken_back = asker.post(status, do="cancel")

    assert taken_back.status in (200, 303), taken_back.body
    assert asker.case(status)["state"] == "cancelled"
    assert asker.check("product-news")["reason"] == "given"


def test_one_person_cannot_open_what_is_another_ones(asker: Asker, stack: LocalStack) -> None:
    status = asker.ask("access")
    token = status.split("?")[0].removeprefix("/rights/status/")
    for route in ("rights/verify", "rights/download", "preferences", "confirm", "u", "why", "address"):
        for method in ("GET", "POST"):
            answer = asker.request(method, f"/{route}/{token}")
            assert answer.status in (400, 404, 410), (route, method, answer.status)
            assert asker.email not in answer.body
