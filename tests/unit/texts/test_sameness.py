"""What lets a browser look at each page once and not once in each language and theme: only words and colours differ."""

import re

import pytest
from test_pages import Tree

from consent_center.texts import Texts
from consent_center.texts.render import FOLDER
from local import samples

TEXTS = Texts()
STATES = {state: (page, context) for state, page, context in samples.pages()}

SPOKEN = {"href", "action", "aria-label", "data-label", "value"}
"""Attributes that say words or an address; that one is there counts, and not what it says."""

CHOSEN = {"lang", "aria-current"}
"""Attributes that say which language a page or a part of it speaks."""


def marked_up(state, language):
    """Every element in its place, with its attributes."""
    page, context = STATES[state]
    tree = Tree(TEXTS.page(page, language, site=samples.a_site(TEXTS), **context))
    return [
        (tag, inside, {name: name in SPOKEN or value for name, value in attributes.items() if name not in CHOSEN})
        for tag, attributes, inside in tree.elements
    ]


@pytest.mark.parametrize("language", ["da", "nb", "de"])
@pytest.mark.parametrize("state", STATES)
def test_a_page_is_the_same_in_each_language_but_for_its_words(state, language):
    """So what axe finds in the markup of one language, it finds in that of any; only names are left to look at.

    A state that says which language something is in is another state in that language, which English has as well.
    """
    page, _ = STATES[state]
    english = [state, *(other for other, (name, _) in STATES.items() if name == page and other.startswith("changes"))]

    assert marked_up(state, language) in [marked_up(one, "en") for one in english]


def test_dark_changes_colours_and_a_ground_behind_logos_and_nothing_else():
    """So no page has another size, another place or another name in it."""
    css = re.sub(r"/\*.*?\*/", "", (FOLDER / "style.css").read_text("utf-8"), flags=re.DOTALL)
    dark = re.findall(r"@media \(prefers-color-scheme: dark\) \{(.*?\})\s*\}", css, re.DOTALL)
    rules = [rule for block in dark for rule in re.findall(r"([^{}]+)\{([^{}]*)\}", block)]

    assert len(rules) == 2
    for selector, body in rules:
        names = {line.partition(":")[0].strip() for line in body.split(";") if line.strip()}
        if selector.strip() != ".plate":
            assert selector.strip() == ":root"
            assert {"--ink", "--bad-tint"} <= names
            assert all(name.startswith("--") for name in names)
