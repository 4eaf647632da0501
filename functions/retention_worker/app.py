"""Streams and schedules: jobs that run by the clock, and what follows from changes in the tables. No way out."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.errors import DomainError, UnavailableError, UnknownNameError
from consent_center.observability import count, logger, metrics
from consent_center.usecases.sealing import seal_days


def _seal() -> dict[str, Any]:
    """Seal the ledger up to yesterday. UnavailableError, after telling what was done, if it did not get that far."""
    sealing = seal_days(
        index=services().day_index, seals=services().seals, signer=services().seal_signer, clock=services().clock
    )
    count("EntriesSealed", sealing.entries)
    count("EntriesSealedLate", sealing.late)
    failed = len(sealing.due) - len(sealing.done)
    summary = {"due": len(sealing.due), "done": len(sealing.done), "failed": failed, "entries": sealing.entries}
    if sealing.failed is not None:
        logger.error("job failed", extra={"job": "seal", "reason": str(sealing.failed), **summary})
        raise UnavailableError(str(sealing.failed))
    # Counted also when nothing was due: its absence is what the alarm on silence listens for.
    count("LedgerSealed")
    logger.info("job done", extra={"job": "seal", **summary})
    return summary


JOBS: dict[str, Callable[[], dict[str, Any]]] = {"seal": _seal}
"""What runs by the clock, or by hand, by the name in the event."""


def _run(event: dict[str, Any]) -> dict[str, Any]:
    name = str(event.get("job"))
    if name not in JOBS:
        raise UnknownNameError("job")
    try:
        summary = JOBS[name]()
    except Exception as error:
        count("JobFailed")
        if not isinstance(error, DomainError):
            logger.error("job failed", job=name, reason=type(error).__name__)
        raise
    return {"job": name, **summary}


def _follow(records: list[dict[str, Any]]) -> None:
    """Look at each change of a table, in order. An error has the whole batch delivered again, in halves."""
    for record in records:
        table = record["eventSourceARN"].partition(":table/")[2].partition("/stream/")[0]
        if table == services().config.ledger_table:
            _follow_ledger(record)


def _follow_ledger(record: dict[str, Any]) -> None:
    """Nothing in the ledger is ever changed or removed: whoever did that had other rights than ours."""
    if record["eventName"] == "INSERT":
        return
    keys = record["dynamodb"]["Keys"]
    count("LedgerTampered")
    logger.critical("ledger tampered", change=record["eventName"], chain=keys["pk"]["S"], event=keys["sk"]["S"])


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    """A batch of a table's stream, or a job: `{"job": "seal"}`."""
    if "Records" in event:
        _follow(event["Records"])
        return None
    return _run(event)
