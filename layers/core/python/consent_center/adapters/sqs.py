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
        try:
            aws.client("sqs").send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(message))
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError(f"order letter: {type(error).__name__}") from None
