"""The keys that messages of recipients are signed with, from Secrets Manager."""

import json
from collections.abc import Callable
from functools import cached_property

from consent_center.adapters.secretsmanager import FRESH_MS
from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.errors import UnavailableError
from consent_center.domain.webhook import key_of
from consent_center.ports.basics import Clock


class ManagedRecipientSecrets:
    """Keys of recipients from one secret, `{"<name>": "whsec_…", "<name>": ["<new>", "<old>"], …}`.

    It is read again when it is older than FRESH_MS. Where no secret is named nobody has keys.
    """

    def __init__(self, wire: Callable[[], Wire], secret: str | None, clock: Clock) -> None:
        """`wire` is made on first use: most deployments have no such secret."""
        self._make_wire, self._secret, self._clock = wire, secret, clock
        self._read: tuple[int, dict[str, tuple[bytes, ...]]] | None = None

    def keys(self, name: str) -> tuple[bytes, ...]:
        if self._secret is None:
            return ()
        now, known = self._clock(), self._read
        if known is None or now - known[0] >= FRESH_MS:
            try:
                self._read = known = (now, self._stored(self._secret))
            except UnavailableError:
                if known is None:
                    raise
        return known[1].get(name, ())

    @cached_property
    def _wire(self) -> Wire:
        return self._make_wire()

    def _stored(self, secret: str) -> dict[str, tuple[bytes, ...]]:
        try:
            stored = json.loads(self._wire.call("GetSecretValue", {"SecretId": secret})["SecretString"])
            written = {name: said if isinstance(said, list) else [said] for name, said in stored.items()}
            return {name: tuple(key_of(one) for one in secrets) for name, secrets in written.items()}
        except CallFailedError as error:
            raise UnavailableError(f"secret of recipients: {error.code}") from None
        except (ValueError, AttributeError, LookupError):
            # One key that is too short must not be read as none: it would turn every call-back away unseen.
            raise UnavailableError("secret of recipients: it is not legible") from None
