"""Imports a made-up list on a local stack of its own: counts, a kill in the middle, again, and memory.

By hand, because it takes as long as the computer needs: `python -m bench.imports --rows 100000`.
"""

import argparse
import contextlib
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from local.installation import ROOT
from local.stack import LocalStack, free_port

YES = "2026-01-05T10:00:00Z"

KINDS = 10
"""Of ten rows six are proven consents, one has no proof, two are withdrawals, and one repeats the row before."""


def write_list(path: Path, rows: int) -> Counter[str]:
    """Write the list; what has to become of its rows."""
    expected: Counter[str] = Counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["email", "decision", "collected_at", "confirmed_at", "decided_at"])
        for number in range(rows):
            kind = number % KINDS
            address = f"person-{number - 1 if kind == KINDS - 1 else number}@example.org"
            if kind in (7, 8, 9):
                table.writerow([address, "withdrawn", "", "", YES])
            else:
                table.writerow([address, "given", *(("", "") if kind == 6 else (YES, YES)), ""])
            expected["dropped" if kind in (6, 9) else "recorded"] += 1
    return expected


def command(stack: LocalStack, file: Path, report: Path) -> subprocess.Popen[bytes]:
    """The operators' command, begun."""
    paths = [str(ROOT), str(ROOT / "layers/core/python"), str(ROOT / "layers/policy")]
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "cli", "import", str(file), "--report", str(report)),
            *("--purpose", "direct-marketing-email", "--operator", "bench", "--topics", "events"),
            *("--method", "form", "--language", "en", "--notice", "2026-11-01", "--local", str(stack.port)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stderr=subprocess.DEVNULL,
    )


def workers(stack: LocalStack) -> list[int]:
    """The processes that run this stack's import worker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes()
            is_worker = b"POWERTOOLS_SERVICE_NAME=import_worker" in environment
            if is_worker and f"AWS_ENDPOINT_URL={stack.emulator_url}".encode() in environment:
                found.append(int(folder.name))
    return found


def peak(pid: int) -> float:
    """The most memory that a process has had, in MB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0.0


def reported(stack: LocalStack) -> int:
    """The parts that are done."""
    pages = stack.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=stack.outputs["ImportsBucket"], Prefix="reports/")
    return sum(len(page.get("Contents", [])) for page in found)


def finish(process: subprocess.Popen[bytes]) -> float:
    """Wait for the command; the most memory it had, in MB."""
    most = 0.0
    while process.poll() is None:
        most = max(most, peak(process.pid))
        time.sleep(0.5)
    return most


def outcomes(report: Path) -> Counter[str]:
    with report.open(encoding="utf-8", newline="") as file:
        return Counter(row["outcome"] for row in csv.DictReader(file))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows: int = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name, LocalStack(free_port(), Path(name) / "state") as stack:
        folder = Path(name)
        file, first, second = folder / "list.csv", folder / "first.csv", folder / "second.csv"
        expected = write_list(file, rows)
        began = time.monotonic()
        process = command(stack, file, first)
        while process.poll() is None and reported(stack) < max(1, rows // 1_000):
            time.sleep(0.2)
        done = reported(stack)
        process.kill()
        process.wait()
        for pid in workers(stack):
            os.kill(pid, signal.SIGKILL)
        print(f"killed command and workers after {time.monotonic() - began:.0f} s, {done} parts reported", flush=True)
        most = finish(command(stack, file, first))
        took = time.monotonic() - began
        print(f"ended after {took:.0f} s, {rows / took:.0f} rows/s: {dict(outcomes(first))}", flush=True)
        again = finish(command(stack, file, second))
        same = first.read_bytes() == second.read_bytes()
        print(f"again: the same report: {same}")
        print(
            f"most memory: command {most:.0f} and {again:.0f} MB, workers {[round(peak(p)) for p in workers(stack)]} MB"
        )
        return 0 if outcomes(first) == expected and same else 1


if __name__ == "__main__":
    sys.exit(main())
