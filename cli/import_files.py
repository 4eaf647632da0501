"""Reading lists of people as other tools write them: CSV (RFC 4180) and NDJSON, a row at a time however many there are.

What is wrong with one row is told of that row, and the next is read. A file that is not text at all is refused.
"""

import codecs
import csv
import io
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from consent_center.domain.importing import Problem

LONGEST_ROW = 65_536
"""Signs in a row. A quote that is never closed ends here, and costs its own line only."""

_SAMPLE = 65_536
_DELIMITERS = ",;\t"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class FileRefusedError(Exception):
    """The file as a whole cannot be read; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row by its columns, in lower case, or what is wrong with it. Rows are counted as a spreadsheet does."""

    number: int
    cells: dict[str, str]
    problem: Problem | None = None


def encoding_of(path: Path) -> str:
    """How the file is written. FileRefusedError for what is no text, or text of a kind that has to be told."""
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    for bom, name in _BOMS:
        if start.startswith(bom):
            if name is None:
                raise FileRefusedError("the file is UTF-32; save it as UTF-8")
            return name
    if b"\0" in start:
        even, odd = start[0::2].count(0), start[1::2].count(0)
        if max(even, odd) > len(start) // 4:
            raise FileRefusedError(
                "the file is UTF-16 without a byte order mark; use --encoding utf-16-le or utf-16-be"
            )
        raise FileRefusedError("the file is no text")
    return "utf-8"


def read(path: Path, encoding: str | None = None) -> Iterator[Row]:
    """Every row of a file. `encoding` is one of Python's names; left out, UTF-8 or what a byte order mark says.

    FileRefusedError for a file without columns, or that is no text.
    """
    try:
        codec = codecs.lookup(encoding or encoding_of(path)).name
    except LookupError:
        raise FileRefusedError(f"nobody knows the encoding {encoding}") from None
    try:
        # What is not in the encoding becomes signs that no text has, so that the row can be told.
        with path.open(encoding=codec, errors=_errors(codec), newline="") as file:
            yield from _rows(file, path)
    except UnicodeError:
        raise FileRefusedError(f"the file is not {codec}, or cut off") from None


def _errors(codec: str) -> str:
    return "strict" if codec.startswith(("utf-16", "utf-32", "utf_16", "utf_32")) else "surrogateescape"


def _rows(file: io.TextIOWrapper, path: Path) -> Iterator[Row]:
    lines = _lines(file)
    if path.suffix.casefold() in (".ndjson", ".jsonl"):
        yield from (_object(number, line) for number, line in enumerate(lines, start=1) if line is None or line.strip())
        return
    head = next(lines, None)
    if not head or not head.strip():
        raise FileRefusedError("the file has no names of columns in its first row")
    delimiter = max(_DELIMITERS, key=head.count)
    records = _records(chain([head], lines), delimiter)
    columns = _cells(next(records), delimiter)
    if columns is None or not any(name.strip() for name in columns):
        raise FileRefusedError("the names of the columns cannot be read")
    names = [name.strip().casefold() for name in columns]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    for number, record in enumerate(records, start=2):
        if record is not None and not record.strip():
            continue
        yield _row(number, record, names, delimiter, twice)


def _row(number: int, record: str | None, names: list[str], delimiter: str, twice: list[str]) -> Row:
    if record is None:
        return Row(number, {}, Problem.TOO_LONG)
    cells = _cells(record, delimiter)
    if cells is None or len(cells) > len(names):
        return Row(number, {}, Problem.BROKEN)
    if not _is_text(record):
        return Row(number, {}, Problem.NOT_THIS_ENCODING)
    found = dict(zip(names, cells, strict=False))
    for name in twice:
        # Two columns of one name: Mailchimp writes the reason of an unsubscription twice. What is filled counts.
        found[name] = next((cell for of, cell in zip(names, cells, strict=False) if of == name and cell), "")
    return Row(number, found)


def _object(number: int, line: str | None) -> Row:
    if line is None:
        return Row(number, {}, Problem.TOO_LONG)
    if not _is_text(line):
        return Row(number, {}, Problem.NOT_THIS_ENCODING)
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return Row(number, {}, Problem.BROKEN)
    if not isinstance(said, dict):
        return Row(number, {}, Problem.BROKEN)
    return Row(number, {name.strip().casefold(): _text(value) for name, value in said.items()})


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_text(text: str) -> bool:
    """Whether every sign was in the encoding, and is one that texts have."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text))


def _lines(file: io.TextIOWrapper) -> Iterator[str | None]:
    """Lines as they are ended; None for one that is too long, of which nothing is kept."""
    while line := file.readline(LONGEST_ROW + 1):
        if len(line) <= LONGEST_ROW or line.endswith(("\n", "\r")):
            yield line
            continue
        while rest := file.readline(LONGEST_ROW):
            if rest.endswith(("\n", "\r")):
                break
        yield None


def _records(lines: Iterator[str | None], delimiter: str) -> Iterator[str | None]:
    """Lines put together where a quoted field goes on in the next; None for one that is too long.

    A quote that is not closed in time, or makes one row of several, costs its own line only.
    """
    rest = _Lines(lines)
    while True:
        try:
            record = next(rest)
        except StopIteration:
            return
        if record is None or record.count('"') % 2 == 0:
            yield record
            continue
        whole, taken = _joined(record, rest)
        if whole is not None and _cells(whole, delimiter) is not None:
            yield whole
        else:
            yield record
            rest.put_back(taken)


class _Lines(Iterator[str | None]):
    """Lines of which some can be put back."""

    def __init__(self, lines: Iterator[str | None]) -> None:
        self._lines = lines
        self._waiting: deque[str | None] = deque()

    def __next__(self) -> str | None:
        return self._waiting.popleft() if self._waiting else next(self._lines)

    def put_back(self, lines: list[str | None]) -> None:
        self._waiting.extendleft(reversed(lines))


def _joined(record: str, rest: Iterator[str | None]) -> tuple[str | None, list[str | None]]:
    """A row with the lines that close its quote, or None if they do not; and the lines that were looked at."""
    taken: list[str | None] = []
    length, quotes = len(record), record.count('"')
    for line in rest:
        taken.append(line)
        if line is None:
            break
        length, quotes = length + len(line), quotes + line.count('"')
        if quotes % 2 == 0:
            return record + "".join(filter(None, taken)), taken
        if length > LONGEST_ROW:
            break
    return None, taken


def _cells(record: str | None, delimiter: str) -> list[str] | None:
    """The fields of a row, or None if it cannot be taken apart."""
    if record is None:
        return None
    try:
        rows = list(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def safe_cell(value: object) -> str:
    """A cell that a spreadsheet shows and does not compute: what looks like a formula gets an apostrophe before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
