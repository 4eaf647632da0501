"""Telling other systems what changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from consent_center.domain.announcement import announcement, concerning
from consent_center.domain.errors import RecipientGoneError, UnreadableMessageError
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Subject
from consent_center.ports.basics import DeadLetters
from consent_center.ports.exchange import AnnouncementOrders, Announcements, ToldRecipients


def announce(
    changes: Iterable[tuple[Subject | None, Subject]],
    *,
    policy: Policy,
    announcements: Announcements | None,
    recipients: Sequence[str],
    orders: AnnouncementOrders,
) -> int:
    """Tell of each record that went from one state to another; how many had something to tell.

    `announcements` takes them all, if there is such a place; each of `recipients` has ordered what concerns it.
    UnavailableError if one was not taken: telling all of them again is harmless.
    """
    told = [found for before, after in changes if (found := announcement(before, after, policy)) is not None]
    ordered = [
        (recipient, part)
        for one in told
        for recipient in recipients
        if (part := concerning(recipient, one, policy)) is not None
    ]
    # Recipients first: a bus that takes nothing must not keep from them that somebody said no.
    if ordered:
        orders.order(ordered)
    if told and announcements is not None:
        announcements.publish(told)
    return len(told)


class Outcome(StrEnum):
    """What became of telling a recipient."""

    TOLD = "told"
    GONE = "gone"
    """It takes no more, and the order is set aside for staff."""
    NOT_TO_BE_TOLD = "not to be told"
    """The settings no longer have it told."""


def tell(body: str, *, recipients: ToldRecipients, dead_letters: DeadLetters) -> Outcome:
    """Carry out one order as the queue has it. UnreadableMessageError; UnavailableError if it is to be tried again."""
    recipient, told = _order_in(body)
    try:
        return Outcome.TOLD if recipients.tell(recipient, told) else Outcome.NOT_TO_BE_TOLD
    except RecipientGoneError as error:
        dead_letters.set_aside(body, str(error))
        return Outcome.GONE


def _order_in(body: str) -> tuple[str, Mapping[str, Any]]:
    try:
        order = json.loads(body)
        recipient, told = order["recipient"], order["announcement"]
        # What names the message, and says when it happened.
        named = isinstance(recipient, str) and all(name in told for name in ("chain", "seq", "erased", "at"))
    except (ValueError, LookupError, TypeError):
        named = False
    if not named:
        raise UnreadableMessageError("the message names no recipient or no announcement")
    return recipient, told
