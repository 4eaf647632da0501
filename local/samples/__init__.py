"""Contexts for every page and letter, shared by the tests that render them and the tests that look at them."""

from collections.abc import Iterator
from typing import Any

from local.samples.components import components
from local.samples.files import answers, evidence_packs
from local.samples.parts import (
    AT,
    COLOUR,
    DAY,
    LONG_LINK,
    LONG_NAME,
    a_choice,
    a_form,
    a_notice,
    a_row,
    a_rule,
    a_site,
    an_interest,
    on,
    preferences,
    recordings,
    some_changes,
    some_topics,
    some_versions,
    some_wording,
    unsubscribed,
)
from local.samples.rights import case_letters, rights_pages

__all__ = ["COLOUR", "a_site", "components", "letters", "pages"]


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
    others = [{"name": "Noir Club", "url": "/preferences/v1.k1.token?lang=en&brand=noir"}]
    yield "preferences-of-one-brand", "preferences", preferences(on(), others=others)
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
    yield "home-without-form", "home", {"subscribe_url": "", "notice_url": "/notice"}

    yield from preference_pages()
    yield from rights_pages()


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
