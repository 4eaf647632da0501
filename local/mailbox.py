"""Takes the letters that would go out by SES (v2 API) and keeps them as they were sent."""  # noqa: A005 - imported as local.mailbox only

import base64
import binascii
import email
import email.policy
import json
import re
import threading
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

STATUS_OF_ERRORS = {
    "AccountSuspendedException": 400,
    "BadRequestException": 400,
    "LimitExceededException": 400,
    "MailFromDomainNotVerifiedException": 400,
    "MessageRejected": 400,
    "NotFoundException": 404,
    "SendingPausedException": 400,
    "TooManyRequestsException": 429,
    "InternalServiceErrorException": 500,
}
"""The errors SendEmail may answer with, and their HTTP status."""


@dataclass(frozen=True)
class Letter:
    """One letter as it was handed over."""

    id: str
    to: str
    """The address, or several with commas between them."""
    subject: str
    headers: dict[str, str]
    """The sender and every header the message brought, by name as sent."""
    text: str
    html: str
    links: list[str]
    """Every address found in the text and the HTML, once each, in order."""
    sent_at: str
    tags: dict[str, str] = field(default_factory=dict)
    attachments: dict[str, str] = field(default_factory=dict)
    """The files that went with it, as text by name."""


class SesError(Exception):
    """SES says no; `kind` is the error's name."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind

    @property
    def status(self) -> int:
        return STATUS_OF_ERRORS.get(self.kind, 400)


class Mailbox:
    """The letters sent so far, oldest first, kept in a file of one JSON object a line. Safe to use from threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._letters: list[Letter] = []
        self._faults: list[str] = []
        if file.is_file():
            for line in file.read_text(encoding="utf-8").splitlines():
                try:
                    self._letters.append(Letter(**json.loads(line)))
                except (ValueError, TypeError):
                    # A crash may have cut the last line short.
                    continue

    def fail(self, times: int, kind: str) -> None:
        """Let the next `times` letters be refused with an SES error; 0 forgets what was asked before."""
        with self._lock:
            self._faults = [kind] * times

    def letters(self) -> list[Letter]:
        with self._lock:
            return list(self._letters)

    def find(self, letter_id: str) -> Letter | None:
        return next((letter for letter in self.letters() if letter.id == letter_id), None)

    def send(self, request: dict[str, Any]) -> str:
        """Keep the letter of a SendEmail request and return its message id; raises SesError."""
        with self._lock:
            if self._faults:
                raise SesError(self._faults.pop(0))
        letter = _letter(request)
        with self._lock:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(letter), ensure_ascii=False) + "\n")
            self._letters.append(letter)
        return letter.id


def _letter(request: dict[str, Any]) -> Letter:
    content = request.get("Content") or {}
    destination = request.get("Destination") or {}
    attachments = {}
    to = [address for kind in ("To", "Cc", "Bcc") for address in destination.get(f"{kind}Addresses") or []]
    if "Simple" in content:
        simple = content["Simple"]
        headers = {"From": request.get("FromEmailAddress") or ""}
        if request.get("ReplyToAddresses"):
            headers["Reply-To"] = ", ".join(request["ReplyToAddresses"])
        headers |= {header["Name"]: header["Value"] for header in simple.get("Headers") or []}
        subject = simple["Subject"]["Data"]
        attachments = {
            file["FileName"]: _decoded(file["RawContent"]).decode("utf-8", "replace")
            for file in simple.get("Attachments") or []
        }
        text = (simple["Body"].get("Text") or {}).get("Data", "")
        html = (simple["Body"].get("Html") or {}).get("Data", "")
    elif "Raw" in content:
        # Over HTTP the message comes as base64, which the SDK has already put on.
        message = email.message_from_bytes(_decoded(content["Raw"]["Data"]), policy=email.policy.default)
        headers = {name: str(value) for name, value in message.items()}
        subject = str(message.get("Subject", ""))
        text, html = _part(message, "plain"), _part(message, "html")
        to = to or [str(address) for name in ("To", "Cc") for address in _addresses(message, name)]
    else:
        raise SesError("BadRequestException")
    if not to or not headers.get("From"):
        raise SesError("BadRequestException")
    return Letter(
        id=f"local-{uuid.uuid4()}",
        to=", ".join(to),
        subject=subject,
        headers=headers,
        text=text,
        html=html,
        links=_links(text, html),
        sent_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        tags={tag["Name"]: tag["Value"] for tag in request.get("EmailTags") or []},
        attachments=attachments,
    )


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except (binascii.Error, TypeError):
        raise SesError("BadRequestException") from None


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def _addresses(message: EmailMessage, name: str) -> list[str]:
    header = message.get(name)
    return [address.addr_spec for address in header.addresses] if header is not None else []


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _links(text: str, html: str) -> list[str]:
    anchors = _Anchors()
    anchors.feed(html)
    # A full stop, comma or bracket after an address belongs to the sentence.
    in_text = [found.rstrip(".,;:!?)>]") for found in re.findall(r"https?://[^\s<>\"]+", text)]
    return list(dict.fromkeys(in_text + [link for link in anchors.found if link.startswith(("http://", "https://"))]))
