"""How many people an edition reaches: counted over everybody, and nobody is written to."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from builders import PEOPLE, PURPOSE
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.domain.policy import Policy
from consent_center.domain.suppression import Basis, Suppression
from consent_center.domain.told import About, Telling
from consent_center.usecases.notices import DayOfTelling, Log, Reach, announce_edition, count_reach, log_of_telling
from consent_center.usecases.telling import note_told
from fakes import CollectingTellings, InMemoryLedger, InMemoryListing
from usecase_world import World

EDITION = "2027-03-01"


def with_edition(policy: Policy, change: str, what: str) -> Policy:
    edition = {
        **policy.raw["notices"][-1],
        "version": EDITION,
        "change": change,
        "changes": [{"what": what, "purpose": PURPOSE}],
    }
    return Policy({**policy.raw, "notices": [*policy.raw["notices"], edition]})


@pytest.fixture
def world() -> World:
    """One who agreed, one who agreed and withdrew, and one who only asked."""
    world = World()
    world.confirm(world.asked())
    world.confirm(world.asked(email=PEOPLE[1]))
    world.withdraw(world.letter_token("stop_url"))
    world.asked(email=PEOPLE[2])
    world.clock.move(days=1)
    return world


def reach(world: World, policy: Policy, version: str = EDITION, **other: Any) -> list[Reach]:
    means = {"in_force_from": world.clock(), "subjects": world.subjects, "listing": InMemoryListing(world.subjects)}
    return count_reach(version, policy=policy, clock=world.clock, **{**means, **other})


def test_who_agreed_is_told_of_what_is_done_differently_and_who_withdrew_is_left_in_peace(world: World) -> None:
    before = (len(world.outbox.orders), len(world.subjects.entry_of))

    found = reach(world, with_edition(world.policy, "material", "recipient-added"))

    assert found == [Reach("fjordmeter", told=1, asked_again=0, left_in_peace=1)]
    assert (len(world.outbox.orders), len(world.subjects.entry_of)) == before


def test_who_agreed_to_other_words_is_asked_again_unless_it_was_after_the_change(world: World) -> None:
    policy = with_edition(world.policy, "material", "consent-wording")

    assert reach(world, policy) == [Reach("fjordmeter", told=0, asked_again=1, left_in_peace=1)]
    assert reach(world, policy, in_force_from=0) == [Reach("fjordmeter", told=1, asked_again=0, left_in_peace=1)]


def test_a_corrected_spelling_reaches_nobody(world: World) -> None:
    found = reach(world, with_edition(world.policy, "typo", "recipient-added"))

    assert found == [Reach("fjordmeter", told=0, asked_again=0, left_in_peace=2)]


def test_whoever_is_locked_is_left_in_peace(world: World) -> None:
    contact = world.contact()
    world.subjects.subjects[contact] = replace(world.subjects.subjects[contact], locks=("restricted",))

    found = reach(world, with_edition(world.policy, "material", "recipient-added"))

    assert found == [Reach("fjordmeter", told=0, asked_again=0, left_in_peace=2)]


def test_an_edition_that_is_none_and_a_record_that_cannot_be_read_give_no_count(world: World) -> None:
    with pytest.raises(UnknownNameError):
        reach(world, world.policy)

    world.subjects.unreadable = {world.contact()}
    with pytest.raises(UnavailableError):
        reach(world, with_edition(world.policy, "material", "recipient-added"))


def test_letters_are_ordered_for_those_who_must_hear_and_the_log_counts_who_did(world: World) -> None:
    policy = with_edition(world.policy, "material", "consent-wording")
    ledger = InMemoryLedger(world.subjects)
    means: dict[str, Any] = {"in_force_from": world.clock(), "policy": policy, "subjects": world.subjects}
    means["clock"] = world.clock
    means["listing"] = InMemoryListing(world.subjects)
    world.outbox.orders.clear()

    looked_at: list[int] = []
    ordered = announce_edition(EDITION, outbox=world.outbox, progress=lambda: looked_at.append(1), **means)
    assert (ordered, len(looked_at)) == (1, 2)
    (order,) = world.outbox.orders
    assert (order.contact, order.request) == (world.contact(), f"{EDITION}/{means['in_force_from']}")
    assert log_of_telling(EDITION, ledger=ledger, **means) == Log((), untold=1, left_in_peace=1)

    note_told(
        order.contact,
        Telling(About.NOTICE, EDITION, "asked_again", "en", world.clock()),
        policy=policy,
        subjects=world.subjects,
        ledger=ledger,
        tellings=CollectingTellings(),
        chance=world.chance,
        clock=world.clock,
        pause=world.pause,
    )
    day = datetime.fromtimestamp(world.clock() / 1000, UTC).date().isoformat()
    assert log_of_telling(EDITION, ledger=ledger, **means) == Log((DayOfTelling(day, 0, 1),), 0, 1)


def test_whoever_is_suppressed_is_left_in_peace(world: World) -> None:
    contact = world.contact()
    kept_out = Suppression(Basis.REQUEST, world.clock(), "2026-11-01")
    world.subjects.subjects[contact] = replace(world.subjects.subjects[contact], suppression=kept_out)

    found = reach(world, with_edition(world.policy, "material", "recipient-added"))

    assert found == [Reach("fjordmeter", told=0, asked_again=0, left_in_peace=2)]
