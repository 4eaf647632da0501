"""What goes to other systems and comes from them: announcements, imports, audiences and counts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from consent_center.domain.audience import AudiencePart, AudienceRun
from consent_center.domain.contact import ContactPoint
from consent_center.domain.statistics import Cell, Event


class Announcements(Protocol):
    def publish(self, announcements: Sequence[Mapping[str, Any]]) -> None:
        """Tell other systems, each at least once. UnavailableError if one was not taken; others may have been."""


class AnnouncementOrders(Protocol):
    """Announcements that recipients of data are to be told, each by itself."""

    def order(self, orders: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Have each recipient told an announcement. UnavailableError if one was not taken; others may have been."""

    def put_off(self, receipt: str, seconds: int) -> None:
        """Have an order that was taken, and not carried out, come again after so long. UnavailableError."""


class ToldRecipients(Protocol):
    """Recipients of data that are told of changes."""

    def tell(self, recipient: str, announcement: Mapping[str, Any]) -> bool:
        """Whether it was told: False for a recipient that the settings no longer have told.

        UnavailableError if it did not take it; RecipientGoneError if it never will. Telling it again has one effect.
        """


@dataclass(frozen=True, slots=True)
class Import:
    """What all rows of an import share. `at` is when it was asked for, in epoch milliseconds."""

    purpose: str
    attested_by: str
    """The operator who answers for it: an id, never an address."""
    at: int
    parts: int
    rows: int
    from_person: bool = True
    """False: somebody else gave us the data, and the person has to be told (Art. 14 GDPR)."""
    method: str | None = None
    wording: tuple[str, ...] = ()
    notice: str | None = None
    language: str | None = None
    jurisdiction: str | None = None


class Imports(Protocol):
    def about(self, import_id: str) -> Import:
        """What all rows share. UnavailableError also where nothing is kept (any more)."""

    def rows(self, import_id: str, part: int) -> Sequence[str]:
        """The rows of a part, one line of JSON each; parts count from 1."""

    def is_reported(self, import_id: str, part: int) -> bool:
        """Whether a part is done."""

    def add_report(self, import_id: str, part: int, lines: Iterable[str]) -> None:
        """Store what became of a part's rows. If there is a report already it stays."""


class Statistics(Protocol):
    """Counters of what happened, which know nobody."""

    def count(self, events: Sequence[Event], *, marked_until: int, kept_days: int) -> int:
        """Add each event to its counters once, however often it is told, and answer how many were new.

        An event is known until the epoch second `marked_until`; a day's counters go `kept_days` after it.
        UnavailableError: some may be counted, and telling all again counts the rest.
        """

    def counts(self, first: str, last: str, now: int) -> Iterator[tuple[Cell, int]]:
        """The counters of the days (UTC) from `first` through `last`, as a stream; one may come in several parts.

        Those that have expired at `now` (epoch seconds) are left out. UnavailableError may come at any place of it.
        """


class AudienceOrders(Protocol):
    """What is to be done about audiences."""

    def order(self, run: AudienceRun, shard: int) -> None:
        """Have one shard of a run made, or UnavailableError. Ordering one twice is harmless."""

    def changed(self, contact: ContactPoint, chain: str, purposes: Sequence[str]) -> None:
        """Have it said of a contact point, soon, whether it belongs to these purposes (codes), or UnavailableError.

        `chain` is what audiences know it by, which its record may no longer say by then.
        """


class Counted(NamedTuple):
    """Whom a shard's part looked at."""

    looked_at: int
    included: int
    left_out: Mapping[str, int]


class AudienceFiles(Protocol):
    """Where audiences lie. Only who fetches them reads them; nobody replaces a part or a manifest."""

    def part(self, run: AudienceRun, shard: int) -> AudiencePart | None:
        """The part of a shard, once it is there."""

    def add_part(self, run: AudienceRun, shard: int, rows: Iterable[str], counted: Callable[[], Counted]) -> None:
        """Keep a shard's rows, and what `counted` says once they have passed by. If there is a part it stays."""

    def finish(self, run: AudienceRun, manifest: str) -> None:
        """Say that a run is whole. If somebody said so before it stays."""

    def add_changes(self, purpose: str, at: int, rows: Sequence[str]) -> None:
        """Keep lines about people who decided; `at` in epoch milliseconds. Harmless to repeat."""
