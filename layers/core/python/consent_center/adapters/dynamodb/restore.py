"""A table of Subjects that was restored: the one place where a whole table is read."""

from collections.abc import Iterator, Mapping
from typing import Any

from pynamodb.exceptions import PutError

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.dynamodb.items import StateItem
from consent_center.adapters.dynamodb.stored import state_item, subject_in
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError
from consent_center.domain.subject import Subject

CHANNEL = "email"


class DynamoRestoredRecords:
    """`table` is the one that `Subjects` is bound to, or another one, of which only what is in it can be read."""

    def __init__(self, database: Database, table: str) -> None:
        self._database = database
        self._table = table

    def records(self) -> Iterator[ContactPoint]:
        with translated("read restored records"):
            for item in self._states("attribute_not_exists(moved_to)"):
                yield keys.contact_of(item["pk"]["S"], item["controller"]["S"] if "controller" in item else "")

    def suppressed(self) -> Iterator[Subject]:
        """The states of this table that keep somebody out, as a stream."""
        with translated("read suppressions"):
            for item in self._states("attribute_exists(supp)"):
                subject = subject_in(item)
                yield Subject(subject.contact._replace(channel=CHANNEL), suppression=subject.suppression)

    def _states(self, condition: str) -> Iterator[Mapping[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            answer = self._database.call(
                "Scan",
                TableName=self._table,
                FilterExpression=f"sk = :state AND {condition}",
                ExpressionAttributeValues={":state": {"S": keys.STATE}},
                ConsistentRead=True,
                **start,
            )
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def put(self, subject: Subject, replaces_version: int) -> None:
        unchanged = (
            StateItem.version == replaces_version
            if replaces_version
            else StateItem.pk.does_not_exist() | (StateItem.version == 0)
        )
        with translated("put restored record"):
            try:
                state_item(subject).save(condition=unchanged)
            except PutError as error:
                if condition_failed(error):
                    raise StaleSubjectError from None
                raise
