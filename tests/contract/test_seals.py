"""What every implementation of the Seals port does."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from consent_center.adapters import s3
from consent_center.adapters.s3 import S3Seals, key_of_leaves, key_of_seal
from consent_center.domain.errors import UnavailableError
from consent_center.domain.seal import Draft, Leaf, Seal, SignedSeal, day_after
from consent_center.ports.evidence import Seals
from fakes import InMemorySeals
from moto_wire import ENVIRONMENT

DAY = "2027-01-15"


def new_bucket() -> str:
    name = f"seals-{uuid.uuid4()}"
    client = boto3.client("s3")
    client.create_bucket(
        Bucket=name,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": ENVIRONMENT["AWS_DEFAULT_REGION"]},
    )
    client.close()
    return name


@pytest.fixture
def moto_seals(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Seals]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield S3Seals(new_bucket())


@pytest.fixture
def engine_seals(emulator_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Seals]:
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": emulator_url}.items():
        monkeypatch.setenv(name, value)
    made = S3Seals(new_bucket())
    yield made
    made._client.close()


@pytest.fixture(params=["in memory", "moto", "engine"])
def seals(request: pytest.FixtureRequest) -> Seals:
    if request.param == "in memory":
        return InMemorySeals()
    made: Seals = request.getfixturevalue(f"{request.param}_seals")
    return made


def some_leaves(count: int) -> list[Leaf]:
    return [Leaf(f"{number:064x}", f"chain{number}", 1 + number) for number in range(count)]


def add(seals: Seals, day: str, leaves: Iterable[Leaf], prev: Seal | None = None, signature: bytes = b"s") -> Seal:
    draft = Draft(day)
    kept = seals.add(
        draft.through((leaf, False) for leaf in leaves), lambda: SignedSeal(draft.finish(prev, "key-1"), signature)
    )
    return kept.seal


def test_a_seal_and_its_leaves_are_read_as_they_were_written(seals: Seals) -> None:
    seal = add(seals, DAY, some_leaves(7), signature=b"\x00\xff")

    assert seals.of_day(DAY) == SignedSeal(seal, b"\x00\xff")
    assert list(seals.leaves(seal)) == some_leaves(7)


def test_a_day_without_entries_has_a_seal_and_an_empty_list(seals: Seals) -> None:
    assert list(seals.leaves(add(seals, DAY, []))) == []


def test_where_nothing_is_kept_there_is_no_seal(seals: Seals) -> None:
    assert seals.newest() is None
    assert seals.of_day(DAY) is None


def test_the_newest_seal_is_that_of_the_last_day(seals: Seals) -> None:
    for days in (1, 0, 2):
        add(seals, day_after("2026-12-31", days), some_leaves(days))

    newest = seals.newest()
    assert newest is not None
    assert newest.seal.day == "2027-01-02"


def test_the_first_seal_of_a_day_stands_and_whoever_comes_second_is_given_it(seals: Seals) -> None:
    first = add(seals, DAY, some_leaves(2))
    second = add(seals, DAY, some_leaves(3))

    assert second == first
    assert seals.of_day(DAY) == SignedSeal(first, b"s")
    assert list(seals.leaves(first)) == some_leaves(2)


def test_a_list_that_is_not_there_is_an_error_and_no_empty_list(seals: Seals) -> None:
    seal = add(seals, DAY, some_leaves(2))

    with pytest.raises(UnavailableError):
        list(seals.leaves(replace(seal, leaves="f" * 64)))


def test_what_cannot_be_signed_leaves_nothing_behind(seals: Seals) -> None:
    def refuse() -> SignedSeal:
        raise UnavailableError("sign: Throttling")

    with pytest.raises(UnavailableError):
        seals.add(some_leaves(2), refuse)
    assert seals.newest() is None


def test_entries_that_cannot_be_read_to_the_end_leave_nothing_behind(seals: Seals) -> None:
    def failing() -> Iterator[Leaf]:
        yield some_leaves(1)[0]
        raise UnavailableError("leaves: Throttling")

    with pytest.raises(UnavailableError):
        add(seals, DAY, failing())
    assert seals.newest() is None


def test_a_list_that_is_longer_than_memory_goes_over_the_disk(
    engine_seals: S3Seals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_IN_MEMORY", 1_000)
    seal = add(engine_seals, DAY, some_leaves(5_000))

    assert sum(1 for _ in engine_seals.leaves(seal)) == 5_000


@pytest.mark.parametrize("spoilt", ["seal", "leaves"])
def test_what_somebody_spoilt_stops_the_job_instead_of_being_believed(moto_seals: S3Seals, spoilt: str) -> None:
    seal = add(moto_seals, DAY, some_leaves(2))
    key = key_of_seal(DAY) if spoilt == "seal" else key_of_leaves(seal)
    owner: Any = boto3.client("s3")
    owner.put_object(Bucket=moto_seals._bucket, Key=key, Body=b"nonsense\n")

    with pytest.raises(UnavailableError, match="legible"):
        moto_seals.of_day(DAY) if spoilt == "seal" else list(moto_seals.leaves(seal))


def test_a_bucket_that_does_not_answer_is_unavailable_and_its_words_are_dropped(moto_seals: S3Seals) -> None:
    gone = S3Seals("no-such-bucket-anywhere")

    with pytest.raises(UnavailableError, match=r"^list seals: NoSuchBucket$"):
        gone.newest()
