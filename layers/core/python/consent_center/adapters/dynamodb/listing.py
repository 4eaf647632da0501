"""All records of a controller, in DynamoDB: each State with a decision stands in the index `by-list`, by shard."""

from collections.abc import Iterator

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import translated
from consent_center.adapters.dynamodb.items import StateItem
from consent_center.domain.contact import ContactPoint

LIST_INDEX = "by-list"


class DynamoListing:
    shards = keys.LIST_SHARDS

    def __init__(self, database: Database) -> None:
        self._database = database

    def records(self, controller: str, shard: int) -> Iterator[ContactPoint]:
        return self._listed(keys.of_list(controller, shard), controller)

    def remains(self, controller: str, shard: int) -> Iterator[ContactPoint]:
        return self._listed(keys.of_remains(controller, shard), controller)

    def _listed(self, partition: str, controller: str) -> Iterator[ContactPoint]:
        with translated("list records"):
            for item in self._database.query(
                TableName=StateItem.Meta.table_name,
                IndexName=LIST_INDEX,
                KeyConditionExpression="#listed = :shard",
                ExpressionAttributeNames={"#listed": "listed"},
                ExpressionAttributeValues={":shard": {"S": partition}},
            ):
                yield keys.contact_of(item["pk"]["S"], controller)
