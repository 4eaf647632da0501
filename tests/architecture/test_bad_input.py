"""The table of bad input names tests that exist and guards that are checked."""

import ast
import re
from dataclasses import dataclass
from functools import cache

import pytest
import yaml

from transformed import ROOT

COLUMNS = ["input", "what the product answers", "tests", "guards"]
GUARDS = {guard["name"] for guard in yaml.safe_load((ROOT / "tests/guards/guards.yaml").read_text(encoding="utf-8"))}


@dataclass(frozen=True)
class Row:
    """One row of the table, with its lists taken apart."""

    input: str
    answer: str
    tests: tuple[str, ...]
    guards: tuple[str, ...]


def rows() -> list[Row]:
    """The rows of every table in the document; ValueError for a row with other columns."""
    lines = (ROOT / "docs/bad-input.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
    found = []
    for wrong, answer, tests, guards in (row for row in cells if row != COLUMNS):
        named = tuple(test.strip("`") for test in tests.split("<br>") if test)
        found.append(Row(wrong, answer, named, tuple(guard for guard in guards.split("<br>") if guard)))
    return found


@cache
def named_in(file: str) -> frozenset[str]:
    """The names of a file's tests, those in a class as `Class::name`."""
    if not (ROOT / file).is_file():
        return frozenset()
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    names |= {
        f"{group.name}::{node.name}"
        for group in tree.body
        if isinstance(group, ast.ClassDef)
        for node in group.body
        if isinstance(node, ast.FunctionDef)
    }
    return frozenset(name for name in names if name.split("::")[-1].startswith("test_"))


def test_the_table_is_there() -> None:
    assert len(rows()) > 30
    assert len({row.input for row in rows()}) >= len(rows()) - 1


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.input)
def test_every_bad_input_has_an_answer_a_test_and_a_guard(row: Row) -> None:
    assert row.answer
    assert row.tests
    assert row.guards


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.input)
def test_every_test_that_is_named_exists(row: Row) -> None:
    missing = []
    for test in row.tests:
        file, _, name = re.sub(r"\[.*\]$", "", test).partition("::")
        if name not in named_in(file):
            missing.append(test)

    assert missing == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.input)
def test_every_guard_that_is_named_is_checked(row: Row) -> None:
    assert sorted(set(row.guards) - GUARDS) == []
