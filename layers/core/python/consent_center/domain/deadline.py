"""Until when a rights request is answered, by two readings of the law, and what may still move it (Art. 12(3) GDPR).

The first reading is that of Regulation 1182/71: the day of receipt does not count; the period ends with the same date
of the next month, or with its last day where that has no such date; ending on a Saturday, a Sunday or a public holiday,
it ends with the next working day (Art. 3(1), 3(2)(c), 3(4)). That it contains two working days at least (Art. 3(5)) is
true of every month. The stricter reading lets the day of receipt count and ends a day earlier therefore, and knows no
working days and no pauses. People are told the first; everybody works towards the earlier. Why so: docs/decisions/0028.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from consent_center.domain.calendar import Calendar, Zone, calendar_of, same_date, zone_of
from consent_center.domain.case import Case, Pause
from consent_center.domain.policy import Policy

FIRST_MONTHS = 1
MORE_MONTHS = 2
"""Art. 12(3): two further months."""

ASKED_WITHIN_DAYS = 3
"""A question stops the period only if it is asked without delay (EDPB 01/2022, 159): so many days after receipt."""

WARNINGS = (10, 5, 1)
"""How many days before the end staff are warned."""

_DAY = timedelta(days=1)


class Deadlines(NamedTuple):
    """Two last days, ISO, each to its last hour."""

    answer_by: str
    strict_answer_by: str

    @property
    def warn_from(self) -> str:
        """The earlier of both, before which warnings count."""
        return min(self)


def deadlines(
    received_at: int,
    *,
    calendar: Calendar,
    zone: Zone,
    pause: Pause | None = None,
    extension: bool = False,
    now: int,
    question_lapses_days: int = 30,
) -> Deadlines:
    """The two days for a request received at `received_at` (epoch milliseconds, as `now`).

    An extension counts from the end of the first month as it was before it moved to a working day: of the readings of
    “extended by two further months” this one never ends later than another. A pause adds the days from the question to
    its answer, or to `now` while there is none, but no more than `question_lapses_days`; only to the first reading.
    """
    received = zone.day_of(received_at)
    end = same_date(received, FIRST_MONTHS)
    # In a month without the same date, the day before that date is the month's last.
    strict = end - _DAY if end.day == received.day else end
    if extension:
        end, strict = same_date(end, MORE_MONTHS), same_date(strict, MORE_MONTHS)
    if pause:
        waited = zone.day_of(pause.answered_at or now) - zone.day_of(pause.asked_at)
        end += max(min(waited, timedelta(days=question_lapses_days)), timedelta())
    return Deadlines(calendar.working_day_from(end).isoformat(), strict.isoformat())


@dataclass(frozen=True, slots=True)
class CaseDays:
    """The days of cases, by the holidays of their jurisdictions and the clocks of their controllers."""

    policy: Policy

    def of_request(self, received_at: int, *, controller: str, jurisdiction: str) -> Deadlines:
        """The two days of a request that has just come in (epoch milliseconds)."""
        calendar, zone = calendar_of(self.policy, jurisdiction), zone_of(self.policy, controller)
        return deadlines(received_at, calendar=calendar, zone=zone, now=received_at)

    def of(self, case: Case) -> Deadlines:
        """The two days with the case's extension and pause. A question without an answer has not moved them yet."""
        pause = case.pause
        return deadlines(
            case.received_at,
            calendar=self._calendar(case),
            zone=self._zone(case),
            pause=pause,
            extension=case.extension is not None,
            now=pause.asked_at if pause else case.received_at,
            question_lapses_days=self.policy.rights.step_up_lapses_days,
        )

    def ends_at(self, case: Case) -> int:
        """The first second after the day to answer by, in epoch seconds: when the case is late."""
        return self._zone(case).end_of(date.fromisoformat(case.answer_by))

    def warns_at(self, case: Case, days: int) -> int:
        """When staff are warned of so many days before the earlier of both days, in epoch seconds.

        At the beginning of that day, or of the last one before it on which somebody works and can read it.
        """
        day = date.fromisoformat(min(case.answer_by, case.strict_answer_by)) - timedelta(days=days)
        return self._zone(case).start_of(self._calendar(case).staffed_day_until(day))

    def next_warning(self, case: Case, now: int) -> int | None:
        """The warning that is due at `now` (epoch milliseconds) and was not given: 10, 5 or 1 days; None for none.

        What was missed is not made up for: only the nearest is given.
        """
        due = [days for days in WARNINGS if self.warns_at(case, days) * 1000 <= now]
        if case.state.is_closed or not due or (case.warned and case.warned <= min(due)):
            return None
        return min(due)

    def may_extend(self, case: Case, now: int) -> bool:
        """Whether an extension may be told at `now` (epoch milliseconds).

        Once, and within the first month (Art. 12(3)), by the stricter reading.
        """
        is_in_time = self._zone(case).day_of(now).isoformat() <= case.strict_answer_by
        return not case.state.is_closed and case.extension is None and is_in_time

    def may_pause(self, case: Case, now: int) -> bool:
        """Whether a question asked at `now` (epoch milliseconds) stops the period: once, three days from receipt."""
        zone = self._zone(case)
        last = zone.day_of(case.received_at) + timedelta(days=ASKED_WITHIN_DAYS)
        return not case.state.is_closed and case.pause is None and zone.day_of(now) <= last

    def _calendar(self, case: Case) -> Calendar:
        return calendar_of(self.policy, case.jurisdiction)

    def _zone(self, case: Case) -> Zone:
        return zone_of(self.policy, case.contact.controller)
