"""Counting what happened, each event once however often it is told; and reading the counters."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent_center.domain.errors import InvalidFormError, UnknownNameError
from consent_center.domain.objection import OBJECTIONS
from consent_center.domain.policy import Policy, Purpose
from consent_center.domain.statistics import (
    GROUPS,
    MOST_DAYS,
    PERIODS,
    Cell,
    Event,
    StopReason,
    Table,
    TooManyRowsError,
    cells_of_confirmation,
    cells_of_reason,
    tabulate,
)
from consent_center.ports.basics import Clock
from consent_center.ports.exchange import Statistics

MARKED_SECONDS = 48 * 3600
"""How long an event that was counted is known: twice as long as a stream of DynamoDB can tell it again."""

USUAL_DAYS = 30


def count_events(events: Sequence[Event], *, kept_days: int, statistics: Statistics, clock: Clock) -> int:
    """Add each event to its counters unless it was before; how many are new. UnavailableError: tell all of them again.

    `kept_days` is how long a day's counters are kept.
    """
    now = clock() // 1000
    return statistics.count(
        [event for event in events if event.cells], marked_until=now + MARKED_SECONDS, kept_days=kept_days
    )


def count_reason(
    link: str,
    reason: StopReason,
    *,
    purpose: Purpose,
    language: str,
    kept_days: int,
    statistics: Statistics,
    clock: Clock,
) -> bool:
    """Count why somebody stopped letters of a purpose; whether it is new. `link` is the one they stopped them by.

    A link answers once in 48 hours, however often the page is sent again. UnavailableError.
    """
    answer = Event(f"reason#{link}", cells_of_reason(reason, clock(), purpose=purpose, language=language))
    return count_events([answer], kept_days=kept_days, statistics=statistics, clock=clock) > 0


def confirmed_by(before: Mapping[str, Any], after: Mapping[str, Any], policy: Policy) -> tuple[Cell, ...]:
    """The counters of the confirmation that a change of State was, from its two images as the stream has them.

    Of the scopes that a letter asked about, those which the newest event gave. KeyError, ValueError or TypeError for
    images that are not as we write them.
    """
    seq = int(after.get("seq", {}).get("N", "0"))
    if seq <= int(before.get("seq", {}).get("N", "0")):
        return ()
    asked, left, decided = (
        image.get(name, {}).get("M", {}) for image, name in ((before, "p"), (after, "p"), (after, "d"))
    )
    given: dict[str, int] = {}
    at = 0
    for code, end in asked.items():
        text = str(decided.get(code, {}).get("S", ""))
        if code in left or not text.startswith("g"):
            continue
        given_at, given_by = (int(part) for part in text[1:].split(".")[:2])
        if given_by == seq and given_at < int(end["N"]) * 1000:
            given[code], at = int(end["N"]), given_at
    if not given:
        return ()
    return cells_of_confirmation(
        given,
        at,
        controller=after["controller"]["S"],
        language=after.get("lang", {}).get("S", ""),
        policy=policy,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know; texts as they were typed, empty for what is usual."""

    first: str = ""
    """The first day, as 2026-11-25; usually 29 days before the last."""
    last: str = ""
    """The last day; usually today (UTC)."""
    purpose: str = ""
    group: str = ""
    """Names of `GROUPS` with commas between; usually `day`."""


def read_statistics(asked: Asked, *, policy: Policy | None, statistics: Statistics, clock: Clock) -> Table:
    """The table that was asked for. Without a policy, also of a purpose that no policy has any more.

    InvalidFormError names `from`, `to` or `group`; UnknownNameError for a purpose that the policy lacks;
    UnavailableError.
    """
    now = clock()
    today = dt.datetime.fromtimestamp(now / 1000, dt.UTC).date()
    last = _date("to", asked.last) or today
    first = _date("from", asked.first) or max(dt.date(2000, 1, 1), last - dt.timedelta(days=USUAL_DAYS - 1))
    if first > last:
        raise InvalidFormError({"to": "before"})
    if (last - first).days >= MOST_DAYS:
        raise InvalidFormError({"from": "too_many_days"})
    group = tuple(name.strip() for name in asked.group.split(",")) if asked.group else ("day",)
    if not set(group) <= set(GROUPS) or len(set(group)) != len(group) or set(PERIODS) <= set(group):
        raise InvalidFormError({"group": "group"})
    known = {_EVERYTHING, *policy.purposes} if policy is not None else {asked.purpose}
    if asked.purpose and asked.purpose not in known:
        raise UnknownNameError("purpose")
    counts = statistics.counts(first.isoformat(), last.isoformat(), now // 1000)
    try:
        return tabulate(counts, first=first, last=last, group=group, purpose=asked.purpose or None)
    except TooManyRowsError:
        raise InvalidFormError({"group": "too_fine"}) from None


_EVERYTHING = next(iter(OBJECTIONS.values())).scope.purpose
"""What entries name in place of a purpose for an objection to everything of a kind."""


def _date(field: str, text: str) -> dt.date | None:
    if not text:
        return None
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        found = None
    # Other spellings of ISO 8601 are read as well; only one is documented.
    if found is None or found.isoformat() != text or not 2000 <= found.year < 3000:
        raise InvalidFormError({field: "date"})
    return found
