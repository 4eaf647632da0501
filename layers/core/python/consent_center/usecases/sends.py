"""Confirming that reserved letters were really sent: only that moves the clocks that count from the last letter."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from consent_center.domain.capability import SEND_GOOD_FOR_MS, LetterLink, open_letter
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import InvalidTokenError, UnknownNameError
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Clock, Secrets
from consent_center.ports.people import Send, Subjects
from consent_center.usecases.whereabouts import meant_by


class SendOutcome(StrEnum):
    """What became of one confirmation."""

    RECORDED = "recorded"
    INVALID = "invalid"
    TOO_OLD = "too_old"
    NO_RECORD = "no_record"
    """Nothing is held any more of whom the letter went to."""
    UNAVAILABLE = "unavailable"


def confirm_sends(
    send_ids: Sequence[str], *, policy: Policy, subjects: Subjects, secrets: Secrets, clock: Clock
) -> list[SendOutcome]:
    """One outcome per id, in the order given. Confirming again is harmless; an outcome is `recorded` once it is stored.

    The time of a send is that of its confirmation. It is recorded with whom the letter went to, wherever they are by
    now, and never with somebody who has come to the address since. UnavailableError.
    """
    now, keys = clock(), secrets.links()
    rows: list[SendOutcome | tuple[LetterLink, str]] = []
    for send_id in send_ids:
        try:
            letter = open_letter(send_id, keys)
            purpose = policy.purpose_by_code(letter.purpose_code)
        except (InvalidTokenError, UnknownNameError):
            rows.append(SendOutcome.INVALID)
            continue
        if now - letter.at > SEND_GOOD_FOR_MS:
            rows.append(SendOutcome.TOO_OLD)
            continue
        rows.append((letter, purpose.id))
    asked = {row[0].contact for row in rows if not isinstance(row, SendOutcome)}
    states = subjects.states(list(asked)) if asked else {}
    outcomes = [row if isinstance(row, SendOutcome) else _send(*row, states, subjects, now) for row in rows]
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


def _send(
    letter: LetterLink, purpose: str, states: Mapping[ContactPoint, Subject], subjects: Subjects, now: int
) -> SendOutcome | Send:
    here = states.get(letter.contact)
    if here is None:
        return SendOutcome.UNAVAILABLE
    (subject,) = meant_by(here, letter.at, subjects)
    since = max(subject.holder_since, subject.here_since if subject.contact == here.contact else 0)
    if subject.chain is None or letter.at < since:
        return SendOutcome.NO_RECORD
    return Send(subject.contact, purpose, now)
