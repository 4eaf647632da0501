"""`consentctl person erase`: asked for, told in one line, safe to run again, and no address where a shell keeps it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from builders import PEOPLE
from cli import person
from cli.__main__ import app
from consent_center.domain.errors import UnavailableError
from consent_center.domain.suppression import Basis
from usecase_world import World

ADA, GRACE, _ = PEOPLE


class Desk:
    """The command over a world of fakes."""

    def __init__(self, folder: Path) -> None:
        self.world, self.folder, self.closed = World(), folder, 0
        for who in (ADA, GRACE):
            self.world.sign_up("product-news", email=who)
            self.world.deliver()
            self.world.confirm(self.world.letter_token("confirm_url"))
        self.world.clock.move(seconds=1)

    def services(self, _: object) -> Any:
        return SimpleNamespace(**self.world.deciding, close=self.close)

    def close(self) -> None:
        self.closed += 1

    def run(self, *words: str, address: str = ADA, typed: str | None = None) -> Any:
        file = self.folder / "address.txt"
        file.write_text(f"{address}\n", "utf-8")
        from_file = ["--address-file", str(file)] if typed is None else []
        return CliRunner().invoke(app, ["person", "erase", *words, *from_file], input=typed)

    def is_held(self, who: str) -> bool:
        return self.world.subjects.load(self.world.contact(who)).subject.chain is not None


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(tmp_path)
    monkeypatch.setattr(person, "operators_services", made.services)
    monkeypatch.setattr(person, "compiled_policy", lambda policy, out: made.world.policy)
    return made


def test_all_that_is_held_of_one_address_goes_and_nobody_elses(desk: Desk) -> None:
    done = desk.run("--remove-everything", "--yes")

    assert (done.exit_code, done.stdout) == (0, "Erased; no fingerprint is kept but one that was there before.\n")
    assert (desk.is_held(ADA), desk.is_held(GRACE)) == (False, True)
    assert desk.world.subjects.load(desk.world.contact(ADA)).subject.suppression is None
    assert desk.closed == 1


def test_a_fingerprint_stays_for_whoever_wants_to_be_kept_out(desk: Desk) -> None:
    done = desk.run("--keep-fingerprint", "--yes")

    assert done.stdout == "Erased; a fingerprint is kept.\n"
    assert not desk.is_held(ADA)
    suppression = desk.world.subjects.load(desk.world.contact(ADA)).subject.suppression
    assert suppression is not None
    assert suppression.basis is Basis.ERASURE


def test_running_it_again_is_harmless_and_says_so(desk: Desk) -> None:
    desk.run("--remove-everything", "--yes")
    again = desk.run("--remove-everything", "--yes")

    assert (again.exit_code, again.stdout) == (0, "Nothing is held at this address.\n")


def test_nothing_goes_before_the_operator_says_that_it_is_meant(desk: Desk) -> None:
    assert desk.run("--remove-everything", typed=f"{ADA}\nn\n").exit_code == 1
    assert desk.is_held(ADA)

    assert desk.run("--remove-everything", typed=f"{ADA}\ny\n").exit_code == 0
    assert not desk.is_held(ADA)


def test_what_the_person_chose_has_to_be_said(desk: Desk) -> None:
    assert desk.run("--yes", typed=f"{ADA}\n").exit_code == 2
    assert desk.is_held(ADA)


def test_an_address_is_no_argument_of_the_command(desk: Desk) -> None:
    assert desk.run("--remove-everything", "--yes", ADA, typed="").exit_code == 2
    assert desk.is_held(ADA)


@pytest.mark.parametrize(
    ("words", "address"), [((), "no address"), (("--controller", "nobody"), ADA)], ids=["address", "controller"]
)
def test_what_names_nobody_is_refused_before_anything_is_opened(
    desk: Desk, words: tuple[str, ...], address: str
) -> None:
    done = desk.run("--remove-everything", "--yes", *words, address=address)

    assert (done.exit_code, desk.closed) == (2, 0)
    assert desk.is_held(ADA)


def test_a_database_that_does_not_answer_ends_with_run_it_again_and_without_the_address(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise UnavailableError("load")

    monkeypatch.setattr(desk.world.subjects, "load", fails)
    done = desk.run("--remove-everything", "--yes")

    assert done.exit_code == 2
    assert "Run it again" in done.stderr
    assert ADA not in done.output
    assert desk.closed == 1
