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
    ("text", "table"),
    [
        ("name,note\nAda,=1+1\n", "name,note\r\nAda,'=1+1\r\n"),
        ('name;note\r\nAda;=HYPERLINK("x")\r\n', 'name;note\r\nAda;"\'=HYPERLINK(""x"")"\r\n'),
        ('name;note\nEve;"hi, there; =1"\n', 'name;note\r\nEve;"hi, there; =1"\r\n'),
        ("name\tnote\nAda\t=1+1\n", "name\tnote\r\nAda\t'=1+1\r\n"),
        # Old systems end lines by a carriage return alone.
        ("name,note\r=1+1,b\r", "name,note\r\n'=1+1,b\r\n"),
        ('name;note\r"a,b,c";=1\r', "name;note\r\na,b,c;'=1\r\n"),
        ("name\r\nAda\rEve\n=1\n", "name\r\nAda\r\nEve\r\n'=1\r\n"),
        ('note\r\n"one\r\ntwo\rthree"\r\n', 'note\r\n"one\r\ntwo\rthree"\r\n'),
        ('\ufeffname\n"=1\nnever closed', 'name\r\n"\'=1\nnever closed"\r\n'),
        ("", ""),
    ],
)
def test_a_table_runs_nothing_and_says_what_it_said(text: str, table: str) -> None:
    given = unpacked({"crm": {"table.csv": text}, "lab": as_collected([GivenFile("TABLE.CSV", text.encode())])})

    assert given == dict.fromkeys(["from/crm/table.csv", "from/lab/TABLE.CSV"], f"\ufeff{table}".encode())


def test_what_cannot_be_read_as_a_table_is_a_text_that_no_spreadsheet_opens() -> None:
    text = f'=1+1\r"{"x" * 140_000}'

    assert unpacked({"crm": {"a.csv": text, "a.csv.txt": "b"}, "lab": {"a.csv": text}}) == {
        "from/crm/a.csv.txt": text.encode(),
        "from/_crm/a.csv.txt": b"b",
        "from/lab/a.csv.txt": text.encode(),
    }
