"""That a person is kept out of all marketing is told to whoever may hold their data, and so is its end."""

from dataclasses import replace

import pytest

import several_brands
from consent_center.domain.announcement import announcement, concerning
from consent_center.domain.contact import ContactPoint
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Subject
from consent_center.domain.suppression import Basis, Suppression

FREE = Subject(ContactPoint("fjell", "email", "1", "p" * 43), 3, "c" * 26, 2, last_at=1_800_000_000_000)
KEPT_OUT = replace(FREE, seq=3, suppression=Suppression(Basis.REQUEST, 1_800_000_000_000, "2026-12-01"))


@pytest.fixture(scope="module")
def policy() -> Policy:
    return several_brands.policy_in(several_brands.compiled())


@pytest.mark.parametrize(("before", "after", "suppressed"), [(FREE, KEPT_OUT, True), (KEPT_OUT, FREE, False)])
def test_a_suppression_and_its_lifting_are_told_to_recipients_of_the_controller_alone(
    policy: Policy, before: Subject, after: Subject, suppressed: bool
) -> None:
    told = announcement(before, after, policy)

    assert told is not None
    assert (told["suppressed"], told["suppressed_until"], told["changes"]) == (suppressed, None, [])
    assert concerning("porter", told, policy) == told
    assert concerning("printer", told, policy) is None
    assert "request" not in str(told), "why is nobody's business"


def test_somebody_nobody_knew_is_told_as_kept_out(policy: Policy) -> None:
    told = announcement(None, replace(KEPT_OUT, seq=1), policy)

    assert told is not None
    assert told["suppressed"]


def test_a_suppression_is_told_with_its_end_and_again_only_when_that_changes(policy: Policy) -> None:
    assert KEPT_OUT.suppression is not None
    for_a_while = replace(KEPT_OUT, suppression=KEPT_OUT.suppression._replace(until=1_801_000_000))

    told = announcement(KEPT_OUT, for_a_while, policy)

    assert told is not None
    assert told["suppressed_until"] == "2027-01-26T21:46:40.000Z"
    again = replace(KEPT_OUT, suppression=KEPT_OUT.suppression._replace(at=1_800_000_009_000, basis=Basis.OBJECTION))
    assert announcement(KEPT_OUT, again, policy) is None


def test_an_erased_chain_is_told_as_gone_and_not_as_kept_out(policy: Policy) -> None:
    told = announcement(FREE, replace(KEPT_OUT, chain=None, seq=0), policy)

    assert told is not None
    assert (told["erased"], "suppressed" in told) == (True, False)
