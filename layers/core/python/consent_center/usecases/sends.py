"""Confirming that reserved letters were really sent: only that moves the clocks that count from the last letter."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from consent_center.domain.capability import LetterLink, open_letter
from consent_center.domain.errors import InvalidTokenError, UnknownNameError
from consent_center.domain.policy import Policy
from consent_center.ports import Clock, Secrets, Send, Subjects

GOOD_FOR_MS = 7 * 86_400_000
"""How long after its check a reserved send can be confirmed."""


class SendOutcome(StrEnum):
    """What became of one confirmation."""

    RECORDED = "recorded"
    INVALID = "invalid"
    TOO_OLD = "too_old"
    UNAVAILABLE = "unavailable"


def confirm_sends(
    send_ids: Sequence[str], *, policy: Policy, subjects: Subjects, secrets: Secrets, clock: Clock
) -> list[SendOutcome]:
    """One outcome per id, in the order given. Confirming again is harmless; an outcome is `recorded` once it is stored.

    The time of a send is that of its confirmation.
    """
    now, keys = clock(), secrets.links()
    outcomes: list[SendOutcome | Send] = []
    for send_id in send_ids:
        try:
            letter = open_letter(send_id, keys)
            purpose = policy.purpose_by_code(letter.purpose_code)
        except (InvalidTokenError, UnknownNameError):
            outcomes.append(SendOutcome.INVALID)
            continue
        outcomes.append(_dated(letter, purpose.id, now))
    outcomes = [_placed(one, subjects, secrets) if isinstance(one, Send) else one for one in outcomes]
    sends = {(send.contact, send.purpose): send for send in outcomes if isinstance(send, Send)}
    failed = subjects.record_sends(list(sends.values())) if sends else set()
    return [
        outcome
        if isinstance(outcome, SendOutcome)
        else SendOutcome.UNAVAILABLE
        if outcome.contact in failed
        else SendOutcome.RECORDED
        for outcome in outcomes
    ]


def _dated(letter: LetterLink, purpose: str, now: int) -> SendOutcome | Send:
    if now - letter.at > GOOD_FOR_MS:
        return SendOutcome.TOO_OLD
    return Send(letter.contact, purpose, now)


def _placed(send: Send, subjects: Subjects, secrets: Secrets) -> Send:
    """A letter that was checked before a rotation is noted where the record is now."""
    if send.contact.key_id == secrets.peppers().current:
        return send
    return replace(send, contact=subjects.load(send.contact).subject.contact)
