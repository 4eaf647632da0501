"""The addresses that letters point to, and the headers that let a mail program unsubscribe by itself."""

from dataclasses import replace

from consent_center.domain.capability import WithdrawLink
from consent_center.domain.policy import Purpose
from consent_center.domain.request import Request


def confirm_url(base_url: str, token: str) -> str:
    return f"{base_url}/confirm/{token}"


def not_me_url(base_url: str, token: str) -> str:
    return f"{base_url}/not-me/{token}"


def stop_url(base_url: str, token: str) -> str:
    return f"{base_url}/u/{token}"


def preferences_url(base_url: str, token: str) -> str:
    return f"{base_url}/preferences/{token}"


def why_url(base_url: str, token: str) -> str:
    return f"{base_url}/why/{token}"


def rights_url(base_url: str) -> str:
    return f"{base_url}/rights"


def rights_proof_url(base_url: str, token: str) -> str:
    return f"{base_url}/rights/verify/{token}"


def rights_status_url(base_url: str, token: str) -> str:
    return f"{base_url}/rights/status/{token}"


LONGEST_HEADER_VALUE = 870
"""Characters that Amazon SES takes in the value of a header."""


def unsubscribe_headers(base_url: str, token: str, *, list_id: str, stop_mail: str | None = None) -> dict[str, str]:
    """RFC 2369 and RFC 8058: exactly one HTTPS address and the one-click marker; RFC 2919 names the list.

    With `stop_mail`, an address that takes withdrawals, a `mailto:` follows, unless the header would not fit. The token
    is its subject, because a local part ends after 64 octets (RFC 5321, 4.5.3.1.1) and tokens are longer.
    """
    stop = f"<{stop_url(base_url, token)}>"
    both = f"{stop}, <mailto:{stop_mail}?subject={token}>" if stop_mail else stop
    return {
        "List-Unsubscribe": both if len(both) <= LONGEST_HEADER_VALUE else stop,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{list_id}>",
    }


def request_link(request: Request, purpose: Purpose) -> WithdrawLink:
    """Cancels the request and stops all that it asked about."""
    codes = tuple(purpose.topic(topic).code for topic in request.topics)
    return WithdrawLink(request.contact, purpose.code, codes, request.id)


def not_me_link(request: Request, purpose: Purpose) -> WithdrawLink:
    """Cancels the request and stops what was confirmed since it was made; an older consent is the person's own."""
    return replace(request_link(request, purpose), since=request.requested_at)
