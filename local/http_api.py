"""How an HTTP API turns a request into an event (payload format 2.0) and a function's answer into a response."""

import base64
import binascii
import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.template import ACCOUNT, Route

LARGEST_REQUEST = 10 * 1024 * 1024
"""Bytes of a request's body; a quota of HTTP APIs."""

LONGEST_WAIT = 30.0
"""Seconds until an HTTP API gives up on a function; a quota of HTTP APIs."""

_TEXT = re.compile(r"^(text/.*|application/(json|javascript|xml|.*\+json|.*\+xml))$")
"""Content types whose bodies reach a function as text. Everything else, forms included, arrives as base64."""

_NOT_FROM_FUNCTIONS = frozenset({"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"})
"""Response headers the API sets itself."""


@dataclass(frozen=True)
class Request:
    """A request as it came in."""

    method: str
    target: str
    """Path and query as sent."""
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def path(self) -> str:
        """The path as sent, without the query."""
        return self.target.split("?", 1)[0]

    @property
    def query(self) -> str:
        """The query as sent, or nothing."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(frozen=True)
class Response:
    """A response on its way out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def message(status: int, text: str, *headers: tuple[str, str]) -> Response:
    """An answer of the API itself, not of a function."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return Response(status, (("content-type", "application/json"), *headers), body)


def not_found() -> Response:
    return message(404, "Not Found")


def too_large() -> Response:
    return message(413, "Request Entity Too Large")


def function_failed() -> Response:
    return message(500, "Internal Server Error")


def function_silent() -> Response:
    return message(503, "Service Unavailable")


class Routes:
    """Finds the route for a request; the most specific one wins."""

    def __init__(self, routes: Iterable[Route]) -> None:
        routes = list(routes)
        self._default = next((route for route in routes if route.path == "$default"), None)
        self._ordered = sorted((route for route in routes if route.path != "$default"), key=_vagueness)
        self._patterns = {route.path: _pattern(route.path) for route in self._ordered}

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters, or None when the API itself has to answer 404.

        A HEAD request has no special place: it needs a route of its own, an ANY route or `$default`.
        """
        for route in self._ordered:
            if route.method not in ("ANY", method):
                continue
            found = self._patterns[route.path].match(path)
            if found is not None:
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        return (self._default, {}) if self._default is not None else None


def _vagueness(route: Route) -> tuple[list[int], bool]:
    """Sorts segment by segment, exact before variable before greedy, and a method of its own before ANY."""
    segments = [
        2 if segment.endswith("+}") else 1 if segment.startswith("{") else 0 for segment in route.path.split("/")
    ]
    return segments, route.method == "ANY"


def _pattern(path: str) -> re.Pattern[str]:
    def part(segment: str) -> str:
        if segment.endswith("+}"):
            return f"(?P<{segment[1:-2]}>.+)"
        if segment.startswith("{"):
            return f"(?P<{segment[1:-1]}>[^/]+)"
        return re.escape(segment)

    return re.compile("^" + "/".join(part(segment) for segment in path.split("/")) + "$")


def event(
    request: Request, route: Route, path_parameters: Mapping[str, str], *, domain: str, jwt: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The event a function gets for a request. `domain` is the API's host name; `jwt` what the authorizer found."""
    # The path arrives decoded, as it does from an HTTP API; the query does not.
    path = unquote(request.path)
    headers = _combined(request.headers)
    cookies = headers.pop("cookie", "")
    headers.setdefault("x-forwarded-for", request.source_ip)
    headers.setdefault("x-forwarded-proto", "http")
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{request.id[:24]}")
    context: dict[str, Any] = {
        "accountId": ACCOUNT,
        "apiId": "local",
        "domainName": domain,
        "domainPrefix": domain.split(".", maxsplit=1)[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request.id,
        "routeKey": route.key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "timeEpoch": int(time.time() * 1000),
    }
    if jwt is not None:
        context["authorizer"] = {"jwt": dict(jwt)}
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if cookies:
        made["cookies"] = [cookie.strip() for cookie in cookies.replace(",", ";").split(";") if cookie.strip()]
    query = _combined(parse_qsl(request.query, keep_blank_values=True), lower=False)
    if query:
        made["queryStringParameters"] = query
    if path_parameters:
        made["pathParameters"] = dict(path_parameters)
    if request.body:
        made["body"], made["isBase64Encoded"] = _body(request.body, headers.get("content-type", ""))
    return made


def _combined(pairs: Iterable[tuple[str, str]], *, lower: bool = True) -> dict[str, str]:
    """One value per name; several are joined by commas."""
    combined: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower() if lower else name
        combined[key] = f"{combined[key]},{value}" if key in combined else value
    return combined


def _body(body: bytes, content_type: str) -> tuple[str, bool]:
    if _TEXT.match(content_type.split(";", maxsplit=1)[0].strip().lower()):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def response(answer: bytes, request_id: str) -> Response:
    """The response for a function's JSON answer; 500 for one that an HTTP API could not use."""
    try:
        given = json.loads(answer)
    except ValueError:
        return function_failed()
    own_id = ("apigw-requestid", request_id)
    if not isinstance(given, dict) or "statusCode" not in given:
        # Without a status the whole answer is the body.
        text = given if isinstance(given, str) else json.dumps(given)
        return Response(200, (("content-type", "application/json"), own_id), text.encode())
    body = given.get("body") or ""
    headers = given.get("headers") or {}
    cookies = given.get("cookies") or []
    if not isinstance(body, str) or not isinstance(headers, dict) or not isinstance(cookies, list):
        return function_failed()
    try:
        status = int(given["statusCode"])
        content = base64.b64decode(body, validate=True) if given.get("isBase64Encoded") else body.encode()
    except (TypeError, ValueError, binascii.Error):
        return function_failed()
    if not 200 <= status <= 599:
        return function_failed()
    sent = [(str(name).lower(), _one_line(value)) for name, value in headers.items()]
    sent = [(name, value) for name, value in sent if name not in _NOT_FROM_FUNCTIONS]
    if content and not any(name == "content-type" for name, _ in sent):
        sent.append(("content-type", "text/plain;charset=UTF-8"))
    sent += [("set-cookie", _one_line(cookie)) for cookie in cookies]
    return Response(status, (*sent, own_id), content)


def _one_line(value: object) -> str:
    """A header value that cannot end its line."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("\r", " ").replace("\n", " ")
