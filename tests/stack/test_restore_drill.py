"""The restore drill on the running stack: who was erased is absent in the copy, who withdrew stays withdrawn."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.stack import LocalStack
from transformed import ROOT
from world import Auditor, Visitor


def consentctl(stack: LocalStack, *words: str, told: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", *words, "--local", str(stack.port)],
        env={"PYTHONPATH": f"{ROOT}:{ROOT}/layers/core/python:{ROOT}/layers/policy", "COLUMNS": "120"},
        cwd=ROOT,
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )


def partition_of(stack: LocalStack, visitor: Visitor) -> str:
    items = Auditor(stack).everything()["SubjectsTable"]
    (found,) = {item["pk"]["S"] for item in items if item.get("normalised", {}).get("S") == visitor.email}
    return str(found)


def in_copy(stack: LocalStack, table: str, partition: str) -> dict[str, Any]:
    found = stack.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}},
        ConsistentRead=True,
    )["Items"]
    return {item["sk"]["S"]: item for item in found}


def test_nobody_who_left_since_the_backup_is_back_in_the_copy(stack: LocalStack, tmp_path: Path) -> None:
    stays, leaves, goes = (Visitor(stack).subscribed("product-news") for _ in range(3))
    places = {visitor.email: partition_of(stack, visitor) for visitor in (stays, leaves, goes)}
    dynamodb = stack.client("dynamodb")
    backup = dynamodb.create_backup(TableName=stack.resources["SubjectsTable"], BackupName="before")["BackupDetails"]
    assert leaves.post(leaves.stop_link(), **{"List-Unsubscribe": "One-Click"}).status == 200
    erased = consentctl(stack, "person", "erase", "--keep-fingerprint", "--address-file", "-", "--yes", told=goes.email)
    assert erased.returncode == 0, erased.stderr

    report = tmp_path / "restored.json"
    done = consentctl(stack, "restore", "drill", "--backup", backup["BackupArn"], "--keep", "--report", str(report))

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(report.read_text())
    assert told["outcomes"]["erased"] >= 1
    assert told["outcomes"]["brought_up"] >= 1
    table = told["table"]
    try:
        by_person = {email: in_copy(stack, table, place) for email, place in places.items()}
        assert {text["S"][0] for text in by_person[stays.email]["STATE"]["d"]["M"].values()} == {"g"}
        assert {text["S"][0] for text in by_person[leaves.email]["STATE"]["d"]["M"].values()} == {"w"}
        assert set(by_person[goes.email]) == {"STATE"}
        assert "supp" in by_person[goes.email]["STATE"]
        assert "chain" not in by_person[goes.email]["STATE"]
        described = dynamodb.describe_table(TableName=table)["Table"]
        assert described["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
        ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert ttl["AttributeName"] == "expires_at"
    finally:
        dynamodb.delete_table(TableName=table)


def test_a_drill_leaves_no_copy_behind(stack: LocalStack) -> None:
    before = stack.client("dynamodb").list_tables()["TableNames"]

    done = consentctl(stack, "restore", "drill")

    assert done.returncode == 0, done.stdout + done.stderr
    assert stack.client("dynamodb").list_tables()["TableNames"] == before
