"""The worker that sends letters, from queue event to answer."""

import json

import pytest

import delivery_worker.app
from builders import PEOPLE
from consent_center.domain.errors import LetterRefusedError, UnavailableError
from deployment import CONTEXT, Deployment


def test_an_order_delivered_twice_sends_one_letter(deployment: Deployment) -> None:
    deployment.sign_up()

    assert deployment.deliver() == deployment.deliver() == {"batchItemFailures": []}
    assert len(deployment.mailer.letters) == 1


def an_order(deployment: Deployment, **changes: object) -> dict[str, object]:
    record = deployment.event("delivery_worker/letters")["Records"][0]
    order = deployment.outbox.orders[-1]
    body = {**json.loads(record["body"]), "request": order.request, "pseudonym": order.contact.pseudonym}
    return {**record, "body": json.dumps(body), **changes}


def test_what_is_no_order_is_set_aside_at_once_and_holds_nothing_up(deployment: Deployment) -> None:
    deployment.sign_up()
    bodies = ["{", "{}", "[]", '{"letter": "other"}']
    bad = [an_order(deployment, messageId=f"bad-{number}", body=body) for number, body in enumerate(bodies)]
    records = [bad[0], an_order(deployment), *bad[1:]]

    assert delivery_worker.app.lambda_handler({"Records": records}, CONTEXT) == {"batchItemFailures": []}  # type: ignore[arg-type]
    assert [body for body, _ in deployment.dead_letters.orders] == bodies
    assert len(deployment.mailer.letters) == 1


def test_a_letter_that_cannot_be_sent_now_is_reported_for_another_try(deployment: Deployment) -> None:
    deployment.sign_up()
    deployment.mailer.fails_with = UnavailableError("send letter: Throttling")
    assert len(deployment.deliver()["batchItemFailures"]) == 1
    deployment.mailer.fails_with = None
    deployment.clock.move(seconds=60)

    assert deployment.deliver() == {"batchItemFailures": []}
    assert deployment.mailer.letters[0].to == PEOPLE[0]


def test_a_letter_that_will_never_be_taken_is_set_aside_at_once_and_the_sign_up_stays_pending(
    deployment: Deployment,
) -> None:
    deployment.sign_up()
    deployment.mailer.fails_with = LetterRefusedError("send letter: MessageRejected")

    assert deployment.deliver() == {"batchItemFailures": []}
    assert [reason for _, reason in deployment.dead_letters.orders] == ["send letter: MessageRejected"]
    assert deployment.check().json["results"][0]["reason"] == "pending"


def test_an_order_that_cannot_be_set_aside_is_tried_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.sign_up()
    deployment.mailer.fails_with = LetterRefusedError("send letter: MessageRejected")

    def unavailable(*_: object) -> None:
        raise UnavailableError("set letter aside: ClientError")

    monkeypatch.setattr(deployment.dead_letters, "set_aside", unavailable)
    assert len(deployment.deliver()["batchItemFailures"]) == 1


def test_a_foreign_error_is_logged_by_its_kind_only(deployment: Deployment) -> None:
    deployment.sign_up()
    deployment.mailer.fails_with = ValueError(f"could not write to {PEOPLE[0]}")

    assert len(deployment.deliver()["batchItemFailures"]) == 1


def test_an_order_for_a_cancelled_request_sends_nothing(deployment: Deployment) -> None:
    deployment.asked()
    deployment.page("post-not-me", deployment.link("not-me"))
    deployment.mailer.letters.clear()

    assert deployment.deliver() == {"batchItemFailures": []}
    assert deployment.mailer.letters == []
