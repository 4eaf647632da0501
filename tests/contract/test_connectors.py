"""What every connector does, whatever system stands behind it."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from builders import PEOPLE
from consent_center.adapters.connectors import s3, ses
from consent_center.adapters.connectors.cognito import UserPool
from consent_center.adapters.connectors.dynamodb import Table
from consent_center.adapters.connectors.eventbridge import EventBridge
from consent_center.adapters.connectors.registry import RegisteredConnectors
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.errors import UnavailableError
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb
from consent_center.ports import Connector
from fakes import real_clock
from fakes.cases import FixedRecipientSecrets, ScriptedConnector
from local.recipient import DemoRecipients
from moto_wire import ENVIRONMENT, by_moto

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


# ---- The systems --------------------------------------------------------------------------------------------------


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


def _text(client: Any, key: str) -> str:
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
        rows = csv.reader(io.StringIO(_text(client, "lists/2026/a.csv")), delimiter=";")
        return any(address.lower() in [cell.lower() for cell in row] for row in rows)

    settings = {"kind": "s3", "bucket": "exports", "prefix": "lists/", "pattern": "*.csv", "format": "csv"}
    yield System(registered(settings), holds, _s3_away(monkeypatch), lambda: _emptied(client), extra={"client": client})


def ndjson_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    client = _bucket()
    lines = [json.dumps({"mail": address, "n": number}) for number, address in enumerate((ADA, GRACE))]
    client.put_object(Bucket="exports", Key="lists/a.ndjson", Body="\n".join([*lines, ""]).encode())

    def holds(address: str) -> bool:
        found = [json.loads(line) for line in _text(client, "lists/a.ndjson").splitlines()]
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


class _Pool:
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
    pool = _Pool()
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


@pytest.fixture
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield from SYSTEMS[request.param][0](monkeypatch)


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


# ---- The contract -------------------------------------------------------------------------------------------------


@each()
def test_a_verb_that_is_declared_is_carried_out_or_taken(system: System, verb: Verb) -> None:
    connector = system.connector()

    answer = connector.ask(an_ask(verb, corrections=correction(verb)))

    assert answer.state in ASKABLE
    assert answer.collected if verb is Verb.COLLECT and system.knows_who else True


@each(of=lambda verb, able: True)
def test_a_verb_that_is_not_declared_is_refused_and_has_no_effect(system: System, verb: Verb) -> None:
    connector = system.connector([one.value for one in Verb if one is not verb])

    answer = connector.ask(an_ask(verb, corrections=correction(verb)))

    assert verb not in connector.verbs
    assert answer == Answer(TaskState.FAILED, "not_offered", was_sent=False)
    assert not system.knows_who or system.holds(ADA)
    assert system.effects is None or system.effects() == 0


@each()
def test_asking_again_with_the_same_key_changes_nothing_more(system: System, verb: Verb) -> None:
    connector = system.connector()
    ask = an_ask(verb, corrections=correction(verb))

    first = connector.ask(ask)
    second = connector.ask(ask)

    assert first.state in ASKABLE
    assert second.state.is_settled or second.state is first.state
    assert system.effects is None or system.effects() == 1
    if system.knows_who:
        assert system.holds(GRACE)
        assert system.holds(ADA) is (verb in {Verb.COLLECT, Verb.RESTRICT, Verb.LIFT, Verb.STOP})
        assert system.holds(EDSGER) is (verb is Verb.CORRECT)


@each(but=UNKNOWING)
def test_of_an_unknown_person_nothing_is_held_and_nobody_else_is_touched(system: System, verb: Verb) -> None:
    connector = system.connector()

    answer = connector.ask(an_ask(verb, 'a"or"a@example.org', corrections=correction(verb)))

    assert answer.state is TaskState.NOTHING_HELD
    assert system.holds(ADA)
    assert system.holds(GRACE)


@each(but=UNKNOWING)
def test_who_is_known_by_an_address_of_before_is_found(system: System, verb: Verb) -> None:
    ask = an_ask(verb, "ada@example.invalid", corrections=correction(verb), former_addresses=(ADA,))

    answer = system.connector().ask(ask)

    assert answer.state is TaskState.DONE
    assert all(name.startswith("former-1-") for name in answer.collected)
    assert bool(answer.collected) is (verb is Verb.COLLECT)
    assert system.holds(GRACE)
    assert system.holds(ADA) is (verb not in {Verb.CORRECT, Verb.ERASE})


@each(but=UNKNOWING)
def test_what_cannot_be_done_for_one_of_two_addresses_is_not_called_done(system: System, verb: Verb) -> None:
    assert system.vanishes is not None
    connector = system.connector()
    ask = an_ask(verb, ADA, corrections=correction(verb), former_addresses=("ada@example.invalid",))
    system.vanishes()

    assert connector.ask(ask).state is TaskState.FAILED


@each(but=UNBREAKABLE)
def test_what_may_pass_is_unavailable_and_names_nobody(system: System, verb: Verb) -> None:
    assert system.breaks is not None
    system.breaks()

    with pytest.raises(UnavailableError) as caught:
        system.connector().ask(an_ask(verb, corrections=correction(verb)))

    shown = f"{caught.value} {caught.value.__cause__}"
    assert ADA not in shown
    assert EDSGER not in shown


@each(but=UNKNOWING)
def test_what_never_will_be_fails_and_names_nobody(system: System, verb: Verb) -> None:
    assert system.vanishes is not None
    system.vanishes()

    answer = system.connector().ask(an_ask(verb, corrections=correction(verb)))

    assert answer.state is TaskState.FAILED
    assert answer.code
    assert "@" not in answer.code


# ---- What only some can do ------------------------------------------------------------------------------------------


@alone("moto dynamodb", "moto dynamodb by hash")
def test_an_item_keeps_what_is_no_address_when_it_is_marked_and_moved(system: System) -> None:
    connector, get = system.connector(), system.extra["get"]

    connector.ask(an_ask(Verb.STOP))
    connector.ask(an_ask(Verb.RESTRICT))
    connector.ask(an_ask(Verb.CORRECT, corrections={"address": EDSGER, "company": "Analytics"}))

    moved = get(EDSGER)
    assert (moved["points"], moved["tags"], moved["mail"]) == ({"N": "12"}, {"L": [{"NULL": True}]}, {"S": EDSGER})
    assert (moved["consent_stopped"], moved["consent_restricted"]) == ({"BOOL": True}, {"BOOL": True})
    assert moved["company"] == {"S": "Analytics"}
    assert "consent_stopped" not in get(GRACE)


@alone("moto dynamodb", "moto dynamodb by hash")
def test_an_item_is_not_moved_over_somebody_else(system: System) -> None:
    answer = system.connector().ask(an_ask(Verb.CORRECT, corrections={"address": GRACE}))

    assert answer == Answer(TaskState.FAILED, "taken")
    assert system.holds(ADA)


@alone("moto dynamodb", "moto dynamodb by hash")
def test_an_item_that_two_workers_move_at_once_is_moved(system: System) -> None:
    class Slow:
        """Another worker moves the item after this one has read it."""

        def call(self, operation: str, arguments: Any) -> dict[str, Any]:
            if operation == "TransactWriteItems":
                assert system.connector().ask(ask).state is TaskState.DONE
                tokens.append(arguments["ClientRequestToken"])
            return by_moto("dynamodb").call(operation, arguments)

    ask, tokens = an_ask(Verb.CORRECT, corrections={"address": EDSGER}), list[str]()

    assert registered(system.extra["settings"], lambda _: Slow())().ask(ask) == Answer(TaskState.DONE)
    assert (system.holds(ADA), system.holds(EDSGER)) == (False, True)
    assert 1 <= len(tokens[0]) <= 36


@alone("moto dynamodb")
def test_an_item_is_collected_as_ordinary_json(system: System) -> None:
    (text,) = system.connector().ask(an_ask(Verb.COLLECT)).collected.values()
    assert json.loads(text) == [{"email": ADA, "mail": ADA, "points": "12", "tags": [None]}]


@alone("moto s3 csv")
def test_a_file_of_lines_keeps_every_other_byte_and_what_is_said_of_it(system: System) -> None:
    client = system.extra["client"]
    untouched = client.get_object(Bucket="exports", Key="lists/b.csv")["LastModified"]

    assert system.connector().ask(an_ask(Verb.ERASE)).state is TaskState.DONE

    found = client.get_object(Bucket="exports", Key="lists/2026/a.csv")
    assert found["Body"].read().decode() == HEADER + OF_GRACE
    assert (found["ContentType"], found["Metadata"]) == ("text/csv", {"made-by": "nightly"})
    assert client.get_object(Bucket="exports", Key="lists/b.csv")["LastModified"] == untouched
    assert ADA in _text(client, "lists/readme.txt")


@alone("moto s3 csv")
def test_a_corrected_record_stays_readable_and_its_neighbours_as_they_were(system: System) -> None:
    asked = an_ask(Verb.CORRECT, corrections={"address": EDSGER, "note": '=1+1; "x"'})

    assert system.connector().ask(asked).state is TaskState.DONE

    text = _text(system.extra["client"], "lists/2026/a.csv")
    assert text.startswith(HEADER + OF_GRACE)
    assert list(csv.reader(io.StringIO(text), delimiter=";"))[2] == ["1", EDSGER, '=1+1; "x"']


@alone("moto s3 csv")
def test_collected_lines_come_with_their_header_and_without_anybody_else(system: System) -> None:
    (text,) = system.connector().ask(an_ask(Verb.COLLECT)).collected.values()

    assert text == HEADER + OF_ADA


@alone("moto s3 ndjson")
@pytest.mark.parametrize("content", [b'{"mail": "x"\n', b"\xff\xfe\n", b"x" * 1_100_000, b"[" * 100_000 + b"\n"])
def test_a_file_that_cannot_be_read_is_never_called_done(system: System, content: bytes) -> None:
    system.extra["client"].put_object(Bucket="exports", Key="lists/0.ndjson", Body=content)

    assert system.connector().ask(an_ask(Verb.ERASE)) == Answer(TaskState.FAILED, "unreadable_file")


@alone("moto s3 csv")
@pytest.mark.parametrize("verb", [Verb.COLLECT, Verb.CORRECT, Verb.ERASE])
def test_a_quotation_mark_that_is_never_closed_takes_no_record_of_others_with_it(system: System, verb: Verb) -> None:
    """Neither are they removed with the record before them, nor handed out with it."""
    broken = f'{HEADER}1;{ADA};"Ada\n{OF_GRACE}'.encode()
    system.extra["client"].put_object(Bucket="exports", Key="lists/0.csv", Body=broken)

    assert system.connector().ask(an_ask(verb, corrections=correction(verb))) == Answer(
        TaskState.FAILED, "unreadable_file"
    )
    assert _text(system.extra["client"], "lists/0.csv") == broken.decode()


@alone("moto s3 csv")
@pytest.mark.parametrize(
    "note", ['"two\nlines; and ""words"""', 'a 5" screen', '"ends in a mark"""', "l'été", '""', '"comma, here"']
)
def test_a_table_as_programs_write_it_is_read_with_its_marks(system: System, note: str) -> None:
    of_ada = f"1;{ADA};{note}\r\n"
    client = system.extra["client"]
    client.put_object(Bucket="exports", Key="lists/0.csv", Body=f"{HEADER}{of_ada}{OF_GRACE}".encode())

    assert of_ada in system.connector().ask(an_ask(Verb.COLLECT)).collected["lines-1.csv"]
    system.connector().ask(an_ask(Verb.ERASE))
    assert _text(client, "lists/0.csv") == HEADER + OF_GRACE


@alone("moto s3 csv")
def test_a_file_without_the_column_is_never_called_done(system: System) -> None:
    system.extra["client"].put_object(Bucket="exports", Key="lists/0.csv", Body=b"name\nAda\n")

    assert system.connector().ask(an_ask(Verb.ERASE)) == Answer(TaskState.FAILED, "unreadable_file")


@alone("moto s3 ndjson")
def test_a_file_that_grew_meanwhile_is_not_overwritten(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    client, rewritten = system.extra["client"], s3.Lines._replace

    def grown(*arguments: Any) -> None:
        client.put_object(Bucket="exports", Key="lists/a.ndjson", Body=f'{{"mail": "{ADA}"}}\n{{"new": 1}}\n'.encode())
        rewritten(*arguments)

    monkeypatch.setattr(s3.Lines, "_replace", grown)
    with pytest.raises(UnavailableError):
        system.connector().ask(an_ask(Verb.ERASE))

    assert '"new": 1' in _text(client, "lists/a.ndjson")


@alone("moto s3 ndjson")
def test_a_long_file_is_written_in_parts_and_only_a_part_is_in_memory(system: System) -> None:
    client = system.extra["client"]
    other = json.dumps({"mail": GRACE, "text": "x" * 50_000}) + "\n"
    person = json.dumps({"mail": ADA}) + "\n"
    client.put_object(Bucket="exports", Key="lists/a.ndjson", Body=(person + other * 400 + person).encode())

    assert system.connector().ask(an_ask(Verb.ERASE)).state is TaskState.DONE

    assert client.get_object(Bucket="exports", Key="lists/a.ndjson")["Body"].read() == (other * 400).encode()
    assert client.list_multipart_uploads(Bucket="exports").get("Uploads", []) == []


def test_a_stream_is_cut_into_parts_without_being_gathered() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(1_000):
            taken += 1
            yield b"x" * 100_000

    first = next(s3._parts(pieces()))

    assert len(first) <= s3.PART_BYTES + 100_000
    assert taken <= 85


@alone("moto s3 objects")
def test_more_than_a_case_can_keep_is_left_to_staff(system: System) -> None:
    digest = sha256(ADA.encode()).hexdigest()
    system.extra["client"].put_object(Bucket="exports", Key=f"people/{digest}/big", Body=b"x" * 150_001)

    assert system.connector().ask(an_ask(Verb.COLLECT)) == Answer(TaskState.FAILED, "too_large")


@alone("moto s3 objects")
def test_what_is_collected_bears_no_hash_of_the_address_in_its_name(system: System) -> None:
    collected = system.connector().ask(an_ask(Verb.COLLECT)).collected

    assert sorted(collected) == ["object-1.txt", "object-2.json"]


@alone("moto ses")
def test_a_stopped_contact_keeps_its_topics_and_gets_no_letters(system: System) -> None:
    client = system.extra["client"]

    system.connector().ask(an_ask(Verb.STOP))

    stopped = client.get_contact(ContactListName="letters", EmailAddress=ADA)
    assert stopped["UnsubscribeAll"] is True
    assert stopped["TopicPreferences"] == [{"TopicName": "news", "SubscriptionStatus": "OPT_IN"}]
    assert client.get_contact(ContactListName="letters", EmailAddress=GRACE)["UnsubscribeAll"] is False


@alone("moto ses")
def test_a_contact_that_stopped_is_still_stopped_under_a_new_address(system: System) -> None:
    connector, client = system.connector(), system.extra["client"]

    connector.ask(an_ask(Verb.STOP))
    connector.ask(an_ask(Verb.CORRECT, corrections={"address": EDSGER}))

    assert client.get_contact(ContactListName="letters", EmailAddress=EDSGER)["UnsubscribeAll"] is True


class FullList:
    """SES refuses a contact that is on the list already; moto puts the new one in its place."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def create_contact(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "AlreadyExistsException"}}, "CreateContact")


@alone("moto ses")
@pytest.mark.parametrize("stopped", [ADA, EDSGER])
def test_a_contact_that_stopped_stays_so_where_the_new_address_is_on_the_list_already(
    system: System, stopped: str
) -> None:
    client = system.extra["client"]
    connector = ses.ContactList(list(Verb), client=lambda: FullList(client), contact_list="letters")
    topics = [{"TopicName": "news", "SubscriptionStatus": "OPT_IN"}]
    client.create_contact(ContactListName="letters", EmailAddress=EDSGER, TopicPreferences=topics)
    connector.ask(replace(an_ask(Verb.STOP), address=stopped))

    assert connector.ask(an_ask(Verb.CORRECT, corrections={"address": EDSGER})).state is TaskState.DONE
    found = client.get_contact(ContactListName="letters", EmailAddress=EDSGER)
    assert (found["UnsubscribeAll"], found["TopicPreferences"]) == (True, topics)
    assert not system.holds(ADA)


@alone("memory cognito")
def test_everybody_in_a_pool_with_the_address_is_disabled_corrected_and_nobody_else(system: System) -> None:
    connector, users = system.connector(), system.extra["pool"].users

    connector.ask(an_ask(Verb.RESTRICT))
    connector.ask(an_ask(Verb.CORRECT, corrections={"address": EDSGER}))

    assert [user["Enabled"] for user in users.values()] == [False, True, False]
    assert [user["email"] for user in users.values()] == [EDSGER, GRACE, EDSGER]
    # Nobody has confirmed it to us, and a pool believes what it is told.
    assert "email_verified" not in users["u-1"]


@alone("memory cognito")
def test_whoever_was_disabled_by_a_restriction_is_enabled_by_its_end(system: System) -> None:
    connector, users = system.connector(), system.extra["pool"].users

    connector.ask(an_ask(Verb.RESTRICT))
    assert [user["Enabled"] for user in users.values()] == [False, True, False]
    connector.ask(an_ask(Verb.LIFT))

    assert [user["Enabled"] for user in users.values()] == [True, True, True]


@alone("moto dynamodb", "moto dynamodb by hash")
def test_the_end_of_a_restriction_takes_its_mark_away_and_leaves_a_stop(system: System) -> None:
    connector, get = system.connector(), system.extra["get"]

    for verb in (Verb.STOP, Verb.RESTRICT, Verb.LIFT):
        connector.ask(an_ask(verb))

    assert (get(ADA)["consent_restricted"], get(ADA)["consent_stopped"]) == ({"BOOL": False}, {"BOOL": True})
    assert get(ADA)["points"] == {"N": "12"}


def test_a_pool_that_finds_more_than_was_asked_for_loses_nobody_else() -> None:
    pool = _Pool()
    pool.add("u-2", GRACE)
    pool._ListUsers = lambda _: {  # type: ignore[method-assign]
        "Users": [{"Username": "u-2", "Attributes": [{"Name": "email", "Value": GRACE}]}]
    }

    connector = registered({"kind": "cognito", "user_pool": "x"}, lambda _: pool)()

    assert connector.ask(an_ask(Verb.ERASE)).state is TaskState.NOTHING_HELD
    assert "u-2" in pool.users


def test_an_event_is_done_once_told_where_nobody_can_call_back() -> None:
    told: list[Any] = []

    class Bus:
        def call(self, _: str, arguments: Any) -> dict[str, Any]:
            told.append(json.loads(arguments["Entries"][0]["Detail"]))
            return {"FailedEntryCount": 0}

    url = "https://consent.example.com"
    silent = registered({"kind": "eventbridge", "bus": "b"}, lambda _: Bus(), public_url=url)()
    calling = registered({"kind": "eventbridge", "bus": "b", "secret_name": "crm"}, lambda _: Bus(), public_url=url)()

    assert silent.ask(an_ask(Verb.ERASE)) == Answer(TaskState.DONE)
    assert calling.ask(an_ask(Verb.ERASE)) == Answer(TaskState.ASKED, "told")
    assert [one["data"].get("answer_to") for one in told] == [None, f"{url}/recipients/crm/answers"]


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "webhook"},
        {"kind": "pigeon"},
        {"kind": "dynamodb", "table": "t"},
        {"kind": "manual", "verbs": ["forget"]},
        {"kind": "s3", "bucket": "b", "pattern": "all/", "format": "objects"},
        {"kind": "s3", "bucket": "b", "pattern": "*", "format": "xlsx"},
    ],
)
def test_settings_that_make_no_connector_fail_in_the_case_and_not_in_the_worker(settings: dict[str, Any]) -> None:
    assert registered(settings)().ask(an_ask(Verb.ERASE)) == Answer(TaskState.FAILED, "settings", was_sent=False)


def test_a_recipient_without_a_connector_is_a_task_for_staff() -> None:
    connectors = RegisteredConnectors({}, KEYS, by_moto, real_clock)

    assert connectors.of("unheard-of").ask(an_ask(Verb.ERASE)) == Answer(TaskState.ASKED, "manual")
