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


def unsubscribe_headers(base_url: str, token: str, *, list_id: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058: exactly one HTTPS address and the one-click marker; RFC 2919 names the list."""
    return {
        "List-Unsubscribe": f"<{stop_url(base_url, token)}>",
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
