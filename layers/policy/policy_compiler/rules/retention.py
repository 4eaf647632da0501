"""How long everything is kept, and the days by which that and other periods end."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib import resources

from policy_compiler import calendars, periods, shape, source
from policy_compiler.policy import Policy
from policy_compiler.problems import Problem
from policy_compiler.rules.rule import Finding, policy_rule
from policy_compiler.source import child


@policy_rule()
def keeping_ends(policy: Policy) -> Iterator[Finding | Problem]:
    """Every retention rule has an end, and a hold also says whose interest it serves."""
    for pointer, _, rule in policy.rows("retention_rules"):
        has_clock = rule["clock"] != "none"
        if "period" not in rule and (has_clock or rule.get("hold")):
            yield f"{pointer}/period", "The rule has no end.", "Add “period”, such as 6 months."
        if "period" in rule and not has_clock:
            yield f"{pointer}/clock", "A period needs an event to count from.", "Name the clock, or remove the period."
        if rule.get("hold") and "justification" not in rule:
            yield f"{pointer}/justification", "A hold needs its reason.", "Say whose interest the hold serves and why."
        if "never_sent" in rule and rule["clock"] != "last_send":
            yield f"{pointer}/never_sent", "Only a last send can be missing.", "Remove it, or write “clock: last_send”."


@policy_rule()
def long_periods_are_justified(policy: Policy) -> Iterator[Finding | Problem]:
    """A period above an authority's figure has a justification, a signer and a review date."""
    for pointer, _, rule in policy.rows("retention_rules"):
        for figure in figures().values():
            applies = figure["jurisdiction"] in ("EU", *policy.data["jurisdictions"])
            if not applies or figure["covers"] != rule["covers"]:
                continue
            for key, limit in (("period", figure["at_most"]), ("never_sent", figure.get("never_sent"))):
                if key in rule and limit and _is_longer(rule[key], limit):
                    for missing in ("justification", "signed_by", "review_on"):
                        if missing not in rule:
                            what = f"“{rule[key]}” is longer than the authority's {limit} ({figure['source']})."
                            yield f"{pointer}/{missing}", what, f"Add “{missing}”, or shorten “{key}” to {limit}."


def _is_longer(period: str, limit: str) -> bool:
    return periods.longest_days(periods.parse(period)) > periods.longest_days(periods.parse(limit))


@cache
def figures() -> dict[str, dict[str, str]]:
    """What authorities have said about periods, with the source, by id."""
    file = resources.files("policy_compiler").joinpath("authority_figures.yaml")
    found: dict[str, dict[str, str]] = source.parse(file.read_text(encoding="utf-8"), file.name).data
    return found


@policy_rule()
def waiting_agrees(policy: Policy) -> Iterator[Finding | Problem]:
    """Unconfirmed requests are kept exactly as long as they wait."""
    waiting = policy.data["periods"]["pending"]
    for pointer, _, rule in policy.rows("retention_rules"):
        if rule["covers"] == "pending" and periods.parse(rule["period"]) != periods.parse(waiting):
            what = f"“{rule['period']}” differs from “pending: {waiting}” under periods."
            yield f"{pointer}/period", what, "Write the same period in both places."


@policy_rule()
def rights_files_end(policy: Policy) -> Iterator[Finding | Problem]:
    """One rule says how long the file of a rights request is kept from its closing, and one what is in it."""
    for kind in ("rights-file", "rights-payload"):
        found = [(pointer, rule) for pointer, _, rule in policy.rows("retention_rules") if rule["covers"] == kind]
        if not found:
            mend = f"Add a rule with “covers: {kind}” and “clock: closing”."
            yield "/retention_rules", f"Nothing says how long a {kind} is kept.", mend
        elif found[0][1]["clock"] != "closing":
            pointer = f"{found[0][0]}/clock"
            yield pointer, "The file of a request is kept from the day it was closed.", "Write “clock: closing”."


@policy_rule(warns=True)
def reviews_are_not_overdue(policy: Policy) -> Iterator[Finding | Problem]:
    """The review date of a retention rule lies ahead."""
    for pointer, _, rule in policy.rows("retention_rules"):
        if rule["review_on"] < policy.today.isoformat():
            what = f"The review was due on {rule['review_on']}."
            yield f"{pointer}/review_on", what, "Review the period with the signer, and write the next date."


@policy_rule()
def holidays_are_known(policy: Policy) -> Iterator[Finding | Problem]:
    """The public holidays of every jurisdiction are known, because a period that ends on one ends later."""
    subdivisions = policy.data.get("rights", {}).get("subdivisions", {})
    for country in calendars.countries(policy.data):
        parts = calendars.subdivisions_of(country)
        if parts is None:
            yield "/jurisdictions", f"No public holidays are known for {country}.", "Correct the country."
        elif country in subdivisions and subdivisions[country] not in parts:
            where = child("/rights/subdivisions", country)
            yield where, f"“{subdivisions[country]}” is no part of {country}.", f"Known are {', '.join(parts)}."
    for country in subdivisions:
        if country not in calendars.countries(policy.data):
            where = child("/rights/subdivisions", country)
            yield where, f"“{country}” is not under jurisdictions.", f"Add “{country}” under jurisdictions."


@policy_rule()
def closing_days_exist(policy: Policy) -> Iterator[Finding | Problem]:
    """Every closing day is in the calendar, and some day of the year is none."""
    days = policy.data.get("rights", {}).get("closing_days", [])
    for index, day in enumerate(days):
        try:
            date.fromisoformat(day if len(day) > 5 else f"2024-{day}")
        except ValueError:
            where = child("/rights/closing_days", index)
            yield where, f"“{day}” is not a day of the calendar.", "Correct the date."
    if len(days) > 60:
        yield "/rights/closing_days", "That is most of the working days.", "List at most 60 days."


@policy_rule()
def dates_exist(policy: Policy) -> Iterator[Finding | Problem]:
    """Every date is in the calendar."""
    written = [*shape.each("date", policy.data)]
    written += [(pointer, key[:10]) for pointer, key, _ in policy.rows("notices")]
    for pointer, day in written:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield pointer, f"“{day}” is not a day of the calendar.", "Correct the date."
