"""The operators' commands against the real template on the local stack."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.unit.policy.policy_copies import EXAMPLE
from typer.testing import CliRunner

from cli.__main__ import app
from local.stack import LocalStack
from world import Visitor


def run(stack: LocalStack, *arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, "--local", stack.url.rpartition(":")[2], "--json"])


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """The shipped policy with one topic retired, as it stands before its edition is published."""
    folder = tmp_path / "policy"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("policy_compiler", "*.txt", "*.in"))
    file = folder / "policy.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("        code: ev\n", "        code: ev\n        retired: true\n"), encoding="utf-8")
    return folder


def test_a_simulation_counts_who_would_lose_a_retired_topic(stack: LocalStack, edited: Path) -> None:
    def lost() -> int:
        command = ("policy", "simulate", "--in-force", str(EXAMPLE), "--policy", str(edited))
        answer = run(stack, *command)
        assert answer.exit_code == 0, answer.output
        document = json.loads(answer.stdout)
        assert document["unknown_items"] == {}
        return sum(one["people"] for one in document["moves"] if one["topic"] == "events")

    before = lost()
    Visitor(stack).subscribed("events")
    Visitor(stack).subscribed("surveys")

    assert lost() == before + 1


def test_the_doctor_finds_the_local_stack_well(stack: LocalStack) -> None:
    answer = run(stack, "doctor")

    failed = [one for one in json.loads(answer.stdout) if one["status"] == "failed"]
    assert failed == []
    assert answer.exit_code == 0
