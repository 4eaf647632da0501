"""What rights requests that are due cost, however many there are."""

import sys

import pytest

import shipped_policy
from bench import cases


@pytest.mark.parametrize("number", [8, 160])
def test_a_due_case_costs_the_same_among_few_and_among_many(number: int) -> None:
    shipped_policy.compiled()
    found = cases.counted(sys.path, number)

    assert found["order"] == {
        "requests": {"dynamodb:UpdateItem": 1, "sqs:SendMessage": 1},
        "reads": 0,
        "writes": 1,
        "index_writes": 2,
    }
    assert found["look"] == {
        "requests": {"dynamodb:Query": 1, "dynamodb:TransactWriteItems": 1, "sqs:SendMessage": 1},
        "reads": 1,
        "writes": 4,
        "index_writes": 3,
    }
    assert (found["queries"], found["scans"]) == (8, 0)
