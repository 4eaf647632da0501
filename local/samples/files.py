"""Contexts of files that are made for people: evidence packs and answers."""

from collections.abc import Iterator
from typing import Any

from consent_center.domain.decision import DecisionState
from local.samples.parts import AT, LONG_NAME, a_rule, some_wording


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
        *("restriction_lifted", "moved", "corrected", "told-notice", "told-asked", "told-source"),
    )
    sources = (
        *("form", "offline:fair", "preferences", "page", "one-click", "not-me", "api", "clock", "letter"),
        *("rights", ""),
    )
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
