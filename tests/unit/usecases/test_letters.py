"""Delivering the confirmation letter: once, only while it is wanted, and never lost."""

import pytest

from builders import PEOPLE
from consent_center.adapters.dynamodb.claims import HELD_SECONDS
from consent_center.domain.errors import LetterRefusedError, UnavailableError
from consent_center.usecases.letters import Delivery
from usecase_world import World


def test_the_letter_goes_to_the_address_with_both_unsubscribe_headers(world: World) -> None:
    world.asked()

    letter = world.mailer.letters[0]
    assert letter.to == PEOPLE[0]
    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter.headers["List-Unsubscribe"] == f"<https://consent.example.com/u/{world.letter_token('stop_url')}>"


def test_an_order_delivered_twice_sends_one_letter(world: World) -> None:
    world.sign_up()

    assert [world.deliver(), world.deliver()] == [Delivery.SENT, Delivery.SENT_BEFORE]
    assert len(world.mailer.letters) == 1


def test_a_letter_that_failed_is_sent_on_a_later_try(world: World) -> None:
    world.sign_up()
    world.mailer.fails_with = UnavailableError("send letter: TooManyRequestsException")
    with pytest.raises(UnavailableError):
        world.deliver()
    with pytest.raises(UnavailableError):
        world.deliver()
    world.mailer.fails_with = None
    world.clock.move(seconds=HELD_SECONDS)

    assert world.deliver() is Delivery.SENT


def test_a_refused_letter_is_an_error_that_says_so(world: World) -> None:
    world.sign_up()
    world.mailer.fails_with = LetterRefusedError("send letter: MessageRejected")

    with pytest.raises(LetterRefusedError):
        world.deliver()


def test_nothing_is_sent_for_a_request_that_was_cancelled(world: World) -> None:
    world.asked()
    world.not_me(world.letter_token("not_me_url"))

    assert world.deliver() is Delivery.NOTHING_TO_ASK


def test_nothing_is_sent_for_a_request_that_expired_on_the_queue(world: World) -> None:
    world.sign_up()
    world.clock.move(days=7)

    assert world.deliver() is Delivery.NOTHING_TO_ASK
    assert world.mailer.letters == []


def test_nobody_is_asked_for_what_they_have_given(world: World) -> None:
    world.confirm(world.asked())
    world.sign_up()

    assert world.deliver() is Delivery.NOTHING_TO_ASK
    assert len(world.mailer.letters) == 1


def test_a_sent_letter_makes_the_check_say_pending(world: World) -> None:
    world.sign_up("events")
    assert world.reason("events") == "no_record"
    world.deliver()

    assert world.reason("events") == "pending"
    assert world.reason("product-news") == "no_record"


def test_a_second_request_keeps_what_the_first_letter_asked_about(world: World) -> None:
    world.asked("events")
    world.asked("product-news")

    assert (world.reason("events"), world.reason("product-news")) == ("pending", "pending")
    world.withdraw(world.letter_token("stop_url"))
    assert (world.reason("events"), world.reason("product-news")) == ("pending", "no_record")


def test_whoever_said_this_was_not_me_gets_no_further_letter_for_seven_days(world: World) -> None:
    world.asked()
    world.not_me(world.letter_token("not_me_url"))
    world.sign_up()
    assert world.deliver() is Delivery.BLOCKED
    world.clock.move(days=7)
    world.sign_up()

    assert world.deliver() is Delivery.SENT
    assert len(world.mailer.letters) == 2


def test_a_block_holds_for_that_address_only(world: World) -> None:
    world.asked()
    world.not_me(world.letter_token("not_me_url"))
    world.sign_up(email=PEOPLE[1])

    assert world.deliver() is Delivery.SENT
