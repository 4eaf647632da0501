"""Receipts on the running stack: signed by its key, verified by tools that know nothing of us."""

import base64
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jsonschema import Draft202012Validator

import shipped_policy
from consent_center.adapters.policy_files import load_policy
from local.stack import LocalStack
from spoiled import Person, World
from world import Auditor, Visitor

shipped_policy.compiled()

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/receipt.schema.json").read_text())


@pytest.fixture(scope="module")
def received(stack: LocalStack) -> tuple[Visitor, str]:
    """Somebody who confirmed, and the receipt in their letter."""
    visitor = Visitor(stack).subscribed("product-news", "events")
    (letter,) = visitor.receipts(1)
    return visitor, letter["attachments"]["receipt-1.json"]


def public_key(stack: LocalStack) -> bytes:
    answer = stack.client("kms").get_public_key(KeyId=stack.resources["SigningKey"])
    return bytes(answer["PublicKey"])


def test_a_receipt_verifies_with_pyjwt_and_the_published_key_alone(
    stack: LocalStack, received: tuple[Visitor, str]
) -> None:
    file = json.loads(received[1])
    Draft202012Validator(SCHEMA).validate(file)
    jws = file.pop("jws")
    key = jwt.PyJWKClient(f"{stack.url}/.well-known/jwks.json").get_signing_key_from_jwt(jws).key

    assert jwt.decode(jws, key, algorithms=["RS256"]) == file
    head, _, signature = jws.split(".")
    altered = base64.urlsafe_b64encode(json.dumps({**file, "dct:created": "2020-01-01T00:00:00.000Z"}).encode())
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{altered.decode().rstrip('=')}.{signature}", key, algorithms=["RS256"])


def test_a_receipt_verifies_with_cryptography_and_with_openssl(
    stack: LocalStack, received: tuple[Visitor, str], tmp_path: Path
) -> None:
    signing, _, signature = json.loads(received[1])["jws"].rpartition(".")
    signed = base64.urlsafe_b64decode(signature + "==")
    key = load_der_public_key(public_key(stack))
    assert isinstance(key, RSAPublicKey)
    key.verify(signed, signing.encode(), PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(signed, signing[:-1].encode(), PKCS1v15(), SHA256())

    for name, content in (("key.der", public_key(stack)), ("signing", signing.encode()), ("signature", signed)):
        (tmp_path / name).write_bytes(content)
    openssl = ["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", "key.der", "-signature", "signature"]
    checked = subprocess.run([*openssl, "signing"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.stdout == "Verified OK\n"


def test_the_receipt_of_the_page_is_that_of_the_letter_and_names_nobody(received: tuple[Visitor, str]) -> None:
    visitor, file = received
    path = visitor.preferences()
    answer = visitor.get(f"{path}/receipts/1/file")

    assert (answer.status, answer.body) == (200, file)
    assert visitor.email not in file
    assert "Lovelace" not in file
    assert visitor.get(f"{path}/receipts/1").status == 200
    assert visitor.get(f"{path}/receipts/2").status == 404
    assert [event["kind"] for event in visitor.get(f"{path}/history.json").json["events"]] == ["given"]
    assert visitor.get(f"{path}/history.csv").status == 200


def test_looking_at_receipts_changes_no_table(stack: LocalStack, received: tuple[Visitor, str]) -> None:
    visitor, auditor = received[0], Auditor(stack)
    path, before = visitor.preferences(), auditor.everything()
    # The worker notes that a letter went out after it has arrived.
    while (now := auditor.everything()) != before:
        before = now
        time.sleep(0.2)
    for page in ("/receipts/1", "/receipts/1/file", "/receipts/9", "/history.json", "/history.csv", "/history"):
        for method in ("GET", "HEAD"):
            visitor.request(method, path + page)
    visitor.get("/.well-known/jwks.json")

    assert auditor.everything() == before


def test_a_receipt_proves_what_the_ledger_holds(stack: LocalStack, received: tuple[Visitor, str]) -> None:
    evidence = json.loads(received[1])["cc:evidence"]
    (entry,) = Auditor(stack).entries(evidence["cc:chain"])

    assert (evidence["cc:seq"], evidence["cc:hash"]) == (1, entry.hash)
    assert evidence["cc:commitment"] == entry.body["commitment"]
    assert evidence["cc:wordingHash"] == entry.body["wording_hash"]


def test_who_left_before_the_letter_was_written_gets_none(stack: LocalStack) -> None:
    person = Person(World(stack, None, load_policy()))  # type: ignore[arg-type]
    for topic in ("events", "surveys"):
        assert person.decide("given", topic).status == 200
    assert person.decide("withdrawn", "events").status == 200
    controller, channel, key_id, pseudonym = person.contact
    orders = [
        {
            "letter": "receipt",
            "request": str(seq),
            "controller": controller,
            "channel": channel,
            "key_id": key_id,
            "pseudonym": pseudonym,
        }
        for seq in (1, 2, 2)
    ]
    records = [{"messageId": f"message-{n}", "body": json.dumps(order)} for n, order in enumerate(orders)]

    assert stack.invoke("DeliveryWorkerFunction", {"Records": records}) == {"batchItemFailures": []}
    assert [list(letter["attachments"]) for letter in person.receipts(1)] == [["receipt-2.json"]]


ATTEMPTS: dict[str, Callable[[Any, LocalStack], Any]] = {
    "put an entry": lambda client, stack: client("dynamodb").put_item(
        TableName=stack.resources["LedgerTable"], Item={"pk": {"S": "C#none"}, "sk": {"S": "E#0000000001"}}
    ),
    "change an entry": lambda client, stack: client("dynamodb").update_item(
        TableName=stack.resources["LedgerTable"],
        Key={"pk": {"S": "C#none"}, "sk": {"S": "E#0000000001"}},
        UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": {"S": "b"}},
    ),
    "list a chain": lambda client, stack: client("dynamodb").query(
        TableName=stack.resources["LedgerTable"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "C#none"}},
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_worker_that_writes_receipts_reads_entries_and_cannot(stack: LocalStack, attempt: str) -> None:
    def client(service: str) -> Any:
        return stack.client(service, role="DeliveryWorkerFunctionRole")

    key = {"pk": {"S": "C#none"}, "sk": {"S": "E#0000000001"}}
    client("dynamodb").get_item(TableName=stack.resources["LedgerTable"], Key=key)
    with pytest.raises(ClientError, match="AccessDenied"):
        ATTEMPTS[attempt](client, stack)


@pytest.mark.parametrize("role", ["SubscriptionLinksFunctionRole", "ConsentApiFunctionRole"])
def test_whoever_writes_no_receipts_cannot_sign(stack: LocalStack, role: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.client("kms", role=role).sign(
            KeyId=stack.resources["SigningKey"], Message=b"anything", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256"
        )
