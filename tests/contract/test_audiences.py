"""What every implementation of the AudienceFiles port does, and of `reached`."""

import gzip
import hashlib
import json
from collections.abc import Iterator

import pytest
from moto import mock_aws

from buckets import in_bucket
from builders import NOON, PEOPLE, PURPOSE
from consent_center.adapters.audiences_s3 import S3Audiences, key_of_run
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.domain.audience import AudienceRun, Reached
from consent_center.domain.errors import UnavailableError
from consent_center.ports.exchange import AudienceFiles, Counted
from fakes import InMemoryAudiences, InMemoryLedger, InMemorySubjects, SettableClock, no_pause
from moto_wire import ENVIRONMENT
from usecase_world import World

BUCKET = "audiences-contract"
RUN = AudienceRun.beginning(PURPOSE, NOON)
COUNTED = Counted(3, 2, {"withdrawn": 1})


@pytest.fixture(params=["in memory", "moto", "engine"])
def files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AudienceFiles]:
    if request.param == "in memory":
        yield InMemoryAudiences()
        return
    yield from in_bucket(BUCKET, lambda _: S3Audiences(BUCKET), request, monkeypatch)


def keys_in(files: S3Audiences) -> list[str]:
    return [item["Key"] for item in files._client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def read(files: S3Audiences, key: str) -> bytes:
    found: bytes = files._client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return found


def rows_of(files: AudienceFiles, name: str) -> list[str]:
    if isinstance(files, InMemoryAudiences):
        return files.rows[RUN, name]
    assert isinstance(files, S3Audiences)
    return gzip.decompress(read(files, key_of_run(RUN, name))).decode().splitlines()


def test_a_part_is_known_once_it_is_there_and_is_what_was_counted(files: AudienceFiles) -> None:
    assert files.part(RUN, 2) is None

    files.add_part(RUN, 2, iter(["one", "two"]), lambda: COUNTED)

    part = files.part(RUN, 2)
    assert part is not None
    assert (part.shard, part.looked_at, part.included, part.left_out) == (2, *COUNTED)
    assert rows_of(files, part.name) == ["one", "two"]
    assert files.part(RUN, 3) is None
    assert files.part(AudienceRun.beginning(PURPOSE, NOON + 1), 2) is None


def test_the_first_part_stays_and_is_still_what_its_note_says(files: AudienceFiles) -> None:
    files.add_part(RUN, 2, ["one"], lambda: COUNTED)
    first = files.part(RUN, 2)
    files.add_part(RUN, 2, ["one", "two"], lambda: Counted(9, 9, {}))

    assert files.part(RUN, 2) == first
    assert first is not None
    assert rows_of(files, first.name) == ["one"]


def test_counts_are_asked_for_when_all_rows_have_passed(files: AudienceFiles) -> None:
    passed = []

    def rows() -> Iterator[str]:
        for row in ("one", "two"):
            passed.append(row)
            yield row

    files.add_part(RUN, 0, rows(), lambda: Counted(len(passed), len(passed), {}))

    part = files.part(RUN, 0)
    assert part is not None
    assert part.included == 2


def test_the_checksum_is_that_of_the_file_as_it_lies_there(files: AudienceFiles) -> None:
    files.add_part(RUN, 0, (f"row {number}" for number in range(5_000)), lambda: COUNTED)
    files.finish(RUN, "first")
    files.finish(RUN, "second")

    part = files.part(RUN, 0)
    assert part is not None
    if isinstance(files, S3Audiences):
        stored = read(files, key_of_run(RUN, part.name))
        assert (hashlib.sha256(stored).hexdigest(), len(stored)) == (part.sha256, part.size)
        assert read(files, key_of_run(RUN, "manifest.json")) == b"first"


def test_changes_are_kept_beside_each_other_and_once(files: AudienceFiles) -> None:
    for at, row in ((NOON, "a"), (NOON, "a"), (NOON, "b"), (NOON + 1, "c")):
        files.add_changes(PURPOSE, at, [row])

    if isinstance(files, S3Audiences):
        found = [key for key in keys_in(files) if key.startswith(f"changes/{PURPOSE}/")]
        assert sorted(gzip.decompress(read(files, key)) for key in found) == [b"a\n", b"b\n", b"c\n"]
        assert [hashlib.sha256(read(files, key)).hexdigest() in key for key in found] == [True] * 3
    else:
        assert isinstance(files, InMemoryAudiences)
        assert files.changes[PURPOSE] == [["a"], ["b"], ["c"]]


def test_no_key_names_anybody(files: AudienceFiles) -> None:
    row = json.dumps({"address": PEOPLE[0]})
    files.add_part(RUN, 0, [row], lambda: COUNTED)
    files.add_changes(PURPOSE, NOON, [row])
    files.finish(RUN, "{}")

    keys = keys_in(files) if isinstance(files, S3Audiences) else [name for _, name in files.rows]  # type: ignore[attr-defined]
    assert keys
    assert not [key for key in keys if "@" in key or "ada" in key]


def test_a_bucket_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(), pytest.raises(UnavailableError):
        S3Audiences("not-there").add_part(RUN, 0, ["one"], lambda: COUNTED)


@pytest.fixture(params=["in memory", "moto", "engine"])
def world(request: pytest.FixtureRequest) -> World:
    clock = SettableClock()
    if request.param == "in memory":
        subjects = InMemorySubjects(clock=clock)
        return World(subjects=subjects, ledger=InMemoryLedger(subjects), clock=clock)
    database = request.getfixturevalue(f"{request.param}_database")
    return World(subjects=DynamoSubjects(database, no_pause, clock), ledger=DynamoLedger(), clock=clock)


def test_whoever_gave_an_address_is_reached_there_and_nobody_else_anywhere(world: World) -> None:
    world.confirm(world.asked(email="Ada.Lovelace@example.com"))
    known, unknown = world.contact("ada.lovelace@example.com"), world.contact(PEOPLE[1])

    assert world.subjects.reached([known, unknown]) == {
        known: Reached("Ada.Lovelace@example.com", "en", "ada.lovelace@example.com"),
        unknown: None,
    }
