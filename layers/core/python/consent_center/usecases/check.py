"""May I send this, to whom, and why: the one call that mail tools make before every letter."""

from collections.abc import Sequence
from dataclasses import dataclass

from consent_center.domain.capability import ReservedSend, WithdrawLink, seal_send, seal_withdrawal
from consent_center.domain.contact import ContactPoint, contact_point
from consent_center.domain.errors import InvalidAddressError, UnknownNameError
from consent_center.domain.permission import Permission, Reason, permission
from consent_center.domain.policy import Policy, Purpose
from consent_center.ports import Addresses, Chance, Clock, Secrets, Send, Subjects
from consent_center.usecases.links import unsubscribe_headers


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
    """The answer for one row. `send_id` and `headers` come only with a yes."""

    permission: Permission
    send_id: str | None = None
    headers: dict[str, str] | None = None


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
    if question.channel not in purpose.channels:
        raise UnknownNameError("channel")
    if question.topic is not None:
        purpose.topic(question.topic)
    contacts = _contacts(question, purpose, addresses, secrets)
    now = clock()
    asked = list(dict.fromkeys(contact for contact in contacts if contact is not None))
    states = subjects.states(asked)
    answers = {
        contact: permission(states[contact], purpose, channel=question.channel, topic=question.topic, now=now)
        if contact in states
        else Permission(Reason.UNAVAILABLE)
        for contact in asked
    }
    if question.record_send:
        sends = [Send(contact, purpose.id, now) for contact, answer in answers.items() if answer.allowed]
        for contact in subjects.record_sends(sends):
            answers[contact] = Permission(Reason.UNAVAILABLE)
    links = _Links(policy, purpose, question.topic, base_url, secrets, chance, now)
    return [
        Answer(Permission(Reason.INVALID_ADDRESS)) if contact is None else links.with_headers(contact, answers[contact])
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
                contact_point(addresses(text), controller=purpose.controller, channel=question.channel, peppers=peppers)
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
        self._base_url, self._keys, self._chance, self._at = base_url, secrets.links(), chance, at

    def with_headers(self, contact: ContactPoint, answer: Permission) -> Answer:
        if not answer.allowed:
            return Answer(answer)
        topics = (self._topic_code,) if self._topic_code else ()
        token = seal_withdrawal(WithdrawLink(contact, self._purpose_code, topics), self._keys)
        send = ReservedSend(contact, self._purpose_code, self._topic_code, self._at, self._chance.name())
        return Answer(
            answer, seal_send(send, self._keys), unsubscribe_headers(self._base_url, token, list_id=self._list_id)
        )
