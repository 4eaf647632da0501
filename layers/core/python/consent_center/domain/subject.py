"""One contact point's record: what it decided, and how the next decision extends its chain."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from consent_center.domain.chain import GENESIS, Change, Entry, Payload, extend
from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import Decided, DecisionState, require_allowed
from consent_center.domain.errors import SuppressedError
from consent_center.domain.policy import Period, Scope
from consent_center.domain.suppression import Basis, Suppression


@dataclass(frozen=True, slots=True)
class Preference:
    """How a person wants what they agreed to: not at all until a time, or not too often."""

    paused_until: int | None = None
    """Epoch seconds."""
    at_most_every: Period | None = None

    def is_paused_at(self, now: int) -> bool:
        """Whether it rests at `now` (epoch milliseconds)."""
        return self.paused_until is not None and now < self.paused_until * 1000


class Move(NamedTuple):
    """That a person's address changed, as one of the two places has it: which the other place is, and when it was."""

    key_id: str
    pseudonym: str
    at: int
    """Epoch milliseconds. Of one place's moves no two have the same."""

    @property
    def leads_nowhere(self) -> bool:
        """Whether the record has been erased since: all that is still known is that somebody was here until then."""
        return not self.pseudonym

    def forgotten(self) -> "Move":
        """The same, of a record that has been erased: letters of that time must not fall to who came after."""
        return Move("", "", self.at)


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
    """Holds and restrictions as `domain/lock.py` writes them, and whether letters arrive (`domain/reach.py`)."""
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    """By `Purpose.preference_key`."""
    heard_at: int = 0
    """When the person last did something themselves, in epoch milliseconds; what we send does not count."""
    holder_since: int = 0
    """When letters stopped reaching whoever had the address before, in epoch milliseconds; 0 if they never did. What
    happened until then is another person's, as far as anybody knows."""
    here_since: int = 0
    """Since when the record is at this address, in epoch milliseconds, where another one was before; else 0."""
    suppression: Suppression | None = None
    """What keeps the person out, also where nothing else is left of them. It may have ended."""
    erasing: str | None = None
    """The chain that an erasure under way has taken from the record and not yet emptied."""
    inform_by: int = 0
    """By when the person must be told that somebody else gave us their data (epoch seconds); 0: they need not be."""
    former: tuple[Move, ...] = ()
    """Where records went that were at this address, oldest first. Letters of that time are about them; nothing else
    that is known of the address is."""
    came_from: tuple[Move, ...] = ()
    """The addresses that this record was at before, oldest first: each leads here by its own `former`."""

    def next_move(self, after: int) -> Move | None:
        """The first move away from here later than `after` (epoch milliseconds): it took along who was here then."""
        return next((move for move in self.former if move.at > after), None)

    @property
    def leads_on(self) -> bool:
        """Whether somebody can still be found who was at this address before."""
        return any(not move.leads_nowhere for move in self.former)

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
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    """Those of the personal details that are needed for a while only."""
    inform_by: int = 0
    """By when the person must be told of it, if their data came from somebody else (epoch seconds)."""

    def __repr__(self) -> str:
        """Hides the details, because a repr ends up in logs and tracebacks."""
        return f"Act({self.kind!r})"


@dataclass(frozen=True, slots=True)
class Randomness:
    """What chance contributes to a decision; an argument, so that the domain has none of its own."""

    chain: str
    salt: str
    circumstances_salt: str


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
    preferences: Mapping[str, Preference] | None = None,
) -> Decision:
    """Apply one act to a record: one entry, however many scopes and preferences it changes.

    `now` in epoch milliseconds; `valid_until` in epoch seconds by scope code; `preferences` take the place of those
    under the same key. Times never run backwards along a chain, even if a computer's clock does.
    ForbiddenTransitionError for a raise that is not the person's own act, SuppressedError where they are suppressed.
    The person's own yes lifts a suppression, and the entry says so.
    """
    return _decide(subject, changes, act, now, chance, valid_until or {}, preferences or {}, {})


def suppress(
    subject: Subject,
    suppression: Suppression,
    changes: Iterable[tuple[Scope, DecisionState]],
    act: Act,
    *,
    now: int,
    chance: Randomness,
) -> Decision:
    """Suppress a person, who may be unknown so far; `changes` are what ends with it.

    An end that is later already stays.
    """
    known = subject.suppression
    if known is not None and known.holds_at(now) and _is_longer(known, suppression):
        suppression = suppression._replace(until=known.until)
    told = {**act.facts, "suppression": _suppression_facts(suppression)}
    decision = decide(subject, changes, replace(act, facts=told), now=now, chance=chance)
    # Not before the entry that says so, so that no yes lies between the two.
    suppression = suppression._replace(at=decision.subject.last_at)
    return replace(decision, subject=replace(decision.subject, suppression=suppression))


def _is_longer(one: Suppression, other: Suppression) -> bool:
    return other.until is not None and (one.until is None or one.until > other.until)


def _suppression_facts(suppression: Suppression) -> dict[str, Any]:
    until = timestamp(suppression.until * 1000) if suppression.until is not None else None
    return {"basis": suppression.basis.value, "notice": suppression.notice, "until": until}


def erase(subject: Subject, kept: Suppression | None, act: Act, *, now: int, chance: Randomness) -> Decision:
    """Take the person out of a record: one last entry in its chain, and a state that leads to nobody.

    What is left says its version, the suppression if one is `kept`, and, until the rest is removed, the chain that is
    to be emptied.
    """
    told = {**act.facts, "suppression": _suppression_facts(kept) if kept else None}
    decision = decide(subject, (), replace(act, facts=told), now=now, chance=chance)
    after = decision.subject
    tombstone = Subject(
        after.contact,
        after.version,
        last_at=after.last_at,
        suppression=kept._replace(at=after.last_at) if kept else None,
        erasing=after.chain,
        # Who was at this address before is somebody else, and still has letters with links.
        former=after.former,
        came_from=after.came_from,
    )
    return replace(decision, subject=tombstone)


def restore(
    subject: Subject, before: Mapping[str, Any], scopes: Iterable[Scope], act: Act, *, now: int, chance: Randomness
) -> Decision:
    """Undo the newest act: `before` is what `state_before` wrote down when it was made, `scopes` are those it names.

    Everything is as it was, ends included; the new entry is what proves it from now on.
    """
    earlier = {code: _decided_in(row) for code, row in before["decided"].items()}
    changes = [
        (scope, earlier[scope.code].state if scope.code in earlier else DecisionState.UNKNOWN) for scope in scopes
    ]
    preferences = {key: _preference_in(row) for key, row in before["preferences"].items()}
    decision = _decide(subject, changes, act, now, chance, {}, preferences, earlier)
    requested = {**decision.subject.requested, **before["requested"]}
    row = before.get("suppression")
    suppression = Suppression(Basis(row[0]), *row[1:]) if row else decision.subject.suppression
    return replace(decision, subject=replace(decision.subject, requested=requested, suppression=suppression))


def end_by_itself(
    subject: Subject, scopes: Iterable[Scope], act: Act, *, ended_at: int, is_stale: bool, now: int, chance: Randomness
) -> Decision:
    """Note that consents ended by themselves at `ended_at` (epoch seconds): on their day, or because nobody used them.

    What they say has counted no more since then; the entry is the trace of it. The decisions bear the time of the end
    and not that of the note.
    """
    # A consent that ran out keeps its day, by which it is told from one that nobody used.
    ended = Decided(DecisionState.EXPIRED, ended_at * 1000, 0, None if is_stale else ended_at)
    scopes = list(scopes)
    changes = [(scope, DecisionState.EXPIRED) for scope in scopes]
    return _decide(subject, changes, act, now, chance, {}, {}, {scope.code: ended for scope in scopes})


def with_locks(subject: Subject, locks: tuple[str, ...], act: Act, *, now: int, chance: Randomness) -> Decision:
    """Set or lift locks: an entry of its own that changes no decision."""
    decision = _decide(subject, (), act, now, chance, {}, {}, {})
    return replace(decision, subject=replace(decision.subject, locks=locks))


def tell(subject: Subject, act: Act, *, inform_by: int, now: int, chance: Randomness) -> Decision:
    """Note that the person was told something: an entry of its own that changes no decision.

    `inform_by` is what they still have to be told by, in epoch seconds; 0 if nothing.
    """
    decision = _decide(subject, (), act, now, chance, {}, {}, {})
    return replace(decision, subject=replace(decision.subject, inform_by=inform_by))


def state_before(subject: Subject, scopes: Iterable[Scope], preferences: Iterable[str] = ()) -> dict[str, Any]:
    """What an act is about to change, for the payload of its event, so that it can be undone."""
    codes = [scope.code for scope in scopes]
    return {
        "scopes": codes,
        "decided": {
            code: [decided.state.value, decided.at, decided.seq, decided.valid_until]
            for code in codes
            if (decided := subject.decided.get(code))
        },
        **({"suppression": list(subject.suppression)} if subject.suppression else {}),
        "requested": {code: subject.requested[code] for code in codes if code in subject.requested},
        "preferences": {key: preference_row(subject.preferences.get(key)) for key in preferences},
    }


def _decided_in(row: Sequence[Any]) -> Decided:
    return Decided(DecisionState(row[0]), row[1], row[2], row[3])


def preference_row(preference: Preference | None) -> list[Any]:
    """A preference as it stands in what `state_before` writes down."""
    if preference is None:
        return [None, None]
    return [preference.paused_until, str(preference.at_most_every) if preference.at_most_every else None]


def _preference_in(row: Sequence[Any]) -> Preference:
    return Preference(row[0], Period.read(row[1]) if row[1] else None)


def _decide(
    subject: Subject,
    changes: Iterable[tuple[Scope, DecisionState]],
    act: Act,
    now: int,
    chance: Randomness,
    valid_until: Mapping[str, int],
    preferences: Mapping[str, Preference],
    earlier: Mapping[str, Decided],
) -> Decision:
    """`earlier` are decisions to be restored with the time and end that they had."""
    at = max(now, subject.last_at)
    seq = subject.seq + 1
    chain = subject.chain or chance.chain
    decided = dict(subject.decided)
    requested = dict(subject.requested)
    recorded = []
    suppression = subject.suppression
    if suppression is not None and not suppression.holds_at(at):
        suppression = None
    lifted: dict[str, Any] = {}
    for scope, after in changes:
        before = subject.state_of(scope)
        require_allowed(before, after, by_person=act.by_person)
        if suppression is not None and after.permits:
            if not act.by_person:
                raise SuppressedError
            lifted, suppression = {"lifted": suppression.basis.value}, None
        recorded.append(Change(scope.purpose, scope.topic, scope.channel, before, after))
        if after is DecisionState.UNKNOWN:
            decided.pop(scope.code, None)
        elif scope.code in earlier:
            decided[scope.code] = earlier[scope.code]._replace(seq=seq)
        else:
            decided[scope.code] = Decided(after, at, seq, valid_until.get(scope.code))
        requested.pop(scope.code, None)
    # Who acts here themselves knows of us, and reads on the page where their data are from.
    informed = {"informed": True} if act.by_person and subject.inform_by else {}
    deadlines = [] if act.by_person else [one for one in (subject.inform_by, act.inform_by) if one]
    payload = Payload.of(chance.salt, act.details, act.circumstances, chance.circumstances_salt)
    entry = extend(
        chain=chain,
        seq=seq,
        prev=subject.head,
        at=timestamp(at),
        kind=act.kind,
        changes=recorded,
        facts={
            **act.facts,
            **lifted,
            **informed,
            **_preference_facts(preferences),
            "controller": subject.contact.controller,
        },
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
        heard_at=at if act.by_person else subject.heard_at,
        decided=decided,
        requested=requested,
        preferences={
            key: preference
            for key, preference in {**subject.preferences, **preferences}.items()
            if preference != Preference()
        },
        suppression=suppression,
        inform_by=min(deadlines, default=0),
        here_since=at if subject.chain is None and subject.last_at else subject.here_since,
    )
    return Decision(after_act, entry, payload, replaces_version=subject.version)


def _preference_facts(preferences: Mapping[str, Preference]) -> dict[str, Any]:
    """The preferences an act sets, for the entry: they are no personal data without the person."""
    if not preferences:
        return {}
    return {
        "preferences": {
            key: {
                "paused_until": timestamp(preference.paused_until * 1000) if preference.paused_until else None,
                "at_most_every": str(preference.at_most_every) if preference.at_most_every else None,
            }
            for key, preference in preferences.items()
        }
    }


def timestamp(at: int) -> str:
    """Epoch milliseconds as RFC 3339 in UTC with milliseconds: the spelling in the ledger, which sorts as time does."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
