"""How long each item of a record stays, by which rule, and why: worked out from the policy, on the record as it is.

While a consent is in force its proof stays (Art. 7(1) GDPR). Afterwards the rule of its purpose runs (Art. 5(1)(e),
17(3)(e)): from the later of the last letter and the decision that ended it, or from that decision alone. What a
restriction or a hold covers is kept until that is lifted (Art. 18(1)(b) and (c)).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from consent_center.domain.chain import Entry
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.objection import OBJECTIONS
from consent_center.domain.policy import Policy, RetentionRule
from consent_center.domain.subject import Subject

_STOPS_EVERY_CLOCK = ("restricted", "hold")

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


@dataclass(slots=True)
class _Span:
    """One consent, or one no, from the event that began it to the one that ended it."""

    began_at: int
    seqs: set[int]
    ended_at: int | None = None


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
    spans, times = _spans(entries, policy)
    ends = {code: _end(code, subject.decided.get(code), last_sends, policy) for code in spans}
    kept: dict[int, list[Keeping]] = {seq: [] for seq in times}
    by_scope: dict[str, list[Keeping]] = {}
    for code, of_scope in spans.items():
        for span in of_scope:
            newest = span is of_scope[-1]
            keeping = _keeping(code, span, ends[code] if newest else None, last_sends, policy, now, newest=newest)
            by_scope.setdefault(code, []).append(keeping)
            for seq in span.seqs:
                kept[seq].append(keeping)
    waiting = [Keeping(Why.WAITING, until) for until in subject.requested.values() if until * 1000 > now]
    said = [keeping for code in subject.decided for keeping in by_scope.get(code, ())[-1:]]
    state = _longest([*said, *waiting]) or Keeping(Why.RULE, now // 1000)
    if subject.suppression is not None and subject.suppression.holds_at(now):
        rule = policy.rule_covering(_SUPPRESSION)
        state = _longest([state, Keeping(Why.RULE, subject.suppression.until, rule.id if rule else None)]) or state
    locked = Keeping(Why.LOCKED) if any(lock in subject.locks for lock in _STOPS_EVERY_CLOCK) else None
    open_ends = [end for code, of_scope in spans.items() if of_scope[-1].ended_at is None and (end := ends[code])]
    settled = {seq for seq, at in times.items() if at + undo_ms <= now}
    in_force = {seq for seq, keepings in kept.items() if any(keeping.why is Why.ACTIVE for keeping in keepings)}
    return Plan(
        state=locked or state,
        profile=locked or _profile(subject, state, policy),
        payloads={seq: locked or _longest(keepings) or state for seq, keepings in kept.items()},
        bare=frozenset() if locked else frozenset(settled - in_force),
        review_at=min((end // 1000 for end in open_ends if end > now), default=None),
    )


def _profile(subject: Subject, state: Keeping, policy: Policy) -> Keeping:
    """Who somebody is stays while they want something, and then as long as the rule for contact data says."""
    rule = policy.rule_covering(_CONTACT_DATA)
    if state.why is Why.ACTIVE or rule is None or rule.period is None:
        return state
    # Our own letters are no word from the person.
    return Keeping(Why.RULE, rule.period.after_epoch(subject.heard_at or subject.last_at), rule.id)


def _keeping(
    code: str,
    span: _Span,
    end: int | None,
    last_sends: Mapping[str, int],
    policy: Policy,
    now: int,
    *,
    newest: bool,
) -> Keeping:
    """`end` is when the scope's newest consent ends by itself, if that is this span's."""
    ended_at = span.ended_at if span.ended_at is not None else end
    if ended_at is None or (span.ended_at is None and ended_at > now):
        return Keeping(Why.ACTIVE)
    rule = _rule(code, policy)
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
    if answer is None or code in OBJECTIONS:
        return None
    purpose = policy.purpose_by_code(code.split(".", maxsplit=1)[0])
    unused = purpose.unused_since(answer.at, last_sends.get(purpose.id))
    ends = [end for end in (answer.valid_until, unused) if end is not None]
    return min(ends) * 1000 if ends else None


def _rule(code: str, policy: Policy) -> RetentionRule | None:
    """The rule that a scope's records are kept by: a general objection is on the list of those not to be contacted."""
    if code in OBJECTIONS:
        return policy.rule_covering(_SUPPRESSION)
    return policy.rules[policy.purpose_by_code(code.split(".", maxsplit=1)[0]).retention]


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


def _spans(entries: Iterable[Entry], policy: Policy) -> tuple[dict[str, list[_Span]], dict[int, int]]:
    """Consents and noes by scope code, oldest first, and the time of every event by its number (epoch ms)."""
    spans: dict[str, list[_Span]] = {}
    times = {}
    for entry in entries:
        at = times[entry.seq] = round(dt.datetime.fromisoformat(entry.at).timestamp() * 1000)
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
                        open_span = _Span(at, set())
                        of_scope.append(open_span)
                elif open_span is None:
                    open_span = _Span(at, set(), at)
                    of_scope.append(open_span)
                else:
                    open_span.ended_at = at
                open_span.seqs.add(entry.seq)
    return spans, times


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
