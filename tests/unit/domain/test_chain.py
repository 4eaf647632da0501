"""The evidence chain: it holds when untouched, and every way of tampering shows."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, PEOPLE, a_contact, a_decision
from consent_center.domain.chain import GENESIS, Entry, Fault, Payload, canonical, extend, verify
from consent_center.domain.decision import DecisionState
from consent_center.domain.subject import Subject

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii")), inner),
    max_leaves=20,
)


@given(VALUES)
def test_the_canonical_form_is_that_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [1.5, {"é": 1}, {"a": [0.1]}, {1: 2}])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical(value)


def a_chain(length: int = 5) -> tuple[Subject, list[Entry], dict[int, Payload]]:
    subject = Subject(a_contact())
    entries, payloads = [], {}
    for number in range(length):
        to = DecisionState.GIVEN if number % 2 == 0 else DecisionState.WITHDRAWN
        decision = a_decision(subject, to=to, at=NOON + number)
        subject = decision.subject
        entries.append(decision.entry)
        payloads[decision.entry.seq] = decision.payload
    return subject, entries, payloads


def faults(entries: list[Entry], payloads: dict[int, Payload] | None = None, head: str | None = None) -> set[Fault]:
    return {finding.fault for finding in verify("chain-1", entries, payloads, head)}


def test_an_untouched_chain_holds() -> None:
    subject, entries, payloads = a_chain()

    assert verify("chain-1", entries, payloads, subject.head) == []


def test_an_empty_chain_holds() -> None:
    assert verify("chain-1", []) == []


def test_a_chain_holds_after_it_was_stored_as_text() -> None:
    subject, entries, payloads = a_chain()
    stored = [Entry(json.loads(canonical(dict(entry.body))), entry.hash) for entry in entries]

    assert verify("chain-1", stored, payloads, subject.head) == []


def test_a_chain_still_holds_once_the_personal_details_are_gone() -> None:
    subject, entries, payloads = a_chain()
    del payloads[1], payloads[3]

    assert verify("chain-1", entries, payloads, subject.head) == []


def test_no_entry_holds_an_address_or_a_pseudonym() -> None:
    _, entries, _ = a_chain()

    for entry in entries:
        text = canonical(dict(entry.body)).decode()
        assert PEOPLE[0] not in text
        assert a_contact().pseudonym not in text


@given(st.integers(0, 4), st.data())
def test_any_edited_field_shows(place: int, data: st.DataObject) -> None:
    _, entries, _ = a_chain()
    field = data.draw(st.sampled_from(sorted(entries[place].body)))
    entries[place] = Entry({**entries[place].body, field: "edited"}, entries[place].hash)

    assert Fault.ALTERED in faults(entries)


def test_an_entry_edited_together_with_its_hash_shows_in_the_next_one() -> None:
    _, entries, _ = a_chain()
    forged = a_decision(Subject(a_contact()), topics=("events",)).entry
    entries[0] = forged

    assert Fault.BROKEN_LINK in faults(entries)


def test_a_replaced_newest_entry_shows_against_the_record() -> None:
    before, entries, _ = a_chain(2)
    newest = a_decision(before, to=DecisionState.GIVEN, at=NOON + 2)
    entries.append(a_decision(before, topics=("events",), at=NOON + 2).entry)

    assert faults(entries) == set()
    assert faults(entries, head=newest.subject.head) == {Fault.WRONG_HEAD}


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (lambda entries: entries.pop(2), Fault.MISSING),
        (lambda entries: entries.pop(0), Fault.MISSING),
        (lambda entries: entries.insert(1, entries.pop(2)), Fault.MISSING),
        (lambda entries: entries.append(entries[-1]), Fault.MISSING),
    ],
    ids=["deleted in the middle", "deleted at the start", "swapped", "repeated"],
)
def test_a_deleted_swapped_or_repeated_entry_shows(tamper: Callable[[list[Entry]], Any], fault: Fault) -> None:
    _, entries, _ = a_chain()
    tamper(entries)

    assert fault in faults(entries)


def test_an_entry_of_another_chain_shows() -> None:
    _, entries, _ = a_chain()
    entries[0] = a_decision(chain="chain-2").entry

    assert Fault.FOREIGN in faults(entries)


def test_a_deleted_last_entry_shows_against_the_record() -> None:
    subject, entries, _ = a_chain()

    assert faults(entries[:-1], head=subject.head) == {Fault.WRONG_HEAD}


@given(st.text(max_size=20))
def test_edited_personal_details_show(text: str) -> None:
    subject, entries, payloads = a_chain()
    payloads[2] = Payload(payloads[2].salt, {**payloads[2].content, "wording": text})

    assert faults(entries, payloads, subject.head) == {Fault.ALTERED_PAYLOAD}


def test_the_same_details_under_another_salt_cannot_be_told_from_others() -> None:
    content = {"address": PEOPLE[0]}

    assert Payload("aa" * 32, content).commitment != Payload("bb" * 32, content).commitment


def test_times_never_run_backwards_along_a_chain() -> None:
    first = a_decision(at=NOON)
    second = a_decision(first.subject, to=DecisionState.WITHDRAWN, at=NOON - 60_000)

    assert second.entry.at == first.entry.at
    assert verify("chain-1", [first.entry, second.entry]) == []


def test_a_back_dated_entry_shows() -> None:
    first = a_decision(at=NOON)
    second = a_decision(
        Subject(a_contact(), version=1, chain="chain-1", seq=1, head=first.entry.hash), at=NOON - 60_000
    )

    assert faults([first.entry, second.entry]) == {Fault.BACK_DATED}


@pytest.mark.parametrize("value", [1.5, ["x"], "\ud800", {"é": 1}, None])
def test_an_entry_that_cannot_even_be_hashed_is_altered_and_hides_no_other_fault(value: Any) -> None:
    _, entries, _ = a_chain()
    entries[1] = Entry({**entries[1].body, "at": value}, entries[1].hash)
    del entries[3]

    assert {Fault.ALTERED, Fault.MISSING} <= faults(entries)


@pytest.mark.parametrize("payload", [Payload("\ud800", {}), Payload("aa" * 32, {"a": 1.5})])
def test_details_that_cannot_be_hashed_are_altered(payload: Payload) -> None:
    _, entries, payloads = a_chain()

    assert faults(entries, {**payloads, 1: payload}) == {Fault.ALTERED_PAYLOAD}


def test_circumstances_may_go_and_may_not_change() -> None:
    kept = Payload.of("salt", {"address": PEOPLE[0]}, {"network": "192.0.2.0/24"}, "another salt")
    bare, forged = replace(kept, circumstances=None), replace(kept, circumstances={"network": "198.51.100.0/24"})
    entry = extend(
        chain="c", seq=1, prev=GENESIS, at="2026-11-22T12:00:00.000Z", kind="given", changes=[], facts={}, payload=kept
    )

    assert verify("c", [entry], {1: kept}) == verify("c", [entry], {1: bare}) == []
    assert [finding.fault for finding in verify("c", [entry], {1: forged})] == [Fault.ALTERED_PAYLOAD]
    assert Payload.of("salt", {"a": 1}, {}, "x") == Payload("salt", {"a": 1})
