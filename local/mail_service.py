"""The parts of Amazon SES that bring something back: mails that arrive, and what is reported of letters that left."""

import contextlib
import json
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import cached_property
from typing import Any

from local.emulator import Clients

REPORTS = ("delivery", "bounce", "soft-bounce", "complaint", "not-spam")
"""What can be reported of a letter."""


class MailService:
    """Writes where a receipt rule would, and publishes what a configuration set would, in their words."""

    def __init__(self, client: Clients, bucket: str, topic: str) -> None:
        self._client = client
        self._bucket = bucket
        self._topic = topic

    def receive(self, raw: bytes, verdicts: Mapping[str, str]) -> str:
        """Keep a mail as SES does, with its verdicts above everything that the sender wrote; answers its name.

        `verdicts` may name `spf`, `dkim`, `dmarc` (`pass`, `fail`, `none`), `spam` and `virus` (`PASS`, `FAIL`), and
        the `domain` they are about; by default the domain in `From` passes all of them.
        """
        name = uuid.uuid4().hex
        domain = verdicts.get("domain", _domain_of_sender(raw))
        proofs = {method: verdicts.get(method, "pass") for method in ("spf", "dkim", "dmarc")}
        results = (
            f"amazonses.com; spf={proofs['spf']} (local) envelope-from=bounce@{domain};"
            f" dkim={proofs['dkim']} header.i=@{domain}; dmarc={proofs['dmarc']} header.from={domain};"
        )
        lines = [
            f"Received: from mail.example.com by inbound-smtp.local with SMTP id {name}",
            f"X-SES-Spam-Verdict: {verdicts.get('spam', 'PASS')}",
            f"X-SES-Virus-Verdict: {verdicts.get('virus', 'PASS')}",
            f"Authentication-Results: {results}",
        ]
        top = "".join(f"{line}\r\n" for line in lines).encode()
        self._s3.put_object(Bucket=self._bucket, Key=f"incoming/{name}", Body=top + raw)
        return name

    def report(self, kind: str, to: str, headers: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Publish one of REPORTS about a letter with these headers and tags to an address; ValueError for another."""
        if kind not in REPORTS:
            raise ValueError(kind)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event, about = _about(kind, to, now)
        sender = next((value for name, value in headers.items() if name.lower() == "from"), "")
        message = {
            "eventType": event,
            "mail": {
                "timestamp": now,
                "messageId": uuid.uuid4().hex,
                "source": sender,
                "destination": [to],
                "headersTruncated": False,
                "headers": [{"name": name, "value": value} for name, value in headers.items()],
                "tags": {name: [value] for name, value in tags.items()},
            },
            event.lower(): about,
        }
        self._sns.publish(TopicArn=self._topic, Message=json.dumps(message))

    def report_later(self, kind: str, to: str, headers: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """As `report`, without making whoever handed the letter over wait for it."""

        def report() -> None:
            # A stack that stops meanwhile loses the report, as SES may.
            with contextlib.suppress(Exception):
                self.report(kind, to, headers, tags)

        threading.Thread(target=report, daemon=True).start()

    @cached_property
    def _s3(self) -> Any:
        return self._client("s3")

    @cached_property
    def _sns(self) -> Any:
        return self._client("sns")


def _about(kind: str, to: str, now: str) -> tuple[str, dict[str, Any]]:
    match kind:
        case "delivery":
            return "Delivery", {"timestamp": now, "recipients": [to], "smtpResponse": "250 ok"}
        case "bounce" | "soft-bounce":
            hard = kind == "bounce"
            return "Bounce", {
                "timestamp": now,
                "bounceType": "Permanent" if hard else "Transient",
                "bounceSubType": "General" if hard else "MailboxFull",
                "bouncedRecipients": [{"emailAddress": to, "action": "failed", "status": "5.1.1" if hard else "4.2.2"}],
            }
        case _:
            return "Complaint", {
                "timestamp": now,
                "complainedRecipients": [{"emailAddress": to}],
                "complaintFeedbackType": "not-spam" if kind == "not-spam" else "abuse",
            }


def _domain_of_sender(raw: bytes) -> str:
    for line in raw.split(b"\n\n", 1)[0].decode("utf-8", "replace").splitlines():
        if line.lower().startswith("from:"):
            return parseaddr(line.partition(":")[2])[1].rpartition("@")[2]
    return ""
