"""What an auditor finds: every kind of tampering, wherever it is done, and nothing where nobody tampered."""

import copy
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_center.domain.chain import Entry, Payload, extend
from consent_center.domain.seal import Leaf, SignedSeal, read_seal
from consent_center.domain.verifier import Exported, Fault, Report, verify_ledger
from fakes import HashingSigner
from ledgers import FIRST_DAY, SealedLedger, an_entry

CHAINS = ("anna", "bert", "carl")


def lived(events: list[tuple[str, int]], late: set[int] = frozenset()) -> SealedLedger:  # type: ignore[assignment]
    """A ledger after these events (whose, and how many days pass after it), sealed every night, and once more.

    The events numbered in `late` reach the index only after the night's seal.
    """
    ledger = SealedLedger()
    for number, (chain, days) in enumerate(events):
        entry = ledger.add(chain, f"12:00:{number:02d}.000")
        if number in late:
            ledger.index.hidden.add(entry.hash)
        for _ in range(days):
            ledger.next_night()
            ledger.index.hidden.clear()
    ledger.next_night()
    ledger.index.hidden.clear()
    ledger.next_night()
    return ledger


EVENTS = st.lists(st.tuples(st.sampled_from(CHAINS), st.integers(0, 2)), min_size=2, max_size=9)
LEDGERS = st.builds(lived, EVENTS)


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.randoms())
def test_nothing_is_found_where_nobody_tampered_in_whatever_order_entries_come(
    ledger: SealedLedger, chance: random.Random
) -> None:
    export = ledger.export()
    chance.shuffle(export)
    report = ledger.verify(export)

    assert report.findings == []
    assert (report.entries, report.unsealed) == (len(export), 0)


@settings(deadline=None, max_examples=60)
@given(EVENTS, st.sets(st.integers(0, 8)))
def test_an_entry_that_came_late_is_shown_and_does_not_spoil_the_proof(
    events: list[tuple[str, int]], late: set[int]
) -> None:
    ledger = lived(events, late)
    report = ledger.verify()

    assert report.holds
    assert {found.fault for found in report.findings} <= {Fault.LATE}
    assert len(report.findings) == sum(signed.seal.late for signed in ledger.seals.kept.values())


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_an_edited_field_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    export = ledger.export()
    place = data.draw(st.integers(0, len(export) - 1))
    entry = export[place]
    name = data.draw(st.sampled_from(sorted(entry.body)))
    value = data.draw(st.one_of(st.text(), st.integers(), st.none()).filter(lambda value: value != entry.body[name]))
    export[place] = entry._replace(body={**entry.body, name: value})

    assert (Fault.ALTERED, entry.chain, entry.seq) in found_in(ledger, export)


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_an_edited_entry_with_a_fitting_hash_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    export = ledger.export()
    place = data.draw(st.integers(0, len(export) - 1))
    entry = export[place]
    edited = rewritten(entry, kind="refused")
    export[place] = edited

    assert (Fault.REPLACED, entry.chain, entry.seq) in found_in(ledger, export)


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_a_chain_that_was_rewritten_to_its_end_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    export = ledger.export()
    chain = data.draw(st.sampled_from(sorted({entry.chain for entry in export})))
    forged, prev = [], "0" * 64
    for entry in [entry for entry in export if entry.chain == chain]:
        forged.append(rewritten(entry, kind="refused", prev=prev))
        prev = forged[-1].hash
    found = found_in(ledger, [entry for entry in export if entry.chain != chain] + forged)

    assert {(fault, seq) for fault, of_chain, seq in found if of_chain == chain} == {
        (fault, entry.seq) for entry in forged for fault in (Fault.REPLACED, Fault.BACK_DATED)
    }


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_a_deleted_entry_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    export = ledger.export()
    gone = export.pop(data.draw(st.integers(0, len(export) - 1)))

    assert (Fault.DELETED, gone.chain, gone.seq) in found_in(ledger, export)


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_two_entries_that_changed_places_are_found(ledger: SealedLedger, data: st.DataObject) -> None:
    export = ledger.export()
    first = data.draw(st.integers(0, len(export) - 2))
    second = data.draw(st.integers(first + 1, len(export) - 1))
    one, other = export[first], export[second]
    export[first] = one._replace(hash=other.hash, body=other.body)
    export[second] = other._replace(hash=one.hash, body=one.body)

    found = found_in(ledger, export)
    assert {(Fault.MISPLACED, one.chain, one.seq), (Fault.MISPLACED, other.chain, other.seq)} <= found


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_a_forked_chain_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    export = ledger.export()
    entry = data.draw(st.sampled_from(export))
    export.append(rewritten(entry, kind="refused"))

    assert (Fault.FORKED, entry.chain, entry.seq) in found_in(ledger, export)


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_a_back_dated_entry_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    day = data.draw(st.sampled_from(sorted(ledger.seals.kept)))
    forged = an_entry("dora", 1, "0" * 64, f"{day}T11:00:00.000Z")

    assert found_in(ledger, [*ledger.export(), exported(forged)]) == {(Fault.BACK_DATED, "dora", 1)}


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_a_back_dated_entry_that_the_next_seal_took_in_is_shown(ledger: SealedLedger, data: st.DataObject) -> None:
    day = data.draw(st.sampled_from(sorted(ledger.seals.kept)[-2:]))
    forged = an_entry("dora", 1, "0" * 64, f"{day}T11:00:00.000Z")
    ledger.index.entry_of["dora", 1] = forged
    ledger.next_night()

    assert found_in(ledger, ledger.export()) == {(Fault.LATE, "dora", 1)}


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_a_seal_that_another_key_made_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    files = ledger.files()
    place = data.draw(st.integers(0, len(files) - 1))
    day, text = files[place]
    seal = replace(read_seal(text).seal, entries=0)
    files[place] = (day, SignedSeal(seal, HashingSigner("key-2").sign(seal.document)).text)

    assert (Fault.SEAL_UNSIGNED, day) in {(found.fault, found.day) for found in ledger.verify(files=files).findings}


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_a_seal_that_was_replaced_by_one_of_the_same_key_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    """Whoever may use the key and could write to the bucket: the seals after it, and its own list, tell."""
    files = ledger.files()
    place = data.draw(st.integers(0, len(files) - 2))
    day, text = files[place]
    seal = replace(read_seal(text).seal, root="c" * 64)
    files[place] = (day, SignedSeal(seal, ledger.signer.sign(seal.document)).text)

    found = {(found.fault, found.day) for found in ledger.verify(files=files).findings}
    assert {(Fault.LEAVES_ALTERED, day), (Fault.SEAL_UNLINKED, files[place + 1][0])} <= found


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_a_missing_day_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    files = ledger.files()
    day, _ = files.pop(data.draw(st.integers(0, len(files) - 1)))
    findings = ledger.verify(files=files).findings

    first_kept = files[0][0]
    if day > FIRST_DAY:
        assert (Fault.SEAL_MISSING, day) in {(found.fault, found.day) for found in findings}
    else:
        assert (Fault.SEAL_UNLINKED, first_kept) in {(found.fault, found.day) for found in findings}


def test_without_any_seal_every_day_that_must_have_one_is_missing() -> None:
    ledger = lived([("anna", 1), ("anna", 1)])

    assert [found.fault for found in ledger.verify(files=[]).findings] == [Fault.SEAL_MISSING]


@settings(deadline=None, max_examples=60)
@given(LEDGERS, st.data())
def test_a_spoilt_list_of_leaves_is_found(ledger: SealedLedger, data: st.DataObject) -> None:
    lists = copy.deepcopy(ledger.seals.lists)
    key = data.draw(st.sampled_from(sorted(key for key, leaves in lists.items() if leaves)))
    spoil: Callable[[list[Leaf]], Any] = data.draw(
        st.sampled_from(
            [
                lambda leaves: leaves.pop(),
                lambda leaves: leaves.append(Leaf("d" * 64, "dora", 1)),
                lambda leaves: leaves.insert(0, leaves[0]._replace(seq=99)),
            ]
        )
    )
    spoil(lists[key])

    assert (Fault.LEAVES_ALTERED, key[0]) in {(found.fault, found.day) for found in ledger.verify(lists=lists).findings}


def test_a_list_of_leaves_that_is_gone_or_cannot_be_read_is_found() -> None:
    ledger = lived([("anna", 1)])

    def unreadable(_: object) -> Any:
        raise ValueError

    gone = verify_ledger([], ledger.files(), lambda _: None, ledger.signer.holds)
    assert {found.fault for found in gone.findings} == {Fault.LEAVES_MISSING}
    spoilt = verify_ledger([], ledger.files(), lambda _: map(unreadable, "x"), ledger.signer.holds)
    assert {found.fault for found in spoilt.findings} == {Fault.LEAVES_ALTERED}


@pytest.mark.parametrize("spoil", [lambda text: text[:-1], lambda text: text.replace(b"2027-01-15", b"2027-01-14")])
def test_a_file_that_is_no_seal_of_its_day_is_found(spoil: Callable[[bytes], bytes]) -> None:
    ledger = lived([("anna", 1), ("bert", 1)])
    (day, text), *others = ledger.files()

    assert (Fault.SEAL_ILLEGIBLE, day) in {
        (found.fault, found.day) for found in ledger.verify(files=[(day, spoil(text)), *others]).findings
    }


@settings(deadline=None, max_examples=60)
@given(LEDGERS)
def test_a_ledger_still_verifies_when_the_payloads_of_a_person_are_gone(ledger: SealedLedger) -> None:
    """Nothing but entries is given to the verifier, so what an erasure removes cannot be missed."""
    named = repr([entry.body for entry in ledger.export()])

    assert "lovelace" not in named
    assert ledger.verify().findings == []


def test_entries_of_a_day_that_is_not_over_are_counted_as_unproven() -> None:
    ledger = lived([("anna", 1)])
    ledger.add("anna")
    report = ledger.verify()

    assert (report.findings, report.unsealed) == ([], 1)


@pytest.mark.parametrize("body", [{}, {"at": 7}, {"unreadable": "{"}, {"at": "2027-01-15T00:00:00.000Z", "x": 0.5}])
def test_what_is_no_entry_at_all_is_a_finding_and_no_failure(body: dict[str, Any]) -> None:
    ledger = lived([("anna", 1)])
    forged = Exported("dora", 1, "no hash", body)

    assert (Fault.ALTERED, "dora", 1) in found_in(ledger, [*ledger.export(), forged])


def found_in(ledger: SealedLedger, export: list[Exported]) -> set[tuple[Fault, str | None, int | None]]:
    return {(found.fault, found.chain, found.seq) for found in ledger.verify(export).findings}


def exported(entry: Entry) -> Exported:
    return Exported(entry.chain, entry.seq, entry.hash, entry.body)


def rewritten(entry: Exported, kind: str, prev: str | None = None) -> Exported:
    """The entry as somebody would have to forge it: another kind, and a hash that fits."""
    facts = {name: value for name, value in entry.body.items() if name not in ("commitment", "changes", "v")}
    forged = extend(
        **{name: facts[name] for name in ("chain", "seq", "at")},
        prev=prev or str(entry.body["prev"]),
        kind=kind,
        changes=[],
        facts={},
        payload=Payload("00" * 32, {}),
    )
    return exported(forged)


def part_of(ledger: SealedLedger, chain: str, lists: bool = True) -> Report:
    """What an auditor finds who is given one chain, the seals, and the lists of the days that it needs."""
    days = {entry.at[:10] for entry in ledger.chain(chain)}
    return verify_ledger(
        [one for one in ledger.export() if one.chain == chain],
        ledger.files(),
        lambda seal: ledger.seals.lists.get((seal.day, seal.leaves)) if lists and seal.day in days else None,
        ledger.signer.holds,
        through=max(ledger.seals.kept),
        only=[chain],
    )


def test_of_one_chain_nothing_is_found_that_is_about_others() -> None:
    ledger = SealedLedger()
    ledger.add("bert")
    ledger.next_night()
    ledger.add("anna")
    ledger.add("bert")
    ledger.next_night()
    ledger.next_night()

    report = part_of(ledger, "anna")
    assert (report.findings, report.entries, report.unsealed) == ([], 1, 0)


def test_of_one_chain_an_entry_that_is_gone_or_in_no_list_is_still_found() -> None:
    ledger = SealedLedger()
    ledger.add("anna")
    ledger.add("anna")
    ledger.add("bert")
    ledger.next_night()

    assert [one.fault for one in part_of(ledger, "anna", lists=False).findings] == [Fault.BACK_DATED] * 2
    del ledger.index.entry_of["anna", 2]
    assert [(one.fault, one.seq) for one in part_of(ledger, "anna").findings] == [(Fault.DELETED, 2)]


def test_of_one_chain_the_seals_may_begin_later_and_have_to_follow_from_each_other() -> None:
    ledger = SealedLedger()
    for chain in ("bert", "anna", "bert", "bert"):
        ledger.add(chain)
        ledger.next_night()
    entries = [one for one in ledger.export() if one.chain == "anna"]

    def verified(files: list[tuple[str, bytes]]) -> set[Fault]:
        lists = ledger.seals.lists
        report = verify_ledger(
            entries, files, lambda seal: lists.get((seal.day, seal.leaves)), ledger.signer.holds, only=["anna"]
        )
        return {one.fault for one in report.findings}

    _, *files = ledger.files()
    assert verified(files) == set()
    assert verified([files[0], *files[2:]]) == {Fault.SEAL_MISSING, Fault.SEAL_UNLINKED}
