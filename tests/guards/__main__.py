"""Shows that each guard is needed: takes it away in a copy of the tree, and its test must fail.

Run by `make guards`, or `make guards ONLY=name`. Exit code 1 if a test does not notice, or a patch no longer fits.
"""

import argparse
import gc
import importlib
import os
import shlex
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
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
ONCE = (
    *("aws_lambda_powertools.event_handler", "aws_lambda_powertools.metrics", "boto3", "botocore.client", "pynamodb"),
    *("cryptography.hazmat.primitives.asymmetric.rsa", "email_validator", "hypothesis.stateful", "jinja2", "jwt"),
    *(
        "moto",
        "moto.dynamodb.models",
        "moto.dynamodb.responses",
        "moto.s3.models",
        "pydantic",
        "requests",
        "samtranslator.translator.transform",
        "typer",
    ),
)
"""What most tests import and no patch changes: imported once, before the processes that run the tests are split off."""

PASSED, FAILED_TESTS, BROKEN = 0, 1, 99
"""pytest's exit codes when all tests passed and when some failed, and ours when a test could not run."""


class SetUps:
    """Tells a test that could not be set up from one that failed: it has noticed nothing."""

    def __init__(self) -> None:
        self.broken = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.broken |= report.failed and report.when == "setup"


@dataclass
class Attempt:
    """A guard taken away in a tree, and the process that runs its test there."""

    guard: dict[str, str]
    tree: Path
    number: int
    pid: int = 0

    @property
    def file(self) -> Path:
        return self.tree / self.guard["file"]

    def start(self) -> None:
        """Patch the tree and run the test in a process of its own, which has imported nothing of the product."""
        before = self.file.stat()
        text = self.file.read_text()
        self.file.write_text(text.replace(self.guard["find"], self.guard["replace"]))
        # Bytecode is found by time and size: no two patches, nor a patch and the original, may share the time.
        os.utime(self.file, (before.st_atime, int(before.st_mtime) + self.number))
        self._original = text, before
        self.pid = os.fork()
        if self.pid == 0:
            code = BROKEN
            try:
                code = run(self.tree, self.guard["test"])
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)

    def end(self) -> None:
        text, before = self._original
        self.file.write_text(text)
        os.utime(self.file, (before.st_atime, before.st_mtime))


def copy_of_tree(into: Path) -> Path:
    into.mkdir(exist_ok=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
        else:
            shutil.copy(source, into / name)
    return into


def run(tree: Path, test: str) -> int:
    """Run a test of the tree in this process: pytest's exit code, or BROKEN if a test could not be set up."""
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    os.chdir(tree)
    # As `python -m pytest` in the tree would find things; nothing of this one may be found.
    sys.path[:] = [str(tree), *(entry for entry in sys.path if Path(entry or ROOT).resolve() != ROOT)]
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    set_ups = SetUps()
    options = [
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    code = int(pytest.main([*options, *shlex.split(test)], plugins=[set_ups]))
    return BROKEN if set_ups.broken else code


def tried(guards: list[dict[str, str]], trees: list[Path]) -> Iterator[tuple[dict[str, str], str]]:
    """Each guard with `noticed` or what is wrong, as they end; as many at once as there are trees.

    Each has a tree to itself, so that no test sees the patch of another guard.
    """
    waiting = list(enumerate(guards, start=1))
    running: dict[int, Attempt] = {}
    while waiting or running:
        while waiting and trees:
            number, guard = waiting.pop(0)
            attempt = Attempt(guard, trees.pop(), number)
            if (fits := attempt.file.read_text().count(guard["find"])) != 1:
                trees.append(attempt.tree)
                yield guard, f"the patch fits {fits} times instead of once"
                continue
            attempt.start()
            running[attempt.pid] = attempt
        if running:
            pid, status = os.wait()
            attempt = running.pop(pid)
            attempt.end()
            trees.append(attempt.tree)
            yield attempt.guard, outcome(os.waitstatus_to_exitcode(status))


def outcome(code: int) -> str:
    """`noticed`, or what is wrong."""
    if code == FAILED_TESTS:
        return "noticed"
    return "no test noticed" if code == PASSED else f"the test did not run (exit code {code})"


def main() -> int:
    parser = argparse.ArgumentParser(prog="guards", description=__doc__)
    parser.add_argument("--only", default="", help="guards whose name contains this")
    only = parser.parse_args().only
    guards = yaml.safe_load((Path(__file__).parent / "guards.yaml").read_text())
    chosen = [guard for guard in guards if only in guard["name"]]
    unnoticed = 0
    for name in ONCE:
        importlib.import_module(name)
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        trees = [copy_of_tree(Path(folder) / str(number)) for number in range(os.cpu_count() or 1)]
        for number, (guard, result) in enumerate(tried(chosen, trees), start=1):
            unnoticed += result != "noticed"
            print(f"{number:3} of {len(chosen)}  {result:<10}  {guard['name']}", flush=True)
    print(f"{len(chosen) - unnoticed} passed, {unnoticed} failed")
    return 1 if unnoticed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
