"""What one form asks for, tells or stores is of its own controller, whatever somebody sends with it."""

import io
import json
import re
import zipfile
from typing import Any

import pytest

from consent_center.domain.policy import Policy
from consent_center.domain.recipient import TaskState
from consent_center.domain.subject import timestamp
from consent_center.usecases.answers_of_recipients import note_answer
from deployment import Answer, Deployment
from fakes.cases import InMemoryExports
from functional.test_brands import ADA, BRANDS, asked_as, house, letters_of, manage, post

__all__ = ["house"]


def posted(house: Deployment, brand: str, shown: dict[str, str] | None = None, **fields: str) -> Answer:
    page = house.page("get-subscribe", **asked_as(brand, **(shown or {})))
    form = re.search(r'name="form" value="([^"]+)"', page.body)
    assert form
    house.clock.move(seconds=2)
    return house.page(
        "post-subscribe", form={"email": ADA, "topic": BRANDS[brand][3], "form": form[1], **fields}, **asked_as(brand)
    )


def joined(house: Deployment, brand: str, shown: dict[str, str] | None = None, **fields: str) -> None:
    assert posted(house, brand, shown, **fields).status == 200
    letters_of(house)
    assert house.confirm(house.link("confirm")).status == 200
    letters_of(house)


def changed(policy: Policy, change: Any) -> Policy:
    raw = json.loads(json.dumps(policy.raw))
    change(raw)
    return Policy({**raw, "hash": "1" * 64})


def offline(house: Deployment, **more: Any) -> Answer:
    said = {"recipient": ADA, "purpose": "crime-letters", "topics": ["novels"], "language": "en", "method": "phone"}
    said |= {"collected_at": timestamp(house.clock() - 1000), "asked_by_person": True, **more}
    return house.api("post-offline-requests", body=json.dumps(said))


def answer_to(house: Deployment, right: str, controller: str) -> dict[str, str]:
    """The files of the answer to a request that staff filed."""
    house.services.exports = exports = InMemoryExports()
    filed = {"type": right, "email": ADA, "details": "", "method": "phone", "identity_checked": True}
    filed["received_at"] = timestamp(house.clock())
    case = post(house, "cases", **filed, controller=controller).json["id"]
    house.look()
    for task in house.cases.files[case].tasks:
        note_answer(
            case,
            task.recipient,
            TaskState.NOTHING_HELD,
            "manual",
            by="staff",
            cases=house.cases,
            orders=house.case_orders,
            clock=house.clock,
        )
    house.look()
    ((data, _),) = exports.kept.values()
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


def profile(house: Deployment) -> tuple[str | None, str | None, tuple[str, ...]]:
    (held,) = house.subjects.profiles.values()
    return held.name, held.company, held.interests


def test_what_a_form_does_not_ask_for_is_not_stored(house: Deployment) -> None:
    joined(house, "larder", name="Ada Able", company="Acme Works", interest="island")

    assert profile(house) == (None, None, ())


@pytest.mark.parametrize(("brand", "field", "given"), [("fjell", "name", "Ada Able"), ("noir", "interest", "island")])
def test_what_a_form_requires_is_demanded_and_nothing_is_stored_without_it(
    house: Deployment, brand: str, field: str, given: str
) -> None:
    def require(raw: dict[str, Any]) -> None:
        for form in (raw["form"], *raw["forms"]):
            for row in form["fields"]:
                row["required"] = True

    house.services.policy = changed(house.services.policy, require)

    refused = posted(house, brand, **({field: " "} if field == "name" else {}))
    assert (refused.status, f'id="{field}-error"' in refused.body) == (422, True)
    assert house.outbox.orders == []
    assert posted(house, brand, **{field: given}).status == 200


def test_staff_are_refused_what_the_form_of_the_purpose_does_not_ask_for(house: Deployment) -> None:
    refused = offline(house, name="Ada Able", company="Acme Works")

    assert refused.status == 422
    assert (refused.json["field"], "does not ask for it" in refused.json["detail"]) == ("/name", True)
    assert house.outbox.orders == []
    assert offline(house, purpose="trip-letters", topics=["trips"], name="Ada Able").status == 202


@pytest.mark.parametrize("right", ["access", "portability"])
def test_what_is_held_is_answered_also_where_no_form_of_the_controller_asks_for_it_any_more(
    house: Deployment, right: str
) -> None:
    before = house.services.policy

    def ask_for_all(raw: dict[str, Any]) -> None:
        (name,) = [row for form in raw["forms"] for row in form["fields"] if row["id"] == "name"]
        raw["form"]["fields"] += [name, {**name, "id": "company"}]

    house.services.policy = changed(before, ask_for_all)
    joined(house, "noir", name="Ada Able", company="Acme Works")
    house.services.policy = before

    files = answer_to(house, right, "havn")

    data = files["answer.json" if right == "access" else "data.csv"]
    assert ("Ada Able" in data, "Acme Works" in data) == (True, True)
    assert manage(house, "noir")
