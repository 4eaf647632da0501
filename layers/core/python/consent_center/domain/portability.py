"""What a person may take along to somebody else (Art. 20 GDPR), and the shape of the file that holds it.

Only what they provided or what was observed of them, and only where the purpose rests on consent or on a contract (Art.
20(1)(a)); what was worked out about them stays (WP 242 rev.01, II.1). Which data and purposes these are, the policy
says.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from consent_center.domain.chain import Entry
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.policy import Policy

BASES = frozenset({"consent", "contract", "pre_contract"})
"""The legal bases of Art. 20(1)(a)."""

_ORIGINS = frozenset({"provided", "observed"})

_OWN_WORD = frozenset(
    {
        *(DecisionState.GIVEN, DecisionState.RENEWED, DecisionState.REFUSED),
        *(DecisionState.WITHDRAWN, DecisionState.OBJECTED, DecisionState.LIFTED),
    }
)
"""What only a person says; that a consent ran out, or that somebody bought something, is nobody's word."""

_EXTRA = {"additionalProperties": False}
_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC"}
_DECISION = {
    "purpose": {**_TEXT, "description": "Id of the purpose"},
    "purpose_name": _TEXT,
    "topic": {"type": ["string", "null"], "description": "Id of the topic; null for the whole purpose"},
    "topic_name": {"type": ["string", "null"]},
    "channel": _TEXT,
    "state": {"enum": sorted(_OWN_WORD), "description": "State of consent, in the words of the W3C vocabulary DPV"},
}


def _object(properties: Mapping[str, Any], optional: Iterable[str] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": dict(properties), **_EXTRA}


SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Personal data of one person, to take along (Art. 20 GDPR)",
    **_object(
        {
            "format": {"const": 1},
            "made_at": _MOMENT,
            "language": {**_TEXT, "description": "The language of names and wordings"},
            "controller": _object({"name": _TEXT, "address": {"type": "array", "items": _TEXT}, "email": _TEXT}),
            "data": {
                "type": "array",
                "description": "What the person told us, by the data types of the privacy policy",
                "items": _object(
                    {
                        "data_type": _TEXT,
                        "name": _TEXT,
                        "origin": {"enum": sorted(_ORIGINS)},
                        "value": {"type": ["string", "array"], "items": _TEXT},
                    }
                ),
            },
            "decisions": {
                "type": "array",
                "description": "What holds now",
                "items": _object({**_DECISION, "at": _MOMENT, "until": {"type": ["string", "null"]}}),
            },
            "collected": {
                "type": "array",
                "description": "Files from others who hold data for us",
                "items": _object({"recipient": _TEXT, "files": {"type": "array", "items": _TEXT}}),
            },
            "events": {
                "type": "array",
                "description": "Every decision, oldest first",
                "items": _object(
                    {
                        "number": {"type": "integer", "minimum": 1},
                        "at": _MOMENT,
                        "changes": {"type": "array", "minItems": 1, "items": _object(_DECISION)},
                        "wording": {"type": "array", "items": _TEXT, "description": "The words that were agreed to"},
                    }
                ),
            },
        }
    ),
}
"""The JSON Schema of the file, which goes with it."""


def is_own_word(state: DecisionState) -> bool:
    """Whether only a person brings this about, so that it is data that they provided."""
    return state in _OWN_WORD


def bases_in(entry: Entry, policy: Policy) -> dict[str, str]:
    """The legal basis of each purpose that an entry changes, as it was then; else as the policy has it."""
    then = entry.body.get("purposes", {})
    found = {}
    for change in entry.body.get("changes", ()):
        name = str(change["purpose"])
        try:
            found[name] = str(then.get(name, {}).get("basis") or policy.purpose(name).legal_basis)
        except UnknownNameError:
            # An objection to all of something is about no purpose of its own.
            continue
    return found


def portable_changes(entry: Entry, policy: Policy) -> list[Mapping[str, Any]]:
    """The changes of an entry that a person takes along."""
    bases = bases_in(entry, policy)
    return [
        change
        for change in entry.body.get("changes", ())
        if bases.get(str(change["purpose"])) in BASES and is_own_word(DecisionState(change["after"]))
    ]


def portable_data_types(purposes: Iterable[str], policy: Policy) -> set[str]:
    """The data types that a person takes along, given the purposes that they agreed to or have a contract about."""
    used = {one for purpose in purposes for one in policy.purpose_row(purpose)["data_types"]}
    return {one for one in used if policy.data_type(one)["origin"] in _ORIGINS}
