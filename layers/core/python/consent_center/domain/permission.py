"""May a letter of this purpose be sent to this contact point now, and why. Whatever is not a clear yes is a no."""

from dataclasses import dataclass
from enum import StrEnum

from consent_center.domain.chain import evidence_id
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.policy import Purpose
from consent_center.domain.subject import Subject


class Reason(StrEnum):
    """Why the answer is what it is. Only GIVEN allows."""

    GIVEN = "given"
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
    INVALID_ADDRESS = "invalid_address"
    UNAVAILABLE = "unavailable"


_NO_OF = {
    DecisionState.OBJECTED: Reason.OBJECTED,
    DecisionState.WITHDRAWN: Reason.WITHDRAWN,
    DecisionState.REFUSED: Reason.WITHDRAWN,
    DecisionState.EXPIRED: Reason.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Permission:
    """An answer. `evidence` names the ledger entry that allows it, `valid_until` its end in epoch seconds, if any."""

    reason: Reason
    evidence: str | None = None
    valid_until: int | None = None

    @property
    def allowed(self) -> bool:
        return self.reason is Reason.GIVEN


def permission(subject: Subject | None, purpose: Purpose, *, channel: str, topic: str | None, now: int) -> Permission:
    """The answer for one contact point at `now` (epoch milliseconds).

    With a topic, that topic's; without, allowed if any topic of the purpose is given. What the organisation retired
    allows nothing. Only consent is answered with a yes: other legal bases are denied as `no_record` or `objected`.
    """
    if subject is None:
        return Permission(Reason.NO_RECORD)
    if "restricted" in subject.locks:
        return Permission(Reason.RESTRICTED)
    scopes = (purpose.scope(topic, channel),) if topic is not None else purpose.scopes(channel)
    decided = [
        subject.decided[scope.code]
        for scope in scopes
        if scope.code in subject.decided and not purpose.is_retired(scope.topic)
    ]
    in_force = [answer for answer in decided if answer.permits_at(now)]
    if in_force and purpose.legal_basis == "consent" and subject.chain:
        newest = max(in_force, key=_newness)
        return Permission(Reason.GIVEN, evidence_id(subject.chain, newest.seq), newest.valid_until)
    if any(subject.requested.get(scope.code, 0) * 1000 > now for scope in scopes) and not decided:
        return Permission(Reason.PENDING)
    return Permission(_why_not(decided, now))


def _why_not(decided: list[Decided], now: int) -> Reason:
    """The newest no; a consent that ended by itself is `expired`."""
    if not decided:
        return Reason.NO_RECORD
    newest = max(decided, key=_newness)
    if newest.state.permits:
        return Reason.EXPIRED if newest.has_ended_at(now) else Reason.NO_RECORD
    return _NO_OF.get(newest.state, Reason.NO_RECORD)


def _newness(decided: Decided) -> tuple[int, int]:
    return decided.at, decided.seq
