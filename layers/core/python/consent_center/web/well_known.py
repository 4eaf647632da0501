"""What machines look for at addresses that everybody knows."""

import json
from datetime import UTC, datetime, timedelta
from html import escape

from consent_center.domain.policy import Brand, Policy
from consent_center.texts import colours

_VALID_DAYS = 180
"""RFC 9116, 2.5.5, recommends less than a year."""

_ALLOWED = ("/$", "/notice", "/subscribe", "/.well-known/")
"""What search engines may look at; every page asks them besides to index nothing."""


def security_txt(policy: Policy, now: int) -> str:
    """Where to report a weakness (RFC 9116): to whoever runs the default brand; `now` in epoch milliseconds."""
    controller = policy.controller(policy.default_brand.controller)
    ends = datetime.fromtimestamp(now / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: mailto:{controller['email']}",
        f"Expires: {(ends + timedelta(days=_VALID_DAYS)).isoformat().replace('+00:00', 'Z')}",
        f"Preferred-Languages: {', '.join(policy.languages)}",
    ]
    return "\n".join(lines) + "\n"


def gpc_json(policy: Policy) -> str:
    """That Global Privacy Control is honoured: nothing is shared or tracked unless somebody says yes to it."""
    return json.dumps({"gpc": True, "lastUpdate": policy.newest_notice.published_on}) + "\n"


def robots_txt() -> str:
    """Links of one person are nothing for search engines (RFC 9309)."""
    return "\n".join(["User-agent: *", *(f"Allow: {path}" for path in _ALLOWED), "Disallow: /"]) + "\n"


def favicon(brand: Brand) -> str:
    """The first letter of a brand on its colour, as pages show it."""
    palette = colours.light(brand.colour)
    letter = escape(brand.name[:1].upper())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{palette.brand}"/>'
        '<text x="16" y="23" font-family="sans-serif" font-size="20" font-weight="700" text-anchor="middle" '
        f'fill="{palette.on_brand}">{letter}</text></svg>'
    )
