"""Ledgers with their seals, as tests need them: made in memory, sealed by the real use case."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from consent_center.domain.chain import GENESIS, Change, Entry, Payload, extend
from consent_center.domain.seal import Leaf, Seal, day_after
from consent_center.domain.verifier import Exported, Report, verify_ledger
from consent_center.usecases.sealing import Sealing, seal_days
from fakes import HashingSigner, InMemoryDayIndex, InMemorySeals

FIRST_DAY = "2027-01-15"


def an_entry(chain: str, seq: int, prev: str, at: str, kind: str = "given") -> Entry:
    payload = Payload(f"{seq:064x}", {"address": "ada.lovelace@example.com"})
    change = Change("direct-marketing-email", "events", "email", "ConsentUnknown", "ConsentGiven")
    return extend(chain=chain, seq=seq, prev=prev, at=at, kind=kind, changes=[change], facts={}, payload=payload)


@dataclass
class SealedLedger:
    """Chains that grow and days that pass. `export` and `files` are what an auditor is given."""

    index: InMemoryDayIndex = field(default_factory=InMemoryDayIndex)
    seals: InMemorySeals = field(default_factory=InMemorySeals)
    signer: HashingSigner = field(default_factory=HashingSigner)
    day: str = FIRST_DAY

    def add(self, chain: str, time: str = "12:00:00.000", kind: str = "given") -> Entry:
        """The next entry of a chain, today."""
        entries = self.chain(chain)
        prev = entries[-1].hash if entries else GENESIS
        entry = an_entry(chain, len(entries) + 1, prev, f"{self.day}T{time}Z", kind)
        self.index.entry_of[chain, entry.seq] = entry
        return entry

    def chain(self, chain: str) -> list[Entry]:
        return [entry for (of_chain, _), entry in sorted(self.index.entry_of.items()) if of_chain == chain]

    def pass_days(self, days: int = 1) -> None:
        self.day = day_after(self.day, days)

    def clock(self) -> int:
        """Two o'clock at night."""
        return int(datetime.fromisoformat(f"{self.day}T02:00:00+00:00").timestamp() * 1000)

    def seal(self) -> Sealing:
        return seal_days(index=self.index, seals=self.seals, signer=self.signer, clock=self.clock)

    def next_night(self) -> Sealing:
        self.pass_days()
        return self.seal()

    def export(self) -> list[Exported]:
        return [
            Exported(chain, seq, entry.hash, entry.body) for (chain, seq), entry in sorted(self.index.entry_of.items())
        ]

    def files(self) -> list[tuple[str, bytes]]:
        return [(day, signed.text) for day, signed in sorted(self.seals.kept.items())]

    def verify(
        self,
        export: Iterable[Exported] | None = None,
        files: list[tuple[str, bytes]] | None = None,
        lists: Mapping[tuple[str, str], list[Leaf]] | None = None,
        signer: HashingSigner | None = None,
    ) -> Report:
        kept = self.seals.lists if lists is None else lists

        def leaves(seal: Seal) -> Iterable[Leaf] | None:
            return kept.get((seal.day, seal.leaves))

        return verify_ledger(
            self.export() if export is None else export,
            self.files() if files is None else files,
            leaves,
            (signer or self.signer).holds,
            through=max(self.seals.kept, default=None),
        )
