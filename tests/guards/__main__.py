"""Shows that each guard is needed: takes it away in a copy of the tree, and its test must fail.

Run by `make guards`, or `make guards ONLY=name`. Exit code 1 if a test does not notice, or a patch no longer fits.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import yaml

ROOT = Path(__file__).parents[2]
COPIED = (
    "cli",
    "functions",
    "layers",
    "local",
    "tests",
    "events",
    "docs",
    "pyproject.toml",
    "template.yaml",
    "README.md",
    "Makefile",
)
FAILED_TESTS = 1
"""pytest's exit code when tests ran and some failed; any other means that they did not run."""


def copy_of_tree(into: Path) -> Path:
    into.mkdir(exist_ok=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
        else:
            shutil.copy(source, into / name)
    return into


def outcome(tree: Path, guard: dict[str, str]) -> str:
    """`noticed`, or what is wrong."""
    file = tree / guard["file"]
    text = file.read_text()
    if text.count(guard["find"]) != 1:
        return f"the patch fits {text.count(guard['find'])} times instead of once"
    file.write_text(text.replace(guard["find"], guard["replace"]))
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *shlex.split(guard["test"])],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.write_text(text)
    if ran.returncode == FAILED_TESTS:
        return "noticed"
    return "no test noticed" if ran.returncode == 0 else f"the test did not run (pytest exit code {ran.returncode})"


def main() -> int:
    parser = argparse.ArgumentParser(prog="guards", description=__doc__)
    parser.add_argument("--only", default="", help="guards whose name contains this")
    only = parser.parse_args().only
    guards = yaml.safe_load((Path(__file__).parent / "guards.yaml").read_text())
    chosen = [guard for guard in guards if only in guard["name"]]
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        # Each has a tree to itself, so that no test sees the patch of another guard.
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(os.cpu_count() or 1):
            trees.put(copy_of_tree(Path(folder) / str(number)))

        def tried(guard: dict[str, str]) -> str:
            tree = trees.get()
            try:
                return outcome(tree, guard)
            finally:
                trees.put(tree)

        for number, (guard, result) in enumerate(zip(chosen, pool.map(tried, chosen), strict=True), start=1):
            unnoticed += result != "noticed"
            print(f"{number:3} of {len(chosen)}  {result:<10}  {guard['name']}", flush=True)
    print(f"{len(chosen) - unnoticed} passed, {unnoticed} failed")
    return 1 if unnoticed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
