"""Limits and blocks in DynamoDB: short-lived counters under names that are no addresses."""

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError
from pynamodb.expressions.update import Action

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.dynamodb.items import BlockItem, LimitItem

HOUR = 3600


class DynamoLimits:
    def take(self, name: str, most: int, now: int) -> bool:
        hour = now // HOUR
        return self._take(keys.of_limit(name, hour), most, (hour + 2) * HOUR)

    def take_until(self, name: str, most: int, end: int) -> bool:
        return self._take(keys.of_limit_until_end(name), most, end)

    @staticmethod
    def _take(key: str, most: int, expires_at: int) -> bool:
        counter = LimitItem(key, "COUNT")
        below = LimitItem.n.does_not_exist() | (LimitItem.n < most)
        actions: list[Action] = [LimitItem.n.add(1), LimitItem.v.set(1), LimitItem.expires_at.set(expires_at)]
        with translated("take from limit"):
            try:
                counter.update(actions, condition=below)
            except UpdateError as error:
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
