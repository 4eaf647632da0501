"""Data from somebody else, on the running stack: imported, told by letter, entered, and only then written to."""

import json
import time
from pathlib import Path

from test_imports import YES, import_list

from local.stack import LocalStack
from world import Auditor, Visitor


def test_whose_data_came_from_others_is_told_before_anything_may_be_sent(stack: LocalStack, tmp_path: Path) -> None:
    visitor = Visitor(stack)
    file = tmp_path / "list.csv"
    file.write_text(f"email,decision,collected_at,confirmed_at\n{visitor.email},given,{YES},{YES}\n", "utf-8")
    done = import_list(stack, file, "--not-from-person")
    assert done.returncode == 0, done.stderr
    assert visitor.check("product-news")["reason"] == "not_informed"

    # What the queue says a quarter of an hour after the import.
    waiting = [item for item in Auditor(stack).everything()["SubjectsTable"] if "inform" in item]
    (state,) = waiting
    _, key_id, pseudonym = state["pk"]["S"].split("#")
    stack.client("sqs").send_message(
        QueueUrl=stack.resources["ReviewsQueue"],
        MessageBody=json.dumps([state["controller"]["S"], "email", key_id, pseudonym]),
    )
    assert "“fair”" in visitor.letter()["text"]

    end = time.monotonic() + 20
    while visitor.check("product-news")["reason"] != "given":
        assert time.monotonic() < end, "nobody entered that the person was told"
        time.sleep(0.1)
    chain = f"C#{state['chain']['S']}"
    entries = [item for item in Auditor(stack).everything()["LedgerTable"] if item["pk"]["S"] == chain]
    assert [json.loads(item["body"]["S"])["kind"] for item in sorted(entries, key=lambda one: one["sk"]["S"])] == [
        "given",
        "told",
    ]
