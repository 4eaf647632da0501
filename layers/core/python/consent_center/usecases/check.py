"""May I send this, to whom, and why: the one call that mail tools make before every letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from consent_center.domain.capability import LetterSeals
from consent_center.domain.contact import Address, ContactPoint, contact_point
from consent_center.domain.errors import InvalidAddressError, UnknownNameError
from consent_center.domain.permission import (
    NOTHING_RECORDED,
    AskedAbout,
    Permission,
    Reason,
    Recording,
    RecordingRules,
)
from consent_center.domain.policy import Policy, Purpose
from consent_center.domain.suppression import base_of
from consent_center.ports.basics import Addresses, Clock, Secrets
from consent_center.ports.people import Send, Subjects
from consent_center.usecases.links import unsubscribe_headers, why_url
from consent_center.usecases.whose import states_under_all

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
    product_group: str | None = None
    """What a letter under soft opt-in is about; such a purpose has product groups in place of topics."""

    def __repr__(self) -> str:
        """Hides the recipients, because a repr ends up in logs and tracebacks."""
        return f"Question({self.purpose!r}, {len(self.recipients)} recipients)"


class Answer(NamedTuple):
    """The answer for one row. Everything but the permission comes only with a yes."""

    permission: Permission
    send_id: str | None = None
    headers: dict[str, str] | None = None
    why_url: str | None = None
    """Where the person reads why they got this letter."""
    recording: Recording = NOTHING_RECORDED


_UNAVAILABLE = Permission(Reason.UNAVAILABLE)
_INVALID = Answer(Permission(Reason.INVALID_ADDRESS))


def check_permissions(
    question: Question,
    *,
    base_url: str,
    policy: Policy,
    subjects: Subjects,
    addresses: Addresses,
    secrets: Secrets,
    clock: Clock,
    stop_mail: str | None = None,
) -> list[Answer]:
    """One answer per row, in the order asked. Whoever cannot be read is denied as `unavailable`.

    `stop_mail` is the address that takes withdrawals by mail, if there is one. With `record_send`, every yes counts as
    sent now, and is a yes only once that is stored. UnknownNameError for a purpose, topic, product group or channel
    that the policy lacks.
    """
    purpose = policy.purpose(question.purpose)
    topic = _topic(question, purpose)
    purpose.scopes(question.channel)
    contacts, bases, spelled = _contacts(question, purpose, addresses, secrets)
    now = clock()
    asked = [contact for contact in contacts if contact is not None]
    read = states_under_all(spelled, subjects=subjects, secrets=secrets)
    if any(contact != subject.contact for contact, subject in read.items()):
        # Under an older pepper: what is stored and signed from here on goes to where the record is.
        place = {contact: read[contact].contact if contact in read else contact for contact in spelled}
        contacts = [place[contact] if contact is not None else None for contact in contacts]
        bases = {place[contact]: place[base] for contact, base in bases.items()}
        read = {subject.contact: subject for subject in read.values()}
        asked = [contact for contact in contacts if contact is not None]
    states = {contact: read[contact] for contact in asked if contact in read} if bases else read
    asked_about = AskedAbout(purpose, question.channel, topic)
    # Who asked for fewer letters, or agreed long ago, costs a second read; nobody else does.
    choosy = [contact for contact, subject in states.items() if asked_about.needs_last_send(subject, now)]
    last_sends = subjects.last_sends(choosy, purpose.id, CHANNEL) if choosy else {}
    also = {contact: read[base].suppression for contact, base in bases.items() if base in read}
    permissions = {
        contact: asked_about.permission(subject, now, last_sends.get(contact) or None, also.get(contact))
        if last_sends or also
        else asked_about.permission(subject, now)
        for contact, subject in states.items()
    }
    for contact, base in bases.items():
        if base not in read:
            permissions[contact] = _UNAVAILABLE
    for contact in set(choosy) - set(last_sends):
        permissions[contact] = _UNAVAILABLE
    if question.record_send:
        # Of whom nothing is held, nothing would ever end what is noted.
        sends = [
            Send(contact, purpose.id, now)
            for contact, permitted in permissions.items()
            if permitted.allowed and states[contact].chain is not None
        ]
        for contact in subjects.record_sends(sends):
            permissions[contact] = _UNAVAILABLE
    rules = RecordingRules(policy, purpose.controller, CHANNEL)
    letters = _Letters(policy, purpose, topic, base_url, secrets, now, stop_mail)

    def answer(contact: ContactPoint | None) -> Answer:
        if contact is None:
            return _INVALID
        permitted = permissions.get(contact, _UNAVAILABLE)
        return (
            letters.answer(contact, permitted, rules.of(states[contact], now))
            if permitted.allowed
            else Answer(permitted)
        )

    return [answer(contact) for contact in contacts]


def _topic(question: Question, purpose: Purpose) -> str | None:
    """The topic asked about, which a purpose that rests on sales calls a product group. UnknownNameError names it."""
    named, other = ("product_group", "topic") if purpose.rests_on_a_sale else ("topic", "product_group")
    asked: str | None = getattr(question, named)
    if getattr(question, other) is not None:
        raise UnknownNameError(other)
    if asked is not None and asked not in {topic.id for topic in purpose.topics}:
        raise UnknownNameError(named)
    return asked


def _contacts(
    question: Question, purpose: Purpose, addresses: Addresses, secrets: Secrets
) -> tuple[list[ContactPoint | None], dict[ContactPoint, ContactPoint], dict[ContactPoint, Address]]:
    """Whom the rows are about, for each address with a tag the one without it, and the address of each of these."""
    peppers = secrets.peppers()
    contacts: list[ContactPoint | None] = []
    bases: dict[ContactPoint, ContactPoint] = {}
    spelled: dict[ContactPoint, Address] = {}
    untagged: dict[ContactPoint, Address] = {}
    for text in question.recipients:
        try:
            address = addresses(text)
        except InvalidAddressError:
            contacts.append(None)
            continue
        contact = contact_point(address, controller=purpose.controller, channel=CHANNEL, peppers=peppers)
        contacts.append(contact)
        spelled[contact] = address
        base = base_of(address) if "+" in address.normalised else None
        if base is not None:
            bases[contact] = contact_point(base, controller=purpose.controller, channel=CHANNEL, peppers=peppers)
            untagged[bases[contact]] = base
    spelled |= {contact: base for contact, base in untagged.items() if contact not in spelled}
    return contacts, bases, spelled


class _Letters:
    """Makes what a letter must carry, for one purpose and topic."""

    def __init__(
        self,
        policy: Policy,
        purpose: Purpose,
        topic: str | None,
        base_url: str,
        secrets: Secrets,
        at: int,
        stop_mail: str | None,
    ) -> None:
        # Nobody asked for a letter that rests on a sale, so one press in it stops all of them.
        topics = () if topic is None or purpose.rests_on_a_sale else (purpose.topic(topic).code,)
        self._seals = LetterSeals(purpose.code, topics, at, secrets.links())
        self._list_id = f"{topic or purpose.id}.{policy.brand_of(purpose).list_domain}"
        self._base_url, self._stop_mail = base_url, stop_mail

    def answer(self, contact: ContactPoint, permitted: Permission, recording: Recording) -> Answer:
        seq = int(permitted.evidence.rpartition(".")[2]) if permitted.evidence else 0
        token = self._seals.seal(contact, seq)
        return Answer(
            permitted,
            token,
            unsubscribe_headers(self._base_url, token, list_id=self._list_id, stop_mail=self._stop_mail),
            why_url(self._base_url, token),
            recording,
        )
