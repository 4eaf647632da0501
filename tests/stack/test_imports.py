"""Imports through the command, the bucket, the queue and the worker, on the deployed template."""

import csv
import json
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from consent_center.adapters.imports_s3 import manifest_key, part_key, report_key
from local.stack import LocalStack
from transformed import ROOT
from world import Visitor

PURPOSE = "direct-marketing-email"
YES = "2026-01-05T10:00:00Z"


def import_list(stack: LocalStack, file: Path | str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    return subprocess.run(
        [
            *(sys.executable, "-P", "-m", "cli", "import", str(file), "--purpose", PURPOSE, "--operator", "list-team"),
            *("--language", "en", "--notice", "2026-11-01", "--method", "fair", "--topics", "product-news"),
            *("--local", str(stack.port), *more),
        ],
        env={"PYTHONPATH": f"{ROOT}:{ROOT}/layers/core/python:{ROOT}/layers/policy", "COLUMNS": "120"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def a_list(folder: Path, people: int) -> tuple[Path, list[str]]:
    """A list of new people: every third has said no, one is proven badly, one is no person."""
    start = uuid.uuid4().hex[:12]
    addresses = [f"ada-{start}{number}@example.org" for number in range(people)]
    lines = ["email,decision,collected_at,confirmed_at"]
    for number, address in enumerate(addresses):
        lines.append(f"{address},withdrawn,," if number % 3 == 0 else f"{address},given,{YES},{YES}")
    lines += [f"ada-{start}-unproven@example.org,given,,", "nobody,given,,"]
    file = folder / "list.csv"
    file.write_text("\n".join(lines), "utf-8")
    return file, addresses


def outcomes(report: Path) -> Counter[str]:
    with report.open(encoding="utf-8", newline="") as file:
        return Counter(row["outcome"] for row in csv.DictReader(file))


def reason(stack: LocalStack, address: str) -> str:
    token = stack.issuer.token("consent.check")
    body = {"purpose": PURPOSE, "channel": "email", "topic": "product-news", "recipients": [address]}
    answer = Visitor(stack).request(
        "POST",
        "/v1/permission-checks",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    return str(answer.json["results"][0]["reason"])


def test_a_list_is_imported_reported_and_harmless_to_import_again_from_s3(stack: LocalStack, tmp_path: Path) -> None:
    file, addresses = a_list(tmp_path, 300)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"

    done = import_list(stack, file, "--report", str(first))
    s3 = stack.client("s3")
    s3.create_bucket(Bucket="lists", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.upload_file(str(file), "lists", "spring/list.csv")
    again = import_list(stack, "s3://lists/spring/list.csv", "--report", str(second))
    absent = import_list(stack, "s3://lists/autumn.csv")

    assert (done.returncode, again.returncode) == (1, 1), done.stderr + again.stderr
    assert outcomes(first) == {"recorded": 300, "dropped": 2}
    assert first.read_text() == second.read_text()
    assert [reason(stack, address) for address in addresses[:3]] == ["withdrawn", "given", "given"]
    assert "@" not in done.stdout + done.stderr + first.read_text()
    assert (absent.returncode, "the object cannot be read: 404" in absent.stderr) == (2, True), absent.stderr


def test_a_part_that_is_delivered_again_gives_the_same_report(stack: LocalStack, tmp_path: Path) -> None:
    file, _ = a_list(tmp_path, 30)
    done = import_list(stack, file)
    bucket, s3 = stack.outputs["ImportsBucket"], stack.client("s3")
    import_id = done.stderr.partition("Import ")[2].split()[0]
    report = s3.get_object(Bucket=bucket, Key=report_key(import_id, 1))["Body"].read()

    # As after a kill before the report was stored.
    s3.delete_object(Bucket=bucket, Key=report_key(import_id, 1))
    record = {"messageId": "m", "body": json.dumps({"import": import_id, "part": 1})}
    assert stack.invoke("ImportWorkerFunction", {"Records": [record, record]}) == {"batchItemFailures": []}

    assert s3.get_object(Bucket=bucket, Key=report_key(import_id, 1))["Body"].read() == report


def test_who_withdrew_since_is_not_brought_back_by_a_list(stack: LocalStack, tmp_path: Path) -> None:
    file, addresses = a_list(tmp_path, 2)
    assert import_list(stack, file).returncode == 1
    token = stack.issuer.token("consent.write")
    Visitor(stack).request(
        "POST",
        "/v1/decisions",
        json.dumps({"recipient": addresses[1], "purpose": PURPOSE, "decision": "withdrawn"}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    later = tmp_path / "later.csv"
    later.write_text(f"email,decision,collected_at,confirmed_at\n{addresses[1].upper()},given,{YES},{YES}\n", "utf-8")
    report = tmp_path / "report.ndjson"

    done = import_list(stack, later, "--report", str(report))

    assert done.returncode == 1, done.stderr
    assert json.loads(report.read_text())["reason"] == "persons_no"
    assert reason(stack, addresses[1]) == "withdrawn"


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("s3", "put_object", {"Key": part_key("other", 1), "Body": b""}),
        ("s3", "put_object", {"Key": manifest_key("other"), "Body": b""}),
        ("s3", "delete_object", {"Key": report_key("other", 1)}),
        ("s3", "list_objects_v2", {}),
        ("dynamodb", "scan", {"TableName": "SubjectsTable"}),
        ("dynamodb", "query", {"TableName": "LedgerTable", "KeyConditionExpression": "pk = :pk"}),
        ("dynamodb", "delete_item", {"TableName": "LedgerTable", "Key": {"pk": {"S": "C#x"}, "sk": {"S": "E#1"}}}),
        ("dynamodb", "get_item", {"TableName": "TransientTable", "Key": {"pk": {"S": "x"}, "sk": {"S": "x"}}}),
        ("secretsmanager", "get_secret_value", {"SecretId": "LinksSecret"}),
        ("sqs", "send_message", {"QueueUrl": "ImportsQueue", "MessageBody": "{}"}),
    ],
)
def test_the_worker_may_do_nothing_else(stack: LocalStack, service: str, call: str, arguments: dict[str, Any]) -> None:
    named = {
        key: stack.resources.get(value, value) if isinstance(value, str) else value for key, value in arguments.items()
    }
    if service == "s3":
        named["Bucket"] = stack.outputs["ImportsBucket"]
    if call == "query":
        named["ExpressionAttributeValues"] = {":pk": {"S": "C#x"}}

    with pytest.raises(ClientError) as error:
        getattr(stack.client(service, role="ImportWorkerFunctionRole"), call)(**named)
    assert error.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
