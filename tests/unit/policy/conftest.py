"""The policies that the tests start from."""

import shutil
from pathlib import Path

import pytest
from tests.unit.policy.policy_copies import EXAMPLE, OTHER, Copy


@pytest.fixture
def example(tmp_path: Path) -> Copy:
    """The shipped policy with what was published of it."""
    folder = tmp_path / "policy"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("policy_compiler", "*.txt", "*.in"))
    return Copy(folder)


@pytest.fixture
def other(tmp_path: Path) -> Copy:
    """The small policy in two languages, with nothing published."""
    folder = tmp_path / "other"
    shutil.copytree(OTHER, folder)
    shutil.copy(EXAMPLE / "wording" / "en.yaml", folder / "wording" / "en.yaml")
    path = folder / "wording" / "en.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "  FR: France\n", encoding="utf-8")
    return Copy(folder)
