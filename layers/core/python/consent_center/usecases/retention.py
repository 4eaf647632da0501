"""Working out anew how long the items of a record stay, after somebody decided something or on the day of a review."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import UnavailableError
from consent_center.domain.policy import Policy
from consent_center.domain.retention import Keeping, Plan, plan
from consent_center.ports import Clock, Dossier, End, Ledger, Part, Pause, Removal, Removals, Retention, Reviews
from consent_center.usecases.attempts import ATTEMPTS, decided_afresh
from consent_center.usecases.changes import UNDO_SECONDS


def reconsider(
    contact: ContactPoint, *, policy: Policy, retention: Retention, ledger: Ledger, clock: Clock, pause: Pause
) -> int:
    """Give each item of a record the end that the policy gives it; how many items changed.

    Running it again is harmless. UnavailableError.
    """

    def attempt() -> int:
        dossier = retention.dossier(contact)
        if dossier is None:
            return 0
        now = clock()
        found = look_into(dossier, policy=policy, ledger=ledger, now=now)
        ends = {part: end for part, known in dossier.ends.items() if (end := _end(_keeping(part, found), now)) != known}
        bare = dossier.with_circumstances & found.bare
        review_on = _day(found.review_at) if found.review_at is not None else None
        if ends or bare or review_on != dossier.review_on:
            retention.keep(dossier, ends, bare, review_on)
        return len(ends) + len(bare)

    return decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def look_into(dossier: Dossier, *, policy: Policy, ledger: Ledger, now: int) -> Plan:
    """Why each item of a record is there, until when, and by which rule; `now` in epoch milliseconds."""
    last_sends: dict[str, int] = {}
    for (purpose, _), at in dossier.last_sends.items():
        last_sends[purpose] = max(at, last_sends.get(purpose, 0))
    chain = dossier.subject.chain
    entries = ledger.entries(chain) if chain is not None else []
    return plan(dossier.subject, entries, last_sends, policy, now, UNDO_SECONDS * 1000)


def _keeping(part: Part, found: Plan) -> Keeping:
    if part.kind == "payload":
        # An event that the ledger does not have is a fault to be looked at, and stays until somebody did.
        return found.payloads.get(int(part.of), found.state)
    return found.profile if part.kind == "profile" else found.state


def _end(keeping: Keeping, now: int) -> End | None:
    """An end that has passed is now: DynamoDB never removes what ended more than five years ago."""
    return None if keeping.until is None else End(max(keeping.until, now // 1000), keeping.rule)


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


CATCH_UP_DAYS = 31
"""How many days of reviews a job looks back over, so that one that did not run is made up for."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a job of reviews did."""

    due: int
    failed: int


def order_reviews(*, reviews: Reviews, clock: Clock) -> Ordered:
    """Order a look at every record whose review is due today or was in the last days.

    What could not be ordered is counted, and found again the next day. UnavailableError if the days cannot be read.
    """
    today = datetime.fromtimestamp(clock() / 1000, UTC).date()
    due = failed = 0
    for back in range(CATCH_UP_DAYS, -1, -1):
        for contact in reviews.due((today - timedelta(days=back)).isoformat()):
            due += 1
            try:
                reviews.order(contact)
            except UnavailableError:
                failed += 1
    return Ordered(due, failed)


def prove_removal(removal: Removal, *, policy: Policy, removals: Removals) -> None:
    """Keep a proof that an item was removed when its time was over (Art. 5(2) GDPR). UnavailableError."""
    rule = policy.rule_covering("compliance-record")
    period = rule.period if rule else None
    removals.prove(removal, period.after_epoch(removal.removed_at * 1000) if period else None)


def moves_a_clock(before: Mapping[str, object] | None) -> bool:
    """Whether a recorded send, given what stood there before, has its record looked at again.

    The first of its kind does, and one that took an end away: it was confirmed after the consent was over. All others
    are letters to people who still want them, and move no end.
    """
    return before is None or "expires_at" in before


def has_been_decided(before: Mapping[str, object] | None, after: Mapping[str, object]) -> bool:
    """Whether a change of a stored state was a decision: giving it an end, or a mark, is none."""
    return "chain" in after and (before is None or before.get("version") != after.get("version"))
