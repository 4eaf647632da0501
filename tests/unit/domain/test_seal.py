"""The daily seal: its tree, its file, its list of leaves."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_center.domain.chain import canonical
from consent_center.domain.seal import Leaf, Seal, SignedSeal, Tree, days_between, read_leaf, read_seal, without

HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
LEAVES = st.builds(Leaf, HASHES, st.sampled_from("abc"), st.integers(1, 9))

SEAL = Seal("2027-01-15", 2, 1, "a" * 64, "b" * 64, "0" * 64, "key-1")


def root_by_the_book(hashes: list[bytes]) -> bytes:
    """The definition in RFC 6962, section 2.1, word by word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashlib.sha256(b"\x00" + hashes[0]).digest()
    split = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = root_by_the_book(hashes[:split]), root_by_the_book(hashes[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(st.lists(HASHES, max_size=70))
def test_a_tree_that_grows_has_the_root_that_the_definition_gives(hashes: list[str]) -> None:
    tree = Tree()
    for entry_hash in hashes:
        tree.add(entry_hash)

    assert (tree.size, tree.root) == (len(hashes), root_by_the_book([bytes.fromhex(text) for text in hashes]).hex())


@given(st.lists(LEAVES, max_size=30), st.lists(LEAVES, max_size=30))
def test_what_is_covered_is_left_out_whatever_else_is_covered(some: list[Leaf], others: list[Leaf]) -> None:
    leaves, covered = sorted({*some, *others[::2]}), sorted(others)

    assert list(without(leaves, covered)) == sorted(set(leaves) - set(covered))


@given(LEAVES)
def test_a_line_of_a_list_is_read_as_it_was_written(leaf: Leaf) -> None:
    assert read_leaf(leaf.line) == leaf


@pytest.mark.parametrize(
    "line", ["", "x", "g" * 64 + " a.1", "a" * 64, "a" * 64 + " a", "a" * 64 + " a.0", "A" * 64 + " a.1"]
)
def test_a_line_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no line"):
        read_leaf(line)


def test_a_seal_is_read_as_it_was_written() -> None:
    signed = SignedSeal(SEAL, b"signature")

    assert read_seal(signed.text) == signed
    assert read_seal(signed.text + b"\n") == signed


def spoilt(**changes: object) -> bytes:
    content = json.loads(SignedSeal(SEAL, b"signature").text)
    return canonical({**content, "seal": {**content["seal"], **changes}})


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        spoilt(v=2),
        spoilt(day="yesterday"),
        spoilt(entries=-1),
        spoilt(entries="2"),
        spoilt(late=True),
        spoilt(root="0"),
        spoilt(more=1),
        spoilt(key=None),
        SignedSeal(SEAL, b"signature").text.replace(b"signature", b"Signature"),
        SignedSeal(SEAL, b"signature").text.replace(b'"seal"', b'"v":1,"seal"'),
        SignedSeal(SEAL, b"signature").text.replace(b":", b": ", 1),
    ],
)
def test_a_file_that_this_version_did_not_write_is_no_seal(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's errors are of this kind too
        read_seal(text)


def test_every_part_of_a_seal_is_in_what_is_signed() -> None:
    others = [
        Seal("2027-01-16", 2, 1, "a" * 64, "b" * 64, "0" * 64, "key-1"),
        Seal("2027-01-15", 3, 1, "a" * 64, "b" * 64, "0" * 64, "key-1"),
        Seal("2027-01-15", 2, 0, "a" * 64, "b" * 64, "0" * 64, "key-1"),
        Seal("2027-01-15", 2, 1, "c" * 64, "b" * 64, "0" * 64, "key-1"),
        Seal("2027-01-15", 2, 1, "a" * 64, "c" * 64, "0" * 64, "key-1"),
        Seal("2027-01-15", 2, 1, "a" * 64, "b" * 64, "c" * 64, "key-1"),
        Seal("2027-01-15", 2, 1, "a" * 64, "b" * 64, "0" * 64, "key-2"),
    ]

    assert len({seal.document for seal in [SEAL, *others]}) == 1 + len(others)


def test_days_are_counted_over_leap_days_and_ends_of_years() -> None:
    assert list(days_between("2028-02-28", "2028-03-01")) == ["2028-02-28", "2028-02-29", "2028-03-01"]
    assert list(days_between("2026-12-31", "2027-01-01")) == ["2026-12-31", "2027-01-01"]
    assert list(days_between("2027-01-02", "2027-01-01")) == []
