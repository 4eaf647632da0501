"""A table of Subjects that was restored: the one place where a whole table is read."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
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
from consent_center.observability import logger

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

    def originals(self) -> Iterator[Subject]:
        """The states of this table that say anything of somebody, as a stream; what cannot be read is left out."""
        with translated("read states"):
            for item in self._states("(attribute_exists(supp) OR attribute_exists(chain))"):
                try:
                    subject = subject_in(item)
                except (KeyError, ValueError, TypeError, AttributeError):
                    # It may be what the table is restored for.
                    logger.warning("a state that cannot be read")
                    continue
                yield replace(subject, contact=subject.contact._replace(channel=CHANNEL))

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
