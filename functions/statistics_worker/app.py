"""Follows the streams of Ledger and Subjects, and adds what happened to counters that know nobody."""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.errors import UnreadableChangeError
from consent_center.domain.statistics import CANCELLED, REQUESTED, Cell, Event, cells_of_entry, cells_of_request
from consent_center.observability import count, logger, metrics
from consent_center.usecases.rotation import is_move
from consent_center.usecases.statistics import confirmed_by, count_events

_NOT_OURS = (KeyError, ValueError, TypeError, AttributeError)
"""What reading a change raises that no version of this code can have written."""


def _event_in(record: dict[str, Any]) -> Event | None:
    """What a change of a table counts as; None for one that is no event of ours."""
    change, name = record["dynamodb"], record["eventName"]
    partition, sort = change["Keys"]["pk"]["S"], change["Keys"]["sk"]["S"]
    cells: tuple[Cell, ...] = ()
    if is_move(change.get("OldImage"), change.get("NewImage")):
        return None
    if name == "INSERT" and partition.startswith("C#") and sort.startswith("E#") and "body" in change["NewImage"]:
        cells = cells_of_entry(json.loads(change["NewImage"]["body"]["S"]))
    elif sort.startswith("PENDING#") and name == "INSERT":
        item = change["NewImage"]
        cells = _of_request(REQUESTED, item, int(item["requested_at"]["N"]))
    elif sort.startswith("PENDING#") and name == "REMOVE":
        # What expires is removed by DynamoDB, also long after it was confirmed: that is no act of anybody.
        if (record.get("userIdentity") or {}).get("principalId") != "dynamodb.amazonaws.com":
            cells = _of_request(CANCELLED, change["OldImage"], int(change["ApproximateCreationDateTime"] * 1000))
    elif sort == "STATE" and name == "MODIFY":
        cells = confirmed_by(change["OldImage"], change["NewImage"], services().policy)
    return Event(str(record["eventID"]), cells) if cells else None


def _of_request(measure: str, item: dict[str, Any], at: int) -> tuple[Cell, ...]:
    return cells_of_request(
        measure,
        at,
        controller=item["controller"]["S"],
        purpose=item["purpose"]["S"],
        source=item["source"]["S"],
        language=item["lang"]["S"],
        policy=services().policy,
    )


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    """A batch of the stream of Ledger or Subjects.

    What can be read is counted first. Then UnreadableChangeError for the rest: the batch comes again in halves, what
    was counted is known, and in the end what cannot be read stands alone and is set aside.
    """
    events, unreadable = [], 0
    for record in event["Records"]:
        try:
            found = _event_in(record)
        except _NOT_OURS as error:
            unreadable += 1
            logger.error("change not readable", event_id=str(record.get("eventID")), reason=type(error).__name__)
            continue
        if found is not None:
            events.append(found)
    new = count_events(
        events,
        kept_days=services().config.statistics_kept_days,
        statistics=services().statistics,
        clock=services().clock,
    )
    count("EventsCounted", new)
    if unreadable:
        count("ChangeUnreadable", unreadable)
        raise UnreadableChangeError
