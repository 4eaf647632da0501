"""Cells and lines of tables that spreadsheets open, so that no text of a person is taken for a formula."""

import csv
import io
from collections.abc import Sequence

BYTE_ORDER_MARK = "\ufeff"
"""What a table begins with, without which spreadsheets misread letters such as æ."""

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a text for a formula, which could call out or run something."""


def harmless(cell: object) -> str:
    """A cell's text, with an apostrophe in front if a spreadsheet could take it for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def delimiter_of(header: str) -> str:
    """What separates the cells of a table of somebody else, by its first line: a comma, a semicolon or a tab."""
    return max(",;\t", key=header.count)


def line(row: Sequence[object], delimiter: str = ",") -> str:
    """One row as CSV (RFC 4180), every cell harmless."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerow([harmless(cell) for cell in row])
    return file.getvalue()
