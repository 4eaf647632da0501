"""Which of the policy's languages a person reads."""

from collections.abc import Sequence

from consent_center.web.qualities import qualities

_READ_AS = {"no": "nb", "nn": "nb"}
"""Norwegian without saying which, and Nynorsk: who asks for them reads Bokmål rather than a foreign language."""


def preferred(chosen: str | None, accept_language: str | None, offered: Sequence[str], default: str) -> str:
    """The language asked for by name, else the best of Accept-Language (RFC 9110, 12.5.4), else the default."""
    asked = _among(offered, chosen or "")
    if asked:
        return asked
    weighted = []
    for place, (tag, quality) in enumerate(qualities(accept_language)):
        language = _among(offered, tag)
        if language and quality > 0:
            weighted.append((-quality, place, language))
    return min(weighted)[2] if weighted else default


def _among(offered: Sequence[str], tag: str) -> str | None:
    """The offered language that a tag such as `nb-NO` asks for."""
    language = tag.strip().lower().split("-")[0]
    if language in offered:
        return language
    instead = _READ_AS.get(language)
    return instead if instead in offered else None
