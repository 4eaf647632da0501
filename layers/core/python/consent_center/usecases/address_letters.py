"""The two letters of a change of address: one asks at the new address, one tells the old."""

from collections.abc import Callable, Mapping
from typing import Any

from consent_center.domain.capability import AddressLink, seal_address
from consent_center.domain.contact import address_name
from consent_center.domain.policy import Brand, Policy
from consent_center.ports.basics import Clock, Limits, Secrets
from consent_center.ports.letters import Claims, LetterOrder, LetterTexts, Mailer
from consent_center.ports.people import AddressMoves, Subjects
from consent_center.usecases.envelopes import addressed
from consent_center.usecases.letters import Delivery
from consent_center.usecases.links import address_url


def deliver_address_request(
    order: LetterOrder,
    *,
    base_url: str,
    site: Callable[[Brand, str], Mapping[str, Any]],
    policy: Policy,
    moves: AddressMoves,
    claims: Claims,
    limits: Limits,
    mailer: Mailer,
    texts: LetterTexts,
    secrets: Secrets,
    clock: Clock,
) -> Delivery:
    """Ask at the new address whether the record may move there. It tells nothing of what is held, or of whom.

    `site` says who writes, for a brand and language. Safe to run twice. LetterRefusedError if the mail service will
    never take it; UnavailableError to try again later.
    """
    now = clock()
    request = moves.asked(order.contact, order.request)
    if request is None or not request.is_pending_at(now):
        return Delivery.NOTHING_TO_ASK
    if limits.is_blocked(address_name(request.contact), now // 1000):
        return Delivery.BLOCKED
    if not claims.take(request.id, now // 1000, request.expires_at):
        return Delivery.SENT_BEFORE
    language, brand = request.language, policy.brand_for(order.contact.controller)
    link = AddressLink(request.contact, request.id, request.old, request.expires_at)
    written = texts.letter(
        "address",
        language,
        site=site(brand, language),
        address_url=f"{address_url(base_url, seal_address(link, secrets.links()))}{brand.said(language)}",
        notice_url=f"{base_url}/notice{brand.said(language)}",
        days=max(1, (request.expires_at - request.requested_at // 1000) // 86400),
    )
    mailer.send(addressed(written, request.address.mailable, brand))
    claims.finish(request.id, clock() // 1000)
    return Delivery.SENT


def deliver_address_changed(
    order: LetterOrder,
    *,
    base_url: str,
    site: Callable[[Brand, str], Mapping[str, Any]],
    policy: Policy,
    subjects: Subjects,
    claims: Claims,
    mailer: Mailer,
    texts: LetterTexts,
    clock: Clock,
) -> Delivery:
    """Tell the old address that it is no longer written to, and what to do if that was not wanted.

    It names neither the new address nor anything that is held, because somebody else may read that mailbox by now. Safe
    to run twice. LetterRefusedError if the mail service will never take it; UnavailableError to try again later.
    """
    now = clock()
    subject = subjects.load(order.contact).subject
    payloads = subjects.payloads(subject.chain) if subject.chain is not None else {}
    told = next((one.content for one in payloads.values() if one.content.get("request") == order.request), None)
    if told is None or "from" not in told:
        return Delivery.NOTHING_HELD
    name = f"moved-{order.request}"
    if not claims.take(name, now // 1000):
        return Delivery.SENT_BEFORE
    language, brand = policy.spoken(subject.language), policy.brand_for(order.contact.controller)
    written = texts.letter(
        "address_changed",
        language,
        site=site(brand, language),
        notice_url=f"{base_url}/notice{brand.said(language)}",
    )
    mailer.send(addressed(written, str(told["from"]), brand))
    claims.finish(name, clock() // 1000)
    return Delivery.SENT
