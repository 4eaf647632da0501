"""What recipients gave, as files in a package: exactly as it came, but for tables, which must run nothing."""

import io
import zipfile
from typing import Any

import pytest

from builders import a_policy_with_recipients
from consent_center.domain.recipient import GivenFile, as_collected
from consent_center.usecases.naming import collected_files
from consent_center.usecases.packing import packed


def unpacked(collected: dict[str, dict[str, Any]]) -> dict[str, bytes]:
    files = [file for _, found in collected_files(collected, a_policy_with_recipients()) for file in found]
    with zipfile.ZipFile(io.BytesIO(b"".join(packed(files, 1_800_000_000_000, [])))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe\r\n", "Æ\r\nø\n\x1a".encode(), b'{"a": "=1+1"}'])
def test_what_was_handed_in_comes_out_byte_by_byte(content: bytes) -> None:
    collected = {"crm": as_collected([GivenFile("data.bin", content)])}

    assert unpacked(collected) == {"from/crm/data.bin": content}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("name;note\nAda;=1+1\n", ["name;note", "Ada;=1+1"]),
        ("=1+1,b\n", ["'=1+1,b"]),
        # Old systems end lines by a carriage return alone, which no reader of tables takes.
        ("name,note\r=1+1,b\r", ['"name,note"', '"\'=1+1,b"']),
        (f'"{"x" * 140_000}', [f'"""{"x" * 140_000}"']),
    ],
)
def test_a_table_runs_nothing_even_if_it_cannot_be_read_as_one(text: str, lines: list[str]) -> None:
    (content,) = unpacked({"crm": {"table.csv": text}}).values()

    assert content.decode("utf-8-sig").splitlines() == lines
