"""Jobs that run by the clock, run now."""

import json
from typing import Annotated, Any

import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption

app = typer.Typer(help="Jobs that run by the clock.", no_args_is_help=True)

_LONGEST_SECONDS = 900

_FUNCTIONS = {
    "seal": "RetentionWorkerFunction",
    "review": "ExpiryWorkerFunction",
    "audience": "AudienceWorkerFunction",
    "rights": "RightsWorkerFunction",
}
"""Outputs that name the function of a job."""


@app.callback()
def jobs() -> None:
    """Jobs that run by the clock."""


@app.command("run")
def run(
    name: Annotated[str, typer.Argument(help="The job: seal, review, audience or rights.")],
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
    now: Annotated[bool, typer.Option("--now", help="Changes nothing: a job is always run now.")] = False,  # noqa: ARG001 - a word that people add
) -> None:
    """Run a job now and wait for its summary. Running one twice is harmless."""
    if name not in _FUNCTIONS:
        raise typer.BadParameter(f"there is no such job; there are {', '.join(_FUNCTIONS)}")
    deployment = Deployment(stack, local)
    console = Console(stderr=True)
    # One try: while an answer is waited for, the job is running.
    patient = Config(read_timeout=_LONGEST_SECONDS + 10, retries={"total_max_attempts": 1})
    try:
        with console.status(f"Running {name}"):
            answer = deployment.client("lambda", patient).invoke(
                FunctionName=deployment.output(_FUNCTIONS[name]), Payload=json.dumps({"job": name}).encode()
            )
            result: Any = json.loads(answer["Payload"].read())
    except (BotoCoreError, ClientError) as error:
        console.print(f"The job could not be run: {type(error).__name__}.", style="red")
        raise typer.Exit(2) from None
    if "FunctionError" in answer:
        kind = result.get("errorType", "an error") if isinstance(result, dict) else "an error"
        console.print(f"The job {name} failed with {kind}; the function's log says why.", style="red")
        raise typer.Exit(1)
    print(json.dumps(result))
