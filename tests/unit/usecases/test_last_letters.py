"""The last letter of an erasure: whoever sends it may be killed anywhere, and it is never lost with the address."""

from contextlib import suppress

import pytest

from case_world import CASE, CaseWorld, KilledError, Killer
from consent_center.domain.case import CaseLetter, CaseState, Right
from consent_center.domain.errors import UnavailableError
from consent_center.ports.letters import LetterOrder
from consent_center.usecases.case_letters import deliver_case_letter
from consent_center.usecases.letters import Delivery
from usecase_world import BASE_URL, PlainTexts

AGAIN_SECONDS = 120
"""After which the queue delivers an order again."""

MOST_DELIVERIES = 5


def erased() -> tuple[CaseWorld, LetterOrder]:
    """An erasure that is done, and the order of the letter that says so."""
    world = CaseWorld(are_letters_delivered=False)
    world.subscribe()
    world.open(Right.ERASURE)
    world.look()
    assert world.case.state is CaseState.DONE
    return world, world.people.outbox.orders[-1]


def deliver(world: CaseWorld, order: LetterOrder, killer: Killer) -> Delivery:
    around = killer.around
    return deliver_case_letter(
        order,
        base_url=BASE_URL,
        site=lambda _brand, _language: {},
        policy=world.people.policy,
        subjects=around(world.people.subjects),
        cases=around(world.cases),
        particulars=around(world.particulars),
        claims=around(world.people.claims),
        mailer=around(world.people.mailer),
        texts=PlainTexts(),
        secrets=world.people.secrets,
        clock=world.clock,
    )


def calls_of_a_delivery() -> int:
    killer = Killer()
    assert deliver(*erased(), killer) is Delivery.SENT
    return killer.calls


def sent(world: CaseWorld) -> int:
    return sum("case_done" in letter.subject for letter in world.people.mailer.letters)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, calls_of_a_delivery() + 1))
def test_a_last_letter_is_sent_though_each_delivery_of_the_queue_was_killed(call: int, when: str) -> None:
    world, order = erased()
    assert order.request.startswith(f"{CASE}/{CaseLetter.DONE}")
    for _ in range(MOST_DELIVERIES):
        with suppress(KilledError, UnavailableError):
            deliver(world, order, Killer({(call, when)}))
        world.run(AGAIN_SECONDS / 86_400)
        world.clock.move(seconds=AGAIN_SECONDS)
    # It is set aside, and somebody sends it back days later.
    world.run(3)
    assert sent(world) or world.particulars.read(CASE) is not None
    deliver(world, order, Killer())

    assert sent(world) > 0
    world.run(2)
    assert CASE in world.particulars.shredded


def test_a_last_letter_that_was_killed_once_is_sent_once() -> None:
    world, order = erased()
    with pytest.raises(KilledError):
        # Claimed, and not sent.
        deliver(world, order, Killer({(calls_of_a_delivery() - 1, "before")}))
    assert sent(world) == 0
    world.clock.move(seconds=AGAIN_SECONDS)
    assert deliver(world, order, Killer()) is Delivery.SENT
    assert deliver(world, order, Killer()) is Delivery.SENT_BEFORE
    assert sent(world) == 1
