"""Two controllers and three brands in one deployment: each shows its own name, and nothing crosses between them."""

import io
import json
import re
import zipfile
from typing import Any
from urllib.parse import parse_qsl

import pytest

import audience_worker.app
import several_brands
from builders import PEOPLE
from consent_center.adapters.addresses import parse_address
from consent_center.domain.case import Right
from consent_center.domain.decision import DecisionState
from consent_center.domain.importing import Evidence, ImportedRow
from consent_center.domain.policy import Policy
from consent_center.domain.recipient import TaskState
from consent_center.domain.statistics import cells_of_entry
from consent_center.domain.subject import timestamp
from consent_center.ports.exchange import Import
from consent_center.usecases.answers_of_recipients import note_answer
from consent_center.usecases.feedback import take_mail
from consent_center.usecases.suppress import erase
from deployment import CONTEXT, Answer, Deployment
from fakes.cases import InMemoryExports

ADA = PEOPLE[0]

BRANDS = {
    "noir": ("Noir Club", "Havn Forlag A/S", "crime-letters", "novels", "#5a1a33"),
    "larder": ("The Larder", "Havn Forlag A/S", "recipe-letters", "recipes", "#8a4b00"),
    "fjell": ("Fjell", "Fjell Sport AS", "trip-letters", "trips", "#1b5e3a"),
}
"""Name, controller, purpose, topic and colour of each."""

OF_HAVN = ("Noir", "Larder", "Havn", "Ditte", "noir.example.com", "larder.example.com", "novel", "recipe", "Trykkeriet")
OF_FJELL = ("Fjell", "fjell.example.org", "Nora", "trip", "boots", "Baereriet")


def foreign(brand: str) -> tuple[str, ...]:
    """Words of the other controller, which may stand on no page and in no letter of this one."""
    return OF_HAVN if brand == "fjell" else OF_FJELL


def said_of_others(text: str, brand: str) -> list[str]:
    return [word for word in foreign(brand) if word.lower() in text.lower()]


@pytest.fixture
def house(deployment: Deployment) -> Deployment:
    several_brands.run_on(deployment.services, several_brands.compiled())
    return deployment


@pytest.fixture
def policy(house: Deployment) -> Policy:
    return house.services.policy


def asked_as(brand: str, **more: str) -> dict[str, Any]:
    return {"queryStringParameters": {"brand": brand, **more}}


def sign_up(house: Deployment, brand: str, email: str = ADA) -> Answer:
    page = house.page("get-subscribe", **asked_as(brand))
    form = re.search(r'name="form" value="([^"]+)"', page.body)
    assert form
    house.clock.move(seconds=2)
    fields = {"email": email, "topic": BRANDS[brand][3], "form": form[1]}
    return house.page("post-subscribe", form=fields, **asked_as(brand))


def letters_of(house: Deployment) -> None:
    assert house.deliver() == {"batchItemFailures": []}
    house.outbox.orders.clear()


def subscribed(house: Deployment, *brands: str, email: str = ADA) -> None:
    for brand in brands:
        assert sign_up(house, brand, email).status == 200
        letters_of(house)
        assert house.confirm(house.link("confirm")).status == 200
        house.clock.move(seconds=60)
        letters_of(house)


def manage(house: Deployment, brand: str, email: str = ADA) -> str:
    assert house.preferences("post-lost-link", form={"email": email}, **asked_as(brand)).status == 200
    letters_of(house)
    return house.link("preferences")


def press(house: Deployment, token: str, brand: str, **form: str) -> Answer:
    answer = house.preferences("post-preferences", token, form=form, **asked_as(brand))
    if answer.status != 303:
        return answer
    query = dict(parse_qsl(answer.headers["location"].partition("?")[2]))
    return house.preferences("get-preferences", token, queryStringParameters=query)


def check(house: Deployment, brand: str, email: str = ADA) -> dict[str, Any]:
    _, _, purpose, topic, _ = BRANDS[brand]
    found: dict[str, Any] = house.check(email, purpose=purpose, topic=topic).json["results"][0]
    return found


def reasons(house: Deployment) -> list[str]:
    return [check(house, brand)["reason"] for brand in BRANDS]


def post(house: Deployment, name: str, **body: Any) -> Answer:
    return house.api(f"post-{name}", body=json.dumps(body))


# ---- What each brand shows --------------------------------------------------------------------------------------


@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize(
    ("app", "event"),
    [
        *(("page", f"get-{name}") for name in ("home", "subscribe", "notice", "favicon")),
        *(("preferences", name) for name in ("get-lost-link", "rights-get")),
    ],
)
def test_a_page_is_its_brands_own_and_leads_to_pages_of_the_same(
    house: Deployment, brand: str, app: str, event: str
) -> None:
    page = getattr(house, app)(event, **asked_as(brand))
    name, controller, _, _, colour = BRANDS[brand]

    assert page.status == 200
    assert colour in page.body
    assert said_of_others(page.text, brand) == []
    if event != "get-favicon":
        assert name in page.text
        assert controller in page.text
        links = re.findall(r'href="(/[^"]*)"', page.text)
        assert links
        assert [link for link in links if f"brand={brand}" not in link] == []


def test_pages_that_name_no_brand_are_the_default_ones(house: Deployment) -> None:
    assert "Noir Club" in house.page("get-home").text
    assert "Noir Club" in house.preferences("rights-get").text


@pytest.mark.parametrize(
    ("app", "event"),
    [
        *(("page", f"get-{name}") for name in ("home", "subscribe", "notice", "notice-version")),
        ("page", "post-subscribe"),
        *(("preferences", name) for name in ("get-lost-link", "post-lost-link", "rights-get")),
    ],
)
def test_whoever_asks_for_a_brand_that_is_not_there_is_shown_no_other(house: Deployment, app: str, event: str) -> None:
    page = getattr(house, app)(event, form={"email": ADA}, **asked_as("nobody"))

    assert page.status == 404
    assert house.outbox.orders == []
    assert "<form" not in page.body


def test_a_brand_without_a_form_has_pages_and_no_sign_up(house: Deployment, policy: Policy) -> None:
    house.services.policy = Policy({**policy.raw, "forms": [], "hash": "0" * 64})

    assert house.page("get-subscribe", **asked_as("larder")).status == 404
    home = house.page("get-home", **asked_as("larder"))
    assert (home.status, "The Larder" in home.text, "/subscribe" in home.body) == (200, True, False)


@pytest.mark.parametrize("brand", BRANDS)
def test_every_letter_and_every_page_behind_it_is_the_brands_own(house: Deployment, brand: str) -> None:
    name, controller, purpose, topic, colour = BRANDS[brand]
    waiting = sign_up(house, brand)
    letters_of(house)
    confirm = house.link("confirm")
    pages = [waiting, house.page("get-confirm", confirm), house.confirm(confirm)]
    pages += [house.page("get-not-me", house.link("not-me"))]
    house.clock.move(seconds=60)
    letters_of(house)
    token = manage(house, brand)
    pages += [
        house.preferences(f"get-{one}", token, **asked_as(brand)) for one in ("preferences", "history", "address")
    ]
    answer = check(house, brand)
    stop = answer["headers"]["List-Unsubscribe"].partition(">")[0].rsplit("/", 1)[1]
    pages += [house.page("get-unsubscribe", stop), house.preferences("get-why", answer["why_url"].rsplit("/", 1)[1])]
    pages += [house.page("post-unsubscribe-page", stop, form={"by": "page"})]
    cut_off = house.page("get-unsubscribe", stop[:-4])
    assert (cut_off.status, controller in cut_off.text, said_of_others(cut_off.text, brand)) == (400, True, [])

    for page in pages:
        assert name in page.text
        assert colour in page.body
        assert said_of_others(page.text, brand) == []
    assert len(house.mailer.letters) == 3
    for letter in house.mailer.letters:
        assert (letter.sender_name, name in letter.text, controller in letter.text) == (name, True, True)
        assert colour in letter.html
        assert said_of_others(letter.text + letter.html + repr(letter.headers), brand) == []
        own = re.findall(r"https://consent\.example\.com/[^\s>)]+", letter.text)
        assert own
        assert [link for link in own if f"brand={brand}" not in link] == []
    assert answer["headers"]["List-Id"].endswith(f"{topic}.{letter.sender_address.partition('@')[2]}>")
    assert purpose


def test_what_was_seen_of_a_notice_is_the_hash_of_the_controllers_own(house: Deployment, policy: Policy) -> None:
    subscribed(house, "noir", "fjell")
    first, second = [entry.body for entry in house.subjects.entry_of.values() if entry.kind == "given"]

    assert first["notice_hash"] == policy.notice_hash("2026-12-01", "en", "havn")
    assert second["notice_hash"] == policy.notice_hash("2026-12-01", "en", "fjell")
    assert first["notice_hash"] != second["notice_hash"]


def test_a_controller_has_one_preference_page_for_each_brand_and_the_others_a_press_away(house: Deployment) -> None:
    subscribed(house, "noir", "larder", "fjell")
    token = manage(house, "larder")
    assert house.mailer.letters[-1].sender_name == "The Larder"
    page = house.preferences("get-preferences", token, **asked_as("larder"))

    assert "Recipes" in page.text
    assert "New crime novels" not in page.text
    assert "It stops our other brands too." in page.text
    other = re.search(r'href="(/preferences/[^"]*brand=noir)"', page.text)
    assert other
    noir = house.preferences("get-preferences", token, **asked_as("noir"))
    assert "New crime novels" in noir.text
    assert ("Planning how many books" in noir.text, "Planning how many books" in page.text) == (True, True)
    stranger = house.preferences("get-preferences", token, **asked_as("fjell"))
    assert "Noir Club" in stranger.text, "a brand of somebody else counts for nothing"
    assert said_of_others(stranger.text + page.text + noir.text, "noir") == []
    pressed = press(house, token, "larder", do="stop", purpose="recipe-letters", topic="recipes")
    assert "“Recipes” stops now." in pressed.text
    assert "The Larder" in pressed.text


# ---- What binds a controller, and nobody else -------------------------------------------------------------------


def test_a_withdrawal_is_of_one_brand_and_an_objection_binds_all_of_the_controller(house: Deployment) -> None:
    subscribed(house, *BRANDS)
    token = manage(house, "noir")
    press(house, token, "noir", do="stop", purpose="crime-letters", topic="novels")
    assert reasons(house) == ["withdrawn", "given", "given"]

    press(house, token, "noir", do="object", to="direct-marketing")
    assert reasons(house) == ["objected", "objected", "given"]


def test_stop_everything_ends_at_the_controller(house: Deployment) -> None:
    subscribed(house, *BRANDS)
    press(house, manage(house, "fjell"), "fjell", do="stop_everything")

    assert reasons(house) == ["given", "given", "withdrawn"]


@pytest.mark.parametrize(
    "form",
    [
        {"do": "stop", "purpose": "trip-letters", "topic": "trips"},
        {"do": "take_back", "purpose": "trip-letters", "topic": "trips"},
        {"do": "object", "to": "path-repairs"},
        {"do": "start", "purpose": "trip-letters", "topic": "trips"},
    ],
)
def test_a_press_about_another_controllers_purpose_changes_nothing_anywhere(
    house: Deployment, form: dict[str, str]
) -> None:
    subscribed(house, "noir", "fjell")
    token = manage(house, "noir")
    before = dict(house.subjects.subjects)
    answer = press(house, token, "noir", **form)

    assert answer.status in (200, 422)
    assert house.subjects.subjects == before
    assert house.outbox.orders == []
    assert check(house, "fjell")["reason"] == "given"


def test_a_topic_of_one_brand_cannot_be_asked_for_on_the_form_of_another(house: Deployment) -> None:
    page = house.page("get-subscribe", **asked_as("larder"))
    form = re.search(r'name="form" value="([^"]+)"', page.body)
    assert form
    house.clock.move(seconds=2)
    fields = {"email": ADA, "topic": "trips", "form": form[1]}

    assert house.page("post-subscribe", form=fields, **asked_as("larder")).status == 422
    assert house.outbox.orders == []


def test_a_link_of_one_controller_opens_nothing_of_the_other(house: Deployment) -> None:
    subscribed(house, "noir", "fjell")
    history = house.preferences("get-history-json", manage(house, "noir")).json

    assert {change["purpose"] for event in history["events"] for change in event["changes"]} == {"crime-letters"}
    assert said_of_others(json.dumps(history), "noir") == []


@pytest.mark.parametrize("right", [Right.OBJECTION, Right.RESTRICTION, Right.ERASURE, Right.ACCESS])
def test_a_right_is_asked_of_one_controller_and_answered_by_it(house: Deployment, right: Right) -> None:
    subscribed(house, *BRANDS)
    house.mailer.letters.clear()
    form = re.search(r'name="form" value="([^"]+)"', house.preferences("rights-get", **asked_as("fjell")).body)
    assert form
    house.clock.move(seconds=2)
    fields = {"type": right.value, "email": ADA, "form": form[1], "ground": "a"}
    asked = house.preferences("rights-post", form=fields, **asked_as("fjell"))
    assert (asked.status, "Fjell" in asked.text) == (200, True)

    (file,) = house.cases.files.values()
    assert (file.case.contact.controller, file.case.jurisdiction) == ("fjell", "NO")
    house.look()
    letters_of(house)
    token = house.link("rights/verify")
    proof = house.preferences("rights-get-verify", token)
    status = house.preferences("rights-post-verify", token, form={}).headers["location"].partition("?")[0]
    shown = house.preferences("rights-get-status", status.rsplit("/", 1)[1])
    letters_of(house)
    assert reasons(house)[:2] == ["given", "given"]
    if right is not Right.ACCESS:
        assert reasons(house)[2] in ("objected", "restricted")
    for text in (proof.text, shown.text, *(letter.text for letter in house.mailer.letters)):
        assert "Fjell" in text
        assert said_of_others(text, "fjell") == []
    assert {letter.sender_name for letter in house.mailer.letters} == {"Fjell"}


def test_the_rights_form_offers_what_the_controller_does(house: Deployment) -> None:
    ours = house.preferences("rights-get", **asked_as("larder"))

    assert 'value="print-runs"' in ours.body
    assert 'value="path-repairs"' not in ours.body
    named = {"type": "objection", "email": ADA, "scope": "path-repairs", "form": "x"}
    form = re.search(r'name="form" value="([^"]+)"', ours.body)
    assert form
    house.clock.move(seconds=2)
    answer = house.preferences("rights-post", form={**named, "form": form[1]}, **asked_as("larder"))
    assert answer.status == 422
    assert not house.cases.files


# ---- What staff and other systems ask ---------------------------------------------------------------------------

STAFF = {
    "lookup": {"recipient": ADA},
    "retention-answers": {"recipient": ADA},
    "suppressions": {"recipient": ADA},
    "restrictions": {"recipient": ADA, "ground": "a", "note": "They say so."},
    "holds": {"recipient": ADA, "interest": "controller", "reason": "A claim.", "until": "2027-06-01T00:00:00Z"},
    "holds-lift": {"recipient": ADA, "number": 2, "reason": "Over."},
    "restrictions-lift": {
        "recipient": ADA,
        "number": 2,
        "note": "Over.",
        "person_told_at": "2026-12-01T00:00:00Z",
    },
    "decisions": {"recipient": ADA, "decision": "objected", "objection": "direct-marketing"},
    "cases": {"type": "access", "email": ADA, "method": "phone", "identity_checked": False},
}


@pytest.mark.parametrize("name", STAFF)
def test_staff_have_to_say_which_controller_they_mean_where_there_are_several(house: Deployment, name: str) -> None:
    subscribed(house, "noir", "fjell")
    before = dict(house.subjects.subjects)
    body = {**STAFF[name], **({"received_at": timestamp(house.clock())} if name == "cases" else {})}

    missing, wrong = post(house, name, **body), post(house, name, **body, controller="nobody")
    assert (missing.status, missing.json["field"]) == (422, "/controller")
    assert "several controllers" in missing.json["detail"]
    assert (wrong.status, wrong.json["field"], wrong.json["type"][-12:]) == (422, "/controller", "unknown-name")
    assert house.subjects.subjects == before
    assert not house.cases.files


def test_what_staff_look_up_and_do_stays_with_the_controller_that_they_name(house: Deployment) -> None:
    subscribed(house, *BRANDS)
    found = post(house, "lookup", recipient=ADA, controller="fjell").json
    assert {row["purpose"] for row in found["permissions"]} == {"trip-letters", "path-repairs"}
    kept = post(house, "retention-answers", recipient=ADA, controller="fjell")
    assert said_of_others(kept.body, "fjell") == []
    wrong = post(house, "restrictions", **{**STAFF["restrictions"], "controller": "fjell", "purposes": ["print-runs"]})
    assert (wrong.status, wrong.json["field"]) == (422, "/purpose")

    assert post(house, "suppressions", recipient=ADA, controller="fjell").status == 200
    assert reasons(house) == ["given", "given", "suppressed"]
    assert post(house, "restrictions", **STAFF["restrictions"], controller="havn").status == 200
    assert reasons(house) == ["restricted", "restricted", "suppressed"]


def test_an_objection_that_staff_record_binds_the_controller_that_they_name(house: Deployment) -> None:
    subscribed(house, *BRANDS)
    assert post(house, "decisions", **STAFF["decisions"], controller="havn").status == 200
    assert reasons(house) == ["objected", "objected", "given"]
    said = {"recipient": ADA, "decision": "withdrawn", "purpose": "trip-letters"}
    wrong = post(house, "decisions", **said, controller="havn")
    assert (wrong.status, wrong.json["field"]) == (422, "/controller")
    assert post(house, "decisions", **said).status == 200, "a purpose says whose it is"
    assert reasons(house) == ["objected", "objected", "withdrawn"]


def test_the_list_of_cases_says_whose_each_is_and_shows_one_controllers_alone(house: Deployment) -> None:
    filed = {**STAFF["cases"], "received_at": timestamp(house.clock())}
    for controller in ("havn", "fjell"):
        assert post(house, "cases", **filed, controller=controller).json["controller"] == controller
    unknown = post(house, "cases", **{**filed, "type": "objection", "purposes": ["path-repairs"]}, controller="havn")
    assert (unknown.status, unknown.json["field"]) == (422, "/purpose")

    def listed(**query: str) -> list[str]:
        answer = house.api("get-cases", queryStringParameters=query)
        return [case["controller"] for case in answer.json["cases"]]

    assert sorted(listed()) == ["fjell", "havn"]
    assert listed(controller="fjell") == ["fjell"]
    assert house.api("get-cases", queryStringParameters={"controller": "nobody"}).status == 422


def test_an_address_at_two_controllers_is_two_strangers(house: Deployment) -> None:
    subscribed(house, "noir", "fjell")
    known = {contact.controller: contact.pseudonym for contact in house.subjects.subjects}

    assert set(known) == {"havn", "fjell"}
    assert known["havn"] != known["fjell"]
    chains = {subject.chain for subject in house.subjects.subjects.values()}
    assert len(chains) == 2


# ---- Files, jobs and numbers ------------------------------------------------------------------------------------


def erased(house: Deployment, controller: str, *, keep_fingerprint: bool) -> bool:
    services = house.services
    return erase(
        parse_address(ADA),
        keep_fingerprint=keep_fingerprint,
        source="operator",
        client="operator",
        controller=controller,
        policy=services.policy,
        subjects=services.subjects,
        secrets=services.secrets,
        chance=services.chance,
        clock=services.clock,
        pause=services.pause,
    )


@pytest.mark.parametrize(("keeps", "then"), [(True, "suppressed"), (False, "no_record")])
def test_an_erasure_leaves_what_the_other_controller_holds(house: Deployment, keeps: bool, then: str) -> None:
    subscribed(house, *BRANDS)
    others = {contact: one for contact, one in house.subjects.subjects.items() if contact.controller == "havn"}
    assert erased(house, "fjell", keep_fingerprint=keeps)

    assert reasons(house) == ["given", "given", then]
    assert {contact: house.subjects.subjects[contact] for contact in others} == others
    assert erased(house, "havn", keep_fingerprint=False)
    assert reasons(house) == ["no_record", "no_record", then]


def test_the_answer_of_one_controller_holds_nothing_of_the_other(house: Deployment) -> None:
    subscribed(house, *BRANDS)
    exports = InMemoryExports()
    house.services.exports = exports
    filed = {**STAFF["cases"], "identity_checked": True, "received_at": timestamp(house.clock())}
    case = post(house, "cases", **filed, controller="fjell").json["id"]
    assert house.look() == {"batchItemFailures": []}
    (task,) = house.cases.files[case].tasks
    assert task.recipient == "porter", "who has data from the other controller is not asked"
    note_answer(
        case,
        "porter",
        TaskState.NOTHING_HELD,
        "manual",
        by="staff",
        cases=house.cases,
        orders=house.case_orders,
        clock=house.clock,
    )
    assert house.look() == {"batchItemFailures": []}

    ((data, _),) = exports.kept.values()
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        texts = {name: file.read(name).decode() for name in file.namelist()}
    assert "Trips" in texts["answer.json"]
    assert json.loads(texts["answer.json"])["controller"]["name"] == "Fjell Sport AS"
    assert [(name, found) for name, text in texts.items() if (found := said_of_others(text, "fjell"))] == []


def test_an_audience_is_of_one_controllers_people(house: Deployment) -> None:
    house.settings["AUDIENCE_PURPOSES"] = "crime-letters,trip-letters"
    subscribed(house, "noir")
    subscribed(house, "fjell", email=PEOPLE[1])
    house.job("audience")
    body = [json.dumps({**run._asdict(), "shard": shard}) for run, shard in house.audience_orders.ordered]
    record = house.event("audience_worker/parts")["Records"][0]
    records = [{**record, "messageId": f"message-{number}", "body": one} for number, one in enumerate(body)]
    audience_worker.app.lambda_handler({"Records": records}, CONTEXT)  # type: ignore[arg-type]

    made = {run.purpose: json.loads(text) for run, text in house.audiences.manifests.items()}
    assert {purpose: one["included"] for purpose, one in made.items()} == {"crime-letters": 1, "trip-letters": 1}
    rows = {run.purpose: row for (run, _), rows in house.audiences.rows.items() for row in map(json.loads, rows)}
    assert {purpose: row["address"] for purpose, row in rows.items()} == {
        "crime-letters": ADA,
        "trip-letters": PEOPLE[1],
    }


def test_an_import_lowers_and_raises_with_one_controller_alone(house: Deployment) -> None:
    subscribed(house, *BRANDS)
    about = Import("trip-letters", "list-team", house.clock(), 1, 1, True, "fair", (), "2026-12-01", "en")
    house.imports.kept["import-1"] = about
    row = ImportedRow(2, ADA, DecisionState.WITHDRAWN)
    house.imports.parts["import-1", 1] = [row.written(Evidence())]
    assert house.carry_out(json.dumps({"import": "import-1", "part": 1})) == {"batchItemFailures": []}

    assert reasons(house) == ["given", "given", "withdrawn"]


def test_what_happened_counts_for_its_controller_and_brand(house: Deployment) -> None:
    subscribed(house, *BRANDS)
    press(house, manage(house, "noir"), "noir", do="object", to="direct-marketing")
    cells = [cell for entry in house.subjects.entry_of.values() for cell in cells_of_entry(entry.body)]

    assert {(one.controller, one.brand, one.purpose) for one in cells if one.measure == "given"} == {
        ("havn", "noir", "crime-letters"),
        ("havn", "larder", "recipe-letters"),
        ("fjell", "fjell", "trip-letters"),
    }
    assert {one.controller for one in cells if one.measure == "objected"} == {"havn"}


def test_a_mail_to_a_brands_stop_address_stops_its_controllers_letters(house: Deployment) -> None:
    subscribed(house, *BRANDS)
    mail = "\r\n".join(
        [
            f"From: {ADA}",
            "To: stop@larder.example.com",
            "Subject: unsubscribe",
            "X-SES-Spam-Verdict: PASS",
            "X-SES-Virus-Verdict: PASS",
            "Authentication-Results: amazonses.com; dmarc=pass header.from=example.com",
            "",
            "stop",
        ]
    )
    take_mail(
        mail.encode(),
        house.clock(),
        words=house.services.stop_words,
        policy=house.services.policy,
        subjects=house.subjects,
        addresses=parse_address,
        secrets=house.services.secrets,
        chance=house.services.chance,
        clock=house.clock,
        pause=house.services.pause,
    )

    assert reasons(house) == ["withdrawn", "withdrawn", "given"]
