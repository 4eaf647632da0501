"""Setting and lifting holds and restrictions: once each, within bounds, and never in the person's place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import PEOPLE, PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.domain import wishes
from consent_center.domain.errors import InvalidFormError, NothingHeldError, UnknownNameError
from consent_center.domain.lock import Ground, Interest, locks_of
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Decision
from consent_center.ports.people import Profile
from consent_center.usecases.locks import Lifting, Locked, Locking, lift_lock, set_lock
from fakes import InMemorySubjects
from usecase_world import World


class Desk:
    """Whoever sets locks, and a person who subscribed."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.confirm(world.asked())
        compiled = dict(world.policy.raw)
        rule = {**compiled["retention_rules"][0], "id": "dispute", "covers": "hold", "clock": "creation", "hold": True}
        compiled["retention_rules"] = [*compiled["retention_rules"], {**rule, "period": {"months": 12, "days": 0}}]
        world.policy = Policy(compiled)

    def _with(self) -> dict[str, Any]:
        return {**self.world.deciding, "addresses": parse_address, "client": "crm"}

    def at(self, **later: int) -> datetime:
        return datetime.fromtimestamp(self.world.clock() / 1000, UTC) + timedelta(**later)

    def holds(self, recipient: str = PEOPLE[0], days: int = 30, *purposes: str) -> Locked:
        until = self.at(days=days)
        return set_lock(Locking(recipient, Interest.PERSON, "claim 17", purposes, until), **self._with())

    def restricts(self, *purposes: str, ground: Ground = Ground.CLAIMS) -> Locked:
        return set_lock(Locking(PEOPLE[0], ground, "asked by phone", purposes), **self._with())

    def lifts(self, kind: str, number: int, told: datetime | None = None) -> Locked:
        return lift_lock(Lifting(PEOPLE[0], kind, number, "settled", told), **self._with())


@pytest.fixture
def desk() -> Desk:
    return Desk(World())


def test_a_hold_is_an_event_that_names_nobody_and_decides_nothing(desk: Desk) -> None:
    before = desk.world.subjects.load(desk.world.contact()).subject
    locked = desk.holds()

    assert (locked.is_new, locked.number) == (True, 2)
    (_, entry) = desk.world.events()
    assert (entry.kind, entry.body["changes"], entry.body["recorded_by"]) == ("hold_set", [], "crm")
    assert (entry.body["ground"], entry.body["covers"]) == ("person", [])
    assert not any(word in str(entry.body) for word in (PEOPLE[0], "claim 17"))
    payload = desk.world.subjects.payload(entry.chain, entry.seq)
    assert payload.content["reason"] == "claim 17"
    after = desk.world.subjects.load(desk.world.contact()).subject
    assert (after.decided, after.heard_at, after.preferences) == (before.decided, before.heard_at, before.preferences)
    assert desk.world.reason("events") == "given"


def test_asking_again_for_what_is_in_force_makes_no_second_one(desk: Desk) -> None:
    first = desk.holds()
    again = desk.holds()
    assert (again.is_new, again.number, again.evidence) == (False, first.number, first.evidence)
    assert desk.holds(PEOPLE[0], 31).is_new, "a longer one is another"
    assert desk.world.kinds() == ["given", "hold_set", "hold_set"]


@pytest.mark.parametrize(("days", "rule"), [(0, "past"), (-1, "past"), (366, "too_late")])
def test_a_hold_ends_later_than_now_and_within_the_rule_of_the_policy(desk: Desk, days: int, rule: str) -> None:
    with pytest.raises(InvalidFormError) as refused:
        desk.holds(PEOPLE[0], days)
    assert refused.value.fields == {"until": rule}


def test_a_restriction_is_in_force_until_the_person_was_told_and_it_is_lifted(desk: Desk) -> None:
    number = desk.restricts().number
    assert desk.world.reason("events") == "restricted"
    for told, rule in ((None, "required"), (desk.at(seconds=1), "not_told_yet")):
        with pytest.raises(InvalidFormError) as refused:
            desk.lifts("restriction_lifted", number, told)
        assert refused.value.fields == {"person_told_at": rule}
    assert not desk.lifts("hold_lifted", number).is_new, "it is no hold"
    assert desk.world.reason("events") == "restricted"

    assert desk.lifts("restriction_lifted", number, desk.at(seconds=-1)).is_new
    assert not desk.lifts("restriction_lifted", number, desk.at(seconds=-1)).is_new, "once"
    assert desk.world.reason("events") == "given"
    assert "person_told_at" in desk.world.events()[-1].body


def test_a_restriction_stops_neither_withdrawal_nor_objection(desk: Desk) -> None:
    token = desk.world.stop_token("events")
    desk.restricts()
    assert desk.world.withdraw(token)[1]
    assert desk.world.wish(desk.world.manage_token(), wishes.stop_everything(desk.world.policy))
    assert desk.world.kinds() == ["given", "restricted", "withdrawn", "withdrawn"]
    assert desk.world.reason("events") == "restricted"


def test_a_restriction_of_one_purpose_leaves_the_others_alone(desk: Desk) -> None:
    desk.restricts("tracking")
    assert desk.world.reason("events") == "given"
    desk.restricts(PURPOSE)
    assert desk.world.reason("events") == "restricted"


def test_nobody_can_be_locked_who_is_not_there(desk: Desk) -> None:
    with pytest.raises(NothingHeldError):
        desk.holds(PEOPLE[1])
    with pytest.raises(InvalidFormError):
        desk.holds("ada")
    with pytest.raises(UnknownNameError):
        desk.holds(PEOPLE[0], 30, "no-such-purpose")


def test_a_record_has_four_locks_at_most_and_one_that_is_over_makes_room(desk: Desk) -> None:
    for days in (1, 2, 3, 4):
        desk.holds(PEOPLE[0], days)
    with pytest.raises(InvalidFormError) as refused:
        desk.restricts()
    assert refused.value.fields == {"recipient": "too_many_locks"}

    desk.world.clock.move(days=1)
    assert desk.restricts().is_new
    subject = desk.world.subjects.load(desk.world.contact()).subject
    assert len(subject.locks) == len(locks_of(subject, desk.world.clock())) == 4


def test_a_lock_that_meets_a_withdrawal_is_set_after_it() -> None:
    class Busy(InMemorySubjects):
        meets: Any = None

        def commit(self, decision: Decision, profile: Profile | None = None) -> None:
            if self.meets is not None and decision.entry.kind == "hold_set":
                meets, self.meets = self.meets, None
                meets()
            super().commit(decision, profile)

    busy = Busy()
    desk = Desk(World(subjects=busy))
    token = desk.world.stop_token("events")
    busy.meets = lambda: desk.world.withdraw(token)
    locked = desk.holds()

    assert desk.world.kinds() == ["given", "withdrawn", "hold_set"]
    assert locked.number == 3
