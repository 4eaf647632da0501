"""Large pages go out as gzip to whoever reads it; small ones, and what was posted, go out as they are."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

import preference_center.app
import subscription_links.app
from consent_center.web.compression import LARGEST_PLAIN
from deployment import CONTEXT, Deployment

WIRE = 30_000
"""Bytes that a first view takes at most, with all that comes along."""

BROWSER = "gzip, deflate, br, zstd"


def asked(deployment: Deployment, name: str, accepts: str | None, token: str = "", **changes: Any) -> dict[str, Any]:
    """The answer as the API gets it."""
    event = deployment.event(name, token, **changes)
    event["headers"] = {**event["headers"], **({"accept-encoding": accepts} if accepts is not None else {})}
    app = subscription_links.app if name.startswith("subscription_links") else preference_center.app
    return dict(app.lambda_handler(event, CONTEXT))  # type: ignore[arg-type]


def sent(answer: dict[str, Any]) -> int:
    """Bytes that travel: the headers as HTTP/1.1 writes them, and the body."""
    lines = [f"{name}: {value}\r\n" for name, value in answer["headers"].items()]
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    return len("HTTP/1.1 200 OK\r\n\r\n" + "".join(lines)) + len(body)


def read(answer: dict[str, Any]) -> str:
    return unpacked(answer) if answer["isBase64Encoded"] else str(answer["body"])


def unpacked(answer: dict[str, Any]) -> str:
    return gzip.decompress(base64.b64decode(answer["body"], validate=True)).decode()


def test_a_browser_gets_the_same_page_as_gzip_in_a_third_of_the_bytes(deployment: Deployment) -> None:
    plain = asked(deployment, "subscription_links/get-notice", None)
    packed = asked(deployment, "subscription_links/get-notice", BROWSER)

    assert unpacked(packed) == plain["body"]
    assert packed["isBase64Encoded"] is True
    assert packed["headers"] == {**plain["headers"], "Content-Encoding": "gzip"}
    assert len(base64.b64decode(packed["body"])) < len(plain["body"].encode()) / 3


@pytest.mark.parametrize("language", ["en", "da", "nb", "de"])
@pytest.mark.parametrize("did", [None, "stop"])
def test_a_page_travels_in_thirty_kilobytes_with_its_headers_and_the_icon(
    deployment: Deployment, language: str, did: str | None
) -> None:
    token = deployment.subscribed("product-news", "knowledge", "events", "surveys")
    query = {"lang": language}
    if did:
        form = {"do": "stop", "purpose": "direct-marketing-email", "topic": "events"}
        answer = deployment.preferences("post-preferences", token, form=form)
        query |= dict(parse_qsl(answer.headers["location"].partition("?")[2]))
    icon = sent(asked(deployment, "subscription_links/get-favicon", BROWSER))
    for name in (
        "subscription_links/get-notice",
        "subscription_links/get-subscribe",
        "preference_center/get-preferences",
    ):
        answer = asked(deployment, name, BROWSER, token, queryStringParameters=query)
        assert f'<html lang="{language}"' in read(answer)
        assert sent(answer) + icon <= WIRE, name


def test_a_page_of_one_person_is_small_enough_to_cost_no_compressing(deployment: Deployment) -> None:
    token = deployment.subscribed("product-news", "knowledge", "events", "surveys")

    assert asked(deployment, "preference_center/get-preferences", BROWSER, token)["body"].startswith("<!doctype html>")


@pytest.mark.parametrize(
    "accepts", [None, "", "identity", "br", "gzip;q=0", "gzip;q=0.0, br", "br, gzip ; q=0", "gzip;q=x", "xgzip", "*"]
)
def test_who_does_not_say_that_they_read_gzip_gets_the_page_as_it_is(
    deployment: Deployment, accepts: str | None
) -> None:
    answer = asked(deployment, "subscription_links/get-notice", accepts)

    assert answer["body"].startswith("<!doctype html>")
    assert not answer["isBase64Encoded"]
    assert "Content-Encoding" not in answer["headers"]
    assert answer["headers"]["Vary"] == "Accept-Encoding, Accept-Language"


@pytest.mark.parametrize("accepts", ["gzip", "deflate,gzip;q=0.5", "br;q=1.0, gzip;q=0.8, *;q=0.1", " gzip ; q=1 "])
def test_gzip_is_found_wherever_a_client_names_it(deployment: Deployment, accepts: str) -> None:
    assert "<h1>" in unpacked(asked(deployment, "subscription_links/get-notice", accepts))


def test_asking_for_the_headers_alone_gives_those_of_the_page(deployment: Deployment) -> None:
    page = asked(deployment, "subscription_links/get-notice", BROWSER)
    context = deployment.event("subscription_links/get-notice")["requestContext"]
    context["http"]["method"] = "HEAD"
    alone = asked(deployment, "subscription_links/get-notice", BROWSER, requestContext=context)

    assert alone["headers"] == page["headers"]
    assert alone["headers"]["Content-Encoding"] == "gzip"


def test_a_page_that_repeats_what_somebody_typed_is_never_compressed(deployment: Deployment) -> None:
    typed = {"type": "complaint", "email": "nobody at all", "details": "word " * 1_990, "form": deployment.form_token()}
    body = base64.b64encode(urlencode(typed).encode()).decode()
    answer = asked(deployment, "preference_center/rights-post", BROWSER, body=body, isBase64Encoded=True)

    assert "word word" in answer["body"]
    assert len(answer["body"]) > LARGEST_PLAIN
    assert "Content-Encoding" not in answer["headers"]


def test_files_of_a_person_and_files_for_everybody_are_no_pages_and_stay_as_they_are(deployment: Deployment) -> None:
    token = deployment.subscribed("events")
    history = asked(deployment, "preference_center/get-history-json", BROWSER, token)
    icon = asked(deployment, "subscription_links/get-favicon", BROWSER)

    assert json.loads(history["body"])["events"]
    assert icon["body"].startswith("<svg")


def test_no_page_knows_who_asks_but_by_its_address(deployment: Deployment) -> None:
    """What makes guessing by length (BREACH) useless: a page that a stranger can have opened shows what they know."""
    token = deployment.subscribed("events")
    cookie = {"cookies": ["session=somebody"]}
    for name in ("subscription_links/get-notice", "preference_center/get-preferences"):
        plain = asked(deployment, name, None, token)
        assert asked(deployment, name, None, token, **cookie)["body"] == plain["body"]
        assert not plain.get("cookies")
        assert "Set-Cookie" not in plain["headers"]
