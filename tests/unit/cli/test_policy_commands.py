"""The operators' commands about the policy: what they print, and how they end."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.policy.conftest import example, other
from tests.unit.policy.policy_copies import EXAMPLE, TODAY, Copy
from tests.unit.policy.rule_cases.case import EDITION, END_OF_NOTICES
from typer.testing import CliRunner

from cli.__main__ import app
from cli.policy import formula_safe
from policy_compiler import compiler, register

__all__ = ["example", "other"]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["policy", *arguments], env={"COLUMNS": "160"})


def test_a_sound_policy_passes() -> None:
    answer = run("check", "--policy", str(EXAMPLE))

    assert answer.exit_code == 0
    assert "notice 2026-11-25" in answer.stdout


def test_every_problem_is_a_row_and_the_command_fails(example: Copy) -> None:
    example.edit("country: US", "country: CH")

    shown, told = run("check", "--policy", str(example.folder)), run("check", "--policy", str(example.folder), "--json")

    document = json.loads(told.stdout)
    assert shown.exit_code == told.exit_code == 1
    assert "wording-names-countries" in shown.stdout
    assert not document["ok"]
    row = next(one for one in document["problems"] if one["rule"] == "wording-names-countries")
    assert row["pointer"] == "/recipients/survey-lab/country"
    assert row["line"] == example.line_of("country: CH")
    assert row["mend"]


def test_warnings_do_not_fail_the_check(example: Copy) -> None:
    example.edit('review_on: "2027-11-01"\n  contact-record', 'review_on: "2026-01-30"\n  contact-record')

    answer = run("check", "--policy", str(example.folder))

    assert answer.exit_code == 0
    assert "reviews-are-not-overdue" in answer.stdout


def test_a_text_in_brackets_is_printed_as_it_stands(example: Copy) -> None:
    example.edit("form:\n  purpose: direct-marketing-email", 'form:\n  purpose: "[bold]x"')

    assert "[bold]x" in run("check", "--policy", str(example.folder)).stdout


def next_edition(policy: Copy, change: str) -> None:
    row = f'  "2026-12-01": {EDITION}\n{END_OF_NOTICES}'.replace("change: typo", f"change: {change}")
    policy.edit(END_OF_NOTICES, row)


def test_an_edition_is_compared_before_and_after_it_is_published(example: Copy) -> None:
    example.edit(
        "We use your data only for the purposes below",
        "We use your data just for the purposes below",
        "wording/en.yaml",
    )
    next_edition(example, "typo")
    folder = ["--policy", str(example.folder)]
    before = run("diff", *folder)

    published = run("publish", "2026-12-01", "--change", "typo", *folder)

    after = run("diff", "2026-11-25", "2026-12-01", *folder)
    assert published.exit_code == 0
    assert "published 2026-12-01" in published.stdout
    assert before.stdout == after.stdout
    assert "We use your data [-only-] {+just+} for the purposes below" in " ".join(after.stdout.split())


def test_a_refused_publication_says_why(example: Copy) -> None:
    answer = run("publish", "2026-11-22", "--change", "typo", "--policy", str(example.folder))

    assert answer.exit_code == 1
    assert "published already" in answer.output


@pytest.mark.parametrize("arguments", [["1999-01-01"], ["2026-11-22", "2026-11-01"], ["", "2026-11-01"]])
def test_editions_that_cannot_be_compared_are_named(arguments: list[str]) -> None:
    answer = run("diff", *arguments, "--policy", str(EXAMPLE))

    assert answer.exit_code == 2


def test_a_language_that_one_edition_lacks_gives_way_to_a_common_one() -> None:
    editions = ["2026-11-01", "2026-11-22"]

    assert "in en" in run("diff", *editions, "--language", "da", "--policy", str(EXAMPLE)).stdout


# ---- The register of processing -------------------------------------------------------------------------


def test_the_register_has_every_purpose_and_every_field_of_article_30() -> None:
    answer = run("ropa", "--json", "--policy", str(EXAMPLE))

    document = json.loads(answer.stdout)
    assert len(document["activities"]) == 15
    for activity in document["activities"]:
        assert list(activity) == list(register.FIELDS)
        empty = {field for field, text in activity.items() if not text}
        assert empty <= {"joint_controllers", "recipients", "third_countries"}
    assert {letter for head in register.FIELDS.values() for letter in "abcdefg" if f"({letter})" in head} == set(
        "abcdefg"
    )
    by_name = {one["activity"]: one for one in document["activities"]}
    assert "Prairie Lantern Surveys Inc., United States: EU standard" in json.dumps(document, ensure_ascii=False)
    assert "3 years after the last e-mail" in by_name["direct-marketing-email"]["kept"]
    assert by_name["answer-enquiries"]["joint_controllers"] == "Messeholmen Arrangement AS, Norway"


def test_the_register_speaks_every_approved_language() -> None:
    answer = run("ropa", "--csv", "--language", "nb", "--policy", str(EXAMPLE))

    rows = list(csv.reader(io.StringIO(answer.stdout)))
    assert rows[0] == list(register.FIELDS.values())
    assert "Nyheter på e-post" in answer.stdout
    assert run("ropa", "--csv", "--language", "fi", "--policy", str(EXAMPLE)).exit_code == 2


def test_another_policy_has_its_register_too_and_hears_what_it_lacks(other: Copy) -> None:
    compiler.publish(other.folder, "2026-12-01", "first", TODAY)

    answer = run("ropa", "--json", "--policy", str(other.folder))

    document = json.loads(answer.stdout)
    assert [one for one in document["activities"] if "Tonwerk Krümel GmbH" not in one["controller"]] == []
    assert "Art. 30(1)(g) is empty" in answer.stderr


@pytest.mark.parametrize("cell", ["=1+1", "+4712345678", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert formula_safe(cell) == f"'{cell}"
    assert formula_safe("plain = text") == "plain = text"


def test_a_retired_purpose_is_no_longer_an_activity(example: Copy, tmp_path: Path) -> None:
    example.edit("  statistics:\n    code: sa\n", "  statistics:\n    code: sa\n    retired: true\n")
    next_edition(example, "information")
    compiler.publish(example.folder, "2026-12-01", "information", TODAY)

    document = json.loads(run("ropa", "--json", "--policy", str(example.folder)).stdout)

    assert "statistics" not in [one["activity"] for one in document["activities"]]
