"""pynamodb on one shared connection: by itself it would open a session and a client for every model class."""

from collections.abc import Iterable, Mapping
from typing import Any

import botocore.session
from botocore.model import Shape
from botocore.parsers import JSONParser, ResponseParserFactory
from pynamodb.connection import Connection, TableConnection
from pynamodb.connection.base import MetaTable
from pynamodb.models import Model

from consent_center.adapters import aws


class _ItemsAsTheyCome(JSONParser):  # type: ignore[misc] # botocore has no types.
    """Leaves items in DynamoDB's own form, which botocore would copy value by value: most of what a read costs.

    Only binary values would differ, and no item has one.
    """

    def _parse_shape(self, shape: Shape, node: Any) -> Any:
        return node if shape.name in ("AttributeMap", "Key") else super()._parse_shape(shape, node)


class _Parsers(ResponseParserFactory):  # type: ignore[misc]
    def create_parser(self, protocol_name: str) -> Any:
        return _ItemsAsTheyCome(**self._defaults) if protocol_name == "json" else super().create_parser(protocol_name)


class _SharedConnection(Connection):
    def __init__(self, session: botocore.session.Session) -> None:
        super().__init__(
            connect_timeout_seconds=aws.CONNECT_SECONDS,
            read_timeout_seconds=aws.READ_SECONDS,
            retry_configuration={"mode": "standard", "total_max_attempts": aws.ATTEMPTS},
        )
        self._shared_session = session

    @property
    def session(self) -> botocore.session.Session:
        return self._shared_session


class Database:
    """A connection to which the models of some tables are bound."""

    def __init__(self, session: botocore.session.Session) -> None:
        session.register_component("response_parser_factory", _Parsers())
        self.connection: Connection = _SharedConnection(session)

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
        return self.connection.dispatch(operation, arguments)
