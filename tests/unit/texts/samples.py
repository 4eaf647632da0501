"""Contexts for every page and letter, shared by the tests that render them and the tests that look at them."""

from collections.abc import Iterator
from typing import Any

from consent_center.domain.decision import DecisionState
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
        "languages": [
            {"code": "en", "name": "English", "url": "?lang=en"},
            {"code": "da", "name": "Dansk", "url": "?lang=da"},
            {"code": "nb", "name": "Norsk bokmål", "url": "?lang=nb"},
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
            {"code": "en", "name": "English", "is_current": True},
            {"code": "da", "name": "Dansk", "is_current": False},
            {"code": "nb", "name": "Norsk bokmål", "is_current": False},
        ],
        "minutes": 60,
        **changes,
    }
    shown = [*context["received"], *context["recorded"]]
    return {"anything_on": any(choice["is_on"] for choice in shown), **context}


def preference_pages() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The pages of one person, in every state."""
    topics = some_topics()
    off = {"stopped": AT, "event": 2}
    done = {"text": "“Events” stops now.", "can_undo": True, "kind": "done"}
    yield "preferences-off", "preferences", preferences()
    yield "preferences-on", "preferences", preferences(on(), on(), on(), on(), recorded=[recordings(on(), on())])
    yield (
        "preferences-mixed",
        "preferences",
        preferences(on(), on(until=AT + 300 * DAY), off, {"asked_until": AT + 7 * DAY}, result=done, done="v1.k1.done"),
    )
    yield "preferences-ended", "preferences", preferences({"ended": AT, "event": 1}, on())
    rows = [a_row(topic, **on()) for topic in topics]
    paused = a_choice(rows, paused_until=AT + 90 * DAY, every="3.0")
    yield "preferences-paused", "preferences", preferences(received=[paused])
    yield (
        "preferences-objected",
        "preferences",
        preferences(
            *[off] * 4,
            objections=[
                {"id": "direct-marketing", "name": "Direct marketing", "since": AT, "event": 2},
                {"id": "profiling", "name": "Profiling for marketing", "since": AT, "event": 2},
            ],
            interests=[an_interest("profiling", "Choosing what is relevant for you", is_on=False, stopped=AT)],
            result={"text": "We stop now, and you need give no reason.", "can_undo": True, "kind": "done"},
            done="v1.k1.done",
        ),
    )
    same = {"text": "It was so already. Nothing was changed.", "can_undo": False, "kind": "stop"}
    yield "preferences-same", "preferences", preferences(on(), result=same)
    fault = "The text has changed since you opened this page. Please read it again before you decide."
    here = {"by_letter": False, "wording": some_wording(), "wording_language": "en", "shown": "0" * 64}
    yield (
        "preferences-fault",
        "preferences",
        preferences(
            fault=fault,
            received=[a_choice([a_row(topics[0], **on(by_letter=False)), a_row(topics[1], **here)])],
        ),
    )
    alone = {"id": "", "name": "Calls", "description": "We call you.", "frequency": ""}
    other_language = {**here, "wording": ["Ja, Fjordmeter må ringe til mig."], "wording_language": "da"}
    yield (
        "preferences-bare",
        "preferences",
        preferences(
            received=[
                a_choice([a_row(alone, purpose="calls", **other_language)], id="calls", pauses=[], recipients=[])
            ],
            recorded=[],
            interests=[],
            objections=[],
            about=None,
            languages=[],
        ),
    )
    long = {"name": LONG_NAME, "description": LONG_NAME * 3, "frequency": LONG_NAME}
    about = {"email": f"{'ada' * 20}@{'engines.' * 20}example.org", "name": LONG_NAME, "company": LONG_NAME}
    yield (
        "preferences-long",
        "preferences",
        preferences(
            on(**long),
            long,
            received=[a_choice([a_row({**topics[0], **long}, **on())], name=LONG_NAME)],
            interests=[an_interest("statistics", LONG_NAME)],
            about={**about, "interests": [LONG_NAME, LONG_NAME], "language": "en"},
        ),
    )
    event = {"number": 1, "at": AT, "what": "You said yes", "about": ["Product news, Knowledge"], "notice": None}
    event["has_receipt"] = True
    files = {
        "receipts_url": "/preferences/v1.k1.token/receipts/",
        "json_url": "/preferences/v1.k1.token/history.json",
        "csv_url": "/preferences/v1.k1.token/history.csv",
    }
    yield (
        "history",
        "history",
        {
            "events": [
                {**event, "number": 3, "what": "You objected", "about": ["Direct marketing"], "wording": []},
                {**event, "number": 2, "what": "You changed how often you hear from us", "about": [], "wording": []},
                {**event, "wording": some_wording(), "notice": "2026-11-01"},
            ],
            "back_url": "/preferences/v1.k1.token",
            **files,
        },
    )
    yield "history-empty", "history", {"events": [], "back_url": "/preferences/v1.k1.token", **files}
    receipt = {
        "number": 1,
        "id": "0f3a1c52-7f39-5c55-8f4e-9f0d0a5b7c11",
        "evidence": "f66h7l5n3mf7cv4krt6y6r7xvw.1",
        "at": AT,
        "what": "You said yes",
        "how": "On our sign-up page, confirmed from an e-mail",
        "changes": [{"name": "Product news, Knowledge", "state": "Consent given"}],
        "wording": some_wording(),
        "wording_language": "en",
        "notice": "2026-11-01",
        "purposes": [
            {
                "name": "News by e-mail",
                "description": "We send you e-mails about what you chose.",
                "basis": "Your consent",
                "data": ["Name", "E-mail address"],
                "recipients": ["Brevkaravanen Udsendelse ApS, DK", "Survey Lab, US, Standard contractual clauses"],
                "kept": a_rule(),
            }
        ],
        "is_as_then": True,
        "stop_address": "stop@example.com",
        "file_url": "/preferences/v1.k1.token/receipts/1/file",
        "keys_url": "/.well-known/jwks.json",
        "history_url": "/preferences/v1.k1.token/history",
    }
    yield "receipt", "receipt", receipt
    yield (
        "receipt-later",
        "receipt",
        {**receipt, "wording": [], "notice": None, "changes": [], "how": "", "is_as_then": False},
    )
    yield from evidence_packs()
    address = {"address": "ada@example.org", "back_url": "/preferences/v1.k1.token"}
    yield "address", "address", {**address, "email": "", "errors": {}}
    same = {"email": "We write to this address already: enter another one."}
    yield "address-errors", "address", {**address, "email": "ada@example.org", "errors": same}
    asked = {"email_shown": "new@example.org", "days": 7, "again_url": "/preferences/v1.k1.token/address"}
    yield "address-asked", "address_asked", {**asked, "back_url": "/preferences/v1.k1.token"}
    yield "address-confirm", "address_confirm", {"address": "new@example.org"}
    yield "address-moved", "address_moved", {"address": "new@example.org", "preferences_url": "/preferences"}
    for reason in ("taken", "expired", "gone"):
        yield f"address-{reason}", "address_gone", {"reason": reason, "preferences_url": "/preferences"}
    yield from answers()
    yield "package-gone", "package_gone", {"rights_url": "/rights"}
    yield "lost-link", "lost_link", {"email": "", "errors": {}}
    wrong = {"email": "Enter an e-mail address like name@example.com."}
    yield "lost-link-errors", "lost_link", {"email": "ada@", "errors": wrong}
    yield "link-sent", "link_sent", {"email_shown": "ada@example.org", "minutes": 60}
    yield "link-sent-by-link", "link_sent", {"email_shown": "", "minutes": 60}
    yield "link-expired", "link_expired", {"link": "v1.k1.token", "minutes": 60}
    why = {
        "purpose": "News by e-mail",
        "topic": "Product news",
        "description": "Meters, software and service: what is new and what changes.",
        "rests_on_consent": True,
        "is_by_sale": False,
        "basis": "Your consent",
        "checked_at": AT,
        "given_at": AT - 30 * DAY,
        "how": "form",
        "still": True,
        "notice": "2026-11-01",
        "preferences_url": "/preferences",
        "stop_address": "stop@example.com",
    }
    yield "why", "why", why
    yield "why-by-preferences", "why", {**why, "how": "preferences", "topic": None}
    yield "why-by-page", "why", {**why, "how": "page"}
    yield "why-by-api", "why", {**why, "how": "api"}
    yield "why-by-staff", "why", {**why, "how": "offline:fair"}
    yield "why-by-sale", "why", {**why, "how": "api", "is_by_sale": True, "basis": "What you bought from us"}
    yield "why-nothing-held", "why", {**why, "given_at": None, "how": None, "still": False, "notice": None}
    interest = {"rests_on_consent": False, "basis": "Our interest, which you can object to", "given_at": None}
    yield "why-interest", "why", {**why, **interest, "how": None, "notice": None}


ERROR_KINDS = ("invalid", "not_found", "method", "busy", "too_large", "too_many", "nothing_held")


def answers() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Answers to access requests: about somebody of whom there is everything, and about somebody unknown."""
    kept = {"why": "rule", "until": AT + 86400, "rule": "Proof of consent", "rule_id": "proof"}
    rule = {**a_rule(name=LONG_NAME), "justification": "Claims lapse after three years."}
    head = {"address": "ada.lovelace@example.com", "number": "0F3A1C52", "made_at": AT, "asked_at": AT - 86400}
    purpose = {
        "id": "news",
        "name": LONG_NAME,
        "description": "We send you e-mails about what you chose.",
        "bases": ["consent", "legitimate_interest"],
        "law": "GDPR Art. 6(1)(a)",
        "interest": "That you hear of us.",
        "balancing": "You can stop it.",
        "objection": "You may object.",
        "withdrawal": "Press the link.",
        "categories": ["When you receive marketing from us"],
        "data": ["Name", "E-mail address"],
        "held": ["E-mail address"],
        "sources": ["Forms on our website"],
        "recipients": ["Brevkaravanen Udsendelse ApS"],
        "profiling": True,
        "decided": True,
        "kept": rule,
    }
    bases = ("soft_opt_in", "legal_obligation", "contract", "pre_contract", "legal_claims")
    others = [
        {**purpose, "bases": [basis], "decided": False, "held": [], "interest": "", "objection": "", "withdrawal": ""}
        for basis in bases
    ]
    kinds = (
        *("given", "soft_opt_in", "withdrawn", "refused", "objected", "lifted", "preferences", "restored", "recorded"),
        *("suppressed", "undeliverable", "expired", "stale", "hold_set", "hold_lifted", "restricted"),
        *("restriction_lifted", "told-notice", "told-asked", "told-source"),
    )
    sources = ("form", "offline:fair", "preferences", "page", "one-click", "not-me", "api", "clock", "letter", "")
    event = {
        "at": AT,
        "notice": "2026-11-01",
        "changes": [{"name": "Product news", "state": "ConsentGiven"}, {"name": "* profiling", "state": "no"}],
        "wording": some_wording(),
        "wording_language": "en",
        "has_details": True,
        "network": "192.0.2.0/24",
        "until": AT + 86400,
    }
    told = {
        **head,
        "holds_anything": True,
        "told": [{"name": "Name", "value": "Ada Lovelace"}, {"name": "Areas of interest", "value": ["Heat", "Water"]}],
        "profile_kept": kept,
        "record_kept": kept,
        "standing": [
            {
                "name": LONG_NAME,
                "state": "ConsentGiven",
                "at": AT,
                "until": AT + 86400,
                "kept": {**kept, "why": "active"},
            },
            {"name": "* direct-marketing", "state": "ObjectionRaised", "at": AT, "until": None, "kept": None},
            {"name": "News", "state": "ConsentWithdrawn", "at": AT, "until": None, "kept": {**kept, "why": "locked"}},
            {"name": "Events", "state": "SoftOptIn", "at": AT, "until": None, "kept": {**kept, "why": "waiting"}},
        ],
        "preferences": [{"name": "News", "paused_until": AT, "at_most_every": {"months": 1, "weeks": 0, "days": 0}}],
        "suppression": {"at": AT, "until": AT + 86400},
        "locks": [
            {"kind": "hold", "until": AT + 86400, "purposes": ["News"]},
            {"kind": "restricted", "until": None, "purposes": []},
        ],
        "sends": [{"name": "News", "at": AT}],
        "requests": [{"name": "News", "topics": ["Events"], "told": ["Ada"], "at": AT, "until": AT + 86400}],
        "events": [
            {
                **event,
                "number": number,
                "kind": kind,
                "source": sources[number % len(sources)],
                "wording": some_wording() if kind == "given" else [],
            }
            for number, kind in enumerate(kinds)
        ]
        + [{**event, "number": 99, "kind": "given", "source": "", "has_details": False, "until": None}],
        "left_out": 3,
        "cases": [
            {
                "number": "0F3A1C52",
                "right": right,
                "state": state,
                "at": AT,
                "answer_by": "2026-12-22",
                "closed_at": AT if state == "done" else None,
                "details": "It is spelt Lovelace." if state == "done" else "",
            }
            for right, state in (
                *(("access", "running"), ("rectification", "done"), ("erasure", "cooling_off")),
                *(("restriction", "refused"), ("portability", "partly_done"), ("objection", "with_staff")),
                *(("complaint", "with_person"), ("access", "unproven"), ("access", "cancelled"), ("access", "lapsed")),
            )
        ],
        "collected": [{"name": "Kundenkompass", "files": ["from/crm/notes.txt"]}],
        "purposes": [purpose, *others],
        "recipients": [
            {
                "name": "Prairie Lantern",
                "role": role,
                "country": "US",
                "safeguard": "EU standard contractual clauses" if role == "processor" else "",
                "sharing": "Collects answers.",
                "told_at": AT if role == "joint" else None,
            }
            for role in ("processor", "joint", "separate", "authority", "")
        ],
        "own_rules": [rule],
        "rights_url": "/rights",
    }
    yield "answer", "answer", told
    nothing: dict[str, Any] = {
        name: [] for name, value in told.items() if isinstance(value, list) and name not in ("own_rules", "cases")
    }
    yield (
        "answer-nothing",
        "answer",
        {
            **told,
            **nothing,
            "cases": told["cases"][:1],
            "holds_anything": False,
            "profile_kept": None,
            "suppression": None,
            "left_out": 0,
        },
    )


def evidence_packs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The cover page of an evidence pack: of somebody, of somebody unknown, and one that does not hold."""
    chain = "f66h7l5n3mf7cv4krt6y6r7xvw"
    kept = {"why": "rule", "until": AT, "rule": "Proof of consent", "rule_id": "proof"}
    traced = {"evidence": f"{chain}.1", "entry_url": "#event-1"}
    event = {
        "number": 1,
        "evidence": f"{chain}.1",
        "at": AT,
        "kind": "given",
        "changes": [{"name": "News by e-mail: Events", "state": "ConsentGiven"}],
        "told": "",
        "preferences": ["dm.email: 3.0"],
        "source": "form",
        "collection": "double opt-in",
        "asked": ["fair, 2026-11-01T10:00:00.000Z", "fair-team", "card 12", f"image/png, SHA-256 {'b' * 64}"],
        "wording": some_wording(),
        "wording_hash": "a" * 64,
        "wording_language": "en",
        "notice": "2026-11-01",
        "notice_url": "notices/2026-11-01.en.json",
        "ended_by": [f"{chain}.2"],
        "has_details": True,
        "kept": kept,
        "receipt_url": "receipts/receipt-1.json",
        "is_signed": True,
        "is_as_then": False,
    }
    answer = {"at": AT, "verdict": "allowed", "reason": "given", "wording": some_wording(), **traced}
    question = {
        "about": "News by e-mail: Events",
        "since": AT,
        "until": AT,
        "is_broken": False,
        "letter_names": f"{chain}.1",
        "answers": [
            answer,
            {**answer, "verdict": "not_allowed", "reason": "withdrawn", "wording": []},
            {**answer, "verdict": "unknown", "reason": "stale", "wording": []},
        ],
    }
    check = {"holds": True, "entries": 2, "seals": 1, "unsealed": 1, "through": "2026-11-22", "findings": []}
    whole = {
        "address": "ada@example.org",
        "made_at": AT,
        "chain": chain,
        "holds_anything": True,
        "other_keys": [],
        "events": [
            event,
            {**event, "number": 2, "has_details": False, "wording": [], "notice_url": ""},
            *(
                {**event, "number": 3 + place, "told": told, "changes": []}
                for place, told in enumerate(("told", "asked_again", "source"))
            ),
        ],
        "left_out": 2,
        "standing": [
            {"name": f"Topic {state}", "state": state, "at": AT, "until": AT, **traced} for state in DecisionState
        ],
        "sends": [{"name": "News by e-mail", "at": AT}],
        "requests": [{"name": "News by e-mail", "at": AT, "until": AT}],
        "record_kept": {**kept, "why": "active", "until": None},
        "profile_kept": {**kept, "why": "locked", "until": None},
        "check": check,
        "question": question,
        "files": [{"name": "data.json", "url": "data.json"}],
    }
    yield "evidence", "evidence", whole
    finding = {"words": "the entry does not have the hash", "day": "2026-11-22", **traced}
    yield (
        "evidence-broken",
        "evidence",
        {
            **whole,
            "other_keys": ["k0"],
            "check": {**check, "holds": False, "findings": [finding]},
            "question": {**question, "is_broken": True},
            "profile_kept": {**kept, "why": "waiting", "rule": ""},
            "record_kept": {**kept, "until": None},
        },
    )
    yield (
        "evidence-nothing",
        "evidence",
        {
            **whole,
            "chain": "",
            "holds_anything": False,
            "events": [],
            "left_out": 0,
            "standing": [],
            "sends": [],
            "requests": [],
            "profile_kept": None,
            "question": None,
            "check": {**check, "entries": 0, "seals": 0, "through": ""},
        },
    )


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
    check_mail = {
        "email_shown": "ada@example.org",
        "days": 7,
        "is_open": True,
        "code": "",
        "tries": 5,
        "errors": {},
        "action": "/waiting/v1.k1.token?lang=en",
        "subscribe_url": "/subscribe",
    }
    yield "check-mail", "check_mail", check_mail
    waiting = {**check_mail, "email_shown": "", "ends_at": AT + 7 * DAY}
    yield "waiting", "check_mail", waiting
    fault = "This code does not fit. Compare it with the newest e-mail from us, or open the link in it."
    yield "waiting-wrong", "check_mail", {**waiting, "code": "123 456", "errors": {"code": fault}}
    yield "waiting-too-many", "check_mail", {**waiting, "is_open": False}
    confirm = {
        "topics": topics,
        "wording": some_wording(),
        "shown": "0" * 64,
        "message": None,
        "typed": {"name": "Ada", "company": "Analytical Engines", "interests": ["Water meters"]},
        "not_me_url": "/not-me/v1.k1.token",
    }
    yield "confirm", "confirm", confirm
    untyped = {"name": "", "company": "", "interests": []}
    yield "confirm-untyped", "confirm", {**confirm, "typed": untyped}
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
            name = f"unsubscribed-{scope}" + ("-already" if already else "")
            yield name, "unsubscribed", unsubscribed(scope, already=already)
    yield "unsubscribed-still", "unsubscribed", unsubscribed("topic", still=["Events", "Surveys"])
    yield "unsubscribed-everything", "unsubscribed", unsubscribed("topic", everything=True, instead=[])
    yield "unsubscribed-everything-already", "unsubscribed", unsubscribed("topic", already=True, everything=True)
    for undone, instead in ((True, False), (True, True), (False, False), (False, True)):
        name = ("undone" if undone else "too-late") + ("-instead" if instead else "")
        yield (
            name,
            "undone",
            {
                "undone": undone,
                "instead": instead,
                "link": "v1.k1.token",
                "stop_url": "/u/v1.k1.token",
                "subscribe_url": "/subscribe",
            },
        )
    yield "reason-given", "reason_thanks", {"given": True}
    yield "reason-none", "reason_thanks", {"given": False}
    yield "notice", "notice", {"notice": a_notice(), "versions": some_versions()}
    yield "notice-earlier", "notice", {"notice": a_notice("2026-05-01"), "versions": some_versions()}
    yield "changes", "notice_changes", some_changes()
    yield "changes-in-another-language", "notice_changes", some_changes(compared_in="da", compared_name="Dansk")
    yield "changes-none", "notice_changes", some_changes(sections=[])
    yield "changes-not-comparable", "notice_changes", some_changes(sections=[], compared_in=None, compared_name=None)
    yield "changes-first", "notice_changes", some_changes(before=None, editions=[], sections=[])
    for kind in ERROR_KINDS:
        context = {"kind": kind, "stop_address": "stop@example.com", "subscribe_url": "/subscribe"}
        yield f"error-{kind.replace('_', '-')}", "error", context
    yield "home", "home", {"subscribe_url": "/subscribe", "notice_url": "/notice"}

    yield from preference_pages()
    yield from rights_pages()


RIGHTS = ("access", "rectification", "erasure", "restriction", "portability", "objection", "complaint")


def rights_form(**changes: Any) -> dict[str, Any]:
    purposes = [
        {"id": "direct-marketing-email", "name": "News by e-mail", "checked": False},
        {"id": "tracking", "name": "Whether you open our e-mails", "checked": False},
    ]
    return {
        "message": None,
        "errors": {},
        "form_token": "v1.k1.form",
        "address_url": "",
        "before": [],
        "kinds": [
            {"id": right, "name": right.capitalize(), "description": "What it means.", "checked": False}
            for right in RIGHTS
        ],
        "opened": [],
        "grounds": [{"id": letter, "name": "They are wrong.", "checked": False} for letter in "abcd"],
        "restrictable": purposes,
        "objectionable": purposes[:1],
        "keep": "",
        "details": "",
        "is_typed": True,
        "email": "",
        "answer_by": "2026-12-22",
        **changes,
    }


def rights_status(right: str, state: str, **changes: Any) -> dict[str, Any]:
    closed = state in ("done", "refused", "cancelled", "lapsed")
    return {
        "fault": None,
        "right": right,
        "state": state,
        "is_open": not closed,
        "standing": "We are carrying out your request.",
        "number": "ABCD2345",
        "received_at": AT,
        "answer_by": "2026-12-22",
        "extended": "",
        "question": "",
        "cool_off_until": None,
        "can_cancel": state in ("unproven", "with_person", "cooling_off", "with_staff"),
        "ground": "",
        "reasons": "",
        "held": True,
        "stays": [],
        "package_url": "",
        "tasks": [],
        "log": [{"at": AT, "what": "We received your request"}],
        **changes,
    }


def some_tasks() -> list[dict[str, Any]]:
    return [
        {"name": f"{state} ApS", "state": state, "reason": "", "told_at": AT, "answered_at": None}
        for state in ("waiting", "asked", "done", "nothing_held", "failed")
    ] + [
        {
            "name": "Post ApS",
            "state": "impossible",
            "reason": "Printed already.",
            "told_at": AT,
            "answered_at": AT + DAY,
        }
    ]


def some_stays() -> list[dict[str, Any]]:
    return [
        {"what": "ledger", "why": "", "until": None},
        {"what": "fingerprint", "why": "Who must not be written to (GDPR Art. 21(3))", "until": "2031-12-31"},
        {"what": "file", "why": "Files of requests (GDPR Art. 5(2))", "until": None},
    ]


def rights_pages() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "rights", "rights", rights_form()
    wrong = {
        "type": "Choose what your request is about.",
        "email": "Enter your e-mail address.",
        "details": "Too long.",
    }
    yield "rights-errors", "rights", rights_form(errors=wrong, details="<b>Bold</b>\nand more", email="ada@")
    kept = rights_form(message="Please check what you entered.", keep="yes", opened=list(RIGHTS), details="One line.")
    yield "rights-again", "rights", kept
    own = rights_form(is_typed=False, form_token="", address_url="/preferences/v1.k1.token/address")
    status = {"url": "/rights/status/v1.k1.token", "standing": "We are carrying out your request."}
    asked = {"name": "A copy of your data", "number": "ABCD2345", "received_at": AT, **status}
    yield "rights-own", "rights", {**own, "objectionable": [], "before": [asked]}
    yield "rights-asked", "rights_asked", {"email_shown": "ada@example.org", "answer_by": "2026-12-22"}
    for right in RIGHTS:
        shown = {"right": right, "number": "ABCD2345", "received_at": AT, "status_url": "/rights/status/v1.k1.token"}
        yield f"rights-prove-{right}", "rights_prove", {**shown, "details": ["My name", "is <b>Ada</b>."]}
        yield f"rights-running-{right}", "rights_status", rights_status(right, "running", tasks=some_tasks())
        yield f"rights-done-{right}", "rights_status", rights_status(right, "done", stays=some_stays())
    for reason in ("used", "cancelled", "gone", "expired"):
        yield f"rights-gone-{reason}", "rights_gone", {"reason": reason, "rights_url": "/rights"}
    for state in ("unproven", "with_staff", "partly_done", "cancelled", "lapsed"):
        yield f"rights-status-{state}", "rights_status", rights_status("access", state)
    asked = rights_status(
        "access", "with_person", question="Which customer number do you have?", extended="Many files."
    )
    yield "rights-status-asked", "rights_status", asked
    yield "rights-status-cooling", "rights_status", rights_status("erasure", "cooling_off", cool_off_until=AT + 2 * DAY)
    yield "rights-status-late", "rights_status", rights_status("erasure", "running", fault="It is too late.")
    ready = rights_status("access", "done", package_url="/rights/download/v1.k1.token")
    yield "rights-status-ready", "rights_status", ready
    yield "rights-status-nothing", "rights_status", rights_status("access", "done", held=False)
    for ground in GROUNDS:
        shown = rights_status("access", "refused", ground=ground, reasons="The third time this month.")
        yield f"rights-refused-{ground}", "rights_status", shown


GROUNDS = (
    *("unfounded", "excessive", "not_identified", "rights_of_others", "legal_obligation", "legal_claims"),
    *("accurate", "compelling_grounds", "other"),
)


def case_letters() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is written about rights requests."""
    base = "https://consent.example.com"
    about = {"notice_url": f"{base}/notice?lang=en", "right": "erasure", "number": "ABCD2345", "received_at": AT}
    status = {**about, "status_url": f"{base}/rights/status/v1.k1.token?lang=en"}
    both = {**status, "authority_url": "https://www.datatilsynet.dk"}
    over = {**about, "rights_url": f"{base}/rights?lang=en"}
    end, why = {"answer_by": "2026-12-22"}, {"reasons": "We have to look through the archive."}
    yield "case_prove", {**status, **end, "prove_url": LONG_LINK.replace("/confirm/", "/rights/verify/") + "?lang=en"}
    cooling = {"state": "cooling_off", "what_next_at": AT + 2 * DAY, "can_cancel": True}
    yield "case_received", {**both, **end, **cooling}
    yield "case_more_needed", {**both, **why, "rests": True, "can_cancel": True}
    yield "case_extended", {**both, **end, **why, "can_cancel": False}
    yield "case_ready", {**both, "right": "access", "held": True, "fetch_until": AT + 7 * DAY}
    yield "case_partly", {**both, "tasks": some_tasks(), "is_held_up": False, "is_waiting": True}
    done = {"held": True, "done_at": AT + DAY, "kept_fingerprint": True, "stays": some_stays(), "tasks": some_tasks()}
    yield "case_done", {**both, **why, **done}
    yield "case_refused", {**both, **why, "right": "access", "ground": "excessive"}
    yield "case_cancelled", over
    yield "case_lapsed", {**over, "authority_url": "https://www.datatilsynet.dk"}
    yield "case_lifting", {**over, **why, "right": "restriction", "authority_url": "https://www.datatilsynet.dk"}


def letters() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every letter and its context without `site`."""
    base = "https://consent.example.com"
    topics = some_topics()[:2]
    yield (
        "confirm",
        {
            "topics": topics,
            "confirm_url": LONG_LINK,
            "code": "123 456",
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
            "preferences_url": LONG_LINK.replace("/confirm/", "/preferences/") + "?lang=en",
            "notice_url": f"{base}/notice?lang=en",
            "minutes": 60,
        },
    )
    yield (
        "address",
        {
            "address_url": LONG_LINK.replace("/confirm/", "/address/") + "?lang=en",
            "notice_url": f"{base}/notice?lang=en",
            "days": 7,
        },
    )
    yield "address_changed", {"notice_url": f"{base}/notice?lang=en"}
    yield (
        "receipt",
        {
            "given_at": AT,
            "wording": some_wording(),
            "stop_url": f"{base}/u/v1.k1.token?lang=en",
            "preferences_url": f"{base}/preferences?lang=en",
            "authority_url": "https://www.datatilsynet.dk",
            "notice_url": f"{base}/notice/2026-11-01?lang=en",
            "stop_address": "stop@example.com",
            "recorded": [
                {"name": "Whether you open our e-mails", "is_on": False},
                {"name": "Which links you follow", "is_on": True},
            ],
            "may_object": True,
            "file_name": "receipt-1.json",
        },
    )
    told = {
        "stop_url": f"{base}/u/v1.k1.token?lang=en",
        "preferences_url": f"{base}/preferences?lang=en",
        "authority_url": "https://www.datatilsynet.dk",
        "notice_url": f"{base}/notice/2026-11-01?lang=en",
        "stop_address": "stop@example.com",
        "may_object": True,
    }
    yield (
        "notice_changed",
        {
            **told,
            "in_force_at": AT,
            "summary": "Another company keeps our list of recipients.",
            "purposes": ["News by e-mail", "Whether you open our e-mails"],
            "asked": ["Product news"],
            "changes": [
                {"kind": "added", "heading": "Who receives your data", "text": "Mail Tool ApS, which sends letters."},
                {"kind": "changed", "heading": "How long we keep them", "text": "Three years after the last letter."},
                {"kind": "removed", "heading": "Who receives your data", "text": "Post ApS."},
            ],
            "is_whole": False,
            "changes_url": f"{base}/notice/2026-11-01/changes?lang=en",
        },
    )
    yield (
        "source",
        {
            **told,
            "address": "ada@example.org",
            "received_at": AT,
            "origin": "Fair of meters 2026, list of visitors",
            "purposes": [
                {
                    "name": "News by e-mail",
                    "description": "We send you the news you choose.",
                    "topics": ["Product news", "Events"],
                    "rests_on_consent": True,
                },
                {"name": "Offers", "description": "Similar products.", "topics": [], "rests_on_consent": False},
            ],
        },
    )
    yield from case_letters()
