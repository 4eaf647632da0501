"""`consentctl statistics`: the same numbers as the API, for people to read."""

import csv
import io
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from cli import counted
from cli.__main__ import app
from consent_center.domain.errors import UnavailableError
from consent_center.domain.statistics import Cell, Event
from fakes import InMemoryStatistics, SettableClock


@pytest.fixture
def statistics(monkeypatch: pytest.MonkeyPatch) -> InMemoryStatistics:
    kept = InMemoryStatistics()
    cells = [Cell("2027-01-14", "given", "c", "", "news", "form", "en")] * 7
    cells += [Cell("2027-01-15", "withdrawn", "c", "", "surveys", "page")] * 2
    events = [Event(str(number), (cell,)) for number, cell in enumerate(cells)]
    kept.count(events, marked_until=0, kept_days=1_000)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(counted, "_now", SettableClock())
    monkeypatch.setattr(counted, "DynamoStatistics", lambda *_: kept)
    monkeypatch.setattr(counted, "wire", lambda *_, **__: SimpleNamespace(connections=SimpleNamespace(close=print)))
    monkeypatch.setattr(counted, "Database", lambda _: None)
    deployed = SimpleNamespace(environment=dict, output=lambda name: name)
    monkeypatch.setattr(counted, "Deployment", lambda *_: deployed)
    return kept


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["statistics", *arguments])


@pytest.mark.usefixtures("statistics")
def test_what_happened_is_shown_and_what_did_not_is_left_out() -> None:
    shown = run("--group", "day,purpose").output

    for part in ("2027-01-14", "news", "5", "2027-01-15", "surveys", "withheld", "all"):
        assert part in shown
    assert "2027-01-13" not in shown
    assert "requested" not in shown


@pytest.mark.usefixtures("statistics")
def test_a_file_has_every_day_and_measure() -> None:
    text = run("--from", "2027-01-13", "--csv").stdout.strip().removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [(row["day"], row["given"], row["withdrawn"]) for row in rows] == [
        ("2027-01-13", "0", "0"),
        ("2027-01-14", "5", "0"),
        ("2027-01-15", "0", "withheld"),
    ]


@pytest.mark.usefixtures("statistics")
def test_nothing_is_said_to_be_nothing() -> None:
    answer = run("--to", "2026-01-31")

    assert (answer.exit_code, "Nothing was counted from 2026-01-02 to 2026-01-31" in answer.output) == (0, True)


@pytest.mark.usefixtures("statistics")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "yesterday"), "--from is a day"),
        (("--from", "2027-01-15", "--to", "2027-01-14"), "--to is before"),
        (("--from", "2020-01-01"), "400 days"),
        (("--group", "person"), "--group names"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(arguments: tuple[str, ...], told: str) -> None:
    answer = run(*arguments)

    assert (answer.exit_code, told in answer.output) == (2, True)


def test_a_table_that_cannot_be_read_is_told(statistics: InMemoryStatistics, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise UnavailableError("counts: Throttling")

    monkeypatch.setattr(statistics, "counts", fail)
    answer = run()

    assert (answer.exit_code, "cannot be read: counts: Throttling" in answer.output) == (2, True)
