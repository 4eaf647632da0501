"""The pages of the local stack that show components, pages and letters with samples."""

import re
import sys
from pathlib import Path

import minijinja
import pytest

from local import samples
from local.gallery import Gallery
from local.samples.__main__ import shown

ROOT = Path(__file__).parents[3]
PACKAGES = [Path(minijinja.__file__).parents[1]]


def look(path: str, query: str = "") -> str:
    page = shown(path, query)
    assert page is not None
    return page


def test_the_list_leads_to_every_page_in_every_state() -> None:
    links = re.findall(r'href="/_local/components/([\w-]+)\?', look("/components"))

    assert links == ["all", *(state for state, _, _ in sorted_by_page())]
    assert len(links) == len(set(links)) > 100


def sorted_by_page() -> list[tuple[str, str, object]]:
    """The samples as the list has them: all states of a page together."""
    found = list(samples.pages())
    order = list(dict.fromkeys(page for _, page, _ in found))
    return sorted(found, key=lambda sample: order.index(sample[1]))


def test_the_list_of_letters_leads_to_every_letter_which_is_shown_light_dark_and_as_text() -> None:
    names = re.findall(r'href="/_local/letters/(\w+)\?', look("/letters"))
    page = look("/letters/receipt", "lang=da")

    assert names == [name for name, _ in samples.letters()]
    assert page.count("<iframe") == page.count('sandbox=""') == 2
    assert "Din kvittering fra Fjordmeter" in page
    assert "<pre" in page


def test_a_look_is_in_the_language_theme_and_direction_that_were_asked_for() -> None:
    page = look("/components/home", "lang=nb&theme=dark&dir=rtl")

    assert '<html lang="nb" dir="rtl">' in page
    assert "prefers-color-scheme" not in page
    assert "@media all{:root{--brand:" in page
    assert "color-scheme:light dark" not in page.replace(": ", ":")


@pytest.mark.parametrize("query", ["lang=xx&theme=blue&dir=up", "lang=<script>&theme='&dir=\""])
def test_a_look_that_nobody_knows_is_the_usual_one(query: str) -> None:
    assert look("/components", query) == look("/components")
    assert look("/components/home", query) == look("/components/home")


def test_all_components_are_shown_on_one_page() -> None:
    page = look("/components/all")

    for part in (
        'class="box wrong"',
        'class="state on"',
        'class="choice"',
        "<table",
        "<details",
        "<picture",
        "<textarea",
    ):
        assert part in page
    assert 'href="/_local/components/all?' not in page


@pytest.mark.parametrize("path", ["/components/nothing", "/letters/nothing", "/letters/../style.css", "/components/"])
def test_what_there_is_no_sample_of_is_not_shown(path: str) -> None:
    assert (shown(path, "") is None) == (path != "/components/")


def test_a_look_needs_nothing_but_the_templates_and_what_renders_them() -> None:
    gallery = Gallery(ROOT, Path(sys.executable), PACKAGES)

    assert gallery.show("/components/home", "lang=da") == look("/components/home", "lang=da").encode()
    assert gallery.show("/components/nothing", "") is None


def test_a_template_that_is_broken_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"^\S.*$"):
        Gallery(tmp_path, Path(sys.executable), []).show("/components", "")
