"""How tests look at a page in a browser: with the rules of axe, as a screen reader hears it, and by the keyboard."""

from pathlib import Path
from typing import Any, NamedTuple

import axe_playwright_python
from playwright.sync_api import CDPSession, Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

ABOUT_COLOURS = ["color-contrast", "link-in-text-block"]
"""Rules whose answer a theme may change."""

ABOUT_PLACES = [
    "target-size",
    "scrollable-region-focusable",
    "td-headers-attr",
    "th-has-data-cells",
    "scope-attr-valid",
]
"""Rules whose answer a width may change: sizes, and tables that are lists on a small screen."""

ABOUT_WORDS = [
    "html-has-lang",
    "html-lang-valid",
    "valid-lang",
    "document-title",
    "button-name",
    "link-name",
    "label",
    "empty-heading",
    "empty-table-header",
    "form-field-multiple-labels",
    "image-alt",
    "landmark-unique",
    "summary-name",
]
"""Rules whose answer words may change: that there are any, and in which language."""

FOCUSED = """() => {
    const seen = document.activeElement, style = getComputedStyle(seen), box = seen.getBoundingClientRect();
    return {
        number: [...document.querySelectorAll('*')].indexOf(seen), isPage: seen === document.body,
        outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
        colour: style.outlineColor, isInView: box.bottom > 0 && box.top < innerHeight,
        what: seen.outerHTML.slice(0, 120),
    };
}"""


class Eyes:
    """Axe in a window. It is brought in once: what a page is replaced by in the same window finds it there."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate(AXE)

    def violations(self, rules: list[str] | None = None) -> list[str]:
        """What these rules find, or else all rules, with that for the size of targets (WCAG 2.2, 2.5.8)."""
        options: dict[str, Any] = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
        if rules:
            options["runOnly"] = rules
        found = self._page.evaluate("options => axe.run(document, options).then(found => found.violations)", options)
        return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


class Node(NamedTuple):
    role: str
    name: str
    level: int | None
    is_invalid: bool
    description: str


def heard(session: CDPSession) -> list[Node]:
    """What a screen reader is given, in its order."""
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    return [_node(node) for node in nodes if not node["ignored"] and "role" in node]


def _node(node: dict[str, Any]) -> Node:
    properties = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
    return Node(
        node["role"]["value"],
        node.get("name", {}).get("value", "").strip(),
        properties.get("level"),
        properties.get("invalid") == "true",
        node.get("description", {}).get("value", ""),
    )
