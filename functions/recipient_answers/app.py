"""Recipients of data call back: a signed message says what became of what they were asked."""

import base64
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.errors import (
    BadSignatureError,
    ClosedCaseError,
    InvalidFormError,
    SettledTaskError,
    UnknownCaseError,
    UnreadableMessageError,
)
from consent_center.domain.webhook import message
from consent_center.observability import count, logger, metrics
from consent_center.usecases.call_backs import take_call_back
from consent_center.web.problems import answer_failures, plain, problem

LONGEST_BODY = 16_384
"""Characters of a body as it arrives: far more than a case, a state and a code take."""

app = APIGatewayHttpResolver()


@app.post("/recipients/<recipient>/answers")
def take(recipient: str) -> Response[dict[str, Any]]:
    event = app.current_event.raw_event
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    taken = take_call_back(
        recipient,
        message(headers, _bytes(event)),
        connectors=services().recipient_connectors,
        secrets=services().recipient_secrets,
        cases=services().cases,
        orders=services().case_orders,
        clock=services().clock,
    )
    logger.info("recipient answered", recipient=recipient, state=taken.state, repeated=taken.repeated)
    count("RecipientAnswered")
    return Response(HTTPStatus.OK, "application/json", taken._asdict(), {"Cache-Control": "no-store"})


def _bytes(event: Mapping[str, Any]) -> bytes:
    """The body as it was signed: the framework's own reading of it would lose what is no text."""
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        return b""


@app.exception_handler(BadSignatureError)
def refuse_signature(_: BadSignatureError) -> Response[str]:
    count("RecipientRefused")
    detail = "Sign by Standard Webhooks with your secret, and send at once: a signature holds for five minutes."
    return problem(HTTPStatus.UNAUTHORIZED, "bad-signature", detail)


@app.exception_handler(UnreadableMessageError)
def refuse_text(_: UnreadableMessageError) -> Response[str]:
    return problem(HTTPStatus.BAD_REQUEST, "invalid-json", "The body is not a JSON object.", field="")


@app.exception_handler(InvalidFormError)
def explain_field(error: InvalidFormError) -> Response[str]:
    field, rule = next(iter(error.fields.items()))
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-field", _FIELD_RULES[rule], field=f"/{field}")


_FIELD_RULES = {
    "unknown": "Repeat the case that you were asked with, and say done, nothing_held, failed or ready.",
    "not_for_verb": "What is collected is `ready`, and then sent when we ask again; everything else is `done`.",
    "key": "Repeat the key that you were asked with, which is the webhook-id of the request.",
    "characters": "A code has at most 60 letters, digits, dots, hyphens and underscores.",
}


@app.exception_handler(UnknownCaseError)
def explain_unknown(_: UnknownCaseError) -> Response[str]:
    return problem(HTTPStatus.NOT_FOUND, "unknown-case", "You were not asked anything in such a case.", field="/case")


@app.exception_handler(ClosedCaseError)
def explain_closed(_: ClosedCaseError) -> Response[str]:
    return problem(HTTPStatus.CONFLICT, "closed-case", "The case is closed; nothing is needed any more.", field="/case")


@app.exception_handler(SettledTaskError)
def explain_settled(_: SettledTaskError) -> Response[str]:
    detail = "You have answered already, and said something else. Write to us if that was wrong."
    return problem(HTTPStatus.CONFLICT, "settled-task", detail, field="/state")


answer_failures(app, "nothing was noted.")


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    # Before anything is worked out: whoever sends this much has no secret.
    if len(event.get("body") or "") > LONGEST_BODY:
        detail = "Send a case, a state and a code, and nothing else."
        return plain(problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail, field=""))
    return app.resolve(event, context)
