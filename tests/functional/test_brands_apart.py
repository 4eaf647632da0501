"""What one form asks for, tells or stores is of its own controller, whatever somebody sends with it."""

import base64
import io
import json
import re
import zipfile
from typing import Any
from urllib.parse import parse_qsl

import pytest

from consent_center.domain.policy import Policy
from consent_center.domain.recipient import TaskState
from consent_center.domain.subject import timestamp
from consent_center.usecases.answers_of_recipients import note_answer
from consent_center.usecases.feedback import Happening, Report, take_report
from deployment import Answer, Deployment
from fakes.cases import InMemoryExports
from functional.test_brands import ADA, BRANDS, asked_as, check, house, letters_of, manage, post

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


@pytest.mark.parametrize(
    ("shown_by", "named", "posted_to", "noted"),
    [
        ("noir", "bookshop", "noir", "form:bookshop"),
        ("noir", "cabin", "noir", "form"),
        ("fjell", "cabin", "noir", "form"),
    ],
)
def test_a_source_is_noted_for_purposes_that_list_it_alone(
    house: Deployment, shown_by: str, named: str, posted_to: str, noted: str
) -> None:
    page = house.page("get-subscribe", **asked_as(shown_by, source=named))
    form = re.search(r'name="form" value="([^"]+)"', page.body)
    assert form
    house.clock.move(seconds=2)
    fields = {"email": ADA, "topic": BRANDS[posted_to][3], "form": form[1]}
    assert house.page("post-subscribe", form=fields, **asked_as(posted_to)).status == 200
    letters_of(house)
    assert house.confirm(house.link("confirm")).status == 200

    (entry,) = house.subjects.entry_of.values()
    assert entry.body["source"] == noted


def test_links_keep_their_brand_when_another_becomes_the_default(house: Deployment) -> None:
    joined(house, "noir")
    links = [link for letter in house.mailer.letters for link in re.findall(r"/preferences\?[^\s>)]+", letter.text)]

    def make_fjell_the_default(raw: dict[str, Any]) -> None:
        (fjell,) = [form for form in raw["forms"] if form["purpose"] == "trip-letters"]
        raw["forms"] = [raw["form"], *(form for form in raw["forms"] if form is not fjell)]
        raw["form"] = fjell

    house.services.policy = changed(house.services.policy, make_fjell_the_default)

    assert house.services.policy.default_brand.id == "fjell"
    assert links
    for link in links:
        query = dict(parse_qsl(link.partition("?")[2]))
        assert "Noir Club" in house.preferences("get-lost-link", queryStringParameters=query).text


def test_an_old_link_is_answered_in_the_name_of_its_controller(house: Deployment) -> None:
    joined(house, "fjell")
    token = manage(house, "fjell")
    house.clock.move(seconds=4_000)

    answer = house.preferences("post-lost-link", form={"link": token})

    assert (answer.status, "Fjell" in answer.text, "Noir" in answer.text) == (200, True, False)
    letters_of(house)
    assert house.mailer.letters[-1].sender_name == "Fjell"


def test_a_text_that_is_no_link_is_refused_however_deep_it_is(house: Deployment) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 3_000).decode().rstrip("=")

    assert house.preferences("post-lost-link", form={"link": f"v1.x.{deep}.x"}).status == 400


@pytest.mark.parametrize("happening", [Happening.COMPLAINT, Happening.HARD_BOUNCE])
@pytest.mark.parametrize("shared", [("noir", "larder"), ("noir", "larder", "fjell")])
def test_a_report_without_a_token_reaches_every_brand_with_that_sender(
    house: Deployment, happening: Happening, shared: tuple[str, ...]
) -> None:
    def share(raw: dict[str, Any]) -> None:
        for brand in raw["brands"]:
            if brand["id"] in shared:
                brand["sender"]["address"] = "post@books.example.com"

    house.services.policy = changed(house.services.policy, share)
    for brand in BRANDS:
        joined(house, brand)
    services = house.services

    report = Report(happening, house.clock() + 1_000, (), (ADA,), "Post@books.example.com")
    take_report(
        report,
        policy=services.policy,
        subjects=services.subjects,
        addresses=services.addresses,
        secrets=services.secrets,
        chance=services.chance,
        clock=services.clock,
        pause=services.pause,
    )

    assert {brand for brand in BRANDS if check(house, brand)["reason"] != "given"} == set(shared)
