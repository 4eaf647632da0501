"""A person runs their preferences in a real browser on the running stack, in each language, scripts on and off."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from consent_center.texts import Texts
from local.stack import LocalStack
from world import Visitor

NARROW, WIDE = 320, 1280
MONTH = {"en": "a month", "da": "en måned", "nb": "en måned", "de": "1 Monat"}
EVENTS = {
    "en": "Events and fairs",
    "da": "Arrangementer og messer",
    "nb": "Arrangementer og messer",
    "de": "Veranstaltungen und Messen",
}


@dataclass
class Reader:
    """Somebody at a window, who reads one language and presses what they can see or hear."""

    page: Page
    language: str
    texts: Texts
    scripts: bool

    def words(self, sentence: str, **values: str) -> str:
        said = self.texts.translator(self.language)(sentence)
        return said % values if values else said

    def button(self, sentence: str, **values: str) -> Locator:
        return self.page.get_by_role("button", name=self.words(sentence, **values), exact=True)

    def press(self, sentence: str, **values: str) -> None:
        """Press, and look at what comes with the eyes of axe."""
        self.button(sentence, **values).first.click()
        self.look()

    def look(self) -> None:
        expect(self.page.locator("html")).to_have_attribute("lang", self.language)
        if self.scripts:  # Axe waits for promises, which never come where scripts are off; the pages are the same.
            found = Axe().run(self.page)
            assert found.violations_count == 0, found.generate_report()
            assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def told(self, sentence: str, **values: str) -> None:
        expect(self.page.get_by_role("status")).to_have_text(self.words(sentence, **values))

    def row(self, name: str) -> Locator:
        return self.page.get_by_role("listitem").filter(has=self.page.get_by_role("heading", name=name, exact=True))


@pytest.fixture(
    params=[("en", False, NARROW), ("en", True, WIDE), ("nb", False, WIDE), ("de", True, NARROW)],
    ids=lambda given: f"{given[0]}, {'with' if given[1] else 'without'} scripts, {given[2]} px",
)
def reader(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Reader]:
    language, scripts, width = request.param
    context = browser.new_context(
        java_script_enabled=scripts, viewport={"width": width, "height": 800}, locale="sv-SE", reduced_motion="reduce"
    )
    strangers: list[str] = []
    context.on("request", lambda asked: strangers.append(asked.url) if "127.0.0.1" not in asked.url else None)
    yield Reader(context.new_page(), language, Texts(), scripts)
    assert context.cookies() == []
    assert strangers == []
    context.close()


def test_somebody_asks_for_the_link_and_changes_everything_and_changes_it_back(
    reader: Reader, stack: LocalStack
) -> None:
    page, visitor = reader.page, Visitor(stack).subscribed("product-news", "events")
    events = EVENTS[reader.language]

    page.goto(f"{stack.url}/preferences?lang={reader.language}")
    reader.look()
    page.get_by_label(reader.words("E-mail address")).fill(visitor.email)
    reader.press("E-mail me the link")
    expect(page.get_by_role("heading", level=1)).to_have_text(reader.words("Check your mail"))

    page.goto(f"{visitor.link('preferences').partition('?')[0]}?lang={reader.language}")
    reader.look()
    expect(page.get_by_text(visitor.email)).to_be_visible()

    reader.press("Stop %(what)s", what=events)
    reader.told("“%(what)s” stops now.", what=events)
    assert visitor.check("events")["reason"] == "withdrawn"
    reader.press("Undo")
    reader.told("Undone: everything is as it was before.")
    assert visitor.check("events")["allowed"]
    page.reload()
    assert visitor.check("events")["allowed"], "reloading does nothing again"

    reader.press("Pause for %(period)s", period=MONTH[reader.language])
    assert visitor.check("events")["reason"] == "paused"
    reader.press("Go on now")
    assert visitor.check("events")["allowed"]

    seldom = "At most one in %(period)s"
    reader.press(seldom, period=MONTH[reader.language])
    expect(reader.button(seldom, period=MONTH[reader.language])).to_have_attribute("aria-current", "true")

    reader.press("Stop everything")
    reader.told("Everything stops now: we send you no more of it.")
    assert visitor.check("product-news")["reason"] == "withdrawn"
    expect(reader.button("Stop everything")).to_have_count(0)
    reader.press("Undo")
    assert visitor.check("product-news")["allowed"]

    reader.press("Object %(what)s", what=reader.words("Direct marketing"))
    reader.told("We stop now, and you need give no reason.")
    assert visitor.check("events")["reason"] == "objected"
    reader.press("Take it back %(what)s", what=reader.words("Direct marketing"))
    assert visitor.check("events")["reason"] in ("objected", "withdrawn"), "what was stopped stays off"

    page.get_by_role("link", name=reader.words("Everything you decided")).click()
    reader.look()
    expect(page.get_by_role("article")).to_have_count(10)
    expect(page.get_by_role("article").first).to_contain_text(reader.words("You took an objection back"))
    page.get_by_role("link", name=reader.words("Back to your preferences")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(reader.words("Your preferences"))


def test_what_is_started_on_the_page_waits_for_a_letter_and_can_be_taken_back(
    reader: Reader, stack: LocalStack
) -> None:
    page, visitor = reader.page, Visitor(stack).subscribed("product-news")
    events = EVENTS[reader.language]
    page.goto(f"{stack.url}{visitor.preferences()}?lang={reader.language}")

    reader.press("Start %(what)s", what=events)
    reader.told("We have sent you an e-mail about “%(what)s”: it starts once you confirm there.", what=events)
    expect(reader.button("Cancel %(what)s", what=events)).to_be_visible()
    reader.press("Cancel %(what)s", what=events)
    reader.told("“%(what)s” stops now.", what=events)
    expect(reader.button("Start %(what)s", what=events)).to_be_visible()
    assert not visitor.check("events")["allowed"]


def test_who_pressed_unsubscribe_by_mistake_presses_undo(reader: Reader, stack: LocalStack) -> None:
    visitor = Visitor(stack).subscribed("product-news", "events")
    reader.page.goto(f"{visitor.stop_link('events')}?lang={reader.language}")
    reader.page.locator("form[method=post] button").first.click()
    reader.look()
    assert visitor.check("events")["reason"] == "withdrawn"
    expect(reader.page.get_by_role("heading", name=reader.words("You still receive"))).to_be_visible()

    reader.press("Undo")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text(reader.words("Undone"))
    assert visitor.check("events")["allowed"]


def test_a_letter_leads_to_a_page_that_explains_it(reader: Reader, stack: LocalStack) -> None:
    visitor = Visitor(stack).subscribed("events")
    reader.page.goto(f"{visitor.check('events')['why_url']}?lang={reader.language}")
    reader.look()

    expect(reader.page.get_by_role("heading", level=1)).to_have_text(reader.words("Why you got this e-mail"))
    expect(reader.page.get_by_text(EVENTS[reader.language]).first).to_be_visible()
    expect(reader.page.get_by_text(visitor.email)).to_have_count(0)


def test_a_person_takes_their_receipt_and_their_history_away(reader: Reader, stack: LocalStack) -> None:
    page, visitor = reader.page, Visitor(stack).subscribed("product-news", "events")
    page.goto(f"{stack.url}{visitor.preferences()}?lang={reader.language}")
    page.locator("summary").first.click()
    reader.look()
    page.get_by_role("link", name=reader.words("receipt"), exact=True).first.click()
    reader.look()
    expect(page.get_by_role("heading", level=1)).to_have_text(reader.words("Receipt"))
    expect(page.get_by_text(reader.words("Consent given"))).to_be_visible()
    expect(page.get_by_text(visitor.email)).to_have_count(0)
    with page.expect_download() as saved:
        page.get_by_role("link", name=reader.words("Save the signed file")).click()
    assert saved.value.suggested_filename == "receipt-1.json"
    assert saved.value.path().read_text() == visitor.receipts(1)[0]["attachments"]["receipt-1.json"]

    page.get_by_role("link", name=reader.words("Everything you decided")).click()
    reader.look()
    for kind in ("JSON", "CSV"):
        with page.expect_download() as saved:
            page.get_by_role("link", name=kind).click()
        assert saved.value.suggested_filename == f"history.{kind.lower()}"


def test_the_letter_with_a_receipt_is_readable_on_a_small_screen(reader: Reader, stack: LocalStack) -> None:
    visitor = Visitor(stack).subscribed("events")
    reader.page.set_content(visitor.receipts(1)[0]["html"])
    if reader.scripts:
        found = Axe().run(reader.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, found.generate_report()
        assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(reader.page.get_by_role("link").first).to_have_text("Unsubscribe")
