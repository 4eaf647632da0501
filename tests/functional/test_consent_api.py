"""The API for other systems, from event to answer."""

import base64
import json
from typing import Any

import pytest

from builders import PEOPLE
from deployment import Answer, Deployment


def refused(answer: Answer, status: int, field: str | None) -> dict[str, Any]:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json.get("field") == field
    return dict(answer.json)


def test_rows_come_back_in_order(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())
    results = deployment.check(PEOPLE[1], PEOPLE[0], "no address", PEOPLE[0]).json["results"]

    assert [row["index"] for row in results] == [0, 1, 2, 3]
    assert [row["reason"] for row in results] == ["no_record", "given", "invalid_address", "given"]
    yes = (
        "index allowed reason evidence valid_until send_id headers why_url may_track_opens may_track_clicks may_profile"
    )
    assert set(results[1]) == set(yes.split())
    assert (results[0]["evidence"], results[0]["headers"], results[0]["send_id"]) == (None, None, None)


def test_the_answer_repeats_no_address(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())

    assert PEOPLE[0] not in deployment.check().body


def test_a_thousand_recipients_are_one_call(deployment: Deployment) -> None:
    answer = deployment.check(*(f"person-{number}@example.com" for number in range(1000)))

    assert len(answer.json["results"]) == 1000
    assert deployment.subjects.calls == ["states"]


def test_one_more_than_a_thousand_is_refused(deployment: Deployment) -> None:
    refused(deployment.check(*["x@example.com"] * 1001), 422, "/recipients")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "no-such-purpose"}, "/purpose"),
        ({"topic": "no-such-topic"}, "/topic"),
        ({"channel": "pigeon"}, "/channel"),
        ({"recipient": []}, "/recipient"),
        ({"recipients": "ada"}, "/recipients"),
        ({"recipients": ["x@example.com", 7]}, "/recipients/1"),
        ({"record_send": "yes"}, "/record_send"),
        ({"purpose": None}, "/purpose"),
    ],
)
def test_a_wrong_field_is_named(deployment: Deployment, changes: dict[str, Any], field: str) -> None:
    document = refused(deployment.check(**changes), 422, field)

    assert "ada" not in json.dumps(document)


def test_a_missing_field_is_named(deployment: Deployment) -> None:
    refused(deployment.api("post-permission-checks", body='{"purpose": "x", "channel": "email"}'), 422, "/recipients")


@pytest.mark.parametrize("body", ["{", "", "[]", "null", '"text"', "\x00", "[" * 100_000])
def test_what_is_no_json_object_is_refused(deployment: Deployment, body: str) -> None:
    answer = deployment.api("post-permission-checks", body=body)

    assert answer.status in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_refused_before_it_is_read(deployment: Deployment) -> None:
    refused(deployment.api("post-permission-checks", body="[" * 1_000_001), 413, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "!!!", "isBase64Encoded": True},
        {"body": "/w==", "isBase64Encoded": True},
        {"body": '{"purpose": ' + "9" * 5000 + "}"},
    ],
    ids=["no base64", "no UTF-8", "a number without end"],
)
def test_a_body_that_cannot_be_read_is_the_callers_to_mend(deployment: Deployment, changes: dict[str, Any]) -> None:
    refused(deployment.api("post-permission-checks", **changes), 400, "")


def test_the_body_is_json_whatever_the_content_type_says(deployment: Deployment) -> None:
    event = deployment.event("consent_api/post-permission-checks")
    headers = {**event["headers"], "content-type": "text/plain"}
    body = base64.b64encode(event["body"].encode()).decode()

    assert deployment.api("post-permission-checks", headers=headers).status == 200
    assert deployment.api("post-permission-checks", body=body, isBase64Encoded=True).status == 200


@pytest.mark.parametrize("claim", [{"scp": "[consent.check consent.read]"}, {"scp": "consent.check"}])
def test_a_scope_may_come_in_either_claim(deployment: Deployment, claim: dict[str, str]) -> None:
    context = deployment.event("consent_api/post-permission-checks")["requestContext"]
    context["authorizer"]["jwt"]["claims"] = claim

    assert deployment.api("post-permission-checks", requestContext=context).status == 200


@pytest.mark.parametrize("scope", ["", "consent.read", "consent.checks", "check", "other.check"])
def test_a_token_without_the_scope_is_refused_even_if_the_gateway_let_it_through(
    deployment: Deployment, scope: str
) -> None:
    event = deployment.event("consent_api/post-permission-checks")
    event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] = scope

    refused(deployment.api("post-permission-checks", requestContext=event["requestContext"]), 403, None)


def test_a_request_without_any_token_is_refused_even_if_the_gateway_let_it_through(deployment: Deployment) -> None:
    context = deployment.event("consent_api/post-permission-checks")["requestContext"]
    del context["authorizer"]

    refused(deployment.api("post-permission-checks", requestContext=context), 403, None)


def test_people_who_cannot_be_read_are_denied_and_the_call_succeeds(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())
    deployment.subjects.unreadable.update(deployment.subjects.subjects)

    (row,) = deployment.check().json["results"]
    assert (row["allowed"], row["reason"]) == (False, "unavailable")


def test_an_unexpected_failure_is_a_problem_document_that_says_nothing(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(PEOPLE[0])

    monkeypatch.setattr(deployment.subjects, "states", fail)
    refused(deployment.check(), 500, None)


def test_recorded_sends_are_stored(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())
    deployment.check(record_send=True)

    assert len(deployment.subjects.sends) == 1


def test_the_description_is_public_and_names_every_reason(deployment: Deployment) -> None:
    document = deployment.api("get-openapi").json

    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/v1/permission-checks",
        "/v1/sends",
        "/v1/permissions/lookup",
        "/v1/decisions",
        "/v1/statistics",
        "/v1/holds",
        "/v1/holds/lift",
        "/v1/restrictions",
        "/v1/restrictions/lift",
        "/v1/retention-answers",
        "/v1/suppressions",
        "/v1/offline-requests",
        "/v1/cases",
        "/v1/cases/{case}",
        "/v1/cases/{case}/transitions",
        "/v1/cases/{case}/tasks/{recipient}",
    }
    reasons = document["components"]["schemas"]["Reason"]["enum"]
    assert {"given", "no_record", "pending", "unavailable", "invalid_address"} <= set(reasons)
    assert document["servers"] == [{"url": "https://consent.example.com"}]


def test_what_the_api_does_not_have_is_a_problem_document(deployment: Deployment) -> None:
    context = deployment.event("consent_api/get-openapi")["requestContext"]
    context["http"]["path"] = "/v1/nothing"

    refused(deployment.api("get-openapi", rawPath="/v1/nothing", requestContext=context), 404, None)
