"""Checking permission: one answer per row, in order, and a no wherever there is doubt."""

import pytest

from builders import LINKS, PEOPLE
from consent_center.domain.capability import WithdrawLink, open_withdrawal
from consent_center.domain.errors import UnknownNameError
from usecase_world import BASE_URL, World


@pytest.fixture
def subscriber(world: World) -> World:
    world.confirm(world.asked())
    return world


def test_rows_are_answered_in_the_order_asked_duplicates_included(subscriber: World) -> None:
    answers = subscriber.check(PEOPLE[1], PEOPLE[0].upper(), "no address", PEOPLE[0], "", PEOPLE[0])

    assert [answer.permission.reason for answer in answers] == [
        "no_record",
        "given",
        "invalid_address",
        "given",
        "invalid_address",
        "given",
    ]


def test_a_yes_carries_evidence_headers_and_a_send_id_and_a_no_carries_none(subscriber: World) -> None:
    yes, no = subscriber.check(PEOPLE[0], PEOPLE[1], topic="events")

    assert yes.permission.evidence == subscriber.events()[0].evidence
    assert yes.headers is not None
    assert set(yes.headers) == {"List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"}
    assert yes.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert yes.headers["List-Unsubscribe"].startswith(f"<{BASE_URL}/u/v1.")
    assert yes.send_id
    assert (no.permission.evidence, no.headers, no.send_id) == (None, None, None)


def test_the_link_in_the_headers_covers_what_was_asked_about(subscriber: World) -> None:
    assert open_withdrawal(subscriber.stop_token("events"), LINKS) == WithdrawLink(
        subscriber.contact(), "dm", ("ev",), made_at=subscriber.clock()
    )
    assert open_withdrawal(subscriber.stop_token(), LINKS) == WithdrawLink(
        subscriber.contact(), "dm", made_at=subscriber.clock()
    )


def test_each_letter_has_a_send_id_of_its_own(subscriber: World) -> None:
    subscriber.confirm(subscriber.asked(email=PEOPLE[1]))
    first = subscriber.check(PEOPLE[0], PEOPLE[1])
    subscriber.clock.move(seconds=1)
    second = subscriber.check(PEOPLE[0], PEOPLE[1])

    assert len({answer.send_id for answer in (*first, *second)}) == 4


def test_whoever_cannot_be_read_is_unavailable_and_nobody_else_is(subscriber: World) -> None:
    subscriber.confirm(subscriber.asked(email=PEOPLE[1]))
    subscriber.subjects.unreadable.add(subscriber.contact())

    answers = subscriber.check(PEOPLE[0], PEOPLE[1])
    assert [answer.permission.reason for answer in answers] == ["unavailable", "given"]
    assert answers[0].headers is None


def test_a_recorded_send_is_stored_for_those_who_may_be_sent_to(subscriber: World) -> None:
    subscriber.check(PEOPLE[0], PEOPLE[1], record_send=True)

    assert list(subscriber.subjects.sends) == [(subscriber.contact(), "direct-marketing-email")]


def test_a_check_alone_moves_no_clock(subscriber: World) -> None:
    subscriber.check()

    assert subscriber.subjects.sends == {}


def test_a_send_that_cannot_be_recorded_is_no_yes(subscriber: World) -> None:
    subscriber.subjects.record_sends = lambda sends: {send.contact for send in sends}  # type: ignore[method-assign]

    assert subscriber.check(record_send=True)[0].permission.reason == "unavailable"


def test_unknown_names_are_errors(world: World) -> None:
    with pytest.raises(UnknownNameError, match="topic"):
        world.check(topic="no-such-topic")
