"""A stack behind the proxy, and people of whom a test knows how they are stored."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from consent_center.adapters.addresses import parse_address
from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.stored import subject_of
from consent_center.domain.capability import ManageLink, seal_manage
from consent_center.domain.chain import Entry, verify
from consent_center.domain.contact import ContactPoint, Keyring, contact_point
from consent_center.domain.decision import DecisionState
from consent_center.domain.objection import Against
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Subject
from faults import FaultProxy
from local.stack import LocalStack
from world import Answer, Auditor, Visitor

LETTERS = "direct-marketing-email"


@dataclass
class World:
    """The stack behind the proxy, and what only the owner of the account may read."""

    stack: LocalStack
    proxy: FaultProxy
    policy: Policy
    _tokens: dict[str, str] = field(default_factory=dict)

    @cached_property
    def owner(self) -> Auditor:
        return Auditor(self.stack)

    @cached_property
    def queues(self) -> Any:
        return self.stack.client("sqs")

    @cached_property
    def peppers(self) -> Keyring:
        return self._keyring("PepperSecret")

    @cached_property
    def links(self) -> Keyring:
        return self._keyring("LinksSecret")

    @cached_property
    def form(self) -> str:
        """A form that was shown long enough ago to be filled in by a person; it may be sent any number of times."""
        visitor = Visitor(self.stack)
        shown = visitor.hidden(visitor.get("/subscribe").body, "form")
        time.sleep(1.05)
        return shown

    @cached_property
    def scope_codes(self) -> dict[tuple[str, str | None, str], str]:
        """The code of each scope by what a ledger entry calls it."""
        scopes = [scope for purpose in self.policy.purposes.values() for scope in purpose.all_scopes()]
        return {
            (scope.purpose, scope.topic, scope.channel): scope.code
            for scope in (*scopes, *(against.scope for against in Against))
        }

    def _keyring(self, resource: str) -> Keyring:
        secrets = self.stack.client("secretsmanager")
        stored = json.loads(secrets.get_secret_value(SecretId=self.stack.resources[resource])["SecretString"])
        return Keyring(stored.pop("current"), {key_id: key.encode() for key_id, key in stored.items()})

    def token(self, scope: str) -> str:
        if scope not in self._tokens:
            asked = Visitor(self.stack).get(f"/_local/token?scope=consent.{scope}")
            self._tokens[scope] = asked.json["access_token"]
        return self._tokens[scope]


@dataclass(frozen=True)
class Books:
    """All that is stored about one person's decisions."""

    subject: Subject
    entries: tuple[Entry, ...]
    profile: Any

    @property
    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.entries]


class Person(Visitor):
    """Somebody of whom the test knows how they are stored."""

    def __init__(self, world: World) -> None:
        super().__init__(world.stack)
        self.world = world
        self.chain: str | None = None
        self.request_id: str | None = None

    @cached_property
    def contact(self) -> ContactPoint:
        controller = self.world.policy.controller_meant(None)
        return contact_point(
            parse_address(self.email), controller=controller, channel="email", peppers=self.world.peppers
        )

    @property
    def names(self) -> tuple[str, ...]:
        """What the requests about this person have in them."""
        known = (self.contact.pseudonym, self.email, self.chain, self.request_id)
        return tuple(name for name in known if name)

    def books(self) -> Books:
        """Everything stored, after checking that the chain holds and that the state is what the ledger says."""
        state, profile = (self._item(name) for name in (keys.STATE, keys.PROFILE))
        subject = subject_of(self.contact, state) if state else Subject(self.contact)
        if subject.chain is None:
            assert not subject.decided
            return Books(subject, (), profile)
        self.chain = subject.chain
        entries = self.world.owner.entries(subject.chain)
        payloads = self.world.owner.payloads(subject.chain)
        assert verify(subject.chain, entries, payloads, subject.head) == []
        assert subject.seq == len(entries) == len(payloads)
        assert _replayed(entries, self.world) == (
            {code: decided.state for code, decided in subject.decided.items()},
            {code: decided.seq for code, decided in subject.decided.items()},
            set(subject.preferences),
        )
        return Books(subject, tuple(entries), profile)

    def _item(self, sort_key: str) -> Any:
        key = {"pk": {"S": keys.of_contact(self.contact)}, "sk": {"S": sort_key}}
        table = self.world.stack.resources["SubjectsTable"]
        return self.world.owner.database.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")

    def api(self, scope: str, path: str, **body: Any) -> Answer:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.world.token(scope)}"}
        return self.request("POST", path, json.dumps(body).encode(), headers)

    def sign_up(self, *topics: str) -> Answer:
        return self.post("/subscribe", email=self.email, topic=topics, name="Ada Lovelace", form=self.world.form)

    def decide(self, decision: str = "given", *topics: str) -> Answer:
        """What another system records."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        evidence = {
            "collected_at": now,
            "confirmed_at": now,
            "method": "form at the fair",
            "wording": ["Yes, write to me."],
            "language": "en",
        }
        return self.api(
            "write",
            "/v1/decisions",
            recipient=self.email,
            purpose=LETTERS,
            topics=topics or ("events", "product-news"),
            decision=decision,
            **({"evidence": evidence} if decision == "given" else {}),
        )

    def given(self, *topics: str) -> "Person":
        assert self.decide("given", *topics).status == 200
        self.books()
        return self

    def manage(self) -> str:
        """The path that a letter with the link to the preferences leads to."""
        link = ManageLink(self.contact, int(time.time()) + 3600)
        return f"/preferences/{seal_manage(link, self.world.links)}"


def _replayed(entries: Sequence[Entry], world: World) -> tuple[dict[str, Any], dict[str, int], set[str]]:
    """What the entries alone say: state and newest event by scope, and which preferences there are."""
    states: dict[str, Any] = {}
    seqs: dict[str, int] = {}
    preferences: set[str] = set()
    for entry in entries:
        for row in entry.body["changes"]:
            for topic in row["topics"] or [None]:
                code = world.scope_codes[row["purpose"], topic, row["channel"]]
                states[code], seqs[code] = DecisionState(row["after"]), entry.seq
                if states[code] is DecisionState.UNKNOWN:
                    del states[code], seqs[code]
        for key, wish in entry.body.get("preferences", {}).items():
            (preferences.add if any(wish.values()) else preferences.discard)(key)
    return states, seqs, preferences
