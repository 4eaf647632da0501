"""Working out anew how long the items of a record stay, after somebody decided something or on the day of a review."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import UnavailableError
from consent_center.domain.policy import Policy
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.retention import EXPIRED, STALE, Ended, Keeping, Plan, ended, plan
from consent_center.domain.subject import Act, Subject, end_by_itself, timestamp
from consent_center.domain.told import untold
from consent_center.ports.basics import Chance, Clock, Pause
from consent_center.ports.evidence import Ledger
from consent_center.ports.letters import Part
from consent_center.ports.people import Dossier, End, Removal, Removals, Retention, Reviews, Subjects
from consent_center.usecases.acts import facts
from consent_center.usecases.attempts import ATTEMPTS, decided_afresh
from consent_center.usecases.changes import UNDO_SECONDS

SOURCE = "clock"
"""The source and the capability of what nobody did."""


UNTOLD = "untold"
"""Takes the place of the day of a review while somebody should have been told by now: looked at every night."""


@dataclass(frozen=True, slots=True)
class Reconsidered:
    """What a look at a record did."""

    changed: int
    """Items that have another end now, or lost their circumstances."""
    noted: tuple[str, ...] = ()
    """Kinds of the ends that were entered into its chain."""
    going_stale: tuple[tuple[str, int], ...] = ()
    """As `Plan` has them, if the look was due: each is told of once."""
    untold: tuple[int, ...] = ()
    """Numbers of the events that brought data from others, of which the person can and must still be told."""


def reconsider(
    contact: ContactPoint,
    *,
    policy: Policy,
    subjects: Subjects,
    retention: Retention,
    ledger: Ledger,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Reconsidered:
    """Note what ended by itself, and give each item of a record the end that the policy gives it.

    Running it again is harmless. Whoever decides meanwhile comes first: their record is looked at afresh.
    UnavailableError.
    """
    noted: list[str] = []

    def attempt() -> Reconsidered:
        dossier = retention.dossier(contact)
        if dossier is None:
            return Reconsidered(retention.end_strays(contact, clock() // 1000), tuple(noted))
        now = clock()
        was_due = dossier.review_on is not None and dossier.review_on <= _day(now // 1000)
        # Looked for afresh after each note: whoever gives a consent anew in between has not let it end.
        while over := ended(dossier.subject, _last_sends(dossier), policy, now):
            noted.append(_note(dossier.subject, over[0], policy=policy, subjects=subjects, chance=chance, now=now))
            dossier = retention.dossier(contact)
            if dossier is None:
                return Reconsidered(0, tuple(noted))
        found = look_into(dossier, policy=policy, ledger=ledger, now=now)
        wanted = {part: _end(keeping_of(part, found), now) for part in dossier.ends}
        ends = {part: end for part, end in wanted.items() if end != dossier.ends[part]}
        bare = dossier.with_circumstances & found.bare
        review_on = _day(found.review_at) if found.review_at is not None else None
        to_tell = _to_tell(dossier.subject, ledger, now)
        if to_tell and dossier.subject.inform_by * 1000 <= now:
            review_on = UNTOLD
        if ends or bare or review_on != dossier.review_on:
            retention.keep(dossier, ends, bare, review_on)
        return Reconsidered(len(ends) + len(bare), tuple(noted), found.going_stale if was_due else (), to_tell)

    return decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def _to_tell(subject: Subject, ledger: Ledger, now: int) -> tuple[int, ...]:
    """Nobody is written to where no letter arrives, or who asked not to be written to."""
    is_suppressed = subject.suppression is not None and subject.suppression.holds_at(now)
    if not subject.inform_by or subject.chain is None or UNDELIVERABLE in subject.locks or is_suppressed:
        return ()
    return tuple(untold(ledger.entries(subject.chain)).deadlines)


def _note(subject: Subject, one: Ended, *, policy: Policy, subjects: Subjects, chance: Chance, now: int) -> str:
    """Enter the end of consents into their chain; the kind of the entry. StaleSubjectError."""
    kind = STALE if one.is_stale else EXPIRED
    told = {**facts(policy, one.scopes, source=SOURCE, capability=SOURCE), "ended_at": timestamp(one.at * 1000)}
    act = Act(kind, by_person=False, facts=told, details={})
    decision = end_by_itself(
        subject, one.scopes, act, ended_at=one.at, is_stale=one.is_stale, now=now, chance=chance.decision()
    )
    subjects.commit(decision)
    return kind


def look_into(dossier: Dossier, *, policy: Policy, ledger: Ledger, now: int) -> Plan:
    """Why each item of a record is there, until when, and by which rule; `now` in epoch milliseconds."""
    chain = dossier.subject.chain
    entries = ledger.entries(chain) if chain is not None else []
    return plan(dossier.subject, entries, _last_sends(dossier), policy, now, UNDO_SECONDS * 1000)


def _last_sends(dossier: Dossier) -> dict[str, int]:
    """When a letter last went out by purpose, on whichever channel; epoch milliseconds."""
    found: dict[str, int] = {}
    for (purpose, _), at in dossier.last_sends.items():
        found[purpose] = max(at, found.get(purpose, 0))
    return found


def keeping_of(part: Part, found: Plan) -> Keeping:
    """How an item of a record is kept."""
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
    overdue: int = 0
    """Of those due, who should have been told by now where their data are from."""


def order_reviews(*, reviews: Reviews, clock: Clock) -> Ordered:
    """Order a look at every record whose review is due today or was in the last days.

    What could not be ordered is counted, and found again the next day. UnavailableError if the days cannot be read.
    """
    today = datetime.fromtimestamp(clock() / 1000, UTC).date()
    due = failed = overdue = 0
    days = [(today - timedelta(days=back)).isoformat() for back in range(CATCH_UP_DAYS, -1, -1)]
    for day in (*days, UNTOLD):
        for contact in reviews.due(day):
            due += 1
            overdue += day == UNTOLD
            try:
                reviews.order(contact)
            except UnavailableError:
                failed += 1
    return Ordered(due, failed, overdue)


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
