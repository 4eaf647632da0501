"""The logo of a brand on its pages."""

import pytest

from consent_center.texts import Texts
from local import samples
from local.samples.components import a_logo
from unit.texts.test_pages import Tree

TEXTS = Texts()
STATES = {state: (page, context) for state, page, context in samples.pages()}


def page_with(state: str = "home", **brand: object) -> Tree:
    site = samples.a_site(TEXTS)
    site["brand"] |= brand
    page, context = STATES[state]
    return Tree(TEXTS.page(page, "en", site=site, **context))


def test_a_logo_stands_in_place_of_the_name_and_says_it() -> None:
    tree = page_with(logo=a_logo(), dark_logo=None)
    ((_, picture),) = tree.all("img")

    assert (picture["alt"], picture["width"], picture["height"]) == ("Fjordmeter", "150", "32")
    assert picture["src"].startswith("data:image/svg+xml,")
    assert tree.all("picture") == [("picture", {"class": "logo plate"})]
    assert not tree.all("source")
    assert "Fjordmeter" not in tree.text_of("header")


def test_dark_pages_show_the_logo_that_is_made_for_them() -> None:
    dark = a_logo("#ffffff")
    tree = page_with(logo=a_logo(), dark_logo=dark)
    ((_, source),) = tree.all("source")

    assert (source["media"], source["srcset"]) == ("(prefers-color-scheme: dark)", dark["url"])
    assert tree.all("picture") == [("picture", {"class": "logo"})]


@pytest.mark.parametrize("brand", [{}, {"logo": None, "dark_logo": None}])
def test_a_brand_without_a_logo_shows_its_name(brand: dict[str, object]) -> None:
    tree = page_with(**brand)

    assert not tree.all("img", "picture")
    assert "Fjordmeter" in tree.text_of("header")


def test_a_letter_carries_no_logo() -> None:
    site = samples.a_site(TEXTS)
    site["brand"] |= {"logo": a_logo(), "dark_logo": None}
    letter = TEXTS.letter("preferences", "en", site=site, **dict(samples.letters())["preferences"])

    assert "<img" not in letter.html
    assert "data:image" not in letter.html
