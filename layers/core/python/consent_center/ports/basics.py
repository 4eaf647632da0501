"""Time, chance, keys, addresses, limits and dead letters: what most use cases ask for."""

from collections.abc import Mapping
from typing import Any, Protocol

from consent_center.domain.contact import Address, Keyring
from consent_center.domain.subject import Randomness


class Clock(Protocol):
    def __call__(self) -> int:
        """The time now, in epoch milliseconds."""


class Pause(Protocol):
    def __call__(self, attempt: int) -> None:
        """Wait a little before trying again; longer the more attempts there were (from 0)."""


class Chance(Protocol):
    def name(self) -> str:
        """A new random name: 26 characters of base32."""

    def decision(self) -> Randomness:
        """The random parts of one decision."""


class Secrets(Protocol):
    def peppers(self) -> Keyring:
        """The keys of pseudonyms."""

    def links(self) -> Keyring:
        """The keys that links are signed with."""


class Addresses(Protocol):
    def __call__(self, text: str) -> Address:
        """The address that was typed, or InvalidAddressError."""


class Limits(Protocol):
    def take(self, name: str, most: int, now: int) -> bool:
        """Count one use of `name` in this hour; False if there have been `most` already. `now` in epoch seconds."""

    def take_until(self, name: str, most: int, end: int) -> bool:
        """Count one use of `name`; False if there have been `most` already. Goes on until the epoch second `end`."""

    def block(self, name: str, until: int) -> None:
        """Block a name until an epoch second. Blocking again can only make it longer."""

    def is_blocked(self, name: str, now: int) -> bool:
        """Whether the name is blocked at `now` (epoch seconds)."""


class DeadLetters(Protocol):
    def set_aside(self, order: str, reason: str) -> None:
        """Keep an order that can never be carried out where people will look for it, or UnavailableError."""


class PublicKeys(Protocol):
    def jwks(self) -> Mapping[str, Any]:
        """The public halves of the keys that sign receipts (RFC 7517, 5), or UnavailableError."""
