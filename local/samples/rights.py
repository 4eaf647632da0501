"""Contexts of the pages and letters of rights requests."""

from collections.abc import Iterator
from typing import Any

from local.samples.parts import AT, DAY, LONG_LINK

GROUNDS = (
    *("unfounded", "excessive", "not_identified", "rights_of_others", "legal_obligation", "legal_claims"),
    *("accurate", "compelling_grounds", "other"),
)

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
        "ends_by": "2026-12-22",
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
    soon = {
        "cool_off_until": AT + 2 * DAY,
        "standing": "We will delete your data soon, and until then you can take it back.",
    }
    yield "rights-status-cooling", "rights_status", rights_status("erasure", "cooling_off", **soon)
    yield "rights-status-late", "rights_status", rights_status("erasure", "running", fault="It is too late.")
    ready = rights_status("access", "done", package_url="/rights/download/v1.k1.token")
    yield "rights-status-ready", "rights_status", ready
    yield "rights-status-nothing", "rights_status", rights_status("access", "done", held=False)
    for ground in GROUNDS:
        shown = rights_status("access", "refused", ground=ground, reasons="The third time this month.")
        yield f"rights-refused-{ground}", "rights_status", shown


def case_letters() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is written about rights requests."""
    base = "https://consent.example.com"
    about = {"notice_url": f"{base}/notice?lang=en", "right": "erasure", "number": "ABCD2345", "received_at": AT}
    status = {**about, "status_url": f"{base}/rights/status/v1.k1.token?lang=en"}
    both = {**status, "authority_url": "https://www.datatilsynet.dk"}
    over = {**about, "rights_url": f"{base}/rights?lang=en"}
    end, why = {"answer_by": "2026-12-22"}, {"reasons": "We have to look through the archive."}
    proof = {"ends_by": "2026-12-22", "prove_url": LONG_LINK.replace("/confirm/", "/rights/verify/") + "?lang=en"}
    yield "case_prove", {**status, **end, **proof}
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
