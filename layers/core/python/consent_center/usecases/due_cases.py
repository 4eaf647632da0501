"""Finding the cases that somebody has to look at, by the clock."""

from typing import NamedTuple

from consent_center.domain.errors import UnavailableError
from consent_center.ports import CaseOrders, Cases, Clock

HELD_BACK_SECONDS = 5 * 1800
"""How long the queue tries a message before it sets it aside: until then a case needs no other one."""


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
