"""Carries out parts of imports: takes their numbers from the queue, and leaves a report of each."""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.errors import DomainError, UnavailableError
from consent_center.observability import count, logger, metrics
from consent_center.usecases.imports import import_part

SPARE_MS = 5_000
"""How long before its end a run begins no further row: time for those under way, and for the report."""


def carry_out(body: str, deadline: int) -> dict[str, int] | None:
    """Carry out the part that a message names; `deadline` in epoch milliseconds."""
    import_id, part = _part(body)
    outcomes = import_part(
        import_id,
        part,
        deadline=deadline,
        imports=services().imports,
        policy=services().policy,
        subjects=services().subjects,
        ledger=services().ledger,
        addresses=services().addresses,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )
    return dict(outcomes) if outcomes is not None else None


def _part(body: str) -> tuple[str, int]:
    """The import and the part that a message names. UnavailableError: trying again takes it to the dead letters."""
    try:
        message = json.loads(body)
        return str(message["import"]), int(message["part"])
    except (ValueError, LookupError, TypeError):
        raise UnavailableError("the message names no part") from None


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """A part that could not be finished is named, and delivered again; what was stored of it is found then."""
    deadline = services().clock() + context.get_remaining_time_in_millis() - SPARE_MS
    failed = []
    for record in event["Records"]:
        try:
            outcomes = carry_out(record["body"], deadline)
        except Exception as error:
            # Only the kind of a foreign error is logged: its text may quote a row.
            reason = str(error) if isinstance(error, DomainError) else type(error).__name__
            logger.error("part failed", message_id=record["messageId"], reason=reason)
            count("ImportPartFailed")
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        logger.info("part done", message_id=record["messageId"], outcomes=outcomes)
        if outcomes:
            count("RowsImported", outcomes.get("recorded", 0))
            count("RowsRefused", outcomes.get("refused", 0))
    return {"batchItemFailures": failed}
