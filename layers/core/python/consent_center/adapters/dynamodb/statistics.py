"""Counters in DynamoDB: an event's mark and what it adds are one transaction, so that it is counted once."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import translated
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.errors import UnavailableError
from consent_center.domain.statistics import Cell, Event
from consent_center.ports.basics import Pause

LARGEST_TRANSACTION = 100
"""Writes that DynamoDB takes in one."""

ATTEMPTS = 8

_SEEN = "ConditionalCheckFailed"
_LATER = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class DynamoStatistics:
    def __init__(self, database: Database, table: str, pause: Pause) -> None:
        self._database, self._table, self._pause = database, table, pause

    def count(self, events: Sequence[Event], *, marked_until: int, kept_days: int) -> int:
        marks = {_mark(event): event for event in events}
        return sum(self._count(chunk, marked_until, kept_days) for chunk in _chunks(marks))

    def counts(self, first: str, last: str, now: int) -> Iterator[tuple[Cell, int]]:
        for month in keys.months_between(first, last):
            start: dict[str, Any] = {}
            while True:
                with translated("counts"):
                    answer = self._database.call(
                        "Query",
                        TableName=self._table,
                        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                        ExpressionAttributeValues={
                            ":pk": {"S": keys.of_counters(month)},
                            ":first": {"S": f"{first}#"},
                            # The sign after # ends the range of a day.
                            ":last": {"S": f"{last}$"},
                        },
                        **start,
                    )
                for item in answer["Items"]:
                    if int(item["expires_at"]["N"]) > now:
                        yield Cell(*keys.counter_in(item["sk"]["S"])), int(item["n"]["N"])
                if "LastEvaluatedKey" not in answer:
                    break
                start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _count(self, marks: dict[str, Event], marked_until: int, kept_days: int) -> int:
        """All or none; those that were counted before are left out, and the others tried again without them."""
        for attempt in range(ATTEMPTS):
            if not marks:
                return 0
            try:
                self._database.call(
                    "TransactWriteItems", TransactItems=self._writes(marks, attempt, marked_until, kept_days)
                )
            except CallFailedError as error:
                reasons = error.reasons[: len(marks)]
                seen = {mark for mark, reason in zip(marks, reasons, strict=False) if reason == _SEEN}
                marks = {mark: event for mark, event in marks.items() if mark not in seen}
                if not seen:
                    if not set(error.reasons) & _LATER:
                        raise UnavailableError(f"count: {error.code}") from None
                    self._pause(attempt)
                continue
            return len(marks)
        raise UnavailableError("count: TransactionConflict")

    def _writes(self, marks: dict[str, Event], attempt: int, marked_until: int, kept_days: int) -> list[dict[str, Any]]:
        added = Counter(cell for event in marks.values() for cell in event.cells)
        # Whoever met somebody else at one shard of a counter tries the next.
        shard = (int(next(iter(marks))[:4], 16) + attempt) % keys.COUNTER_SHARDS
        return [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": {
                        "pk": {"S": keys.of_mark(mark)},
                        "sk": {"S": keys.MARK},
                        "v": {"N": "1"},
                        "expires_at": {"N": str(marked_until)},
                    },
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for mark in marks
        ] + [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": {"pk": {"S": keys.of_counters(cell.day[:7])}, "sk": {"S": keys.of_counter(cell, shard)}},
                    "UpdateExpression": "ADD #n :n SET #v = :v, #end = :end",
                    "ExpressionAttributeNames": {"#n": "n", "#v": "v", "#end": "expires_at"},
                    "ExpressionAttributeValues": {
                        ":n": {"N": str(number)},
                        ":v": {"N": "1"},
                        ":end": {"N": str(_end(cell.day, kept_days))},
                    },
                }
            }
            for cell, number in added.items()
        ]


def _mark(event: Event) -> str:
    return hashlib.sha256(event.id.encode()).hexdigest()[:32]


def _chunks(marks: dict[str, Event]) -> Iterator[dict[str, Event]]:
    """As many events as fit into one transaction with the counters that they add to."""
    chunk: dict[str, Event] = {}
    cells: set[Cell] = set()
    for mark, event in marks.items():
        more = cells | set(event.cells)
        if chunk and len(chunk) + 1 + len(more) > LARGEST_TRANSACTION:
            yield chunk
            chunk, more = {}, set(event.cells)
        chunk[mark], cells = event, more
    if chunk:
        yield chunk


def _end(day: str, kept_days: int) -> int:
    """When a day's counters are gone, in epoch seconds."""
    over = date.fromisoformat(day) + timedelta(days=1 + kept_days)
    return int(datetime(over.year, over.month, over.day, tzinfo=UTC).timestamp())
