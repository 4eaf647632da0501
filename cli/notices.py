"""Editions of the notice: whom one reaches, telling them, and who was told."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from cli.evidence import Adapters, compiled_policy
from cli.imports import SHIPPED_POLICY
from cli.ledger import BadInputError
from consent_center.config import Config
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.domain.policy import Policy
from consent_center.usecases.notices import Reach, announce_edition, count_reach, log_of_telling

app = typer.Typer(help="Editions of the notice.", no_args_is_help=True)

VersionArgument = Annotated[str, typer.Argument(help="The edition, such as 2026-11-22.")]
SinceOption = Annotated[
    datetime,
    typer.Option("--in-force-from", help="When people began to be shown it, in UTC: the time of the deployment."),
]
PolicyOption = Annotated[Path, typer.Option(exists=True, file_okay=False, help="The policy's folder.")]


@app.callback()
def notices() -> None:
    """Editions of the notice."""


@app.command("count")
def count(
    version: VersionArgument,
    since: SinceOption,
    policy: PolicyOption = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Count who has to be told of an edition, who has to be asked again, and who is left in peace. Sends nothing."""
    with _records(policy, stack, local) as (compiled, services):
        _show(_count(version, since, compiled, services))


@app.command("announce")
def announce(
    version: VersionArgument,
    since: SinceOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before letters are ordered.")] = False,
    policy: PolicyOption = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Write to everybody who has to hear of an edition: one letter each, however often this is run.

    Whoever withdrew, refused or objected, is suppressed or locked, or takes no mail, gets none; that is looked at again
    when each letter is written.
    """
    with _records(policy, stack, local) as (compiled, services):
        found = _count(version, since, compiled, services)
        _show(found)
        letters = sum(one.told + one.asked_again for one in found)
        if dry_run or not letters:
            return
        if not yes and not typer.confirm(f"Order {letters} letters now?"):
            raise typer.Exit(1)
        with Progress(console=Console(stderr=True)) as progress:
            task = progress.add_task("Ordering letters", total=letters + sum(one.left_in_peace for one in found))
            ordered = announce_edition(
                version,
                in_force_from=_ms(since),
                policy=compiled,
                subjects=services.subjects,
                listing=services.listing,
                outbox=services.outbox,
                clock=services.clock,
                progress=lambda: progress.advance(task),
            )
    Console().print(f"{ordered} letters ordered. Run “notices log” to see who was told.", markup=False)


@app.command("log")
def log(
    version: VersionArgument,
    since: SinceOption,
    policy: PolicyOption = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Show how many were told of an edition and asked again, by day, and how many are still to be told."""
    with _records(policy, stack, local) as (compiled, services), Console(stderr=True).status("Reading every chain"):
        found = log_of_telling(
            version,
            in_force_from=_ms(since),
            policy=compiled,
            subjects=services.subjects,
            listing=services.listing,
            ledger=services.ledger,
            clock=services.clock,
        )
    table = Table("day (UTC)", "told", "asked again")
    for day in found.days:
        table.add_row(day.day, str(day.told), str(day.asked_again))
    Console().print(table)
    Console().print(f"still to be told: {found.untold}\nleft in peace: {found.left_in_peace}", markup=False)


@contextmanager
def _records(folder: Path, stack: str, local: int) -> Iterator[tuple[Policy, Adapters]]:
    """The policy of a folder, and every record with the operator's own rights; ends the program with a line."""
    try:
        with tempfile.TemporaryDirectory() as out:
            compiled = compiled_policy(folder, Path(out))
        deployment = Deployment(stack, local)
        settings = {
            **deployment.environment(),
            "SUBJECTS_TABLE": deployment.output("SubjectsTable"),
            "LEDGER_TABLE": deployment.output("LedgerTable"),
            "LETTERS_QUEUE_URL": deployment.resources("AWS::SQS::Queue")["LettersQueue"],
        }
        with closing(Adapters(Config(settings))) as services:
            yield compiled, services
    except BadInputError as error:
        _end(str(error))
    except UnknownNameError:
        _end("The policy has no such edition.")
    except (UnavailableError, BotoCoreError, ClientError) as error:
        _end(f"Not everything could be read or ordered: {type(error).__name__}. Run the same command again.")


def _count(version: str, since: datetime, policy: Policy, services: Adapters) -> list[Reach]:
    with Console(stderr=True).status("Reading every record"):
        return count_reach(
            version,
            in_force_from=_ms(since),
            policy=policy,
            subjects=services.subjects,
            listing=services.listing,
            clock=services.clock,
        )


def _show(found: list[Reach]) -> None:
    table = Table("controller", "told", "asked again", "left in peace")
    for one in found:
        table.add_row(one.controller, str(one.told), str(one.asked_again), str(one.left_in_peace))
    Console().print(table)


def _ms(since: datetime) -> int:
    return int(since.replace(tzinfo=UTC).timestamp() * 1000)


def _end(why: str) -> NoReturn:
    Console(stderr=True).print(why, style="red", markup=False)
    raise typer.Exit(2)
