"""What every world needs: a clock, chance, secrets and keys, and limits of what may be done how often."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from consent_center.domain.contact import Keyring
from consent_center.domain.errors import UnavailableError
from consent_center.domain.subject import Randomness


@dataclass
class SettableClock:
    """A clock that stands still until a test moves it."""

    now: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now

    def move(self, *, ms: int = 0, seconds: int = 0, days: int = 0) -> None:
        self.now += ms + 1000 * (seconds + 86400 * days)


def no_pause(attempt: int) -> None:
    """Tests do not wait."""


def real_clock() -> int:
    """For engines that look at the date of a signature."""
    return time.time_ns() // 1_000_000


@dataclass
class CountingChance:
    """Names that tests can foresee; salts that no two tests share, because an engine remembers what it has stored."""

    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"name{self.count:022d}"

    def decision(self) -> Randomness:
        return Randomness(self.name(), secrets.token_urlsafe(16), secrets.token_urlsafe(16))


@dataclass
class FixedSecrets:
    pepper: Keyring = field(default_factory=lambda: Keyring("k1", {"k1": b"pepper-one"}))
    link: Keyring = field(default_factory=lambda: Keyring("k1", {"k1": b"links-one"}))

    def peppers(self) -> Keyring:
        return self.pepper

    def links(self) -> Keyring:
        return self.link


@dataclass
class PlainKeys:
    fails: bool = False

    def jwks(self) -> Mapping[str, object]:
        if self.fails:
            raise UnavailableError("public key: KMSInternalException")
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "receipts-1", "n": "AQ", "e": "AQAB"}]}


@dataclass
class InMemoryLimits:
    used: dict[tuple[str, int], int] = field(default_factory=dict)
    blocked: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, most: int, now: int) -> bool:
        key = (name, now // 3600)
        if self.used.get(key, 0) >= most:
            return False
        self.used[key] = self.used.get(key, 0) + 1
        return True

    def take_until(self, name: str, most: int, end: int) -> bool:
        self.used[name, end] = self.used.get((name, end), 0) + 1
        return self.used[name, end] <= most

    def block(self, name: str, until: int) -> None:
        self.blocked[name] = max(until, self.blocked.get(name, 0))

    def is_blocked(self, name: str, now: int) -> bool:
        return now < self.blocked.get(name, 0)
