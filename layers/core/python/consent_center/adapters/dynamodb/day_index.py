"""The index `by-day` of the ledger: which entries are dated on a day, a page of keys after the other."""

import heapq
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import translated
from consent_center.domain.seal import Leaf
from consent_center.observability import logger

INDEX = "by-day"

_PAGE = 1_000
"""Keys in a page: all shards of four days are read at once, and this keeps them below 20 MB together."""

_HASH = re.compile(r"[0-9a-f]{64}")
_PARTITION = re.compile(r"C#\S+")
_SORT = re.compile(r"E#\d{10}")


class DynamoDayIndex:
    def __init__(self, database: Database, table: str) -> None:
        self._database, self._table = database, table

    def first_day(self) -> str:
        """The day on which the table was created."""
        with translated("first day"):
            created = self._database.call("DescribeTable", TableName=self._table)["Table"]["CreationDateTime"]
        return datetime.fromtimestamp(float(created), UTC).date().isoformat()

    def leaves(self, day: str) -> Iterator[Leaf]:
        return heapq.merge(*(self._shard(shard) for shard in keys.shards_of_day(day)))

    def _shard(self, shard: str) -> Iterator[Leaf]:
        start: dict[str, Any] = {}
        while True:
            with translated("leaves"):
                answer = self._database.call(
                    "Query",
                    TableName=self._table,
                    IndexName=INDEX,
                    KeyConditionExpression="#day = :day",
                    ExpressionAttributeNames={"#day": "day"},
                    ExpressionAttributeValues={":day": {"S": shard}},
                    Limit=_PAGE,
                    **start,
                )
            for item in answer["Items"]:
                leaf = _leaf(item)
                if leaf is None:
                    # Somebody put something else into the table; it must not keep the entries of the day from a seal.
                    logger.error("no entry, so not sealed", shard=shard)
                else:
                    yield leaf
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _leaf(item: Any) -> Leaf | None:
    entry_hash, partition, sort = (item[name]["S"] for name in ("hash", "pk", "sk"))
    if not (_HASH.fullmatch(entry_hash) and _PARTITION.fullmatch(partition) and _SORT.fullmatch(sort)):
        return None
    return Leaf(entry_hash, partition.removeprefix("C#"), keys.seq_in(sort))
