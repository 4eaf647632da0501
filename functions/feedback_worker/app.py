"""Takes what comes back from the queue, mails to the stop address and reports about letters, and does what they say."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.errors import DomainError, UnreadableMessageError
from consent_center.domain.incoming import READ_BYTES
from consent_center.observability import count, logger, metrics
from consent_center.usecases.feedback import COMPLAINT, MAIL, Outcome, Report, Verdict, take_mail, take_report
from feedback_worker import messages


def take(body: str) -> list[Verdict]:
    """Do what one message says, and forget the mail only then."""
    return [_report(one) if isinstance(one, Report) else _mail(one.name) for one in messages.read(body)]


def _mail(name: str) -> Verdict:
    mails = services().mails
    stored = mails.read(name, READ_BYTES)
    if stored is None:
        return Verdict(Outcome.WITHDRAWN_BEFORE)
    verdict = take_mail(
        stored.beginning,
        stored.arrived_at,
        words=services().stop_words,
        policy=services().policy,
        subjects=services().subjects,
        addresses=services().addresses,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )
    if verdict.outcome is Outcome.FOR_STAFF:
        mails.set_aside(name, verdict.reason)
    else:
        mails.remove(name)
    _count(verdict, MAIL)
    return verdict


def _report(report: Report) -> Verdict:
    verdict = take_report(
        report,
        policy=services().policy,
        subjects=services().subjects,
        addresses=services().addresses,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )
    _count(verdict, COMPLAINT)
    return verdict


def _count(verdict: Verdict, source: str) -> None:
    match verdict.outcome:
        case Outcome.WITHDRAWN:
            count("WithdrawnByMail" if source == MAIL else "WithdrawnByComplaint")
        case Outcome.FOR_STAFF:
            count("MailForStaff")
        case Outcome.DROPPED:
            count("MailDropped")
        case Outcome.IGNORED if source == MAIL:
            count("MailIgnored")
        case Outcome.UNDELIVERABLE:
            count("AddressUndeliverable")
        case Outcome.SOFT_BOUNCE:
            count("SoftBounce")
        case Outcome.SENT:
            count("SendConfirmed")


def _take_or_set_aside(record: dict[str, Any]) -> Sequence[str]:
    """The outcomes, for the log: words, and reasons that name nobody."""
    try:
        return [f"{one.outcome} {one.reason}".strip() for one in take(record["body"])]
    except UnreadableMessageError as error:
        services().dead_letters.set_aside(record["body"], str(error))
        count("FeedbackSetAside")
        return ["set_aside"]


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One bad message does not hold up the others: what failed is named, and only that is delivered again."""
    failed = []
    for record in event["Records"]:
        try:
            outcomes = _take_or_set_aside(record)
        except Exception as error:
            # Only the kind of a foreign error is logged: its text may quote a mail.
            reason = str(error) if isinstance(error, DomainError) else type(error).__name__
            logger.error("feedback failed", message_id=record["messageId"], reason=reason)
            count("FeedbackFailed")
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            logger.info("feedback done", message_id=record["messageId"], outcomes=outcomes)
    return {"batchItemFailures": failed}
