"""Days as the law counts them: which are working days, where one begins, and how many months make a period.

Regulation (EEC, Euratom) No 1182/71 counts periods in European law, that of Art. 12(3) GDPR among them
(EDPB Guidelines 01/2022). The tables come with the compiled policy, so that a function reads no data of its machine:
docs/decisions/0028.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from consent_center.domain.policy import Period, Policy

_DAY = timedelta(days=1)
_SECONDS = 86400
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of one jurisdiction, and of the organisation in it."""

    first_year: int
    holidays: tuple[str, ...] = ()
    """For each year from `first_year` its public holidays from Monday to Friday: month and day, `0101` after `0403`."""
    closing_days: frozenset[str] = frozenset()
    """When nobody of the organisation works: `2027-05-15`, or `12-24` for every year. They lengthen no period."""

    def is_beyond_table(self, day: date) -> bool:
        """Whether no public holidays are known for the year. Then only weekends count, and periods end sooner."""
        return not 0 <= day.year - self.first_year < len(self.holidays)

    def is_working_day(self, day: date) -> bool:
        """Neither public holiday nor Sunday nor Saturday (Art. 2(2))."""
        return day.weekday() < _SATURDAY and not self._is_holiday(day)

    def working_day_from(self, day: date) -> date:
        """The day itself, or the next working day: where a period ends that would end on another (Art. 3(4))."""
        while not self.is_working_day(day):
            day += _DAY
        return day

    def staffed_day_until(self, day: date) -> date:
        """The day itself, or the last one before it on which somebody works: neither a holiday nor a closing day."""
        while not self.is_working_day(day) or self._is_closed(day):
            day -= _DAY
        return day

    def _is_holiday(self, day: date) -> bool:
        if self.is_beyond_table(day):
            return False
        days = self.holidays[day.year - self.first_year]
        written = f"{day:%m%d}"
        return any(days[at : at + 4] == written for at in range(0, len(days), 4))

    def _is_closed(self, day: date) -> bool:
        return day.isoformat() in self.closing_days or f"{day:%m-%d}" in self.closing_days


@dataclass(frozen=True, slots=True)
class Zone:
    """The clock on the wall. Before the first change and after the last one it stays as it is at that end."""

    changes: Sequence[tuple[int, int]]
    """Each: from this epoch second on, so many minutes ahead of UTC; earliest first, at least one."""

    def day_of(self, at: int) -> date:
        """Which day it is there at `at` (epoch milliseconds)."""
        seconds = at // 1000
        return (datetime.fromtimestamp(seconds, UTC) + timedelta(minutes=self._ahead(seconds))).date()

    def start_of(self, day: date) -> int:
        """The first second of a day, in epoch seconds."""
        midnight = int(datetime.combine(day, time(), UTC).timestamp())
        # If the clock changes in the night, midnight there may come twice, or be left out.
        aheads = {self._ahead(midnight - _SECONDS), self._ahead(midnight + _SECONDS)}
        return next(at for at in sorted(midnight - ahead * 60 for ahead in aheads) if self.day_of(at * 1000) >= day)

    def end_of(self, day: date) -> int:
        """The first second after the last hour of a day, in epoch seconds."""
        return self.start_of(day + _DAY)

    def _ahead(self, seconds: int) -> int:
        at = bisect_right(self.changes, seconds, key=lambda change: change[0])
        return self.changes[max(at - 1, 0)][1]


def calendar_of(policy: Policy, jurisdiction: str) -> Calendar:
    """The working days of a country of the policy; of any other, only the weekends are known."""
    row = policy.raw["calendar"]
    days = row["holidays"].get(jurisdiction, ())
    return Calendar(row["first_year"], tuple(days), frozenset(row["closing_days"]))


def zone_of(policy: Policy, controller: str) -> Zone:
    """The clock by which the days of a controller begin and end."""
    name = policy.controller(controller)["time_zone"]
    numbers = [int(number) for number in policy.raw["calendar"]["zones"][name].split()]
    return Zone(tuple(zip(numbers[::2], numbers[1::2], strict=True)))


def same_date(day: date, months: int) -> date:
    """So many months later: the same date, or the last day of a month that has no such date (Art. 3(2)(c))."""
    return Period(months=months).after(datetime.combine(day, time())).date()
