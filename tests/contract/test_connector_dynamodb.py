"""Items of a recipient's table keep what is nobody's business, and replace nobody."""

import json
from typing import Any

from connected_systems import ADA, EDSGER, GRACE, System, alone, an_ask, registered
from consent_center.domain.recipient import Answer, TaskState, Verb
from moto_wire import by_moto


@alone("moto dynamodb", "moto dynamodb by hash")
def test_an_item_keeps_what_is_no_address_when_it_is_marked_and_moved(system: System) -> None:
    connector, get = system.connector(), system.extra["get"]

    connector.ask(an_ask(Verb.STOP))
    connector.ask(an_ask(Verb.RESTRICT))
    connector.ask(an_ask(Verb.CORRECT, corrections={"address": EDSGER, "company": "Analytics"}))

    moved = get(EDSGER)
    assert (moved["points"], moved["tags"], moved["mail"]) == ({"N": "12"}, {"L": [{"NULL": True}]}, {"S": EDSGER})
    assert (moved["consent_stopped"], moved["consent_restricted"]) == ({"BOOL": True}, {"BOOL": True})
    assert moved["company"] == {"S": "Analytics"}
    assert "consent_stopped" not in get(GRACE)


@alone("moto dynamodb", "moto dynamodb by hash")
def test_an_item_is_not_moved_over_somebody_else(system: System) -> None:
    answer = system.connector().ask(an_ask(Verb.CORRECT, corrections={"address": GRACE}))

    assert answer == Answer(TaskState.FAILED, "taken")
    assert system.holds(ADA)


@alone("moto dynamodb", "moto dynamodb by hash")
def test_an_item_that_two_workers_move_at_once_is_moved(system: System) -> None:
    class Slow:
        """Another worker moves the item after this one has read it."""

        def call(self, operation: str, arguments: Any) -> dict[str, Any]:
            if operation == "TransactWriteItems":
                assert system.connector().ask(ask).state is TaskState.DONE
                tokens.append(arguments["ClientRequestToken"])
            return by_moto("dynamodb").call(operation, arguments)

    ask, tokens = an_ask(Verb.CORRECT, corrections={"address": EDSGER}), list[str]()

    assert registered(system.extra["settings"], lambda _: Slow())().ask(ask) == Answer(TaskState.DONE)
    assert (system.holds(ADA), system.holds(EDSGER)) == (False, True)
    assert 1 <= len(tokens[0]) <= 36


@alone("moto dynamodb")
def test_an_item_is_collected_as_ordinary_json(system: System) -> None:
    (text,) = system.connector().ask(an_ask(Verb.COLLECT)).collected.values()
    assert json.loads(text) == [{"email": ADA, "mail": ADA, "points": "12", "tags": [None]}]


@alone("moto dynamodb", "moto dynamodb by hash")
def test_the_end_of_a_restriction_takes_its_mark_away_and_leaves_a_stop(system: System) -> None:
    connector, get = system.connector(), system.extra["get"]

    for verb in (Verb.STOP, Verb.RESTRICT, Verb.LIFT):
        connector.ask(an_ask(verb))

    assert (get(ADA)["consent_restricted"], get(ADA)["consent_stopped"]) == ({"BOOL": False}, {"BOOL": True})
    assert get(ADA)["points"] == {"N": "12"}
