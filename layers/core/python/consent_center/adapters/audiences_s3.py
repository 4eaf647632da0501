"""Audiences in a bucket: `audiences/<purpose>/<run>/` holds parts and manifest, `changes/<purpose>/` who decided since.

What became of each shard lies under `runs/`, without a person, so that the worker never has to read an address back.
A part is stored before the note that names it, and all notes before the manifest: whatever no manifest names is what a
run that was killed, or came second, leaves behind, and goes by itself. Rows pass through a file, so memory stays flat.
"""

import gzip
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from consent_center.domain.audience import AudiencePart, AudienceRun, stamp
from consent_center.domain.errors import UnavailableError
from consent_center.ports.exchange import Counted

AUDIENCES = "audiences/"
CHANGES = "changes/"
RUNS = "runs/"
MANIFEST = "manifest.json"

_IN_MEMORY = 4_000_000
"""Bytes of a part that are gathered in memory; longer ones go to the function's disk."""

_CHUNK = 1 << 20

_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "412"}
"""What S3 says where an object of that name is there, or is being made at this moment."""

_MISSING = {"NoSuchKey", "AccessDenied", "404", "403"}
"""What S3 says about what is not there: a role that may not list is told that it may not read."""


def key_of_run(run: AudienceRun, name: str) -> str:
    return f"{AUDIENCES}{run.purpose}/{run.id}/{name}"


def key_of_note(run: AudienceRun, shard: int) -> str:
    return f"{RUNS}{run.purpose}/{run.id}/part-{shard:03d}.json"


def key_of_changes(purpose: str, at: int, sha256: str) -> str:
    """The whole SHA-256, because changes have no manifest."""
    return f"{CHANGES}{purpose}/{stamp(at)}-{sha256}.ndjson.gz"


class S3Audiences:
    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def part(self, run: AudienceRun, shard: int) -> AudiencePart | None:
        with _translated(_MISSING):
            found = self._client.get_object(Bucket=self._bucket, Key=key_of_note(run, shard))["Body"].read()
            try:
                return AudiencePart.read(found.decode())
            except ValueError:
                raise UnavailableError("audience: a note is not legible") from None
        return None

    def add_part(self, run: AudienceRun, shard: int, rows: Iterable[str], counted: Callable[[], Counted]) -> None:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as packed:
            _pack(rows, packed)
            size = packed.tell()
            sha256 = _sha256(packed)
            name = f"part-{shard:03d}-{sha256[:16]}.ndjson.gz"
            self._put(key_of_run(run, name), packed, "application/x-ndjson")
        part = AudiencePart(shard, name, sha256, size, *counted())
        self._put(key_of_note(run, shard), part.written().encode(), "application/json")

    def finish(self, run: AudienceRun, manifest: str) -> None:
        self._put(key_of_run(run, MANIFEST), manifest.encode(), "application/json")

    def add_changes(self, purpose: str, at: int, rows: Sequence[str]) -> None:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as packed:
            _pack(rows, packed)
            key = key_of_changes(purpose, at, _sha256(packed))
            self._put(key, packed, "application/x-ndjson")

    def _put(self, key: str, body: Any, content_type: str) -> None:
        """Store an object; where one of that name is there, it stays as it is."""
        with _translated(_TAKEN):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
            )

    @cached_property
    def _client(self) -> Any:
        import botocore.config
        import botocore.session

        return botocore.session.get_session().create_client(
            "s3",
            config=botocore.config.Config(
                connect_timeout=2, read_timeout=60, retries={"mode": "standard", "max_attempts": 3}
            ),
        )


def _pack(rows: Iterable[str], packed: Any) -> None:
    """The rows as lines, packed; the same rows are the same bytes."""
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        for row in rows:
            file.write(row.encode() + b"\n")


def _sha256(packed: Any) -> str:
    digest = hashlib.sha256()
    packed.seek(0)
    while chunk := packed.read(_CHUNK):
        digest.update(chunk)
    packed.seek(0)
    return digest.hexdigest()


@contextmanager
def _translated(fine: set[str]) -> Iterator[None]:
    """UnavailableError for whatever S3 could not do, but for codes that are `fine`; its words name keys, and go."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        if code not in fine:
            raise UnavailableError(f"audience: {code}") from None
    except BotoCoreError as error:
        raise UnavailableError(f"audience: {type(error).__name__}") from None
