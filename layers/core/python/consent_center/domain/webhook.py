"""Signed messages between systems, by the Standard Webhooks scheme: an id, a time and a body under one HMAC-SHA256.

The signed text is `id.timestamp.body`; the signature is `v1,` and the HMAC in base64. A receiver that keeps the ids it
has seen cannot be made to act twice, and one that looks at the time cannot be sent an old message.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from consent_center.domain.errors import BadSignatureError

TOLERANCE_SECONDS = 300
"""How far the time of a message may be from ours, before and after (Standard Webhooks: five minutes)."""

_PREFIX = "whsec_"
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,200}")
"""Visible signs without a full stop, which separates what is signed."""
_SECONDS = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES = 10


class Message(NamedTuple):
    """What came, before anybody believes it."""

    id: str
    timestamp: str
    """Epoch seconds, as it was written."""
    signature: str
    """One or more signatures with blanks between, as it was written."""
    body: bytes


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: base64 after `whsec_`, or else the bytes of the text itself.

    ValueError for a secret of fewer than 24 bytes (Standard Webhooks) and for what is no base64.
    """
    written = secret.strip()
    if written.startswith(_PREFIX):
        key = base64.b64decode(written.removeprefix(_PREFIX), validate=True)
    else:
        key = written.encode()
    if len(key) < 24:
        raise ValueError("a secret of a recipient has at least 24 bytes")
    return key


def headers(message_id: str, at: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers that sign a body at epoch second `at`: one signature for each key, so that a key can be changed."""
    signatures = " ".join(_signature(message_id, str(at), body, key) for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signatures}


def message(found: Mapping[str, str], body: bytes) -> Message:
    """The message in headers (their names in small letters) and a body."""
    return Message(
        found.get("webhook-id", ""), found.get("webhook-timestamp", ""), found.get("webhook-signature", ""), body
    )


def check(received: Message, keys: Iterable[bytes], now: int) -> None:
    """BadSignatureError unless one of the keys signed the message, at most five minutes from epoch second `now`.

    Every signature is compared with every key in constant time.
    """
    if not _ID.fullmatch(received.id) or not _SECONDS.fullmatch(received.timestamp):
        raise BadSignatureError
    given = received.signature.encode("utf-8", "replace").split(b" ")[:_MOST_SIGNATURES]
    is_signed = False
    for key in keys:
        right = _signature(received.id, received.timestamp, received.body, key).encode()
        for one in given:
            is_signed |= hmac.compare_digest(one, right)
    if not is_signed or abs(now - int(received.timestamp)) > TOLERANCE_SECONDS:
        raise BadSignatureError


def _signature(message_id: str, timestamp: str, body: bytes, key: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
