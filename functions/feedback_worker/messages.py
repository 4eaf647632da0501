"""What a message of the queue says: that a mail lies in the bucket, or what Amazon SES reports of a letter."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from urllib.parse import unquote_plus

from consent_center.domain.errors import UnreadableMessageError
from consent_center.usecases.feedback import Happening, Report

ARRIVED = "incoming/"
"""Where Amazon SES puts what arrives, in the template."""

SEND_ID_TAG = "consent-send-id"
"""The message tag by which mail tools may name a letter, where they cannot show its headers."""

_SET_UP = "AMAZON_SES_SETUP_NOTIFICATION"
"""What Amazon SES writes once, to try whether it may write."""

_TOKEN = re.compile(r"v1\.\w+\.[\w-]+\.[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that lies in the bucket, by its name there."""

    name: str


def read(body: str) -> Sequence[Arrival | Report]:
    """What a message says; empty for what asks for nothing. UnreadableMessageError for what is neither."""
    try:
        message = json.loads(body)
        if message.get("Event") == "s3:TestEvent":
            return []
        if "Records" in message:
            return [arrival for record in message["Records"] for arrival in _arrivals(record)]
        return [_report(message)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UnreadableMessageError("the message is no report and no mail") from None


def _arrivals(record: Mapping[str, Any]) -> list[Arrival]:
    key = unquote_plus(record["s3"]["object"]["key"])
    name = key.removeprefix(ARRIVED)
    return [Arrival(name)] if key != name and name != _SET_UP else []


def _report(message: Mapping[str, Any]) -> Report:
    """An event of a configuration set, or a notification of an identity: they differ in one name."""
    kind = str(message.get("eventType") or message["notificationType"])
    mail, about = message["mail"], message.get(kind.lower(), {})
    happening, recipients = _happening(kind, about)
    at = about.get("timestamp") or mail["timestamp"]
    headers = [(str(header["name"]).lower(), str(header["value"])) for header in mail.get("headers") or []]
    named = [value for name, value in headers if name == "list-unsubscribe"]
    named += [str(value) for value in (mail.get("tags") or {}).get(SEND_ID_TAG, [])]
    return Report(
        happening,
        int(datetime.fromisoformat(at).timestamp() * 1000),
        tuple(dict.fromkeys(token for text in named for token in _TOKEN.findall(text))),
        tuple(recipients),
        parseaddr(str(mail.get("source") or ""))[1]
        or next((parseaddr(value)[1] for name, value in headers if name == "from"), ""),
    )


def _happening(kind: str, about: Mapping[str, Any]) -> tuple[Happening, list[str]]:
    match kind:
        case "Complaint":
            # The same report also says that somebody took a letter out of the spam folder.
            is_praise = about.get("complaintFeedbackType") == "not-spam"
            told = [str(one["emailAddress"]) for one in about["complainedRecipients"]]
            return (Happening.OTHER if is_praise else Happening.COMPLAINT), told
        case "Bounce":
            hard = about["bounceType"] == "Permanent"
            told = [str(one["emailAddress"]) for one in about["bouncedRecipients"]]
            return (Happening.HARD_BOUNCE if hard else Happening.SOFT_BOUNCE), told
        case "Send" | "Delivery":
            return Happening.SENT, []
    return Happening.OTHER, []
