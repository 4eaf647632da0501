"""`consentctl statistics`: what happened, in the same numbers as the API tells."""

import random
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Shown

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from consent_center.adapters.aws import wire
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.statistics import DynamoStatistics
from consent_center.domain.errors import InvalidFormError, UnavailableError
from consent_center.domain.statistics import WITHHELD, Table
from consent_center.usecases.statistics import Asked, read_statistics
from consent_center.web.tables import table as csv_of

UNUSABLE = 2

_RULES = {
    "date": "is a day, such as 2026-11-25",
    "before": "is before the first day",
    "too_many_days": "is more than 400 days before the last: ask for fewer",
    "group": "names some of day or month, controller, brand, purpose, source, language, each once",
    "too_fine": "gives more than 10,000 rows: ask for fewer days, or group by less",
}


def statistics(
    first: Annotated[str, typer.Option("--from", help="The first day (UTC), such as 2026-11-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="The last day; usually today.")] = "",
    purpose: Annotated[str, typer.Option(help="One purpose. Without it, all together.")] = "",
    group: Annotated[
        str, typer.Option(help="With commas: day or month; controller, brand, purpose, source, language.")
    ] = "day",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, with every measure and every day.")] = False,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Show what happened: requests, how soon they were confirmed, and decisions.

    Numbers from 1 to 4 are withheld, the others rounded to a multiple of 5.
    """
    errors = Console(stderr=True)
    deployment = Deployment(stack, local)
    made = wire("dynamodb", deployment.environment(), clock=_now, pause=_pause)
    try:
        found = read_statistics(
            Asked(first, last, purpose, group),
            policy=None,
            statistics=DynamoStatistics(Database(made), deployment.output("StatisticsTable"), _pause),
            clock=_now,
        )
    except InvalidFormError as error:
        field, rule = next(iter(error.fields.items()))
        errors.print(f"--{field} {_RULES[rule]}.", markup=False)
        raise typer.Exit(UNUSABLE) from None
    except UnavailableError as error:
        errors.print(f"The statistics cannot be read: {error}.", markup=False)
        raise typer.Exit(UNUSABLE) from None
    finally:
        made.connections.close()
    if as_csv:
        # The file says by itself where its lines end.
        print(csv_of(found.lines()), end="")
    else:
        _show(found)


def _show(found: Table) -> None:
    """A table without the measures, and without the rows, that are all zeros."""
    console = Console()
    title = f"{found.first} to {found.last} (UTC)"
    told = found.total.told
    measures = [measure for measure in found.measures if told[measure] != 0]
    if not measures:
        console.print(f"Nothing was counted from {title}.")
        return
    shown = Shown(title=title, caption=f"{WITHHELD}: from 1 to 4; the others are rounded to a multiple of 5")
    for name in found.group:
        shown.add_column(name, overflow="fold")
    for measure in measures:
        shown.add_column(measure.replace("_", " "), justify="right", overflow="fold")
    rows = [row for row in found.rows if any(row.counts[measure] for measure in measures)]
    for row in rows:
        shown.add_row(*(name or "-" for name in row.names), *(_cell(row.told[measure]) for measure in measures))
    shown.add_section()
    shown.add_row("all", *[""] * (len(found.group) - 1), *(_cell(told[measure]) for measure in measures))
    console.print(shown)


def _cell(number: int | None) -> str:
    return WITHHELD if number is None else f"{number:,}" if number else "·"


def _now() -> int:
    return time.time_ns() // 1_000_000


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, 0.05 * 2 ** min(attempt, 4)))  # noqa: S311 - jitter is no secret
