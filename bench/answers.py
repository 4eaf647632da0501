"""Makes answer and package of people with few and with many events, each in a process: `python -m bench.answers`.

DynamoDB's pages are made up as they are asked for and S3's parts are counted and forgotten, so what is measured is the
product: its reading by pages, its writing by parts, and the peak of memory in between.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
START = 1_767_600_000
"""When the first event happened, in epoch seconds."""

PAGE = 400
"""Events in a page of DynamoDB, which holds at most 1 MB."""


class MadeUpTables:
    """Answers queries of a chain page by page, and has one contact point with its state and profile."""

    def __init__(self, count: int) -> None:
        self._count = count

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if operation != "Query":
            raise ValueError(f"a package is made by queries alone, and not by {operation}")
        keys = [value["S"] for value in arguments["ExpressionAttributeValues"].values()]
        if not any(key.startswith("C#") for key in keys):
            return {"Items": self._person(keys[0]), "Count": 2, "ScannedCount": 2}
        first = int(arguments.get("ExclusiveStartKey", {"sk": {"S": "0"}})["sk"]["S"].rpartition("#")[2]) + 1
        last = min(first + PAGE - 1, self._count)
        make = self._entry if arguments["TableName"] == "ledger" else self._payload
        items = [make(keys[0], seq) for seq in range(first, last + 1)]
        more = {"LastEvaluatedKey": {"pk": items[-1]["pk"], "sk": items[-1]["sk"]}} if last < self._count else {}
        return {"Items": items, "Count": len(items), "ScannedCount": len(items), **more}

    def _person(self, key: str) -> list[dict[str, Any]]:
        at = {"N": str((START + self._count) * 1000)}
        state = {
            "pk": {"S": key},
            "sk": {"S": "STATE"},
            "v": {"N": "1"},
            "version": {"N": str(self._count)},
            "chain": {"S": "bench"},
            "seq": {"N": str(self._count)},
            "at": at,
            "lang": {"S": "en"},
            "d": {"M": {"dm.pn.email": {"S": f"g{at['N']}.{self._count}"}}},
        }
        profile = {
            "pk": {"S": key},
            "sk": {"S": "PROFILE"},
            "v": {"N": "1"},
            "lang": {"S": "en"},
            "address": {"S": "ada@example.com"},
            "normalised": {"S": "ada@example.com"},
            "name": {"S": "Ada"},
        }
        return [profile, state]

    def _entry(self, key: str, seq: int) -> dict[str, Any]:
        at = datetime.fromtimestamp(START + seq, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        before, after = ("ConsentGiven", "ConsentWithdrawn") if seq % 2 == 0 else ("ConsentWithdrawn", "ConsentGiven")
        change = {"purpose": "direct-marketing-email", "topics": ["product-news"], "channel": "email"}
        body = {
            "v": 1,
            "chain": "bench",
            "seq": seq,
            "prev": "0" * 64,
            "at": at,
            "commitment": f"{seq:064d}",
            "kind": "withdrawn" if seq % 2 == 0 else "given",
            "source": "form",
            "notice": "2026-11-22",
            "changes": [{**change, "before": before, "after": after}],
            "purposes": {"direct-marketing-email": {"basis": "consent", "brand": "fjordmeter"}},
        }
        return {
            "pk": {"S": key},
            "sk": {"S": f"E#{seq:010d}"},
            "body": {"S": json.dumps(body)},
            "hash": {"S": f"{seq:064d}"},
        }

    def _payload(self, key: str, seq: int) -> dict[str, Any]:
        wording = ["Yes, Fjordmeter may send me marketing by e-mail about: Product news.", f"Asked {seq} times."]
        content = json.dumps({"address": "ada@example.com", "wording": wording})
        return {"pk": {"S": key}, "sk": {"S": f"E#{seq:010d}"}, "salt": {"S": "s"}, "content": {"S": content}}


class ForgetfulBucket:
    """Takes parts and keeps none."""

    def create_multipart_upload(self, **_: Any) -> dict[str, str]:
        return {"UploadId": "1"}

    def upload_part(self, **_: Any) -> dict[str, str]:
        return {"ETag": "e"}

    def complete_multipart_upload(self, **_: Any) -> None:
        """Nothing is left to do."""

    def put_object(self, **_: Any) -> None:
        """It is forgotten at once."""


def once(right: str, count: int) -> dict[str, float]:
    """Make one file in this process: its size, and the time and memory it took."""
    sys.path[:0] = [str(ROOT / part) for part in ("layers/core/python", "layers/policy", "tests")]
    import shipped_policy

    shipped_policy.compiled()
    from consent_center.adapters.addresses import parse_address
    from consent_center.adapters.dynamodb.database import Database
    from consent_center.adapters.dynamodb.items import LEDGER_ITEMS, SUBJECTS_ITEMS
    from consent_center.adapters.dynamodb.ledger import DynamoLedger
    from consent_center.adapters.dynamodb.subjects import DynamoSubjects
    from consent_center.adapters.exports_s3 import S3Exports
    from consent_center.adapters.policy_files import load_policy
    from consent_center.domain.case import Case, CaseState, LogLine, Right
    from consent_center.domain.contact import ContactPoint
    from consent_center.texts import Texts
    from consent_center.usecases.answers import make
    from consent_center.web.site import site
    from fakes import FixedSecrets, no_pause
    from fakes.cases import InMemoryCases, InMemoryParticulars

    policy, texts = load_policy(), Texts()
    database = Database(MadeUpTables(count))  # type: ignore[arg-type]
    database.bind(SUBJECTS_ITEMS, "subjects")
    database.bind(LEDGER_ITEMS, "ledger")
    now = (START + 200_000) * 1000
    exports = S3Exports("bench")
    vars(exports)["_client"] = ForgetfulBucket()
    cases = InMemoryCases()
    contact = ContactPoint("fjordmeter", "email", "k1", "a" * 26)
    case = Case(
        "benchcase", Right(right), CaseState.RUNNING, contact, "en", "DK", "page", now, "2027-01-01", "2027-01-01"
    )
    cases.add(case, LogLine(now, "received", "person"))
    began = time.perf_counter()
    made = make(
        case,
        {"address": "ada@example.com"},
        base_url="https://consent.example.com",
        site=partial(site, texts, policy),
        policy=policy,
        addresses=parse_address,
        subjects=DynamoSubjects(database, no_pause, lambda: now),
        ledger=DynamoLedger(),
        cases=cases,
        kept=InMemoryParticulars(),
        texts=texts,
        exports=exports,
        secrets=FixedSecrets(),
        clock=lambda: now,
    )
    took = time.perf_counter() - began
    return {"size": made.size, "seconds": took, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.answers", description=__doc__)
    parser.add_argument("--most", type=int, default=100_000, help="events of the long life (default 100,000)")
    parser.add_argument("--once", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once:
        print(json.dumps(once(given.once[0], int(given.once[1]))))
        return
    print("| right | events | MB of ZIP | seconds | peak MB | ratio |\n|---|---|---|---|---|---|")
    for right in ("access", "portability"):
        first = 0.0
        for count in (100, given.most):
            command = [sys.executable, "-m", "bench.answers", "--once", right, str(count)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
            told = json.loads(done.stdout.splitlines()[-1])
            first = first or told["peak"]
            print(
                f"| {right} | {count:,} | {told['size'] / 1e6:.1f} | {told['seconds']:.1f} | {told['peak']:.0f} "
                f"| {told['peak'] / first:.2f} |"
            )


if __name__ == "__main__":
    main()
