"""What every implementation of the Imports port does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from buckets import in_bucket
from builders import NOON, PEOPLE
from consent_center.adapters.imports_s3 import S3Imports, manifest_key, manifest_of, part_key, s3_client
from consent_center.domain.errors import UnavailableError
from consent_center.ports.exchange import Import, Imports
from fakes import InMemoryImports

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
    yield from in_bucket("imports-contract", in_s3, request, monkeypatch)


def in_s3(client: Any) -> Kept:
    bucket = "imports-contract"

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
