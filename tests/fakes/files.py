"""Files that are read and written in parts, in memory: imports and audiences."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from consent_center.domain.audience import AudiencePart, AudienceRun
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import UnavailableError
from consent_center.ports.exchange import Counted, Import


@dataclass
class InMemoryImports:
    kept: dict[str, Import] = field(default_factory=dict)
    parts: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    reports: dict[tuple[str, int], list[str]] = field(default_factory=dict)

    def about(self, import_id: str) -> Import:
        if import_id not in self.kept:
            raise UnavailableError("import: NoSuchKey")
        return self.kept[import_id]

    def rows(self, import_id: str, part: int) -> Sequence[str]:
        if (import_id, part) not in self.parts:
            raise UnavailableError("import: NoSuchKey")
        return self.parts[import_id, part]

    def is_reported(self, import_id: str, part: int) -> bool:
        return (import_id, part) in self.reports

    def add_report(self, import_id: str, part: int, lines: Iterable[str]) -> None:
        self.reports.setdefault((import_id, part), list(lines))


@dataclass
class CollectingAudienceOrders:
    ordered: list[tuple[AudienceRun, int]] = field(default_factory=list)
    noted: list[tuple[ContactPoint, str, Sequence[str]]] = field(default_factory=list)

    def order(self, run: AudienceRun, shard: int) -> None:
        self.ordered.append((run, shard))

    def changed(self, contact: ContactPoint, chain: str, purposes: Sequence[str]) -> None:
        self.noted.append((contact, chain, list(purposes)))


@dataclass
class InMemoryAudiences:
    rows: dict[tuple[AudienceRun, str], list[str]] = field(default_factory=dict)
    """By the name of a part, whether or not a manifest names it."""
    notes: dict[tuple[AudienceRun, int], AudiencePart] = field(default_factory=dict)
    manifests: dict[AudienceRun, str] = field(default_factory=dict)
    changes: dict[str, list[list[str]]] = field(default_factory=dict)

    def part(self, run: AudienceRun, shard: int) -> AudiencePart | None:
        return self.notes.get((run, shard))

    def add_part(self, run: AudienceRun, shard: int, rows: Iterable[str], counted: Callable[[], Counted]) -> None:
        kept = list(rows)
        text = "".join(f"{row}\n" for row in kept).encode()
        sha256 = hashlib.sha256(text).hexdigest()
        name = f"part-{shard:03d}-{sha256[:16]}.ndjson.gz"
        self.rows.setdefault((run, name), kept)
        self.notes.setdefault((run, shard), AudiencePart(shard, name, sha256, len(text), *counted()))

    def finish(self, run: AudienceRun, manifest: str) -> None:
        self.manifests.setdefault(run, manifest)

    def add_changes(self, purpose: str, at: int, rows: Sequence[str]) -> None:
        kept = self.changes.setdefault(purpose, [])
        if list(rows) not in kept:
            kept.append(list(rows))
