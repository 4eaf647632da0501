"""Checks an export of the ledger against its seals, with nothing but these and the public key at hand.

The dates of entries are claims of whoever wrote them. A seal proves that an entry existed when the seal was made; that
no entry was changed or removed since; and, by its absence from the seal of its own day, that an entry came later than
it says.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from consent_center.domain.chain import GENESIS, Entry, is_whole
from consent_center.domain.seal import (
    Digest,
    Leaf,
    Seal,
    SignatureCheck,
    SignedSeal,
    Tree,
    day_after,
    days_between,
    read_seal,
)


class Fault(StrEnum):
    """What can be wrong with a ledger or its seals."""

    ALTERED = "the entry does not have the hash that was recorded for it"
    MISPLACED = "the entry says that it stands somewhere else"
    MISSING = "an entry is missing before this one"
    FORKED = "two entries claim the same place"
    BROKEN_LINK = "the entry does not follow from the one before it"
    OUT_OF_TIME = "the entry is dated before the one it follows"
    DELETED = "the seal holds an entry that is not there"
    REPLACED = "another entry stands where the sealed one stood"
    BACK_DATED = "the entry is dated on a sealed day, and no seal holds it"
    LATE = "a later seal than that of its day holds the entry: its date is not proven"
    SEAL_ILLEGIBLE = "the file is no seal"
    SEAL_UNSIGNED = "the signature is not one of this key"
    SEAL_UNLINKED = "the seal does not follow from the one before it"
    SEAL_MISSING = "the day has no seal"
    LEAVES_MISSING = "the seal's list of leaves is not there"
    LEAVES_ALTERED = "the list of leaves is not the one that was sealed"

    @property
    def is_warning(self) -> bool:
        """Whether it can happen without anybody meddling, and so asks for a look rather than an alarm."""
        return self is Fault.LATE


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `day` is the seal's, or the one that the entry claims."""

    fault: Fault
    day: str | None = None
    chain: str | None = None
    seq: int | None = None


class Exported(NamedTuple):
    """An entry as it was exported: where it was kept, and what was kept there."""

    chain: str
    seq: int
    hash: str
    body: Mapping[str, Any]


@dataclass
class Report:
    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    chains: int = 0
    seals: int = 0
    unsealed: int = 0
    """Entries of days that were not sealed yet: nothing is proven about these."""
    sealed_through: str | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing but warnings was found."""
        return all(finding.fault.is_warning for finding in self.findings)


class _Known(NamedTuple):
    """What is remembered of an entry; its body is not, so that a million fit into memory."""

    seq: int
    hash: bytes
    prev: str
    at: str


LeavesOf = Callable[[Seal], Iterable[Leaf] | None]
"""The list of leaves of a seal as a stream; None where there is none. ValueError while reading one that is spoilt."""


def verify_ledger(
    entries: Iterable[Exported],
    seals: Sequence[tuple[str, bytes]],
    leaves: LeavesOf,
    signature_holds: SignatureCheck,
    through: str | None = None,
    only: Collection[str] | None = None,
) -> Report:
    """Everything that is wrong. Entries may come in any order.

    With `only`, the entries are those of these chains and no others: seals may begin on any day, a list of leaves may
    be left out if no entry needs it, and what it holds of other chains is not looked for.

    `seals` are the days and files of the seals, in order; `through` is the last day that must have one, None where that
    is not known: then nobody notices that the newest seals are gone.
    """
    report = Report()
    chains: dict[str, list[_Known]] = {}
    sealed: dict[bytes, str] = {}
    for entry in entries:
        report.entries += 1
        at = entry.body.get("at")
        known = _Known(entry.seq, _bytes(entry.hash), str(entry.body.get("prev")), at if isinstance(at, str) else "")
        chains.setdefault(entry.chain, []).append(known)
        if not is_whole(Entry(entry.body, entry.hash)):
            report.findings.append(Finding(Fault.ALTERED, known.at[:10], entry.chain, entry.seq))
        elif (entry.body.get("chain"), entry.body.get("seq")) != (entry.chain, entry.seq):
            report.findings.append(Finding(Fault.MISPLACED, known.at[:10], entry.chain, entry.seq))
    report.chains = len(chains)
    for row in chains.values():
        row.sort(key=lambda known: known.seq)
    hashes = {known.hash for row in chains.values() for known in row}
    _check_seals(report, seals, signature_holds, through, is_whole_ledger=only is None)
    for _, text in seals:
        signed = _readable(text)
        if signed is not None:
            _check_leaves(report, signed.seal, leaves, chains, hashes, sealed, only)
    for chain, row in chains.items():
        _check_chain(report, chain, row)
        _check_dates(report, chain, row, sealed)
    report.findings.sort(key=lambda found: (found.day or "", found.chain or "", found.seq or 0, found.fault))
    return report


def _bytes(text: str) -> bytes:
    """A hash in half the memory; a text that is none stays different from every hash."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()


def _readable(text: bytes) -> SignedSeal | None:
    try:
        return read_seal(text)
    except ValueError:
        return None


def _check_seals(
    report: Report,
    seals: Sequence[tuple[str, bytes]],
    signature_holds: SignatureCheck,
    through: str | None,
    *,
    is_whole_ledger: bool,
) -> None:
    """Each is legible, of its day, signed, and linked to the one before; no day is left out."""
    prev, last_day = GENESIS, None
    for day, text in seals:
        report.seals += 1
        if last_day is not None:
            for missing in days_between(day_after(last_day), day_after(day, -1)):
                report.findings.append(Finding(Fault.SEAL_MISSING, missing))
        last_day = day
        signed = _readable(text)
        if signed is None or signed.seal.day != day:
            report.findings.append(Finding(Fault.SEAL_ILLEGIBLE, day))
            continue
        if not signature_holds(signed.seal.document, signed.signature):
            report.findings.append(Finding(Fault.SEAL_UNSIGNED, day))
        if signed.seal.prev != prev and (is_whole_ledger or report.seals > 1):
            report.findings.append(Finding(Fault.SEAL_UNLINKED, day))
        prev = signed.seal.hash
    report.sealed_through = last_day
    if through is not None:
        first = day_after(last_day) if last_day is not None else through
        for missing in days_between(first, through):
            report.findings.append(Finding(Fault.SEAL_MISSING, missing))


def _check_leaves(
    report: Report,
    seal: Seal,
    leaves: LeavesOf,
    chains: Mapping[str, list[_Known]],
    hashes: set[bytes],
    sealed: dict[bytes, str],
    only: Collection[str] | None,
) -> None:
    """The list is the one that was sealed, and each of its entries is there."""
    listed = leaves(seal)
    if listed is None:
        if only is not None:
            return
        report.findings.append(Finding(Fault.LEAVES_MISSING, seal.day))
        return
    tree, digest = Tree(), Digest()
    try:
        for leaf in listed:
            tree.add(leaf.hash)
            digest.add(leaf)
            entry_hash = bytes.fromhex(leaf.hash)
            sealed.setdefault(entry_hash, seal.day)
            if entry_hash not in hashes and (only is None or leaf.chain in only):
                stands = any(known.seq == leaf.seq for known in chains.get(leaf.chain, ()))
                fault = Fault.REPLACED if stands else Fault.DELETED
                report.findings.append(Finding(fault, seal.day, leaf.chain, leaf.seq))
    except ValueError:
        report.findings.append(Finding(Fault.LEAVES_ALTERED, seal.day))
        return
    if (tree.size, tree.root, digest.name) != (seal.entries, seal.root, seal.leaves):
        report.findings.append(Finding(Fault.LEAVES_ALTERED, seal.day))


def _check_chain(report: Report, chain: str, row: Sequence[_Known]) -> None:
    """The entries count from 1 and follow from each other."""
    seq, prev, at = 0, GENESIS, ""
    for known in row:
        if known.seq == seq:
            report.findings.append(Finding(Fault.FORKED, known.at[:10], chain, known.seq))
            continue
        if known.seq != seq + 1:
            report.findings.append(Finding(Fault.MISSING, known.at[:10], chain, known.seq))
        elif known.prev != prev:
            report.findings.append(Finding(Fault.BROKEN_LINK, known.at[:10], chain, known.seq))
        if known.at < at and known.at:
            report.findings.append(Finding(Fault.OUT_OF_TIME, known.at[:10], chain, known.seq))
        seq, prev, at = known.seq, known.hash.hex(), known.at


def _check_dates(report: Report, chain: str, row: Sequence[_Known], sealed: Mapping[bytes, str]) -> None:
    """Each entry of a sealed day is in the seal of that day."""
    for known in row:
        day, seal_day = known.at[:10], sealed.get(known.hash)
        if seal_day is None:
            if report.sealed_through is None or day > report.sealed_through:
                report.unsealed += 1
            else:
                report.findings.append(Finding(Fault.BACK_DATED, day, chain, known.seq))
        elif seal_day != day:
            report.findings.append(Finding(Fault.LATE, day, chain, known.seq))
