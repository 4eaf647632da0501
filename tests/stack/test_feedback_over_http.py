"""What comes back, through the whole stack: mails to the stop address, and reports of the mail service."""

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from local.stack import LocalStack
from world import Answer, Auditor, Visitor

RFC822 = {"Content-Type": "message/rfc822"}


@pytest.fixture
def visitor(stack: LocalStack) -> Visitor:
    return Visitor(stack).subscribed("events", "product-news")


def mail(visitor: Visitor, text: str, *, subject: str = "Re: News", sender: str = "", headers: str = "") -> bytes:
    top = f"From: {sender or visitor.email}\r\nTo: stop@example.com\r\nSubject: {subject}\r\n{headers}"
    return f"{top}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


def drop(visitor: Visitor, raw: bytes, **verdicts: str) -> str:
    """Let a mail arrive; its name in the bucket."""
    answer = visitor.request("POST", f"/_local/mail?{urlencode(verdicts)}", raw, RFC822)
    assert answer.status == 200, answer.body
    return str(answer.json["name"])


def report(visitor: Visitor, kind: str, **letter: Any) -> Answer:
    body = json.dumps({"report": kind, **(letter or {"to": visitor.email})}).encode()
    answer = visitor.request("POST", "/_local/mailbox/report", body)
    assert answer.status == 204, answer.body
    return answer


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def keys(stack: LocalStack, folder: str) -> dict[str, Any]:
    s3 = stack.client("s3")
    found = s3.list_objects_v2(Bucket=stack.resources["MailBucket"], Prefix=folder).get("Contents", [])
    return {one["Key"].removeprefix(folder): one for one in found}


def dealt_with(stack: LocalStack, name: str) -> None:
    until(lambda: name not in keys(stack, "incoming/"))


def reason_for_staff(stack: LocalStack, name: str) -> str:
    dealt_with(stack, name)
    head = stack.client("s3").head_object(Bucket=stack.resources["MailBucket"], Key=f"inbox/{name}")
    return str(head["Metadata"]["reason"])


def kinds(stack: LocalStack, visitor: Visitor) -> list[str]:
    chain = visitor.check()["evidence"].partition(".")[0]
    return [entry.kind for entry in Auditor(stack).entries(chain)]


def test_a_reply_that_says_stop_stops_all_marketing_of_the_controller(stack: LocalStack, visitor: Visitor) -> None:
    chain = visitor.check()["evidence"].partition(".")[0]
    letters = len(visitor.letters())
    drop(visitor, mail(visitor, "Stop, please.\r\n\r\n> News from Fjordmeter"))

    until(lambda: visitor.check("events")["reason"] == "withdrawn")
    assert visitor.check("product-news")["reason"] == "withdrawn"
    entries = Auditor(stack).entries(chain)
    assert [(entry.kind, entry.body["source"]) for entry in entries] == [("given", "form"), ("withdrawn", "mail")]
    assert len(visitor.letters()) == letters


def test_the_mailto_link_of_a_letter_stops_what_the_letter_is_about(stack: LocalStack, visitor: Visitor) -> None:
    header = visitor.check("events")["headers"]["List-Unsubscribe"]
    found = re.search(r", <mailto:stop@example\.com\?subject=([^>]+)>$", header)
    assert found
    raw = mail(visitor, "", subject=found[1], sender="other@example.invalid")
    drop(visitor, raw, dmarc="fail", spf="fail", dkim="fail")

    until(lambda: visitor.check("events")["reason"] == "withdrawn")
    assert visitor.check("product-news")["reason"] == "given"


def test_a_forged_sender_stops_nothing_and_waits_for_staff(stack: LocalStack, visitor: Visitor) -> None:
    name = drop(visitor, mail(visitor, "Stop"), dmarc="fail", spf="pass", dkim="pass", domain="example.invalid")

    assert reason_for_staff(stack, name) == "sender_not_proven"
    assert visitor.check()["reason"] == "given"


def test_an_out_of_office_reply_changes_nothing(stack: LocalStack, visitor: Visitor) -> None:
    def kept() -> list[object]:
        # Claims of letters come and go by themselves.
        return [Auditor(stack).everything()[table] for table in ("SubjectsTable", "LedgerTable")]

    before = kept()
    name = drop(visitor, mail(visitor, "Stop", headers="Auto-Submitted: auto-replied\r\n"))

    dealt_with(stack, name)
    assert name not in keys(stack, "inbox/")
    assert kept() == before


def test_a_mail_of_five_megabytes_is_understood_by_its_beginning(stack: LocalStack, visitor: Visitor) -> None:
    parts = mail(visitor, "Stop").decode().replace("text/plain; charset=utf-8", 'multipart/mixed; boundary="b"')
    head = parts.partition("\r\n\r\n")[0]
    body = "--b\r\nContent-Type: text/plain\r\n\r\nUnsubscribe\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n"
    drop(visitor, f"{head}\r\n\r\n{body}{'x' * 5_000_000}\r\n--b--\r\n".encode())

    until(lambda: visitor.check()["reason"] == "withdrawn")


def test_a_complaint_withdraws_once_however_often_it_is_reported(stack: LocalStack, visitor: Visitor) -> None:
    chain = visitor.check()["evidence"].partition(".")[0]
    for _ in range(3):
        report(visitor, "complaint")

    until(lambda: visitor.check()["reason"] == "withdrawn")
    time.sleep(1)
    entries = Auditor(stack).entries(chain)
    assert [(entry.kind, entry.body["source"]) for entry in entries] == [("given", "form"), ("withdrawn", "complaint")]


def test_a_hard_bounce_blocks_every_letter_until_the_address_confirms_again(
    stack: LocalStack, visitor: Visitor
) -> None:
    report(visitor, "bounce")
    report(visitor, "bounce")
    until(lambda: visitor.check()["reason"] == "undeliverable")
    letters = len(visitor.letters())
    assert visitor.post("/preferences", email=visitor.email).status == 200

    assert visitor.sign_up("events").status == 200
    until(lambda: len(visitor.letters()) > letters)
    assert [letter["headers"].get("List-Id") for letter in visitor.letters()[letters:]] != [None]
    assert visitor.confirm().status == 200
    assert visitor.check("events")["reason"] == "given"
    assert visitor.check("product-news")["reason"] == "no_record"


def test_a_delivery_confirms_the_send(stack: LocalStack, visitor: Visitor) -> None:
    answer = visitor.check("events")
    path = visitor.preferences()
    visitor.press(path, do="fewer", purpose="direct-marketing-email", period="0.14")
    report(visitor, "delivery", to=visitor.email, headers=answer["headers"])

    until(lambda: visitor.check("events")["reason"] in ("frequency", "given") and bool(sends(stack)))


def sends(stack: LocalStack) -> list[Any]:
    return [item for item in Auditor(stack).everything()["SubjectsTable"] if item["sk"]["S"].startswith("SENT#")]


def test_the_worker_may_neither_look_through_people_nor_read_what_staff_read(stack: LocalStack) -> None:
    role = "FeedbackWorkerFunctionRole"
    database, s3 = stack.client("dynamodb", role=role), stack.client("s3", role=role)
    key = {"pk": {"S": "C#nobody"}, "sk": {"S": "E#0000000001"}}
    forbidden: list[Callable[[], Any]] = [
        lambda: database.scan(TableName=stack.resources["SubjectsTable"]),
        lambda: database.query(
            TableName=stack.resources["SubjectsTable"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": key["pk"]},
        ),
        lambda: database.get_item(TableName=stack.resources["LedgerTable"], Key=key),
        lambda: database.delete_item(TableName=stack.resources["LedgerTable"], Key=key),
        lambda: database.get_item(TableName=stack.resources["TransientTable"], Key=key),
        lambda: s3.get_object(Bucket=stack.resources["MailBucket"], Key="inbox/nothing"),
        lambda: stack.client("sqs", role=role).send_message(QueueUrl=stack.resources["LettersQueue"], MessageBody="{}"),
    ]

    for call in forbidden:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
