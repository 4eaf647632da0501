"""Staff ask for somebody who asked them: a letter asks whether it was meant, and the person's press is the consent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import PEOPLE, PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.domain import wishes
from consent_center.domain.errors import (
    InvalidFormError,
    RequestGoneError,
    TooManyRequestsError,
    UnavailableError,
    UnknownNameError,
)
from consent_center.domain.offline import Method, ProofFile
from consent_center.usecases.letters import Delivery
from consent_center.usecases.offline import Asked, request_for_somebody
from usecase_world import World

SCAN = ProofFile("a" * 64, "application/pdf")


class Office(World):
    def ask_for(self, *, days_ago: int = 0, **changes: Any) -> str:
        said: dict[str, Any] = {
            "recipient": PEOPLE[0],
            "purpose": PURPOSE,
            "topics": ("events",),
            "language": "en",
            "method": Method.FAIR,
            "collected_at": datetime.fromtimestamp(self.clock() / 1000, UTC) - timedelta(days=days_ago),
            "asked_by_person": True,
            "reference": "card 12",
            "proof": SCAN,
            **changes,
        }
        return request_for_somebody(
            Asked(**said),
            client="fair-team",
            most_per_address=self.most.per_address,
            limits=self.limits,
            policy=self.policy,
            addresses=parse_address,
            subjects=self.subjects,
            outbox=self.outbox,
            secrets=self.secrets,
            chance=self.chance,
            clock=self.clock,
        )

    def stopped(self) -> None:
        """Somebody who gave their consent and took it back."""
        self.confirm(self.asked("events"))
        self.clock.move(seconds=60)
        self.wish(self.manage_token(), wishes.stop(self.policy.purpose(PURPOSE), "events"))
        self.clock.move(seconds=60)

    def reason(self) -> str:
        return self.check(topic="events")[0].permission.reason.value


@pytest.fixture
def office() -> Office:
    return Office()


def test_nothing_may_be_sent_until_the_person_presses_and_then_the_evidence_holds_who_attested_what(
    office: Office,
) -> None:
    office.ask_for(days_ago=2, name="Ada", company="Engines")
    assert office.reason() == "no_record"
    assert office.deliver() is Delivery.SENT
    assert office.reason() == "pending"
    office.confirm(office.letter_token("confirm_url"))

    assert office.reason() == "given"
    (entry,) = office.events()
    assert (entry.body["source"], entry.body["capability"]) == ("offline:fair", "confirm")
    details = office.subjects.payload(entry.chain, 1).content["asked"]
    assert (details["attested_by"], details["method"], details["reference"]) == ("fair-team", "fair", "card 12")
    assert details["proof"] == {"sha256": "a" * 64, "media_type": "application/pdf"}
    assert details["recorded_at"] - details["collected_at"] == 2 * 86_400_000
    assert "card 12" not in str(entry.body)


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"asked_by_person": False}, "asked_by_person", "not_attested"),
        ({"topics": ()}, "topics", "required"),
        ({"topics": ("events", "cars")}, "topics", "unknown"),
        ({"topics": ("paper",)}, "topics", "retired"),
        ({"language": "xx"}, "language", "unknown"),
        ({"days_ago": -1}, "collected_at", "future"),
        ({"purpose": "tracking", "topics": ("opens",)}, "purpose", "not_by_letter"),
        ({"name": "A" * 201}, "name", "too_long"),
        ({"company": "A\nB"}, "company", "characters"),
        ({"recipient": "ada"}, "recipient", "address"),
    ],
)
def test_what_is_wrong_is_named_and_stores_nothing(
    office: Office, changes: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(InvalidFormError) as refused:
        office.ask_for(**changes)

    assert refused.value.fields == {field: rule}
    assert not office.subjects.requests
    assert not office.outbox.orders


def test_a_purpose_that_does_not_exist_is_refused(office: Office) -> None:
    with pytest.raises(UnknownNameError):
        office.ask_for(purpose="cars")


def test_who_stopped_gets_one_letter_because_they_asked_and_no_second_one(office: Office) -> None:
    office.stopped()
    office.ask_for()
    assert office.deliver() is Delivery.SENT
    office.clock.move(days=1)
    office.ask_for()
    assert office.deliver() is Delivery.ASKED_BEFORE
    assert office.deliver() is Delivery.ASKED_BEFORE
    assert office.reason() == "withdrawn", "a letter is no consent"


def test_a_letter_that_failed_is_still_the_one_letter(office: Office) -> None:
    office.stopped()
    office.ask_for()
    office.mailer.fails_with = UnavailableError("mail")
    with pytest.raises(UnavailableError):
        office.deliver()
    office.mailer.fails_with = None
    office.clock.move(seconds=600)

    assert office.deliver() is Delivery.SENT


def test_who_never_said_no_gets_a_letter_for_each_request(office: Office) -> None:
    for _ in range(2):
        office.ask_for()
        assert office.deliver() is Delivery.SENT


def test_what_the_person_decided_after_they_asked_is_never_overruled(office: Office) -> None:
    office.stopped()
    office.ask_for(days_ago=1)

    assert office.deliver() is Delivery.NOTHING_TO_ASK
    assert office.reason() == "withdrawn"


def test_a_no_after_the_letter_voids_it(office: Office) -> None:
    office.ask_for()
    office.deliver()
    token = office.letter_token("confirm_url")
    office.withdraw(office.letter_token("stop_url"))

    with pytest.raises(RequestGoneError):
        office.confirm(token)


def test_who_said_this_was_not_me_is_left_alone(office: Office) -> None:
    office.ask_for()
    office.deliver()
    office.not_me(office.letter_token("not_me_url"))
    office.clock.move(seconds=60)
    office.ask_for()

    assert office.deliver() in (Delivery.BLOCKED, Delivery.NOTHING_TO_ASK)


def test_an_address_is_asked_for_so_often_an_hour_and_no_more(office: Office) -> None:
    for _ in range(office.most.per_address):
        office.ask_for()

    with pytest.raises(TooManyRequestsError):
        office.ask_for()


def test_nothing_is_acknowledged_that_no_letter_was_ordered_for(office: Office) -> None:
    office.outbox.refuses = True
    with pytest.raises(UnavailableError):
        office.ask_for()
