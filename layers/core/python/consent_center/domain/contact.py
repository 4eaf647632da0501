"""Who a record is about: an address, and the keyed fingerprint that stands for it in every key."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Address:
    """An address that letters can reach."""

    mailable: str
    """As letters are addressed: the spelling the person chose, with the domain in ASCII."""
    normalised: str
    """As people are told apart: lower case, Unicode NFC, domain in ASCII."""

    def __repr__(self) -> str:
        """Hides the address, because a repr ends up in logs and tracebacks."""
        return "Address(…)"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by id. Old keys stay for reading; `current` is the one that new things are made with."""

    current: str
    keys: Mapping[str, bytes]

    def __repr__(self) -> str:
        """Hides the keys, because a repr ends up in logs and tracebacks."""
        return f"Keyring(current={self.current!r})"


class ContactPoint(NamedTuple):
    """One address on one channel, as one controller knows it."""

    controller: str
    channel: str
    key_id: str
    pseudonym: str


def contact_point(address: Address, *, controller: str, channel: str, peppers: Keyring) -> ContactPoint:
    """The contact point of an address under the current pepper."""
    key_id = peppers.current
    return ContactPoint(
        controller, channel, key_id, pseudonym(peppers.keys[key_id], controller, channel, address.normalised)
    )


def contact_points(address: Address, *, controller: str, channel: str, peppers: Keyring) -> list[ContactPoint]:
    """The contact point of an address under every pepper that is still held, that under the current one first."""
    return [
        ContactPoint(
            controller, channel, key_id, pseudonym(peppers.keys[key_id], controller, channel, address.normalised)
        )
        for key_id in [peppers.current, *(one for one in peppers.keys if one != peppers.current)]
    ]


def pseudonym(pepper: bytes, controller: str, channel: str, normalised: str) -> str:
    """The fingerprint of an address: 26 signs of five bits each, different for each controller and channel.

    Keyed, because an unkeyed hash of an address is found by trying all addresses. The controller has its own key,
    so that two controllers in one deployment cannot match their people.
    """
    mac = _mac_of_controller(pepper, controller).copy()
    mac.update(f"{channel}\0{normalised}".encode())
    return mac.digest()[:_SIGNS].translate(_FIVE_BITS).decode()


_SIGNS = 26
_FIVE_BITS = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in range(256))
"""The sign that stands for a byte: each for as many bytes as any other, so five bits of each byte count."""


@lru_cache(maxsize=64)
def _mac_of_controller(pepper: bytes, controller: str) -> hmac.HMAC:
    """A MAC that has taken in the controller's key and nothing else: copying it is cheaper than beginning anew."""
    key = hmac.digest(pepper, b"controller\0" + controller.encode(), hashlib.sha256)
    return hmac.new(key, digestmod=hashlib.sha256)


def address_name(contact: ContactPoint) -> str:
    """What limits and blocks of a contact point are kept under."""
    return f"address#{contact.key_id}#{contact.pseudonym}"


def source_name(network: str, controller: str, peppers: Keyring) -> str:
    """What limits of a network are kept under: its fingerprint, because a network may be one person's home."""
    return f"source#{pseudonym(peppers.keys[peppers.current], controller, 'source', network)}"
