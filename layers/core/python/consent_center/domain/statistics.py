"""What happened, in numbers: which counter an event adds to, and which numbers may be told.

A counter knows a day, a purpose and how it came about, never a person. Few people behind a number would be people
again, so small numbers are withheld and the others rounded: whatever is told is a multiple of `BASE`, and so is every
sum and every difference of what is told.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from consent_center.domain.decision import DecisionState
from consent_center.domain.policy import Policy, Purpose

BASE = 5
"""Numbers from 1 to 4 are withheld, 0 is told, the others are rounded to a multiple of 5, totals from what was not
rounded: the rounding policy of England's Ofqual for its statistics (read on 2026-11-25). No law names a number."""

WITHHELD = "withheld"
"""In place of a number, where there are only texts."""

MOST_DAYS = 400
MOST_ROWS = 10_000


class Cell(NamedTuple):
    """What one counter counts. A text is empty where nothing says it."""

    day: str
    """UTC."""
    measure: str
    controller: str = ""
    brand: str = ""
    purpose: str = ""
    source: str = ""
    language: str = ""


class Event(NamedTuple):
    """Something that happened once, and the counters that it adds 1 to."""

    id: str
    """Never leaves the function: what is stored of it is its hash."""
    cells: tuple[Cell, ...]


OUTCOMES = {
    DecisionState.GIVEN: "given",
    DecisionState.RENEWED: "renewed",
    DecisionState.REFUSED: "refused",
    DecisionState.WITHDRAWN: "withdrawn",
    DecisionState.OBJECTED: "objected",
    DecisionState.LIFTED: "lifted",
    DecisionState.EXPIRED: "expired",
    DecisionState.TERMINATED: "terminated",
    DecisionState.INVALIDATED: "invalidated",
}
"""What a change is counted as, by the state that it led to."""


class StopReason(StrEnum):
    """What people who stopped something may answer to why; nobody need answer."""

    TOO_MANY = "too_many"
    NOT_RELEVANT = "not_relevant"
    NEVER_ASKED = "never_asked"
    OTHER = "other"


REQUESTED, CANCELLED = "requested", "cancelled"

_WITHIN = ((5 * 60, "confirmed_5m"), (3_600, "confirmed_1h"), (86_400, "confirmed_1d"))
_LATER = "confirmed_later"

MEASURES = (
    *(REQUESTED, *(measure for _, measure in _WITHIN), _LATER, CANCELLED),
    *(*OUTCOMES.values(), "restored", "preferences", "undeliverable"),
)
"""Those that are always told, in this order; what a kind of event adds beside them follows."""


def cells_of_entry(body: Mapping[str, Any]) -> tuple[Cell, ...]:
    """The counters of a ledger entry: for each purpose and outcome one, however many topics changed.

    None for an entry that is about nobody, such as that an edition of the notice was published.

    KeyError, ValueError, TypeError or AttributeError for what no version of this code can have written.
    """
    if "controller" not in body and not body["changes"]:
        return ()
    kind, day = str(body["kind"]), dt.date.fromisoformat(str(body["at"])[:10]).isoformat()
    purposes = body.get("purposes") or {}
    found: dict[tuple[str, str], None] = {}
    for change in body["changes"]:
        before, after = DecisionState(change["before"]), DecisionState(change["after"])
        measure = OUTCOMES.get(after)
        if kind == "restored" or measure is None:
            measure = kind
        elif measure == "given" and before.permits:
            measure = "renewed"
        found[str(change["purpose"]), measure] = None
    if not found:
        found = {(str(purpose), kind): None for purpose in purposes} or {("", kind): None}
    return tuple(
        Cell(
            day,
            measure,
            str(body["controller"]),
            str((purposes.get(purpose) or {}).get("brand") or ""),
            purpose,
            str(body.get("source") or ""),
            str(body.get("language") or ""),
        )
        for purpose, measure in found
    )


def cells_of_request(
    measure: str, at: int, *, controller: str, purpose: str, source: str, language: str, policy: Policy
) -> tuple[Cell, ...]:
    """The counter of a sign-up request that was stored or cancelled `at` an epoch millisecond."""
    return (Cell(_day(at), measure, controller, _brand(policy, purpose), purpose, source, language),)


def cells_of_reason(reason: StopReason, at: int, *, purpose: Purpose, language: str) -> tuple[Cell, ...]:
    """The counter of an answer to why somebody stopped letters of a purpose, given `at` an epoch millisecond."""
    measure = f"stopped_{reason.value}"
    return (Cell(_day(at), measure, purpose.controller, purpose.brand or "", purpose.id, "page", language),)


def cells_of_confirmation(
    asked: Mapping[str, int], at: int, *, controller: str, language: str, policy: Policy
) -> tuple[Cell, ...]:
    """How long people took. `asked` are the scope codes that were confirmed `at` an epoch millisecond, each with the
    epoch second at which its request would have ended: so many days before that it was made."""
    waited: dict[str, int] = {}
    for code, end in asked.items():
        purpose = _purpose_of(policy, code)
        if purpose is not None:
            seconds = max(0, at // 1000 - (end - policy.pending_days(at) * 86_400))
            waited[purpose.id] = min(seconds, waited.get(purpose.id, seconds))
    return tuple(
        Cell(_day(at), _pace(seconds), controller, _brand(policy, name), name, "", language)
        for name, seconds in waited.items()
    )


def _pace(seconds: int) -> str:
    return next((measure for most, measure in _WITHIN if seconds <= most), _LATER)


def _purpose_of(policy: Policy, code: str) -> Purpose | None:
    short = code.partition(".")[0]
    return next((purpose for purpose in policy.purposes.values() if purpose.code == short), None)


def _brand(policy: Policy, name: str) -> str:
    purpose = policy.purposes.get(name)
    return (purpose.brand or "") if purpose else ""


def _day(at: int) -> str:
    return dt.datetime.fromtimestamp(at / 1000, dt.UTC).date().isoformat()


def published(number: int) -> int | None:
    """What may be told of a number: nothing (None) of 1 to 4, else the nearest multiple of 5."""
    if 0 < number < BASE:
        return None
    return (number + BASE // 2) // BASE * BASE


PERIODS = ("day", "month")
GROUPS = (*PERIODS, "controller", "brand", "purpose", "source", "language")


class TooManyRowsError(Exception):
    """The table that was asked for has more rows than anybody would read."""


class Row(NamedTuple):
    """`names` are the values of what the table is grouped by; `counts` are true numbers, to be told as `told`."""

    names: tuple[str, ...]
    counts: Mapping[str, int]

    @property
    def told(self) -> dict[str, int | None]:
        return {measure: published(number) for measure, number in self.counts.items()}


@dataclass(frozen=True, slots=True)
class Table:
    """Counts by group. Each row has every measure; days and months in which nothing happened stand there with zeros."""

    first: str
    last: str
    group: tuple[str, ...]
    measures: tuple[str, ...]
    rows: Sequence[Row]
    total: Row

    def lines(self) -> Iterator[tuple[str, ...]]:
        """A heading and a line for each row, of texts, as a spreadsheet has them."""
        yield (*self.group, *self.measures)
        for row in self.rows:
            yield (*row.names, *(WITHHELD if number is None else str(number) for number in row.told.values()))


def tabulate(
    counts: Iterable[tuple[Cell, int]], *, first: dt.date, last: dt.date, group: Sequence[str], purpose: str | None
) -> Table:
    """The table of the days from `first` through `last`, of one purpose or of all. TooManyRowsError."""
    group = tuple(group)
    sums: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    total: dict[str, int] = defaultdict(int)
    for cell, number in counts:
        if purpose is not None and cell.purpose != purpose:
            continue
        sums[tuple(_value(cell, name) for name in group)][cell.measure] += number
        total[cell.measure] += number
        if len(sums) > MOST_ROWS:
            raise TooManyRowsError
    measures = (*MEASURES, *sorted(set(total) - set(MEASURES)))
    keys = sorted(sums.keys() | _without_gaps(sums, group, first, last))
    return Table(
        first.isoformat(),
        last.isoformat(),
        group,
        measures,
        [Row(key, {measure: sums[key][measure] for measure in measures}) for key in keys],
        Row((), {measure: total[measure] for measure in measures}),
    )


def _value(cell: Cell, name: str) -> str:
    return cell.day[:7] if name == "month" else str(getattr(cell, name))


def _without_gaps(
    found: Iterable[tuple[str, ...]], group: tuple[str, ...], first: dt.date, last: dt.date
) -> set[tuple[str, ...]]:
    """Each day or month with everything that was found in any of them."""
    place = next((place for place, name in enumerate(group) if name in PERIODS), None)
    if place is None:
        return set() if group else {()}
    periods = dict.fromkeys(day.isoformat()[: 7 if group[place] == "month" else 10] for day in days(first, last))
    others = {(key[:place], key[place + 1 :]) for key in found} or ({((), ())} if len(group) == 1 else set())
    if len(periods) * len(others) > MOST_ROWS:
        raise TooManyRowsError
    return {(*before, period, *after) for period in periods for before, after in others}


def days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Every day from `first` through `last`."""
    return (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
