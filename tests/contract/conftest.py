"""One database per engine: moto in this process, and the local stack's DynamoDB where it is running."""

import os
from collections.abc import Iterator

import botocore.session
import pytest
from moto import mock_aws

from consent_center.adapters import aws
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.items import LEDGER_ITEMS, SUBJECTS_ITEMS, TRANSIENT_ITEMS

TABLES = {"subjects": SUBJECTS_ITEMS, "ledger": LEDGER_ITEMS, "transient": TRANSIENT_ITEMS}


def _tables_of(session: botocore.session.Session) -> Database:
    client = session.create_client("dynamodb")
    for name in TABLES:
        if name in client.list_tables()["TableNames"]:
            client.delete_table(TableName=name)
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
    database = Database(session)
    for name, items in TABLES.items():
        database.bind(items, name)
    return database


@pytest.fixture
def moto_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield _tables_of(botocore.session.get_session())
    aws.client.cache_clear()


@pytest.fixture
def engine_database(emulator_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    for name, value in {**_ENVIRONMENT, "AWS_ENDPOINT_URL": emulator_url}.items():
        monkeypatch.setenv(name, value)
    return _tables_of(botocore.session.get_session())


_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-north-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
