"""What sample pages and letters are put together from."""

from typing import Any

from consent_center.texts import Part, Texts

AT = 1_795_363_500
"""22 November 2026, 16:05 UTC, in epoch seconds."""

COLOUR = "#0b5c7a"

LONG_LINK = "https://consent.example.com/confirm/v1.k1." + "Zm9yLXRlc3RzLW9ubHk" * 6


def a_site(texts: Texts, colour: str = COLOUR) -> dict[str, Any]:
    speaker = {
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
        "notice_url": "/notice?lang=en",
        "icon_url": "/favicon.svg",
        "asked": "?lang=en",
        "languages": [
            {"code": "en", "name": "English", "url": "?lang=en"},
            {"code": "da", "name": "Dansk", "url": "?lang=da"},
            {"code": "nb", "name": "Norsk bokmål", "url": "?lang=nb"},
            {"code": "de", "name": "Deutsch", "url": "?lang=de"},
        ],
        "style": texts.style_for(colour),
    }
    return {**speaker, "rights": Part("partials/rights_list.html", {"site": speaker})}


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
        {
            "version": "2026-11-01",
            "published_on": "2026-11-01",
            "current": True,
            "url": "/notice/2026-11-01",
            "changes_url": "/notice/2026-11-01/changes",
        },
        {
            "version": "2026-05-01",
            "published_on": "2026-05-01",
            "current": False,
            "url": "/notice/2026-05-01",
            "changes_url": None,
        },
    ]


def some_changes(**changes: Any) -> dict[str, Any]:
    """The page of what changed, as it stands after one edition."""

    def part(*pieces: tuple[str, str], label: str = "") -> dict[str, Any]:
        return {"label": label, "pieces": [{"kind": kind, "text": text} for kind, text in pieces]}

    kept = part(("same", "2 years after you were "), ("removed", "last "), ("same", "in touch"), label="How long")
    lines = [
        {"kind": "changed", "name": "Customer contacts", "parts": [kept]},
        {"kind": "added", "name": "", "parts": [part(("added", "Prairie Lantern Surveys Inc."), label="Who")]},
        {"kind": "removed", "name": "", "parts": [part(("removed", "We also write by post."))]},
    ]
    sections = [
        {"id": "retention", "heading": "How long we keep data", "kind": "changed", "lines": lines},
        {"id": "purpose-x", "heading": "Improving our website", "kind": "added", "lines": lines[1:2]},
        {"id": "purpose-y", "heading": "Letters by post", "kind": "removed", "lines": lines[2:]},
    ]
    edition = {
        "version": "2026-11-01",
        "published_on": "2026-11-01",
        "summary": "We work with a new partner for surveys.",
        "meaning": "Something is done differently.",
    }
    return {
        "version": "2026-11-01",
        "before": "2026-05-01",
        "editions": [edition],
        "compared_in": "en",
        "compared_name": "English",
        "sections": sections,
        "notice_url": "/notice/2026-11-01",
        **changes,
    }


DAY = 86_400

LONG_NAME = "Wärmemengenzählerfernauslesungsgerätenachrichten und Grundwasserentnahmestellen"


def a_period(months: int = 0, weeks: int = 0, days: int = 0) -> dict[str, Any]:
    return {"period": f"{months}.{weeks * 7 + days}", "months": months, "weeks": weeks, "days": days}


def unsubscribed(scope: str, *, already: bool = False, everything: bool = False, **changes: Any) -> dict[str, Any]:
    can_undo = not already
    instead = [
        {"value": "fewer 1.0", "kind": "fewer", **a_period(1)},
        {"value": "fewer 3.0", "kind": "fewer", **a_period(3)},
        {"value": "pause 1.0", "kind": "pause", **a_period(1)},
        {"value": "pause 0.14", "kind": "pause", **a_period(weeks=2)},
    ]
    return {
        "topics": [topic["name"] for topic in some_topics()[:2]],
        "scope": scope,
        "already": already,
        "everything": everything,
        "done": "v1.k1.done" if can_undo else None,
        "still": [],
        "instead": instead if can_undo and scope != "request" else [],
        "reasons": [
            {"value": "too_many", "text": "There were too many of them."},
            {"value": "never_asked", "text": "I never asked for them."},
            {"value": "other", "text": "Another reason."},
        ],
        "link": "v1.k1.token",
        "subscribe_url": "/subscribe",
        **changes,
    }


def a_row(topic: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """One that is off, and never was anything else."""
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
        "is_by_sale": False,
        "by_letter": True,
        "wording": [],
        "wording_language": "",
        "shown": "",
        **changes,
    }


def on(**changes: Any) -> dict[str, Any]:
    return {"is_on": True, "since": AT, "event": 1, **changes}


def a_choice(
    rows: list[dict[str, Any]], *, paused_until: int | None = None, every: str = "", **changes: Any
) -> dict[str, Any]:
    use = {
        "id": "direct-marketing-email",
        "name": "News by e-mail",
        "description": "We send you the news you choose about our meters, our knowledge and our events.",
        "pauses": [a_period(1), a_period(3), a_period(6)],
        "fewer": [a_period(1), a_period(3)],
        "recipients": ["Brevkaravanen Udsendelse ApS", "Molnhyllan Drift AB"],
        "kept": a_rule(),
        "withdrawal_text": some_wording()[-1],
        "rests_on_a_sale": False,
        "objection_text": "",
        **changes,
    }
    pace = {"use": use, "every": every, "is_paused": paused_until is not None}
    return {
        **{key: use[key] for key in ("id", "name", "description")},
        "rows": rows,
        "is_on": any(row["is_on"] for row in rows),
        "paused_until": paused_until,
        "facts": Part("partials/choice_facts.html", {"use": use}),
        "pace": Part("partials/choice_pace.html", pace),
    }


def a_rule(clock: str = "last_send", **changes: Any) -> dict[str, Any]:
    rule = {"name": "Proof of consent to marketing by e-mail", "clock": clock, "period": a_period(36)}
    return {**rule, "never_sent": a_period(6) if clock == "last_send" else None, **changes}


def recordings(*states: dict[str, Any], **changes: Any) -> dict[str, Any]:
    topics = [
        {
            "id": "opens",
            "name": "Opening e-mails",
            "description": "We record when you open an e-mail from us.",
            "frequency": "",
        },
        {
            "id": "clicks",
            "name": "Following links",
            "description": "We record which links in our e-mails you follow.",
            "frequency": "",
        },
    ]
    return a_choice(
        [
            a_row(topic, purpose="email-tracking", **state)
            for topic, state in zip(topics, states or ({}, {}), strict=True)
        ],
        id="email-tracking",
        name="Recording what you do with our e-mails",
        description="We record what you open and follow, to see which news are useful.",
        pauses=[],
        fewer=[],
        kept=a_rule("decision", name="Proof of other consents after they end", period=a_period(6)),
        **changes,
    )


def an_interest(purpose: str, name: str, **changes: Any) -> dict[str, Any]:
    use = {
        "id": purpose,
        "name": name,
        "description": "We count. The results say how many and never who.",
        "interest": "Knowing how many people want what from us.",
        "objection_text": "You may object for reasons that concern your situation. We then leave you out.",
        "recipients": ["Molnhyllan Drift AB"],
        "kept": a_rule("last_inbound_contact", name="Customer contacts and enquiries", period=a_period(24)),
    }
    untouched = {**use, "is_on": True, "stopped": None, "event": None}
    if not changes:
        return {"untouched": Part("partials/interest_untouched.html", {"one": untouched})}
    return {**untouched, "untouched": None, **changes}


def preferences(*states: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The preference page; each state is that of a topic, in their order, and those left out are off."""
    topics = some_topics()
    given = [*states, *[{}] * (len(topics) - len(states))]
    received = [a_choice([a_row(topic, **state) for topic, state in zip(topics, given, strict=True)])]
    context: dict[str, Any] = {
        "fault": None,
        "result": None,
        "done": "",
        "received": received,
        "recorded": [recordings()],
        "objections": [
            {"id": "direct-marketing", "name": "Direct marketing", "since": None, "event": None},
            {"id": "profiling", "name": "Profiling for marketing", "since": None, "event": None},
        ],
        "interests": [
            an_interest("statistics", "Statistics"),
            an_interest("profiling", "Choosing what is relevant for you"),
        ],
        "about": {
            "email": "ada@example.org",
            "name": "Ada",
            "company": "Analytical Engines",
            "interests": ["Heat and cooling meters", "Water meters"],
            "language": "en",
        },
        "address_url": "/preferences/v1.k1.token/address",
        "history_url": "/preferences/v1.k1.token/history",
        "rights_url": "/preferences/v1.k1.token/rights",
        "receipts_url": "/preferences/v1.k1.token/receipts/",
        "languages": [
            {"code": "en", "name": "English", "url": "?lang=en", "is_current": True},
            {"code": "da", "name": "Dansk", "url": "?lang=da", "is_current": False},
            {"code": "nb", "name": "Norsk bokmål", "url": "?lang=nb", "is_current": False},
            {"code": "de", "name": "Deutsch", "url": "?lang=de", "is_current": False},
        ],
        "others": [],
        "minutes": 60,
        **changes,
    }
    shown = [*context["received"], *context["recorded"]]
    return {"anything_on": any(choice["is_on"] for choice in shown), **context}
