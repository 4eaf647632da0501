"""The worker that carries out imports, from queue event to report."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from builders import PEOPLE, PURPOSE
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import UnavailableError
from consent_center.domain.importing import Evidence, ImportedRow
from consent_center.ports.exchange import Import
from deployment import Deployment

AT = datetime(2026, 11, 20, tzinfo=UTC)


def put(deployment: Deployment, part: int = 1) -> str:
    """A part with a proven yes, a no and a yes without proof; answers the message about it."""
    rows = [
        ImportedRow(2, PEOPLE[0], DecisionState.GIVEN, ("events",), evidence=Evidence(AT, confirmed_at=AT)),
        ImportedRow(3, PEOPLE[1], DecisionState.WITHDRAWN),
        ImportedRow(4, PEOPLE[2], DecisionState.GIVEN, ("events",)),
    ]
    about = Import(PURPOSE, "list-team", deployment.clock(), part, 3, True, "fair", (), "2026-11-01", "en")
    deployment.imports.kept["import-1"] = about
    deployment.imports.parts["import-1", part] = [row.written(Evidence()) for row in rows]
    return json.dumps({"import": "import-1", "part": part})


def test_a_part_is_carried_out_and_reported(deployment: Deployment) -> None:
    assert deployment.carry_out(put(deployment)) == {"batchItemFailures": []}

    reports = [json.loads(line) for line in deployment.imports.reports["import-1", 1]]
    assert [one["outcome"] for one in reports] == ["recorded", "recorded", "refused"]
    reasons = [row["reason"] for row in deployment.check(*PEOPLE, topic="events").json["results"]]
    assert reasons == ["given", "withdrawn", "no_record"]


def test_a_part_that_is_delivered_twice_is_carried_out_once(deployment: Deployment) -> None:
    message = put(deployment)

    assert deployment.carry_out(message, message) == {"batchItemFailures": []}
    assert deployment.carry_out(message) == {"batchItemFailures": []}
    assert sorted(deployment.kinds()) == ["given", "withdrawn"]


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"import": "import-1"}', '{"import": "x", "part": 1}'])
def test_what_is_no_part_goes_to_the_dead_letters_and_holds_nothing_up(deployment: Deployment, body: str) -> None:
    failed = deployment.carry_out(body, put(deployment))

    assert failed == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert ("import-1", 1) in deployment.imports.reports


def test_rows_that_are_none_fail_the_part_and_are_not_quoted(deployment: Deployment) -> None:
    message = put(deployment)
    deployment.imports.parts["import-1", 1][1] = f'{{"recipient": "{PEOPLE[1]}"}}'

    assert len(deployment.carry_out(message)["batchItemFailures"]) == 1
    assert deployment.imports.reports == {}


def test_a_part_that_cannot_be_stored_now_is_delivered_again_and_goes_on(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, commit = put(deployment), deployment.subjects.commit

    def failing(decision: Any, profile: Any = None) -> None:
        if profile is None:
            raise UnavailableError("commit: Throttling")
        commit(decision, profile)

    monkeypatch.setattr(deployment.subjects, "commit", failing)
    assert len(deployment.carry_out(message)["batchItemFailures"]) == 1
    monkeypatch.setattr(deployment.subjects, "commit", commit)

    assert deployment.carry_out(message) == {"batchItemFailures": []}
    assert sorted(deployment.kinds()) == ["given", "withdrawn"]


def test_a_worker_that_is_about_to_end_begins_no_row(deployment: Deployment) -> None:
    assert len(deployment.carry_out(put(deployment), milliseconds_left=5_000)["batchItemFailures"]) == 1
    assert deployment.kinds() == []


def test_a_message_that_names_no_part_is_logged_as_such(deployment: Deployment, printed: io.StringIO) -> None:
    deployment.carry_out("{")

    assert "the message names no part" in printed.getvalue()
