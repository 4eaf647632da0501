"""What keeps a person who objected or was erased from coming back: only their own act ends it (Art. 21(3) GDPR)."""

from enum import StrEnum
from typing import NamedTuple

from consent_center.domain.contact import Address


class Basis(StrEnum):
    """Why somebody is suppressed."""

    OBJECTION = "objection"
    ERASURE = "erasure"
    REQUEST = "request"
    """The person asked a member of staff."""


class Suppression(NamedTuple):
    """Who has one gets no marketing, and no list, system or job brings them back."""

    basis: Basis
    at: int
    """Epoch milliseconds."""
    notice: str
    """The edition of the notice that told the person of it."""
    until: int | None = None
    """Epoch seconds; None where the policy names no end."""

    def holds_at(self, now: int) -> bool:
        """Whether it is in force at `now` (epoch milliseconds)."""
        return self.until is None or now < self.until * 1000


def base_of(address: Address) -> Address | None:
    """The address without its tag: who is suppressed as name+tag@ is as name@, and with every other tag.

    None for an address that has no tag. What else a provider ignores, such as dots, is not assumed.
    """
    local, _, domain = address.normalised.rpartition("@")
    name, plus, _ = local.partition("+")
    if not plus or not name:
        return None
    base = f"{name}@{domain}"
    return Address(base, base)
