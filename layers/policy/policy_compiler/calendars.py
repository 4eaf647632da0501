"""Public holidays and clocks, worked out when the policy is compiled: functions have neither library nor time zones."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

Document = dict[str, Any]

FIRST_YEAR, LAST_YEAR = 2024, 2036
"""The years of the tables. They are fixed, because the same policy always gives the same bytes."""

TIME_ZONES = {
    "AT": "Europe/Vienna", "BE": "Europe/Brussels", "BG": "Europe/Sofia", "CH": "Europe/Zurich", "CY": "Asia/Nicosia",
    "CZ": "Europe/Prague", "DE": "Europe/Berlin", "DK": "Europe/Copenhagen", "EE": "Europe/Tallinn",
    "ES": "Europe/Madrid", "FI": "Europe/Helsinki", "FR": "Europe/Paris", "GB": "Europe/London", "GR": "Europe/Athens",
    "HR": "Europe/Zagreb", "HU": "Europe/Budapest", "IE": "Europe/Dublin", "IS": "Atlantic/Reykjavik",
    "IT": "Europe/Rome", "LI": "Europe/Vaduz", "LT": "Europe/Vilnius", "LU": "Europe/Luxembourg", "LV": "Europe/Riga",
    "MT": "Europe/Malta", "NL": "Europe/Amsterdam", "NO": "Europe/Oslo", "PL": "Europe/Warsaw", "PT": "Europe/Lisbon",
    "RO": "Europe/Bucharest", "SE": "Europe/Stockholm", "SI": "Europe/Ljubljana", "SK": "Europe/Bratislava",
}  # fmt: skip
"""The clock of a country where a controller names no other: that of its capital."""


def document(data: Document) -> Document:
    """The tables of a policy: the holidays of its jurisdictions, and the clocks of its controllers."""
    rights = data.get("rights", {})
    subdivisions = rights.get("subdivisions", {})
    zones = {time_zone(row) for row in data["controllers"].values()}
    return {
        "first_year": FIRST_YEAR,
        "holidays": {one: holidays_of(one, subdivisions.get(one)) for one in countries(data)},
        "closing_days": rights.get("closing_days", []),
        "zones": {name: " ".join(f"{start} {ahead}" for start, ahead in changes_of(name)) for name in sorted(zones)},
    }


def countries(data: Document) -> list[str]:
    """The countries whose holidays may matter: the jurisdictions, and where controllers are."""
    return list(dict.fromkeys([*data["jurisdictions"], *(row["country"] for row in data["controllers"].values())]))


def time_zone(controller: Document) -> str:
    """The name of a controller's clock; KeyError if neither it nor its country has one."""
    return str(controller.get("time_zone") or TIME_ZONES[controller["country"]])


@cache
def _library() -> Any:
    # Its import takes as long as all the rest of the compiler.
    import holidays

    return holidays


def subdivisions_of(country: str) -> list[str] | None:
    """The parts of a country whose holidays are known; None if not even its own are."""
    found: list[str] | None = _library().list_supported_countries().get(country)
    return found


@cache
def holidays_of(country: str, subdivision: str | None = None) -> tuple[str, ...]:
    """The public holidays of each year on a Monday to Friday: month and day, one after the other.

    Weekends are left out because nobody works then anyway. With a subdivision, its own are among them.
    """
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    found = _library().country_holidays(country, subdiv=subdivision, years=years, categories="public")
    days: list[date] = sorted(found)
    return tuple("".join(f"{day:%m%d}" for day in days if day.year == year and day.weekday() < 5) for year in years)


@cache
def zone(name: str) -> tzinfo:
    """A clock of the locked time zone data; KeyError for an unknown name."""
    *folders, last = name.split("/")
    try:
        with resources.files("tzdata.zoneinfo").joinpath(*folders, last).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError):
        raise KeyError(name) from None


@cache
def changes_of(name: str) -> tuple[tuple[int, int], ...]:
    """How many minutes a clock is ahead of UTC: at the beginning of the tables, and from each change on."""
    clock, hour = zone(name), timedelta(hours=1)
    at, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
    found = [(int(at.timestamp()), _minutes(clock, at))]
    # Clocks change on the hour in UTC, or at worst it is known an hour late.
    while at < end:
        later = at + timedelta(days=1)
        if _minutes(clock, later) != found[-1][1]:
            while _minutes(clock, at) == found[-1][1]:
                at += hour
            found.append((int(at.timestamp()), _minutes(clock, at)))
        at = later
    return tuple(found)


def _minutes(clock: tzinfo, at: datetime) -> int:
    ahead = at.astimezone(clock).utcoffset()
    return int(ahead.total_seconds()) // 60 if ahead is not None else 0
