"""What rights requests that are due cost: `python -m bench.cases`. The real worker against the double.

So many cases are due at once; all are listed and ordered, and each is looked at. Requests and units are counted per
case, and are to be the same however many there are. What the listing itself takes is told apart: it is shared by all.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.flows import CONTEXT, ROOT, environment
from bench.loopback import Loopback, control
from bench.units import total

FEW, MANY = 100, 10_000


def _metered(url: str) -> tuple[Counter[str], list[dict[str, Any]]]:
    records = control(url, "records", {})
    return Counter(f"{record['service']}:{record['operation']}" for record in records), records


def _told(requests: Counter[str], records: Sequence[dict[str, Any]], cases: int) -> dict[str, Any]:
    # A request that a busy double does not answer within a second is sent again; one in a hundred would show.
    units = total(records)
    return {
        "requests": {name: round(number / cases, 2) for name, number in sorted(requests.items())},
        "reads": round(units.reads / cases, 2),
        "writes": round(units.writes / cases, 2),
        "index_writes": round(units.index_writes / cases, 2),
    }


def run(url: str, cases: int) -> dict[str, Any]:
    """Requests and units by case, of ordering and of looking, and the queries that listing took in all."""
    from consent_center.bootstrap import services
    from consent_center.domain.case import Case, CaseState, LogLine, Right
    from consent_center.domain.contact import ContactPoint
    from rights_worker.app import lambda_handler

    now = int(time.time())
    for number in range(cases):
        case = Case(
            id=f"{number:026d}",
            right=Right.ACCESS,
            state=CaseState.UNPROVEN,
            contact=ContactPoint("fjordmeter", "email", "k1", f"{number:026d}"),
            language="en",
            jurisdiction="DK",
            source="page",
            received_at=now * 1000,
            answer_by="2027-02-15",
            strict_answer_by="2027-02-13",
            owes=("prove",),
            due_at=now,
        )
        services().particulars.keep(case.id, {"address": f"person-{number}@example.com"})
        services().cases.add(case, LogLine(now * 1000, "received", "person"))
    control(url, "records", {})

    told = lambda_handler({"job": "rights"}, CONTEXT)  # type: ignore[arg-type]
    if told != {"job": "rights", "due": cases, "done": cases, "failed": 0}:
        raise RuntimeError(f"the job said {told}")
    requests, records = _metered(url)
    queries = requests.pop("dynamodb:Query")
    listing = [record for record in records if record["operation"] == "Query"]
    ordering = [record for record in records if record["operation"] != "Query"]

    began = time.process_time()
    for start in range(0, cases, 10):
        messages = [
            {
                "messageId": f"{number}",
                "body": json.dumps({"case": f"{number:026d}", "due_at": now}),
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            for number in range(start, min(start + 10, cases))
        ]
        answer = lambda_handler({"Records": messages}, CONTEXT)  # type: ignore[arg-type]
        if answer != {"batchItemFailures": []}:
            raise RuntimeError("a look failed")
    seconds = time.process_time() - began
    return {
        "cases": cases,
        "queries": queries,
        "read_by_listing": round(total(listing).reads / cases, 4),
        "order": _told(requests, ordering, cases),
        "look": _told(*_metered(url), cases),
        "look_cpu_ms": round(1000 * seconds / cases, 2),
        "scans": sum(record["operation"] == "Scan" for record in [*records, *listing]),
    }


def counted(python_path: Sequence[str], cases: int) -> dict[str, Any]:
    """`run` in a fresh process. `python_path` leads to functions and layers."""
    with Loopback() as double:
        done = subprocess.run(
            [sys.executable, "-m", "bench.cases", "--at", double.url, "--cases", str(cases)],
            cwd=ROOT,
            env={"PYTHONPATH": os.pathsep.join(python_path), "PATH": os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2_000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cases", description=__doc__)
    parser.add_argument("--at", help=argparse.SUPPRESS)
    parser.add_argument("--cases", type=int, default=MANY, help="how many are due at once")
    asked = parser.parse_args(arguments)
    if asked.at:
        settings = {
            "CASES_TABLE": "cases",
            "CASE_KEYS_TABLE": "case-keys",
            "CASE_STEPS_QUEUE_URL": f"{asked.at}/0/steps",
            "EXPORTS_BUCKET": "exports",
        }
        os.environ.update({**environment(asked.at), **settings})
        sys.stdout.write(f"{json.dumps(run(asked.at, asked.cases))}\n")
        return 0
    path = [str(ROOT), str(ROOT / "functions"), str(ROOT / "layers/core/python"), *sys.path]
    few, many = counted(path, FEW), counted(path, asked.cases)
    for found in (few, many):
        sys.stdout.write(f"{json.dumps(found)}\n")
    is_constant = few["order"] == many["order"] and few["look"] == many["look"]
    sys.stdout.write(f"requests and units per case: {'equal' if is_constant else 'DIFFERENT'}\n")
    return 0 if is_constant and not few["scans"] + many["scans"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
