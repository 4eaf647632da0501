"""consentctl: what operators do by hand. Each group of commands is a module of its own."""

import typer

from cli import audience, cases, dead_letters, doctor, form, jobs, ledger, notices, peppers, person, policy, restore
from cli.counted import statistics
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
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(audience.app, name="audience")
app.add_typer(notices.app, name="notices")
app.add_typer(cases.app, name="cases")
app.add_typer(form.app, name="form")
app.add_typer(doctor.app, name="doctor")
app.add_typer(peppers.app, name="peppers")
app.add_typer(person.app, name="person")
app.add_typer(restore.app, name="restore")
app.command("import")(import_list)
app.command("evidence")(evidence)
app.command("statistics")(statistics)


if __name__ == "__main__":
    app(prog_name="consentctl")
