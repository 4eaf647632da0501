"""`consentctl restore`: a copy gets what a restore leaves out, and what differs is found."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.restore import Report, Tables
from consent_center.domain.restore import Outcome
from moto_wire import ENVIRONMENT

KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        made = boto3.client("dynamodb", region_name="eu-central-1")
        made.create_table(
            TableName="records",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            KeySchema=KEYS,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            Tags=[{"Key": "team", "Value": "privacy"}],
        )
        made.update_time_to_live(
            TableName="records", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
        )
        made.update_continuous_backups(
            TableName="records", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        yield made


def test_a_copy_gets_stream_ttl_recovery_and_tags_of_its_table(client: Any) -> None:
    tables = Tables(client, pause_seconds=0)
    client.put_item(TableName="records", Item={"pk": {"S": "a"}, "sk": {"S": "b"}})

    tables.restore("records", "copy", None, "")
    tables.wait("copy")
    assert set(tables.differences("records", "copy")) >= {"TTL", "PITR"}
    tables.give_settings("records", "copy")
    # Cut short and begun again, it does no harm.
    tables.give_settings("records", "copy")

    assert tables.differences("records", "copy") == []
    arn = client.describe_table(TableName="copy")["Table"]["TableArn"]
    assert {"Key": "team", "Value": "privacy"} in client.list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert client.scan(TableName="copy")["Count"] == 1


def test_staff_are_told_the_chains_that_they_have_to_look_at_and_no_others() -> None:
    report = Report()
    report.note(Outcome.UNCHANGED, 0, "one")
    report.note(Outcome.MOVED_AWAY, 1, "two")
    report.note(Outcome.UNREADABLE, 0, "three")

    assert report.to_look_at == [{"chain": "two", "why": "moved_away"}, {"chain": "three", "why": "unreadable"}]
    assert "1 moved away" in str(report)
    assert "1 decisions for somebody" in str(report)
