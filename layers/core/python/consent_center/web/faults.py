"""What a person sees when something goes wrong: always a page, and always what to do next."""

from collections.abc import Callable
from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from consent_center.domain.errors import (
    InvalidTokenError,
    TooManyRequestsError,
    UnavailableError,
    UnknownNameError,
)
from consent_center.observability import count, logger
from consent_center.web.visit import Visit

ALLOWED = {"Allow": "GET, HEAD, POST, OPTIONS"}


def answer_faults(app: APIGatewayHttpResolver, visit: Callable[[], Visit]) -> None:
    """Give an app of pages an answer to whatever its routes raise, and to routes that it has not."""

    def not_found(_: Exception) -> Response[str]:
        method = app.current_event.request_context.http.method
        if method == "OPTIONS":
            return Response(HTTPStatus.NO_CONTENT, None, "", ALLOWED)
        if method not in ("GET", "HEAD", "POST"):
            return visit().error_page("method", HTTPStatus.METHOD_NOT_ALLOWED, ALLOWED)
        return visit().error_page("not_found", HTTPStatus.NOT_FOUND)

    def refuse_token(_: InvalidTokenError) -> Response[str]:
        count("LinkRefused")
        return visit().error_page("invalid", HTTPStatus.BAD_REQUEST)

    def explain_unknown(_: UnknownNameError) -> Response[str]:
        return visit().error_page("not_found", HTTPStatus.NOT_FOUND)

    def ask_to_wait(_: TooManyRequestsError) -> Response[str]:
        count("SignUpLimited")
        return visit().error_page("too_many", HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "3600"})

    def ask_to_try_again(error: UnavailableError) -> Response[str]:
        logger.warning("dependency unavailable", reason=str(error))
        count("Unavailable")
        return visit().error_page("busy", HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "30"})

    def admit_failure(_: Exception) -> Response[str]:
        logger.exception("unexpected failure")
        count("UnexpectedFailure")
        try:
            return visit().error_page("busy", HTTPStatus.INTERNAL_SERVER_ERROR)
        except Exception:
            # Lambda would write the text of an exception to the log, and that may quote what a person typed.
            logger.exception("error page failed")
            words = "Please try again in a minute."
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", words)

    app.not_found(not_found)
    app.exception_handler(InvalidTokenError)(refuse_token)
    app.exception_handler(UnknownNameError)(explain_unknown)
    app.exception_handler(TooManyRequestsError)(ask_to_wait)
    app.exception_handler(UnavailableError)(ask_to_try_again)
    app.exception_handler(Exception)(admit_failure)
