"""`consentctl restore`: a copy of the records from a backup, brought up to the ledger before anybody may use it."""

import json
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from cli.evidence import Adapters, compiled_policy, operators_services
from cli.imports import SHIPPED_POLICY
from consent_center.config import Config
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError, UnavailableError
from consent_center.domain.policy import Policy
from consent_center.domain.restore import Outcome
from consent_center.domain.subject import Subject
from consent_center.usecases.restore import replay

app = typer.Typer(help="Records from a backup, without bringing anybody back who left.", no_args_is_help=True)

TABLE_OUTPUT = "SubjectsTable"

_LONGEST_SECONDS = 6 * 3600
_PAUSE_SECONDS = 5

console = Console(stderr=True)


@app.callback()
def restore() -> None:
    """Records from a backup, without bringing anybody back who left."""


@dataclass
class Report:
    """What became of each record; for staff, the chains that they have to look at."""

    outcomes: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    unreadable: int = 0
    """States of the table itself that say nothing that we can read."""
    to_look_at: list[dict[str, str]] = field(default_factory=list)

    def note(self, outcome: Outcome, lost: int, chain: str | None) -> None:
        self.outcomes[outcome.value] += 1
        self.lost += lost
        if outcome in (Outcome.MOVED_AWAY, Outcome.UNREADABLE) and chain:
            self.to_look_at.append({"chain": chain, "why": outcome.value})

    def __str__(self) -> str:
        counts = ", ".join(f"{self.outcomes[outcome.value]} {outcome.value.replace('_', ' ')}" for outcome in Outcome)
        return (
            f"{counts}; {self.lost} decisions for somebody to be written to have lost their proof and do not come "
            f"back; {self.unreadable} states of the table cannot be read."
        )


@app.command()
def drill(
    at: Annotated[
        datetime | None,
        typer.Option(help="The moment (UTC) to go back to, at most 35 days ago; by default the newest there is."),
    ] = None,
    backup: Annotated[str, typer.Option(help="The ARN of a backup to take instead of a moment.")] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Keep the copy, to open it in the table's place.")] = False,
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where to write what became of the records, as JSON.")
    ] = None,
    policy: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The policy's folder.")] = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Restore a copy of the records, give it the table's settings, and do again what people decided since.

    The table itself is only read. Without --keep the copy is deleted at the end: run that twice a year. Ends with 1 if
    something in the copy is not as it should be, and with 2 if it could not be finished.
    """
    if at is not None and backup:
        raise typer.BadParameter("either a moment or a backup")
    deployment = Deployment(stack, local)
    source = deployment.output(TABLE_OUTPUT)
    began = datetime.now(UTC)
    target = f"{source[:200]}-restored-{began:%Y%m%d%H%M%S}"
    tables = Tables(deployment.client("dynamodb"), pause_seconds=0.2 if local else _PAUSE_SECONDS)
    made = False
    try:
        with TemporaryDirectory() as out:
            compiled = compiled_policy(policy, Path(out))
        with console.status("Restoring a copy"):
            tables.restore(source, target, at.replace(tzinfo=UTC) if at else None, backup)
            made = True
            tables.wait(target)
            tables.give_settings(source, target)
        missing = tables.differences(source, target)
        with (
            console.status("Doing again what people decided since"),
            closing(_services(deployment, target)) as services,
        ):
            found = _replay_all(services, source, target, compiled)
            # What somebody did since is no sign that the first run left something undone.
            left = _replay_all(services, source, target, compiled, until=round(began.timestamp() * 1000))
    except (UnavailableError, StaleSubjectError, BotoCoreError, ClientError) as error:
        console.print(f"Not finished: {_said(error)}.", style="red")
        raise typer.Exit(2) from None
    finally:
        if made and not keep:
            tables.delete(target)
    print(found)
    if report is not None:
        told = {"table": target, "outcomes": dict(found.outcomes), "lost": found.lost, "unreadable": found.unreadable}
        told["look_at"] = found.to_look_at
        report.write_text(json.dumps(told, indent=1) + "\n")
    changed = set(left.outcomes) - {Outcome.UNCHANGED.value, Outcome.UNREADABLE.value}
    for name in missing:
        console.print(f"The copy differs from the table in {name}.", style="red")
    if changed:
        console.print("A second run changed records again: somebody uses the copy, or it is broken.", style="red")
    if missing or changed or found.unreadable or found.outcomes[Outcome.UNREADABLE.value]:
        raise typer.Exit(1)
    if keep:
        print(f"{target} is ready. docs/operations.md says how to open it in the table's place.")


def _said(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__


def _services(deployment: Deployment, table: str) -> Adapters:
    """The adapters, with the copy in the place of the table."""
    with closing(operators_services(deployment)) as usual:
        return Adapters(Config({**usual.config.environment, "SUBJECTS_TABLE": table}))


def _replay_all(services: Adapters, source: str, target: str, policy: Policy, until: int | None = None) -> Report:
    """Every record, and then who is in the table that is there: an erasure makes room for who came after it.

    Two passes, so that nothing is held. What happened later than `until` (epoch milliseconds) is left out.
    """
    report = Report()
    # Bound first, because the scans below are of whichever table they name.
    subjects = services.subjects
    records = services.restored_records(target)

    def again(contact: ContactPoint, original: Subject | None) -> None:
        brought = replay(
            contact,
            records=records,
            subjects=subjects,
            ledger=services.ledger,
            policy=policy,
            clock=services.clock,
            original=original,
            until=until,
        )
        if original is None or brought.outcome is not Outcome.UNCHANGED:
            report.note(brought.outcome, brought.lost, brought.subject.chain)

    for contact in records.records():
        again(contact, None)
    for original in services.restored_records(source).originals():
        if original is None:
            report.unreadable += 1
        elif until is None or original.last_at <= until:
            again(original.contact, original)
    return report


class Tables:
    """DynamoDB's own calls about whole tables."""

    def __init__(self, client: Any, pause_seconds: float) -> None:
        self._client = client
        self._pause_seconds = pause_seconds

    def restore(self, source: str, target: str, at: datetime | None, backup: str) -> None:
        """Begin a restore of `source` into a new table: from a backup, or as it was at a moment (None: the newest)."""
        if backup:
            self._client.restore_table_from_backup(TargetTableName=target, BackupArn=backup)
            return
        moment = {"RestoreDateTime": at} if at else {"UseLatestRestorableTime": True}
        self._client.restore_table_to_point_in_time(SourceTableName=source, TargetTableName=target, **moment)

    def wait(self, target: str) -> None:
        """Until the table and its indexes are there. DynamoDB takes minutes even for an empty table."""
        end = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < end:
            table = self._table(target)
            indexes = table.get("GlobalSecondaryIndexes", [])
            if {one.get("IndexStatus", "ACTIVE") for one in [*indexes, {"IndexStatus": table["TableStatus"]}]} == {
                "ACTIVE"
            }:
                return
            time.sleep(self._pause_seconds)
        raise UnavailableError("a copy that does not get ready")

    def give_settings(self, source: str, target: str) -> None:
        """What a restore leaves out (DynamoDB Developer Guide, "Restoring a table"): stream, TTL, PITR, tags."""
        table = self._table(source)
        stream = table.get("StreamSpecification")
        if stream and not self._table(target).get("StreamSpecification", {}).get("StreamEnabled"):
            self._client.update_table(TableName=target, StreamSpecification=stream)
            self.wait(target)
        name = self._settings(source)["TTL"]
        if name and self._settings(target)["TTL"] != name:
            self._client.update_time_to_live(
                TableName=target, TimeToLiveSpecification={"Enabled": True, "AttributeName": name}
            )
        if self._settings(source)["PITR"] and not self._settings(target)["PITR"]:
            self._client.update_continuous_backups(
                TableName=target, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
        tags = self._client.list_tags_of_resource(ResourceArn=table["TableArn"]).get("Tags", [])
        # Names that begin so are CloudFormation's own, and nobody else may give them.
        ours = [tag for tag in tags if not tag["Key"].startswith("aws:")]
        if ours:
            self._client.tag_resource(ResourceArn=self._table(target)["TableArn"], Tags=ours)
        self.wait(target)

    def differences(self, source: str, target: str) -> list[str]:
        """The settings in which a copy is not as its table."""
        one, other = self._settings(source), self._settings(target)
        return [name for name in one if one[name] != other[name]]

    def delete(self, target: str) -> None:
        """Take a copy away again."""
        self.wait(target)
        self._client.delete_table(TableName=target)

    def _settings(self, name: str) -> dict[str, Any]:
        table = self._table(name)
        ttl = self._client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        backups = self._client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        pitr = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        return {
            "TTL": ttl.get("AttributeName") if ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") else None,
            "PITR": pitr == "ENABLED",
            "stream": table.get("StreamSpecification", {}).get("StreamViewType"),
            "keys": sorted(key["AttributeName"] for key in table["KeySchema"]),
            "indexes": sorted(one["IndexName"] for one in table.get("GlobalSecondaryIndexes", [])),
        }

    def _table(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.describe_table(TableName=name)["Table"]
        return found
