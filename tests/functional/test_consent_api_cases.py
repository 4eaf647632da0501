"""Rights requests as staff file and follow them, through the real handler."""

import json
from dataclasses import replace
from typing import Any

import pytest

from builders import PEOPLE
from consent_center.domain.case import CaseState
from consent_center.domain.errors import UnreadableParticularsError
from consent_center.domain.recipient import Task, TaskState, Verb
from consent_center.domain.subject import timestamp
from deployment import Answer, Deployment

FILED = {
    "type": "erasure",
    "email": PEOPLE[0],
    "details": "Please remove <b>everything</b>.",
    "method": "phone",
    "identity_checked": True,
    "language": "en",
}


def file(deployment: Deployment, **changes: Any) -> Answer:
    body = {**FILED, "received_at": timestamp(deployment.clock()), **changes}
    return deployment.api("post-cases", body=json.dumps(body))


def filed(deployment: Deployment, **changes: Any) -> str:
    answer = file(deployment, **changes)
    assert answer.status == 200, answer.body
    return str(answer.json["id"])


def show(deployment: Deployment, case: str) -> dict[str, Any]:
    answer = deployment.api("get-case", case)
    assert answer.status == 200, answer.body
    return dict(answer.json)


def step(deployment: Deployment, case: str, name: str, **body: Any) -> Answer:
    version = show(deployment, case)["version"]
    return deployment.api("post-case-transitions", case, body=json.dumps({"step": name, "version": version, **body}))


def task(deployment: Deployment, case: str, recipient: str = "crm", **body: Any) -> Answer:
    event = deployment.event("consent_api/post-case-tasks", case)
    path = event["rawPath"].replace("crm", recipient)
    context = {**event["requestContext"], "http": {**event["requestContext"]["http"], "path": path}}
    return deployment.api("post-case-tasks", case, rawPath=path, requestContext=context, body=json.dumps(body))


def with_task(deployment: Deployment, state: TaskState) -> str:
    """A running erasure of which the CRM still owes an answer."""
    case = filed(deployment)
    found = deployment.cases.files[case]
    running = found.case.moved(CaseState.RUNNING, outcome={"started_at": 1})
    deployment.cases.commit(running, [], [Task("crm", Verb.ERASE, state)])
    return case


def refused(answer: Answer, status: int, code: str, field: str | None = None) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.body
    assert answer.json["type"].rpartition(":")[2] == code
    assert answer.json.get("field") == field
    assert PEOPLE[0] not in answer.body


def granted(deployment: Deployment, name: str, scopes: str, **changes: Any) -> Answer:
    context = deployment.event(f"consent_api/{name}")["requestContext"]
    context["authorizer"]["jwt"]["claims"]["scope"] = scopes
    return deployment.api(name, requestContext=context, **changes)


def test_a_request_is_filed_found_and_read(deployment: Deployment) -> None:
    answer = file(deployment)
    assert (answer.json["recorded"], answer.json["state"], answer.json["type"]) == (True, "cooling_off", "erasure")
    case = answer.json["id"]
    assert answer.json["number"] == case[:8].upper()
    assert not file(deployment).json["recorded"]

    listed = deployment.api("get-cases").json
    assert ([one["id"] for one in listed["cases"]], listed["cursor"]) == ([case], None)
    found = show(deployment, case)
    assert found["particulars"] == {"address": PEOPLE[0], "details": FILED["details"]}
    assert (found["log"][0]["what"], found["log"][0]["by"]) == ("received", "staff:case-desk")
    assert deployment.case_orders.orders[0][0] == case
    assert PEOPLE[0] not in deployment.api("get-cases").body


def test_what_the_person_wrote_needs_the_right_to_decide(deployment: Deployment) -> None:
    case = filed(deployment)
    event = deployment.event("consent_api/get-case", case)
    context = event["requestContext"]
    context["authorizer"]["jwt"]["claims"]["scope"] = "consent.cases.read consent.cases.write"

    answer = deployment.api("get-case", case, requestContext=context)
    assert (answer.status, answer.json["particulars"]) == (200, None)
    assert PEOPLE[0] not in answer.body


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "forget"}, "/type"),
        ({"email": "ada"}, "/email"),
        ({"details": "x" * 10_001}, "/details"),
        ({"method": "pigeon"}, "/method"),
        ({"received_at": "2099-01-01T00:00:00Z"}, "/received_at"),
        ({"received_at": "2026-01-01"}, "/received_at"),
        ({"identity_checked": "yes"}, "/identity_checked"),
        ({"type": "restriction"}, "/ground"),
        ({"extra": 1}, "/extra"),
    ],
)
def test_what_is_wrong_in_a_filing_is_named(deployment: Deployment, changes: dict[str, Any], field: str) -> None:
    refused(file(deployment, **changes), 422, "invalid-field", field)
    assert deployment.cases.files == {}


def test_a_purpose_that_the_policy_lacks_is_refused(deployment: Deployment) -> None:
    refused(file(deployment, type="objection", purposes=["nothing"]), 422, "unknown-name", "/purpose")


def test_a_step_that_is_not_allowed_is_refused(deployment: Deployment) -> None:
    case = filed(deployment)
    refused(step(deployment, case, "complete"), 409, "forbidden-step")
    refused(step(deployment, case, "start"), 409, "forbidden-step")
    refused(step(deployment, case, "refuse"), 422, "invalid-field", "/ground")
    refused(step(deployment, case, "refuse", ground="rights_of_others"), 422, "invalid-field", "/ground")
    refused(step(deployment, case, "extend"), 422, "invalid-field", "/reason")
    refused(step(deployment, case, "reopen"), 422, "invalid-field", "/step")


def test_a_case_that_cannot_be_read_is_said_to_be_so(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    case = filed(deployment)

    def altered(_: str) -> None:
        raise UnreadableParticularsError("the text was altered")

    monkeypatch.setattr(deployment.particulars, "read", altered)
    refused(deployment.api("get-case", case), 409, "unreadable-case")
    deployment.cases.unreadable.add(case)
    refused(deployment.api("get-case", case), 409, "unreadable-case")
    body = json.dumps({"step": "cancel", "version": 1})
    refused(deployment.api("post-case-transitions", case, body=body), 409, "unreadable-case")


def test_who_would_call_an_erasure_done_by_hand_is_told_what_to_do_instead(deployment: Deployment) -> None:
    case = filed(deployment)
    found = deployment.cases.files[case].case
    deployment.cases.commit(found.moved(CaseState.WITH_STAFF), [])
    answer = step(deployment, case, "complete")

    refused(answer, 409, "forbidden-step")
    assert "Take the step `start`" in answer.json["detail"]


def test_a_correction_that_is_wrong_is_named_by_its_field(deployment: Deployment) -> None:
    case = filed(deployment, type="rectification")
    for field in ("address", "name", "interest"):
        answer = step(deployment, case, "start", corrections={field: "\x00"})
        refused(answer, 422, "invalid-field", f"/corrections/{field}")


def test_a_case_that_has_moved_on_is_read_again(deployment: Deployment) -> None:
    case = filed(deployment)
    body = {"step": "cancel", "version": show(deployment, case)["version"] + 1}
    refused(deployment.api("post-case-transitions", case, body=json.dumps(body)), 409, "stale-case", "/version")
    assert show(deployment, case)["state"] == "cooling_off"


def test_a_case_is_extended_and_refused_with_its_ground(deployment: Deployment) -> None:
    case = filed(deployment)
    first = show(deployment, case)["answer_by"]
    assert step(deployment, case, "extend", reason="many systems").json["answer_by"] > first

    answer = step(deployment, case, "refuse", ground="legal_claims", reason="a claim is open")
    assert (answer.status, answer.json["state"]) == (200, "refused")
    found = show(deployment, case)
    assert found["outcome"]["ground"] == "legal_claims"
    assert found["log"][-1]["facts"] == {"reason": "a claim is open", "ground": "legal_claims"}
    assert deployment.api("get-cases").json["cases"] == []
    refused(step(deployment, case, "cancel"), 409, "forbidden-step")


def test_a_manual_task_is_settled_once_and_with_a_reason_where_one_is_due(deployment: Deployment) -> None:
    case = with_task(deployment, TaskState.ASKED)
    refused(task(deployment, case, do="settle"), 422, "invalid-field", "/state")
    refused(task(deployment, case, do="settle", state="impossible"), 422, "invalid-field", "/reason")
    refused(task(deployment, case, "nobody", do="settle", state="done"), 404, "unknown-case")

    answer = task(deployment, case, do="settle", state="impossible", reason="microfilm")
    assert answer.json["tasks"][0]["state"] == "impossible"
    assert task(deployment, case, do="settle", state="impossible", reason="microfilm").status == 200
    refused(task(deployment, case, do="settle", state="done"), 409, "settled-task")
    refused(task(deployment, case, do="redrive"), 409, "forbidden-step")
    assert [line["by"] for line in answer.json["log"]][-1] == "staff:case-desk"


def test_a_recipient_that_was_given_up_is_asked_again(deployment: Deployment) -> None:
    case = with_task(deployment, TaskState.FAILED)
    answer = task(deployment, case, do="redrive")

    assert (answer.json["tasks"][0]["state"], answer.json["tasks"][0]["tries"]) == ("waiting", 0)
    assert deployment.case_orders.orders[-1][0] == case


def test_a_closed_case_takes_no_answer(deployment: Deployment) -> None:
    case = with_task(deployment, TaskState.ASKED)
    found = deployment.cases.files[case]
    deployment.cases.files[case] = replace(found, case=replace(found.case, state=CaseState.LAPSED))

    refused(task(deployment, case, do="settle", state="done"), 409, "closed-case")


def test_a_case_that_is_not_there_is_not_found(deployment: Deployment) -> None:
    refused(deployment.api("get-case", "nothing"), 404, "unknown-case")
    body = json.dumps({"step": "cancel", "version": 1})
    refused(deployment.api("post-case-transitions", "nothing", body=body), 404, "unknown-case")


def test_the_list_comes_in_pages_and_by_type_and_state(deployment: Deployment) -> None:
    for right in ("access", "complaint", "erasure"):
        filed(deployment, type=right)

    def page(**query: str) -> dict[str, Any]:
        answer = deployment.api("get-cases", queryStringParameters=query)
        assert answer.status == 200, answer.body
        return dict(answer.json)

    first = page(limit="2")
    second = page(limit="2", cursor=first["cursor"])
    assert {one["type"] for one in (*first["cases"], *second["cases"])} == {"access", "complaint", "erasure"}
    assert second["cursor"] is None
    assert [one["type"] for one in page(type="complaint")["cases"]] == ["complaint"]
    assert [one["type"] for one in page(state="running")["cases"]] == ["access"]
    refused(deployment.api("get-cases", queryStringParameters={"limit": "0"}), 422, "invalid-field", "/query/limit")
    refused(deployment.api("get-cases", queryStringParameters={"cursor": "x"}), 422, "invalid-field", "/cursor")


def test_each_call_needs_its_own_scope(deployment: Deployment) -> None:
    case = filed(deployment)
    read, write = "consent.cases.read", "consent.cases.write"
    refused(granted(deployment, "get-cases", write), 403, "missing-scope")
    body = json.dumps({**FILED, "received_at": timestamp(deployment.clock())})
    refused(granted(deployment, "post-cases", read, body=body), 403, "missing-scope")
    # To be sure of who asks is a decision.
    refused(granted(deployment, "post-cases", write, body=body), 403, "missing-scope")
    for name, scopes in (("extend", read), ("refuse", "consent.cases.decide"), ("refuse", write), ("lift", write)):
        event = deployment.event("consent_api/post-case-transitions", case)
        event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] = scopes
        body = json.dumps({"step": name, "version": 1, "ground": "excessive", "reason": "x"})
        answer = deployment.api("post-case-transitions", case, requestContext=event["requestContext"], body=body)
        refused(answer, 403, "missing-scope")
    event = deployment.event("consent_api/post-case-tasks", case)
    event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] = read
    refused(deployment.api("post-case-tasks", case, requestContext=event["requestContext"]), 403, "missing-scope")


def work(deployment: Deployment, days: float = 0) -> None:
    """Let time pass; then the schedule, the queue of cases and the queue of letters do what is due."""
    deployment.clock.move(seconds=round(days * 86_400))
    deployment.job("rights")
    assert deployment.look() == {"batchItemFailures": []}
    assert deployment.deliver() == {"batchItemFailures": []}


def test_an_erasure_goes_from_the_desk_to_the_letter_that_certifies_it(deployment: Deployment) -> None:
    deployment.subscribed("events")
    deployment.outbox.orders.clear()
    case = filed(deployment)
    work(deployment)
    assert deployment.check(topic="events").json["results"][0]["reason"] == "restricted"
    assert show(deployment, case)["number"] in deployment.mailer.letters[-1].text

    work(deployment, days=2.1)
    found = show(deployment, case)
    assert (found["state"], found["outcome"]["held"]) == ("running", True)
    assert deployment.subjects.profiles == {}
    recipients = [one["recipient"] for one in found["tasks"]]
    assert {"crm", "post-house"} <= set(recipients)
    # Who has data under a legal duty answers for it alone.
    assert "dk-authorities" not in recipients
    assert {(one["verb"], one["state"], one["answer"]) for one in found["tasks"]} == {("erase", "asked", "manual")}
    assert found["particulars"]["address"] == PEOPLE[0]

    for recipient in recipients:
        assert task(deployment, case, recipient, do="settle", state="done").status == 200
    work(deployment)
    assert show(deployment, case)["state"] == "done"
    letter = deployment.mailer.letters[-1]
    assert letter.to == PEOPLE[0]
    assert "What stays, and why" in letter.text
    assert "ledger" not in letter.text
    work(deployment, days=0.1)
    assert show(deployment, case)["particulars"] is None
    assert case in deployment.particulars.shredded


def test_a_restriction_is_set_at_once_and_lifted_after_its_letter(deployment: Deployment) -> None:
    deployment.subscribed("events")
    deployment.outbox.orders.clear()
    case = filed(deployment, type="restriction", ground="c")
    work(deployment)
    for one in show(deployment, case)["tasks"]:
        task(deployment, case, one["recipient"], do="settle", state="nothing_held")
    work(deployment)
    assert (show(deployment, case)["state"], "lock" in show(deployment, case)["outcome"]) == ("done", True)
    assert deployment.check(topic="events").json["results"][0]["reason"] == "restricted"

    assert step(deployment, case, "lift", reason="the claim is settled").status == 200
    work(deployment)
    assert deployment.check(topic="events").json["results"][0]["reason"] == "restricted"
    assert "the claim is settled" in deployment.mailer.letters[-1].text
    work(deployment, days=0.1)
    assert deployment.check(topic="events").json["results"][0]["reason"] == "given"


def test_a_refusal_is_told_with_its_ground_and_ends_what_had_stopped(deployment: Deployment) -> None:
    deployment.subscribed("events")
    deployment.outbox.orders.clear()
    case = filed(deployment)
    work(deployment)
    assert step(deployment, case, "refuse", ground="legal_claims", reason="invoice 17 is open").status == 200
    work(deployment)

    assert "Art. 17(3)(e)" in deployment.mailer.letters[-1].text
    assert "invoice 17 is open" in deployment.mailer.letters[-1].text
    assert deployment.check(topic="events").json["results"][0]["reason"] == "given"
