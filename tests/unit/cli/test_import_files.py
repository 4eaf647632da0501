"""Lists as tools, spreadsheets and accidents write them: what is wrong with a row is told, and the rest goes on."""

import csv
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.import_files import LONGEST_ROW, FileRefusedError, Row, read, safe_cell
from consent_center.domain.importing import Problem

HEAD = "email,note\n"


def rows(folder: Path, content: str | bytes, name: str = "list.csv", encoding: str | None = None) -> list[Row]:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(file, encoding))


def told(found: list[Row]) -> list[tuple[int, str | None]]:
    """Number and problem, or the note."""
    return [(row.number, row.problem or row.cells.get("note")) for row in found]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_ends_of_lines_are_recognised(tmp_path: Path, delimiter: str, end: str) -> None:
    content = end.join(
        [f"Email{delimiter} NOTE ", f'a@example.org{delimiter}"1{delimiter}2"', f"b@example.org{delimiter}"]
    )

    found = rows(tmp_path, content)

    assert [row.cells for row in found] == [
        {"email": "a@example.org", "note": f"1{delimiter}2"},
        {"email": "b@example.org", "note": ""},
    ]


def test_a_field_may_hold_quotes_and_ends_of_lines(tmp_path: Path) -> None:
    found = rows(tmp_path, HEAD + 'a@example.org,"one\r\ntwo ""three"""\nb@example.org,four\n')

    assert told(found) == [(2, 'one\r\ntwo "three"'), (3, "four")]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ((HEAD + "a@example.org,blåbær").encode("utf-8-sig"), None),
        ((HEAD + "a@example.org,blåbær").encode("utf-16"), None),
        ((HEAD + "a@example.org,blåbær").encode("utf-16-le"), "utf-16-le"),
        ((HEAD + "a@example.org,blåbær").encode("latin-1"), "latin-1"),
        ((HEAD + "a@example.org,blåbær").encode("cp1252"), "cp1252"),
    ],
)
def test_encodings_are_recognised_or_taken_as_told(tmp_path: Path, content: bytes, encoding: str | None) -> None:
    assert told(rows(tmp_path, content, encoding=encoding)) == [(2, "blåbær")]


def test_a_row_in_another_encoding_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    content = HEAD.encode() + "a@example.org,blåbær\n".encode("latin-1") + "b@example.org,blåbær\n".encode()

    assert told(rows(tmp_path, content)) == [(2, Problem.NOT_THIS_ENCODING), (3, "blåbær")]


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (b"", None, "no names of columns"),
        (b"\n\n", None, "no names of columns"),
        (HEAD.encode("utf-16-le"), None, "UTF-16 without"),
        (HEAD.encode("utf-32"), None, "UTF-32"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"x" * 99, None, "no text"),
        (b"PK\x03\x04\0" + b"x" * 99, None, "no text"),
        (HEAD.encode("utf-16")[:-1], None, "cut off"),
        (HEAD.encode(), "klingon", "nobody knows"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, encoding: str | None, says: str
) -> None:
    with pytest.raises(FileRefusedError, match=says):
        rows(tmp_path, content, encoding=encoding)


def test_a_row_with_too_many_fields_is_broken_and_one_with_too_few_is_filled(tmp_path: Path) -> None:
    assert told(rows(tmp_path, HEAD + "a,b,c\nd@example.org\ne@example.org,f\n")) == [
        (2, Problem.BROKEN),
        (3, None),
        (4, "f"),
    ]


def test_a_quote_that_is_never_closed_costs_its_own_row_only(tmp_path: Path) -> None:
    good = "".join(f"p{number}@example.org,{number}\n" for number in range(20))

    found = told(rows(tmp_path, HEAD + 'a@example.org,"open\n' + good))

    assert found == [(2, Problem.BROKEN), *((number + 3, str(number)) for number in range(20))]


def test_two_quotes_that_are_never_closed_do_not_swallow_what_is_between_them(tmp_path: Path) -> None:
    found = told(rows(tmp_path, HEAD + 'a@example.org,"open\nb@example.org,1\nc@example.org,"open\nd@example.org,2\n'))

    assert [problem for _, problem in found] == [Problem.BROKEN, "1", Problem.BROKEN, "2"]


def test_a_row_that_is_too_long_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    content = HEAD + f"a@example.org,{'x' * (3 * LONGEST_ROW)}\nb@example.org,1\n"

    assert told(rows(tmp_path, content)) == [(2, Problem.TOO_LONG), (3, "1")]


def test_a_sign_that_no_text_has_is_told(tmp_path: Path) -> None:
    content = HEAD + "".join(f"p{number}@example.org,{number}\n" for number in range(9000)) + "a@example.org,\0\n"

    assert rows(tmp_path, content)[-1].problem is Problem.NOT_THIS_ENCODING


def test_of_two_columns_with_one_name_the_filled_one_counts(tmp_path: Path) -> None:
    assert told(rows(tmp_path, "note,email,note\n,a@example.org,1\n2,b@example.org,\n")) == [(2, "1"), (3, "2")]


def test_empty_rows_are_passed_over_and_counted(tmp_path: Path) -> None:
    assert told(rows(tmp_path, HEAD + "\na@example.org,1\n\n\nb@example.org,2\n")) == [(3, "1"), (6, "2")]


def test_json_is_read_line_by_line(tmp_path: Path) -> None:
    lines = [
        '{"Email": "a@example.org", "topics": ["x", "y"], "n": 1, "none": null, "deep": {"k": "v"}}',
        "",
        "{",
        "[1]",
        "[" * 5_000,
        '{"email": "b@example.org"}',
    ]

    found = rows(tmp_path, "\n".join(lines), "list.ndjson")

    assert found[0].cells == {"email": "a@example.org", "topics": "x,y", "n": "1", "none": "", "deep": '{"k": "v"}'}
    assert [(row.number, row.problem) for row in found[1:]] == [
        (3, Problem.BROKEN),
        (4, Problem.BROKEN),
        (5, Problem.BROKEN),
        (6, None),
    ]


fields = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(st.lists(st.tuples(fields.filter(str.strip), fields), max_size=8))
def test_what_a_csv_writer_writes_is_read_as_it_was(written: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("email", "note"), *written])
    file = Path(__file__).with_name(".written.csv")
    try:
        file.write_text(text.getvalue(), "utf-8", newline="")
        assert [(row.cells["email"], row.cells["note"]) for row in read(file)] == written
    finally:
        file.unlink()


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_shown_and_not_computed(formula: str) -> None:
    assert safe_cell(formula) == f"'{formula}"
    assert safe_cell("1=1") == "1=1"
    assert safe_cell(None) == ""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        file = tmp_path / f"{count}.csv"
        file.write_text(HEAD + "".join(f'p{number}@example.org,"two\nlines"\n' for number in range(count)), "utf-8")
        tracemalloc.start()
        try:
            assert sum(1 for _ in read(file)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20_000) < peak(2_000) + 200_000
