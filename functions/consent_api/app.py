"""What other systems ask: may I send this, to whom, and why."""

import base64
import hashlib
import json
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, Server
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic_core import to_json

from consent_api.case_models import (
    CaseFiledOut,
    CaseFileOut,
    CaseIn,
    CaseOut,
    CasesOut,
    TaskIn,
    TransitionIn,
)
from consent_api.models import (
    DecisionIn,
    DecisionsIn,
    DecisionsOut,
    HoldIn,
    HoldLiftIn,
    LockedOut,
    LookupIn,
    LookupOut,
    OfflineRequestIn,
    OfflineRequestOut,
    PermissionChecksIn,
    PermissionChecksOut,
    RestrictionIn,
    RestrictionLiftIn,
    RetentionOut,
    SendsIn,
    SendsOut,
    StatisticsOut,
    SuppressionsIn,
    SuppressionsOut,
)
from consent_center.bootstrap import services
from consent_center.domain.case import CaseState, Right
from consent_center.domain.errors import (
    ClosedCaseError,
    ForbiddenStepError,
    ForbiddenTransitionError,
    InvalidAddressError,
    InvalidFormError,
    MissingScopeError,
    MovedAwayError,
    NothingHeldError,
    SettledTaskError,
    StaleCaseError,
    TooManyRequestsError,
    UnknownCaseError,
    UnknownNameError,
    UnreadableCaseError,
    UnreadableParticularsError,
)
from consent_center.domain.recipient import TaskState
from consent_center.domain.suppression import Basis
from consent_center.observability import count, logger, metrics
from consent_center.usecases.answers_of_recipients import hand_in, note_answer, try_again
from consent_center.usecases.check import Question, check_permissions
from consent_center.usecases.locks import Lifting, Locking, lift_lock, set_lock
from consent_center.usecases.lookup import look_up
from consent_center.usecases.offline import request_for_somebody
from consent_center.usecases.record import record_decision
from consent_center.usecases.sends import SendOutcome, confirm_sends
from consent_center.usecases.staff_cases import DECISIONS, file_case, list_cases, look_into, take_step
from consent_center.usecases.statistics import Asked, read_statistics
from consent_center.usecases.suppress import suppress
from consent_center.usecases.why_kept import why_kept
from consent_center.web.base_url import base_url
from consent_center.web.problems import answer_failures, plain, problem
from consent_center.web.tables import table

app = APIGatewayHttpResolver(enable_validation=True, serializer=lambda answer: to_json(answer).decode())

LONGEST_BODY = 1_000_000
"""Characters of a request body; a thousand of the longest addresses fit three times."""


@app.post(
    "/v1/permission-checks",
    summary="May I send this, to whom, and why",
    tags=["Permissions"],
    security=[{"Jwt": []}],
    responses={
        HTTPStatus.OK: {
            "description": "One answer per row",
            "content": {"application/json": {"model": PermissionChecksOut}},
        }
    },
)
def post_permission_checks(body: PermissionChecksIn) -> Response[str]:
    _require_scope("check")
    answers = check_permissions(
        Question(body.purpose, body.channel, body.topic, body.recipients, body.record_send, body.product_group),
        base_url=base_url(services().config, str(app.current_event.request_context.domain_name)),
        policy=services().policy,
        subjects=services().subjects,
        addresses=services().addresses,
        secrets=services().secrets,
        clock=services().clock,
        stop_mail=services().config.stop_mail_address,
    )
    allowed = sum(answer.permission.allowed for answer in answers)
    count("PermissionAllowed", allowed)
    count("PermissionDenied", len(answers) - allowed)
    return Response(HTTPStatus.OK, "application/json", PermissionChecksOut.written(answers))


@app.post("/v1/sends", summary="These letters were sent", tags=["Permissions"], security=[{"Jwt": []}])
def post_sends(body: SendsIn) -> SendsOut:
    _require_scope("check")
    outcomes = confirm_sends(
        [send.send_id for send in body.sends],
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        clock=services().clock,
    )
    count("SendConfirmed", sum(outcome is SendOutcome.RECORDED for outcome in outcomes))
    return SendsOut.of(outcomes)


@app.post(
    "/v1/permissions/lookup",
    summary="Everything that may be done about one person",
    tags=["Permissions"],
    security=[{"Jwt": []}],
)
def post_lookup(body: LookupIn) -> LookupOut:
    _require_scope("read")
    found = look_up(
        body.recipient,
        body.controller,
        policy=services().policy,
        subjects=services().subjects,
        addresses=services().addresses,
        secrets=services().secrets,
        clock=services().clock,
    )
    count("PersonLookedUp")
    return LookupOut.of(found)


@app.post(
    "/v1/decisions",
    summary="Record what a person decided somewhere else",
    tags=["Decisions"],
    security=[{"Jwt": []}],
)
def post_decisions(body: DecisionsIn) -> DecisionsOut:
    _require_scope("write")
    if (body.objection is None) == (body.purpose is None):
        raise InvalidFormError({"purpose": "either"})
    if body.objection is not None and body.decision is not DecisionIn.OBJECTED:
        raise InvalidFormError({"decision": "not_an_objection"})
    is_sale = body.decision is DecisionIn.SOFT_OPT_IN
    if is_sale == (body.product_group is None):
        raise InvalidFormError({"product_group": "required" if is_sale else "not_a_sale"})
    if is_sale and body.topics:
        raise InvalidFormError({"topics": "product_group"})
    recorded = record_decision(body.statement(), **_deciding())
    count("DecisionRecorded" if recorded.is_new else "DecisionRecordedAgain")
    return DecisionsOut.of(recorded)


@app.get(
    "/v1/statistics",
    summary="What happened, in numbers that name nobody",
    tags=["Statistics"],
    security=[{"Jwt": []}],
    responses={
        HTTPStatus.OK: {
            "description": "The counts by group; as CSV where `Accept` asks for `text/csv`",
            "content": {"application/json": {"model": StatisticsOut}},
        }
    },
)
def get_statistics(
    first: Annotated[str, Query(alias="from", description="The first day (UTC), such as 2026-11-01.")] = "",
    last: Annotated[str, Query(alias="to", description="The last day; usually today.")] = "",
    purpose: Annotated[str, Query(description="One purpose's id. Without it, all together.")] = "",
    group: Annotated[
        str, Query(description="With commas: one of day and month; controller, brand, purpose, source, language.")
    ] = "",
) -> Response[str]:
    _require_scope("statistics.read")
    found = read_statistics(
        Asked(first, last, purpose, group),
        policy=services().policy,
        statistics=services().statistics,
        clock=services().clock,
    )
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if _wants_csv():
        headers["Content-Disposition"] = f'attachment; filename="statistics-{found.first}-{found.last}.csv"'
        return Response(HTTPStatus.OK, "text/csv; charset=utf-8", table(list(found.lines())), headers)
    return Response(HTTPStatus.OK, "application/json", StatisticsOut.written(found), headers)


@app.post("/v1/holds", summary="Keep what is held about a person, until a day", tags=["Locks"], security=[{"Jwt": []}])
def post_holds(body: HoldIn) -> LockedOut:
    _require_scope("holds.write")
    return _lock(body.locking())


@app.post("/v1/holds/lift", summary="End a hold", tags=["Locks"], security=[{"Jwt": []}])
def post_holds_lift(body: HoldLiftIn) -> LockedOut:
    _require_scope("holds.write")
    return _lift(body.lifting())


@app.post(
    "/v1/restrictions",
    summary="Keep what is held about a person, and use it no more",
    tags=["Locks"],
    security=[{"Jwt": []}],
)
def post_restrictions(body: RestrictionIn) -> LockedOut:
    _require_scope("restrictions.write")
    return _lock(body.locking())


@app.post("/v1/restrictions/lift", summary="End a restriction", tags=["Locks"], security=[{"Jwt": []}])
def post_restrictions_lift(body: RestrictionLiftIn) -> LockedOut:
    _require_scope("restrictions.write")
    return _lift(body.lifting())


def _lock(locking: Locking) -> LockedOut:
    locked = set_lock(locking, **_deciding())
    if locked.is_new:
        count("LockSet")
    return LockedOut.of(locked)


def _lift(lifting: Lifting) -> LockedOut:
    locked = lift_lock(lifting, **_deciding())
    if locked.is_new:
        count("LockLifted")
    return LockedOut.of(locked)


def _deciding() -> dict[str, Any]:
    """What every decision of this function takes."""
    return {
        "client": _client(),
        "policy": services().policy,
        "subjects": services().subjects,
        "addresses": services().addresses,
        "secrets": services().secrets,
        "chance": services().chance,
        "clock": services().clock,
        "pause": services().pause,
    }


@app.post(
    "/v1/retention-answers",
    summary="Why is this still here, until when, by which rule",
    tags=["Locks"],
    security=[{"Jwt": []}],
)
def post_retention_answers(body: LookupIn) -> RetentionOut:
    _require_scope("retention.read")
    found = why_kept(
        body.recipient,
        body.controller,
        policy=services().policy,
        subjects=services().subjects,
        retention=services().retention,
        ledger=services().ledger,
        addresses=services().addresses,
        secrets=services().secrets,
        clock=services().clock,
    )
    count("RetentionAnswered")
    return RetentionOut.of(found, services().policy)


@app.post(
    "/v1/suppressions",
    summary="Keep a person out, on their word",
    tags=["Decisions"],
    security=[{"Jwt": []}],
)
def post_suppressions(body: SuppressionsIn) -> SuppressionsOut:
    _require_scope("suppressions.write")
    try:
        address = services().addresses(body.recipient)
    except InvalidAddressError as error:
        raise InvalidFormError({"recipient": str(error)}) from None
    evidence = suppress(
        address,
        basis=Basis.REQUEST,
        source="api",
        client=_client(),
        controller=services().policy.controller_meant(body.controller),
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )
    count("PersonSuppressed")
    return SuppressionsOut(evidence=evidence)


@app.post(
    "/v1/offline-requests",
    summary="Somebody asked your staff for letters: ask them whether they meant it",
    tags=["Decisions"],
    security=[{"Jwt": []}],
    responses={
        HTTPStatus.ACCEPTED: {
            "description": "The request is stored and its letter ordered",
            "content": {"application/json": {"model": OfflineRequestOut}},
        }
    },
)
def post_offline_requests(body: OfflineRequestIn) -> Response[str]:
    _require_scope("offline.write")
    request = request_for_somebody(
        body.asked(),
        client=_client(),
        most_per_address=services().config.sign_ups_per_address,
        limits=services().limits,
        policy=services().policy,
        addresses=services().addresses,
        subjects=services().subjects,
        outbox=services().outbox,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
    )
    count("OfflineRequested")
    return Response(HTTPStatus.ACCEPTED, "application/json", OfflineRequestOut(request=request).model_dump_json())


_CaseId = Annotated[str, Path(pattern="^[A-Za-z0-9]{1,64}$", description="The case's `id`.")]


@app.post("/v1/cases", summary="File a rights request for somebody", tags=["Cases"], security=[{"Jwt": []}])
def post_cases(body: CaseIn) -> CaseFiledOut:
    _require_scope("cases.write")
    if body.identity_checked:
        _require_scope("cases.decide")
    filed = file_case(
        body.filing(),
        client=_client(),
        cool_off_hours=services().policy.rights.cool_off_hours,
        policy=services().policy,
        cases=services().cases,
        particulars=services().particulars,
        orders=services().case_orders,
        subjects=services().subjects,
        addresses=services().addresses,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )
    count("CaseFiled" if filed.is_new else "CaseFiledAgain")
    return CaseFiledOut.of_filed(filed)


@app.get("/v1/cases", summary="Open rights requests by the day to answer by", tags=["Cases"], security=[{"Jwt": []}])
def get_cases(
    cursor: Annotated[str, Query(max_length=100, description="As the list before answered it.")] = "",
    controller: Annotated[str | None, Query(max_length=40, description="Those with one controller only.")] = None,
    right: Annotated[Right | None, Query(alias="type", description="Those of one right only.")] = None,
    state: Annotated[CaseState | None, Query(description="Those in one state only.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="At most so many at once.")] = 50,
) -> CasesOut:
    _require_scope("cases.read")
    if controller is not None:
        services().policy.controller_meant(controller)
    page = list_cases(services().cases, cursor=cursor, controller=controller, right=right, state=state, most=limit)
    return CasesOut.of(page)


@app.get("/v1/cases/<case>", summary="One rights request", tags=["Cases"], security=[{"Jwt": []}])
def get_case(case: _CaseId) -> CaseFileOut:
    _require_scope("cases.read")
    file, particulars = look_into(
        case,
        with_particulars=_has_scope("cases.decide"),
        cases=services().cases,
        particulars=services().particulars,
    )
    return CaseFileOut.of_file(file, particulars)


@app.post("/v1/cases/<case>/transitions", summary="Take a step in a case", tags=["Cases"], security=[{"Jwt": []}])
def post_case_transitions(case: _CaseId, body: TransitionIn) -> CaseOut:
    _require_scope("cases.write")
    if body.step in DECISIONS:
        _require_scope("cases.decide")
    stored = take_step(
        case,
        body.wanted(),
        client=_client(),
        cool_off_hours=services().policy.rights.cool_off_hours,
        days=services().days,
        policy=services().policy,
        cases=services().cases,
        particulars=services().particulars,
        orders=services().case_orders,
        addresses=services().addresses,
        chance=services().chance,
        clock=services().clock,
    )
    count("CaseMoved")
    return CaseOut.of(stored)


@app.post(
    "/v1/cases/<case>/tasks/<recipient>",
    summary="Settle what a recipient was to do, or have it asked again",
    tags=["Cases"],
    security=[{"Jwt": []}],
)
def post_case_tasks(
    case: _CaseId,
    recipient: Annotated[str, Path(pattern="^[a-z0-9-]{1,64}$", description="The recipient's id in the policy.")],
    body: TaskIn,
) -> CaseFileOut:
    _require_scope("cases.write")
    given: dict[str, Any] = {"cases": services().cases, "orders": services().case_orders, "clock": services().clock}
    by = f"staff:{_client()}"
    if body.files and (body.do, body.state) != ("settle", "done"):
        raise InvalidFormError({"files": "not_collected"})
    if body.do == "redrive":
        try_again(case, recipient, by=by, **given)
        count("TaskRedriven")
    elif body.state is None:
        raise InvalidFormError({"state": "required"})
    elif body.files:
        files = [file.given() for file in body.files]
        hand_in(case, recipient, files, by=by, particulars=services().particulars, **given)
        count("TaskSettled")
    else:
        note_answer(case, recipient, TaskState(body.state), "manual", by=by, reason=body.reason.strip(), **given)
        count("TaskSettled")
    file, _ = look_into(case, with_particulars=False, cases=services().cases, particulars=services().particulars)
    return CaseFileOut.of_file(file, None)


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
    "int_type": "The value must be a whole number.",
    "greater_than_equal": "The number is too small.",
    "list_type": "The value must be a list.",
    "string_too_long": "The text is too long.",
    "string_too_short": "The text is empty.",
    "too_short": "The list is empty.",
    "enum": "The value is not one of those that the API description names.",
    "timezone_aware": "The time needs its offset from UTC, such as Z.",
    "datetime_from_date_parsing": "The value must be a time as RFC 3339 writes it.",
    "datetime_parsing": "The value must be a time as RFC 3339 writes it.",
    "datetime_type": "The value must be a time as RFC 3339 writes it.",
}


@app.exception_handler(InvalidFormError)
def explain_field(error: InvalidFormError) -> Response[str]:
    """Names the first field that is wrong and the rule that it breaks."""
    field, rule = next(iter(error.fields.items()))
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-field", _FIELD_RULES[rule], field=f"/{field}")


_FIELD_RULES = {
    "required": "The field is required here.",
    "too_long": "The value is longer than an e-mail address can be.",
    "address": "The value is no e-mail address.",
    "future": "The time is in the future, or before the person agreed.",
    "not_confirmed": "This purpose counts only once the person has confirmed it from the address: say when.",
    "unknown": "The policy has no such value.",
    "retired": "The organisation no longer pursues this; it can be withdrawn and no longer given.",
    "ended": "A consent given then has ended by itself already.",
    "either": "Name either a purpose or an objection.",
    "not_an_objection": "With an objection the decision is `objected`.",
    "not_an_interest": "This purpose does not rest on an interest that a person can object to.",
    "past": "The end has passed already.",
    "too_late": "The end lies beyond the period of the policy's rule for holds.",
    "too_many_locks": "The record has as many holds and restrictions as it can; lift one first.",
    "not_told_yet": "The person has to be told before the restriction ends (Art. 18(3) GDPR).",
    "not_a_consent": "This purpose does not rest on consent.",
    "date": "The value must be a day, such as 2026-11-25.",
    "before": "The last day is before the first.",
    "too_many_days": "Ask for at most 400 days at once.",
    "group": "Name some of day or month, controller, brand, purpose, source, language, with commas, each once.",
    "too_fine": "The table would have more than 10,000 rows: ask for fewer days, or group by less.",
    "not_a_sale": "Product groups and soft opt-in belong to a purpose that rests on soft opt-in.",
    "not_offered": "A soft opt-in counts only if the person could say no when the address was collected.",
    "not_attested": "Nobody is written to unless you attest that the person themselves asked for it.",
    "not_asked": "The form of this purpose does not ask for it, so it is not stored.",
    "not_by_letter": "Nobody is asked about this purpose by letter.",
    "characters": "The text has characters that nobody types.",
    "product_group": "A soft opt-in names its product group instead.",
    "not_collected": "Files belong to what was to be collected and is done.",
    "file_name": "Name a file by letters, digits, hyphens and underscores, and one ending, such as customer-17.pdf.",
    "file_content": "A file has either a text, or bytes in base64.",
    "twice": "Two files have the same name, in small or capital letters.",
    "not_utf8": "A table (.csv) must be UTF-8, so that its cells can be made harmless.",
    "too_large": "More than 262,144 bytes, 100 files, or than the case can keep: give the rest another way.",
    "which": "The policy has several controllers: name the one whose records are meant.",
    "of_purpose": "The purpose belongs to another controller. Leave the field out, or name the purpose's own.",
    "not_for_this_right": "A request of this type cannot be refused on this ground.",
}


@app.exception_handler(MovedAwayError)
def explain_moved_away(_: MovedAwayError) -> Response[str]:
    detail = "This evidence is from before the person at this address moved to another. Whoever has it now signs up."
    return problem(HTTPStatus.CONFLICT, "forbidden-transition", detail)


@app.exception_handler(ForbiddenTransitionError)
def explain_forbidden(_: ForbiddenTransitionError) -> Response[str]:
    detail = "The person said no. Only they can turn that into a yes: let them sign up again."
    return problem(HTTPStatus.CONFLICT, "forbidden-transition", detail)


@app.exception_handler(UnknownNameError)
def explain_unknown(error: UnknownNameError) -> Response[str]:
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "unknown-name",
        f"The policy has no such {error.field}.",
        field=f"/{error.field}",
    )


@app.exception_handler(NothingHeldError)
def explain_nothing(_: NothingHeldError) -> Response[str]:
    return problem(HTTPStatus.NOT_FOUND, "nothing-held", "Nothing is held about this person.", field="/recipient")


@app.exception_handler(UnknownCaseError)
def explain_case(_: UnknownCaseError) -> Response[str]:
    return problem(HTTPStatus.NOT_FOUND, "unknown-case", "There is no such case, or it has no such recipient.")


@app.exception_handler(UnreadableCaseError)
@app.exception_handler(UnreadableParticularsError)
def explain_unreadable(error: UnreadableCaseError | UnreadableParticularsError) -> Response[str]:
    logger.error("case cannot be read", reason=str(error))
    detail = "What is stored of this case cannot be read, and waiting mends nothing: tell whoever runs this service."
    return problem(HTTPStatus.CONFLICT, "unreadable-case", detail)


@app.exception_handler(StaleCaseError)
def explain_stale(_: StaleCaseError) -> Response[str]:
    detail = "The case has changed since you read it. Read it again and decide again."
    return problem(HTTPStatus.CONFLICT, "stale-case", detail, field="/version")


@app.exception_handler(ForbiddenStepError)
def explain_step(error: ForbiddenStepError) -> Response[str]:
    detail = f"A case that is `{error.state}` does not become `{error.wanted}`."
    if error.instead:
        detail += f" Take the step `{error.instead}`: it is carried out, and ends by itself."
    return problem(HTTPStatus.CONFLICT, "forbidden-step", detail)


@app.exception_handler(ClosedCaseError)
def explain_closed(_: ClosedCaseError) -> Response[str]:
    return problem(HTTPStatus.CONFLICT, "closed-case", "The case is closed.")


@app.exception_handler(SettledTaskError)
def explain_settled(_: SettledTaskError) -> Response[str]:
    return problem(HTTPStatus.CONFLICT, "settled-task", "The recipient's task is settled, and says something else.")


@app.exception_handler(MissingScopeError)
def explain_scope(error: MissingScopeError) -> Response[str]:
    return problem(HTTPStatus.FORBIDDEN, "missing-scope", f"The token needs the scope {error}.")


@app.exception_handler(TooManyRequestsError)
def ask_to_wait(_: TooManyRequestsError) -> Response[str]:
    detail = "This address was asked often enough this hour. Try again in the next."
    return problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", detail, headers={"Retry-After": "3600"})


answer_failures(app, "nothing was decided.")


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


def _wants_csv() -> bool:
    """Whether the first kind of answer that is accepted, among those we have, is CSV (RFC 9110, 12.5.1, in short)."""
    accepted = str(app.current_event.headers.get("accept") or "")
    kinds = [one.partition(";")[0].strip().lower() for one in accepted.split(",")]
    ours = [kind for kind in kinds if kind in ("text/csv", "application/json")]
    return ours[:1] == ["text/csv"]


def _claims() -> dict[str, Any]:
    context = app.current_event.raw_event["requestContext"]
    claims: dict[str, Any] = context.get("authorizer", {}).get("jwt", {}).get("claims", {})
    return claims


def _client() -> str:
    """The system that calls, as its token names it. A name that could be a person's address is kept as its hash."""
    claims = _claims()
    name = str(claims.get("client_id") or claims.get("azp") or claims.get("sub") or "unknown")
    return hashlib.sha256(name.encode()).hexdigest()[:26] if "@" in name else name[:100]


def _require_scope(name: str) -> None:
    """The gateway has checked the signature; the scope is checked again here, where it decides."""
    if not _has_scope(name):
        raise MissingScopeError(f"{services().config.scope_prefix}{name}")


def _has_scope(name: str) -> bool:
    claims = _claims()
    # API Gateway writes a claim that is a list as "[one two]".
    granted = f"{claims.get('scope', '')} {claims.get('scp', '')}".replace("[", " ").replace("]", " ").split()
    return f"{services().config.scope_prefix}{name}" in granted


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if event["requestContext"]["http"]["method"] == "POST":
        event, refusal = _readable(event)
        if refusal is not None:
            return plain(refusal)
    return app.resolve(event, context)
