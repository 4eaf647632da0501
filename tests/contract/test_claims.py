"""What every implementation of the Claims port does."""

import pytest

from consent_center.adapters.dynamodb.claims import HELD_SECONDS, KEPT_SECONDS, DynamoClaims
from consent_center.adapters.dynamodb.items import LetterItem
from consent_center.adapters.dynamodb.keys import of_letter
from consent_center.domain.errors import UnavailableError
from consent_center.ports.letters import Claims
from fakes import InMemoryClaims

NOW = 1_800_000_000


@pytest.fixture(params=["in memory", "moto", "engine"])
def claims(request: pytest.FixtureRequest) -> Claims:
    if request.param == "in memory":
        return InMemoryClaims()
    request.getfixturevalue(f"{request.param}_database")
    return DynamoClaims()


def test_a_letter_is_claimed_once(claims: Claims) -> None:
    assert claims.take("letter-1", NOW)
    with pytest.raises(UnavailableError):
        claims.take("letter-1", NOW + HELD_SECONDS - 1)


def test_a_claim_whose_holder_died_can_be_taken_over(claims: Claims) -> None:
    claims.take("letter-1", NOW)

    assert claims.take("letter-1", NOW + HELD_SECONDS)


def test_a_letter_that_was_sent_is_never_claimed_again(claims: Claims) -> None:
    claims.take("letter-1", NOW)
    claims.finish("letter-1", NOW + 1)

    assert not claims.take("letter-1", NOW + 10 * HELD_SECONDS)


def test_letters_are_claimed_apart(claims: Claims) -> None:
    assert claims.take("letter-1", NOW)
    assert claims.take("letter-2", NOW)


def test_whether_a_letter_was_claimed_is_known_from_before_it_is_sent(claims: Claims) -> None:
    assert not claims.was_taken("letter-1")
    claims.take("letter-1", NOW)
    assert claims.was_taken("letter-1")
    claims.finish("letter-1", NOW + 1)

    assert claims.was_taken("letter-1")
    assert not claims.was_taken("letter-2")


def test_a_letter_that_was_claimed_was_not_sent_by_that(claims: Claims) -> None:
    assert not claims.was_sent("letter-1")
    claims.take("letter-1", NOW)
    assert not claims.was_sent("letter-1")
    claims.finish("letter-1", NOW + 1)

    assert claims.was_sent("letter-1")
    assert not claims.was_sent("letter-2")


@pytest.mark.usefixtures("moto_database")
@pytest.mark.parametrize("days", [7, 60])
def test_a_claim_is_kept_while_a_queue_may_deliver_again_and_while_its_request_lives(days: int) -> None:
    claims, until = DynamoClaims(), NOW + days * 86400
    claims.take("letter-1", NOW, until)
    claims.finish("letter-1", NOW + 1)

    assert LetterItem.get(of_letter("letter-1"), "CLAIM").expires_at == max(NOW + KEPT_SECONDS, until)
