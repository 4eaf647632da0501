"""Preferences and the other systems' calls on the running stack: the real template, rights, queue and engine."""

import time
from datetime import UTC, datetime

import pytest

from consent_center.domain.chain import verify
from local.stack import LocalStack
from world import Auditor, Visitor

LETTERS = "direct-marketing-email"


@pytest.fixture
def visitor(stack: LocalStack) -> Visitor:
    return Visitor(stack)


@pytest.fixture
def auditor(stack: LocalStack) -> Auditor:
    return Auditor(stack)


def test_a_person_changes_everything_from_the_page_and_each_change_is_proven(
    visitor: Visitor, auditor: Auditor
) -> None:
    visitor.subscribed("product-news", "events")
    evidence = visitor.check("events")["evidence"]
    path = visitor.preferences()
    before = auditor.everything()
    page = visitor.get(path)
    assert page.status == 200
    assert visitor.email in page.body
    assert visitor.get(f"{path}/history").status == 200
    assert auditor.everything() == before, "opening a page changes nothing"

    page = visitor.press(path, do="stop", purpose=LETTERS, topic="events")
    assert visitor.check("events")["reason"] == "withdrawn"
    visitor.press(path, do="undo", done=visitor.hidden(page.body, "done"))
    assert visitor.check("events")["reason"] == "given"
    visitor.press(path, do="pause", purpose=LETTERS, period="1.0")
    assert visitor.check("events")["reason"] == "paused"
    visitor.press(path, do="pause", purpose=LETTERS, period="")
    visitor.press(path, do="object", to="direct-marketing")
    assert visitor.check("events")["reason"] == "objected"
    assert visitor.check("events")["may_profile"] is False

    chain = evidence.split(".")[0]
    entries = auditor.entries(chain)
    kinds = ["given", "withdrawn", "restored", "preferences", "preferences", "objected"]
    assert [entry.kind for entry in entries] == kinds
    assert verify(chain, entries, auditor.payloads(chain), auditor.head(chain)) == []


def test_starting_a_topic_sends_a_letter_whose_link_confirms_it(visitor: Visitor) -> None:
    visitor.subscribed("events")
    path = visitor.preferences()
    letters = len(visitor.letters())
    visitor.press(path, do="start", purpose=LETTERS, topic="surveys")
    end = time.monotonic() + 20
    while len(visitor.letters()) == letters:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert visitor.check("surveys")["reason"] == "pending"
    assert visitor.confirm().status == 200
    assert (visitor.check("surveys")["reason"], visitor.check("events")["reason"]) == ("given", "given")


def test_somebody_unknown_gets_the_same_answer_and_no_letter(stack: LocalStack, visitor: Visitor) -> None:
    known = visitor.subscribed("events")
    unknown = Visitor(stack)
    answers = [who.post("/preferences", email=who.email) for who in (known, unknown)]

    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].body.replace(known.email, "-") == answers[1].body.replace(unknown.email, "-")
    known.link("preferences")
    time.sleep(0.5)
    assert unknown.letters() == []


def test_a_letter_explains_itself(visitor: Visitor) -> None:
    visitor.subscribed("events")
    url = visitor.check("events")["why_url"]
    page = visitor.get(url)

    assert page.status == 200
    assert "Events and fairs" in page.body
    assert visitor.email not in page.body


def test_other_systems_record_look_up_and_confirm_but_never_raise_over_a_no(visitor: Visitor) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    given = {
        "recipient": visitor.email,
        "purpose": LETTERS,
        "topics": ["events"],
        "decision": "given",
        "evidence": {
            "collected_at": now,
            "confirmed_at": now,
            "method": "form at the fair",
            "wording": ["Yes, write to me about events."],
            "language": "en",
        },
    }
    recorded = visitor.api("write", "/v1/decisions", **given)
    assert (recorded.status, recorded.json["recorded"]) == (200, True), recorded.body
    answer = visitor.check("events")
    assert (answer["reason"], answer["evidence"]) == ("given", recorded.json["evidence"])
    sent = visitor.api("check", "/v1/sends", sends=[{"send_id": answer["send_id"]}])
    assert sent.json["results"] == [{"index": 0, "recorded": True, "reason": "recorded"}]

    assert visitor.request("POST", visitor.stop_link("events"), b"List-Unsubscribe=One-Click").status == 200
    refused = visitor.api("write", "/v1/decisions", **given)
    assert (refused.status, refused.json["type"].rpartition(":")[2]) == (409, "forbidden-transition")
    found = visitor.api("read", "/v1/permissions/lookup", recipient=visitor.email).json
    events = next(row for row in found["permissions"] if row["topic"] == "events")
    assert (events["state"], events["allowed"]) == ("ConsentWithdrawn", False)
    assert visitor.api("read", "/v1/decisions", **given).status == 403
    assert visitor.api("check", "/v1/permissions/lookup", recipient=visitor.email).status == 403
