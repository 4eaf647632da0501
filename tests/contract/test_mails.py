"""What every implementation of the IncomingMails port does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import botocore.session
import pytest
from moto import mock_aws

from consent_center.adapters.mails_s3 import BucketOfMails
from consent_center.domain.errors import UnavailableError
from consent_center.ports.letters import IncomingMails, StoredMail
from fakes import InMemoryMails

BUCKET = "mails-of-a-contract"


@dataclass
class Place:
    mails: IncomingMails
    arrive: Callable[[str, bytes], None]
    inbox: Callable[[], dict[str, str]] = field(default=dict)


def in_bucket(endpoint: str | None = None) -> Place:
    client = botocore.session.get_session().create_client("s3", endpoint_url=endpoint)
    where = {"CreateBucketConfiguration": {"LocationConstraint": client.meta.region_name}}
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET, **where)

    def inbox() -> dict[str, str]:
        found = client.list_objects_v2(Bucket=BUCKET, Prefix="inbox/").get("Contents", [])
        return {
            one["Key"].removeprefix("inbox/"): client.head_object(Bucket=BUCKET, Key=one["Key"])["Metadata"]["reason"]
            for one in found
        }

    return Place(
        BucketOfMails(BUCKET),
        lambda name, raw: client.put_object(Bucket=BUCKET, Key=f"incoming/{name}", Body=raw),
        inbox,
    )


@pytest.fixture(params=["in memory", "moto", "engine"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    if request.param == "in memory":
        fake = InMemoryMails()
        yield Place(
            fake,
            lambda name, raw: fake.arrived.update({name: StoredMail(raw, 1_800_000_000_000)}),
            lambda: fake.for_staff,
        )
    elif request.param == "moto":
        with mock_aws():
            yield in_bucket()
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("emulator_url"))
        yield in_bucket()


def test_the_beginning_of_a_mail_is_read_and_no_more(place: Place) -> None:
    place.arrive("long", b"0123456789" * 1000)
    stored = place.mails.read("long", 25)

    assert stored is not None
    assert stored.beginning == b"0123456789012345678901234"
    assert stored.arrived_at > 1_700_000_000_000


def test_an_empty_mail_is_a_mail(place: Place) -> None:
    place.arrive("empty", b"")
    stored = place.mails.read("empty", 25)

    assert stored is not None
    assert stored.beginning == b""


def test_what_was_removed_is_gone_and_removing_again_is_harmless(place: Place) -> None:
    place.arrive("done", b"x")
    place.mails.remove("done")
    place.mails.remove("done")

    assert place.mails.read("done", 25) is None


def test_what_is_set_aside_moves_once_with_its_reason(place: Place) -> None:
    place.arrive("odd", b"x")
    place.mails.set_aside("odd", "not_understood")
    place.mails.set_aside("odd", "not_understood")

    assert place.mails.read("odd", 25) is None
    assert place.inbox() == {"odd": "not_understood"}


def test_a_bucket_that_does_not_answer_is_unavailable_and_its_words_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    mails = BucketOfMails(BUCKET)

    for call in (
        lambda: mails.read("a", 1), lambda: mails.remove("a"), lambda: mails.set_aside("a", "not_understood"),
    ):  # fmt: skip
        with pytest.raises(
            UnavailableError, match=r"^(read mail|remove mail|set mail aside): EndpointConnectionError$"
        ):
            call()
