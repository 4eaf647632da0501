"""The sign-up form that stands on somebody's own site: plain HTML that leads to our page and decides nothing."""

import re
from html import unescape

import pytest

import dark_patterns
import several_brands
from builders import NOON, PEOPLE
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.policy import Policy
from consent_center.texts import Texts
from consent_center.web.embedded import embedded_form
from deployment import Deployment

BASE = "https://consent.example.com"


def printed(policy: Policy, brand: str, *topics: str, language: str = "en") -> str:
    return embedded_form(policy.forms[brand], policy, Texts(), language, base_url=BASE, now=NOON, topics=topics)


def filled_in(html: str, **typed: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What a browser posts once somebody typed and ticked the first topic: the query, and the fields."""
    action = re.search(r'<form method="post" action="([^"]+)"', html)
    assert action
    path, _, query = unescape(action[1]).partition("?")
    assert path == f"{BASE}/subscribe"
    fields = {name: [value] for name, value in typed.items()}
    names = set(re.findall(r'<input [^>]*name="([^"]+)"', html))
    assert fields.keys() <= names
    topic = re.search(r'name="topic" type="checkbox" value="([^"]+)"', html)
    return dict(part.split("=") for part in query.split("&")), {**fields, **({"topic": [topic[1]]} if topic else {})}


@pytest.mark.parametrize("brand", ["fjordmeter"])
@pytest.mark.parametrize("language", ["en", "da", "nb"])
def test_it_has_no_dark_pattern_no_script_and_a_label_for_each_field(
    deployment: Deployment, brand: str, language: str
) -> None:
    html = printed(deployment.services.policy, brand, language=language)

    assert dark_patterns.findings(html, language) == []
    assert not re.search(r"<script|<style|\son\w+=|\sstyle=| checked|type=\"hidden\"", html)
    fields = re.findall(r'<input id="([^"]+)"', html)
    assert len(fields) == 7
    assert sorted(re.findall(r'<label for="([^"]+)"', html)) == sorted(fields)
    assert set(re.findall(r'aria-describedby="([^"]+)"', html)) <= set(re.findall(r'<small id="([^"]+)"', html))


def test_it_tells_what_has_to_be_told_before_anything_is_given(deployment: Deployment) -> None:
    html = unescape(printed(deployment.services.policy, "fjordmeter"))

    for told in (
        "Fjordmeter A/S is responsible for your data.",
        "because you consent to it",
        "nothing is stored before you press the button there",
        "We send one e-mail that asks you to confirm.",
        "You can withdraw your consent at any time",
        f'<a href="{BASE}/notice?lang=en">privacy notice</a>',
    ):
        assert told in html


def test_it_leads_to_our_page_with_what_was_entered_and_one_press_there_signs_up(deployment: Deployment) -> None:
    several_brands.run_on(deployment.services, several_brands.compiled())
    html = printed(deployment.services.policy, "fjell")
    query, fields = filled_in(html, email=PEOPLE[0], name="Ada Lovelace")
    page = deployment.page("post-subscribe", form=fields, queryStringParameters=query)

    assert page.status == 200
    assert "Nothing has been stored yet." in page.text
    assert (deployment.subjects.requests, deployment.outbox.orders) == ({}, [])
    for kept in (f'value="{PEOPLE[0]}"', 'value="Ada Lovelace"', 'value="trips" checked', "Fjell Sport AS"):
        assert kept in page.body
    assert "Havn" not in page.text
    token = re.search(r'name="form" value="([^"]+)"', page.body)
    assert token
    deployment.clock.move(seconds=2)
    sent = deployment.page("post-subscribe", form={**fields, "form": token[1]}, queryStringParameters=query)
    assert sent.status == 200
    (order,) = deployment.outbox.orders
    assert order.contact.controller == "fjell"


def test_what_is_wrong_in_it_is_mended_on_our_page(deployment: Deployment) -> None:
    query, fields = filled_in(printed(deployment.services.policy, "fjordmeter"), email="ada@")
    page = deployment.page("post-subscribe", form={**fields, "topic": "no-such"}, queryStringParameters=query)

    assert (page.status, 'value="ada@"' in page.body, " checked" in page.body) == (200, True, False)
    assert deployment.outbox.orders == []


def test_it_offers_the_topics_that_are_named_and_no_others(deployment: Deployment) -> None:
    policy = deployment.services.policy
    html = printed(policy, "fjordmeter", "events")

    assert re.findall(r'type="checkbox" value="([^"]+)"', html) == ["events"]
    with pytest.raises(UnknownNameError):
        printed(policy, "fjordmeter", "events", "no-such")
