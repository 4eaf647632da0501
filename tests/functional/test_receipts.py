"""Receipts and the history to take away, from the person's pages; and the letter that brings one."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

import delivery_worker.app
import subscription_links.app
from builders import NAMES, PEOPLE
from consent_center.domain.chain import canonical
from consent_center.domain.errors import UnavailableError
from deployment import CONTEXT, Answer, Deployment

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/receipt.schema.json").read_text())


def receipt_of(deployment: Deployment, token: str, seq: object = 1) -> Answer:
    return deployment.preferences("get-receipt-file", token, **at(token, seq, "/file"))


def page_of(deployment: Deployment, token: str, seq: object = 1, **query: str) -> Answer:
    return deployment.preferences("get-receipt", token, **at(token, seq), queryStringParameters=query)


def at(token: str, seq: object, file: str = "") -> dict[str, Any]:
    return {
        "rawPath": f"/preferences/{token}/receipts/{seq}{file}",
        "pathParameters": {"token": token, "seq": str(seq)},
    }


def payload_of(jws: str) -> Any:
    body = jws.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def processes(receipt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {process["dpv:hasPurpose"][0]["dpv:hasIdentifier"]: process for process in receipt["dpv:hasProcess"]}


# ---- The file ---------------------------------------------------------------------------------------------------


def test_a_receipt_has_every_mandatory_field_and_names_nobody(deployment: Deployment) -> None:
    token = deployment.subscribed("product-news", "events")
    answer = receipt_of(deployment, token)
    receipt = answer.json

    assert answer.status == 200
    Draft202012Validator(SCHEMA).validate(receipt)
    assert receipt["@type"] == ["dpv:ConsentReceipt", "dpv:ConsentRecord"]
    assert "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr" in receipt["dct:conformsTo"]
    (process,) = receipt["dpv:hasProcess"]
    assert process["cc:event"][0]["dpv:hasConsentStatus"] == "dpv:ConsentGiven"
    assert [topic["dpv:hasIdentifier"] for topic in process["dpv:hasPurpose"][0]["skos:narrower"]] == [
        "product-news",
        "events",
    ]
    assert len(receipt["cc:evidence"]["cc:wording"]) == 4
    for nobody in (*PEOPLE, *NAMES, "192.0.2"):
        assert nobody not in answer.body


def test_the_signature_covers_every_word_of_the_receipt(deployment: Deployment) -> None:
    receipt = receipt_of(deployment, deployment.subscribed()).json
    jws = receipt.pop("jws")

    assert payload_of(jws) == receipt
    assert base64.urlsafe_b64decode(jws.split(".")[1] + "==") == canonical(receipt)
    header = json.loads(base64.urlsafe_b64decode(jws.split(".")[0] + "=="))
    assert header == {"alg": "RS256", "kid": "receipts-1", "typ": "JOSE"}


def test_the_same_receipt_twice_is_the_same_bytes_and_another_event_another_receipt(deployment: Deployment) -> None:
    token = deployment.subscribed("product-news", "events")
    first = receipt_of(deployment, token).body
    deployment.press(token, do="stop", purpose="direct-marketing-email", topic="events")
    deployment.clock.move(seconds=100)
    again, other = receipt_of(deployment, token).body, receipt_of(deployment, token, 2).json

    assert again == first
    assert other["dpv:hasIdentifier"] != json.loads(first)["dpv:hasIdentifier"]
    assert other["dpv:hasDataSubject"] == json.loads(first)["dpv:hasDataSubject"]


def test_every_kind_of_event_has_a_receipt_and_an_interest_is_not_called_a_consent(deployment: Deployment) -> None:
    token = deployment.subscribed("product-news")
    for press in (
        {"do": "pause", "purpose": "direct-marketing-email", "period": "1.0"},
        {"do": "stop", "purpose": "direct-marketing-email", "topic": "product-news"},
        {"do": "object", "to": "statistics"},
        {"do": "object", "to": "profiling"},
        {"do": "allow", "to": "profiling"},
    ):
        assert deployment.press(token, **press).status == 200
    assert deployment.kinds() == ["given", "preferences", "withdrawn", "objected", "objected", "lifted"]
    receipts = [receipt_of(deployment, token, seq).json for seq in range(1, 7)]
    for receipt in receipts:
        Draft202012Validator(SCHEMA).validate(receipt)

    states = [{process["cc:event"][0]["cc:state"] for process in one["dpv:hasProcess"]} for one in receipts]
    assert states == [
        {"dpv:ConsentGiven"},
        {"cc:PreferenceChanged"},
        {"dpv:ConsentWithdrawn"},
        {"cc:ObjectionRaised"},
        {"cc:ObjectionRaised"},
        {"cc:ObjectionLifted"},
    ]
    for interest in receipts[3:]:
        assert interest["@type"] == ["dpv:DataProcessingRecord"]
        assert "ConsentGiven" not in json.dumps(interest)
        assert "27560" not in json.dumps(interest["dct:conformsTo"])
    said = {name: value for name, value in receipts[3].items() if name not in ("@context", "jws")}
    assert "Consent" not in json.dumps(said)
    assert processes(receipts[4])["profiling"]["dpv:hasLegalBasis"][1] == "eu-gdpr:A6-1-f"


def test_an_objection_to_all_marketing_tells_each_consent_that_it_ended(deployment: Deployment) -> None:
    token = deployment.subscribed("product-news")
    deployment.press(token, do="object", to="direct-marketing")
    receipt = receipt_of(deployment, token, 2).json

    Draft202012Validator(SCHEMA).validate(receipt)
    states = [process["cc:event"][0]["cc:state"] for process in receipt["dpv:hasProcess"]]
    assert {"cc:ObjectionRaised", "dpv:ConsentWithdrawn"} == set(states)


@pytest.mark.parametrize("path", [*(([name],) for name in SCHEMA["required"])], ids=lambda path: str(path[0]))
def test_the_schema_notices_a_mandatory_field_that_is_missing(deployment: Deployment, path: list[Any]) -> None:
    receipt = receipt_of(deployment, deployment.subscribed()).json
    del receipt[path[0][0]]

    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(receipt)


def test_the_schema_notices_what_is_missing_in_a_process_a_party_or_an_event(deployment: Deployment) -> None:
    whole = receipt_of(deployment, deployment.subscribed()).body
    definitions = SCHEMA["$defs"]
    for part, name in (
        *(("process", name) for name in [*definitions["process"]["required"], "dpv:hasConsentControl"]),
        *(("party", name) for name in definitions["party"]["required"]),
        *(("event", name) for name in definitions["event"]["required"]),
    ):
        receipt = json.loads(whole)
        process = receipt["dpv:hasProcess"][0]
        parts = {
            "process": process,
            "party": receipt["dpv:hasEntity"]["fjordmeter"],
            "event": process["cc:event"][0],
        }
        del parts[part][name]
        with pytest.raises(ValidationError):
            Draft202012Validator(SCHEMA).validate(receipt)


def test_a_receipt_is_a_file_that_is_neither_kept_nor_shown_nor_named_after_anybody(deployment: Deployment) -> None:
    headers = receipt_of(deployment, deployment.subscribed()).headers

    assert headers["content-disposition"] == 'attachment; filename="receipt-1.json"'
    assert headers["content-type"] == "application/ld+json; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("seq", ["2", "0", "99999999999999999999", "-1", "one", "1.0", "²"])
def test_an_event_that_there_is_not_has_no_receipt(deployment: Deployment, seq: str) -> None:
    token = deployment.subscribed()

    assert receipt_of(deployment, token, seq).status == 404
    assert page_of(deployment, token, seq).status == 404


def test_nobody_gets_a_receipt_by_another_link_or_too_late(deployment: Deployment) -> None:
    token = deployment.subscribed()

    assert receipt_of(deployment, deployment.stop_link()).status == 400
    deployment.clock.move(seconds=3600)
    assert receipt_of(deployment, token).status == 410


def test_while_nobody_can_sign_the_file_is_asked_for_again_later_and_the_page_still_reads(
    deployment: Deployment,
) -> None:
    token = deployment.subscribed()
    deployment.receipt_signer.refuses = True

    answer = receipt_of(deployment, token)
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    assert "jws" not in answer.body
    assert page_of(deployment, token).status == 200


def test_looking_at_receipts_changes_nothing(deployment: Deployment) -> None:
    token = deployment.subscribed()
    before = (dict(deployment.subjects.subjects), dict(deployment.subjects.entry_of), list(deployment.outbox.orders))
    for name in ("receipt", "receipt-file", "history-json", "history-csv", "history", "keys"):
        for method in ("get", "head"):
            assert deployment.preferences(f"{method}-{name}", token).status == 200

    assert before == (deployment.subjects.subjects, deployment.subjects.entry_of, deployment.outbox.orders)


# ---- The page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Consent given"), ("da", "Samtykke givet"), ("nb", "Samtykke gitt"), ("de", "Einwilligung gegeben")],
)
def test_the_receipt_can_be_read_in_each_language(deployment: Deployment, language: str, said: str) -> None:
    token = deployment.subscribed("events")
    page = page_of(deployment, token, lang=language)

    assert page.status == 200
    assert said in page.text
    assert f'lang="{language}"' in page.body
    assert f"/preferences/{token}/receipts/1/file" in page.text
    assert PEOPLE[0] not in page.text


def test_history_and_rows_lead_to_the_receipts(deployment: Deployment) -> None:
    token = deployment.subscribed("events")
    deployment.press(token, do="stop", purpose="direct-marketing-email", topic="events")

    history = deployment.preferences("get-history", token).text
    assert f"/preferences/{token}/receipts/1?lang=en" in history
    assert f"/preferences/{token}/receipts/2?lang=en" in history
    assert f"/preferences/{token}/history.json" in history
    assert f"/preferences/{token}/receipts/2?lang=en" in deployment.preferences("get-preferences", token).text


def test_an_objection_leads_to_its_receipt(deployment: Deployment) -> None:
    token = deployment.subscribed("events")
    deployment.press(token, do="object", to="statistics")
    deployment.press(token, do="object", to="direct-marketing")
    page = deployment.preferences("get-preferences", token).text

    assert f"/preferences/{token}/receipts/2?lang=en" in page
    assert f"/preferences/{token}/receipts/3?lang=en" in page


# ---- The history ------------------------------------------------------------------------------------------------


def test_the_history_goes_with_the_person_as_json(deployment: Deployment) -> None:
    token = deployment.subscribed("events")
    deployment.press(token, do="stop", purpose="direct-marketing-email", topic="events")
    answer = deployment.preferences("get-history-json", token)
    told = answer.json

    assert answer.headers["content-disposition"] == 'attachment; filename="history.json"'
    assert [event["kind"] for event in told["events"]] == ["given", "withdrawn"]
    assert told["events"][1]["prev"] == told["events"][0]["hash"]
    assert told["events"][0]["about"] == ["Events and fairs"]
    assert PEOPLE[0] not in answer.body


def test_the_history_goes_with_the_person_as_a_table_that_runs_nothing(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from preference_center import views

    monkeypatch.setitem(views._SOURCES, "form", '=HYPERLINK("https://example.org")')
    answer = deployment.preferences("get-history-csv", deployment.subscribed("events"))
    rows = list(csv.reader(io.StringIO(answer.body.removeprefix("\ufeff"))))

    assert answer.headers["content-disposition"] == 'attachment; filename="history.csv"'
    assert rows[0][0] == "Number"
    assert rows[1][3] == "Events and fairs"
    assert rows[1][4] == '\'=HYPERLINK("https://example.org")'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    from consent_center.web.tables import table

    ((cell,),) = csv.reader(io.StringIO(table([[text]]).removeprefix("\ufeff"), newline=""))
    assert cell == f"'{text}"


# ---- The key ----------------------------------------------------------------------------------------------------


def test_the_public_key_is_there_for_everybody_and_may_be_kept(deployment: Deployment) -> None:
    answer = deployment.preferences("get-keys")

    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.json["keys"][0]["kid"] == "receipts-1"


def test_a_key_that_cannot_be_read_now_is_asked_for_again_later(deployment: Deployment) -> None:
    deployment.keys.fails = True

    assert deployment.preferences("get-keys").status == 503


# ---- The letter -------------------------------------------------------------------------------------------------


def confirmed(deployment: Deployment, *topics: str) -> str:
    token = deployment.asked(*topics)
    assert deployment.confirm(token).status == 200
    return token


def test_a_confirmation_is_followed_by_one_letter_with_its_words_and_its_signed_receipt(
    deployment: Deployment,
) -> None:
    confirmed(deployment, "events")
    deployment.deliver()
    deployment.deliver()
    _, letter = deployment.mailer.letters
    (file,) = letter.attachments

    assert letter.to == PEOPLE[0]
    assert file.name == "receipt-1.json"
    receipt = json.loads(file.content)
    Draft202012Validator(SCHEMA).validate(receipt)
    told = " ".join(letter.text.replace("\n>", "\n").split())
    for paragraph in receipt["cc:evidence"]["cc:wording"]:
        assert " ".join(paragraph.split()) in told
    assert told.index("/u/") < told.index("in exactly these words")
    assert "- Opens: off - Clicks: off" in told
    assert "Datatilsynet" in letter.text
    assert "Astrid Holm" in letter.text


def test_the_receipt_of_the_letter_is_the_one_of_the_page(deployment: Deployment) -> None:
    confirmed(deployment, "events")
    deployment.deliver()
    file = deployment.mailer.letters[-1].attachments[0].content.decode()

    assert receipt_of(deployment, deployment.manage_token()).body == file


def test_the_letter_stops_what_it_is_about_with_one_press(deployment: Deployment) -> None:
    confirmed(deployment, "events")
    deployment.deliver()
    letter = deployment.mailer.letters[-1]

    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert deployment.page("post-one-click-urlencoded", deployment.link("u")).status == 200
    assert deployment.check(topic="events").json["results"][0]["reason"] == "withdrawn"


def test_nobody_gets_a_receipt_letter_after_they_left(deployment: Deployment) -> None:
    confirmed(deployment, "events")
    deployment.page("post-one-click-urlencoded", deployment.link("u"))

    assert deployment.deliver() == {"batchItemFailures": []}
    assert len(deployment.mailer.letters) == 1


def test_nobody_gets_a_receipt_letter_after_they_objected(deployment: Deployment) -> None:
    confirmed(deployment, "events")
    body = json.dumps({"recipient": PEOPLE[0], "decision": "objected", "objection": "direct-marketing"})
    assert deployment.api("post-decisions", body=body).status == 200

    assert deployment.deliver() == {"batchItemFailures": []}
    assert len(deployment.mailer.letters) == 1


def test_a_queue_that_takes_no_order_loses_no_consent_and_pressing_again_orders(deployment: Deployment) -> None:
    token = deployment.asked("events")
    deployment.outbox.refuses = True
    assert "You are subscribed" in deployment.confirm(token).text
    assert deployment.kinds() == ["given"]
    deployment.outbox.refuses = False
    assert deployment.page("post-confirm", token, form={"shown": ""}).status == 200
    assert deployment.page("post-confirm", token, form={"shown": ""}).status == 200

    deployment.deliver()
    assert [len(letter.attachments) for letter in deployment.mailer.letters] == [0, 1]
    assert deployment.kinds() == ["given"]


def test_a_receipt_that_cannot_be_signed_now_is_sent_later(deployment: Deployment) -> None:
    confirmed(deployment, "events")
    deployment.receipt_signer.refuses = True
    assert len(deployment.deliver()["batchItemFailures"]) == 1
    deployment.receipt_signer.refuses = False
    deployment.clock.move(seconds=60)

    assert deployment.deliver() == {"batchItemFailures": []}
    assert len(deployment.mailer.letters[-1].attachments) == 1


def test_a_receipt_letter_that_was_not_taken_is_sent_once(deployment: Deployment) -> None:
    confirmed(deployment, "events")
    deployment.mailer.fails_with = UnavailableError("send letter: Throttling")
    assert len(deployment.deliver()["batchItemFailures"]) == 1
    deployment.mailer.fails_with = None
    deployment.clock.move(seconds=60)

    assert deployment.deliver() == deployment.deliver() == {"batchItemFailures": []}
    assert len(deployment.mailer.letters) == 2


def test_an_order_of_no_event_is_set_aside(deployment: Deployment) -> None:
    confirmed(deployment, "events")
    record = deployment.event("delivery_worker/letters")["Records"][0]
    order = deployment.outbox.orders[-1]
    body = {**json.loads(record["body"]), "letter": "receipt", "pseudonym": order.contact.pseudonym}

    for request, aside in (("none", 1), ("7", 1)):
        event = {"Records": [{**record, "body": json.dumps({**body, "request": request})}]}
        assert delivery_worker.app.lambda_handler(event, CONTEXT) == {"batchItemFailures": []}  # type: ignore[arg-type]
        assert len(deployment.dead_letters.orders) == aside
    assert all(not letter.attachments for letter in deployment.mailer.letters)


def test_opening_the_confirm_page_orders_nothing(deployment: Deployment) -> None:
    token = confirmed(deployment, "events")
    orders = len(deployment.outbox.orders)
    for name in ("get-confirm", "head-confirm"):
        deployment.page(name, token)

    assert len(deployment.outbox.orders) == orders
    assert subscription_links.app is not None
