"""consentctl doctor: what is wrong with a deployment, or with a letter that arrived, and how it is mended."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import policy as email_policy
from email.message import EmailMessage
from email.parser import BytesParser
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import typer
import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.dead_letters import find_queues
from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption
from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.retention import REVIEW_INDEX
from consent_center.domain.recipient import takes_events
from consent_center.usecases.retention import UNTOLD
from policy_compiler import calendars
from policy_compiler import policy as sources

ROOT = Path(__file__).parents[1]

app = typer.Typer(help="Find out what is wrong with a deployment or a letter, without sending anything.")

JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not checked here"


class Check(NamedTuple):
    what: str
    status: Status
    says: str
    mend: str = ""


Fetch = Callable[[str], tuple[int, dict[str, str], bytes]]
"""Status, headers by name in lower case, and body of what an address answers to GET."""

_OUTPUTS = ("ApiUrl", "SubjectsTable", "LedgerTable", "SigningKey", "DeadLettersQueue")
_SETTINGS = ("JwtIssuer", "JwtAudience", "SenderDomain")
_STREAMED = ("SubjectsTable", "LedgerTable")
_NOT_RESTORED = ("CaseKeysTable",)
"""Tables whose content must not come back."""
_SECRETS = ("PepperSecret", "LinksSecret")
_HOLIDAYS_AHEAD = 2
"""Years."""
_STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red", Status.NOT_CHECKED: "dim"}


def fetch(url: str) -> tuple[int, dict[str, str], bytes]:
    """GET without following a redirect. urllib3's HTTPError when nobody answers."""
    answer = urllib3.request("GET", url, timeout=10, redirect=False, retries=False)
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data


@app.callback(invoke_without_command=True)
def doctor(
    context: typer.Context, stack: StackOption = DEFAULT_STACK, local: LocalOption = 0, as_json: JsonOption = False
) -> None:
    """Check a deployment without sending anything. Status 1 when something is wrong; warnings do not count."""
    if context.invoked_subcommand is None:
        _report(list(checks(Deployment(stack, local), fetch)), as_json=as_json)


@app.command()
def mail(
    file: Annotated[Path, typer.Argument(help="A letter as it arrived, saved with all its headers (.eml).")],
    as_json: JsonOption = False,
) -> None:
    """Check that a letter which arrived can be unsubscribed from with one click (RFC 8058)."""
    try:
        message = BytesParser(policy=email_policy.default).parsebytes(file.read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {type(error).__name__}") from None
    _report(list(mail_checks(message)), as_json=as_json)


def _report(found: list[Check], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([one._asdict() for one in found], indent=2))
    else:
        table = Table(show_lines=False)
        for head in ("check", "", "what was found", "mend"):
            table.add_column(head, overflow="fold")
        for one in found:
            table.add_row(Text(one.what), Text(one.status, style=_STYLES[one.status]), Text(one.says), Text(one.mend))
        Console().print(table)
    if any(one.status is Status.FAILED for one in found):
        raise typer.Exit(1)


def checks(deployment: Deployment, get: Fetch) -> Iterator[Check]:
    """Every check, one after the other; what cannot be read is a finding of its own and ends no other check."""
    for what, check in _CHECKS.items():
        try:
            yield from check(deployment, get)
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            if deployment.local_port:
                yield Check(what, Status.NOT_CHECKED, f"the emulator does not tell ({code})")
            else:
                mend = "Use credentials that may read it, and look whether the resource still exists."
                yield Check(what, Status.FAILED, f"cannot be read ({code})", mend)


def _settings(deployment: Deployment, _: Fetch) -> Iterator[Check]:
    for name in _SETTINGS:
        is_set = bool(deployment.parameters.get(name))
        mend = "" if is_set else f"Deploy with a value for {name}; docs/configuration.md explains it."
        yield Check(f"setting {name}", Status.OK if is_set else Status.FAILED, "is set" if is_set else "is empty", mend)
    missing = [name for name in _OUTPUTS if not _has_output(deployment, name)]
    if missing:
        yield Check("outputs", Status.FAILED, f"missing: {', '.join(missing)}", "Deploy this version of the template.")
    else:
        yield Check("outputs", Status.OK, "complete")


def _has_output(deployment: Deployment, name: str) -> bool:
    try:
        return bool(deployment.output(name))
    except typer.BadParameter:
        return False


def _tables(deployment: Deployment, _: Fetch) -> Iterator[Check]:
    client = deployment.client("dynamodb")
    for name, table in sorted(deployment.resources("AWS::DynamoDB::Table").items()):
        expiry = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        restores = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        described = client.describe_table(TableName=table)["Table"]
        wrong = []
        if (expiry.get("TimeToLiveStatus"), expiry.get("AttributeName")) != ("ENABLED", "expires_at"):
            wrong.append("time-to-live on expires_at is off: nothing expires")
        if name in _NOT_RESTORED:
            if restores == "ENABLED":
                wrong.append("point-in-time recovery is on: keys that were shredded could come back")
        elif restores != "ENABLED":
            wrong.append("point-in-time recovery is off")
        if name in _STREAMED and not described.get("StreamSpecification", {}).get("StreamEnabled"):
            wrong.append("the stream is off")
        if not described.get("DeletionProtectionEnabled"):
            wrong.append("deletion protection is off")
        mend = "Deploy the template again; a restored table gets none of this by itself." if wrong else ""
        restored = "is never restored" if name in _NOT_RESTORED else "can be restored"
        says = "; ".join(wrong) or f"expires, {restored}, cannot be deleted by mistake"
        yield Check(f"table {name}", Status.FAILED if wrong else Status.OK, says, mend)


def _key_rings(deployment: Deployment, _: Fetch) -> Iterator[Check]:
    client, secrets = deployment.client("secretsmanager"), deployment.resources("AWS::SecretsManager::Secret")
    for name in _SECRETS:
        mend = "Put the secret's earlier version back (AWSPREVIOUS); without its keys old links and records are lost."
        if name not in secrets:
            yield Check(f"keys {name}", Status.FAILED, "the secret is not in the stack", mend)
            continue
        # Nothing of the value is ever told but the ids of its keys.
        wrong = _fault_of_key_ring(client.get_secret_value(SecretId=secrets[name]).get("SecretString", ""))
        yield Check(
            f"keys {name}", Status.FAILED if wrong else Status.OK, wrong or "the current key is there", wrong and mend
        )


def _fault_of_key_ring(text: str) -> str:
    try:
        ring = json.loads(text)
        current = ring["current"]
    except (ValueError, KeyError, TypeError):
        return "it is no key ring: JSON with “current” and a key under its id"
    if not isinstance(current, str) or current == "current" or not isinstance(ring.get(current), str):
        return "“current” names a key that is not there"
    return "" if len(ring[current]) >= 32 else "the current key has fewer than 32 signs"


def _sending(deployment: Deployment, _: Fetch) -> Iterator[Check]:
    client, domain = deployment.client("sesv2"), deployment.parameters.get("SenderDomain", "")
    if deployment.local_port:
        yield Check("mail", Status.NOT_CHECKED, "letters end in the local mailbox")
        return
    found = client.get_email_identity(EmailIdentity=domain)
    is_verified, signing = found.get("VerifiedForSendingStatus"), found.get("DkimAttributes", {})
    yield Check(
        f"mail identity {domain}",
        Status.OK if is_verified else Status.FAILED,
        "verified" if is_verified else "not verified",
        "" if is_verified else "Publish the DNS records that the SES console shows for the domain.",
    )
    is_signed = bool(signing.get("SigningEnabled")) and signing.get("Status") == "SUCCESS"
    yield Check(
        "mail DKIM",
        Status.OK if is_signed else Status.FAILED,
        "letters are signed" if is_signed else f"letters are not signed ({signing.get('Status', 'not set up')})",
        "" if is_signed else "Turn on Easy DKIM and publish its three CNAME records: one-click unsubscribe needs it.",
    )
    account = client.get_account()
    if not account.get("ProductionAccessEnabled"):
        says, mend = (
            "is in the sandbox: only verified addresses receive letters",
            "Ask for production access in the SES console.",
        )
    elif not account.get("SendingEnabled"):
        says, mend = "sending is turned off", "Read what AWS wrote about bounces and complaints, and answer it."
    else:
        says, mend = "may send to anybody", ""
    yield Check("mail account", Status.FAILED if mend else Status.OK, says, mend)


def _dead_letters(deployment: Deployment, _: Fetch) -> Iterator[Check]:
    for queue in find_queues(deployment):
        mend = f"See `consentctl dead-letters list`, mend the cause, then `dead-letters redrive {queue.name}`."
        yield Check(
            f"dead letters {queue.name}",
            Status.WARNING if queue.count else Status.OK,
            f"{queue.count} wait" if queue.count else "none",
            mend if queue.count else "",
        )


def _alarms(deployment: Deployment, _: Fetch) -> Iterator[Check]:
    names = sorted(deployment.resources("AWS::CloudWatch::Alarm").values())
    alarms = deployment.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
    ringing = [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]
    yield Check(
        "alarms",
        Status.WARNING if ringing else Status.OK,
        f"{len(ringing)} of {len(alarms)} ring: {', '.join(ringing)}" if ringing else f"{len(alarms)}, none rings",
        "Look the alarm up in docs/operations.md." if ringing else "",
    )
    topics = {topic for alarm in alarms for topic in alarm.get("AlarmActions", [])}
    listeners = 0
    for topic in topics:
        pages = deployment.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        found = [one["SubscriptionArn"] for page in pages for one in page["Subscriptions"]]
        listeners += sum(arn.startswith("arn:") for arn in found)
    mend = "" if listeners else "Deploy with AlarmAddress, and follow the link in the mail that asks to confirm it."
    says = f"{listeners} confirmed" if listeners else "nobody hears the alarms"
    yield Check("alarm subscribers", Status.OK if listeners else Status.WARNING, says, mend)


_HEADERS = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "strict-transport-security": "max-age=",
}


def _pages(deployment: Deployment, get: Fetch) -> Iterator[Check]:
    local = deployment.local_port
    url = (
        f"http://127.0.0.1:{local}" if local else deployment.parameters.get("PublicUrl") or deployment.output("ApiUrl")
    )
    mend = "Look at the domain's DNS and certificate, and at the log of subscription_links."
    try:
        status, headers, _ = get(f"{url.rstrip('/')}/subscribe")
    except urllib3.exceptions.HTTPError as error:
        yield Check("pages", Status.FAILED, f"{url} does not answer ({type(error).__name__})", mend)
        return
    is_there = status == 200
    yield Check("pages", Status.OK if is_there else Status.FAILED, f"{url} answers {status}", "" if is_there else mend)
    lacking = [name for name, words in _HEADERS.items() if words not in headers.get(name, "")]
    yield Check(
        "page headers",
        Status.FAILED if lacking else Status.OK,
        f"missing or weak: {', '.join(lacking)}" if lacking else "strict",
        "Whatever stands before the API (a proxy, CloudFront) must pass on the headers of the pages."
        if lacking
        else "",
    )
    if not local and urlsplit(url).scheme != "https":
        yield Check("page address", Status.FAILED, "PublicUrl is not https", "Deploy with a PublicUrl under https://.")


def _issuer(deployment: Deployment, get: Fetch) -> Iterator[Check]:
    issuer = deployment.parameters.get("JwtIssuer", "").rstrip("/")
    mend = "Name the issuer exactly as its discovery document does; API Gateway must reach it on the internet."
    try:
        status, _, body = get(f"{issuer}/.well-known/openid-configuration")
        said = json.loads(body)
        keys = json.loads(get(said["jwks_uri"])[2])["keys"]
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError) as error:
        yield Check("token issuer", Status.FAILED, f"cannot be read ({type(error).__name__})", mend)
        return
    is_right = status == 200 and said.get("issuer", "").rstrip("/") == issuer and bool(keys)
    says = f"{len(keys)} keys" if is_right else "it calls itself otherwise, or has no keys"
    yield Check("token issuer", Status.OK if is_right else Status.FAILED, says, "" if is_right else mend)


def _reviews(_: Deployment, __: Fetch) -> Iterator[Check]:
    """The policy of this folder, which is what the next deployment runs on."""
    policy = sources.read(ROOT / "layers" / "policy", datetime.now(UTC).date())
    due = sorted(key for _, key, rule in policy.rows("retention_rules") if rule["review_on"] < policy.today.isoformat())
    says = f"overdue: {', '.join(due)}" if due else "none is overdue"
    mend = "Review the periods with their signers, and write the next dates into policy.yaml." if due else ""
    yield Check("reviews of retention rules", Status.WARNING if due else Status.OK, says, mend)


def _informing(deployment: Deployment, _: Fetch) -> Iterator[Check]:
    """Letters of Art. 14 GDPR that should have gone out by now; who they are for is not asked."""
    table = deployment.resources("AWS::DynamoDB::Table").get("SubjectsTable")
    if table is None:
        return  # Another check tells that it is missing.
    pages = deployment.client("dynamodb").get_paginator("query")
    overdue = sum(
        page["Count"]
        for shard in keys.shards_of_day(UNTOLD)
        for page in pages.paginate(
            TableName=table,
            IndexName=REVIEW_INDEX,
            KeyConditionExpression="#review = :shard",
            ExpressionAttributeNames={"#review": "review"},
            ExpressionAttributeValues={":shard": {"S": shard}},
            Select="COUNT",
        )
    )
    mend = "See why their letters were not sent (dead letters, the log of delivery_worker), and redrive them."
    yield Check(
        "people to inform",
        Status.FAILED if overdue else Status.OK,
        f"{overdue} should know by now where their data are from" if overdue else "none is overdue",
        mend if overdue else "",
    )


def _told_recipients(deployment: Deployment, _: Fetch) -> Iterator[Check]:
    """Whom settings have told of every change: where there are no keys nobody is told, and nobody would notice."""
    policy = sources.read(ROOT / "layers" / "policy", datetime.now(UTC).date())
    written = {key: row.get("connector", {}) for _, key, row in policy.rows("recipients")}
    connectors = {**written, **json.loads(deployment.parameters.get("RecipientConnectors") or "{}")}
    told = sorted(name for name, connector in connectors.items() if takes_events(connector))
    is_mute = bool(told) and not deployment.parameters.get("RecipientSecrets")
    says = f"{', '.join(told) or 'none'} should be told"
    mend = "Deploy with RecipientSecrets; until then nothing is sent, and nothing is kept for later." if is_mute else ""
    yield Check("recipients of changes", Status.FAILED if is_mute else Status.OK, says, mend)


def _brands(deployment: Deployment, _: Fetch) -> Iterator[Check]:
    """Whether the brands of this folder's policy may send with these settings, and their stops arrive."""
    brands = list(sources.read(ROOT / "layers" / "policy", datetime.now(UTC).date()).rows("brands"))
    domain, stop = (deployment.parameters.get(name, "").lower() for name in ("SenderDomain", "StopMailAddress"))
    senders = {key: f"@{brand['sender']['address'].lower().rpartition('@')[2]}" for _, key, brand in brands}
    strange = [key for key, sender in senders.items() if not sender.endswith((f"@{domain}", f".{domain}"))]
    says = f"not in {domain}: {', '.join(strange)}" if strange else "all in the domain that may send"
    mend = "Give these brands a sender in SenderDomain or below it: the template lets no other send." if strange else ""
    yield Check("senders of brands", Status.FAILED if strange else Status.OK, says, mend)
    if stop:
        apart = [key for _, key, brand in brands if brand["stop_address"].lower() != stop]
        says = f"not {stop}: {', '.join(apart)}" if apart else "all are the one that takes withdrawals"
        mend = "Have mail to their stop addresses forwarded there, or make them the same." if apart else ""
        yield Check("stop addresses of brands", Status.WARNING if apart else Status.OK, says, mend)


def _holidays(_: Deployment, __: Fetch) -> Iterator[Check]:
    """A case that is opened after the tables end would have to be answered too early, which nobody would notice."""
    years_left = calendars.LAST_YEAR - datetime.now(UTC).year
    is_near = years_left < _HOLIDAYS_AHEAD
    mend = "Deploy a version whose policy compiler knows later years." if is_near else ""
    says = f"known until the end of {calendars.LAST_YEAR}"
    yield Check("public holidays", Status.WARNING if is_near else Status.OK, says, mend)


_CHECKS: dict[str, Callable[[Deployment, Fetch], Iterator[Check]]] = {
    "settings": _settings,
    "tables": _tables,
    "keys": _key_rings,
    "mail": _sending,
    "senders of brands": _brands,
    "dead letters": _dead_letters,
    "alarms": _alarms,
    "pages": _pages,
    "token issuer": _issuer,
    "reviews of retention rules": _reviews,
    "people to inform": _informing,
    "recipients of changes": _told_recipients,
    "public holidays": _holidays,
}


# ---- A letter that arrived ------------------------------------------------------------------------------

_ONE_CLICK = ("List-Unsubscribe", "List-Unsubscribe-Post")


def mail_checks(message: EmailMessage) -> Iterator[Check]:
    """RFC 8058: one header each, an https address among them, and a DKIM signature that covers both."""
    counts = {name: len(message.get_all(name, [])) for name in _ONE_CLICK}
    for name, count in counts.items():
        mend = "" if count == 1 else "Send the headers of the permission check exactly once, as they came."
        yield Check(name, Status.OK if count == 1 else Status.FAILED, f"{count} in the letter", mend)
    if all(counts.values()):
        addresses = re.findall(r"<\s*([^<>]*?)\s*>", "".join(str(message[_ONE_CLICK[0]]).split()))
        secure = [one for one in addresses if urlsplit(one).scheme == "https" and urlsplit(one).netloc]
        yield Check(
            "address",
            Status.OK if len(secure) == 1 else Status.FAILED,
            f"{len(secure)} with https",
            "" if len(secure) == 1 else "The first header names exactly one https address in angle brackets.",
        )
        is_said = str(message[_ONE_CLICK[1]]).strip() == "List-Unsubscribe=One-Click"
        yield Check(
            "one click",
            Status.OK if is_said else Status.FAILED,
            "is said" if is_said else "the second header says something else",
            "" if is_said else "It says List-Unsubscribe=One-Click and nothing else.",
        )
    signatures = [_signed_headers(str(one)) for one in message.get_all("DKIM-Signature", [])]
    covering = [one for one in signatures if {name.lower() for name in _ONE_CLICK} <= one]
    yield Check(
        "DKIM",
        Status.OK if covering else Status.FAILED,
        f"{len(covering)} of {len(signatures)} signatures cover both headers",
        ""
        if covering
        else "Sign after the headers are set: with Easy DKIM in SES, or by the mail tool, naming both in h=.",
    )


def _signed_headers(signature: str) -> set[str]:
    """The names in the tag h= of a signature (RFC 6376, 3.5), in lower case."""
    for tag in "".join(signature.split()).split(";"):
        name, _, value = tag.partition("=")
        if name == "h":
            return {one.lower() for one in value.split(":")}
    return set()
