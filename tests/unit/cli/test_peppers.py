"""`consentctl peppers`: a key is only ever added, waited for, and taken out once nothing needs it."""

from collections import Counter
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import peppers


class Secret:
    def __init__(self) -> None:
        self.stored, self.age_ms = {"current": "k1", "k1": "one"}, 10.0**12

    def __call__(self, deployment: object) -> "Secret":
        return self

    def read(self) -> dict[str, str]:
        return dict(self.stored)

    def write(self, stored: dict[str, str]) -> None:
        self.stored, self.age_ms = stored, 0.0

    def new_key(self) -> str:
        return "new"

    def changed_ms_ago(self) -> float:
        return self.age_ms


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Secret:
    made = Secret()
    monkeypatch.setattr(peppers, "PepperSecret", made)
    return made


def run(*words: str) -> Any:
    return CliRunner().invoke(peppers.app, list(words))


def test_a_key_is_added_beside_those_that_are_there_and_only_once(secret: Secret) -> None:
    assert run("add").exit_code == 0
    assert secret.stored == {"current": "k1", "k1": "one", "k2": "new"}

    assert run("add").exit_code == 1
    assert secret.stored == {"current": "k1", "k1": "one", "k2": "new"}


def test_nobody_is_moved_before_every_function_knows_the_new_key(secret: Secret) -> None:
    run("add")
    secret.age_ms = peppers.FRESH_MS - 1

    assert run("move").exit_code == 1
    assert secret.stored["current"] == "k1"


@pytest.mark.parametrize("living", [True, False])
def test_a_key_that_a_record_or_a_suppression_needs_is_not_retired(
    secret: Secret, monkeypatch: pytest.MonkeyPatch, living: bool
) -> None:
    secret.stored = {"current": "k2", "k1": "one", "k2": "two"}
    needed = Counter({("k1", living): 1})
    monkeypatch.setattr(peppers, "_counted", lambda deployment, policy: needed)

    assert run("retire", "k1").exit_code == 1
    assert run("retire", "k2").exit_code == 1
    assert "k1" in secret.stored

    needed.clear()
    secret.age_ms = 86_400_000
    assert run("retire", "k1").exit_code == 1, "requests may still be open"

    secret.age_ms = 10.0**12
    assert run("retire", "k1").exit_code == 0
    assert secret.stored == {"current": "k2", "k2": "two"}
