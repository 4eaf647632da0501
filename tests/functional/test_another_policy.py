"""Another company runs on its policy folder alone: other purposes, languages and topics, and no line of code."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.unit.policy.policy_copies import EXAMPLE, OTHER, TODAY

from builders import PEOPLE
from consent_center.adapters.policy_files import notice_file
from consent_center.domain.policy import Policy
from deployment import Answer, Deployment
from policy_compiler import compiler
from policy_compiler.__main__ import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The other policy, published and compiled as a deployment does it."""
    source, out = tmp_path_factory.mktemp("other") / "policy", tmp_path_factory.mktemp("out")
    shutil.copytree(OTHER, source)
    english = source / "wording" / "en.yaml"
    english.write_text((EXAMPLE / "wording" / "en.yaml").read_text() + "  FR: France\n")
    compiler.publish(source, "2026-12-01", "first", TODAY)
    assert main(["--policy", str(source), "--out", str(out)]) == 0
    return out / "consent_policy"


@pytest.fixture
def tonwerk(deployment: Deployment, folder: Path) -> Deployment:
    """The same functions on the other policy."""
    policy = Policy(json.loads((folder / "policy.json").read_text()))

    def notice(version: str, language: str, controller: str) -> Any:
        return json.loads((folder / "notices" / notice_file(policy, version, language, controller)).read_text())

    deployment.services.policy = policy
    deployment.services.notice_text = notice
    return deployment


def ask(deployment: Deployment, purpose: str, channel: str = "email", topic: str | None = None) -> str:
    body = {"purpose": purpose, "channel": channel, "recipients": PEOPLE[:1], **({"topic": topic} if topic else {})}
    return str(deployment.api("post-permission-checks", body=json.dumps(body)).json["results"][0]["reason"])


def signed_up(deployment: Deployment) -> str:
    """Subscribe to the newsletter, which has no topics; come back with the link to the preferences."""
    page = deployment.page("get-subscribe")
    assert 'name="topic"' not in page.body
    form = re.search(r'name="form" value="([^"]+)"', page.body)
    assert form
    deployment.clock.move(seconds=2)
    assert deployment.page("post-subscribe", form={"email": PEOPLE[0], "form": form[1]}).status == 200
    assert deployment.deliver() == {"batchItemFailures": []}
    assert deployment.confirm(deployment.link("confirm")).status == 200
    deployment.clock.move(seconds=60)
    return deployment.manage_token()


def shown(page: Answer, topic: str) -> str:
    """The hash of the words that stand beside the button that starts a topic."""
    form = next(form for form in re.findall(r"<form.*?</form>", page.body, re.DOTALL) if f'value="{topic}"' in form)
    found = re.search(r'name="shown" value="([^"]+)"', form)
    assert found
    return found[1]


def test_the_form_speaks_of_the_other_company(tonwerk: Deployment) -> None:
    page = tonwerk.page("get-subscribe", headers={"accept-language": "de"})

    for words in ("Tonwerk", "Tonwerk Krümel GmbH", "Rundbrief", "Neues aus der Werkstatt.", "Datenschutzbüro"):
        assert words in page.text
    assert "Fjordmeter" not in page.text


def test_a_purpose_without_topics_is_subscribed_to_as_a_whole(tonwerk: Deployment) -> None:
    token = signed_up(tonwerk)

    assert ask(tonwerk, "letters") == "given"
    (entry,) = tonwerk.subjects.entry_of.values()
    assert entry.body["changes"][0]["topics"] == []
    assert tonwerk.mailer.letters[0].sender_address == "brief@example.org"
    assert "Newsletter" in tonwerk.mailer.letters[0].text
    assert "Fjordmeter" not in tonwerk.mailer.letters[0].text + tonwerk.mailer.letters[-1].text
    assert tonwerk.preferences("get-preferences", token).status == 200


def test_the_preference_page_is_made_of_the_policy(tonwerk: Deployment) -> None:
    token = signed_up(tonwerk)
    page = tonwerk.preferences("get-preferences", token, queryStringParameters={"lang": "de"})

    for words in (
        "Rundbrief",
        "Abendkurse",
        "Wochenendkurse",
        "Vorratsplanung",
        "Genug Teller.",
        "Widerspruch per Brief.",
    ):
        assert words in page.text
    assert "Fjordmeter" not in page.text


def test_a_consent_without_a_letter_is_given_on_the_page_to_the_words_shown(tonwerk: Deployment) -> None:
    token = signed_up(tonwerk)
    page = tonwerk.preferences("get-preferences", token)
    assert "Yes, Tonwerk may write to me about: Evening courses." in page.text
    tonwerk.press(token, do="start", purpose="courses", topic="evening", shown=shown(page, "evening"))

    assert ask(tonwerk, "courses", topic="evening") == "given"
    assert ask(tonwerk, "courses", topic="weekend") == "no_record"
    changed = tonwerk.press(token, do="start", purpose="courses", topic="weekend", shown="other words")
    assert changed.status == 409
    assert shown(changed, "weekend"), "the words that hold now are shown"
    assert ask(tonwerk, "courses", topic="weekend") == "no_record"
    tonwerk.clock.move(days=366)
    assert ask(tonwerk, "courses", topic="evening") == "expired"


def test_an_interest_is_objected_to_on_the_page(tonwerk: Deployment) -> None:
    token = signed_up(tonwerk)
    assert ask(tonwerk, "stock", "any") == "other_basis"
    tonwerk.press(token, do="object", to="stock")
    assert ask(tonwerk, "stock", "any") == "objected"
    tonwerk.press(token, do="allow", to="stock")
    assert ask(tonwerk, "stock", "any") == "other_basis"


@pytest.mark.parametrize(
    ("language", "words"), [("de", "Wie Tonwerk Krümel GmbH Ihre Daten verwendet"), ("fr", "Tonwerk")]
)
def test_the_notice_is_the_other_companys(tonwerk: Deployment, language: str, words: str) -> None:
    page = tonwerk.page("get-notice", queryStringParameters={"lang": language})

    assert page.status == 200
    assert words in page.text
    assert "Fjordmeter" not in page.text


def test_one_press_in_a_letter_stops_the_newsletter(tonwerk: Deployment) -> None:
    signed_up(tonwerk)
    body = {"purpose": "letters", "channel": "email", "recipients": PEOPLE[:1]}
    headers = tonwerk.api("post-permission-checks", body=json.dumps(body)).json["results"][0]["headers"]
    assert headers["List-Id"] == "<letters.example.org>"
    link = headers["List-Unsubscribe"].rsplit("/", 1)[1].rstrip(">")

    assert tonwerk.page("post-one-click-base64", link).status == 200
    assert ask(tonwerk, "letters") == "withdrawn"
