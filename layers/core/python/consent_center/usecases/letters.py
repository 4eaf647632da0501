"""Writing and sending the letters that people ask for: to confirm a sign-up, and to reach their preferences."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from consent_center.domain.capability import (
    MANAGE_SECONDS,
    Capability,
    ManageLink,
    RequestLink,
    WaitingLink,
    seal_manage,
    seal_request,
    seal_withdrawal,
)
from consent_center.domain.contact import Keyring, address_name
from consent_center.domain.objection import in_force
from consent_center.domain.passcode import grouped, passcode
from consent_center.domain.policy import Brand, Policy, Purpose, Topic
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.request import Request, standing
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Clock, Limits, Secrets
from consent_center.ports.letters import Claims, Envelope, LetterOrder, LetterTexts, Mailer
from consent_center.ports.people import Subjects
from consent_center.usecases.envelopes import addressed
from consent_center.usecases.links import (
    confirm_url,
    not_me_link,
    not_me_url,
    preferences_url,
    request_link,
    stop_url,
    unsubscribe_headers,
)


class Delivery(StrEnum):
    """What became of an order."""

    SENT = "sent"
    SENT_BEFORE = "sent_before"
    NOTHING_TO_ASK = "nothing_to_ask"
    BLOCKED = "blocked"
    NOTHING_HELD = "nothing_held"
    ASKED_BEFORE = "asked_before"
    """They had said no, and one letter asked them lately already whether they meant it."""
    UNDELIVERABLE = "undeliverable"
    """Nothing reaches this address, and whoever has it now must not see what another person told us."""


def deliver_confirmation(
    order: LetterOrder,
    *,
    base_url: str,
    site: Callable[[Brand, str], Mapping[str, Any]],
    policy: Policy,
    subjects: Subjects,
    claims: Claims,
    limits: Limits,
    mailer: Mailer,
    texts: LetterTexts,
    secrets: Secrets,
    clock: Clock,
    stop_mail: str | None = None,
) -> Delivery:
    """Send the confirmation letter of a request that still stands; `site` says who writes, for a brand and language.

    `stop_mail` is the address that takes withdrawals by mail, if there is one. Safe to run twice.

    LetterRefusedError if the mail service will never take it; UnavailableError to try again later.
    """
    now = clock()
    record = subjects.load(order.contact, order.request)
    request = record.request
    if request is None or not request.is_pending_at(now):
        return Delivery.NOTHING_TO_ASK
    purpose = policy.purpose(request.purpose)
    if not standing(request, record.subject, purpose, now).to_give:
        return Delivery.NOTHING_TO_ASK
    if limits.is_blocked(address_name(request.contact), now // 1000):
        return Delivery.BLOCKED
    again = _again(request, record.subject, purpose)
    if again and not claims.take(again, now // 1000, request.expires_at):
        return Delivery.ASKED_BEFORE
    # The page that waits for the letter's code asks for the claim as long as the request can be confirmed.
    if not claims.take(request.id, now // 1000, request.expires_at):
        return Delivery.SENT_BEFORE
    scopes = [scope.code for scope in request.scopes(purpose)]
    marks = {code: until for code, until in record.subject.requested.items() if until * 1000 > now}
    subjects.mark_requested(request.contact, {**marks, **dict.fromkeys(scopes, request.expires_at)})
    speaker = site(policy.brand_of(purpose), request.language)
    mailer.send(_letter(request, purpose, base_url, speaker, policy, texts, secrets, stop_mail))
    claims.finish(request.id, clock() // 1000)
    if again:
        claims.finish(again, clock() // 1000)
    return Delivery.SENT


def _again(request: Request, subject: Subject, purpose: Purpose) -> str | None:
    """The claim of the one letter that somebody who said no may get because staff attest that they asked."""
    noes = [in_force(subject, purpose, scope) for scope in request.scopes(purpose)]
    said_no = any(no is not None and no.state.is_the_persons_no for no in noes)
    return f"again-{address_name(request.contact)}" if request.attested and said_no else None


def deliver_preferences_link(
    order: LetterOrder,
    *,
    base_url: str,
    site: Callable[[Brand, str], Mapping[str, Any]],
    policy: Policy,
    subjects: Subjects,
    claims: Claims,
    mailer: Mailer,
    texts: LetterTexts,
    secrets: Secrets,
    clock: Clock,
) -> Delivery:
    """Send the link to the preference page of a brand, to the address we hold, if we hold one.

    It tells nothing of what we hold. It is from the brand that the person asked, or else from the controller's first.

    Safe to run twice. LetterRefusedError if the mail service will never take it; UnavailableError to try again later.
    """
    now = clock() // 1000
    held = subjects.holdings(order.contact)
    if held.profile is None:
        return Delivery.NOTHING_HELD
    if UNDELIVERABLE in held.subject.locks:
        return Delivery.UNDELIVERABLE
    if not claims.take(order.request, now):
        return Delivery.SENT_BEFORE
    language = policy.spoken(held.subject.language)
    brand = policy.brand_for(order.contact.controller, order.brand)
    token = seal_manage(ManageLink(order.contact, now + MANAGE_SECONDS), secrets.links())
    written = texts.letter(
        "preferences",
        language,
        site=site(brand, language),
        preferences_url=f"{preferences_url(base_url, token)}{brand.said(language)}",
        notice_url=f"{base_url}/notice{brand.said(language)}",
        minutes=MANAGE_SECONDS // 60,
    )
    mailer.send(addressed(written, held.profile.address.mailable, brand))
    claims.finish(order.request, clock() // 1000)
    return Delivery.SENT


def _letter(
    request: Request,
    purpose: Purpose,
    base_url: str,
    site: Mapping[str, Any],
    policy: Policy,
    texts: LetterTexts,
    secrets: Secrets,
    stop_mail: str | None,
) -> Envelope:
    keys = secrets.links()
    link = RequestLink(request.contact, request.id, request.expires_at)
    about: Sequence[Topic | Purpose] = [purpose.topic(topic) for topic in request.topics] or [purpose]
    stop = seal_withdrawal(request_link(request, purpose), keys)
    not_me = seal_withdrawal(not_me_link(request, purpose), keys, Capability.NOT_ME)
    language, brand = request.language, policy.brand_of(purpose)
    since = request.attested.recorded_at if request.attested else request.requested_at
    written = texts.letter(
        "confirm",
        language,
        site=site,
        topics=[
            {
                "name": policy.text(one.name, language),
                "description": policy.text(one.description, language),
                "frequency": policy.sentence(one.frequency, language) if isinstance(one, Topic) else "",
            }
            for one in about
        ],
        confirm_url=f"{confirm_url(base_url, seal_request(link, keys))}{brand.said()}",
        code=_code(request, keys),
        # These pages know no request, and go on in the language of the letter; the confirmation page has it stored.
        not_me_url=f"{not_me_url(base_url, not_me)}{brand.said(language)}",
        stop_url=f"{stop_url(base_url, stop)}{brand.said(language)}",
        notice_url=f"{base_url}/notice/{request.notice}{brand.said(language)}",
        requested_at=request.requested_at // 1000,
        days=max(1, (request.expires_at - since // 1000) // 86400),
    )
    return addressed(
        written,
        request.address.mailable,
        brand,
        headers=unsubscribe_headers(base_url, stop, list_id=f"{purpose.id}.{brand.list_domain}", stop_mail=stop_mail),
    )


def _code(request: Request, keys: Keyring) -> str:
    """The six digits as people read them; empty where no page waits for them, or their key is gone."""
    if request.code_key is None or request.code_key not in keys.keys:
        return ""
    return grouped(passcode(WaitingLink(request.contact, request.id, request.expires_at, request.code_key), keys))
