"""A bucket that is empty, in this process or on the local stack."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import botocore.session
import pytest
from moto import mock_aws

from moto_wire import ENVIRONMENT

_T = TypeVar("_T")


def in_bucket(
    name: str, made: Callable[[Any], _T], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[_T]:
    """What `made` makes of a client of S3 once the bucket of that name is empty, for the engine in `request.param`."""
    for key, value in ENVIRONMENT.items():
        monkeypatch.setenv(key, value)
    if request.param == "engine":
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("emulator_url"))
        yield made(_emptied(name))
        return
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield made(_emptied(name))


def _emptied(name: str) -> Any:
    client = botocore.session.get_session().create_client("s3")
    if name not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    for item in client.list_objects_v2(Bucket=name).get("Contents", []):
        client.delete_object(Bucket=name, Key=item["Key"])
    return client
