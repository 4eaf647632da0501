"""The worker of streams and schedules, from event to answer."""

import io
import json
from typing import Any

import pytest

import retention_worker.app
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.domain.seal import Seal
from consent_center.domain.verifier import Exported, verify_ledger
from deployment import CONTEXT, Deployment


def handle(event: dict[str, Any]) -> Any:
    return retention_worker.app.lambda_handler(event, CONTEXT)  # type: ignore[arg-type]


def measured(printed: str, name: str) -> list[float]:
    """Every value of a metric that was printed."""
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith('{"_aws"')]
    return [value for line in lines for value in line.get(name, [])]


def test_the_job_of_the_night_seals_the_day_before(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], printed: io.StringIO
) -> None:
    deployment.subscribed("events")
    deployment.clock.move(days=1)
    event = deployment.event("retention_worker/job-seal")

    assert handle(event) == {"job": "seal", "due": 1, "done": 1, "failed": 0, "entries": 1}
    shown = capsys.readouterr().out
    assert (measured(shown, "LedgerSealed"), measured(shown, "EntriesSealed")) == ([1], [1])
    (line,) = [json.loads(line) for line in printed.getvalue().splitlines() if "job done" in line]
    assert (line["due"], line["done"], line["failed"]) == (1, 1, 0)


def test_what_was_decided_on_the_pages_verifies_after_the_night(deployment: Deployment) -> None:
    deployment.subscribed("product-news", "events")
    deployment.page("post-unsubscribe-page", deployment.stop_link("events"))
    deployment.clock.move(days=1)
    deployment.job("seal")

    def leaves(seal: Seal) -> Any:
        return deployment.seals.lists[seal.day, seal.leaves]

    files = [(day, signed.text) for day, signed in deployment.seals.kept.items()]
    entries = [
        Exported(chain, seq, entry.hash, entry.body) for (chain, seq), entry in deployment.subjects.entry_of.items()
    ]
    deployment.subjects.payload_of.clear()
    report = verify_ledger(entries, files, leaves, deployment.signer.holds, max(deployment.seals.kept))
    assert (report.findings, report.entries, report.unsealed) == ([], 2, 0)


def test_a_night_with_nothing_to_seal_is_a_sign_of_life_too(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.clock.move(days=1)
    deployment.job("seal")
    deployment.job("seal")

    assert measured(capsys.readouterr().out, "LedgerSealed") == [1, 1]


def test_a_job_that_fails_says_how_far_it_came_and_rings(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], printed: io.StringIO
) -> None:
    deployment.subscribed("events")
    deployment.clock.move(days=3)
    deployment.index.fails_at = "2027-01-16"

    with pytest.raises(UnavailableError):
        deployment.job("seal")
    shown = capsys.readouterr().out
    assert (measured(shown, "JobFailed"), measured(shown, "LedgerSealed")) == ([1], [])
    (line,) = [json.loads(line) for line in printed.getvalue().splitlines() if '"job failed"' in line]
    assert (line["due"], line["done"], line["failed"], line["reason"]) == (3, 1, 2, "leaves: Throttling")


@pytest.mark.parametrize("event", [{}, {"job": "no-such"}, {"job": None}, {"job": ["seal"]}])
def test_an_event_that_is_no_job_is_refused(deployment: Deployment, event: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError):
        handle(event)


def test_a_foreign_error_of_a_job_is_logged_by_its_kind_only(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, printed: io.StringIO
) -> None:
    def explode() -> dict[str, Any]:
        raise ValueError("something that was stored")

    monkeypatch.setitem(retention_worker.app.JOBS, "seal", explode)
    with pytest.raises(ValueError, match="stored"):
        deployment.job("seal")
    assert '"reason":"ValueError"' in printed.getvalue()
    assert "something that was stored" not in printed.getvalue()


@pytest.mark.parametrize("name", ["MODIFY", "REMOVE"])
def test_an_entry_that_was_changed_or_removed_rings_and_is_named(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], printed: io.StringIO, name: str
) -> None:
    event = deployment.event("retention_worker/ledger-modified")
    event["Records"][0]["eventName"] = name

    assert handle(event) is None
    assert measured(capsys.readouterr().out, "LedgerTampered") == [1]
    (line,) = [json.loads(line) for line in printed.getvalue().splitlines() if "ledger tampered" in line]
    assert (line["change"], line["chain"], line["event"]) == (name, "C#f66h7l5n3mf7cv4krt6y6r7xvw", "E#0000000001")


def test_an_entry_that_was_added_rings_nothing(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    event = deployment.event("retention_worker/ledger-modified")
    event["Records"][0]["eventName"] = "INSERT"
    handle(event)

    assert measured(capsys.readouterr().out, "LedgerTampered") == []


def test_changes_of_another_table_are_not_taken_for_those_of_the_ledger(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    event = deployment.event("retention_worker/ledger-modified")
    record = event["Records"][0]
    record["eventSourceARN"] = record["eventSourceARN"].replace(":table/ledger/", ":table/ledger-of-others/")
    handle(event)

    assert measured(capsys.readouterr().out, "LedgerTampered") == []


def test_a_record_that_cannot_be_read_fails_its_batch_and_what_came_before_is_counted(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    event = deployment.event("retention_worker/ledger-modified")
    broken = {**event["Records"][0], "dynamodb": {}}

    with pytest.raises(KeyError):
        handle({"Records": [*event["Records"], broken]})
    assert measured(capsys.readouterr().out, "LedgerTampered") == [1]
