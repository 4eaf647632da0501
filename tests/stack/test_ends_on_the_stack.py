"""How long records stay, on the running stack: decisions over HTTP, the stream, and looks with the worker's rights."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from consent_center.adapters.dynamodb import keys
from local.stack import LocalStack
from world import Auditor, Visitor


class Leaver(Visitor):
    """Somebody who subscribed and left again."""

    chain: str = ""

    def state(self) -> dict[str, Any]:
        items = Auditor(self.stack).everything()["SubjectsTable"]
        (found,) = [item for item in items if item.get("chain", {}).get("S") == self.chain]
        return dict(found)


@pytest.fixture
def left(stack: LocalStack) -> Leaver:
    visitor = Leaver(stack)
    visitor.subscribed("events")
    visitor.chain = visitor.check("events")["evidence"].partition(".")[0]
    assert visitor.post(visitor.stop_link("events"), by="page").status == 200
    return visitor


def look_at(stack: LocalStack, state: dict[str, Any]) -> Any:
    """What the queue does a quarter of an hour later."""
    _, key_id, pseudonym = state["pk"]["S"].split("#")
    record = {
        "messageId": "message-1",
        "body": json.dumps([state["controller"]["S"], "email", key_id, pseudonym]),
        "eventSource": "aws:sqs",
    }
    return stack.invoke("ExpiryWorkerFunction", {"Records": [record]})


def test_a_decision_has_its_record_looked_at_a_quarter_of_an_hour_later(stack: LocalStack) -> None:
    before = held_back(stack)
    Visitor(stack).subscribed("events")
    wait_for_a_look(stack, before)


def test_a_send_that_is_confirmed_late_has_its_record_looked_at_again(stack: LocalStack) -> None:
    visitor = Leaver(stack)
    visitor.subscribed("events")
    answer = visitor.check("events")
    visitor.chain = answer["evidence"].partition(".")[0]
    assert visitor.post(visitor.stop_link("events"), by="page").status == 200
    look_at(stack, visitor.state())
    before = settled(stack)

    (outcome,) = visitor.api("check", "/v1/sends", sends=[{"send_id": answer["send_id"]}]).json["results"]
    assert outcome["recorded"]
    wait_for_a_look(stack, before)
    look_at(stack, visitor.state())
    # Now that something was sent: three years.
    assert int(visitor.state()["expires_at"]["N"]) - time.time() > 3 * 365 * 86_400 - 3_600


def held_back(stack: LocalStack) -> int:
    attributes = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.resources["ReviewsQueue"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    return int(attributes["Attributes"]["ApproximateNumberOfMessagesDelayed"])


def settled(stack: LocalStack) -> int:
    """How many looks are ordered, once what was done before has been followed."""
    before, now = -1, held_back(stack)
    while now != before:
        time.sleep(2)
        before, now = now, held_back(stack)
    return now


def wait_for_a_look(stack: LocalStack, before: int) -> None:
    end = time.monotonic() + 20
    while held_back(stack) <= before:
        assert time.monotonic() < end, "nobody ordered a look"
        time.sleep(0.1)


def test_who_listens_on_the_event_bus_hears_of_a_change_and_not_of_whom(stack: LocalStack) -> None:
    sqs, events = stack.client("sqs"), stack.client("events")
    queue = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="changes", EventPattern='{"source": ["consent-center"]}')
    events.put_targets(Rule="changes", Targets=[{"Id": "queue", "Arn": arn}])
    visitor = Visitor(stack)
    visitor.subscribed("events")
    chain = visitor.check("events")["evidence"].partition(".")[0]
    assert visitor.post(visitor.stop_link("events"), by="page").status == 200

    heard: dict[int, list[str]] = {}
    end = time.monotonic() + 20
    while 2 not in heard:
        assert time.monotonic() < end, "nobody was told"
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            detail = json.loads(message["Body"])["detail"]
            assert visitor.email not in message["Body"]
            if detail["chain"] == chain:
                heard[detail["seq"]] = [one["after"] for one in detail["changes"]]
    assert heard == {1: ["ConsentGiven"], 2: ["ConsentWithdrawn"]}


def test_what_is_over_gets_its_end_and_loses_its_circumstances_later(stack: LocalStack, left: Leaver) -> None:
    state = left.state()
    assert "expires_at" not in state
    assert look_at(stack, state) == {"batchItemFailures": []}

    looked_at = left.state()
    assert looked_at["rule"] == {"S": "marketing-evidence"}
    # Never sent anything: six months.
    assert 180 * 86_400 < int(looked_at["expires_at"]["N"]) - time.time() < 185 * 86_400
    events = Auditor(stack).of_chain("SubjectsTable", state["chain"]["S"])
    assert all("expires_at" in event for event in events)
    assert all("more" in event for event in events), "it can still be undone"
    assert left.check("events")["reason"] == "withdrawn"


def test_a_hold_keeps_a_record_and_the_answer_says_why(stack: LocalStack, left: Leaver) -> None:
    look_at(stack, left.state())
    until = datetime.now(UTC) + timedelta(days=10)
    hold = {"recipient": left.email, "interest": "person", "reason": "claim 17", "until": until.isoformat()}
    locked = left.api("holds.write", "/v1/holds", **hold)
    assert (locked.status, locked.json["recorded"]) == (200, True), locked.text
    look_at(stack, left.state())
    state = left.state()
    assert "expires_at" not in state
    # Held items are looked at again on the day on which the hold is over.
    assert state["review"]["S"].partition("#")[0] == until.date().isoformat()
    answer = left.api("retention.read", "/v1/retention-answers", recipient=left.email).json
    assert {item["why"] for item in answer["items"] if item["what"] == "payload"} == {"locked"}
    assert left.check("events")["reason"] == "withdrawn"

    lift = {"recipient": left.email, "number": locked.json["number"], "reason": "settled"}
    assert left.api("holds.write", "/v1/holds/lift", **lift).json["recorded"]
    look_at(stack, left.state())
    assert left.state()["rule"] == {"S": "marketing-evidence"}
    kinds = [json.loads(one["body"]["S"])["kind"] for one in Auditor(stack).of_chain("LedgerTable", left.chain)]
    assert kinds == ["given", "withdrawn", "hold_set", "hold_lifted"]


def test_a_consent_that_ran_out_is_noted_with_the_rights_of_the_worker(stack: LocalStack) -> None:
    visitor = Leaver(stack)
    visitor.subscribed("events")
    visitor.chain = visitor.check("events")["evidence"].partition(".")[0]
    state = visitor.state()
    # As if it had been given an hour ago, until a moment that has passed.
    ran_out = int(time.time()) - 60
    (code,) = state["d"]["M"]
    at, seq = state["d"]["M"][code]["S"].removeprefix("g").split(".")
    given = f"g{int(at) - 3_600_000}.{seq}.{ran_out}"
    stack.client("dynamodb").update_item(
        TableName=stack.resources["SubjectsTable"],
        Key={"pk": state["pk"], "sk": state["sk"]},
        UpdateExpression="SET d.#code = :given",
        ExpressionAttributeNames={"#code": code},
        ExpressionAttributeValues={":given": {"S": given}},
    )
    assert visitor.check("events")["reason"] == "expired"
    for _ in range(2):
        assert look_at(stack, visitor.state()) == {"batchItemFailures": []}

    entries = [json.loads(one["body"]["S"]) for one in Auditor(stack).of_chain("LedgerTable", visitor.chain)]
    assert [entry["kind"] for entry in entries] == ["given", "expired"]
    assert datetime.fromisoformat(entries[1]["ended_at"]).timestamp() == ran_out
    assert visitor.check("events")["reason"] == "expired"


def test_what_has_expired_is_gone_before_it_is_removed(stack: LocalStack, left: Leaver) -> None:
    state = left.state()
    stack.client("dynamodb").update_item(
        TableName=stack.resources["SubjectsTable"],
        Key={"pk": state["pk"], "sk": state["sk"]},
        UpdateExpression="SET expires_at = :now",
        ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
    )

    assert left.check("events")["reason"] == "no_record"


def test_a_removal_leaves_a_proof_and_the_job_of_the_night_runs(stack: LocalStack, left: Leaver) -> None:
    state = left.state()
    removed_at = int(time.time())
    record = {
        "eventID": f"removal-{removed_at}-{state['pk']['S'][-6:]}",
        "eventName": "REMOVE",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": f"arn:aws:dynamodb:eu-central-1:0:table/{stack.resources['SubjectsTable']}/stream/x",
        "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
        "dynamodb": {
            "ApproximateCreationDateTime": removed_at,
            "Keys": {"pk": state["pk"], "sk": state["sk"]},
            "OldImage": {**state, "expires_at": {"N": str(removed_at - 60)}, "rule": {"S": "marketing-evidence"}},
        },
    }
    assert stack.invoke("ExpiryWorkerFunction", {"Records": [record]}) is None
    day = time.strftime("%Y-%m-%d", time.gmtime(removed_at))
    proofs = [
        item
        for shard in range(keys.LEDGER_SHARDS)
        for item in stack.client("dynamodb").query(
            TableName=stack.resources["LedgerTable"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"P#{day}#{shard}"}},
        )["Items"]
        if item["sk"]["S"] == record["eventID"]
    ]
    (proof,) = proofs
    assert (proof["kind"]["S"], proof["rule"]["S"]) == ("STATE", "marketing-evidence")

    answer = left.request("POST", "/_local/jobs/review", b"{}", {"Content-Type": "application/json"})
    assert answer.json["job"] == "review"
    assert answer.json["failed"] == 0


@pytest.mark.parametrize(
    ("table", "action", "arguments"),
    [
        ("SubjectsTable", "delete_item", {"Key": {"pk": {"S": "S#k1#x"}, "sk": {"S": "STATE"}}}),
        ("LedgerTable", "delete_item", {"Key": {"pk": {"S": "C#x"}, "sk": {"S": "E#0000000001"}}}),
        ("TransientTable", "get_item", {"Key": {"pk": {"S": "LETTER#x"}, "sk": {"S": "CLAIM"}}}),
    ],
)
def test_the_worker_may_give_ends_and_nothing_else(
    stack: LocalStack, table: str, action: str, arguments: dict[str, Any]
) -> None:
    client = stack.client("dynamodb", role="ExpiryWorkerFunctionRole")
    with pytest.raises(ClientError) as refused:
        getattr(client, action)(TableName=stack.resources[table], **arguments)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
