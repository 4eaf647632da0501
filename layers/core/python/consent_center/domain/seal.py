"""The daily seal: one signed line about all entries of a day, which leads back to every seal before it.

A seal holds the root of a Merkle tree (RFC 6962, section 2.1) over the hashes of its entries, sorted by hash. That
order is the one in which the index by day answers, so the tree is built from a stream; it is the same for everybody
who seals the same entries; and it tells nothing about who decided after whom. Which entries a seal covers stands in
its list of leaves, a text beside it that the seal names by hash.

A seal covers the entries of its own day, and those of the LATE_DAYS before it that no earlier seal covers: entries
that came into the index after their day was sealed. A day without entries is sealed as well, so that a missing seal
is a finding and never a quiet day.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from consent_center.domain.chain import GENESIS, canonical

SEAL_VERSION = 1

LATE_DAYS = 3
"""For how many days an entry that came late still joins a seal. What comes later is in none, and is found as such."""

_HASH = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r"([0-9a-f]{64}) (\S+)\.([1-9]\d{0,9})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Leaf(NamedTuple):
    """One entry in a seal: its hash, and where it stands. Leaves sort by hash."""

    hash: str
    chain: str
    seq: int

    @property
    def line(self) -> str:
        """How it stands in a list of leaves, without the line's end."""
        return f"{self.hash} {self.chain}.{self.seq}"


def read_leaf(line: str) -> Leaf:
    """A line of a list of leaves. ValueError for anything else."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError("no line of a list of leaves")
    return Leaf(found[1], found[2], int(found[3]))


class Tree:
    """A Merkle tree that grows by one leaf after the other and remembers one hash for each power of two.

    Leaves and nodes are hashed with different prefixes, so that none can be passed off as the other (RFC 6962).
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, entry_hash: str) -> None:
        """Append the hash of an entry, in hexadecimal."""
        size, peak = 1, hashlib.sha256(b"\x00" + bytes.fromhex(entry_hash)).digest()
        while self._peaks and self._peaks[-1][0] == size:
            peak = _node(self._peaks.pop()[1], peak)
            size *= 2
        self._peaks.append((size, peak))
        self.size += 1

    @property
    def root(self) -> str:
        """The root in hexadecimal; of no leaves the hash of nothing, as RFC 6962 has it."""
        if not self._peaks:
            return hashlib.sha256(b"").hexdigest()
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = _node(peak, root)
        return root.hex()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Digest:
    """The name of a list of leaves: SHA-256 of its text, a line for each leaf with its end."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, leaf: Leaf) -> None:
        self._hash.update(leaf.line.encode() + b"\n")

    @property
    def name(self) -> str:
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class Seal:
    """What is signed about one UTC day."""

    day: str
    entries: int
    """How many it covers, late ones included."""
    late: int
    """How many of them are dated on an earlier day."""
    root: str
    leaves: str
    """SHA-256 of the list of leaves, which is its name."""
    prev: str
    """SHA-256 of the seal before; 64 zeros for the first."""
    key: str
    """The name of the key that it is signed with."""

    @property
    def document(self) -> bytes:
        """The canonical JSON that is signed and hashed."""
        return canonical(
            {
                "v": SEAL_VERSION,
                "day": self.day,
                "entries": self.entries,
                "late": self.late,
                "root": self.root,
                "leaves": self.leaves,
                "prev": self.prev,
                "key": self.key,
            }
        )

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.document).hexdigest()


@dataclass(frozen=True, slots=True)
class SignedSeal:
    seal: Seal
    signature: bytes

    @property
    def text(self) -> bytes:
        """The file that is kept: canonical JSON of the document and its signature."""
        signature = base64.b64encode(self.signature).decode()
        return canonical({"seal": json.loads(self.seal.document), "signature": signature})


def read_seal(text: bytes) -> SignedSeal:
    """The seal in a file. ValueError for whatever this version did not write, so that nothing unread is trusted."""
    try:
        content = json.loads(text)
        document, signature = content["seal"], base64.b64decode(content["signature"], validate=True)
        if document.pop("v") != SEAL_VERSION:
            raise ValueError("another version of seals")
        signed = SignedSeal(Seal(**document), signature)
        if not _is_plausible(signed.seal) or signed.text != text.strip():
            raise ValueError("no seal")
    except (KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        raise ValueError("no seal") from None
    return signed


def _is_plausible(seal: Seal) -> bool:
    counts: tuple[Any, ...] = (seal.entries, seal.late)
    hashes: tuple[Any, ...] = (seal.root, seal.leaves, seal.prev)
    return (
        isinstance(seal.day, str)
        and _DAY.fullmatch(seal.day) is not None
        and isinstance(seal.key, str)
        and all(type(count) is int and count >= 0 for count in counts)
        and all(isinstance(text, str) and _HASH.fullmatch(text) for text in hashes)
    )


class Draft:
    """A seal in the making: takes the leaves of a day as they pass by."""

    def __init__(self, day: str) -> None:
        self._day, self._tree, self._digest = day, Tree(), Digest()
        self._late = 0

    def through(self, leaves: Iterable[tuple[Leaf, bool]]) -> Iterator[Leaf]:
        """The same leaves, which come sorted and with a word whether they are late, once each has been counted in."""
        for leaf, is_late in leaves:
            self._tree.add(leaf.hash)
            self._digest.add(leaf)
            self._late += is_late
            yield leaf

    def finish(self, prev: Seal | None, key: str) -> Seal:
        return Seal(
            day=self._day,
            entries=self._tree.size,
            late=self._late,
            root=self._tree.root,
            leaves=self._digest.name,
            prev=GENESIS if prev is None else prev.hash,
            key=key,
        )


def without(leaves: Iterable[Leaf], covered: Iterable[Leaf]) -> Iterator[Leaf]:
    """Those leaves that are not covered. Both come sorted, and neither is held in memory."""
    rest = iter(covered)
    other = next(rest, None)
    for leaf in leaves:
        while other is not None and other < leaf:
            other = next(rest, None)
        if other != leaf:
            yield leaf


def day_of(at: int) -> str:
    """The UTC day of a moment in epoch milliseconds."""
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def day_after(day: str, days: int = 1) -> str:
    """A day so many days later, or earlier where `days` is below zero. ValueError for what is no day."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def days_between(first: str, last: str) -> Iterator[str]:
    """Every day from `first` to `last`, both included; none if `last` is before."""
    day = first
    while day <= last:
        yield day
        day = day_after(day)


SignatureCheck = Callable[[bytes, bytes], bool]
"""Whether a signature (the second) is one of a document (the first), under the public key that the caller trusts."""
