"""Limits and blocks in DynamoDB: short-lived counters under names that are no addresses."""

from pynamodb.exceptions import DoesNotExist, PutError

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.dynamodb.items import BlockItem, LimitItem
from consent_center.adapters.wire import CallFailedError

HOUR = 3600


_TAKE = {
    "UpdateExpression": "ADD #n :one SET #v = :one, #end = :end",
    "ConditionExpression": "attribute_not_exists(#n) OR #n < :most",
    "ExpressionAttributeNames": {"#n": "n", "#v": "v", "#end": "expires_at"},
}


class DynamoLimits:
    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, most: int, now: int) -> bool:
        hour = now // HOUR
        return self._take(keys.of_limit(name, hour), most, (hour + 2) * HOUR)

    def take_until(self, name: str, most: int, end: int) -> bool:
        return self._take(keys.of_limit_until_end(name), most, end)

    def _take(self, key: str, most: int, expires_at: int) -> bool:
        """In DynamoDB's own terms, because every sign-up takes twice."""
        values = {":one": {"N": "1"}, ":end": {"N": str(expires_at)}, ":most": {"N": str(most)}}
        with translated("take from limit"):
            try:
                self._database.call(
                    "UpdateItem",
                    TableName=LimitItem.Meta.table_name,
                    Key={"pk": {"S": key}, "sk": {"S": "COUNT"}},
                    ExpressionAttributeValues=values,
                    **_TAKE,
                )
            except CallFailedError as error:
                if not condition_failed(error):
                    raise
                return False
        return True

    def block(self, name: str, until: int) -> None:
        longer = BlockItem.pk.does_not_exist() | (BlockItem.expires_at < until)
        with translated("block"):
            try:
                BlockItem(keys.of_block(name), "BLOCK", expires_at=until).save(condition=longer)
            except PutError as error:
                if not condition_failed(error):
                    raise

    def is_blocked(self, name: str, now: int) -> bool:
        with translated("is blocked"):
            try:
                block = BlockItem.get(keys.of_block(name), "BLOCK", consistent_read=True)
            except DoesNotExist:
                return False
        return now < int(block.expires_at)
