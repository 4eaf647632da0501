"""`consentctl person`: what an operator does about one person, on that person's word."""

import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from cli.evidence import compiled_policy, controller_meant, operators_services
from cli.imports import SHIPPED_POLICY
from cli.ledger import BadInputError
from consent_center.adapters.addresses import parse_address
from consent_center.domain.errors import InvalidAddressError, UnavailableError
from consent_center.usecases.suppress import erase

app = typer.Typer(help="What an operator does about one person.", no_args_is_help=True)

SOURCE = "operator"

console = Console(stderr=True)


@app.callback()
def person() -> None:
    """What an operator does about one person."""


@app.command("erase")
def erase_person(
    keep_fingerprint: Annotated[
        bool,
        typer.Option(
            "--keep-fingerprint/--remove-everything",
            help="What the person chose: to be kept from coming back by an old list, or to leave nothing.",
        ),
    ],
    address_file: Annotated[
        typer.FileText | None, typer.Option(help="A file with the address; - reads it from standard input.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    controller: Annotated[
        str | None, typer.Option(help="Whose records: its id; needed where the policy has several.")
    ] = None,
    policy: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The policy's folder.")] = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Remove all that is held of one address, but the entries of its ledger, which then lead to nobody.

    The address is asked for, or read from a file: never an argument, because a shell remembers those. Running it
    again is harmless and finishes what was cut short. Ends with 2 if that is needed.
    """
    try:
        text = address_file.readline() if address_file else typer.prompt("Address", hide_input=not sys.stdin.isatty())
        address = parse_address(text.strip())
        with TemporaryDirectory() as out:
            compiled = compiled_policy(policy, Path(out))
        whose = controller_meant(compiled, controller)
        if not yes:
            typer.confirm("All that is held of this address goes, and nothing brings it back. Erase it?", abort=True)
        with closing(operators_services(Deployment(stack, local))) as services:
            was_held = erase(
                address,
                keep_fingerprint=keep_fingerprint,
                source=SOURCE,
                client=SOURCE,
                controller=whose,
                policy=compiled,
                subjects=services.subjects,
                secrets=services.secrets,
                chance=services.chance,
                clock=services.clock,
                pause=services.pause,
            )
    except InvalidAddressError:
        raise typer.BadParameter("this is no address that a letter can reach") from None
    except BadInputError as error:
        raise typer.BadParameter(str(error)) from None
    except (UnavailableError, BotoCoreError, ClientError) as error:
        console.print(f"Not finished: {type(error).__name__}. Run it again.", style="red")
        raise typer.Exit(2) from None
    kept = "a fingerprint is kept" if keep_fingerprint else "no fingerprint is kept but one that was there before"
    print(f"Erased; {kept}." if was_held else "Nothing is held at this address.")
