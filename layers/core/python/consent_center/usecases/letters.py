"""Writing and sending the letter that asks whether a sign-up was meant."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from consent_center.domain.capability import (
    Capability,
    RequestLink,
    seal_request,
    seal_withdrawal,
)
from consent_center.domain.contact import address_name
from consent_center.domain.policy import Policy, Purpose
from consent_center.domain.request import Request, standing
from consent_center.ports import Claims, Clock, Envelope, LetterOrder, LetterTexts, Limits, Mailer, Secrets, Subjects
from consent_center.usecases.links import (
    confirm_url,
    not_me_link,
    not_me_url,
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


def deliver_confirmation(
    order: LetterOrder,
    *,
    base_url: str,
    site: Callable[[str], Mapping[str, Any]],
    policy: Policy,
    subjects: Subjects,
    claims: Claims,
    limits: Limits,
    mailer: Mailer,
    texts: LetterTexts,
    secrets: Secrets,
    clock: Clock,
) -> Delivery:
    """Send the confirmation letter of a request that still stands; `site` says who writes, in a language.

    Safe to run twice.

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
    if not claims.take(request.id, now // 1000):
        return Delivery.SENT_BEFORE
    scopes = [purpose.scope(topic, request.contact.channel).code for topic in request.topics]
    marks = {code: until for code, until in record.subject.requested.items() if until * 1000 > now}
    subjects.mark_requested(request.contact, {**marks, **dict.fromkeys(scopes, request.expires_at)})
    mailer.send(_letter(request, purpose, base_url, site(request.language), policy, texts, secrets))
    claims.finish(request.id, clock() // 1000)
    return Delivery.SENT


def _letter(
    request: Request,
    purpose: Purpose,
    base_url: str,
    site: Mapping[str, Any],
    policy: Policy,
    texts: LetterTexts,
    secrets: Secrets,
) -> Envelope:
    keys = secrets.links()
    link = RequestLink(request.contact, request.id, request.expires_at)
    topics = [purpose.topic(topic) for topic in request.topics]
    stop = seal_withdrawal(request_link(request, purpose), keys)
    not_me = seal_withdrawal(not_me_link(request, purpose), keys, Capability.NOT_ME)
    language = request.language
    written = texts.letter(
        "confirm",
        language,
        site=site,
        topics=[
            {
                "name": policy.text(topic.name, language),
                "description": policy.text(topic.description, language),
                "frequency": policy.text(topic.frequency, language),
            }
            for topic in topics
        ],
        confirm_url=confirm_url(base_url, seal_request(link, keys)),
        # These pages know no request, and go on in the language of the letter; the confirmation page has it stored.
        not_me_url=f"{not_me_url(base_url, not_me)}?lang={language}",
        stop_url=f"{stop_url(base_url, stop)}?lang={language}",
        notice_url=f"{base_url}/notice/{request.notice}?lang={language}",
        requested_at=request.requested_at // 1000,
        days=max(1, (request.expires_at - request.requested_at // 1000) // 86400),
    )
    brand = policy.brand_of(purpose)
    return Envelope(
        to=request.address.mailable,
        sender_name=brand.sender_name,
        sender_address=brand.sender_address,
        subject=written.subject,
        text=written.text,
        html=written.html,
        headers=unsubscribe_headers(base_url, stop, list_id=f"{purpose.id}.{brand.list_domain}"),
    )
