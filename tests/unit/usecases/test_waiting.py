"""Typing the code from the letter: it opens what the link opens, five tries at most, and decides nothing."""

import pytest

from builders import PEOPLE
from consent_center.domain.capability import seal_waiting
from consent_center.domain.contact import Keyring
from consent_center.domain.errors import (
    InvalidFormError,
    InvalidTokenError,
    RequestGoneError,
    TooManyRequestsError,
    TooManyTriesError,
)
from consent_center.usecases.letters import Delivery
from consent_center.usecases.sign_up import MostSignUps
from consent_center.usecases.waiting import look_at_waiting
from usecase_world import World


def waited(world: World, *topics: str, email: str = PEOPLE[0]) -> tuple[str, str]:
    """Sign up and get the letter: the page's token, and the code."""
    token = world.sign_up(*topics, email=email)
    assert world.deliver() is Delivery.SENT
    return token, world.letter_code()


def other_than(code: str) -> str:
    """A code that is wrong."""
    return f"{(int(code.replace(' ', '')) + 1) % 1_000_000:06d}"


def fault(world: World, token: str, typed: str) -> str:
    with pytest.raises(InvalidFormError) as error:
        world.enter(token, typed)
    return error.value.fields["code"]


def test_the_code_leads_to_the_very_page_that_the_link_opens(world: World) -> None:
    token, code = waited(world)

    assert world.enter(token, code) == world.letter_token("confirm_url")


def test_the_code_gives_the_same_evidence_as_the_link(world: World) -> None:
    token, code = waited(world)
    world.confirm(world.enter(token, code))
    by_code = world.events()[0].body
    other = World()
    other.confirm(other.asked())
    by_link = other.events()[0].body

    varying = {"chain", "commitment"}
    assert {name: by_code[name] for name in by_code if name not in varying} == {
        name: by_link[name] for name in by_link if name not in varying
    }


def test_typing_the_code_decides_nothing_and_reads_nothing_about_the_person(world: World) -> None:
    token, code = waited(world)
    world.subjects.calls.clear()
    world.enter(token, code)

    assert world.subjects.calls == []
    assert world.events() == []
    assert world.reason() == "pending"


def test_five_wrong_codes_and_the_right_one_is_refused_too(world: World) -> None:
    token, code = waited(world)
    assert [fault(world, token, other_than(code)) for _ in range(5)] == ["wrong"] * 5
    with pytest.raises(TooManyTriesError):
        world.enter(token, code)
    world.clock.move(days=6)
    with pytest.raises(TooManyTriesError):
        world.enter(token, code)

    assert world.look(world.letter_token("confirm_url")).topics


def test_the_right_code_is_taken_at_the_fifth_try(world: World) -> None:
    token, code = waited(world)
    for _ in range(4):
        fault(world, token, other_than(code))

    assert world.enter(token, code)


def test_a_slip_of_the_finger_uses_up_no_try(world: World) -> None:
    token, code = waited(world)
    for typed, rule in [
        ("", "required"),
        ("  ", "required"),
        ("12345", "digits"),
        ("1234567", "digits"),
        ("x", "digits"),
    ]:
        assert fault(world, token, typed) == rule
    for _ in range(4):
        fault(world, token, other_than(code))

    assert world.enter(token, code)


def test_each_request_has_tries_and_a_code_of_its_own(world: World) -> None:
    first, first_code = waited(world)
    second, second_code = waited(world)
    assert first_code != second_code
    for _ in range(5):
        fault(world, first, second_code)

    assert world.enter(second, second_code)


def test_the_code_of_one_person_does_not_open_the_page_of_another(world: World) -> None:
    _, code = waited(world)
    token, _ = waited(world, email=PEOPLE[1])

    assert fault(world, token, code) == "wrong"


def codes_that_fit(world: World, token: str) -> str:
    """The code that the page would wait for, made with the key, which nobody outside has."""
    from consent_center.domain.passcode import passcode

    link = look_at_waiting(token, secrets=world.secrets, clock=world.clock)
    return passcode(link, world.secrets.links())


def test_no_code_fits_where_no_letter_went_out(world: World) -> None:
    before_the_letter = world.sign_up()
    for _ in range(4):
        world.sign_up()
    over_the_limit = world.sign_up()

    for token in (before_the_letter, over_the_limit):
        assert fault(world, token, codes_that_fit(world, token)) == "wrong"
    assert len(world.outbox.orders) == 5


def test_no_code_fits_for_whoever_said_this_was_not_me(world: World) -> None:
    waited(world)
    world.not_me(world.letter_token("not_me_url"))
    token = world.sign_up()
    assert world.deliver() is Delivery.BLOCKED

    assert fault(world, token, codes_that_fit(world, token)) == "wrong"


def test_no_code_fits_for_whoever_has_given_it_already(world: World) -> None:
    world.confirm(world.asked())
    token = world.sign_up()
    assert world.deliver() is Delivery.NOTHING_TO_ASK

    assert fault(world, token, codes_that_fit(world, token)) == "wrong"


def test_tries_are_counted_alike_where_no_letter_went_out(world: World) -> None:
    for _ in range(5):
        world.sign_up()
    token = world.sign_up()
    for _ in range(5):
        fault(world, token, "123456")

    with pytest.raises(TooManyTriesError):
        world.enter(token, "123456")


def test_a_code_typed_after_the_link_was_used_leads_to_the_page_that_says_so(world: World) -> None:
    token, code = waited(world)
    world.confirm(world.letter_token("confirm_url"))

    assert world.look(world.enter(token, code)).confirmed_at is not None


def test_a_code_of_a_cancelled_request_confirms_nothing(world: World) -> None:
    token, code = waited(world)
    world.not_me(world.letter_token("not_me_url"))
    with pytest.raises(RequestGoneError) as error:
        world.look(world.enter(token, code))

    assert error.value.reason == "cancelled"


def test_a_code_ends_with_its_request(world: World) -> None:
    token, code = waited(world)
    world.clock.move(days=7)

    for attempt in (lambda: world.enter(token, code), lambda: world.enter(token, "")):
        with pytest.raises(RequestGoneError) as error:
            attempt()
        assert error.value.reason == "expired"


def test_a_code_fits_after_the_key_was_rotated_before_and_after_the_letter(world: World) -> None:
    token = world.sign_up()
    world.secrets.link = Keyring("k2", {"k1": b"links-one", "k2": b"links-two"})
    world.deliver()
    code = world.letter_code()
    world.secrets.link = Keyring("k3", {**world.secrets.link.keys, "k3": b"links-three"})

    assert world.look(world.enter(token, code)).topics


def test_a_letter_whose_key_is_gone_has_its_link_and_no_code(world: World) -> None:
    world.sign_up()
    world.secrets.link = Keyring("k2", {"k2": b"links-two"})
    world.deliver()

    assert "confirm_url" in world.mailer.letters[-1].text
    with pytest.raises(AssertionError):
        world.letter_code()


def test_a_letter_that_the_preference_page_ordered_has_no_code(world: World) -> None:
    world.confirm(world.asked("events"))
    world.clock.move(seconds=60)
    manage = world.manage_token()
    world.start_by_letter(manage, "product-news")
    assert world.deliver() is Delivery.SENT

    with pytest.raises(AssertionError):
        world.letter_code()


@pytest.mark.parametrize("kind", ["confirm", "cut", "other key"])
def test_a_token_that_is_not_the_pages_own_is_refused_before_anything_is_counted(world: World, kind: str) -> None:
    token, code = waited(world)
    link = look_at_waiting(token, secrets=world.secrets, clock=world.clock)
    wrong = {
        "confirm": world.letter_token("confirm_url"),
        "cut": token[:-1],
        "other key": seal_waiting(link, Keyring("k1", {"k1": b"another"})),
    }[kind]
    used = dict(world.limits.used)
    with pytest.raises(InvalidTokenError):
        world.enter(wrong, code)

    assert world.limits.used == used


def test_a_network_types_so_many_codes_in_an_hour_and_no_more(world: World) -> None:
    world.most = MostSignUps(per_address=5, per_source=3)
    token, code = waited(world)
    for _ in range(3):
        fault(world, token, other_than(code))
    with pytest.raises(TooManyRequestsError):
        world.enter(token, code)

    world.network = "198.51.100.0/24"
    assert world.enter(token, code)


def test_sign_ups_and_codes_of_a_network_are_counted_apart(world: World) -> None:
    world.most = MostSignUps(per_address=5, per_source=1)
    token, code = waited(world)

    assert world.enter(token, code)


def test_counters_are_kept_under_names_that_hold_no_person_and_no_network(world: World) -> None:
    token, code = waited(world)
    fault(world, token, other_than(code))

    names = str(list(world.limits.used))
    assert "@" not in names
    assert "192.0.2" not in names
    assert world.contact().pseudonym not in str([name for name, _ in world.limits.used if name.startswith("code#")])


def test_the_known_the_unknown_and_the_blocked_get_an_equally_long_token(world: World) -> None:
    world.confirm(world.asked())
    tokens = [world.sign_up() for _ in range(8)] + [world.sign_up(email=PEOPLE[1])]

    assert len({len(token) for token in tokens}) == 1
    assert len(set(tokens)) == len(tokens)
