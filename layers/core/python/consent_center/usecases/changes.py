"""Carrying out what a person wishes, and undoing it: every such act is one event that says what was there before."""

from collections.abc import Mapping

from consent_center.domain.capability import Capability, DoneLink, open_done, seal_done
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import InvalidTokenError
from consent_center.domain.moving import UNDER_WAY_MS
from consent_center.domain.objection import OBJECTIONS
from consent_center.domain.policy import Policy, Scope
from consent_center.domain.subject import Act, Preference, decide, preference_row, restore, state_before
from consent_center.domain.wishes import Change, Wish
from consent_center.ports.basics import Chance, Clock, Pause, Secrets
from consent_center.ports.people import Subjects
from consent_center.usecases.acts import facts, wording_facts
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh

UNDO_SECONDS = 15 * 60
"""How long a change can be undone with one press."""


def carry_out(
    contact: ContactPoint,
    wish: Wish,
    capability: Capability,
    *,
    policy: Policy,
    subjects: Subjects,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> int | None:
    """Store what the person wishes; the number of the event that proves it, or None if it was so already.

    UnknownNameError for a wish about another controller's purpose, of which this record knows nothing.
    """

    def attempt() -> int | None:
        now = clock()
        subject = subjects.load(contact).subject
        change = wish(subject, now)
        if change is None:
            return None
        _require_own(change, contact, policy)
        before = state_before(subject, [scope for scope, _ in change.decisions], change.preferences)
        decision = decide(
            subject,
            change.decisions,
            _act(change, before, capability, policy, contact.controller),
            now=now,
            chance=chance.decision(),
            valid_until=change.valid_until,
            preferences=change.preferences,
        )
        subjects.commit(decision)
        return decision.entry.seq

    return decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)


def done_token(contact: ContactPoint, did: str, about: str, seq: int, now: int, secrets: Secrets) -> str:
    """What the page after a press is shown with: it says what was done, and undoes it for a while.

    `about` is a purpose, `<purpose>/<topic>` or empty, `seq` the event or 0, `now` in epoch milliseconds.
    """
    return seal_done(DoneLink(contact, did, about, seq, now // 1000 + UNDO_SECONDS), secrets.links())


def undo(
    token: str,
    contact: ContactPoint,
    capability: Capability,
    *,
    policy: Policy,
    subjects: Subjects,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    instead: Mapping[str, Preference] | None = None,
    button: str = "",
) -> int | None:
    """Restore exactly what was there before one event; the number of the event that did, or None if that cannot be.

    It cannot after fifteen minutes, and not when something was decided since. `instead` are preferences to set in the
    same act: fewer letters rather than none; `button` is what the person chose so. Pressing the same again is success
    without an event. InvalidTokenError for what was made for somebody else.
    """
    link = open_done(token, secrets.links())
    if link.contact != contact:
        raise InvalidTokenError
    if not link.seq or clock() // 1000 >= link.ends_at:
        return None

    def attempt() -> int | None:
        now = clock()
        subject = subjects.load(contact).subject
        pressed_at = (link.ends_at - UNDO_SECONDS) * 1000
        if subject.chain is None or subject.seq not in (link.seq, link.seq + 1):
            return None
        if subject.next_move(pressed_at - UNDER_WAY_MS) is not None:
            # Whoever pressed has moved away, and the event of that number is another person's.
            return None
        newest = subjects.payload(subject.chain, subject.seq)
        if newest is None:
            return None
        pressed = {"route": "undo", "restores": link.seq, "button": button}
        if newest.content == pressed:
            # This very press, whose answer was lost.
            return subject.seq
        before = (newest.circumstances or {}).get("before")
        if subject.seq != link.seq or before is None:
            return None
        scopes = [scope_of(code, policy) for code in before["scopes"]]
        told = facts(policy, scopes, source="page", capability=capability.value)
        act = Act("restored", by_person=True, facts={**told, "restores": link.seq}, details=pressed)
        rows = {key: preference_row(preference) for key, preference in (instead or {}).items()}
        before = {**before, "preferences": {**before["preferences"], **rows}}
        decision = restore(subject, before, scopes, act, now=now, chance=chance.decision())
        subjects.commit(decision)
        return decision.entry.seq

    return decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)


def scope_of(code: str, policy: Policy) -> Scope:
    """The scope stored under a code: one of the policy's, or an objection to all of something. UnknownNameError."""
    against = OBJECTIONS.get(code)
    return against.scope if against else policy.scope_by_code(code)


def _require_own(change: Change, contact: ContactPoint, policy: Policy) -> None:
    named = {scope.purpose for scope, _ in change.decisions if scope.purpose in policy.purposes}
    named |= {policy.purpose_by_code(key.partition(".")[0]).id for key in change.preferences}
    for purpose in named:
        policy.purpose_of(contact.controller, purpose)


def _act(change: Change, before: Mapping[str, object], capability: Capability, policy: Policy, controller: str) -> Act:
    scopes = [scope for scope, _ in change.decisions]
    told = facts(policy, scopes, source="page", capability=capability.value)
    details: dict[str, object] = {"route": capability.value}
    if change.wording is not None:
        how = "preference page, opened by a link sent by e-mail"
        told |= wording_facts(policy, change.wording, controller, how)
        details["wording"] = list(change.wording.paragraphs)
    return Act(change.kind, by_person=True, facts=told, details=details, circumstances={"before": dict(before)})
