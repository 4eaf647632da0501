"""The worker that sends letters, from queue event to answer."""

import json

from builders import PEOPLE
from consent_center.domain.errors import LetterRefusedError, UnavailableError
from deployment import CONTEXT, Deployment


def test_an_order_delivered_twice_sends_one_letter(deployment: Deployment) -> None:
    deployment.sign_up()

    assert deployment.deliver() == deployment.deliver() == {"batchItemFailures": []}
    assert len(deployment.mailer.letters) == 1


def test_one_failing_order_does_not_hold_up_the_others(deployment: Deployment) -> None:
    import delivery_worker.app

    deployment.sign_up()
    event = deployment.event("delivery_worker/letters")
    good = {
        **event["Records"][0],
        "messageId": "good",
        "body": json.dumps(
            {
                **json.loads(event["Records"][0]["body"]),
                "request": deployment.outbox.orders[0].request,
                "pseudonym": deployment.outbox.orders[0].contact.pseudonym,
            }
        ),
    }
    bad = [{**good, "messageId": f"bad-{body}", "body": body} for body in ("{", "{}", '{"letter": "other"}')]
    answer = delivery_worker.app.lambda_handler({"Records": [bad[0], good, *bad[1:]]}, CONTEXT)  # type: ignore[arg-type]

    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [row["messageId"] for row in bad]
    assert len(deployment.mailer.letters) == 1


def test_a_letter_that_cannot_be_sent_now_is_reported_for_another_try(deployment: Deployment) -> None:
    deployment.sign_up()
    for error in (UnavailableError("send letter: Throttling"), LetterRefusedError("send letter: MessageRejected")):
        deployment.mailer.fails_with = error
        deployment.clock.move(seconds=60)
        assert len(deployment.deliver()["batchItemFailures"]) == 1
    deployment.mailer.fails_with = None
    deployment.clock.move(seconds=60)

    assert deployment.deliver() == {"batchItemFailures": []}
    assert deployment.mailer.letters[0].to == PEOPLE[0]


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
