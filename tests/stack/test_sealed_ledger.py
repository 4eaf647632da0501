"""The sealed ledger on the running stack: decisions over HTTP, the job, export, verification, tampering."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

import retention_worker.app
from cli.__main__ import app
from consent_center.adapters.dynamodb import keys
from consent_center.bootstrap import Services
from consent_center.config import Config
from deployment import CONTEXT
from fakes import SettableClock, no_pause, real_clock
from local.stack import LocalStack, free_port
from world import Auditor, Visitor

DAY = 86_400_000


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack of this module's own: its ledger is tampered with, and its seals are made a day ahead."""
    with LocalStack(free_port(), tmp_path_factory.mktemp("sealed") / "state") as running:
        yield running


@pytest.fixture
def job_of_tomorrow(own: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], dict[str, Any]]]:
    """The job in this process, with the worker's settings and rights and a clock that says that today is over."""
    name = own.resources["RetentionWorkerFunction"]
    settings = own.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    credentials = own._assume(own.resources["RetentionWorkerFunctionRole"])
    environment = {
        **{name.upper(): value for name, value in credentials.items() if name != "region_name"},
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": own.emulator_url,
    }
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    services = Services(Config({**settings, **environment}))
    services.pause = no_pause
    # Requests are signed by the time that it is.
    services.clock = real_clock
    wires = [services._wire("dynamodb"), services._wire("kms")]
    monkeypatch.setattr(services, "_wire", lambda service: wires[service == "kms"])
    services.clock = SettableClock(real_clock() + DAY)
    monkeypatch.setattr(retention_worker.app, "services", lambda: services)
    yield lambda: dict(retention_worker.app.lambda_handler({"job": "seal"}, CONTEXT) or {})  # type: ignore[arg-type]
    for wire in wires:
        wire.connections.close()
    services.seals._client.close()  # type: ignore[attr-defined]


@pytest.fixture
def ctl(own: LocalStack, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs consentctl against the stack and gives its exit code and what it printed."""

    def run(*arguments: str, there: bool = True) -> tuple[int, str]:
        where = ["--local", str(own.port)] if there else []
        done = CliRunner().invoke(app, [*arguments, *where], catch_exceptions=False)
        return done.exit_code, done.output

    return run


def entries_with(own: LocalStack, chain: str, seq: int, **changes: str) -> None:
    """Change an entry as nothing of ours can: with the owner's rights, in the table itself."""
    for name, value in changes.items():
        own.client("dynamodb").update_item(
            TableName=own.resources["LedgerTable"],
            Key={"pk": {"S": keys.of_chain(chain)}, "sk": {"S": keys.of_event(seq)}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": {"S": value}},
        )


def test_decisions_are_sealed_once_exported_and_verified_and_tampering_is_found_and_noticed(
    own: LocalStack,
    job_of_tomorrow: Callable[[], dict[str, Any]],
    ctl: Callable[..., tuple[int, str]],
    tmp_path: Path,
) -> None:
    chains = []
    for _ in range(2):
        visitor = Visitor(own).subscribed("events", "surveys")
        chains.append(visitor.check("events")["evidence"].split(".")[0])
        visitor.post(visitor.stop_link("events"), **{"List-Unsubscribe": "One-Click"})

    assert job_of_tomorrow()["entries"] == 4
    assert job_of_tomorrow() == {"job": "seal", "due": 0, "done": 0, "failed": 0, "entries": 0}
    seals = own.client("s3").list_objects_v2(Bucket=own.resources["SealsBucket"], Prefix="seals/")["Contents"]
    assert len(seals) == 1
    folder, file = tmp_path / "seals", tmp_path / "ledger.ndjson"
    assert ctl("ledger", "fetch-seals", "--to", str(folder))[0] == 0
    assert ctl("ledger", "export", "--to", str(file))[0] == 0
    code, said = ctl("ledger", "verify", str(file), str(folder), "--json", there=False)
    report = json.loads(said[said.index('{"holds"') :])
    assert (code, report["findings"], report["entries"], report["unsealed"]) == (0, [], 4, 0)

    kept = Auditor(own).entries(chains[0])[0]
    forged = {**kept.body, "kind": "refused"}
    entries_with(own, chains[0], 1, body=json.dumps(forged, sort_keys=True, separators=(",", ":")))
    own.client("dynamodb").delete_item(
        TableName=own.resources["LedgerTable"],
        Key={"pk": {"S": keys.of_chain(chains[1])}, "sk": {"S": keys.of_event(2)}},
    )
    assert ctl("ledger", "fetch-seals", "--to", str(folder))[0] == 0
    assert ctl("ledger", "export", "--to", str(file))[0] == 0
    code, said = ctl("ledger", "verify", str(file), str(folder), "--json", there=False)
    found = {(each["fault"], each["chain"], each["seq"]) for each in json.loads(said[said.index("{") :])["findings"]}
    assert code == 1
    assert found == {
        ("the entry does not have the hash that was recorded for it", chains[0], 1),
        ("the seal holds an entry that is not there", chains[1], 2),
    }
    assert "does not hold" in ctl("ledger", "verify", str(file), str(folder), there=False)[1]

    end = time.monotonic() + 20
    # A line for each: two changes that come in one batch are one line of metrics.
    while own.function_log_text().count("ledger tampered") < 2 or "LedgerTampered" not in own.function_log_text():
        assert time.monotonic() < end, "nobody noticed"
        time.sleep(0.1)


def test_the_deployed_worker_runs_the_job_however_it_is_called(
    own: LocalStack, ctl: Callable[..., tuple[int, str]]
) -> None:
    answers = [own.invoke("RetentionWorkerFunction", {"job": "seal"})]
    request = urllib.request.Request(
        f"{own.url}/_local/jobs/seal", data=b"", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        answers.append(json.load(answer))
    code, said = ctl("jobs", "run", "seal")
    answers.append(json.loads(said[said.index("{") :]))

    assert code == 0
    assert [(each["job"], each["failed"]) for each in answers] == [("seal", 0)] * 3
    assert ctl("jobs", "run", "no-such-job")[0] == 2
    for path, content_type, status in (("seal", "text/plain", 415), ("no-such-job", "application/json", 404)):
        refused = Visitor(own).request("POST", f"/_local/jobs/{path}", b"", {"Content-Type": content_type})
        assert refused.status == status


def test_the_worker_can_neither_replace_nor_delete_a_seal_nor_change_the_ledger(own: LocalStack) -> None:
    bucket, table = own.resources["SealsBucket"], own.resources["LedgerTable"]
    worker = own.client("s3", role="RetentionWorkerFunctionRole")
    database = own.client("dynamodb", role="RetentionWorkerFunctionRole")
    stored = own.client("s3").put_object(Bucket=bucket, Key="leaves/test", Body=b"a list")
    key = {"pk": {"S": "C#x"}, "sk": {"S": "E#0000000001"}}

    refused = [
        lambda: worker.put_object(Bucket=bucket, Key="leaves/test", Body=b"another", IfNoneMatch="*"),
        lambda: worker.delete_object(Bucket=bucket, Key="leaves/test"),
        lambda: own.client("s3").delete_object(Bucket=bucket, Key="leaves/test", VersionId=stored["VersionId"]),
        lambda: database.put_item(TableName=table, Item=key),
        lambda: database.get_item(TableName=table, Key=key),
        lambda: database.delete_item(TableName=table, Key=key),
        lambda: database.scan(TableName=table),
        lambda: database.query(
            TableName=own.resources["SubjectsTable"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "C#x"}},
        ),
    ]
    for attempt in refused:
        with pytest.raises(ClientError) as error:
            attempt()
        assert error.value.response["Error"]["Code"] in (
            *("AccessDenied", "AccessDeniedException", "PreconditionFailed"),
        )
    assert worker.get_object(Bucket=bucket, Key="leaves/test")["Body"].read() == b"a list"


def test_the_schedule_and_the_lock_are_deployed(own: LocalStack) -> None:
    (schedule,) = [one for one in own.client("scheduler").list_schedules()["Schedules"] if "Seal" in one["Name"]]
    described = own.client("scheduler").get_schedule(Name=schedule["Name"])
    lock = own.client("s3").get_object_lock_configuration(Bucket=own.resources["SealsBucket"])

    assert (described["ScheduleExpression"], described["State"]) == ("cron(0 2 * * ? *)", "ENABLED")
    assert lock["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 1826}
