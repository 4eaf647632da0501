"""JSON calls to AWS over kept connections, signed with Signature Version 4: as much of botocore as this product uses.

Nothing made here quotes a body, a header or an address: exceptions carry code words only, and nothing is logged.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, NoReturn
from urllib.parse import quote

from consent_center.adapters.connections import Answer, BrokenAnswerError, Connections
from consent_center.adapters.signing import Credentials, signed_headers
from consent_center.ports.basics import Clock, Pause

_TRY_AGAIN = {
    *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException"),
    *("TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown"),
    *("LimitExceededException", "BandwidthLimitExceeded", "TransactionInProgressException"),
    *("RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "InternalServerError"),
}
"""What botocore's standard mode tries again as well, beside 500 and above and no answer at all."""

AT_ONCE = 10
"""Calls that are under way at once: as many as it takes to read a thousand items."""

_CODE = re.compile(r"(?:[^#]*#)?([A-Za-z0-9_.]{1,80})(?::.*)?", re.ASCII)
_COMPACT = json.JSONEncoder(separators=(",", ":")).encode


class CallFailedError(Exception):
    """A call that was refused or not answered. Its text is AWS's code, or the kind of what went wrong."""

    def __init__(self, code: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.reasons = reasons
        """Of a cancelled transaction: a code for each of its writes, the text `None` for one that was fine."""


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
        """`endpoint` as for Connections. `pause` is told attempts from 1; `trace` is passed on if there is one."""
        self._service, self._region, self._credentials = service, region, credentials
        self._clock, self._pause, self._trace = clock, pause, trace
        self.connections = Connections(endpoint, seconds=service.seconds, once=service.attempts == 1, clock=clock)

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """An operation of a service that has targets, as `post` does it."""
        return self.post("/", arguments, self._targeted(operation))

    def call_all(
        self, operation: str, arguments: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any] | CallFailedError]:
        """As `call` for each, several under way at once; a failure stands in its call's place."""
        headers, outcomes = self._targeted(operation), []
        for start in range(0, len(arguments), AT_ONCE):
            outcomes += self._answered([_Request("/", headers, one) for one in arguments[start : start + AT_ONCE]])
        return outcomes

    def post(self, path: str, arguments: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer to a call, or CallFailedError.

        With more than one attempt a write whose answer got lost arrives twice: only send so what may arrive twice.
        """
        (outcome,) = self._answered([_Request(path, headers or {}, arguments)])
        if isinstance(outcome, CallFailedError):
            raise outcome
        return outcome

    def _targeted(self, operation: str) -> Mapping[str, str]:
        return {"x-amz-target": f"{self._service.target}{operation}"}

    def _answered(self, requests: Sequence["_Request"]) -> list[dict[str, Any] | CallFailedError]:
        """What becomes of requests that are all sent before the first is waited for, and together again if need be."""
        outcomes: dict[int, dict[str, Any] | CallFailedError] = {}
        open_requests = dict(enumerate(requests))
        for attempt in range(1, self._service.attempts + 1):
            for number, answer in self._begun(open_requests).items():
                outcomes[number], again = _outcome(answer)
                if not again:
                    del open_requests[number]
            if not open_requests or attempt == self._service.attempts:
                break
            self._pause(attempt)
        return [outcomes[number] for number in range(len(requests))]

    def _begun(self, requests: Mapping[int, "_Request"]) -> dict[int, Callable[[], Answer]]:
        """What waits for the answer to each request, or tells what failed."""
        begun: dict[int, Callable[[], Answer]] = {}
        failure = None
        for number, request in requests.items():
            try:
                # Where one could not be sent, trying as long for each of the others would take too long.
                begun[number] = failure or self._begin(request)
            except OSError as error:
                begun[number] = failure = partial(_fail, error)
        return begun

    def _begin(self, request: "_Request") -> Callable[[], Answer]:
        """Sends a request, signed anew; OSError if it cannot be sent."""
        body = _COMPACT(request.arguments).encode()
        path = f"{self.connections.base}{request.path}"
        signed = signed_headers(
            path,
            {**request.headers, "content-type": self._service.content_type, "host": self.connections.host},
            body,
            self._credentials(),
            region=self._region,
            service=self._service.signed_as,
            at=self._clock() // 1000,
        )
        trace = self._trace()
        if trace:
            signed["x-amzn-trace-id"] = quote(trace, safe="-=;:+&[]{}\"',")
        return self.connections.begin(path, signed, body)


class _Request(NamedTuple):
    path: str
    headers: Mapping[str, str]
    arguments: Mapping[str, Any]


def _fail(error: OSError) -> NoReturn:
    raise error


def _outcome(answer: Callable[[], Answer]) -> tuple[dict[str, Any] | CallFailedError, bool]:
    """The body of an answer, or the failure, and whether trying again may help."""
    try:
        received = answer()
    except (OSError, BrokenAnswerError) as error:
        # The text may name a host or a file.
        return CallFailedError(type(error).__name__), True
    return (_decoded(received.body), False) if received.status < 300 else _refusal(received)


def _decoded(body: bytes) -> dict[str, Any] | CallFailedError:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else CallFailedError("UnreadableAnswer")


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
