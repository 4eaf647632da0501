"""The sealed ledger on the running stack: decisions over HTTP, the job, export, verification, tampering."""

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

import retention_worker.app
from cli.__main__ import app
from consent_center.bootstrap import Services
from consent_center.config import Config
from consent_center.domain.seal import day_of
from deployment import CONTEXT
from fakes import SettableClock, no_pause, real_clock
from local.stack import LocalStack
from world import Auditor, Visitor

DAY = 86_400_000


@pytest.fixture(scope="module")
def sealed_stack(stack: LocalStack) -> LocalStack:
    return stack


@pytest.fixture
def tomorrow(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Runs the job in this process with the worker's own settings and rights, a day from now: then today is over."""
    deployed = stack.client("lambda").get_function_configuration(FunctionName=stack.resources["RetentionWorkerFunction"])
    role = stack.client("s3", role="RetentionWorkerFunctionRole")._request_signer._credentials
    environment = {
        **deployed["Environment"]["Variables"],
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": role.access_key,
        "AWS_SECRET_ACCESS_KEY": role.secret_key,
        "AWS_SESSION_TOKEN": role.token,
        "AWS_ENDPOINT_URL": stack.emulator_url,
    }
    for name, value in environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    services = Services(Config(environment))
    for name in ("kms", "dynamodb"):
        # Requests are signed now; only the job's clock is ahead.
        services.__dict__.setdefault("_wires", {})[name] = name
    ledger_clock = SettableClock(real_clock() + DAY)
    del services.__dict__["_wires"]
    services.clock = real_clock
    services.pause = no_pause
    assert services.day_index
    assert services.seal_signer
    assert services.seals
    services.clock = ledger_clock
    monkeypatch.setattr(retention_worker.app, "services", lambda: services)
    return lambda: retention_worker.app.lambda_handler({"job": "seal"}, CONTEXT)  # type: ignore[arg-type]


def consentctl(stack: LocalStack, *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_probe(stack: LocalStack, tomorrow: Callable[[], Any]) -> None:
    visitor = Visitor(stack)
    visitor.subscribed("events")
    print(tomorrow())
    print(tomorrow())
    s3 = stack.client("s3")
    b = stack.resources["SealsBucket"]
    for o in s3.list_objects_v2(Bucket=b).get("Contents", []):
        print(o["Key"], o["Size"])
        print(s3.get_object(Bucket=b, Key=o["Key"])["Body"].read())
        try: print(s3.get_object_retention(Bucket=b, Key=o["Key"])["Retention"])
        except Exception as e: print(repr(e))
    for f in ("get_object_lock_configuration", "get_bucket_versioning", "get_bucket_policy", "get_public_access_block", "get_bucket_encryption","get_bucket_ownership_controls"):
        try: print(f, getattr(s3, f)(Bucket=b))
        except Exception as e: print(f, repr(e))
    print(stack.client("scheduler").list_schedules())
    try: print(stack.client("scheduler").get_schedule(Name=stack.resources["SealSchedule"]))
    except Exception as e: print(repr(e))
    print(stack.client("lambda").list_event_source_mappings()["EventSourceMappings"])
    with pytest.raises(ClientError): s3.put_object(Bucket=b, Key="seals/2020-01-01.json", Body=b"x", IfNoneMatch="*") and s3.put_object(Bucket=b, Key="seals/2020-01-01.json", Body=b"x", IfNoneMatch="*")
    print(stack.invoke("RetentionWorkerFunction", {"job": "seal"}))
    r = urllib.request.Request(f"{stack.url}/_local/jobs/seal", method="POST", headers={"Content-Type":"application/json"})
    print(urllib.request.urlopen(r).read())
    # tamper
    item = stack.client("dynamodb").scan(TableName=stack.resources["LedgerTable"], Limit=1)["Items"][0]
    stack.client("dynamodb").update_item(TableName=stack.resources["LedgerTable"], Key={k: item[k] for k in ("pk","sk")}, UpdateExpression="SET body = :b", ExpressionAttributeValues={":b": {"S": "{}"}})
    time.sleep(4)
    print(stack.function_log_text()[-3000:])
    assert 0
