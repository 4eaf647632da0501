"""Contexts for every page and letter, shared by the tests that render them and the tests that look at them."""

from collections.abc import Iterator
from typing import Any

from consent_center.texts import Texts

AT = 1_795_363_500
"""22 November 2026, 16:05 UTC, in epoch seconds."""

COLOUR = "#0b5c7a"

LONG_LINK = "https://consent.example.com/confirm/v1.k1." + "Zm9yLXRlc3RzLW9ubHk" * 6


def a_site(texts: Texts, colour: str = COLOUR) -> dict[str, Any]:
    return {
        "brand": {
            "name": "Fjordmeter",
            "website": "https://www.example.com",
            "colour": colour,
            "stop_address": "stop@example.com",
        },
        "controller": {
            "name": "Fjordmeter A/S",
            "address": ["Målervej 12", "DK-8000 Aarhus C"],
            "email": "privacy@example.com",
        },
        "dpo": {"name": "Astrid Holm", "email": "dpo@example.com"},
        "authority": {
            "name": "Datatilsynet, the Danish Data Protection Agency",
            "url": "https://authority.example.org",
        },
        "notice_version": "2026-11-01",
        "languages": [
            {"code": "en", "name": "English", "url": "?lang=en"},
            {"code": "da", "name": "Dansk", "url": "?lang=da"},
            {"code": "nb", "name": "Norsk bokmål", "url": "?lang=nb"},
        ],
        "style": texts.style_for(colour),
    }


def some_topics() -> list[dict[str, Any]]:
    return [
        {
            "id": "product-news",
            "name": "Product news",
            "description": "Meters, software and service: what is new and what changes.",
            "frequency": "About once a month.",
            "checked": False,
        },
        {
            "id": "knowledge",
            "name": "Knowledge",
            "description": "Articles and guides on heat, water and measuring.",
            "frequency": "At most twice a month.",
            "checked": False,
        },
        {
            "id": "events",
            "name": "Events",
            "description": "Invitations to trade fairs, courses and webinars.",
            "frequency": "About six times a year.",
            "checked": False,
        },
        {
            "id": "surveys",
            "name": "Surveys",
            "description": "Questions about what you think of our products.",
            "frequency": "At most twice a year.",
            "checked": False,
        },
    ]


def some_wording() -> list[str]:
    return [
        (
            "Yes, Fjordmeter may send me marketing by e-mail about: Product news, Knowledge. "
            "Fjordmeter A/S is responsible for the use of my e-mail address."
        ),
        "Product news: Meters, software and service: what is new and what changes. About once a month.",
        "Knowledge: Articles and guides on heat, water and measuring. At most twice a month.",
        (
            "You can withdraw your consent at any time, free of charge, with one press in any e-mail from us. "
            "It takes effect at once. What we did before you withdrew stays lawful."
        ),
    ]


def a_form(**changes: Any) -> dict[str, Any]:
    return {
        "purpose": {
            "name": "News by e-mail",
            "description": "We send you the news you choose about our meters, our knowledge and our events.",
        },
        "topics": some_topics(),
        "fields": {
            "name": {
                "shown": True,
                "required": False,
                "consequence": "Leave it out, and we write to you without your name.",
            },
            "company": {
                "shown": True,
                "required": False,
                "consequence": "Leave it out, and you get the general edition.",
            },
            "interest": {
                "shown": True,
                "required": False,
                "consequence": "Choose none, and you get a bit of everything.",
            },
        },
        "interests": [
            {"id": "heat", "name": "Heat and cooling meters", "checked": False},
            {"id": "water", "name": "Water meters", "checked": False},
            {"id": "reading", "name": "Remote reading", "checked": False},
            {"id": "leaks", "name": "Leaks and water loss", "checked": False},
        ],
        "values": {"email": "", "name": "", "company": ""},
        "errors": {},
        "message": None,
        "form_token": "v1.k1.form",
        "withdrawal_text": some_wording()[-1],
        "days": 7,
        **changes,
    }


def a_notice(version: str = "2026-11-01") -> dict[str, Any]:
    return {
        "version": version,
        "language": "en",
        "title": "How Fjordmeter A/S uses your personal data",
        "published_on": version,
        "sections": [
            {
                "id": "who",
                "heading": "Who we are",
                "blocks": [
                    {"kind": "paragraph", "text": "Fjordmeter A/S decides how and why your data are used."},
                    {"kind": "list", "items": ["Målervej 12, DK-8000 Aarhus C", "privacy@example.com"]},
                ],
            },
            {
                "id": "categories",
                "heading": "When we hold data about you",
                "blocks": [
                    {
                        "kind": "table",
                        "head": ["Situation", "What it covers", "Data"],
                        "rows": [
                            [
                                "When you visit our website",
                                "You read our pages, send us a form or use a customer account.",
                                "What you write to us; our answers; sign-in details of your customer account",
                            ],
                            [
                                "When you receive marketing from us",
                                "You subscribe to our newsletters, or answer a survey by e-mail.",
                                (
                                    "Name; phone number; e-mail address; postal address; job title; areas of interest; "
                                    "employer; the permissions you gave: what you agreed to, when, where and in which "
                                    "words; whether you opened an e-mail from us; which links you followed; answers to "
                                    "surveys; information about your metering and its costs"
                                ),
                            ],
                        ],
                    }
                ],
            },
            {
                "id": "withdrawal",
                "heading": "Withdrawing your consent",
                "blocks": [{"kind": "paragraph", "text": "You can withdraw your consent at any time."}],
            },
        ],
    }


def some_versions() -> list[dict[str, Any]]:
    return [
        {"version": "2026-11-01", "published_on": "2026-11-01", "current": True, "url": "/notice/2026-11-01"},
        {"version": "2026-05-01", "published_on": "2026-05-01", "current": False, "url": "/notice/2026-05-01"},
    ]


ERROR_KINDS = ("invalid", "not_found", "method", "busy", "too_large", "too_many")


def pages() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every page in every state it knows: a name for the state, the page, and its context without `site`."""
    topics = some_topics()[:2]
    names = [topic["name"] for topic in topics]
    yield "subscribe", "subscribe", a_form()
    yield (
        "subscribe-errors",
        "subscribe",
        a_form(
            errors={
                "email": "Enter an e-mail address like name@example.com.",
                "topic": "Choose at least one topic.",
                "interest": "Choose among the interests shown; one of those sent no longer exists.",
                "company": "Enter a company of at most 200 characters.",
            },
            values={"email": "ada@", "name": "Ada", "company": "x"},
        ),
    )
    yield (
        "subscribe-kept",
        "subscribe",
        a_form(
            topics=[{**topic, "checked": topic["id"] == "events"} for topic in some_topics()],
            values={"email": "ada@example.org", "name": "Ada", "company": ""},
            message="Please check what you entered and press the button. Nothing has been stored yet.",
        ),
    )
    hidden = {"shown": False, "required": False, "consequence": ""}
    yield "subscribe-short", "subscribe", a_form(fields=dict.fromkeys(("name", "company", "interest"), hidden))
    yield "check-mail", "check_mail", {"email_shown": "ada@example.org", "days": 7, "subscribe_url": "/subscribe"}
    confirm = {
        "topics": topics,
        "wording": some_wording(),
        "shown": "0" * 64,
        "message": None,
        "not_me_url": "/not-me/v1.k1.token",
    }
    yield "confirm", "confirm", confirm
    yield (
        "confirm-changed",
        "confirm",
        {**confirm, "message": "The text has changed since you opened this page. Please read it again."},
    )
    for already in (False, True):
        yield (
            "confirmed-already" if already else "confirmed",
            "confirmed",
            {"topics": topics, "already": already, "at": AT, "stop_address": "stop@example.com"},
        )
    for reason in ("expired", "withdrawn", "cancelled"):
        for at in (AT, None):
            name = f"confirm-gone-{reason}" + ("" if at else "-undated")
            yield name, "confirm_gone", {"reason": reason, "at": at, "subscribe_url": "/subscribe"}
    yield "not-me", "not_me", {}
    yield "not-me-done", "not_me_done", {"was_confirmed": False, "days": 7}
    yield "not-me-done-confirmed", "not_me_done", {"was_confirmed": True, "days": 7}
    for scope in ("topic", "purpose", "request"):
        yield f"unsubscribe-{scope}", "unsubscribe", {"topics": names, "scope": scope}
        for already in (False, True):
            yield (
                f"unsubscribed-{scope}" + ("-already" if already else ""),
                "unsubscribed",
                {"topics": names, "scope": scope, "already": already, "subscribe_url": "/subscribe"},
            )
    yield "notice", "notice", {"notice": a_notice(), "versions": some_versions()}
    yield "notice-earlier", "notice", {"notice": a_notice("2026-05-01"), "versions": some_versions()}
    for kind in ERROR_KINDS:
        context = {"kind": kind, "stop_address": "stop@example.com", "subscribe_url": "/subscribe"}
        yield f"error-{kind.replace('_', '-')}", "error", context
    yield "home", "home", {"subscribe_url": "/subscribe", "notice_url": "/notice"}


def letters() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every letter and its context without `site`."""
    base = "https://consent.example.com"
    topics = some_topics()[:2]
    yield (
        "confirm",
        {
            "topics": topics,
            "confirm_url": LONG_LINK,
            "not_me_url": f"{base}/not-me/v1.k1.token",
            "stop_url": f"{base}/u/v1.k1.token",
            "notice_url": f"{base}/notice/2026-11-01",
            "requested_at": AT,
            "days": 7,
        },
    )
