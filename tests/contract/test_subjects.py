"""What every implementation of the Subjects and Ledger ports does."""

import contextlib
import secrets
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from builders import NAMES, NOON, PURPOSE, a_contact, a_decision, a_request, an_act, an_address
from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.items import PayloadItem, ProfileItem, StateItem
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.domain.chain import verify
from consent_center.domain.contact import Address
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import StaleSubjectError
from consent_center.domain.offline import Attestation, Method, ProofFile
from consent_center.domain.policy import Period
from consent_center.domain.reach import reached, unreachable
from consent_center.domain.subject import Preference, Randomness, Subject, decide, erase
from consent_center.domain.suppression import Basis, Suppression
from consent_center.ports.evidence import Ledger
from consent_center.ports.people import Holdings, Profile, Send, Subjects
from fakes import InMemoryLedger, InMemorySubjects, no_pause

PEOPLE_CODE = "dm.pn.email"

NEVER_STORED = {"ConsentUnknown", "ConsentRequested", "ConsentRequestDeferred"}
"""States of somebody who decided nothing."""


@dataclass
class Store:
    subjects: Subjects
    ledger: Ledger


@pytest.fixture(params=["in memory", "moto", "engine"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "in memory":
        subjects = InMemorySubjects()
        return Store(subjects, InMemoryLedger(subjects))
    database = request.getfixturevalue(f"{request.param}_database")
    return Store(DynamoSubjects(database, no_pause, lambda: NOON), DynamoLedger())


def a_chance() -> Randomness:
    return Randomness("chain-1", secrets.token_urlsafe(16), secrets.token_urlsafe(16))


def a_profile() -> Profile:
    return Profile(an_address(), NAMES[0], None, ("water",), "en")


def test_someone_unknown_has_an_empty_state(store: Store) -> None:
    record = store.subjects.load(a_contact(), "request-1")

    assert record.subject == Subject(a_contact())
    assert record.request is None


def test_a_request_comes_back_as_it_was_stored(store: Store) -> None:
    store.subjects.add_request(a_request())
    store.subjects.add_request(a_request(id="request-2", topics=("events",), name=None, company=None, interests=()))

    assert store.subjects.load(a_contact(), "request-1").request == a_request()
    assert store.subjects.load(a_contact(), "request-2").request == a_request(
        id="request-2", topics=("events",), name=None, company=None, interests=()
    )


def test_what_staff_attest_comes_back_with_the_request(store: Store) -> None:
    file = ProofFile("a" * 64, "image/png")
    for name, attested in (
        ("request-1", Attestation(Method.PAPER, NOON, NOON + 5, "fair-team", "card 12", file)),
        ("request-2", Attestation(Method.PHONE, NOON, NOON, "desk")),
    ):
        store.subjects.add_request(a_request(id=name, source=attested.source, attested=attested))
        found = store.subjects.load(a_contact(), name).request
        assert found == a_request(id=name, source=attested.source, attested=attested)


def test_a_request_is_no_decision(store: Store) -> None:
    store.subjects.add_request(a_request())

    assert store.subjects.load(a_contact()).subject.decided == {}


def test_a_decision_comes_back_as_it_was_stored(store: Store) -> None:
    decision = a_decision(valid_until=1_900_000_000)
    store.subjects.commit(decision, a_profile())

    assert store.subjects.load(a_contact()).subject == decision.subject
    assert store.ledger.entries("chain-1") == [decision.entry]
    assert store.subjects.payloads("chain-1") == {1: decision.payload}


def test_a_later_decision_extends_the_chain(store: Store) -> None:
    first = a_decision()
    store.subjects.commit(first)
    second = a_decision(first.subject, to=DecisionState.WITHDRAWN, at=NOON + 1)
    store.subjects.commit(second)

    entries = store.ledger.entries("chain-1")
    assert [entry.seq for entry in entries] == [1, 2]
    assert verify("chain-1", entries, store.subjects.payloads("chain-1"), head=second.subject.head) == []


def test_a_chain_is_read_as_a_stream_in_order_and_no_other_with_it(store: Store) -> None:
    decision = a_decision()
    store.subjects.commit(decision)
    made = [decision]
    for number in range(1, 12):
        to = DecisionState.WITHDRAWN if number % 2 else DecisionState.GIVEN
        made.append(a_decision(made[-1].subject, to=to, at=NOON + number))
        store.subjects.commit(made[-1])

    entries, payloads = store.ledger.stream("chain-1"), store.subjects.kept_payloads("chain-1")

    assert next(entries) == made[0].entry
    assert [entry.seq for entry in entries] == list(range(2, 13))
    assert [(one.seq, one.payload, one.end) for one in payloads] == [(d.entry.seq, d.payload, None) for d in made]
    assert list(store.ledger.stream("chain-2")) == list(store.subjects.kept_payloads("chain-2")) == []


def test_a_decision_on_an_old_version_is_refused_and_leaves_nothing_behind(store: Store) -> None:
    store.subjects.commit(a_decision())

    with pytest.raises(StaleSubjectError):
        store.subjects.commit(a_decision(chain="chain-2"))
    assert store.ledger.entries("chain-2") == []
    assert store.subjects.payloads("chain-2") == {}


def test_the_same_decision_is_never_stored_twice(store: Store) -> None:
    decision = a_decision()
    store.subjects.commit(decision)
    # DynamoDB answers a repeated transaction with success for ten minutes, and refuses it after that.
    with contextlib.suppress(StaleSubjectError):
        store.subjects.commit(decision)

    assert store.ledger.entries("chain-1") == [decision.entry]
    assert store.subjects.load(a_contact()).subject == decision.subject


def test_an_entry_is_never_written_over_even_once_its_details_are_gone(store: Store) -> None:
    first = a_decision()
    store.subjects.commit(first)
    if isinstance(store.subjects, InMemorySubjects):
        store.subjects.payload_of.clear()
    else:
        PayloadItem(keys.of_chain("chain-1"), keys.of_event(1)).delete()
    with pytest.raises(StaleSubjectError):
        store.subjects.commit(a_decision(Subject(a_contact("grace@example.com"))))

    assert store.ledger.entries("chain-1") == [first.entry]


def test_a_decision_repeated_after_a_later_one_is_refused_or_changes_nothing(store: Store) -> None:
    decision = a_decision()
    store.subjects.commit(decision)
    later = a_decision(decision.subject, to=DecisionState.WITHDRAWN, at=NOON + 1)
    store.subjects.commit(later)
    with contextlib.suppress(StaleSubjectError):
        store.subjects.commit(decision)

    assert store.subjects.load(a_contact()).subject == later.subject


def test_marking_a_request_decides_nothing_and_can_be_confirmed_over(store: Store) -> None:
    store.subjects.mark_requested(a_contact(), {PEOPLE_CODE: 1_900_000_000})

    marked = store.subjects.load(a_contact()).subject
    assert marked.requested == {PEOPLE_CODE: 1_900_000_000}
    assert (marked.version, marked.chain, marked.decided) == (0, None, {})
    store.subjects.commit(a_decision(marked))
    assert store.subjects.load(a_contact()).subject.requested == {}


def test_marking_somebody_who_decided_before_keeps_the_decisions(store: Store) -> None:
    decision = a_decision()
    store.subjects.commit(decision)
    store.subjects.mark_requested(a_contact(), {"dm.ev.email": 1_900_000_000})

    marked = store.subjects.load(a_contact()).subject
    assert marked.decided == decision.subject.decided
    assert marked.requested == {"dm.ev.email": 1_900_000_000}
    assert marked.version == decision.subject.version


def test_a_cancelled_request_is_gone(store: Store) -> None:
    store.subjects.add_request(a_request())
    store.subjects.cancel_request(a_contact(), "request-1", {}, NOON)

    assert store.subjects.load(a_contact(), "request-1").request is None
    store.subjects.cancel_request(a_contact(), "request-1", {}, NOON)


@pytest.mark.parametrize("decided_before", [False, True])
def test_a_confirmation_under_way_cannot_be_stored_after_a_cancellation(store: Store, decided_before: bool) -> None:
    subject = Subject(a_contact())
    if decided_before:
        before = a_decision(topics=("events",))
        store.subjects.commit(before)
        subject = before.subject
    store.subjects.add_request(a_request())
    store.subjects.cancel_request(a_contact(), "request-1", {}, NOON)

    with pytest.raises(StaleSubjectError):
        store.subjects.commit(a_decision(subject))


def test_a_cancellation_keeps_what_was_decided_before(store: Store) -> None:
    decision = a_decision()
    store.subjects.commit(decision)
    store.subjects.cancel_request(a_contact(), "request-1", {}, NOON)

    subject = store.subjects.load(a_contact()).subject
    assert (subject.decided, subject.chain, subject.head) == (
        decision.subject.decided,
        "chain-1",
        decision.subject.head,
    )
    store.subjects.commit(a_decision(subject, to=DecisionState.WITHDRAWN, at=NOON + 1))
    assert len(store.ledger.entries("chain-1")) == 2


def test_marks_are_replaced_by_those_that_stay(store: Store) -> None:
    store.subjects.mark_requested(a_contact(), {PEOPLE_CODE: 1_900_000_000, "dm.ev.email": 1_900_000_001})
    store.subjects.cancel_request(a_contact(), "request-1", {"dm.ev.email": 1_900_000_001}, NOON)

    subject = store.subjects.load(a_contact()).subject
    assert (subject.requested, subject.version) == ({"dm.ev.email": 1_900_000_001}, 1)


def test_what_a_later_form_left_out_stays_in_the_profile(store: Store) -> None:
    first = a_decision()
    store.subjects.commit(first, a_profile())
    store.subjects.commit(a_decision(first.subject, at=NOON + 1), Profile(an_address(), None, NAMES[2], (), "da"))

    assert stored_profile(store) == Profile(an_address(), NAMES[0], NAMES[2], ("water",), "da")


def stored_profile(store: Store) -> Profile:
    if isinstance(store.subjects, InMemorySubjects):
        return store.subjects.profiles[a_contact()]
    item = ProfileItem.get(keys.of_contact(a_contact()), keys.PROFILE)
    return Profile(Address(item.address, item.normalised), item.name, item.company, tuple(item.interests), item.lang)


def test_states_of_many_people_come_in_one_call(store: Store) -> None:
    store.subjects.commit(a_decision())
    contacts = [a_contact(), *(a_contact(f"person-{number}@example.com") for number in range(250))]

    states = store.subjects.states(contacts)

    assert set(states) == set(contacts)
    assert states[a_contact()].decided[PEOPLE_CODE].state is DecisionState.GIVEN
    assert states[a_contact()].chain == "chain-1"
    assert states[contacts[-1]].decided == {}


def test_states_of_nobody_is_an_empty_answer(store: Store) -> None:
    assert store.subjects.states([]) == {}


def test_sends_are_recorded_for_many_people_at_once(store: Store) -> None:
    sends = [Send(a_contact(f"person-{number}@example.com"), PURPOSE, NOON // 1000) for number in range(60)]

    assert store.subjects.record_sends(sends) == set()
    assert store.subjects.record_sends([]) == set()


def test_everything_held_of_somebody_comes_in_one_read(store: Store) -> None:
    stranger = a_contact("grace.hopper@example.org")
    store.subjects.add_request(a_request(id="request-2"))
    store.subjects.commit(a_decision(), a_profile())
    store.subjects.record_sends([Send(a_contact(), PURPOSE, NOON), Send(stranger, PURPOSE, NOON)])

    held = store.subjects.holdings(a_contact())

    assert held.subject == store.subjects.load(a_contact()).subject
    assert held.profile == a_profile()
    assert held.requests == (a_request(id="request-2"),)
    assert held.last_sends == {(PURPOSE, "email"): NOON}


def test_nothing_is_held_of_somebody_unknown(store: Store) -> None:
    assert store.subjects.holdings(a_contact()) == Holdings(Subject(a_contact()))


def test_what_does_not_fit_into_one_answer_is_read_on() -> None:
    """DynamoDB answers at most a megabyte at once, and says where to go on."""
    pages = [
        {"Items": [{"sk": {"S": f"SENT#p{number}#email"}, "at": {"N": str(number)}}], "LastEvaluatedKey": {"n": number}}
        for number in (1, 2)
    ] + [{"Items": []}]
    asked = []

    class Pages:
        def call(self, operation: str, **arguments: Any) -> Any:
            asked.append(arguments.get("ExclusiveStartKey"))
            return pages[len(asked) - 1]

    subjects = DynamoSubjects(cast("Database", Pages()), no_pause, lambda: NOON)
    StateItem.Meta.table_name = "subjects"

    assert subjects.holdings(a_contact()).last_sends == {("p1", "email"): 1, ("p2", "email"): 2}
    assert asked == [None, {"n": 1}, {"n": 2}]


def test_preferences_come_back_as_they_were_stored_and_go_when_they_are_the_default(store: Store) -> None:
    first = a_decision()
    store.subjects.commit(first)
    wished = {
        "dm.email": Preference(paused_until=NOON // 1000, at_most_every=Period(3)),
        "tr.email": Preference(at_most_every=Period(0, 14)),
        "in.web": Preference(paused_until=NOON // 1000),
    }
    second = decide(first.subject, [], an_act(), now=NOON, chance=a_chance(), preferences=wished)
    store.subjects.commit(second)
    assert store.subjects.load(a_contact()).subject.preferences == wished
    assert store.subjects.states([a_contact()])[a_contact()].preferences == wished

    none = dict.fromkeys(wished, Preference())
    store.subjects.commit(decide(second.subject, [], an_act(), now=NOON, chance=a_chance(), preferences=none))
    assert store.subjects.load(a_contact()).subject.preferences == {}


@pytest.mark.parametrize("state", [state for state in DecisionState if state.value not in NEVER_STORED])
def test_every_state_comes_back_as_it_was_stored(store: Store, state: DecisionState) -> None:
    decision = a_decision(to=state)
    store.subjects.commit(decision)

    assert store.subjects.load(a_contact()).subject == decision.subject


def test_the_last_send_is_told_for_each_and_none_is_none(store: Store) -> None:
    others = [a_contact(f"person-{number}@example.com") for number in range(120)]
    store.subjects.record_sends([Send(a_contact(), PURPOSE, NOON)])

    found = store.subjects.last_sends([a_contact(), *others], PURPOSE, "email")

    assert found == {a_contact(): NOON, **dict.fromkeys(others, 0)}
    assert store.subjects.last_sends([], PURPOSE, "email") == {}


def test_a_language_is_saved_without_getting_in_the_way_of_a_decision(store: Store) -> None:
    first = a_decision()
    store.subjects.commit(first, a_profile())
    store.subjects.save_language(a_contact(), "da")

    held = store.subjects.holdings(a_contact())
    assert (held.subject.language, held.subject.version) == ("da", first.subject.version)
    assert held.profile is not None
    assert held.profile.language == "da"
    store.subjects.commit(a_decision(held.subject, at=NOON + 1))


def test_a_language_makes_no_record_of_somebody_unknown(store: Store) -> None:
    store.subjects.save_language(a_contact(), "da")

    assert store.subjects.holdings(a_contact()) == Holdings(Subject(a_contact()))


def test_one_event_is_found_with_its_details(store: Store) -> None:
    decision = a_decision()
    store.subjects.commit(decision)

    assert store.subjects.payload("chain-1", 1) == decision.payload
    assert store.ledger.entry("chain-1", 1) == decision.entry
    assert store.subjects.payload("chain-1", 2) is None
    assert store.ledger.entry("chain-1", 2) is None


def test_an_address_that_takes_no_mail_comes_back_as_such_until_it_is_reached_again(store: Store) -> None:
    lost = unreachable(a_decision(to=DecisionState.GIVEN))
    store.subjects.commit(lost)
    found = store.subjects.load(a_contact()).subject
    assert (found.locks, found.holder_since) == (("undeliverable",), NOON)
    assert store.subjects.states([a_contact()])[a_contact()].locks == ("undeliverable",)

    store.subjects.commit(reached(a_decision(found, at=NOON + 1)))
    again = store.subjects.load(a_contact()).subject
    assert (again.locks, again.holder_since) == ((), NOON)


def a_suppression() -> Suppression:
    return Suppression(Basis.ERASURE, NOON, "2026-11-01", 2_000_000_000)


def an_erased(store: Store, kept: Suppression | None) -> Subject:
    """Somebody with all that can be held of them, right after the entry that erased them."""
    store.subjects.add_request(a_request())
    store.subjects.commit(a_decision(), a_profile())
    store.subjects.record_sends([Send(a_contact(), PURPOSE, NOON)])
    living = store.subjects.load(a_contact()).subject
    store.subjects.commit(erase(living, kept, an_act(), now=NOON, chance=a_chance()))
    return store.subjects.load(a_contact()).subject


def test_by_when_somebody_must_be_told_is_stored_and_read_by_every_check(store: Store) -> None:
    decision = a_decision()
    untold = replace(decision.subject, inform_by=1_900_000_000)
    store.subjects.commit(replace(decision, subject=untold), a_profile())

    assert store.subjects.load(a_contact()).subject == untold
    assert store.subjects.states([a_contact()])[a_contact()].inform_by == 1_900_000_000


@pytest.mark.parametrize("kept", [a_suppression(), None])
def test_clearing_leaves_a_version_and_the_suppression(store: Store, kept: Suppression | None) -> None:
    erased = an_erased(store, kept)
    chain = erased.erasing
    assert chain

    store.subjects.clear(erased, 2_000_000_000)

    held = store.subjects.holdings(a_contact())
    assert (held.profile, held.requests, held.last_sends) == (None, (), {})
    assert held.subject.suppression == kept
    assert (held.subject.chain, held.subject.erasing, held.subject.decided) == (None, None, {})
    assert held.subject.version > erased.version
    assert store.subjects.payloads(chain) == {}
    assert [entry.seq for entry in store.ledger.entries(chain)] == [1, 2]
    assert store.subjects.states([a_contact()])[a_contact()].suppression == kept


def test_clearing_what_has_moved_on_is_refused_and_removes_nothing(store: Store) -> None:
    erased = an_erased(store, None)
    back = decide(erased, (), an_act(), now=NOON, chance=replace(a_chance(), chain="chain-2"))
    store.subjects.commit(back, a_profile())

    with pytest.raises(StaleSubjectError):
        store.subjects.clear(erased, None)
    assert store.subjects.holdings(a_contact()).profile == a_profile()


def test_clearing_after_a_return_takes_the_old_chain_alone(store: Store) -> None:
    erased = an_erased(store, a_suppression())
    back = decide(erased, (), an_act(), now=NOON, chance=replace(a_chance(), chain="chain-2"))
    store.subjects.commit(back, a_profile())
    returned = store.subjects.load(a_contact()).subject
    assert (returned.chain, returned.erasing) == ("chain-2", erased.erasing)

    store.subjects.clear(returned, 1)

    held = store.subjects.holdings(a_contact())
    assert held.profile == a_profile()
    assert (held.subject.chain, held.subject.erasing) == ("chain-2", None)
    assert held.subject.suppression == a_suppression()
    assert set(store.subjects.payloads("chain-2")) == {1}
    assert store.subjects.payloads(erased.erasing or "") == {}


def test_a_letter_that_asks_somebody_suppressed_does_not_shorten_the_suppression(store: Store) -> None:
    store.subjects.clear(an_erased(store, a_suppression()), 2_000_000_000)

    store.subjects.mark_requested(a_contact(), {PEOPLE_CODE: NOON // 1000 - 1})

    assert store.subjects.load(a_contact()).subject.suppression == a_suppression()
