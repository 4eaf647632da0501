"""Holds, restrictions, and why something is still here, through the real handler."""

import json
from typing import Any

import pytest

from builders import PEOPLE
from consent_center.domain.subject import timestamp
from deployment import Answer, Deployment

HOLD = {"recipient": PEOPLE[0], "interest": "person", "reason": "claim 17"}
RESTRICTION = {"recipient": PEOPLE[0], "ground": "c", "note": "asked by phone"}


def at(deployment: Deployment, days: int) -> str:
    return timestamp(deployment.clock() + days * 86_400_000)


def call(deployment: Deployment, name: str, **body: Any) -> Answer:
    return deployment.api(name, body=json.dumps(body))


def account(deployment: Deployment, recipient: str = PEOPLE[0]) -> dict[str, Any]:
    answer = call(deployment, "post-retention-answers", recipient=recipient)
    assert answer.status == 200, answer.body
    assert recipient not in answer.body
    return dict(answer.json)


def refused(answer: Answer, status: int, code: str, field: str | None) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.body
    assert answer.json["type"].rpartition(":")[2] == code
    assert answer.json.get("field") == field
    assert PEOPLE[0] not in answer.body


def reason(deployment: Deployment) -> str:
    return str(deployment.check(topic="events").json["results"][0]["reason"])


def test_a_hold_is_set_told_of_and_lifted(deployment: Deployment) -> None:
    deployment.subscribed("events")
    until = at(deployment, 30)
    answer = call(deployment, "post-holds", **HOLD, until=until)
    assert (answer.status, answer.json["recorded"], answer.json["number"]) == (200, True, 2)
    assert not call(deployment, "post-holds", **HOLD, until=until).json["recorded"]
    assert reason(deployment) == "given"

    found = account(deployment)
    end = deployment.clock() // 1000 + 30 * 86_400
    assert found["locks"] == [{"kind": "hold", "number": 2, "ground": "person", "until": end, "purposes": []}]
    kept = {(item["why"], item["until"], item["held_until"]) for item in found["items"] if item["what"] != "request"}
    assert kept == {("locked", None, end)}

    lift = call(deployment, "post-holds-lift", recipient=PEOPLE[0], number=2, reason="settled")
    assert (lift.status, lift.json["recorded"]) == (200, True)
    assert account(deployment)["locks"] == []
    assert deployment.kinds() == ["given", "hold_set", "hold_lifted"]


def test_every_item_says_why_it_is_here_until_when_and_by_which_rule(deployment: Deployment) -> None:
    deployment.subscribed("events")
    for item in account(deployment)["items"]:
        if item["what"] != "request":
            assert (item["why"], item["until"]) == ("active", None)
    deployment.page("post-unsubscribe-page", deployment.stop_link("events"))

    found = account(deployment)
    assert found["holds_anything"]
    (withdrawal,) = [item for item in found["items"] if item["kind"] == "withdrawn"]
    assert (withdrawal["what"], withdrawal["of"], withdrawal["why"]) == ("payload", "2", "rule")
    assert withdrawal["rule"] == "marketing-evidence"
    assert withdrawal["name"] == "Proof of consent to marketing by e-mail"
    assert "Marketing Practices Act" in withdrawal["legal_source"]
    assert "three years" in withdrawal["justification"]
    assert withdrawal["review_on"] == "2027-11-01"
    # Never sent anything: six months.
    assert 180 <= (withdrawal["until"] - deployment.clock() / 1000) / 86_400 <= 185
    (profile,) = [item for item in found["items"] if item["what"] == "profile"]
    assert profile["rule"] == "contact-record"


def test_nothing_held_is_an_answer_and_a_request_is_something(deployment: Deployment) -> None:
    assert account(deployment) == {"holds_anything": False, "items": [], "locks": []}
    deployment.asked("events")

    found = account(deployment)
    (request,) = [item for item in found["items"] if item["what"] == "request"]
    assert (request["rule"], request["until"]) == ("pending-request", deployment.clock() // 1000 + 7 * 86_400)


def test_a_restriction_stops_letters_until_the_person_was_told(deployment: Deployment) -> None:
    deployment.subscribed("events")
    number = call(deployment, "post-restrictions", **RESTRICTION).json["number"]
    assert reason(deployment) == "restricted"
    lift = {"recipient": PEOPLE[0], "number": number, "note": "settled"}
    refused(call(deployment, "post-restrictions-lift", **lift), 422, "invalid-field", "/person_told_at")
    later = call(deployment, "post-restrictions-lift", **lift, person_told_at=at(deployment, 1))
    refused(later, 422, "invalid-field", "/person_told_at")
    assert reason(deployment) == "restricted"

    assert call(deployment, "post-restrictions-lift", **lift, person_told_at=at(deployment, -1)).json["recorded"]
    assert reason(deployment) == "given"


def test_a_restriction_of_one_purpose_names_it(deployment: Deployment) -> None:
    deployment.subscribed("events")
    call(deployment, "post-restrictions", **RESTRICTION, purposes=["direct-marketing-email"])

    assert account(deployment)["locks"][0]["purposes"] == ["direct-marketing-email"]


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("post-holds", HOLD, "/until"),
        ("post-holds", {**HOLD, "until": "2099-01-01"}, "/until"),
        ("post-holds", {**HOLD, "until": "2099-01-01T00:00:00Z"}, "/until"),
        ("post-holds", {**HOLD, "until": "2020-01-01T00:00:00Z"}, "/until"),
        ("post-holds", {**HOLD, "until": "2027-02-01T00:00:00Z", "interest": "ours"}, "/interest"),
        ("post-holds", {**HOLD, "until": "2027-02-01T00:00:00Z", "reason": ""}, "/reason"),
        ("post-holds", {**HOLD, "until": "2027-02-01T00:00:00Z", "recipient": "ada"}, "/recipient"),
        ("post-restrictions", {**RESTRICTION, "ground": "e"}, "/ground"),
        ("post-restrictions", {**RESTRICTION, "extra": 1}, "/extra"),
        ("post-holds-lift", {"recipient": PEOPLE[0], "number": 0, "reason": "x"}, "/number"),
        ("post-holds-lift", {"recipient": PEOPLE[0], "number": "2", "reason": "x"}, "/number"),
        ("post-retention-answers", {"recipient": ""}, "/recipient"),
    ],
)
def test_what_is_wrong_is_named(deployment: Deployment, name: str, body: dict[str, Any], field: str) -> None:
    deployment.subscribed("events")
    refused(call(deployment, name, **body), 422, "invalid-field", field)
    assert deployment.kinds() == ["given"]


def test_a_purpose_that_the_policy_lacks_and_a_person_who_is_not_there_are_refused(deployment: Deployment) -> None:
    refused(call(deployment, "post-restrictions", **RESTRICTION), 404, "nothing-held", "/recipient")
    unknown = call(deployment, "post-restrictions", **RESTRICTION, purposes=["nothing"])
    refused(unknown, 422, "unknown-name", "/purpose")


@pytest.mark.parametrize(
    "name",
    ["post-holds", "post-holds-lift", "post-restrictions", "post-restrictions-lift", "post-retention-answers"],
)
def test_each_call_needs_its_own_scope(deployment: Deployment, name: str) -> None:
    event = deployment.event(f"consent_api/{name}")
    context = event["requestContext"]
    context["authorizer"]["jwt"]["claims"]["scope"] = "consent.write consent.read consent.check"

    refused(deployment.api(name, requestContext=context), 403, "missing-scope", None)
