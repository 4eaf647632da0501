"""consentctl: what operators do by hand. Each group of commands is a module of its own."""

import typer

from cli import doctor, policy

app = typer.Typer(
    name="consentctl",
    help="Check the policy, verify evidence and look after a deployment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(policy.app, name="policy")
app.add_typer(doctor.app, name="doctor")


@app.callback()
def consentctl() -> None:
    """Check the policy, verify evidence and look after a deployment."""


if __name__ == "__main__":
    app()
