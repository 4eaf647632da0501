"""Everything that may be done about one person, as other systems ask it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.errors import InvalidAddressError, InvalidFormError, UnavailableError
from consent_center.domain.objection import Against, in_force
from consent_center.domain.permission import AskedAbout, Permission, Recording, RecordingRules
from consent_center.domain.policy import Policy, Purpose, Scope
from consent_center.domain.subject import Preference, Subject
from consent_center.domain.suppression import Suppression, base_of
from consent_center.ports.basics import Addresses, Clock, Secrets
from consent_center.ports.people import Subjects
from consent_center.usecases.whose import whose

CHANNEL = "email"


@dataclass(frozen=True, slots=True)
class Finding:
    """One scope of the policy, what was decided about it last, and whether it is allowed now."""

    scope: Scope
    decided: Decided | None
    permission: Permission


@dataclass(frozen=True, slots=True)
class Overview:
    """What holds for one contact point. Somebody unknown has the same shape, with nothing decided."""

    findings: Sequence[Finding]
    objections: Mapping[Against, Decided | None]
    preferences: Mapping[str, Preference]
    """By purpose, where there are any."""
    recording: Recording
    language: str | None


def look_up(
    recipient: str,
    controller: str | None = None,
    *,
    policy: Policy,
    subjects: Subjects,
    addresses: Addresses,
    secrets: Secrets,
    clock: Clock,
) -> Overview:
    """Everything about one address that a controller holds; the only one where none is named. Reads only.

    InvalidFormError for what is no address, or where a controller has to be named; UnknownNameError; UnavailableError
    if it could not be read.
    """
    try:
        address = addresses(recipient)
    except InvalidAddressError as error:
        raise InvalidFormError({"recipient": str(error)}) from None
    controller = policy.controller_meant(controller)
    contact = whose(address, controller=controller, subjects=subjects, secrets=secrets)
    base = base_of(address)
    untagged = whose(base, controller=controller, subjects=subjects, secrets=secrets) if base else contact
    read = subjects.states([contact] if untagged == contact else [contact, untagged])
    if not {contact, untagged} <= read.keys():
        raise UnavailableError("look up")
    subject = read[contact]
    now = clock()
    answers = _Answers(subject, subjects, now, read[untagged].suppression)
    purposes = [one for one in policy.purposes_of(controller) if not one.retired]
    return Overview(
        [answers.about(purpose, scope) for purpose in purposes for scope in purpose.all_scopes()],
        {against: _raised(subject.decided.get(against.scope.code)) for against in Against},
        {
            purpose.id: subject.preferences[key]
            for purpose in purposes
            if (key := purpose.preference_key(CHANNEL)) in subject.preferences
        },
        RecordingRules(policy, controller, CHANNEL).of(subject, now),
        subject.language,
    )


class _Answers:
    """What a check would say about one person. When the last letter went out is read only where that decides."""

    def __init__(self, subject: Subject, subjects: Subjects, now: int, also: Suppression | None) -> None:
        self._subject, self._subjects, self._now, self._also = subject, subjects, now, also

    def about(self, purpose: Purpose, scope: Scope) -> Finding:
        """UnavailableError if the last letter could not be read."""
        asked = AskedAbout(purpose, scope.channel, scope.topic)
        last_send = self._last_send(purpose) if asked.needs_last_send(self._subject, self._now) else None
        answer = asked.permission(self._subject, self._now, last_send, self._also)
        return Finding(scope, in_force(self._subject, purpose, scope), answer)

    def _last_send(self, purpose: Purpose) -> int | None:
        contact = self._subject.contact
        read = self._subjects.last_sends([contact], purpose.id, contact.channel)
        if contact not in read:
            raise UnavailableError("look up")
        return read[contact] or None


def _raised(decided: Decided | None) -> Decided | None:
    return decided if decided and decided.state is DecisionState.OBJECTED else None
