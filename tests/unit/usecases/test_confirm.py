"""Confirming: the press is the consent; opening a link, waiting, or coming too late is not."""

import json
import threading

import pytest

from builders import NAMES, PEOPLE
from consent_center.domain.errors import InvalidTokenError, RequestGoneError, UnavailableError, WordingChangedError
from consent_center.domain.policy import Policy
from usecase_world import World


def gone(world: World, token: str) -> str:
    with pytest.raises(RequestGoneError) as error:
        world.look(token)
    with pytest.raises(RequestGoneError) as again:
        world.confirm(token, "any")
    assert again.value.reason == error.value.reason
    return error.value.reason


def test_the_press_is_the_consent(world: World) -> None:
    confirmation, is_new = world.confirm(world.asked())

    assert is_new
    assert [topic.id for topic in confirmation.topics] == ["product-news", "events"]
    assert (world.reason("product-news"), world.reason("events")) == ("given", "given")
    assert world.kinds() == ["given"]


def test_looking_at_the_link_changes_nothing(world: World) -> None:
    token = world.asked()
    world.subjects.calls.clear()
    world.look(token)

    assert world.subjects.calls == ["load"]
    assert world.reason() == "pending"


def test_confirming_twice_is_success_twice_and_one_event(world: World) -> None:
    token = world.asked()
    first, _ = world.confirm(token)
    world.clock.move(seconds=60)
    second, is_new = world.confirm(token)

    assert not is_new
    assert second.confirmed_at == first.confirmed_at
    assert world.kinds() == ["given"]


def test_an_old_link_after_a_withdrawal_raises_nothing(world: World) -> None:
    token = world.asked()
    world.confirm(token)
    world.clock.move(seconds=60)
    world.withdraw(world.stop_token())

    assert gone(world, token) == "withdrawn"
    assert world.reason() == "withdrawn"
    assert world.kinds() == ["given", "withdrawn"]


def test_a_new_request_after_a_withdrawal_can_be_confirmed(world: World) -> None:
    world.confirm(world.asked())
    world.withdraw(world.stop_token())
    world.clock.move(seconds=60)
    world.confirm(world.asked())

    assert world.reason() == "given"
    assert world.kinds() == ["given", "withdrawn", "given"]


def test_after_one_topic_was_withdrawn_an_old_link_confirms_only_the_rest(world: World) -> None:
    token = world.asked("product-news", "events")
    world.confirm(world.asked("events"))
    world.clock.move(seconds=1)
    world.withdraw(world.stop_token("events"))
    confirmation, _ = world.confirm(token)

    assert [topic.id for topic in confirmation.topics] == ["product-news"]
    assert world.reason("events") == "withdrawn"


def test_a_request_ends_after_seven_days_to_the_second(world: World) -> None:
    token = world.asked()
    world.clock.move(days=7, seconds=-1)
    world.look(token)
    world.clock.move(seconds=1)

    assert gone(world, token) == "expired"
    assert world.reason() == "no_record"


def test_an_expired_request_cannot_be_confirmed_even_if_it_is_still_stored(world: World) -> None:
    token = world.asked()
    world.clock.move(days=8)

    assert world.subjects.requests
    assert gone(world, token) == "expired"


def test_this_was_not_me_cancels_the_request(world: World) -> None:
    token = world.asked()
    world.not_me(world.letter_token("not_me_url"))
    world.not_me(world.letter_token("not_me_url"))

    assert gone(world, token) == "cancelled"
    assert world.reason() == "no_record"
    assert world.events() == []


def test_this_was_not_me_withdraws_what_somebody_else_confirmed(world: World) -> None:
    world.confirm(world.asked("events"))
    not_me = world.letter_token("not_me_url")
    world.clock.move(days=30)

    assert world.not_me(not_me)[1]
    assert world.reason("events") == "withdrawn"
    assert world.events()[-1].body["source"] == "not-me"
    assert not world.not_me(not_me)[1]


def test_this_was_not_me_leaves_what_the_person_had_given_before(world: World) -> None:
    world.confirm(world.asked("events"))
    world.clock.move(days=1)
    world.asked("events", "product-news")
    world.not_me(world.letter_token("not_me_url"))

    assert world.reason("events") == "given"
    assert world.reason("product-news") == "no_record"


def test_a_topic_that_was_retired_meanwhile_cannot_be_confirmed(world: World) -> None:
    token = world.asked("events", "product-news")
    raw = json.loads(json.dumps(world.policy.raw))
    raw["purposes"][0]["topics"][1]["retired"] = True
    world.policy = Policy(raw)
    confirmation, _ = world.confirm(token)

    assert [topic.id for topic in confirmation.topics] == ["product-news"]


def test_a_confirm_link_does_not_cancel_and_a_cancel_link_does_not_confirm(world: World) -> None:
    token = world.asked()

    with pytest.raises(InvalidTokenError):
        world.not_me(token)
    with pytest.raises(InvalidTokenError):
        world.look(world.letter_token("not_me_url"))


def test_one_click_on_the_confirmation_letter_cancels_the_request(world: World) -> None:
    token = world.asked()
    world.withdraw(world.letter_token("stop_url"))

    assert gone(world, token) == "cancelled"
    assert world.events() == []


def test_one_click_on_the_confirmation_letter_withdraws_what_was_confirmed_meanwhile(world: World) -> None:
    world.confirm(world.asked("events"))
    stop = world.letter_token("stop_url")
    world.confirm(world.asked("product-news"))
    world.clock.move(days=40)
    world.withdraw(stop)

    assert world.reason("events") == "withdrawn"
    assert world.reason("product-news") == "given"


def test_consent_is_given_only_to_the_text_that_was_shown(world: World) -> None:
    token = world.asked()

    with pytest.raises(WordingChangedError):
        world.confirm(token, "another text")
    assert world.events() == []


def test_the_evidence_holds_the_wording_and_points_at_notice_and_language(world: World) -> None:
    token = world.asked()
    shown = world.look(token).wording
    world.confirm(token)

    body = world.events()[0].body
    assert (body["notice"], body["notice_hash"], body["language"]) == ("2026-11-01", "a" * 64, "en")
    assert body["wording_hash"] == shown.hash
    chain = world.events()[0].chain
    details = world.subjects.payloads(chain)[1].content
    assert details["wording"] == list(shown.paragraphs)
    assert details["address"] == PEOPLE[0]


def test_the_profile_is_stored_with_the_consent(world: World) -> None:
    world.sign_up(name=NAMES[0], interests=("water",))
    world.deliver()
    assert world.subjects.profiles == {}
    world.confirm(world.letter_token("confirm_url"))

    profile = world.subjects.profiles[world.contact()]
    assert (profile.name, profile.interests) == (NAMES[0], ("water",))


def test_confirmations_at_once_end_in_one_event(world: World) -> None:
    token = world.asked()
    shown = world.look(token).wording.hash
    news = []
    threads = [threading.Thread(target=lambda: news.append(world.confirm(token, shown)[1])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(news) == [False] * 7 + [True]
    assert world.kinds() == ["given"]


def test_a_record_that_never_stands_still_ends_in_try_again(world: World) -> None:
    token = world.asked()
    shown = world.look(token).wording.hash

    def somebody_else_decides() -> None:
        world.subjects.cancel_request(world.contact(), "another request", {}, world.clock())

    load = world.subjects.load

    def load_then_change(*arguments: object) -> object:
        record = load(*arguments)  # type: ignore[arg-type]
        somebody_else_decides()
        return record

    world.subjects.load = load_then_change  # type: ignore[assignment, method-assign]
    with pytest.raises(UnavailableError):
        world.confirm(token, shown)
    assert world.subjects.entry_of == {}


def test_nothing_is_left_to_confirm_once_everything_asked_about_was_retired(world: World) -> None:
    token = world.asked("events")
    raw = json.loads(json.dumps(world.policy.raw))
    raw["purposes"][0]["retired"] = True
    world.policy = Policy(raw)

    assert gone(world, token) == "expired"


def test_the_request_of_somebody_who_stopped_everything_is_void(world: World) -> None:
    world.confirm(world.asked("product-news"))
    stop_all = world.stop_token()
    token = world.asked("events")
    world.clock.move(seconds=60)
    world.withdraw(stop_all)

    assert gone(world, token) == "withdrawn"
    assert world.reason("events") == "withdrawn"


def test_a_cancellation_between_the_two_reads_is_seen(world: World) -> None:
    token = world.asked("events")
    shown, stop = world.look(token).wording.hash, world.letter_token("stop_url")
    load = world.subjects.load

    def load_then_cancel(*arguments: object) -> object:
        record = load(*arguments)  # type: ignore[arg-type]
        world.subjects.load = load
        world.withdraw(stop)
        return record

    world.subjects.load = load_then_cancel
    with pytest.raises(RequestGoneError):
        world.confirm(token, shown)
    assert world.events() == []
