"""Every rule finds what it is for, says where, and says what to do."""

import re

import pytest
from tests.unit.policy.policy_copies import ROOT, Copy
from tests.unit.policy.rule_cases import CASES
from tests.unit.policy.rule_cases.case import LAWYERS, Case

from policy_compiler import rules, shape
from policy_compiler.rules import brands, published, purposes, recipients, references, retention, texts


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}:{case.pointer}")
def test_a_broken_policy_is_told_where_what_and_how_to_mend_it(example: Copy, case: Case) -> None:
    for old, new, *file in case.edits:
        example.edit(old, new, *(file or [case.file]))

    found = [one for one in example.problems() if (one.rule, one.pointer) == (case.rule, case.pointer)]

    assert len(found) == case.times, [str(one) for one in example.problems()]
    assert found[0].file == case.file
    assert found[0].line == example.line_of(case.on, case.file) + case.below
    assert case.mend in found[0].mend
    assert case.says in found[0].what
    assert found[0].is_warning == case.warns


def test_every_rule_has_a_broken_policy() -> None:
    assert {case.rule for case in CASES} == {*rules.ALWAYS, *rules.WHEN_COMPILING}


def test_every_rule_that_is_written_is_looked_at() -> None:
    subjects = (brands, published, purposes, recipients, references, retention, texts)
    written = {found for one in subjects for found in vars(one).values() if hasattr(found, "__wrapped__")}
    listed = {*rules.ALWAYS.values(), *rules.WHEN_COMPILING.values()}

    assert written - {retention.figures} == listed


def test_every_rule_is_one_sentence() -> None:
    for name, rule in {**rules.ALWAYS, **rules.WHEN_COMPILING}.items():
        assert re.fullmatch(r"[A-Z“][^\n]*\.", rule.__doc__ or ""), name


def test_every_rule_is_documented() -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
    assert documented >= {*rules.ALWAYS, *rules.WHEN_COMPILING, *OTHER_IDS}


OTHER_IDS = {"yaml", "duplicate-key", "missing-key", "unknown-key", "wrong-value", "lock-intact", "publish"}
"""What is found before or beside the rules."""


def test_the_shipped_policy_has_neither_errors_nor_warnings(example: Copy) -> None:
    assert example.problems() == []


def test_all_problems_are_told_at_once(example: Copy) -> None:
    example.edit("stop_address: stop@example.com", "stop_address: nowhere")
    example.edit("country: US", "country: CH")
    example.edit("data_type: employer", "data_type: boss")

    found = {one.rule for one in example.problems()}

    assert found >= {"addresses-can-be-written-to", "wording-names-countries", "references-exist"}


def test_a_retired_topic_may_stay_retired(example: Copy) -> None:
    example.edit("        code: su\n", "        code: su\n        retired: true\n")

    assert {one.rule for one in example.problems()} == {"notice-is-current"}


@pytest.mark.parametrize("hours", ["73", "-1", "48.5"])
def test_a_person_waits_at_most_three_days_for_an_erasure_to_begin(example: Copy, hours: str) -> None:
    example.edit("cool_off_hours: 48", f"cool_off_hours: {hours}")

    found = [one for one in example.problems() if one.pointer == "/rights/cool_off_hours"]

    assert [one.mend for one in found] == ["Write a number of hours from 0 to 72."]


def test_how_requests_are_dealt_with_is_no_change_that_people_are_told(example: Copy) -> None:
    example.edit("cool_off_hours: 48", "cool_off_hours: 24")
    example.edit("closing_days: [12-24, 12-31]", "subdivisions: {DE: BY}")
    example.edit(LAWYERS, f"{LAWYERS}    connector: {{kind: ses, contact_list: a, verbs: [stop]}}\n")

    assert example.problems() == []


def test_every_key_is_documented() -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    notice_only = {"wording", "section", "section_with_list"}
    kinds = (kind for name, kind in shape.definitions().items() if name not in notice_only)
    keys = {key for kind in kinds for key in kind.get("properties", {})}

    assert {key for key in keys if f"`{key}`" not in page} == set()
