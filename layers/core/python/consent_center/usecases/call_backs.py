"""A recipient calls back and says what became of what it was asked, in a message that only it can have signed."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from consent_center.domain import webhook
from consent_center.domain.errors import (
    BadSignatureError,
    ForbiddenStepError,
    InvalidFormError,
    SettledTaskError,
    UnknownCaseError,
    UnreadableMessageError,
)
from consent_center.domain.recipient import TaskState, Verb
from consent_center.ports.basics import Clock
from consent_center.ports.cases import CaseOrders, Cases, RecipientSecrets
from consent_center.usecases.answers_of_recipients import note_answer, try_again

READY = "ready"
"""What was collected can be fetched: by asking again, because a call-back carries no personal data."""

_STATES = {"done": TaskState.DONE, "nothing_held": TaskState.NOTHING_HELD, "failed": TaskState.FAILED}

_NOBODY = b"no recipient signs with this key"
"""Compared with where a recipient has no key, so that both take as long."""

_LONGEST_CASE, _LONGEST_CODE = 100, 60
_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


class Taken(NamedTuple):
    case: str
    state: str
    repeated: bool
    """Whether it had said so before; then nothing was changed."""


def take_call_back(
    recipient: str,
    received: webhook.Message,
    *,
    connectors: Mapping[str, Mapping[str, Any]],
    secrets: RecipientSecrets,
    cases: Cases,
    orders: CaseOrders,
    clock: Clock,
) -> Taken:
    """Believe a call-back and note it; `connectors` are the settings of recipients by id.

    BadSignatureError, also for a recipient that has no secret; UnreadableMessageError for what is no JSON object;
    InvalidFormError for a field; UnknownCaseError, ClosedCaseError, SettledTaskError; UnavailableError.
    """
    name = str(connectors.get(recipient, {}).get("secret_name", ""))
    keys = secrets.keys(name)
    webhook.check(received, keys or (_NOBODY,), clock() // 1000)
    if not keys:
        # Whoever has read this file could sign with the key that was compared.
        raise BadSignatureError
    case, said, code, key = _read(received.body)
    # The id is theirs and may say anything, so what is kept is a fingerprint of it.
    message = sha256(received.id.encode()).hexdigest()[:32]
    if _is_known(case, recipient, said, message, key, cases):
        return Taken(case, said, repeated=True)
    by = f"recipient:{recipient}"
    if said == READY:
        try:
            try_again(case, recipient, by=by, message=message, cases=cases, orders=orders, clock=clock)
        except ForbiddenStepError:
            raise SettledTaskError from None
        return Taken(case, said, repeated=False)
    noted = note_answer(case, recipient, _STATES[said], code, message=message, cases=cases, orders=orders, clock=clock)
    return Taken(case, said, repeated=not noted)


def _read(body: bytes) -> tuple[str, str, str, str | None]:
    """The case, what is said of it, the code, and the key of the request if one is named."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableMessageError("call-back") from None
    if not isinstance(said, dict):
        raise UnreadableMessageError("call-back")
    case, state, code, key = said.get("case"), said.get("state"), said.get("code", ""), said.get("key")
    if not isinstance(case, str) or not 0 < len(case) <= _LONGEST_CASE or not _SIGNS.issuperset(case):
        raise InvalidFormError({"case": "unknown"})
    if not isinstance(state, str) or state not in {*_STATES, READY}:
        raise InvalidFormError({"state": "unknown"})
    # A code is shown to staff and to the person, so it has to be one that cannot be an address.
    if not isinstance(code, str) or len(code) > _LONGEST_CODE or not _SIGNS.issuperset(code):
        raise InvalidFormError({"code": "characters"})
    if key is not None and not isinstance(key, str):
        raise InvalidFormError({"key": "key"})
    return case, state, code, key


def _is_known(case: str, recipient: str, said: str, message: str, key: str | None, cases: Cases) -> bool:
    """Whether this very message was taken before.

    UnknownCaseError; InvalidFormError for what cannot be said here; SettledTaskError for a request that is over.
    """
    file = cases.load(case)
    task = next((task for task in file.tasks if task.recipient == recipient), None) if file else None
    if file is None or task is None:
        raise UnknownCaseError
    if any(line.facts.get("message") == message and line.facts.get("recipient") == recipient for line in file.log):
        return True
    # What is said late of a restriction must not count for its end, which the same recipient is told in the same case.
    if key is None and task.verb is Verb.LIFT:
        raise InvalidFormError({"key": "key"})
    if key is not None and key != task.key(case):
        raise SettledTaskError
    # Data that were never handed over would be missing from the answer, and nobody would know.
    if said == (READY if task.verb is not Verb.COLLECT else "done"):
        raise InvalidFormError({"state": "not_for_verb"})
    return False
