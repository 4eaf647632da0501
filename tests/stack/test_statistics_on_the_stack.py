"""Counting, on the running stack: presses over HTTP, the streams, and numbers with the worker's rights."""

import time
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from consent_center.adapters.dynamodb import keys
from local.stack import LocalStack
from world import Visitor


def counted(stack: LocalStack) -> Counter[str]:
    """Today's numbers by measure, as nobody else is told them."""
    found: Counter[str] = Counter()
    today = time.strftime("%Y-%m-%d", time.gmtime())
    for item in stack.client("dynamodb").query(
        TableName=stack.resources["StatisticsTable"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": keys.of_counters(today[:7])}},
    )["Items"]:
        found[keys.counter_in(item["sk"]["S"])[1]] += int(item["n"]["N"])
    return found


def settled(stack: LocalStack) -> Counter[str]:
    """The numbers once what was done before has been followed."""
    before, now = Counter(never=1), counted(stack)
    while now != before:
        time.sleep(2)
        before, now = now, counted(stack)
    return now


def test_a_sign_up_its_confirmation_and_its_cancellation_are_counted_once(stack: LocalStack) -> None:
    before = settled(stack)
    Visitor(stack).subscribed("events", "surveys")
    other = Visitor(stack)
    other.sign_up("events")
    assert other.post(other.link("not-me")).status == 200

    expected = {"requested": 2, "given": 1, "confirmed_5m": 1, "cancelled": 1}
    end = time.monotonic() + 60
    while (more := counted(stack) - before) != expected:
        assert time.monotonic() < end, more
        time.sleep(0.2)


def test_the_numbers_are_told_to_whoever_has_their_scope(stack: LocalStack) -> None:
    visitor = Visitor(stack)

    def ask(scope: str) -> Any:
        token = visitor.get(f"/_local/token?scope=consent.{scope}").json["access_token"]
        return visitor.request("GET", "/v1/statistics?group=purpose", headers={"Authorization": f"Bearer {token}"})

    told = ask("statistics.read")
    assert (told.status, told.json["group"]) == (200, ["purpose"])
    assert ask("read").status == 403


@pytest.mark.parametrize(
    ("table", "action", "arguments"),
    [
        ("StatisticsTable", "get_item", {"Key": {"pk": {"S": "x"}, "sk": {"S": "x"}}}),
        ("StatisticsTable", "delete_item", {"Key": {"pk": {"S": "x"}, "sk": {"S": "x"}}}),
        ("SubjectsTable", "get_item", {"Key": {"pk": {"S": "S#k1#x"}, "sk": {"S": "STATE"}}}),
        ("LedgerTable", "put_item", {"Item": {"pk": {"S": "C#x"}, "sk": {"S": "E#0000000001"}}}),
    ],
)
def test_the_worker_may_count_and_nothing_else(
    stack: LocalStack, table: str, action: str, arguments: dict[str, Any]
) -> None:
    client = stack.client("dynamodb", role="StatisticsWorkerFunctionRole")
    with pytest.raises(ClientError) as refused:
        getattr(client, action)(TableName=stack.resources[table], **arguments)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
