"""What comes back, whoever sends it, however late and however often."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from builders import PEOPLE, PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.adapters.policy_files import load_stop_words
from consent_center.domain.errors import UnavailableError
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.usecases.feedback import Happening, Outcome, Report, take_mail, take_report
from consent_center.usecases.letters import Delivery
from usecase_world import World

PROVEN = "Authentication-Results: amazonses.com; dmarc=pass header.from=example.com;\n"
FORGED = "Authentication-Results: amazonses.com; dmarc=fail header.from=example.com;\n"


def deciding(world: World) -> dict[str, Any]:
    return {**world.deciding, "addresses": parse_address}


def mailed(
    world: World,
    text: str,
    *,
    subject: str = "Re: News",
    top: str = PROVEN,
    at: int | None = None,
    to: str = "stop@example.com",
) -> tuple[Outcome, str]:
    raw = f"{top}From: {PEOPLE[0]}\nTo: {to}\nSubject: {subject}\n\n{text}\n".encode()
    arrived = world.clock() if at is None else at
    verdict = take_mail(raw, arrived, words=load_stop_words(world.policy), **deciding(world))
    return verdict.outcome, verdict.reason


def reported(world: World, happening: Happening, *, token: str = "", at: int | None = None, **other: Any) -> Outcome:
    told = {"recipients": (PEOPLE[0],), "sender": "news@example.com", **other}
    report = Report(happening, world.clock() if at is None else at, (token,) if token else (), **told)
    return take_report(report, **deciding(world)).outcome


@pytest.fixture
def subscriber(world: World) -> World:
    world.confirm(world.asked())
    world.clock.move(seconds=60)
    return world


def test_a_proven_stop_withdraws_all_marketing_once(subscriber: World) -> None:
    assert [mailed(subscriber, "Stop")[0] for _ in range(3)] == [
        Outcome.WITHDRAWN,
        Outcome.WITHDRAWN_BEFORE,
        Outcome.WITHDRAWN_BEFORE,
    ]
    assert subscriber.kinds() == ["given", "withdrawn"]
    assert subscriber.events()[-1].body["source"] == "mail"
    assert (subscriber.reason("events"), subscriber.reason("product-news")) == ("withdrawn", "withdrawn")


def test_a_mail_that_is_late_does_not_undo_a_newer_yes(subscriber: World) -> None:
    arrived = subscriber.clock()
    subscriber.withdraw(subscriber.stop_token())
    subscriber.clock.move(seconds=60)
    subscriber.confirm(subscriber.asked("events"))

    assert mailed(subscriber, "Stop", at=arrived)[0] is Outcome.WITHDRAWN_BEFORE
    assert subscriber.reason("events") == "given"


def test_a_token_in_the_subject_needs_no_words_and_no_proof(subscriber: World) -> None:
    token = subscriber.stop_token("events")
    top = FORGED + "Auto-Submitted: auto-generated\n"

    assert mailed(subscriber, "", subject=token, top=top)[0] is Outcome.WITHDRAWN
    assert (subscriber.reason("events"), subscriber.reason("product-news")) == ("withdrawn", "given")


def test_a_quoted_token_says_which_letter_and_the_words_say_stop(subscriber: World) -> None:
    quoted = f"> https://consent.example.com/u/{subscriber.stop_token('events')}"

    assert mailed(subscriber, f"Lovely!\n{quoted}", top=FORGED) == (Outcome.FOR_STAFF, "not_understood")
    assert mailed(subscriber, f"Stop\n{quoted}", top=FORGED)[0] is Outcome.WITHDRAWN
    assert (subscriber.reason("events"), subscriber.reason("product-news")) == ("withdrawn", "given")


def test_a_late_mail_with_a_token_does_not_undo_a_newer_yes(subscriber: World) -> None:
    token, arrived = subscriber.stop_token("events"), subscriber.clock()
    subscriber.withdraw(token)
    subscriber.clock.move(seconds=60)
    subscriber.confirm(subscriber.asked("events"))

    assert mailed(subscriber, "", subject=token, at=arrived)[0] is Outcome.WITHDRAWN_BEFORE
    assert subscriber.reason("events") == "given"


@pytest.mark.parametrize(
    ("text", "top", "outcome"),
    [
        ("Stop", FORGED, (Outcome.FOR_STAFF, "sender_not_proven")),
        ("Stop", "", (Outcome.FOR_STAFF, "sender_not_proven")),
        ("What is a meter?", PROVEN, (Outcome.FOR_STAFF, "not_understood")),
        ("Stop", PROVEN + "Auto-Submitted: auto-replied\n", (Outcome.IGNORED, "automatic")),
        ("Stop", PROVEN + "X-SES-Spam-Verdict: FAIL\n", (Outcome.DROPPED, "spam")),
        ("Stop", PROVEN + "X-SES-Virus-Verdict: FAIL\n", (Outcome.DROPPED, "virus")),
    ],
)
def test_no_other_mail_changes_anything(subscriber: World, text: str, top: str, outcome: tuple[Outcome, str]) -> None:
    assert mailed(subscriber, text, top=top) == outcome
    assert subscriber.kinds() == ["given"]


def test_somebody_unknown_is_left_to_people(world: World) -> None:
    assert mailed(world, "Stop") == (Outcome.FOR_STAFF, "unknown_person")
    assert world.subjects.subjects == {}


def test_a_stop_takes_back_what_a_letter_still_asks(world: World) -> None:
    token = world.asked("events")

    assert mailed(world, "Stop")[0] is Outcome.WITHDRAWN
    assert world.reason("events") == "withdrawn"
    with pytest.raises(Exception, match="withdrawn"):
        world.look(token)


def test_nobody_is_written_to_after_a_stop(subscriber: World) -> None:
    letters, orders = len(subscriber.mailer.letters), len(subscriber.outbox.orders)
    mailed(subscriber, "Stop")

    assert (len(subscriber.mailer.letters), len(subscriber.outbox.orders)) == (letters, orders)


def test_a_complaint_withdraws_the_brands_marketing_whatever_letter_it_is_about(subscriber: World) -> None:
    token = subscriber.stop_token("events")

    assert reported(subscriber, Happening.COMPLAINT, token=token, recipients=()) is Outcome.WITHDRAWN
    assert subscriber.reason("product-news") == "withdrawn"
    assert subscriber.events()[-1].body["source"] == "complaint"


def test_a_complaint_without_a_token_is_about_the_address(subscriber: World) -> None:
    assert reported(subscriber, Happening.COMPLAINT, sender="tool@example.org") is Outcome.WITHDRAWN
    assert reported(subscriber, Happening.COMPLAINT) is Outcome.WITHDRAWN_BEFORE
    assert subscriber.kinds() == ["given", "withdrawn"]


def test_a_complaint_that_is_late_does_not_undo_a_newer_yes(subscriber: World) -> None:
    assert reported(subscriber, Happening.COMPLAINT, at=subscriber.clock() - 3_600_000) is Outcome.WITHDRAWN_BEFORE
    assert subscriber.reason() == "given"


def test_a_hard_bounce_stops_every_letter_and_ends_what_the_holder_agreed_to(subscriber: World) -> None:
    assert [reported(subscriber, Happening.HARD_BOUNCE) for _ in range(2)] == [Outcome.UNDELIVERABLE, Outcome.IGNORED]

    subject = subscriber.subjects.load(subscriber.contact()).subject
    assert (subject.locks, subject.holder_since) == ((UNDELIVERABLE,), subscriber.clock())
    assert subscriber.kinds() == ["given", "undeliverable"]
    assert subscriber.reason() == "undeliverable"


def test_no_link_to_preferences_goes_to_an_address_that_may_be_somebody_elses(subscriber: World) -> None:
    reported(subscriber, Happening.HARD_BOUNCE)
    subscriber.ask_for_link()

    assert subscriber.deliver_link() is Delivery.UNDELIVERABLE


def test_whoever_confirms_from_the_address_again_gets_what_they_confirm_and_nothing_older(subscriber: World) -> None:
    reported(subscriber, Happening.HARD_BOUNCE)
    subscriber.clock.move(seconds=60)
    subscriber.confirm(subscriber.asked("events"))

    assert (subscriber.reason("events"), subscriber.reason("product-news")) == ("given", "no_record")
    assert subscriber.subjects.load(subscriber.contact()).subject.locks == ()
    assert reported(subscriber, Happening.HARD_BOUNCE, at=subscriber.clock() - 60_000) is Outcome.IGNORED
    assert subscriber.reason("events") == "given"


def test_a_bounce_leaves_a_no_as_it_is(subscriber: World) -> None:
    subscriber.withdraw(subscriber.stop_token("events"))
    subscriber.clock.move(seconds=60)
    reported(subscriber, Happening.HARD_BOUNCE)
    purpose = subscriber.policy.purpose(PURPOSE)

    subject = subscriber.subjects.load(subscriber.contact()).subject
    assert subject.state_of(purpose.scope("events", "email")).value == "ConsentWithdrawn"
    assert subject.state_of(purpose.scope("product-news", "email")).value == "ConsentTerminated"


def test_a_bounce_of_somebody_unknown_stores_nothing(world: World) -> None:
    assert reported(world, Happening.HARD_BOUNCE) is Outcome.IGNORED
    assert world.subjects.subjects == {}


def test_a_soft_bounce_is_only_counted(subscriber: World) -> None:
    assert reported(subscriber, Happening.SOFT_BOUNCE) is Outcome.SOFT_BOUNCE
    assert subscriber.kinds() == ["given"]


def test_a_delivery_confirms_the_send(subscriber: World) -> None:
    send_id = subscriber.check(topic="events")[0].send_id
    assert send_id

    assert [reported(subscriber, Happening.SENT, token=send_id) for _ in range(2)] == [Outcome.SENT, Outcome.SENT]
    assert subscriber.subjects.sends == {(subscriber.contact(), PURPOSE): subscriber.clock()}


def test_a_delivery_that_cannot_be_stored_is_tried_again(subscriber: World) -> None:
    send_id = subscriber.check(topic="events")[0].send_id
    assert send_id
    subscriber.subjects.unreadable.add(subscriber.contact())

    with pytest.raises(UnavailableError):
        reported(subscriber, Happening.SENT, token=send_id)


@pytest.mark.parametrize("token", ["", "v1.k1.e30.AAAAAAAAAAAAAAAAAAAAAA", "nonsense"])
def test_a_delivery_of_a_letter_that_is_not_ours_means_nothing(subscriber: World, token: str) -> None:
    assert reported(subscriber, Happening.SENT, token=token) is Outcome.IGNORED


class Feedback(RuleBasedStateMachine):
    """Whatever comes back in whatever order: only a press raises, and no chain breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.pressed_at = 0

    def _tick(self) -> None:
        self.world.clock.move(seconds=3601)

    @rule()
    def subscribe(self) -> None:
        self._tick()
        if self.world.reason("events") == "given":
            return
        self.world.confirm(self.world.asked("events"))
        self.pressed_at = self.world.clock()

    @rule(late=st.integers(0, 10_000))
    def complain(self, late: int) -> None:
        self._tick()
        reported(self.world, Happening.COMPLAINT, at=self.world.clock() - late * 1000)

    @rule(late=st.integers(0, 10_000))
    def bounce(self, late: int) -> None:
        self._tick()
        reported(self.world, Happening.HARD_BOUNCE, at=self.world.clock() - late * 1000)

    @rule(late=st.integers(0, 10_000))
    def write(self, late: int) -> None:
        self._tick()
        mailed(self.world, "Stop", at=self.world.clock() - late * 1000)

    @invariant()
    def every_yes_is_a_press_and_no_chain_breaks(self) -> None:
        events = self.world.events()
        if self.world.reason("events") == "given":
            subject = self.world.subjects.load(self.world.contact()).subject
            scope = self.world.policy.purpose(PURPOSE).scope("events", "email")
            assert subject.decided[scope.code].at == self.pressed_at
            assert UNDELIVERABLE not in subject.locks
        assert all(event.kind != "undeliverable" or event.body["source"] == "bounce" for event in events)


Feedback.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestFeedback = Feedback.TestCase
