"""The person's own copy of an event: to look at, to take away signed, and by letter after a confirmation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from consent_center.domain.capability import WithdrawLink, open_manage, seal_withdrawal
from consent_center.domain.chain import Entry, Payload
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import LetterRefusedError, NothingHeldError, UnknownNameError
from consent_center.domain.objection import in_force
from consent_center.domain.policy import Brand, Policy, Scope
from consent_center.domain.receipt import receipt, signed, signing_input
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Clock, Secrets
from consent_center.ports.evidence import Ledger, Signer
from consent_center.ports.letters import Attachment, Claims, LetterOrder, LetterTexts, Mailer
from consent_center.ports.people import Subjects
from consent_center.usecases.envelopes import addressed
from consent_center.usecases.history import Event, event_of
from consent_center.usecases.letters import Delivery
from consent_center.usecases.links import stop_url, unsubscribe_headers
from consent_center.usecases.whereabouts import require_here

MEDIA_TYPE = "application/ld+json"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One event with its document; `language` is the one that the document is written in."""

    event: Event
    document: Mapping[str, Any]
    language: str


def file_name(seq: int) -> str:
    """What a receipt is called as a file: nothing about whom, from whom or what for."""
    return f"receipt-{seq}.json"


def look_at_receipt(
    token: str,
    seq: str,
    *,
    base_url: str,
    policy: Policy,
    subjects: Subjects,
    ledger: Ledger,
    secrets: Secrets,
    clock: Clock,
) -> Receipt:
    """The receipt of one event. Reads only.

    InvalidTokenError, ExpiredTokenError; NothingHeldError where nothing is stored; UnknownNameError for an event that
    there is not.
    """
    link = open_manage(token, secrets.links(), now=clock() // 1000)
    subject = subjects.load(link.contact).subject
    require_here(subject, link.made_at)
    if subject.chain is None:
        raise NothingHeldError
    number = _number(seq)
    entry = ledger.entry(subject.chain, number)
    if entry is None:
        raise UnknownNameError("seq")
    return _receipt(policy, entry, subjects.payload(subject.chain, number), subject, base_url)


def sign_receipt(found: Receipt, *, signer: Signer) -> bytes:
    """The receipt as a signed file. UnavailableError while nobody can sign."""
    signing = signing_input(found.document, signer.key_id)
    return signed(found.document, signing, signer.sign(signing))


def deliver_receipt(
    order: LetterOrder,
    *,
    base_url: str,
    site: Callable[[Brand, str], Mapping[str, Any]],
    policy: Policy,
    subjects: Subjects,
    ledger: Ledger,
    claims: Claims,
    mailer: Mailer,
    signer: Signer,
    texts: LetterTexts,
    secrets: Secrets,
    clock: Clock,
) -> Delivery:
    """Send the letter with the receipt of a consent, unless it was withdrawn meanwhile; `site` says who writes.

    Safe to run twice: one letter for each event. LetterRefusedError if the mail service will never take it;
    UnavailableError to try again later.
    """
    now = clock()
    try:
        seq = _number(order.request)
    except UnknownNameError:
        raise LetterRefusedError("the order names no event") from None
    held = subjects.holdings(order.contact)
    subject = held.subject
    if subject.chain is None or held.profile is None:
        return Delivery.NOTHING_HELD
    entry, payload = ledger.entry(subject.chain, seq), subjects.payload(subject.chain, seq)
    scopes = _given(policy, entry)
    if entry is None or payload is None or not payload.content.get("wording"):
        return Delivery.NOTHING_HELD
    if not any(_stands(subject, policy, scope, now) for scope in scopes):
        return Delivery.NOTHING_TO_ASK
    found = _receipt(policy, entry, payload, subject, base_url)
    file = sign_receipt(found, signer=signer)
    if not claims.take(entry.evidence, now // 1000):
        return Delivery.SENT_BEFORE
    purpose = policy.purpose(scopes[0].purpose)
    topics = tuple(purpose.topic(scope.topic).code for scope in scopes if scope.topic is not None)
    stop = seal_withdrawal(WithdrawLink(order.contact, purpose.code, topics, made_at=now), secrets.links())
    brand, language = policy.brand_of(purpose), found.language
    edition = found.event.notice or policy.notice_of(purpose.controller).version
    written = texts.letter(
        "receipt",
        language,
        site=site(brand, language),
        given_at=found.event.at // 1000,
        wording=list(found.event.wording),
        stop_url=f"{stop_url(base_url, stop)}{brand.said(language)}",
        preferences_url=f"{base_url}/preferences{brand.said(language)}",
        authority_url=policy.authority(policy.controller(purpose.controller)["authority"])["url"],
        notice_url=f"{base_url}/notice/{edition}{brand.said(language)}",
        stop_address=brand.stop_address,
        recorded=_recorded(subject, policy, language, now),
        may_object=any(one.marketing or one.profiling for one in policy.purposes_of(purpose.controller)),
        file_name=file_name(seq),
    )
    mailer.send(
        addressed(
            written,
            held.profile.address.mailable,
            brand,
            headers=unsubscribe_headers(base_url, stop, list_id=f"{purpose.id}.{brand.list_domain}"),
            attachments=[Attachment(file_name(seq), MEDIA_TYPE, file)],
        )
    )
    claims.finish(entry.evidence, clock() // 1000)
    return Delivery.SENT


def _number(seq: str) -> int:
    """The number of an event as it stands in an address; UnknownNameError for what no event can have."""
    if not (seq.isascii() and seq.isdigit() and len(seq) <= 10):
        raise UnknownNameError("seq")
    return int(seq)


def _receipt(policy: Policy, entry: Entry, payload: Payload | None, subject: Subject, base_url: str) -> Receipt:
    """In the language of the words that were agreed to, or else in the person's own."""
    spoken = entry.body.get("language")
    language = policy.spoken(str(spoken) if spoken else subject.language)
    document = receipt(policy, entry, payload, language=language, base_url=base_url)
    return Receipt(event_of(entry, payload), document, language)


def _given(policy: Policy, entry: Entry | None) -> list[Scope]:
    """What the event gave: scopes of one purpose, as a confirmation has them."""
    changes = entry.body.get("changes", ()) if entry else ()
    return [
        scope
        for change in changes
        if DecisionState(change["after"]).permits
        for scope in policy.purpose(change["purpose"]).scopes_of(change["topics"], change["channel"])
    ]


def _stands(subject: Subject, policy: Policy, scope: Scope, now: int) -> bool:
    decided = in_force(subject, policy.purpose(scope.purpose), scope)
    return decided is not None and decided.permits_at(now)


def _recorded(subject: Subject, policy: Policy, language: str, now: int) -> list[dict[str, Any]]:
    """What may be recorded about the person's reading, each with whether they said yes to it."""
    channel = subject.contact.channel
    return [
        {
            "name": policy.text((purpose.topic(scope.topic) if scope.topic else purpose).name, language),
            "is_on": _stands(subject, policy, scope, now),
        }
        for purpose in policy.purposes_of(subject.contact.controller)
        if purpose.tracking and purpose.rests_on_consent and channel in purpose.channels
        for scope in purpose.scopes(channel)
        if not purpose.is_retired(scope.topic)
    ]
