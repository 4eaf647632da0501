"""What is left where people were, and whose it is: it ends, and falls to nobody who comes after."""

import pytest
from tests.contract.test_address_moves import NEW, OLD, Place, a_place
from tests.contract.test_next_holder import checked, last_sends, sent

from consent_center.adapters.addresses import parse_address
from consent_center.adapters.dynamodb.retention import DynamoRetention
from consent_center.domain.moving import MOVED
from consent_center.domain.suppression import Basis
from consent_center.usecases.feedback import Happening, Report, take_report
from consent_center.usecases.retention import reconsider
from consent_center.usecases.sends import SendOutcome
from consent_center.usecases.suppress import suppress
from fakes import InMemoryRetention, InMemorySubjects
from usecase_world import World


@pytest.fixture(params=["in memory", "moto", "engine"])
def place(request: pytest.FixtureRequest) -> Place:
    found = a_place(request)
    if isinstance(found.world.subjects, InMemorySubjects):
        found.world.subjects.clock = found.world.clock
    return found


def look_at(world: World) -> int:
    """Look at the first address's record; the newest end that anything of it has (epoch seconds)."""
    subjects = world.subjects
    in_memory = isinstance(subjects, InMemorySubjects)
    retention = InMemoryRetention(subjects) if in_memory else DynamoRetention(subjects._database, world.clock)
    means = {name: one for name, one in world.deciding.items() if name != "secrets"}
    reconsider(world.contact(), retention=retention, ledger=world.ledger, **means)
    found = retention.dossier(world.contact())
    assert found is not None
    return max((end.at for end in found.ends.values() if end), default=0)


def test_a_send_that_is_over_stays_so_when_the_next_holder_is_looked_at(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    assert sent(world, checked(world)) is SendOutcome.RECORDED
    world.clock.move(seconds=60)
    world.withdraw(world.stop_token())
    world.clock.move(seconds=60)
    world.clock.now = look_at(world) * 1000 + 1000
    assert world.subjects.load(world.contact()).subject.chain is None
    world.confirm(world.asked())
    world.clock.move(seconds=1000)

    look_at(world)

    assert last_sends(world, OLD) == []


def test_a_letter_of_a_mover_who_was_erased_is_not_the_next_holders(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    letter = checked(world)
    world.move(NEW)
    place.erase(NEW)
    world.clock.move(days=2)
    world.subjects.cancel_request(world.contact(), "asked", {}, world.clock())
    world.clock.move(days=2)
    world.confirm(world.asked())

    assert sent(world, letter) is SendOutcome.NO_RECORD
    assert last_sends(world, OLD) == []


def test_what_a_mover_leaves_is_gone_once_no_letter_can_be_confirmed(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    world.move(NEW)
    place.erase(NEW)
    world.clock.move(days=6)
    assert world.subjects.load(world.contact()).subject.last_at

    world.clock.move(days=2)
    assert not world.subjects.load(world.contact()).subject.last_at


def test_a_suppression_at_an_address_that_nothing_leads_on_from_is_gone_when_it_ends(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = place.world
    whole = suppress.__globals__["new_suppression"]
    monkeypatch.setitem(
        suppress.__globals__,
        "new_suppression",
        lambda *about: whole(*about)._replace(until=about[3] // 1000 + 365 * 86_400),
    )
    world.confirm(world.asked())
    change = world.asked_to_move(NEW)
    world.clock.move(seconds=10)
    door = {"source": "api", "client": "desk", "controller": "fjordmeter"}
    suppress(parse_address(OLD), basis=Basis.REQUEST, **door, **world.deciding)
    world.clock.move(seconds=10)
    assert world.confirm_change(change)[1]
    world.clock.move(seconds=10)
    place.erase(NEW)
    assert world.reason() == "suppressed"

    world.clock.move(days=366)

    assert world.subjects.load(world.contact()).subject.last_at == 0


def test_who_changes_address_because_letters_stop_arriving_may(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    change = world.asked_to_move(NEW)
    world.clock.move(seconds=10)
    bounce = Report(Happening.HARD_BOUNCE, world.clock(), (), (OLD,), "")
    take_report(bounce, addresses=parse_address, **world.deciding)
    world.clock.move(days=1)

    assert world.confirm_change(change)[1]
    assert world.kinds(NEW) == ["given", "undeliverable", MOVED]
    assert world.subjects.load(world.contact()).subject.chain is None


def test_a_request_at_an_address_that_everybody_left_lasts_as_long_as_its_letter_says(place: Place) -> None:
    world = place.world
    world.confirm(world.asked())
    world.move(NEW)
    world.confirm(world.asked())
    place.erase(NEW)
    world.clock.move(seconds=10)
    place.erase(OLD)
    left = world.subjects.load(world.contact()).subject
    assert left.former
    assert not left.leads_on
    world.clock.move(days=6)
    asked = world.asked()
    marks = world.subjects.load(world.contact()).subject.requested
    world.clock.move(days=5)

    assert world.subjects.load(world.contact()).subject.requested == marks
    world.confirm(asked)
    assert world.reason() == "given"
