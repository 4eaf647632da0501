"""Letter orders as messages on a queue: ids only, never a person."""

import json

from botocore.exceptions import BotoCoreError, ClientError

from consent_center.adapters import aws
from consent_center.domain.errors import UnavailableError
from consent_center.ports import LetterOrder


class QueueOutbox:
    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    def order(self, order: LetterOrder) -> None:
        contact = order.contact
        message = {
            "letter": order.letter,
            "request": order.request,
            "controller": contact.controller,
            "channel": contact.channel,
            "key_id": contact.key_id,
            "pseudonym": contact.pseudonym,
        }
        _send("order letter", self._queue_url, json.dumps(message))


class QueueOfDeadLetters:
    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    def set_aside(self, order: str, reason: str) -> None:
        _send("set letter aside", self._queue_url, order, reason=reason)


def _send(what: str, queue_url: str, body: str, **attributes: str) -> None:
    try:
        aws.client("sqs").send_message(
            QueueUrl=queue_url,
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
    except (BotoCoreError, ClientError) as error:
        raise UnavailableError(f"{what}: {type(error).__name__}") from None
