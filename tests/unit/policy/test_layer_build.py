"""Layers are built from their own folder alone, and their locks hold."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.policy.policy_copies import ROOT

LAYERS = ROOT / "layers"
LOCKS = [LAYERS / "dependencies" / "requirements", LAYERS / "policy" / "compiler-requirements"]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The layers with a little core, copied elsewhere as `sam build` does."""
    folder = tmp_path / "scratch"
    shutil.copytree(LAYERS, folder, ignore=shutil.ignore_patterns("core", "__pycache__"))
    core = folder / "core" / "python" / "consent_center" / "domain"
    (core / "__pycache__").mkdir(parents=True)
    (core / "__pycache__" / "rules.cpython-311.pyc").write_bytes(b"")
    (core / "rules.py").write_text("", encoding="utf-8")
    catalogues = core.parent / "locales"
    catalogues.mkdir()
    for name in ("all.pot", "da.po", "da.mo"):
        (catalogues / name).write_bytes(b"")
    return folder


def build(scratch: Path, layer: str, out: Path | None, **settings: str) -> subprocess.CompletedProcess[str]:
    named = {"ARTIFACTS_DIR": str(out)} if out else {}
    return subprocess.run(
        ["make", "--silent", f"build-{layer}Layer"],
        cwd=scratch,
        env={"PATH": os.environ["PATH"], **named, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_policy_layer_is_the_compiled_package(scratch: Path, tmp_path: Path) -> None:
    done = build(scratch, "Policy", tmp_path / "out", COMPILER_PYTHON=sys.executable)

    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "out" / "python" / "consent_policy").rglob("*") if path.is_file())
    notices = ["2026-11-01.en.json", *(f"2026-11-22.{language}.json" for language in ("da", "en", "nb"))]
    notices += [f"2026-11-25.{language}.json" for language in ("da", "de", "en", "nb")]
    assert names == [*notices, "__init__.py", "policy.json"]
    assert not list((scratch / "policy").rglob("__pycache__"))


def test_a_broken_policy_breaks_the_build(scratch: Path, tmp_path: Path) -> None:
    (scratch / "policy" / "policy.yaml").write_text("format: 2\n", encoding="utf-8")

    done = build(scratch, "Policy", tmp_path / "out", COMPILER_PYTHON=sys.executable)

    assert done.returncode != 0
    assert "policy.yaml:1: /format: " in done.stderr


def test_the_core_layer_has_bytecode_of_its_own_making_and_neither_sources_of_translations_nor_what_was_removed(
    scratch: Path, tmp_path: Path
) -> None:
    removed = tmp_path / "out" / "python" / "consent_center" / "removed.py"
    removed.parent.mkdir(parents=True)
    removed.write_text("", encoding="utf-8")

    done = build(scratch, "Core", tmp_path / "out", LAYER_TARGET="host", PYTHON=sys.executable)

    assert done.returncode == 0, done.stderr
    files = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    bytecode = f"consent_center/domain/__pycache__/rules.{sys.implementation.cache_tag}.pyc"
    assert [path.relative_to(tmp_path / "out" / "python").as_posix() for path in files] == [
        bytecode,
        "consent_center/domain/rules.py",
        "consent_center/locales/da.mo",
    ]
    # The one beside the sources was empty.
    assert (tmp_path / "out" / "python" / bytecode).stat().st_size > 0


def test_a_build_says_what_is_missing(scratch: Path, tmp_path: Path) -> None:
    assert "ARTIFACTS_DIR" in build(scratch, "Core", None).stderr
    assert "lambda or host" in build(scratch, "Dependencies", tmp_path, LAYER_TARGET="elsewhere").stderr


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_library_has_hashes_and_comes_from_no_particular_place(lock: Path) -> None:
    text = lock.with_suffix(".txt").read_text(encoding="utf-8")
    wanted = lock.with_suffix(".in").read_text(encoding="utf-8")
    locked = re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)

    assert "://" not in text
    assert "--index" not in text
    for entry in re.split(r"\n(?=[a-z])", text.strip()):
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert {line for line in wanted.splitlines() if line and not line.startswith("#")} <= set(locked)
