"""From changes of the tables to the numbers that the API tells."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import PEOPLE
from consent_center.domain.errors import UnavailableError, UnreadableChangeError
from consent_center.domain.statistics import Cell
from deployment import Answer, Deployment

DAY = "2027-01-15"
PURPOSE = "direct-marketing-email"
FORM = Cell(DAY, "requested", "fjordmeter", "fjordmeter", PURPOSE, "form", "en")


def record(deployment: Deployment, name: str, number: int = 0) -> dict[str, Any]:
    """A change of a table; with a number, one of another person."""
    (found,) = deployment.event(f"statistics_worker/{name}")["Records"]
    return {**found, "eventID": f"{found['eventID']}-{number}"}


def table(deployment: Deployment, accept: str = "application/json", **query: str) -> Answer:
    event = deployment.event("consent_api/get-statistics")
    event["headers"]["accept"] = accept
    event["queryStringParameters"] |= {name.strip("_"): value for name, value in query.items()}
    return deployment.api("get-statistics", **event)


def test_a_request_its_confirmation_and_its_entry_are_three_numbers(deployment: Deployment) -> None:
    names = ("request-stored", "entry-added", "state-confirmed", "request-cancelled")
    deployment.tell(*(record(deployment, name) for name in names))

    assert deployment.statistics.numbers == {
        FORM: 1,
        FORM._replace(measure="given"): 1,
        FORM._replace(measure="confirmed_5m", source=""): 1,
        FORM._replace(measure="cancelled"): 1,
    }


def test_what_the_counters_hold_leads_to_nobody(deployment: Deployment) -> None:
    names = ("request-stored", "entry-added", "state-confirmed", "request-cancelled")
    deployment.tell(*(record(deployment, name) for name in names))
    kept = repr((deployment.statistics.numbers, deployment.statistics.ends))

    for personal in ("ada@", "f66h7l5n3mf7cv4krt6y6r7xvw", "oqf5syhhe77xf6hgv2r6h63hzy", "name00"):
        assert personal not in kept


def test_what_says_nothing_about_an_act_counts_nothing(deployment: Deployment) -> None:
    expired = record(deployment, "request-cancelled")
    expired["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    proof = record(deployment, "entry-added")
    proof["dynamodb"]["Keys"] = {"pk": {"S": "P#2027-01-15#0"}, "sk": {"S": "event-1"}}
    marked = record(deployment, "state-confirmed")
    marked["dynamodb"]["OldImage"], marked["dynamodb"]["NewImage"] = (
        marked["dynamodb"]["NewImage"],
        marked["dynamodb"]["NewImage"],
    )
    changed = {**record(deployment, "entry-added"), "eventName": "MODIFY"}
    deployment.tell(expired, proof, marked, changed)

    assert deployment.statistics.numbers == {}


def test_a_withdrawal_while_a_letter_asks_is_no_confirmation(deployment: Deployment) -> None:
    change = record(deployment, "state-confirmed")
    decided = change["dynamodb"]["NewImage"]["d"]["M"]
    change["dynamodb"]["NewImage"]["d"]["M"] = {code: {"S": "w1800000120000.1"} for code in decided}
    deployment.tell(change)

    assert deployment.statistics.numbers == {}


def test_a_yes_after_the_request_has_ended_is_no_confirmation_of_it(deployment: Deployment) -> None:
    change = record(deployment, "state-confirmed")
    decided = change["dynamodb"]["NewImage"]["d"]["M"]
    change["dynamodb"]["NewImage"]["d"]["M"] = {code: {"S": "g1800604800000.1"} for code in decided}
    deployment.tell(change)

    assert deployment.statistics.numbers == {}


def test_what_cannot_be_read_fails_and_the_rest_is_counted_once(deployment: Deployment, printed: io.StringIO) -> None:
    broken = record(deployment, "entry-added", 2)
    broken["dynamodb"]["NewImage"]["body"] = {"S": f'{{"kind": "{PEOPLE[0]}"}}'}
    batch = [record(deployment, "entry-added", 1), broken, record(deployment, "entry-added", 3)]

    for part in (batch, batch[:2], batch[2:], batch[:1], batch[1:2]):
        try:
            deployment.tell(*part)
        except UnreadableChangeError:
            assert broken in part
        else:
            assert broken not in part
    assert sum(deployment.statistics.numbers.values()) == 2
    assert "change not readable" in printed.getvalue()
    assert PEOPLE[0] not in printed.getvalue()


@pytest.mark.parametrize("without", ["dynamodb", "eventName"])
def test_a_record_that_lacks_everything_is_not_readable_either(deployment: Deployment, without: str) -> None:
    broken = record(deployment, "entry-added")
    del broken[without]

    with pytest.raises(UnreadableChangeError):
        deployment.tell(broken)


def test_a_table_that_does_not_answer_has_the_batch_delivered_again(deployment: Deployment) -> None:
    deployment.statistics.fails_with = UnavailableError("count: Throttling")

    with pytest.raises(UnavailableError):
        deployment.tell(record(deployment, "entry-added"))


@given(st.lists(st.lists(st.integers(0, 9), max_size=10), max_size=6))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_duplicates_and_any_order_count_each_change_once(deployment: Deployment, batches: list[list[int]]) -> None:
    deployment.statistics.marks.clear()
    deployment.statistics.numbers.clear()
    names = ("request-stored", "entry-added")
    for batch in batches:
        deployment.tell(*(record(deployment, names[number % 2], number) for number in batch))
    told = {number for batch in batches for number in batch}

    assert sum(deployment.statistics.numbers.values()) == len(told)


def test_the_api_tells_each_day_and_withholds_what_is_small(deployment: Deployment) -> None:
    deployment.tell(*(record(deployment, "entry-added", number) for number in range(7)))
    deployment.tell(*(record(deployment, "request-cancelled", number) for number in range(4)))
    answer = table(deployment)

    assert answer.status == 200
    assert (answer.json["from"], answer.json["to"], answer.json["group"]) == ("2027-01-14", DAY, ["day"])
    before, today = answer.json["rows"]
    assert (before["group"], set(before["counts"].values()), before["withheld"]) == ({"day": "2027-01-14"}, {0}, [])
    assert (today["counts"]["given"], today["counts"]["cancelled"], today["withheld"]) == (5, None, ["cancelled"])
    assert answer.json["total"]["counts"] == today["counts"]


def test_without_a_question_the_last_thirty_days_are_told(deployment: Deployment) -> None:
    answer = table(deployment, from_="", to="")

    assert (answer.json["from"], answer.json["to"], len(answer.json["rows"])) == ("2026-12-17", DAY, 30)


def test_a_file_for_spreadsheets_computes_nothing(deployment: Deployment) -> None:
    change = record(deployment, "request-stored")
    change["dynamodb"]["NewImage"]["source"] = {"S": "=1+1"}
    deployment.tell(change)
    answer = table(deployment, accept="text/csv, application/json;q=0.5", group="source,day")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="statistics-2027-01-14-2027-01-15.csv"'
    rows = list(csv.reader(io.StringIO(answer.body.removeprefix("\ufeff"))))
    assert rows[0][:3] == ["source", "day", "requested"]
    assert [row[:3] for row in rows[1:]] == [["'=1+1", "2027-01-14", "0"], ["'=1+1", DAY, "withheld"]]


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/csv", "", "text/html"])
def test_whoever_does_not_ask_for_a_file_gets_json(deployment: Deployment, accept: str) -> None:
    assert table(deployment, accept=accept).headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from_": "15.01.2027"}, "/from"),
        ({"from_": "20270114"}, "/from"),
        ({"to": "2027-02-30"}, "/to"),
        ({"to": "2027-01-13"}, "/to"),
        ({"from_": "2025-12-11"}, "/from"),
        ({"group": "day,month"}, "/group"),
        ({"group": "purpose,purpose"}, "/group"),
        ({"group": "address"}, "/group"),
        ({"group": ","}, "/group"),
        ({"purpose": "no-such"}, "/purpose"),
    ],
)
def test_a_question_that_is_wrong_is_told_where(deployment: Deployment, query: dict[str, str], field: str) -> None:
    answer = table(deployment, **query)

    assert (answer.status, answer.json["field"]) == (422, field)


def test_four_hundred_days_are_one_question(deployment: Deployment) -> None:
    assert len(table(deployment, from_="2025-12-12").json["rows"]) == 400


def test_objections_to_everything_can_be_asked_for(deployment: Deployment) -> None:
    assert table(deployment, purpose="*").status == 200


def test_reading_needs_its_own_scope(deployment: Deployment) -> None:
    event = deployment.event("consent_api/get-statistics")
    event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] = "consent.read consent.check consent.write"
    answer = deployment.api("get-statistics", **event)

    assert (answer.status, answer.json["type"].rpartition(":")[2]) == (403, "missing-scope")


def test_the_description_of_the_api_has_the_route(deployment: Deployment) -> None:
    described = json.loads(deployment.api("get-openapi").body)["paths"]["/v1/statistics"]["get"]

    assert {one["name"] for one in described["parameters"]} == {"from", "to", "purpose", "group"}
