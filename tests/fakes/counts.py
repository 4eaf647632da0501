"""The numbers of statistics in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from consent_center.domain.statistics import Cell, Event


@dataclass
class InMemoryStatistics:
    marks: dict[str, int] = field(default_factory=dict)
    numbers: dict[Cell, int] = field(default_factory=dict)
    ends: dict[Cell, int] = field(default_factory=dict)
    fails_with: Exception | None = None

    def count(self, events: Sequence[Event], *, marked_until: int, kept_days: int) -> int:
        if self.fails_with is not None:
            raise self.fails_with
        new = {event.id: event for event in events if event.id not in self.marks}
        for event in new.values():
            self.marks[event.id] = marked_until
            for cell in event.cells:
                self.numbers[cell] = self.numbers.get(cell, 0) + 1
                over = datetime.fromisoformat(cell.day).replace(tzinfo=UTC) + timedelta(days=1 + kept_days)
                self.ends[cell] = int(over.timestamp())
        return len(new)

    def counts(self, first: str, last: str, now: int) -> Iterator[tuple[Cell, int]]:
        for cell, number in self.numbers.items():
            if first <= cell.day <= last and self.ends[cell] > now:
                yield cell, number
