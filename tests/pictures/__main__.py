"""Takes a picture of every page and letter in every mode, to be looked at: `make screenshots`, or `ONLY=preferences`.

Pages come from the samples, so nothing has to run. With `--readme` the pictures of README.md are taken anew instead.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright
from tests.chromium import QUIET, chromium

from consent_center.texts import Texts
from local import samples

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / ".build/screenshots"
README_PICTURES = ROOT / "docs/images"

TEXTS = Texts()


class Mode(NamedTuple):
    width: int
    language: str = "en"
    theme: str = "light"
    forced: str = "none"
    media: str = "screen"


PAGE_MODES = {
    "320": Mode(320),
    "wide": Mode(1280),
    "dark": Mode(1280, theme="dark"),
    "dark-320": Mode(320, theme="dark"),
    "rtl": Mode(320, language="ar"),
    "rtl-wide": Mode(1280, language="ar"),
    "forced": Mode(1280, forced="active"),
    "print": Mode(794, media="print"),
    "danish": Mode(320, language="da"),
}
LETTER_MODES = {
    "320": Mode(320),
    "640": Mode(640),
    "dark-320": Mode(320, theme="dark"),
    "dark-640": Mode(640, theme="dark"),
    "rtl": Mode(640, language="ar"),
}
ON_A_COMPUTER, ON_A_PHONE = Mode(900), Mode(390, theme="dark")

README = {
    "sign-up": ("subscribe", ON_A_COMPUTER),
    "waiting": ("check-mail", ON_A_COMPUTER),
    "confirm": ("confirm", ON_A_COMPUTER),
    "preferences": ("preferences-mixed", ON_A_COMPUTER),
    "preferences-phone": ("preferences-mixed", ON_A_PHONE),
    "rights": ("rights-status-cooling", ON_A_COMPUTER),
}
"""The state of a page that a picture shows, and how."""

HIGHEST = 980
"""Pixels of a picture in the README, which shows the beginning of a page."""

FONT_OF_THIS_COMPUTER = "system-ui,-apple-system,"
"""Left out where pictures have to be the same wherever they are taken."""


def take(page: Page, html: str, mode: Mode, file: Path, highest: int | None = None) -> None:
    page.set_viewport_size({"width": mode.width, "height": 800})
    page.emulate_media(color_scheme=mode.theme, forced_colors=mode.forced, media=mode.media)  # type: ignore[arg-type]
    page.set_content(html)
    height = page.evaluate("document.documentElement.getBoundingClientRect().height")
    clip = {"x": 0, "y": 0, "width": mode.width, "height": min(height, highest)} if highest else None
    page.screenshot(path=file, full_page=True, clip=clip)  # type: ignore[arg-type]


def all_pictures(page: Page, only: str) -> int:
    taken = 0
    for state, name, context in samples.pages():
        for mode, how in PAGE_MODES.items() if only in state else ():
            html = TEXTS.page(name, how.language, site=samples.a_site(TEXTS), **context)
            take(page, html, how, _file("pages", state, mode))
            taken += 1
    for name, context in samples.letters():
        for mode, how in LETTER_MODES.items() if only in name else ():
            letter = TEXTS.letter(name, how.language, site=samples.a_site(TEXTS), **context)
            take(page, letter.html, how, _file("letters", name, mode))
            taken += 1
    return taken


def readme_pictures(page: Page) -> int:
    states = {state: (name, context) for state, name, context in samples.pages()}
    for picture, (state, mode) in README.items():
        name, context = states[state]
        html = TEXTS.page(name, "en", site=samples.a_site(TEXTS), **context).replace(FONT_OF_THIS_COMPUTER, "")
        take(page, html, mode, README_PICTURES / f"{picture}.png", HIGHEST)
    return len(README)


def _file(kind: str, name: str, mode: str) -> Path:
    file = PICTURES / kind / name / f"{mode}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", default="", help="states and letters whose name holds this")
    arguments.add_argument("--readme", action="store_true", help="take the pictures of README.md")
    given = arguments.parse_args()
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=QUIET)
        page = browser.new_page(reduced_motion="reduce", java_script_enabled=True)
        taken = readme_pictures(page) if given.readme else all_pictures(page, given.only)
        browser.close()
    print(f"{taken} pictures in {README_PICTURES if given.readme else PICTURES}")
    return 0 if taken else 1


if __name__ == "__main__":
    sys.exit(main())
