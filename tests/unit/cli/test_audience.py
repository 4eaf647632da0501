"""Fetching audiences: whole, in time and unaltered, or not at all; and what comes of changes."""

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from builders import NOON, PURPOSE, a_policy
from cli.audience import Shelf, UnusableError, fetch_audience, lines_of, write_table
from consent_center.adapters.audiences_s3 import S3Audiences, key_of_run
from consent_center.domain.audience import VALID_FOR_MS, AudienceRun, manifest
from consent_center.domain.subject import timestamp
from consent_center.ports.exchange import Counted
from moto_wire import ENVIRONMENT

BUCKET = "audiences"
RUN = AudienceRun.beginning(PURPOSE, NOON)
SOON = datetime.fromtimestamp(NOON / 1000 + 60, UTC)


def a_row(contact: str, **other: Any) -> str:
    said = {
        "contact": contact,
        "address": f"{contact}@example.com",
        "language": "en",
        "topics": ["events", "product-news"],
        "may_track_opens": False,
        "may_track_clicks": False,
        "may_profile": False,
        "evidence": f"{contact}.1",
        "valid_until": None,
    }
    return json.dumps({**said, **other})


def a_change(contact: str, may: bool, at: int, **other: Any) -> str:
    said = {"may": may, "at": timestamp(at), "reason": "given" if may else "withdrawn"}
    return a_row(contact, **said, **other) if may else json.dumps({"contact": contact, **said})


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Audiences]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        files = S3Audiences(BUCKET)
        files._client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        yield files


def make(files: S3Audiences, *shards: list[str], run: AudienceRun = RUN, is_whole: bool = True) -> None:
    parts = []
    for number, rows in enumerate(shards):
        files.add_part(run, number, rows, lambda rows=rows: Counted(len(rows) + 1, len(rows), {"withdrawn": 1}))
        part = files.part(run, number)
        assert part
        parts.append(part)
    if is_whole:
        files.finish(run, manifest(run, parts, a_policy()))


def fetch(files: S3Audiences, to: Path, now: datetime = SOON) -> dict[str, Any]:
    return fetch_audience(Shelf(files._client, BUCKET), PURPOSE, to, now)


def table(folder: Path) -> list[dict[str, str]]:
    write_table(folder)
    with (folder / "audience.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_audience_is_brought_whole_and_for_its_owner_alone(files: S3Audiences, tmp_path: Path) -> None:
    make(files, [a_row("ada"), a_row("grace")], [a_row("edsger")], [])

    found = fetch(files, tmp_path / "to")

    assert (found["included"], found["looked_at"], found["left_out"]) == (3, 6, {"withdrawn": 3})
    rows = [line["contact"] for part in found["parts"] for line in lines_of(tmp_path / "to" / part["name"])]
    assert rows == ["ada", "grace", "edsger"]
    modes = {file.stat().st_mode & 0o777 for file in (tmp_path / "to").glob("*.gz")}
    assert modes == {0o600}


def test_the_newest_whole_audience_is_taken_and_a_run_that_was_killed_is_none(
    files: S3Audiences, tmp_path: Path
) -> None:
    newer, killed = (AudienceRun.beginning(PURPOSE, NOON + ms) for ms in (1000, 2000))
    make(files, [a_row("ada")])
    make(files, [a_row("grace")], run=newer)
    make(files, [a_row("edsger")], run=killed, is_whole=False)

    assert fetch(files, tmp_path / "to")["run"] == newer.id


@pytest.mark.parametrize("ms", [0, 1])
def test_an_audience_is_refused_from_its_end(files: S3Audiences, tmp_path: Path, ms: int) -> None:
    make(files, [a_row("ada")])

    with pytest.raises(UnusableError):
        fetch(files, tmp_path / "to", datetime.fromtimestamp((NOON + VALID_FOR_MS + ms) / 1000, UTC))
    assert not (tmp_path / "to").exists()


def test_no_audience_is_refused_too(files: S3Audiences, tmp_path: Path) -> None:
    make(files, [a_row("ada")], is_whole=False)

    with pytest.raises(UnusableError):
        fetch(files, tmp_path / "to")


def test_a_file_that_was_altered_or_cut_leaves_no_audience_behind(files: S3Audiences, tmp_path: Path) -> None:
    make(files, [a_row("ada")])
    part = files.part(RUN, 0)
    assert part
    files._client.put_object(
        Bucket=BUCKET, Key=key_of_run(RUN, part.name), Body=gzip.compress(a_row("mallory").encode())
    )

    with pytest.raises(UnusableError, match="checksum"):
        fetch(files, tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []


def test_changes_that_were_altered_are_refused_as_well(files: S3Audiences, tmp_path: Path) -> None:
    make(files, [a_row("ada")])
    files.add_changes(PURPOSE, NOON + 1, [a_change("ada", False, NOON + 1)])
    (item,) = files._client.list_objects_v2(Bucket=BUCKET, Prefix="changes/")["Contents"]
    files._client.put_object(Bucket=BUCKET, Key=item["Key"], Body=gzip.compress(a_change("ada", True, NOON).encode()))

    with pytest.raises(UnusableError):
        fetch(files, tmp_path / "to")
    assert not (tmp_path / "to/manifest.json").exists()


def test_a_manifest_cannot_name_a_file_elsewhere(files: S3Audiences, tmp_path: Path) -> None:
    make(files, [a_row("ada")], is_whole=False)
    part = files.part(RUN, 0)
    assert part
    told = json.loads(manifest(RUN, [part], a_policy()))
    told["parts"][0]["name"] = "../../elsewhere.ndjson.gz"
    files.finish(RUN, json.dumps(told))

    with pytest.raises(UnusableError):
        fetch(files, tmp_path / "to")


def test_a_folder_that_holds_something_is_left_alone(files: S3Audiences, tmp_path: Path) -> None:
    make(files, [a_row("ada")])
    (tmp_path / "yesterday").write_text("")

    with pytest.raises(UnusableError):
        fetch(files, tmp_path)


def test_who_left_since_is_gone_from_the_table_and_the_later_word_counts(files: S3Audiences, tmp_path: Path) -> None:
    make(files, [a_row("ada"), a_row("grace"), a_row("edsger")])
    files.add_changes(PURPOSE, NOON - 5, [a_change("grace", False, NOON - 5)])
    files.add_changes(PURPOSE, NOON + 1, [a_change("ada", False, NOON + 1), a_change("alan", True, NOON + 1)])
    files.add_changes(PURPOSE, NOON + 2, [a_change("edsger", False, NOON + 2)])
    files.add_changes(PURPOSE, NOON + 3, [a_change("edsger", True, NOON + 3)])

    fetch(files, tmp_path / "to")

    assert {row["contact"] for row in table(tmp_path / "to")} == {"grace", "edsger", "alan"}


@pytest.mark.parametrize("first", [True, False])
def test_of_two_words_at_the_same_moment_the_no_counts(files: S3Audiences, tmp_path: Path, first: bool) -> None:
    make(files, [a_row("ada")])
    for may in (first, not first):
        files.add_changes(PURPOSE, NOON + 1, [a_change("ada", may, NOON + 1)])

    fetch(files, tmp_path / "to")

    assert table(tmp_path / "to") == []


@pytest.mark.parametrize("address", ["=cmd|'/c calc'!a0@example.com", "+1@example.com", "-x@example.com"])
def test_no_cell_of_the_table_is_a_formula(files: S3Audiences, tmp_path: Path, address: str) -> None:
    make(files, [a_row("ada", address=address)])
    fetch(files, tmp_path / "to")

    (row,) = table(tmp_path / "to")
    assert row["address"] == f"'{address}"
    assert row["topics"] == "events product-news"
