"""Errors of the API as problem documents (RFC 9457)."""

import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def problem(
    status: HTTPStatus, code: str, detail: str, *, field: str | None = None, headers: dict[str, str] | None = None
) -> Response[str]:
    """An answer that says what is wrong, where (`field`, a JSON pointer into the request), and what to do.

    `code` is a word that programs can rely on; it never changes. No value that the caller sent is repeated.
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


def plain(answer: Response[str]) -> dict[str, Any]:
    """The answer as Lambda returns it, for what is refused before the framework sees it."""
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return {"statusCode": answer.status_code, "headers": headers, "body": answer.body, "isBase64Encoded": False}
