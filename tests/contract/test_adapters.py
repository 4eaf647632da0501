"""What the adapters of single services do when the service answers, and when it does not."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto import mock_aws
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID

from builders import LINKS, PEOPLE, a_contact
from consent_center.adapters.connections import Answer
from consent_center.adapters.event_bus import EventBus
from consent_center.adapters.kms import Algorithm, KmsSigner
from consent_center.adapters.secretsmanager import FRESH_MS, ManagedSecrets
from consent_center.adapters.ses import SesMailer
from consent_center.adapters.sqs import QueuedCases, QueuedTellings, QueueOfDeadLetters, QueueOutbox
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import LetterRefusedError, UnavailableError
from consent_center.domain.told import About, Telling
from consent_center.ports.letters import Attachment, Envelope, LetterOrder
from fakes import SettableClock
from moto_wire import by_moto


@pytest.fixture(autouse=True)
def cloud() -> Iterator[None]:
    with mock_aws():
        yield


def client(service: str) -> Any:
    """The account owner's own tool, which sees what the adapters did."""
    return botocore.session.get_session().create_client(service)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def secrets(clock: SettableClock) -> ManagedSecrets:
    store({"current": "k1", "k1": "links-one"})
    return ManagedSecrets(
        by_moto("secretsmanager"), pepper_secret=lambda: "absent", links_secret=lambda: "links", clock=clock
    )


def store(secret: dict[str, str]) -> None:
    owner, text = client("secretsmanager"), json.dumps(secret)
    try:
        owner.create_secret(Name="links", SecretString=text)
    except ClientError:
        owner.put_secret_value(SecretId="links", SecretString=text)


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
    client("secretsmanager").delete_secret(SecretId="links", ForceDeleteWithoutRecovery=True)
    clock.move(ms=FRESH_MS)

    assert secrets.links() == LINKS


def test_a_secret_that_was_never_read_is_unavailable(secrets: ManagedSecrets) -> None:
    with pytest.raises(UnavailableError):
        secrets.peppers()


def test_an_order_on_the_queue_holds_ids_only() -> None:
    queue = client("sqs").create_queue(QueueName="letters")["QueueUrl"]
    QueueOutbox(by_moto("sqs"), queue).order(LetterOrder("confirm", a_contact(), "request-1"))

    (message,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert set(json.loads(message["Body"])) == {"letter", "request", "controller", "channel", "key_id", "pseudonym"}
    assert PEOPLE[0] not in message["Body"]
    QueueOutbox(by_moto("sqs"), queue).order(LetterOrder("preferences", a_contact(), "request-2", "larder"))
    (message,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["brand"] == "larder"


def test_a_letter_that_was_handed_over_is_told_without_the_person() -> None:
    queue = client("sqs").create_queue(QueueName="reviews")["QueueUrl"]
    telling = Telling(About.NOTICE, "2027-03-01", "told", "en", 1_800_000_000_000)
    tellings = QueuedTellings(by_moto("sqs"), queue)
    tellings.note(a_contact(), telling)
    tellings.put_off(a_contact(), telling)

    (message,) = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    body = json.loads(message["Body"])
    assert (ContactPoint(*body["contact"]), Telling(*body["told"])) == (a_contact(), telling)
    assert PEOPLE[0] not in message["Body"]
    with pytest.raises(UnavailableError):
        QueuedTellings(by_moto("sqs"), f"{queue}-none").note(a_contact(), telling)


def test_a_case_is_ordered_by_its_id_alone() -> None:
    queue = client("sqs").create_queue(QueueName="case-steps")["QueueUrl"]
    QueuedCases(by_moto("sqs"), queue).order("case-1", 1_800_000_000)

    (message,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == {"case": "case-1", "due_at": 1_800_000_000}
    with pytest.raises(UnavailableError):
        QueuedCases(by_moto("sqs"), f"{queue}-none").order("case-1", 1_800_000_000)


def test_an_order_that_is_set_aside_says_why() -> None:
    queue = client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    QueueOfDeadLetters(by_moto("sqs"), queue).set_aside("the order", "send letter: MessageRejected")

    (message,) = client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == "the order"
    assert message["MessageAttributes"]["reason"]["StringValue"] == "send letter: MessageRejected"


def test_a_queue_that_is_gone_is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        QueueOutbox(by_moto("sqs"), "https://sqs.eu-north-1.amazonaws.com/000000000000/none").order(
            LetterOrder("confirm", a_contact(), "request-1")
        )


LETTER = Envelope(PEOPLE[0], "Fjordmeter", "news@example.com", "Hej", "Hej då", "<p>Hej då</p>", {"List-Id": "<a.b>"})


def test_a_letter_reaches_the_mail_service_as_it_was_written() -> None:
    client("sesv2").create_email_identity(EmailIdentity="news@example.com")
    SesMailer(by_moto("sesv2")).send(LETTER)

    (sent,) = get_backend("ses")[DEFAULT_ACCOUNT_ID]["eu-north-1"].sent_messages
    assert (sent.destinations["ToAddresses"], sent.subject, sent.body) == ([PEOPLE[0]], "Hej", "<p>Hej då</p>")


def test_a_file_goes_with_a_letter_in_the_shape_that_the_mail_service_knows() -> None:
    wire, sent = by_moto("sesv2"), []

    def take(path: str, headers: Mapping[str, str], body: bytes) -> Callable[[], Answer]:
        sent.append(json.loads(body))
        return lambda: Answer(200, "", b"{}")

    wire.connections.begin = take
    content = '{"æ": 1}'.encode()
    SesMailer(wire).send(replace(LETTER, attachments=[Attachment("receipt-1.json", "application/ld+json", content)]))

    (asked,) = sent
    (file,) = asked["Content"]["Simple"]["Attachments"]
    assert base64.b64decode(file["RawContent"]) == content
    shape = client("sesv2").meta.service_model.operation_model("SendEmail").input_shape
    assert not ParamValidator().validate(asked, shape).has_errors()
    assert file.keys() <= shape.members["Content"].members["Simple"].members["Attachments"].member.members.keys()


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "MessageRejected", LetterRefusedError),
        (400, "MailFromDomainNotVerifiedException", LetterRefusedError),
        (429, "TooManyRequestsException", UnavailableError),
        (500, "InternalServiceErrorException", UnavailableError),
    ],
)
def test_what_the_mail_service_says_decides_whether_a_letter_is_tried_again(
    status: int, code: str, expected: type[Exception]
) -> None:
    wire, sent = by_moto("sesv2"), []

    def refuse(path: str, headers: Mapping[str, str], body: bytes) -> Callable[[], Answer]:
        sent.append(body)
        told = json.dumps({"message": PEOPLE[0]}).encode()
        return lambda: Answer(status, f"{code}:http://internal.amazon.com/", told)

    wire.connections.begin = refuse
    with pytest.raises(expected) as error:
        SesMailer(wire).send(LETTER)
    assert str(error.value) == f"send letter: {code}"
    assert len(sent) == 1


def test_a_key_that_does_not_sign_now_is_no_signature() -> None:
    with pytest.raises(UnavailableError, match="sign: NotFoundException"):
        KmsSigner(by_moto("kms"), lambda: "00000000-0000-4000-8000-000000000000", Algorithm.SEALS).sign(b"x")


def test_changes_are_told_ten_in_a_call_however_many_there_are() -> None:
    made, bodies = by_moto("events"), []
    through = made.connections.begin

    def begin(path: str, headers: Mapping[str, str], body: bytes) -> Callable[[], Answer]:
        bodies.append(json.loads(body))
        return through(path, headers, body)

    made.connections.begin = begin  # type: ignore[method-assign]
    EventBus(made, "default").publish([{"seq": seq, "text": "æ"} for seq in range(23)])

    assert [len(body["Entries"]) for body in bodies] == [10, 10, 3]
    entries = [entry for body in bodies for entry in body["Entries"]]
    assert [json.loads(entry["Detail"])["seq"] for entry in entries] == list(range(23))
    assert {entry["Source"] for entry in entries} == {"consent-center"}


@pytest.mark.parametrize("answer", [{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}, None])
def test_a_change_that_the_bus_did_not_take_is_no_success(answer: Mapping[str, Any] | None) -> None:
    made = by_moto("events")
    status = 200 if answer else 400
    made.connections.begin = lambda *_: lambda: Answer(status, "", json.dumps(answer or {}).encode())

    with pytest.raises(UnavailableError, match="announce"):
        EventBus(made, "default").publish([{"seq": 1}])
