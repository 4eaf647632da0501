"""Recipients that are told of changes: on the queue, and at the other end of a real connection."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from consent_center.adapters.connectors.announcing import REST_MS, RecipientsByWebhook
from consent_center.adapters.connectors.outside import Outside
from consent_center.adapters.sqs import QueuedAnnouncements
from consent_center.domain.announcement import again_after
from consent_center.domain.errors import RecipientGoneError, UnavailableError
from consent_center.ports.exchange import ToldRecipients
from fakes import ScriptedRecipients, SettableClock, real_clock
from fakes.cases import FixedRecipientSecrets
from local.recipient import DemoRecipients
from moto_wire import by_moto

KEY = b"recipients-secret-for-tests"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
CHAIN = "f66h7l5n3mf7cv4krt6y6r7xvw"
TOLD = {
    "version": 1,
    "controller": "fjordmeter",
    "chain": CHAIN,
    "seq": 3,
    "at": "2026-11-25T09:30:00.000Z",
    "erased": False,
    "moved": False,
    "changes": [{"purpose": "direct-marketing-email", "after": "ConsentWithdrawn"}],
    "preferences": [],
}


@pytest.fixture
def demo() -> Iterator[DemoRecipients]:
    recipients = DemoRecipients({"crm": SECRET, "post-house": SECRET})
    yield recipients
    recipients.close()


class Telling:
    """Recipients as the worker has them, with a clock of their own for how long one rests."""

    def __init__(self, base: str, **other: Any) -> None:
        webhook = {"kind": "webhook", "secret_name": "crm", "events": True}
        connectors = {name: {**webhook, "url": f"{base}/{name}", **other} for name in ("crm", "post-house")}
        self.clock = SettableClock(real_clock())
        secrets = FixedRecipientSecrets({"crm": (KEY,)})
        self.recipients = RecipientsByWebhook(
            connectors, secrets, Outside(inside_too=True, read_seconds=0.5), self.clock
        )

    def tell(self, recipient: str = "crm", **other: Any) -> bool:
        return self.recipients.tell(recipient, {**TOLD, **other})


@pytest.mark.parametrize("kind", ["memory", "webhook"])
def test_a_recipient_takes_it_does_not_or_never_will(demo: DemoRecipients, kind: str) -> None:
    scripted = ScriptedRecipients(script=[True, UnavailableError("no"), RecipientGoneError("gone"), False])
    recipients: ToldRecipients = scripted if kind == "memory" else Telling(demo.url).recipients

    demo.behave("crm", "done")
    assert recipients.tell("crm", TOLD) is True
    demo.behave("crm", "error")
    with pytest.raises(UnavailableError):
        recipients.tell("crm", TOLD)
    demo.behave("crm", "gone")
    with pytest.raises(RecipientGoneError):
        recipients.tell("crm", TOLD)
    assert recipients.tell("nobody", TOLD) is False


def test_what_arrives_is_signed_and_says_what_changed_under_the_same_name_each_time(demo: DemoRecipients) -> None:
    telling = Telling(demo.url)
    assert telling.tell()
    telling.clock.move(seconds=60)
    assert telling.tell()
    assert telling.tell(erased=True)

    shown = demo.shown("crm")
    first, erased = shown["events"]
    assert shown["refused"] == 0, "it compares the signature with one that it makes itself"
    assert (first["id"], first["times"], first["changes"]) == (f"{CHAIN}-3-crm", 2, TOLD["changes"])
    assert (erased["id"], erased["times"]) == (f"{CHAIN}-3-erased-crm", 1)
    assert shown["asked"] == []


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("error", "http_500"), ("refuse", "http_400"), ("slow", "TimeoutError"), ("silent", "RemoteDisconnected")],
)
def test_whatever_is_no_success_is_tried_again(demo: DemoRecipients, behaviour: str, reason: str) -> None:
    demo.behave("crm", behaviour, 2)

    with pytest.raises(UnavailableError, match=f"^recipient crm: {reason}$"):
        Telling(demo.url).tell()


def test_a_message_that_was_signed_too_long_ago_is_refused_there_and_tried_again(demo: DemoRecipients) -> None:
    telling = Telling(demo.url)
    telling.clock.move(seconds=-301)

    with pytest.raises(UnavailableError, match="http_401"):
        telling.tell()

    assert (demo.shown("crm")["refused"], demo.shown("crm")["events"]) == (1, [])


def test_a_recipient_that_gave_no_answer_is_left_alone_for_a_while_and_others_are_told(demo: DemoRecipients) -> None:
    demo.behave("crm", "slow", 2)
    telling = Telling(demo.url)
    with pytest.raises(UnavailableError, match="TimeoutError"):
        telling.tell()
    demo.behave("crm", "done")

    with pytest.raises(UnavailableError, match="a moment ago"):
        telling.tell(seq=4)
    assert telling.tell("post-house")
    assert [one["seq"] for one in demo.shown("crm")["events"]] == [3], "it was not asked again"

    telling.clock.move(seconds=REST_MS // 1000)
    assert telling.tell(seq=4)
    assert again_after(1) * 1000 >= REST_MS, "what failed and comes again finds it awake"


def test_one_that_answers_with_an_error_costs_no_time_and_does_not_rest(demo: DemoRecipients) -> None:
    demo.behave("crm", "error")
    telling = Telling(demo.url)
    with pytest.raises(UnavailableError, match="http_500"):
        telling.tell()
    demo.behave("crm", "done")

    assert telling.tell()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"secret_name": "nobody"}, "no_secret"),
        ({"url": "https://crm.example.com/a b"}, "address_refused.url"),
        ({"url": None}, "address_refused"),
    ],
    ids=["no secret", "an address that is none", "no address"],
)
def test_a_setting_that_is_wrong_waits_for_its_mend(
    demo: DemoRecipients, settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnavailableError, match=f"recipient crm: {reason}"):
        Telling(demo.url, **settings).tell()


def test_where_webhooks_do_not_lead_inside_neither_do_announcements(demo: DemoRecipients) -> None:
    telling = Telling("https://localhost.example.com")
    telling.recipients.outside = Outside(resolve=lambda *_: ["127.0.0.1"])

    with pytest.raises(UnavailableError, match="address_refused"):
        telling.tell()


@pytest.mark.parametrize("settings", [{"events": False}, {"events": "true"}, {"kind": "manual"}], ids=str)
def test_who_does_not_take_events_is_told_nothing(demo: DemoRecipients, settings: dict[str, Any]) -> None:
    assert Telling(demo.url, **settings).tell() is False
    assert demo.shown("crm")["events"] == []


# ---- On the queue ------------------------------------------------------------------------------------------------


@pytest.fixture
def queue() -> Iterator[str]:
    with mock_aws():
        yield client().create_queue(QueueName="announcements")["QueueUrl"]


def client() -> Any:
    return botocore.session.get_session().create_client("sqs")


def test_each_recipient_has_a_message_of_its_own_however_many_there_are(queue: str) -> None:
    orders = [("crm", {**TOLD, "seq": seq}) for seq in range(23)]
    QueuedAnnouncements(by_moto("sqs"), lambda: queue).order(orders)

    found = []
    while messages := client().receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    assert sorted((one["recipient"], one["announcement"]["seq"]) for one in found) == [("crm", n) for n in range(23)]


def test_what_is_put_off_is_not_there_until_then(queue: str) -> None:
    orders = QueuedAnnouncements(by_moto("sqs"), lambda: queue)
    orders.order([("crm", TOLD)])
    (message,) = client().receive_message(QueueUrl=queue, VisibilityTimeout=1800)["Messages"]

    orders.put_off(message["ReceiptHandle"], 36_000)
    assert "Messages" not in client().receive_message(QueueUrl=queue)

    orders.put_off(message["ReceiptHandle"], 0)
    assert len(client().receive_message(QueueUrl=queue)["Messages"]) == 1


def test_a_queue_that_does_not_take_them_is_no_success(queue: str) -> None:
    orders = QueuedAnnouncements(by_moto("sqs"), lambda: f"{queue}-none")
    with pytest.raises(UnavailableError, match="order announcement"):
        orders.order([("crm", TOLD)])
    with pytest.raises(UnavailableError, match="put off announcement"):
        orders.put_off("handle", 20)
