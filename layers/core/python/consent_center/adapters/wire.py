"""JSON calls to AWS over kept connections, signed with Signature Version 4: as much of botocore as this product uses.

Nothing made here quotes a body, a header or an address: exceptions carry code words only, and nothing is logged.
"""

import hashlib
import hmac
import json
import re
import select
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from consent_center.ports import Clock, Pause

CONNECT_SECONDS = 1

RESTED_SECONDS = 5
"""A connection that rested longer does not carry what is sent only once: AWS may have closed it unheard."""

_TRY_AGAIN = {
    *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException"),
    *("TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown"),
    *("LimitExceededException", "BandwidthLimitExceeded", "TransactionInProgressException"),
    *("RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "InternalServerError"),
}
"""What botocore's standard mode tries again as well, beside 500 and above and no answer at all."""

_CODE = re.compile(r"(?:[^#]*#)?([A-Za-z0-9_.]{1,80})(?::.*)?", re.ASCII)
_COMPACT = json.JSONEncoder(separators=(",", ":")).encode


class CallFailedError(Exception):
    """A call that was refused or not answered. Its text is AWS's code, or the kind of what went wrong."""

    def __init__(self, code: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.reasons = reasons
        """Of a cancelled transaction: a code for each of its writes, the text `None` for one that was fine."""


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        """Hides the keys, because a repr ends up in logs and tracebacks."""
        return "Credentials(…)"


@dataclass(frozen=True, slots=True)
class Service:
    host: str
    """The first label of its hosts."""
    signed_as: str
    setting: str
    """What follows AWS_ENDPOINT_URL_ in the setting that moves it, as botocore names it."""
    content_type: str
    target: str = ""
    """What precedes an operation in X-Amz-Target; nothing where paths name operations."""
    seconds: float = 1
    """How long an answer may take."""
    attempts: int = 3
    """How often a call is sent in all. What is sent once is never sent again, however it failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    error_type: str
    body: bytes


class Wire:
    """Calls to one service. Threads may share it: each call has a connection to itself, which is kept for the next."""

    def __init__(
        self,
        service: Service,
        *,
        endpoint: str,
        region: str,
        credentials: Callable[[], Credentials],
        clock: Clock,
        pause: Pause,
        trace: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`endpoint` is an http or https URL; ValueError for any other. `pause` is told attempts from 1."""
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an endpoint is an http or https URL")
        self._service, self._region, self._credentials = service, region, credentials
        self._clock, self._pause, self._trace = clock, pause, trace
        self._secure, self._base = parts.scheme == "https", parts.path.rstrip("/")
        standard = 443 if self._secure else 80
        self._address = parts.hostname, parts.port or standard
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._host = host if self._address[1] == standard else f"{host}:{parts.port}"
        self._kept: list[tuple[socket.socket, int]] = []
        self._tls: Any = None

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """An operation of a service that has targets, as `post` does it."""
        return self.post("/", arguments, {"x-amz-target": f"{self._service.target}{operation}"})

    def post(self, path: str, arguments: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer to a call, or CallFailedError.

        With more than one attempt a write whose answer got lost arrives twice: only send so what may arrive twice.
        """
        body = _COMPACT(arguments).encode()
        for attempt in range(1, self._service.attempts + 1):
            try:
                answer = self._exchange(f"{self._base}{path}", headers or {}, body)
            except (OSError, HTTPException) as error:
                # The text may name a host or a file.
                failure, again = CallFailedError(type(error).__name__), True
            else:
                if answer.status < 300:
                    return _decoded(answer.body)
                failure, again = _refusal(answer)
            if not again or attempt == self._service.attempts:
                break
            self._pause(attempt)
        raise failure

    def close(self) -> None:
        """Close what was kept. A function never does: its connections end with its process."""
        while self._kept:
            self._kept.pop()[0].close()

    def _exchange(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request, signed anew, and its answer; OSError or HTTPException if there is none."""
        signed = signed_headers(
            path,
            {**headers, "content-type": self._service.content_type, "host": self._host},
            body,
            self._credentials(),
            region=self._region,
            service=self._service.signed_as,
            at=self._clock() // 1000,
        )
        trace = self._trace()
        if trace:
            signed["x-amzn-trace-id"] = quote(trace, safe="-=;:+&[]{}\"',")
        return self._carry(path, signed, body)

    def _carry(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        request = _written(path, headers, body)
        kept = self._still_open()
        if kept is not None:
            try:
                return self._sent(kept, request)
            except TimeoutError:
                raise
            except OSError:
                # A function that was frozen does not hear that its connection was closed; that is no attempt yet.
                if self._service.attempts == 1:
                    raise
        return self._sent(self._opened(), request)

    def _sent(self, connection: socket.socket, request: bytes) -> Answer:
        response = HTTPResponse(connection, method="POST")
        try:
            connection.sendall(request)
            response.begin()
            if response.length is None and not response.chunked:
                # The library takes the end of a connection for the end of such an answer, wherever it was cut.
                raise HTTPException("the answer has no length")
            answer = Answer(response.status, response.headers.get("x-amzn-errortype", ""), response.read())
        except BaseException:
            response.close()
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._kept.append((connection, self._clock()))
        return answer

    def _still_open(self) -> socket.socket | None:
        """A connection that was used before and, as far as this side has heard, can be used again."""
        while True:
            try:
                connection, since = self._kept.pop()
            except IndexError:
                return None
            rested = (self._clock() - since) / 1000
            if (self._service.attempts > 1 or rested < RESTED_SECONDS) and not _has_something_to_read(connection):
                return connection
            connection.close()

    def _opened(self) -> socket.socket:
        connection = socket.create_connection(self._address, timeout=CONNECT_SECONDS)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._secure:
                connection = self._tls_context().wrap_socket(connection, server_hostname=self._address[0])
            connection.settimeout(self._service.seconds)
        except BaseException:
            connection.close()
            raise
        return connection

    def _tls_context(self) -> Any:
        """Verifies certificates and names. Made once, because reading the authorities takes longer than a call."""
        if self._tls is None:
            import ssl

            self._tls = ssl.create_default_context()
        return self._tls


def signed_headers(
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
    *,
    region: str,
    service: str,
    at: int,
) -> dict[str, str]:
    """`headers` and those that sign them, for a POST of `body` to `path` at an epoch second.

    Names are in lower case, `host` is among them, and the path is as it stands in the request.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    signed = {**headers, "x-amz-date": stamp}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
    request = f"POST\n{quote(path, safe='/~')}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.digest(_signing_key(credentials.secret_key, scope), text.encode(), "sha256").hex()
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return signed


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, scope: str) -> bytes:
    """The key of a day, region and service: the same for every call of a day."""
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _written(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A request as it is sent: in one piece, so that it is one packet if it fits."""
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header has more than one line")
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode("latin-1") + body


def _has_something_to_read(connection: socket.socket) -> bool:
    """Between two calls there is nothing to read, but for the end of a connection."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise CallFailedError("UnreadableAnswer") from None
    return answer


def _refusal(answer: Answer) -> tuple[CallFailedError, bool]:
    """The failure that an answer tells, and whether trying again may help."""
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        told = {}
    code = _code(answer.error_type or told.get("__type") or told.get("code")) or f"Http{answer.status}"
    reasons = tuple(_code(reason.get("Code")) or "Unknown" for reason in told.get("CancellationReasons") or ())
    return CallFailedError(code, reasons), answer.status >= 500 or code in _TRY_AGAIN


def _code(text: object) -> str | None:
    """A code without its namespace and its link; None for what is no code, because it could be anything."""
    match = _CODE.fullmatch(str(text))
    return match[1] if text and match else None
