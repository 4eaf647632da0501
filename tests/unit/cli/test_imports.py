"""`consentctl import` before anything is sent: maps, the preflight, and what it answers to wrong options."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builders import PEOPLE, a_policy
from cli import import_maps, imports
from cli.__main__ import app
from cli.import_files import FileRefusedError
from cli.import_plan import Dropped, Kept, Plan, Settings
from consent_center.domain.decision import DecisionState
from consent_center.domain.importing import Evidence
from consent_center.domain.policy import Policy
from fakes import SettableClock

ADA, GRACE, EDSGER = PEOPLE
YES = "2026-01-05T10:00:00Z"
LATER = "2026-02-05T10:00:00Z"
HEAD = "email,decision,topics,collected_at,confirmed_at,decided_at"
ROOT = Path(__file__).parents[3]


def outcomes(
    folder: Path, content: str, tool: str = "generic", *, countries: tuple[str, ...] = (), **names: str
) -> list[Kept | Dropped]:
    file = folder / "list.csv"
    file.write_text(content, "utf-8")
    by, method = import_maps.load(tool, names)
    evidence = Evidence(method=method or "fair", notice="2026-11-01", language="en")
    settings = Settings("direct-marketing-email", "list-team", ("product-news",), evidence=evidence)
    policy = Policy({**a_policy().raw, "jurisdictions": list(countries)})
    with Plan(file, by, settings, policy, SettableClock()()) as plan:
        plan.compare()
        return list(plan.outcomes())


def told(found: list[Kept | Dropped]) -> list[tuple[int, str]]:
    return [
        (one.row.number, "given" if one.row.is_yes else "no")
        if isinstance(one, Kept)
        else (one.number, f"({one.reason})" if one.is_sent else one.reason)
        for one in found
    ]


def test_the_files_of_a_mailchimp_export_mean_what_they_say(tmp_path: Path) -> None:
    head = '"Email Address","First Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,TAGS'
    confirmed = '"2026-01-05 10:00:00",192.0.2.1,"2026-01-05 10:05:00",192.0.2.1,"""Fairs"",""VIP"""'
    subscribed = f'{head}\n{ADA},Ada,2,{confirmed}\n{GRACE},,2,,,"2026-01-05 10:05:00",192.0.2.1,\n'

    (ada, grace) = outcomes(tmp_path, subscribed, "mailchimp", Fairs="events")
    assert isinstance(ada, Kept)
    assert (ada.row.state, ada.row.topics, ada.row.evidence.grade) == (DecisionState.GIVEN, ("events",), "A")
    assert "192.0.2.1" not in ada.row.written(Evidence())
    assert told([grace]) == [(3, "no_evidence")]

    gone = f'{head},UNSUB_TIME,UNSUB_REASON\n{ADA},,2,{confirmed},"2026-02-01 09:00:00",\n{GRACE},,2,,,,,,,N/A\n'
    assert told(outcomes(tmp_path, gone, "mailchimp")) == [(2, "no"), (3, "no")]
    cleaned = f'{head},CLEAN_TIME\n{ADA},,2,{confirmed},"2026-02-01 09:00:00"\n'
    assert told(outcomes(tmp_path, cleaned, "mailchimp")) == [(2, "no_decision")]


def test_a_row_of_a_list_may_say_the_country_whose_rule_counts(tmp_path: Path) -> None:
    rows = [f"{ADA},given,events,{YES},{YES},,no", f"{GRACE},withdrawn,,,,,NO"]
    rows.append(f"{EDSGER},given,events,{YES},{YES},,XX")
    ada, grace, edsger = outcomes(tmp_path, "\n".join([f"{HEAD},jurisdiction", *rows]), countries=("DK", "NO"))

    assert isinstance(ada, Kept)
    assert isinstance(grace, Kept)
    assert (ada.row.evidence.jurisdiction, grace.row.evidence.jurisdiction) == ("NO", "NO")
    assert told([edsger]) == [(4, "evidence/jurisdiction: unknown")]


def test_the_export_of_listmonk_brings_the_blocklist_and_nobodys_consent(tmp_path: Path) -> None:
    head = "uuid,email,name,attributes,status,created_at,updated_at"
    rows = [
        f'u,{ADA},Ada,"{{""a"": ""b""}}",enabled,2026-01-05T10:00:00Z,2026-01-05T10:00:00Z',
        f"u,{GRACE},,{{}},blocklisted,2026-01-05T10:00:00Z,2026-01-05T10:00:00Z",
        f"u,{EDSGER},,{{}},disabled,2026-01-05T10:00:00Z,2026-01-05T10:00:00Z",
    ]

    assert told(outcomes(tmp_path, "\n".join([head, *rows]), "listmonk")) == [
        (2, "no_evidence"),
        (3, "no"),
        (4, "no_decision"),
    ]


def test_the_export_of_hubspot_brings_what_people_opted_out_of(tmp_path: Path) -> None:
    stops = "Unsubscribed from all email,Opted out of email: Fairs"
    head = f"Record ID,Email,{stops},Legal basis for processing contact's data"
    rows = [f"1,{ADA},,Yes,", f"2,{GRACE},true,true,", f"3,{EDSGER},,,Freely given consent from contact"]

    found = outcomes(tmp_path, "\n".join([head, *rows]), "hubspot", Fairs="events")

    assert told(found) == [(2, "no"), (3, "no"), (4, "no_evidence")]
    assert [one.row.topics for one in found if isinstance(one, Kept)] == [("events",), ()]


def test_of_rows_about_one_person_the_newest_counts_in_any_spelling(tmp_path: Path) -> None:
    rows = [f"{ADA},given,product-news,{YES},{YES},", f"{ADA.upper()},withdrawn,product-news,,,{LATER}"]

    assert told(outcomes(tmp_path, "\n".join([HEAD, *rows]))) == [(2, "superseded"), (3, "no")]
    assert told(outcomes(tmp_path, "\n".join([HEAD, rows[1].replace(LATER, "2025-01-01"), rows[0]]))) == [
        (2, "superseded"),
        (3, "given"),
    ]


def test_rows_that_contradict_each_other_without_dates_are_both_told(tmp_path: Path) -> None:
    rows = [f"{ADA},given,product-news,{YES},{YES},", f"{ADA},withdrawn,product-news,,,", f"{GRACE},withdrawn,,,,"]

    assert told(outcomes(tmp_path, "\n".join([HEAD, *rows]))) == [
        (2, "contradictory"),
        (3, "(contradictory)"),
        (3, "no"),
        (4, "no"),
    ]


def test_a_row_that_is_there_twice_is_sent_once(tmp_path: Path) -> None:
    row = f"{ADA},given,product-news,{YES},{YES},"

    assert told(outcomes(tmp_path, "\n".join([HEAD, row, row]))) == [(2, "given"), (3, "duplicate")]


def test_a_newer_no_to_one_topic_leaves_the_others(tmp_path: Path) -> None:
    rows = [f'{ADA},given,"product-news,events",{YES},{YES},', f"{ADA},withdrawn,events,,,{LATER}"]

    found = outcomes(tmp_path, "\n".join([HEAD, *rows]))

    assert told(found) == [(2, "superseded"), (2, "given"), (3, "no")]
    assert [one.row.topics for one in found if isinstance(one, Kept)] == [("product-news",), ("events",)]


def test_every_bad_row_is_told_by_number_and_the_rest_is_kept(tmp_path: Path) -> None:
    rows = [
        f"nobody,given,,{YES},{YES},",
        f"{ADA},perhaps,,,,",
        f"{ADA},given,no-such-topic,{YES},{YES},",
        f"{ADA},given,,yesterday,{YES},",
        f"{ADA},given,,2099-01-01,2099-01-01,",
        "=cmd(),given,,,,",
        f"{GRACE},given,,{YES},{YES},",
    ]

    assert told(outcomes(tmp_path, "\n".join([HEAD, *rows]))) == [
        (2, "recipient: address"),
        (3, "decision: unknown"),
        (4, "topic: unknown"),
        (5, "evidence/collected_at: unreadable"),
        (6, "evidence/collected_at: future, evidence/confirmed_at: future"),
        (7, "recipient: address"),
        (8, "given"),
    ]


def test_a_file_with_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.import_plan.MOST_ROWS", 1)

    with pytest.raises(FileRefusedError, match="more than 1 rows"):
        outcomes(tmp_path, f"{HEAD}\n{ADA},withdrawn,,,,\n{GRACE},withdrawn,,,,\n")


def test_the_same_file_read_the_same_way_is_the_same_import(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"{HEAD}\n{ADA},withdrawn,,,,\n", "utf-8")
    by, _ = import_maps.load("generic", {})

    def name(settings: Settings) -> str:
        with Plan(file, by, settings, a_policy(), 0) as plan:
            return plan.id

    settings = Settings("direct-marketing-email", "list-team")
    assert name(settings) == name(Settings("direct-marketing-email", "list-team"))
    assert name(settings) != name(Settings("direct-marketing-email", "other-team"))
    first = name(settings)
    file.write_text(f"{HEAD}\n{GRACE},withdrawn,,,,\n", "utf-8")
    assert re.fullmatch("[a-z2-7]{26}", first)
    assert name(settings) != first


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ("[", "no YAML"),
        ("decisions: []", "no columns"),
        ("columns: {}\ndecisions: [{says: given}]", "neither who"),
        ("columns: {recipient: [a]}\ndecisions: [{says: yes please}]", "says is one of"),
        ("columns: {recipient: [a], ip: [b]}\ndecisions: [{says: given}]", "nobody reads ip"),
        ("columns: {recipient: [a]}\ndecisions: [given]", "no mapping"),
    ],
)
def test_a_mapping_file_that_cannot_be_used_says_what_to_mend(tmp_path: Path, said: str, mend: str) -> None:
    file = tmp_path / "map.yaml"
    file.write_text(said, "utf-8")

    with pytest.raises(import_maps.MapError, match=mend):
        import_maps.load(str(file), {})


def test_every_map_that_is_shipped_can_be_used() -> None:
    assert import_maps.names() == ["generic", "hubspot", "listmonk", "mailchimp"]
    for name in import_maps.names():
        import_maps.load(name, {})
    with pytest.raises(import_maps.MapError, match="hubspot"):
        import_maps.load("no-such-tool", {})


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the command says, instead of the terminal."""
    said: list[str] = []

    def keep(thing: object, **_: object) -> None:
        rows = [list(column.cells) for column in thing.columns] if hasattr(thing, "columns") else []
        said.append(str(thing) if not rows else "\n".join(" ".join(map(str, row)) for row in zip(*rows, strict=True)))

    monkeypatch.setattr(imports.console, "print", keep)
    return said


def run(file: Path, *more: str) -> int:
    arguments = ["import", str(file), "--purpose", "direct-marketing-email", "--operator", "list-team", *more]
    return CliRunner().invoke(app, arguments).exit_code


def test_the_preflight_counts_names_rows_by_number_and_says_whether_something_is_wrong(
    tmp_path: Path, shown: list[str]
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"{HEAD}\n{ADA},withdrawn,,,,\n", "utf-8")
    assert run(file, "--dry-run") == 0
    file.write_text(f"{HEAD}\n{ADA},withdrawn,,,,\n{GRACE},given,,,,\nnobody,withdrawn,,,,\n", "utf-8")

    assert run(file, "--dry-run") == 1
    assert shown[-1].splitlines() == [
        "kept: a no 1 ",
        "dropped: no_evidence 1 3",
        "dropped: recipient: address 1 4",
    ]
    assert run(file, "--dry-run", "--show") == 1
    assert f"dropped: no_evidence 1 3 {GRACE}" in shown[-1]


@pytest.mark.parametrize(
    "options",
    [
        ["--operator", ADA],
        ["--map", "no-such-tool"],
        ["--purpose", "no-such-purpose"],
        ["--topics", "no-such-topic"],
        ["--topic", "without an equals sign"],
        ["--encoding", "utf-16"],
    ],
)
def test_a_wrong_option_ends_with_2_and_sends_nothing(tmp_path: Path, shown: list[str], options: list[str]) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"{HEAD}\n{ADA},withdrawn,,,,\n", "utf-8")

    assert run(file, *options) == 2
