"""The main job on the running stack, over HTTP alone: links, one-click, evidence, rights of the functions."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from consent_center.domain.chain import Fault, verify
from local.stack import LocalStack
from transformed import transformed
from world import Auditor, Visitor, first_link

ONE_CLICK = "List-Unsubscribe=One-Click"
MULTIPART = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'


@pytest.fixture
def visitor(stack: LocalStack) -> Visitor:
    return Visitor(stack)


@pytest.fixture
def auditor(stack: LocalStack) -> Auditor:
    return Auditor(stack)


def test_the_ledger_has_exactly_what_happened_and_shows_an_altered_entry(
    stack: LocalStack, visitor: Visitor, auditor: Auditor
) -> None:
    visitor.subscribed("product-news", "events")
    evidence = visitor.check("events")["evidence"]
    visitor.post(visitor.stop_link("events"), **{"List-Unsubscribe": "One-Click"})
    visitor.post(visitor.stop_link("product-news"), by="page")
    chain = evidence.split(".")[0]
    entries = auditor.entries(chain)

    assert evidence == f"{chain}.1"
    assert [
        (entry.kind, [(change["topics"], change["after"]) for change in entry.body["changes"]]) for entry in entries
    ] == [
        ("given", [(["product-news", "events"], "ConsentGiven")]),
        ("withdrawn", [(["events"], "ConsentWithdrawn")]),
        ("withdrawn", [(["product-news"], "ConsentWithdrawn")]),
    ]
    assert [entry.body["source"] for entry in entries] == ["form", "one-click", "page"]
    assert verify(chain, entries, auditor.payloads(chain), auditor.head(chain)) == []

    body = {**entries[1].body, "at": "2020-01-01T00:00:00.000Z"}
    stack.client("dynamodb").update_item(
        TableName=stack.resources["LedgerTable"],
        Key={"pk": {"S": f"C#{chain}"}, "sk": {"S": "E#0000000002"}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": json.dumps(body)}},
    )
    assert Fault.ALTERED in {finding.fault for finding in verify(chain, auditor.entries(chain))}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (ONE_CLICK.encode(), "application/x-www-form-urlencoded"),
        (MULTIPART.encode(), "multipart/form-data; boundary=b"),
        (b"", None),
        (b"\x00\xff{odd", "application/octet-stream"),
    ],
    ids=["urlencoded", "multipart", "empty", "odd"],
)
def test_one_click_is_stored_at_once_answered_plainly_and_harmless_to_repeat(
    visitor: Visitor, auditor: Auditor, body: bytes, content_type: str | None
) -> None:
    visitor.subscribed("events", "surveys")
    chain = visitor.check("events")["evidence"].split(".")[0]
    link = visitor.stop_link("events")
    for _ in range(2):
        answer = visitor.request("POST", link, body, {"Content-Type": content_type} if content_type else {})
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert not {"location", "set-cookie"} & set(answer.headers)

    assert [entry.kind for entry in auditor.entries(chain)] == ["given", "withdrawn"]
    assert (visitor.check("events")["reason"], visitor.check("surveys")["reason"]) == ("withdrawn", "given")


def test_one_click_as_a_base64_event_is_stored(stack: LocalStack, visitor: Visitor) -> None:
    visitor.subscribed("events")
    link = visitor.stop_link("events")
    path = link.removeprefix(stack.url)
    event = {
        "version": "2.0",
        "routeKey": "POST /u/{token}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "requestContext": {
            "domainName": "127.0.0.1",
            "http": {"method": "POST", "path": path, "sourceIp": "192.0.2.77"},
            "requestId": "r",
            "routeKey": "POST /u/{token}",
            "stage": "$default",
        },
        "body": base64.b64encode(ONE_CLICK.encode()).decode(),
        "isBase64Encoded": True,
    }

    assert stack.invoke("SubscriptionLinksFunction", event)["statusCode"] == 200
    assert visitor.check("events")["reason"] == "withdrawn"


@pytest.mark.parametrize("damage", [lambda token: token[:-1], lambda token: token + "x", lambda _: "v1.k1.x.y"])
def test_a_damaged_link_is_refused_and_names_where_to_write(visitor: Visitor, damage: Callable[[str], str]) -> None:
    visitor.subscribed("events")
    path, token = visitor.stop_link("events").rsplit("/", 1)
    answer = visitor.request("POST", f"{path}/{damage(token)}", ONE_CLICK.encode())

    assert answer.status == 400
    assert "stop@example.com" in answer.body
    assert visitor.check("events")["reason"] == "given"


def test_one_click_on_the_confirmation_letter_cancels_the_request(visitor: Visitor) -> None:
    visitor.sign_up("events")
    confirm = visitor.link("confirm")
    assert visitor.check("events")["reason"] == "pending"
    headers = visitor.letter()["headers"]
    assert visitor.request("POST", first_link(headers), ONE_CLICK.encode()).status == 200

    assert visitor.get(confirm).status == 410
    assert visitor.post(confirm, shown="any").status == 410
    assert visitor.check("events")["reason"] == "no_record"


def test_an_old_letter_confirms_nothing_after_a_withdrawal(visitor: Visitor) -> None:
    visitor.subscribed("events")
    visitor.post(visitor.stop_link())
    answer = visitor.post(visitor.link("confirm"), shown="any")

    assert answer.status == 410
    assert visitor.check("events")["reason"] == "withdrawn"


def test_a_recorded_send_is_stored_before_the_yes(stack: LocalStack, visitor: Visitor, auditor: Auditor) -> None:
    visitor.subscribed("events")
    before = len(auditor.everything()["SubjectsTable"])
    assert visitor.check("events", record_send=True)["allowed"]

    sends = [item for item in auditor.everything()["SubjectsTable"] if item["sk"]["S"].startswith("SENT#")]
    assert len(auditor.everything()["SubjectsTable"]) == before + 1
    assert sends


@pytest.mark.parametrize("scope", ["", "consent.read"])
def test_the_api_refuses_a_token_without_the_scope(visitor: Visitor, scope: str) -> None:
    token = visitor.get(f"/_local/token?scope={scope}").json["access_token"]

    answer = visitor.request("POST", "/v1/permission-checks", b"{}", {"Authorization": f"Bearer {token}"})
    assert answer.status == 403


def test_the_api_refuses_whoever_brings_no_token(visitor: Visitor) -> None:
    assert visitor.request("POST", "/v1/permission-checks", b"{}").status == 401


def test_no_key_and_nothing_in_the_ledger_names_a_person(visitor: Visitor, auditor: Auditor) -> None:
    visitor.subscribed("events")
    visitor.post(visitor.stop_link())
    tables = auditor.everything()
    named = re.compile(r"@|Ada|example|127\.0\.0")

    assert not [item for items in tables.values() for item in items if named.search(item["pk"]["S"] + item["sk"]["S"])]
    assert not [item for item in tables["LedgerTable"] if named.search(json.dumps(item))]
    assert not [item for item in tables["TransientTable"] if named.search(json.dumps(item))]


def test_no_answer_to_get_head_or_options_changes_a_table(visitor: Visitor, auditor: Auditor) -> None:
    visitor.subscribed("events")
    other = Visitor(visitor.stack)
    waiting = other.waiting(other.sign_up("events"))
    tokens = {
        "/waiting/{token}": waiting,
        "/confirm/{token}": other.link("confirm"),
        "/not-me/{token}": other.link("not-me"),
        "/u/{token}": visitor.stop_link("events"),
        "/notice/{version}": "/notice/2026-11-01",
        "/notice/{version}/changes": "/notice/2026-11-22/changes",
    }
    paths = {path for path in _public_paths() if path != "/$default"} | {"/no-such-page"}
    before = auditor.everything()
    for path in sorted(paths):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = visitor.request(method, tokens.get(path, path))
            assert answer.status < 500, f"{method} {path}"

    assert auditor.everything() == before


def _public_paths() -> set[str]:
    (api,) = [
        resource["Properties"]
        for resource in transformed()["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Api"
    ]
    return {
        path
        for path, methods in api["Body"]["paths"].items()
        if not any(operation.get("security") for operation in methods.values())
    }


@pytest.mark.parametrize(
    ("role", "action", "table", "attempt"),
    [
        (
            "SubscriptionLinksFunctionRole",
            "dynamodb:PutItem",
            "LedgerTable",
            lambda visitor: visitor.confirm().status == 200,
        ),
        (
            "SubscriptionLinksFunctionRole",
            "dynamodb:GetItem",
            "SubjectsTable",
            lambda visitor: visitor.get(visitor.link("confirm")).status == 200,
        ),
        (
            "ConsentApiFunctionRole",
            "dynamodb:BatchGetItem",
            "SubjectsTable",
            lambda visitor: visitor.check()["reason"] != "unavailable",
        ),
    ],
)
def test_a_function_whose_right_is_taken_away_fails_and_nothing_is_acknowledged(
    stack: LocalStack, visitor: Visitor, role: str, action: str, table: str, attempt: Callable[[Visitor], bool]
) -> None:
    visitor.sign_up("events")
    visitor.letter()
    iam, name = stack.client("iam"), stack.resources[role]
    (policy_name,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy_name)["PolicyDocument"]
    try:
        iam.put_role_policy(
            RoleName=name, PolicyName=policy_name, PolicyDocument=json.dumps(_without(document, action, table, stack))
        )
        assert not attempt(visitor)
    finally:
        iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=json.dumps(document))
    assert attempt(visitor)


def _without(document: dict[str, Any], action: str, table: str, stack: LocalStack) -> dict[str, Any]:
    """The policy with one action on one table removed."""
    statements = []
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if any(resource.endswith(f"table/{stack.resources[table]}") for resource in resources):
            actions = [kept for kept in actions if kept != action]
        if actions:
            statements.append({**statement, "Action": actions})
    assert statements != document["Statement"]
    return {**document, "Statement": statements}
