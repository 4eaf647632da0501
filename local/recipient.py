"""Recipients of data, for demonstrations and tests: they take signed messages, keep count, and behave as told.

They know the Standard Webhooks scheme by themselves, as somebody else's server would, and no code of the product.
"""

import base64
import hashlib
import hmac
import http.server
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

BEHAVIOURS = {
    "done": "acts and says so at once",
    "nobody": "says that it knows no such person",
    "later": "accepts, and answers by a call-back after `seconds`",
    "never": "accepts, and is never heard of again",
    "slow": "acts, but answers only after `seconds`",
    "error": "answers 500",
    "refuse": "answers 400",
    "gone": "answers 410",
    "silent": "closes the connection without an answer",
}

NAMES = ("crm", "post-house")
"""Recipients of the shipped policy that are played here."""

TOLD = "crm"
"""The one of them that is told of every change too."""

SECRET = "recipients"
"""The name of the secret with their keys."""

LATER_SECONDS, SLOW_SECONDS = 1.0, 15.0

_CALL_BACKS = 5
"""How often a call-back is tried."""

_LARGEST_BODY = 1_000_000

_MOST_EVENTS = 1_000
"""How many changes one recipient remembers: an import tells of each row."""


def port_for(port: int) -> int:
    """Where the recipients of a stack at a port listen."""
    return port + 5_000 if port <= 60_535 else port - 5_000


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def connectors(url: str) -> str:
    """The setting that has the product ask these recipients instead of staff."""
    made: dict[str, dict[str, Any]] = {
        name: {"kind": "webhook", "url": f"{url}/{name}", "secret_name": name} for name in NAMES
    }
    made[TOLD]["events"] = True
    return json.dumps(made, separators=(",", ":"))


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The signature of a message under a secret that is written `whsec_` and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _is_signed(secret: str, found: Mapping[str, str], body: bytes) -> bool:
    message_id, timestamp = found.get("webhook-id", ""), found.get("webhook-timestamp", "")
    right = signature(secret, message_id, timestamp, body)
    is_fresh = timestamp.isdigit() and abs(time.time() - int(timestamp)) <= 300
    return is_fresh and any(hmac.compare_digest(right, one) for one in found.get("webhook-signature", "").split())


@dataclass
class Asked:
    """What one recipient was asked under one key."""

    key: str
    case: str
    verb: str
    address: str
    corrections: dict[str, str]
    times: int = 0
    """How often it was asked."""
    acted: bool = False
    """Whether it did it: once, however often it was asked."""
    called_back: list[int] = field(default_factory=list)
    """The statuses that its call-backs were answered with."""


@dataclass
class Told:
    """A change that one recipient was told of under one id."""

    id: str
    chain: str
    seq: int
    changes: list[dict[str, Any]]
    times: int = 0
    """How often it came."""
    taken: int = 0
    """How often it was taken: after the first time it changes nothing."""


@dataclass
class _Recipient:
    secret: str
    behaviour: str = "done"
    seconds: float | None = None
    asked: dict[str, Asked] = field(default_factory=dict)
    events: dict[str, Told] = field(default_factory=dict)
    refused: int = 0
    """Requests with a wrong signature."""


class DemoRecipients:
    """Answers `POST /<name>` on 127.0.0.1, for each name with its own secret."""

    def __init__(self, keys: Mapping[str, str], port: int = 0) -> None:
        """Listens at once; OSError if the port is taken. 0 takes any that is free."""
        self._recipients = {name: _Recipient(secret) for name, secret in keys.items()}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def names(self) -> list[str]:
        return list(self._recipients)

    def behave(self, name: str, behaviour: str, seconds: float | None = None) -> None:
        """Behave so from now on; KeyError for an unknown recipient, ValueError for an unknown behaviour."""
        recipient = self._recipients[name]
        if behaviour not in BEHAVIOURS:
            raise ValueError(behaviour)
        recipient.behaviour, recipient.seconds = behaviour, seconds

    def shown(self, name: str) -> dict[str, Any]:
        """How a recipient behaves, what it was asked and told, oldest first; KeyError for an unknown one."""
        recipient = self._recipients[name]
        with self._lock:
            asked = [asdict(one) for one in recipient.asked.values()]
            events = [asdict(one) for one in recipient.events.values()]
        return {"behaviour": recipient.behaviour, "refused": recipient.refused, "asked": asked, "events": events}

    def take(self, name: str, found: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]] | None:
        """Status and answer to a request; None for closing the connection."""
        recipient = self._recipients.get(name)
        if recipient is None:
            return 404, {}
        if not _is_signed(recipient.secret, found, body):
            recipient.refused += 1
            return 401, {}
        said = json.loads(body)
        data = said["data"]
        if said["type"] == "preferences.changed":
            return self._told(recipient, found["webhook-id"], data)
        with self._lock:
            asked = recipient.asked.setdefault(
                data["key"],
                Asked(data["key"], data["case"], data["verb"], data["address"], data.get("corrections", {})),
            )
            asked.times += 1
        return self._behaved(recipient, asked, data)

    def _told(
        self, recipient: _Recipient, message_id: str, data: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]] | None:
        status = {"error": 500, "refuse": 400, "gone": 410}.get(recipient.behaviour, 200)
        with self._lock:
            told = recipient.events.setdefault(
                message_id, Told(message_id, data["chain"], data["seq"], data["changes"])
            )
            told.times += 1
            if len(recipient.events) > _MOST_EVENTS:
                del recipient.events[next(iter(recipient.events))]
            told.taken += status == 200 and recipient.behaviour != "silent"
        if recipient.behaviour == "slow":
            self._closing.wait(SLOW_SECONDS if recipient.seconds is None else recipient.seconds)
        return None if recipient.behaviour == "silent" else (status, {})

    def _behaved(
        self, recipient: _Recipient, asked: Asked, data: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]] | None:
        match recipient.behaviour:
            case "error":
                return 500, {}
            case "refuse":
                return 400, {}
            case "gone":
                return 410, {}
            case "silent":
                return None
            case "nobody":
                return 200, {"state": "nothing_held"}
            case "never":
                return 202, {"state": "accepted"}
            case "later":
                wait = LATER_SECONDS if recipient.seconds is None else recipient.seconds
                threading.Thread(target=self._call_back, args=(recipient, asked, dict(data), wait), daemon=True).start()
                return 202, {"state": "accepted"}
        asked.acted = True
        if recipient.behaviour == "slow":
            self._closing.wait(SLOW_SECONDS if recipient.seconds is None else recipient.seconds)
        answer: dict[str, Any] = {"state": "done"}
        if asked.verb == "collect":
            answer["files"] = {"profile.json": json.dumps({"address": asked.address, "customer": 1001})}
        return 200, answer

    def _call_back(self, recipient: _Recipient, asked: Asked, data: Mapping[str, Any], wait: float) -> None:
        if self._closing.wait(wait):
            return
        asked.acted = True
        # What is collected comes with an answer to a request, so the call-back asks for one.
        state = "ready" if asked.verb == "collect" else "done"
        if asked.verb == "collect":
            recipient.behaviour = "done"
        body = json.dumps({"case": asked.case, "key": asked.key, "state": state}).encode()
        for attempt in range(_CALL_BACKS):
            status = self._posted(str(data.get("answer_to", "")), body, recipient.secret, f"answer-{asked.key}")
            asked.called_back.append(status)
            if status not in (0, 409, 429) and status < 500:
                return
            if self._closing.wait(0.5 * 2**attempt):
                return

    @staticmethod
    def _posted(url: str, body: bytes, secret: str, message_id: str) -> int:
        """The status of a signed POST, 0 for no answer."""
        at = str(int(time.time()))
        signed = {
            "webhook-id": message_id,
            "webhook-timestamp": at,
            "webhook-signature": signature(secret, message_id, at, body),
        }
        try:
            request = urllib.request.Request(url, body, {**signed, "content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except (OSError, ValueError):
            return 0

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        recipients = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("content-length") or 0), _LARGEST_BODY)
                body = self.rfile.read(length)
                found = {name.lower(): value for name, value in self.headers.items()}
                answer = recipients.take(self.path.lstrip("/"), found, body)
                if answer is None:
                    self.close_connection = True
                    return
                status, said = answer
                content = json.dumps(said).encode()
                self.send_response_only(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    # Who asked did not wait.
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Says nothing: what was asked is shown by GET /_local/recipients/<name>."""

        return Handler
