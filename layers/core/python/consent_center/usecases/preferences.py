"""The preference page: what a person receives and what is done with their data, and every change they can make there.

The link is the authority: it reached the person by mail, holds for an hour, and needs neither a session nor a log-in.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from consent_center.domain.capability import Capability, DoneLink, open_done, open_manage
from consent_center.domain.contact import ContactPoint, address_name
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.errors import (
    InvalidTokenError,
    NothingHeldError,
    TooManyRequestsError,
    UnknownNameError,
)
from consent_center.domain.letter import Letter
from consent_center.domain.objection import Against, in_force, newest_of, objection
from consent_center.domain.policy import Policy, Purpose, Scope, Topic
from consent_center.domain.request import Request, standing
from consent_center.domain.subject import Preference, Subject
from consent_center.domain.wishes import Change, Wish
from consent_center.domain.wording import Wording, consent_wording
from consent_center.ports.basics import Chance, Clock, Limits, Pause, Secrets
from consent_center.ports.letters import LetterOrder, Outbox
from consent_center.ports.people import Holdings, Profile, Subjects
from consent_center.usecases import changes
from consent_center.usecases.whereabouts import require_here


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that a person can say yes or no to."""

    purpose: Purpose
    topic: Topic | None
    scope: Scope
    decided: Decided | None
    """What holds now: the person's newest decision about it, or an objection that covers it."""
    is_on: bool
    asked_until: int | None = None
    """Epoch seconds until which a letter waits for confirmation."""
    wording: Wording | None = None
    """What is agreed to by switching it on here; None where a letter asks for it, or it is on."""
    ended_at: int | None = None
    """Epoch seconds since which a consent that nobody withdrew may not be relied on: it ended, or nobody used it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A consent purpose with its rows, and how often the person wants it."""

    purpose: Purpose
    rows: tuple[Row, ...]
    preference: Preference


@dataclass(frozen=True, slots=True)
class PreferencePage:
    """All that the page shows."""

    contact: ContactPoint
    subject: Subject
    profile: Profile | None
    language: str
    received: tuple[Choice, ...]
    """Letters that rest on consent, or on a sale (soft opt-in)."""
    recorded: tuple[Choice, ...]
    """Tracking."""
    interests: tuple[Row, ...]
    """What rests on an interest of the organisation."""
    objections: Mapping[Against, Decided | None]
    done: DoneLink | None
    """What the press before has just done."""
    can_undo: bool


def look_at_preferences(
    token: str, done: str, *, policy: Policy, subjects: Subjects, secrets: Secrets, clock: Clock
) -> PreferencePage:
    """What the page shows; `done` is what the press before answered with, or empty. Reads only.

    InvalidTokenError, ExpiredTokenError; NothingHeldError where nothing is stored.
    """
    now = clock()
    link = open_manage(token, secrets.links(), now=now // 1000)
    contact = link.contact
    held = subjects.holdings(contact)
    require_here(held.subject, link.made_at)
    just_done = _just_done(done, contact, secrets)
    return _page(contact, held, just_done, policy, now)


def change_preferences(
    token: str,
    wish: Wish,
    did: str,
    about: str = "",
    *,
    policy: Policy,
    subjects: Subjects,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> str | None:
    """Carry out a wish; answers the token that tells and undoes it, or None if it was so already.

    `did` is the word for what was done, `about` a purpose, `<purpose>/<topic>` or empty. What it answers is stored.
    InvalidTokenError, ExpiredTokenError, UnknownNameError, WordingChangedError, UnavailableError.
    """
    link = open_manage(token, secrets.links(), now=clock() // 1000)
    contact = link.contact

    def wish_of_who_is_here(subject: Subject, now: int) -> Change | None:
        require_here(subject, link.made_at)
        return wish(subject, now)

    seq = changes.carry_out(
        contact,
        wish_of_who_is_here,
        Capability.MANAGE,
        policy=policy,
        subjects=subjects,
        chance=chance,
        clock=clock,
        pause=pause,
    )
    return None if seq is None else changes.done_token(contact, did, about, seq, clock(), secrets)


def undo_change(
    token: str,
    done: str,
    *,
    policy: Policy,
    subjects: Subjects,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> str:
    """Undo what was done a moment ago; answers the token of that. Raises as `change_preferences` does."""
    contact = open_manage(token, secrets.links(), now=clock() // 1000).contact
    seq = changes.undo(
        done,
        contact,
        Capability.MANAGE,
        policy=policy,
        subjects=subjects,
        secrets=secrets,
        chance=chance,
        clock=clock,
        pause=pause,
    )
    return changes.done_token(contact, "too_late" if seq is None else "undone", "", seq or 0, clock(), secrets)


def ask_to_start(
    token: str,
    purpose_id: str,
    topic_id: str | None,
    *,
    most_per_address: int,
    policy: Policy,
    subjects: Subjects,
    outbox: Outbox,
    limits: Limits,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
) -> str:
    """Order the letter that asks for a consent which counts only once it is confirmed (double opt-in).

    Answers what the next page is shown with. TooManyRequestsError when too many letters were asked for this hour.
    """
    now = clock()
    link = open_manage(token, secrets.links(), now=now // 1000)
    purpose = policy.purpose_of(link.contact.controller, purpose_id)
    purpose.scope(topic_id, link.contact.channel)
    held = subjects.holdings(link.contact)
    require_here(held.subject, link.made_at)
    if held.profile is None or purpose.is_retired(topic_id):
        raise UnknownNameError("purpose")
    if not limits.take(address_name(link.contact), most_per_address, now // 1000):
        raise TooManyRequestsError
    request = Request(
        id=chance.name(),
        contact=link.contact,
        address=held.profile.address,
        purpose=purpose.id,
        topics=(topic_id,) if topic_id is not None else (),
        language=policy.spoken(held.subject.language),
        notice=policy.notice_of(purpose.controller).version,
        requested_at=now,
        expires_at=policy.pending_period.after_epoch(now),
        source="preferences",
    )
    subjects.add_request(request)
    outbox.order(LetterOrder(Letter.CONFIRM, link.contact, request.id))
    return changes.done_token(link.contact, "asked", f"{purpose.id}/{topic_id or ''}", 0, now, secrets)


def change_language(
    token: str, language: str, *, policy: Policy, subjects: Subjects, secrets: Secrets, clock: Clock
) -> None:
    """Write to the person in this language from now on. UnknownNameError for one that the policy lacks."""
    link = open_manage(token, secrets.links(), now=clock() // 1000)
    if language not in policy.languages:
        raise UnknownNameError("language")
    require_here(subjects.load(link.contact).subject, link.made_at)
    subjects.save_language(link.contact, language)


# ---- Parts ------------------------------------------------------------------------------------------------------


def _just_done(token: str, contact: ContactPoint, secrets: Secrets) -> DoneLink | None:
    """What the press before did; a token that says nothing of the kind is no reason to refuse the page."""
    try:
        done = open_done(token, secrets.links())
    except InvalidTokenError:
        return None
    return done if done.contact == contact else None


def _page(contact: ContactPoint, held: Holdings, done: DoneLink | None, policy: Policy, now: int) -> PreferencePage:
    if held.profile is None and held.subject.chain is None:
        raise NothingHeldError
    asked = {
        scope.code: request.expires_at
        for request in held.requests
        if request.is_pending_at(now)
        for scope in standing(request, held.subject, policy.purpose(request.purpose), now).to_give
    }
    mine = policy.purposes_of(contact.controller)
    consents = [
        choice
        for purpose in mine
        if purpose.takes_consent and contact.channel in purpose.channels
        if (choice := _choice(purpose, contact, held, asked, policy, now)).rows
    ]
    return PreferencePage(
        contact=contact,
        subject=held.subject,
        profile=held.profile,
        language=policy.spoken(held.subject.language),
        received=tuple(choice for choice in consents if not choice.purpose.tracking),
        recorded=tuple(choice for choice in consents if choice.purpose.tracking),
        interests=tuple(
            Row(purpose, None, scope, answer, answer is None or not answer.state.is_the_persons_no)
            for purpose in mine
            if purpose.may_be_objected_to and not purpose.retired
            for scope in purpose.all_scopes()[:1]
            for answer in [in_force(held.subject, purpose, scope)]
        ),
        objections={
            against: answer if answer and answer.state is DecisionState.OBJECTED else None
            for against in Against
            for answer in [held.subject.decided.get(against.scope.code)]
            if any(against.covers(purpose) for purpose in mine)
        },
        done=done,
        can_undo=done is not None and 0 < done.seq == held.subject.seq and now // 1000 < done.ends_at,
    )


def _choice(
    purpose: Purpose, contact: ContactPoint, held: Holdings, asked: Mapping[str, int], policy: Policy, now: int
) -> Choice:
    rows = []
    general = objection(held.subject, purpose)
    for scope in purpose.scopes(contact.channel):
        answer = newest_of(held.subject.decided.get(scope.code), general)
        ended_at = _ended_at(purpose, answer, held.last_sends.get((purpose.id, contact.channel)), now)
        is_on = answer is not None and answer.state.permits and ended_at is None
        if is_on or not purpose.is_retired(scope.topic):
            topic = purpose.topic(scope.topic) if scope.topic is not None else None
            words = None
            if not is_on and not purpose.double_opt_in:
                words = consent_wording(
                    policy, purpose, (topic,) if topic else (), policy.spoken(held.subject.language)
                )
            waits = None if is_on else asked.get(scope.code)
            rows.append(Row(purpose, topic, scope, answer, is_on, waits, words, ended_at))
    preference = held.subject.preferences.get(purpose.preference_key(contact.channel), Preference())
    if not preference.is_paused_at(now):
        preference = Preference(None, preference.at_most_every)
    return Choice(purpose, tuple(rows), preference)


def _ended_at(purpose: Purpose, answer: Decided | None, last_send: int | None, now: int) -> int | None:
    if answer is not None and answer.state is DecisionState.EXPIRED:
        return answer.at // 1000
    if answer is None or not answer.state.permits:
        return None
    ran_out = answer.valid_until if answer.has_ended_at(now) else None
    unused = purpose.went_unused(answer.at, last_send, now)
    return min((end for end in (ran_out, unused) if end is not None), default=None)
