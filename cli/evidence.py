"""`consentctl evidence`: everything that a regulator asks about one person, in one file."""

import email
import email.policy
import json
import re
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from cli.evidence_pack import Asked, Case, Kept, archive_at, make
from cli.imports import SHIPPED_POLICY
from cli.ledger import PUBLIC_KEY, BadInputError, download, keep, line, list_key, oldest_versions, public_key
from consent_center.adapters.addresses import parse_address
from consent_center.adapters.dynamodb import keys
from consent_center.adapters.policy_files import notice_file
from consent_center.bootstrap import Services
from consent_center.config import Config
from consent_center.domain.capability import LetterLink, open_letter
from consent_center.domain.chain import Payload
from consent_center.domain.contact import Address, ContactPoint, pseudonym
from consent_center.domain.errors import (
    InvalidAddressError,
    InvalidFormError,
    InvalidTokenError,
    UnavailableError,
    UnknownNameError,
)
from consent_center.domain.policy import Policy
from consent_center.domain.replay import Question
from consent_center.domain.seal import day_after, days_between, read_leaf
from consent_center.ports.people import End, Holdings
from consent_center.texts import Texts
from consent_center.usecases.changes import UNDO_SECONDS
from policy_compiler.compiler import compile_policy
from policy_compiler.problems import PolicyError

CHANNEL = "email"

DOES_NOT_HOLD, NOTHING_MADE = 1, 2

LATE_DAYS = 3
"""How many days after its own a seal may still take an entry in."""

_TOKEN = re.compile(r"v1\.[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

console = Console(stderr=True)


def evidence(
    address: Annotated[str, typer.Argument(metavar="EMAIL", help="Whom it is about.")],
    to: Annotated[Path, typer.Option("--to", help="The ZIP file to make; it must not be there yet.")],
    letter: Annotated[
        str | None,
        typer.Option(help="Was this letter lawful? Its List-Unsubscribe header, the link or token in it, or an .eml."),
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="Was a letter lawful then? A day (UTC), or a time such as 2026-11-24T10:00Z.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="With --on: the purpose that the letter had.")] = None,
    topic: Annotated[str | None, typer.Option(help="With --on: its topic; without, any of the purpose.")] = None,
    controller: Annotated[
        str | None, typer.Option(help="Whose records: its id; needed where the policy has several.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the cover page: en, da, nb.")] = "en",
    sign: Annotated[bool, typer.Option(help="Sign the receipts, if you may.")] = True,
    policy: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The policy's folder.")] = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Put everything that is held about one person, with its proof, into one ZIP file.

    Ends with 0 if the pack was made and holds, also where nothing is held; with 1 if it was made and shows that
    something does not hold; with 2 if no pack was made.
    """
    try:
        with tempfile.TemporaryDirectory() as out:
            compiled = compiled_policy(policy, Path(out))
            _refuse_wrong(to, letter, on, purpose, language, compiled)
            deployment = Deployment(stack, local)
            texts = Texts()
            with closing(operators_services(deployment)) as services:
                case = _case(address, controller, language, compiled, deployment, services, Path(out))
                case.signer = case.signer if sign else None
                case.asked = _asked(letter, on, purpose, topic, case, services)
                _fetch_seals(case, deployment)
                with archive_at(to, case.now) as archive:
                    holds = make(case, archive, texts, _site(case, texts))
    except (BotoCoreError, ClientError, UnavailableError) as error:
        console.print(_said(error), style="red", markup=False)
        raise typer.Exit(NOTHING_MADE) from None
    except FileExistsError:
        console.print("There is such a file already, and it stays as it is.", style="red")
        raise typer.Exit(NOTHING_MADE) from None
    except (BadInputError, OSError) as error:
        console.print(str(error) if isinstance(error, BadInputError) else type(error).__name__, style="red")
        raise typer.Exit(NOTHING_MADE) from None
    if not case.held.subject.chain:
        console.print("Nobody with this address has decided anything here; the pack says so.")
    console.print(
        "The pack is made." if holds else "The pack is made, and something in it does not hold.", style="bold"
    )
    if not holds:
        raise typer.Exit(DOES_NOT_HOLD)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _refuse_wrong(
    to: Path, letter: str | None, on: str | None, purpose: str | None, language: str, policy: Policy
) -> None:
    if to.exists():
        raise FileExistsError
    if not to.parent.is_dir():
        raise BadInputError("There is no such folder to put the pack in.")
    if letter is not None and on is not None:
        raise BadInputError("Either --letter or --on, not both.")
    if on is not None and purpose is None:
        raise BadInputError("--on needs --purpose.")
    if on is not None:
        _span(on, _now())
    if language not in policy.languages:
        raise BadInputError("The policy does not speak this language.")


def compiled_policy(folder: Path, out: Path) -> Policy:
    """The policy of a folder, compiled into another one. BadInputError if it does not compile."""
    try:
        compile_policy(folder, out, datetime.now(UTC).date())
    except PolicyError as error:
        raise BadInputError("\n".join(str(problem) for problem in error.problems)) from None
    return Policy(json.loads((out / "consent_policy/policy.json").read_text("utf-8")))


def controller_meant(policy: Policy, named: str | None) -> str:
    """The controller of that id, or the only one. BadInputError says what to name."""
    try:
        return policy.controller_meant(named)
    except UnknownNameError:
        raise BadInputError("The policy has no such controller.") from None
    except InvalidFormError:
        raise BadInputError(f"Name one with --controller: {', '.join(policy.controllers)}.") from None


def _case(
    text: str,
    controller: str | None,
    language: str,
    policy: Policy,
    deployment: Deployment,
    services: Services,
    out: Path,
) -> Case:
    try:
        address = parse_address(text)
    except InvalidAddressError:
        raise BadInputError("This is no address that a letter can reach.") from None
    whose = controller_meant(policy, controller)
    found = _holdings(address, whose, services)
    held = found[0]
    chain = held.subject.chain
    notices = out / "consent_policy/notices"
    seals = out / "seals"
    seals.mkdir()

    def notice(version: str, spoken: str) -> bytes | None:
        if version not in policy.notices_of(whose):
            return None
        return (notices / notice_file(policy, version, spoken, whose)).read_bytes()

    return Case(
        address=address.mailable,
        controller=whose,
        held=held,
        other_keys=[one.subject.contact.key_id for one in found[1:]],
        lines=lambda: map(line, _events(deployment, "LedgerTable", chain)),
        payloads=lambda: _payloads(deployment, chain),
        policy=policy,
        notice=notice,
        seals=seals,
        signer=services.receipt_signer,
        base_url=deployment.output("ApiUrl"),
        now=_now(),
        undo_ms=UNDO_SECONDS * 1000,
        language=language,
    )


class Adapters(Services):
    """The product's own adapters, whose connections are closed when the command has ended."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._wires: list[Any] = []

    def _wire(self, service: str) -> Any:
        self._wires.append(super()._wire(service))
        return self._wires[-1]

    def close(self) -> None:
        for wire in self._wires:
            wire.connections.close()


def operators_services(deployment: Deployment) -> Adapters:
    """The adapters, with the operator's own rights; to be closed."""
    secrets = deployment.resources("AWS::SecretsManager::Secret")
    return Adapters(
        Config(
            {
                **deployment.environment(),
                "SUBJECTS_TABLE": deployment.output("SubjectsTable"),
                "LEDGER_TABLE": deployment.output("LedgerTable"),
                "PEPPER_SECRET": secrets["PepperSecret"],
                "LINKS_SECRET": secrets["LinksSecret"],
                "SIGNING_KEY": deployment.output("SigningKey"),
            }
        )
    )


def _holdings(address: Address, controller: str, services: Services) -> list[Holdings]:
    """What is held under each pepper, that under the current one first; at least one, which may hold nothing."""
    peppers = services.secrets.peppers()
    names = [peppers.current, *(one for one in peppers.keys if one != peppers.current)]
    contacts = [
        ContactPoint(controller, CHANNEL, name, pseudonym(peppers.keys[name], controller, CHANNEL, address.normalised))
        for name in names
    ]
    read = [services.subjects.holdings(contact) for contact in contacts]
    # An older place may only lead to a newer one.
    found = list({one.subject.contact: one for one in read}.values())
    with_something = [one for one in found if one.subject.chain or one.profile or one.requests or one.subject.requested]
    return sorted(with_something, key=lambda one: one.subject.chain is None) or found[:1]


def _events(deployment: Deployment, table: str, chain: str | None) -> Iterator[dict[str, Any]]:
    """The items of a chain in order, a page after the other."""
    if chain is None:
        return
    pages = (
        deployment.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=deployment.output(table),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": keys.of_chain(chain)}},
            ConsistentRead=True,
        )
    )
    for page in pages:
        yield from page["Items"]


def _payloads(deployment: Deployment, chain: str | None) -> Iterator[Kept]:
    """Personal details, but for those whose time is over: DynamoDB removes them days late."""
    now = time.time()
    for item in _events(deployment, "SubjectsTable", chain):
        end = (
            End(int(item["expires_at"]["N"]), item["rule"]["S"] if "rule" in item else None)
            if ("expires_at" in item)
            else None
        )
        if end is None or end.at > now:
            more = json.loads(item["more"]["S"]) if "more" in item else None
            payload = Payload(item["salt"]["S"], json.loads(item["content"]["S"]), more)
            yield Kept(keys.seq_in(item["sk"]["S"]), payload, end)


def _asked(
    letter: str | None, on: str | None, purpose: str | None, topic: str | None, case: Case, services: Services
) -> Asked | None:
    try:
        if letter is not None:
            return _about_letter(letter, case, services)
        if on is not None and purpose is not None:
            question = Question(case.policy.purpose(purpose), CHANNEL, topic)
            if question.purpose.controller != case.controller:
                raise BadInputError("This purpose is another controller's: name it with --controller.")
            return Asked(question, *_span(on, case.now))
    except UnknownNameError as error:
        raise BadInputError(f"The policy has no such {error.field}.") from None
    return None


def _about_letter(letter: str, case: Case, services: Services) -> Asked:
    link = _link(letter, services)
    contact = link.contact
    pepper = services.secrets.peppers().keys.get(contact.key_id)
    normalised = parse_address(case.address).normalised
    if pepper is None or contact.pseudonym != pseudonym(pepper, contact.controller, contact.channel, normalised):
        raise BadInputError("This letter was not written to this address.")
    if contact.controller != case.controller:
        raise BadInputError(f"This letter was written for another controller: --controller {contact.controller}")
    purpose = case.policy.purpose_by_code(link.purpose_code)
    topic = next((one.id for one in purpose.topics if (one.code,) == link.topics), None)
    return Asked(Question(purpose, contact.channel, topic), link.at, link.at, link.seq)


def _link(letter: str, services: Services) -> LetterLink:
    """What the first token of ours in a header, a link or a mail says."""
    text = letter
    if letter.endswith(".eml"):
        read = email.message_from_bytes(Path(letter).read_bytes(), policy=email.policy.compat32)
        text = " ".join(str(one) for one in read.get_all("List-Unsubscribe", []))
    for token in _TOKEN.findall("".join(text.split())):
        try:
            return open_letter(token, services.secrets.links())
        except InvalidTokenError:
            continue
    raise BadInputError("This is no letter that a check allowed: it has no such link, or one that was altered.")


def _span(on: str, now: int) -> tuple[int, int]:
    """A time, or from the first to the last millisecond of a day (UTC), in epoch milliseconds."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", on):
            start = datetime.combine(date.fromisoformat(on), datetime.min.time(), UTC)
            end = start + timedelta(days=1)
        else:
            start = end = datetime.fromisoformat(on)
            if start.tzinfo is None:
                raise BadInputError("A time needs its offset, such as Z for UTC.")
    except (ValueError, OverflowError):
        raise BadInputError("--on is neither a day such as 2026-11-24 nor a time such as 2026-11-24T10:00Z.") from None
    since, until = (round(one.timestamp() * 1000) for one in (start, end))
    if since > now:
        raise BadInputError("That is in the future.")
    return since, min(max(since, until - 1), now)


def _fetch_seals(case: Case, deployment: Deployment) -> None:
    """The seals from the first of these entries to the newest one, and the lists that hold them."""
    keep(case.seals / PUBLIC_KEY, public_key(deployment))
    by_day: dict[str, set[str]] = {}
    for text in case.lines():
        said = json.loads(text)
        found = re.search(r'"at":"(\d{4}-\d{2}-\d{2})T', said["body"])
        if found:
            by_day.setdefault(found[1], set()).add(said["hash"])
    if not by_day:
        return
    bucket, s3 = deployment.output("SealsBucket"), deployment.client("s3")
    versions = oldest_versions(s3, bucket)
    names = sorted(key for key in versions if key.startswith("seals/") and key >= f"seals/{min(by_day)}.json")

    def fetch(name: str) -> bytes:
        content: bytes = s3.get_object(Bucket=bucket, Key=name, VersionId=versions[name])["Body"].read()
        return content

    with ThreadPoolExecutor(8) as pool:
        for name, content in zip(names, pool.map(fetch, names), strict=True):
            keep(case.seals / name, content)
    for day, hashes in sorted(by_day.items()):
        for key in _lists_after(day, case.seals):
            if hashes and key in versions:
                if not (case.seals / key).exists():
                    download(s3, bucket, key, versions[key], case.seals / key)
                hashes.difference_update(_hashes_in(case.seals / key))


def _lists_after(day: str, seals: Path) -> Iterator[str]:
    """The lists of leaves that may hold the entries of a day, that of its own seal first."""
    for sealed in days_between(day, day_after(day, LATE_DAYS)):
        file = seals / f"seals/{sealed}.json"
        if file.exists():
            yield from list_key(file.read_bytes())


def _hashes_in(file: Path) -> set[str]:
    try:
        with file.open(encoding="ascii") as lines:
            return {read_leaf(one.removesuffix("\n")).hash for one in lines}
    except ValueError:
        return set()


def _site(case: Case, texts: Texts) -> dict[str, Any]:
    """Who answers for the pack. Without a choice of language: the page has no other."""
    policy, language = case.policy, case.language
    brand, controller = policy.brand_for(case.controller), policy.controller(case.controller)
    authority = policy.authority(controller["authority"])
    return {
        "brand": {"name": brand.name, "website": brand.website, "colour": brand.colour},
        "controller": {key: controller[key] for key in ("name", "address", "email")},
        "dpo": controller["dpo"],
        "authority": {"name": policy.text(authority["name"], language), "url": authority["url"]},
        "notice_version": policy.notice_of(case.controller).version,
        "style": texts.style_for(brand.colour),
    }


def _said(error: Exception) -> str:
    """One line about what could not be read, and which right it takes."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else str(error)
    if not isinstance(error, ClientError | UnavailableError):
        code = type(error).__name__
    return (
        f"No pack was made: {code}. It takes secretsmanager:GetSecretValue for the pepper (with --letter also for the "
        "key of links), dynamodb:Query on both tables, s3:ListBucketVersions and s3:GetObjectVersion on the seals, and "
        "kms:GetPublicKey; docs/evidence.md lists the rights."
    )
