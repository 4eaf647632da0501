"""Withdrawing by a signed link: one press, effective at once, the same answer however often it is pressed."""

from dataclasses import dataclass

from consent_center.domain.capability import Capability, WithdrawLink, open_withdrawal
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import InvalidTokenError, UnknownNameError
from consent_center.domain.policy import Policy, Purpose, Scope, Topic
from consent_center.domain.subject import Act, decide
from consent_center.ports import Chance, Clock, Pause, Secrets, Subjects
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a link stops. `kind` is `topic`, `purpose` or `request`."""

    kind: str
    purpose: Purpose
    topics: tuple[Topic, ...]
    scopes: tuple[Scope, ...]


def look_at_withdrawal(token: str, *, policy: Policy, secrets: Secrets) -> Coverage:
    """What the page offers to stop. Reads nothing about the person. InvalidTokenError."""
    return _coverage(open_withdrawal(token, secrets.links()), policy)


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
) -> tuple[Coverage, bool]:
    """Stop what the link covers; True if something was still running. When this returns it is stored.

    `route` is how the person did it: `one-click` (RFC 8058) or `page`. A person who is gone, or who stopped before, is
    success without an event. InvalidTokenError, UnavailableError.
    """
    link = open_withdrawal(token, secrets.links())
    coverage = _coverage(link, policy)
    if link.request is not None:
        subjects.cancel_request(link.contact, link.request, clock())

    def attempt() -> bool:
        subject = subjects.load(link.contact).subject
        running = [scope for scope in coverage.scopes if subject.state_of(scope).permits]
        if not running:
            return False
        decision = decide(
            subject,
            [(scope, DecisionState.WITHDRAWN) for scope in running],
            Act(
                kind="withdrawn",
                by_person=True,
                facts={"source": route, "capability": Capability.WITHDRAW.value, "policy_hash": policy.hash},
                details={"route": route},
            ),
            now=clock(),
            chance=chance.decision(),
        )
        subjects.commit(decision)
        return True

    return coverage, decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)


def _coverage(link: WithdrawLink, policy: Policy) -> Coverage:
    try:
        purpose = policy.purpose_by_code(link.purpose_code)
        scopes = purpose.scopes(link.contact.channel)
        if link.topics:
            wanted = {f"{link.purpose_code}.{code}.{link.contact.channel}" for code in link.topics}
            scopes = tuple(scope for scope in scopes if scope.code in wanted)
    except UnknownNameError:
        # Codes are never reused or removed, so this link was signed for a policy that is not ours.
        raise InvalidTokenError from None
    topics = tuple(purpose.topic(scope.topic) for scope in scopes if scope.topic is not None)
    kind = "request" if link.request else "topic" if link.topics else "purpose"
    return Coverage(kind, purpose, topics, scopes)
