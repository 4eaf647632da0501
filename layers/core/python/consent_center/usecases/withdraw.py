"""Withdrawing by a signed link: one press, effective at once, the same answer however often it is pressed.

"This was not me" is such a link too: it cancels a request, and withdraws what somebody confirmed with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from consent_center.domain.capability import Capability, WithdrawLink, open_withdrawal
from consent_center.domain.contact import address_name
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import InvalidTokenError, UnknownNameError
from consent_center.domain.policy import Policy, Purpose, Scope, Topic
from consent_center.domain.subject import Act, Subject, decide
from consent_center.ports import Chance, Clock, Limits, Pause, Secrets, Subjects
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh


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
) -> tuple[Coverage, bool]:
    """Stop what the link covers; True if something was still running. When this returns it is stored.

    `route` is how the person did it: `one-click` (RFC 8058), `page`, or `not-me`. A person who is gone, or who stopped
    before, is success without an event. InvalidTokenError, UnavailableError.
    """
    link = open_withdrawal(token, secrets.links(), capability)
    coverage = _coverage(link, policy)

    def attempt() -> bool:
        now = clock()
        subject = subjects.load(link.contact).subject
        if link.request is not None:
            _cancel(subject, link.request, coverage.scopes, subjects, now)
            subject = subjects.load(link.contact).subject
        # Who stops a whole purpose also takes back what a letter still asks about.
        asked = {code for code, until in subject.requested.items() if until * 1000 > now}
        running = [
            scope
            for scope in coverage.scopes
            if (subject.state_of(scope).permits and subject.decided[scope.code].at >= link.since)
            or (coverage.kind == "purpose" and scope.code in asked)
        ]
        if not running:
            return False
        act = Act(
            kind="withdrawn",
            by_person=True,
            facts={"source": route, "capability": capability.value, "policy_hash": policy.hash},
            details={"route": route},
        )
        changes = [(scope, DecisionState.WITHDRAWN) for scope in running]
        subjects.commit(decide(subject, changes, act, now=now, chance=chance.decision()))
        return True

    return coverage, decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)


def _cancel(subject: Subject, request: str, scopes: Iterable[Scope], subjects: Subjects, now: int) -> None:
    """Remove a request, and the marks of what it asked about."""
    codes = {scope.code for scope in scopes}
    left = {code: until for code, until in subject.requested.items() if code not in codes and until * 1000 > now}
    subjects.cancel_request(subject.contact, request, left, now)


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
