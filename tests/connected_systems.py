"""The systems of recipients that connectors are held to, each with two people in it, and the connector to it."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import EndpointConnectionError

from builders import PEOPLE
from consent_center.adapters.connectors import s3, ses
from consent_center.adapters.connectors.cognito import UserPool
from consent_center.adapters.connectors.dynamodb import Table
from consent_center.adapters.connectors.eventbridge import EventBridge
from consent_center.adapters.connectors.registry import RegisteredConnectors
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.errors import UnavailableError
from consent_center.domain.recipient import Ask, TaskState, Verb
from consent_center.ports.cases import Connector
from fakes import real_clock
from fakes.cases import FixedRecipientSecrets, ScriptedConnector
from local.recipient import DemoRecipients
from moto_wire import by_moto

ADA, GRACE, EDSGER = PEOPLE
SECRET = "whsec_cmVjaXBpZW50cy1zZWNyZXQtZm9yLXRlc3Rz"
KEYS = FixedRecipientSecrets({"crm": (b"recipients-secret-for-tests",)})


def an_ask(verb: Verb, address: str = ADA, **other: Any) -> Ask:
    key = f"case-1-crm-{verb}"
    return replace(Ask("case-1", "crm", verb, key, address, "2026-12-25"), **other)


@dataclass
class System:
    """A recipient's system with Ada and Grace in it, and the connector to it."""

    connector: Callable[..., Connector]
    """Makes one; `verbs` may be given."""
    holds: Callable[[str], bool] = lambda _: False
    """Whether somebody is there."""
    breaks: Callable[[], None] | None = None
    """From now on it does not answer."""
    vanishes: Callable[[], None] | None = None
    """From now on the table, bucket, list or pool is not there."""
    effects: Callable[[], int] | None = None
    """How often it acted, where it keeps count."""
    knows_who: bool = True
    """Whether it says of whom it holds nothing."""
    extra: dict[str, Any] = field(default_factory=dict)


def registered(
    settings: Mapping[str, Any], service: Callable[[str], Any] = by_moto, **other: Any
) -> Callable[..., Any]:
    def made(verbs: list[str] | None = None) -> Connector:
        said = {**settings, **({} if verbs is None else {"verbs": verbs})}
        return RegisteredConnectors({"crm": said}, KEYS, service, real_clock, **other).of("crm")

    return made


class _Away:
    """A service that does not answer."""

    def call(self, operation: str, arguments: Any) -> dict[str, Any]:
        raise CallFailedError("TimeoutError")


def scripted(_: pytest.MonkeyPatch) -> Iterator[System]:
    asked: list[ScriptedConnector] = []

    def made(verbs: list[str] | None = None) -> Connector:
        asked.append(ScriptedConnector(frozenset(Verb(one) for one in (Verb if verbs is None else verbs))))
        if broken:
            asked[-1].script = [UnavailableError("away")]
        return asked[-1]

    broken: list[bool] = []
    yield System(made, breaks=lambda: broken.append(True), effects=lambda: len(asked[-1].effects), knows_who=False)


def webhook(_: pytest.MonkeyPatch) -> Iterator[System]:
    demo = DemoRecipients({"crm": SECRET})
    settings = {"kind": "webhook", "url": f"{demo.url}/crm", "secret_name": "crm"}
    try:
        yield System(
            registered(settings, inside_too=True, public_url="https://consent.example.com"),
            breaks=lambda: demo.behave("crm", "error"),
            effects=lambda: sum(one["acted"] for one in demo.shown("crm")["asked"]),
            knows_who=False,
            extra={"demo": demo},
        )
    finally:
        demo.close()


def manual(_: pytest.MonkeyPatch) -> Iterator[System]:
    yield System(registered({"kind": "manual"}), knows_who=False)


def eventbridge(_: pytest.MonkeyPatch) -> Iterator[System]:
    told: list[Any] = []
    away: list[bool] = []

    class Bus:
        def call(self, operation: str, arguments: Any) -> dict[str, Any]:
            assert operation == "PutEvents"
            if away:
                return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
            told.extend(arguments["Entries"])
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    yield System(
        registered({"kind": "eventbridge", "bus": "default"}, lambda _: Bus()),
        breaks=lambda: away.append(True),
        effects=lambda: len({json.loads(one["Detail"])["data"]["key"] for one in told}),
        knows_who=False,
        extra={"told": told},
    )


def dynamodb(_: pytest.MonkeyPatch, key: str = "email") -> Iterator[System]:
    client = botocore.session.get_session().create_client("dynamodb")
    name = key.removeprefix("sha256:")
    client.create_table(
        TableName="customers",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": name, "KeyType": "HASH"}],
    )

    def value(address: str) -> dict[str, str]:
        return {"S": sha256(address.lower().encode()).hexdigest() if key != name else address}

    def get(address: str) -> Any:
        return client.get_item(TableName="customers", Key={name: value(address)}).get("Item")

    for address in (ADA, GRACE):
        item = {name: value(address), "mail": {"S": address}, "points": {"N": "12"}, "tags": {"L": [{"NULL": True}]}}
        client.put_item(TableName="customers", Item=item)
    settings = {"kind": "dynamodb", "table": "customers", "key": key}
    away: list[bool] = []
    yield System(
        registered(settings, lambda name: _Away() if away else by_moto(name)),
        holds=lambda address: get(address) is not None,
        breaks=lambda: away.append(True),
        vanishes=lambda: client.delete_table(TableName="customers"),
        extra={"get": get, "settings": settings},
    )


def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    yield from dynamodb(monkeypatch, "sha256:who")


def _bucket() -> Any:
    client = botocore.session.get_session().create_client("s3")
    client.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    return client


def stored_text(client: Any, key: str) -> str:
    return str(client.get_object(Bucket="exports", Key=key)["Body"].read().decode())


def _emptied(client: Any) -> None:
    for item in client.list_objects_v2(Bucket="exports").get("Contents", []):
        client.delete_object(Bucket="exports", Key=item["Key"])
    client.delete_bucket(Bucket="exports")


def _s3_away(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def gone() -> Any:
        raise EndpointConnectionError(endpoint_url="https://s3.invalid")

    return lambda: monkeypatch.setattr(s3, "s3_client", gone)


def own_objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    client = _bucket()
    for address in (ADA, GRACE):
        digest = sha256(address.encode()).hexdigest()
        for name in ("profile.json", "photo.txt"):
            client.put_object(Bucket="exports", Key=f"people/{digest}/{name}", Body=f"{name} of {address}".encode())

    def holds(address: str) -> bool:
        prefix = f"people/{sha256(address.encode()).hexdigest()}/"
        return "Contents" in client.list_objects_v2(Bucket="exports", Prefix=prefix)

    settings = {"kind": "s3", "bucket": "exports", "prefix": "people/", "pattern": "{sha256}/", "format": "objects"}
    yield System(registered(settings), holds, _s3_away(monkeypatch), lambda: _emptied(client), extra={"client": client})


HEADER = "﻿id;email;note\r\n"
OF_ADA = f'1;{ADA.title()};"two\r\nlines; and ""marks"""\r\n'
OF_GRACE = f"2;{GRACE};  as it is  \r\n"


def csv_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    client = _bucket()
    client.put_object(
        Bucket="exports",
        Key="lists/2026/a.csv",
        Body=(HEADER + OF_GRACE + OF_ADA).encode(),
        ContentType="text/csv",
        Metadata={"made-by": "nightly"},
    )
    client.put_object(Bucket="exports", Key="lists/b.csv", Body=f"email\n{GRACE}\n".encode())
    client.put_object(Bucket="exports", Key="lists/readme.txt", Body=f"ask {ADA}".encode())

    def holds(address: str) -> bool:
        rows = csv.reader(io.StringIO(stored_text(client, "lists/2026/a.csv")), delimiter=";")
        return any(address.lower() in [cell.lower() for cell in row] for row in rows)

    settings = {"kind": "s3", "bucket": "exports", "prefix": "lists/", "pattern": "*.csv", "format": "csv"}
    yield System(registered(settings), holds, _s3_away(monkeypatch), lambda: _emptied(client), extra={"client": client})


def ndjson_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    client = _bucket()
    lines = [json.dumps({"mail": address, "n": number}) for number, address in enumerate((ADA, GRACE))]
    client.put_object(Bucket="exports", Key="lists/a.ndjson", Body="\n".join([*lines, ""]).encode())

    def holds(address: str) -> bool:
        found = [json.loads(line) for line in stored_text(client, "lists/a.ndjson").splitlines()]
        return any(one["mail"] == address for one in found)

    settings = {"kind": "s3", "bucket": "exports", "prefix": "lists/", "pattern": "*", "format": "ndjson"}
    settings["column"] = "mail"
    yield System(registered(settings), holds, _s3_away(monkeypatch), lambda: _emptied(client), extra={"client": client})


def contact_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    client = botocore.session.get_session().create_client("sesv2")
    topics = [{"TopicName": "news", "DisplayName": "News", "DefaultSubscriptionStatus": "OPT_OUT"}]
    client.create_contact_list(ContactListName="letters", Topics=topics)
    chosen = [{"TopicName": "news", "SubscriptionStatus": "OPT_IN"}]
    for address in (ADA, GRACE):
        client.create_contact(ContactListName="letters", EmailAddress=address, TopicPreferences=chosen)

    def holds(address: str) -> bool:
        listed = client.list_contacts(ContactListName="letters")["Contacts"]
        return any(one["EmailAddress"] == address for one in listed)

    def gone() -> Any:
        raise EndpointConnectionError(endpoint_url="https://email.invalid")

    yield System(
        registered({"kind": "ses", "contact_list": "letters"}),
        holds,
        lambda: monkeypatch.setattr(ses, "ses_client", gone),
        lambda: client.delete_contact_list(ContactListName="letters"),
        extra={"client": client},
    )


class Pool:
    """As much of Amazon Cognito as is asked for; its filter knows exact values only, and nothing that was escaped."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.is_there = self.answers = True

    def add(self, name: str, address: str) -> None:
        self.users[name] = {"email": address, "Enabled": True}

    def call(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not self.answers:
            raise CallFailedError("TooManyRequestsException")
        if not self.is_there:
            raise CallFailedError("ResourceNotFoundException")
        return getattr(self, f"_{operation}")(asked)  # type: ignore[no-any-return]

    def _ListUsers(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - the name is Cognito's
        wanted = json.loads(asked["Filter"].removeprefix("email = "))
        found = [
            {"Username": name, "Attributes": [{"Name": "email", "Value": user["email"]}]}
            for name, user in self.users.items()
            if user["email"] == wanted
        ]
        start = int(asked.get("PaginationToken", 0))
        more = {"PaginationToken": str(start + 1)} if start + 1 < len(found) else {}
        return {"Users": found[start : start + 1], **more}

    def _user(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["Username"] not in self.users:
            raise CallFailedError("UserNotFoundException")
        return self.users[asked["Username"]]

    def _AdminDeleteUser(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._user(asked)
        del self.users[asked["Username"]]
        return {}

    def _AdminDisableUser(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._user(asked)["Enabled"] = False
        return {}

    def _AdminEnableUser(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._user(asked)["Enabled"] = True
        return {}

    def _AdminUpdateUserAttributes(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._user(asked).update({one["Name"]: one["Value"] for one in asked["UserAttributes"]})
        return {}

    def _AdminGetUser(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        user = self._user(asked)
        attributes = [{"Name": "email", "Value": user["email"]}]
        return {"Username": asked["Username"], "Enabled": user["Enabled"], "UserAttributes": attributes}


def cognito(_: pytest.MonkeyPatch) -> Iterator[System]:
    pool = Pool()
    for name, address in (("u-1", ADA), ("u-2", GRACE), ("u-3", ADA)):
        pool.add(name, address)
    yield System(
        registered({"kind": "cognito", "user_pool": "eu-north-1_x"}, lambda _: pool),
        holds=lambda address: any(user["email"] == address for user in pool.users.values()),
        breaks=lambda: setattr(pool, "answers", False),
        vanishes=lambda: setattr(pool, "is_there", False),
        extra={"pool": pool},
    )


SYSTEMS: dict[str, tuple[Callable[[pytest.MonkeyPatch], Iterator[System]], frozenset[Verb]]] = {
    "memory scripted": (scripted, frozenset(Verb)),
    "memory manual": (manual, frozenset(Verb)),
    "memory eventbridge": (eventbridge, EventBridge.possible),
    "memory cognito": (cognito, UserPool.possible),
    "memory webhook": (webhook, frozenset(Verb)),
    "moto dynamodb": (dynamodb, Table.possible),
    "moto dynamodb by hash": (hashed, Table.possible),
    "moto s3 objects": (own_objects, s3.OwnObjects.possible),
    "moto s3 csv": (csv_lines, s3.Lines.possible),
    "moto s3 ndjson": (ndjson_lines, s3.Lines.possible),
    "moto ses": (contact_list, ses.ContactList.possible),
}

UNKNOWING = {"memory scripted", "memory manual", "memory eventbridge", "memory webhook"}
"""They cannot know by themselves of whom nothing is held."""

UNBREAKABLE = {"memory manual"}


def each(*, of: Callable[[Verb, frozenset[Verb]], bool] = lambda verb, able: verb in able, but: set[str] = frozenset()):  # type: ignore[no-untyped-def,assignment]
    """Every system that is not left out, with each verb that it can do."""
    pairs = [
        pytest.param(name, verb, id=f"{name} {verb}")
        for name, (_, able) in SYSTEMS.items()
        for verb in Verb
        if name not in but and of(verb, able)
    ]
    return pytest.mark.parametrize(("system", "verb"), pairs, indirect=["system"])


def alone(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("system", names, indirect=True)


ASKABLE = {TaskState.DONE, TaskState.ASKED}


def correction(verb: Verb) -> dict[str, str]:
    return {"address": EDSGER} if verb is Verb.CORRECT else {}
