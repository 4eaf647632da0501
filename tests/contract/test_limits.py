"""What every implementation of the Limits port does."""

import pytest

from consent_center.adapters.dynamodb.limits import DynamoLimits
from consent_center.ports.basics import Limits
from fakes import InMemoryLimits

NOW = 1_800_000_000 // 3600 * 3600


@pytest.fixture(params=["in memory", "moto", "engine"])
def limits(request: pytest.FixtureRequest) -> Limits:
    if request.param == "in memory":
        return InMemoryLimits()
    return DynamoLimits(request.getfixturevalue(f"{request.param}_database"))


def test_a_name_may_be_used_so_often_in_an_hour_and_no_oftener(limits: Limits) -> None:
    assert [limits.take("a", 3, NOW + minute * 60) for minute in (0, 20, 40, 50, 59)] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_new_hour_counts_afresh(limits: Limits) -> None:
    assert limits.take("a", 1, NOW + 3599)
    assert not limits.take("a", 1, NOW + 3599)
    assert limits.take("a", 1, NOW + 3600)


def test_names_are_counted_apart(limits: Limits) -> None:
    assert limits.take("a", 1, NOW)
    assert limits.take("b", 1, NOW)


def test_a_block_ends_at_its_second(limits: Limits) -> None:
    limits.block("a", NOW + 60)

    assert limits.is_blocked("a", NOW + 59)
    assert not limits.is_blocked("a", NOW + 60)
    assert not limits.is_blocked("b", NOW)


def test_blocking_again_can_only_make_it_longer(limits: Limits) -> None:
    limits.block("a", NOW + 60)
    limits.block("a", NOW + 30)
    assert limits.is_blocked("a", NOW + 59)
    limits.block("a", NOW + 90)

    assert limits.is_blocked("a", NOW + 89)


def test_a_count_without_hours_goes_on_until_its_end(limits: Limits) -> None:
    assert [limits.take_until("a", 3, NOW + 7 * 86400) for _ in range(5)] == [True, True, True, False, False]
    assert limits.take_until("b", 3, NOW + 7 * 86400)


def test_counts_with_and_without_hours_are_kept_apart(limits: Limits) -> None:
    assert limits.take_until("a", 1, NOW + 7 * 86400)
    assert limits.take("a", 1, NOW)
