"""POST /v1/offline-requests, and the form whose link says where it was found."""

import json
import re
from typing import Any

import pytest

from builders import PEOPLE
from deployment import Answer, Deployment

LETTERS = "direct-marketing-email"
AT_THE_FAIR = "2026-11-22T15:00:00Z"


def ask_for(deployment: Deployment, **changes: Any) -> Answer:
    body: dict[str, Any] = {
        "recipient": PEOPLE[0],
        "purpose": LETTERS,
        "topics": ["events"],
        "language": "en",
        "method": "paper",
        "collected_at": AT_THE_FAIR,
        "asked_by_person": True,
        **changes,
    }
    return deployment.api(
        "post-offline-requests", body=json.dumps({key: value for key, value in body.items() if value is not ...})
    )


def test_the_person_is_asked_by_letter_and_their_press_is_the_consent(deployment: Deployment) -> None:
    proof = {"sha256": "0" * 64, "media_type": "image/jpeg"}
    answer = ask_for(deployment, reference="card 12", proof=proof)
    assert (answer.status, list(answer.json)) == (202, ["request"])
    assert deployment.deliver() == {"batchItemFailures": []}
    (letter,) = deployment.mailer.letters
    assert letter.to == PEOPLE[0]
    assert deployment.confirm(deployment.link("confirm")).status == 200

    assert deployment.check(topic="events").json["results"][0]["reason"] == "given"
    (entry,) = deployment.subjects.entry_of.values()
    (payload,) = deployment.subjects.payload_of.values()
    assert entry.body["source"] == "offline:paper"
    assert payload.content["asked"]["proof"] == proof
    deployment.clock.move(seconds=60)
    token = deployment.manage_token()
    history = deployment.preferences("get-history-csv", token, queryStringParameters={"lang": "en"})
    assert "You asked our staff, and confirmed it from an e-mail" in history.text


def test_known_and_unknown_people_get_the_same_answer(deployment: Deployment) -> None:
    deployment.subscribed("events")
    answers = [ask_for(deployment, recipient=one) for one in PEOPLE[:2]]

    assert {(one.status, tuple(one.json)) for one in answers} == {(202, ("request",))}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"asked_by_person": False}, "/asked_by_person"),
        ({"asked_by_person": ...}, "/asked_by_person"),
        ({"asked_by_person": "yes"}, "/asked_by_person"),
        ({"method": "guess"}, "/method"),
        ({"collected_at": "2026-11-22"}, "/collected_at"),
        ({"proof": {"sha256": "abc", "media_type": "image/png"}}, "/proof/sha256"),
        ({"proof": {"sha256": "0" * 64, "media_type": "text/html"}}, "/proof/media_type"),
        ({"recipient": "ada"}, "/recipient"),
        ({"purpose": "profiling", "topics": []}, "/purpose"),
        ({"source": "fair"}, "/source"),
    ],
)
def test_what_is_wrong_is_refused_by_the_name_of_the_field(
    deployment: Deployment, changes: dict[str, Any], field: str
) -> None:
    answer = ask_for(deployment, **changes)

    assert (answer.status, answer.json["field"]) == (422, field), answer.body
    assert PEOPLE[0] not in answer.body
    assert not deployment.outbox.orders


def test_it_needs_a_scope_of_its_own(deployment: Deployment) -> None:
    event = deployment.event("consent_api/post-offline-requests")
    event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] = "consent.write consent.check"
    answer = deployment.api("post-offline-requests", requestContext=event["requestContext"])

    assert (answer.status, answer.json["type"].rpartition(":")[2]) == (403, "missing-scope")


def test_an_address_that_was_asked_too_often_is_told_so_to_staff(deployment: Deployment) -> None:
    answers = [ask_for(deployment) for _ in range(6)]

    assert [one.status for one in answers] == [202] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "3600"


@pytest.mark.parametrize(("named", "source"), [("fair", "form:fair"), ("somewhere-else", "form"), ("", "form")])
def test_a_link_to_the_form_says_where_it_was_found_if_the_policy_knows_the_place(
    deployment: Deployment, named: str, source: str
) -> None:
    page = deployment.page("get-subscribe", queryStringParameters={"source": named, "topic": "events", "lang": "en"})
    form = re.search(r'name="form" value="([^"]+)"', page.body)
    assert form
    deployment.clock.move(seconds=2)
    wrong = deployment.page("post-subscribe", form={"email": "ada", "topic": "events", "form": form[1]})
    again = re.search(r'name="form" value="([^"]+)"', wrong.body)
    assert again
    deployment.clock.move(seconds=2)
    fields = {"email": PEOPLE[0], "topic": "events", "form": again[1]}
    assert deployment.page("post-subscribe", form=fields).status == 200
    deployment.deliver()
    deployment.confirm(deployment.link("confirm"))

    (entry,) = deployment.subjects.entry_of.values()
    assert entry.body["source"] == source
