"""Jobs are run by their name, and say what became of them."""

import io
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import jobs
from cli.__main__ import app


class Deployed:
    """A stack whose functions answer as they are told to."""

    answer: dict[str, Any]
    asked: list[tuple[str, Any]]

    def __init__(self, *_: Any) -> None:
        """Any stack will do."""

    def output(self, name: str) -> str:
        return f"stack-{name}"

    def client(self, *_: Any) -> "Deployed":
        return self

    def invoke(self, **call: Any) -> dict[str, Any]:
        self.asked.append((call["FunctionName"], json.loads(call["Payload"])))
        return {**self.answer, "Payload": io.BytesIO(json.dumps(self.answer["Payload"]).encode())}


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    Deployed.asked = []
    Deployed.answer = {"Payload": {"job": "rights", "due": 2, "done": 2, "failed": 0}}
    monkeypatch.setattr(jobs, "Deployment", Deployed)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["jobs", "run", *arguments])


@pytest.mark.parametrize("arguments", [["rights"], ["rights", "--now"]])
def test_rights_requests_are_looked_for_at_once(arguments: list[str]) -> None:
    result = run(*arguments)

    assert Deployed.asked == [("stack-RightsWorkerFunction", {"job": "rights"})]
    assert (result.exit_code, json.loads(result.stdout)) == (0, Deployed.answer["Payload"])


def test_a_job_that_failed_says_so() -> None:
    Deployed.answer = {"FunctionError": "Unhandled", "Payload": {"errorType": "UnavailableError"}}
    result = run("rights")

    assert (result.exit_code, "UnavailableError" in result.output) == (1, True)


def test_a_job_that_is_not_there_is_not_asked_for() -> None:
    assert (run("no-such-job").exit_code, Deployed.asked) == (2, [])
