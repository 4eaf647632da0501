"""The ledger in the hands of an auditor: export it, fetch its seals, and verify both without a network."""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from consent_center.domain.chain import canonical
from consent_center.domain.seal import Leaf, Seal, day_after, day_of, days_between, read_leaf, read_seal
from consent_center.domain.verifier import Exported, Report, verify_ledger

app = typer.Typer(help="Export, fetch and verify the evidence.", no_args_is_help=True)

EXPORT_VERSION = 1

UNSEALED_DAYS = 2
"""How many days before an export need have no seal yet: its own day, and the one whose seal may still be made."""

PUBLIC_KEY = "public-key.pem"

SHARDS = 8
"""Partitions of a day in the index, as `keys.py` has them; its package needs libraries that operators do not."""

_BATCH = 100

_SHOWN = 50
"""Findings in the table; --json has them all."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@app.callback()
def ledger() -> None:
    """Export, fetch and verify the evidence."""


class BadInputError(Exception):
    """A file that cannot be verified; the text is for people."""


@app.command("export")
def export(
    to: Annotated[Path, typer.Option("--to", help="The file to write, one entry a line.")] = Path("ledger.ndjson"),
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Write every entry of the ledger into a file, day by day. Fetch the seals before, so that none is newer."""
    deployment = Deployment(stack, local)
    console = Console(stderr=True)
    part = to.with_name(f"{to.name}.part")
    try:
        database, table = deployment.client("dynamodb"), deployment.output("LedgerTable")
        first_day = _first_day(deployment, database, table)
        today = day_of(time.time_ns() // 1_000_000)
        days = list(days_between(first_day, today))
        count = 0
        with _progress(console) as progress, part.open("w", encoding="utf-8") as file:
            header = {"export": EXPORT_VERSION, "from": first_day, "through": today}
            file.write(json.dumps(header) + "\n")
            for day in progress.track(days, description="Exporting days"):
                for item in _entries_of(database, table, day):
                    file.write(line(item) + "\n")
                    count += 1
    except (BotoCoreError, ClientError) as error:
        console.print(f"The ledger could not be read: {type(error).__name__}. Nothing was exported.", style="red")
        part.unlink(missing_ok=True)
        raise typer.Exit(2) from None
    part.replace(to)
    console.print(f"{count} entries of {len(days)} days are in {to}.")


@app.command("fetch-seals")
def fetch_seals(
    to: Annotated[Path, typer.Option("--to", help="The folder to fill.")] = Path("seals"),
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Fetch seals, their lists of leaves and the public key into a folder; what is there stays as it is.

    Of each object the oldest version is taken, so that one put over or after it counts for nothing.
    """
    deployment = Deployment(stack, local)
    console = Console(stderr=True)
    try:
        s3, bucket = deployment.client("s3"), deployment.output("SealsBucket")
        versions = oldest_versions(s3, bucket)
        names = sorted(key for key in versions if key.startswith("seals/"))
        changed = [] if keep(to / PUBLIC_KEY, public_key(deployment)) else [PUBLIC_KEY]
        with _progress(console) as progress:
            for name in progress.track(names, total=len(names), description="Fetching seals"):
                text = s3.get_object(Bucket=bucket, Key=name, VersionId=versions[name])["Body"].read()
                if not keep(to / name, text):
                    changed.append(name)
                for key in list_key(text):
                    if key in versions and not (to / key).exists():
                        download(s3, bucket, key, versions[key], to / key)
    except (BotoCoreError, ClientError) as error:
        console.print(f"The seals could not be fetched: {type(error).__name__}.", style="red")
        raise typer.Exit(2) from None
    if changed:
        console.print(f"Not what was fetched here before: {', '.join(changed)}.", style="red")
        raise typer.Exit(1)
    console.print(f"{len(names)} seals and the public key are in {to}.")


@app.command("verify")
def verify(
    exported: Annotated[Path, typer.Argument(help="The file that `ledger export` wrote.")],
    seals: Annotated[Path, typer.Argument(help="The folder that `ledger fetch-seals` filled.")],
    key: Annotated[Path | None, typer.Option("--key", help="The public key (PEM); by default the folder's.")] = None,
    through: Annotated[str, typer.Option("--through", help="The last day (UTC) that must be sealed.")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Take entries that were sealed late for faults.")] = False,
) -> None:
    """Verify an export against the seals, without a network. Exit code 1: something is wrong; 2: it cannot be told."""
    console = Console(stderr=True)
    try:
        signature_holds = signature_check(key or seals / PUBLIC_KEY)
        header = _header(exported)
        last = _day(through) if through else expected(header)
        with (
            Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console) as progress,
            progress.open(exported, encoding="utf-8", errors="surrogateescape", description="Reading entries") as lines,
        ):
            entries = read_export(lines, exported)
            only = header.get("chains")
            report = verify_ledger(entries, read_seals(seals), leaves_in(seals), signature_holds, last, only)
    except BadInputError as error:
        console.print(str(error), style="red")
        raise typer.Exit(2) from None
    if as_json:
        print(json.dumps({"holds": report.holds, **asdict(report)}))
    else:
        _show(report, Console())
    if not report.holds or (strict and report.findings):
        raise typer.Exit(1)


def signature_check(key: Path) -> Callable[[bytes, bytes], bool]:
    """Whether a signature is one of a document under a public key in PEM: RSASSA-PSS with SHA-512 (RFC 8017)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA512
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        public = load_pem_public_key(key.read_bytes())
    except OSError:
        raise BadInputError(f"There is no public key {key}.") from None
    except ValueError:
        raise BadInputError(f"{key} is no public key in PEM.") from None
    if not isinstance(public, RSAPublicKey):
        raise BadInputError(f"{key} is no RSA key.")
    scheme = padding.PSS(padding.MGF1(SHA512()), padding.PSS.DIGEST_LENGTH)

    def holds(document: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, document, scheme, SHA512())
        except InvalidSignature:
            return False
        return True

    return holds


def read_export(lines: Iterable[str], file: Path) -> Iterator[Exported]:
    """The entries among the lines of an export, after its first. BadInputError names the line that is none."""
    for number, line in enumerate(lines, start=1):
        if number == 1:
            continue
        try:
            row = json.loads(line)
            yield Exported(str(row["chain"]), int(row["seq"]), str(row["hash"]), _body(str(row["body"])))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadInputError(f"{file}, line {number} is no exported entry: export it again.") from None


def read_seals(folder: Path) -> list[tuple[str, bytes]]:
    """The days and files of the seals in a folder."""
    files = sorted((folder / "seals").glob("*.json"))
    return [(file.stem, file.read_bytes()) for file in files if _is_day(file.stem)]


def leaves_in(folder: Path) -> Callable[[Seal], Iterable[Leaf] | None]:
    """The lists of leaves in a folder."""

    def read(file: Path) -> Iterator[Leaf]:
        with file.open(encoding="ascii") as lines:
            for line in lines:
                yield read_leaf(line.removesuffix("\n"))

    def leaves(seal: Seal) -> Iterable[Leaf] | None:
        file = folder / "leaves" / seal.day / f"{seal.leaves}.txt"
        return read(file) if file.is_file() else None

    return leaves


def shards_of_day(day: str) -> list[str]:
    """Every partition of a UTC day in the index `by-day`."""
    return [f"{day}#{shard}" for shard in range(SHARDS)]


def _progress(console: Console) -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console)


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _day(text: str) -> str:
    if not _is_day(text):
        raise typer.BadParameter(f"{text} is no day such as 2026-11-24")
    return text


def _first_day(deployment: Deployment, database: Any, table: str) -> str:
    """The day of the first seal; a table that was restored is younger than its entries."""
    created = database.describe_table(TableName=table)["Table"]["CreationDateTime"].astimezone(UTC).date().isoformat()
    found = deployment.client("s3").list_objects_v2(Bucket=deployment.output("SealsBucket"), Prefix="seals/", MaxKeys=1)
    sealed = [Path(item["Key"]).stem for item in found.get("Contents", [])]
    return min([created, *filter(_is_day, sealed)])


def _entries_of(database: Any, table: str, day: str) -> Iterator[dict[str, Any]]:
    """All items of a day: their keys by the index, a page after the other, then themselves."""
    for shard in shards_of_day(day):
        pages = database.get_paginator("query").paginate(
            TableName=table,
            IndexName="by-day",
            KeyConditionExpression="#day = :day",
            ExpressionAttributeNames={"#day": "day"},
            ExpressionAttributeValues={":day": {"S": shard}},
        )
        for page in pages:
            found = [{"pk": item["pk"], "sk": item["sk"]} for item in page["Items"]]
            for start in range(0, len(found), _BATCH):
                yield from _items(database, table, found[start : start + _BATCH])


def _items(database: Any, table: str, wanted: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    asked: Any = {table: {"Keys": list(wanted), "ConsistentRead": True}}
    while asked:
        answer = database.batch_get_item(RequestItems=asked)
        yield from answer["Responses"].get(table, [])
        asked = answer.get("UnprocessedKeys")


def line(item: dict[str, Any]) -> str:
    """An item as a line of the export, whatever somebody made of it."""
    number = item["sk"]["S"].removeprefix("E#")
    row = {
        "chain": item["pk"]["S"].removeprefix("C#"),
        "seq": int(number) if number.isascii() and number.isdigit() else 0,
        "hash": item.get("hash", {}).get("S", ""),
        "body": item.get("body", {}).get("S", ""),
    }
    return json.dumps(row, ensure_ascii=False)


def _body(text: str) -> dict[str, Any]:
    """What was hashed. A text that is not the one spelling of an entry is kept as such, and found to be altered."""
    try:
        body = json.loads(text)
        if isinstance(body, dict) and canonical(body).decode() == text:
            return body
    except (ValueError, TypeError, RecursionError):
        pass
    return {"unreadable": text}


def _header(file: Path) -> dict[str, Any]:
    try:
        with file.open(encoding="utf-8") as lines:
            header = json.loads(next(lines))
        chains = header.get("chains")
        is_known = chains is None or (isinstance(chains, list) and all(isinstance(one, str) for one in chains))
        if header["export"] == EXPORT_VERSION and is_known and _is_day(header["from"]) and _is_day(header["through"]):
            return dict(header)
    except FileNotFoundError:
        raise BadInputError(f"There is no file {file}.") from None
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        pass
    raise BadInputError(f"{file} is no export of a ledger.")


def expected(header: dict[str, Any]) -> str | None:
    """The last day that must be sealed at the time of an export; None for a ledger that is too young for a seal."""
    last = day_after(header["through"], -UNSEALED_DAYS)
    return last if last >= header["from"] else None


def public_key(deployment: Deployment) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    answer = deployment.client("kms").get_public_key(KeyId=deployment.output("SigningKey"))
    return load_der_public_key(answer["PublicKey"]).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def oldest_versions(s3: Any, bucket: str) -> dict[str, str]:
    """The first version of every object, by key. S3 lists the newest first."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return {found["Key"]: found["VersionId"] for page in pages for found in page.get("Versions", [])}


def list_key(text: bytes) -> list[str]:
    """Where the list of leaves of a seal is; nowhere for a file that is no seal, which `verify` points at."""
    try:
        seal = read_seal(text).seal
    except ValueError:
        return []
    return [f"leaves/{seal.day}/{seal.leaves}.txt"]


def keep(file: Path, content: bytes) -> bool:
    """Write a file unless it is there; False if it is there and says something else."""
    if file.exists():
        return file.read_bytes() == content
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(content)
    part.replace(file)
    return True


def download(s3: Any, bucket: str, key: str, version: str, file: Path) -> None:
    """A list of leaves can have a hundred megabytes, so it is written as it comes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as written:
        for chunk in s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].iter_chunks(1 << 20):
            written.write(chunk)
    part.replace(file)


def _show(report: Report, console: Console) -> None:
    if report.findings:
        table = Table("day", "chain", "seq", "finding", title="Findings")
        for found in report.findings[:_SHOWN]:
            style = "yellow" if found.fault.is_warning else "red"
            seq = "" if found.seq is None else str(found.seq)
            table.add_row(found.day or "", found.chain or "", seq, str(found.fault), style=style)
        console.print(table)
        if len(report.findings) > _SHOWN:
            console.print(f"and {len(report.findings) - _SHOWN} more; --json has them all")
    console.print(
        f"{report.entries} entries in {report.chains} chains, {report.seals} seals through "
        f"{report.sealed_through or 'no day'}; {report.unsealed} entries are not sealed yet."
    )
    console.print("The ledger holds." if report.holds else "The ledger does not hold.", style="bold")
