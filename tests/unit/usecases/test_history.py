"""Looking back: everything a person decided, and why they got one letter."""

import pytest

from builders import LINKS, PURPOSE, a_policy
from consent_center.domain import wishes
from consent_center.domain.capability import LetterLink, seal_letter
from consent_center.domain.errors import ExpiredTokenError, InvalidTokenError, NothingHeldError
from consent_center.domain.objection import Against
from consent_center.usecases.history import Event, Explanation, explain, look_back
from fakes import InMemoryLedger
from usecase_world import World

LETTERS = a_policy().purpose(PURPOSE)


def history_of(world: World, token: str) -> list[Event]:
    events, _ = look_back(
        token,
        policy=world.policy,
        subjects=world.subjects,
        ledger=InMemoryLedger(world.subjects),
        secrets=world.secrets,
        clock=world.clock,
    )
    return events


def why(world: World, link: LetterLink) -> Explanation:
    return explain(
        seal_letter(link, LINKS),
        policy=world.policy,
        subjects=world.subjects,
        ledger=InMemoryLedger(world.subjects),
        secrets=world.secrets,
        clock=world.clock,
    )


@pytest.fixture
def token(world: World) -> str:
    world.confirm(world.asked())
    world.clock.move(seconds=60)
    return world.manage_token()


def test_every_event_is_there_with_the_words_that_were_agreed_to(world: World, token: str) -> None:
    world.wish(token, wishes.stop(LETTERS, "events"))
    world.wish(token, wishes.object_to_all(world.policy, Against.MARKETING))
    given, withdrawn, objected = history_of(world, token)

    assert given.about == ((PURPOSE, ("product-news", "events")),)
    assert given.wording[0] == "Yes, Fjordmeter may send me product-news, events by e-mail.".replace(
        "product-news", "Product-News"
    ).replace("events", "Events")
    assert given.notice == "2026-11-01"
    assert (withdrawn.kind, withdrawn.about, withdrawn.wording) == ("withdrawn", ((PURPOSE, ("events",)),), ())
    assert objected.about == (("*", ("direct-marketing",)), (PURPOSE, ("product-news",)))


def test_words_that_are_no_longer_kept_leave_the_event_standing(world: World, token: str) -> None:
    world.subjects.payload_of.clear()

    assert [(event.kind, event.wording) for event in history_of(world, token)] == [("given", ())]


def test_the_history_opens_with_the_same_link_for_the_same_hour(world: World, token: str) -> None:
    world.clock.move(seconds=3600)
    with pytest.raises(ExpiredTokenError):
        history_of(world, token)


def test_the_history_of_somebody_who_is_gone_is_empty(world: World, token: str) -> None:
    world.subjects.subjects.clear()
    with pytest.raises(NothingHeldError):
        history_of(world, token)


def test_a_letter_is_explained_by_when_and_how_the_person_agreed(world: World, token: str) -> None:
    found = why(world, LetterLink(world.contact(), "dm", ("ev",), 1, world.clock()))

    assert (found.purpose.id, found.topic and found.topic.id) == (PURPOSE, "events")
    assert (found.given_at, found.how, found.notice) == (world.clock() - 60_000, "form", "2026-11-01")
    assert found.still_allowed


def test_an_old_letter_is_explained_after_a_withdrawal_too(world: World, token: str) -> None:
    world.wish(token, wishes.stop_everything(world.policy))
    found = why(world, LetterLink(world.contact(), "dm", (), 1, world.clock()))

    assert found.given_at is not None
    assert not found.still_allowed


def test_nothing_is_told_about_somebody_of_whom_nothing_is_held(world: World) -> None:
    found = why(world, LetterLink(world.contact(), "dm", ("ev",), 1, world.clock()))

    assert (found.given_at, found.how, found.still_allowed) == (None, None, False)


def test_a_letter_on_another_basis_has_no_event(world: World, token: str) -> None:
    found = why(world, LetterLink(world.contact(), "iv", (), 0, world.clock()))

    assert (found.purpose.legal_basis, found.given_at, found.still_allowed) == ("legal_obligation", None, True)


@pytest.mark.parametrize("code", ["xx", ""])
def test_a_purpose_that_the_policy_lacks_is_no_link_of_ours(world: World, code: str) -> None:
    with pytest.raises(InvalidTokenError):
        why(world, LetterLink(world.contact(), code, (), 1, 1))
