"""What other systems ask: may I send this, to whom, and why."""

import base64
import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, Server
from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_api.models import PermissionChecksIn, PermissionChecksOut
from consent_center.bootstrap import services
from consent_center.domain.errors import MissingScopeError, UnavailableError, UnknownNameError
from consent_center.observability import count, logger, metrics
from consent_center.usecases.check import Question, check_permissions
from consent_center.web.base_url import base_url
from consent_center.web.problems import plain, problem

app = APIGatewayHttpResolver(enable_validation=True)

LONGEST_BODY = 1_000_000
"""Characters of a request body; a thousand of the longest addresses fit three times."""


@app.post(
    "/v1/permission-checks",
    summary="May I send this, to whom, and why",
    tags=["Permissions"],
    security=[{"Jwt": []}],
)
def post_permission_checks(body: PermissionChecksIn) -> PermissionChecksOut:
    _require_scope("check")
    answers = check_permissions(
        Question(body.purpose, body.channel, body.topic, body.recipients, body.record_send),
        base_url=base_url(services().config, str(app.current_event.request_context.domain_name)),
        policy=services().policy,
        subjects=services().subjects,
        addresses=services().addresses,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
    )
    allowed = sum(answer.permission.allowed for answer in answers)
    count("PermissionAllowed", allowed)
    count("PermissionDenied", len(answers) - allowed)
    return PermissionChecksOut.of(answers)


@app.get("/v1/openapi.json", include_in_schema=False)
def get_openapi() -> Response[str]:
    document = app.get_openapi_json_schema(
        title="Consent Center",
        version="1",
        description="Decisions about consent, one call before every letter.",
        servers=[Server(url=base_url(services().config, str(app.current_event.request_context.domain_name)))],
        security_schemes={"Jwt": HTTPBearer(bearerFormat="JWT")},
    )
    return Response(HTTPStatus.OK, "application/json", document, {"Cache-Control": "max-age=300"})


@app.exception_handler(RequestValidationError)
def explain_validation(error: RequestValidationError) -> Response[str]:
    """Names the first field that is wrong. Pydantic's own text is not passed on: it quotes what was sent."""
    first = error.errors()[0]
    place = [part for part in first["loc"] if part != "body"]
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-field",
        _RULES.get(first["type"], "The value is not of the kind that the API description names."),
        field="".join(f"/{part}" for part in place),
    )


_RULES = {
    "missing": "The field is required.",
    "extra_forbidden": "The API has no such field.",
    "too_long": "The list has more than 1,000 items; send the rest in another call.",
    "string_type": "The value must be a text.",
    "bool_type": "The value must be true or false.",
    "list_type": "The value must be a list.",
}


@app.exception_handler(UnknownNameError)
def explain_unknown(error: UnknownNameError) -> Response[str]:
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "unknown-name",
        f"The policy has no such {error.field}.",
        field=f"/{error.field}",
    )


@app.exception_handler(MissingScopeError)
def explain_scope(error: MissingScopeError) -> Response[str]:
    return problem(HTTPStatus.FORBIDDEN, "missing-scope", f"The token needs the scope {error}.")


@app.exception_handler(UnavailableError)
def ask_to_try_again(error: UnavailableError) -> Response[str]:
    logger.warning("dependency unavailable", reason=str(error))
    count("Unavailable")
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Try again in a moment.", headers={"Retry-After": "5"}
    )


@app.exception_handler(Exception)
def admit_failure(_: Exception) -> Response[str]:
    logger.exception("unexpected failure")
    count("UnexpectedFailure")
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something failed here; nothing was decided.")


@app.not_found
def not_found(_: Exception) -> Response[str]:
    return problem(HTTPStatus.NOT_FOUND, "not-found", "The API has no such address.")


def _readable(event: dict[str, Any]) -> tuple[dict[str, Any], Response[str] | None]:
    """The event with its body as JSON text, or a refusal: the framework would call it our failure."""
    body = event.get("body") or ""
    if len(body) > LONGEST_BODY:
        detail = "Send at most 1,000,000 characters and 1,000 recipients in one call."
        return event, problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail, field="")
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else body
        json.loads(text)
    except (ValueError, RecursionError):
        return event, problem(HTTPStatus.BAD_REQUEST, "invalid-json", "The body is not valid JSON.", field="")
    headers = {**event.get("headers", {}), "content-type": "application/json"}
    return {**event, "body": text, "isBase64Encoded": False, "headers": headers}, None


def _require_scope(name: str) -> None:
    """The gateway has checked the signature; the scope is checked again here, where it decides."""
    needed = f"{services().config.scope_prefix}{name}"
    claims = app.current_event.raw_event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims", {})
    # API Gateway writes a claim that is a list as "[one two]".
    granted = f"{claims.get('scope', '')} {claims.get('scp', '')}".replace("[", " ").replace("]", " ").split()
    if needed not in granted:
        raise MissingScopeError(needed)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if event["requestContext"]["http"]["method"] == "POST":
        event, refusal = _readable(event)
        if refusal is not None:
            return plain(refusal)
    return app.resolve(event, context)
