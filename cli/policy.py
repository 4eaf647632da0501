"""consentctl policy: check, publish and compare the policy, see what an edit would do, and write the register."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cli import exports, simulation
from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from consent_center.domain.notice import Kind, Line, SectionChange, common_language, difference
from consent_center.domain.policy import Policy
from policy_compiler import compiler, library, notices, register
from policy_compiler import policy as sources
from policy_compiler.problems import PolicyError, Problem

app = typer.Typer(help="Check, publish and compare the privacy policy.", no_args_is_help=True)

FolderOption = Annotated[Path, typer.Option("--policy", metavar="DIR", help="The folder with policy.yaml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]

ROOT = Path(__file__).parents[1]
DEFAULT_FOLDER = ROOT / "layers" / "policy"

SOMEBODY_GAINS = 3
"""The status of a simulation in which an edit of the policy gives permissions that nobody gave."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def _today() -> date:
    return datetime.now(UTC).date()


def _table(*head: str) -> Table:
    found = Table(show_lines=True, title_justify="left")
    for one in head:
        found.add_column(one, overflow="fold")
    return found


# ---- check and publish ----------------------------------------------------------------------------------


def _row(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "pointer": problem.pointer,
        "what": problem.what,
        "mend": problem.mend,
        "rule": problem.rule,
        "is_warning": problem.is_warning,
    }


def _show_problems(problems: list[Problem], console: Console) -> None:
    if not problems:
        return
    table = _table("where", "what", "mend", "rule")
    for one in problems:
        kind = "warning: " if one.is_warning else ""
        where = f"{one.file}:{one.line}\n{one.pointer}"
        table.add_row(*map(Text, (where, f"{kind}{one.what}", one.mend, one.rule)))
    console.print(table)


@contextmanager
def _refusals_shown() -> Iterator[None]:
    """Ends the command with the table of problems and status 1 where the policy cannot be used."""
    try:
        yield
    except PolicyError as error:
        _show_problems(error.problems, Console(stderr=True))
        raise typer.Exit(1) from None


@app.command()
def check(policy: FolderOption = DEFAULT_FOLDER, as_json: JsonOption = False) -> None:
    """Check the policy as a deployment does. Status 1 when it has errors; warnings are shown and do not count."""
    try:
        problems, done = compiler.compile_policy(policy, None, _today())
    except PolicyError as error:
        problems, done = error.problems, None
    if as_json:
        print(json.dumps({"ok": done is not None, "says": done, "problems": [_row(one) for one in problems]}, indent=2))
    else:
        console = Console()
        _show_problems(problems, console)
        errors = sum(not one.is_warning for one in problems)
        console.print(Text(done or f"{errors} {'error' if errors == 1 else 'errors'}"))
    if done is None:
        raise typer.Exit(1)


@app.command()
def rules(as_json: JsonOption = False) -> None:
    """List the named retention rules that a policy may choose from; one whose review is overdue is marked."""
    today, found = _today().isoformat(), library.rules()
    if as_json:
        print(json.dumps([{**asdict(one), "is_overdue": one.review_on < today} for one in found], indent=2))
        return
    table = _table("rule", "kept", "source", "signed by", "review")
    for one in found:
        never = f"; never sent anything: {one.never_sent}" if one.never_sent else ""
        review = f"{one.review_on}, overdue" if one.review_on < today else one.review_on
        kept = f"{one.covers}: {one.period} after {one.clock}{never}"
        signed = one.signed_by or "an authority's figure"
        table.add_row(
            *map(Text, (f"{one.id}\n{one.name} ({one.jurisdiction})", kept, one.legal_source, signed, review))
        )
    Console().print(table)


@app.command()
def publish(
    version: Annotated[str, typer.Argument(help="The edition, as named under notices.")],
    change: Annotated[str, typer.Option(help="Its class, once more: typo, information, material or new_purpose.")],
    policy: FolderOption = DEFAULT_FOLDER,
) -> None:
    """Publish an edition of the notice: it is written in every approved language and never changes again."""
    with _refusals_shown():
        warnings, done = compiler.publish(policy, version, change, _today())
    console = Console()
    _show_problems(warnings, console)
    console.print(Text(done))


# ---- diff -----------------------------------------------------------------------------------------------


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="An edition; left out: the one before the other.")] = "",
    after: Annotated[str, typer.Argument(help="A later edition, also one that is not published yet.")] = "",
    language: Annotated[str, typer.Option(help="The language to read; left out: the policy's default.")] = "",
    controller: Annotated[str, typer.Option(help="Whose notice: an id; needed where the policy has several.")] = "",
    policy: FolderOption = DEFAULT_FOLDER,
) -> None:
    """Show what changed between two editions of the notice, as people see it. Left out, the newest two."""
    with _refusals_shown():
        found = sources.read(policy, _today())
    tellers = notices.tellers(found.data)
    if (controller or None) not in (*tellers, *([next(iter(found.data["controllers"]))] if tellers == [None] else [])):
        raise typer.BadParameter(f"name one of {', '.join(found.data['controllers'])}", param_hint="--controller")
    whose = controller if tellers != [None] else None
    versions = list(found.data["notices"])
    after = after or versions[-1]
    if after not in versions or (before and before not in versions[: versions.index(after)]):
        raise typer.BadParameter(f"the editions are {', '.join(versions)}, oldest first")
    if not before and after == versions[0]:
        raise typer.BadParameter(f"{after} is the first edition")
    before = before or versions[versions.index(after) - 1]
    default = found.data["languages"]["default"]
    editions = [_edition(found, version, whose) for version in (before, after)]
    spoken = common_language(*editions, language or default, default)
    if spoken is None:
        raise typer.BadParameter("the two editions have no language in common")
    console = Console()
    console.print(Text(f"From edition {before} to edition {after}, in {spoken}", style="bold"))
    changed = difference(*(texts[spoken] for texts in editions))
    for section in changed:
        _show_section(section, console)
    if not changed:
        console.print("The words of the two editions are the same.")


def _edition(found: sources.Policy, version: str, controller: str | None) -> dict[str, dict[str, Any]]:
    """What a controller has of an edition by language, as it was published, or as it would be."""
    for edition in found.published.editions:
        if edition["version"] == version:
            texts = found.published.texts_for(edition, controller, found.data)
            return {language: text for language, (_, text) in texts.items() if text is not None}
    told = notices.of_controller(found.data, controller)
    return {one: notices.render(told, file.data, one, version) for one, file in found.wordings.items()}


_STYLES = {Kind.ADDED: "green underline", Kind.REMOVED: "red strike", Kind.SAME: "", Kind.CHANGED: ""}
_SIGNS = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~", Kind.SAME: " "}


def _show_section(section: SectionChange, console: Console) -> None:
    console.print()
    console.print(Text(f"{_SIGNS[section.kind]} {section.heading}", style="bold"))
    for line in section.lines:
        console.print(_shown(line))


def _shown(line: Line) -> Text:
    """A line with what went in square brackets and what came in braces, so that it can be read without colours."""
    marks = {Kind.ADDED: "{+%s+}", Kind.REMOVED: "[-%s-]", Kind.SAME: "%s", Kind.CHANGED: "%s"}
    text = Text(f"  {_SIGNS[line.kind]} ")
    if line.name:
        text.append(f"{line.name} – ")
    for index, part in enumerate(line.parts):
        text.append("; " if index else "")
        text.append(f"{part.label}: " if part.label else "")
        for piece in part.pieces:
            words = marks[piece.kind] % piece.text if line.kind is Kind.CHANGED else piece.text
            text.append(words, style=_STYLES[piece.kind])
    return text


# ---- simulate -------------------------------------------------------------------------------------------


@app.command()
def simulate(
    in_force: Annotated[
        Path, typer.Option("--in-force", help="The policy in force: a policy.json, or a folder with it or policy.yaml.")
    ],
    policy: FolderOption = DEFAULT_FOLDER,
    export: Annotated[
        str, typer.Option(help="An export of the Subjects table: a folder, or s3://bucket/prefix/AWSDynamoDB/<export>.")
    ] = "",
    as_json: JsonOption = False,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Show who would gain or lose permission under the policy in --policy. Status 3 when anybody would gain.

    Reads an export of the table, which uses none of its capacity, or the records of the local stack.
    """
    if bool(export) == bool(local):
        raise typer.BadParameter("name either --export or --local", param_hint="--export")
    with _refusals_shown():
        before, after = _policy_at(in_force), Policy(compiler.draft(policy, _today())[1])
    deployment = Deployment(stack, local)
    with exports.told_in_one_line():
        if local:
            expected, items = None, exports.pages_of(deployment.client("dynamodb"), deployment.output("SubjectsTable"))
        else:
            opened = _opened(export, deployment)
            expected, items = opened.expected, opened.items()
        simulator = simulation.Simulator(before, after, int(datetime.now(UTC).timestamp() * 1000))
        with _progress() as progress:
            task = progress.add_task("items", total=expected)
            for number, item in enumerate(items, start=1):
                simulator.take(item)
                if number % 1000 == 0:
                    progress.update(task, completed=number)
    found = simulator.found
    if as_json:
        print(json.dumps(_simulated(found, before, after), indent=2))
    else:
        _show_simulation(found, before, after, Console())
    if found.anybody_gains:
        raise typer.Exit(SOMEBODY_GAINS)


def _opened(export: str, deployment: Deployment) -> exports.Export:
    if export.startswith("s3://"):
        return exports.s3_export(export, deployment.client("s3"))
    return exports.local_export(Path(export))


def _policy_at(path: Path) -> Policy:
    """A compiled policy, or one that is compiled now."""
    if path.is_dir() and (path / sources.FILE).exists():
        return Policy(compiler.draft(path, _today())[1])
    file = path / "policy.json" if path.is_dir() else path
    try:
        return Policy(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(f"no compiled policy ({type(error).__name__})", param_hint="--in-force") from None


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _ordered(found: simulation.Simulation) -> list[tuple[simulation.Move, int]]:
    """Gains first, then the most people first."""
    return sorted(found.moves.items(), key=lambda row: (not row[0].gains, -row[1], str(row[0])))


def _simulated(found: simulation.Simulation, before: Policy, after: Policy) -> dict[str, Any]:
    edited = simulation.edits(before, after)
    return {
        "policy_in_force": before.hash,
        "policy_new": after.hash,
        "people": found.people,
        "gaining": dict(found.gaining),
        "losing": dict(found.losing),
        "moves": [{**move._asdict(), "people": count} for move, count in _ordered(found)],
        "edits": [{"purpose": purpose, "what": what} for purpose, what in edited],
        "orphaned_decisions": dict(found.orphaned),
        "other_items": found.other_items,
        "unknown_items": dict(found.unknown),
    }


def _show_simulation(found: simulation.Simulation, before: Policy, after: Policy, console: Console) -> None:
    console.print(Text(f"{found.people} people, policy {before.hash[:12]} in force, {after.hash[:12]} new"))
    for purpose, what in simulation.edits(before, after):
        console.print(Text(f"  {purpose}: {what}"))
    if found.moves:
        table = _table("", "people", "purpose", "topic", "channel", "in force", "new")
        for move, count in _ordered(found):
            change = Text("gain", style="bold red") if move.gains else Text("lose")
            row = (str(count), move.purpose, move.topic or "(any)", move.channel, move.before, move.after)
            table.add_row(change, *map(Text, row))
        console.print(table)
    else:
        console.print("Nobody would gain or lose a permission.")
    for code, count in sorted(found.orphaned.items()):
        console.print(
            Text(f"{count} decisions under the code {code}, which the new policy lacks: nobody can withdraw them")
        )
    for kind, count in sorted(found.unknown.items()):
        console.print(Text(f"{count} items that this version cannot read: {kind}", style="bold yellow"))
    for purpose, count in sorted(found.gaining.items()):
        words = f"{purpose}: {count} people would gain what they never gave. An edit of the policy must not do that."
        console.print(Text(words, style="bold red"))


# ---- register of processing -----------------------------------------------------------------------------


@app.command()
def ropa(
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV for a spreadsheet; formulas are written as text.")] = False,
    as_json: JsonOption = False,
    language: Annotated[str, typer.Option(help="An approved language; left out: the policy's default.")] = "",
    policy: FolderOption = DEFAULT_FOLDER,
) -> None:
    """Write the register of processing activities (GDPR Art. 30) that the policy amounts to."""
    if as_csv == as_json:
        raise typer.BadParameter("name either --csv or --json", param_hint="--csv")
    with _refusals_shown():
        compiler.compile_policy(policy, None, _today())
        found = sources.read(policy, _today())
    spoken = language or found.data["languages"]["default"]
    if spoken not in found.wordings:
        raise typer.BadParameter(f"the approved languages are {', '.join(found.wordings)}", param_hint="--language")
    rows = register.activities(found.data, found.wordings[spoken].data, spoken)
    if not rows or not rows[0]["security"]:
        typer.echo("Art. 30(1)(g) is empty: write “security” into policy.yaml.", err=True)
    if as_json:
        edition = found.published.editions[-1]["version"]
        document = {"language": spoken, "edition": edition, "written_on": _today().isoformat(), "activities": rows}
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(register.FIELDS.values())
    writer.writerows([formula_safe(cell) for cell in row.values()] for row in rows)


def formula_safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
