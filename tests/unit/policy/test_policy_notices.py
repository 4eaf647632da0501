"""The notice tells what the law asks for, and once published it never changes."""

import json
import shutil
from typing import Any

import pytest
from tests.unit.policy.policy_copies import EXAMPLE, TODAY, Copy

from policy_compiler import compiler, source
from policy_compiler.problems import PolicyError, Problem

NOTICE = json.loads((EXAMPLE / "notices" / "2026-11-25.en.json").read_text(encoding="utf-8"))
POLICY = source.read(EXAMPLE / "policy.yaml", "policy.yaml").data


def words(of: Any) -> str:
    """Every text in a part of a notice."""
    if isinstance(of, dict):
        return "\n".join(words(value) for value in of.values())
    return "\n".join(words(value) for value in of) if isinstance(of, list) else str(of)


def section(key: str) -> Any:
    (found,) = [one for one in NOTICE["sections"] if one["id"] == key]
    return found


def refused(policy: Copy, version: str, change: str) -> list[Problem]:
    with pytest.raises(PolicyError) as refusal:
        compiler.publish(policy.folder, version, change, TODAY)
    return refusal.value.problems


S = "{en: S, da: S, nb: S, de: S}"
A = "{en: A, da: A, nb: A, de: A}"


def add_edition(policy: Copy, version: str, change: str) -> None:
    policy.edit(
        "# ---- Where this policy came from",
        f'  "{version}": {{published_on: {version}, change: {change}, summary: {S}, approved_by: {A}}}\n'
        "# ---- Where this policy came from",
    )


@pytest.mark.parametrize(
    ("key", "facts"),
    [
        ("who", ["Fjordmeter A/S", "Målervej 12", "DK-8000 Aarhus C", "Denmark", "privacy@example.com"]),
        ("officer", ["Astrid Holm", "dpo@example.com"]),
        ("withdrawal", ["at any time", "stop@example.com", "stays lawful"]),
        ("objection", ["direct marketing", "profiling", "no reason", "stop@example.com"]),
        ("rights", ["Access", "Rectification", "Erasure", "Restriction", "Portability", "Objection", "within a month"]),
        ("retention", ["3 years after the last e-mail", "6 months", "2 years after you or the company", "7 days"]),
        ("recipients", ["United States", "standard contractual clauses", "Decides together with us"]),
        ("complaint", ["Datatilsynet", "DK-2500 Valby", "https://www.imy.se", "Norway", "Germany"]),
        ("changes", ["2026-11-25", "never widens"]),
        ("data", ["Nothing. We record it only if you agree.", "Needed?", "We work it out"]),
        ("sources", ["The company you represent, by phone, by e-mail or at fairs (not from you)"]),
        ("profiling", ["No decision about you that has legal or similar effect is made by machine alone"]),
    ],
)
def test_the_notice_says(key: str, facts: list[str]) -> None:
    said = words(section(key))

    assert [fact for fact in facts if fact not in said] == []


@pytest.mark.parametrize("key", POLICY["purposes"])
def test_every_purpose_has_a_section_with_basis_data_recipients_and_period(key: str) -> None:
    purpose, said = POLICY["purposes"][key], words(section(f"purpose-{key}"))
    named = [POLICY["data_types"][one]["name"]["en"] for one in purpose["data_types"]]
    named += [POLICY["recipients"][one]["name"] for one in purpose["recipients"]]
    named += [POLICY["sources"][one]["name"]["en"] for one in purpose["sources"]]
    named += [POLICY["categories"][one]["name"]["en"] for one in purpose["categories"]]
    named += [purpose["law"], purpose["description"]["en"], "Kept: ", "Legal basis: "]
    named += [purpose[one]["en"] for one in ("interest", "balancing_test", "withdrawal_text") if one in purpose]

    assert [fact for fact in named if fact not in said] == []


def test_every_interest_can_be_objected_to_in_a_section_of_its_own() -> None:
    said = words(section("objection"))

    for purpose in POLICY["purposes"].values():
        assert (purpose["name"]["en"] in said) == (purpose["legal_basis"] == "legitimate_interest")


def test_every_block_has_the_shape_that_pages_know() -> None:
    keys = {"paragraph": {"kind", "text"}, "list": {"kind", "items"}, "table": {"kind", "head", "rows"}}
    for one in NOTICE["sections"]:
        assert set(one) == {"id", "heading", "blocks"}
        for block in one["blocks"]:
            assert set(block) == keys[block["kind"]]
            if block["kind"] == "table":
                assert {len(row) for row in block["rows"]} == {len(block["head"])}


def test_nothing_is_left_to_fill_in() -> None:
    assert "{" not in words(NOTICE)
    assert "None" not in words(NOTICE).replace("None needed", "")


def test_section_names_are_unique() -> None:
    names = [one["id"] for one in NOTICE["sections"]]

    assert len(names) == len(set(names))


def test_what_is_retired_is_no_longer_in_the_notice(example: Copy) -> None:
    example.edit("  statistics:\n    code: sa\n", "  statistics:\n    code: sa\n    retired: true\n")
    add_edition(example, "2026-12-01", "information")

    compiler.publish(example.folder, "2026-12-01", "information", TODAY)

    text = (example.folder / "notices" / "2026-12-01.en.json").read_text(encoding="utf-8")
    assert "purpose-statistics" not in text
    assert "purpose-profiling" in text


def test_a_changed_published_notice_is_refused(example: Copy) -> None:
    example.edit("Who we are", "Who we were", "notices/2026-11-01.en.json")

    assert [one.what for one in example.problems()] == ["A published notice was changed."]


def test_a_missing_published_notice_is_refused(example: Copy) -> None:
    (example.folder / "notices" / "2026-11-01.en.json").unlink()

    assert [one.what for one in example.problems()] == ["A published notice is missing."]


def test_a_reformatted_notice_is_still_the_same(example: Copy) -> None:
    path = example.folder / "notices" / "2026-11-25.en.json"
    path.write_text(json.dumps(NOTICE, indent=8), encoding="utf-8")

    assert example.problems() == []


def test_a_lock_changed_by_hand_is_refused(example: Copy) -> None:
    example.edit('"change": "first"', '"change": "typo"', "notices/published.lock.json")

    (problem,) = example.problems()

    assert (problem.file, problem.rule) == ("notices/published.lock.json", "lock-intact")


def test_without_the_lock_nothing_counts_as_published(example: Copy) -> None:
    shutil.rmtree(example.folder / "notices")

    # Only a published edition may lack the languages that came later.
    rules = {one.rule for one in example.problems()}
    assert rules == {"editions-are-published", "texts-are-complete"}


def test_a_new_edition_leaves_the_old_one_as_it_was(example: Copy) -> None:
    folder = example.folder / "notices"
    before = (folder / "2026-11-01.en.json").read_bytes()
    example.edit("Who we are", "Who is responsible", "wording/en.yaml")
    assert "notice-is-current" in {one.rule for one in example.problems()}
    add_edition(example, "2026-12-01", "information")

    compiler.publish(example.folder, "2026-12-01", "information", TODAY)

    assert example.problems() == []
    assert (folder / "2026-11-01.en.json").read_bytes() == before
    lock = json.loads((folder / "published.lock.json").read_text(encoding="utf-8"))
    assert [one["version"] for one in lock["editions"]] == ["2026-11-01", "2026-11-22", "2026-11-25", "2026-12-01"]
    assert len(lock["codes"]) == len({(one["purpose"], one["topic"]) for one in lock["codes"]})


def test_a_published_edition_cannot_be_published_again(example: Copy) -> None:
    assert "published already" in refused(example, "2026-11-01", "first")[0].what


def test_an_edition_must_be_in_the_policy(example: Copy) -> None:
    (problem,) = refused(example, "2026-12-01", "typo")

    assert (problem.pointer, problem.line) == ("/notices/2026-12-01", example.line_of("notices:"))


def test_the_class_of_a_change_is_said_twice_alike(example: Copy) -> None:
    add_edition(example, "2026-12-01", "material")

    assert "calls this change “material”" in refused(example, "2026-12-01", "typo")[0].what


def test_editions_are_published_one_after_the_other(example: Copy) -> None:
    add_edition(example, "2026-12-01", "typo")
    add_edition(example, "2026-12-02", "typo")

    assert "one at a time" in refused(example, "2026-12-02", "typo")[0].what


def test_a_broken_policy_is_not_published(example: Copy) -> None:
    add_edition(example, "2026-12-01", "typo")
    example.edit("country: US", "country: CH")

    refused(example, "2026-12-01", "typo")

    assert not (example.folder / "notices" / "2026-12-01.en.json").exists()


def test_a_purpose_added_later_is_published_as_new(example: Copy) -> None:
    row = example.folder.joinpath("policy.yaml").read_text(encoding="utf-8")
    start = row.index("  comply-with-law:\n")
    new = row[start : row.index("  document-compliance:\n")].replace("comply-with-law", "follow-rules")
    example.edit("  document-compliance:\n", new.replace("code: cl", "code: fr") + "  document-compliance:\n")
    add_edition(example, "2026-12-01", "new_purpose")

    compiler.publish(example.folder, "2026-12-01", "new_purpose", TODAY)

    assert example.problems() == []


def test_each_language_gets_its_own_notice(other: Copy) -> None:
    compiler.publish(other.folder, "2026-12-01", "first", TODAY)

    german = json.loads((other.folder / "notices" / "2026-12-01.de.json").read_text(encoding="utf-8"))
    english = json.loads((other.folder / "notices" / "2026-12-01.en.json").read_text(encoding="utf-8"))
    assert german["title"] == "Wie Tonwerk Krümel GmbH Ihre Daten verwendet"
    assert "Offene Anfragen 3 Tage." in words(german)
    assert "18 Monate nach dem letzten Brief" in words(german)
    assert english["title"] == "How Tonwerk Krümel GmbH uses your personal data"
    assert [one["id"] for one in german["sections"]] == [one["id"] for one in english["sections"]]
    assert "profiling" not in [one["id"] for one in german["sections"]]


@pytest.mark.parametrize("language", ["da", "nb"])
def test_each_language_cites_in_its_own_words(language: str) -> None:
    notice = json.loads((EXAMPLE / "notices" / f"2026-11-22.{language}.json").read_text(encoding="utf-8"))
    said = words(notice)

    assert "den danske markedsføringslov" in said
    assert "GDPR art. 6(1)(f), 17(3)(e) og 18(2)" in said
    for english in (" Act", " with ", " and ", "Art. ", "recital", "Directive", "clauses", " the ", "National rules"):
        assert english not in said, english


def test_german_cites_acts_and_articles_as_german_does() -> None:
    said = words(json.loads((EXAMPLE / "notices" / "2026-11-25.de.json").read_text(encoding="utf-8")))

    assert "§ 10 des dänischen Gesetzes über Marketingpraktiken" in said
    assert "DSGVO Art. 6(1)(f), 17(3)(e) und 18(2)" in said
    for english in (" Act", " with ", " and ", "recital", "Directive", "clauses", " the ", "National rules"):
        assert english not in said, english
