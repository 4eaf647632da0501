"""Signatures by a key that never leaves AWS KMS."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.errors import UnavailableError
from consent_center.domain.receipt import key_name


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


class KmsPublicKeys:
    """The key that signs, as others verify with it. It never changes, so each process asks for it once."""

    def __init__(self, wire: Wire, key: Callable[[], str]) -> None:
        """`key` answers the ARN of the key; it is asked for on use."""
        self._wire, self._key = wire, key

    def jwks(self) -> Mapping[str, Any]:
        return {"keys": [self._jwk]}

    @cached_property
    def _jwk(self) -> Mapping[str, str]:
        try:
            answer = self._wire.call("GetPublicKey", {"KeyId": self._key()})
        except CallFailedError as error:
            raise UnavailableError(f"public key: {error.code}") from None
        modulus, exponent = _rsa_numbers(base64.b64decode(answer["PublicKey"]))
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": key_name(self._key()),
            "n": _base64url(modulus),
            "e": _base64url(exponent),
        }


def _rsa_numbers(der: bytes) -> tuple[bytes, bytes]:
    """Modulus and exponent in a SubjectPublicKeyInfo (RFC 5280, 4.1; RFC 8017, A.1.1), big-endian without leading 0."""
    algorithm_and_key = _parts(_parts(der)[0])
    # The first byte of a bit string says how many bits at its end are unused: none.
    modulus, exponent = _parts(_parts(algorithm_and_key[1][1:])[0])
    return modulus.lstrip(b"\0"), exponent.lstrip(b"\0")


def _parts(der: bytes) -> list[bytes]:
    """The contents of the values that stand one after the other in DER (X.690, 8.1)."""
    found, at = [], 0
    while at < len(der):
        length, at = der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        found.append(der[at : at + length])
        at += length
    return found


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
