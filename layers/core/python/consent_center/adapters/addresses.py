"""E-mail addresses by the email-validator library, told apart the way people mean them."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

from consent_center.domain.contact import Address
from consent_center.domain.errors import InvalidAddressError

LONGEST_ADDRESS = 254
"""Octets in a mailbox name that SMTP can carry (RFC 5321, 4.5.3.1.3, less the angle brackets)."""


@cache
def _validator() -> Callable[..., Any]:
    """The library's check. Imported on first use, because functions that read no address need not pay for it."""
    import email_validator

    # Synthetic people live here (RFC 2606): a stack can be tried with addresses that can never be somebody's.
    # Put anew and not removed: threads may come here at the same time.
    kept = [name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name != "invalid"]
    email_validator.SPECIAL_USE_DOMAIN_NAMES[:] = kept
    return email_validator.validate_email


_PLAIN = re.compile(
    r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@((?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+([A-Za-z]{2,}))", re.ASCII
)
"""An address that every rule of the library allows, as most are: ASCII, no quotes, no Punycode."""

_LONGEST_LOCAL, _LONGEST_LABEL = 64, 63

_SPECIAL = {"alt", "arpa", "invalid", "lan", "local", "localhost", "onion", "test"}
"""Ends of names that the library has an opinion about. A test compares them with its list."""


_ROLES = {
    *("info", "marketing", "sales", "support", "abuse", "noc", "security"),
    *("postmaster", "hostmaster", "usenet", "news", "webmaster", "www", "uucp", "ftp"),
}
"""Mailboxes that the library writes in lower case (RFC 2142). A test compares them with its list."""


def _plain(text: str) -> str | None:
    """The mailable form of a plain address, or None if the library has to look at it.

    Importing the library is a tenth of a cold start, and its check most of a large permission check.
    """
    match = _PLAIN.fullmatch(text)
    if match is None or match[3].lower() in _SPECIAL or len(match[1]) > _LONGEST_LOCAL:
        return None
    if not match[1].islower() and match[1].lower() in _ROLES:
        return None
    domain = match[2].lower()
    if len(domain) > _LONGEST_LABEL and any(len(label) > _LONGEST_LABEL for label in domain.split(".")):
        return None
    return f"{match[1]}@{domain}"


def parse_address(text: str) -> Address:
    """Read one address; InvalidAddressError says which rule it breaks: `required`, `too_long` or `address`.

    Upper and lower case, and Unicode and ASCII spellings of a domain, are the same contact point; a tag after `+` is
    another one, because it is another mailbox to some providers. No name is looked up on the network.
    """
    text = text.strip(" ")
    if not text:
        raise InvalidAddressError("required")
    if len(text) > LONGEST_ADDRESS:
        raise InvalidAddressError("too_long")
    plain = _plain(text)
    if plain is not None:
        return Address(plain, plain.lower())
    try:
        read = _validator()(
            text, check_deliverability=False, allow_quoted_local=True, allow_smtputf8=False, strict=True
        )
    except ValueError:
        raise InvalidAddressError("address") from None
    mailable = read.ascii_email or read.normalized
    if len(mailable) > LONGEST_ADDRESS:
        raise InvalidAddressError("too_long")
    return Address(mailable, unicodedata.normalize("NFC", mailable).lower())
