"""Keeping somebody out, and taking somebody out: both on the person's word, and neither ever raises anything."""

from functools import partial

from consent_center.domain.capability import SEND_GOOD_FOR_MS
from consent_center.domain.contact import Address, ContactPoint
from consent_center.domain.decision import DecisionState
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Act, Subject
from consent_center.domain.subject import erase as erased
from consent_center.domain.subject import suppress as suppressed
from consent_center.domain.suppression import Basis, Suppression, base_of
from consent_center.domain.wishes import consent_scopes, running
from consent_center.ports.basics import Chance, Clock, Pause, Secrets
from consent_center.ports.people import Subjects
from consent_center.usecases.acts import facts
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh
from consent_center.usecases.whose import whose

CHANNEL = "email"

_COVERS = "suppression"


def suppress(
    address: Address,
    *,
    basis: Basis,
    source: str,
    client: str,
    controller: str,
    policy: Policy,
    subjects: Subjects,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> str:
    """Suppress an address, with the one that it has without its tag; the event that says so of the address.

    What it agreed to ends with it. Somebody who is suppressed is so anew, because a yes at another tag may lie between;
    the later end stays. `source` is the door it came by, `client` who came. UnavailableError.
    """

    def attempt(contact: ContactPoint) -> str:
        now = clock()
        subject = subjects.load(contact).subject
        stopped = running(subject, consent_scopes(policy, contact), now)
        told = {**facts(policy, stopped, source=source, capability=source), "recorded_by": client}
        act = Act("suppressed", by_person=False, facts=told, details={"route": source})
        decision = suppressed(
            subject,
            new_suppression(basis, policy, controller, now),
            [(scope, DecisionState.WITHDRAWN) for scope in stopped],
            act,
            now=now,
            chance=chance.decision(),
        )
        subjects.commit(decision)
        return decision.entry.evidence

    # The address without the tag first: it is the one that keeps out all the others.
    evidence = [
        decided_afresh(partial(attempt, contact), attempts=WITHDRAWAL_ATTEMPTS, pause=pause)
        for contact in _spellings(address, controller, subjects, secrets)
    ]
    return evidence[-1]


def erase(
    address: Address,
    *,
    keep_fingerprint: bool,
    source: str,
    client: str,
    controller: str,
    policy: Policy,
    subjects: Subjects,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> bool:
    """Remove all that is held of an address, but its ledger, which then leads to nobody; False if it was so before.

    With `keep_fingerprint` the address is suppressed, also without its tag; otherwise nothing is left once no letter
    can still ask about it, unless it was suppressed before: an operator cannot lift that. A run that was cut short is
    finished by the next one.
    UnavailableError.
    """
    spellings = _spellings(address, controller, subjects, secrets)
    if keep_fingerprint and len(spellings) > 1:
        suppress(
            Address(base.normalised, base.normalised) if (base := base_of(address)) else address,
            basis=Basis.ERASURE,
            source=source,
            client=client,
            controller=controller,
            policy=policy,
            subjects=subjects,
            secrets=secrets,
            chance=chance,
            clock=clock,
            pause=pause,
        )
    contact = spellings[-1]

    def marked() -> bool:
        now = clock()
        subject = subjects.load(contact).subject
        if subject.erasing is not None:
            return True
        kept = subject.suppression if _is_suppressed(subject, now) else None
        if keep_fingerprint and kept is None:
            kept = new_suppression(Basis.ERASURE, policy, controller, now)
        if subject.chain is None and subject.version and kept == subject.suppression:
            # Erased before: there may still be a request that came since.
            return False
        told = {**facts(policy, (), source=source, capability=source), "recorded_by": client}
        act = Act("erased", by_person=False, facts=told, details={})
        subjects.commit(erased(subject, kept, act, now=now, chance=chance.decision()))
        return True

    def cleared() -> None:
        now = clock()
        subject = subjects.load(contact).subject
        if subject.version == 0:
            return
        subjects.clear(subject, left_until(subject, policy, now))

    was_held = decided_afresh(marked, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)
    decided_afresh(cleared, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)
    return was_held


def new_suppression(basis: Basis, policy: Policy, controller: str, now: int) -> Suppression:
    """A suppression that begins now, with the end that the policy's rule gives it; `now` in epoch milliseconds."""
    rule = policy.rule_covering(_COVERS)
    until = rule.period.after_epoch(now) if rule and rule.period else None
    return Suppression(basis, now, policy.notice_of(controller).version, until)


def left_until(subject: Subject, policy: Policy, now: int) -> int | None:
    """When what an erasure leaves of a record is gone (epoch seconds; None: never); `now` in epoch milliseconds.

    Without a suppression it stays for as long as letters from before can still be confirmed: a request, or a send.
    """
    if subject.suppression is not None:
        return subject.suppression.until
    return max(policy.pending_period.after_epoch(now), (now + SEND_GOOD_FOR_MS) // 1000)


def _is_suppressed(subject: Subject, now: int) -> bool:
    return subject.suppression is not None and subject.suppression.holds_at(now)


def _spellings(address: Address, controller: str, subjects: Subjects, secrets: Secrets) -> list[ContactPoint]:
    """The address without its tag, if it has one, and the address."""
    base = base_of(address)
    return [
        whose(one, controller=controller, subjects=subjects, secrets=secrets)
        for one in ([base, address] if base else [address])
    ]
