"""Withdrawing: one press, effective at once, harmless to repeat, and never more than it says."""

import pytest

from builders import LINKS, PURPOSE
from consent_center.domain.capability import WithdrawLink, seal_withdrawal
from consent_center.domain.errors import InvalidTokenError, UnknownNameError
from consent_center.usecases.withdraw import undo_withdrawal
from usecase_world import World


@pytest.fixture
def subscriber(world: World) -> World:
    world.confirm(world.asked())
    world.clock.move(seconds=60)
    return world


def test_a_topics_link_stops_that_topic_and_no_other(subscriber: World) -> None:
    coverage, is_new = subscriber.withdraw(subscriber.stop_token("events"))

    assert is_new
    assert (coverage.kind, [topic.id for topic in coverage.topics]) == ("topic", ["events"])
    assert (subscriber.reason("events"), subscriber.reason("product-news")) == ("withdrawn", "given")


def test_a_letters_link_without_a_topic_stops_the_whole_purpose(subscriber: World) -> None:
    subscriber.withdraw(subscriber.stop_token())

    assert subscriber.reason() == "withdrawn"
    assert [change["topics"] for change in subscriber.events()[-1].body["changes"]] == [["product-news", "events"]]


def test_withdrawing_twice_is_success_twice_and_one_event(subscriber: World) -> None:
    token = subscriber.stop_token("events")
    assert [subscriber.withdraw(token)[1] for _ in range(3)] == [True, False, False]

    assert subscriber.kinds() == ["given", "withdrawn"]


def test_somebody_who_is_gone_withdraws_successfully_without_an_event(world: World) -> None:
    token = seal_withdrawal(WithdrawLink(world.contact(), "dm", ("pn",)), LINKS)

    assert world.withdraw(token)[1] is False
    assert world.subjects.calls == ["load"]


def test_a_link_works_for_years(subscriber: World) -> None:
    token = subscriber.stop_token()
    subscriber.clock.move(days=3650)

    assert subscriber.withdraw(token)[1]


def test_a_link_stops_a_topic_that_was_retired_since(world: World) -> None:
    token = seal_withdrawal(WithdrawLink(world.contact(), "dm", ("pa",)), LINKS)

    assert world.withdraw(token)[0].topics[0].id == "paper"


@pytest.mark.parametrize(("purpose", "topics"), [("xx", ()), ("dm", ("xx",)), ("xx", ("pn",))])
def test_a_link_for_what_is_not_in_our_policy_is_refused(world: World, purpose: str, topics: tuple[str, ...]) -> None:
    with pytest.raises(InvalidTokenError):
        world.withdraw(seal_withdrawal(WithdrawLink(world.contact(), purpose, topics), LINKS))


@pytest.mark.parametrize("route", ["one-click", "page"])
def test_the_ledger_says_how_it_was_done(subscriber: World, route: str) -> None:
    subscriber.withdraw(subscriber.stop_token(), route)

    assert subscriber.events()[-1].body["source"] == route


def test_a_withdrawal_takes_effect_on_the_very_next_check(subscriber: World) -> None:
    token = subscriber.stop_token("events")
    assert subscriber.reason("events") == "given"
    subscriber.withdraw(token)

    assert subscriber.reason("events") == "withdrawn"


def test_a_burst_of_other_changes_does_not_beat_a_withdrawal(subscriber: World) -> None:
    token = subscriber.stop_token("events")
    load, bursts = subscriber.subjects.load, iter(range(15))

    def load_then_change(*arguments: object) -> object:
        record = load(*arguments)  # type: ignore[arg-type]
        if next(bursts, None) is not None:
            subscriber.subjects.cancel_request(subscriber.contact(), "another request", {}, subscriber.clock())
        return record

    subscriber.subjects.load = load_then_change  # type: ignore[assignment, method-assign]
    assert subscriber.withdraw(token)[1]
    assert subscriber.reason("events") == "withdrawn"


def undone(world: World, token: str, done: str | None, instead: str = "") -> bool:
    return undo_withdrawal(token, done or "", instead=instead, **world.deciding)


def test_the_answer_says_what_still_comes(subscriber: World) -> None:
    stopped = subscriber.withdrawal(subscriber.stop_token("events"))

    assert [(purpose.id, topic and topic.id) for purpose, topic in stopped.still] == [(PURPOSE, "product-news")]


def test_everything_can_be_stopped_with_any_link(subscriber: World) -> None:
    stopped = subscriber.withdrawal(subscriber.stop_token("events"), everything=True)

    assert stopped.still == ()
    assert subscriber.reason("product-news") == "withdrawn"


def test_a_withdrawal_is_undone_by_what_its_page_carried(subscriber: World) -> None:
    token = subscriber.stop_token("events")
    stopped = subscriber.withdrawal(token)

    assert undone(subscriber, token, stopped.done)
    assert subscriber.reason("events") == "given"
    assert subscriber.kinds() == ["given", "withdrawn", "restored"]


def test_undoing_twice_is_success_twice_and_one_event(subscriber: World) -> None:
    token = subscriber.stop_token("events")
    stopped = subscriber.withdrawal(token)

    assert undone(subscriber, token, stopped.done, "pause 1.0")
    subscriber.clock.move(seconds=2)
    assert undone(subscriber, token, stopped.done, "pause 1.0"), "the first answer may have been lost"
    assert not undone(subscriber, token, stopped.done, "fewer 0.14"), "that is another wish"
    assert subscriber.kinds() == ["given", "withdrawn", "restored"]


def test_a_withdrawal_is_not_undone_after_a_quarter_of_an_hour(subscriber: World) -> None:
    token = subscriber.stop_token("events")
    stopped = subscriber.withdrawal(token)
    subscriber.clock.move(seconds=15 * 60)

    assert not undone(subscriber, token, stopped.done)
    assert subscriber.reason("events") == "withdrawn"


def test_a_second_press_offers_nothing_to_undo(subscriber: World) -> None:
    token = subscriber.stop_token("events")
    subscriber.withdrawal(token)

    assert subscriber.withdrawal(token).done is None


@pytest.mark.parametrize(("instead", "reason"), [("fewer 0.14", "frequency"), ("pause 1.0", "paused")])
def test_fewer_letters_can_be_had_instead_of_none(subscriber: World, instead: str, reason: str) -> None:
    token = subscriber.stop_token("events")
    subscriber.check(topic="events", record_send=True)
    stopped = subscriber.withdrawal(token)

    assert undone(subscriber, token, stopped.done, instead)
    assert subscriber.reason("events") == reason


@pytest.mark.parametrize("instead", ["fewer 1.0", "pause 0.1", "more 1.0", "pause"])
def test_what_is_not_offered_instead_is_refused_and_nothing_is_undone(subscriber: World, instead: str) -> None:
    token = subscriber.stop_token("events")
    stopped = subscriber.withdrawal(token)

    with pytest.raises(UnknownNameError):
        undone(subscriber, token, stopped.done, instead)
    assert subscriber.reason("events") == "withdrawn"


def test_a_forwarded_letter_cannot_undo_what_somebody_elses_press_did(subscriber: World) -> None:
    stopped = subscriber.withdrawal(subscriber.stop_token("events"))
    foreign = seal_withdrawal(WithdrawLink(subscriber.contact("grace.hopper@example.org"), "dm"), LINKS)

    with pytest.raises(InvalidTokenError):
        undone(subscriber, foreign, stopped.done)
