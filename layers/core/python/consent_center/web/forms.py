"""Reading what a browser or a mail program posts."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qs

LONGEST_FORM = 20_000
"""Characters; the largest form has a handful of short fields."""

LONGEST_LETTER = 200_000
"""Characters of a form in which somebody writes to us: 10,000 take twelve each where they are escaped."""

MOST_FIELDS = 200


class Form:
    """The fields of a posted form. A body that cannot be read is an empty form."""

    def __init__(self, body: str | None, *, is_base64: bool, longest: int = LONGEST_FORM) -> None:
        text = _text(body, is_base64)
        self.was_too_large = len(text) > longest
        self._fields: Mapping[str, list[str]] = {} if self.was_too_large else _fields(text)

    def one(self, name: str) -> str:
        """The first value of a field, or an empty text."""
        return self._fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        return self._fields.get(name, [])


def _text(body: str | None, is_base64: bool) -> str:
    if not body:
        return ""
    if not is_base64:
        return body
    try:
        return base64.b64decode(body).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _fields(text: str) -> Mapping[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
