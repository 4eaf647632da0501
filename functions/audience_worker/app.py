"""Makes audiences: files that tell a mail tool whom a purpose may write to, and who decided since."""

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.audience import AudienceRun
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import DomainError, UnknownNameError, UnreadableMessageError
from consent_center.observability import count, logger, metrics
from consent_center.usecases.audience import Change, make_part, note_changes, order_audiences


def _order() -> dict[str, Any]:
    """Have every audience made anew."""
    purposes = services().config.audience_purposes
    parts = order_audiences(
        purposes,
        policy=services().policy,
        listing=services().listing,
        orders=services().audience_orders,
        clock=services().clock,
    )
    summary = {"purposes": len(purposes), "parts": parts}
    logger.info("job done", extra={"job": "audience", **summary})
    return {"job": "audience", **summary}


def _make(record: dict[str, Any]) -> None:
    """One shard of one audience."""
    try:
        said = json.loads(record["body"])
        run = AudienceRun(said["id"], said["purpose"], int(said["made_at"]), int(said["valid_until"]))
        shard = int(said["shard"])
    except (ValueError, LookupError, TypeError):
        raise UnreadableMessageError("the message names no part") from None
    is_whole = make_part(
        run,
        shard,
        policy=services().policy,
        subjects=services().subjects,
        listing=services().listing,
        files=services().audience_files,
        secrets=services().secrets,
        clock=services().clock,
    )
    logger.info("part done", message_id=record["messageId"], purpose=run.purpose, run=run.id, shard=shard)
    if is_whole:
        count("AudienceWritten")


def _change(body: str) -> Change:
    try:
        said = json.loads(body)
        return Change(ContactPoint(*said["contact"]), str(said["chain"]), tuple(str(code) for code in said["purposes"]))
    except (ValueError, LookupError, TypeError):
        raise UnreadableMessageError("the message names no change") from None


def _each(records: list[dict[str, Any]], act: Callable[[dict[str, Any]], None]) -> list[str]:
    """Do something with each message; the ids of those that failed, for they alone are delivered again."""
    failed = []
    for record in records:
        try:
            act(record)
        except Exception as error:
            _tell(error, record["messageId"])
            failed.append(record["messageId"])
    return failed


def _tell(error: Exception, message_id: str | None = None) -> None:
    # Only the kind of a foreign error is logged: its text may quote a row.
    reason = str(error) if isinstance(error, DomainError) else type(error).__name__
    logger.error("audience failed", message_id=message_id, reason=reason)
    count("AudienceFailed")


def _note(records: list[dict[str, Any]]) -> list[str]:
    """The changes that came together go into one file; if it cannot be written all of them come again."""
    changes: dict[str, Change] = {}

    def take(record: dict[str, Any]) -> None:
        changes[record["messageId"]] = _change(record["body"])

    failed = _each(records, take)
    try:
        lines = note_changes(
            changes.values(),
            services().config.audience_purposes,
            policy=services().policy,
            subjects=services().subjects,
            files=services().audience_files,
            secrets=services().secrets,
            clock=services().clock,
        )
    except Exception as error:
        _tell(error)
        return [*failed, *changes]
    count("AudienceChanges", lines)
    return failed


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The job `{"job": "audience"}`, shards to be made, or people who decided."""
    if "Records" not in event:
        if event.get("job") != "audience":
            raise UnknownNameError("job")
        return _order()
    records = event["Records"]
    changes = [record for record in records if '"contact"' in record["body"]]
    parts = [record for record in records if '"contact"' not in record["body"]]
    failed = _each(parts, _make)
    if changes:
        failed += _note(changes)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
