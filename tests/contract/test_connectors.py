"""What every connector does, whatever system stands behind it."""

from typing import Any

import pytest

from connected_systems import (
    ADA,
    ASKABLE,
    EDSGER,
    GRACE,
    KEYS,
    UNBREAKABLE,
    UNKNOWING,
    System,
    an_ask,
    correction,
    each,
    registered,
)
from consent_center.adapters.connectors.registry import RegisteredConnectors
from consent_center.domain.errors import UnavailableError
from consent_center.domain.recipient import Answer, TaskState, Verb
from fakes import real_clock
from moto_wire import by_moto


@each()
def test_a_verb_that_is_declared_is_carried_out_or_taken(system: System, verb: Verb) -> None:
    connector = system.connector()

    answer = connector.ask(an_ask(verb, corrections=correction(verb)))

    assert answer.state in ASKABLE
    assert answer.collected if verb is Verb.COLLECT and system.knows_who else True


@each(of=lambda verb, able: True)
def test_a_verb_that_is_not_declared_is_refused_and_has_no_effect(system: System, verb: Verb) -> None:
    connector = system.connector([one.value for one in Verb if one is not verb])

    answer = connector.ask(an_ask(verb, corrections=correction(verb)))

    assert verb not in connector.verbs
    assert answer == Answer(TaskState.FAILED, "not_offered", was_sent=False)
    assert not system.knows_who or system.holds(ADA)
    assert system.effects is None or system.effects() == 0


@each()
def test_asking_again_with_the_same_key_changes_nothing_more(system: System, verb: Verb) -> None:
    connector = system.connector()
    ask = an_ask(verb, corrections=correction(verb))

    first = connector.ask(ask)
    second = connector.ask(ask)

    assert first.state in ASKABLE
    assert second.state.is_settled or second.state is first.state
    assert system.effects is None or system.effects() == 1
    if system.knows_who:
        assert system.holds(GRACE)
        assert system.holds(ADA) is (verb in {Verb.COLLECT, Verb.RESTRICT, Verb.LIFT, Verb.STOP})
        assert system.holds(EDSGER) is (verb is Verb.CORRECT)


@each(but=UNKNOWING)
def test_of_an_unknown_person_nothing_is_held_and_nobody_else_is_touched(system: System, verb: Verb) -> None:
    connector = system.connector()

    answer = connector.ask(an_ask(verb, 'a"or"a@example.org', corrections=correction(verb)))

    assert answer.state is TaskState.NOTHING_HELD
    assert system.holds(ADA)
    assert system.holds(GRACE)


@each(but=UNKNOWING)
def test_who_is_known_by_an_address_of_before_is_found(system: System, verb: Verb) -> None:
    ask = an_ask(verb, "ada@example.invalid", corrections=correction(verb), former_addresses=(ADA,))

    answer = system.connector().ask(ask)

    assert answer.state is TaskState.DONE
    assert all(name.startswith("former-1-") for name in answer.collected)
    assert bool(answer.collected) is (verb is Verb.COLLECT)
    assert system.holds(GRACE)
    assert system.holds(ADA) is (verb not in {Verb.CORRECT, Verb.ERASE})


@each(but=UNKNOWING)
def test_what_cannot_be_done_for_one_of_two_addresses_is_not_called_done(system: System, verb: Verb) -> None:
    assert system.vanishes is not None
    connector = system.connector()
    ask = an_ask(verb, ADA, corrections=correction(verb), former_addresses=("ada@example.invalid",))
    system.vanishes()

    assert connector.ask(ask).state is TaskState.FAILED


@each(but=UNBREAKABLE)
def test_what_may_pass_is_unavailable_and_names_nobody(system: System, verb: Verb) -> None:
    assert system.breaks is not None
    system.breaks()

    with pytest.raises(UnavailableError) as caught:
        system.connector().ask(an_ask(verb, corrections=correction(verb)))

    shown = f"{caught.value} {caught.value.__cause__}"
    assert ADA not in shown
    assert EDSGER not in shown


@each(but=UNKNOWING)
def test_what_never_will_be_fails_and_names_nobody(system: System, verb: Verb) -> None:
    assert system.vanishes is not None
    system.vanishes()

    answer = system.connector().ask(an_ask(verb, corrections=correction(verb)))

    assert answer.state is TaskState.FAILED
    assert answer.code
    assert "@" not in answer.code


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "webhook"},
        {"kind": "pigeon"},
        {"kind": "dynamodb", "table": "t"},
        {"kind": "manual", "verbs": ["forget"]},
        {"kind": "s3", "bucket": "b", "pattern": "all/", "format": "objects"},
        {"kind": "s3", "bucket": "b", "pattern": "*", "format": "xlsx"},
    ],
)
def test_settings_that_make_no_connector_fail_in_the_case_and_not_in_the_worker(settings: dict[str, Any]) -> None:
    assert registered(settings)().ask(an_ask(Verb.ERASE)) == Answer(TaskState.FAILED, "settings", was_sent=False)


def test_a_recipient_without_a_connector_is_a_task_for_staff() -> None:
    connectors = RegisteredConnectors({}, KEYS, by_moto, real_clock)

    assert connectors.of("unheard-of").ask(an_ask(Verb.ERASE)) == Answer(TaskState.ASKED, "manual")
