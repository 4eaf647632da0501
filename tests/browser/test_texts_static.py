"""Every page as a browser shows it: nothing to mend for axe, nothing cut off, nothing fetched, everything reachable.

Pages are served as they will be in earnest, under their Content-Security-Policy, but without a server.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe

from consent_center.texts import Texts
from eyes import ABOUT_COLOURS, ABOUT_PLACES, ABOUT_WORDS, FOCUSED, Eyes
from local import samples
from pseudo import LONG, MIRRORED, texts_in

ORIGIN = "http://pages.test"
TEXTS = Texts()
STATES = {state: (page, context) for state, page, context in samples.pages()}
NARROW, WIDE = 320, 1280
"""CSS pixels; 320 is also what a window of 1280 has left at a zoom of 400 % (WCAG 2.2, 1.4.10)."""

TOO_SMALL = """() => [...document.querySelectorAll(
        '.button, .choice, summary, input:not([type=hidden], [type=checkbox], [type=radio])')]
    .filter(seen => seen.getBoundingClientRect().height < 44 || seen.getBoundingClientRect().width < 44)
    .map(seen => seen.outerHTML)"""

STICKS_OUT = """() => [...document.querySelectorAll('body *')].filter(seen => {
        const box = seen.getBoundingClientRect();
        return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1);
    }).map(seen => seen.outerHTML.slice(0, 120))"""

REACHABLE = """() => [...document.querySelectorAll('a[href], button, summary, input:not([type=hidden])')]
    .filter(seen => seen.checkVisibility()).length"""

BEGINS_AT = """direction => ['.brand', 'main', 'h1', 'label', 'legend', '.choice input', '.wrong', '#topic-1-hint']
    .map(name => [name, document.querySelector(name).getBoundingClientRect()])
    .map(([name, box]) => [name, Math.round(
        direction === 'rtl' ? document.documentElement.clientWidth - box.right : box.left)])"""
"""How far from the side where reading begins."""

ROOMY = """() => {
    const style = new CSSStyleSheet();
    style.replaceSync('* { line-height: 1.5 !important; letter-spacing: 0.12em !important; ' +
        'word-spacing: 0.16em !important } p { margin-block-end: 2em !important }');
    document.adoptedStyleSheets = [style];
}"""

CUT_OFF = """() => [...document.querySelectorAll('body *')].filter(seen => {
        const style = getComputedStyle(seen);
        return style.overflow !== 'visible' && seen.clientWidth > 1 && seen.tagName !== 'svg'
            && (seen.scrollHeight > seen.clientHeight + 1 || seen.scrollWidth > seen.clientWidth + 1);
    }).map(seen => seen.outerHTML.slice(0, 120))"""


def render(state, language="en", colour=samples.COLOUR, texts=TEXTS):
    page, context = STATES[state]
    return texts.page(page, language, site=samples.a_site(texts, colour), **context)


@pytest.fixture
def show(browser):
    """Opens a page in a fresh window and insists that nothing but the page is asked for and no rule is broken."""
    contexts, strangers, complaints = [], [], []

    def open_page(html, *, width=WIDE, theme="light", colour=samples.COLOUR, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **options)
        contexts.append(context)
        policy = (
            f"default-src 'none'; style-src '{TEXTS.style_hash(colour)}'; img-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )

        def answer(route):
            if route.request.url == f"{ORIGIN}/":
                headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
                route.fulfill(status=200, headers=headers, body=html)
            elif route.request.url == f"{ORIGIN}/favicon.svg":
                route.fulfill(
                    status=200, content_type="image/svg+xml", body='<svg xmlns="http://www.w3.org/2000/svg"/>'
                )
            else:
                strangers.append(route.request.url)
                route.abort()

        context.route("**/*", answer)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{ORIGIN}/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not strangers
    assert not complaints


@pytest.mark.parametrize(
    ("language", "width", "theme", "rules"),
    [
        ("en", NARROW, "light", None),
        ("en", WIDE, "dark", [*ABOUT_COLOURS, *ABOUT_PLACES]),
        *((language, NARROW, "light", ABOUT_WORDS) for language in ("da", "nb", "de")),
    ],
)
def test_axe_finds_nothing_and_nothing_sticks_out_in_any_theme_width_and_language(show, language, width, theme, rules):
    """All rules look at every page once; then those whose answer a theme, a width or a language may change.

    Nothing is lost: `test_sameness.py` proves that a language changes words alone and that dark changes colours alone.
    """
    page = show(render("subscribe", language), width=width, theme=theme, reduced_motion="reduce")
    eyes = Eyes(page)
    for state in STATES:
        # In the same window, and so under the same Content-Security-Policy: a window for each takes five times as long.
        page.set_content(render(state, language))
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
        assert page.evaluate(STICKS_OUT) == [], state
        assert page.evaluate(TOO_SMALL) == [], state
        assert eyes.violations(rules) == [], state


@pytest.mark.parametrize(("language", "width"), [("en", WIDE), ("de", NARROW)])
def test_words_with_room_around_them_are_not_cut_off(show, language, width):
    """As somebody sets them who reads better that way (WCAG 2.2, 1.4.12)."""
    page = show(render("subscribe", language), width=width)
    for state in STATES:
        page.set_content(render(state, language))
        page.evaluate(ROOMY)
        assert page.evaluate("getComputedStyle(document.querySelector('p')).letterSpacing") != "normal", state
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
        assert page.evaluate(STICKS_OUT) == [], state
        assert page.evaluate(CUT_OFF) == [], state


def test_the_languages_of_a_page_are_named_in_themselves_and_the_one_shown_is_marked(show):
    page = show(render("subscribe", "da"))
    links = page.get_by_role("navigation", name="Sprog").get_by_role("link")

    assert links.all_inner_texts() == ["English", "Dansk", "Norsk bokmål", "Deutsch"]
    assert [link.get_attribute("lang") for link in links.all()] == ["en", "da", "nb", "de"]
    assert page.locator("nav [aria-current=true]").all_inner_texts() == ["Dansk"]
    assert min(link.bounding_box()["height"] for link in links.all()) >= 24


@pytest.fixture(scope="module")
def pseudo_texts(tmp_path_factory):
    return texts_in(tmp_path_factory.mktemp("locales"))


@pytest.mark.parametrize(
    ("language", "width"),
    [(LONG.code, NARROW), (MIRRORED.code, NARROW), (MIRRORED.code, WIDE)],
)
def test_words_that_are_longer_or_run_the_other_way_stick_out_of_no_page(show, pseudo_texts, language, width):
    page = show(render("subscribe", language, texts=pseudo_texts), width=width)
    for state in STATES:
        page.set_content(render(state, language, texts=pseudo_texts))
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
        assert page.evaluate(STICKS_OUT) == [], state
        assert page.evaluate(TOO_SMALL) == [], state


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_page_from_right_to_left_is_the_mirror_image_of_one_from_left_to_right(show, pseudo_texts, width):
    along, against = (
        show(render("subscribe-errors", pseudo.code, texts=pseudo_texts), width=width).evaluate(
            BEGINS_AT, pseudo.direction
        )
        for pseudo in (LONG, MIRRORED)
    )

    assert len(along) > 5
    assert along == against


@pytest.mark.parametrize("colour", ["#ffdd00", "#000000", "#ffffff", "#d6006c"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_in_any_brand_colour_has_enough_contrast(show, colour, theme):
    found = Axe().run(show(render("confirm", colour=colour), theme=theme, colour=colour))
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(
    "state", ["subscribe-errors", "waiting-wrong", "confirm", "unsubscribe-topic", "preferences-mixed"]
)
def test_the_keyboard_alone_reaches_everything_and_shows_where_it_is(show, state):
    page = show(render(state))
    wanted = page.evaluate(REACHABLE)
    reached = []
    # Where the focus begins further down, it passes the page itself on the way to what stands above.
    for _ in range(wanted + 1):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused["isPage"]:
            continue
        assert focused["outline"] >= 2
        reached.append(focused["number"])

    assert len(set(reached)) == wanted


@pytest.mark.parametrize(
    ("state", "first"), [("subscribe-errors", "#email"), ("waiting-wrong", "#code"), ("preferences-mixed", "Undo")]
)
def test_the_focus_begins_at_what_is_wrong_or_was_done_and_goes_on_to_what_to_do_about_it(show, state, first):
    page = show(render(state))
    begins = page.evaluate("document.activeElement.closest('.box') === document.querySelector('main .box')")
    page.keyboard.press("Tab")

    assert begins
    assert first in page.evaluate("document.activeElement.outerHTML")
    assert page.evaluate("scrollY") == 0


def test_a_press_anywhere_on_a_choice_ticks_it(show):
    page = show(render("subscribe"))
    box = page.locator("#topic-1-hint").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    assert page.locator("#topic-1").is_checked()


@pytest.mark.parametrize("state", ["subscribe", "confirm", "waiting"])
def test_everything_is_there_without_scripts_and_in_forced_colours(show, state):
    page = show(render(state), java_script_enabled=False, forced_colors="active")

    assert page.get_by_role("heading", level=1).is_visible()
    assert page.get_by_role("button").is_visible()


def test_yes_and_no_have_the_same_size(show):
    page = show(render("confirm"))
    yes, no = page.locator("form .button").all()

    assert yes.bounding_box()["height"] == no.bounding_box()["height"]
    assert abs(yes.bounding_box()["width"] - no.bounding_box()["width"]) < 2


def test_a_table_stays_a_table_where_its_rows_are_lists(show):
    page = show(render("notice"), width=NARROW)

    assert page.get_by_role("columnheader").count() == 3
    assert page.get_by_role("cell").count() == 6


@pytest.mark.parametrize("width", [NARROW, 900, WIDE])
def test_no_column_is_so_narrow_that_words_break(show, width):
    page = show(render("notice"), width=width)
    narrowest = page.evaluate("Math.min(...[...document.querySelectorAll('td')].map(cell => cell.clientWidth))")

    assert narrowest >= 120
    assert page.evaluate(STICKS_OUT) == []


def test_both_the_box_and_the_card_around_it_can_be_pressed(show):
    page = show(render("subscribe"))
    box = page.locator("input[name=topic]").first
    box.click()
    assert box.is_checked()
    page.locator(".choice").first.click(position={"x": 200, "y": 10})
    assert not box.is_checked()
