"""How long records stay: follows the stream of Subjects, looks at records again, and proves what was removed."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from consent_center.bootstrap import services
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import DomainError, UnavailableError, UnknownNameError
from consent_center.domain.told import About, Telling
from consent_center.observability import count, logger, metrics
from consent_center.ports.people import Removal
from consent_center.usecases.announce import announce
from consent_center.usecases.audience import concerned
from consent_center.usecases.editions import note_editions
from consent_center.usecases.retention import has_been_decided, moves_a_clock, order_reviews, prove_removal, reconsider
from consent_center.usecases.rotation import is_move
from consent_center.usecases.telling import note_told, order_source_letters


def _review() -> dict[str, Any]:
    """Note new editions, and order a look at every record whose review is due.

    UnavailableError if some could not be ordered, or somebody should have been told by now where their data are from.
    """
    noted = note_editions(
        policy=services().policy, ledger=services().ledger, chance=services().chance, clock=services().clock
    )
    if noted:
        count("EditionNoted", len(noted))
        logger.info("editions noted", extra={"editions": noted})
    ordered = order_reviews(reviews=services().reviews, clock=services().clock)
    summary = {"due": ordered.due, "done": ordered.due - ordered.failed, "failed": ordered.failed}
    summary["overdue"] = ordered.overdue
    count("ReviewsOrdered", ordered.due - ordered.failed)
    logger.info("job done", extra={"job": "review", **summary})
    if ordered.failed:
        count("JobFailed")
        raise UnavailableError("reviews that could not be ordered")
    # Counted also when nothing was due: its absence is what the alarm on silence listens for.
    count("RecordsReviewed")
    if ordered.overdue:
        # The person was not told in time where their data are from (Art. 14(3)(a) GDPR): somebody has to see to it.
        count("InformingOverdue", ordered.overdue)
        raise UnavailableError("people who should have been told by now where their data are from")
    return {"job": "review", **summary}


def _follow(record: dict[str, Any]) -> None:
    """One change in Subjects. An error has its batch delivered again, in halves."""
    change = record["dynamodb"]
    before, after = change.get("OldImage"), change.get("NewImage")
    if is_move(before, after):
        return
    if record["eventName"] == "REMOVE":
        # Whatever else removes an item says so itself.
        if record.get("userIdentity", {}).get("principalId") == "dynamodb.amazonaws.com":
            _prove(record, change["Keys"], before or {})
            if change["Keys"]["sk"]["S"] == "STATE" and before and ("former" in before or "came" in before):
                services().address_moves.settle(services().subject_in(before))
        return
    sort_key = change["Keys"]["sk"]["S"]
    if (sort_key == "STATE" and has_been_decided(before, after)) or (
        sort_key.startswith("SENT#") and moves_a_clock(before)
    ):
        _, key_id, pseudonym = change["Keys"]["pk"]["S"].split("#")
        contact = ContactPoint(after["controller"]["S"], "email", key_id, pseudonym)
        services().reviews.order(contact)
    if sort_key == "STATE":
        _tell_audiences(change["Keys"], before or {}, after)


def _tell_audiences(keys: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Have it said in audiences, if there are any, of somebody who decided something or was erased."""
    erased = "chain" in before and "chain" not in after
    if not services().config.audience_changes_queue_url or not (erased or has_been_decided(before or None, after)):
        return
    codes = concerned(before, after)
    if codes:
        _, key_id, pseudonym = keys["pk"]["S"].split("#")
        contact = ContactPoint(after["controller"]["S"], "email", key_id, pseudonym)
        services().audience_orders.changed(contact, (before if erased else after)["chain"]["S"], codes)


def _announce(records: list[dict[str, Any]]) -> None:
    """Tell other systems what changed in these records, where a deployment asks for that."""
    announcements, recipients = services().announcements, services().recipients_to_tell
    if announcements is None and not recipients:
        return
    read = services().subject_in
    states = [
        (read(change["OldImage"]) if "OldImage" in change else None, read(change["NewImage"]))
        for record in records
        if (change := record["dynamodb"])["Keys"]["sk"]["S"] == "STATE" and "NewImage" in change
        if not is_move(change.get("OldImage"), change["NewImage"])
    ]
    told = announce(
        states,
        policy=services().policy,
        announcements=announcements,
        recipients=recipients,
        orders=services().announcement_orders,
    )
    count("ChangesAnnounced", told)


def _prove(record: dict[str, Any], keys: dict[str, Any], item: dict[str, Any]) -> None:
    partition, sort = keys["pk"]["S"], keys["sk"]["S"]
    removal = Removal(
        name=record["eventID"],
        table=record["eventSourceARN"].partition(":table/")[2].partition("/")[0],
        kind=sort.partition("#")[0] if partition.startswith("S#") else "EVENT",
        key_hash=hashlib.sha256(f"{partition}|{sort}".encode()).hexdigest(),
        ended_at=int(item.get("expires_at", {}).get("N", 0)),
        removed_at=int(record["dynamodb"]["ApproximateCreationDateTime"]),
        rule=item.get("rule", {}).get("S"),
    )
    prove_removal(removal, policy=services().policy, removals=services().removals)
    count("RemovalProved")


def _look_again(contact: ContactPoint) -> None:
    looked = reconsider(
        contact,
        policy=services().policy,
        subjects=services().subjects,
        retention=services().retention,
        ledger=services().ledger,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )
    count("EndsGiven", looked.changed)
    if looked.noted:
        count("EndNoted", len(looked.noted))
    order_source_letters(contact, looked.untold, outbox=services().outbox)
    for purpose, end in looked.going_stale:
        month = datetime.fromtimestamp(end, UTC).strftime("%Y-%m")
        logger.info("consent goes stale", extra={"purpose": purpose, "month": month})
        count("ConsentGoesStale")


def _take(body: str) -> None:
    """A record to look at, or a letter that was handed over."""
    message = json.loads(body)
    if not isinstance(message, dict):
        return _look_again(ContactPoint(*message))
    about, *told = message["told"]
    noted = note_told(
        ContactPoint(*message["contact"]),
        Telling(About(about), *told),
        policy=services().policy,
        subjects=services().subjects,
        ledger=services().ledger,
        tellings=services().tellings,
        chance=services().chance,
        clock=services().clock,
        pause=services().pause,
    )
    if noted:
        count("PersonTold")
    return None


def _look_at_all(records: list[dict[str, Any]]) -> dict[str, Any]:
    """One record that cannot be looked at does not hold up the others: only it is delivered again."""
    failed = []
    for record in records:
        try:
            _take(record["body"])
        except Exception as error:
            reason = str(error) if isinstance(error, DomainError) else type(error).__name__
            logger.error("review failed", message_id=record["messageId"], reason=reason)
            count("ReviewFailed")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    """A batch of the stream of Subjects, a batch of its own queue, or the job `{"job": "review"}`."""
    if "Records" not in event:
        if event.get("job") != "review":
            raise UnknownNameError("job")
        return _review()
    records = event["Records"]
    if records and records[0]["eventSource"] == "aws:sqs":
        return _look_at_all(records)
    for record in records:
        _follow(record)
    _announce(records)
    return None
