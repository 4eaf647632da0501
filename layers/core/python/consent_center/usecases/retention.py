"""Working out anew how long the items of a record stay, after somebody decided something or on the day of a review."""

from datetime import UTC, datetime

from consent_center.domain.contact import ContactPoint
from consent_center.domain.policy import Policy
from consent_center.domain.retention import Keeping, Plan, plan
from consent_center.ports import Clock, Dossier, Ledger, Part, Pause, Retention
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


def _end(keeping: Keeping, now: int) -> int | None:
    """An end that has passed is now: DynamoDB never removes what ended more than five years ago."""
    return None if keeping.until is None else max(keeping.until, now // 1000)


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
