"""The worker for what comes back, from queue message to answer."""

import json
from typing import Any

import pytest

from builders import PEOPLE
from consent_center.domain.errors import UnavailableError
from consent_center.ports.letters import StoredMail
from deployment import Deployment

DONE: dict[str, Any] = {"batchItemFailures": []}


def a_mail(text: str = "Stop", *, top: str = "dmarc=pass", subject: str = "Re: News") -> bytes:
    proof = f"Authentication-Results: amazonses.com; {top} header.from=example.com;\n"
    return f"{proof}From: {PEOPLE[0]}\nTo: stop@example.com\nSubject: {subject}\n\n{text}\n".encode()


def arrive(deployment: Deployment, raw: bytes, name: str = "mail-1") -> str:
    """Let a mail arrive; the message that tells of it."""
    deployment.mails.arrived[name] = StoredMail(raw, deployment.clock())
    return str(deployment.event("feedback_worker/mail")["Records"][0]["body"]).replace("mail-1", name)


def a_report(deployment: Deployment, kind: str, token: str = "TOKEN") -> dict[str, Any]:
    body = deployment.event(f"feedback_worker/{kind}", token)["Records"][0]["body"]
    return dict(json.loads(body.replace("EMAIL", PEOPLE[0])))


@pytest.fixture
def subscribed(deployment: Deployment) -> Deployment:
    # The reports of the events are dated at the moment at which the clock stands.
    deployment.clock.move(days=-1)
    assert deployment.confirm(deployment.asked()).status == 200
    deployment.clock.move(days=1)
    return deployment


def reason(deployment: Deployment) -> str:
    return str(deployment.check().json["results"][0]["reason"])


def test_a_mail_that_says_stop_is_forgotten_once_the_withdrawal_is_stored(subscribed: Deployment) -> None:
    message = arrive(subscribed, a_mail())

    assert subscribed.feed_back(message, message) == DONE
    assert (reason(subscribed), subscribed.mails.arrived) == ("withdrawn", {})
    assert subscribed.kinds() == ["given", "withdrawn"]


def test_a_worker_that_dies_before_it_forgets_a_mail_withdraws_once(subscribed: Deployment) -> None:
    message = arrive(subscribed, a_mail())
    subscribed.mails.fails_with = UnavailableError("remove mail: SlowDown")
    assert len(subscribed.feed_back(message)["batchItemFailures"]) == 1
    subscribed.mails.fails_with = None

    assert subscribed.feed_back(message) == DONE
    assert (subscribed.kinds(), subscribed.mails.arrived) == (["given", "withdrawn"], {})


def test_a_mail_is_kept_until_what_it_says_is_stored(subscribed: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    message = arrive(subscribed, a_mail())

    def unavailable(*_: object) -> None:
        raise UnavailableError("commit: Throttling")

    with monkeypatch.context() as broken:
        broken.setattr(subscribed.subjects, "commit", unavailable)
        assert len(subscribed.feed_back(message)["batchItemFailures"]) == 1
    assert set(subscribed.mails.arrived) == {"mail-1"}

    assert subscribed.feed_back(message) == DONE
    assert reason(subscribed) == "withdrawn"


def test_what_people_have_to_read_is_moved_to_where_they_look(subscribed: Deployment) -> None:
    messages = [
        arrive(subscribed, a_mail("What is a meter?"), "question"),
        arrive(subscribed, a_mail(top="dmarc=fail"), "forged"),
        arrive(subscribed, b"", "empty"),
    ]

    assert subscribed.feed_back(*messages) == DONE
    assert subscribed.mails.for_staff == {
        "question": "not_understood",
        "forged": "sender_not_proven",
        "empty": "not_understood",
    }
    assert reason(subscribed) == "given"


@pytest.mark.parametrize("kind", ["complaint", "bounce"])
def test_a_report_that_comes_twice_is_one_event(subscribed: Deployment, kind: str) -> None:
    body = a_report(subscribed, kind)

    assert subscribed.feed_back(body, body) == DONE
    assert len(subscribed.kinds()) == 2
    assert reason(subscribed) == {"complaint": "withdrawn", "bounce": "undeliverable"}[kind]


def test_an_identitys_own_notification_is_read_as_well(subscribed: Deployment) -> None:
    body = a_report(subscribed, "complaint")
    body["notificationType"] = body.pop("eventType")

    assert subscribed.feed_back(body) == DONE
    assert reason(subscribed) == "withdrawn"


def test_who_takes_a_letter_out_of_the_spam_folder_does_not_complain(subscribed: Deployment) -> None:
    body = a_report(subscribed, "complaint")
    body["complaint"]["complaintFeedbackType"] = "not-spam"

    assert subscribed.feed_back(body) == DONE
    assert reason(subscribed) == "given"


def test_a_bounce_that_may_pass_changes_nothing(subscribed: Deployment) -> None:
    body = a_report(subscribed, "bounce")
    body["bounce"]["bounceType"] = "Transient"

    assert subscribed.feed_back(body) == DONE
    assert reason(subscribed) == "given"


def test_a_delivery_confirms_the_send_by_header_or_by_tag(subscribed: Deployment) -> None:
    send_id = subscribed.check().json["results"][0]["send_id"]
    tagged = a_report(subscribed, "delivery")
    tagged["mail"]["tags"]["consent-send-id"] = [send_id]
    for body in (a_report(subscribed, "delivery", send_id), tagged):
        subscribed.subjects.sends.clear()

        assert subscribed.feed_back(body) == DONE
        assert list(subscribed.subjects.sends.values()) == [subscribed.clock()]


def test_what_is_no_message_is_set_aside_with_a_reason_that_names_nobody(subscribed: Deployment) -> None:
    lame = [
        "{", "[]", "null", '{"eventType": "Bounce"}', '{"eventType": "Complaint", "mail": {"timestamp": "x"}}',
        '{"Records": [{"s3": {}}]}',
    ]  # fmt: skip
    good = arrive(subscribed, a_mail())

    assert subscribed.feed_back(lame[0], good, *lame[1:]) == DONE
    assert [body for body, _ in subscribed.dead_letters.orders] == lame
    assert {told for _, told in subscribed.dead_letters.orders} == {"the message is no report and no mail"}
    assert reason(subscribed) == "withdrawn"


def test_what_asks_for_nothing_is_passed_over(subscribed: Deployment) -> None:
    set_up = arrive(subscribed, a_mail(), "AMAZON_SES_SETUP_NOTIFICATION")
    opened = a_report(subscribed, "delivery") | {"eventType": "Open", "open": {}}

    assert subscribed.feed_back({"Service": "Amazon S3", "Event": "s3:TestEvent"}, set_up, opened) == DONE
    assert subscribed.kinds() == ["given"]


def test_a_foreign_error_is_logged_by_its_kind_only(subscribed: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError(PEOPLE[0])

    monkeypatch.setattr(subscribed.mails, "read", fail)
    assert len(subscribed.feed_back(arrive(subscribed, a_mail()))["batchItemFailures"]) == 1


def test_letters_name_the_stop_address_only_where_mail_is_received() -> None:
    def header(stop_mail: str | None) -> str:
        from consent_center.usecases.links import unsubscribe_headers

        return unsubscribe_headers("https://c.example.com", "v1.k1.x.y", list_id="a.b", stop_mail=stop_mail)[
            "List-Unsubscribe"
        ]

    one_click = "<https://c.example.com/u/v1.k1.x.y>"
    assert header(None) == one_click
    assert header("stop@example.com") == f"{one_click}, <mailto:stop@example.com?subject=v1.k1.x.y>"
    assert header("s" * 840 + "@example.com") == one_click


def test_staff_record_a_withdrawal_without_any_evidence(subscribed: Deployment) -> None:
    """Phone, letter, social media: who says stop has to prove nothing."""
    body = {"recipient": PEOPLE[0], "purpose": "direct-marketing-email", "decision": "withdrawn"}
    context = subscribed.event("consent_api/post-decisions")["requestContext"]

    answer = subscribed.api("post-decisions", body=json.dumps(body), requestContext=context)
    assert (answer.status, answer.json["recorded"], reason(subscribed)) == (200, True, "withdrawn")
    unknown = subscribed.api("post-decisions", body=json.dumps({**body, "recipient": PEOPLE[1]}))
    assert (unknown.status, unknown.json["recorded"]) == (200, True)


@pytest.mark.parametrize(
    "header", [{"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}, {"x-moz": "prefetch"}]
)
def test_what_a_program_opens_is_counted_apart(
    subscribed: Deployment, header: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import subscription_links.app

    counted: list[str] = []
    monkeypatch.setattr(subscription_links.app, "count", counted.append)
    token = subscribed.stop_link("events")
    event = subscribed.event("subscription_links/get-unsubscribe", token)

    subscribed.page("get-unsubscribe", token, headers={**event["headers"], **header})
    subscribed.page("head-unsubscribe", token)
    subscribed.page("get-unsubscribe", token)
    assert counted == ["ScannerBurst", "ScannerBurst", "UnsubscribePageOpened"]
