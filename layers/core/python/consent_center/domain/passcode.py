"""The six digits in a confirmation letter: whoever can type them has read the letter.

They open the page that the letter's link opens, and decide nothing. Nothing of them is stored: they follow from the
request, the contact point and a key.
"""

import hashlib
import hmac
import unicodedata

from consent_center.domain.capability import WaitingLink
from consent_center.domain.contact import Keyring

DIGITS = 6

MOST_TRIES = 5
"""Tries that one request has, right and wrong ones together: a stranger guesses with a chance of 5 in a million."""

_SKIPPED = {"Zs", "Cc", "Pd", "Cf"}
"""Unicode categories of blanks, line ends, hyphens, and marks that come along when something is pasted."""


def passcode(link: WaitingLink, keys: Keyring) -> str:
    """The six digits that the page of this link waits for. KeyError if the key they are made with is gone.

    Named apart from what the same key signs: a token is never computed over a text that begins with these words.
    """
    contact = link.contact
    parts = ("six digits", contact.controller, contact.channel, contact.key_id, contact.pseudonym, link.request)
    digest = hmac.digest(keys.keys[link.key_id], "\0".join(parts).encode(), hashlib.sha256)
    # Of 64 bits, so that no code is likelier than another by more than one part in 10^13.
    return f"{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}d}"


def grouped(code: str) -> str:
    """As people read it: "123 456"."""
    return f"{code[:3]} {code[3:]}"


def read_passcode(typed: str) -> str | None:
    """The six digits in what was typed, in ASCII; None if it is anything else.

    Blanks and hyphens are skipped, and the digits of every script are read (`unicodedata.digit`).
    """
    kept = [character for character in typed if unicodedata.category(character) not in _SKIPPED]
    digits = [unicodedata.digit(character, -1) for character in kept]
    return "".join(map(str, digits)) if len(digits) == DIGITS and min(digits) >= 0 else None


def fits(typed: str, link: WaitingLink, keys: Keyring) -> bool:
    """Whether these six digits are those of the link, found out in constant time."""
    return hmac.compare_digest(typed, passcode(link, keys))
