"""Withdrawing by a signed link: one press, effective at once, the same answer however often it is pressed.

"This was not me" is such a link too: it cancels a request, and withdraws what somebody confirmed with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from consent_center.domain.capability import Capability, WithdrawLink, open_done, open_withdrawal
from consent_center.domain.contact import ContactPoint, address_name
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import InvalidTokenError, UnknownNameError
from consent_center.domain.objection import in_force
from consent_center.domain.policy import Policy, Purpose, Scope, Topic
from consent_center.domain.subject import Act, Preference, Subject, decide, state_before
from consent_center.domain.wishes import consent_scopes, offered, running
from consent_center.ports.basics import Chance, Clock, Limits, Pause, Secrets
from consent_center.ports.people import Subjects
from consent_center.usecases.acts import facts
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh
from consent_center.usecases.changes import done_token, undo
from consent_center.usecases.whereabouts import meant_by


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a link stops. `kind` is `topic`, `purpose` or `request`."""

    kind: str
    purpose: Purpose
    topics: tuple[Topic, ...]
    scopes: tuple[Scope, ...]


def look_at_withdrawal(
    token: str, *, policy: Policy, secrets: Secrets, capability: Capability = Capability.WITHDRAW
) -> Coverage:
    """What the page offers to stop. Reads nothing about the person. InvalidTokenError."""
    return _coverage(open_withdrawal(token, secrets.links(), capability), policy)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a press on a withdraw link did."""

    coverage: Coverage
    is_new: bool
    """Whether something was still running."""
    contact: ContactPoint
    still: tuple[tuple[Purpose, Topic | None], ...]
    """What still comes."""
    done: str | None
    """What undoes it for fifteen minutes; None where nothing was withdrawn."""


def withdraw(
    token: str,
    *,
    route: str,
    policy: Policy,
    subjects: Subjects,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    capability: Capability = Capability.WITHDRAW,
    everything: bool = False,
    as_of: int | None = None,
) -> Withdrawal:
    """Stop what the link covers, or with `everything` all that the person receives. When this returns it is stored.

    `route` is how the person did it: `one-click` (RFC 8058), `page`, `not-me`, or `mail`. What was given after `as_of`
    (epoch milliseconds) stays: a mail may be late. A person who is gone, or who stopped before, is success without an
    event. Whose address changed since the letter is found where they are now, and so are requests where they were made.
    InvalidTokenError, UnavailableError.
    """
    link = open_withdrawal(token, secrets.links(), capability)
    coverage = _coverage(link, policy)
    stored: dict[ContactPoint, int] = {}
    """The events of this press by where they were made, those of an attempt that lost a race at another place too."""

    def stop(subject: Subject, now: int) -> Subject:
        if everything:
            stopped = running(subject, consent_scopes(policy, subject.contact), now)
        else:
            stopped = _covered(coverage, link, subject, now)
        if as_of is not None:
            stopped = given_by(as_of, subject, stopped)
        if not stopped:
            return subject
        act = Act(
            kind="withdrawn",
            by_person=True,
            facts=facts(policy, stopped, source=route, capability=capability.value),
            details={"route": route},
            circumstances={"before": state_before(subject, stopped)},
        )
        changes = [(scope, DecisionState.WITHDRAWN) for scope in stopped]
        decision = decide(subject, changes, act, now=now, chance=chance.decision())
        subjects.commit(decision)
        stored[subject.contact] = decision.entry.seq
        return decision.subject

    def attempt() -> tuple[ContactPoint, Subject]:
        now = clock()
        here = subjects.load(link.contact).subject
        if link.request is not None:
            # A request stays at the address that it was made for.
            _cancel(here, link, link.request, coverage.scopes, subjects, now)
            here = subjects.load(link.contact).subject
        first, *others = [stop(subject, now) for subject in meant_by(here, link.meant_at, subjects)]
        shown = next((one for one in (first, *others) if one.contact in stored), first)
        # What is undone from the page is undone by the same link, which names the place that it was made for.
        return (link.contact if shown.contact == here.contact else shown.contact), shown

    contact, subject = decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)
    now, seq = clock(), stored.get(subject.contact, 0)
    return Withdrawal(
        coverage,
        bool(stored),
        contact,
        still_given(policy, subject, now),
        done_token(contact, "withdrawn", "", seq, now, secrets) if seq else None,
    )


def undo_withdrawal(
    token: str,
    done: str,
    *,
    policy: Policy,
    subjects: Subjects,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    instead: str = "",
) -> bool:
    """Take back what the page did a moment ago; with `instead`, have fewer letters or a pause rather than none.

    `instead` is `pause <period>` or `fewer <period>`, with a period that the policy offers. False if it is too late, or
    something was decided since. InvalidTokenError, UnknownNameError, UnavailableError.
    """
    link = open_withdrawal(token, secrets.links())
    purpose = _coverage(link, policy).purpose
    contact = open_done(done, secrets.links()).contact
    if contact != link.contact:
        here = subjects.load(link.contact).subject
        if contact not in {one.contact for one in meant_by(here, link.meant_at, subjects)}:
            raise InvalidTokenError
    seq = undo(
        done,
        contact,
        Capability.WITHDRAW,
        instead=_instead(purpose, contact, instead, clock()),
        button=instead,
        policy=policy,
        subjects=subjects,
        secrets=secrets,
        chance=chance,
        clock=clock,
        pause=pause,
    )
    return seq is not None


def still_given(policy: Policy, subject: Subject, now: int) -> tuple[tuple[Purpose, Topic | None], ...]:
    """The letters that a person still gets at `now` (epoch milliseconds)."""
    return tuple(
        (purpose, purpose.topic(scope.topic) if scope.topic is not None else None)
        for scope in consent_scopes(policy, subject.contact)
        for purpose in [policy.purpose(scope.purpose)]
        if not purpose.tracking and not purpose.is_retired(scope.topic)
        for answer in [in_force(subject, purpose, scope)]
        if answer is not None and answer.permits_at(now)
    )


def _covered(coverage: Coverage, link: WithdrawLink, subject: Subject, now: int) -> list[Scope]:
    """What the link stops of what runs. Who stops a whole purpose also takes back what a letter still asks about."""
    asked = {code for code, until in subject.requested.items() if until * 1000 > now}
    return [
        scope
        for scope in coverage.scopes
        if (subject.state_of(scope).permits and subject.decided[scope.code].at >= link.since)
        or (coverage.kind == "purpose" and scope.code in asked)
    ]


def given_by(at: int, subject: Subject, scopes: Iterable[Scope]) -> list[Scope]:
    """Those that were not given after a moment (epoch milliseconds); what a letter only asks about is among them."""
    return [scope for scope in scopes if not subject.state_of(scope).permits or subject.decided[scope.code].at <= at]


def _instead(purpose: Purpose, contact: ContactPoint, text: str, now: int) -> dict[str, Preference]:
    if not text:
        return {}
    kind, _, period = text.partition(" ")
    if kind == "pause":
        chosen = Preference(paused_until=offered(purpose.pauses, period).after_epoch(now))
    elif kind == "fewer":
        chosen = Preference(at_most_every=offered(purpose.fewer, period))
    else:
        raise UnknownNameError("period")
    return {purpose.preference_key(contact.channel): chosen}


def _cancel(
    subject: Subject, link: WithdrawLink, request: str, scopes: Iterable[Scope], subjects: Subjects, now: int
) -> None:
    """Remove a request, and the marks of what it asked about."""
    codes = {scope.code for scope in scopes}
    left = {code: until for code, until in subject.requested.items() if code not in codes and until * 1000 > now}
    # Where it was stored, and from there on to where the record is.
    subjects.cancel_request(link.contact, request, left, now)


def _coverage(link: WithdrawLink, policy: Policy) -> Coverage:
    try:
        purpose = policy.purpose_by_code(link.purpose_code)
        scopes = purpose.scopes(link.contact.channel)
    except UnknownNameError:
        raise InvalidTokenError from None
    if link.topics:
        wanted = {f"{link.purpose_code}.{code}.{link.contact.channel}" for code in link.topics}
        scopes = tuple(scope for scope in scopes if scope.code in wanted)
    if not scopes:
        # Codes are never reused or removed, so this link was signed for a policy that is not ours.
        raise InvalidTokenError
    topics = tuple(purpose.topic(scope.topic) for scope in scopes if scope.topic is not None)
    kind = "request" if link.request else "topic" if link.topics else "purpose"
    return Coverage(kind, purpose, topics, scopes)


def block_letters(token: str, *, policy: Policy, limits: Limits, secrets: Secrets, clock: Clock) -> int:
    """Send no confirmation letter to whoever said "this was not me" for as long as requests are kept.

    Answers for how many days. InvalidTokenError, UnavailableError.
    """
    link = open_withdrawal(token, secrets.links(), Capability.NOT_ME)
    now = clock()
    limits.block(address_name(link.contact), policy.pending_period.after_epoch(now))
    return policy.pending_days(now)
