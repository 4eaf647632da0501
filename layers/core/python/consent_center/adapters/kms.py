"""Signatures by a key that never leaves AWS KMS."""

import base64
import hashlib
from collections.abc import Callable
from enum import StrEnum

from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.errors import UnavailableError


class Algorithm(StrEnum):
    """How KMS signs, by what is signed: one key, and a function may only use the one that its role names."""

    SEALS = "RSASSA_PSS_SHA_512"
    RECEIPTS = "RSASSA_PKCS1_V1_5_SHA_256"


class KmsSigner:
    def __init__(self, wire: Wire, key: Callable[[], str], algorithm: Algorithm) -> None:
        """`key` answers the ARN of the key; it is asked for on use."""
        self._wire, self._key, self._algorithm = wire, key, algorithm

    @property
    def key_id(self) -> str:
        return self._key()

    def sign(self, message: bytes) -> bytes:
        digest = (hashlib.sha512 if self._algorithm is Algorithm.SEALS else hashlib.sha256)(message).digest()
        asked = {
            "KeyId": self._key(),
            "Message": base64.b64encode(digest).decode(),
            "MessageType": "DIGEST",
            "SigningAlgorithm": self._algorithm.value,
        }
        try:
            return base64.b64decode(self._wire.call("Sign", asked)["Signature"])
        except CallFailedError as error:
            raise UnavailableError(f"sign: {error.code}") from None
