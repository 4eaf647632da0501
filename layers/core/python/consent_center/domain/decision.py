"""What a person decided about one scope, in the words of the Data Privacy Vocabulary (DPV)."""

from enum import StrEnum
from typing import NamedTuple

from consent_center.domain.errors import ForbiddenTransitionError


class DecisionState(StrEnum):
    """The DPV states that a record can be in; only GIVEN, RENEWED and SOFT_OPT_IN may be relied on."""

    UNKNOWN = "ConsentUnknown"
    REQUESTED = "ConsentRequested"
    DEFERRED = "ConsentRequestDeferred"
    REFUSED = "ConsentRefused"
    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    WITHDRAWN = "ConsentWithdrawn"
    EXPIRED = "ConsentExpired"
    TERMINATED = "ConsentTerminated"
    INVALIDATED = "ConsentInvalidated"
    OBJECTED = "ObjectionRaised"
    """Not a consent state of DPV: the answer to a purpose that rests on a legitimate interest (Art. 21 GDPR)."""
    LIFTED = "ObjectionLifted"
    """Ours, because DPV has no word for it: the person took an objection back."""
    SOFT_OPT_IN = "SoftOptIn"
    """Ours, and no consent: they bought something and were offered to say no (Art. 13(2) of Directive 2002/58/EC)."""

    @property
    def permits(self) -> bool:
        return self in PERMITTING

    @property
    def is_consent(self) -> bool:
        """Whether the person said yes themselves; a soft opt-in is none."""
        return self in CONSENTS

    @property
    def is_the_persons_no(self) -> bool:
        """Whether only the person can turn this into a yes."""
        return self in _THE_PERSONS_NO


# Looking a member up in its class costs more than all the rest of these questions.
CONSENTS = (DecisionState.GIVEN, DecisionState.RENEWED)
PERMITTING = (*CONSENTS, DecisionState.SOFT_OPT_IN)
_THE_PERSONS_NO = (DecisionState.WITHDRAWN, DecisionState.REFUSED, DecisionState.OBJECTED)


class Decided(NamedTuple):
    """The newest decision about one scope."""

    state: DecisionState
    at: int
    """Epoch milliseconds."""
    seq: int
    """The ledger entry that proves it."""
    valid_until: int | None = None
    """Epoch seconds from which it may no longer be relied on."""

    def permits_at(self, now: int) -> bool:
        """Whether it may be relied on at `now` (epoch milliseconds)."""
        return self.state.permits and not self.has_ended_at(now)

    def has_ended_at(self, now: int) -> bool:
        return self.valid_until is not None and now >= self.valid_until * 1000


def require_allowed(before: DecisionState, after: DecisionState, *, by_person: bool) -> None:
    """Refuse a raise that is not the person's own act: ForbiddenTransitionError.

    Whoever said no stays at no until the same person says yes (Art. 7(3), 21(3) GDPR); no import, tool or job may.
    """
    raises = after.permits or after in (DecisionState.LIFTED, DecisionState.UNKNOWN)
    if raises and before.is_the_persons_no and not by_person:
        raise ForbiddenTransitionError(f"{before} to {after}")
