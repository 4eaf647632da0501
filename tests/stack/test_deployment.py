"""The deployed resources, because an emulator's CREATE_COMPLETE proves little; and that an update loses nothing."""

import time
from pathlib import Path
from typing import Any

import pytest

from local.stack import LocalStack, free_port
from transformed import of_type
from world import Auditor, Visitor


@pytest.mark.parametrize("table", ["SubjectsTable", "LedgerTable", "TransientTable"])
def test_tables_expire_restore_and_survive_deletion(stack: LocalStack, table: str) -> None:
    client, name = stack.client("dynamodb"), stack.resources[table]

    assert client.describe_time_to_live(TableName=name)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "expires_at",
    }
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    described = client.describe_table(TableName=name)["Table"]
    assert described["DeletionProtectionEnabled"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("queue", ["LettersQueue", "FeedbackQueue", "ImportsQueue"])
def test_the_queue_feeds_the_worker_and_sets_aside_what_fails(stack: LocalStack, queue: str) -> None:
    queues = stack.client("sqs")
    attributes = queues.get_queue_attributes(QueueUrl=stack.resources[queue], AttributeNames=["All"])
    arn = attributes["Attributes"]["QueueArn"]
    (mapping,) = stack.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert attributes["Attributes"]["VisibilityTimeout"] == "150"
    assert '"maxReceiveCount":5' in attributes["Attributes"]["RedrivePolicy"].replace(" ", "").replace('"5"', "5")


def test_every_function_and_role_of_the_template_is_deployed(stack: LocalStack) -> None:
    deployed = {function["FunctionName"] for function in stack.client("lambda").list_functions()["Functions"]}

    assert {stack.resources[name] for name in of_type("AWS::Lambda::Function")} <= deployed
    for role in of_type("AWS::IAM::Role"):
        assert stack.client("iam").get_role(RoleName=stack.resources[role])


def at_rest(stack: LocalStack) -> dict[str, list[Any]]:
    """Every item, once nobody writes any more: workers note a letter after they have handed it over."""
    end, found = time.monotonic() + 30, Auditor(stack).everything()
    while True:
        time.sleep(2)
        before, found = found, Auditor(stack).everything()
        if found == before:
            return found
        assert time.monotonic() < end, "somebody goes on writing"


def test_an_update_of_the_stack_keeps_people_links_and_secrets(tmp_path: Path) -> None:
    state, port = tmp_path / "state", free_port()
    with LocalStack(port, state) as first:
        visitor = Visitor(first).subscribed("events", "surveys")
        link = visitor.stop_link("events")
        visitor.receipts(1)
        before = at_rest(first)
    with LocalStack(port, state, parameters={"LogRetentionDays": "90", "RequestsPerSecond": "50"}) as second:
        again = Visitor(second, visitor.email)
        assert Auditor(second).everything() == before
        assert again.check("events")["allowed"]
        assert again.request("POST", link, b"List-Unsubscribe=One-Click").status == 200
        assert (again.check("events")["reason"], again.check("surveys")["reason"]) == ("withdrawn", "given")
