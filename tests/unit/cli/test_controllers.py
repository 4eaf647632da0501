"""The operators' commands where a policy has several controllers, and the form that one of them prints."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import form
from cli.__main__ import app
from cli.evidence import controller_meant
from cli.ledger import BadInputError
from policy_compiler import compiler
from several_brands import TODAY, compiled, folder_in, policy_in


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = folder_in(tmp_path)
    compiler.publish(made, "2026-12-01", "first", TODAY)
    return made


def test_an_operator_has_to_say_whose_records_are_meant_and_hears_what_to_choose_from() -> None:
    policy = policy_in(compiled())

    assert controller_meant(policy, "fjell") == "fjell"
    for named, words in ((None, "--controller: havn, fjell"), ("nobody", "no such controller")):
        with pytest.raises(BadInputError, match=words):
            controller_meant(policy, named)


def test_the_difference_of_editions_is_that_of_one_controller(folder: Path) -> None:
    path = folder / "policy.yaml"
    edition = (
        "\n  2027-02-01: {published_on: 2027-02-01, change: material, summary: {en: More.}, approved_by: {en: N}}\n"
    )
    path.write_text(path.read_text().replace("Carries what was lent.", "Carries all that was lent.") + edition)
    options = ("policy", "diff", "--policy", str(folder))

    assert "{+all that+}" in run(*options, "--controller", "fjell").stdout
    # What it does differently for the other one is the day on which it is published.
    assert "lent" not in run(*options, "--controller", "havn").stdout
    for wrong in ((), ("--controller", "nobody")):
        answer = run(*options, *wrong)
        assert (answer.exit_code, "havn, fjell" in answer.output) == (2, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--brand", "nobody"), "noir, larder, fjell"),
        (("--language", "da"), "The policy speaks en."),
        (("--brand", "fjell", "--topic", "novels"), "offers no such topic"),
    ],
)
def test_a_form_of_what_is_not_there_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    monkeypatch.setattr(form, "compiled_policy", lambda *_: policy_in(compiled()))
    answer = run("form", "html", "--url", "https://consent.example.com", *words)

    assert (answer.exit_code, says in answer.output, "<form" in answer.output) == (2, True, False)


def test_a_brands_form_is_printed_for_its_page_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "compiled_policy", lambda *_: policy_in(compiled()))
    answer = run("form", "html", "--url", "https://consent.example.com/", "--brand", "larder", "--topic", "recipes")

    assert answer.exit_code == 0
    assert answer.stdout.startswith(
        '<form method="post" action="https://consent.example.com/subscribe?lang=en&amp;brand=larder"'
    )
    assert answer.stdout.endswith("</form>\n")
