"""The code from the letter on the running stack, over HTTP alone."""

import pytest

from local.stack import LocalStack
from world import Auditor, Visitor


@pytest.fixture
def visitor(stack: LocalStack) -> Visitor:
    return Visitor(stack)


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code.replace(' ', '')) + by) % 1_000_000:06d}"


def test_the_code_from_the_letter_and_a_press_give_consent(visitor: Visitor, stack: LocalStack) -> None:
    waiting = visitor.waiting(visitor.sign_up("events"))
    code = visitor.code()
    assert visitor.get(waiting).status == 200
    before = Auditor(stack).everything()["LedgerTable"]
    answer = visitor.post(waiting, code=code)

    assert answer.status == 303
    assert answer.headers["location"].partition("?")[0] == visitor.link("confirm").removeprefix(stack.url)
    assert Auditor(stack).everything()["LedgerTable"] == before
    assert visitor.check("events")["reason"] == "pending"

    assert visitor.confirm(answer.headers["location"]).status == 200
    given = visitor.check("events")
    assert (given["allowed"], given["reason"]) == (True, "given")
    (entry,) = Auditor(stack).entries(given["evidence"].split(".")[0])
    assert (entry.body["capability"], entry.body["collection"]) == ("confirm", "double opt-in")


def test_five_wrong_codes_and_the_right_one_is_refused_while_the_link_still_works(visitor: Visitor) -> None:
    waiting = visitor.waiting(visitor.sign_up("events"))
    code = visitor.code()

    assert [visitor.post(waiting, code=wrong(code, by)).status for by in range(1, 6)] == [422] * 5
    assert visitor.post(waiting, code=code).status == 429
    assert visitor.check("events")["reason"] == "pending"
    assert visitor.confirm().status == 200
    assert visitor.check("events")["reason"] == "given"


def test_a_code_opens_no_page_but_its_own(visitor: Visitor) -> None:
    visitor.sign_up("events")
    code = visitor.code()
    other = Visitor(visitor.stack)
    waiting = other.waiting(other.sign_up("events"))

    assert visitor.post(waiting, code=wrong(other.code()) if other.code() == code else code).status == 422
    assert other.post(waiting, code=other.code()).status == 303


def test_typing_codes_writes_counters_and_nothing_else(visitor: Visitor, stack: LocalStack) -> None:
    waiting = visitor.waiting(visitor.sign_up("events"))
    code = visitor.code()
    before = Auditor(stack).everything()
    visitor.post(waiting, code=wrong(code))
    visitor.post(waiting, code=code)
    after = Auditor(stack).everything()

    assert (after["SubjectsTable"], after["LedgerTable"]) == (before["SubjectsTable"], before["LedgerTable"])
    new = [item for item in after["TransientTable"] if item not in before["TransientTable"]]
    assert {item["pk"]["S"].split("#")[0] for item in new} == {"RL"}
    assert "2" in {item["n"]["N"] for item in new}
