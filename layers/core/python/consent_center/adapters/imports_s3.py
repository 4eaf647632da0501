"""Imports in a bucket: `imports/<id>/` holds what was uploaded, `reports/<id>/` what became of it.

S3 speaks XML, so this is a client of botocore's and not the wire; only workers that nobody waits for come here.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from consent_center.domain.errors import UnavailableError
from consent_center.ports.exchange import Import

MANIFEST = "manifest.json"


def s3_client() -> Any:
    """A client with short times and few tries: whoever calls has a queue behind it that tries again."""
    import botocore.session
    from botocore.config import Config

    settings = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})
    return botocore.session.get_session().create_client("s3", config=settings)


def manifest_key(import_id: str) -> str:
    return f"imports/{import_id}/{MANIFEST}"


def part_key(import_id: str, part: int) -> str:
    return f"imports/{import_id}/part-{part:06d}.ndjson"


def report_key(import_id: str, part: int) -> str:
    return f"reports/{import_id}/part-{part:06d}.ndjson"


def manifest_of(about: Import) -> bytes:
    """The manifest as it lies in the bucket."""
    return json.dumps({name: getattr(about, name) for name in Import.__slots__}, ensure_ascii=False).encode()


class S3Imports:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def about(self, import_id: str) -> Import:
        said = json.loads(self._text(manifest_key(import_id)))
        return Import(**{**said, "wording": tuple(said["wording"])})

    def rows(self, import_id: str, part: int) -> Sequence[str]:
        # Not splitlines(): a text may hold other signs that Unicode counts as ends of lines.
        return [line for line in self._text(part_key(import_id, part)).split("\n") if line]

    def is_reported(self, import_id: str, part: int) -> bool:
        """The report is read, because a role that may not list is told 403 and not 404 about what is missing."""
        with _translated(missing_is_fine=True):
            self._client.get_object(Bucket=self._bucket, Key=report_key(import_id, part), Range="bytes=0-0")
            return True
        return False

    def add_report(self, import_id: str, part: int, lines: Iterable[str]) -> None:
        with _translated(there_is_fine=True):
            self._client.put_object(
                Bucket=self._bucket,
                Key=report_key(import_id, part),
                Body="".join(f"{line}\n" for line in lines).encode(),
                ContentType="application/x-ndjson",
                IfNoneMatch="*",
            )

    def _text(self, key: str) -> str:
        with _translated():
            return str(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read().decode())
        raise AssertionError


@contextmanager
def _translated(*, missing_is_fine: bool = False, there_is_fine: bool = False) -> Iterator[None]:
    """UnavailableError for whatever S3 could not do; its own words are dropped, because they name the key."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        if missing_is_fine and code in ("NoSuchKey", "404", "AccessDenied", "403"):
            return
        if there_is_fine and code in ("PreconditionFailed", "412"):
            return
        raise UnavailableError(f"import: {code}") from None
    except BotoCoreError as error:
        raise UnavailableError(f"import: {type(error).__name__}") from None
