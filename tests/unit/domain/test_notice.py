"""The difference between two editions of the notice: everything that changed, and nothing that did not."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_policy
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.notice import (
    Kind,
    SectionChange,
    common_language,
    difference,
    edition_before,
    editions_between,
    words_changed,
)
from consent_center.domain.policy import Policy


def paragraph(text: str) -> dict[str, Any]:
    return {"kind": "paragraph", "text": text}


def points(*items: str) -> dict[str, Any]:
    return {"kind": "list", "items": list(items)}


def table(*rows: list[str], head: tuple[str, ...] = ("Record", "How long")) -> dict[str, Any]:
    return {"kind": "table", "head": list(head), "rows": list(rows)}


def edition(**sections: Any) -> dict[str, Any]:
    """Sections by id, each its blocks, under a heading that is the id in capital letters."""
    found = []
    for key, blocks in sections.items():
        found.append({"id": key, "heading": key.upper(), "blocks": list(blocks)})
    return {"title": "T", "sections": found}


def told(changes: tuple[SectionChange, ...]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Sections and lines, with each line's words in brackets where they went and in angles where they came."""
    marks = {Kind.SAME: "{}", Kind.ADDED: "<{}>", Kind.REMOVED: "[{}]"}

    def text(line: Any) -> str:
        parts = []
        for part in line.parts:
            woven = "".join(marks[piece.kind].format(piece.text.strip()) for piece in part.pieces)
            parts.append(f"{part.label}={woven}" if part.label else woven)
        return f"{line.name}|{';'.join(parts)}" if line.name else ";".join(parts)

    return [(one.id, str(one.kind), [(str(line.kind), text(line)) for line in one.lines]) for one in changes]


def test_the_same_edition_does_not_differ() -> None:
    same = edition(who=[paragraph("We."), points("A: 1"), table(["Logs", "90 days"])])

    assert difference(same, same) == ()


def test_a_section_is_new_or_gone_as_a_whole() -> None:
    before, after = edition(a=[paragraph("Old.")]), edition(b=[paragraph("New.")])

    assert told(difference(before, after)) == [
        ("b", "added", [("added", "<New.>")]),
        ("a", "removed", [("removed", "[Old.]")]),
    ]


def test_only_the_words_that_changed_are_marked() -> None:
    before = edition(a=[paragraph("We keep it for three years after the last letter.")])
    after = edition(a=[paragraph("We keep it for five years after the last letter.")])

    assert told(difference(before, after)) == [
        ("a", "changed", [("changed", "We keep it for[three]<five>years after the last letter.")])
    ]


def test_an_item_of_a_list_is_found_again_by_what_it_is_about() -> None:
    before = edition(a=[points("Basis: consent", "Kept: 7 days", "Who: us")])
    after = edition(a=[points("Basis: consent", "Who: us", "Kept: for as long as anybody may claim something")])

    (change,) = difference(before, after)

    assert [str(line.kind) for line in change.lines] == ["changed"]


def test_a_changed_row_names_what_it_is_about_and_shows_only_its_changed_cells() -> None:
    before = edition(a=[table(["Logs", "90 days"], ["Proofs", "3 years after it"])])
    after = edition(a=[table(["Logs", "90 days"], ["Proofs", "5 years after it"])])

    assert told(difference(before, after)) == [("a", "changed", [("changed", "Proofs|How long=[3]<5>years after it")])]


def test_a_row_that_came_shows_every_cell_under_its_head() -> None:
    before = edition(a=[table(["Logs", "90 days"])])
    after = edition(a=[table(["Logs", "90 days"], ["Proofs", "3 years"])])

    assert told(difference(before, after)) == [("a", "changed", [("added", "Record=<Proofs>;How long=<3 years>")])]


def test_another_order_is_no_difference() -> None:
    before = edition(a=[points("One.", "Two."), table(["x", "1"], ["y", "2"])])
    after = edition(a=[points("Two.", "One."), table(["y", "2"], ["x", "1"])])

    assert difference(before, after) == ()


def test_the_same_line_twice_is_told_when_one_of_them_goes() -> None:
    assert told(difference(edition(a=[points("x", "x")]), edition(a=[points("x")]))) == [
        ("a", "changed", [("removed", "[x]")])
    ]


def test_a_new_heading_of_a_section_and_of_a_column_are_told() -> None:
    before = {"sections": [{"id": "a", "heading": "Who we are", "blocks": [table(["x", "1"], head=("A", "B"))]}]}
    after = {"sections": [{"id": "a", "heading": "Who we were", "blocks": [table(["x", "1"], head=("A", "C"))]}]}

    (change,) = difference(before, after)

    assert [str(line.kind) for line in change.lines] == ["changed", "changed"]


def test_a_sentence_with_other_words_is_told_as_two() -> None:
    assert [piece.kind for piece in words_changed("We write by post.", "Nobody calls you ever again")] == [
        Kind.REMOVED,
        Kind.ADDED,
    ]


def of_two_editions() -> Policy:
    first = a_policy().raw["notices"][0]
    return Policy({**a_policy().raw, "notices": [first, {**first, "version": "2026-11-22", "change": "information"}]})


WORDS = st.lists(st.sampled_from(["we", "keep", "it", "3", "years.", "data", "—", "æøå"]), max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_both_texts_can_be_read_out_of_what_is_shown(before: str, after: str) -> None:
    pieces = words_changed(before, after)

    def read(kind: Kind) -> list[str]:
        return " ".join(piece.text for piece in pieces if piece.kind in (Kind.SAME, kind)).split()

    assert read(Kind.REMOVED) == before.split()
    assert read(Kind.ADDED) == after.split()


BLOCKS = st.lists(
    st.one_of(
        WORDS.map(paragraph),
        st.lists(WORDS, max_size=4).map(lambda items: points(*items)),
        st.lists(st.lists(WORDS, min_size=2, max_size=2), max_size=3).map(lambda rows: table(*rows)),
    ),
    max_size=4,
)
EDITIONS = st.dictionaries(st.sampled_from("abc"), BLOCKS).map(lambda sections: edition(**sections))


@given(EDITIONS, EDITIONS)
def test_nothing_that_was_there_or_is_there_is_lost(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    def texts(of: Mapping[str, Any]) -> list[str]:
        found = []
        for section in of["sections"]:
            for block in section["blocks"]:
                found += [block["text"]] if block["kind"] == "paragraph" else block.get("items", [])
                found += [cell for row in block.get("rows", []) for cell in row]
        return found

    shown = {Kind.REMOVED: set[str](), Kind.ADDED: set[str]()}
    for change in difference(before, after):
        for line in change.lines:
            for kind, words in shown.items():
                words |= set(line.name.split())
                for part in line.parts:
                    pieces = [piece.text for piece in part.pieces if piece.kind in (Kind.SAME, kind)]
                    words |= set(" ".join(pieces).split())
    # What is not shown stands in the other edition as well.
    for text in texts(before):
        assert set(text.split()) <= shown[Kind.REMOVED] or text in texts(after)
    for text in texts(after):
        assert set(text.split()) <= shown[Kind.ADDED] or text in texts(before)


@pytest.mark.parametrize(
    ("before", "after", "wanted", "expected"),
    [
        (["en", "da"], ["en", "da"], "da", "da"),
        (["en"], ["en", "da"], "da", "en"),
        (["da"], ["da", "nb"], "en", "da"),
        (["de"], ["da"], "da", None),
    ],
)
def test_editions_are_compared_in_the_readers_language_or_one_that_both_have(
    before: list[str], after: list[str], wanted: str, expected: str | None
) -> None:
    assert common_language(before, after, wanted, "en") == expected


def test_an_edition_is_compared_with_the_one_before_it() -> None:
    before = edition_before(of_two_editions(), "fjordmeter", "2026-11-22")

    assert before is not None
    assert before.version == "2026-11-01"
    assert edition_before(of_two_editions(), "fjordmeter", "2026-11-01") is None
    between = editions_between(of_two_editions(), "fjordmeter", "2026-11-01", "2026-11-22")
    assert [one.version for one in between] == ["2026-11-22"]


@pytest.mark.parametrize(
    ("version", "since"),
    [("1999-01-01", None), ("2026-11-22", "1999-01-01"), ("2026-11-22", "2026-11-22"), ("2026-11-01", "2026-11-22")],
)
def test_what_does_not_exist_or_is_not_older_cannot_be_compared(version: str, since: str | None) -> None:
    with pytest.raises(UnknownNameError):
        edition_before(of_two_editions(), "fjordmeter", version, since)
