"""Pages of one person: preferences, history, receipts, rights requests, and why they got a letter.

GET shows, POST changes.
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain import wishes
from consent_center.domain.capability import FormShown, StatusLink, open_form, seal_form, seal_status
from consent_center.domain.case import Right
from consent_center.domain.errors import (
    CaseGoneError,
    ExpiredTokenError,
    ForbiddenStepError,
    InvalidFormError,
    InvalidTokenError,
    NothingHeldError,
    RequestGoneError,
    TakenPlaceError,
    TooManyRequestsError,
    UnknownNameError,
    WordingChangedError,
)
from consent_center.domain.objection import Against
from consent_center.domain.policy import Brand, Purpose
from consent_center.observability import count, logger, metrics
from consent_center.usecases import cases, downloads, history, lost_link, preferences, receipts
from consent_center.usecases import move_address as moving
from consent_center.usecases.case_days import answer_days
from consent_center.usecases.cases import Asked
from consent_center.usecases.sign_up import MostSignUps
from consent_center.web.base_url import base_url
from consent_center.web.faults import answer_faults
from consent_center.web.forms import Form
from consent_center.web.pages import download, redirect
from consent_center.web.tables import table
from consent_center.web.visit import READ, Visit
from preference_center import rights_views, views

app = APIGatewayHttpResolver()

YOUNGEST_FORM_MS = 1_000
"""Nobody reads and fills in a form in less; programs do."""

OLDEST_FORM_MS = 24 * 3_600_000
"""A form that stayed open longer is shown again, because what it says may have changed."""


@app.route("/preferences", method=READ)
def show_lost_link() -> Response[str]:
    visit = _visit()
    visit.require_brand()
    return visit.page("lost_link", email="", errors={})


@app.post("/preferences")
def post_lost_link() -> Response[str]:
    """The same answer for everyone, whether or not a letter goes out."""
    form = _visit().form
    visit = _visit(posted_token=form.one("link"))
    if form.was_too_large:
        return visit.error_page("too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        if form.one("link"):
            brand = visit.brand
            contact = lost_link.contact_of_link(
                form.one("link"), subjects=services().subjects, secrets=services().secrets
            )
        else:
            brand = visit.require_brand()
            contact = lost_link.contact_of_address(
                form.one("email"),
                brand,
                addresses=services().addresses,
                subjects=services().subjects,
                secrets=services().secrets,
            )
        lost_link.ask_for_link(
            contact,
            brand,
            network=visit.network,
            most=_most(),
            limits=services().limits,
            outbox=services().outbox,
            secrets=services().secrets,
            chance=services().chance,
            clock=services().clock,
        )
    except InvalidFormError as error:
        errors = views.faults(error.fields, services().texts, visit.language)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return visit.page("lost_link", status, email=form.one("email"), errors=errors)
    count("PreferencesLinkAsked")
    return visit.page("link_sent", email_shown=form.one("email").strip(), minutes=views.LINK_MINUTES)


@app.route("/preferences/<token>", method=READ)
def show_preferences(token: str) -> Response[str]:
    count("PreferencesOpened")
    return _page(token)


@app.post("/preferences/<token>")
def post_preferences(token: str) -> Response[str]:
    """Do one thing, then lead to the page that says what was done: reloading that page does nothing again."""
    form = _visit().form
    if form.was_too_large:
        return _visit().error_page("too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    what = form.one("do")
    try:
        if what == "undo":
            done: str | None = _undo(token, form)
        elif what == "language":
            return _change_language(token, form.one("language"))
        elif what == "start" and services().policy.purpose(form.one("purpose")).double_opt_in:
            done = _ask_to_start(token, form)
        else:
            done = _change(token, form, *_wish(what, form))
    except WordingChangedError:
        return _page(token, "changed", HTTPStatus.CONFLICT)
    except UnknownNameError:
        return _page(token, "unknown", HTTPStatus.UNPROCESSABLE_ENTITY)
    except TooManyRequestsError:
        return _page(token, "too_many", HTTPStatus.TOO_MANY_REQUESTS)
    count("PreferencesChanged")
    return _see(token, {"done": done} if done else {"did": "same"})


@app.route("/preferences/<token>/address", method=READ)
def show_address(token: str) -> Response[str]:
    return _address_page(token)


@app.post("/preferences/<token>/address")
def post_address(token: str) -> Response[str]:
    """The same answer whatever is known of the new address."""
    form = _visit().form
    if form.was_too_large:
        return _visit().error_page("too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        language = moving.ask_to_move(
            token,
            form.one("email"),
            network=_visit().network,
            most=_most(),
            limits=services().limits,
            policy=services().policy,
            addresses=services().addresses,
            subjects=services().subjects,
            moves=services().address_moves,
            outbox=services().outbox,
            secrets=services().secrets,
            chance=services().chance,
            clock=services().clock,
        )
    except InvalidFormError as error:
        return _address_page(token, form.one("email"), error.fields, HTTPStatus.UNPROCESSABLE_ENTITY)
    count("AddressChangeAsked")
    return _visit().page(
        "address_asked",
        spoken=_chosen() or language,
        email_shown=form.one("email").strip(),
        days=services().policy.pending_days(services().clock()),
        again_url=_address(f"{token}/address", {}),
        back_url=_address(token, {}),
    )


@app.route("/address/<token>", method=READ)
def show_change_of_address(token: str) -> Response[str]:
    change = moving.look_at_change(
        token,
        policy=services().policy,
        subjects=services().subjects,
        moves=services().address_moves,
        secrets=services().secrets,
        clock=services().clock,
    )
    return _change_page(change)


@app.post("/address/<token>")
def post_change_of_address(token: str) -> Response[str]:
    """The link reached the new address, so whoever presses reads the mail there."""
    change, is_new = moving.confirm_change(
        token,
        policy=services().policy,
        subjects=services().subjects,
        moves=services().address_moves,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )
    if is_new:
        count("AddressChanged")
    if not moving.order_notice(change, outbox=services().outbox):
        count("AddressNoticeNotOrdered")
        logger.warning("notice of a change of address not ordered")
    return _change_page(change)


@app.route("/preferences/<token>/history", method=READ)
def show_history(token: str) -> Response[str]:
    events, language = _history(token)
    shown = views.history(events, services().policy, services().texts, language)
    return _visit().page(
        "history",
        spoken=language,
        back_url=_address(token, {}),
        receipts_url=f"/preferences/{token}/receipts/",
        json_url=_address(f"{token}/history.json", {}),
        csv_url=_address(f"{token}/history.csv", {}),
        **shown,
    )


@app.route("/preferences/<token>/history.json", method=READ)
def show_history_as_json(token: str) -> Response[str]:
    events, language = _history(token)
    told = views.told_history(events, services().policy, services().texts, language)
    count("HistoryTakenAway")
    return download(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "application/json", "history.json")


@app.route("/preferences/<token>/history.csv", method=READ)
def show_history_as_csv(token: str) -> Response[str]:
    events, language = _history(token)
    told = views.history_rows(events, services().policy, services().texts, language)
    count("HistoryTakenAway")
    return download(table(told), "text/csv", "history.csv")


@app.route("/preferences/<token>/receipts/<seq>", method=READ)
def show_receipt(token: str, seq: str) -> Response[str]:
    found = _receipt(token, seq)
    language = _chosen() or found.language
    about = views.purposes_of(found, services().policy)
    return _visit(about[0]).page(
        "receipt",
        spoken=language,
        **views.receipt(found, about, services().policy, services().texts, language),
        file_url=f"/preferences/{token}/receipts/{found.event.seq}/file",
        keys_url=f"{_base_url()}/.well-known/jwks.json",
        history_url=_address(f"{token}/history", {}),
    )


@app.route("/preferences/<token>/receipts/<seq>/file", method=READ)
def show_signed_receipt(token: str, seq: str) -> Response[str]:
    found = _receipt(token, seq)
    file = receipts.sign_receipt(found, signer=services().receipt_signer)
    count("ReceiptTakenAway")
    return download(file.decode(), receipts.MEDIA_TYPE, receipts.file_name(found.event.seq))


@app.route("/rights/download/<token>", method=READ)
def show_package(token: str) -> Response[str]:
    """Leads to the file for a minute. A program that only looks ahead gets nothing, and is not noted."""
    if _visit().is_a_scan:
        return Response(HTTPStatus.NO_CONTENT, None, "", {"Cache-Control": "no-store"})
    try:
        address = downloads.fetch(
            token,
            subjects=services().subjects,
            cases=services().cases,
            exports=services().exports,
            limits=services().limits,
            secrets=services().secrets,
            clock=services().clock,
            pause=services().pause,
        )
    except (ExpiredTokenError, NothingHeldError):
        return _visit().page("package_gone", HTTPStatus.GONE, rights_url=_visit().to("/rights"))
    count("PackageFetched")
    return redirect(address)


@app.route("/.well-known/jwks.json", method=READ)
def show_keys() -> Response[str]:
    """What receipts are verified with (RFC 7517). It is nobody's secret and may be kept by whoever reads it."""
    headers = {
        "Cache-Control": "public, max-age=3600",
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Allow-Origin": "*",
    }
    keys = json.dumps(services().public_keys.jwks())
    return Response(HTTPStatus.OK, "application/jwk-set+json", keys, headers)


@app.route("/why/<token>", method=READ)
def show_why(token: str) -> Response[str]:
    found = history.explain(
        token,
        policy=services().policy,
        subjects=services().subjects,
        ledger=services().ledger,
        secrets=services().secrets,
        clock=services().clock,
    )
    visit = _visit(found.purpose)
    return visit.page(
        "why",
        **views.why(found, services().policy, services().texts, visit.language),
        preferences_url=visit.to("/preferences"),
        stop_address=visit.brand.stop_address,
    )


@app.route("/rights", method=READ)
def show_rights() -> Response[str]:
    return _rights_page(Asked(_visit().query.get("type", "")), "")


@app.post("/rights")
def post_rights() -> Response[str]:
    """The same answer for everyone, whatever is held about the address."""
    form = _visit().long_form
    if form.was_too_large:
        return _visit().error_page("too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    asked, email = _asked(form), form.one("email")
    try:
        shown = open_form(form.one("form"), services().secrets.links())
        again = not YOUNGEST_FORM_MS <= services().clock() - shown.shown_at <= OLDEST_FORM_MS
    except InvalidTokenError:
        again = True
    if again:
        return _rights_page(asked, email, HTTPStatus.UNPROCESSABLE_ENTITY, message="again")
    language = form.one("language") if form.one("language") in services().policy.languages else shown.language
    try:
        cases.ask(
            asked,
            email,
            _visit().require_brand().controller,
            language=language,
            network=_visit().network,
            most=_most(),
            cool_off_hours=services().policy.rights.cool_off_hours,
            limits=services().limits,
            addresses=services().addresses,
            **_case_ports(),
        )
    except InvalidFormError as error:
        return _rights_page(asked, email, HTTPStatus.UNPROCESSABLE_ENTITY, faults=error.fields)
    count("RightsRequested")
    return _visit().page(
        "rights_asked", spoken=shown.language, email_shown=email.strip(), answer_by=_answer_by(_visit().brand)
    )


@app.route("/preferences/<token>/rights", method=READ)
def show_own_rights(token: str) -> Response[str]:
    return _own_rights_page(token, Asked(_visit().query.get("type", "")))


@app.post("/preferences/<token>/rights")
def post_own_rights(token: str) -> Response[str]:
    """The link has proved who asks; what comes of it is shown at once."""
    form = _visit().long_form
    if form.was_too_large:
        return _visit().error_page("too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    asked = _asked(form)
    try:
        status = cases.ask_by_link(
            token,
            asked,
            cool_off_hours=services().policy.rights.cool_off_hours,
            limits=services().limits,
            **_case_ports(),
        )
    except InvalidFormError as error:
        return _own_rights_page(token, asked, HTTPStatus.UNPROCESSABLE_ENTITY, faults=error.fields)
    count("RightsRequested")
    count("RightsProved")
    return redirect(_visit().to(f"/rights/status/{status}"))


@app.route("/rights/verify/<token>", method=READ)
def show_proof(token: str) -> Response[str]:
    try:
        case, details = cases.look_at_proof(
            token,
            cases=services().cases,
            particulars=services().particulars,
            secrets=services().secrets,
            clock=services().clock,
        )
    except ExpiredTokenError:
        return _rights_gone("expired")
    status = seal_status(StatusLink(case.contact, case.id), services().secrets.links())
    return _visit().page(
        "rights_prove",
        spoken=_chosen() or case.language,
        status_url=_visit().to(f"/rights/status/{status}"),
        **rights_views.proof(case, details),
    )


@app.post("/rights/verify/<token>")
def post_proof(token: str) -> Response[str]:
    try:
        proved = cases.prove(
            token, cool_off_hours=services().policy.rights.cool_off_hours, limits=services().limits, **_case_ports()
        )
    except ExpiredTokenError:
        return _rights_gone("expired")
    count("RightsProved")
    status = seal_status(StatusLink(proved.case.contact, proved.case.id), services().secrets.links())
    return redirect(_visit().to(f"/rights/status/{status}"))


@app.route("/rights/status/<token>", method=READ)
def show_status(token: str) -> Response[str]:
    return _status_page(token)


@app.post("/rights/status/<token>")
def post_status(token: str) -> Response[str]:
    """Take the request back. What the page does not offer changes nothing."""
    if _visit().form.one("do") != "cancel":
        return _status_page(token)
    ports = {name: port for name, port in _case_ports().items() if name != "particulars"}
    try:
        cases.cancel(token, **ports)
    except ForbiddenStepError:
        return _status_page(token, "too_late", HTTPStatus.CONFLICT)
    count("RightsCancelled")
    return redirect(_visit().to(f"/rights/status/{token}"))


def _asked(form: Form) -> Asked:
    right = form.one("type")
    scope = form.all("against") or form.all("scope") if right == Right.OBJECTION else form.all("scope")
    return Asked(right, form.one("details"), form.one("keep_fingerprint"), form.one("ground"), scope)


def _case_ports() -> dict[str, Any]:
    return {
        "policy": services().policy,
        "subjects": services().subjects,
        "cases": services().cases,
        "particulars": services().particulars,
        "orders": services().case_orders,
        "secrets": services().secrets,
        "chance": services().chance,
        "clock": services().clock,
        "pause": services().pause,
    }


def _answer_by(brand: Brand) -> str:
    return answer_days(services().policy, brand.controller, services().clock())[0]


def _rights_page(
    asked: Asked,
    email: str,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    message: str | None = None,
    faults: dict[str, str] | None = None,
) -> Response[str]:
    """The form for whoever comes without a link, with what was typed before."""
    visit, policy, now = _visit(), services().policy, services().clock()
    controller = visit.require_brand().controller
    shown = FormShown(now, policy.notice_of(controller).version, visit.language)
    return visit.page(
        "rights",
        status,
        form_token=seal_form(shown, services().secrets.links()),
        errors=rights_views.faults(faults or {}, services().texts, visit.language),
        address_url="",
        before=[],
        **rights_views.form(asked, email, message, now, controller, policy, services().texts, visit.language),
    )


def _own_rights_page(
    token: str, asked: Asked, status: HTTPStatus = HTTPStatus.OK, *, faults: dict[str, str] | None = None
) -> Response[str]:
    """The form for whoever comes from their preferences, in their language."""
    page = preferences.look_at_preferences(
        token,
        "",
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        clock=services().clock,
    )
    language = _chosen() or page.language
    return _visit().page(
        "rights",
        status,
        spoken=language,
        form_token="",
        errors=rights_views.faults(faults or {}, services().texts, language),
        address_url=_address(f"{token}/address", {}),
        before=rights_views.before(
            cases.requests_of(
                page.subject,
                page.profile.address if page.profile else None,
                cases=services().cases,
                subjects=services().subjects,
                secrets=services().secrets,
            ),
            services().texts,
            language,
        ),
        **rights_views.form(
            asked,
            None,
            None,
            services().clock(),
            page.contact.controller,
            services().policy,
            services().texts,
            language,
        ),
    )


def _status_page(token: str, fault: str | None = None, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    file = cases.look_at_status(token, subjects=services().subjects, cases=services().cases, secrets=services().secrets)
    language = _chosen() or services().policy.spoken(file.case.language)
    shown = rights_views.status(
        file, fault, services().secrets, services().clock, services().policy, services().texts, language
    )
    return _visit().page("rights_status", status, spoken=language, **shown)


def _rights_gone(reason: str) -> Response[str]:
    return _visit().page("rights_gone", HTTPStatus.GONE, reason=reason, rights_url=_visit().to("/rights"))


def _history(token: str) -> tuple[list[history.Event], str]:
    """Every event, and the language to tell it in."""
    events, language = history.look_back(
        token,
        policy=services().policy,
        subjects=services().subjects,
        ledger=services().ledger,
        secrets=services().secrets,
        clock=services().clock,
    )
    return events, _chosen() or language


def _receipt(token: str, seq: str) -> receipts.Receipt:
    return receipts.look_at_receipt(
        token,
        seq,
        base_url=_base_url(),
        policy=services().policy,
        subjects=services().subjects,
        ledger=services().ledger,
        secrets=services().secrets,
        clock=services().clock,
    )


def _base_url() -> str:
    return base_url(services().config, app.current_event.request_context.domain_name)


def _wish(what: str, form: Form) -> tuple[wishes.Wish, str, str]:
    """What the person wishes, the word for it afterwards, and what it is about. UnknownNameError."""
    policy = services().policy
    if what == "stop_everything":
        return wishes.stop_everything(policy), "everything", ""
    if what in ("object", "allow") and form.one("to") in tuple(Against):
        against = Against(form.one("to"))
        wish = wishes.object_to_all(policy, against) if what == "object" else wishes.allow_all_again(against)
        return wish, "objected" if what == "object" else "lifted", ""
    purpose = policy.purpose(form.one("to") if what in ("object", "allow") else form.one("purpose"))
    topic, period = form.one("topic") or None, form.one("period")
    about = f"{purpose.id}/{topic or ''}"
    known: dict[str, Callable[[], tuple[wishes.Wish, str, str]]] = {
        "take_back": lambda: (wishes.take_back(purpose, topic), "stopped", about),
        "stop": lambda: (wishes.stop(purpose, topic), "stopped", about),
        "start": lambda: (wishes.start(policy, purpose, topic, form.one("shown")), "started", about),
        "object": lambda: (wishes.object_to(purpose), "objected", purpose.id),
        "allow": lambda: (wishes.allow_again(purpose), "lifted", purpose.id),
        "pause": lambda: (wishes.pause(purpose, period), "paused" if period else "resumed", purpose.id),
        "fewer": lambda: (wishes.fewer(purpose, period), "fewer", purpose.id),
    }
    if what not in known:
        raise UnknownNameError("do")
    return known[what]()


def _change(token: str, form: Form, wish: wishes.Wish, did: str, about: str) -> str | None:
    return preferences.change_preferences(
        token,
        wish,
        did,
        about,
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )


def _undo(token: str, form: Form) -> str:
    return preferences.undo_change(
        token,
        form.one("done"),
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )


def _ask_to_start(token: str, form: Form) -> str:
    return preferences.ask_to_start(
        token,
        form.one("purpose"),
        form.one("topic") or None,
        most_per_address=services().config.sign_ups_per_address,
        policy=services().policy,
        subjects=services().subjects,
        outbox=services().outbox,
        limits=services().limits,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
    )


def _change_language(token: str, language: str) -> Response[str]:
    preferences.change_language(
        token,
        language,
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        clock=services().clock,
    )
    return _see(token, {"did": "language"}, language)


def _page(token: str, fault: str | None = None, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """The preference page, in the person's own language unless this request chose another."""
    done = _visit().query.get("done", "")
    page = preferences.look_at_preferences(
        token,
        done,
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        clock=services().clock,
    )
    language = _chosen() or page.language
    visit = _visit()
    did = visit.query.get("did")
    shown = views.preferences(page, visit.brand, fault, did, services().policy, services().texts, language)
    return visit.page(
        "preferences",
        status,
        spoken=language,
        **shown,
        done=done,
        history_url=_address(f"{token}/history", {}),
        address_url=_address(f"{token}/address", {}),
        receipts_url=f"/preferences/{token}/receipts/",
        rights_url=_address(f"{token}/rights", {}),
        minutes=views.LINK_MINUTES,
        languages=[
            {
                "code": code,
                "name": services().texts.name_of(code),
                "url": visit.with_query("", {"lang": code}),
                "is_current": code == language,
            }
            for code in services().policy.languages
        ],
        others=[
            {"name": brand.name, "url": f"/preferences/{token}?{urlencode({'lang': language, 'brand': brand.id})}"}
            for brand in services().policy.brands_of(visit.brand.controller)
            if brand != visit.brand
        ],
    )


def _address_page(
    token: str, typed: str = "", wrong: dict[str, str] | None = None, status: HTTPStatus = HTTPStatus.OK
) -> Response[str]:
    address, language = moving.look_at_address(
        token,
        policy=services().policy,
        subjects=services().subjects,
        secrets=services().secrets,
        clock=services().clock,
    )
    language = _chosen() or language
    return _visit().page(
        "address",
        status,
        spoken=language,
        address=address,
        email=typed,
        errors=views.faults(wrong or {}, services().texts, language),
        back_url=_address(token, {}),
    )


def _change_page(change: moving.AddressChange) -> Response[str]:
    name = "address_moved" if change.is_done else "address_confirm"
    language = _chosen() or change.language
    return _visit().page(name, spoken=language, address=change.address, preferences_url=_visit().to("/preferences"))


def _see(token: str, query: dict[str, str], language: str | None = None) -> Response[str]:
    """Leads to the page that says what was done."""
    return redirect(_address(token, query, language))


def _address(path: str, query: dict[str, str], language: str | None = None) -> str:
    spoken = language or _chosen()
    return _visit().with_query(f"/preferences/{path}", {**query, "lang": spoken} if spoken else query)


def _chosen() -> str | None:
    """The language that this request asks for by name, if the policy has it."""
    asked = _visit().query.get("lang", "")
    return asked if asked in services().policy.languages else None


def _most() -> MostSignUps:
    return MostSignUps(services().config.sign_ups_per_address, services().config.sign_ups_per_source)


def _visit(about: Purpose | None = None, posted_token: str = "") -> Visit:
    return Visit(app.current_event, services().policy, services().texts, about, posted_token)


@app.exception_handler(ExpiredTokenError)
def offer_a_new_link(_: ExpiredTokenError) -> Response[str]:
    count("LinkExpired")
    token = app.current_event.raw_path.split("/")[2]
    return _visit().page("link_expired", HTTPStatus.GONE, link=token, minutes=views.LINK_MINUTES)


@app.exception_handler(CaseGoneError)
def say_what_became_of_it(error: CaseGoneError) -> Response[str]:
    return _rights_gone(error.reason)


@app.exception_handler(NothingHeldError)
def admit_nothing(_: NothingHeldError) -> Response[str]:
    return _visit().error_page("nothing_held", HTTPStatus.GONE)


@app.exception_handler(RequestGoneError)
def explain_gone(error: RequestGoneError) -> Response[str]:
    return _visit().page(
        "address_gone", HTTPStatus.GONE, reason=error.reason, preferences_url=_visit().to("/preferences")
    )


@app.exception_handler(TakenPlaceError)
def explain_taken(_: TakenPlaceError) -> Response[str]:
    return _visit().page(
        "address_gone", HTTPStatus.CONFLICT, reason="taken", preferences_url=_visit().to("/preferences")
    )


answer_faults(app, _visit)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
