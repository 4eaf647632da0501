"""Signing up: a request is stored and a letter ordered, and nothing is learnt about anybody."""

import pytest

from builders import NAMES, PEOPLE
from consent_center.domain.errors import InvalidFormError, TooManyRequestsError, UnavailableError
from consent_center.usecases.sign_up import MostSignUps
from usecase_world import World


def faults(world: World, *topics: str, **fields: object) -> dict[str, str]:
    with pytest.raises(InvalidFormError) as error:
        world.sign_up(*topics, **fields)  # type: ignore[arg-type]
    return error.value.fields


def test_a_request_is_stored_before_the_letter_is_ordered(world: World) -> None:
    world.sign_up("events", name=NAMES[0], company=NAMES[2], interests=("heat",))

    request = world.subjects.load(world.contact(), world.outbox.orders[0].request).request
    assert request is not None
    assert (request.topics, request.name, request.company, request.interests) == (
        ("events",),
        NAMES[0],
        NAMES[2],
        ("heat",),
    )
    assert request.expires_at == world.clock() // 1000 + 7 * 86400


def test_a_sign_up_decides_nothing(world: World) -> None:
    world.sign_up()

    assert world.reason() == "no_record"
    assert world.events() == []


def test_known_and_unknown_addresses_cause_the_same_calls_in_the_same_order(world: World) -> None:
    world.confirm(world.asked())
    world.subjects.calls.clear()
    world.sign_up()
    of_known = list(world.subjects.calls)
    world.subjects.calls.clear()
    world.sign_up(email=PEOPLE[1])

    assert of_known == world.subjects.calls == ["add_request"]


def test_the_order_on_the_queue_holds_no_person(world: World) -> None:
    world.sign_up(name=NAMES[0])

    assert PEOPLE[0] not in str(world.outbox.orders)
    assert NAMES[0] not in str(world.outbox.orders)


def test_topics_keep_the_policys_order_and_come_once(world: World) -> None:
    world.sign_up("events", "product-news", "events")

    request = world.subjects.load(world.contact(), world.outbox.orders[0].request).request
    assert request is not None
    assert request.topics == ("product-news", "events")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"email": ""}, {"email": "required"}),
        ({"email": "ada"}, {"email": "address"}),
        ({"email": "a" * 300}, {"email": "too_long"}),
        ({"name": "n" * 201}, {"name": "too_long"}),
        ({"name": "Ada\r\nBcc: x"}, {"name": "characters"}),
        ({"company": "C" * 201}, {"company": "too_long"}),
        ({"company": "Nul\x00"}, {"company": "characters"}),
        ({"interests": ("gold",)}, {"interest": "unknown"}),
        ({"email": "ada", "name": "n" * 201}, {"email": "address", "name": "too_long"}),
    ],
)
def test_every_wrong_field_is_named_and_nothing_is_stored(
    world: World, fields: dict[str, object], expected: dict[str, str]
) -> None:
    assert faults(world, "events", **fields) == expected
    assert world.subjects.calls == []
    assert world.outbox.orders == []


def test_a_topic_must_be_chosen_and_must_be_offered(world: World) -> None:
    assert faults(world, "no-such-topic") == {"topic": "unknown"}
    assert faults(world, "paper") == {"topic": "unknown"}


def test_a_refusing_queue_is_not_hidden(world: World) -> None:
    world.outbox.refuses = True

    with pytest.raises(UnavailableError):
        world.sign_up()


def test_an_address_that_is_signed_up_again_and_again_gets_no_further_letter_and_the_same_answer(world: World) -> None:
    for _ in range(7):
        world.sign_up()

    assert len(world.outbox.orders) == 5
    assert len(world.subjects.requests) == 5
    world.clock.move(seconds=3600)
    world.sign_up()
    assert len(world.outbox.orders) == 6


def test_spellings_of_one_address_share_its_limit(world: World) -> None:
    for email in ("ada.lovelace@example.com", "ADA.lovelace@EXAMPLE.com") * 4:
        world.sign_up(email=email)

    assert len(world.outbox.orders) == 5


def test_a_network_that_signs_up_too_many_people_is_refused_before_anything_is_stored(world: World) -> None:
    world.most = MostSignUps(per_address=5, per_source=3)
    for number in range(3):
        world.sign_up(email=f"person-{number}@example.com")
    with pytest.raises(TooManyRequestsError):
        world.sign_up(email="person-3@example.com")

    assert len(world.subjects.requests) == 3
    world.network = "198.51.100.0/24"
    world.sign_up(email="person-3@example.com")


def test_limits_are_kept_under_names_that_hold_no_person_and_no_network(world: World) -> None:
    world.sign_up()

    names = str(list(world.limits.used))
    assert "@" not in names
    assert "192.0.2" not in names
