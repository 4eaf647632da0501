"""Rights requests on time, and whatever recipients are told: looks at cases that are due, and posts announcements."""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.announcement import again_after
from consent_center.domain.case import Case, number_of
from consent_center.domain.errors import DomainError, UnavailableError, UnknownNameError, UnreadableMessageError
from consent_center.observability import count, logger, metrics
from consent_center.ports.cases import StoredPackage
from consent_center.usecases.announce import Outcome, tell
from consent_center.usecases.answers import make
from consent_center.usecases.case_stops import stop_at_once, take_back
from consent_center.usecases.due_cases import is_left_alone, order_due_cases
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
        addresses=services().addresses,
        subjects=services().subjects,
        ledger=services().ledger,
        cases=services().cases,
        kept=services().particulars,
        texts=texts,
        exports=services().exports,
        secrets=services().secrets,
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
        moves=services().address_moves,
        exports=services().exports,
        addresses=services().addresses,
        secrets=services().secrets,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
        stop=partial(stop_at_once, **stopping),
        take_back=partial(take_back, **stopping),
        warn=_warn,
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


def _warn(case: Case, days_left: int) -> None:
    """Tell staff by log and alarm, before it is noted that they were told: the number says nothing about a person."""
    if days_left:
        logger.warning("case is near its end", case=case.number, days_left=days_left)
    else:
        logger.error("case is overdue", case=case.number)
    count("DeadlineNear")
    # Now: whoever is killed later in this look would take the number along.
    metrics.flush_metrics()


def _report(looked: Looked) -> None:
    """Numbers of ours, which name nobody."""
    if looked.given_up:
        logger.error("recipients given up", case=looked.number, recipients=list(looked.given_up))


def _look_at_case(record: dict[str, Any]) -> bool:
    """Whether the queue can forget a case; it delivers one again that could not be looked at."""
    try:
        case, tries = _case_in(record["body"]), int(record["attributes"]["ApproximateReceiveCount"])
        if is_left_alone(case, tries, cases=services().cases, clock=services().clock):
            logger.error("case is stuck", message_id=record["messageId"], case=number_of(case))
            count("LookFailed")
            return True
        looked = _look(case)
    except Exception as error:
        # Only the kind of a foreign error is logged: its text may quote a person.
        reason = str(error) if isinstance(error, DomainError) else type(error).__name__
        kind = type(error).__name__
        logger.error("look failed", message_id=record["messageId"], reason=reason or kind)
        count("LookFailed")
        return False
    count("CaseLookedAt")
    _report(looked)
    return True


def _tell_recipient(record: dict[str, Any]) -> bool:
    """Whether the queue can forget an announcement; it tries again later what a recipient did not take."""
    try:
        outcome = tell(record["body"], recipients=services().told_recipients, dead_letters=services().dead_letters)
    except Exception as error:
        reason = str(error) if isinstance(error, DomainError) else type(error).__name__
        tries = int(record["attributes"]["ApproximateReceiveCount"])
        logger.warning("recipient not told", message_id=record["messageId"], reason=reason, tries=tries)
        count("RecipientUntold")
        # Where it cannot be put off, it comes again by the queue's own time.
        with suppress(UnavailableError):
            services().announcement_orders.put_off(record["receiptHandle"], again_after(tries))
        return False
    if outcome is Outcome.TOLD:
        count("RecipientTold")
    else:
        logger.warning("announcement ended", message_id=record["messageId"], reason=outcome)
        count("RecipientGone" if outcome is Outcome.GONE else "AnnouncementDropped")
    return True


def _is_announcement(body: str) -> bool:
    try:
        return "recipient" in json.loads(body)
    except (ValueError, TypeError):
        return False


def _take_all(records: list[dict[str, Any]]) -> dict[str, Any]:
    """One message that fails holds up no other: only it is delivered again."""
    failed = [
        record["messageId"]
        for record in records
        if not (_tell_recipient(record) if _is_announcement(record["body"]) else _look_at_case(record))
    ]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The job `{"job": "rights"}`, cases to look at, or announcements that recipients are to be told."""
    if "Records" in event:
        return _take_all(event["Records"])
    if event.get("job") != "rights":
        raise UnknownNameError("job")
    return _list()
