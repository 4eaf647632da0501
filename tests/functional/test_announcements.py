"""A change goes from the stream to each recipient that it concerns, and waits for one that does not take it."""

import io
import json
from typing import Any

import pytest

import expiry_worker.app
import rights_worker.app
from consent_center.adapters.dynamodb.stored import subject_in
from consent_center.domain.errors import RecipientGoneError, UnavailableError
from deployment import CONTEXT, Deployment
from fakes import CollectingAnnouncementOrders, ScriptedRecipients

PSEUDONYM = "oqf5syhhe77xf6hgv2r6h63hzy"
CHAIN = "f66h7l5n3mf7cv4krt6y6r7xvw"
WEBHOOK = {"kind": "webhook", "url": "https://crm.example.com/events", "secret_name": "crm"}


@pytest.fixture
def orders(deployment: Deployment) -> CollectingAnnouncementOrders:
    """What is ordered where three recipients of the shipped policy are told and two others are not."""
    told = {"crm": WEBHOOK, "post-house": WEBHOOK, "survey-lab": WEBHOOK}
    asked = {"cloud": WEBHOOK, "fair-host": {"kind": "manual"}}
    connectors = {**{name: {**row, "events": True} for name, row in told.items()}, **asked}
    deployment.settings["RECIPIENT_CONNECTORS"] = json.dumps(connectors)
    deployment.settings["ANNOUNCEMENTS_QUEUE_URL"] = "https://queue.example.com/announcements"
    deployment.services.subject_in = subject_in
    return deployment.announcement_orders


@pytest.fixture
def recipients(deployment: Deployment) -> ScriptedRecipients:
    return deployment.told_recipients


def a_change(deployment: Deployment) -> dict[str, Any]:
    """The stream's batch in which somebody's yes to a topic is new."""
    event = json.loads(json.dumps(deployment.event("expiry_worker/state-decided")).replace("PSEUDONYM", PSEUDONYM))
    change = event["Records"][0]["dynamodb"]
    change["NewImage"] |= {"d": {"M": {"dm.ev.email": {"S": "g1795367345999.3"}}}, "seq": {"N": "3"}}
    return dict(event)


def follow(event: dict[str, Any]) -> None:
    expiry_worker.app.lambda_handler(event, CONTEXT)  # type: ignore[arg-type]


def deliver(deployment: Deployment, *bodies: Any, tries: int = 1) -> dict[str, Any]:
    """Hand messages to the worker; by default the one that was recorded."""
    record = deployment.event("rights_worker/announcement")["Records"][0]
    record["attributes"]["ApproximateReceiveCount"] = str(tries)
    records = [
        {**record, "messageId": f"message-{number}", "receiptHandle": f"receipt-{number}", "body": body}
        for number, body in enumerate(bodies or [record["body"]])
    ]
    return rights_worker.app.lambda_handler({"Records": records}, CONTEXT)  # type: ignore[arg-type]


def test_a_change_is_ordered_for_each_recipient_that_its_purpose_names_and_wants_it(
    deployment: Deployment, orders: CollectingAnnouncementOrders
) -> None:
    follow(a_change(deployment))

    assert [recipient for recipient, _ in orders.ordered] == ["post-house", "crm"]
    for _, told in orders.ordered:
        assert (told["chain"], told["seq"]) == (CHAIN, 3)
        assert [change["topic"] for change in told["changes"]] == ["events"]
        assert PSEUDONYM not in json.dumps(told)


def test_recipients_are_told_where_there_is_no_bus_and_where_it_takes_nothing(
    deployment: Deployment, orders: CollectingAnnouncementOrders
) -> None:
    deployment.announcements.refuses = True
    with pytest.raises(UnavailableError):
        follow(a_change(deployment))
    assert len(orders.ordered) == 2

    deployment.services.announcements = None
    follow(a_change(deployment))
    assert len(orders.ordered) == 4, "the batch came again, and recipients know both by their names"


def test_an_order_that_the_queue_does_not_take_has_the_batch_delivered_again(
    deployment: Deployment, orders: CollectingAnnouncementOrders
) -> None:
    orders.refuses = True

    with pytest.raises(UnavailableError):
        follow(a_change(deployment))


def test_nobody_is_told_where_nothing_could_be_signed(
    deployment: Deployment, orders: CollectingAnnouncementOrders
) -> None:
    del deployment.settings["ANNOUNCEMENTS_QUEUE_URL"]
    follow(a_change(deployment))

    assert orders.ordered == []
    assert len(deployment.announcements.told) == 1


def test_a_recipient_that_takes_it_is_told_once(deployment: Deployment, recipients: ScriptedRecipients) -> None:
    assert deliver(deployment) == {"batchItemFailures": []}

    ((recipient, told),) = recipients.told
    assert (recipient, told["chain"], told["seq"]) == ("crm", CHAIN, 3)
    assert deployment.announcement_orders.put_offs == []


@pytest.mark.parametrize(("tries", "seconds"), [(1, 20), (2, 300), (3, 3_600), (4, 36_000), (5, 0)])
def test_what_a_recipient_does_not_take_comes_again_after_longer_and_longer_waits(
    deployment: Deployment, recipients: ScriptedRecipients, printed: io.StringIO, tries: int, seconds: int
) -> None:
    recipients.script = [UnavailableError("recipient crm: http_500")]

    failures = deliver(deployment, tries=tries)

    assert failures == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert deployment.announcement_orders.put_offs == [("receipt-0", seconds)]
    (line,) = [json.loads(text) for text in printed.getvalue().splitlines() if "recipient not told" in text]
    assert (line["reason"], line["tries"]) == ("recipient crm: http_500", tries)
    assert CHAIN not in printed.getvalue()


def test_one_recipient_that_fails_holds_up_no_other_and_no_message_is_lost(
    deployment: Deployment, recipients: ScriptedRecipients
) -> None:
    body = deployment.event("rights_worker/announcement")["Records"][0]["body"]
    recipients.script = [UnavailableError("recipient crm: TimeoutError"), True, KeyError("an address"), True]
    deployment.announcement_orders.refuses = True

    failures = deliver(deployment, body, body.replace("crm", "post-house"), body, body)

    assert failures == {"batchItemFailures": [{"itemIdentifier": "message-0"}, {"itemIdentifier": "message-2"}]}
    assert [recipient for recipient, _ in recipients.told] == ["post-house", "crm"]


def test_what_a_recipient_will_never_take_is_set_aside_with_its_reason(
    deployment: Deployment, recipients: ScriptedRecipients, printed: io.StringIO
) -> None:
    recipients.script = [RecipientGoneError("recipient crm: http_410")]

    assert deliver(deployment) == {"batchItemFailures": []}

    ((order, reason),) = deployment.dead_letters.orders
    assert (json.loads(order)["recipient"], reason) == ("crm", "recipient crm: http_410")
    assert '"reason":"gone"' in printed.getvalue()


def test_what_cannot_be_set_aside_is_tried_again(
    deployment: Deployment, recipients: ScriptedRecipients, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(order: str, reason: str) -> None:
        raise UnavailableError("set letter aside: Throttling")

    recipients.script = [RecipientGoneError("recipient crm: http_410")]
    monkeypatch.setattr(deployment.dead_letters, "set_aside", refuse)

    assert deliver(deployment) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}


def test_a_recipient_that_the_settings_no_longer_have_told_is_not_told(
    deployment: Deployment, recipients: ScriptedRecipients, printed: io.StringIO
) -> None:
    recipients.script = [False]

    assert deliver(deployment) == {"batchItemFailures": []}
    assert deployment.dead_letters.orders == []
    assert '"reason":"not to be told"' in printed.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        {"recipient": "crm"},
        {"recipient": 7, "announcement": {"chain": CHAIN, "seq": 3, "erased": False, "at": "2026-11-25"}},
        {"recipient": "crm", "announcement": None},
        {"recipient": "crm", "announcement": {"chain": CHAIN}},
        ["recipient"],
        "recipient",
    ],
    ids=str,
)
def test_a_message_that_nobody_can_read_ends_with_the_dead_letters_and_is_told_to_nobody(
    deployment: Deployment, recipients: ScriptedRecipients, printed: io.StringIO, body: Any
) -> None:
    assert deliver(deployment, json.dumps(body)) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert recipients.told == []
    assert "the message names no recipient or no announcement" in printed.getvalue()
