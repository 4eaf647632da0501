"""The whole story in each language: form, letter, confirmation, unsubscribing."""

import re
from typing import Any

import pytest

from builders import PEOPLE
from deployment import Answer, Deployment

SAID = {
    "da": {
        "form": "Nyheder på e-mail",
        "fault": "Vælg mindst ét emne.",
        "check": "Se i din indbakke",
        "subject": "Bekræft din tilmelding hos Fjordmeter",
        "letter": "Produktnyheder",
        "wording": "Ja, Fjordmeter må sende mig markedsføring på e-mail om: Produktnyheder",
        "confirmed": "Du er tilmeldt",
        "stop": "Tryk på knappen",
        "stopped": "Du er afmeldt",
        "notice": "Sådan bruger Fjordmeter A/S dine personoplysninger",
        "changed": "Teksten er ændret",
        "lost": "Siden findes ikke",
    },
    "nb": {
        "form": "Nyheter på e-post",
        "fault": "Velg minst ett tema.",
        "check": "Sjekk innboksen din",
        "subject": "Bekreft påmeldingen din hos Fjordmeter",
        "letter": "Produktnyheter",
        "wording": "Ja, Fjordmeter kan sende meg markedsføring på e-post om: Produktnyheter",
        "confirmed": "Du er påmeldt",
        "stop": "Trykk på knappen",
        "stopped": "Du er avmeldt",
        "notice": "Slik bruker Fjordmeter A/S personopplysningene dine",
        "changed": "Teksten er endret",
        "lost": "Siden finnes ikke",
    },
    "de": {
        "form": "Neuigkeiten per E-Mail",
        "fault": "Wählen Sie mindestens ein Thema.",
        "check": "Sehen Sie in Ihr Postfach",
        "subject": "Bitte bestätigen Sie Ihre Anmeldung bei Fjordmeter",
        "letter": "Produktneuheiten",
        "wording": "Ja, Fjordmeter darf mir Werbung per E-Mail senden zu: Produktneuheiten",
        "confirmed": "Sie sind angemeldet",
        "stop": "Drücken Sie den Knopf",
        "stopped": "Sie sind abgemeldet",
        "notice": "Wie Fjordmeter A/S Ihre personenbezogenen Daten nutzt",
        "changed": "Der Text hat sich geändert",
        "lost": "Diese Seite gibt es nicht",
    },
}


def speaks(answer: Answer, language: str) -> bool:
    return answer.headers["content-language"] == language and f'<html lang="{language}" dir="ltr">' in answer.body


def switcher(answer: Answer) -> list[str]:
    nav = re.search(r'<nav class="languages".*?</nav>', answer.text, re.DOTALL)
    return re.findall(r'href="([^"]*)"', nav[0]) if nav else []


def asked_in(deployment: Deployment, language: str, **form: Any) -> Answer:
    """Open the form in a language and post it as a browser does that prefers English."""
    page = deployment.page("get-subscribe", queryStringParameters={"lang": language})
    assert speaks(page, language)
    assert SAID[language]["form"] in page.text
    token = re.search(r'name="form" value="([^"]+)"', page.body)
    assert token
    deployment.clock.move(seconds=2)
    filled = {"email": PEOPLE[0], "topic": "product-news", "form": token[1], **form}
    return deployment.page("post-subscribe", form=filled)


@pytest.mark.parametrize("language", SAID)
def test_the_story_is_told_in_the_language_of_the_form_from_beginning_to_end(
    deployment: Deployment, language: str
) -> None:
    said = SAID[language]
    check = asked_in(deployment, language)
    assert (check.status, speaks(check, language)) == (200, True)
    assert said["check"] in check.text

    deployment.deliver()
    letter = deployment.mailer.letters[-1]
    assert letter.subject == said["subject"]
    assert said["letter"] in letter.text
    assert f'<html lang="{language}" dir="ltr">' in letter.html
    assert letter.text.count(f"?lang={language}") == 3

    token = deployment.link("confirm")
    page = deployment.page("get-confirm", token)
    assert speaks(page, language)
    assert said["wording"] in page.text
    assert switcher(page) == []
    changed = deployment.page("post-confirm", token, form={"shown": "another text"})
    assert (changed.status, speaks(changed, language)) == (409, True)
    assert said["changed"] in changed.text
    confirmed = deployment.confirm(token)
    assert speaks(confirmed, language)
    assert said["confirmed"] in confirmed.text
    assert next(iter(deployment.subjects.entry_of.values())).body["language"] == language

    stop = deployment.link("u")
    lang = {"lang": language}
    page = deployment.page("get-unsubscribe", stop, queryStringParameters=lang)
    assert speaks(page, language)
    assert said["stop"] in page.text
    stopped = deployment.page("post-unsubscribe-page", stop, queryStringParameters=lang)
    assert speaks(stopped, language)
    assert said["stopped"] in stopped.text


@pytest.mark.parametrize("language", SAID)
def test_a_form_with_a_fault_comes_back_in_its_language_with_what_was_typed(
    deployment: Deployment, language: str
) -> None:
    answer = asked_in(deployment, language, topic=[], name="Søren Ærø")

    assert (answer.status, speaks(answer, language)) == (422, True)
    assert SAID[language]["fault"] in answer.text
    assert 'value="Søren Ærø"' in answer.text
    again = re.search(r'name="form" value="([^"]+)"', answer.body)
    assert again
    deployment.clock.move(seconds=2)
    form = {"email": PEOPLE[0], "topic": "events", "form": again[1]}
    assert speaks(deployment.page("post-subscribe", form=form), language)


@pytest.mark.parametrize(
    ("header", "language"),
    [("da-DK,da;q=0.9", "da"), ("nn-NO,nn;q=0.9", "nb"), ("no", "nb"), ("de-AT,de;q=0.9", "de"), ("fi", "en")],
)
def test_the_browser_chooses_when_nobody_did(deployment: Deployment, header: str, language: str) -> None:
    for name in ("get-home", "get-subscribe", "get-notice", "get-nowhere"):
        assert speaks(deployment.page(name, headers={"accept-language": header}), language)


@pytest.mark.parametrize("name", ["get-home", "get-subscribe", "get-notice", "get-nowhere"])
def test_a_page_that_was_opened_offers_itself_in_every_language(deployment: Deployment, name: str) -> None:
    answer = deployment.page(name, queryStringParameters={"lang": "da"})

    assert switcher(answer) == ["?lang=en", "?lang=da", "?lang=nb", "?lang=de"]
    for code, own in (("en", "English"), ("da", "Dansk"), ("nb", "Norsk bokmål"), ("de", "Deutsch")):
        assert re.search(rf'lang="{code}" hreflang="{code}"[^>]*>{own}</a>', answer.text)
    assert answer.body.count('aria-current="true"') == 1


def test_changing_the_language_keeps_the_topic_that_the_address_chose(deployment: Deployment) -> None:
    answer = deployment.page("get-subscribe", queryStringParameters={"topic": "events", "lang": "da"})

    assert switcher(answer)[2] == "?topic=events&lang=nb"


def test_what_was_posted_is_not_thrown_away_by_a_change_of_language(deployment: Deployment) -> None:
    assert switcher(asked_in(deployment, "da", topic=[])) == []
    assert switcher(deployment.page("post-one-click-base64", "x")) == []


def test_a_language_that_was_chosen_goes_on_to_the_next_page(deployment: Deployment) -> None:
    home = deployment.page("get-home", queryStringParameters={"lang": "no"}).text
    plain = deployment.page("get-home").text

    assert {'href="/subscribe?lang=nb"', 'href="/notice?lang=nb"'} <= set(re.findall(r'href="[^"]*"', home))
    assert {'href="/subscribe"', 'href="/notice"'} <= set(re.findall(r'href="[^"]*"', plain))


@pytest.mark.parametrize("language", SAID)
def test_the_notice_is_there_in_each_language_and_an_older_edition_says_which_it_has(
    deployment: Deployment, language: str
) -> None:
    lang = {"lang": language}
    current = deployment.page("get-notice", queryStringParameters=lang)
    older = deployment.page("get-notice-version", queryStringParameters=lang)

    assert f"<h1>{SAID[language]['notice']}</h1>" in current.text
    assert speaks(older, language)
    assert '<h1 lang="en">How Fjordmeter A/S uses your personal data</h1>' in older.text


def test_hostile_languages_are_shown_as_nothing(deployment: Deployment) -> None:
    answer = deployment.page("get-subscribe", queryStringParameters={"lang": '"><script>', "topic": '"><script>'})

    assert speaks(answer, "en")
    assert "<script" not in answer.body
