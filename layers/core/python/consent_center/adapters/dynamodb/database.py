"""pynamodb on one shared connection, over the wire: by itself it would make a botocore client for every model class."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pynamodb.connection import Connection, TableConnection
from pynamodb.connection.base import MetaTable
from pynamodb.exceptions import CancellationReason, VerboseClientError
from pynamodb.models import Model

from consent_center.adapters.wire import CallFailedError, Wire


class _WiredConnection(Connection):
    """What pynamodb's models call. DynamoDB's JSON is what they read and write, so nothing is converted."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(region="none")
        self._wire = wire

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """One call; VerboseClientError with DynamoDB's code but none of its words, because these may quote an item."""
        try:
            return self._wire.call(operation_name, operation_kwargs)
        except CallFailedError as error:
            raise VerboseClientError(
                {"Error": {"Code": error.code, "Message": ""}},
                operation_name,
                {"request_id": "", "table_name": ""},
                cancellation_reasons=[
                    None if code == "None" else CancellationReason(code=code) for code in error.reasons
                ],
            ) from None


class Database:
    """A connection to which the models of some tables are bound."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.connection: Connection = _WiredConnection(wire)

    def bind(self, models: Iterable[type[Model]], table_name: str) -> None:
        """Let these models live in this table. They must have the same keys."""
        table = TableConnection(table_name)
        table.connection = self.connection
        for model in models:
            model.Meta.table_name = table_name
            model._connection = table
            if table_name not in self.connection._tables:
                schema = model._get_schema()
                self.connection.add_meta_table(
                    MetaTable(
                        {
                            "TableName": table_name,
                            "KeySchema": schema["key_schema"],
                            "AttributeDefinitions": schema["attribute_definitions"],
                        }
                    )
                )

    def call(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """One DynamoDB call in DynamoDB's own terms, for the paths where a model per item costs too much."""
        return self._wire.call(operation, arguments)

    def query(self, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """The items that a query finds, as a stream, a page of at most 1 MB after the other."""
        start: dict[str, Any] = {}
        while True:
            answer = self.call("Query", **arguments, **start)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def call_all(
        self, operation: str, arguments: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any] | CallFailedError]:
        """Many such calls at once; a failure stands in its call's place."""
        return self._wire.call_all(operation, arguments)
