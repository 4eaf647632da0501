"""What the first view of each page takes: bytes on the wire, requests, and how far anything moves while it appears.

By hand, on a local stack of its own with a Chromium: `python -m bench.weights`. The browser tests hold the numbers.
"""

import http.client
import re
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Request, sync_playwright
from tests.chromium import QUIET, chromium

from local.stack import LocalStack, free_port

WIRE = 30_000
"""Bytes that a first view takes at most, with the headers of the answers and all that comes along."""

LANGUAGES = ("en", "da", "nb", "de")

ADDRESS = "somebody@example.org"

FORM = "application/x-www-form-urlencoded"

READING_SECONDS = 1.1
"""A form that comes back sooner was filled in by a program."""

MOVED = """() => new Promise(done => {
    new PerformanceObserver(list => done(list.getEntries().reduce((sum, one) => sum + one.value, 0)))
        .observe({type: 'layout-shift', buffered: true});
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(0), 50)));
})"""
"""How much of the window moved by itself (cumulative layout shift)."""


class Weight(NamedTuple):
    """The first view of a page."""

    page: int
    """Bytes of the page itself as they travel, with its headers."""
    all: int
    """The same with everything that it loads."""
    plain: int
    """Bytes of the page when it is unpacked."""
    requests: int
    moved: float


class Person:
    """Somebody who signs up, confirms and asks for things, so that there are pages to look at."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack

    def pages(self) -> Iterator[tuple[str, str]]:
        """Every page that is opened by a link or by typing its address: its name, and its path without a language."""
        for path in ("/", "/subscribe", "/preferences", "/rights", "/notice"):
            yield path, path
        yield "/notice/{version}/changes", "/notice/2026-11-25/changes"
        yield "no such page", "/nowhere"
        form = self._field(self._ask("/subscribe"), "form")
        time.sleep(READING_SECONDS)
        topics = re.findall(r'name="topic" value="([^"]+)"', self._ask("/subscribe"))
        waiting = self._ask("/subscribe", {"form": form, "email": ADDRESS, "topic": topics})
        found = re.search(r'action="(/waiting/[^"?]+)', unescape(waiting))
        assert found
        yield "/waiting/{token}", found[1]
        confirm = self._mailed("confirm")
        yield "/confirm/{token}", confirm
        yield "/not-me/{token}", self._mailed("not-me")
        self._ask(confirm, {"shown": self._field(self._ask(confirm), "shown")})
        yield "/u/{token}", self._mailed("u")
        self._ask("/preferences", {"email": ADDRESS})
        manage = self._mailed("preferences")
        yield "/preferences/{token}", manage
        for page in ("address", "history", "receipts/1", "rights"):
            yield f"/preferences/{{token}}/{page}", f"{manage}/{page}"
        form = self._field(self._ask("/rights"), "form")
        time.sleep(READING_SECONDS)
        self._ask("/rights", {"form": form, "email": ADDRESS, "type": "access"})
        proof = self._mailed("rights/verify")
        yield "/rights/verify/{token}", proof
        status = re.search(r'href="(/rights/status/[^"?]+)', unescape(self._ask(proof)))
        assert status
        yield "/rights/status/{token}", status[1]

    def _ask(self, path: str, form: dict[str, object] | None = None) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._stack.port, timeout=40)
        try:
            body = urllib.parse.urlencode(form, doseq=True) if form is not None else None
            connection.request("GET" if form is None else "POST", path, body, {"Content-Type": FORM})
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status >= 400:
                raise RuntimeError(f"a page answered {answer.status}")
            return text
        finally:
            connection.close()

    def _field(self, page: str, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', page)
        assert found, name
        return unescape(found[1])

    def _mailed(self, route: str) -> str:
        """The path of the newest link of that kind, waited for."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            letters = [letter for letter in self._stack.mailbox.letters() if letter.to == ADDRESS]
            links = [link for letter in letters for link in letter.links if f"/{route}/" in link]
            if links:
                return urllib.parse.urlsplit(links[-1]).path
            time.sleep(0.05)
        raise RuntimeError(f"no letter with a {route} link arrived")


def weigh(browser: Browser, address: str) -> Weight:
    """Open a page as for the first time, with nothing kept from before."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    seen: list[Request] = []

    def note(request: Request) -> None:
        seen.append(request)

    page.on("requestfinished", note)
    page.goto(address)
    moved = float(page.evaluate(MOVED))
    sizes = [request.sizes() for request in seen]
    travelled = [size["responseHeadersSize"] + size["responseBodySize"] for size in sizes]
    plain = len(page.content().encode())
    context.close()
    return Weight(travelled[0], sum(travelled), plain, len(seen), moved)


def main() -> int:
    """Weigh every page in every language, and print the heaviest first view of each; 1 if one is too heavy."""
    heaviest: dict[str, tuple[Weight, str]] = {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalStack(free_port(), Path(scratch) / "state") as stack,
        sync_playwright() as started,
        started.chromium.launch(executable_path=chromium(), args=QUIET) as browser,
    ):
        for name, path in Person(stack).pages():
            each = [(weigh(browser, f"{stack.url}{path}?lang={language}"), language) for language in LANGUAGES]
            heaviest[name] = max(each, key=lambda one: one[0].all)
    print("| page | heaviest in | bytes unpacked | as it travels, with headers | with the icon | requests | moved |")
    print("|---|---|---|---|---|---|---|")
    for name, (weight, language) in heaviest.items():
        sizes = f"{weight.plain:,} | {weight.page:,} | {weight.all:,}"
        print(f"| {name} | {language} | {sizes} | {weight.requests} | {weight.moved:g} |")
    return int(any(weight.all > WIRE or weight.moved for weight, _ in heaviest.values()))


if __name__ == "__main__":
    sys.exit(main())
