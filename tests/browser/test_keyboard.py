"""Each story on the running stack by the keyboard alone, in three languages, scripts on and off.

At every stop of the Tab key the focus is seen, lies in the window, and comes after the one before.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from consent_center.texts import Texts
from eyes import FOCUSED
from local.stack import LocalStack
from world import Visitor

NARROW, WIDE = 320, 1280
MOST_STOPS = 90
"""More than any page has: whoever has not arrived by then sits in a trap."""

READING_MS = 1_100
"""A form that comes back sooner was filled in by a program."""

EVENTS = {"en": "Events and fairs", "da": "Arrangementer og messer", "nb": "Arrangementer og messer"}
MONTH = {"en": "a month", "da": "en måned", "nb": "en måned"}


@dataclass
class Keys:
    """Somebody without a mouse."""

    page: Page
    language: str
    texts: Texts

    def words(self, sentence: str, **values: str) -> str:
        said = self.texts.translator(self.language)(sentence)
        return said % values if values else said

    def open(self, address: str) -> None:
        self.page.goto(f"{address.partition('?')[0]}?lang={self.language}")

    def button(self, sentence: str, **values: str) -> Locator:
        return self.page.get_by_role("button", name=self.words(sentence, **values), exact=True)

    def link(self, sentence: str) -> Locator:
        return self.page.get_by_role("link", name=self.words(sentence), exact=True)

    def field(self, sentence: str) -> Locator:
        return self.page.get_by_label(self.words(sentence)).first

    def is_at(self, target: Locator) -> bool:
        return bool(target.evaluate("seen => seen === document.activeElement"))

    def to(self, target: Locator, *, key: str = "Tab") -> None:
        """Go on until the target has the focus."""
        expect(target).to_have_count(1)
        before: int | None = None
        for _ in range(MOST_STOPS):
            self.page.keyboard.press(key)
            here = self.page.evaluate(FOCUSED)
            if here["isPage"]:  # After the last stop the window itself has its turn.
                before = None
                continue
            assert here["outline"] >= 2, here
            assert here["isInView"], here
            if before is not None:
                assert here["number"] > before if key == "Tab" else here["number"] < before, here
            before = here["number"]
            if self.is_at(target):
                return
        raise AssertionError(f"the keyboard does not reach {target}")

    def press(self, target: Locator) -> None:
        """Go there and press Enter, which leads to another page."""
        self.to(target)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type(self, target: Locator, text: str) -> None:
        self.to(target)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.type(text)

    def reads(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.words(heading))

    def is_told(self, sentence: str, **values: str) -> None:
        """The focus begins at what was done."""
        status = self.page.get_by_role("status")
        expect(status).to_have_text(self.words(sentence, **values))
        assert self.is_at(status)

    def is_led_to(self, field: Locator) -> None:
        """The title says that something is wrong, the focus begins at what, and its first link leads to the field."""
        assert self.page.title().startswith(self.words("Error:"))
        assert self.page.evaluate("document.activeElement.closest('[role=alert]') !== null")
        self.page.keyboard.press("Tab")
        self.page.keyboard.press("Enter")
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        assert field.evaluate(
            "seen => seen.getAttribute('aria-describedby').split(' ').every(id => document.getElementById(id))"
        )


@pytest.fixture(
    params=[("en", True, NARROW), ("da", False, WIDE), ("nb", True, WIDE)],
    ids=lambda given: f"{given[0]}, {'with' if given[1] else 'without'} scripts, {given[2]} px",
)
def keys(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Keys]:
    language, scripts, width = request.param
    context = browser.new_context(
        java_script_enabled=scripts, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    yield Keys(context.new_page(), language, Texts())
    assert context.cookies() == []
    context.close()


def test_signing_up_with_two_mistakes_and_the_code(keys: Keys, stack: LocalStack) -> None:
    page, visitor = keys.page, Visitor(stack)
    keys.open(f"{stack.url}/subscribe")
    keys.type(keys.field("E-mail address"), "ada at example")
    keys.to(page.get_by_label(EVENTS[keys.language]))
    page.keyboard.press("Space")
    page.wait_for_timeout(READING_MS)
    keys.press(keys.button("Send me the confirmation e-mail"))
    keys.is_led_to(keys.field("E-mail address"))
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(visitor.email)
    expect(page.get_by_label(EVENTS[keys.language])).to_be_checked()
    page.wait_for_timeout(READING_MS)
    keys.press(keys.button("Send me the confirmation e-mail"))
    keys.reads("Check your mail")

    code = keys.field("Code from the e-mail")
    keys.type(code, "12345")
    keys.press(keys.button("Read and confirm"))
    keys.is_led_to(code)
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(visitor.code())
    with page.expect_navigation():
        page.keyboard.press("Enter")
    keys.reads("Please confirm")
    keys.to(keys.link("This was not me"))
    keys.to(keys.button("Yes, subscribe me"), key="Shift+Tab")
    with page.expect_navigation():
        page.keyboard.press("Space")
    keys.reads("You are subscribed")
    assert visitor.check("events")["reason"] == "given"


def test_confirming_by_the_link_and_changing_everything(keys: Keys, stack: LocalStack) -> None:
    page, visitor = keys.page, Visitor(stack)
    visitor.sign_up("product-news", "events")
    keys.open(visitor.link("confirm"))
    # The wording of a request is read in the language that it was made in.
    keys.press(page.locator("form button"))
    events, month = EVENTS[keys.language], MONTH[keys.language]

    keys.open(f"{stack.url}{visitor.preferences()}")
    keys.press(keys.button("Stop %(what)s", what=events))
    keys.is_told("“%(what)s” stops now.", what=events)
    keys.press(keys.button("Undo"))
    keys.is_told("Undone: everything is as it was before.")
    keys.press(keys.button("Pause for %(period)s", period=month))
    assert visitor.check("events")["reason"] == "paused"
    keys.press(keys.button("Go on now"))
    assert visitor.check("events")["allowed"]
    keys.press(keys.button("At most one in %(period)s", period=month))
    expect(keys.button("At most one in %(period)s", period=month)).to_have_attribute("aria-current", "true")
    keys.press(keys.button("Object %(what)s", what=keys.words("Direct marketing")))
    assert visitor.check("events")["reason"] == "objected"
    keys.press(keys.button("Undo"))
    assert visitor.check("events")["allowed"]
    keys.press(keys.button("Stop everything"))
    keys.is_told("Everything stops now: we send you no more of it.")
    keys.press(keys.button("Start %(what)s", what=events))
    keys.is_told("We have sent you an e-mail about “%(what)s”: it starts once you confirm there.", what=events)


def test_unsubscribing_then_from_everything_and_taking_that_back(keys: Keys, stack: LocalStack) -> None:
    visitor = Visitor(stack).subscribed("product-news", "events")
    keys.open(visitor.stop_link("events"))
    keys.press(keys.button("Unsubscribe"))
    keys.reads("You are unsubscribed")
    assert visitor.check("product-news")["allowed"]
    keys.press(keys.button("Stop everything"))
    assert visitor.check("product-news")["reason"] == "withdrawn"
    keys.press(keys.button("Undo"))
    keys.reads("Undone")
    assert visitor.check("product-news")["allowed"]


def test_asking_for_a_lost_link_after_a_mistake(keys: Keys, stack: LocalStack) -> None:
    visitor = Visitor(stack).subscribed("events")
    keys.open(f"{stack.url}/preferences")
    keys.type(keys.field("E-mail address"), "ada")
    with keys.page.expect_navigation():
        keys.page.keyboard.press("Enter")
    keys.is_led_to(keys.field("E-mail address"))
    keys.page.keyboard.press("ControlOrMeta+A")
    keys.page.keyboard.type(visitor.email)
    with keys.page.expect_navigation():
        keys.page.keyboard.press("Enter")
    keys.reads("Check your mail")
    keys.open(visitor.link("preferences"))
    keys.reads("Your preferences")


def test_asking_for_deletion_proving_it_and_taking_it_back(keys: Keys, stack: LocalStack) -> None:
    page, visitor = keys.page, Visitor(stack).subscribed("events")
    keys.open(f"{stack.url}/rights")
    keys.to(page.locator("[name=type]").first)
    page.keyboard.press("Space")
    while page.evaluate("document.activeElement.value") != "erasure":
        page.keyboard.press("ArrowDown")
    expect(page.locator("[name=type][value=erasure]")).to_be_checked()
    keys.to(page.locator("summary").first)
    page.keyboard.press("Enter")
    keys.to(page.locator("[name=keep_fingerprint]").first)
    keys.type(keys.field("E-mail address"), visitor.email)
    keys.type(keys.field("What we should know"), "Thank you.")
    page.wait_for_timeout(READING_MS)
    keys.press(keys.button("Send the request"))
    keys.reads("Check your mail")

    keys.open(visitor.link("rights/verify"))
    keys.press(keys.button("Yes, I asked for this"))
    keys.reads("Your request")
    keys.press(keys.button("Take the request back"))
    keys.reads("Your request")
    expect(keys.button("Take the request back")).to_have_count(0)
    assert visitor.check("events")["allowed"]


def test_moving_to_another_address(keys: Keys, stack: LocalStack) -> None:
    visitor, moved = Visitor(stack).subscribed("events"), Visitor(stack)
    keys.open(f"{stack.url}{visitor.preferences()}")
    keys.press(keys.link("Change your e-mail address"))
    keys.reads("Your e-mail address")
    keys.type(keys.field("New e-mail address"), moved.email)
    keys.press(keys.button("Send me the e-mail"))
    keys.reads("Check your mail")
    keys.open(moved.link("address"))
    keys.press(keys.button("Use this address"))
    keys.reads("Your address is changed")
    assert moved.check("events")["allowed"]


def test_saying_that_it_was_somebody_else(keys: Keys, stack: LocalStack) -> None:
    visitor = Visitor(stack)
    visitor.sign_up("events")
    keys.open(visitor.link("not-me"))
    keys.press(keys.button("Cancel the request"))
    keys.reads("The request is cancelled")
    assert visitor.check("events")["reason"] == "no_record"
