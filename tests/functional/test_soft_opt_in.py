"""Soft opt-in on a policy of its own: who bought something may get letters about similar products, and may say no."""

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.policy.policy_copies import EXAMPLE, OTHER, TODAY

from builders import PEOPLE
from consent_center.domain.policy import Policy
from deployment import Answer, Deployment
from policy_compiler import compiler
from policy_compiler.__main__ import main

SALES = (Path(__file__).parent / "soft_opt_in.yaml").read_text(encoding="utf-8")
"""A purpose of Tonwerk that rests on sales, and the same kind of purpose of another controller."""

OFFERED = ["We may write to you about similar pots. You can say no here: [ ] No, thank you."]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The other policy with two purposes that rest on sales, published and compiled as a deployment does it."""
    source, out = tmp_path_factory.mktemp("sales") / "policy", tmp_path_factory.mktemp("out")
    shutil.copytree(OTHER, source)
    policy = source / "policy.yaml"
    purposes, controllers, brands = SALES.split("---\n")
    text = policy.read_text()
    for heading, rows in (("form:\n", purposes), ("brands:\n", controllers), ("categories:\n", brands)):
        text = text.replace(f"\n{heading}", f"\n{rows}\n{heading}", 1)
    policy.write_text(text)
    words = {"de": "Ein Verkauf", "en": "A sale"}
    (source / "wording" / "en.yaml").write_text((EXAMPLE / "wording" / "en.yaml").read_text() + "  FR: France\n")
    german = source / "wording" / "de.yaml"
    german.write_text(re.sub(r"(bases|controls):\n", rf"\1:\n  soft_opt_in: {words['de']}\n", german.read_text()))
    compiler.publish(source, "2026-12-01", "first", TODAY)
    assert main(["--policy", str(source), "--out", str(out)]) == 0
    return dict(json.loads((out / "consent_policy" / "policy.json").read_text()))


@pytest.fixture
def shop(deployment: Deployment, compiled: dict[str, Any]) -> Deployment:
    deployment.services.policy = Policy(compiled)
    return deployment


def sold(deployment: Deployment, group: str | None = "bowls", **changes: Any) -> Answer:
    """The shop tells about a sale."""
    evidence = {
        "collected_at": datetime.fromtimestamp(deployment.clock() / 1000, UTC).isoformat(),
        "method": "web shop",
        "wording": OFFERED,
        "language": "en",
        "reference": "order 4711",
        "opt_out_offered": True,
        **changes.pop("evidence", {}),
    }
    body = {"recipient": PEOPLE[0], "decision": "soft_opt_in", "purpose": "similar", "product_group": group}
    body |= {"evidence": {key: value for key, value in evidence.items() if value is not ...}, **changes}
    return deployment.api("post-decisions", body=json.dumps({k: v for k, v in body.items() if v is not None}))


def said(deployment: Deployment, decision: str, **changes: Any) -> Answer:
    body = {"recipient": PEOPLE[0], "decision": decision, **(changes or {"purpose": "similar"})}
    return deployment.api("post-decisions", body=json.dumps(body))


def ask(deployment: Deployment, group: str | None = "bowls", purpose: str = "similar") -> dict[str, Any]:
    body = {"purpose": purpose, "channel": "email", "recipients": PEOPLE[:1], "product_group": group}
    return dict(deployment.api("post-permission-checks", body=json.dumps(body)).json["results"][0])


def reason(deployment: Deployment, group: str | None = "bowls", purpose: str = "similar") -> str:
    return str(ask(deployment, group, purpose)["reason"])


def one_click(deployment: Deployment, answer: dict[str, Any]) -> None:
    link = answer["headers"]["List-Unsubscribe"].rsplit("/", 1)[1].rstrip(">")
    assert deployment.page("post-one-click-base64", link).status == 200


def test_a_sale_allows_letters_about_its_own_product_group_and_nothing_else(shop: Deployment) -> None:
    recorded = sold(shop)
    answer = ask(shop)

    assert (recorded.status, recorded.json["recorded"]) == (200, True)
    assert (answer["allowed"], answer["reason"]) == (True, "soft_opt_in")
    assert answer["evidence"] == recorded.json["evidence"]
    assert "List-Unsubscribe-Post" in answer["headers"]
    assert (answer["may_track_opens"], answer["may_profile"]) == (False, False)
    assert reason(shop, "plates") == "no_record"
    assert ask(shop, None) | {"allowed": False, "reason": "no_product_group"} == ask(shop, None)
    assert reason(shop, purpose="elsewhere") == "no_record", "the other company sold nothing"
    assert reason(shop, None, "letters") == "no_record", "no newsletter was asked for"


def test_the_evidence_names_the_basis_the_sale_and_the_words_of_the_offer(shop: Deployment) -> None:
    sold(shop)

    (entry,) = shop.subjects.entry_of.values()
    (payload,) = shop.subjects.payload_of.values()
    assert (entry.kind, entry.body["changes"][0]["after"]) == ("soft_opt_in", "SoftOptIn")
    assert entry.body["purposes"]["similar"]["basis"] == "soft_opt_in"
    assert entry.body["opt_out_offered"] is True
    assert re.fullmatch("[0-9a-f]{64}", entry.body["wording_hash"])
    assert (payload.content["reference"], payload.content["wording"]) == ("order 4711", OFFERED)
    assert "4711" not in json.dumps(entry.body)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"group": None}, "/product_group"),
        ({"group": "cars"}, "/product_group"),
        ({"evidence": {"opt_out_offered": False}}, "/evidence/opt_out_offered"),
        ({"evidence": {"opt_out_offered": ...}}, "/evidence/opt_out_offered"),
        ({"evidence": {"reference": ...}}, "/evidence/reference"),
        ({"evidence": {"reference": "  "}}, "/evidence/reference"),
        ({"evidence": {"wording": [" "]}}, "/evidence/wording"),
        ({"evidence": {"collected_at": "2100-01-01T00:00:00Z"}}, "/evidence/collected_at"),
        ({"evidence": {"collected_at": "2001-01-01T00:00:00Z"}}, "/evidence/collected_at"),
        ({"topics": ["bowls"]}, "/topics"),
        ({"purpose": "letters"}, "/decision"),
        ({"purpose": "stock"}, "/decision"),
        ({"decision": "given"}, "/product_group"),
    ],
)
def test_a_sale_that_misses_a_condition_is_refused_by_the_name_of_the_field(
    shop: Deployment, changes: dict[str, Any], field: str
) -> None:
    answer = sold(shop, **changes)

    assert (answer.status, answer.json["field"]) == (422, field), answer.body
    assert not shop.subjects.entry_of


@pytest.mark.parametrize("how", ["withdrawn", "refused", "other group", "direct-marketing", "one-click"])
def test_no_sale_raises_over_a_no(shop: Deployment, how: str) -> None:
    sold(shop)
    if how == "one-click":
        one_click(shop, ask(shop))
    elif how == "direct-marketing":
        said(shop, "objected", objection=how, controller="tonwerk")
    elif how == "other group":
        said(shop, "withdrawn", purpose="similar", topics=["plates"])
        said(shop, "withdrawn", purpose="similar", topics=["bowls"])
    else:
        said(shop, how)
    shop.clock.move(days=2)

    for group in ("bowls", "plates"):
        answer = sold(shop, group)
        assert (answer.status, answer.json["type"].rpartition(":")[2]) == (409, "forbidden-transition")
        assert not ask(shop, group)["allowed"]


def test_one_press_in_a_letter_stops_every_product_group(shop: Deployment) -> None:
    sold(shop, "bowls")
    sold(shop, "plates")

    one_click(shop, ask(shop, "plates"))

    assert (reason(shop, "bowls"), reason(shop, "plates")) == ("withdrawn", "withdrawn")


def test_a_later_sale_makes_it_hold_longer_and_an_earlier_one_changes_nothing(shop: Deployment) -> None:
    sold(shop)
    first = ask(shop)["valid_until"]
    shop.clock.move(days=100)

    assert sold(shop).json["recorded"]
    assert ask(shop)["valid_until"] > first
    assert not sold(shop, evidence={"collected_at": "2026-12-30T00:00:00Z"}).json["recorded"]
    shop.clock.move(days=366)
    assert reason(shop) == "expired"


def test_a_consent_given_later_wins_and_no_sale_takes_its_place(shop: Deployment) -> None:
    sold(shop)
    shop.clock.move(days=1)
    at = datetime.fromtimestamp(shop.clock() / 1000, UTC).isoformat()
    yes = {"collected_at": at, "confirmed_at": at, "method": "form", "wording": ["Yes."], "language": "en"}
    given = said(shop, "given", purpose="similar", topics=["bowls"], evidence=yes)
    shop.clock.move(days=1)

    assert given.json["recorded"]
    assert not sold(shop).json["recorded"]
    assert (reason(shop), ask(shop)["evidence"]) == ("given", given.json["evidence"])
    assert [entry.body["purposes"]["similar"]["basis"] for entry in shop.subjects.entry_of.values()] == [
        "soft_opt_in",
        "consent",
    ]


def test_the_preference_page_names_the_basis_and_stops_it_like_any_other(shop: Deployment) -> None:
    sold(shop)
    shop.clock.move(seconds=60)
    token = shop.manage_token()
    page = shop.preferences("get-preferences", token, queryStringParameters={"lang": "en"})

    assert "because you bought something from us" in page.text
    assert "Say no to offers in any letter." in page.text
    shop.press(token, do="stop", purpose="similar", topic="bowls")
    assert reason(shop) == "withdrawn"
    history = shop.preferences("get-history", token, queryStringParameters={"lang": "en"})
    assert "You bought something and could say no" in history.text
    receipt = shop.preferences("get-receipt-file", token, pathParameters={"token": token, "seq": "1"}).json
    assert receipt["dpv:hasProcess"][0]["dpv:hasLegalBasis"] == ["cc:SoftOptIn", "dpv:LegalBasis"]
    assert receipt["dpv:hasProcess"][0]["cc:event"][0]["cc:hasStatus"] == "cc:SoftOptIn"


def test_a_letter_says_that_it_came_because_of_a_sale(shop: Deployment) -> None:
    sold(shop)
    token = ask(shop)["why_url"].rsplit("/", 1)[1]
    page = shop.preferences("get-why", token)

    assert "that you bought something from us" in page.text
    assert "We may still send you such e-mails." in page.text


def test_a_purpose_of_topics_has_no_product_groups_and_the_other_way_round(shop: Deployment) -> None:
    for body in (
        {"purpose": "courses", "product_group": "evening"},
        {"purpose": "similar", "topic": "bowls"},
        {"purpose": "similar", "product_group": "cars"},
    ):
        asked = {"channel": "email", "recipients": PEOPLE[:1], **body}
        answer = shop.api("post-permission-checks", body=json.dumps(asked))
        assert (answer.status, answer.json["field"]) == (422, f"/{list(body)[-1]}")
