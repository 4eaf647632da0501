"""Randomness from the operating system."""

import base64
import secrets

from consent_center.domain.subject import Randomness


class SystemChance:
    def name(self) -> str:
        return base64.b32encode(secrets.token_bytes(17))[:26].decode().lower()

    def decision(self) -> Randomness:
        return Randomness(chain=self.name(), salt=secrets.token_hex(32))
