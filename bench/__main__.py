"""Runs every measurement, prints the table and writes .build/bench.json: `python -m bench`."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import costs, flows
from bench.loopback import Loopback, control
from local import layers
from local.installation import ROOT, interpreter

OUT = ROOT / ".build" / "bench.json"


class Lab:
    """Builds what is measured and starts the processes."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._python = interpreter("runtime")
        (dependencies,) = layers.build(ROOT / "layers", ["DependenciesLayer"], ROOT / ".build/layers", self._python)
        # Fresh copies: bytecode that an earlier run left behind would not be there in Lambda.
        shutil.copytree(ROOT / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
        for layer in ("Core", "Policy"):
            command = [
                "make", "--no-print-directory", "-C", str(ROOT / "layers"), f"build-{layer}Layer",
                f"ARTIFACTS_DIR={folder / layer}", "LAYER_TARGET=host", f"PYTHON={self._python}",
                f"COMPILER_PYTHON={sys.executable}",
            ]  # fmt: skip
            subprocess.run(command, check=True, capture_output=True)
        self.product = [
            str(folder / "functions"),
            str(folder / "Core/python"),
            str(folder / "Policy/python"),
            str(dependencies),
        ]
        self.stock = [path for path in sys.path if path.endswith("site-packages")]
        self._environment = {**flows.environment(url), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}

    def measure(self, what: str) -> dict[str, float]:
        """CPU seconds and peak memory of one process."""
        stock = what == "client" or what.endswith("stock")
        path = [*self.stock, str(ROOT)] if stock else self.product
        done = subprocess.run(
            [self._python, "-P", str(ROOT / "bench/workers.py"), what, str(self._folder)],
            env={**self._environment, "PYTHONPATH": os.pathsep.join(path)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{what}: {done.stderr[-2_000:]}")
        return dict(json.loads(done.stdout))

    def interleaved(self, *what: str, times: int) -> dict[str, list[dict[str, float]]]:
        """The same processes one after the other, several times over, so that a slow minute slows all of them."""
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in what}
        for _ in range(times):
            for name in what:
                runs[name].append(self.measure(name))
        return runs


def ratio(runs: dict[str, list[dict[str, float]]], what: str, to: str, key: str = "cpu") -> dict[str, float]:
    """The median of the ratios of neighbouring runs, and how far they spread."""
    each = [mine[key] / theirs[key] for mine, theirs in zip(runs[what], runs[to], strict=True)]
    return {"ratio": statistics.median(each), "lowest": min(each), "highest": max(each)}


def timings(lab: Lab, times: int) -> dict[str, dict[str, float]]:
    """The ratios of P1 to P5."""
    start = lab.interleaved("client", "cold", "cold-stock", times=times)
    warm = lab.interleaved("warm", "warm-stock", times=max(3, times // 2))
    page = lab.interleaved("page", "page-stock", times=max(3, times // 2))
    check = lab.interleaved("check", "check-reads", "check-stock", times=max(3, times // 2))
    return {
        "P1": ratio(start, "cold", "client"),
        "P1 stock": ratio(start, "cold-stock", "client"),
        "P2": ratio(start, "cold", "client", "peak"),
        "P2 stock": ratio(start, "cold-stock", "client", "peak"),
        "P3": ratio(warm, "warm", "warm-stock"),
        "P4": ratio(page, "page", "page-stock"),
        "P5": ratio(check, "check", "check-stock"),
        "P5 reading alone": ratio(check, "check-reads", "check-stock"),
    }


def prepare(folder: Path, url: str) -> None:
    """The events that the workers send, and a thousand people in the table."""
    people = flows.addresses(1_000)
    stock = flows.event("subscription_links/post-subscribe", isBase64Encoded=False)
    stock["headers"] = {**stock["headers"], "content-type": "application/json"}
    stock["body"] = json.dumps(
        {
            "email": "somebody@example.com",
            "topics": ["product-news", "events"],
            "name": "Test Person",
            "company": "Test Company",
        }
    )
    state = {
        "v": {"N": "1"},
        "sk": {"S": "STATE"},
        "version": {"N": "1"},
        "chain": {"S": "f66h7l5n3mf7cv4krt6y6r7xvw"},
        "seq": {"N": "1"},
        "head": {"S": "1" * 64},
        "at": {"N": "1795367345587"},
        "controller": {"S": "fjordmeter"},
        "lang": {"S": "en"},
        "d": {"M": {f"dm.{topic}.email": {"S": "g1795367345483.1"} for topic in ("pn", "kn", "ev", "su")}},
        "p": {"M": {}},
    }
    items = flows.states(state, people)
    control(url, "put", {"table": "subjects", "items": items})
    control(url, "put", {"table": "subjects", "items": [*flows.profile(people[0]), *flows.stock_preferences()]})
    content = {
        "page": flows.page_event(people[0]),
        "page-stock": flows.stock_page_event(),
        "sign-up": flows.sign_up_event("somebody@example.com"),
        "sign-up-stock": stock,
        "check": flows.check_event(people),
        "keys": [item["pk"]["S"] for item in items],
    }
    for name, value in content.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")


BUDGETS = {"P1": (1.25, 0.50), "P2": (1.0, 0.65), "P3": (0.75, 0.45), "P4": (0.60, 0.20), "P5": (0.30, 0.03)}

WHAT = {
    "P1": "cold start and first sign-up, CPU / botocore client",
    "P1 stock": "the same of the stock handler",
    "P2": "cold start and first sign-up, peak memory / botocore client",
    "P2 stock": "the same of the stock handler",
    "P3": "warm sign-up, CPU / stock handler",
    "P4": "warm preference page, CPU / stock handler",
    "P5": "check of 1,000 by the API, CPU / pynamodb.batch_get of full items",
    "P5 reading alone": "its reads alone, CPU / pynamodb.batch_get of full items",
}


def table(measured: dict[str, Any]) -> str:
    """Everything measured, as a reader wants it."""
    lines = ["| id | what | must | goal | measured | lowest to highest | |", "|---|---|---|---|---|---|---|"]
    for name, what in WHAT.items():
        found = measured["ratios"][name]
        must, goal = BUDGETS.get(name, (None, None))
        verdict = "" if must is None else "holds" if found["ratio"] <= must else "FAILS"
        limits = " | ".join("–" if limit is None else f"{limit:.2f}" for limit in (must, goal))
        spread = f"{found['lowest']:.2f} to {found['highest']:.2f}"
        lines.append(f"| {name} | {what} | {limits} | {found['ratio']:.2f} | {spread} | {verdict} |")
    lines.append(
        f"| P8 | requests and units at 1,000 and 100,000 people | equal | equal | {measured['growth']} | – | |"
    )
    lines += ["", "| operation | requests | R | W | index W | USD per million |", "|---|---|---|---|---|---|"]
    for name, found in measured["counts"].items():
        requests = ", ".join(f"{count} {kind}" for kind, count in found["requests"].items()) or "none"
        cost = costs.per_million(found, name)
        units = f"{found['reads']:g} | {found['writes']:g} | {found['index_writes']:g}"
        lines.append(f"| {name} | {requests} | {units} | {cost:.2f} |")
    lines += ["", "| idle, per month | USD |", "|---|---|"]
    lines += [f"| {what} | {usd:.2f} |" for what, usd in costs.idle().items()]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--times", type=int, default=9, help="how often each process is started")
    times = parser.parse_args(arguments).times
    with tempfile.TemporaryDirectory() as scratch, Loopback() as double:
        lab = Lab(Path(scratch), double.url)
        # The product's own code and policy, as they were just built, make the events.
        sys.path[:0] = lab.product[:3]
        prepare(Path(scratch), double.url)
        ratios = timings(lab, times)
        path = [str(ROOT), *lab.product[:3], *lab.stock]
        counts = flows.counted(path, people=1_000)
        grown = flows.counted(path, people=100_000)
    measured = {
        "ratios": ratios,
        "counts": counts,
        "growth": "equal" if flows.without_sizes(counts) == flows.without_sizes(grown) else "DIFFERENT",
        "cost": {name: costs.per_million(found, name) for name, found in counts.items()},
        "idle": costs.idle(),
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(measured) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
