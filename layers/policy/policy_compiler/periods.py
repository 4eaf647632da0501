"""Periods of time as people write them: "7 days", "6 months", "1 year and 6 months"."""

import re

_PART = re.compile(r"([1-9][0-9]{0,3}) (day|week|month|year)s?")
_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}

PATTERN = r"^[1-9][0-9]{0,3} (day|week|month|year)s?( and [1-9][0-9]{0,3} (day|week|month|year)s?)?$"

Period = dict[str, int]


def parse(text: str) -> Period:
    """Months and days of a period; raise ValueError for anything that does not match PATTERN."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError("not a period")
    period = {"months": 0, "days": 0}
    for number, unit in _PART.findall(text):
        period["months"] += int(number) * _MONTHS.get(unit, 0)
        period["days"] += int(number) * _DAYS.get(unit, 0)
    return period


def longest_days(period: Period) -> int:
    """The most days a period can have: for comparing periods, never for computing dates."""
    years, months = divmod(period["months"], 12)
    return years * 366 + months * 31 + period["days"]
