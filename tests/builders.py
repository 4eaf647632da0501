"""Things that tests need, with everything filled in that a test does not care about."""

import secrets
from functools import cache
from typing import Any

from consent_center.domain.contact import Address, ContactPoint, Keyring, contact_point
from consent_center.domain.decision import DecisionState
from consent_center.domain.policy import Policy
from consent_center.domain.request import Request
from consent_center.domain.subject import Act, Decision, Randomness, Subject, decide

NOON = 1_800_000_000_000
"""A moment in epoch milliseconds."""

PEPPERS = Keyring("k1", {"k1": b"pepper-one"})
LINKS = Keyring("k1", {"k1": b"links-one"})

PURPOSE = "direct-marketing-email"

PEOPLE = ("ada.lovelace@example.com", "grace.hopper@example.org", "edsger@example.invalid")
"""Everybody in the tests. Their addresses and names must appear in no log, metric, key or error."""

NAMES = ("Ada Lovelace", "Grace Hopper", "Analytical Engines Ltd")


def a_policy() -> Policy:
    """A small policy: a consent purpose with topics, one without, and a purpose that rests on an interest."""
    return Policy(_compiled())


def a_policy_with_sales() -> Policy:
    """The small policy with a purpose that rests on soft opt-in, for two groups of products."""
    purposes = _compiled()["purposes"]
    like = purposes[0]
    groups = [{**like["topics"][0], "id": name, "code": name[0], "tracks": None} for name in ("meters", "valves")]
    similar = {"id": "similar", "code": "si", "legal_basis": "soft_opt_in", "topics": groups, "pauses": [], "fewer": []}
    offered = {"objection_text": {"en": "You can say no in every letter."}, "import_grades": []}
    return Policy({**_compiled(), "purposes": [*purposes, {**like, **similar, **offered}]})


def a_policy_with_recipients() -> Policy:
    """The small policy with two recipients of its purposes, one of a legal duty, and the rules for requests."""

    def rule(name: str, **period: int) -> dict[str, Any]:
        row = {"id": name, "name": {"en": name}, "covers": name, "clock": "closing", "never_sent": None, "hold": False}
        return {**row, "period": {"months": 0, "days": 0, **period}}

    got_by = {PURPOSE: ["crm", "post-house"], "grouping": ["crm"], "invoices": ["authority"]}
    purposes = [
        {**row, "recipients": got_by.get(row["id"], []), "data_types": ["email", f"data of {row['id']}"]}
        for row in _compiled()["purposes"]
    ]
    rules = [rule("rights-file", months=36), rule("rights-payload", days=30), rule("suppression", months=36)]
    return Policy(
        {
            **_compiled(),
            "purposes": purposes,
            "recipients": [
                {"id": name, "name": name, "role": "processor"} for name in ("crm", "post-house", "authority")
            ],
            "retention_rules": [*_compiled()["retention_rules"], *rules],
        }
    )


@cache
def _compiled() -> dict[str, Any]:
    def topic(name: str, code: str, *, retired: bool = False) -> dict[str, Any]:
        return {
            "id": name,
            "code": code,
            "retired": retired,
            "name": {"en": name.title()},
            "description": {"en": f"All about {name}."},
            "frequency": {"en": "Once a month"},
            "tracks": {"op": "opens", "ck": "clicks"}.get(code),
        }

    def purpose(purpose_id: str, code: str, **other: Any) -> dict[str, Any]:
        return {
            "id": purpose_id,
            "code": code,
            "retired": False,
            "name": {"en": purpose_id},
            "description": {"en": "What it is for."},
            "controller": "fjordmeter",
            "brand": "fjordmeter",
            "legal_basis": "consent",
            "channels": ["email"],
            "topics": [],
            "marketing": False,
            "tracking": False,
            "profiling": False,
            "double_opt_in": False,
            "valid_for": None,
            "stale_after": None,
            "pauses": [],
            "fewer": [],
            "interest": None,
            "objection_text": None,
            "recipients": [],
            "retention": "proof",
            "import_grades": ["A"],
            "consent_text": {"en": "Yes, {brand} may send me {topics} by e-mail."},
            "withdrawal_text": {"en": "You can withdraw at any time: every letter from {brand} has a link."},
            **other,
        }

    interest = {
        "consent_text": None,
        "withdrawal_text": None,
        "interest": {"en": "What we gain."},
        "objection_text": {"en": "You may object."},
    }
    return {
        "format": 1,
        "hash": "f" * 64,
        "languages": ["en"],
        "default_language": "en",
        "authorities": [{"id": "DK", "name": {"en": "Authority"}, "url": "https://www.example.org", "address": []}],
        "controllers": [
            {
                "id": "fjordmeter",
                "name": "Fjordmeter A/S",
                "address": ["Målervej 12", "DK-8000 Aarhus C"],
                "email": "privacy@example.com",
                "dpo": {"name": "Astrid Holm", "email": "dpo@example.com"},
                "authority": "DK",
            }
        ],
        "brands": [
            {
                "id": "fjordmeter",
                "controller": "fjordmeter",
                "name": "Fjordmeter",
                "website": "https://www.example.com",
                "sender": {"name": "Fjordmeter", "address": "news@example.com"},
                "stop_address": "stop@example.com",
                "colour": "#0a5c7a",
                "list_domain": "example.com",
            }
        ],
        "purposes": [
            purpose(
                PURPOSE,
                "dm",
                marketing=True,
                double_opt_in=True,
                pauses=[{"months": 1, "days": 0}],
                fewer=[{"months": 0, "days": 14}, {"months": 3, "days": 0}],
                topics=[topic("product-news", "pn"), topic("events", "ev"), topic("paper", "pa", retired=True)],
            ),
            purpose(
                "tracking",
                "tr",
                marketing=True,
                tracking=True,
                profiling=True,
                topics=[topic("opens", "op"), topic("clicks", "ck")],
                valid_for={"months": 12, "days": 0},
                import_grades=["A", "B"],
            ),
            purpose(
                "grouping",
                "gr",
                legal_basis="legitimate_interest",
                channels=["any"],
                marketing=True,
                profiling=True,
                **interest,
            ),
            purpose("insight", "in", legal_basis="legitimate_interest", channels=["web"], brand=None, **interest),
            purpose("invoices", "iv", legal_basis="legal_obligation", consent_text=None, withdrawal_text=None),
        ],
        "recipients": [],
        "retention_rules": [
            {
                "id": "proof",
                "name": {"en": "Proof of consent"},
                "covers": "marketing-evidence",
                "clock": "last_send",
                "period": {"months": 24, "days": 0},
                "never_sent": None,
                "hold": False,
            }
        ],
        "form": {
            "purpose": PURPOSE,
            "fields": [
                {"id": "name", "required": False, "consequence": {"en": "We greet you by name."}},
                {"id": "company", "required": False, "consequence": {"en": "Nothing."}},
                {"id": "interest", "required": False, "consequence": {"en": "Nothing."}},
            ],
            "interests": [{"id": "water", "name": {"en": "Water"}}, {"id": "heat", "name": {"en": "Heat"}}],
        },
        "periods": {"pending": {"months": 0, "days": 7}},
        "notices": [
            {
                "version": "2026-11-01",
                "published_on": "2026-11-01",
                "change": "first",
                "changes": [],
                "summary": {"en": "First edition."},
                "languages": {"en": "a" * 64},
            }
        ],
        "current_notice": "2026-11-01",
    }


def an_address(text: str = PEOPLE[0]) -> Address:
    return Address(text, text.lower())


def a_contact(text: str = PEOPLE[0], *, channel: str = "email") -> ContactPoint:
    return contact_point(an_address(text), controller="fjordmeter", channel=channel, peppers=PEPPERS)


def a_request(*, at: int = NOON, topics: tuple[str, ...] = ("product-news", "events"), **other: Any) -> Request:
    return Request(
        **{
            "id": "request-1",
            "contact": a_contact(),
            "address": an_address(),
            "purpose": PURPOSE,
            "topics": topics,
            "language": "en",
            "notice": "2026-11-01",
            "requested_at": at,
            "expires_at": at // 1000 + 7 * 86400,
            "name": NAMES[0],
            "company": NAMES[2],
            "interests": ("water",),
            **other,
        }
    )


def an_act(kind: str = "given", *, by_person: bool = True) -> Act:
    return Act(kind, by_person, {"source": "test"}, {"address": PEOPLE[0]}, "en")


def a_decision(
    subject: Subject | None = None,
    *,
    topics: tuple[str, ...] = ("product-news",),
    to: DecisionState = DecisionState.GIVEN,
    at: int = NOON,
    by_person: bool = True,
    chain: str = "chain-1",
    valid_until: int | None = None,
) -> Decision:
    purpose = a_policy().purpose(PURPOSE)
    scopes = [purpose.scope(topic, "email") for topic in topics]
    return decide(
        subject or Subject(a_contact()),
        [(scope, to) for scope in scopes],
        an_act(by_person=by_person),
        now=at,
        chance=Randomness(chain, secrets.token_urlsafe(16), secrets.token_urlsafe(16)),
        valid_until=dict.fromkeys((scope.code for scope in scopes), valid_until) if valid_until else None,
    )


def texts_that_are_no_address() -> list[tuple[str, str]]:
    """Texts that are no address, each with the rule that it breaks."""
    return [
        ("", "required"),
        ("   ", "required"),
        ("ada", "address"),
        ("ada@", "address"),
        ("@example.com", "address"),
        ("ada@example", "address"),
        ("ada@example..com", "address"),
        ("ada lovelace@example.com", "address"),
        ("ada@example.com\r\nBcc: grace.hopper@example.org", "address"),
        ("ada@example.com\n", "address"),
        ("ada\x00@example.com", "address"),
        ("ada@exa\tmple.com", "address"),
        ("Ada <ada@example.com>", "address"),
        ("ada@example.com, grace.hopper@example.org", "address"),
        ("ädä@example.com", "address"),
        ("ada@[192.0.2.1]", "address"),
        ("l" * 65 + "@example.com", "address"),
        ("l" * 300, "too_long"),
        ("ada@" + "d" * 300 + ".example.com", "too_long"),
    ]
