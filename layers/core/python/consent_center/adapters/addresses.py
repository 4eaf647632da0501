"""E-mail addresses by the email-validator library, told apart the way people mean them."""

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
    email_validator.SPECIAL_USE_DOMAIN_NAMES.remove("invalid")
    return email_validator.validate_email


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
