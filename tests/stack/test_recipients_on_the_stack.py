"""What recipients are told and do, on the running stack: systems of their own, one that fails for ever, and an end."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from systems import LISTS, PREFIX, Answers
from test_rights_over_http import Asker, file_of
from typer.testing import CliRunner

from cli.__main__ import app
from consent_center.domain.case import Case
from consent_center.domain.recipient import Task, TaskState
from consent_center.ports.cases import CaseFile
from local.stack import LocalStack

DEMO = ("crm", "post-house")


@pytest.fixture
def asker(stack: LocalStack) -> Asker:
    made = Asker(stack)
    made.subscribed("product-news", "events")
    for name in DEMO:
        behave(made, name, "done")
    return made


def behave(asker: Asker, name: str, behaviour: str) -> None:
    body = json.dumps({"behaviour": behaviour}).encode()
    answer = asker.request("POST", f"/_local/recipients/{name}", body, {"Content-Type": "application/json"})
    assert answer.status == 200, answer.body


def log_of(asker: Asker, name: str, case: str) -> list[dict[str, Any]]:
    """What a case asked of a recipient, by the recipient's own log: one entry for each key, however often it came."""
    shown = asker.request("GET", f"/_local/recipients/{name}").json["asked"]
    return [one for one in shown if one["case"] == case]


def asked(asker: Asker, name: str, case: str) -> list[tuple[str, bool]]:
    """Each verb that was asked, and whether the recipient acted on it."""
    return [(one["verb"], one["acted"]) for one in log_of(asker, name, case)]


def read(asker: Asker, case: str) -> dict[str, Any]:
    return dict(asker.staff("GET", f"/v1/cases/{case}").json)


def task(asker: Asker, case: str, recipient: str) -> dict[str, Any]:
    """A recipient's task; one that is still to come is waiting."""
    tasks = read(asker, case)["tasks"]
    return next((one for one in tasks if one["recipient"] == recipient), {"state": "waiting", "tries": 0})


def until(holds: Callable[[], Any], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def tried_for(asker: Asker, case: str, tries: int) -> dict[str, Any]:
    """The CRM's task, once it was tried so often."""
    until(lambda: task(asker, case, "crm")["tries"] >= tries, f"no try number {tries}")
    return task(asker, case, "crm")


def waits_are_over(file: CaseFile, now: int) -> tuple[Case, list[Task]]:
    """As if what the worker waits for before it asks again had passed."""
    return file.case, [replace(one, next_at=now // 1000) for one in file.tasks if one.state is TaskState.WAITING]


def with_subject(asker: Asker, words: str) -> list[dict[str, Any]]:
    return [letter for letter in asker.letters() if words in letter["subject"]]


def told_at(found: dict[str, Any], letter: str) -> list[str]:
    """When a letter was ordered, by the log: the order goes out before the line is written."""
    return [line["at"] for line in lines(found, "told") if line["facts"]["letter"] == letter]


def lines(found: dict[str, Any], what: str) -> list[dict[str, Any]]:
    return [line for line in found["log"] if line["what"] == what]


def test_an_erasure_reaches_a_webhook_a_list_and_a_table_and_touches_nobody_else(asker: Asker) -> None:
    s3, answers = asker.stack.client("s3"), Answers(asker.stack)
    header, other = "id;email;note\r\n", "2;grace@example.com;  as it is  \r\n"
    mine = f'1;{asker.email.upper()};"two\r\nlines"\r\n'
    key = f"{PREFIX}fair.csv"
    s3.put_object(Bucket=LISTS, Key=key, Body=(header + mine + other).encode(), ContentType="text/csv")
    answers.put(asker.email)
    answers.put("grace@example.com")

    status = asker.ask("erasure", keep_fingerprint="no")
    asker.cooled_off(status)
    case = asker.closed(status)

    states = {one["recipient"]: one["state"] for one in case["tasks"]}
    # Of two workers at once the second finds nothing any more.
    assert {case["state"], states["fair-host"], states["survey-lab"]} <= {"done", "nothing_held"}, states
    assert s3.get_object(Bucket=LISTS, Key=key)["Body"].read().decode() == header + other
    assert answers.get(asker.email) is None
    assert answers.get("grace@example.com") is not None
    assert [asked(asker, name, case["id"]) for name in DEMO] == [[("erase", True)]] * 2


def test_one_recipient_fails_for_ever_and_holds_up_nothing_but_itself(asker: Asker) -> None:
    """The person hears in time who has not answered; what is needed to ask again stays, sealed, until it did."""
    behave(asker, "crm", "error")
    status = asker.ask("erasure", keep_fingerprint="yes")
    asker.cooled_off(status)
    case = asker.case(status)["id"]
    until(lambda: asked(asker, "crm", case), "nobody was asked")
    for tries in range(1, 13):
        tried_for(asker, case, tries)
        asker.as_if_later(case, waits_are_over)
    given_up = tried_for(asker, case, 13)
    assert (given_up["state"], given_up["answer"]) == ("failed", "unavailable")
    assert read(asker, case)["state"] == "running", "recipients that are asked by hand may still answer"
    asker.settle_by_hand(status)
    until(lambda: read(asker, case)["state"] == "partly_done", "it is not partly done")

    until(
        lambda: with_subject(asker, "partly done") and told_at(read(asker, case), "partly"), "the person was not told"
    )
    found = read(asker, case)
    assert found["outcome"]["missing"] == ["crm"]
    assert told_at(found, "partly")[0][:10] < found["strict_answer_by"]
    assert asker.check("product-news")["reason"] == "suppressed", "our own part is done"
    assert asked(asker, "crm", case) == [("erase", False)]
    # Two workers at once may ask on one try; the recipient knows the request by its key.
    assert log_of(asker, "crm", case)[0]["times"] >= 13
    assert asked(asker, "post-house", case) == [("erase", True)]
    # Whoever reads the tables finds nobody: the address is sealed, and staff who may decide can still read it.
    assert found["particulars"]["address"] == asker.email
    kept = stored(asker, "CasesTable", case)
    assert any("sealed" in item for item in kept)
    assert asker.email not in json.dumps(kept, default=repr)
    assert len(stored(asker, "CaseKeysTable", case)) == 1

    behave(asker, "crm", "done")
    assert asker.staff("POST", f"/v1/cases/{case}/tasks/crm", do="redrive").status == 200
    found = asker.closed(status)

    assert found["state"] == "done"
    assert asked(asker, "crm", case) == [("erase", True)]
    assert asked(asker, "post-house", case) == [("erase", True)]
    assert [len(lines(found, what)) for what in ("started", "erased", "task_failed", "partly_done", "done")] == [1] * 5
    until(lambda: with_subject(asker, "is done"), "the person was not told of the end")
    assert [len(with_subject(asker, words)) for words in ("partly done", "is done")] == [1, 1]


def stored(asker: Asker, table: str, case: str) -> list[dict[str, Any]]:
    """Every item of a case in a table."""
    asked = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": f"CASE#{case}"}},
        "ConsistentRead": True,
    }
    return list(asker.stack.client("dynamodb").query(TableName=asker.stack.resources[table], **asked)["Items"])


def test_files_that_staff_collected_by_hand_end_in_the_package_as_they_are(asker: Asker, tmp_path: Path) -> None:
    status = asker.ask("portability")
    case = asker.case(status)["id"]
    until(lambda: task(asker, case, "cloud")["state"] == "asked", "staff were not asked")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.7\n\xe2\xe3\xcf\xd3\r\n" + bytes(range(256)) * 100)

    def consentctl(*words: str) -> str:
        done = CliRunner().invoke(app, ["cases", *words, "--local", str(asker.stack.port)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert case[:8].upper() in consentctl("show", case)
    assert consentctl("answer", case, "cloud", "--state", "done", "--file", str(scan)) == "Noted.\n"
    assert asker.closed(status)["state"] == "done"

    package = file_of(asker, status)
    assert package.testzip() is None
    assert package.read("from/cloud/scan.pdf") == scan.read_bytes()
    listed = {one["name"]: one["sha256"] for one in json.loads(package.read("manifest.json"))["files"]}
    assert listed["from/cloud/scan.pdf"] == sha256(scan.read_bytes()).hexdigest()


def test_a_restriction_is_told_to_recipients_and_so_is_its_end_after_the_person_was_told(asker: Asker) -> None:
    answers = Answers(asker.stack)
    answers.put(asker.email)
    status = asker.ask("restriction", ground="c")
    case = asker.closed(status)["id"]

    assert asker.check("product-news")["reason"] == "restricted"
    assert [asked(asker, name, case) for name in DEMO] == [[("restrict", True)]] * 2
    assert (answers.get(asker.email) or {})["consent_restricted"] == {"BOOL": True}

    version = read(asker, case)["version"]
    path = f"/v1/cases/{case}/transitions"
    moved = asker.staff("POST", path, step="lift", version=version, reason="The claim is settled.")
    assert moved.status == 200, moved.body
    until(lambda: with_subject(asker, "use your data again"), "the person was not told")
    # The worker looks again a quarter of an hour after the letter; the schedule may have it look sooner.
    asker.as_if_later(case, lambda file, _: (file.case, []))
    until(lambda: all(("lift", True) in asked(asker, name, case) for name in DEMO), "recipients were not told")
    until(lambda: settled(asker, status, case), "not every recipient has heard")

    assert asker.check("product-news")["reason"] == "given"
    assert [asked(asker, name, case) for name in DEMO] == [[("restrict", True), ("lift", True)]] * 2
    assert (answers.get(asker.email) or {})["consent_restricted"] == {"BOOL": False}
    found = read(asker, case)
    order = [line["what"] for line in found["log"]]
    told = max(n for n, line in enumerate(found["log"]) if line["facts"].get("letter") == "lifting")
    assert (found["state"], told < order.index("lifted")) == ("done", True)
    assert {(one["verb"], one["state"]) for one in found["tasks"] if one["recipient"] in DEMO} == {("lift", "done")}


def settled(asker: Asker, status: str, case: str) -> bool:
    asker.settle_by_hand(status)
    return all(one["verb"] == "lift" and one["state"] == "done" for one in read(asker, case)["tasks"])
