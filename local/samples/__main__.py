"""Shows pages, letters and components with samples: writes one HTML page, or exits with 4 where there is none.

The local stack runs it anew for each look, so that an edit of a template or of the stylesheet shows at once.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from consent_center.texts import Texts
from consent_center.texts.render import FOLDER
from local import samples
from local.pages import page

NO_SUCH_PAGE = 4

COMPONENTS = Path(__file__).parent / "components.html"

THEMES = {"": "as the computer says", "light": "light", "dark": "dark"}
DIRECTIONS = {"": "left to right", "rtl": "right to left"}


class Look:
    """How something is to be shown: `lang`, `theme` and `dir` of a query."""

    def __init__(self, query: str) -> None:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        self.language = asked["lang"] if asked.get("lang") in languages() else "en"
        self.theme = asked["theme"] if asked.get("theme") in THEMES else ""
        self.direction = asked["dir"] if asked.get("dir") in DIRECTIONS else ""

    def with_(self, **changes: str) -> str:
        """The query of the same look but for what changes."""
        return urlencode({"lang": self.language, "theme": self.theme, "dir": self.direction, **changes})

    def applied(self, html: str, theme: str = "") -> str:
        """The page as somebody sees it whose browser prefers that theme, in that direction."""
        theme = theme or self.theme
        if theme:
            media = "all" if theme == "dark" else "not all"
            html = re.sub(r"\(prefers-color-scheme:\s*dark\)", media, html)
            html = re.sub(r"(color-scheme:\s*)light dark", rf"\g<1>{theme}", html)
        return html.replace('dir="ltr"', 'dir="rtl"', 1) if self.direction else html


def languages() -> list[str]:
    return ["en", *sorted(file.parts[-3] for file in FOLDER.glob("locales/*/LC_MESSAGES/*.mo"))]


def shown(path: str, query: str) -> str | None:
    """The page at a path below `/_local`; None if there is none."""
    look, (kind, _, name) = Look(query), path.strip("/").partition("/")
    if kind == "components":
        return _components(look) if not name else _all_components(look) if name == "all" else _page_state(look, name)
    if kind == "letters":
        return _letter(look, name) if name else _letters(look)
    return None


def _components(look: Look) -> str:
    states: dict[str, list[str]] = {}
    for state, template, _ in samples.pages():
        states.setdefault(template, []).append(state)
    rows = "".join(
        f"<dt>{escape(template)}</dt><dd>{_links('/_local/components', names, look)}</dd>"
        for template, names in states.items()
    )
    return page(
        "Components and pages",
        f"<h1>Components and pages</h1>{_choices(look)}"
        f'<p><a href="/_local/components/all?{escape(look.with_())}">Every component in every state</a></p>'
        f"<h2>Pages in their states</h2><dl>{rows}</dl>",
    ).decode()


def _all_components(look: Look) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        # Beside the templates that are shipped, because templates are found in one folder only.
        folder = Path(scratch) / "texts"
        shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("locales", "*.py", "__pycache__"))
        shutil.copy(COMPONENTS, folder / "pages/components.html")
        texts = Texts(folder, FOLDER / "locales")
        return look.applied(texts.page("components", look.language, **samples.components(texts)))


def _page_state(look: Look, name: str) -> str | None:
    texts = Texts()
    for state, template, context in samples.pages():
        if state == name:
            return look.applied(texts.page(template, look.language, site=samples.a_site(texts), **context))
    return None


def _letters(look: Look) -> str:
    names = [name for name, _ in samples.letters()]
    items = "".join(f"<li>{_links('/_local/letters', [name], look)}</li>" for name in names)
    return page("Letters", f"<h1>Letters</h1>{_choices(look)}<ul>{items}</ul>").decode()


def _letter(look: Look, name: str) -> str | None:
    context = dict(samples.letters()).get(name)
    if context is None:
        return None
    texts = Texts()
    letter = texts.letter(name, look.language, site=samples.a_site(texts), **context)
    frames = "".join(
        f"<section><h2>{theme.capitalize()}</h2>"
        f'<iframe class="letter {theme}" sandbox="" title="{escape(letter.subject)}, {theme}" '
        f'srcdoc="{escape(look.applied(letter.html, theme))}"></iframe></section>'
        for theme in ("light", "dark")
    )
    return page(
        letter.subject,
        f'<p><a href="/_local/letters?{escape(look.with_())}">All letters</a></p>'
        f"<h1>{escape(letter.subject)}</h1>{_choices(look, is_themed=False)}"
        f'<div class="beside">{frames}<section><h2>Text</h2><pre class="letter">{escape(letter.text)}</pre></section>'
        "</div>",
        is_wide=True,
    ).decode()


def _links(base: str, names: Iterable[str], look: Look) -> str:
    query = escape(look.with_())
    return " · ".join(f'<a href="{base}/{escape(name)}?{query}">{escape(name)}</a>' for name in names)


def _choices(look: Look, *, is_themed: bool = True) -> str:
    """Links to the same page in another language, direction and, if it is shown in one, theme."""

    def choice(name: str, chosen: str, offered: Iterable[tuple[str, str]]) -> str:
        return " · ".join(
            f"<strong>{escape(words)}</strong>"
            if value == chosen
            else f'<a href="?{escape(look.with_(**{name: value}))}">{escape(words)}</a>'
            for value, words in offered
        )

    themes = f"<dt>Theme</dt><dd>{choice('theme', look.theme, THEMES.items())}</dd>" if is_themed else ""
    return (
        f"<dl><dt>Language</dt><dd>{choice('lang', look.language, ((one, one) for one in languages()))}</dd>{themes}"
        f"<dt>Direction</dt><dd>{choice('dir', look.direction, DIRECTIONS.items())}</dd></dl>"
    )


def main(path: str, query: str) -> int:
    found = shown(path, query)
    if found is None:
        return NO_SUCH_PAGE
    sys.stdout.buffer.write(found.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
