"""Tables as files that spreadsheets open."""

import csv
import io
from collections.abc import Iterable, Sequence

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a text for a formula, which could call out or run something."""


def table(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV (RFC 4180), the first of them the heading.

    It begins with a byte order mark, without which spreadsheets misread letters such as æ; a text that could be taken
    for a formula gets an apostrophe in front.
    """
    file = io.StringIO()
    csv.writer(file).writerows([harmless(cell) for cell in row] for row in rows)
    return "\ufeff" + file.getvalue()


def harmless(cell: object) -> str:
    """A cell's text, with an apostrophe in front if a spreadsheet could take it for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text
