"""Key rings from Secrets Manager: `{"current": "k1", "k1": "…", …}`, kept for a few minutes."""

import json
from collections.abc import Callable

from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.contact import Keyring
from consent_center.domain.errors import UnavailableError
from consent_center.ports.basics import Clock

FRESH_MS = 300_000
"""A new key must be in the secret for longer than this before it becomes `current`."""


class ManagedSecrets:
    """Reads each secret again when it is older than FRESH_MS, so that a rotation needs no restart."""

    def __init__(
        self, wire: Wire, *, pepper_secret: Callable[[], str], links_secret: Callable[[], str], clock: Clock
    ) -> None:
        """The names are asked for on use, because a function is only given those of its own secrets."""
        self._wire = wire
        self._pepper_secret, self._links_secret, self._clock = pepper_secret, links_secret, clock
        self._read: dict[str, tuple[int, Keyring]] = {}

    def peppers(self) -> Keyring:
        return self._fresh(self._pepper_secret())

    def links(self) -> Keyring:
        return self._fresh(self._links_secret())

    def _fresh(self, secret: str) -> Keyring:
        now, known = self._clock(), self._read.get(secret)
        if known is not None and now - known[0] < FRESH_MS:
            return known[1]
        try:
            keyring = self._keyring(secret)
        except UnavailableError:
            if known is None:
                raise
            # The keys that were good minutes ago still are; a secret is only ever added to.
            keyring = known[1]
        self._read[secret] = (now, keyring)
        return keyring

    def _keyring(self, secret: str) -> Keyring:
        try:
            stored = json.loads(self._wire.call("GetSecretValue", {"SecretId": secret})["SecretString"])
        except CallFailedError as error:
            raise UnavailableError(f"secret: {error.code}") from None
        current = stored.pop("current")
        return Keyring(current, {key_id: key.encode() for key_id, key in stored.items()})
