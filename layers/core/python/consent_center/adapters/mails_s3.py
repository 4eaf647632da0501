"""Mails that arrived, in S3: Amazon SES puts each under `incoming/`, and what people have to read moves to `inbox/`.

S3 speaks XML, so this is the one service that botocore is asked for; its client is made on first use.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from consent_center.domain.errors import UnavailableError
from consent_center.ports.letters import StoredMail

ARRIVED = "incoming/"
FOR_STAFF = "inbox/"

_GONE = ("NoSuchKey", "404")

_SECOND_MS = 1000


class BucketOfMails:
    """A mail's name is its key without the folder."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    @cached_property
    def _client(self) -> Any:
        import botocore.config
        import botocore.session

        settings = botocore.config.Config(
            connect_timeout=1, read_timeout=5, retries={"mode": "standard", "max_attempts": 2}
        )
        return botocore.session.get_session().create_client("s3", config=settings)

    def read(self, name: str, most: int) -> StoredMail | None:
        with _translated("read mail"):
            try:
                # No Range, because an empty mail has none; what is not read is not sent either.
                found = self._client.get_object(Bucket=self._bucket, Key=ARRIVED + name)
            except ClientError as error:
                if _code(error) in _GONE:
                    return None
                raise
            with found["Body"] as body:
                beginning = body.read(most)
        # S3 says when in whole seconds; whatever happened within that second came before the mail.
        arrived_at = int(found["LastModified"].timestamp()) * _SECOND_MS + _SECOND_MS - 1
        return StoredMail(beginning, arrived_at)

    def remove(self, name: str) -> None:
        with _translated("remove mail"):
            self._client.delete_object(Bucket=self._bucket, Key=ARRIVED + name)

    def set_aside(self, name: str, reason: str) -> None:
        with _translated("set mail aside"):
            try:
                self._client.copy_object(
                    Bucket=self._bucket,
                    Key=FOR_STAFF + name,
                    CopySource={"Bucket": self._bucket, "Key": ARRIVED + name},
                    Metadata={"reason": reason},
                    MetadataDirective="REPLACE",
                )
            except ClientError as error:
                if _code(error) in _GONE:
                    return
                raise
            self._client.delete_object(Bucket=self._bucket, Key=ARRIVED + name)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """UnavailableError with S3's code and nothing else, because its words may quote a key."""
    try:
        yield
    except ClientError as error:
        raise UnavailableError(f"{what}: {_code(error)}") from None
    except BotoCoreError as error:
        raise UnavailableError(f"{what}: {type(error).__name__}") from None
