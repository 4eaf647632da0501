"""Errors of the API as problem documents (RFC 9457)."""

import json
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def problem(
    status: HTTPStatus, code: str, detail: str, *, field: str | None = None, headers: dict[str, str] | None = None
) -> Response[str]:
    """An answer that says what is wrong, where (`field`, a JSON pointer into the request), and what to do.

    `code` is a word that programs can rely on; it never changes. Nothing the caller sent is repeated.
    """
    document = {
        "type": f"urn:consent-center:problem:{code}",
        "title": status.phrase,
        "status": status,
        "detail": detail,
    }
    if field is not None:
        document["field"] = field
    return Response(status, "application/problem+json", json.dumps(document), {**_HEADERS, **(headers or {})})
