"""What a person can wish for, worked out on their record as it is now: pure, so that it can be worked out again.

Each function here answers a wish; a wish answers the change that it takes, or None where it is so already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import UnknownNameError, WordingChangedError
from consent_center.domain.objection import Against, in_force
from consent_center.domain.policy import Period, Policy, Purpose, Scope
from consent_center.domain.subject import Preference, Subject
from consent_center.domain.wording import Wording, consent_wording


@dataclass(frozen=True, slots=True)
class Change:
    """What one act does to a record. `kind` is the kind of its ledger entry."""

    kind: str
    decisions: Sequence[tuple[Scope, DecisionState]] = ()
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    wording: Wording | None = None
    """The words that were agreed to."""
    valid_until: Mapping[str, int] = field(default_factory=dict)
    """Epoch seconds by scope code."""


Wish = Callable[[Subject, int], Change | None]
"""Of a record and a time in epoch milliseconds."""

SAME_PAUSE_SECONDS = 15 * 60
"""Who presses for the same pause again so soon has not heard that it began, and wants no second one."""


def stop(purpose: Purpose, topic_id: str | None) -> Wish:
    """Withdraw one topic, or a purpose that has none. UnknownNameError for a topic that the purpose lacks."""
    if topic_id is not None:
        purpose.topic(topic_id)
    return lambda subject, now: _withdrawal(subject, [purpose.scope(topic_id, subject.contact.channel)], now)


def take_back(purpose: Purpose, topic_id: str | None) -> Wish:
    """Withdraw what a letter is about to ask, or asks: a no that is newer than the request voids it.

    Recorded even where the answer was no before, because that no is older than the request.
    """
    if topic_id is not None:
        purpose.topic(topic_id)
    return lambda subject, _now: _moved(
        "withdrawn", [purpose.scope(topic_id, subject.contact.channel)], DecisionState.WITHDRAWN
    )


def stop_everything(policy: Policy) -> Wish:
    """Withdraw every consent, and whatever a letter still asks about."""
    return lambda subject, now: _withdrawal(subject, consent_scopes(policy, subject.contact), now)


def start(policy: Policy, purpose: Purpose, topic_id: str | None, shown: str) -> Wish:
    """Consent to what was shown, where no letter has to ask first.

    `shown` is the hash of the words; WordingChangedError if the policy has others now.
    """

    def wish(subject: Subject, now: int) -> Change | None:
        scope = purpose.scope(topic_id, subject.contact.channel)
        answer = in_force(subject, purpose, scope)
        stands = answer and answer.permits_at(now) and not purpose.may_be_renewed(answer.at, now)
        if purpose.double_opt_in or purpose.is_retired(topic_id) or stands:
            return None
        topics = (purpose.topic(topic_id),) if topic_id is not None else ()
        wording = consent_wording(policy, purpose, topics, policy.spoken(subject.language))
        if shown != wording.hash:
            raise WordingChangedError
        given = [(scope, DecisionState.GIVEN)]
        return Change("given", given, wording=wording, valid_until=purpose.ends([scope], now))

    return wish


def object_to_all(policy: Policy, against: Against) -> Wish:
    """Object to direct marketing, or to profiling: what it covers stops at once, consents too (Art. 21(3) GDPR).

    Who had objected before and has allowed some of it since objects anew.
    """

    def wish(subject: Subject, now: int) -> Change | None:
        covered = [
            scope for scope in consent_scopes(policy, subject.contact) if against.covers(policy.purpose(scope.purpose))
        ]
        withdrawn = [(scope, DecisionState.WITHDRAWN) for scope in running(subject, covered, now)]
        is_objected = subject.state_of(against.scope) is DecisionState.OBJECTED
        if is_objected and not withdrawn and not _is_some_lifted(policy, subject, against):
            return None
        return Change("objected", [(against.scope, DecisionState.OBJECTED), *withdrawn])

    return wish


def _is_some_lifted(policy: Policy, subject: Subject, against: Against) -> bool:
    return any(
        (answer := in_force(subject, purpose, scope)) is not None and answer.state is DecisionState.LIFTED
        for purpose in policy.purposes_of(subject.contact.controller)
        if against.covers(purpose)
        for scope in purpose.all_scopes()
    )


def object_to(purpose: Purpose) -> Wish:
    """Object to one purpose (Art. 21(1) GDPR). UnknownNameError for one that does not rest on an interest."""
    if not purpose.may_be_objected_to:
        raise UnknownNameError("purpose")
    return lambda subject, _now: _moved(
        "objected",
        [scope for scope in purpose.all_scopes() if subject.state_of(scope) is not DecisionState.OBJECTED],
        DecisionState.OBJECTED,
    )


def allow_all_again(against: Against) -> Wish:
    """Take an objection to direct marketing or to profiling back. Nothing that it stopped starts again by that."""
    return lambda subject, _now: _moved(
        "lifted",
        [against.scope] if subject.state_of(against.scope) is DecisionState.OBJECTED else [],
        DecisionState.LIFTED,
    )


def allow_again(purpose: Purpose) -> Wish:
    """Take the objection to one purpose back, even where an objection to everything of its kind stays."""
    if not purpose.may_be_objected_to:
        raise UnknownNameError("purpose")
    return lambda subject, _now: _moved(
        "lifted",
        [
            scope
            for scope in purpose.all_scopes()
            if (answer := in_force(subject, purpose, scope)) and answer.state is DecisionState.OBJECTED
        ],
        DecisionState.LIFTED,
    )


def pause(purpose: Purpose, period: str) -> Wish:
    """Pause a purpose for a period that the policy offers, as `str(Period)`; an empty text ends the pause."""
    chosen = offered(purpose.pauses, period) if period else None

    def change(old: Preference, now: int) -> Preference:
        until = chosen.after_epoch(now) if chosen else None
        if until and old.paused_until and 0 <= until - old.paused_until < SAME_PAUSE_SECONDS:
            until = old.paused_until
        return Preference(until, old.at_most_every)

    return lambda subject, now: _preferring(purpose, subject, lambda old: change(old, now))


def fewer(purpose: Purpose, period: str) -> Wish:
    """At most one letter in a period that the policy offers, as `str(Period)`; an empty text means as they come."""
    chosen = offered(purpose.fewer, period) if period else None
    return lambda subject, _now: _preferring(purpose, subject, lambda old: Preference(old.paused_until, chosen))


def consent_scopes(policy: Policy, contact: ContactPoint) -> list[Scope]:
    """Every scope that this contact point can say yes to, soft opt-ins among them."""
    return [
        scope
        for purpose in policy.purposes_of(contact.controller)
        if purpose.takes_consent and contact.channel in purpose.channels
        for scope in purpose.scopes(contact.channel)
    ]


def running(subject: Subject, scopes: Sequence[Scope], now: int) -> list[Scope]:
    """Those that are given, or that a letter still asks about at `now` (epoch milliseconds)."""
    return [
        scope
        for scope in scopes
        if subject.state_of(scope).permits or subject.requested.get(scope.code, 0) * 1000 > now
    ]


def offered(periods: Sequence[Period], text: str) -> Period:
    """The period that was chosen among those offered, written as `str(Period)`; UnknownNameError for any other."""
    for period in periods:
        if str(period) == text:
            return period
    raise UnknownNameError("period")


def _withdrawal(subject: Subject, scopes: Sequence[Scope], now: int) -> Change | None:
    return _moved("withdrawn", running(subject, scopes, now), DecisionState.WITHDRAWN)


def _moved(kind: str, scopes: Sequence[Scope], after: DecisionState) -> Change | None:
    return Change(kind, [(scope, after) for scope in scopes]) if scopes else None


def _preferring(purpose: Purpose, subject: Subject, change: Callable[[Preference], Preference]) -> Change | None:
    """A change of preference; there is none for somebody who decided nothing."""
    key = purpose.preference_key(subject.contact.channel)
    old = subject.preferences.get(key, Preference())
    new = change(old)
    return None if new == old or subject.chain is None else Change("preferences", preferences={key: new})
