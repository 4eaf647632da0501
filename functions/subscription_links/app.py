"""Pages that anyone may open: sign up, type the code, confirm, "this was not me", unsubscribe, notice.

GET shows, POST changes.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.capability import Capability, FormShown, open_form, seal_form
from consent_center.domain.errors import (
    InvalidFormError,
    InvalidTokenError,
    RequestGoneError,
    TooManyTriesError,
    UnknownNameError,
    WordingChangedError,
)
from consent_center.domain.notice import edition_before
from consent_center.domain.policy import Purpose, SignUpForm
from consent_center.domain.statistics import StopReason
from consent_center.observability import count, logger, metrics
from consent_center.usecases import confirm as confirming
from consent_center.usecases import withdraw as withdrawing
from consent_center.usecases.sign_up import MostSignUps, SignUp, request_subscription
from consent_center.usecases.statistics import count_reason
from consent_center.usecases.waiting import enter_code, look_at_waiting
from consent_center.web import well_known
from consent_center.web.faults import answer_faults
from consent_center.web.forms import Form
from consent_center.web.pages import public_file, redirect
from consent_center.web.visit import READ, Visit
from subscription_links import views

app = APIGatewayHttpResolver()

YOUNGEST_FORM_MS = 1_000
"""Nobody reads and fills in a form in less; programs do."""

_DAY = 86_400

OLDEST_FORM_MS = 24 * 3_600_000
"""A form that stayed open longer is shown again, because the notice may have changed meanwhile."""


@app.route("/", method=READ)
def home() -> Response[str]:
    visit = _visit()
    has_form = visit.require_brand().id in services().policy.forms
    return visit.page(
        "home",
        subscribe_url=visit.sign_up_url if has_form else "",
        preferences_url=visit.to("/preferences"),
        notice_url=visit.to("/notice"),
    )


@app.route("/subscribe", method=READ)
def show_form() -> Response[str]:
    visit = _visit()
    source = visit.query.get("source", "")
    known = source if services().policy.is_source_of(source, _form_of(visit).purpose) else ""
    asked_for = visit.query.get("topic", "").split(",")
    return _form_page(visit, SignUp(email="", topics=[]), source=known, first=asked_for)


@app.post("/subscribe")
def post_form() -> Response[str]:
    visit = _visit()
    form = visit.form
    if form.was_too_large:
        return visit.error_page("too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    sign_up = SignUp(
        email=form.one("email"),
        topics=form.all("topic"),
        name=form.one("name"),
        company=form.one("company"),
        interests=form.all("interest"),
    )
    if not form.one("form"):
        # A form on somebody's own site posts here: the person sees our words before anything is stored.
        return _form_page(visit, sign_up, message="embedded")
    try:
        shown = open_form(form.one("form"), services().secrets.links())
    except InvalidTokenError:
        return _form_page(visit, sign_up, HTTPStatus.UNPROCESSABLE_ENTITY, message="again")
    age, in_force = services().clock() - shown.shown_at, services().policy.notice_of(visit.brand.controller)
    if age < YOUNGEST_FORM_MS or age > OLDEST_FORM_MS or shown.notice != in_force.version:
        return _form_page(visit, sign_up, HTTPStatus.UNPROCESSABLE_ENTITY, message="again", shown_before=shown)
    try:
        waiting = request_subscription(
            sign_up,
            _form_of(visit),
            shown,
            network=visit.network,
            most=MostSignUps(services().config.sign_ups_per_address, services().config.sign_ups_per_source),
            limits=services().limits,
            policy=services().policy,
            addresses=services().addresses,
            subjects=services().subjects,
            outbox=services().outbox,
            secrets=services().secrets,
            chance=services().chance,
            clock=services().clock,
        )
    except InvalidFormError as error:
        return _form_page(visit, sign_up, HTTPStatus.UNPROCESSABLE_ENTITY, faults=error.fields, shown_before=shown)
    count("SignUpRequested")
    return visit.page(
        "check_mail",
        spoken=shown.language,
        email_shown=sign_up.email.strip(),
        days=services().policy.pending_days(services().clock()),
        action=visit.with_query(f"/waiting/{waiting}", {"lang": shown.language}),
        subscribe_url=visit.with_query("/subscribe", {"lang": shown.language}),
        **views.code_form(services().texts, shown.language),
    )


@app.route("/waiting/<token>", method=READ)
def show_waiting(token: str) -> Response[str]:
    return _waiting_page(token)


@app.post("/waiting/<token>")
def post_code(token: str) -> Response[str]:
    typed = _visit().form.one("code")
    try:
        confirm_token = enter_code(
            token,
            typed,
            network=_visit().network,
            most_per_source=services().config.sign_ups_per_source,
            limits=services().limits,
            claims=services().claims,
            secrets=services().secrets,
            clock=services().clock,
        )
    except InvalidFormError as error:
        count("CodeRefused")
        return _waiting_page(token, HTTPStatus.UNPROCESSABLE_ENTITY, typed=typed, fault=error.fields["code"])
    except TooManyTriesError:
        count("CodeTriesUsedUp")
        return _waiting_page(token, HTTPStatus.TOO_MANY_REQUESTS, is_open=False)
    count("CodeAccepted")
    return redirect(_visit().to(f"/confirm/{confirm_token}"))


@app.route("/confirm/<token>", method=READ)
def show_confirmation(token: str) -> Response[str]:
    confirmation = _look_at_request(token)
    count("ScannerBurst" if _visit().is_a_scan else "ConfirmPageOpened")
    return _confirm_page(confirmation, already=True)


@app.post("/confirm/<token>")
def post_confirmation(token: str) -> Response[str]:
    try:
        confirmation, is_new = confirming.confirm(
            token,
            _visit().form.one("shown"),
            policy=services().policy,
            subjects=services().subjects,
            secrets=services().secrets,
            chance=services().chance,
            clock=services().clock,
            pause=services().pause,
            network=_visit().network,
        )
    except WordingChangedError:
        return _confirm_page(_look_at_request(token), already=True, message="changed", status=HTTPStatus.CONFLICT)
    count("ConsentGiven" if is_new else "ConsentGivenAgain")
    if not confirming.order_receipt(
        token,
        confirmation,
        outbox=services().outbox,
        secrets=services().secrets,
        clock=services().clock,
    ):
        count("ReceiptNotOrdered")
        logger.warning("receipt not ordered")
    return _confirm_page(confirmation, already=not is_new)


@app.route("/not-me/<token>", method=READ)
def show_cancellation(token: str) -> Response[str]:
    stopped = withdrawing.look_at_withdrawal(
        token, policy=services().policy, secrets=services().secrets, capability=Capability.NOT_ME
    )
    return _visit(stopped.purpose).page("not_me")


@app.post("/not-me/<token>")
def post_cancellation(token: str) -> Response[str]:
    stopped = _withdraw(token, "not-me", Capability.NOT_ME)
    days = withdrawing.block_letters(
        token,
        policy=services().policy,
        limits=services().limits,
        secrets=services().secrets,
        clock=services().clock,
    )
    count("ConsentWithdrawn" if stopped.is_new else "RequestCancelled")
    return _visit(stopped.coverage.purpose).page("not_me_done", was_confirmed=stopped.is_new, days=days)


@app.route("/u/<token>", method=READ)
def show_withdrawal(token: str) -> Response[str]:
    coverage = withdrawing.look_at_withdrawal(token, policy=services().policy, secrets=services().secrets)
    count("ScannerBurst" if _visit().is_a_scan else "UnsubscribePageOpened")
    visit = _visit(coverage.purpose)
    return visit.page("unsubscribe", **views.coverage(coverage, services().policy, visit.language))


@app.post("/u/<token>")
def post_withdrawal(token: str) -> Response[str]:
    """RFC 8058: the token is the authority; the body only tells a mail program from the page's own buttons."""
    form = _visit().form
    if form.one("do") == "undo":
        return _undo_withdrawal(token, form)
    if form.one("do") == "reason":
        return _thank_for_reason(token, form)
    stopped = _withdraw(
        token,
        "page" if form.one("by") == "page" else "one-click",
        Capability.WITHDRAW,
        everything=form.one("do") == "everything",
    )
    if stopped.is_new:
        count("ConsentWithdrawn")
    else:
        count("RequestCancelled" if stopped.coverage.kind == "request" else "ConsentWithdrawnAgain")
    visit = _visit(stopped.coverage.purpose)
    return visit.page(
        "unsubscribed",
        link=token,
        everything=form.one("do") == "everything",
        subscribe_url=visit.sign_up_url,
        **views.withdrawn(stopped, services().policy, services().texts, visit.language),
    )


def _undo_withdrawal(token: str, form: Form) -> Response[str]:
    undone = withdrawing.undo_withdrawal(
        token,
        form.one("done"),
        instead=form.one("instead"),
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )
    count("WithdrawalUndone" if undone else "UndoRefused")
    stopped = withdrawing.look_at_withdrawal(token, policy=services().policy, secrets=services().secrets)
    visit = _visit(stopped.purpose)
    return visit.page(
        "undone",
        HTTPStatus.OK if undone else HTTPStatus.CONFLICT,
        undone=undone,
        instead=bool(form.one("instead")),
        link=token,
        stop_url=visit.to(f"/u/{token}"),
        subscribe_url=visit.sign_up_url,
    )


def _thank_for_reason(token: str, form: Form) -> Response[str]:
    """A reason is counted once, and kept about nobody."""
    stopped = withdrawing.look_at_withdrawal(token, policy=services().policy, secrets=services().secrets)
    visit = _visit(stopped.purpose)
    try:
        reason = StopReason(form.one("reason"))
    except ValueError:
        return visit.page("reason_thanks", given=False)
    is_new = count_reason(
        token,
        reason,
        purpose=stopped.purpose,
        language=visit.language,
        kept_days=services().config.statistics_kept_days,
        statistics=services().statistics,
        clock=services().clock,
    )
    if is_new:
        match reason:
            case StopReason.TOO_MANY:
                count("ReasonTooMany")
            case StopReason.NOT_RELEVANT:
                count("ReasonNotRelevant")
            case StopReason.NEVER_ASKED:
                count("ReasonNeverAsked")
            case StopReason.OTHER:
                count("ReasonOther")
    return visit.page("reason_thanks", given=True)


@app.route("/notice", method=READ)
def show_current_notice() -> Response[str]:
    return _notice_page(services().policy.notice_of(_visit().require_brand().controller).version)


@app.route("/notice/<version>", method=READ)
def show_notice(version: str) -> Response[str]:
    return _notice_page(version)


@app.route("/notice/<version>/changes", method=READ)
def show_changes(version: str) -> Response[str]:
    visit, policy = _visit(), services().policy
    controller = visit.require_brand().controller
    before = edition_before(policy, controller, version, visit.query.get("since"))
    return visit.page(
        "notice_changes",
        version=version,
        notice_url=visit.to(f"/notice/{version}"),
        **views.changes(before, version, controller, services().notice_text, policy, services().texts, visit.language),
    )


@app.exception_handler(RequestGoneError)
def explain_gone(error: RequestGoneError) -> Response[str]:
    return _visit().page(
        "confirm_gone",
        HTTPStatus.GONE,
        reason=error.reason,
        at=error.at // 1000 if error.at is not None else None,
        subscribe_url=_visit().sign_up_url,
    )


def _look_at_request(token: str) -> confirming.Confirmation:
    return confirming.look_at_request(
        token,
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        clock=services().clock,
    )


def _withdraw(token: str, route: str, capability: Capability, *, everything: bool = False) -> withdrawing.Withdrawal:
    return withdrawing.withdraw(
        token,
        route=route,
        everything=everything,
        capability=capability,
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )


@app.route("/.well-known/security.txt", method=READ)
def show_security_contact() -> Response[str]:
    return public_file(well_known.security_txt(services().policy, services().clock()), "text/plain", _DAY)


@app.route("/.well-known/gpc.json", method=READ)
def show_privacy_control() -> Response[str]:
    return public_file(well_known.gpc_json(services().policy), "application/json", _DAY)


@app.route("/robots.txt", method=READ)
def show_robots() -> Response[str]:
    return public_file(well_known.robots_txt(), "text/plain", _DAY)


@app.route("/favicon.svg", method=READ)
def show_icon() -> Response[str]:
    return public_file(well_known.favicon(_visit().brand), "image/svg+xml", _DAY)


@app.route("/favicon.ico", method=READ)
def show_old_icon() -> Response[str]:
    """Where browsers look that have not read the page."""
    return show_icon()


def _form_of(visit: Visit) -> SignUpForm:
    """The sign-up form of the brand whose page is asked for. UnknownNameError for a brand that has none."""
    form = services().policy.forms.get(visit.require_brand().id)
    if form is None:
        raise UnknownNameError("brand")
    return form


def _form_page(
    visit: Visit,
    sign_up: SignUp,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    message: str | None = None,
    faults: dict[str, str] | None = None,
    source: str = "",
    first: Sequence[str] = (),
    shown_before: FormShown | None = None,
) -> Response[str]:
    """The form; one that was posted comes back in the language and from the source that it was shown with.

    The topics in `first` stand first. They are not ticked: a link is nobody's yes.
    """
    language = shown_before.language if shown_before else None
    policy, spoken, form = services().policy, language or visit.language, _form_of(visit)
    source = shown_before.source if shown_before else source
    shown = FormShown(services().clock(), policy.notice_of(visit.brand.controller).version, spoken, source)
    return visit.page(
        "subscribe",
        status,
        spoken=language,
        form_token=seal_form(shown, services().secrets.links()),
        days=policy.pending_days(services().clock()),
        **views.form(form, sign_up, faults or {}, message, policy, services().texts, spoken, first),
    )


def _waiting_page(token: str, status: HTTPStatus = HTTPStatus.OK, **state: Any) -> Response[str]:
    """The page after a sign-up, as it is without the address, which no link may hold."""
    link = look_at_waiting(token, secrets=services().secrets, clock=services().clock)
    return _visit().page(
        "check_mail",
        status,
        email_shown="",
        ends_at=link.ends_at,
        action=_visit().to(f"/waiting/{token}"),
        subscribe_url=_visit().sign_up_url,
        **views.code_form(services().texts, _visit().language, **state),
    )


def _confirm_page(
    confirmation: confirming.Confirmation,
    *,
    already: bool,
    message: str | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response[str]:
    policy, language = services().policy, confirmation.wording.language
    visit = _visit(confirmation.purpose)
    topics = views.topics(confirmation.topics, policy, language)
    if confirmation.confirmed_at is not None:
        return visit.page(
            "confirmed",
            status,
            spoken=language,
            topics=topics,
            already=already,
            at=confirmation.confirmed_at // 1000,
            stop_address=visit.brand.stop_address,
        )
    return visit.page(
        "confirm",
        status,
        spoken=language,
        topics=topics,
        wording=list(confirmation.wording.paragraphs),
        shown=confirmation.wording.hash,
        typed=views.typed(confirmation, policy, language),
        not_me_url=visit.with_query(f"/not-me/{confirmation.not_me_token}", {"lang": language}),
        message=views.confirm_message(message, services().texts, language),
    )


def _notice_page(version: str) -> Response[str]:
    policy, visit = services().policy, _visit()
    controller = visit.require_brand().controller
    notice = services().notice_text(version, visit.language, controller)
    in_force = policy.notice_of(controller).version
    versions = [
        {
            "version": known.version,
            "published_on": known.published_on,
            "current": known.version == in_force,
            "url": visit.to(f"/notice/{known.version}"),
            "changes_url": visit.to(f"/notice/{known.version}/changes") if number else None,
        }
        for number, known in reversed(list(enumerate(policy.notices_of(controller).values())))
    ]
    return visit.page("notice", notice=notice, versions=versions)


def _visit(about: Purpose | None = None) -> Visit:
    return Visit(app.current_event, services().policy, services().texts, about)


answer_faults(app, _visit)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
