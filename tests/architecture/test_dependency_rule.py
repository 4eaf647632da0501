"""The folder says what code may know."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers/core/python/consent_center"

MAY_IMPORT = {
    "domain": {"consent_center.domain", "stdlib"},
    "usecases": {"consent_center.domain", "consent_center.usecases", "consent_center.ports", "stdlib"},
    "ports": {"consent_center.domain", "consent_center.ports", "stdlib"},
    "config.py": {"stdlib"},
    "observability.py": {"stdlib", "aws_lambda_powertools"},
    "texts": {"consent_center.texts", "stdlib", "minijinja"},
    "web": {
        "consent_center.domain",
        "consent_center.config",
        "consent_center.observability",
        "consent_center.texts",
        "consent_center.web",
        "stdlib",
        "aws_lambda_powertools",
    },
    "adapters": {
        "consent_center.adapters",
        "consent_center.domain",
        "consent_center.ports",
        "consent_center.observability",
        "stdlib",
        "pynamodb",
        "botocore",
        "email_validator",
        "nacl",
    },
}

FUNCTIONS_MAY_IMPORT = {
    *(f"consent_center.{part}" for part in ("bootstrap", "domain", "ports", "texts", "usecases", "web")),
    "consent_center.observability",
    "stdlib",
    "aws_lambda_powertools",
}

PYDANTIC = {"pydantic", "pydantic_core"}

MAY_USE_PYDANTIC = {"consent_api"}
"""Only what systems call: validation costs a person-facing function a third of its cold start."""


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: use absolute imports"
            assert node.module
            yield node.module


def kind(module: str) -> str:
    if module.split(".", maxsplit=1)[0] in sys.stdlib_module_names:
        return "stdlib"
    return ".".join(module.split(".")[:2]) if module.startswith("consent_center") else module.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_core_imports_only_what_it_may(part: str) -> None:
    path = CORE / part
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert files
    assert not [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in files
        for module in imports_of(file)
        if kind(module) not in MAY_IMPORT[part]
    ]


def test_every_part_of_core_has_its_rule() -> None:
    parts = {path.name for path in CORE.iterdir() if path.name not in ("__init__.py", "__pycache__")}

    assert parts == {*MAY_IMPORT, "bootstrap.py"}


@pytest.mark.parametrize(
    "file", sorted((ROOT / "functions").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_functions_keep_to_the_front_door(file: Path) -> None:
    function = file.relative_to(ROOT / "functions").parts[0]
    allowed = FUNCTIONS_MAY_IMPORT | {function} | (PYDANTIC if function in MAY_USE_PYDANTIC else set())

    assert not [module for module in imports_of(file) if kind(module) not in allowed]


@pytest.mark.parametrize("part", ["domain", "usecases"])
def test_the_inner_parts_have_no_clock_no_environment_and_no_chance(part: str) -> None:
    forbidden = {"time", "os", "random", "secrets", "socket", "subprocess", "urllib", "http"}

    assert not [
        f"{file.name} imports {module}"
        for file in (CORE / part).rglob("*.py")
        for module in imports_of(file)
        if module.split(".")[0] in forbidden
    ]


def test_only_config_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for folder in (CORE, ROOT / "functions")
        for path in folder.rglob("*.py")
        if any(word in path.read_text() for word in ("os.environ", "os.getenv"))
    ]

    assert readers == ["layers/core/python/consent_center/config.py"]


def test_only_the_replay_of_a_restored_table_scans() -> None:
    adapters = (CORE / "adapters").rglob("*.py")
    scanning = [path for path in adapters if ".scan(" in path.read_text() or '"Scan"' in path.read_text()]

    assert [str(path.relative_to(CORE)) for path in scanning] == ["adapters/dynamodb/restore.py"]
    assert not [path for path in (ROOT / "functions").rglob("*.py") if "restored_records" in path.read_text()]
