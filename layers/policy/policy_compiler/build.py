"""Turns a checked policy into the document that the product runs on."""

import hashlib
import json
from typing import Any

from policy_compiler import calendars, connectors, logos, periods
from policy_compiler.source import child

Document = dict[str, Any]

FORMAT = 1

# The kinds of rows, in the file a mapping by id, in the document a list in the order of the file.
ROWS = ("authorities", "controllers", "brands", "categories", "data_types", "sources", "recipients", "retention_rules",
        "purposes")  # fmt: skip

_PURPOSE: Document = {
    "retired": False, "brand": None, "marketing": False, "topics": [], "double_opt_in": False, "tracking": False,
    "profiling": False, "valid_for": None, "stale_after": None, "pauses": [], "fewer": [], "consent_text": None,
    "withdrawal_text": None,
    "interest": None, "balancing_test": None, "objection_text": None, "import_grades": ["A"],
}  # fmt: skip

_DEFAULTS: dict[str, Document] = {
    "authorities": {"email": None},
    "controllers": {"phone": None, "registration": None},
    "brands": {"logo": None, "dark_logo": None},
    "recipients": {"transfer_tool": None, "contract": None},
    "retention_rules": {"period": None, "never_sent": None, "justification": None, "signed_by": None, "hold": False},
    "purposes": _PURPOSE,
}


RIGHTS = {"cool_off_hours": 48, "step_up_lapses_days": 30}
"""What is usual where the policy says nothing."""


def canonical(value: Any) -> bytes:
    """The one way to write a JSON value, for hashing: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def languages(data: Document) -> list[str]:
    """The approved languages and those that fall back to one of them, approved first."""
    named = data["languages"]
    return [*named["approved"], *(one for one in named.get("fallback", {}) if one not in named["approved"])]


def text(of: dict[str, str], language: str, data: Document) -> str:
    """A text in `language`, or in the language it falls back to."""
    fallback = data["languages"].get("fallback", {})
    return of[language] if language in of else of[fallback[language]]


def rules_of(purpose: Document) -> tuple[str, dict[str, str]]:
    """The ids of a purpose's retention rules: the one that counts in general, and others by jurisdiction."""
    chosen = purpose["retention"]
    return (chosen, {}) if isinstance(chosen, str) else (chosen["default"], chosen["by_jurisdiction"])


def document(data: Document, published: list[Document], pictures: dict[str, bytes]) -> Document:
    """The compiled policy, `hash` included. `published` are the editions of the lock file, oldest first.

    `pictures` are the logos that brands name.
    """
    found: Document = {
        "format": FORMAT,
        "languages": languages(data),
        "default_language": data["languages"]["default"],
        "audience": data["audience"],
        "jurisdictions": data["jurisdictions"],
        "form": _form(data["form"], data),
        "periods": {key: periods.parse(value) for key, value in data["periods"].items()},
        "rights": {key: data.get("rights", {}).get(key, usual) for key, usual in RIGHTS.items()},
        "calendar": calendars.document(data),
        "notices": [_notice(edition, data) for edition in published],
        "current_notice": published[-1]["version"],
        "seed": [
            {"id": key, "carried_by": [_compiled_pointer(place, data) for place in row["carried_by"]]}
            for key, row in data.get("seed", {}).items()
        ],
    }
    if data.get("forms"):
        found["forms"] = [_form(form, data) for form in data["forms"].values()]
    for kind in ROWS:
        found[kind] = [_row(kind, key, row, data) for key, row in data[kind].items()]
    for brand in found["brands"]:
        brand |= {key: logos.compiled(brand[key], pictures) for key in ("logo", "dark_logo")}
    found["hash"] = content_hash(found)
    return found


def _row(kind: str, key: str, row: Document, data: Document) -> Document:
    full = {**_DEFAULTS.get(kind, {}), **row}
    if kind == "retention_rules":
        full["period"] = full["period"] and periods.parse(full["period"])
        full["never_sent"] = full["never_sent"] and periods.parse(full["never_sent"])
    if kind == "controllers":
        full["time_zone"] = calendars.time_zone(row)
    if kind == "recipients":
        full["connector"] = connectors.compiled(row.get("connector"))
    if kind == "purposes":
        full["retention"], by_jurisdiction = rules_of(row)
        if by_jurisdiction:
            full["retention_in"] = by_jurisdiction
        for period in ("valid_for", "stale_after"):
            full[period] = full[period] and periods.parse(full[period])
        full["pauses"] = [periods.parse(period) for period in full["pauses"]]
        full["fewer"] = [periods.parse(period) for period in full["fewer"]]
        full["topics"] = [
            {"id": topic_id, "retired": False, "tracks": None, **_texts(topic, data)}
            for topic_id, topic in row.get("topics", {}).items()
        ]
    return {"id": key, **_texts(full, data)}


_TEXTS = {"name", "description", "consequence", "purpose_of_sharing", "justification", "frequency", "consent_text",
          "withdrawal_text", "interest", "balancing_test", "objection_text", "summary", "approved_by"}  # fmt: skip


def _texts(row: Document, data: Document) -> Document:
    """The row with every text in every language, so that run time needs to know nothing of falling back."""
    return {
        key: {one: text(value, one, data) for one in languages(data)}
        if key in _TEXTS and isinstance(value, dict)
        else value
        for key, value in row.items()
    }


def _form(form: Document, data: Document) -> Document:
    return {
        "purpose": form["purpose"],
        "fields": [{"id": key, **_texts(row, data)} for key, row in form["fields"].items()],
        "interests": [{"id": key, **_texts(row, data)} for key, row in form.get("interests", {}).items()],
    }


def _notice(edition: Document, data: Document) -> Document:
    """An edition as it was published; only languages added since then are filled in."""
    default = data["languages"]["default"]
    found = {"changes": [], **edition, "languages": _told_by_controller(edition, data)}
    # Only the compiler compares the facts themselves.
    found.pop("facts", None)
    for key in ("summary", "approved_by"):
        spoken = edition[key]
        spare = spoken.get(default) or next(iter(spoken.values()))
        found[key] = {one: spoken.get(one, spare) for one in languages(data)}
    return found


def _told_by_controller(edition: Document, data: Document) -> Document:
    """The hashes of an edition by language; by language and controller where the policy has several of them."""
    found: Document = {language: {} for language in edition["languages"]}
    for language, controller, text in texts_of(edition):
        whose = [controller] if controller is not None else controllers_of(edition, data)
        found[language] |= {one: text for one in whose if one in data["controllers"]}
    if len(data["controllers"]) > 1:
        return found
    return {language: text for language, texts in found.items() for text in texts.values()}


def texts_of(edition: Document) -> list[tuple[str, str | None, str]]:
    """Language, controller and hash of each text of a published edition; None where all controllers share one."""
    return [
        (language, controller, text)
        for language, texts in edition["languages"].items()
        for controller, text in ([(None, texts)] if isinstance(texts, str) else texts.items())
    ]


def controllers_of(edition: Document, data: Document) -> list[str]:
    """Whose the text of an edition is that names no controller: the only one's, or theirs who had a purpose then."""
    if len(data["controllers"]) == 1:
        return list(data["controllers"])
    purposes = edition.get("facts", {}).get("purposes", {})
    form = data["purposes"][data["form"]["purpose"]]
    return list(dict.fromkeys(row["controller"] for row in purposes.values())) or [form["controller"]]


_NUMBERED_WITHIN = ((("purposes",), ("topics",)), (("forms",), ("fields",)), (("forms",), ("interests",)))
"""Rows within rows, by what stands before and behind the id of the outer one."""


def _compiled_pointer(place: str, data: Document) -> str:
    """A pointer into policy.yaml as a pointer into the compiled document, where rows are numbered."""
    if not place.startswith("/"):
        return place
    keys = [key.replace("~1", "/").replace("~0", "~") for key in place[1:].split("/")]
    numbered = {(kind,) for kind in ROWS} | {("form", "fields"), ("form", "interests"), ("forms",), ("notices",)}
    pointer, here, rows = "", data, tuple[str, ...]()
    for key in keys:
        is_row = rows in numbered or (rows[:1], rows[2:]) in _NUMBERED_WITHIN
        pointer = child(pointer, list(here).index(key) if is_row else key)
        here = here[int(key)] if isinstance(here, list) else here[key]
        rows = (*rows, key)
    return pointer
