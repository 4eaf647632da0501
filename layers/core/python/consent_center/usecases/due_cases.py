"""Finding the cases that somebody has to look at, by the clock, and leaving alone what cannot be looked at."""

from dataclasses import replace
from typing import NamedTuple

from consent_center.domain.case import LogLine
from consent_center.domain.errors import StaleCaseError, UnavailableError, UnreadableCaseError
from consent_center.ports.basics import Clock
from consent_center.ports.cases import CaseOrders, Cases

MOST_TRIES = 5
"""How often the queue delivers a message before it sets it aside for people to look at."""

HELD_BACK_SECONDS = MOST_TRIES * 1800
"""How long the queue tries a message before it sets it aside: until then a case needs no other one."""

STUCK_SECONDS = 86_400
"""When a case that could not be looked at is tried again."""


class Listed(NamedTuple):
    """How many cases were due, and how many of these could not be ordered."""

    due: int
    failed: int
    unlisted: int
    """Shards that could not be read to their end: more may be due in them."""


def order_due_cases(*, cases: Cases, orders: CaseOrders, clock: Clock) -> Listed:
    """Have every case looked at that is due by now: one order for each, shard by shard.

    Whatever cannot be ordered or read holds up nothing else, and is still due at the next run; so is what a run that
    was cut short did not come to. What was ordered is left to the queue for as long as that tries it. A case that is
    ordered twice is looked at twice, which is harmless.
    """
    until = clock() // 1000
    due = failed = unlisted = 0
    for shard in range(cases.shards):
        try:
            for one in cases.due(shard, until):
                due += 1
                try:
                    orders.order(one.case, one.due_at)
                    cases.hold_back(one, until + HELD_BACK_SECONDS)
                except UnavailableError:
                    failed += 1
        except UnavailableError:
            unlisted += 1
    return Listed(due, failed, unlisted)


def is_left_alone(case: str, tries: int, *, cases: Cases, clock: Clock) -> bool:
    """Whether a look that failed before is not tried again with this message, the one of `tries` deliveries.

    Before the last delivery the case is noted as stuck; if that fails too, the queue sets the message aside, and people
    hear of it. From then on it is tried once a day, and no further message is set aside, until a look succeeds. It
    is decided before the look, because whoever looks may be killed by it. UnavailableError.
    """
    if tries < 2:
        return False
    now = clock()
    until = now // 1000 + STUCK_SECONDS
    try:
        file = cases.load(case)
    except UnreadableCaseError:
        return tries >= MOST_TRIES and not cases.put_off(case, until)
    if file is None or not (file.case.stuck_since or tries >= MOST_TRIES):
        return False
    was_stuck = bool(file.case.stuck_since)
    lines = [] if was_stuck else [LogLine(now, "stuck", "worker")]
    try:
        cases.commit(replace(file.case, stuck_since=file.case.stuck_since or now, due_at=until), lines)
    except StaleCaseError:
        # Somebody is at it, and the look tells what became of that.
        return False
    return was_stuck
