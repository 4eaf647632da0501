"""The patches that take guards away still fit the code; `make guards` shows that each is noticed."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GUARDS = yaml.safe_load((ROOT / "tests/guards/guards.yaml").read_text())


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard["name"])
def test_a_guards_patch_fits_the_code_once(guard: dict[str, str]) -> None:
    assert (ROOT / guard["file"]).read_text().count(guard["find"]) == 1
    assert guard["find"] != guard["replace"]
    assert (ROOT / guard["test"].split()[0]).exists()
