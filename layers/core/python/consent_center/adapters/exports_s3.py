"""Files made for one person, in a bucket that forgets by itself: `exports/<case>/<name>`.

Content passes through one part of an upload: a file of any size needs the memory of two parts. An upload that fails is
aborted, and one whose worker was killed is by the bucket's lifecycle. Nobody is named in a key.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from consent_center.domain.errors import UnavailableError
from consent_center.ports.cases import StoredPackage

EXPORTS = "exports/"

KEPT_SECONDS = 7 * 86400
"""As the lifecycle of the bucket has it, which removes what is older once a day."""

PART = 8_000_000
"""Bytes of a part; S3 takes 10,000 of them, and none but the last may be under 5 MiB."""

_MISSING = {"NoSuchKey", "NotFound", "AccessDenied", "404", "403"}
"""What S3 says about what is not there: a role that may not list is told that it may not read."""

_GONE = {"NoSuchUpload", "404"}


def key_of(case: str, name: str) -> str:
    return f"{EXPORTS}{case}/{name}"


class S3Exports:
    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def write(self, case: str, name: str, content: Iterable[bytes], now: int) -> StoredPackage:
        key, digest, size = key_of(case, name), hashlib.sha256(), 0
        upload: str | None = None
        etags: list[str] = []
        try:
            for part in _parts(content):
                digest.update(part)
                size += len(part)
                if len(part) < PART and upload is None:
                    self._put(key, part)
                    break
                if upload is None:
                    upload = self._begin(key)
                etags.append(self._upload(key, upload, len(etags) + 1, part))
            if upload is not None:
                self._complete(key, upload, etags)
        except BaseException:
            if upload is not None:
                self._abort(key, upload)
            raise
        return StoredPackage(name, size, digest.hexdigest(), now + KEPT_SECONDS)

    def link(self, case: str, name: str, seconds: int, now: int) -> str | None:
        named = {"Bucket": self._bucket, "Key": key_of(case, name)}
        with _translated("link", _MISSING):
            stored = self._client.head_object(**named)["LastModified"].timestamp()
            # Lifecycle rules run once a day, and nobody may fetch what should be gone.
            if now >= stored + KEPT_SECONDS:
                return None
            told = {
                "ResponseContentDisposition": f'attachment; filename="{name}"',
                "ResponseContentType": "application/zip",
                "ResponseCacheControl": "no-store",
            }
            return str(self._client.generate_presigned_url("get_object", Params={**named, **told}, ExpiresIn=seconds))
        return None

    def remove(self, case: str) -> None:
        with _translated("remove"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{EXPORTS}{case}/"
            )
            for page in pages:
                for found in page.get("Contents", []):
                    self._client.delete_object(Bucket=self._bucket, Key=found["Key"])

    def _put(self, key: str, body: bytes) -> None:
        with _translated("write"):
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType="application/zip", ChecksumAlgorithm="SHA256"
            )

    def _begin(self, key: str) -> str:
        with _translated("write"):
            started = self._client.create_multipart_upload(Bucket=self._bucket, Key=key, ContentType="application/zip")
        return str(started["UploadId"])

    def _upload(self, key: str, upload: str, number: int, part: bytes) -> str:
        with _translated("write"):
            answer = self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=number, Body=part
            )
        return str(answer["ETag"])

    def _complete(self, key: str, upload: str, etags: list[str]) -> None:
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
        with _translated("write"):
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )

    def _abort(self, key: str, upload: str) -> None:
        # What is left of it goes after a day; the failure that led here is the one to tell.
        with contextlib.suppress(UnavailableError), _translated("abort", _GONE):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)

    @cached_property
    def _client(self) -> Any:
        import botocore.config
        import botocore.session

        return botocore.session.get_session().create_client(
            "s3",
            config=botocore.config.Config(
                signature_version="s3v4",
                connect_timeout=2,
                read_timeout=60,
                retries={"mode": "standard", "max_attempts": 3},
            ),
        )


def _parts(content: Iterable[bytes]) -> Iterator[bytes]:
    """The content in parts of one size but for the last; one empty part if there is none."""
    waiting, any_yet = bytearray(), False
    for chunk in content:
        waiting += chunk
        while len(waiting) >= PART:
            yield bytes(waiting[:PART])
            any_yet = True
            del waiting[:PART]
    if waiting or not any_yet:
        yield bytes(waiting)


@contextmanager
def _translated(operation: str, fine: Iterable[str] = ()) -> Iterator[None]:
    """UnavailableError for whatever S3 could not do, but for codes that are `fine`; its words name keys, and go."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        if code not in fine:
            raise UnavailableError(f"{operation} export: {code}") from None
    except BotoCoreError as error:
        raise UnavailableError(f"{operation} export: {type(error).__name__}") from None
