"""`consentctl form`: the sign-up form of a brand for somebody's own site."""

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from cli.evidence import compiled_policy
from cli.imports import SHIPPED_POLICY
from cli.ledger import BadInputError
from consent_center.domain.errors import UnknownNameError
from consent_center.texts import Texts
from consent_center.web.embedded import embedded_form

app = typer.Typer(help="Sign-up forms for your own site.", no_args_is_help=True)


@app.callback()
def form() -> None:
    """Sign-up forms for your own site."""


@app.command("html")
def html(
    brand: Annotated[str, typer.Option(help="Whose form: a brand's id; left out: that of the policy's form.")] = "",
    language: Annotated[str, typer.Option(help="Left out: the policy's default.")] = "",
    topic: Annotated[list[str] | None, typer.Option(help="Offer this topic; may be given again. Else all.")] = None,
    url: Annotated[str, typer.Option(help="Where the pages are, such as https://consent.example.com.")] = "",
    policy: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The policy's folder.")] = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Print a form to copy into a page of yours. It needs no script, and looks as your page makes it look.

    Whoever presses its button comes to our page with what they entered, and stores it with one more press there.
    """
    try:
        with tempfile.TemporaryDirectory() as out:
            compiled = compiled_policy(policy, Path(out))
        whose = brand or compiled.default_brand.id
        if whose not in compiled.forms:
            raise BadInputError(f"Forms are there for the brands {', '.join(compiled.forms)}.")
        if language and language not in compiled.languages:
            raise BadInputError(f"The policy speaks {', '.join(compiled.languages)}.")
        printed = embedded_form(
            compiled.forms[whose],
            compiled,
            Texts(),
            language or compiled.default_language,
            base_url=(url or _where(Deployment(stack, local))).rstrip("/"),
            now=time.time_ns() // 1_000_000,
            topics=topic or (),
        )
    except BadInputError as error:
        raise typer.BadParameter(str(error)) from None
    except UnknownNameError:
        raise typer.BadParameter("the form offers no such topic", param_hint="--topic") from None
    print(printed, end="")


def _where(deployment: Deployment) -> str:
    """Where the pages of a deployment are: at the address that its letters name, or at its API's."""
    return deployment.parameters.get("PublicUrl") or deployment.output("ApiUrl")
