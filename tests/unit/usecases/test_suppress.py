"""Suppression and erasure: what keeps somebody out, and what is left of somebody who is gone."""

from datetime import UTC, datetime

import pytest

from builders import PEOPLE, PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.domain.chain import verify
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import SuppressedError
from consent_center.domain.permission import Reason
from consent_center.domain.subject import Subject
from consent_center.domain.suppression import Basis, Suppression, base_of
from consent_center.usecases.record import Proof, Statement, record_decision
from consent_center.usecases.suppress import erase, suppress
from usecase_world import World

ADA = PEOPLE[0]
TAGGED = "ada.lovelace+news@example.com"
SPELLINGS = [
    ADA,
    ADA.upper(),
    ADA.title(),
    f" {ADA} ",
    "ada.lovelace@EXAMPLE.com",
    "Ada.Lovelace@Example.Com",
    TAGGED,
    TAGGED.upper(),
    "ada.lovelace+a+b@example.com",
    "ADA.LOVELACE+@example.COM",
]


class Keeping(World):
    def suppress(self, email: str = ADA, basis: Basis = Basis.REQUEST) -> str:
        return suppress(
            parse_address(email), basis=basis, source="api", client="crm", controller="fjordmeter", **self.deciding
        )

    def erase(self, email: str = ADA, *, keep: bool = True) -> bool:
        return erase(
            parse_address(email),
            keep_fingerprint=keep,
            source="operator",
            client="operator",
            controller="fjordmeter",
            **self.deciding,
        )

    def state_a_yes(self, email: str = ADA) -> None:
        at = datetime.fromtimestamp(self.clock() / 1000, UTC)
        proof = Proof(at, "phone", ("Yes.",), "en", confirmed_at=at)
        record_decision(
            Statement(email, DecisionState.GIVEN, PURPOSE, ("product-news",), proof=proof),
            client="crm",
            addresses=parse_address,
            **self.deciding,
        )

    def join(self, email: str = ADA) -> None:
        self.sign_up("product-news", email=email)
        self.deliver()
        self.confirm(self.letter_token("confirm_url"))

    def reason(self, email: str = ADA) -> Reason:
        (answer,) = self.check(email, topic="product-news")
        return answer.permission.reason


@pytest.fixture
def world() -> Keeping:
    return Keeping()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_whoever_was_erased_with_a_fingerprint_stays_out_in_every_spelling(world: Keeping, spelling: str) -> None:
    world.join()
    world.clock.move(seconds=1)
    world.erase()
    world.clock.move(days=30)

    with pytest.raises(SuppressedError):
        world.state_a_yes(spelling)
    assert world.reason(spelling) is Reason.SUPPRESSED


def test_suppressing_an_address_with_a_tag_keeps_out_the_one_without_and_every_other_tag(world: Keeping) -> None:
    world.suppress(TAGGED)

    for spelling in SPELLINGS:
        with pytest.raises(SuppressedError):
            world.state_a_yes(spelling)


def test_suppressing_ends_what_was_given_in_the_same_entry(world: Keeping) -> None:
    world.join()
    world.clock.move(seconds=1)

    evidence = world.suppress()

    assert world.reason() is Reason.SUPPRESSED
    newest = world.events()[-1]
    assert newest.evidence == evidence
    assert newest.kind == "suppressed"
    assert newest.body["suppression"]["basis"] == "request"
    assert newest.body["changes"][0]["after"] == DecisionState.WITHDRAWN


@pytest.mark.parametrize("address", [ADA, TAGGED])
def test_a_later_own_yes_counts_for_the_address_it_was_given_at(world: Keeping, address: str) -> None:
    world.suppress(TAGGED)
    world.clock.move(seconds=1)
    world.join(address)

    assert world.reason(address) is Reason.GIVEN


def test_the_entry_of_an_own_yes_says_that_it_lifted_a_suppression(world: Keeping) -> None:
    world.suppress()
    world.clock.move(seconds=1)
    world.join()

    assert world.events()[-1].body["lifted"] == "request"
    assert world.subjects.load(world.contact()).subject.suppression is None


def test_a_yes_at_a_tagged_address_before_the_suppression_of_its_base_counts_no_more(world: Keeping) -> None:
    world.join(TAGGED)
    world.clock.move(seconds=1)
    world.suppress(ADA)

    assert world.reason(TAGGED) is Reason.SUPPRESSED


def test_suppressing_again_overtakes_a_yes_that_another_tag_gave_meanwhile(world: Keeping) -> None:
    world.suppress()
    world.clock.move(seconds=1)
    world.join(TAGGED)
    world.clock.move(seconds=1)
    world.suppress()

    assert world.reason(TAGGED) is Reason.SUPPRESSED


def test_removing_everything_lifts_no_suppression(world: Keeping) -> None:
    world.suppress()
    world.clock.move(seconds=1)
    world.erase(keep=False)

    with pytest.raises(SuppressedError):
        world.state_a_yes()


def test_a_suppression_is_over_from_the_second_of_its_end(world: Keeping) -> None:
    end = world.clock() // 1000 + 60
    contact = world.contact()
    suppression = Suppression(Basis.ERASURE, world.clock(), "2026-11-01", end)
    world.subjects.subjects[contact] = Subject(contact, 1, suppression=suppression)
    world.clock.now = end * 1000 - 1
    assert world.reason() is Reason.SUPPRESSED
    with pytest.raises(SuppressedError):
        world.state_a_yes()

    world.clock.now += 1
    assert world.reason() is Reason.NO_RECORD
    world.state_a_yes()
    assert world.reason() is Reason.GIVEN


@pytest.mark.parametrize("keep", [True, False])
def test_erasing_leaves_a_chain_that_verifies_and_nothing_that_leads_to_the_person(world: Keeping, keep: bool) -> None:
    world.join()
    subject = world.subjects.load(world.contact()).subject
    assert subject.chain
    world.clock.move(seconds=1)

    assert world.erase(keep=keep)

    entries = world.subjects.entry_of
    chain = [entry for (name, _), entry in sorted(entries.items()) if name == subject.chain]
    assert [entry.kind for entry in chain] == ["given", "erased"]
    assert verify(subject.chain, chain) == []
    held = world.subjects.holdings(world.contact())
    assert (held.profile, held.requests, held.last_sends) == (None, (), {})
    assert (held.subject.chain, held.subject.decided, held.subject.erasing) == (None, {}, None)
    assert (held.subject.suppression is not None) is keep
    assert not world.subjects.payloads(subject.chain)
    assert not world.erase(keep=keep)


def test_an_erasure_that_was_cut_short_is_finished_by_the_next_run(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.join()
    chain = world.subjects.load(world.contact()).subject.chain

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(world.subjects, "clear", killed)
        with pytest.raises(SystemExit):
            world.erase()
    assert world.subjects.load(world.contact()).subject.erasing == chain

    assert world.erase()
    assert not world.subjects.payloads(chain)
    assert world.subjects.load(world.contact()).subject.erasing is None


def test_somebody_who_returns_while_they_are_erased_keeps_what_is_new_and_gets_a_new_chain(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.join()
    old = world.subjects.load(world.contact()).subject.chain

    with monkeypatch.context() as slow:
        slow.setattr(world.subjects, "clear", lambda *_: world.join())
        world.clock.move(seconds=1)
        world.erase()
    world.erase()

    held = world.subjects.holdings(world.contact())
    assert held.profile is not None
    assert held.subject.chain not in (None, old)
    assert not world.subjects.payloads(old)
    assert world.reason() is Reason.GIVEN


@pytest.mark.parametrize(
    ("address", "base"),
    [(TAGGED, ADA), ("ada.lovelace+a+b@example.com", ADA), (ADA, None), ("+ada@example.com", None)],
)
def test_the_tag_begins_at_the_first_plus_that_is_not_the_first_sign(address: str, base: str | None) -> None:
    found = base_of(parse_address(address))

    assert (found.normalised if found else None) == base
