"""Puts translations into a template when it is read: calling back for each sentence is most of what a page costs."""

import json
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_FIXED = re.compile(r"""\b_\((["'])([^"'\\]+)\1\)""")
"""A sentence that needs no values."""

_PRINTED = re.compile(r"""\{\{(-?)\s*_\((["'])([^"'\\]+)\2\s*,""")
"""The beginning of a sentence with values that is printed where it stands."""

_END_OF_PRINT = re.compile(r"\s*(-?)\}\}")
_NAMED = re.compile(r"\s*(\w+)\s*=\s*(.+?)\s*", re.DOTALL)
_PLACE = re.compile(r"%\((\w+)\)s")
_PLAIN_NAME = re.compile(r"[\w.]+")


def spoken(template: str, translate: Callable[[str], str]) -> str:
    """The template in one language.

    A sentence becomes texts in quotes, with its values between them, so the engine escapes all of it like anything
    else it prints. What this does not read, such as a sentence that is handed to a macro, is left to the functions
    `_` and `ngettext`.
    """
    parts, done = [], 0
    for found in _PRINTED.finditer(template):
        arguments = _arguments(template, found.end())
        pieces = arguments and _pieces(translate(found[3]), arguments.values, translate)
        if found.start() < done or not arguments or not pieces:
            continue
        pieces[0] = pieces[0].replace("{{", "{{" + found[1], 1)
        pieces[-1] = pieces[-1].removesuffix("}}") + arguments.trim + "}}"
        parts += [_with_fixed(template[done : found.start()], translate), *pieces]
        done = arguments.end
    return "".join([*parts, _with_fixed(template[done:], translate)])


class _Arguments(NamedTuple):
    values: Mapping[str, str]
    """Expressions by name, as the template writes them."""
    trim: str
    """The sign that takes away the space behind the print, if it stands there."""
    end: int


def _arguments(template: str, start: int) -> _Arguments | None:
    """The named values of a call from `start` on, if the print ends right behind it."""
    depth, quote, at, begun, texts = 1, "", start, start, []
    while depth:
        if at == len(template):
            return None
        sign = template[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        if not quote and ((sign == "," and depth == 1) or not depth):
            texts.append(template[begun:at])
            begun = at + 1
        at += 1
    end = _END_OF_PRINT.match(template, at)
    named = [_NAMED.fullmatch(text) for text in texts]
    if end is None or not all(named):
        return None
    return _Arguments({match[1]: match[2] for match in named if match}, end[1], end.end())


def _pieces(message: str, values: Mapping[str, str], translate: Callable[[str], str]) -> list[str]:
    """What prints the sentence piece by piece; nothing if it names a value that is not there."""
    *texts_and_names, last = _PLACE.split(message)
    texts, names = [*texts_and_names[::2], last], texts_and_names[1::2]
    if not values.keys() >= set(names):
        return []
    pieces = [_print(_quoted(texts[0].replace("%%", "%")))]
    for name, text in zip(names, texts[1:], strict=True):
        value = _with_fixed(values[name], translate)
        # The engine prints what is none as a word, and fails only for what is not there at all.
        whole = f'{value} if {value} is not none else lacks("{name}")' if _PLAIN_NAME.fullmatch(value) else value
        pieces += [_print(whole), _print(_quoted(text.replace("%%", "%")))]
    return pieces


def _with_fixed(template: str, translate: Callable[[str], str]) -> str:
    return _FIXED.sub(lambda found: _quoted(translate(found[2])), template)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _print(expression: str) -> str:
    return f"{{{{ {expression} }}}}"
