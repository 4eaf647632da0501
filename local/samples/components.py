"""The context of the page that shows every component in every state."""

from typing import Any
from urllib.parse import quote

from consent_center.texts import Texts
from local.samples.parts import (
    AT,
    DAY,
    LONG_NAME,
    a_choice,
    a_row,
    a_site,
    an_interest,
    on,
    some_topics,
    some_wording,
)


def a_logo(ink: str = "#0b5c7a") -> dict[str, Any]:
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 32">'
        f'<path d="M2 16c6-14 12-14 18 0s12 14 18 0" fill="none" stroke="{ink}" stroke-width="4"/>'
        f'<text x="46" y="22" font-family="sans-serif" font-size="18" font-weight="700" fill="{ink}">Fjordmeter</text>'
        "</svg>"
    )
    return {"url": "data:image/svg+xml," + quote(drawing), "width": 150, "height": 32}


def components(texts: Texts) -> dict[str, Any]:
    first, second, third, fourth = some_topics()
    on_page = {"by_letter": False, "wording": some_wording(), "wording_language": "en", "shown": "0" * 64}
    rows = [
        a_row(first, **on()),
        a_row(second, **on(until=AT + 300 * DAY)),
        a_row(third, stopped=AT, event=2),
        a_row(fourth, asked_until=AT + 7 * DAY),
        a_row({**first, "name": LONG_NAME}, **on(is_by_sale=True)),
        a_row({**second, "name": "Asked for on this page"}, **on_page),
    ]
    paused = a_choice([a_row(first, **on())], paused_until=AT + 90 * DAY, every="3.0", id="paused", name="Paused")
    return {
        "site": a_site(texts),
        "logo": a_logo(),
        "dark_logo": a_logo("#8fd0ea"),
        "words": some_wording(),
        "errors": {"email": "Enter an e-mail address like name@example.com.", "topic": "Choose at least one topic."},
        "topics": some_topics()[:2],
        "long": LONG_NAME,
        "choices": [a_choice(rows), paused],
        "interest": an_interest("statistics", "Statistics", is_on=True),
        "objected": an_interest("profiling", LONG_NAME, is_on=False, stopped=AT, event=3),
    }
