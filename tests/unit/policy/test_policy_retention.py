"""Retention rules that a policy may choose: by purpose, by jurisdiction, and from the library."""

import copy
import json
from datetime import date
from typing import Any

import pytest
from tests.unit.policy.policy_copies import EXAMPLE, TODAY, Copy
from typer.testing import CliRunner

from cli.policy import app
from consent_center.domain.policy import Policy
from policy_compiler import compiler, facts, library, periods, register, shape, source
from policy_compiler.rules.retention import figures

NEWS = "    retention: marketing-evidence\n    double_opt_in: true"
CHOICE = """    retention:
      default: marketing-evidence
      by_jurisdiction: {NO: consent-evidence, SE: marketing-evidence}
    double_opt_in: true"""


@pytest.fixture
def divided(example: Copy) -> Copy:
    """The shipped policy, where news is kept by another rule in Norway."""
    example.edit(NEWS, CHOICE)
    return example


def test_a_purpose_may_be_kept_by_other_rules_in_other_countries(divided: Copy) -> None:
    _, document = compiler.draft(divided.folder, TODAY)
    purpose = Policy(document).purpose("direct-marketing-email")

    assert [purpose.rule_in(country) for country in ("DK", "NO", "SE", "")] == [
        "marketing-evidence",
        "consent-evidence",
        "marketing-evidence",
        "marketing-evidence",
    ]
    data, wording = (source.read(EXAMPLE / name, name).data for name in ("policy.yaml", "wording/en.yaml"))
    data["purposes"]["direct-marketing-email"]["retention"] = {
        "default": "marketing-evidence",
        "by_jurisdiction": {"NO": "consent-evidence"},
    }
    activities = {row["activity"]: row for row in register.activities(data, wording, "en")}
    kept = activities["direct-marketing-email"]["kept"]
    assert "NO: Proof of other consents after they end" in kept


def test_a_rule_for_a_country_that_is_not_there_is_told(example: Copy) -> None:
    example.edit(NEWS, CHOICE.replace("NO: consent-evidence", "FR: no-such-rule"))
    pointer = "/purposes/direct-marketing-email/retention/by_jurisdiction/FR"

    found = [one for one in example.problems(compiling=False) if one.pointer == pointer]
    assert ["no-such-rule" in one.what or "jurisdictions" in one.what for one in found] == [True, True]


def test_another_period_in_one_country_is_a_change_of_what_is_done() -> None:
    data = source.read(EXAMPLE / "policy.yaml", "policy.yaml").data
    before = facts.facts_of(data)

    def changed(by_jurisdiction: dict[str, str]) -> list[str]:
        edited: dict[str, Any] = copy.deepcopy(data)
        edited["purposes"]["direct-marketing-email"]["retention"] = {
            "default": "marketing-evidence",
            "by_jurisdiction": by_jurisdiction,
        }
        return [one.what for one in facts.changes(before, facts.facts_of(edited))]

    assert changed({"NO": "marketing-evidence"}) == []
    # Another clock counts as the more.
    assert changed({"NO": "consent-evidence"}) == ["kept-longer"]


def test_every_named_rule_has_the_shape_of_a_rule_a_source_and_a_review_date() -> None:
    known = shape.definitions()["retention_rule"]["properties"]
    for rule in library.rules():
        assert rule.covers in known["covers"]["enum"]
        assert rule.clock in known["clock"]["enum"]
        assert periods.parse(rule.period)
        assert date.fromisoformat(rule.review_on) > date(2026, 11, 1)
        assert rule.legal_source
        assert (rule.justification is None) == (rule.signed_by is None)
    assert {rule.id: rule.period for rule in library.rules()} == {
        "dk-ombudsman": "2 years",
        "dk-dpa": "6 months",
        "seed": "3 years",
    }
    (seed,) = [rule for rule in library.rules() if rule.id == "seed"]
    assert "balancing test" in (seed.justification or "")


def test_the_named_rules_are_listed_and_overdue_reviews_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.policy._today", lambda: date(2028, 1, 1))
    run = CliRunner()

    table = run.invoke(app, ["rules"]).stdout
    assert table.count("overdue") == 3
    rows = json.loads(run.invoke(app, ["rules", "--json"]).stdout)
    assert [(row["id"], row["is_overdue"]) for row in rows] == [
        ("dk-ombudsman", True),
        ("dk-dpa", True),
        ("seed", True),
    ]


@pytest.mark.parametrize("figure", figures().values(), ids=list(figures()))
def test_every_figure_names_its_source(figure: dict[str, str]) -> None:
    assert set(figure) - {"never_sent"} == {"jurisdiction", "covers", "at_most", "source"}
    assert figure["covers"] in shape.definitions()["retention_rule"]["properties"]["covers"]["enum"]


def test_an_authoritys_figure_holds_in_its_jurisdiction_only(example: Copy) -> None:
    example.edit("    period: 6 months\n    legal_source", "    period: 7 months\n    legal_source")
    example.edit("jurisdictions: [DK, NO, SE, DE]", "jurisdictions: [NO, SE, DE]")

    assert "long-periods-are-justified" not in {one.rule for one in example.problems()}
