"""Files that staff collected by hand, through the real handlers: from the API into the package."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from consent_center.domain.case import CaseState
from consent_center.domain.recipient import Task, TaskState, Verb
from deployment import Answer, Deployment
from functional.test_consent_api_cases import filed, refused, show, task

PDF = b"%PDF-1.7\n\xe2\xe3\xcf\xd3\r\n"
FILES = [
    {"name": "customer.json", "text": '{"name": "Æ"}\r\n'},
    {"name": "scan.pdf", "base64": base64.b64encode(PDF).decode()},
]


@pytest.fixture
def case(deployment: Deployment) -> str:
    """A running access request of which the CRM is to be asked by hand."""
    case = filed(deployment, type="access")
    found = deployment.cases.files[case].case
    running = replace(found, outcome={"started_at": 1})
    deployment.cases.commit(running, [], [Task("crm", Verb.COLLECT, TaskState.ASKED, answer="manual")])
    return case


def hand_in(deployment: Deployment, case: str, files: Any = FILES, **changes: Any) -> Answer:
    return task(deployment, case, **{"do": "settle", "state": "done", "files": files, **changes})


def test_staff_hand_in_what_they_collected_once_and_it_is_kept_as_it_is(deployment: Deployment, case: str) -> None:
    answer = hand_in(deployment, case)
    assert (answer.status, answer.json["tasks"][0]["answer"]) == (200, "collected")
    assert "customer.json" not in answer.body
    assert deployment.particulars.kept[case]["collected"]["crm"] == {
        "customer.json": '{"name": "Æ"}\r\n',
        "scan.pdf": {"base64": base64.b64encode(PDF).decode()},
    }

    assert hand_in(deployment, case).status == 200
    refused(hand_in(deployment, case, FILES[:1]), 409, "settled-task")
    assert [line["what"] for line in show(deployment, case)["log"]].count("task_done") == 1


@pytest.mark.parametrize(
    "files",
    [
        [{"name": "../a.txt", "text": "x"}],
        [{"name": "a.txt", "text": "x"}, {"name": "A.txt", "text": "y"}],
        [{"name": "a.txt"}],
        [{"name": "a.txt", "text": "x", "base64": "eA=="}],
        [{"name": "a.txt", "base64": "not base64!"}],
        [{"name": "a.txt", "base64": "eA"}],
        [{"name": "a.txt", "text": "\ud800"}],
        [{"name": "a.txt", "text": "x" * 262_145}],
        [{"name": "a.txt", "text": "x" * 210_000}],
        [{"name": "a.csv", "base64": base64.b64encode(b"\xc6;=1+1").decode()}],
    ],
)
def test_files_that_cannot_be_given_to_the_person_are_refused(deployment: Deployment, case: str, files: Any) -> None:
    refused(hand_in(deployment, case, files), 422, "invalid-field", "/files")
    assert "collected" not in deployment.particulars.kept[case]
    assert show(deployment, case)["tasks"][0]["state"] == "asked"


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ("a.txt", "/files"),
        ([{"name": "a.txt", "text": 7}], "/files/0/text"),
        ([{"text": "x"}], "/files/0/name"),
        ([{"name": "a.txt", "text": "x", "path": "/"}], "/files/0/path"),
    ],
)
def test_a_file_that_is_none_is_named(deployment: Deployment, case: str, files: Any, field: str) -> None:
    refused(hand_in(deployment, case, files), 422, "invalid-field", field)


@pytest.mark.parametrize("changes", [{"do": "redrive"}, {"state": "nothing_held"}, {"state": None}])
def test_files_go_with_what_is_done_and_are_never_dropped(
    deployment: Deployment, case: str, changes: dict[str, Any]
) -> None:
    refused(hand_in(deployment, case, **changes), 422, "invalid-field", "/files")


def test_a_body_larger_than_any_is_refused_before_it_is_read(deployment: Deployment, case: str) -> None:
    refused(hand_in(deployment, case, [{"name": "a.txt", "text": "x" * 1_000_000}]), 413, "body-too-large", "")


def test_a_closed_case_takes_no_files(deployment: Deployment, case: str) -> None:
    found = deployment.cases.files[case]
    deployment.cases.files[case] = replace(found, case=replace(found.case, state=CaseState.LAPSED))

    refused(hand_in(deployment, case), 409, "closed-case")
    assert "collected" not in deployment.particulars.kept[case]
