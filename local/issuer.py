"""A local issuer of access tokens, for trying the API that other systems call."""

import base64
import hashlib
import os
import time
import uuid
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "consent-center"
LIFETIME = 3600
"""Seconds a token is good for unless asked otherwise."""

LONGEST_LIFETIME = 24 * 3600


class Issuer:
    """Signs tokens with a key of its own; API Gateway knows RSA signatures only, so these are RS256."""

    def __init__(self, url: str, key_file: Path) -> None:
        self.url = url
        self._key = _load_or_make(key_file)
        numbers = self._key.public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        self._public = {
            "kty": "RSA", "use": "sig", "alg": "RS256",
            "n": _base64url(numbers.n.to_bytes(size, "big")), "e": _base64url(numbers.e.to_bytes(3, "big")),
        }  # fmt: skip
        self._kid = hashlib.sha256(self._public["n"].encode()).hexdigest()[:16]

    def token(
        self,
        scope: str = "",
        *,
        client: str = "local-client",
        audience: str = AUDIENCE,
        lifetime: int = LIFETIME,
        issuer: str | None = None,
    ) -> str:
        """An access token. `scope` holds scopes separated by spaces, `lifetime` is in seconds and may be negative."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": issuer or self.url, "sub": client, "client_id": client, "aud": audience, "scope": scope,
            "iat": now, "nbf": now, "exp": now + lifetime, "jti": uuid.uuid4().hex,
        }  # fmt: skip
        if lifetime < 0:
            claims["iat"] = claims["nbf"] = now + lifetime
        token: str = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid})
        return token

    def public_key(self, kid: str) -> rsa.RSAPublicKey:
        """The key a token was signed with; KeyError for one that is not ours."""
        if kid != self._kid:
            raise KeyError(kid)
        return self._key.public_key()

    def keys(self) -> dict[str, Any]:
        """The public keys as a JSON web key set."""
        return {"keys": [{**self._public, "kid": self._kid}]}

    def configuration(self) -> dict[str, Any]:
        """The discovery document (OpenID Connect Discovery 1.0, section 3)."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/.well-known/jwks.json",
            "token_endpoint": f"{self.url.removesuffix('/issuer')}/token",
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }


def _load_or_make(file: Path) -> rsa.RSAPrivateKey:
    if file.is_file():
        loaded = serialization.load_pem_private_key(file.read_bytes(), password=None)
        if isinstance(loaded, rsa.RSAPrivateKey):
            return loaded
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Only this user may read it, from the first byte on.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        target.write(content)
    return key


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
