"""One Chromium for all browser tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from chromium import QUIET, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine, asking nothing of the outside."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=QUIET)
        yield browser
        browser.close()
