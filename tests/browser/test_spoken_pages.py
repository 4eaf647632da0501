"""Every page as a screen reader hears it, from the browser's own accessibility tree, in each language."""

from collections import Counter

import pytest

from consent_center.texts import Texts
from eyes import heard
from local import samples

TEXTS = Texts()
STATES = {state: (page, context) for state, page, context in samples.pages()}
LANDMARKS = {"banner": 1, "main": 1, "contentinfo": 1}

NAMED = {
    "button",
    "link",
    "textbox",
    "checkbox",
    "radio",
    "DisclosureTriangle",
    "navigation",
    "region",
    "heading",
    "cell",
}


def render(state, language):
    page, context = STATES[state]
    return TEXTS.page(page, language, site=samples.a_site(TEXTS), **context)


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("language", ["en", "da", "nb", "de"])
def test_each_page_has_landmarks_one_heading_and_a_name_for_all_that_can_be_pressed(page, language):
    tree = page.context.new_cdp_session(page)
    for state in STATES:
        page.set_content(render(state, language))
        nodes = heard(tree)
        roles = Counter(node.role for node in nodes)

        assert {role: roles[role] for role in LANDMARKS} == LANDMARKS, state
        assert [node.level for node in nodes if node.role == "heading"].count(1) == 1, state
        assert [node for node in nodes if node.role in NAMED and not node.name] == [], state
        buttons = Counter(node.name for node in nodes if node.role == "button")
        assert [name for name, times in buttons.items() if times > 1] == [], state


def test_the_buttons_of_rows_say_what_they_are_about(page):
    page.set_content(render("preferences-mixed", "en"))
    names = {node.name for node in heard(page.context.new_cdp_session(page)) if node.role == "button"}

    assert {"Stop Product news", "Stop Knowledge", "Start Events", "Cancel Surveys", "Send again Surveys"} <= names
    assert not names & {"Stop", "Start", "Cancel", "Send again", "Object"}


@pytest.mark.parametrize(
    ("state", "role", "words"),
    [
        ("preferences-mixed", "status", "“Events” stops now."),
        ("preferences-fault", "alert", "The text has changed"),
        ("subscribe-errors", "alert", "Please mend 4 things; nothing has been sent yet"),
    ],
)
def test_what_happened_is_a_status_and_what_is_wrong_an_alert(page, state, role, words):
    page.set_content(render(state, "en"))

    assert words in page.get_by_role(role).inner_text()
    assert [node.role for node in heard(page.context.new_cdp_session(page))].count(role) == 1


@pytest.mark.parametrize("state", ["subscribe-errors", "waiting-wrong", "address-errors", "lost-link-errors"])
def test_a_field_that_is_wrong_says_so_and_why(page, state):
    _, context = STATES[state]
    page.set_content(render(state, "en"))
    nodes = heard(page.context.new_cdp_session(page))
    wrong = [node for node in nodes if node.is_invalid and node.role == "textbox"]

    assert page.title().startswith("Error: ")
    assert wrong
    for node in wrong:
        assert any(sentence in node.description for sentence in context["errors"].values()), node


def test_words_in_another_language_than_the_page_say_which(page):
    page.set_content(render("preferences-bare", "en"))
    assert page.get_by_text("Ja, Fjordmeter må ringe til mig.").evaluate("seen => seen.closest('[lang]').lang") == "da"
    page.set_content(render("notice", "da"))
    assert page.get_by_role("heading", level=1).evaluate("seen => seen.closest('[lang]').lang") == "en"
    assert page.get_by_role("navigation", name="Privatliv").evaluate("seen => seen.closest('[lang]').lang") == "da"


def test_the_first_stop_leads_past_the_languages_to_the_content(page):
    page.set_content(render("home", "en"))
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    box = skip.bounding_box()

    assert skip.evaluate("seen => seen === document.activeElement")
    assert box["height"] >= 44
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.get_by_role("link", name="Subscribe").evaluate("seen => seen === document.activeElement")
    assert skip.bounding_box()["width"] <= 1
