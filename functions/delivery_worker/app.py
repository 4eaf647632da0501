"""Everything that leaves: takes letter orders from the queue and hands the letters to the mail service."""

import json
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import DomainError, LetterRefusedError
from consent_center.domain.letter import Letter
from consent_center.observability import count, logger, metrics
from consent_center.ports.letters import LetterOrder
from consent_center.usecases.address_letters import deliver_address_changed, deliver_address_request
from consent_center.usecases.case_letters import deliver_case_letter
from consent_center.usecases.letters import Delivery, deliver_confirmation, deliver_preferences_link
from consent_center.usecases.receipts import deliver_receipt
from consent_center.usecases.telling import deliver_notice_change, deliver_source
from consent_center.web.site import site


def deliver(body: str) -> Delivery:
    """Carry out one order."""
    order = _order(body)
    policy, texts = services().policy, services().texts
    base_url, speaker = services().config.public_url, partial(site, texts, policy)
    if base_url is None:
        raise LetterRefusedError("the setting PUBLIC_URL is missing")
    if order.letter == Letter.CONFIRM:
        return deliver_confirmation(
            order,
            base_url=base_url,
            site=speaker,
            policy=policy,
            subjects=services().subjects,
            claims=services().claims,
            limits=services().limits,
            mailer=services().mailer,
            texts=texts,
            secrets=services().secrets,
            clock=services().clock,
            stop_mail=services().config.stop_mail_address,
        )
    if order.letter == Letter.RECEIPT:
        return deliver_receipt(
            order,
            base_url=base_url,
            site=speaker,
            policy=policy,
            subjects=services().subjects,
            ledger=services().ledger,
            claims=services().claims,
            mailer=services().mailer,
            signer=services().receipt_signer,
            texts=texts,
            secrets=services().secrets,
            clock=services().clock,
        )
    if order.letter == Letter.NOTICE_CHANGED:
        return deliver_notice_change(
            order,
            base_url=base_url,
            site=speaker,
            notice_text=services().notice_text,
            policy=policy,
            subjects=services().subjects,
            claims=services().claims,
            mailer=services().mailer,
            tellings=services().tellings,
            texts=texts,
            secrets=services().secrets,
            clock=services().clock,
        )
    if order.letter == Letter.SOURCE:
        return deliver_source(
            order,
            base_url=base_url,
            site=speaker,
            policy=policy,
            subjects=services().subjects,
            ledger=services().ledger,
            claims=services().claims,
            mailer=services().mailer,
            tellings=services().tellings,
            texts=texts,
            secrets=services().secrets,
            clock=services().clock,
        )
    if order.letter == Letter.ADDRESS:
        return deliver_address_request(
            order,
            base_url=base_url,
            site=speaker,
            policy=policy,
            moves=services().address_moves,
            claims=services().claims,
            limits=services().limits,
            mailer=services().mailer,
            texts=texts,
            secrets=services().secrets,
            clock=services().clock,
        )
    if order.letter == Letter.ADDRESS_CHANGED:
        return deliver_address_changed(
            order,
            base_url=base_url,
            site=speaker,
            policy=policy,
            subjects=services().subjects,
            claims=services().claims,
            mailer=services().mailer,
            texts=texts,
            clock=services().clock,
        )
    if order.letter == Letter.CASE:
        return deliver_case_letter(
            order,
            base_url=base_url,
            site=speaker,
            policy=policy,
            subjects=services().subjects,
            cases=services().cases,
            particulars=services().particulars,
            claims=services().claims,
            mailer=services().mailer,
            texts=texts,
            secrets=services().secrets,
            clock=services().clock,
        )
    if order.letter != Letter.PREFERENCES:
        raise LetterRefusedError("no such letter")
    return deliver_preferences_link(
        order,
        base_url=base_url,
        site=speaker,
        policy=policy,
        subjects=services().subjects,
        claims=services().claims,
        mailer=services().mailer,
        texts=texts,
        secrets=services().secrets,
        clock=services().clock,
    )


def _order(body: str) -> LetterOrder:
    """The order that a message holds. LetterRefusedError for a message that is none, and never will be."""
    try:
        message = json.loads(body)
        contact = ContactPoint(message["controller"], message["channel"], message["key_id"], message["pseudonym"])
        order = LetterOrder(message["letter"], contact, message["request"], message.get("brand"))
    except (ValueError, LookupError, TypeError):
        raise LetterRefusedError("the message is no order") from None
    if contact.controller not in services().policy.controllers:
        raise LetterRefusedError("the policy has no such controller")
    return order


def _deliver_or_set_aside(record: dict[str, Any]) -> str:
    try:
        outcome = deliver(record["body"])
    except LetterRefusedError as error:
        services().dead_letters.set_aside(record["body"], str(error))
        logger.error("letter set aside", message_id=record["messageId"], reason=str(error))
        count("LetterRefused")
        return "set_aside"
    if outcome is Delivery.SENT:
        count("LetterSent")
    return outcome


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One bad order does not hold up the others: what failed is named, and only that is delivered again.

    What can never succeed is set aside at once, so that people hear of it before ten minutes of trying are over.
    """
    failed = []
    for record in event["Records"]:
        try:
            outcome = _deliver_or_set_aside(record)
        except Exception as error:
            # Only the kind of a foreign error is logged: its text may quote a letter.
            reason = str(error) if isinstance(error, DomainError) else type(error).__name__
            logger.error("letter failed", message_id=record["messageId"], reason=reason)
            count("LetterFailed")
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            logger.info("letter done", message_id=record["messageId"], outcome=outcome)
    return {"batchItemFailures": failed}
