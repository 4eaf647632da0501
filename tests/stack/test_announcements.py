"""Changes reach a recipient of the local stack by signed webhooks: the real template, rights, queues and worker."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local import recipient
from local.stack import LocalStack
from world import Visitor

LETTERS = "direct-marketing-email"


@pytest.fixture
def visitor(stack: LocalStack) -> Iterator[Visitor]:
    visitor = Visitor(stack)
    yield visitor
    behave(visitor, "done")


def shown(visitor: Visitor) -> dict[str, Any]:
    return dict(visitor.get(f"/_local/recipients/{recipient.TOLD}").json)


def behave(visitor: Visitor, behaviour: str) -> None:
    wanted = json.dumps({"behaviour": behaviour}).encode()
    path = f"/_local/recipients/{recipient.TOLD}"
    assert visitor.request("POST", path, wanted, {"Content-Type": "application/json"}).status == 200


def told(visitor: Visitor, chain: str, seq: int, *, taken: int, seconds: float = 60) -> dict[str, Any]:
    """What the recipient was told of an event, once it has come and was taken so often."""
    end = time.monotonic() + seconds
    while True:
        found = [one for one in shown(visitor)["events"] if (one["chain"], one["seq"]) == (chain, seq)]
        if found and found[0]["times"] and found[0]["taken"] == taken:
            assert len(found) == 1
            return dict(found[0])
        assert time.monotonic() < end, "the recipient was not told in time"
        time.sleep(0.1)


def test_a_press_on_the_page_reaches_a_recipient_once_and_what_it_did_not_take_comes_again(visitor: Visitor) -> None:
    refused = shown(visitor)["refused"]
    behave(visitor, "error")
    visitor.subscribed("product-news", "events")
    chain = visitor.check("events")["evidence"].split(".")[0]
    told(visitor, chain, 1, taken=0)
    behave(visitor, "done")

    visitor.press(visitor.preferences(), do="stop", purpose=LETTERS, topic="events")

    stopped = told(visitor, chain, 2, taken=1)
    assert (stopped["id"], stopped["times"]) == (f"{chain}-2-{recipient.TOLD}", 1)
    assert [(one["topic"], one["after"]) for one in stopped["changes"]] == [("events", "ConsentWithdrawn")]
    again = told(visitor, chain, 1, taken=1)
    assert again["times"] == 2
    assert {one["topic"] for one in again["changes"]} == {"product-news", "events"}
    assert shown(visitor)["refused"] == refused, "every message was signed"
