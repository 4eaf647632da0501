"""`consentctl cases`: rights requests as staff follow and decide them, and the files that they collect by hand."""

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from cli.evidence import Adapters, compiled_policy
from cli.imports import SHIPPED_POLICY
from cli.ledger import BadInputError
from consent_center.config import Config
from consent_center.domain.case import CaseState, Right
from consent_center.domain.deadline import CaseDays
from consent_center.domain.errors import (
    ClosedCaseError,
    DomainError,
    ForbiddenStepError,
    InvalidFormError,
    SettledTaskError,
    StaleCaseError,
    UnavailableError,
    UnknownCaseError,
)
from consent_center.domain.recipient import LARGEST_FILES, GivenFile, TaskState
from consent_center.usecases.answers_of_recipients import hand_in, note_answer, try_again
from consent_center.usecases.staff_cases import LONGEST_LIST, Refusal, Step, Wanted, list_cases, look_into, take_step

app = typer.Typer(help="Rights requests of people.", no_args_is_help=True)

CLIENT = "operator"
"""Who it was, in the log of a case."""

REFUSED, NOT_DONE = 1, 2

_WRITTEN = ("address", "details", "new_address", "corrections")
"""What is known about the person that staff need; files from recipients go into the package alone."""

_RULES = {
    "required": "is required here",
    "unknown": "is not one of those that there are",
    "address": "is no e-mail address",
    "too_long": "is too long",
    "characters": "has characters that nobody can read",
    "not_for_this_right": "is not for a request of this type",
    "not_collected": "belong to what was to be collected and is done",
    "file_name": "have names of letters, digits, hyphens and underscores, and one ending, such as customer-17.pdf",
    "twice": "have each another name, in small and in capital letters",
    "not_utf8": "that are tables (.csv) must be UTF-8, so that their cells can be made harmless",
    "too_large": "have at most 262,144 bytes, are 100 at most, and fit into the case: give the rest another way",
}

console = Console(stderr=True)

_Case = Annotated[str, typer.Argument(help="The request's id, as the list shows it.")]
_Reason = Annotated[str, typer.Option(help="Why, without personal data; the person reads it where they are told.")]


@app.callback()
def cases() -> None:
    """Rights requests of people."""


def case_services(deployment: Deployment) -> Adapters:
    """The adapters of rights requests, with the operator's own rights; to be closed."""
    return Adapters(
        Config(
            {
                **deployment.environment(),
                "CASES_TABLE": deployment.output("CasesTable"),
                "CASE_KEYS_TABLE": deployment.resources("AWS::DynamoDB::Table")["CaseKeysTable"],
                "CASE_STEPS_QUEUE_URL": deployment.output("CaseStepsQueue"),
            }
        )
    )


@app.command("list")
def list_open(
    right: Annotated[Right | None, typer.Option("--type", help="Those of one right only.")] = None,
    state: Annotated[CaseState | None, typer.Option(help="Those in one state only.")] = None,
    controller: Annotated[str | None, typer.Option(help="Those of one controller only, by its id.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="At most so many.")] = LONGEST_LIST,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Show the open requests, the first to be answered first. Nobody is named."""
    table = Table()
    for name in ("id", "number", "controller", "type", "state", "received", "answer by", "by the stricter reading"):
        table.add_column(name, overflow="fold")
    with _working(stack, local) as services:
        unreadable: list[str] = []
        cursor, left = "", most
        while left:
            page = list_cases(services.cases, cursor=cursor, controller=controller, right=right, state=state, most=left)
            for case in page.cases:
                days = (_time(case.received_at), case.answer_by, case.strict_answer_by)
                table.add_row(case.id, case.number, case.contact.controller, case.right, case.state, *days)
            unreadable += page.unreadable
            cursor, left = page.cursor, left - len(page.cases)
            if not cursor:
                break
    Console().print(table if table.row_count else "No such request is open.")
    if unreadable:
        console.print(f"These cannot be read, whatever they are: {', '.join(unreadable)}.", style="red", markup=False)


@app.command("show")
def show(
    case: _Case,
    person_to: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="A new file for who it is and what they wrote, readable by you alone."),
    ] = None,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Show one request: how it stands, what each recipient was asked and said, and what happened."""
    with _working(stack, local) as services:
        file, particulars = look_into(
            case, with_particulars=person_to is not None, cases=services.cases, particulars=services.particulars
        )
    found = file.case
    out = Console()
    out.print(f"{found.number}, {found.right}: {found.state}, version {found.version}, to answer by {found.answer_by}")
    tasks = Table("recipient", "is to", "state", "tries", "told", "answered", "answer", "reason")
    for task in file.tasks:
        times = (_time(task.told_at), _time(task.answered_at))
        tasks.add_row(
            task.recipient, task.verb, task.state, str(task.tries), *times, escape(task.answer), escape(task.reason)
        )
    log = Table("at", "what", "by", "facts")
    for line in file.log:
        log.add_row(_time(line.at), line.what, escape(line.by), escape(json.dumps(dict(line.facts), default=str)))
    out.print(*([tasks] if file.tasks else []), log)
    if person_to is not None:
        _write(person_to, particulars)


@app.command("answer")
def answer(
    case: _Case,
    recipient: Annotated[str, typer.Argument(help="The recipient's id in the policy.")],
    state: Annotated[str, typer.Option(help="What became of it: done, nothing_held, or impossible with a reason.")],
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", exists=True, dir_okay=False, help="With done of a collect: a file for the person."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it is impossible or disproportionate; the person reads it.")] = "",
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Say what became of what a recipient was asked by hand, with the files that you collected there."""
    said = {one.value: one for one in (TaskState.DONE, TaskState.NOTHING_HELD, TaskState.IMPOSSIBLE)}.get(state)
    if said is None:
        raise typer.BadParameter("--state is done, nothing_held or impossible")
    if files and said is not TaskState.DONE:
        raise typer.BadParameter("--file goes with --state done")
    given = [_read(path) for path in files or ()]
    by = f"staff:{CLIENT}"
    with _working(stack, local) as services:
        ports: dict[str, Any] = {"cases": services.cases, "orders": services.case_orders, "clock": services.clock}
        if given:
            is_new = hand_in(case, recipient, given, by=by, particulars=services.particulars, **ports)
        else:
            is_new = note_answer(case, recipient, said, "manual", by=by, reason=reason.strip(), **ports)
    print("Noted." if is_new else "That was noted before.")


@app.command("redrive")
def redrive(
    case: _Case,
    recipient: Annotated[str, typer.Argument(help="The recipient's id in the policy.")],
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Have a recipient asked once more that was given up. It knows the request, so that nothing is done twice."""
    with _working(stack, local) as services:
        try_again(
            case,
            recipient,
            by=f"staff:{CLIENT}",
            cases=services.cases,
            orders=services.case_orders,
            clock=services.clock,
        )
    print("It is asked again.")


@app.command("move")
def move(
    case: _Case,
    step: Annotated[Step, typer.Argument(help="The step to take; docs/api.md says what each does and needs.")],
    version: Annotated[int, typer.Option(min=1, help="The version that `show` showed: what you decide on.")],
    reason: _Reason = "",
    ground: Annotated[Refusal | None, typer.Option(help="Of a refusal.")] = None,
    corrections: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="To start a rectification: a file with the right values by field, as JSON.",
        ),
    ] = None,
    policy: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The policy's folder.")] = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Take a step in a request, if it is still as you saw it."""
    wanted = Wanted(step, version, reason.strip(), ground, _corrections(corrections))
    try:
        with TemporaryDirectory() as out:
            compiled = compiled_policy(policy, Path(out))
    except BadInputError as error:
        raise typer.BadParameter(str(error)) from None
    with _working(stack, local) as services:
        moved = take_step(
            case,
            wanted,
            client=CLIENT,
            cool_off_hours=compiled.rights.cool_off_hours,
            days=CaseDays(compiled),
            policy=compiled,
            cases=services.cases,
            particulars=services.particulars,
            orders=services.case_orders,
            addresses=services.addresses,
            chance=services.chance,
            clock=services.clock,
        )
    print(f"{moved.number} is {moved.state}, version {moved.version}.")


@contextmanager
def _working(stack: str, local: int) -> Iterator[Adapters]:
    """The services; what goes wrong ends the program with one line."""
    try:
        with closing(case_services(Deployment(stack, local))) as services:
            yield services
    except (UnavailableError, BotoCoreError, ClientError) as error:
        console.print(f"Not done: {type(error).__name__}. Run it again.", style="red")
        raise typer.Exit(NOT_DONE) from None
    except DomainError as error:
        console.print(_why(error), style="red", markup=False)
        raise typer.Exit(REFUSED) from None


def _why(error: DomainError) -> str:
    match error:
        case UnknownCaseError():
            return "There is no such request, or it has asked no such recipient."
        case StaleCaseError():
            return "The request has changed since the version that you named. Look at it again, and decide again."
        case ForbiddenStepError():
            return f"A request that is {error.state} does not become {error.wanted}."
        case ClosedCaseError():
            return "The request is closed."
        case SettledTaskError():
            return "The recipient's task is settled, and says something else."
        case InvalidFormError():
            field, rule = next(iter(error.fields.items()))
            return f"{'Files' if field == 'files' else f'--{field}'} {_RULES.get(rule, f'does not do: {rule}')}."
    raise error


def _read(path: Path) -> GivenFile:
    with path.open("rb") as file:
        # What is longer is refused by its length, and need not be read.
        return GivenFile(path.name, file.read(LARGEST_FILES + 1))


def _corrections(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        said = json.loads(path.read_text("utf-8"))
    except ValueError:
        said = None
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise typer.BadParameter("--corrections is a file with a JSON object of texts by field")
    return said


def _write(path: Path, particulars: Any) -> None:
    if particulars is None:
        console.print("What was known about the person is shredded.")
        return
    text = json.dumps({name: particulars[name] for name in _WRITTEN if name in particulars}, ensure_ascii=False)
    try:
        with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(text + "\n")
    except OSError as error:
        console.print(f"The file could not be written: {type(error).__name__}.", style="red")
        raise typer.Exit(NOT_DONE) from None


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(sep=" ", timespec="minutes")[:16] if at else ""
