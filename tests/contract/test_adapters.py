"""What the adapters of single services do when the service answers, and when it does not."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from builders import LINKS, PEOPLE, a_contact
from consent_center.adapters import aws
from consent_center.adapters.secretsmanager import FRESH_MS, ManagedSecrets
from consent_center.adapters.ses import SesMailer
from consent_center.adapters.sqs import QueueOfDeadLetters, QueueOutbox
from consent_center.domain.errors import LetterRefusedError, UnavailableError
from consent_center.ports import Envelope, LetterOrder
from fakes import SettableClock


@pytest.fixture(autouse=True)
def cloud() -> Iterator[None]:
    aws.client.cache_clear()
    with mock_aws():
        yield
    aws.client.cache_clear()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def secrets(clock: SettableClock) -> ManagedSecrets:
    store({"current": "k1", "k1": "links-one"})
    return ManagedSecrets(pepper_secret=lambda: "absent", links_secret=lambda: "links", clock=clock)


def store(secret: dict[str, str]) -> None:
    client, text = aws.client("secretsmanager"), json.dumps(secret)
    try:
        client.create_secret(Name="links", SecretString=text)
    except ClientError:
        client.put_secret_value(SecretId="links", SecretString=text)


def test_a_key_ring_is_read_from_its_secret(secrets: ManagedSecrets) -> None:
    assert secrets.links() == LINKS


def test_a_key_that_was_added_is_known_within_minutes_without_a_restart(
    secrets: ManagedSecrets, clock: SettableClock
) -> None:
    secrets.links()
    store({"current": "k2", "k1": "links-one", "k2": "links-two"})
    clock.move(ms=FRESH_MS - 1)
    assert secrets.links().current == "k1"
    clock.move(ms=1)

    assert secrets.links().current == "k2"
    assert secrets.links().keys == {"k1": b"links-one", "k2": b"links-two"}


def test_a_secret_that_cannot_be_read_again_keeps_serving(secrets: ManagedSecrets, clock: SettableClock) -> None:
    secrets.links()
    aws.client("secretsmanager").delete_secret(SecretId="links", ForceDeleteWithoutRecovery=True)
    clock.move(ms=FRESH_MS)

    assert secrets.links() == LINKS


def test_a_secret_that_was_never_read_is_unavailable(secrets: ManagedSecrets) -> None:
    with pytest.raises(UnavailableError):
        secrets.peppers()


def test_an_order_on_the_queue_holds_ids_only() -> None:
    queue = aws.client("sqs").create_queue(QueueName="letters")["QueueUrl"]
    QueueOutbox(queue).order(LetterOrder("confirm", a_contact(), "request-1"))

    (message,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert set(json.loads(message["Body"])) == {"letter", "request", "controller", "channel", "key_id", "pseudonym"}
    assert PEOPLE[0] not in message["Body"]


def test_an_order_that_is_set_aside_says_why() -> None:
    queue = aws.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    QueueOfDeadLetters(queue).set_aside("the order", "send letter: MessageRejected")

    (message,) = aws.client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == "the order"
    assert message["MessageAttributes"]["reason"]["StringValue"] == "send letter: MessageRejected"


def test_a_queue_that_is_gone_is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        QueueOutbox("https://sqs.eu-north-1.amazonaws.com/000000000000/none").order(
            LetterOrder("confirm", a_contact(), "request-1")
        )


class FailingSes:
    def __init__(self, code: str) -> None:
        self._code = code

    def send_email(self, **_: object) -> None:
        raise ClientError({"Error": {"Code": self._code, "Message": PEOPLE[0]}}, "SendEmail")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("MessageRejected", LetterRefusedError),
        ("MailFromDomainNotVerifiedException", LetterRefusedError),
        ("TooManyRequestsException", UnavailableError),
        ("InternalServiceErrorException", UnavailableError),
    ],
)
def test_what_the_mail_service_says_decides_whether_a_letter_is_tried_again(
    code: str, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "client", lambda _: FailingSes(code))
    letter = Envelope(PEOPLE[0], "Fjordmeter", "news@example.com", "Hi", "Hi", "<p>Hi</p>", {})

    with pytest.raises(expected) as error:
        SesMailer().send(letter)
    assert PEOPLE[0] not in str(error.value)
