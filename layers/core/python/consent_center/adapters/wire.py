"""JSON calls to AWS over kept connections, signed with Signature Version 4: as much of botocore as this product uses.

Nothing made here quotes a body, a header or an address: exceptions carry code words only, and nothing is logged.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from consent_center.adapters.connections import Answer, BrokenAnswerError, Connections
from consent_center.adapters.signing import Credentials, signed_headers
from consent_center.ports import Clock, Pause

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
        return self.post("/", arguments, {"x-amz-target": f"{self._service.target}{operation}"})

    def post(self, path: str, arguments: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer to a call, or CallFailedError.

        With more than one attempt a write whose answer got lost arrives twice: only send so what may arrive twice.
        """
        body = _COMPACT(arguments).encode()
        for attempt in range(1, self._service.attempts + 1):
            try:
                answer = self._exchange(f"{self.connections.base}{path}", headers or {}, body)
            except (OSError, BrokenAnswerError) as error:
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

    def _exchange(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request, signed anew, and its answer; OSError or BrokenAnswerError if there is none."""
        signed = signed_headers(
            path,
            {**headers, "content-type": self._service.content_type, "host": self.connections.host},
            body,
            self._credentials(),
            region=self._region,
            service=self._service.signed_as,
            at=self._clock() // 1000,
        )
        trace = self._trace()
        if trace:
            signed["x-amzn-trace-id"] = quote(trace, safe="-=;:+&[]{}\"',")
        return self.connections.carry(path, signed, body)


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
