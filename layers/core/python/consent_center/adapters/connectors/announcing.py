"""Recipients that are told of changes, by signed messages (Standard Webhooks)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from consent_center.adapters.connectors.outside import Outside, RefusedAddressError, UnreachedError
from consent_center.adapters.connectors.webhook import post
from consent_center.domain.announcement import message_id
from consent_center.domain.errors import RecipientGoneError, UnavailableError
from consent_center.domain.recipient import takes_events
from consent_center.ports.basics import Clock
from consent_center.ports.cases import RecipientSecrets

TYPE = "preferences.changed"

REST_MS = 20_000
"""How long a recipient that gave no answer is left alone: as long as a message waits after its first try."""


@dataclass
class RecipientsByWebhook:
    """Tells recipients by a POST; any answer of 200 to 299 means that it was taken.

    A recipient that gave no answer rests, and what comes for it meanwhile fails at once: waiting for it again and again
    would keep from others what they are to be told.
    """

    connectors: Mapping[str, Mapping[str, Any]]
    """The settings of each recipient's connector."""
    secrets: RecipientSecrets
    outside: Outside
    clock: Clock
    _rests: dict[str, int] = field(default_factory=dict)
    """Until when a recipient rests, in epoch milliseconds."""

    def tell(self, recipient: str, announcement: Mapping[str, Any]) -> bool:
        connector = self.connectors.get(recipient, {})
        if not takes_events(connector):
            return False
        now = self.clock()
        if now < self._rests.get(recipient, 0):
            raise UnavailableError(f"recipient {recipient}: gave no answer a moment ago")
        keys = self.secrets.keys(str(connector.get("secret_name", "")))
        if not keys:
            raise UnavailableError(f"recipient {recipient}: no_secret")
        said = {"type": TYPE, "timestamp": announcement["at"], "data": announcement}
        name = message_id(recipient, announcement)
        try:
            reply = post(self.outside, str(connector.get("url", "")), name, said, keys, now)
        except RefusedAddressError as error:
            raise UnavailableError(f"recipient {recipient}: address_refused.{error}") from None
        except UnreachedError as error:
            self._rests[recipient] = self.clock() + REST_MS
            raise UnavailableError(f"recipient {recipient}: {error}") from None
        if reply.status == HTTPStatus.GONE:
            raise RecipientGoneError(f"recipient {recipient}: http_410")
        if not 200 <= reply.status < 300:
            raise UnavailableError(f"recipient {recipient}: http_{reply.status}")
        return True
