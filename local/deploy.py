"""Brings the emulated account to what the template says: creates the stack, updates it, or finds nothing to do."""

import contextlib
import hashlib
import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local import emulator
from local.emulator import Clients
from local.errors import LocalStackError
from local.template import REGION, Template

STACK = "consent-center"
BUCKET = "local-artifacts"
CODE_KEY = "forwarder.zip"
CODE_ADDRESS = f"s3://{BUCKET}/{CODE_KEY}"
DEPLOY_SECONDS = 120.0

FORWARDER = Path(__file__).parent / "forwarder.py"


def deploy(template: Template, client: Clients, record: Path) -> bool:
    """Create or update the stack unless it already is what the template says; True when something was done.

    `record` remembers what was deployed last. Raises LocalStackError with one line that names the resource and the
    reason; a failed update leaves the stack and its data as they were.
    """
    body = json.dumps(emulator.deployable(template), sort_keys=True)
    fingerprint = _fingerprint(body, template)
    cloudformation = client("cloudformation")
    status = _status(cloudformation)
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") and _recorded(record) == fingerprint:
        return False
    if status is not None and status.startswith(("CREATE_IN", "CREATE_FAILED", "ROLLBACK", "DELETE")):
        # Such a stack never came into being, so nothing in it can hold data.
        cloudformation.delete_stack(StackName=STACK)
        _wait(cloudformation)
        status = None
    s3 = client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key=CODE_KEY, Body=_zipped(FORWARDER))
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=body.encode())
    arguments = {
        "StackName": STACK,
        "TemplateURL": f"{s3.meta.endpoint_url}/{BUCKET}/template.json",
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value} for name, value in sorted(template.parameters.items())
        ],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    try:
        if status is None:
            cloudformation.create_stack(**arguments)
        else:
            cloudformation.update_stack(**arguments)
    except ClientError as refused:
        message = refused.response["Error"]["Message"]
        if "No updates are to be performed" not in message:
            raise LocalStackError(f"The template could not be deployed: {message}") from None
    status = _wait(cloudformation)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise LocalStackError(f"The template could not be deployed: {_first_failure(cloudformation) or status}")
    emulator.apply_what_cloudformation_ignored(template, resources(cloudformation), client)
    record.write_text(json.dumps({"fingerprint": fingerprint}), encoding="utf-8")
    return True


def resources(cloudformation: Any) -> dict[str, str]:
    """Logical id -> physical id of everything in the stack."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource.get("PhysicalResourceId")
    }


def outputs(cloudformation: Any) -> dict[str, str]:
    """The stack's outputs by name."""
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _fingerprint(body: str, template: Template) -> str:
    digest = hashlib.sha256(body.encode())
    digest.update(json.dumps(dict(template.parameters), sort_keys=True).encode())
    digest.update(FORWARDER.read_bytes())
    return digest.hexdigest()


def _recorded(record: Path) -> str | None:
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError):
        return None


def _zipped(file: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        # A fixed date keeps the archive the same from build to build.
        archive.writestr(zipfile.ZipInfo(file.name, date_time=(2026, 1, 1, 0, 0, 0)), file.read_bytes())
    return packed.getvalue()


def _status(cloudformation: Any) -> str | None:
    """The stack's status, or None when there is no stack."""
    try:
        status = str(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])
    except ClientError:
        return None
    return None if status == "DELETE_COMPLETE" else status


def _wait(cloudformation: Any) -> str | None:
    deadline = time.monotonic() + DEPLOY_SECONDS
    while (status := _status(cloudformation)) is not None and status.endswith("IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise LocalStackError(f"The template was not deployed within {DEPLOY_SECONDS:.0f} s (status {status}).")
        time.sleep(0.1)
    return status


def _first_failure(cloudformation: Any) -> str | None:
    """What failed first in the last attempt: resource, type and reason."""
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    failures = []
    for event in events:  # newest first
        if event["ResourceStatus"].endswith("FAILED") and "cancelled" not in event.get("ResourceStatusReason", ""):
            failures.append(event)
        if event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS") and (
            event["ResourceType"] == "AWS::CloudFormation::Stack"
        ):
            break
    if not failures:
        return None
    first = failures[-1]
    reason = " ".join(first.get("ResourceStatusReason", "no reason given").split())
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {reason}"
