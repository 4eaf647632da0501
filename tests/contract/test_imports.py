"""What every implementation of the Imports port does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from builders import NOON, PEOPLE
from consent_center.adapters.imports_s3 import S3Imports, manifest_key, manifest_of, part_key, s3_client
from consent_center.domain.errors import UnavailableError
from consent_center.ports import Import, Imports
from fakes import InMemoryImports
from moto_wire import ENVIRONMENT

ABOUT = Import("letters", "list-team", NOON, 2, 3, False, "fair", ("Ja.", "Når som helst."), None, "da")
ROWS = ['{"recipient": "' + PEOPLE[0] + '"}', '{"a": "line\u2028end"}']


@dataclass
class Kept:
    imports: Imports
    put: Callable[[str, Import, list[str]], None]


@pytest.fixture(params=["in memory", "moto", "engine"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    if request.param == "in memory":
        fake = InMemoryImports()

        def remember(name: str, about: Import, rows: list[str]) -> None:
            fake.kept[name], fake.parts[name, 1] = about, rows

        yield Kept(fake, remember)
        return
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    if request.param == "engine":
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("emulator_url"))
        yield in_bucket()
        return
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield in_bucket()


def in_bucket() -> Kept:
    client: Any = botocore.session.get_session().create_client("s3")
    bucket = "imports-contract"
    if bucket not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    for item in client.list_objects_v2(Bucket=bucket).get("Contents", []):
        client.delete_object(Bucket=bucket, Key=item["Key"])

    def upload(name: str, about: Import, rows: list[str]) -> None:
        client.put_object(Bucket=bucket, Key=part_key(name, 1), Body="".join(f"{row}\n" for row in rows).encode())
        client.put_object(Bucket=bucket, Key=manifest_key(name), Body=manifest_of(about))

    return Kept(S3Imports(s3_client(), bucket), upload)


def test_what_was_uploaded_is_read_as_it_was(kept: Kept) -> None:
    kept.put("one", ABOUT, ROWS)

    assert kept.imports.about("one") == ABOUT
    assert list(kept.imports.rows("one", 1)) == ROWS


def test_what_is_not_there_is_unavailable(kept: Kept) -> None:
    with pytest.raises(UnavailableError):
        kept.imports.about("none")
    with pytest.raises(UnavailableError):
        kept.imports.rows("none", 1)


def test_a_part_is_reported_once_there_is_a_report_and_the_first_one_stays(kept: Kept) -> None:
    assert not kept.imports.is_reported("one", 1)

    kept.imports.add_report("one", 1, ["first"])
    kept.imports.add_report("one", 1, ["second"])

    assert kept.imports.is_reported("one", 1)
    assert not kept.imports.is_reported("one", 2)
    if isinstance(kept.imports, S3Imports):
        assert kept.imports._text("reports/one/part-000001.ndjson") == "first\n"
