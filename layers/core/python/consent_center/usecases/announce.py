"""Telling other systems what changed."""

from collections.abc import Iterable

from consent_center.domain.announcement import announcement
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Subject
from consent_center.ports import Announcements


def announce(changes: Iterable[tuple[Subject | None, Subject]], *, policy: Policy, announcements: Announcements) -> int:
    """Tell of each record that went from one state to another; how many had something to tell.

    UnavailableError if one was not taken: telling all of them again is harmless.
    """
    told = [found for before, after in changes if (found := announcement(before, after, policy)) is not None]
    if told:
        announcements.publish(told)
    return len(told)
