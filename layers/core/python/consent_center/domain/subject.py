"""One contact point's record: what it decided, and how the next decision extends its chain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from consent_center.domain.chain import GENESIS, Change, Entry, Payload, extend
from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import Decided, DecisionState, require_allowed
from consent_center.domain.policy import Scope


@dataclass(frozen=True, slots=True)
class Subject:
    """The state of a contact point. `version` 0 means that nothing is stored; without a `chain` nothing was decided."""

    contact: ContactPoint
    version: int = 0
    chain: str | None = None
    seq: int = 0
    head: str = GENESIS
    last_at: int = 0
    """When the newest event happened, in epoch milliseconds."""
    language: str | None = None
    decided: Mapping[str, Decided] = field(default_factory=dict)
    """The newest decision by scope code."""
    requested: Mapping[str, int] = field(default_factory=dict)
    """Scope codes a confirmation letter asks about, with the epoch second from which the request is void."""
    locks: tuple[str, ...] = ()

    def state_of(self, scope: Scope) -> DecisionState:
        decided = self.decided.get(scope.code)
        return decided.state if decided else DecisionState.UNKNOWN


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody did something: what, how, and what proves it."""

    kind: str
    by_person: bool
    facts: Mapping[str, Any]
    """Fields of the ledger entry without personal data: notice, language, source, capability, …"""
    details: Mapping[str, Any]
    """The personal details, kept apart."""
    language: str | None = None

    def __repr__(self) -> str:
        """Hides the details, because a repr ends up in logs and tracebacks."""
        return f"Act({self.kind!r})"


@dataclass(frozen=True, slots=True)
class Randomness:
    """What chance contributes to a decision; an argument, so that the domain has none of its own."""

    chain: str
    salt: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A new state with the entry and payload that prove it: stored together or not at all."""

    subject: Subject
    entry: Entry
    payload: Payload
    replaces_version: int


def decide(
    subject: Subject,
    changes: Iterable[tuple[Scope, DecisionState]],
    act: Act,
    *,
    now: int,
    chance: Randomness,
    valid_until: Mapping[str, int] | None = None,
) -> Decision:
    """Apply one act to a record: one entry, however many scopes it changes.

    `now` in epoch milliseconds; `valid_until` in epoch seconds by scope code. Times never run backwards along a chain,
    even if a computer's clock does. ForbiddenTransitionError for a raise that is not the person's own act.
    """
    at = max(now, subject.last_at)
    seq = subject.seq + 1
    chain = subject.chain or chance.chain
    decided = dict(subject.decided)
    requested = dict(subject.requested)
    recorded = []
    for scope, after in changes:
        before = subject.state_of(scope)
        require_allowed(before, after, by_person=act.by_person)
        recorded.append(Change(scope.purpose, scope.topic, scope.channel, before, after))
        decided[scope.code] = Decided(after, at, seq, (valid_until or {}).get(scope.code))
        requested.pop(scope.code, None)
    payload = Payload(chance.salt, act.details)
    entry = extend(
        chain=chain,
        seq=seq,
        prev=subject.head,
        at=timestamp(at),
        kind=act.kind,
        changes=recorded,
        facts={**act.facts, "controller": subject.contact.controller},
        payload=payload,
    )
    after_act = replace(
        subject,
        version=subject.version + 1,
        chain=chain,
        seq=seq,
        head=entry.hash,
        last_at=at,
        language=act.language or subject.language,
        decided=decided,
        requested=requested,
    )
    return Decision(after_act, entry, payload, replaces_version=subject.version)


def timestamp(at: int) -> str:
    """Epoch milliseconds as RFC 3339 in UTC with milliseconds: the spelling in the ledger, which sorts as time does."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
