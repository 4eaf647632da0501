"""What every implementation of the Exports port does."""

import hashlib
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from buckets import in_bucket
from builders import PEOPLE
from consent_center.adapters.exports_s3 import KEPT_SECONDS, PART, S3Exports, key_of
from consent_center.domain.errors import UnavailableError
from consent_center.ports.cases import Exports
from fakes import real_clock
from fakes.cases import InMemoryExports

BUCKET = "exports-contract"
CASE, NAME = "f66h7l5n3mf7cv4krt6y6r7xvw", "answer-f66h7l5n.zip"


@pytest.fixture(params=["in memory", "moto", "engine"])
def exports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exports]:
    if request.param == "in memory":
        yield InMemoryExports()
        return
    yield from in_bucket(BUCKET, lambda _: S3Exports(BUCKET), request, monkeypatch)


def now() -> int:
    return real_clock() // 1000


def stored(exports: Exports, name: str = NAME) -> bytes:
    if isinstance(exports, InMemoryExports):
        return exports.kept[CASE, name][0]
    assert isinstance(exports, S3Exports)
    found: bytes = exports._client.get_object(Bucket=BUCKET, Key=key_of(CASE, name))["Body"].read()
    return found


def uploads_under_way(exports: Exports) -> list[Any]:
    if isinstance(exports, InMemoryExports):
        return []
    assert isinstance(exports, S3Exports)
    return list(exports._client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 7])
def test_a_file_is_stored_whole_whatever_its_size(exports: Exports, size: int) -> None:
    data = (b"0123456789abcde" * (size // 15 + 1))[:size]

    made = exports.write(CASE, NAME, iter([data[:7], data[7:]]), now())

    assert stored(exports) == data
    assert made[:3] == (NAME, size, hashlib.sha256(data).hexdigest())
    assert abs(made.expires_at - now() - KEPT_SECONDS) < 60
    assert uploads_under_way(exports) == []


def test_content_is_read_part_by_part(exports: Exports) -> None:
    chunk = b"x" * 1_000_000

    assert exports.write(CASE, NAME, (chunk for _ in range(20)), now()).size == 20_000_000
    assert len(stored(exports)) == 20_000_000


def test_a_file_takes_the_place_of_one_of_its_name(exports: Exports) -> None:
    for content in (b"first", b"second"):
        exports.write(CASE, NAME, [content], now())

    assert stored(exports) == b"second"


def test_what_fails_on_the_way_leaves_what_was_there(exports: Exports) -> None:
    exports.write(CASE, NAME, [b"first"], now())

    def failing() -> Iterator[bytes]:
        yield b"y" * (PART + 1)
        raise UnavailableError("read")

    with pytest.raises(UnavailableError):
        exports.write(CASE, NAME, failing(), now())

    assert stored(exports) == b"first"
    assert uploads_under_way(exports) == []


def test_a_link_is_there_while_the_file_is_and_names_nobody(exports: Exports) -> None:
    assert exports.link(CASE, NAME, 60, now()) is None

    exports.write(CASE, NAME, [b"content"], now())
    link = exports.link(CASE, NAME, 60, now())

    assert link
    assert NAME in link
    assert not any(person in link for person in PEOPLE)
    assert exports.link("other-case", NAME, 60, now()) is None
    assert exports.link(CASE, "other.zip", 60, now()) is None
    assert exports.link(CASE, NAME, 60, now() + KEPT_SECONDS + 60) is None


def test_a_link_fetches_the_file_to_be_saved_and_ends_by_itself(exports: Exports) -> None:
    exports.write(CASE, NAME, [b"content"], now())
    link = exports.link(CASE, NAME, 60, now())
    assert link
    if isinstance(exports, InMemoryExports):
        assert link.endswith("?60")
        return
    assert "X-Amz-Expires=60" in link
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
    if link.startswith("http://"):
        with urllib.request.urlopen(link, timeout=10) as answer:
            assert answer.read() == b"content"
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{NAME}"'


def test_all_files_of_a_case_and_no_other_are_removed(exports: Exports) -> None:
    for case, name in ((CASE, NAME), (CASE, "other.zip"), (f"{CASE}x", NAME)):
        exports.write(case, name, [b"content"], now())

    exports.remove(CASE)
    exports.remove(CASE)

    assert [exports.link(CASE, name, 60, now()) for name in (NAME, "other.zip")] == [None, None]
    assert exports.link(f"{CASE}x", NAME, 60, now())
