"""Audiences on the running stack: made by the job, fetched by the command, and changed by whoever leaves."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.audience import current_rows, lines_of
from consent_center.adapters.audiences_s3 import CHANGES
from local.stack import LocalStack
from transformed import ROOT
from world import Visitor

PURPOSE = "direct-marketing-email"


def until(found: Callable[[], Any]) -> Any:
    """What is found in the end: queues take a moment."""
    deadline = time.monotonic() + 30
    while not (answer := found()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return answer


def fetched(stack: LocalStack, to: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    return subprocess.run(
        [
            *(sys.executable, "-P", "-m", "cli", "audience", "fetch", PURPOSE),
            *("--to", str(to), "--csv", "--local", str(stack.port)),
        ],
        env={"PYTHONPATH": f"{ROOT}:{ROOT}/layers/core/python:{ROOT}/layers/policy", "COLUMNS": "120"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def has_manifest(stack: LocalStack, since: str) -> bool:
    pages = stack.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=stack.outputs["AudiencesBucket"], Prefix=f"audiences/{PURPOSE}/", StartAfter=since)
    return any(item["Key"].endswith("manifest.json") for page in found for item in page.get("Contents", []))


def test_a_nightly_run_and_a_change_reach_the_tool(stack: LocalStack, tmp_path: Path) -> None:
    stays, leaves = Visitor(stack), Visitor(stack)
    for visitor in (stays, leaves):
        visitor.subscribed("events")
    contact = {visitor.email: visitor.check("events")["evidence"].partition(".")[0] for visitor in (stays, leaves)}
    job = stays.request("POST", "/_local/jobs/audience", b"{}", {"Content-Type": "application/json"})
    assert job.json == {"job": "audience", "purposes": 1, "parts": 16}
    until(lambda: has_manifest(stack, ""))

    done = fetched(stack, tmp_path / "first")

    assert done.returncode == 0, done.stderr
    assert "@" not in done.stdout + done.stderr
    rows = {row["address"]: row for row in current_rows(tmp_path / "first")}
    assert rows[leaves.email]["contact"] == contact[leaves.email]
    assert rows[stays.email]["topics"] == ["events"]

    assert leaves.post(leaves.stop_link("events"), by="page").status == 200

    def told() -> Any:
        folder = tmp_path / f"try-{time.monotonic_ns()}"
        assert fetched(stack, folder).returncode == 0
        lines = [line for file in folder.glob("changes-*") for line in lines_of(file)]
        return [line for line in lines if line["contact"] == contact[leaves.email] and not line["may"]] and folder

    after = until(told)
    assert leaves.email not in {row["address"] for row in current_rows(after)}
    assert stays.email in (after / "audience.csv").read_text()


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("s3", "get_object", {"Key": f"{CHANGES}{PURPOSE}/x"}),
        ("s3", "get_object", {"Key": f"audiences/{PURPOSE}/x"}),
        ("s3", "delete_object", {"Key": f"audiences/{PURPOSE}/x"}),
        ("s3", "list_objects_v2", {}),
        ("dynamodb", "scan", {"TableName": "SubjectsTable"}),
        ("dynamodb", "put_item", {"TableName": "SubjectsTable", "Item": {"pk": {"S": "x"}, "sk": {"S": "x"}}}),
        ("dynamodb", "get_item", {"TableName": "LedgerTable", "Key": {"pk": {"S": "C#x"}, "sk": {"S": "E#1"}}}),
        ("dynamodb", "get_item", {"TableName": "TransientTable", "Key": {"pk": {"S": "x"}, "sk": {"S": "x"}}}),
        ("secretsmanager", "get_secret_value", {"SecretId": "LinksSecret"}),
        ("sqs", "send_message", {"QueueUrl": "LettersQueue", "MessageBody": "{}"}),
        ("sqs", "send_message", {"QueueUrl": "AudienceChangesQueue", "MessageBody": "{}"}),
    ],
)
def test_the_worker_may_do_nothing_else(stack: LocalStack, service: str, call: str, arguments: dict[str, Any]) -> None:
    named = {
        key: stack.resources.get(value, value) if isinstance(value, str) else value for key, value in arguments.items()
    }
    if service == "s3":
        named["Bucket"] = stack.outputs["AudiencesBucket"]

    with pytest.raises(ClientError) as error:
        getattr(stack.client(service, role="AudienceWorkerFunctionRole"), call)(**named)
    assert error.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
