"""A proxy between the functions and what they call, which passes everything on until a test spoils something.

Requests are signed, so no byte of one is changed. Answers are changed only where a fault says so.
"""

import contextlib
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

MAIL_PATH = "/_local/sesv2"
"""What the front door, and not the emulator, answers."""


class GoneError(Exception):
    """A connection ended before a whole message came."""


@dataclass(frozen=True)
class Message:
    """One HTTP message as it came over the wire."""

    head: bytes
    """The first line and the headers, with the empty line that ends them."""
    body: bytes
    """As sent: a chunked body with its chunk sizes."""

    @property
    def first_line(self) -> list[str]:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)

    def header(self, name: str) -> str:
        """A header's value by its lower-case name, or nothing."""
        for line in self.head.split(b"\r\n")[1:]:
            found, _, value = line.decode("latin-1").partition(":")
            if found.lower() == name:
                return value.strip()
        return ""

    @property
    def content(self) -> bytes:
        """The body without chunk sizes."""
        if self.header("transfer-encoding").lower() != "chunked":
            return self.body
        parts, rest = [], self.body
        while True:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size.split(b";")[0], 16)
            if not length:
                return b"".join(parts)
            parts.append(rest[:length])
            rest = rest[length + 2 :]


@dataclass(frozen=True)
class Fault:
    """What becomes of a request.

    `forwards` is whether the engine carries it out; `answer` makes what the function gets of the request and the
    engine's answer, and None means that the connection is closed without one. With `hangs` there is no answer and the
    connection stays open until the function gives up.
    """

    name: str
    forwards: bool = False
    hangs: bool = False
    answer: Callable[[Message, Message | None], Message | None] = lambda _request, _answer: None

    def __str__(self) -> str:
        return self.name


def an_answer(status: str, content: bytes, **headers: str) -> Message:
    """A whole answer; DynamoDB and SQS send a check sum with it."""
    named = {
        "content-type": "application/x-amz-json-1.0",
        "x-amzn-requestid": "FAULT0000000000000000000000000000000000000000000000",
        "x-amz-crc32": str(zlib.crc32(content)),
        "content-length": str(len(content)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return Message("\r\n".join(lines).encode("latin-1"), content)


def refusal(name: str, status: str, content: Mapping[str, Any] | bytes, **headers: str) -> Fault:
    """A fault that answers an error without carrying anything out."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Fault(name, answer=lambda _request, _answer: an_answer(status, body, **headers))


_DYNAMODB = "com.amazonaws.dynamodb.v20120810#"

THROTTLED = refusal(
    "throttled",
    "400 Bad Request",
    {
        "__type": f"{_DYNAMODB}ProvisionedThroughputExceededException",
        "message": "The level of configured provisioned throughput for the table was exceeded.",
    },
)
THROTTLED_ACCOUNT = refusal(
    "throttled-account",
    "400 Bad Request",
    {
        "__type": "com.amazon.coral.availability#ThrottlingException",
        "message": "Rate of requests exceeds the allowed throughput.",
    },
)
FAILING = refusal(
    "failing",
    "500 Internal Server Error",
    {"__type": f"{_DYNAMODB}InternalServerError", "message": "Internal server error"},
)
OVERLOADED = refusal(
    "overloaded",
    "503 Service Unavailable",
    # What stands before a service answers in its own words, which are no JSON.
    b"<html><body><b>Http/1.1 Service Unavailable</b></body> </html>",
    content_type="text/html",
)
CONFLICT = refusal(
    "conflict",
    "400 Bad Request",
    {
        "__type": f"{_DYNAMODB}TransactionCanceledException",
        "CancellationReasons": [
            {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"},
            {"Code": "None"},
            {"Code": "None"},
        ],
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[TransactionConflict, None, None]",
    },
)
CONFLICT_OF_ONE = refusal(
    "conflict-of-one",
    "400 Bad Request",
    {"__type": f"{_DYNAMODB}TransactionConflictException", "message": "Transaction is ongoing for the item"},
)
QUEUE_REFUSES = refusal(
    "queue-refuses",
    "503 Service Unavailable",
    {"__type": "com.amazonaws.sqs#ServiceUnavailable", "message": "The request has failed; try again later."},
    x_amzn_query_error="ServiceUnavailable;Receiver",
)
QUEUE_THROTTLES = refusal(
    "queue-throttles",
    "403 Forbidden",
    {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "Request is throttled."},
    x_amzn_query_error="RequestThrottled;Sender",
)


def _mail_refusal(name: str, status: str, kind: str, text: str) -> Fault:
    return refusal(name, status, {"message": text}, content_type="application/json", x_amzn_errortype=kind)


LETTER_REFUSED = _mail_refusal("letter-refused", "400 Bad Request", "MessageRejected", "Email address is on hold.")
IDENTITY_REJECTED = _mail_refusal(
    "identity-rejected",
    "400 Bad Request",
    "MailFromDomainNotVerifiedException",
    "The domain is not verified.",
)
MAIL_THROTTLED = _mail_refusal(
    "mail-throttled", "429 Too Many Requests", "TooManyRequestsException", "Maximum sending rate exceeded."
)

CLOSED = Fault("closed")
HANGING = Fault("hanging", hangs=True)
ANSWER_LOST = Fault("answer-lost", forwards=True)


def one_unprocessed(about: str) -> Fault:
    """The key, or the write, that contains a text comes back as not processed; all others are answered.

    A write is carried out all the same: DynamoDB may say of one that it does not know.
    """

    def answer(request: Message, answered: Message | None) -> Message | None:
        if answered is None:
            return None
        asked = json.loads(request.content)["RequestItems"]
        content = json.loads(answered.content)
        for table, wanted in asked.items():
            is_read = "Keys" in wanted
            left = [row for row in (wanted["Keys"] if is_read else wanted) if about in json.dumps(row)]
            if is_read:
                found = content["Responses"][table]
                content["Responses"][table] = [item for item in found if about not in json.dumps(item)]
                content["UnprocessedKeys"] = {table: {**wanted, "Keys": left}} if left else {}
            else:
                content["UnprocessedItems"] = {table: left} if left else {}
        return an_answer("200 OK", json.dumps(content).encode())

    return Fault("one-unprocessed", forwards=True, answer=answer)


@dataclass
class Rule:
    """A fault for the requests of one operation that contain one of some texts, so many times."""

    operation: str
    fault: Fault
    about: tuple[str, ...]
    left: int | None
    """None is until it is lifted."""
    met: int = 0
    """How many requests it was applied to."""

    def fits(self, operation: str, content: bytes) -> bool:
        if operation != self.operation or self.left == 0:
            return False
        return not self.about or any(text.encode() in content for text in self.about)


@dataclass
class FaultProxy:
    """Listens on this computer only; `engine` and `front_door` are the addresses that requests are passed on to."""

    engine: str
    front_door: str
    _rules: list[Rule] = field(default_factory=list)
    _seen: list[tuple[str, bytes]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: set[socket.socket] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Only a shutdown wakes the thread that waits for connections.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def endpoints(self) -> dict[str, str]:
        """The variables that send a function here."""
        url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        return {"AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_SESV2": f"{url}{MAIL_PATH}"}

    @contextlib.contextmanager
    def spoiling(self, operation: str, fault: Fault, *about: str, times: int | None = None) -> Iterator[Rule]:
        """Apply a fault to requests of an operation that contain one of the texts, until the end of the block."""
        rule = Rule(operation, fault, about, times)
        with self._lock:
            self._rules.append(rule)
        try:
            yield rule
        finally:
            with self._lock:
                self._rules.remove(rule)

    def operations(self, *about: str) -> list[str]:
        """The operations of all requests so far that contain one of the texts, in the order they came."""
        with self._lock:
            return [name for name, content in self._seen if any(text.encode() in content for text in about)]

    def message(self, *about: str) -> str:
        """The newest message for a queue that contains one of the texts."""
        with self._lock:
            sent = [json.loads(content)["MessageBody"] for name, content in self._seen if name == "SendMessage"]
        return next(body for body in reversed(sent) if any(text in body for text in about))

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        upstreams: dict[str, socket.socket] = {}
        try:
            with connection, connection.makefile("rb") as stream:
                while True:
                    request = read_message(stream)
                    answer = self._answer(request, connection, upstreams)
                    if answer is None:
                        return
                    connection.sendall(answer.head + answer.body)
        except (OSError, GoneError):
            # Whoever went away hears nothing more.
            return
        finally:
            for upstream in upstreams.values():
                upstream.close()
            with self._lock:
                self._open.discard(connection)

    def _answer(
        self, request: Message, connection: socket.socket, upstreams: dict[str, socket.socket]
    ) -> Message | None:
        operation, content = _operation(request), request.content
        if b"ReviewsQueue" in content:
            # What follows from a decision, a quarter of an hour later, is no part of any request.
            return self._forwarded(request, upstreams)
        with self._lock:
            self._seen.append((operation, content))
            rule = next((rule for rule in self._rules if rule.fits(operation, content)), None)
            if rule is not None:
                rule.met += 1
                rule.left = None if rule.left is None else rule.left - 1
        if rule is None:
            return self._forwarded(request, upstreams)
        if rule.fault.hangs:
            # Returns once the function has closed its side.
            connection.recv(1)
            return None
        return rule.fault.answer(request, self._forwarded(request, upstreams) if rule.fault.forwards else None)

    def _forwarded(self, request: Message, upstreams: dict[str, socket.socket]) -> Message:
        to_mail = request.first_line[1].startswith(MAIL_PATH)
        url = self.front_door if to_mail else self.engine
        head = request.head
        if to_mail:
            # The front door answers under its own name only, and looks at no signature.
            host = request.header("host").encode()
            head = head.replace(b": " + host, b": " + urlsplit(url).netloc.encode(), 1)
        if url not in upstreams:
            upstreams[url] = _connected(url)
        try:
            return _exchange(upstreams[url], head + request.body)
        except (OSError, GoneError):
            # The other side may end a connection that rested; nothing was carried out then.
            upstreams.pop(url).close()
            upstreams[url] = _connected(url)
            return _exchange(upstreams[url], head + request.body)


def _connected(url: str) -> socket.socket:
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname or "", address.port or 80), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _exchange(upstream: socket.socket, request: bytes) -> Message:
    upstream.sendall(request)
    # Nothing is left over in the reader: no answer comes before the next request.
    with upstream.makefile("rb") as stream:
        return read_message(stream)


def _operation(request: Message) -> str:
    """The operation's name in the service's model."""
    target = request.header("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    return "SendEmail" if request.first_line[1].endswith("/v2/email/outbound-emails") else request.first_line[1]


def read_message(stream: Any) -> Message:
    """One message with its body. GoneError where the connection ends first."""
    lines = []
    while not lines or lines[-1] not in (b"\r\n", b"\n"):
        line = stream.readline()
        if not line:
            raise GoneError
        lines.append(line)
    head = Message(b"".join(lines), b"")
    if head.header("transfer-encoding").lower() == "chunked":
        return Message(head.head, _read_chunks(stream))
    length = int(head.header("content-length") or 0)
    body = stream.read(length)
    if len(body) < length:
        raise GoneError
    return Message(head.head, body)


def _read_chunks(stream: Any) -> bytes:
    parts = []
    while True:
        line = stream.readline()
        size = int(line.split(b";")[0].strip() or b"0", 16)
        parts.append(line)
        if not size:
            break
        parts.append(stream.read(size + 2))
    while True:
        parts.append(stream.readline())
        if parts[-1] in (b"\r\n", b"\n", b""):
            return b"".join(parts)
