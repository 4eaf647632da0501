"""`consentctl cases`: what the API offers, from a terminal; nobody is named there."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from builders import PEOPLE
from case_world import CASE, CaseWorld
from cli import cases
from cli.__main__ import app
from consent_center.adapters.addresses import parse_address
from consent_center.domain.case import CaseState, Right
from consent_center.domain.errors import UnavailableError
from consent_center.domain.recipient import Answer, TaskState

PDF = b"%PDF-1.7\n\xe2\xe3\xcf\xd3"


class Desk:
    """The commands over a case in which staff are to collect from the CRM by hand."""

    def __init__(self) -> None:
        self.world, self.closed = CaseWorld(), 0
        self.world.subscribe()
        self.world.crm.script = [Answer(TaskState.ASKED, "manual")]

    def services(self, _: object) -> Any:
        world = self.world
        return SimpleNamespace(
            cases=world.cases,
            particulars=world.particulars,
            case_orders=world.orders,
            chance=world.people.chance,
            addresses=parse_address,
            clock=world.clock,
            close=self.close,
        )

    def close(self) -> None:
        self.closed += 1

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["cases", *words], env={"COLUMNS": "200"})

    def open(self, right: Right = Right.ACCESS, state: CaseState = CaseState.RUNNING) -> None:
        self.world.open(right, state, particulars={"details": "All of it, please."})
        self.world.look()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()
    monkeypatch.setattr(cases, "case_services", made.services)
    monkeypatch.setattr(cases, "compiled_policy", lambda policy, out: made.world.people.policy)
    return made


def test_open_requests_are_listed_and_nobody_is_named(desk: Desk) -> None:
    assert desk.run("list").stdout == "No such request is open.\n"
    desk.open()
    listed = desk.run("list", "--type", "access", "--state", "running")

    assert (listed.exit_code, CASE in listed.stdout) == (0, True)
    assert desk.run("list", "--type", "erasure").stdout == "No such request is open.\n"
    assert desk.closed == 3


def test_requests_of_one_controller_are_listed_and_each_names_its_own(desk: Desk) -> None:
    desk.open()
    case = desk.world.case
    other = replace(case, id="other" + "0" * 19, contact=case.contact._replace(controller="fjell"))
    desk.world.cases.files[other.id] = replace(desk.world.file, case=other)

    both, one = desk.run("list").stdout, desk.run("list", "--controller", "fjell").stdout

    assert (both.count("fjordmeter"), both.count("fjell")) == (1, 1)
    assert (other.id in one, CASE in one) == (True, False)


def test_a_list_longer_than_a_page_of_it_is_shown_to_its_end_or_to_the_number_asked_for(desk: Desk) -> None:

    desk.open()
    case = desk.world.case
    for number in range(120):
        one = replace(case, id=f"more{number:020d}", contact=case.contact._replace(pseudonym=f"p{number}"))
        desk.world.cases.files[one.id] = replace(desk.world.file, case=one)

    assert desk.run("list", "--most", "500").stdout.count("access") == 121
    assert desk.run("list", "--most", "105").stdout.count("access") == 105


def test_a_request_is_shown_with_what_recipients_were_asked_and_the_person_in_a_file_alone(
    desk: Desk, tmp_path: Path
) -> None:
    desk.open()
    to = tmp_path / "person.json"
    shown = desk.run("show", CASE, "--person-to", str(to))

    assert shown.exit_code == 0, shown.output
    for word in ("running", "collect", "manual", "task_asked", f"version {desk.world.case.version}"):
        assert word in shown.stdout
    assert json.loads(to.read_text("utf-8")) == {"address": PEOPLE[0], "details": "All of it, please."}
    assert to.stat().st_mode & 0o777 == 0o600
    assert desk.run("show", CASE, "--person-to", str(to)).exit_code == 2, "a file that is there stays as it is"


def test_files_that_were_collected_by_hand_end_in_the_package(desk: Desk, tmp_path: Path) -> None:
    desk.open()
    scan, text = tmp_path / "scan.pdf", tmp_path / "customer.json"
    scan.write_bytes(PDF)
    text.write_text('{"name": "Æ"}', "utf-8")
    words = ("answer", CASE, "crm", "--state", "done", "--file", str(scan), "--file", str(text))

    assert desk.run(*words).stdout == "Noted.\n"
    assert desk.run(*words).stdout == "That was noted before.\n"
    assert desk.world.file.log[-1].by == "staff:operator"
    desk.world.run(1)
    assert desk.world.case.state is CaseState.DONE
    assert b"customer.json" in desk.world.exports.kept[CASE, "access.zip"][0]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("my scan.pdf", b"x", "customer-17.pdf"),
        ("=cmd.csv", b"x", "customer-17.pdf"),
        ("a.bin", b"\xff" * 262_145, "262,144"),
        ("a.csv", b"\xc6", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_given_is_refused_in_words(
    desk: Desk, tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    desk.open()
    (tmp_path / name).write_bytes(content)
    refused = desk.run("answer", CASE, "crm", "--state", "done", "--file", str(tmp_path / name))

    assert (refused.exit_code, why in refused.stderr.replace("\n", " ")) == (1, True), refused.output
    assert desk.world.tasks["crm"].state is TaskState.ASKED


def test_what_is_not_there_closed_settled_or_lacks_a_reason_is_refused_in_words(desk: Desk) -> None:
    desk.open()
    for words, why in (
        (("show", "nothing"), "no such request"),
        (("answer", CASE, "lab", "--state", "done"), "no such recipient"),
        (("answer", CASE, "crm", "--state", "impossible"), "--reason is required"),
        (("redrive", CASE, "post-house"), "does not become"),
        (("move", CASE, "lift", "--version", "1"), "changed since"),
    ):
        refused = desk.run(*words)
        assert (refused.exit_code, why in refused.stderr) == (1, True), (words, refused.output)
    assert desk.run("answer", CASE, "crm", "--state", "failed").exit_code == 2
    desk.world.run(60)
    assert desk.world.case.state is CaseState.DONE
    assert "closed" in desk.run("answer", CASE, "crm", "--state", "done").stderr


def test_a_recipient_is_asked_again(desk: Desk) -> None:
    desk.open()
    assert desk.run("redrive", CASE, "crm").stdout == "It is asked again.\n"
    assert desk.world.tasks["crm"].state is TaskState.WAITING


def test_a_step_is_taken_on_the_version_that_was_seen(desk: Desk, tmp_path: Path) -> None:
    desk.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    right = tmp_path / "right.json"
    right.write_text('{"name": "Ada King"}', "utf-8")
    version = str(desk.world.case.version)
    moved = desk.run("move", CASE, "start", "--version", version, "--corrections", str(right))

    assert (moved.exit_code, moved.stdout.split(", version")[0]) == (0, f"{desk.world.case.number} is running")
    assert desk.run("move", CASE, "start", "--version", version).exit_code == 1
    desk.world.run(1)
    assert desk.world.crm.asked[0].corrections == {"name": "Ada King"}


@pytest.mark.parametrize("text", ["[]", "{", '{"name": 7}'])
def test_corrections_that_are_none_are_refused(desk: Desk, tmp_path: Path, text: str) -> None:
    desk.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    wrong = tmp_path / "wrong.json"
    wrong.write_text(text, "utf-8")

    assert desk.run("move", CASE, "start", "--version", "1", "--corrections", str(wrong)).exit_code == 2


def test_what_does_not_answer_is_told_as_not_done(desk: Desk) -> None:
    desk.open()

    def away(_: str) -> Any:
        raise UnavailableError("load case")

    desk.world.cases.load = away  # type: ignore[method-assign]
    refused = desk.run("show", CASE)

    assert (refused.exit_code, "Run it again" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    "corrections", [{"address": "ada at home"}, {"name": "x" * 5_000}, {"name": "\u202eada"}, {"interest": "nothing"}]
)
def test_a_correction_that_is_wrong_is_named_with_what_is_wrong_in_it(
    desk: Desk, tmp_path: Path, corrections: dict[str, str]
) -> None:
    desk.open(Right.RECTIFICATION, CaseState.WITH_STAFF)
    file = tmp_path / "corrections.json"
    file.write_text(json.dumps(corrections))
    version = str(desk.world.case.version)
    moved = desk.run("move", CASE, "start", "--version", version, "--corrections", str(file))

    assert (moved.exit_code, type(moved.exception)) == (cases.REFUSED, SystemExit)
    assert f"--corrections/{next(iter(corrections))} " in moved.output
    assert "ada" not in moved.output


def test_a_request_that_cannot_be_read_is_listed_by_its_id(desk: Desk) -> None:
    desk.open()
    desk.world.cases.unreadable.add(CASE)
    listed = desk.run("list")

    assert (listed.exit_code, CASE in listed.stderr) == (0, True)
