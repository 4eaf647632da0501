"""Audiences: which there are, and one of them brought here, whole and in time or not at all."""

import csv
import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from consent_center.adapters.audiences_s3 import AUDIENCES, CHANGES, MANIFEST
from consent_center.domain.audience import FORMAT
from consent_center.domain.table import harmless

app = typer.Typer(help="Files of whom a purpose may write to.", no_args_is_help=True)

_CHUNK = 1 << 20

_NAME = re.compile(r"[a-z0-9-]+\.ndjson\.gz")
_CHANGES = re.compile(r"\d{8}T\d{9}Z-([0-9a-f]{64})\.ndjson\.gz")

_COLUMNS = (
    *("contact", "address", "language", "topics", "may_track_opens", "may_track_clicks", "may_profile"),
    *("evidence", "valid_until"),
)


@app.callback()
def audience() -> None:
    """Files of whom a purpose may write to."""


class UnusableError(Exception):
    """There is nothing that may be used. The text says why, for people, and names nobody."""


class Shelf:
    """The bucket of audiences, as who fetches them sees it."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def purposes(self) -> list[str]:
        return [prefix.split("/")[1] for prefix in self._folders(AUDIENCES)]

    def newest(self, purpose: str) -> dict[str, Any] | None:
        """The manifest of the newest run that is whole. A run without one is none."""
        for folder in reversed(self._folders(f"{AUDIENCES}{purpose}/")):
            try:
                text = self._client.get_object(Bucket=self._bucket, Key=f"{folder}{MANIFEST}")["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                    continue
                raise
            found: dict[str, Any] = json.loads(text)
            if found.get("format") != FORMAT or found.get("purpose") != purpose:
                raise UnusableError("the manifest is of another kind than this version reads")
            return found
        return None

    def changes(self, purpose: str, since: str) -> list[str]:
        """The names of the changes since a run began, the oldest first."""
        prefix = f"{CHANGES}{purpose}/"
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, StartAfter=f"{prefix}{since}"
        )
        return [item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", [])]

    def save(self, key: str, to: Path, sha256: str) -> None:
        """Bring one object here. UnusableError, and no file, if it is not what its checksum says."""
        digest = hashlib.sha256()
        part = to.with_suffix(".part")
        body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        try:
            with part.open("wb") as file:
                os.fchmod(file.fileno(), 0o600)
                for chunk in body.iter_chunks(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                raise UnusableError(f"{to.name} is not what its checksum says")
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)

    def _folders(self, prefix: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        return sorted(found["Prefix"] for page in pages for found in page.get("CommonPrefixes", []))


def has_ended(manifest: dict[str, Any], now: datetime) -> bool:
    """Whether an audience must not be used any more."""
    return datetime.fromisoformat(manifest["valid_until"]) <= now


def fetch_audience(shelf: Shelf, purpose: str, to: Path, now: datetime) -> dict[str, Any]:
    """Bring the newest audience of a purpose, and the changes since, into an empty folder; its manifest.

    The manifest is written last, so a folder without one is no audience. UnusableError for one that has ended, that is
    not there, or of which anything is not what its checksum says.
    """
    manifest = shelf.newest(purpose)
    if manifest is None:
        raise UnusableError("there is no whole audience of this purpose")
    if has_ended(manifest, now):
        raise UnusableError(f"the newest audience must not be used since {manifest['valid_until']}")
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(to.iterdir()):
        raise UnusableError("the folder is not empty")
    rows = 0
    for part in manifest["parts"]:
        if not _NAME.fullmatch(part["name"]):
            raise UnusableError("the manifest names a file that no run makes")
        shelf.save(f"{AUDIENCES}{purpose}/{manifest['run']}/{part['name']}", to / part["name"], part["sha256"])
        found = sum(1 for _ in lines_of(to / part["name"]))
        if found != part["rows"]:
            raise UnusableError(f"{part['name']} has {found} rows and not {part['rows']}")
        rows += found
    if rows != manifest["included"]:
        raise UnusableError(f"there are {rows} rows and not {manifest['included']}")
    for name in shelf.changes(purpose, manifest["run"]):
        if (named := _CHANGES.fullmatch(name)) is None:
            raise UnusableError("there is a file of changes that no run makes")
        shelf.save(f"{CHANGES}{purpose}/{name}", to / f"changes-{name}", named[1])
    (to / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    return manifest


def lines_of(file: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, one at a time. UnusableError for what cannot be read."""
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, EOFError, ValueError, zlib.error):
        raise UnusableError(f"{file.name} cannot be read") from None


def current_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Whom a fetched folder allows to be written to, with the changes in it taken into account.

    Of two lines about one contact the later counts, and of two at the same moment the no.
    """
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    newest: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("changes-*.ndjson.gz")):
        for line in lines_of(file):
            known = newest.get(line["contact"])
            if known is None or (line["at"], not line["may"]) >= (known["at"], not known["may"]):
                newest[line["contact"]] = line
    for part in manifest["parts"]:
        for line in lines_of(folder / part["name"]):
            if line["contact"] not in newest:
                yield line
    yield from (line for line in newest.values() if line["may"])


def write_table(folder: Path) -> int:
    """Write `audience.csv` beside the files, for tools that read nothing else; how many rows it has.

    A cell that a spreadsheet could take for a formula gets an apostrophe in front.
    """
    rows = 0
    to = folder / "audience.csv"
    with to.open("w", encoding="utf-8", newline="") as file:
        os.fchmod(file.fileno(), 0o600)
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for line in current_rows(folder):
            cells = [" ".join(line[name]) if name == "topics" else line[name] for name in _COLUMNS]
            writer.writerow([harmless(cell) for cell in cells])
            rows += 1
    return rows


def _shelf(stack: str, local: int) -> Shelf:
    deployment = Deployment(stack, local)
    return Shelf(deployment.client("s3"), deployment.output("AudiencesBucket"))


@app.command("list")
def list_audiences(stack: StackOption = DEFAULT_STACK, local: LocalOption = 0) -> None:
    """Show the newest whole audience of each purpose."""
    table = Table()
    for name in ("purpose", "made at", "valid until", "included", "looked at", "left out"):
        table.add_column(name, overflow="fold")
    try:
        shelf = _shelf(stack, local)
        for purpose in shelf.purposes():
            if (found := shelf.newest(purpose)) is None:
                table.add_row(purpose, "not whole yet", "", "", "", "")
                continue
            left_out = ", ".join(f"{reason} {number}" for reason, number in found["left_out"].items())
            until = found["valid_until"] + (" (ended)" if has_ended(found, datetime.now(UTC)) else "")
            table.add_row(purpose, found["made_at"], until, str(found["included"]), str(found["looked_at"]), left_out)
    except (UnusableError, BotoCoreError, ClientError) as error:
        _end(error)
    if table.row_count:
        Console().print(table)
    else:
        Console().print(
            "There is no audience yet. The job makes them every night for the purposes that the parameter "
            "AudiencePurposes names; `consentctl jobs run audience` makes them now."
        )


@app.command("fetch")
def fetch(
    purpose: Annotated[str, typer.Argument(help="The purpose's id in the policy.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="An empty folder, or one to be made.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Write audience.csv too, with the changes applied.")] = False,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Bring the newest audience of a purpose here, and who decided since. Refuses one that is not whole, or too old."""
    try:
        manifest = fetch_audience(_shelf(stack, local), purpose, to, datetime.now(UTC))
        told = f"{manifest['included']} rows, to be used until {manifest['valid_until']}."
        if as_csv:
            told += f" audience.csv has {write_table(to)} rows."
    except (UnusableError, BotoCoreError, ClientError, OSError) as error:
        _end(error)
    Console(stderr=True).print(told)


def _end(error: Exception) -> NoReturn:
    why = str(error) if isinstance(error, UnusableError) else type(error).__name__
    Console(stderr=True).print(f"Refused: {why}.", style="red")
    raise typer.Exit(1)
