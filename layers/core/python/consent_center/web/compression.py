"""Which pages go out as gzip: an HTTP API does not compress, and a page fits into 30 kB with all that comes along."""

from consent_center.web.qualities import qualities

LARGEST_PLAIN = 28_500
"""Bytes of a page that goes out as it is. Headers and the icon take less than the 1.5 kB that are left of 30 kB.

Compressing takes half as long again as making the page of a person, so what fits is not compressed.
"""


def is_worth_it(page: str | None, accept_encoding: str | None) -> bool:
    """Whether a page is large, and the client says that it reads gzip (RFC 9110, 12.5.3)."""
    return len((page or "").encode()) > LARGEST_PLAIN and any(
        name == "gzip" and quality > 0 for name, quality in qualities(accept_encoding)
    )
