"""What other systems record and look up, through the real handler."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import PEOPLE
from consent_center.domain.subject import timestamp
from deployment import Answer, Deployment

LETTERS = "direct-marketing-email"


def evidence(deployment: Deployment, *, ago: int = 60, **changes: Any) -> dict[str, Any]:
    """Of somebody who agreed `ago` seconds ago and confirmed it at once."""
    at = timestamp(deployment.clock() - ago * 1000)
    return {
        "collected_at": at,
        "confirmed_at": at,
        "method": "form at the fair",
        "wording": ["Yes, write to me."],
        "language": "en",
        **changes,
    }


def record(deployment: Deployment, decision: str = "given", **changes: Any) -> Answer:
    body: dict[str, Any] = {"recipient": PEOPLE[0], "purpose": LETTERS, "decision": decision}
    if decision == "given":
        body |= {"topics": ["events"], "evidence": evidence(deployment)}
    body |= changes
    return deployment.api(
        "post-decisions", body=json.dumps({key: value for key, value in body.items() if value != ...})
    )


def reason(deployment: Deployment, topic: str = "events") -> str:
    return str(deployment.check(topic=topic).json["results"][0]["reason"])


def look_up(deployment: Deployment, recipient: str = PEOPLE[0]) -> dict[str, Any]:
    answer = deployment.api("post-lookup", body=json.dumps({"recipient": recipient}))
    assert answer.status == 200, answer.body
    return dict(answer.json)


def refused(answer: Answer, status: int, code: str, field: str | None) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.body
    assert answer.json["type"].rpartition(":")[2] == code
    assert answer.json.get("field") == field
    assert PEOPLE[0] not in answer.body


def test_a_consent_with_evidence_is_recorded_and_proven(deployment: Deployment) -> None:
    answer = record(deployment)

    assert (answer.status, answer.json["recorded"]) == (200, True)
    assert reason(deployment) == "given"
    assert deployment.check(topic="events").json["results"][0]["evidence"] == answer.json["evidence"]
    (entry,) = deployment.subjects.entry_of.values()
    assert (entry.kind, entry.body["source"], entry.body["recorded_by"]) == ("given", "api", "mail-tool")
    (payload,) = deployment.subjects.payload_of.values()
    assert payload.content["wording"] == ["Yes, write to me."]
    assert PEOPLE[0] not in json.dumps(entry.body)


def test_recording_twice_is_one_event(deployment: Deployment) -> None:
    first, second = record(deployment), record(deployment)

    assert (first.json["recorded"], second.json["recorded"]) == (True, False)
    assert first.json["evidence"] == second.json["evidence"]
    assert deployment.kinds() == ["given"]


@pytest.mark.parametrize("no", ["withdrawn", "refused"])
def test_a_no_is_recorded_for_somebody_unknown_too_and_nothing_here_raises_it(deployment: Deployment, no: str) -> None:
    assert record(deployment, no).json["recorded"]
    assert reason(deployment) == "withdrawn"
    for _ in range(2):
        refused(record(deployment), 409, "forbidden-transition", None)
    assert reason(deployment) == "withdrawn"
    assert not record(deployment, no).json["recorded"]


def test_an_objection_is_recorded_and_nothing_here_raises_over_it(deployment: Deployment) -> None:
    record(deployment)
    assert record(deployment, "objected", purpose=..., objection="direct-marketing").json["recorded"]

    assert reason(deployment) == "objected"
    for topic in ("events", "surveys"):
        refused(record(deployment, topics=[topic]), 409, "forbidden-transition", None)
    assert not record(deployment, "objected", purpose=..., objection="direct-marketing").json["recorded"]
    assert deployment.kinds() == ["given", "objected"]


def test_an_interest_is_objected_to(deployment: Deployment) -> None:
    assert record(deployment, "objected", purpose="profiling").json["recorded"]
    assert not look_up(deployment)["may_profile"]
    refused(record(deployment, "objected"), 422, "invalid-field", "/decision")
    refused(record(deployment, "withdrawn", purpose="profiling"), 422, "invalid-field", "/decision")


def test_the_person_may_sign_up_again_after_a_recorded_no(deployment: Deployment) -> None:
    record(deployment, "withdrawn")
    deployment.clock.move(seconds=1)
    assert deployment.confirm(deployment.asked("events")).status == 200
    assert reason(deployment) == "given"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"evidence": None}, "/evidence"),
        ({"evidence": ...}, "/evidence"),
        ({"purpose": ...}, "/purpose"),
        ({"objection": "direct-marketing"}, "/purpose"),
        ({"purpose": ..., "objection": "direct-marketing"}, "/decision"),
        ({"objection": "everything"}, "/objection"),
        ({"decision": "maybe"}, "/decision"),
        ({"topics": []}, "/topics"),
        ({"topics": "events"}, "/topics"),
        ({"recipient": "ada"}, "/recipient"),
        ({"recipient": "l" * 300 + "@example.com"}, "/recipient"),
        ({"extra": 1}, "/extra"),
    ],
)
def test_a_wrong_field_is_named(deployment: Deployment, changes: dict[str, Any], field: str) -> None:
    refused(record(deployment, **changes), 422, "invalid-field", field)
    assert deployment.kinds() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"collected_at": "yesterday"}, "/evidence/collected_at"),
        ({"collected_at": "2026-11-01T10:00:00"}, "/evidence/collected_at"),
        ({"collected_at": "2099-11-01T10:00:00Z"}, "/evidence/collected_at"),
        ({"confirmed_at": "2099-11-01T10:00:00Z"}, "/evidence/confirmed_at"),
        ({"confirmed_at": "2001-11-01T10:00:00Z"}, "/evidence/confirmed_at"),
        ({"confirmed_at": None}, "/evidence/confirmed_at"),
        ({"method": ""}, "/evidence/method"),
        ({"method": "m" * 201}, "/evidence/method"),
        ({"wording": []}, "/evidence/wording"),
        ({"wording": ["w" * 10_001]}, "/evidence/wording/0"),
        ({"language": "tlh"}, "/evidence/language"),
        ({"notice": "1999-01-01"}, "/evidence/notice"),
        ({"ip": "x"}, "/evidence/ip"),
    ],
)
def test_evidence_that_does_not_do_is_named(deployment: Deployment, changes: dict[str, Any], field: str) -> None:
    refused(record(deployment, evidence=evidence(deployment, **changes)), 422, "invalid-field", field)
    assert deployment.kinds() == []


@pytest.mark.parametrize(
    ("changes", "field"), [({"purpose": "nothing"}, "/purpose"), ({"topics": ["nothing"]}, "/topic")]
)
def test_a_name_that_the_policy_lacks_is_named(deployment: Deployment, changes: dict[str, Any], field: str) -> None:
    refused(record(deployment, **changes), 422, "unknown-name", field)


def test_an_old_consent_gets_no_second_life(deployment: Deployment) -> None:
    tracking = {"purpose": "email-tracking", "topics": ["opens"]}
    assert record(deployment, **tracking, evidence=evidence(deployment, ago=300 * 86_400)).status == 200
    assert deployment.check(purpose="email-tracking").json["results"][0]["reason"] == "given"
    deployment.clock.move(days=70)
    assert deployment.check(purpose="email-tracking").json["results"][0]["reason"] == "expired"
    ended = record(deployment, **tracking, evidence=evidence(deployment, ago=400 * 86_400))
    refused(ended, 422, "invalid-field", "/evidence/collected_at")


def test_a_client_named_like_a_person_is_kept_as_a_fingerprint(deployment: Deployment) -> None:
    context = deployment.event("consent_api/post-decisions")["requestContext"]
    context["authorizer"]["jwt"]["claims"]["client_id"] = "grace.hopper@example.org"
    deployment.api("post-decisions", requestContext=context)

    (entry,) = deployment.subjects.entry_of.values()
    assert "@" not in entry.body["recorded_by"]


@pytest.mark.parametrize("name", ["post-sends", "post-lookup", "post-decisions"])
@pytest.mark.parametrize("scope", ["", "consent.other", "read write check"])
def test_each_call_needs_its_own_scope(deployment: Deployment, name: str, scope: str) -> None:
    context = deployment.event(f"consent_api/{name}")["requestContext"]
    context["authorizer"]["jwt"]["claims"]["scope"] = scope

    refused(deployment.api(name, requestContext=context), 403, "missing-scope", None)


def test_looking_up_shows_what_was_decided_and_what_may_be_done(deployment: Deployment) -> None:
    token = deployment.subscribed("events")
    deployment.press(token, do="fewer", purpose=LETTERS, period="3.0")
    deployment.press(token, do="object", to="profiling")
    found = look_up(deployment)
    rows = {(row["purpose"], row["topic"]): row for row in found["permissions"]}

    events = rows[LETTERS, "events"]
    assert (events["state"], events["allowed"], events["reason"]) == ("ConsentGiven", True, "given")
    assert events["since"] == deployment.clock() // 1000 - 60
    assert rows[LETTERS, "surveys"]["reason"] == "no_record"
    assert rows["profiling", None]["reason"] == "objected"
    assert found["preferences"] == [{"purpose": LETTERS, "paused_until": None, "at_most_every": "P3M"}]
    assert [(one["against"], bool(one["since"])) for one in found["objections"]] == [
        ("direct-marketing", False),
        ("profiling", True),
    ]
    assert (found["language"], found["may_profile"]) == ("en", False)


def test_somebody_unknown_is_answered_in_the_same_shape(deployment: Deployment) -> None:
    deployment.subscribed()
    known, unknown = look_up(deployment), look_up(deployment, "grace.hopper@example.org")

    assert set(known) == set(unknown)
    assert [(row["purpose"], row["topic"]) for row in known["permissions"]] == [
        (row["purpose"], row["topic"]) for row in unknown["permissions"]
    ]
    assert not any(row["state"] for row in unknown["permissions"])


def test_a_record_that_cannot_be_read_is_no_answer(deployment: Deployment) -> None:
    deployment.subscribed()
    deployment.subjects.unreadable.update(deployment.subjects.subjects)

    refused(deployment.api("post-lookup", body=json.dumps({"recipient": PEOPLE[0]})), 503, "unavailable", None)


def sends(deployment: Deployment, *ids: str) -> list[str]:
    answer = deployment.api("post-sends", body=json.dumps({"sends": [{"send_id": one} for one in ids]}))
    assert answer.status == 200, answer.body
    return [row["reason"] for row in answer.json["results"]]


def test_a_reserved_send_is_confirmed_and_moves_the_clock(deployment: Deployment) -> None:
    token = deployment.subscribed()
    deployment.press(token, do="fewer", purpose=LETTERS, period="3.0")
    send_id = deployment.check(topic="events").json["results"][0]["send_id"]
    assert reason(deployment) == "given", "a check alone moves nothing"

    assert sends(deployment, send_id, "v1.k1.x.y", send_id) == ["recorded", "invalid", "recorded"]
    assert reason(deployment) == "frequency"
    assert len(deployment.subjects.sends) == 1


def test_a_send_is_confirmed_within_a_week_of_its_check(deployment: Deployment) -> None:
    deployment.subscribed()
    send_id = deployment.check(topic="events").json["results"][0]["send_id"]
    deployment.clock.move(days=7)
    assert sends(deployment, send_id) == ["recorded"]
    deployment.clock.move(ms=1)
    assert sends(deployment, send_id) == ["too_old"]


def test_a_send_that_cannot_be_stored_says_so(deployment: Deployment) -> None:
    deployment.subscribed()
    send_id = deployment.check(topic="events").json["results"][0]["send_id"]
    deployment.subjects.unreadable.update(deployment.subjects.subjects)

    assert sends(deployment, send_id) == ["unavailable"]


def test_a_link_of_another_kind_of_letter_is_no_send(deployment: Deployment) -> None:
    deployment.asked("events")
    links = [deployment.link("confirm"), deployment.link("u"), deployment.link("not-me")]

    assert sends(deployment, *links) == ["invalid"] * 3


def test_more_than_a_thousand_sends_are_refused(deployment: Deployment) -> None:
    body = json.dumps({"sends": [{"send_id": "x"}] * 1001})
    refused(deployment.api("post-sends", body=body), 422, "invalid-field", "/sends")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["given", "withdrawn", "refused", "marketing", "profiling"]), max_size=8))
def test_whatever_systems_record_no_yes_comes_after_a_no(deployment: Deployment, decisions: list[str]) -> None:
    deployment.subjects.__init__()  # type: ignore[misc]
    said_no = False
    for decision in decisions:
        deployment.clock.move(seconds=1)
        if decision in ("marketing", "profiling"):
            against = "direct-marketing" if decision == "marketing" else "profiling"
            assert record(deployment, "objected", purpose=..., objection=against).status == 200
            said_no |= decision == "marketing"
        else:
            status = record(deployment, decision, topics=["events"]).status
            assert status == (409 if decision == "given" and said_no else 200)
            said_no |= decision != "given"
        assert not said_no or reason(deployment) in ("withdrawn", "objected")


def suppress(deployment: Deployment, recipient: str = PEOPLE[0], **changes: Any) -> Answer:
    return deployment.api("post-suppressions", body=json.dumps({"recipient": recipient, **changes}))


def test_whoever_is_suppressed_is_denied_and_no_system_brings_them_back(deployment: Deployment) -> None:
    record(deployment)
    deployment.clock.move(seconds=1)

    answer = suppress(deployment, PEOPLE[0].upper())

    assert answer.status == 200, answer.body
    assert answer.json["evidence"].endswith(".2")
    assert reason(deployment) == "suppressed"
    assert {row["reason"] for row in look_up(deployment)["permissions"] if row["purpose"] == LETTERS} == {"suppressed"}
    deployment.clock.move(seconds=100)
    refused(record(deployment), 409, "forbidden-transition", None)
    tagged = PEOPLE[0].replace("@", "+tag@")
    refused(record(deployment, recipient=tagged), 409, "forbidden-transition", None)


@pytest.mark.parametrize(("changes", "field"), [({"recipient": "no address"}, "/recipient"), ({"lift": True}, "/lift")])
def test_a_suppression_needs_an_address_and_takes_nothing_else(
    deployment: Deployment, changes: dict[str, Any], field: str
) -> None:
    refused(suppress(deployment, **changes), 422, "invalid-field", field)
