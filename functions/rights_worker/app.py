"""Rights requests on time: finds the cases that are due, and looks at one after the other."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.case import Case
from consent_center.domain.errors import DomainError, UnavailableError, UnknownNameError, UnreadableMessageError
from consent_center.observability import count, logger, metrics
from consent_center.ports import StoredPackage
from consent_center.usecases.answers import make
from consent_center.usecases.case_stops import stop_at_once, take_back
from consent_center.usecases.due_cases import order_due_cases
from consent_center.usecases.steps import Looked, look_at
from consent_center.web.site import site


def _list() -> dict[str, Any]:
    """Order a look at every case that is due. UnavailableError if some could not be ordered, or not be listed."""
    listed = order_due_cases(cases=services().cases, orders=services().case_orders, clock=services().clock)
    summary = {"due": listed.due, "done": listed.due - listed.failed, "failed": listed.failed}
    logger.info("job done", extra={"job": "rights", **summary, "unlisted": listed.unlisted})
    count("CasesOrdered", listed.due - listed.failed)
    if listed.failed or listed.unlisted:
        count("JobFailed")
        raise UnavailableError("cases that could not be ordered")
    # Counted also when nothing was due: its absence is what the alarm on silence listens for.
    count("RightsListed")
    return {"job": "rights", **summary}


def _answer(case: Case, particulars: Mapping[str, Any]) -> StoredPackage:
    """The file that answers an access or portability request."""
    base_url, policy, texts = services().config.public_url, services().policy, services().texts
    if base_url is None:
        raise UnavailableError("the setting PUBLIC_URL is missing")
    return make(
        case,
        particulars,
        base_url=base_url,
        site=partial(site, texts, policy),
        policy=policy,
        subjects=services().subjects,
        ledger=services().ledger,
        cases=services().cases,
        kept=services().particulars,
        texts=texts,
        exports=services().exports,
        clock=services().clock,
    )


def _look(case: str) -> Looked:
    stopping: dict[str, Any] = {
        "policy": services().policy,
        "subjects": services().subjects,
        "chance": services().chance,
        "clock": services().clock,
        "pause": services().pause,
    }
    return look_at(
        case,
        cases=services().cases,
        particulars=services().particulars,
        connectors=services().connectors,
        answers=_answer,
        outbox=services().outbox,
        claims=services().claims,
        days=services().days,
        policy=services().policy,
        subjects=services().subjects,
        addresses=services().addresses,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
        stop=partial(stop_at_once, **stopping),
        take_back=partial(take_back, **stopping),
        lapse_days=services().policy.rights.step_up_lapses_days,
    )


def _case_in(body: str) -> str:
    try:
        case = json.loads(body)["case"]
    except (ValueError, LookupError, TypeError):
        case = None
    if not isinstance(case, str) or not case:
        raise UnreadableMessageError("the message names no case")
    return case


def _tell(looked: Looked) -> None:
    """Numbers of ours, which name nobody."""
    if looked.days_left:
        logger.warning("case is near its end", case=looked.number, days_left=looked.days_left)
    if looked.is_overdue:
        logger.error("case is overdue", case=looked.number)
    if looked.days_left or looked.is_overdue:
        count("DeadlineNear")
    if looked.given_up:
        logger.error("recipients given up", case=looked.number, recipients=list(looked.given_up))


def _look_at_all(records: list[dict[str, Any]]) -> dict[str, Any]:
    """One case that cannot be looked at does not hold up the others: only it is delivered again."""
    failed = []
    for record in records:
        try:
            looked = _look(_case_in(record["body"]))
        except Exception as error:
            # Only the kind of a foreign error is logged: its text may quote a person.
            reason = str(error) if isinstance(error, DomainError) else type(error).__name__
            kind = type(error).__name__
            logger.error("look failed", message_id=record["messageId"], reason=reason or kind)
            count("LookFailed")
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            count("CaseLookedAt")
            _tell(looked)
    return {"batchItemFailures": failed}


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The job `{"job": "rights"}`, or cases to look at."""
    if "Records" in event:
        return _look_at_all(event["Records"])
    if event.get("job") != "rights":
        raise UnknownNameError("job")
    return _list()
