"""Tables as files that spreadsheets open."""

from collections.abc import Iterable, Sequence

from consent_center.domain.table import BYTE_ORDER_MARK, line


def table(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV (RFC 4180), the first of them the heading.

    A text that could be taken for a formula gets an apostrophe in front.
    """
    return BYTE_ORDER_MARK + "".join(map(line, rows))
