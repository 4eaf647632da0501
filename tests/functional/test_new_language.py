"""A language appears from a catalogue and a policy alone: nothing in code knows which languages there are."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.policy.policy_copies import EXAMPLE, TODAY

from builders import PEOPLE
from cli import catalogues
from consent_center.domain.policy import Policy
from consent_center.texts import Texts
from deployment import Answer, Deployment
from policy_compiler import compiler
from policy_compiler.__main__ import main
from policy_compiler.source import read
from pseudo import FORGOTTEN, LONG, MIRRORED, Pseudo, write_catalogue

NEW = (LONG, MIRRORED)

EDITION = "2026-12-01"


def in_new_languages(value: Any) -> Any:
    """The policy with each of its texts in the new languages too."""
    if isinstance(value, dict) and isinstance(value.get("en"), str):
        return {**value, **{pseudo.code: pseudo.say(value["en"]) for pseudo in NEW}}
    if isinstance(value, dict):
        return {key: in_new_languages(inner) for key, inner in value.items()}
    return [in_new_languages(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Texts]:
    """What a translator adds: catalogues, wordings and the policy's texts, published and compiled."""
    source, out = tmp_path_factory.mktemp("policy") / "policy", tmp_path_factory.mktemp("out")
    locales = tmp_path_factory.mktemp("texts") / "locales"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("policy_compiler"))
    shutil.copytree(catalogues.LOCALES, locales)
    policy = read(source / "policy.yaml", "policy.yaml").data
    editions = policy.pop("notices")
    policy = in_new_languages(policy)
    policy["languages"]["approved"] += [pseudo.code for pseudo in NEW]
    *_, newest = editions.values()
    added = in_new_languages({**newest, "published_on": EDITION, "change": "information"})
    policy["notices"] = {**editions, EDITION: added}
    (source / "policy.yaml").write_text(yaml.safe_dump(policy, allow_unicode=True, sort_keys=False), "utf-8")
    wording = read(source / "wording" / "en.yaml", "en.yaml").data
    for pseudo in NEW:
        own = yaml.safe_dump(pseudo.of(wording), allow_unicode=True, sort_keys=False)
        (source / "wording" / f"{pseudo.code}.yaml").write_text(own, "utf-8")
        write_catalogue(pseudo, catalogues.collected(), locales)
    compiler.publish(source, EDITION, "information", TODAY)
    assert main(["--policy", str(source), "--out", str(out)]) == 0
    return out / "consent_policy", Texts(locales=locales)


@pytest.fixture
def polyglot(deployment: Deployment, written: tuple[Path, Texts]) -> Deployment:
    """The same functions with that policy and those texts."""
    folder, texts = written
    policy = Policy(json.loads((folder / "policy.json").read_text("utf-8")))

    def notice(version: str, language: str, controller: str) -> Any:
        return json.loads((folder / "notices" / f"{version}.{language}.json").read_text("utf-8"))

    deployment.services.policy = policy
    deployment.services.notice_text = notice
    deployment.services.texts = texts
    return deployment


def leaves(value: Any) -> Iterator[str]:
    """Every text in a document, but for what its parts are called."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif isinstance(value, str):
        yield value


def names(deployment: Deployment) -> set[str]:
    """The words of who and where, which no language translates, and what languages call themselves."""
    policy, texts = deployment.services.policy, deployment.services.texts
    known = [
        policy.raw["controllers"],
        policy.raw["brands"],
        [row["name"] for row in policy.raw["recipients"]],
        [*PEOPLE],
    ]
    called = [texts.name_of(language) for language in policy.languages]
    return {word for text in (*leaves(known), *called) for word in FORGOTTEN.findall(text)}


def speaks(deployment: Deployment, answer: Answer, pseudo: Pseudo) -> bool:
    """Whether a page is in the language, as a whole and word for word."""
    shown = re.sub(r"<style>.*?</style>|<[^>]*>", " ", answer.body, flags=re.DOTALL)
    assert set(FORGOTTEN.findall(re.sub(r"&#?\w+;", " ", shown))) <= names(deployment)
    return (
        answer.headers["content-language"] == pseudo.code
        and f'<html lang="{pseudo.code}" dir="{pseudo.direction}">' in answer.body
    )


@pytest.mark.parametrize("pseudo", NEW, ids=lambda pseudo: pseudo.code)
def test_the_whole_story_is_told_in_a_language_that_only_data_name(polyglot: Deployment, pseudo: Pseudo) -> None:
    say, lang = pseudo.say, {"lang": pseudo.code}
    form = polyglot.page("get-subscribe", queryStringParameters=lang)
    assert speaks(polyglot, form, pseudo)
    assert say("Product news") in form.text
    token = re.search(r'name="form" value="([^"]+)"', form.body)
    assert token
    polyglot.clock.move(seconds=2)
    filled = {"email": PEOPLE[0], "topic": "product-news", "form": token[1]}
    assert speaks(polyglot, polyglot.page("post-subscribe", form=filled), pseudo)

    polyglot.deliver()
    letter = polyglot.mailer.letters[-1]
    assert f'<html lang="{pseudo.code}" dir="{pseudo.direction}">' in letter.html
    assert set(FORGOTTEN.findall(re.sub(r"https?://\S+", "", letter.text))) <= names(polyglot)
    assert say("Product news") in letter.text

    link = polyglot.link("confirm")
    page = polyglot.page("get-confirm", link)
    assert speaks(polyglot, page, pseudo)
    assert speaks(polyglot, polyglot.confirm(link), pseudo)
    (entry,) = polyglot.subjects.entry_of.values()
    assert entry.body["language"] == pseudo.code

    stop = polyglot.link("u")
    polyglot.clock.move(seconds=60)
    mine = polyglot.manage_token()
    assert speaks(polyglot, polyglot.preferences("get-preferences", mine, queryStringParameters=lang), pseudo)
    assert speaks(polyglot, polyglot.page("get-unsubscribe", stop, queryStringParameters=lang), pseudo)


@pytest.mark.parametrize("pseudo", NEW, ids=lambda pseudo: pseudo.code)
def test_a_new_language_is_offered_on_every_page_and_chosen_by_the_browser(
    polyglot: Deployment, pseudo: Pseudo
) -> None:
    english = polyglot.page("get-home", queryStringParameters={"lang": "en"})
    assert re.search(rf'lang="{pseudo.code}"[^>]*>{re.escape(pseudo.say("English"))}</a>', english.text)

    for name in ("get-home", "get-subscribe", "get-nowhere"):
        assert speaks(polyglot, polyglot.page(name, headers={"accept-language": pseudo.code}), pseudo)


@pytest.mark.parametrize("pseudo", NEW, ids=lambda pseudo: pseudo.code)
def test_errors_and_the_notice_speak_a_new_language(polyglot: Deployment, pseudo: Pseudo) -> None:
    lang = {"queryStringParameters": {"lang": pseudo.code}}
    cut = polyglot.page("get-confirm", "v1.k1.cut", **lang)
    notice = polyglot.page("get-notice", **lang)

    assert cut.status >= 400
    assert speaks(polyglot, cut, pseudo)
    assert notice.headers["content-language"] == pseudo.code
    assert pseudo.say("Who we are") in notice.text
