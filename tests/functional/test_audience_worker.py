"""The worker that makes audiences, from event to file; and the follower of decisions that tells it who decided."""

import json
from typing import Any

import pytest

import audience_worker.app
import expiry_worker.app
from builders import PEOPLE, PURPOSE
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import UnavailableError, UnknownNameError
from deployment import CONTEXT, Deployment


def handle(event: dict[str, Any]) -> Any:
    return audience_worker.app.lambda_handler(event, CONTEXT)  # type: ignore[arg-type]


def messages(deployment: Deployment, name: str, *bodies: Any) -> dict[str, Any]:
    record = deployment.event(f"audience_worker/{name}")["Records"][0]
    return {
        "Records": [
            {**record, "messageId": f"message-{number}", "body": body if isinstance(body, str) else json.dumps(body)}
            for number, body in enumerate(bodies)
        ]
    }


def make_all(deployment: Deployment) -> dict[str, Any]:
    """The job, and all its messages."""
    told: dict[str, Any] = deployment.job("audience")
    ordered = [{**run._asdict(), "shard": shard} for run, shard in deployment.audience_orders.ordered]
    assert handle(messages(deployment, "parts", *ordered)) == {"batchItemFailures": []}
    return told


def test_the_job_has_every_shard_made_and_the_last_one_writes_the_manifest(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())

    told = make_all(deployment)

    assert told == {"job": "audience", "purposes": 1, "parts": 4}
    (manifest,) = deployment.audiences.manifests.values()
    assert json.loads(manifest)["included"] == 1


def test_without_a_purpose_nothing_is_made(deployment: Deployment) -> None:
    deployment.settings["AUDIENCE_PURPOSES"] = ""

    assert make_all(deployment) == {"job": "audience", "purposes": 0, "parts": 0}


def test_another_job_is_not_this_workers(deployment: Deployment) -> None:
    with pytest.raises(UnknownNameError):
        handle({"job": "seal"})


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"id": "x", "purpose": "y", "made_at": "z"}'])
def test_what_is_no_part_is_given_back_and_holds_nothing_up(deployment: Deployment, body: str) -> None:
    deployment.job("audience")
    run, shard = deployment.audience_orders.ordered[0]

    failed = handle(messages(deployment, "parts", body, {**run._asdict(), "shard": shard}))

    assert failed == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert (run, shard) in deployment.audiences.notes


def test_a_part_whose_people_cannot_be_read_is_delivered_again(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())
    deployment.job("audience")
    deployment.subjects.unreadable = set(deployment.subjects.subjects)
    orders = [{**run._asdict(), "shard": shard} for run, shard in deployment.audience_orders.ordered]

    assert len(handle(messages(deployment, "parts", *orders))["batchItemFailures"]) == 1
    assert deployment.audiences.manifests == {}

    deployment.subjects.unreadable = set()
    assert handle(messages(deployment, "parts", *orders)) == {"batchItemFailures": []}
    assert len(deployment.audiences.manifests) == 1


def test_those_who_decided_go_into_one_file_and_a_bad_message_comes_again_alone(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())
    (contact,) = deployment.subjects.subjects
    change = {"contact": list(contact), "chain": deployment.subjects.subjects[contact].chain, "purposes": ["dm"]}

    failed = handle(messages(deployment, "changes", change, '{"contact": 1}', change))

    assert failed == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    ((line,),) = deployment.audiences.changes[PURPOSE]
    assert (json.loads(line)["may"], json.loads(line)["address"]) == (True, PEOPLE[0])


def test_changes_that_cannot_be_kept_all_come_again(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> None:
        raise UnavailableError("audience: SlowDown")

    deployment.confirm(deployment.asked())
    (contact,) = deployment.subjects.subjects
    monkeypatch.setattr(deployment.audiences, "add_changes", failing)
    change = {"contact": list(contact), "chain": deployment.subjects.subjects[contact].chain, "purposes": ["dm"]}

    failed = handle(messages(deployment, "changes", change, change))

    assert [one["itemIdentifier"] for one in failed["batchItemFailures"]] == ["message-0", "message-1"]


CHAIN = "f66h7l5n3mf7cv4krt6y6r7xvw"


def follow(deployment: Deployment) -> None:
    expiry_worker.app.lambda_handler(  # type: ignore[call-arg]
        json.loads(json.dumps(deployment.event("expiry_worker/state-decided")).replace("PSEUDONYM", "a" * 26)),
        CONTEXT,  # type: ignore[arg-type]
    )


def test_a_decision_is_told_to_the_audiences_where_there_are_any(deployment: Deployment) -> None:
    follow(deployment)
    assert deployment.audience_orders.noted == []

    deployment.settings["AUDIENCE_CHANGES_QUEUE_URL"] = "https://queue.example.com/changes"
    follow(deployment)
    assert deployment.audience_orders.noted == [(ContactPoint("fjordmeter", "email", "k1", "a" * 26), CHAIN, ["dm"])]


def test_who_was_erased_is_told_to_the_audiences_under_the_chain_that_is_gone(deployment: Deployment) -> None:
    deployment.settings["AUDIENCE_CHANGES_QUEUE_URL"] = "https://queue.example.com/changes"
    event = json.loads(json.dumps(deployment.event("expiry_worker/state-decided")).replace("PSEUDONYM", "a" * 26))
    for name in ("chain", "d", "seq"):
        del event["Records"][0]["dynamodb"]["NewImage"][name]

    expiry_worker.app.lambda_handler(event, CONTEXT)  # type: ignore[call-arg,arg-type]

    contact = ContactPoint("fjordmeter", "email", "k1", "a" * 26)
    assert deployment.audience_orders.noted == [(contact, CHAIN, ["dm"])]
    (told,) = deployment.announcements.told
    assert (told["chain"], told["erased"]) == (CHAIN, True)
