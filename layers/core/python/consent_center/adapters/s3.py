"""Seals in a bucket with Object Lock: `seals/<day>.json`, and beside it `leaves/<day>/<SHA-256 of the list>.txt`.

S3 speaks no JSON, so this is the one place that has a botocore client; it is made on first use, in workers only. The
list is stored before the seal that names it, so a seal without its list cannot be. A list without a seal is what a run
that was killed, or came second, leaves behind.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from consent_center.domain.errors import UnavailableError
from consent_center.domain.seal import Leaf, Seal, SignedSeal, read_leaf, read_seal
from consent_center.observability import logger

SEALS = "seals/"
LEAVES = "leaves/"

_IN_MEMORY = 4_000_000
"""Bytes of a list of leaves that are gathered in memory; longer ones go to the function's disk."""

_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}
"""What S3 says where an object of that name is there, or is being made at this moment."""


def key_of_seal(day: str) -> str:
    return f"{SEALS}{day}.json"


def key_of_leaves(seal: Seal) -> str:
    return f"{LEAVES}{seal.day}/{seal.leaves}.txt"


class S3Seals:
    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def newest(self) -> SignedSeal | None:
        """S3 lists in order of days, a thousand a page: the last name is the newest."""
        last = None
        with _translated("list seals"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=SEALS)
            for page in pages:
                for found in page.get("Contents", []):
                    last = found["Key"]
        return None if last is None else self.of_day(last.removeprefix(SEALS).removesuffix(".json"))

    def of_day(self, day: str) -> SignedSeal | None:
        try:
            with _translated("read seal"):
                text = self._client.get_object(Bucket=self._bucket, Key=key_of_seal(day))["Body"].read()
        except _MissingError:
            return None
        try:
            return read_seal(text)
        except ValueError:
            raise UnavailableError("read seal: it is not legible") from None

    def leaves(self, seal: Seal) -> Iterator[Leaf]:
        try:
            with _translated("read leaves"):
                body = self._client.get_object(Bucket=self._bucket, Key=key_of_leaves(seal))["Body"]
                for line in body.iter_lines():
                    yield read_leaf(line.decode("ascii"))
        except ValueError:
            raise UnavailableError("read leaves: the list is not legible") from None

    def add(self, leaves: Iterable[Leaf], sign: Callable[[], SignedSeal]) -> SignedSeal:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as listed:
            for leaf in leaves:
                listed.write(leaf.line.encode() + b"\n")
            signed = sign()
            listed.seek(0)
            self._put(key_of_leaves(signed.seal), listed, "text/plain")
        if self._put(key_of_seal(signed.seal.day), signed.text, "application/json"):
            return signed
        kept = self.of_day(signed.seal.day)
        if kept is None:
            raise UnavailableError("keep seal: somebody else is keeping one")
        logger.info("sealed already", day=signed.seal.day)
        return kept

    def _put(self, key: str, body: Any, content_type: str) -> bool:
        """Whether it was stored; False if there is an object of that name, which then stays as it is."""
        try:
            with _translated("keep seal"):
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    ContentType=content_type,
                    ChecksumAlgorithm="SHA256",
                    IfNoneMatch="*",
                )
        except _TakenError:
            return False
        return True

    @cached_property
    def _client(self) -> Any:
        import botocore.config
        import botocore.session

        return botocore.session.get_session().create_client(
            "s3",
            config=botocore.config.Config(
                connect_timeout=2, read_timeout=30, retries={"mode": "standard", "max_attempts": 3}
            ),
        )


class _TakenError(Exception):
    pass


class _MissingError(UnavailableError):
    pass


@contextmanager
def _translated(operation: str) -> Iterator[None]:
    """Raise UnavailableError for whatever S3 could not do; its words are dropped."""
    import botocore.exceptions

    try:
        yield
    except botocore.exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _TAKEN:
            raise _TakenError from None
        if code == "NoSuchKey":
            raise _MissingError(f"{operation}: {code}") from None
        raise UnavailableError(f"{operation}: {code}") from None
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.HTTPClientError) as error:
        raise UnavailableError(f"{operation}: {type(error).__name__}") from None
