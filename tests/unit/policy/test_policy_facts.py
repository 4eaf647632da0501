"""The class of a change says at least what is done differently."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.policy.policy_copies import EXAMPLE, TODAY, Copy
from tests.unit.policy.rule_cases.case import EDITION, END_OF_NOTICES

from policy_compiler import compiler, facts, source
from policy_compiler.problems import PolicyError

DATA = source.read(EXAMPLE / "policy.yaml", "policy.yaml").data
NEWS, SITE = "direct-marketing-email", "site-tracking"
Edit = Callable[[dict[str, Any]], Any]


def purpose(key: str, **changes: Any) -> Edit:
    return lambda data: data["purposes"][key].update(changes)


def listed(key: str, of: str, *, add: str = "", drop: str = "") -> Edit:
    def edit(data: dict[str, Any]) -> None:
        row = data["purposes"][key]
        row[of] = [one for one in row[of] if one != drop] + ([add] if add else [])

    return edit


def row(kind: str, key: str, **changes: Any) -> Edit:
    return lambda data: data[kind][key].update(changes)


def new_purpose(data: dict[str, Any]) -> None:
    data["purposes"]["more"] = {**data["purposes"]["statistics"], "code": "mo"}


def new_topic(data: dict[str, Any]) -> None:
    topics = data["purposes"][NEWS]["topics"]
    topics["more"] = {**topics["events"], "code": "mo"}


def words(of: str, key: str = NEWS) -> Edit:
    return lambda data: data["purposes"][key][of].update(da="Noget andet {topics}")


CASES = [
    ("purpose-added", "new_purpose", new_purpose),
    ("purpose-ended", "information", purpose("statistics", retired=True)),
    ("basis", "material", purpose("statistics", legal_basis="legal_obligation")),
    ("controller", "material", purpose("statistics", controller="other")),
    ("recipient-added", "material", listed(NEWS, "recipients", add="survey-lab")),
    ("recipient-removed", "information", listed(NEWS, "recipients", drop="crm")),
    ("recipient-changed", "material", row("recipients", "crm", country="US", transfer_tool="Clauses")),
    ("recipient-changed", "material", row("recipients", "crm", role="joint")),
    ("kept-longer", "material", row("retention_rules", "marketing-evidence", period="5 years")),
    ("kept-longer", "material", row("retention_rules", "marketing-evidence", never_sent="9 months")),
    ("kept-longer", "material", row("retention_rules", "marketing-evidence", clock="decision")),
    ("kept-longer", "material", row("retention_rules", "objection-list", period="4 years")),
    ("kept-longer", "material", lambda data: data["periods"].update(pending="14 days")),
    ("kept-longer", "material", lambda data: data["retention_rules"]["marketing-evidence"].pop("never_sent")),
    ("kept-shorter", "information", row("retention_rules", "marketing-evidence", period="2 years")),
    ("valid-longer", "material", purpose(SITE, valid_for="7 months")),
    ("valid-longer", "material", lambda data: data["purposes"][SITE].pop("valid_for")),
    ("valid-shorter", "information", purpose(NEWS, valid_for="2 years")),
    ("data-added", "material", listed(NEWS, "data_types", add="phone")),
    ("data-removed", "information", listed(NEWS, "data_types", drop="interests")),
    ("source-added", "material", listed(NEWS, "sources", add="company")),
    ("source-removed", "information", listed(NEWS, "sources", drop="fair")),
    ("channel-added", "material", listed(NEWS, "channels", add="sms")),
    ("channel-removed", "information", listed("answer-enquiries", "channels", drop="social")),
    ("topic-added", "information", new_topic),
    ("topic-ended", "information", lambda data: data["purposes"][NEWS]["topics"]["events"].update(retired=True)),
    ("marketing-began", "material", purpose("statistics", marketing=True)),
    ("marketing-ended", "information", purpose(NEWS, marketing=False)),
    ("tracking-began", "material", purpose("statistics", tracking=True)),
    ("tracking-ended", "information", purpose(SITE, tracking=False)),
    ("profiling-began", "material", purpose("statistics", profiling=True)),
    ("profiling-ended", "information", purpose("profiling", profiling=False)),
    ("confirmation-dropped", "material", purpose(NEWS, double_opt_in=False)),
    ("confirmation-added", "information", purpose(SITE, double_opt_in=True)),
    ("consent-wording", "information", words("consent_text")),
    ("interest-wording", "information", words("interest", "improve-website")),
]


@pytest.mark.parametrize(("what", "least", "edit"), CASES, ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_done_differently_has_a_name_and_a_lowest_class(what: str, least: str, edit: Edit) -> None:
    data = copy.deepcopy(DATA)
    edit(data)

    found = facts.changes(facts.facts_of(DATA), facts.facts_of(data))

    assert what in {one.what for one in found}
    assert facts.least_class([one for one in found if one.what == what]) == least


def test_every_change_has_a_case_and_a_row_in_the_documents() -> None:
    page = (EXAMPLE.parents[1] / "docs" / "policy.md").read_text(encoding="utf-8")

    assert {what for what, _, _ in CASES} == set(facts.LEAST)
    assert [what for what in facts.LEAST if f"`{what}`" not in page] == []


def test_texts_names_a_new_language_and_the_same_period_in_other_words_are_no_change() -> None:
    data = copy.deepcopy(DATA)
    data["purposes"][NEWS]["name"]["en"] = "Letters"
    data["purposes"][NEWS]["consent_text"]["sv"] = "Ja, {topics}"
    data["retention_rules"]["marketing-evidence"]["period"] = "36 months"
    data["retention_rules"]["marketing-evidence"]["justification"]["en"] = "Because."
    data["recipients"]["crm"]["name"] = "Kompass GmbH"

    assert facts.changes(facts.facts_of(DATA), facts.facts_of(data)) == []


def edition(policy: Copy, change: str) -> None:
    policy.edit(
        END_OF_NOTICES, f'  "2026-12-01": {EDITION}\n{END_OF_NOTICES}'.replace("change: typo", f"change: {change}")
    )


LONGER = ("    period: 3 years\n    never_sent: 6 months\n", "    period: 5 years\n    never_sent: 6 months\n")


def test_an_edition_that_says_too_little_is_refused_with_place_and_mend(example: Copy) -> None:
    example.edit(*LONGER)
    edition(example, "information")

    with pytest.raises(PolicyError) as refusal:
        compiler.publish(example.folder, "2026-12-01", "information", TODAY)

    problem = refusal.value.problems[0]
    assert (problem.rule, problem.pointer) == ("changes-are-not-understated", "/notices/2026-12-01/change")
    assert "/purposes/direct-marketing-email/retention on line" in problem.what
    assert problem.mend == "Write “change: material”."
    assert not (example.folder / "notices" / "2026-12-01.en.json").exists()


@pytest.mark.parametrize("change", ["material", "new_purpose"])
def test_an_edition_may_say_more_than_it_must(example: Copy, change: str) -> None:
    example.edit(*LONGER)
    edition(example, change)

    compiler.publish(example.folder, "2026-12-01", change, TODAY)

    assert example.problems() == []


def test_what_changed_is_kept_with_the_edition_and_reaches_the_compiled_policy(example: Copy) -> None:
    example.edit(*LONGER)
    edition(example, "material")
    compiler.publish(example.folder, "2026-12-01", "material", TODAY)

    compiler.compile_policy(example.folder, example.folder / "out", TODAY)

    document = json.loads((example.folder / "out/consent_policy/policy.json").read_text(encoding="utf-8"))
    *before, newest = document["notices"]
    assert [one["changes"] for one in before] == [[], [], []]
    changed = {"what": "kept-longer"}
    assert newest["changes"] == [{**changed, "purpose": NEWS}, {**changed, "purpose": "document-compliance"}]
    assert "facts" not in newest


def test_other_words_of_a_consent_need_an_edition_although_no_notice_says_them(example: Copy) -> None:
    example.edit("Yes, {brand} may send me marketing by e-mail about", "Yes, {brand} may now send me letters about")

    (problem,) = example.problems()

    assert (problem.rule, problem.pointer) == ("notice-is-current", f"/purposes/{NEWS}/consent_text")
    assert "consent-wording" in problem.what


def test_other_words_of_a_consent_are_no_typo(example: Copy) -> None:
    example.edit("Yes, {brand} may send me marketing by e-mail about", "Yes, {brand} may now send me letters about")
    edition(example, "typo")

    assert "changes-are-not-understated" in {one.rule for one in example.problems()}


def forget_facts(policy: Copy) -> None:
    """The lock file as a version wrote it that kept no facts."""
    from policy_compiler import published

    path = policy.folder / "notices/published.lock.json"
    lock = json.loads(path.read_text(encoding="utf-8"))
    for one in lock["editions"]:
        one.pop("facts", None)
        one.pop("changes", None)
    kept = published.lock_document(published.Published(lock["editions"], lock["codes"]))
    path.write_text(json.dumps(kept), encoding="utf-8")


def test_a_policy_published_before_facts_were_kept_still_compiles_and_is_completed_once(example: Copy) -> None:
    forget_facts(example)
    assert example.problems() == []

    assert compiler.record(example.folder, TODAY)[1] == "recorded 2026-11-25"
    assert compiler.record(example.folder, TODAY)[1] == "2026-11-25 is recorded already"
    assert example.problems() == []


def test_nothing_is_published_upon_an_edition_whose_facts_are_unknown(example: Copy) -> None:
    forget_facts(example)
    edition(example, "typo")

    with pytest.raises(PolicyError, match="1 problems"):
        compiler.publish(example.folder, "2026-12-01", "typo", TODAY)


def test_a_policy_that_moved_on_is_not_recorded_as_the_published_one(example: Copy) -> None:
    forget_facts(example)
    example.edit(*LONGER)

    with pytest.raises(PolicyError):
        compiler.record(example.folder, TODAY)
