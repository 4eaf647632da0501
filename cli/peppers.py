"""`consentctl peppers`: giving pseudonyms a new key, without losing anybody."""

import json
import re
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from cli.evidence import compiled_policy, operators_services
from cli.imports import SHIPPED_POLICY
from consent_center.adapters.secretsmanager import FRESH_MS
from consent_center.domain.errors import UnavailableError
from consent_center.domain.policy import Policy
from consent_center.usecases.rotation import Outcome, move_to_current

app = typer.Typer(help="Give pseudonyms a new key: add, move, and in the end retire the old one.", no_args_is_help=True)

PolicyOption = Annotated[Path, typer.Option("--policy", exists=True, file_okay=False, help="The policy's folder.")]

console = Console(stderr=True)


@app.callback()
def peppers() -> None:
    """Give pseudonyms a new key: add, move, and in the end retire the old one."""


class PepperSecret:
    """The secret as it is stored. It is only ever written back with what it held."""

    def __init__(self, deployment: Deployment) -> None:
        self._client = deployment.client("secretsmanager")
        self._id = deployment.resources("AWS::SecretsManager::Secret")["PepperSecret"]

    def read(self) -> dict[str, str]:
        stored: dict[str, str] = json.loads(self._client.get_secret_value(SecretId=self._id)["SecretString"])
        return stored

    def write(self, stored: dict[str, str]) -> None:
        self._client.put_secret_value(SecretId=self._id, SecretString=json.dumps(stored))

    def new_key(self) -> str:
        return str(self._client.get_random_password(PasswordLength=64, ExcludePunctuation=True)["RandomPassword"])

    def changed_ms_ago(self) -> float:
        """How long the newest version has been there: functions that read an older one may still use it."""
        version = self._client.get_secret_value(SecretId=self._id)
        return (time.time() - version["CreatedDate"].timestamp()) * 1000


def _controllers(policy: Policy) -> list[str]:
    return list(dict.fromkeys(purpose.controller for purpose in policy.purposes.values()))


def _compiled(policy: Path) -> Policy:
    with TemporaryDirectory() as out:
        return compiled_policy(policy, Path(out))


def _fail(text: str) -> typer.Exit:
    console.print(text, style="red")
    return typer.Exit(1)


def _counted(deployment: Deployment, policy: Policy) -> Counter[tuple[str, bool]]:
    """How many stand under each key: living records, and what is left of others."""
    counted: Counter[tuple[str, bool]] = Counter()
    with closing(operators_services(deployment)) as services:
        for controller in _controllers(policy):
            for shard in range(services.listing.shards):
                counted.update((one.key_id, True) for one in services.listing.records(controller, shard))
                counted.update((one.key_id, False) for one in services.listing.remains(controller, shard))
    return counted


@app.command()
def status(policy: PolicyOption = SHIPPED_POLICY, stack: StackOption = DEFAULT_STACK, local: LocalOption = 0) -> None:
    """Say how many records, and how many that are left of suppressed people, are under each key."""
    deployment = Deployment(stack, local)
    try:
        stored, counted = PepperSecret(deployment).read(), _counted(deployment, _compiled(policy))
    except (UnavailableError, BotoCoreError, ClientError) as error:
        raise _fail(f"Not read: {type(error).__name__}.") from None
    for key_id in sorted({*stored, *(one for one, _ in counted)} - {"current"}):
        note = " (current)" if key_id == stored["current"] else "" if key_id in stored else " (not in the secret)"
        living, left = counted[key_id, True], counted[key_id, False]
        print(f"{key_id}{note}: {living} records, {left} suppressed without a record")


@app.command()
def add(stack: StackOption = DEFAULT_STACK, local: LocalOption = 0) -> None:
    """Add a key that is not used yet. Every key that is there stays."""
    try:
        secret = PepperSecret(Deployment(stack, local))
        stored = secret.read()
        if waiting(stored) is not None:
            raise _fail(f"{waiting(stored)} was added before and waits for move.")
        key_id = f"k{1 + max(_number(one) for one in stored if one != 'current')}"
        secret.write({**stored, key_id: secret.new_key()})
    except (BotoCoreError, ClientError) as error:
        raise _fail(f"Nothing was added: {type(error).__name__}.") from None
    print(f"{key_id} is in the secret. Wait {FRESH_MS // 60_000} minutes until every function knows it, then run move.")


def _number(key_id: str) -> int:
    found = re.fullmatch(r"k(\d+)", key_id)
    return int(found[1]) if found else 0


def waiting(stored: dict[str, str]) -> str | None:
    """The newest key, if it is newer than the current one."""
    newest = max((one for one in stored if one != "current"), key=_number)
    return newest if _number(newest) > _number(stored["current"]) else None


@app.command()
def move(policy: PolicyOption = SHIPPED_POLICY, stack: StackOption = DEFAULT_STACK, local: LocalOption = 0) -> None:
    """Make the newest key current, and move every record to it that can be moved.

    Run it again after it was cut short, and once more five minutes later for those who came by a function that did not
    know the new key. Ends with 2 if some could not be read or written.
    """
    deployment = Deployment(stack, local)
    counts: Counter[str] = Counter()
    try:
        secret = PepperSecret(deployment)
        stored = secret.read()
        if (newest := waiting(stored)) is not None:
            left = FRESH_MS - secret.changed_ms_ago()
            if left > 0:
                raise _fail(f"Functions may not know {newest} yet. Wait {int(left / 1000) + 1} seconds.")
            secret.write({**stored, "current": newest})
        compiled = _compiled(policy)
        with closing(operators_services(deployment)) as services, _bar() as bar:
            controllers = _controllers(compiled)
            task = bar.add_task("Moving", total=len(controllers) * services.listing.shards)
            current = services.secrets.peppers().current
            for controller in controllers:
                for shard in range(services.listing.shards):
                    for contact in services.listing.records(controller, shard):
                        counts[_moved(contact, services)] += 1
                    for contact in services.listing.remains(controller, shard):
                        counts[Outcome.CURRENT if contact.key_id == current else Outcome.NO_ADDRESS] += 1
                    bar.advance(task)
    except (UnavailableError, BotoCoreError, ClientError) as error:
        console.print(f"Not finished: {type(error).__name__}. Run it again.", style="red")
        raise typer.Exit(2) from None
    print(
        f"{counts[Outcome.MOVED]} moved, {counts[Outcome.CURRENT]} were there, {counts[Outcome.NO_ADDRESS]} without an "
        f"address stay under their key, {counts[Outcome.TAKEN]} have another record there, {counts['failed']} failed."
    )
    if counts["failed"]:
        raise typer.Exit(2)


def _moved(contact: Any, services: Any) -> str:
    try:
        return move_to_current(
            contact,
            subjects=services.subjects,
            moves=services.moves,
            addresses=services.addresses,
            secrets=services.secrets,
            pause=services.pause,
        )
    except UnavailableError:
        return "failed"


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not sys.stderr.isatty())


@app.command()
def retire(
    key: Annotated[str, typer.Argument(help="The id of the key, such as k1.")],
    policy: PolicyOption = SHIPPED_POLICY,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Take a key out of the secret once nothing needs it: no record, nothing suppressed, no request."""
    deployment = Deployment(stack, local)
    try:
        secret = PepperSecret(deployment)
        stored = secret.read()
        if key not in stored or key in ("current", stored["current"]):
            raise _fail(f"{key} is no older key of the secret.")
        compiled = _compiled(policy)
        counted = _counted(deployment, compiled)
        living, left = counted[key, True], counted[key, False]
        if living or left:
            raise _fail(f"{key} is needed: {living} records, {left} suppressed without a record.")
        now = int(time.time() * 1000)
        if secret.changed_ms_ago() < compiled.pending_period.after_epoch(now) * 1000 - now + FRESH_MS:
            raise _fail("Requests that were made under this key may still be open. Run it again in a week.")
        secret.write({one: value for one, value in stored.items() if one != key})
    except (UnavailableError, BotoCoreError, ClientError) as error:
        raise _fail(f"Nothing was retired: {type(error).__name__}.") from None
    print(f"{key} is retired. Links of old letters go on working: they do not need it.")
