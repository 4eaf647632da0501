"""How long each item of a record stays, by which rule, and why: worked out from the policy, on the record as it is.

While a consent is in force its proof stays (Art. 7(1) GDPR). Afterwards the rule of its purpose runs (Art. 5(1)(e),
17(3)(e)): from the later of the last letter and the decision that ended it, or from that decision alone. What a
restriction or a hold covers is kept until that is lifted or over (Art. 17(3)(e), 18(1)(b) and (c)).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from consent_center.domain.chain import Entry
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.lock import Lock, held_until, locks_of
from consent_center.domain.objection import OBJECTIONS, in_force
from consent_center.domain.policy import Policy, RetentionRule, Scope
from consent_center.domain.subject import Subject
from consent_center.domain.told import TOLD

EXPIRED, STALE = "expired", "stale"
"""Kinds of the events that note an end by itself."""

_NO_CONTACT = frozenset({EXPIRED, STALE, TOLD, "hold_set", "hold_lifted", "restricted", "restriction_lifted"})
"""Kinds of events that are no contact with the person: they move no clock."""

WARNED_DAYS = 61
"""How long before a consent becomes stale whoever uses it hears of it."""

REMINDED_MS = 14 * 86_400_000
"""How long before somebody must have been told where their data are from the letter is ordered once more."""

_SUPPRESSION, _CONTACT_DATA = "suppression", "contact-data"
"""Kinds of records, as the rules of a policy cover them."""


class Why(StrEnum):
    """Why something is still there."""

    ACTIVE = "active"
    """A consent is in force, and this proves it."""
    LOCKED = "locked"
    """A restriction or a hold keeps it."""
    RULE = "rule"
    """The period of a retention rule runs."""
    WAITING = "waiting"
    """A letter still asks about it."""


class Keeping(NamedTuple):
    """Why an item stays, and until when: from the epoch second `until` it is gone. None: nothing ends it yet."""

    why: Why
    until: int | None = None
    rule: str | None = None
    """The id of the rule that it is kept by; under a lock, of the one that runs afterwards."""
    held_until: int | None = None
    """When the lock that keeps it is over by itself, in epoch seconds."""

    def is_over_at(self, now: int) -> bool:
        """Whether the item is gone at `now` (epoch milliseconds)."""
        return self.until is not None and self.until * 1000 <= now


@dataclass(frozen=True, slots=True)
class Plan:
    """How long the parts of one record stay."""

    state: Keeping
    profile: Keeping
    payloads: Mapping[int, Keeping]
    """By seq."""
    bare: frozenset[int]
    """Events of which the circumstances go now: nothing in force rests on them, and nobody can undo them any more."""
    review_at: int | None
    """Epoch seconds of the next moment at which this changes without anybody doing anything; None: never."""
    going_stale: tuple[tuple[str, int], ...] = ()
    """Purposes of which a consent becomes stale within `WARNED_DAYS`, each with its first such end (epoch seconds)."""


@dataclass(frozen=True, slots=True)
class Outline:
    """How long a record stays as a whole, without its single events."""

    state: Keeping
    profile: Keeping
    by_scope: Mapping[str, Keeping]
    """What a decision about a scope, by its code, is kept by."""


class Reasons(NamedTuple):
    """Why an item is kept, until when (epoch seconds; None: nothing ends it yet), and what its rule says for itself."""

    why: Why
    until: int | None
    held_until: int | None
    rule: str | None
    name: str | None
    legal_source: str | None
    justification: str | None
    review_on: str | None


def reasons(keeping: Keeping, policy: Policy, language: str) -> Reasons:
    """The answer to "why is this still here, until when, by which rule?", in a language of the policy."""
    row: Mapping[str, Any] = policy.retention_rule(keeping.rule) if keeping.rule else {}
    return Reasons(
        keeping.why,
        keeping.until,
        keeping.held_until,
        keeping.rule,
        policy.text(row["name"], language) if row else None,
        row.get("legal_source"),
        policy.text(words, language) if (words := row.get("justification")) else None,
        row.get("review_on"),
    )


def outline(
    subject: Subject, entries: Iterable[Entry], last_sends: Mapping[str, int], policy: Policy, now: int
) -> Outline:
    """As `plan`, for the record as a whole: of a chain of any length it keeps no more than one span of each scope."""
    newest: dict[str, list[_Span]] = {}
    in_touch_at = 0
    for entry in entries:
        in_touch_at = _take(entry, newest, policy, in_touch_at)
        for of_scope in newest.values():
            del of_scope[:-1]
            of_scope[-1].seqs.clear()
    by_scope: dict[str, Keeping] = {}
    for code, (span,) in newest.items():
        end = _end(code, subject.decided.get(code), last_sends, policy)
        rule = _rule(code, span.jurisdiction, subject, policy)
        by_scope[code] = _keeping(code, span, end, rule, last_sends, policy, now, newest=True)
    locks = locks_of(subject, now)
    state = state_kept(subject, [by_scope[code] for code in subject.decided if code in by_scope], policy, now)
    return Outline(
        _under(locks, state),
        _under([lock for lock in locks if not lock.purposes], _profile(subject, state, in_touch_at, policy)),
        {
            code: _under([lock for lock in locks if lock.covers(code.split(".", maxsplit=1)[0])], keeping)
            for code, keeping in by_scope.items()
            if code in subject.decided
        },
    )


class Ended(NamedTuple):
    """Consents that ended by themselves at `at` (epoch seconds)."""

    at: int
    is_stale: bool
    scopes: tuple[Scope, ...]


@dataclass(slots=True)
class _Span:
    """One consent, or one no, from the event that began it to the one that ended it."""

    began_at: int
    seqs: set[int]
    ended_at: int | None = None
    jurisdiction: str | None = None
    """Where it was given, if that was recorded."""


def plan(
    subject: Subject,
    entries: Iterable[Entry],
    last_sends: Mapping[str, int],
    policy: Policy,
    now: int,
    undo_ms: int = 0,
) -> Plan:
    """How long a record stays, for its chain's entries in order.

    `last_sends` is when a letter of a purpose last went out (epoch milliseconds, by purpose id); `now` in epoch
    milliseconds; an event can be undone for `undo_ms`. The state stays as long as anything that it says has to be
    known.
    """
    spans, times, in_touch_at = _spans(entries, policy)
    ends = {code: _end(code, subject.decided.get(code), last_sends, policy) for code in spans}
    kept: dict[int, list[Keeping]] = {seq: [] for seq in times}
    codes_of: dict[int, set[str]] = {seq: set() for seq in times}
    by_scope: dict[str, list[Keeping]] = {}
    for code, of_scope in spans.items():
        for span in of_scope:
            newest = span is of_scope[-1]
            rule = _rule(code, span.jurisdiction, subject, policy)
            keeping = _keeping(code, span, ends[code] if newest else None, rule, last_sends, policy, now, newest=newest)
            by_scope.setdefault(code, []).append(keeping)
            for seq in span.seqs:
                kept[seq].append(keeping)
                codes_of[seq].add(code.split(".", maxsplit=1)[0])
    said = [keeping for code in subject.decided for keeping in by_scope.get(code, ())[-1:]]
    state = state_kept(subject, said, policy, now)
    locks = locks_of(subject, now)
    covering = {
        seq: [lock for lock in locks if not codes or any(map(lock.covers, codes))] for seq, codes in codes_of.items()
    }
    open_ends = {code: end for code, of_scope in spans.items() if of_scope[-1].ended_at is None and (end := ends[code])}
    settled = {seq for seq, at in times.items() if at + undo_ms <= now}
    in_force = {seq for seq, keepings in kept.items() if any(keeping.why is Why.ACTIVE for keeping in keepings)}
    return Plan(
        state=_under(locks, state),
        # Who somebody is goes with the contact; a lock of single purposes keeps their proof, and that has the address.
        profile=_under([lock for lock in locks if not lock.purposes], _profile(subject, state, in_touch_at, policy)),
        payloads={seq: _under(covering[seq], _longest(keepings) or state) for seq, keepings in kept.items()},
        bare=frozenset(seq for seq in settled - in_force if not covering[seq]),
        review_at=_review_at(subject, open_ends, locks, policy, now),
        going_stale=tuple(sorted(_going_stale(open_ends, subject, policy, now).items())),
    )


def ended(subject: Subject, last_sends: Mapping[str, int], policy: Policy, now: int) -> list[Ended]:
    """The consents that have ended by themselves by `now` (epoch milliseconds) and stand as given, oldest end first.

    What a newer objection covers is left out: that is what ended it.
    """
    found: dict[tuple[int, bool], list[Scope]] = {}
    for code, answer in subject.decided.items():
        if code in OBJECTIONS or not answer.state.permits:
            continue
        try:
            scope = policy.scope_by_code(code)
            end = _end(code, answer, last_sends, policy)
        except (UnknownNameError, ValueError):
            continue
        if end is not None and end <= now and in_force(subject, policy.purpose(scope.purpose), scope) == answer:
            is_stale = answer.valid_until is None or end < answer.valid_until * 1000
            found.setdefault((end // 1000, is_stale), []).append(scope)
    return [Ended(at, is_stale, tuple(scopes)) for (at, is_stale), scopes in sorted(found.items())]


def state_kept(subject: Subject, said: Sequence[Keeping], policy: Policy, now: int) -> Keeping:
    """How long the state stays for what it says of decisions, of letters that still ask, and of a suppression."""
    waiting = [Keeping(Why.WAITING, until) for until in subject.requested.values() if until * 1000 > now]
    state = _longest([*said, *waiting]) or Keeping(Why.RULE, now // 1000)
    if subject.suppression is not None and subject.suppression.holds_at(now):
        rule = policy.rule_covering(_SUPPRESSION)
        state = _longest([state, Keeping(Why.RULE, subject.suppression.until, rule.id if rule else None)]) or state
    return state


def _under(locks: Sequence[Lock], keeping: Keeping) -> Keeping:
    """What locks make of the way an item is kept: it stays, and its rule waits."""
    return Keeping(Why.LOCKED, None, keeping.rule, held_until(locks)) if locks else keeping


def _going_stale(ends: Mapping[str, int], subject: Subject, policy: Policy, now: int) -> dict[str, int]:
    """The purposes of which a consent becomes stale soon; `ends` in epoch milliseconds by scope code."""
    found: dict[str, int] = {}
    for code, end in ends.items():
        if now < end <= now + WARNED_DAYS * 86_400_000 and _may_become_stale(code, end, subject, policy):
            purpose = _purpose_of(code, policy)
            found[purpose] = min(end // 1000, found.get(purpose, end // 1000))
    return found


def _may_become_stale(code: str, end: int, subject: Subject, policy: Policy) -> bool:
    purpose = policy.purpose_by_code(code.split(".", maxsplit=1)[0])
    until = subject.decided[code].valid_until
    return purpose.stale_after is not None and (until is None or end < until * 1000)


def _review_at(
    subject: Subject, ends: Mapping[str, int], locks: Sequence[Lock], policy: Policy, now: int
) -> int | None:
    moments = [*ends.values(), *(lock.until * 1000 for lock in locks if lock.until is not None)]
    if subject.inform_by:
        moments += [subject.inform_by * 1000 - REMINDED_MS, subject.inform_by * 1000]
    # A look ahead of time, so that somebody can still do something about it.
    moments += [
        end - WARNED_DAYS * 86_400_000 for code, end in ends.items() if _may_become_stale(code, end, subject, policy)
    ]
    return min((moment // 1000 for moment in moments if moment > now), default=None)


def _profile(subject: Subject, state: Keeping, in_touch_at: int, policy: Policy) -> Keeping:
    """Who somebody is stays while they want something, and then as long as the rule for contact data says."""
    rule = policy.rule_covering(_CONTACT_DATA)
    if state.why is Why.ACTIVE or rule is None or rule.period is None:
        return state
    # Our own letters are no word from the person.
    return Keeping(Why.RULE, rule.period.after_epoch(subject.heard_at or in_touch_at), rule.id)


def _keeping(
    code: str,
    span: _Span,
    end: int | None,
    rule: RetentionRule | None,
    last_sends: Mapping[str, int],
    policy: Policy,
    now: int,
    *,
    newest: bool,
) -> Keeping:
    """`end` is when the scope's newest consent ends by itself, if that is this span's."""
    ended_at = span.ended_at if span.ended_at is not None else end
    if ended_at is None or (span.ended_at is None and ended_at > now):
        return Keeping(Why.ACTIVE, None, rule.id if rule else None)
    if rule is None or rule.period is None:
        return Keeping(Why.RULE, None, rule.id if rule else None)
    if rule.clock != "last_send":
        return Keeping(Why.RULE, rule.period.after_epoch(ended_at), rule.id)
    sent_at = last_sends.get(_purpose_of(code, policy), 0)
    if sent_at < span.began_at:
        return Keeping(Why.RULE, (rule.never_sent or rule.period).after_epoch(ended_at), rule.id)
    # No letter went out after an earlier consent had ended; a later one rests on a later consent.
    return Keeping(Why.RULE, rule.period.after_epoch(max(sent_at, ended_at) if newest else ended_at), rule.id)


def _end(code: str, answer: Decided | None, last_sends: Mapping[str, int], policy: Policy) -> int | None:
    """When a consent that nobody ends ends by itself, in epoch milliseconds: on its day, or because nobody used it."""
    if answer is None or code in OBJECTIONS or not answer.state.permits:
        return None
    purpose = policy.purpose_by_code(code.split(".", maxsplit=1)[0])
    unused = purpose.unused_since(answer.at, last_sends.get(purpose.id))
    ends = [end for end in (answer.valid_until, unused) if end is not None]
    # Where a clock ran back an end may lie before the answer itself, which then ended at once.
    return max(min(ends) * 1000, answer.at) if ends else None


def _rule(code: str, jurisdiction: str | None, subject: Subject, policy: Policy) -> RetentionRule | None:
    """The rule that a scope's records are kept by: a general objection is on the list of those not to be contacted.

    `jurisdiction` is where the decision says it was made; without it the controller's country counts.
    """
    if code in OBJECTIONS:
        return policy.rule_covering(_SUPPRESSION)
    purpose = policy.purpose_by_code(code.split(".", maxsplit=1)[0])
    return policy.rules[purpose.rule_in(jurisdiction or policy.country_of(subject.contact.controller))]


def _purpose_of(code: str, policy: Policy) -> str:
    return "*" if code in OBJECTIONS else policy.purpose_by_code(code.split(".", maxsplit=1)[0]).id


def _longest(keepings: Sequence[Keeping]) -> Keeping | None:
    """The one that keeps an item longest: what nothing ends yet, and of that a consent in force first."""
    if not keepings:
        return None
    endless = [keeping for keeping in keepings if keeping.until is None]
    if endless:
        return next((keeping for keeping in endless if keeping.why is Why.ACTIVE), endless[0])
    return max(keepings, key=lambda keeping: keeping.until or 0)


def _spans(entries: Iterable[Entry], policy: Policy) -> tuple[dict[str, list[_Span]], dict[int, int], int]:
    """Consents and noes by scope code, oldest first; every event's time by its number; when we were in touch last.

    Times in epoch milliseconds.
    """
    spans: dict[str, list[_Span]] = {}
    times = {}
    in_touch_at = 0
    for entry in entries:
        times[entry.seq] = _ms(entry.at)
        in_touch_at = _take(entry, spans, policy, in_touch_at)
    return spans, times, in_touch_at


def _take(entry: Entry, spans: dict[str, list[_Span]], policy: Policy, in_touch_at: int) -> int:
    """Add the next entry of a chain to its spans; when we were in touch last, given when that was before it."""
    at = _ms(entry.at)
    for change in entry.body.get("changes", ()):
        for code in _codes(change, policy):
            of_scope = spans.setdefault(code, [])
            open_span = of_scope[-1] if of_scope and of_scope[-1].ended_at is None else None
            if DecisionState(change["after"]).permits:
                if entry.kind == "restored" and open_span is None and of_scope:
                    # Undoing a withdrawal takes up the consent that it had ended.
                    open_span = of_scope[-1]
                    open_span.ended_at = None
                if open_span is None:
                    open_span = _Span(at, set(), jurisdiction=entry.body.get("jurisdiction"))
                    of_scope.append(open_span)
            elif open_span is None:
                open_span = _Span(at, set(), at, entry.body.get("jurisdiction"))
                of_scope.append(open_span)
            else:
                open_span.ended_at = _ms(entry.body["ended_at"]) if entry.kind in (EXPIRED, STALE) else at
            open_span.seqs.add(entry.seq)
    return in_touch_at if entry.kind in _NO_CONTACT else max(in_touch_at, at)


def _ms(at: str) -> int:
    return round(dt.datetime.fromisoformat(at).timestamp() * 1000)


def _codes(change: Mapping[str, Any], policy: Policy) -> list[str]:
    """The codes of the scopes that a change was about; none for what this policy never had."""
    purpose_id, topics = str(change["purpose"]), change.get("topics") or [None]
    if purpose_id == "*":
        return [code for code, against in OBJECTIONS.items() if against.value in topics]
    try:
        purpose = policy.purpose(purpose_id)
        return [purpose.scope(topic, str(change["channel"])).code for topic in topics]
    except UnknownNameError:
        return []
