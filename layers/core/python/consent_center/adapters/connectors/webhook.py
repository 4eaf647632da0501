"""A recipient that is told by a signed POST (Standard Webhooks), and answers at once or by a call-back."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from typing import Any

from consent_center.adapters.connectors.kind import Kind, code_of, failed
from consent_center.adapters.connectors.outside import Outside, RefusedAddressError, Reply, UnreachedError, read_object
from consent_center.domain.errors import UnavailableError
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb, is_file_name
from consent_center.domain.webhook import headers
from consent_center.ports.basics import Clock
from consent_center.ports.cases import RecipientSecrets

_STATES = {
    "done": TaskState.DONE,
    "nothing_held": TaskState.NOTHING_HELD,
    "accepted": TaskState.ASKED,
    "failed": TaskState.FAILED,
}

_MAY_PASS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
"""Refusals that are about the moment and not about the request."""


def told(ask: Ask, at: int, answer_to: str | None) -> dict[str, Any]:
    """What a recipient is told: `type`, `timestamp` and `data`, as Standard Webhooks advises; `at` in epoch ms."""
    data: dict[str, Any] = {
        "case": ask.case,
        "recipient": ask.recipient,
        "verb": ask.verb.value,
        "key": ask.key,
        "address": ask.address,
        "answer_by": ask.answer_by,
    }
    if ask.former_addresses:
        data["former_addresses"] = list(ask.former_addresses)
    if ask.corrections:
        data["corrections"] = dict(ask.corrections)
    if answer_to is not None:
        data["answer_to"] = answer_to
    moment = datetime.fromtimestamp(at // 1000, UTC).isoformat().replace("+00:00", "Z")
    return {"type": f"rights.{ask.verb.value}", "timestamp": moment, "data": data}


def post(outside: Outside, url: str, message_id: str, said: Mapping[str, Any], keys: Sequence[bytes], at: int) -> Reply:
    """What is answered to a message that is signed at epoch millisecond `at`; RefusedAddressError, UnreachedError."""
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    sent = {
        "content-type": "application/json",
        "accept": "application/json",
        "user-agent": "consent-center",
        **headers(message_id, at // 1000, body, keys),
    }
    return outside.post(url, sent, body)


class Webhook(Kind):
    possible = frozenset(Verb)
    takes_all_addresses = True

    def __init__(
        self,
        verbs: Iterable[Verb],
        *,
        url: str,
        secret_name: str,
        secrets: RecipientSecrets,
        outside: Outside,
        clock: Clock,
        answer_to: str | None,
    ) -> None:
        """`answer_to` is where call-backs of this recipient go."""
        super().__init__(verbs)
        self._url, self._secret_name, self._answer_to = url, secret_name, answer_to
        self._secrets, self._outside, self._clock = secrets, outside, clock

    @property
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return dict.fromkeys(Verb, self._send)

    def _send(self, ask: Ask) -> Answer:
        keys = self._secrets.keys(self._secret_name)
        if not keys:
            return failed("no_secret", was_sent=False)
        now = self._clock()
        try:
            reply = post(self._outside, self._url, ask.key, told(ask, now, self._answer_to), keys, now)
        except RefusedAddressError as error:
            return failed(f"address_refused.{error}", was_sent=False)
        except UnreachedError as error:
            raise UnavailableError(f"recipient {ask.recipient}: {error}") from None
        return _answer(ask, reply)


def _answer(ask: Ask, reply: Reply) -> Answer:
    if reply.status >= 500 or reply.status in _MAY_PASS:
        raise UnavailableError(f"recipient {ask.recipient}: http_{reply.status}")
    if reply.status >= 300:
        return failed(f"http_{reply.status}")
    if not reply.body.strip():
        # Standard Webhooks takes any 2xx for "received"; what became of it is said by a call-back.
        return Answer(TaskState.ASKED, "accepted")
    said = read_object(reply.body)
    state = _STATES.get(str((said or {}).get("state")))
    if said is None or state is None:
        raise UnavailableError(f"recipient {ask.recipient}: unreadable_answer")
    code = code_of(said.get("code"))
    if ask.verb is not Verb.COLLECT or not state.is_settled:
        return Answer(state, code)
    files = said.get("files") or {}
    is_readable = isinstance(files, dict) and all(isinstance(text, str) for text in files.values())
    if not is_readable or bool(files) is not (state is TaskState.DONE):
        # What is left out would be missing from the person's answer, and nobody would know.
        return failed("unreadable_files")
    return Answer(state, code, _safely_named(files))


def _safely_named(files: Mapping[str, str]) -> dict[str, str]:
    """Files by names that are safe to unpack anywhere; one that is not gets a number that is free."""
    named = {name: text for name, text in files.items() if is_file_name(name)}
    # Some systems unpack A.txt over a.txt.
    taken = {name.lower() for name in named}
    free = (name for name in map("file-{}.txt".format, count(1)) if name not in taken)
    return named | {next(free): text for name, text in files.items() if name not in named}
