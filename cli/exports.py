"""Items of a table: from an export to S3 (no capacity of the table is used), or page by page from the local stack."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import typer
from botocore.exceptions import BotoCoreError, ClientError

MANIFEST = "manifest-files.json"
SUMMARY = "manifest-summary.json"


class ExportError(Exception):
    """The export cannot be read, or is not whole. The text names files and numbers, never an item."""


@dataclass(frozen=True)
class Export:
    """A full export in DYNAMODB_JSON. `files` are the names of its data files with the items that each holds."""

    files: list[tuple[str, int]]
    open_file: Callable[[str], IO[bytes]]

    @property
    def expected(self) -> int:
        return sum(count for _, count in self.files)

    def items(self) -> Iterator[dict[str, Any]]:
        """Every item, read as a stream. ExportError if a file is missing, broken, or has not the items it should."""
        for name, expected in self.files:
            found = 0
            try:
                with self.open_file(name) as packed, gzip.open(packed) as lines:
                    for line in lines:
                        yield json.loads(line)["Item"]
                        found += 1
            except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
                raise ExportError(f"{name}: cannot be read after {found} items ({type(error).__name__})") from None
            if found != expected:
                raise ExportError(f"{name}: {found} items, and the manifest says {expected}")


def local_export(folder: Path) -> Export:
    """An export that was copied to a folder: the one with the manifest, or one above it that holds a single export."""
    manifests = [folder / MANIFEST] if (folder / MANIFEST).exists() else sorted(folder.rglob(MANIFEST))
    if len(manifests) != 1:
        raise ExportError(f"{folder}: {len(manifests)} files {MANIFEST}; name the folder that holds exactly one")
    (manifest,) = manifests
    home = manifest.parent
    return _export(
        manifest.read_text(encoding="utf-8"),
        (home / SUMMARY).read_text(encoding="utf-8") if (home / SUMMARY).exists() else None,
        lambda key: (home / "data" / key.rpartition("/")[2]).open("rb"),
    )


def s3_export(url: str, client: Any) -> Export:
    """An export where DynamoDB put it: `s3://bucket/prefix/AWSDynamoDB/<export>`."""
    parts = urlsplit(url)
    bucket, prefix = parts.netloc, parts.path.strip("/")

    def text(name: str) -> str:
        answer = client.get_object(Bucket=bucket, Key=f"{prefix}/{name}" if prefix else name)
        return str(answer["Body"].read().decode())

    def open_file(key: str) -> IO[bytes]:
        body: IO[bytes] = client.get_object(Bucket=bucket, Key=key)["Body"]
        return body

    return _export(text(MANIFEST), text(SUMMARY), open_file)


def _export(manifest: str, summary: str | None, open_file: Callable[[str], IO[bytes]]) -> Export:
    try:
        if summary is not None:
            said = json.loads(summary)
            kind = (said.get("exportFormat"), said.get("exportType") or "FULL_EXPORT")
            if kind != ("DYNAMODB_JSON", "FULL_EXPORT"):
                raise ExportError(
                    f"{SUMMARY}: a full export in DYNAMODB_JSON is needed, and this is {kind[1]}, {kind[0]}"
                )
        rows = [json.loads(line) for line in manifest.splitlines() if line.strip()]
        return Export([(row["dataFileS3Key"], int(row["itemCount"])) for row in rows], open_file)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportError(f"{MANIFEST} cannot be read ({type(error).__name__})") from None


def pages_of(client: Any, table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table of the local stack, a page after the other. It uses the table's capacity."""
    start: dict[str, Any] = {}
    while True:
        answer = client.scan(TableName=table, **start)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Ends the command with a line for people, and status 2, where an export cannot be read."""
    try:
        yield
    except (ExportError, FileNotFoundError) as error:
        typer.echo(f"The records cannot be read. {error}", err=True)
        raise typer.Exit(2) from None
    except (BotoCoreError, ClientError) as error:
        typer.echo(f"The records cannot be read: {type(error).__name__}", err=True)
        raise typer.Exit(2) from None
