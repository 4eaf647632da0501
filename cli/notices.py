"""Editions of the notice: how many people one reaches."""

import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from cli.evidence import Adapters, compiled_policy
from cli.imports import SHIPPED_POLICY
from cli.ledger import BadInputError
from consent_center.config import Config
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.usecases.notices import count_reach

app = typer.Typer(help="Editions of the notice.", no_args_is_help=True)


@app.callback()
def notices() -> None:
    """Editions of the notice."""


@app.command("count")
def count(
    version: Annotated[str, typer.Argument(help="The edition, such as 2026-11-22.")],
    since: Annotated[
        datetime,
        typer.Option("--in-force-from", help="When people began to be shown it, in UTC: the time of the deployment."),
    ],
    policy: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The policy's folder.")] = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Count who has to be told of an edition, who has to be asked again, and who is left in peace. Sends nothing."""
    try:
        with tempfile.TemporaryDirectory() as out:
            compiled = compiled_policy(policy, Path(out))
        deployment = Deployment(stack, local)
        settings = {**deployment.environment(), "SUBJECTS_TABLE": deployment.output("SubjectsTable")}
        with (
            closing(Adapters(Config(settings))) as services,
            Console(stderr=True).status("Reading every record"),
        ):
            found = count_reach(
                version,
                in_force_from=int(since.replace(tzinfo=UTC).timestamp() * 1000),
                policy=compiled,
                subjects=services.subjects,
                listing=services.listing,
                clock=services.clock,
            )
    except BadInputError as error:
        _end(str(error))
    except UnknownNameError:
        _end("The policy has no such edition.")
    except (UnavailableError, BotoCoreError, ClientError) as error:
        _end(f"The records could not be read: {type(error).__name__}.")
    table = Table("controller", "told", "asked again", "left in peace")
    for one in found:
        table.add_row(one.controller, str(one.told), str(one.asked_again), str(one.left_in_peace))
    Console().print(table)


def _end(why: str) -> NoReturn:
    Console(stderr=True).print(why, style="red", markup=False)
    raise typer.Exit(2)
