"""The worker that gives records their ends, from event to answer."""

import io
import json
from typing import Any

import pytest

import expiry_worker.app
from builders import NAMES, PEOPLE
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.ports.letters import Part
from deployment import CONTEXT, Deployment

PSEUDONYM = "oqf5syhhe77xf6hgv2r6h63hzy"


def handle(event: dict[str, Any]) -> Any:
    return expiry_worker.app.lambda_handler(event, CONTEXT)  # type: ignore[arg-type]


def event_of(deployment: Deployment, name: str, pseudonym: str = PSEUDONYM) -> dict[str, Any]:
    return dict(json.loads(json.dumps(deployment.event(f"expiry_worker/{name}")).replace("PSEUDONYM", pseudonym)))


def test_a_decision_has_its_record_looked_at_and_giving_it_an_end_has_not(deployment: Deployment) -> None:
    event = event_of(deployment, "state-decided")
    assert handle(event) is None
    assert deployment.reviews.ordered == [ContactPoint("fjordmeter", "email", "k1", PSEUDONYM)]

    # What the worker itself wrote comes back on the stream, and must not go round in circles.
    change = event["Records"][0]["dynamodb"]
    change["OldImage"], change["NewImage"]["expires_at"] = change["NewImage"], {"N": "1900000000"}
    handle(event)
    assert len(deployment.reviews.ordered) == 1


def test_a_mark_of_somebody_who_decided_nothing_is_no_reason_to_look(deployment: Deployment) -> None:
    event = event_of(deployment, "state-decided")
    change = event["Records"][0]["dynamodb"]
    del change["OldImage"], change["NewImage"]["chain"]
    handle(event)

    assert deployment.reviews.ordered == []


def test_a_send_is_a_reason_to_look_where_it_is_the_first_or_came_after_the_end(deployment: Deployment) -> None:
    event = event_of(deployment, "state-decided")
    record = event["Records"][0]
    keys = {"pk": record["dynamodb"]["Keys"]["pk"], "sk": {"S": "SENT#direct-marketing-email#email"}}
    sent = {**keys, "v": {"N": "1"}, "at": {"N": "1800000000000"}, "controller": {"S": "fjordmeter"}}

    def follow(before: dict[str, Any] | None) -> int:
        change = {**record["dynamodb"], "Keys": keys, "NewImage": sent, "OldImage": before}
        handle({"Records": [{**record, "dynamodb": {k: v for k, v in change.items() if v is not None}}]})
        return len(deployment.reviews.ordered)

    assert follow(None) == 1
    assert follow(sent) == 1, "one more letter to somebody who wants it"
    assert follow({**sent, "expires_at": {"N": "1900000000"}}) == 2


def test_a_queue_that_refuses_has_the_change_delivered_again(deployment: Deployment) -> None:
    deployment.reviews.refuses.add(ContactPoint("fjordmeter", "email", "k1", PSEUDONYM))

    with pytest.raises(UnavailableError):
        handle(event_of(deployment, "state-decided"))


def test_what_expired_and_was_removed_leaves_a_proof_that_names_nobody(deployment: Deployment) -> None:
    event = event_of(deployment, "item-expired")
    handle(event)
    handle(event)

    ((removal, keep_until),) = deployment.removals.proved.values()
    assert (removal.table, removal.kind, removal.rule) == ("subjects", "PROFILE", "contact-record")
    assert (removal.ended_at, removal.removed_at) == (1_799_990_000, 1_800_000_000)
    # Five years, by the rule of the policy for records of compliance.
    assert keep_until is not None
    assert 1_826 <= (keep_until - removal.removed_at) / 86_400 <= 1_827
    assert not any(word in repr(removal) for word in (*PEOPLE, *NAMES, PSEUDONYM))


def test_what_people_removed_by_hand_is_no_expiry(deployment: Deployment) -> None:
    event = event_of(deployment, "item-expired")
    del event["Records"][0]["userIdentity"]
    handle(event)

    assert deployment.removals.proved == {}


def test_a_record_that_is_looked_at_gets_its_ends(deployment: Deployment) -> None:
    deployment.subscribed("events")
    deployment.page("post-unsubscribe-page", deployment.stop_link("events"))
    ((contact, _),) = deployment.subjects.subjects.items()
    assert deployment.subjects.ends == {}

    event = event_of(deployment, "reviews", contact.pseudonym)
    assert handle(event) == {"batchItemFailures": []}
    given = deployment.subjects.ends[contact, Part("state")]
    assert given.rule == "marketing-evidence"
    assert handle(event) == {"batchItemFailures": []}
    assert deployment.subjects.ends[contact, Part("state")] == given


def test_one_record_that_cannot_be_looked_at_does_not_hold_up_the_others(deployment: Deployment) -> None:
    deployment.subscribed("events")
    ((contact, _),) = deployment.subjects.subjects.items()
    good = event_of(deployment, "reviews", contact.pseudonym)["Records"][0]
    bad = {**good, "messageId": "bad", "body": "[1, 2"}

    assert handle({"Records": [bad, good]}) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_the_job_of_the_night_orders_what_is_due_and_makes_up_for_days_that_it_missed(deployment: Deployment) -> None:
    deployment.subscribed("events")
    ((contact, _),) = deployment.subjects.subjects.items()
    handle(event_of(deployment, "reviews", contact.pseudonym))
    assert handle(deployment.event("expiry_worker/job-review"))["due"] == 0
    # Two months before it is stale somebody hears of it; unused for a year it is.
    deployment.clock.move(days=310)
    assert handle(deployment.event("expiry_worker/job-review"))["due"] == 1
    handle(event_of(deployment, "reviews", contact.pseudonym))
    deployment.reviews.ordered.clear()
    deployment.clock.move(days=65)

    summary = {"job": "review", "due": 1, "done": 1, "failed": 0, "overdue": 0}
    assert handle(deployment.event("expiry_worker/job-review")) == summary
    assert deployment.reviews.ordered == [contact]
    handle(event_of(deployment, "reviews", contact.pseudonym))
    assert handle(deployment.event("expiry_worker/job-review"))["due"] == 0
    assert deployment.check().json["results"][0]["reason"] == "stale"


def test_an_edition_of_the_notice_is_entered_into_the_ledger_once(deployment: Deployment) -> None:
    handle({"job": "review"})
    handle({"job": "review"})

    (entry,) = deployment.subjects.entry_of.values()
    assert (entry.chain, entry.kind) == ("notices", "notice_published")
    assert entry.body["notice"] == deployment.services.policy.newest_notice.version
    assert set(entry.body["notice_hashes"]) == {"en", "da", "nb", "de"}


def test_whoever_uses_a_consent_hears_two_months_before_it_goes_stale(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], printed: io.StringIO
) -> None:
    deployment.subscribed("events")
    ((contact, _),) = deployment.subjects.subjects.items()
    handle(event_of(deployment, "reviews", contact.pseudonym))
    deployment.clock.move(days=310)
    assert handle({"job": "review"})["due"] == 1
    capsys.readouterr()
    for _ in range(2):
        handle(event_of(deployment, "reviews", contact.pseudonym))

    lines = [json.loads(line) for line in (capsys.readouterr().out + printed.getvalue()).splitlines()]
    (told,) = [line for line in lines if line.get("message") == "consent goes stale"]
    assert (told["purpose"], told["month"]) == ("direct-marketing-email", "2028-01")
    assert [line["ConsentGoesStale"] for line in lines if "ConsentGoesStale" in line] == [[1.0]]
    assert contact.pseudonym not in json.dumps(told)


def test_a_job_that_could_not_order_everything_says_so_and_fails(deployment: Deployment) -> None:
    deployment.subscribed("events")
    ((contact, _),) = deployment.subjects.subjects.items()
    handle(event_of(deployment, "reviews", contact.pseudonym))
    deployment.clock.move(days=310)
    deployment.reviews.refuses.add(contact)

    with pytest.raises(UnavailableError):
        handle({"job": "review"})


def test_there_is_no_other_job(deployment: Deployment) -> None:
    with pytest.raises(UnknownNameError):
        handle({"job": "seal"})


def test_a_change_is_told_once_what_it_changed_is_read_and_what_changed_nothing_is_not(deployment: Deployment) -> None:
    event = event_of(deployment, "state-decided")
    handle(event)
    assert deployment.announcements.told == [], "the version moved, and nothing that anybody has to know"

    change = event["Records"][0]["dynamodb"]
    change["NewImage"] |= {"d": {"M": {"dm.ev.email": {"S": "g1795367345999.3"}}}, "seq": {"N": "3"}}
    handle(event)

    (told,) = deployment.announcements.told
    assert (told["chain"], told["seq"]) == ("f66h7l5n3mf7cv4krt6y6r7xvw", 3)
    assert [(one["topic"], one["before"], one["after"]) for one in told["changes"]] == [
        ("events", "ConsentWithdrawn", "ConsentGiven")
    ]
    assert PSEUDONYM not in json.dumps(told)


def test_a_bus_that_refuses_has_the_batch_delivered_again_and_no_bus_is_fine(deployment: Deployment) -> None:
    event = event_of(deployment, "state-decided")
    event["Records"][0]["dynamodb"]["NewImage"]["d"] = {"M": {}}
    deployment.announcements.refuses = True
    with pytest.raises(UnavailableError):
        handle(event)

    deployment.services.announcements = None
    assert handle(event) is None
