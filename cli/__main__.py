"""consentctl: what operators do by hand. Each group of commands is a module of its own."""

import typer

from cli import doctor, jobs, ledger, person, policy
from cli.evidence import evidence
from cli.imports import import_list

app = typer.Typer(
    name="consentctl",
    help="Check the policy, verify evidence and look after a deployment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def consentctl() -> None:
    """Check the policy, verify evidence and look after a deployment."""


app.add_typer(policy.app, name="policy")
app.add_typer(ledger.app, name="ledger")
app.add_typer(jobs.app, name="jobs")
app.add_typer(doctor.app, name="doctor")
app.add_typer(person.app, name="person")
app.command("import")(import_list)
app.command("evidence")(evidence)


if __name__ == "__main__":
    app(prog_name="consentctl")
