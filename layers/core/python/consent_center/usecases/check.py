"""May I send this, to whom, and why: the one call that mail tools make before every letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from consent_center.domain.capability import (
    ReservedSend,
    WhyLink,
    WithdrawLink,
    seal_send,
    seal_why,
    seal_withdrawal,
)
from consent_center.domain.contact import ContactPoint, contact_point
from consent_center.domain.errors import InvalidAddressError
from consent_center.domain.permission import (
    NOTHING_RECORDED,
    AskedAbout,
    Permission,
    Reason,
    Recording,
    RecordingRules,
    wants_fewer,
)
from consent_center.domain.policy import Policy, Purpose
from consent_center.ports import Addresses, Chance, Clock, Secrets, Send, Subjects
from consent_center.usecases.links import unsubscribe_headers, why_url

CHANNEL = "email"
"""Recipients are e-mail addresses, so they are people as they are known on this channel, whatever is asked about."""


@dataclass(frozen=True, slots=True)
class Question:
    """One purpose and channel, perhaps one topic, and up to 1,000 addresses as the caller spells them."""

    purpose: str
    channel: str
    topic: str | None
    recipients: Sequence[str]
    record_send: bool = False

    def __repr__(self) -> str:
        """Hides the recipients, because a repr ends up in logs and tracebacks."""
        return f"Question({self.purpose!r}, {len(self.recipients)} recipients)"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for one row. Everything but the permission comes only with a yes."""

    permission: Permission
    send_id: str | None = None
    headers: dict[str, str] | None = None
    why_url: str | None = None
    """Where the person reads why they got this letter."""
    recording: Recording = NOTHING_RECORDED


def check_permissions(
    question: Question,
    *,
    base_url: str,
    policy: Policy,
    subjects: Subjects,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
) -> list[Answer]:
    """One answer per row, in the order asked. Whoever cannot be read is denied as `unavailable`.

    With `record_send`, every yes counts as sent now, and is a yes only once that is stored. UnknownNameError for a
    purpose, topic or channel that the policy lacks.
    """
    purpose = policy.purpose(question.purpose)
    if question.topic is not None:
        purpose.topic(question.topic)
    purpose.scopes(question.channel)
    contacts = _contacts(question, purpose, addresses, secrets)
    now = clock()
    asked = list(dict.fromkeys(contact for contact in contacts if contact is not None))
    states = subjects.states(asked)
    # Who asked for fewer letters costs a second read; nobody else does.
    choosy = [contact for contact, state in states.items() if wants_fewer(state, purpose, question.channel)]
    last_sends = subjects.last_sends(choosy, purpose.id, CHANNEL) if choosy else {}
    unread = set(choosy) - set(last_sends)
    asked_about = AskedAbout(purpose, question.channel, question.topic)
    answers = {
        contact: asked_about.permission(states[contact], now, last_sends.get(contact) or None)
        if contact in states and contact not in unread
        else Permission(Reason.UNAVAILABLE)
        for contact in asked
    }
    if question.record_send:
        sends = [Send(contact, purpose.id, now) for contact, answer in answers.items() if answer.allowed]
        for contact in subjects.record_sends(sends):
            answers[contact] = Permission(Reason.UNAVAILABLE)
    rules = RecordingRules(policy, purpose.controller, CHANNEL)
    links = _Links(policy, purpose, question.topic, base_url, secrets, chance, now)
    return [
        Answer(Permission(Reason.INVALID_ADDRESS))
        if contact is None
        else links.answer(contact, answers[contact], rules.of(states[contact], now))
        if answers[contact].allowed
        else Answer(answers[contact])
        for contact in contacts
    ]


def _contacts(
    question: Question, purpose: Purpose, addresses: Addresses, secrets: Secrets
) -> list[ContactPoint | None]:
    peppers = secrets.peppers()
    contacts: list[ContactPoint | None] = []
    for text in question.recipients:
        try:
            contacts.append(
                contact_point(addresses(text), controller=purpose.controller, channel=CHANNEL, peppers=peppers)
            )
        except InvalidAddressError:
            contacts.append(None)
    return contacts


class _Links:
    """Makes what a letter must carry, for one purpose and topic."""

    def __init__(
        self,
        policy: Policy,
        purpose: Purpose,
        topic: str | None,
        base_url: str,
        secrets: Secrets,
        chance: Chance,
        at: int,
    ) -> None:
        self._purpose_code = purpose.code
        self._topic_code = purpose.topic(topic).code if topic is not None else None
        self._list_id = f"{topic or purpose.id}.{policy.brand_of(purpose).list_domain}"
        self._base_url, self._keys, self._at = base_url, secrets.links(), at
        self._call, self._rows = chance.name(), count(1)

    def answer(self, contact: ContactPoint, permitted: Permission, recording: Recording) -> Answer:
        topics = (self._topic_code,) if self._topic_code else ()
        token = seal_withdrawal(WithdrawLink(contact, self._purpose_code, topics), self._keys)
        send = ReservedSend(contact, self._purpose_code, self._topic_code, self._at, f"{self._call}.{next(self._rows)}")
        seq = int(permitted.evidence.rpartition(".")[2]) if permitted.evidence else 0
        why = seal_why(WhyLink(contact, self._purpose_code, self._topic_code, seq, self._at), self._keys)
        return Answer(
            permitted,
            seal_send(send, self._keys),
            unsubscribe_headers(self._base_url, token, list_id=self._list_id),
            why_url(self._base_url, why),
            recording,
        )
