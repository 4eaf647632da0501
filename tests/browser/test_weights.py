"""What the first view of a page takes on the running stack, as docs/performance.md says."""

from playwright.sync_api import Browser

from bench.weights import WIRE, Person, weigh
from local.stack import LocalStack


def test_the_first_view_of_every_page_is_one_page_and_an_icon_in_thirty_kilobytes_and_nothing_moves(
    browser: Browser, stack: LocalStack
) -> None:
    """In German, whose words are the longest; `test_compression.py` looks at the largest pages in every language."""
    weights = {name: weigh(browser, f"{stack.url}{path}?lang=de") for name, path in Person(stack).pages()}

    assert len(weights) > 15
    assert [name for name, weight in weights.items() if weight.requests > 2 or weight.moved] == []
    assert {name: weight.all for name, weight in weights.items() if weight.all > WIRE} == {}
    assert weights["/notice"].page < weights["/notice"].plain / 3
