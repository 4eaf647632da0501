"""What changed between two editions of the notice, section by section, down to the words."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, NamedTuple

from consent_center.domain.errors import UnknownNameError
from consent_center.domain.policy import Notice, Policy

Edition = Mapping[str, Any]
"""A published notice as the compiler wrote it: title and sections of paragraphs, lists and tables."""

_SAME_THING = 0.5
"""Two texts that share less than this part of their words are two things, not one that changed."""

_LONGEST_NAME = 80
"""Characters. What stands before a colon names an item of a list, such as "Kept"; more than this is a sentence."""


class Kind(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Piece(NamedTuple):
    """Words that stayed, came or went."""

    kind: Kind
    text: str


class Part(NamedTuple):
    """One text of a line, under the head of its column if it stood in a table."""

    label: str
    pieces: tuple[Piece, ...]


class Line(NamedTuple):
    """A paragraph, an item of a list or a row of a table that was added, removed or changed."""

    kind: Kind
    name: str
    """What a changed row of a table is about: its first cell. Empty for everything else."""
    parts: tuple[Part, ...]


class SectionChange(NamedTuple):
    id: str
    heading: str
    kind: Kind
    lines: tuple[Line, ...]


class _Unit(NamedTuple):
    """What is compared as a whole. `name` finds it again when its words have changed."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    is_row: bool

    @property
    def words(self) -> list[str]:
        return " ".join(self.texts).split()


def difference(before: Edition, after: Edition) -> tuple[SectionChange, ...]:
    """The sections that differ, in the order of `after`, then those that are gone. Order alone is no difference."""
    old = {section["id"]: section for section in before["sections"]}
    new = {section["id"]: section for section in after["sections"]}
    found = []
    for key, section in new.items():
        if key not in old:
            lines = tuple(_whole(unit, Kind.ADDED) for unit in _units(section))
            found.append(SectionChange(key, section["heading"], Kind.ADDED, lines))
        elif changed := tuple(_lines(old[key], section)):
            found.append(SectionChange(key, section["heading"], Kind.CHANGED, changed))
    for key, section in old.items():
        if key not in new:
            lines = tuple(_whole(unit, Kind.REMOVED) for unit in _units(section))
            found.append(SectionChange(key, section["heading"], Kind.REMOVED, lines))
    return tuple(found)


def words_changed(before: str, after: str) -> tuple[Piece, ...]:
    """Both texts woven into one: what stayed, what went and what came. Blanks are not compared."""
    old, new = _tokens(before), _tokens(after)
    matcher = SequenceMatcher(None, [one.strip() for one in old], [one.strip() for one in new], autojunk=False)
    if matcher.ratio() < _SAME_THING:
        both = (Piece(Kind.REMOVED, before), Piece(Kind.ADDED, after))
        return tuple(piece for piece in both if piece.text.strip())
    pieces = []
    for what, start, end, new_start, new_end in matcher.get_opcodes():
        if what == "equal":
            pieces.append(Piece(Kind.SAME, "".join(new[new_start:new_end])))
            continue
        # A blank that is struck through or underlined looks like a mistake.
        for kind, tokens in ((Kind.REMOVED, old[start:end]), (Kind.ADDED, new[new_start:new_end])):
            if tokens:
                pieces += [Piece(kind, "".join(tokens).strip()), Piece(Kind.SAME, " ")]
    return tuple(piece for piece in pieces if piece.text)


def edition_before(policy: Policy, controller: str, version: str, since: str | None = None) -> Notice | None:
    """The edition of a controller to compare `version` with: `since`, or the one before it; None for the first.

    UnknownNameError for an edition that they do not have, and for a `since` that is not older than `version`.
    """
    versions = list(policy.notices_of(controller))
    if version not in versions:
        raise UnknownNameError("version")
    older = versions[: versions.index(version)]
    if since is not None and since not in older:
        raise UnknownNameError("version")
    return policy.notices[since or older[-1]] if older else None


def editions_between(policy: Policy, controller: str, before: str, version: str) -> list[Notice]:
    """The editions of a controller after `before`, up to and with `version`, oldest first."""
    versions = list(policy.notices_of(controller))
    return [policy.notices[one] for one in versions[versions.index(before) + 1 : versions.index(version) + 1]]


def common_language(before: Iterable[str], after: Iterable[str], wanted: str, default: str) -> str | None:
    """The language to compare two editions in, given those each was published in; None when they share none."""
    shared = [language for language in after if language in set(before)]
    return next((one for one in (wanted, default, *shared) if one in shared), None)


def _lines(before: Edition, after: Edition) -> Iterator[Line]:
    if before["heading"] != after["heading"]:
        yield Line(Kind.CHANGED, "", (Part("", words_changed(before["heading"], after["heading"])),))
    old, new = _without_equals(list(_units(before)), list(_units(after)))
    partners = _partners(old, new)
    for index, unit in enumerate(new):
        yield _changed(old[partners[index]], unit) if index in partners else _whole(unit, Kind.ADDED)
    matched = set(partners.values())
    yield from (_whole(unit, Kind.REMOVED) for index, unit in enumerate(old) if index not in matched)


def _without_equals(old: list[_Unit], new: list[_Unit]) -> tuple[list[_Unit], list[_Unit]]:
    """What is left of both when everything that stands in both, wherever it stands, is taken away."""
    left, unmatched = [unit.texts for unit in old], []
    for unit in new:
        if unit.texts in left:
            left.remove(unit.texts)
        else:
            unmatched.append(unit)
    gone = []
    for unit in reversed(old):
        if unit.texts in left:
            left.remove(unit.texts)
            gone.append(unit)
    return gone[::-1], unmatched


def _partners(old: Sequence[_Unit], new: Sequence[_Unit]) -> dict[int, int]:
    """For each new unit the old one that it took the place of: by its name, else by the words they share."""
    found: dict[int, int] = {}
    free = dict(enumerate(old))
    for index, unit in enumerate(new):
        same_name = [place for place, one in free.items() if unit.name and one.name == unit.name]
        if same_name:
            found[index] = same_name[0]
            del free[same_name[0]]
    for index, unit in enumerate(new):
        if index in found:
            continue
        likeness = {
            place: SequenceMatcher(None, one.words, unit.words, autojunk=False).ratio()
            for place, one in free.items()
            if one.is_row == unit.is_row
        }
        best = max(likeness, key=lambda place: likeness[place], default=None)
        if best is not None and likeness[best] >= _SAME_THING:
            found[index] = best
            del free[best]
    return found


def _changed(before: _Unit, after: _Unit) -> Line:
    if not after.is_row or len(before.texts) != len(after.texts):
        return Line(Kind.CHANGED, "", (Part("", words_changed(" – ".join(before.texts), " – ".join(after.texts))),))
    parts = tuple(
        Part(label, words_changed(old, new))
        for label, old, new in zip(after.labels, before.texts, after.texts, strict=True)
        if old != new
    )
    return Line(Kind.CHANGED, after.texts[0], parts)


def _whole(unit: _Unit, kind: Kind) -> Line:
    parts = tuple(
        Part(label, (Piece(kind, text),)) for label, text in zip(unit.labels, unit.texts, strict=True) if text
    )
    return Line(kind, "", parts)


def _units(section: Edition) -> Iterator[_Unit]:
    for block in section["blocks"]:
        if block["kind"] == "paragraph":
            yield _Unit("", (block["text"],), ("",), is_row=False)
        elif block["kind"] == "list":
            for item in block["items"]:
                label, colon, _ = item.partition(": ")
                name = label if colon and len(label) <= _LONGEST_NAME else ""
                yield _Unit(name, (item,), ("",), is_row=False)
        else:
            head = tuple(block["head"])
            yield _Unit("", (" – ".join(head),), ("",), is_row=False)
            for row in block["rows"]:
                yield _Unit(row[0], tuple(row), head, is_row=True)


def _tokens(text: str) -> list[str]:
    """Words, each with the blanks that follow it."""
    return re.findall(r"\s*\S+\s*", text)
