"""May a letter of this purpose be sent to this contact point now, and why. Whatever is not a clear yes is a no."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from consent_center.domain.chain import evidence_id
from consent_center.domain.decision import CONSENTS, PERMITTING, Decided, DecisionState
from consent_center.domain.lock import is_restricted
from consent_center.domain.objection import OBJECTIONS, in_force, newest_of, newness, objection
from consent_center.domain.policy import Policy, Purpose, Scope
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.subject import Subject
from consent_center.domain.suppression import Suppression


class Reason(StrEnum):
    """Why the answer is what it is. Only GIVEN, SOFT_OPT_IN and OTHER_BASIS allow."""

    GIVEN = "given"
    SOFT_OPT_IN = "soft_opt_in"
    OTHER_BASIS = "other_basis"
    NO_PRODUCT_GROUP = "no_product_group"
    """A soft opt-in holds for similar products only, and nobody said which this letter is about."""
    NO_RECORD = "no_record"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    EXPIRED = "expired"
    STALE = "stale"
    RESTRICTED = "restricted"
    SUPPRESSED = "suppressed"
    PAUSED = "paused"
    FREQUENCY = "frequency"
    UNDELIVERABLE = "undeliverable"
    NOT_INFORMED = "not_informed"
    """Somebody else gave us the data, and the letter that says so comes first (Art. 14(3)(b) GDPR)."""
    INVALID_ADDRESS = "invalid_address"
    UNAVAILABLE = "unavailable"


_NO_OF = {
    DecisionState.OBJECTED: Reason.OBJECTED,
    DecisionState.WITHDRAWN: Reason.WITHDRAWN,
    DecisionState.REFUSED: Reason.WITHDRAWN,
}

_ALLOWED = frozenset({Reason.GIVEN, Reason.SOFT_OPT_IN, Reason.OTHER_BASIS})

_PASSES_A_LOCK = frozenset({"legal_obligation", "legal_claims"})
"""What Art. 18(2) GDPR lets through while data are restricted."""

_NEEDS_CONSENT = frozenset({"email", "sms"})
"""Channels on which marketing without consent is forbidden (Art. 13 of Directive 2002/58/EC)."""


class Permission(NamedTuple):
    """An answer. `evidence` names the ledger entry that allows it, `valid_until` its end in epoch seconds, if any."""

    reason: Reason
    evidence: str | None = None
    valid_until: int | None = None

    @property
    def allowed(self) -> bool:
        return self.reason in _ALLOWED


class AskedAbout:
    """What a question is about: one topic of a purpose on a channel, or any of them. Worked out once, not per person.

    What the organisation retired allows nothing.
    """

    def __init__(self, purpose: Purpose, channel: str, topic: str | None) -> None:
        """UnknownNameError for a topic or channel that the purpose lacks."""
        self._purpose = purpose
        self._scopes = [
            scope
            for scope in ((purpose.scope(topic, channel),) if topic is not None else purpose.scopes(channel))
            if not purpose.is_retired(scope.topic)
        ]
        self._preference_key = purpose.preference_key(channel)
        self._fresh_ms = purpose.stale_after.least_ms if purpose.stale_after else 0
        self._is_mailed = channel == "email"
        self._lacks_group = purpose.rests_on_a_sale and topic is None
        if self._lacks_group:
            self._scopes = []
        self._codes = [scope.code for scope in self._scopes]
        self._takes_consent = purpose.takes_consent
        # A purpose that rested on sales once, and rests on consent today, needs a consent.
        self._enough = PERMITTING if purpose.rests_on_a_sale else CONSENTS

    def needs_last_send(self, subject: Subject, now: int) -> bool:
        """Whether the answer depends on when the last letter went out: who asked for fewer, and old consents."""
        if self._fresh_ms:
            for code in self._codes:
                answer = subject.decided.get(code)
                if answer is not None and now - answer.at >= self._fresh_ms and answer.state.permits:
                    return True
        preference = subject.preferences.get(self._preference_key)
        return preference is not None and preference.at_most_every is not None

    def permission(
        self,
        subject: Subject,
        now: int,
        last_send: int | None = None,
        also: Suppression | None = None,
    ) -> Permission:
        """The answer for one contact point at `now` (epoch milliseconds).

        `last_send` is when a letter of this purpose last went out (epoch milliseconds); it counts where
        `needs_last_send`. `also` is the suppression of the address without its tag.
        """
        found = self._permission(subject, now, last_send, also)
        if subject.inform_by and self._purpose.marketing and found.allowed:
            return Permission(Reason.NOT_INFORMED)
        return found

    def _permission(self, subject: Subject, now: int, last_send: int | None, also: Suppression | None) -> Permission:
        if subject.locks or subject.suppression or also:
            barred = self._barred(subject, also, now)
            if barred is not None:
                return Permission(barred)
        general = objection(subject, self._purpose)
        decided = [answer for code in self._codes if (answer := newest_of(subject.decided.get(code), general))]
        if not self._takes_consent:
            return Permission(_on_another_basis(self._purpose, self._scopes, decided))
        given = [answer for answer in decided if answer.state in self._enough and not answer.has_ended_at(now)]
        if not given or not subject.chain:
            return Permission(self._why_not(subject, decided, now))
        if self._fresh_ms:
            given = [answer for answer in given if not self._is_stale(answer, now, last_send)]
            if not given:
                return Permission(Reason.STALE)
        preference = subject.preferences.get(self._preference_key)
        if preference is not None:
            if preference.is_paused_at(now):
                return Permission(Reason.PAUSED)
            every = preference.at_most_every
            if every is not None and last_send is not None and now < every.after_epoch(last_send) * 1000:
                return Permission(Reason.FREQUENCY)
        newest = max(given, key=newness) if len(given) > 1 else given[0]
        reason = Reason.GIVEN if newest.state.is_consent else Reason.SOFT_OPT_IN
        return Permission(reason, evidence_id(subject.chain, newest.seq), newest.valid_until)

    def _why_not(self, subject: Subject, decided: Sequence[Decided], now: int) -> Reason:
        if self._lacks_group:
            return Reason.NO_PRODUCT_GROUP
        waits = any(subject.requested.get(scope.code, 0) * 1000 > now for scope in self._scopes)
        return Reason.PENDING if waits and not decided else _why_not(decided, now)

    def _barred(self, subject: Subject, also: Suppression | None, now: int) -> Reason | None:
        """What stops it whatever was decided about it."""
        if self._is_mailed and UNDELIVERABLE in subject.locks:
            return Reason.UNDELIVERABLE
        purpose = self._purpose
        if subject.locks and purpose.legal_basis not in _PASSES_A_LOCK and is_restricted(subject, purpose, now):
            return Reason.RESTRICTED
        return Reason.SUPPRESSED if self._is_suppressed(subject, also, now) else None

    def _is_suppressed(self, subject: Subject, also: Suppression | None, now: int) -> bool:
        """Whether a suppression stops it: marketing that the person said no yes to since."""
        held = [one.at for one in (subject.suppression, also) if one and one.holds_at(now)]
        if not self._purpose.marketing or not held:
            return False
        since = max(held)
        return not any(
            answer.at > since and answer.permits_at(now) and answer.state.is_consent
            for scope in self._scopes
            if (answer := subject.decided.get(scope.code)) is not None
        )

    def _is_stale(self, answer: Decided, now: int, last_send: int | None) -> bool:
        # Most consents are so new that their purpose need not be asked.
        return now - answer.at >= self._fresh_ms and self._purpose.went_unused(answer.at, last_send, now) is not None


def permission(
    subject: Subject, purpose: Purpose, *, channel: str, topic: str | None, now: int, last_send: int | None = None
) -> Permission:
    """The answer for one contact point, as `AskedAbout` gives it."""
    return AskedAbout(purpose, channel, topic).permission(subject, now, last_send)


class Recording(NamedTuple):
    """What may be recorded about one recipient of a letter, and whether they may be grouped or scored."""

    opens: bool = False
    clicks: bool = False
    profile: bool = False


NOTHING_RECORDED = Recording()


class RecordingRules:
    """Finds out what may be recorded, for letters of one controller: the policy is searched once, not per person."""

    def __init__(self, policy: Policy, controller: str, channel: str) -> None:
        purposes = [purpose for purpose in policy.purposes_of(controller) if not purpose.retired]
        self._tracked: Mapping[str, Sequence[tuple[Purpose, Scope]]] = {
            what: [
                (purpose, purpose.scope(topic.id, channel))
                for purpose in purposes
                if purpose.tracking and channel in purpose.channels
                for topic in purpose.topics
                if topic.tracks == what and not topic.retired
            ]
            for what in ("opens", "clicks")
        }
        # Profiling with what was recorded rests on the consent to recording; this is about all other profiling.
        self._profiled = [
            (purpose, scope)
            for purpose in purposes
            if purpose.profiling and not purpose.tracking
            for on in purpose.channels
            for scope in purpose.scopes(on)
        ]
        matters = [*self._tracked["opens"], *self._tracked["clicks"], *self._profiled]
        self._matters = frozenset([*OBJECTIONS, *(scope.code for _, scope in matters)])
        self._if_nothing_was_decided = Recording(
            profile=any(not purpose.rests_on_consent for purpose, _ in self._profiled)
        )

    def of(self, subject: Subject, now: int) -> Recording:
        """What may be recorded about a person at `now` (epoch milliseconds): nothing that they did not agree to."""
        if subject.locks:
            return self._unless_restricted(subject, now)
        return self._of(subject, now)

    def _unless_restricted(self, subject: Subject, now: int) -> Recording:
        """What a restriction leaves: nothing of the purposes that it covers."""
        found = self._of(subject, now)

        def is_free(among: Sequence[tuple[Purpose, Scope]]) -> bool:
            return not any(is_restricted(subject, purpose, now) for purpose, _ in among)

        return Recording(
            opens=found.opens and is_free(self._tracked["opens"]),
            clicks=found.clicks and is_free(self._tracked["clicks"]),
            profile=found.profile and is_free(self._profiled),
        )

    def _of(self, subject: Subject, now: int) -> Recording:
        if self._matters.isdisjoint(subject.decided):
            return self._if_nothing_was_decided
        return Recording(
            opens=any(_is_given(subject, *one, now) for one in self._tracked["opens"]),
            clicks=any(_is_given(subject, *one, now) for one in self._tracked["clicks"]),
            profile=any(
                _is_given(subject, purpose, scope, now)
                if purpose.rests_on_consent
                else _is_not_opposed(in_force(subject, purpose, scope))
                for purpose, scope in self._profiled
            ),
        )


def _is_given(subject: Subject, purpose: Purpose, scope: Scope, now: int) -> bool:
    if scope.code not in subject.decided:
        return False
    answer = in_force(subject, purpose, scope)
    return answer is not None and answer.state.is_consent and answer.permits_at(now)


def _is_not_opposed(answer: Decided | None) -> bool:
    return answer is None or not answer.state.is_the_persons_no


def _on_another_basis(purpose: Purpose, scopes: Sequence[Scope], decided: Sequence[Decided]) -> Reason:
    """What rests on an interest, a contract or the law needs no yes, and an interest yields to an objection."""
    if not scopes or (purpose.marketing and not _NEEDS_CONSENT.isdisjoint(purpose.channels)):
        return Reason.NO_RECORD
    if purpose.may_be_objected_to and not all(_is_not_opposed(answer) for answer in decided):
        return Reason.OBJECTED
    return Reason.OTHER_BASIS


def _why_not(decided: Sequence[Decided], now: int) -> Reason:
    """The newest no; a consent that ended by itself is `expired`."""
    if not decided:
        return Reason.NO_RECORD
    newest = max(decided, key=newness)
    if newest.state.permits:
        return Reason.EXPIRED if newest.has_ended_at(now) else Reason.NO_RECORD
    if newest.state is DecisionState.EXPIRED:
        return Reason.STALE if newest.valid_until is None else Reason.EXPIRED
    return _NO_OF.get(newest.state, Reason.NO_RECORD)
