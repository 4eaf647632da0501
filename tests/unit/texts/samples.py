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
        "notice_url": "/notice",
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


ERROR_KINDS = ("invalid", "not_found", "method", "busy", "too_large", "too_many", "nothing_held")


def a_period(months: int = 0, weeks: int = 0, days: int = 0) -> dict[str, Any]:
    return {"period": f"{months}.{days or weeks * 7}", "months": months, "weeks": weeks, "days": days}


def a_row(topic: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "purpose": "direct-marketing-email",
        "topic": topic["id"],
        "name": topic["name"],
        "description": topic["description"],
        "frequency": topic["frequency"],
        "is_on": False,
        "since": None,
        "until": None,
        "stopped": None,
        "ended": None,
        "asked_until": None,
        "event": None,
        "by_letter": True,
        "wording": [],
        "shown": "",
        **changes,
    }


def a_choice(rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "id": "direct-marketing-email",
        "name": "News by e-mail",
        "description": "We send you marketing about our meters and services by e-mail, on the topics you choose.",
        "rows": rows,
        "is_on": any(row["is_on"] for row in rows),
        "paused_until": None,
        "pauses": [a_period(1), a_period(3), a_period(6)],
        "fewer": [a_period(weeks=2), a_period(3)],
        "at_most_every": None,
        "recipients": ["Posthuset Nord ApS", "Kundekartotek AB"],
        "kept": "Proof of consent to marketing by e-mail",
        "withdrawal_text": some_wording()[-1],
        **changes,
    }


def an_interest(**changes: Any) -> dict[str, Any]:
    return {
        "id": "profiling",
        "name": "Choosing what is relevant for you",
        "description": "From what you told us we place you in groups of recipients.",
        "interest": "Sending you less that is beside the point.",
        "objection_text": "You may object at any time, without giving a reason.",
        "absolute": True,
        "is_on": True,
        "stopped": None,
        "recipients": [],
        "kept": "Contact data",
        **changes,
    }


def some_preferences(**changes: Any) -> dict[str, Any]:
    """The page of somebody in every state that a row knows."""
    news, knowledge, events, surveys = some_topics()
    recording = {**surveys, "id": "opens", "name": "Opens"}
    rows = [
        a_row(news, is_on=True, since=AT, event=1),
        a_row(knowledge, asked_until=AT),
        a_row(events, stopped=AT, event=2),
        a_row(surveys, ended=AT, event=1),
    ]
    return {
        "fault": None,
        "result": None,
        "done": "",
        "received": [a_choice(rows)],
        "recorded": [
            a_choice(
                [
                    a_row(recording, by_letter=False, wording=some_wording()[:2], shown="0" * 64),
                    a_row({**recording, "id": "clicks"}, is_on=True, since=AT, until=AT, event=3, by_letter=False),
                ],
                id="email-tracking",
                name="Following how you use our e-mails",
                pauses=[],
                fewer=[],
                recipients=[],
            )
        ],
        "anything_on": True,
        "objections": [
            {"id": "direct-marketing", "name": "Direct marketing", "since": None},
            {"id": "profiling", "name": "Profiling for marketing", "since": AT},
        ],
        "interests": [an_interest(), an_interest(id="statistics", is_on=False, stopped=AT)],
        "about": {
            "email": "ada@example.org",
            "name": "Ada <b>",
            "company": "Analytical Engines",
            "interests": ["Water meters", "Leaks and water loss"],
            "language": "en",
        },
        "history_url": "/preferences/v1.k1.token/history",
        "languages": [
            {"code": "en", "name": "English", "is_current": True},
            {"code": "da", "name": "Dansk", "is_current": False},
            {"code": "nb", "name": "Norsk bokmål", "is_current": False},
        ],
        **changes,
    }


def preference_pages() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The preference page and its neighbours."""
    on = [a_row(topic, is_on=True, since=AT, event=1) for topic in some_topics()]
    off = [a_row(topic) for topic in some_topics()]
    yield "preferences", "preferences", some_preferences()
    yield (
        "preferences-all-on",
        "preferences",
        some_preferences(
            received=[a_choice(on, at_most_every=a_period(3))],
            result={"text": "“Events” stops now.", "can_undo": True, "kind": "done"},
            done="v1.k1.done.mac",
        ),
    )
    yield (
        "preferences-all-off",
        "preferences",
        some_preferences(received=[a_choice(off)], recorded=[], anything_on=False),
    )
    yield "preferences-paused", "preferences", some_preferences(received=[a_choice(on, paused_until=AT)])
    yield (
        "preferences-fault",
        "preferences",
        some_preferences(fault="That choice no longer exists. Nothing was changed."),
    )
    nothing = {"received": [], "recorded": [], "anything_on": False, "objections": [], "interests": []}
    yield "preferences-empty", "preferences", some_preferences(**nothing, about=None, languages=[])
    event = {
        "number": 1,
        "at": AT,
        "what": "You said yes",
        "about": ["Product news, Knowledge"],
        "wording": some_wording(),
        "notice": "2026-11-01",
    }
    stop = {**event, "number": 2, "what": "You stopped", "wording": [], "notice": None}
    back = {"back_url": "/preferences/v1.k1.token"}
    yield "history", "history", {"events": [stop, event], **back}
    yield "history-empty", "history", {"events": [], **back}
    yield "lost-link", "lost_link", {"email": "", "errors": {}}
    yield "lost-link-errors", "lost_link", {"email": "ada@", "errors": {"email": "Enter your e-mail address."}}
    yield "link-sent", "link_sent", {"email_shown": "ada@example.org", "minutes": 60}
    yield "link-sent-by-link", "link_sent", {"email_shown": "", "minutes": 60}
    yield "link-expired", "link_expired", {"token": "v1.k1.token"}
    why = {
        "purpose": "News by e-mail",
        "topic": "Events",
        "description": "Invitations to trade fairs, courses and webinars.",
        "basis": "Your consent",
        "checked_at": AT,
        "given_at": AT,
        "how": "form",
        "still": True,
        "notice": "2026-11-01",
        "preferences_url": "/preferences",
        "stop_address": "stop@example.com",
    }
    for how in ("form", "preferences", "page", "api", "elsewhere"):
        yield f"why-{how}", "why", {**why, "how": how}
    yield "why-gone", "why", {**why, "given_at": None, "how": None, "still": False, "notice": None}
    yield "why-law", "why", {**why, "given_at": None, "how": None, "basis": None, "topic": None, "notice": None}
    for undone, instead in ((True, False), (True, True), (False, False)):
        name = f"undone-{'yes' if undone else 'no'}" + ("-instead" if instead else "")
        yield name, "undone", {"undone": undone, "instead": instead, "stop_url": "/u/x", "subscribe_url": "/subscribe"}
    for given in (True, False):
        yield f"reason-{'given' if given else 'none'}", "reason_thanks", {"given": given}


def an_unsubscription(**changes: Any) -> dict[str, Any]:
    return {
        "topics": ["Product news"],
        "scope": "topic",
        "already": False,
        "everything": False,
        "token": "v1.k1.token",
        "done": "v1.k1.done.mac",
        "still": ["Knowledge", "Events"],
        "instead": [
            {"value": "fewer 0.14", "kind": "fewer", **a_period(weeks=2)},
            {"value": "pause 1.0", "kind": "pause", **a_period(1)},
        ],
        "reasons": [
            {"value": "too_many", "text": "There were too many of them."},
            {"value": "other", "text": "Another reason."},
        ],
        "subscribe_url": "/subscribe",
        **changes,
    }


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
                an_unsubscription(
                    topics=names,
                    scope=scope,
                    already=already,
                    **({"done": None, "instead": []} if already else {}),
                ),
            )
    yield (
        "unsubscribed-everything",
        "unsubscribed",
        an_unsubscription(everything=True, still=[], scope="purpose"),
    )
    yield from preference_pages()
    yield "notice", "notice", {"notice": a_notice(), "versions": some_versions()}
    yield "notice-earlier", "notice", {"notice": a_notice("2026-05-01"), "versions": some_versions()}
    for kind in ERROR_KINDS:
        context = {"kind": kind, "stop_address": "stop@example.com", "subscribe_url": "/subscribe"}
        yield f"error-{kind.replace('_', '-')}", "error", context
    yield "home", "home", {"subscribe_url": "/subscribe", "preferences_url": "/preferences", "notice_url": "/notice"}


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
    yield (
        "preferences",
        {
            "preferences_url": LONG_LINK.replace("/confirm/", "/preferences/"),
            "notice_url": f"{base}/notice/2026-11-01",
            "minutes": 60,
        },
    )
