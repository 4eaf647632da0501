"""The preference page: everything is shown as it is, each press does one thing, and that can be undone."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from builders import PURPOSE, a_policy
from consent_center.domain import wishes
from consent_center.domain.capability import Capability, ManageLink, WithdrawLink, seal_manage, seal_withdrawal
from consent_center.domain.errors import (
    ExpiredTokenError,
    InvalidFormError,
    InvalidTokenError,
    NothingHeldError,
    TooManyRequestsError,
    UnknownNameError,
    WordingChangedError,
)
from consent_center.domain.objection import Against
from consent_center.domain.permission import Recording, RecordingRules
from consent_center.domain.policy import Period
from consent_center.usecases.changes import UNDO_SECONDS
from consent_center.usecases.letters import Delivery
from consent_center.usecases.preferences import Row
from usecase_world import World

POLICY = a_policy()
LETTERS = POLICY.purpose(PURPOSE)
TRACKING = POLICY.purpose("tracking")


@pytest.fixture
def token(world: World) -> str:
    """Of somebody who subscribed to both topics a minute ago."""
    world.confirm(world.asked())
    world.clock.move(seconds=60)
    return world.manage_token()


def row(world: World, token: str, name: str) -> Row:
    """The row of a topic, or of a purpose that has none."""
    page = world.page(token)
    rows = [row for choice in (*page.received, *page.recorded) for row in choice.rows] + list(page.interests)
    return next(row for row in rows if (row.topic or row.purpose).id == name)


def test_the_page_shows_what_is_on_since_when_and_what_is_off(world: World, token: str) -> None:
    page = world.page(token)

    assert [(choice.purpose.id, [(row.scope.topic, row.is_on) for row in choice.rows]) for choice in page.received] == [
        (PURPOSE, [("product-news", True), ("events", True)])
    ]
    assert page.received[0].rows[0].decided.at == world.clock() - 60_000  # type: ignore[union-attr]
    assert [row.is_on for choice in page.recorded for row in choice.rows] == [False, False]
    assert [(row.purpose.id, row.is_on) for row in page.interests] == [("grouping", True), ("insight", True)]
    assert page.objections == {Against.MARKETING: None, Against.PROFILING: None}
    assert (page.done, page.can_undo) == (None, False)


def test_looking_reads_once_and_changes_nothing(world: World, token: str) -> None:
    world.subjects.calls.clear()
    world.page(token)

    assert world.subjects.calls == ["holdings"]


def test_one_topic_stops_and_the_other_goes_on(world: World, token: str) -> None:
    world.wish(token, wishes.stop(LETTERS, "events"))

    assert (world.reason("events"), world.reason("product-news")) == ("withdrawn", "given")
    assert world.events()[-1].body["capability"] == "manage"


def test_an_event_says_on_which_basis_and_for_which_brand(world: World, token: str) -> None:
    world.wish(token, wishes.stop(LETTERS, "events"))

    for event in world.events():
        assert event.body["purposes"] == {PURPOSE: {"basis": "consent", "brand": "fjordmeter"}}


def test_what_is_so_already_is_no_event(world: World, token: str) -> None:
    world.wish(token, wishes.stop(LETTERS, "events"))

    assert world.wish(token, wishes.stop(LETTERS, "events")) is None
    assert world.kinds() == ["given", "withdrawn"]


def test_undoing_restores_exactly_what_was_there(world: World, token: str) -> None:
    world.wish(token, wishes.fewer(LETTERS, "3.0"))
    before = world.subjects.load(world.contact()).subject
    done = world.wish(token, wishes.stop_everything(POLICY))
    world.clock.move(seconds=UNDO_SECONDS - 1)
    world.undo(token, done)
    after = world.subjects.load(world.contact()).subject

    assert world.reason("events") == "given"
    assert after.preferences == before.preferences
    assert {code: (d.state, d.at, d.valid_until) for code, d in after.decided.items()} == {
        code: (d.state, d.at, d.valid_until) for code, d in before.decided.items()
    }
    assert world.kinds() == ["given", "preferences", "withdrawn", "restored"]
    assert world.events()[-1].body["restores"] == 3


def test_an_end_of_a_consent_survives_being_undone(world: World, token: str) -> None:
    shown = row(world, token, "opens").wording
    assert shown
    world.wish(token, wishes.start(POLICY, TRACKING, "opens", shown.hash))
    given = row(world, token, "opens").decided
    world.clock.move(seconds=10)
    done = world.wish(token, wishes.stop(TRACKING, "opens"))
    world.undo(token, done)
    restored = row(world, token, "opens").decided

    assert given
    assert restored
    assert (restored.at, restored.valid_until) == (given.at, given.valid_until)


def test_undoing_is_refused_after_a_quarter_of_an_hour(world: World, token: str) -> None:
    done = world.wish(token, wishes.stop(LETTERS, "events"))
    world.clock.move(seconds=UNDO_SECONDS)
    world.undo(token, done)

    assert world.reason("events") == "withdrawn"
    assert not world.page(token, done).can_undo


def test_undoing_is_refused_when_something_was_decided_since(world: World, token: str) -> None:
    done = world.wish(token, wishes.stop(LETTERS, "events"))
    world.wish(token, wishes.stop(LETTERS, "product-news"))
    world.undo(token, done)

    assert (world.reason("events"), world.reason("product-news")) == ("withdrawn", "withdrawn")


def test_undoing_twice_undoes_once(world: World, token: str) -> None:
    done = world.wish(token, wishes.stop(LETTERS, "events"))
    pages = [world.page(token, world.undo(token, done)) for _ in range(2)]

    assert [page.done and page.done.did for page in pages] == ["undone", "undone"], (
        "the first answer may have been lost"
    )
    assert world.kinds() == ["given", "withdrawn", "restored"]


def test_undoing_again_is_refused_when_something_was_decided_since(world: World, token: str) -> None:
    done = world.wish(token, wishes.stop(LETTERS, "events"))
    world.undo(token, done)
    world.wish(token, wishes.stop(LETTERS, "events"))
    page = world.page(token, world.undo(token, done))

    assert page.done is not None
    assert page.done.did == "too_late"
    assert world.reason("events") == "withdrawn"


def test_what_undoes_one_persons_press_is_worthless_for_another(world: World, token: str) -> None:
    done = world.wish(token, wishes.stop(LETTERS, "events"))
    assert done
    stranger = ManageLink(world.contact("grace.hopper@example.org"), world.clock() // 1000 + 60)

    with pytest.raises(InvalidTokenError):
        world.undo(seal_manage(stranger, world.secrets.links()), done)
    assert world.page(token, done).done is not None
    assert world.page(token, "v1.k1.nonsense.x").done is None


def test_starting_a_topic_that_needs_a_letter_orders_it_and_gives_nothing(world: World, token: str) -> None:
    world.wish(token, wishes.stop(LETTERS, "events"))
    world.clock.move(seconds=1)
    assert world.wish(token, wishes.start(POLICY, LETTERS, "events", "any")) is None
    world.start_by_letter(token, "events")

    assert world.reason("events") == "withdrawn"
    assert row(world, token, "events").asked_until
    world.clock.move(seconds=1)
    assert world.deliver() is Delivery.SENT
    world.confirm(world.letter_token("confirm_url"))
    assert world.reason("events") == "given"
    assert world.events()[-1].body["source"] == "preferences"


@pytest.mark.parametrize("sent", [True, False])
def test_a_request_that_waits_can_be_taken_back_whether_or_not_its_letter_has_left(
    world: World, token: str, sent: bool
) -> None:
    world.wish(token, wishes.stop(LETTERS, "events"))
    world.clock.move(seconds=1)
    world.start_by_letter(token, "events")
    if sent:
        world.deliver()
    world.wish(token, wishes.take_back(LETTERS, "events"))

    assert row(world, token, "events").asked_until is None
    assert world.deliver() is Delivery.NOTHING_TO_ASK
    assert world.reason("events") == "withdrawn"
    assert world.reason("product-news") == "given"


def test_a_consent_on_the_page_is_given_only_to_the_words_that_were_shown(world: World, token: str) -> None:
    shown = row(world, token, "opens").wording
    assert shown
    with pytest.raises(WordingChangedError):
        world.wish(token, wishes.start(POLICY, TRACKING, "opens", "something else"))
    world.wish(token, wishes.start(POLICY, TRACKING, "opens", shown.hash))

    subject = world.subjects.load(world.contact()).subject
    assert RecordingRules(POLICY, "fjordmeter", "email").of(subject, world.clock()) == Recording(
        opens=True, profile=True
    )
    event = world.events()[-1]
    assert (event.kind, event.body["wording_hash"]) == ("given", shown.hash)
    payloads = world.subjects.payloads(event.chain)
    assert payloads[event.seq].content["wording"] == list(shown.paragraphs)


def test_stopping_everything_stops_tracking_and_open_requests_too(world: World, token: str) -> None:
    shown = row(world, token, "opens").wording
    assert shown
    world.wish(token, wishes.start(POLICY, TRACKING, "opens", shown.hash))
    world.wish(token, wishes.stop(LETTERS, "events"))
    world.clock.move(seconds=1)
    world.start_by_letter(token, "events")
    world.deliver()
    confirm = world.letter_token("confirm_url")
    world.clock.move(seconds=1)
    world.wish(token, wishes.stop_everything(POLICY))

    assert not any(
        row.is_on for choice in (*world.page(token).received, *world.page(token).recorded) for row in choice.rows
    )
    with pytest.raises(Exception, match="withdrawn"):
        world.look(confirm)


def test_an_objection_to_direct_marketing_stops_everything_of_it_at_once(world: World, token: str) -> None:
    done = world.wish(token, wishes.object_to_all(POLICY, Against.MARKETING))

    assert world.reason("events") == "objected"
    page = world.page(token)
    assert page.objections[Against.MARKETING]
    assert [(row.purpose.id, row.is_on) for row in page.interests] == [("grouping", False), ("insight", True)]
    assert world.kinds() == ["given", "objected"]
    world.undo(token, done)
    assert world.reason("events") == "given"


def test_taking_an_objection_back_starts_nothing_again(world: World, token: str) -> None:
    world.wish(token, wishes.object_to_all(POLICY, Against.MARKETING))
    world.wish(token, wishes.allow_all_again(Against.MARKETING))

    assert world.reason("events") == "withdrawn"
    assert row(world, token, "grouping").is_on


def test_a_confirm_link_from_before_an_objection_raises_nothing(world: World, token: str) -> None:
    world.wish(token, wishes.stop(LETTERS, "events"))
    world.clock.move(seconds=1)
    world.start_by_letter(token, "events")
    world.deliver()
    confirm = world.letter_token("confirm_url")
    world.clock.move(seconds=1)
    world.wish(token, wishes.object_to_all(POLICY, Against.MARKETING))

    with pytest.raises(Exception, match="withdrawn"):
        world.look(confirm)


def test_subscribing_anew_after_an_objection_is_the_persons_own_act(world: World, token: str) -> None:
    world.wish(token, wishes.object_to_all(POLICY, Against.MARKETING))
    world.clock.move(seconds=1)
    world.confirm(world.asked("events"))

    assert (world.reason("events"), world.reason("product-news")) == ("given", "objected")


def test_one_interest_is_objected_to_and_allowed_again(world: World, token: str) -> None:
    insight = POLICY.purpose("insight")
    world.wish(token, wishes.object_to(insight))
    assert not row(world, token, "insight").is_on
    world.wish(token, wishes.allow_again(insight))
    assert row(world, token, "insight").is_on
    with pytest.raises(UnknownNameError):
        wishes.object_to(LETTERS)


@pytest.mark.parametrize(("seconds", "events"), [(2, 1), (899, 1), (900, 2)])
def test_the_same_pause_pressed_again_is_one_event(world: World, token: str, seconds: int, events: int) -> None:
    world.wish(token, wishes.pause(LETTERS, "1.0"))
    world.clock.move(seconds=seconds)
    world.wish(token, wishes.pause(LETTERS, "1.0"))

    assert world.kinds() == ["given", *["preferences"] * events], "the first answer may have been lost"


def test_a_pause_ends_by_itself_and_can_be_ended(world: World, token: str) -> None:
    world.wish(token, wishes.pause(LETTERS, "1.0"))
    assert world.reason("events") == "paused"
    assert world.page(token).received[0].preference.paused_until
    world.wish(token, wishes.pause(LETTERS, ""))
    assert world.reason("events") == "given"
    world.wish(token, wishes.pause(LETTERS, "1.0"))
    world.clock.move(days=31)
    assert world.reason("events") == "given"


def test_fewer_letters_are_counted_from_the_last_one(world: World, token: str) -> None:
    world.wish(token, wishes.fewer(LETTERS, "0.14"))
    world.check(record_send=True)
    world.clock.move(days=13)
    assert world.reason("events") == "frequency"
    world.clock.move(days=1)
    assert world.reason("events") == "given"


@pytest.mark.parametrize("period", ["2.0", "0.0", "x", "1", "-1.0"])
def test_a_period_that_is_not_offered_is_refused(period: str) -> None:
    with pytest.raises(UnknownNameError):
        wishes.pause(LETTERS, period)
    with pytest.raises(UnknownNameError):
        wishes.fewer(LETTERS, period)


def test_preferences_are_in_the_ledger(world: World, token: str) -> None:
    world.wish(token, wishes.fewer(LETTERS, "3.0"))

    assert world.events()[-1].body["preferences"] == {"dm.email": {"paused_until": None, "at_most_every": "3.0"}}
    assert world.page(token).received[0].preference.at_most_every == Period(3)


def test_the_link_holds_for_an_hour_and_can_be_used_again(world: World, token: str) -> None:
    world.clock.move(seconds=3599)
    world.page(token)
    world.wish(token, wishes.stop(LETTERS, "events"))
    world.clock.move(seconds=1)
    with pytest.raises(ExpiredTokenError):
        world.page(token)
    with pytest.raises(ExpiredTokenError):
        world.wish(token, wishes.stop(LETTERS, "product-news"))


def test_a_link_of_another_capability_opens_no_preferences(world: World, token: str) -> None:
    withdraw = seal_withdrawal(WithdrawLink(world.contact(), "dm"), world.secrets.links())
    for wrong in (withdraw, token[:-1], token + "x", "", world.wish(token, wishes.stop(LETTERS, "events")) or ""):
        with pytest.raises(InvalidTokenError):
            world.page(wrong)


def test_somebody_who_was_erased_meanwhile_is_told_that_nothing_is_held(world: World, token: str) -> None:
    world.subjects.subjects.clear()
    world.subjects.profiles.clear()

    with pytest.raises(NothingHeldError):
        world.page(token)


def test_the_letter_goes_only_where_something_is_held_and_asking_is_the_same_for_all(world: World) -> None:
    world.confirm(world.asked())
    world.subjects.calls.clear()
    used = []
    for email in ("ada.lovelace@example.com", "grace.hopper@example.org"):
        before = dict(world.limits.used)
        world.ask_for_link(email)
        used.append(len(world.limits.used) - len(before))
    assert world.subjects.calls == []
    assert used == [2, 1], "the network was counted before"
    assert world.deliver_link() is Delivery.NOTHING_HELD
    assert len(world.outbox.orders) == 3


def test_a_letter_that_was_ordered_once_is_sent_once(world: World, token: str) -> None:
    assert world.deliver_link() is Delivery.SENT_BEFORE


def test_asking_is_limited_by_address_without_saying_so_and_by_network(world: World) -> None:
    for _ in range(7):
        world.ask_for_link()
    assert len(world.outbox.orders) == world.most.per_address

    world.most = type(world.most)(per_address=5, per_source=7)
    with pytest.raises(TooManyRequestsError):
        world.ask_for_link("grace.hopper@example.org")


def test_what_is_no_address_is_named(world: World) -> None:
    with pytest.raises(InvalidFormError) as error:
        world.ask_for_link("ada@")
    assert error.value.fields == {"email": "address"}


class Presses(RuleBasedStateMachine):
    """Whatever is pressed in whatever order: what the page shows is what the check answers, and the chain holds."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.confirm(self.world.asked())
        self.token = self.world.manage_token()
        self.done: str | None = None
        self.before: Any = None

    def press(self, wish: wishes.Wish) -> None:
        subject = self.world.subjects.load(self.world.contact()).subject
        done = self.world.wish(self.token, wish)
        if done:
            self.done, self.before = done, (dict(subject.decided), dict(subject.preferences))

    @rule(topic=st.sampled_from(["product-news", "events"]))
    def stop(self, topic: str) -> None:
        self.press(wishes.stop(LETTERS, topic))

    @rule()
    def stop_everything(self) -> None:
        self.press(wishes.stop_everything(POLICY))

    @rule(against=st.sampled_from(Against), back=st.booleans())
    def object_or_take_it_back(self, against: Against, back: bool) -> None:
        self.press(wishes.allow_all_again(against) if back else wishes.object_to_all(POLICY, against))

    @rule(topic=st.sampled_from(["opens", "clicks"]))
    def allow_recording(self, topic: str) -> None:
        words = row(self.world, self.token, topic).wording
        if words:
            self.press(wishes.start(POLICY, TRACKING, topic, words.hash))

    @rule(period=st.sampled_from(["", "1.0"]))
    def pause(self, period: str) -> None:
        self.press(wishes.pause(LETTERS, period))

    @rule(seconds=st.integers(0, 5))
    def wait(self, seconds: int) -> None:
        self.world.clock.move(seconds=seconds)

    @precondition(lambda self: self.done)
    @rule()
    def undo(self) -> None:
        self.world.undo(self.token, self.done)
        subject = self.world.subjects.load(self.world.contact()).subject
        states = {code: (decided.state, decided.at) for code, decided in subject.decided.items()}
        decided, preferences = self.before
        assert states == {code: (one.state, one.at) for code, one in decided.items()}
        assert subject.preferences == preferences
        self.done = None

    @invariant()
    def the_page_and_the_check_agree(self) -> None:
        page = self.world.page(self.token)
        for choice in page.received:
            for shown in choice.rows:
                reason = self.world.reason(shown.scope.topic)
                assert shown.is_on == (reason in ("given", "paused")), reason

    @invariant()
    def the_chain_holds(self) -> None:
        assert self.world.events()


TestPresses = Presses.TestCase
TestPresses.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)


def test_every_capability_is_another_kind_of_link() -> None:
    assert len({capability.value for capability in Capability}) == len(Capability)
