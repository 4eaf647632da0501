"""The Chromium of this machine, for tests and for pictures."""

import shutil

QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
]
"""Options with which it asks nothing of the outside."""


def chromium() -> str:
    """Where it lies. RuntimeError if there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise RuntimeError("Chromium is needed: `make chromium`")
    return found
