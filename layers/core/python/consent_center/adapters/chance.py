"""Randomness from the operating system."""

import base64
import secrets

from consent_center.domain.subject import Randomness

_SALT_BYTES = 16
"""As many as nobody can try: what is salted may itself be one of few."""


class SystemChance:
    def name(self) -> str:
        return base64.b32encode(secrets.token_bytes(17))[:26].decode().lower()

    def decision(self) -> Randomness:
        return Randomness(self.name(), secrets.token_urlsafe(_SALT_BYTES), secrets.token_urlsafe(_SALT_BYTES))
