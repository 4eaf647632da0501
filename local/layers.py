"""Builds the layers for this computer's Python, and again only when what they are made of has changed."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from local.errors import LocalStackError
from local.installation import BUILT_LAYERS
from local.template import Template

KEPT_BUILDS = 3
"""Older builds of a layer are removed; the few that stay serve branches worked on side by side."""

IN_USE_SECONDS = 2 * 86400
"""How long after its last start a stack may still be running on a build."""


def build_for(template: Template, layers: Path, python: Path) -> dict[str, Path]:
    """The folder with the Python packages of every layer, by logical id of the transformed template.

    `layers` holds the makefile, `python` is the interpreter that will run the functions.
    """
    transformed = list(template.of_type("AWS::Lambda::LayerVersion"))
    # The transform adds ten hexadecimal digits to a layer's logical id.
    written = [re.sub(r"[0-9a-f]{10}$", "", logical_id) for logical_id in transformed]
    return dict(zip(transformed, build(layers, written, BUILT_LAYERS, python), strict=True))


def build(layers: Path, logical_ids: list[str], into: Path, python: Path) -> list[Path]:
    """The `python` folder of every layer, built when needed; the order is that of `logical_ids`.

    Raises LocalStackError naming the layer when a build fails.
    """
    into.mkdir(parents=True, exist_ok=True)
    with (into / "lock").open("w", encoding="utf-8") as lock:
        # Two stacks started at once share the builds.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return [_built(layers, logical_id, into, python) / "python" for logical_id in logical_ids]


def _built(layers: Path, logical_id: str, into: Path, python: Path) -> Path:
    folder = into / f"{logical_id}-{_fingerprint(layers, logical_id, python)}"
    if not folder.is_dir():
        _make(layers, logical_id, folder, python)
        _remove_older(into, logical_id, keep=folder)
    os.utime(folder)
    return folder


def _make(layers: Path, logical_id: str, folder: Path, python: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        artifacts = Path(scratch) / "artifacts"
        artifacts.mkdir()
        command = [
            "make", "--no-print-directory", "-C", str(layers), f"build-{logical_id}", f"ARTIFACTS_DIR={artifacts}",
            "LAYER_TARGET=host", f"PYTHON={python}", f"COMPILER_PYTHON={sys.executable}",
        ]  # fmt: skip
        # The interpreter comes first on the path, so that a makefile asking for python3 gets the one that will run.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        environment["PATH"] = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
            told = next((line for line in reversed(reason) if not line.startswith("make")), reason[-1])
            raise LocalStackError(f"The layer {logical_id} could not be built: {told}")
        if not (artifacts / "python").is_dir():
            raise LocalStackError(f"The layer {logical_id} was built, but has no folder named python.")
        artifacts.rename(folder)


def _fingerprint(layers: Path, logical_id: str, python: Path) -> str:
    """Names the inputs of a layer: the makefile and its scripts, the layer's own folder and the interpreter."""
    own = layers / logical_id.removesuffix("Layer").lower()
    files = [
        layers / "Makefile",
        *sorted(layers.glob("*.sh")),
        *sorted(own.rglob("*") if own.is_dir() else layers.rglob("*")),
    ]
    digest = hashlib.sha256(f"{python.resolve()}\n".encode())
    for file in files:
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"{file.relative_to(layers)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _remove_older(into: Path, logical_id: str, keep: Path) -> None:
    builds = sorted(into.glob(f"{logical_id}-*"), key=lambda build: build.stat().st_mtime, reverse=True)
    for build in [build for build in builds if build != keep][KEPT_BUILDS - 1 :]:
        # A stack that is still running reads from the build it was started with.
        if time.time() - build.stat().st_mtime > IN_USE_SECONDS:
            shutil.rmtree(build, ignore_errors=True)
