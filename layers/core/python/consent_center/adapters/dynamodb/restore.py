"""A table of Subjects that was restored: the one place where a whole table is read."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pynamodb.exceptions import PutError

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.dynamodb.items import StateItem
from consent_center.adapters.dynamodb.stored import number, state_item, subject_in
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError
from consent_center.domain.subject import Subject, timestamp
from consent_center.observability import logger
from consent_center.ports.basics import Clock

CHANNEL = "email"


class DynamoRestoredRecords:
    """`table` is the one that `Subjects` is bound to, or another one, of which only what is in it can be read."""

    def __init__(self, database: Database, table: str, clock: Clock) -> None:
        self._database = database
        self._table = table
        self._clock = clock

    def records(self) -> Iterator[ContactPoint]:
        with translated("read restored records"):
            for item in self._states("attribute_not_exists(moved_to)"):
                yield keys.contact_of(item["pk"]["S"], item["controller"]["S"] if "controller" in item else "")

    def originals(self) -> Iterator[Subject | None]:
        """The states of this table that say anything of somebody, as a stream; None for one that cannot be read."""
        with translated("read states"):
            for item in self._states("(attribute_exists(supp) OR attribute_exists(chain))"):
                try:
                    if number(item, "expires_at") and number(item, "expires_at") * 1000 <= self._clock():
                        continue
                    subject = subject_in(item)
                except (KeyError, ValueError, TypeError, AttributeError):
                    # It may be what the table is restored for.
                    logger.warning("a state that cannot be read")
                    yield None
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
        item = state_item(subject)
        if subject.chain is not None:
            item.review = keys.of_review(timestamp(self._clock())[:10], subject.contact)
        elif subject.suppression is not None:
            item.expires_at = subject.suppression.until
        with translated("put restored record"):
            try:
                item.save(condition=unchanged)
            except PutError as error:
                if condition_failed(error):
                    raise StaleSubjectError from None
                raise
