"""`consentctl import`: brings decisions from lists and other tools, and says of every row what became of it."""

import csv
import heapq
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli import import_maps
from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from cli.import_files import FileRefusedError, read, safe_cell
from cli.import_plan import Dropped, Kept, Plan, Settings
from cli.import_store import Store
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.importing import ColumnMap, Evidence
from consent_center.domain.policy import Policy
from consent_center.ports.exchange import Import
from policy_compiler.compiler import compile_policy
from policy_compiler.problems import PolicyError

SHIPPED_POLICY = Path(__file__).parents[1] / "layers/policy"

SHOWN = 5
"""Rows of each reason that the preflight names."""

POLL_SECONDS = 2.0

PATIENCE_SECONDS = 900
"""How long nothing may happen before the command stops waiting. The import goes on without it."""

SOMETHING_DROPPED, UNUSABLE, UNFINISHED = 1, 2, 3

_COLUMNS = ("row", "decision", "topics", "grade", "outcome", "reason", "evidence")

console = Console(stderr=True)


def import_list(
    source: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A CSV or NDJSON file, or s3://bucket/key; up to 1,000,000 rows."),
    ],
    purpose: Annotated[str, typer.Option(help="The purpose of the policy that the rows are about.")],
    operator: Annotated[str, typer.Option(help="The id of who answers for the list; never an address.")],
    map_name: Annotated[
        str, typer.Option("--map", help="generic, mailchimp, listmonk, hubspot, or a mapping file.")
    ] = "generic",
    topics: Annotated[str, typer.Option(help="Topics of a yes that names none, with commas between.")] = "",
    topic: Annotated[
        list[str] | None, typer.Option(help="What the tool calls a topic: 'Product updates=product-news'.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="How people agreed, where the rows do not say it.")] = None,
    language: Annotated[str | None, typer.Option(help="The language they agreed in.")] = None,
    notice: Annotated[str | None, typer.Option(help="The edition of the notice they saw.")] = None,
    wording: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A text file with the words they agreed to.")
    ] = None,
    jurisdiction: Annotated[
        str | None, typer.Option(help="The country whose retention rule counts, where the rows do not say it.")
    ] = None,
    not_from_person: Annotated[
        bool, typer.Option("--not-from-person", help="Somebody else gave us these data (Art. 14 GDPR).")
    ] = False,
    encoding: Annotated[
        str | None, typer.Option(help="How the file is written, if it is not UTF-8: latin-1, cp1252, utf-16.")
    ] = None,
    policy: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="The folder of the policy.")
    ] = SHIPPED_POLICY,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be kept and dropped, and send nothing.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write what became of every row here: .csv or .ndjson.")] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Name the addresses, on the terminal and in the report.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Wait until every row is done.")] = True,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Import decisions from a list or another tool.

    Ends with 0 if every row was kept, 1 if some were not, 2 if nothing could be read, 3 if it was not finished.
    Running it again goes on where it stopped, and changes nothing that is done.
    """
    compiled = _policy(policy)
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", operator):
        raise typer.BadParameter("an operator is an id of letters, digits, dots and dashes", param_hint="--operator")
    words = tuple(part for part in wording.read_text("utf-8").split("\n\n") if part.strip()) if wording else ()
    try:
        by, usual_method = import_maps.load(map_name, dict(_pair(one) for one in topic or ()))
        settings = Settings(
            purpose,
            operator,
            tuple(one.strip() for one in topics.split(",") if one.strip()),
            by.from_person and not not_from_person,
            Evidence(
                method=method or usual_method,
                wording=words,
                notice=notice,
                language=language,
                jurisdiction=jurisdiction.upper() if jurisdiction else None,
            ),
            encoding,
        )
        deployment = Deployment(stack, local)
        with (
            _at_hand(source, deployment) as file,
            Plan(file, by, settings, compiled, time.time_ns() // 1_000_000) as plan,
        ):
            plan.compare()
            code = _preflight(plan, _addresses(file, by, encoding) if show else None)
            if not dry_run:
                code = _carry_out(plan, settings, Store(deployment), wait, report, show, file, by) or code
    except (import_maps.MapError, FileRefusedError) as error:
        console.print(str(error), markup=False)
        raise typer.Exit(UNUSABLE) from None
    except UnknownNameError as error:
        console.print(f"the policy has no such {error.field}", markup=False)
        raise typer.Exit(UNUSABLE) from None
    raise typer.Exit(code)


@contextmanager
def _at_hand(source: str, deployment: Deployment) -> Iterator[Path]:
    """The file of that name, or a private copy of an object in S3, because it is read more than once."""
    if not source.startswith("s3://"):
        path = Path(source)
        if not path.is_file():
            raise typer.BadParameter("there is no such file", param_hint="FILE")
        yield path
        return
    bucket, _, key = source.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise typer.BadParameter("write s3://bucket/key", param_hint="FILE")
    with tempfile.TemporaryDirectory() as folder:
        # How the rows are written is told by the end of the name.
        path = Path(folder) / f"rows{Path(key).suffix}"
        try:
            size = int(deployment.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"])
            columns = (TextColumn("fetching"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            with Progress(*columns, console=console, transient=True) as progress:
                task = progress.add_task("", total=size)
                deployment.client("s3").download_file(
                    bucket, key, str(path), Callback=lambda count: progress.advance(task, count)
                )
        except (BotoCoreError, ClientError, Boto3Error) as error:
            raise typer.BadParameter(f"the object cannot be read: {_code(error)}", param_hint="FILE") from None
        yield path


def _code(error: Exception) -> str:
    """AWS's code, or the kind of the error; its text may quote the name of the object."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _pair(text: str) -> tuple[str, str]:
    name, equals, ours = text.rpartition("=")
    if not equals:
        raise typer.BadParameter("write what the tool calls it, an equals sign, and our topic", param_hint="--topic")
    return name, ours.strip()


def _policy(folder: Path) -> Policy:
    with tempfile.TemporaryDirectory() as out:
        try:
            compile_policy(folder, Path(out), datetime.now(UTC).date())
        except PolicyError as error:
            for problem in error.problems:
                console.print(str(problem), markup=False)
            raise typer.Exit(UNUSABLE) from None
        return Policy(json.loads((Path(out) / "consent_policy/policy.json").read_text("utf-8")))


def _addresses(file: Path, by: ColumnMap, encoding: str | None) -> Iterator[tuple[int, str]]:
    """Who each row is about, for those who asked to see it."""
    for row in read(file, encoding):
        yield row.number, next((text for name in by.columns["recipient"] if (text := row.cells.get(name, ""))), "")


def _preflight(plan: Plan, addresses: Iterator[tuple[int, str]] | None) -> int:
    """Print what would be kept and dropped. Rows are named by number; who they are only where that was asked for."""
    kept: Counter[str] = Counter()
    dropped: Counter[tuple[str, bool]] = Counter()
    first: dict[tuple[str, bool], list[int]] = {}
    for outcome in plan.outcomes():
        if isinstance(outcome, Kept):
            row = outcome.row
            kept[f"a yes of grade {row.evidence.grade}" if row.is_yes else "a no"] += 1
            continue
        key = (outcome.reason, outcome.is_sent)
        dropped[key] += 1
        numbers = first.setdefault(key, [])
        if len(numbers) < SHOWN:
            numbers.append(outcome.number)
    wanted = {number for numbers in first.values() for number in numbers}
    who = {number: text for number, text in addresses if number in wanted} if addresses is not None else {}
    table = Table("", "rows", "first rows", title=f"Import {plan.id}")
    for what, count in sorted(kept.items()):
        table.add_row(f"kept: {what}", f"{count:,}", "")
    for (reason, is_sent), count in sorted(dropped.items()):
        rows = ", ".join(
            f"{number} {who[number]}" if number in who else str(number) for number in first[reason, is_sent]
        )
        table.add_row(f"{'kept, see' if is_sent else 'dropped'}: {reason}", f"{count:,}", rows)
    console.print(table)
    return SOMETHING_DROPPED if dropped else 0


def _carry_out(
    plan: Plan,
    settings: Settings,
    store: Store,
    wait: bool,
    report: Path | None,
    show: bool,
    file: Path,
    by: ColumnMap,
) -> int:
    import_id = plan.id
    about = store.about(import_id) or _uploaded(plan, settings, store, import_id)
    store.order(import_id, sorted(set(range(1, about.parts + 1)) - store.reported(import_id)))
    if not wait:
        console.print(f"{about.rows:,} rows are under way; the same command shows later what became of them")
        return 0
    if not _awaited(store, import_id, about.parts):
        return UNFINISHED
    reported = _in_order(plan, store.reports(import_id, about.parts))
    addresses = _addresses(file, by, settings.encoding) if show else None
    totals = _written(reported, report, addresses)
    table = Table("outcome", "rows", title=f"Import {import_id}")
    for outcome, count in sorted(totals.items()):
        table.add_row(outcome, f"{count:,}")
    console.print(table)
    return SOMETHING_DROPPED if set(totals) & {"refused", "dropped"} else 0


def _uploaded(plan: Plan, settings: Settings, store: Store, import_id: str) -> Import:
    """Upload the rows that are kept, and say at the end that they are all there."""
    common, parts, rows = settings.evidence, 0, 0
    kept = (outcome.row for outcome in plan.outcomes() if isinstance(outcome, Kept))
    with Progress(TextColumn("uploading"), MofNCompleteColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        for count in store.add_rows(import_id, kept, common):
            parts, rows = parts + 1, rows + count
            progress.advance(task, count)
    about = Import(
        settings.purpose,
        settings.attested_by,
        time.time_ns() // 1_000_000,
        parts,
        rows,
        settings.from_person,
        common.method,
        common.wording,
        common.notice,
        common.language,
        common.jurisdiction,
    )
    store.close(import_id, about)
    return about


def _awaited(store: Store, import_id: str, parts: int) -> bool:
    """Wait until every part is reported; False when nothing happens any more."""
    columns = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=parts)
        done, since = -1, time.monotonic()
        while (now_done := len(store.reported(import_id))) < parts:
            if now_done != done:
                done, since = now_done, time.monotonic()
            failed = store.failed()
            if failed or time.monotonic() - since > PATIENCE_SECONDS:
                console.print(
                    f"{now_done} of {parts} parts are done and {failed} could not be carried out (of any import). "
                    "When the cause is mended, the same command goes on."
                )
                return False
            progress.update(task, completed=now_done)
            time.sleep(POLL_SECONDS)
    return True


def _in_order(plan: Plan, reported: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What was sent and what was not, in the order of the file."""
    dropped = (
        {
            "row": outcome.number,
            "decision": outcome.decision,
            "topics": list(outcome.topics),
            "grade": None,
            "outcome": "noted" if outcome.is_sent else "dropped",
            "reason": outcome.reason,
            "evidence": None,
        }
        for outcome in plan.outcomes()
        if isinstance(outcome, Dropped)
    )
    return heapq.merge(dropped, reported, key=lambda one: int(one["row"]))


def _written(
    reported: Iterator[dict[str, Any]], path: Path | None, addresses: Iterator[tuple[int, str]] | None
) -> Counter[str]:
    """Write the report, if one is wanted; how many rows had which outcome."""
    totals: Counter[str] = Counter()
    if path is None:
        totals.update(one["outcome"] for one in reported)
        return totals
    columns = (*_COLUMNS, "recipient") if addresses is not None else _COLUMNS
    number, address = 0, ""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        as_lines = path.suffix.casefold() in (".ndjson", ".jsonl")
        if not as_lines:
            table.writerow(columns)
        for one in reported:
            totals[one["outcome"]] += 1
            while addresses is not None and number < one["row"]:
                number, address = next(addresses, (one["row"], ""))
            row = {**one, **({"recipient": address} if addresses is not None else {})}
            if as_lines:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            else:
                table.writerow([safe_cell(" ".join(row[name]) if name == "topics" else row[name]) for name in columns])
    return totals
