"""One database per engine: moto in this process, and the stack's DynamoDB where it runs; and systems of recipients."""

from collections.abc import Iterator

import botocore.session
import pytest
from moto import mock_aws

from connected_systems import SYSTEMS, System
from consent_center.adapters.aws import wire
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.items import LEDGER_ITEMS, SUBJECTS_ITEMS, TRANSIENT_ITEMS
from consent_center.adapters.wire import Wire
from fakes import no_pause, real_clock
from moto_wire import ENVIRONMENT, by_moto

TABLES = {
    "subjects": SUBJECTS_ITEMS,
    "ledger": LEDGER_ITEMS,
    "transient": TRANSIENT_ITEMS,
    "statistics": (),
    "cases": (),
    "case-keys": (),
    "restored": (),
}

BY_DAY = {
    "IndexName": "by-day",
    "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}, {"AttributeName": "hash", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}


BY_REVIEW = {
    "IndexName": "by-review",
    "KeySchema": [{"AttributeName": "review", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["controller"]},
}

BY_LIST = {
    "IndexName": "by-list",
    "KeySchema": [{"AttributeName": "listed", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}

BY_DUE = {
    "IndexName": "by-due",
    "KeySchema": [{"AttributeName": "due_shard", "KeyType": "HASH"}, {"AttributeName": "due_at", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}

BY_OPEN = {
    "IndexName": "by-open",
    "KeySchema": [
        {"AttributeName": "open_shard", "KeyType": "HASH"},
        {"AttributeName": "answer_by", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["version", "body"]},
}

INDEXES = {
    "ledger": ([BY_DAY], ("day", "hash")),
    "subjects": ([BY_REVIEW, BY_LIST], ("review", "listed")),
    "cases": ([BY_DUE, BY_OPEN], ("due_shard", "due_at", "open_shard", "answer_by")),
}
NUMBERS = {"due_at"}


def _database(made: Wire) -> Database:
    client = botocore.session.get_session().create_client("dynamodb")
    for name in TABLES:
        if name in client.list_tables()["TableNames"]:
            client.delete_table(TableName=name)
        found, names = INDEXES.get(name, ([], ()))
        indexes = {"GlobalSecondaryIndexes": found} if found else {}
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": "N" if key in NUMBERS else "S"} for key in ("pk", "sk", *names)
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            **indexes,
        )
    database = Database(made)
    for name, items in TABLES.items():
        database.bind(items, name)
    return database


@pytest.fixture
def moto_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield _database(by_moto("dynamodb"))


@pytest.fixture
def engine_database(emulator_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": emulator_url}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = wire("dynamodb", environment, clock=real_clock, pause=no_pause)
    yield _database(made)
    made.connections.close()


@pytest.fixture
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield from SYSTEMS[request.param][0](monkeypatch)
