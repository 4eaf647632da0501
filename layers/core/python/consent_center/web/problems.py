"""Errors of the API as problem documents (RFC 9457)."""

import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from consent_center.domain.errors import UnavailableError
from consent_center.observability import count, logger

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


def answer_failures(app: APIGatewayHttpResolver, nothing: str) -> None:
    """What every API says alike: that something we need does not answer, that we failed, that there is no such address.

    `nothing` says what did not happen where we failed.
    """

    def ask_to_try_again(error: UnavailableError) -> Response[str]:
        logger.warning("dependency unavailable", reason=str(error))
        count("Unavailable")
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Try again in a moment.", headers={"Retry-After": "5"}
        )

    def admit_failure(_: Exception) -> Response[str]:
        logger.exception("unexpected failure")
        count("UnexpectedFailure")
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", f"Something failed here; {nothing}")

    def not_found(_: Exception) -> Response[str]:
        return problem(HTTPStatus.NOT_FOUND, "not-found", "The API has no such address.")

    app.exception_handler(UnavailableError)(ask_to_try_again)
    app.exception_handler(Exception)(admit_failure)
    app.not_found(not_found)


def plain(answer: Response[str]) -> dict[str, Any]:
    """The answer as Lambda returns it, for what is refused before the framework sees it."""
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return {"statusCode": answer.status_code, "headers": headers, "body": answer.body, "isBase64Encoded": False}
