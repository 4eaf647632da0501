"""Deciding against others who decide about the same person at the same time."""

from collections.abc import Callable
from typing import TypeVar

from consent_center.domain.errors import StaleCaseError, StaleSubjectError, UnavailableError
from consent_center.ports.basics import Pause

T = TypeVar("T")

ATTEMPTS = 8
"""How often a decision that raises is tried; after that the person is asked to try again."""

WITHDRAWAL_ATTEMPTS = 20
"""A withdrawal must not lose against a burst of other changes."""


def decided_afresh(attempt: Callable[[], T], *, attempts: int, pause: Pause) -> T:
    """Read, decide and store; if somebody else was first, all of it again. UnavailableError when it never succeeds."""
    for number in range(attempts):
        try:
            return attempt()
        except (StaleSubjectError, StaleCaseError):
            pause(number)
    raise UnavailableError("too many changes to one record at once")
