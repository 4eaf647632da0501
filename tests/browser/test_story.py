"""The story in a real browser on the running stack."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from consent_center.domain.chain import verify
from local.stack import LocalStack
from world import Auditor, Visitor


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh window that counts its cookies and insists on asking nobody but us."""
    context = browser.new_context(java_script_enabled=request.param)
    strangers: list[str] = []
    context.on("request", lambda asked: strangers.append(asked.url) if "127.0.0.1" not in asked.url else None)
    yield context.new_page()
    assert context.cookies() == []
    assert strangers == []
    context.close()


def test_somebody_signs_up_confirms_is_allowed_and_leaves_one_topic(page: Page, stack: LocalStack) -> None:
    visitor, auditor = Visitor(stack), Auditor(stack)
    page.goto(f"{stack.url}/subscribe")
    page.get_by_label("Product news").check()
    page.get_by_label("Events and fairs").check()
    page.get_by_label("E-mail").first.fill(visitor.email)
    page.wait_for_timeout(1100)
    page.locator("form[method=post] button").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")

    letter = visitor.letter()
    assert letter["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["headers"]["List-Unsubscribe"].startswith(f"<{stack.url}/u/")

    before = auditor.everything()
    page.goto(visitor.link("confirm"))
    page.wait_for_timeout(300)
    assert auditor.everything() == before
    assert visitor.check("events")["reason"] == "pending"

    page.locator("form[method=post] button").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed")
    answer = visitor.check("events")
    assert answer["allowed"]
    chain, seq = answer["evidence"].split(".")
    assert seq == "1"

    assert visitor.request("POST", visitor.stop_link("events"), b"List-Unsubscribe=One-Click").status == 200
    assert (visitor.check("events")["reason"], visitor.check("product-news")["allowed"]) == ("withdrawn", True)
    entries = auditor.entries(chain)
    assert [entry.kind for entry in entries] == ["given", "withdrawn"]
    assert verify(chain, entries, auditor.payloads(chain), auditor.head(chain)) == []


def test_opening_every_public_page_with_scripts_running_changes_no_table(browser: Browser, stack: LocalStack) -> None:
    asked, subscriber, auditor = Visitor(stack), Visitor(stack).subscribed("events"), Auditor(stack)
    asked.sign_up("events")
    pages = [
        *("/", "/subscribe", "/subscribe?topic=events", "/notice", "/notice/2026-11-01", "/no-such-page"),
        "/notice/2026-11-22/changes",
        *("/v1/openapi.json", "/u/v1.k1.x.y", "/confirm/v1.k1.x.y"),
        *(asked.link(route) for route in ("confirm", "not-me", "u")),
        *(subscriber.stop_link(), subscriber.stop_link("events"), subscriber.link("confirm")),
    ]
    before = auditor.everything()
    context = browser.new_context(java_script_enabled=True)
    for address in pages:
        page = context.new_page()
        page.goto(address if address.startswith("http") else f"{stack.url}{address}", wait_until="networkidle")
        page.evaluate("document.querySelectorAll('a').forEach(link => link.focus())")
        page.close()
    context.close()

    assert auditor.everything() == before


def test_axe_finds_nothing_on_the_pages_of_the_running_stack(browser: Browser, stack: LocalStack) -> None:
    asked = Visitor(stack)
    asked.sign_up("events")
    context = browser.new_context()
    page = context.new_page()
    changes = f"{stack.url}/notice/2026-11-22/changes"
    for address in (f"{stack.url}/subscribe", f"{stack.url}/notice", changes, asked.link("confirm"), asked.link("u")):
        page.goto(address)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        page.set_viewport_size({"width": 320, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.set_viewport_size({"width": 1280, "height": 800})
    context.close()
