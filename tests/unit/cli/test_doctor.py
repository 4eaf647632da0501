"""The doctor tells what is wrong and how it is mended, and never a secret."""

import json
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
import urllib3
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from cli import doctor
from cli.__main__ import app
from cli.doctor import Check, Status, checks, mail_checks
from consent_center.adapters.dynamodb import keys
from consent_center.domain.contact import ContactPoint
from policy_compiler import calendars

KEY = "0123456789abcdef0123456789abcdef"
STRICT = {
    "content-security-policy": "default-src 'none'; style-src 'sha256-x'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "strict-transport-security": "max-age=31536000",
}
ISSUER = "https://issuer.example.org"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"


class Stub:
    """An AWS client that answers what it was given, and refuses everything else as AWS does."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        def call(**_: Any) -> Any:
            if name not in self._answers:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, name)
            return self._answers[name]

        return call

    def get_paginator(self, name: str) -> Any:
        return Stub(paginate=self._answers.get(f"pages_of_{name}", []))


class Deployed:
    """A deployment in which everything is as it ought to be, unless a test says otherwise."""

    local_port = 0

    def __init__(self) -> None:
        self.parameters = {
            "JwtIssuer": ISSUER,
            "JwtAudience": "a",
            "SenderDomain": "example.com",
            "PublicUrl": "https://c.example.org",
        }
        self.outputs = dict.fromkeys(("ApiUrl", "SubjectsTable", "LedgerTable", "SigningKey", "DeadLettersQueue"), "x")
        self.kinds = {
            "AWS::DynamoDB::Table": {"SubjectsTable": "subjects"},
            "AWS::SecretsManager::Secret": {"PepperSecret": "pepper", "LinksSecret": "links"},
            "AWS::CloudWatch::Alarm": {"Errors": "errors"},
            "AWS::SQS::Queue": {"FailedBatchesQueue": "failed"},
        }
        self.ring = json.dumps({"current": "k1", "k1": KEY})
        self.dynamodb = {
            "describe_time_to_live": {
                "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
            },
            "describe_continuous_backups": {
                "ContinuousBackupsDescription": {
                    "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
                }
            },
            "describe_table": {
                "Table": {"StreamSpecification": {"StreamEnabled": True}, "DeletionProtectionEnabled": True}
            },
            "pages_of_query": [{"Count": 0}],
        }
        self.sesv2 = {
            "get_email_identity": {
                "VerifiedForSendingStatus": True,
                "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
            },
            "get_account": {"ProductionAccessEnabled": True, "SendingEnabled": True},
        }
        self.waiting = "0"
        self.alarm = {"AlarmName": "errors", "StateValue": "OK", "AlarmActions": ["arn:topic"]}
        self.subscriptions = [{"SubscriptionArn": "arn:aws:sns:eu-north-1:1:t:1"}]

    def output(self, name: str) -> str:
        if name not in self.outputs:
            raise typer.BadParameter("no")
        return self.outputs[name]

    def resources(self, kind: str) -> dict[str, str]:
        return self.kinds[kind]

    def client(self, service: str) -> Any:
        answers: dict[str, dict[str, Any]] = {
            "dynamodb": self.dynamodb,
            "secretsmanager": {"get_secret_value": {"SecretString": self.ring}},
            "sesv2": self.sesv2,
            "sqs": {
                "get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": self.waiting, "QueueArn": "arn"}}
            },
            "cloudwatch": {"describe_alarms": {"MetricAlarms": [self.alarm]}},
            "sns": {"pages_of_list_subscriptions_by_topic": [{"Subscriptions": self.subscriptions}]},
        }
        return Stub(**answers[service])


WEB = {
    "https://c.example.org/subscribe": (200, STRICT, b""),
    DISCOVERY: (200, {}, json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}).encode()),
    f"{ISSUER}/keys": (200, {}, b'{"keys": [{"kid": "1"}]}'),
}


def get(url: str, web: Any = WEB) -> Any:
    if url not in web:
        raise urllib3.exceptions.MaxRetryError(None, url)  # type: ignore[arg-type]
    return web[url]


def found(deployed: Any, web: Any = WEB) -> dict[str, Check]:
    return {one.what: one for one in checks(deployed, lambda url: get(url, web))}


def wrong(deployed: Any, web: Any = WEB) -> dict[str, Check]:
    return {what: one for what, one in found(deployed, web).items() if one.status is not Status.OK}


def test_a_healthy_deployment_has_nothing_to_mend() -> None:
    assert wrong(Deployed()) == {}
    assert len(found(Deployed())) >= 14


SICK: list[tuple[str, str, Status, Any]] = [
    ("setting SenderDomain", "is empty", Status.FAILED, lambda d: d.parameters.update(SenderDomain="")),
    ("outputs", "SigningKey", Status.FAILED, lambda d: d.outputs.pop("SigningKey")),
    (
        "table SubjectsTable",
        "nothing expires",
        Status.FAILED,
        lambda d: d.dynamodb["describe_time_to_live"]["TimeToLiveDescription"].update(TimeToLiveStatus="DISABLED"),
    ),
    (
        "table SubjectsTable",
        "recovery is off",
        Status.FAILED,
        lambda d: d.dynamodb["describe_continuous_backups"].update(ContinuousBackupsDescription={}),
    ),
    (
        "table SubjectsTable",
        "stream is off",
        Status.FAILED,
        lambda d: d.dynamodb["describe_table"]["Table"].pop("StreamSpecification"),
    ),
    (
        "table SubjectsTable",
        "protection is off",
        Status.FAILED,
        lambda d: d.dynamodb["describe_table"]["Table"].pop("DeletionProtectionEnabled"),
    ),
    (
        "table CaseKeysTable",
        "could come back",
        Status.FAILED,
        lambda d: d.kinds.update({"AWS::DynamoDB::Table": {"CaseKeysTable": "case-keys"}}),
    ),
    (
        "keys LinksSecret",
        "not there",
        Status.FAILED,
        lambda d: setattr(d, "ring", json.dumps({"current": "k2", "k1": KEY})),
    ),
    ("keys LinksSecret", "no key ring", Status.FAILED, lambda d: setattr(d, "ring", KEY)),
    (
        "keys LinksSecret",
        "fewer than 32",
        Status.FAILED,
        lambda d: setattr(d, "ring", json.dumps({"current": "k1", "k1": KEY[:9]})),
    ),
    (
        "keys PepperSecret",
        "not in the stack",
        Status.FAILED,
        lambda d: d.kinds["AWS::SecretsManager::Secret"].pop("PepperSecret"),
    ),
    (
        "mail identity example.com",
        "not verified",
        Status.FAILED,
        lambda d: d.sesv2["get_email_identity"].update(VerifiedForSendingStatus=False),
    ),
    (
        "mail DKIM",
        "PENDING",
        Status.FAILED,
        lambda d: d.sesv2["get_email_identity"]["DkimAttributes"].update(Status="PENDING"),
    ),
    ("senders of brands", "fjordmeter", Status.FAILED, lambda d: d.parameters.update(SenderDomain="ample.com")),
    (
        "stop addresses of brands",
        "fjordmeter",
        Status.WARNING,
        lambda d: d.parameters.update(StopMailAddress="stop@mail.example.com"),
    ),
    ("mail account", "sandbox", Status.FAILED, lambda d: d.sesv2["get_account"].update(ProductionAccessEnabled=False)),
    ("mail account", "turned off", Status.FAILED, lambda d: d.sesv2["get_account"].update(SendingEnabled=False)),
    ("dead letters FailedBatchesQueue", "3 wait", Status.WARNING, lambda d: setattr(d, "waiting", "3")),
    ("alarms", "errors", Status.WARNING, lambda d: d.alarm.update(StateValue="ALARM")),
    (
        "alarm subscribers",
        "nobody",
        Status.WARNING,
        lambda d: d.subscriptions[0].update(SubscriptionArn="PendingConfirmation"),
    ),
    ("page address", "not https", Status.FAILED, lambda d: d.parameters.update(PublicUrl="http://c.example.org")),
    (
        "people to inform",
        "16 should know",
        Status.FAILED,
        # Two pages for each of the eight shards.
        lambda d: d.dynamodb.update(pages_of_query=[{"Count": 1}, {"Count": 1}]),
    ),
    (
        "recipients of changes",
        "crm should be told",
        Status.FAILED,
        lambda d: d.parameters.update(RecipientConnectors='{"crm": {"kind": "webhook", "events": true}}'),
    ),
    ("tables", "AccessDeniedException", Status.FAILED, lambda d: d.dynamodb.clear()),
]


@pytest.mark.parametrize(("what", "says", "status", "harm"), SICK, ids=[f"{what}: {says}" for what, says, *_ in SICK])
def test_what_is_wrong_is_told_with_its_mend(what: str, says: str, status: Status, harm: Any) -> None:
    deployed = Deployed()
    harm(deployed)
    web = {**WEB, "http://c.example.org/subscribe": (200, STRICT, b"")}

    check = wrong(deployed, web)[what]

    assert (check.status, bool(check.mend)) == (status, True)
    assert says in check.says


def test_a_brand_may_send_below_the_domain_and_its_stop_address_may_be_the_one_that_is_read() -> None:
    deployed = Deployed()
    deployed.parameters.update(SenderDomain="com", StopMailAddress="Stop@example.com")

    told = found(deployed)

    assert [told[f"{what} of brands"].status for what in ("senders", "stop addresses")] == [Status.OK, Status.OK]


@pytest.mark.parametrize("header", STRICT)
def test_a_header_that_got_lost_on_the_way_is_named(header: str) -> None:
    headers = {name: value for name, value in STRICT.items() if name != header}

    check = wrong(Deployed(), {**WEB, "https://c.example.org/subscribe": (200, headers, b"")})["page headers"]

    assert header in check.says


@pytest.mark.parametrize(
    ("web", "what"),
    [
        ({**WEB, DISCOVERY: (200, {}, b"<html>")}, "token issuer"),
        (
            {
                **WEB,
                DISCOVERY: (200, {}, b'{"issuer": "https://other", "jwks_uri": "https://issuer.example.org/keys"}'),
            },
            "token issuer",
        ),
        ({**WEB, f"{ISSUER}/keys": (200, {}, b'{"keys": []}')}, "token issuer"),
        ({DISCOVERY: WEB[DISCOVERY], f"{ISSUER}/keys": WEB[f"{ISSUER}/keys"]}, "pages"),
        ({**WEB, "https://c.example.org/subscribe": (503, STRICT, b"")}, "pages"),
    ],
)
def test_what_does_not_answer_as_it_should_is_told(web: Any, what: str) -> None:
    assert wrong(Deployed(), web)[what].status is Status.FAILED


def test_no_key_is_ever_told() -> None:
    deployed = Deployed()
    deployed.ring = json.dumps({"current": "k2", "k1": KEY})

    assert KEY not in repr(found(deployed))


@pytest.mark.parametrize(("years", "status"), [(2, Status.OK), (1, Status.WARNING), (-1, Status.WARNING)])
def test_tables_of_holidays_that_soon_end_are_told(monkeypatch: pytest.MonkeyPatch, years: int, status: Status) -> None:
    last = datetime.now(UTC).year + years  # The doctor looks at the clock.
    monkeypatch.setattr(calendars, "LAST_YEAR", last)

    told = found(Deployed())["public holidays"]

    assert (told.status, told.says) == (status, f"known until the end of {last}")
    assert bool(told.mend) is (status is Status.WARNING)


def test_what_an_emulator_cannot_tell_is_not_a_fault() -> None:
    deployed = Deployed()
    deployed.local_port = 8000
    deployed.dynamodb.clear()

    web = {**WEB, "http://127.0.0.1:8000/subscribe": (200, STRICT, b"")}

    assert {one.status for one in wrong(deployed, web).values()} == {Status.NOT_CHECKED}


@mock_aws
def test_real_clients_understand_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("secretsmanager", region_name="eu-north-1")
    client.create_secret(Name="links", SecretString=json.dumps({"current": "k1", "k1": KEY}))
    deployed = Deployed()
    monkeypatch.setattr(deployed, "client", lambda _: client)
    deployed.kinds["AWS::SecretsManager::Secret"] = {"LinksSecret": "links", "PepperSecret": "links"}

    assert [one.status for one in doctor._key_rings(deployed, get)] == [Status.OK, Status.OK]  # type: ignore[arg-type]


@mock_aws
def test_only_who_should_have_been_told_by_now_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("dynamodb", region_name="eu-north-1")
    key = [{"AttributeName": "review", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}]
    client.create_table(
        TableName="subjects",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "review")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {"IndexName": "by-review", "KeySchema": key, "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
    )
    people = [ContactPoint("fjordmeter", "email", "k1", name * 26) for name in "abcde"]
    for contact, day in zip(people, ("untold", "untold", "untold", "2027-01-15", "2027-01-16"), strict=True):
        item = {"pk": keys.of_contact(contact), "sk": "STATE", "review": keys.of_review(day, contact)}
        client.put_item(TableName="subjects", Item={name: {"S": text} for name, text in item.items()})
    deployed = Deployed()
    monkeypatch.setattr(deployed, "client", lambda _: client)

    (check,) = doctor._informing(deployed, get)  # type: ignore[arg-type]

    assert (check.status, check.says) == (Status.FAILED, "3 should know by now where their data are from")


# ---- A letter that arrived ------------------------------------------------------------------------------

SIGNED = (
    "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=x;\r\n"
    " h=from:List-Unsubscribe:\r\n list-unsubscribe-post:to; bh=x; b=y\r\n"
)
UNSIGNED = SIGNED.replace(":\r\n list-unsubscribe-post", "")
LIST = "List-Unsubscribe: <https://c.example.org/u/v1.x>, <mailto:stop@example.org>\r\n"
POST = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def told(*headers: str) -> dict[str, Status]:
    message: Any = message_from_bytes(
        "".join([*headers, "From: a@example.org\r\n\r\nx"]).encode(), policy=policy.default
    )
    return {one.what: one.status for one in mail_checks(message)}


def test_a_letter_that_can_be_stopped_with_one_click_passes() -> None:
    assert set(told(SIGNED, LIST, POST).values()) == {Status.OK}
    assert told(UNSIGNED, SIGNED, LIST, POST)["DKIM"] is Status.OK


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ((LIST, POST), "DKIM"),
        ((UNSIGNED, LIST, POST), "DKIM"),
        ((SIGNED, POST), "List-Unsubscribe"),
        ((SIGNED, LIST), "List-Unsubscribe-Post"),
        ((SIGNED, LIST, LIST, POST), "List-Unsubscribe"),
        ((SIGNED, "List-Unsubscribe: <mailto:stop@example.org>\r\n", POST), "address"),
        ((SIGNED, "List-Unsubscribe: <http://c.example.org/u/x>\r\n", POST), "address"),
        ((SIGNED, "List-Unsubscribe: https://c.example.org/u/x\r\n", POST), "address"),
        ((SIGNED, LIST, "List-Unsubscribe-Post: yes\r\n"), "one click"),
    ],
)
def test_what_keeps_one_click_from_working_is_told(headers: tuple[str, ...], what: str) -> None:
    assert told(*headers)[what] is Status.FAILED


def test_the_command_reads_a_saved_letter_and_ends_with_its_finding(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.eml", tmp_path / "bad.eml"
    good.write_bytes(f"{SIGNED}{LIST}{POST}\r\nx".encode())
    bad.write_bytes(b"\xff\xfe no letter at all")

    assert CliRunner().invoke(app, ["doctor", "mail", str(good)]).exit_code == 0
    assert CliRunner().invoke(app, ["doctor", "mail", str(bad)]).exit_code == 1
    assert CliRunner().invoke(app, ["doctor", "mail", str(tmp_path / "none.eml")]).exit_code == 2
