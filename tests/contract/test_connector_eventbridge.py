"""Events to a recipient: when what was told is done."""

import json
from typing import Any

from connected_systems import an_ask, registered
from consent_center.domain.recipient import Answer, TaskState, Verb


def test_an_event_is_done_once_told_where_nobody_can_call_back() -> None:
    told: list[Any] = []

    class Bus:
        def call(self, _: str, arguments: Any) -> dict[str, Any]:
            told.append(json.loads(arguments["Entries"][0]["Detail"]))
            return {"FailedEntryCount": 0}

    url = "https://consent.example.com"
    silent = registered({"kind": "eventbridge", "bus": "b"}, lambda _: Bus(), public_url=url)()
    calling = registered({"kind": "eventbridge", "bus": "b", "secret_name": "crm"}, lambda _: Bus(), public_url=url)()

    assert silent.ask(an_ask(Verb.ERASE)) == Answer(TaskState.DONE)
    assert calling.ask(an_ask(Verb.ERASE)) == Answer(TaskState.ASKED, "told")
    assert [one["data"].get("answer_to") for one in told] == [None, f"{url}/recipients/crm/answers"]
