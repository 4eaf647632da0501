"""What each operation costs in requests and units, as docs/data-model.md says."""

import sys
from typing import Any

import pytest

import shipped_policy
from bench import costs, flows


@pytest.fixture(scope="module")
def counted() -> dict[str, Any]:
    shipped_policy.compiled()
    return flows.counted(sys.path)


@pytest.mark.parametrize(
    ("operation", "requests", "units"),
    [
        ("sign-up", {"dynamodb:UpdateItem": 2, "dynamodb:PutItem": 1, "sqs:SendMessage": 1}, (0, 3, 0)),
        (
            "letter",
            {"dynamodb:GetItem": 3, "dynamodb:PutItem": 1, "dynamodb:UpdateItem": 2, "ses:SendEmail": 1},
            (3, 3, 0),
        ),
        ("waiting page", {}, (0, 0, 0)),
        ("type a wrong code", {"dynamodb:UpdateItem": 2}, (0, 2, 0)),
        ("type the code", {"dynamodb:GetItem": 1, "dynamodb:UpdateItem": 2}, (1, 2, 0)),
        ("confirm page", {"dynamodb:GetItem": 2}, (2, 0, 0)),
        (
            "first confirm",
            {"dynamodb:GetItem": 2, "dynamodb:TransactWriteItems": 1, "sqs:SendMessage": 1},
            (2, 8, 2),
        ),
        (
            "first confirm, four topics",
            {"dynamodb:GetItem": 2, "dynamodb:TransactWriteItems": 1, "sqs:SendMessage": 1},
            (2, 8, 2),
        ),
        ("repeated confirm", {"dynamodb:GetItem": 2, "sqs:SendMessage": 1}, (2, 0, 0)),
        (
            "letter with receipt",
            {
                "dynamodb:Query": 1,
                "dynamodb:GetItem": 2,
                "dynamodb:PutItem": 1,
                "dynamodb:UpdateItem": 1,
                "kms:Sign": 1,
                "ses:SendEmail": 1,
            },
            (3, 2, 0),
        ),
        ("unsubscribe page", {}, (0, 0, 0)),
        ("withdraw", {"dynamodb:GetItem": 1, "dynamodb:TransactWriteItems": 1}, (1, 6, 1)),
        ("withdraw, four topics", {"dynamodb:GetItem": 1, "dynamodb:TransactWriteItems": 1}, (1, 6, 1)),
        ("repeated withdraw", {"dynamodb:GetItem": 1}, (1, 0, 0)),
        ("preference page", {"dynamodb:Query": 1}, (1, 0, 0)),
        ("preference page: stop", {"dynamodb:GetItem": 1, "dynamodb:TransactWriteItems": 1}, (1, 6, 1)),
        ("preference page: undo", {"dynamodb:GetItem": 2, "dynamodb:TransactWriteItems": 1}, (2, 6, 1)),
        ("preference page: pause", {"dynamodb:GetItem": 1, "dynamodb:TransactWriteItems": 1}, (1, 6, 1)),
        ("preference page: object", {"dynamodb:GetItem": 1, "dynamodb:TransactWriteItems": 1}, (1, 6, 1)),
        ("history of five decisions", {"dynamodb:GetItem": 1, "dynamodb:Query": 2}, (3, 0, 0)),
        ("signed receipt", {"dynamodb:GetItem": 3, "kms:Sign": 1}, (3, 0, 0)),
        ("import a yes", {"dynamodb:GetItem": 1, "dynamodb:TransactWriteItems": 1}, (1, 8, 2)),
        ("import the same row again", {"dynamodb:GetItem": 2}, (2, 0, 0)),
        # One more in an index: the record is no longer due on the day that was noted.
        ("import a no", {"dynamodb:GetItem": 2, "dynamodb:TransactWriteItems": 1}, (2, 6, 2)),
        ("import a no of somebody unknown", {"dynamodb:GetItem": 1, "dynamodb:TransactWriteItems": 1}, (1, 6, 2)),
        ("import a yes without evidence", {}, (0, 0, 0)),
        ("look at a record after its first decision", {"dynamodb:Query": 3, "dynamodb:UpdateItem": 1}, (3, 1, 1)),
        ("look at a record that stays as it is", {"dynamodb:Query": 3}, (3, 0, 0)),
        ("seal a day of 10", {"dynamodb:Query": 32, "kms:Sign": 1}, (16, 0, 0)),
        ("seal a day of 10,000", {"dynamodb:Query": 40, "kms:Sign": 1}, (154, 0, 0)),
        ("check of 1", {"dynamodb:BatchGetItem": 1}, (1, 0, 0)),
        ("check of 1,000", {"dynamodb:BatchGetItem": 10}, (1000, 0, 0)),
        (
            "check and record send of 1,000",
            {"dynamodb:BatchGetItem": 10, "dynamodb:BatchWriteItem": 40},
            (1000, 1000, 0),
        ),
    ],
)
def test_an_operation_costs_what_the_data_model_says(
    counted: dict[str, Any], operation: str, requests: dict[str, int], units: tuple[int, int, int]
) -> None:
    found = counted[operation]

    assert found["requests"] == requests
    assert (found["reads"], found["writes"], found["index_writes"]) == units


def test_what_a_check_reads_stays_far_below_one_unit(counted: dict[str, Any]) -> None:
    assert counted["first confirm, four topics"]["bytes"]["STATE in subjects"] < 1024


def test_units_do_not_grow_with_the_number_of_people(counted: dict[str, Any]) -> None:
    grown = flows.counted(sys.path, people=10_000)

    assert flows.without_sizes(grown) == flows.without_sizes(counted)


def test_prices_are_applied_to_what_was_counted(counted: dict[str, Any]) -> None:
    repeated = costs.per_million(counted["repeated withdraw"], "repeated withdraw")

    assert repeated == pytest.approx(0.125 + 1.0 + 0.2 + 0.04 * 0.5 * 13.3334)
    assert 2 < costs.idle()["together"] <= 3
