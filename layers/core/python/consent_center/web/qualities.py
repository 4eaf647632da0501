"""What a client would rather have, in headers such as Accept-Language and Accept-Encoding."""

LONGEST = 500
"""Characters of a header that are read; browsers send fewer than a hundred."""


def qualities(header: str | None) -> list[tuple[str, float]]:
    """What is named, in lower case and in its order, with its weight from 0 to 1 (RFC 9110, 12.4.2)."""
    parts = [part.partition(";") for part in (header or "")[:LONGEST].split(",")]
    return [(name.strip().lower(), _weight(weight)) for name, _, weight in parts]


def _weight(said: str) -> float:
    try:
        return float(said.strip().removeprefix("q=")) if said else 1.0
    except ValueError:
        return 0.0
