"""Runs and adapts the AWS emulator: the only module that knows ministack."""

import copy
import os
import re
import shutil
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.child_processes import Child
from local.errors import LocalStackError
from local.template import ACCOUNT, REGION, Template

PROCESS = Path(__file__).parent / "emulator_process.py"
START_SECONDS = 60.0
STOP_SECONDS = 15.0

Clients = Callable[[str], Any]
"""Gives a boto3 client by service name, with the rights of the account's owner."""


def port_for(port: int) -> int:
    """The emulator's port for a front door on `port`: far enough away that neighbouring stacks do not meet."""
    return port + 10_000 if port + 10_000 <= 65_535 else port - 10_000


def owner_credentials() -> dict[str, str]:
    """Credentials of the emulated account's owner, as keyword arguments of a boto3 client."""
    return {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}


class Emulator:
    """The emulated AWS services as one child process.

    `front_door` and `secret` tell the functions deployed on the emulator where events are to be forwarded.
    """

    def __init__(self, python: Path, port: int, folder: Path, logs: Path, *, front_door: str, secret: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._python = python
        self._port = port
        self._folder = folder
        self._log = logs / "emulator.log"
        self._front_door = front_door
        self._secret = secret
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the emulator with what it kept and wait until it answers; LocalStackError if it does not."""
        scratch = self._folder / "tmp"
        # Its workers leave their folders behind.
        shutil.rmtree(scratch, ignore_errors=True)
        for folder in (scratch, self._folder / "state", self._folder / "s3"):
            folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._child = Child(
                self._python, [str(PROCESS)], environment=self._environment(), cwd=self._folder, log=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._child.exit_code is not None:
                raise LocalStackError(f"The emulator ended while starting; see {self._log}.")
            if time.monotonic() > deadline:
                self.stop()
                raise LocalStackError(f"The emulator did not answer within {START_SECONDS:.0f} s; see {self._log}.")
            time.sleep(0.05)

    def stop(self) -> None:
        """Let the emulator write its state and end."""
        if self._child is not None:
            self._child.terminate(STOP_SECONDS)
            self._child = None

    def snapshot(self) -> None:
        """Have the state written now and wait for it, so that what was deployed survives a crash."""
        if self._child is None or self._child.exit_code is not None:
            return
        before = self._stamp()
        os.kill(self._child.pid, signal.SIGUSR1)
        deadline = time.monotonic() + STOP_SECONDS
        while self._stamp() == before and time.monotonic() < deadline:
            time.sleep(0.02)

    def _stamp(self) -> str:
        stamp = self._folder / "last-snapshot"
        return stamp.read_text(encoding="utf-8") if stamp.is_file() else ""

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _environment(self) -> dict[str, str]:
        """Everything the emulator is told; nothing of the caller's environment but what a process needs to run.

        Unless told otherwise it binds every interface, opens ports for MQTT and SFTP, looks for Docker and enforces
        no permissions.
        """
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder / "tmp"),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._folder / "s3"),
            "TMPDIR": str(self._folder / "tmp"),
            "LOG_LEVEL": "WARNING",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "LOCAL_SNAPSHOT_STAMP": str(self._folder / "last-snapshot"),
            "LOCAL_FRONT_DOOR": self._front_door,
            "LOCAL_FRONT_DOOR_SECRET": self._secret,
        }


def deployable(template: Template) -> dict[str, Any]:
    """The transformed template without what the emulator refuses to create, and which nothing local needs."""
    body = copy.deepcopy(template.body)
    for name, resource in list(body["Resources"].items()):
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource.get("Properties", {}):
            del body["Resources"][name]
        elif resource["Type"] == "AWS::ApiGatewayV2::Api":
            # The front door does the routing; here a name stands for the description, of which no route would be made.
            resource["Properties"] = {"Name": name, "ProtocolType": "HTTP"}
        elif resource["Type"] == "AWS::S3::BucketPolicy":
            # It would refuse everybody: connections here are plain, and s3:if-none-match is not known.
            del body["Resources"][name]
        elif resource["Type"] == "AWS::Lambda::Function":
            # The forwarder stands in for the code, so the layers are not needed beside it.
            properties = resource["Properties"]
            properties.pop("Layers", None)
            properties["Handler"] = "forwarder.handler"
    secrets = set(template.of_type("AWS::SecretsManager::Secret"))
    adapted: dict[str, Any] = _naming_secrets_by_arn(body, secrets)
    return adapted


def _naming_secrets_by_arn(value: Any, secrets: set[str]) -> Any:
    """The value with references to secrets giving their ARN, as on AWS; the emulator would give their name."""
    if isinstance(value, list):
        return [_naming_secrets_by_arn(item, secrets) for item in value]
    if isinstance(value, str) or not isinstance(value, dict):
        return value
    if value.keys() == {"Ref"} and value["Ref"] in secrets:
        return {"Fn::GetAtt": [value["Ref"], "Id"]}
    if value.keys() == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return {
            "Fn::Sub": re.sub(
                r"\$\{(\w+)\}",
                lambda found: f"${{{found[1]}.Id}}" if found[1] in secrets else found[0],
                value["Fn::Sub"],
            )
        }
    return {key: _naming_secrets_by_arn(item, secrets) for key, item in value.items()}


def apply_what_cloudformation_ignored(template: Template, resources: dict[str, str], client: Clients) -> None:
    """Set time-to-live and recovery on tables and life cycles on buckets; the emulator's CloudFormation skips them."""
    for name, table in template.of_type("AWS::DynamoDB::Table").items():
        if name in resources:
            _apply_to_table(client("dynamodb"), resources[name], table)
    for name, bucket in template.of_type("AWS::S3::Bucket").items():
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if name in resources and rules:
            client("s3").put_bucket_lifecycle_configuration(
                Bucket=resources[name], LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in rules]}
            )


def _apply_to_table(dynamodb: Any, table: str, properties: dict[str, Any]) -> None:
    wanted = properties.get("TimeToLiveSpecification")
    if wanted is not None:
        current = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if (current.get("TimeToLiveStatus") == "ENABLED") != bool(wanted["Enabled"]):
            dynamodb.update_time_to_live(
                TableName=table,
                TimeToLiveSpecification={
                    "Enabled": bool(wanted["Enabled"]), "AttributeName": wanted["AttributeName"]
                },
            )  # fmt: skip
    recovery = properties.get("PointInTimeRecoverySpecification")
    if recovery is not None:
        dynamodb.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={
                "PointInTimeRecoveryEnabled": str(recovery["PointInTimeRecoveryEnabled"]).lower() == "true"
            },
        )


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A life cycle rule in S3's own words, which differ from CloudFormation's."""
    translated: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        translated["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        translated["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    noncurrent = rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")
    if noncurrent is None:
        noncurrent = rule.get("NoncurrentVersionExpirationInDays")
    if noncurrent is not None:
        translated["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(noncurrent)}
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort is not None:
        translated["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(abort["DaysAfterInitiation"])}
    return translated
