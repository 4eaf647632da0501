"""Letter orders as messages on a queue: ids only, never a person."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.audience import AudienceRun
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import UnavailableError
from consent_center.domain.told import Telling
from consent_center.ports.letters import LetterOrder


class QueueOutbox:
    def __init__(self, wire: Wire, queue_url: str) -> None:
        self._wire, self._queue_url = wire, queue_url

    def order(self, order: LetterOrder) -> None:
        contact = order.contact
        message = {
            "letter": order.letter,
            "request": order.request,
            "controller": contact.controller,
            "channel": contact.channel,
            "key_id": contact.key_id,
            "pseudonym": contact.pseudonym,
            **({"brand": order.brand} if order.brand else {}),
        }
        _send(self._wire, "order letter", self._queue_url, json.dumps(message))


class QueueOfDeadLetters:
    def __init__(self, wire: Wire, queue_url: str) -> None:
        self._wire, self._queue_url = wire, queue_url

    def set_aside(self, order: str, reason: str) -> None:
        _send(self._wire, "set letter aside", self._queue_url, order, reason=reason)


def _send(wire: Wire, what: str, queue_url: str, body: str, **attributes: str) -> None:
    message = {
        "QueueUrl": queue_url,
        "MessageBody": body,
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }
    try:
        wire.call("SendMessage", message)
    except CallFailedError as error:
        raise UnavailableError(f"{what}: {error.code}") from None


UNDO_SECONDS = 900
"""The longest that a queue holds a message back, and as long as an event can be undone."""


class QueuedReviews:
    """Records to look at, as messages that are held back; those of a day come from an index."""

    def __init__(self, wire: Wire, queue_url: str, due: Callable[[str], Iterator[ContactPoint]]) -> None:
        self._wire, self._queue_url, self.due = wire, queue_url, due

    def order(self, contact: ContactPoint) -> None:
        message = {"QueueUrl": self._queue_url, "MessageBody": json.dumps(contact), "DelaySeconds": UNDO_SECONDS}
        try:
            self._wire.call("SendMessage", message)
        except CallFailedError as error:
            raise UnavailableError(f"order review: {error.code}") from None


class QueuedTellings:
    """Letters that were handed over, on the queue of the worker that looks at records."""

    def __init__(self, wire: Wire, queue_url: str) -> None:
        self._wire, self._queue_url = wire, queue_url

    def note(self, contact: ContactPoint, telling: Telling) -> None:
        self._send(contact, telling, 0)

    def put_off(self, contact: ContactPoint, telling: Telling) -> None:
        self._send(contact, telling, UNDO_SECONDS)

    def _send(self, contact: ContactPoint, telling: Telling, delay: int) -> None:
        body = json.dumps({"contact": contact, "told": telling})
        try:
            self._wire.call("SendMessage", {"QueueUrl": self._queue_url, "MessageBody": body, "DelaySeconds": delay})
        except CallFailedError as error:
            raise UnavailableError(f"note telling: {error.code}") from None


class QueuedCases:
    """Cases to look at, by their ids."""

    def __init__(self, wire: Wire, queue_url: str) -> None:
        self._wire, self._queue_url = wire, queue_url

    def order(self, case: str, due_at: int) -> None:
        _send(self._wire, "order case", self._queue_url, json.dumps({"case": case, "due_at": due_at}))


class QueuedAnnouncements:
    """What recipients are to be told, a message for each."""

    def __init__(self, wire: Wire, queue_url: Callable[[], str]) -> None:
        self._wire, self._queue_url = wire, queue_url

    def order(self, orders: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        bodies = [
            json.dumps({"recipient": recipient, "announcement": told}, ensure_ascii=False, separators=(",", ":"))
            for recipient, told in orders
        ]
        calls = [{"QueueUrl": self._queue_url(), "MessageBody": body} for body in bodies]
        for answer in self._wire.call_all("SendMessage", calls):
            if isinstance(answer, CallFailedError):
                raise UnavailableError(f"order announcement: {answer.code}")

    def put_off(self, receipt: str, seconds: int) -> None:
        message = {"QueueUrl": self._queue_url(), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        try:
            self._wire.call("ChangeMessageVisibility", message)
        except CallFailedError as error:
            raise UnavailableError(f"put off announcement: {error.code}") from None


class QueuedAudiences:
    """Shards to be made, and people who decided, on a queue each: a shard waits for nobody, people for each other."""

    def __init__(self, wire: Wire, parts_queue_url: Callable[[], str], changes_queue_url: Callable[[], str]) -> None:
        self._wire, self._parts, self._changes = wire, parts_queue_url, changes_queue_url

    def order(self, run: AudienceRun, shard: int) -> None:
        _send(self._wire, "order audience", self._parts(), json.dumps({**run._asdict(), "shard": shard}))

    def changed(self, contact: ContactPoint, chain: str, purposes: Sequence[str]) -> None:
        message = {"contact": list(contact), "chain": chain, "purposes": list(purposes)}
        _send(self._wire, "note change", self._changes(), json.dumps(message))
