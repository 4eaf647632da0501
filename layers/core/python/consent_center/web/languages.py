"""Which of the policy's languages a person reads."""

from collections.abc import Sequence


def preferred(chosen: str | None, accept_language: str | None, offered: Sequence[str], default: str) -> str:
    """The language asked for by name, else the best of Accept-Language (RFC 9110, 12.5.4), else the default."""
    if chosen in offered:
        return str(chosen)
    weighted = []
    for place, part in enumerate((accept_language or "")[:500].split(",")):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            quality = 0.0
        language = tag.strip().lower().split("-")[0]
        if language in offered and quality > 0:
            weighted.append((-quality, place, language))
    return min(weighted)[2] if weighted else default
