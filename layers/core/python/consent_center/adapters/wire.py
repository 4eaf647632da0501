"""JSON calls to AWS over kept connections, signed with Signature Version 4: what botocore's client does, for what we call.

No exception and no log line made here holds a body, a header or an address: they carry code words only.
"""

import hashlib
import hmac
import json
import re
import select
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

CONNECT_SECONDS = 1

RESTED_SECONDS = 5
"""How long a connection may have rested before it carries what is sent only once: AWS may have dropped it unnoticed."""

_TRY_AGAIN = {
    *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException"),
    *("TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown"),
    *("LimitExceededException", "BandwidthLimitExceeded", "TransactionInProgressException", "InternalServerError"),
    *("RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete"),
}
"""What botocore's standard mode tries again, beside answers of 500 and above and no answer at all."""

_CODE = re.compile(r"(?:[^#]*#)?([A-Za-z0-9_.]{1,80})(?::.*)?", re.ASCII)

JsonObject = dict[str, Any]


class CallFailedError(Exception):
    """A call that was refused or not answered. Its text is the service's code, or the kind of what went wrong."""

    def __init__(self, code: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.reasons = reasons
        """Of a cancelled transaction: DynamoDB's code for each of its writes, `None` (a text) where one was fine."""


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        """Hides the keys, because a repr ends up in logs and tracebacks."""
        return "Credentials(…)"


@dataclass(frozen=True, slots=True)
class Service:
    """A service as this module has to know it."""

    host: str
    """The first label of its host."""
    signed_as: str
    endpoint_setting: str
    """The end of the setting AWS_ENDPOINT_URL_…, as botocore names it."""
    content_type: str
    target: str = ""
    """What stands before the operation in X-Amz-Target; nothing where the path names the operation."""
    seconds: float = 1
    """How long to wait for an answer."""
    attempts: int = 3
    """How often a call is made in all. A service that is tried once is never asked again, however it failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    error_type: str
    body: bytes


class Wire:
    """Calls to one service. Threads may share it; each call uses a connection of its own, which is kept afterwards."""

    def __init__(
        self,
        service: Service,
        *,
        endpoint: str,
        region: str,
        credentials: Callable[[], Credentials],
        pause: Callable[[int], None],
        trace: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`endpoint` is a URL without a query. `pause` waits before the try after the given one, counted from 1."""
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an endpoint is an http or https URL")
        self._service, self._region, self._credentials = service, region, credentials
        self._pause, self._trace = pause, trace
        self._secure, self._base = parts.scheme == "https", parts.path.rstrip("/")
        self._host, self._port = parts.hostname, parts.port
        default = {"http": 80, "https": 443}[parts.scheme]
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._host_header = name if parts.port in (None, default) else f"{name}:{parts.port}"
        self._idle: list[tuple[HTTPConnection, float]] = []
        self._tls: Any = None

    def call(self, operation: str, arguments: Mapping[str, Any]) -> JsonObject:
        """One operation of a JSON protocol by its name; CallFailedError for whatever is not a success."""
        return self.post("/", arguments, {"x-amz-target": f"{self._service.target}{operation}"})

    def post(self, path: str, arguments: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> JsonObject:
        """One call that its path names. A write may arrive twice where its first answer got lost, so writes must bear it."""
        body = json.dumps(arguments, separators=(",", ":"), ensure_ascii=False).encode()
        attempt = 1
        while True:
            try:
                answer = self._exchange(f"{self._base}{path}", body, {**(headers or {})})
                if answer.status < 300:
                    return _decoded(answer.body)
                failure, again = _refusal(answer)
            except (OSError, HTTPException) as error:
                # An OSError's text may name hosts and files, so only its kind is told.
                failure, again = CallFailedError(type(error).__name__), True
            if not again or attempt >= self._service.attempts:
                raise failure
            self._pause(attempt)
            attempt += 1

    def _exchange(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send one request and read its answer; OSError or HTTPException if there is none."""
        headers |= {"content-type": self._service.content_type, "host": self._host_header}
        signed = signed_headers(
            path, headers, body, self._credentials(), self._region, self._service.signed_as, time.gmtime()
        )
        trace = self._trace()
        if trace is not None:
            signed["x-amzn-trace-id"] = trace
        kept = self._kept()
        if kept is not None:
            try:
                return self._sent(kept, path, body, signed)
            except (ConnectionError, HTTPException):
                if self._service.attempts == 1:
                    raise
                # A frozen function does not hear that AWS closed the connection, so this is no try yet.
        return self._sent(self._opened(), path, body, signed)

    def _sent(self, connection: HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            connection.request("POST", path, body, headers)  # type: ignore[arg-type] # Mapping is enough.
            response = connection.getresponse()
            answer = Answer(response.status, response.headers.get("x-amzn-errortype", ""), response.read())
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            self._idle.append((connection, time.monotonic()))
        return answer

    def _kept(self) -> HTTPConnection | None:
        """A connection that was used before and is still open, as far as this side has heard."""
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                break  # Another thread took it.
            rested = time.monotonic() - since
            # An open connection has nothing to read between two calls; a closed one has its end.
            if (self._service.attempts > 1 or rested < RESTED_SECONDS) and not _readable(connection):
                return connection
            connection.close()
        return None

    def _opened(self) -> HTTPConnection:
        connection = self._unopened()
        connection.connect()
        assert connection.sock is not None
        connection.sock.settimeout(self._service.seconds)
        return connection

    def _unopened(self) -> HTTPConnection:
        if not self._secure:
            return HTTPConnection(self._host, self._port, timeout=CONNECT_SECONDS)
        if self._tls is None:
            import ssl

            self._tls = ssl.create_default_context()
        return HTTPSConnection(self._host, self._port, timeout=CONNECT_SECONDS, context=self._tls)


def signed_headers(
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
    region: str,
    service: str,
    at: time.struct_time,
) -> dict[str, str]:
    """`headers` (their names in lower case, `host` among them) with those that sign a POST of `body` to `path` (UTC)."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", at)
    signed = {**headers, "x-amz-date": stamp}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
    payload = hashlib.sha256(body).hexdigest()
    request = f"POST\n{quote(path, safe='/~')}\n\n{lines}\n{names}\n{payload}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return signed


def _readable(connection: HTTPConnection) -> bool:
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _decoded(body: bytes) -> JsonObject:
    try:
        answer = json.loads(body) if body else {}
    except ValueError:
        raise CallFailedError("UnreadableAnswer") from None
    return answer if isinstance(answer, dict) else {}


def _refusal(answer: Answer) -> tuple[CallFailedError, bool]:
    """The failure that an answer tells, and whether trying again may help."""
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    told = told if isinstance(told, dict) else {}
    match = _CODE.fullmatch(str(answer.error_type or told.get("__type") or told.get("code") or ""))
    code = match[1] if match else f"Http{answer.status}"
    reasons = tuple(
        found[1] if (found := _CODE.fullmatch(str(reason.get("Code")))) else "Unknown"
        for reason in told.get("CancellationReasons") or ()
    )
    return CallFailedError(code, reasons), code in _TRY_AGAIN or answer.status >= 500
