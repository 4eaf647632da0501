"""What held at a moment of the past, from the entries of one chain alone: "was this letter lawful on that day?"

The ledger says what was decided, preferences set, what was restricted, and addresses that took no mail any more. It
does not say which letters were sent, and what was asked and not answered: an answer that rests on a send is unknown.
Ends by themselves are worked out by the policy at hand.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from consent_center.domain.chain import Entry, evidence_id
from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.lock import LIFTING, LOCKING, RESTRICTED, Lock, lock_in, with_lock, without_lock
from consent_center.domain.moving import MOVED
from consent_center.domain.objection import OBJECTIONS, in_force, newness
from consent_center.domain.permission import AskedAbout, Reason
from consent_center.domain.policy import Period, Policy, Purpose, Scope
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.retention import EXPIRED, STALE
from consent_center.domain.subject import Preference, Subject
from consent_center.domain.told import Untold


class Verdict(StrEnum):
    ALLOWED = "allowed"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"
    """It depends on what no entry says."""


class Answer(NamedTuple):
    """What holds from `at` (epoch milliseconds) on. `evidence` names the entry that allows it or stands against it."""

    at: int
    verdict: Verdict
    reason: Reason
    """Why; where the verdict is unknown, what a check would have said had no letter ever been sent."""
    evidence: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """A purpose, one topic of it or any, on a channel. UnknownNameError for a topic or channel that it lacks."""

    purpose: Purpose
    channel: str
    topic: str | None = None
    asked: AskedAbout = field(init=False)
    """As if nothing of the purpose had been retired."""
    today: AskedAbout = field(init=False)

    def __post_init__(self) -> None:
        topics = tuple(replace(topic, retired=False) for topic in self.purpose.topics)
        pursued = replace(self.purpose, retired=False, topics=topics)
        object.__setattr__(self, "asked", AskedAbout(pursued, self.channel, self.topic))
        object.__setattr__(self, "today", AskedAbout(self.purpose, self.channel, self.topic))

    @property
    def scopes(self) -> tuple[Scope, ...]:
        if self.topic is not None:
            return (self.purpose.scope(self.topic, self.channel),)
        return self.purpose.scopes(self.channel)


class Replay:
    """The record of a contact point, rebuilt entry by entry. Holds the state, and not the entries."""

    def __init__(self, contact: ContactPoint, policy: Policy) -> None:
        self._policy = policy
        self.subject = Subject(contact)
        self._before = self.subject
        self._preferences_set: dict[str, int] = {}
        self._undeliverable_since = 0
        self._untold = Untold()
        self.is_whole = True
        """False once an entry was met that says nothing that we can read."""

    def take(self, entry: Entry) -> None:
        """The next entry of the chain."""
        try:
            after = self._after(entry)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.is_whole = False
            return
        self._before, self.subject = self.subject, after

    def answer(self, question: Question, at: int) -> Answer:
        """What the entries so far say at `at` (epoch milliseconds)."""
        never = question.asked.permission(self.subject, at)
        just_now = question.asked.permission(self.subject, at, at)
        reason, verdict = never.reason, Verdict.ALLOWED if never.allowed else Verdict.NOT_ALLOWED
        if Reason.PAUSED in (never.reason, just_now.reason):
            reason = Reason.PAUSED
        elif never.reason is not just_now.reason:
            # Between these two any send may lie, and each of them decides otherwise.
            verdict = Verdict.UNKNOWN
        elif never.allowed and not question.today.permission(self.subject, at).allowed:
            # It is retired by now, and no entry says since when.
            verdict = Verdict.UNKNOWN
        if not self.is_whole:
            verdict = Verdict.UNKNOWN
        return Answer(at, verdict, reason, never.evidence or just_now.evidence or self._against(question, reason))

    def moments(self, question: Question, after: int, until: int) -> list[int]:
        """When, later than `after` and up to `until` (epoch milliseconds), the answer may change by itself."""
        ends: list[int | None] = []
        for scope in question.scopes:
            decided = self.subject.decided.get(scope.code)
            if decided is not None:
                ends += [decided.valid_until, question.purpose.unused_since(decided.at, None)]
        preference = self.subject.preferences.get(question.purpose.preference_key(question.channel))
        ends.append(preference.paused_until if preference else None)
        return sorted({end * 1000 for end in ends if end is not None and after < end * 1000 <= until})

    def _against(self, question: Question, reason: Reason) -> str | None:
        chain = self.subject.chain
        if chain is not None and reason is Reason.RESTRICTED:
            found_locks = [Lock.read(text) for text in self.subject.locks]
            return evidence_id(chain, max(lock.seq for lock in found_locks if lock.kind == RESTRICTED))
        if chain is None or reason is Reason.OTHER_BASIS:
            return None
        if reason is Reason.UNDELIVERABLE:
            return evidence_id(chain, self._undeliverable_since)
        if reason in (Reason.PAUSED, Reason.FREQUENCY):
            return evidence_id(chain, self._preferences_set[question.purpose.preference_key(question.channel)])
        found = [decided for scope in question.scopes if (decided := in_force(self.subject, question.purpose, scope))]
        return evidence_id(chain, max(found, key=newness).seq) if found else None

    def _after(self, entry: Entry) -> Subject:
        body, at, before = entry.body, epoch_ms(entry.at), self.subject
        is_undone = entry.kind == "restored" and body.get("restores") == entry.seq - 1
        earlier: Mapping[str, Decided] = self._before.decided if is_undone else {}
        decided = dict(before.decided)
        for change in body.get("changes", ()):
            state = DecisionState(change["after"])
            for scope in _scopes(change, self._policy):
                if state is DecisionState.UNKNOWN:
                    decided.pop(scope.code, None)
                elif scope.code in earlier:
                    decided[scope.code] = earlier[scope.code]._replace(seq=entry.seq)
                elif entry.kind in (EXPIRED, STALE):
                    ended_at = epoch_ms(str(body["ended_at"]))
                    day = ended_at // 1000 if entry.kind == EXPIRED else None
                    decided[scope.code] = Decided(state, ended_at, entry.seq, day)
                else:
                    decided[scope.code] = Decided(state, at, entry.seq, self._end(scope, state, entry, at))
        preferences = {key: _preference(row) for key, row in body.get("preferences", {}).items()}
        self._preferences_set |= dict.fromkeys(preferences, entry.seq)
        locks, holder_since = before.locks, before.holder_since
        if entry.kind == "undeliverable":
            locks = locks if UNDELIVERABLE in locks else (*locks, UNDELIVERABLE)
            self._undeliverable_since, holder_since = entry.seq, at
        elif (entry.kind, body.get("capability")) in (("given", "confirm"), (MOVED, "address")):
            # Confirmed from the address itself, so letters reach it (`domain/reach.py`).
            locks = _others(locks, UNDELIVERABLE)
        elif entry.kind in LOCKING:
            locks = with_lock(before, lock_in(entry, self._policy), at)
        elif entry.kind in LIFTING:
            locks = without_lock(before, int(body["lifts"]), at)
        self._untold.take(entry)
        return replace(
            before,
            inform_by=self._untold.inform_by,
            chain=entry.chain,
            seq=entry.seq,
            head=entry.hash,
            last_at=at,
            decided=decided,
            locks=locks,
            holder_since=holder_since,
            preferences={key: one for key, one in {**before.preferences, **preferences}.items() if one != Preference()},
        )

    def _end(self, scope: Scope, state: DecisionState, entry: Entry, at: int) -> int | None:
        """A consent that was stated to us counts from when it was given, as the entry says."""
        if not state.permits or scope.code in OBJECTIONS or entry.kind == "restored":
            return None
        stated = entry.body.get("confirmed_at") or entry.body.get("collected_at")
        given_at = epoch_ms(str(stated)) if stated else at
        return self._policy.purpose(scope.purpose).ends([scope], given_at).get(scope.code)


def answers(entries: Iterable[Entry], replay: Replay, question: Question, since: int, until: int) -> list[Answer]:
    """Every answer there was from `since` through `until` (epoch milliseconds), for a chain's entries in order.

    The first is that of `since`; each further one begins where the answer changed.
    """
    found: list[Answer] = []

    def note(*moments: int) -> None:
        for at in moments:
            answer = replay.answer(question, at)
            if not found or answer[1:] != found[-1][1:]:
                found.append(answer)

    last = since
    for at, entry in ((epoch_ms(entry.at), entry) for entry in entries):
        if at > until:
            break
        if at > since:
            note(last, *replay.moments(question, last, at - 1))
            last = at
        replay.take(entry)
    note(last, *replay.moments(question, last, until))
    return found


def epoch_ms(at: str) -> int:
    """A time as entries spell it (RFC 3339), in epoch milliseconds; ValueError for what is none."""
    return round(dt.datetime.fromisoformat(at).timestamp() * 1000)


def _others(locks: tuple[str, ...], but: str) -> tuple[str, ...]:
    return tuple(lock for lock in locks if lock != but)


def _scopes(change: Mapping[str, Any], policy: Policy) -> list[Scope]:
    """What a change was about; nothing for what this policy never had."""
    topics = change.get("topics") or [None]
    if change["purpose"] == "*":
        return [against.scope for against in OBJECTIONS.values() if against.value in topics]
    try:
        purpose = policy.purpose(str(change["purpose"]))
        return [purpose.scope(topic, str(change["channel"])) for topic in topics]
    except UnknownNameError:
        return []


def _preference(row: Mapping[str, Any]) -> Preference:
    paused_until, every = row["paused_until"], row["at_most_every"]
    return Preference(epoch_ms(paused_until) // 1000 if paused_until else None, Period.read(every) if every else None)
