"""Audiences over fakes: they say what the check says, whole or not at all, however often and by however many made."""

import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOON, PEOPLE, PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.domain.audience import VALID_FOR_MS, AudienceRun
from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.domain.objection import OBJECTIONS
from consent_center.domain.policy import Period, Policy
from consent_center.domain.subject import Preference, Subject
from consent_center.domain.suppression import Basis, Suppression
from consent_center.ports.exchange import Counted
from consent_center.ports.people import Profile
from consent_center.usecases.audience import Change, concerned, make_part, note_changes, order_audiences
from fakes import CollectingAudienceOrders, InMemoryAudiences, InMemoryListing, InMemorySubjects
from usecase_world import World

DAY = 86_400_000


@dataclass
class AudienceWorld(World):
    files: Any = field(default_factory=InMemoryAudiences)
    orders: CollectingAudienceOrders = field(default_factory=CollectingAudienceOrders)

    @property
    def listing(self) -> InMemoryListing:
        return InMemoryListing(self.subjects)

    def order(self, *purposes: str) -> int:
        return order_audiences(
            purposes or (PURPOSE,), policy=self.policy, listing=self.listing, orders=self.orders, clock=self.clock
        )

    def make(self, run: AudienceRun, shard: int, **other: Any) -> bool:
        means = {"policy": self.policy, "subjects": self.subjects, "listing": self.listing, "files": self.files}
        return make_part(run, shard, **{**means, "secrets": self.secrets, "clock": self.clock, **other})

    def made(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Run the job and all its messages; the manifest and the rows that it names."""
        self.orders.ordered.clear()
        self.order()
        for run, shard in self.orders.ordered:
            self.make(run, shard)
        return self.found(run)

    def found(self, run: AudienceRun) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        manifest = json.loads(self.files.manifests[run])
        rows = [json.loads(row) for part in manifest["parts"] for row in self.files.rows[run, part["name"]]]
        return manifest, rows

    def note(self, *codes: str, email: str = PEOPLE[0], chain: str = "") -> list[dict[str, Any]]:
        """The lines about somebody who decided."""
        self.files.changes.clear()
        contact = self.contact(email)
        chain = self.subjects.subjects[contact].chain or chain
        note_changes(
            [Change(contact, chain, codes or ("dm",))],
            (PURPOSE,),
            policy=self.policy,
            subjects=self.subjects,
            files=self.files,
            secrets=self.secrets,
            clock=self.clock,
        )
        return [json.loads(row) for rows in self.files.changes.get(PURPOSE, []) for row in rows]

    def settle(self, email: str, subject: Subject, last_send: int | None = None, *, has_profile: bool = True) -> None:
        """Put a record there as it is."""
        contact = subject.contact
        self.subjects.subjects[contact] = subject
        if has_profile:
            self.subjects.profiles[contact] = Profile(parse_address(email), None, None, (), "en")
        if last_send:
            self.subjects.sends[contact, PURPOSE] = last_send


@pytest.fixture
def world() -> AudienceWorld:
    return AudienceWorld()


def test_who_agreed_is_in_with_address_topics_and_proof_and_everybody_else_is_counted(world: AudienceWorld) -> None:
    world.confirm(world.asked("events"))
    world.confirm(world.asked(email=PEOPLE[1]))
    world.withdraw(world.letter_token("stop_url"))
    world.asked(email=PEOPLE[2])

    manifest, (row,) = world.made()

    assert (row["address"], row["language"], row["topics"]) == (PEOPLE[0], "en", ["events"])
    assert row["evidence"] == world.check()[0].permission.evidence
    assert row["contact"] == row["evidence"].partition(".")[0]
    assert (row["may_track_opens"], row["may_track_clicks"], row["may_profile"]) == (False, False, True)
    assert (manifest["looked_at"], manifest["included"], manifest["left_out"]) == (2, 1, {"withdrawn": 1})
    assert (manifest["purpose"], manifest["notice"], manifest["policy"]) == (PURPOSE, "2026-11-01", "f" * 64)


STATES = st.sampled_from([*DecisionState])
CODES = ("dm.pn.email", "dm.ev.email", "dm.pa.email", "tr.op.email", "tr.ck.email", *OBJECTIONS)
TIMES = st.integers(NOON - 500 * DAY, NOON)
DECIDED = st.builds(
    Decided, STATES, TIMES, st.integers(1, 9), st.none() | st.integers(NOON // 1000 - 9, NOON // 1000 + 4 * 86400)
)
RECORDS = st.fixed_dictionaries(
    {
        "decided": st.dictionaries(st.sampled_from(CODES), DECIDED, max_size=4),
        "requested": st.dictionaries(st.sampled_from(CODES), st.integers(NOON // 1000, NOON // 1000 + 99), max_size=1),
        "locks": st.sampled_from([(), (), (), ("restricted",), ("undeliverable",)]),
        "preferences": st.dictionaries(
            st.just("dm.email"),
            st.builds(
                Preference,
                st.none() | st.integers(NOON // 1000 - 86400, NOON // 1000 + 3 * 86400),
                st.none() | st.just(Period(0, 14)),
            ),
            max_size=1,
        ),
    }
)
PERSON = st.tuples(RECORDS, st.none() | TIMES, st.booleans())


@settings(max_examples=60, deadline=None)
@given(people=st.lists(PERSON, min_size=1, max_size=6), stale=st.booleans())
def test_an_audience_is_what_the_check_says_of_everybody_now_and_at_its_end(
    people: list[tuple[dict[str, Any], int | None, bool]], stale: bool
) -> None:
    world = AudienceWorld(policy=_with_stale(World().policy) if stale else World().policy)
    world.clock.now = NOON
    emails = [f"reader{number}@example.com" for number in range(len(people))]
    for number, (email, (record, last_send, has_profile)) in enumerate(zip(emails, people, strict=True)):
        subject = Subject(world.contact(email), 1, f"chain{number}", 9, **record)
        world.settle(email, subject, last_send, has_profile=has_profile)

    manifest, rows = world.made()

    def checked(topic: str | None) -> dict[str, Any]:
        """The answers of the check at both moments, of those whom it allows at both."""
        world.clock.now = NOON
        now = world.check(*emails, topic=topic)
        world.clock.now = NOON + VALID_FOR_MS
        then = world.check(*emails, topic=topic)
        both = zip(emails, now, then, strict=True)
        return {email: at_first for email, at_first, at_end in both if _allows(at_first) and _allows(at_end)}

    has_profile = {email for email, (_, _, has) in zip(emails, people, strict=True) if has}
    topics = {topic: checked(topic).keys() & has_profile for topic in ("product-news", "events")}
    in_any = {
        email: answer for email, answer in checked(None).items() if email in topics["product-news"] | topics["events"]
    }
    by_address = {row["address"]: row for row in rows}
    assert by_address.keys() == in_any.keys() & has_profile
    for address, row in by_address.items():
        assert set(row["topics"]) == {topic for topic, allowed in topics.items() if address in allowed}
        assert row["evidence"] == in_any[address].permission.evidence
        recording = in_any[address].recording
        told = (row["may_track_opens"], row["may_track_clicks"], row["may_profile"])
        assert told == (recording.opens, recording.clicks, recording.profile)
    assert manifest["looked_at"] == len(people) == manifest["included"] + sum(manifest["left_out"].values())
    assert manifest["included"] == len(rows)


def _allows(answer: Any) -> bool:
    return bool(answer.permission.allowed)


def _with_stale(policy: Policy) -> Policy:
    rows = [
        {**row, "stale_after": {"months": 12, "days": 0}} if row["id"] == PURPOSE else row
        for row in policy.raw["purposes"]
    ]
    return Policy({**policy.raw, "purposes": rows})


def test_a_consent_that_ends_before_the_file_does_is_left_out_of_it(world: AudienceWorld) -> None:
    for number, end in enumerate((VALID_FOR_MS // 1000, VALID_FOR_MS // 1000 + 1)):
        email = f"reader{number}@example.com"
        given = Decided(DecisionState.GIVEN, world.clock() - DAY, 1, world.clock() // 1000 + end)
        world.settle(email, Subject(world.contact(email), 1, f"chain{number}", 1, decided={"dm.pn.email": given}))

    manifest, rows = world.made()

    assert [row["address"] for row in rows] == ["reader1@example.com"]
    assert rows[0]["valid_until"] > manifest["valid_until"]
    assert manifest["left_out"] == {"ends_soon": 1}


def test_a_run_is_no_audience_until_its_last_shard_is_there(world: AudienceWorld) -> None:
    world.confirm(world.asked())
    world.order()

    *others, last = world.orders.ordered
    assert [world.make(*one) for one in others] == [False] * len(others)
    assert world.files.manifests == {}
    assert world.make(*last)
    assert len(world.files.manifests) == 1


class Killed(BaseException):
    """As if the computer had gone."""


@dataclass
class Killing(InMemoryAudiences):
    """Ends the run before or after a step of it."""

    steps: int = 10**9

    def _step(self) -> None:
        if self.steps == 0:
            raise Killed
        self.steps -= 1

    def add_part(self, run: AudienceRun, shard: int, rows: Iterable[str], counted: Callable[[], Counted]) -> None:
        def interrupted() -> Iterator[str]:
            for row in rows:
                self._step()
                yield row

        def noted() -> Counted:
            self.rows[run, "half of something"] = []
            self._step()
            return counted()

        super().add_part(run, shard, interrupted(), noted)
        self._step()

    def finish(self, run: AudienceRun, manifest: str) -> None:
        self._step()
        super().finish(run, manifest)
        self._step()


def test_a_run_that_is_killed_between_any_two_steps_ends_the_same_when_it_is_delivered_again() -> None:
    def a_world(steps: int) -> AudienceWorld:
        world = AudienceWorld(files=Killing(steps=steps))
        for email in PEOPLE:
            world.confirm(world.asked(email=email))
        world.order()
        return world

    whole = a_world(10**9)
    for order in whole.orders.ordered:
        whole.make(*order)
    (run,) = whole.files.manifests
    expected, rows = whole.found(run)
    kills = 0
    for steps in range(10**9 - whole.files.steps):
        world = a_world(steps)
        for order in world.orders.ordered:
            try:
                world.make(*order)
            except Killed:
                kills += 1
                world.files.steps = 10**9
                world.make(*order)
        manifest, found = world.found(run)
        assert [row["address"] for row in found] == [row["address"] for row in rows]
        assert (manifest["included"], manifest["left_out"]) == (expected["included"], expected["left_out"])
    assert kills == 10**9 - whole.files.steps


def test_two_at_once_leave_one_audience_that_is_what_its_manifest_says(world: AudienceWorld) -> None:
    for email in PEOPLE:
        world.confirm(world.asked(email=email))
    world.order()
    decided = world.subjects.states([world.contact(email) for email in PEOPLE])

    class SlowFiles(InMemoryAudiences):
        def add_part(self, run: Any, shard: int, rows: Iterable[str], counted: Callable[[], Counted]) -> None:
            """Somebody else is there first, and sees another state of things."""
            kept = list(rows)
            other.make(run, shard)
            super().add_part(run, shard, kept, counted)

    slow = SlowFiles()
    other = AudienceWorld(files=InMemoryAudiences(slow.rows, slow.notes, slow.manifests))
    gone = world.contact(PEOPLE[0])
    no = {code: one._replace(state=DecisionState.WITHDRAWN) for code, one in decided[gone].decided.items()}
    other.subjects.subjects = {**world.subjects.subjects, gone: replace(decided[gone], decided=no)}
    other.subjects.profiles = world.subjects.profiles

    for order in world.orders.ordered:
        world.make(*order, files=slow)

    (run,) = slow.manifests
    other.files = slow
    manifest, rows = other.found(run)
    assert {row["address"] for row in rows} == set(PEOPLE[1:])
    assert manifest["included"] == len(rows) == sum(part["rows"] for part in manifest["parts"])


def test_nobody_is_missing_without_being_counted(world: AudienceWorld) -> None:
    world.confirm(world.asked())
    world.order()
    world.subjects.unreadable = {world.contact()}

    outcomes = []
    for order in world.orders.ordered:
        try:
            outcomes.append(world.make(*order))
        except UnavailableError:
            outcomes.append(None)
    assert outcomes.count(None) == 1
    assert world.files.manifests == {}


def test_a_run_whose_end_has_come_is_left_as_it_is(world: AudienceWorld) -> None:
    world.order()
    world.clock.move(ms=VALID_FOR_MS)

    assert [world.make(*order) for order in world.orders.ordered] == [False] * 4
    assert world.files.notes == {}


@pytest.mark.parametrize("purpose", ["nothing", "invoices", "grouping"])
def test_what_is_no_marketing_by_mail_has_no_audience_and_nothing_else_is_begun(
    world: AudienceWorld, purpose: str
) -> None:
    with pytest.raises(UnknownNameError):
        world.order(PURPOSE, purpose)
    assert world.orders.ordered == []


def test_whoever_leaves_is_said_to_have_left_with_the_reason(world: AudienceWorld) -> None:
    world.confirm(world.asked())
    (there,) = world.note()
    assert (there["may"], there["address"], there["topics"]) == (True, PEOPLE[0], ["product-news", "events"])

    world.withdraw(world.letter_token("stop_url"))
    (gone,) = world.note()

    assert (gone["may"], gone["reason"], gone["address"]) == (False, "withdrawn", PEOPLE[0])
    assert gone["contact"] == there["contact"]
    assert "topics" not in gone


def test_a_person_who_was_erased_is_named_by_the_contact_id_alone(world: AudienceWorld) -> None:
    world.confirm(world.asked())
    del world.subjects.profiles[world.contact()]

    (line,) = world.note()

    assert line.keys() == {"contact", "may", "at", "reason"}
    assert (line["may"], line["reason"]) == (False, "no_address")


def test_of_somebody_whose_record_is_gone_or_begun_anew_the_old_contact_id_leaves(world: AudienceWorld) -> None:
    world.confirm(world.asked())
    chain = world.subjects.subjects[world.contact()].chain
    world.subjects.subjects[world.contact()] = Subject(world.contact(), 3)
    del world.subjects.profiles[world.contact()]

    (line,) = world.note(chain=chain)

    assert (line["contact"], line["may"], line["reason"]) == (chain, False, "no_record")
    assert "address" not in line


def test_decisions_about_other_purposes_are_not_told(world: AudienceWorld) -> None:
    world.confirm(world.asked())

    assert world.note("tr", "x") == []
    assert world.files.changes == {}


def test_a_change_concerns_what_a_record_said_before_and_says_now() -> None:
    before = {"d": {"M": {"dm.pn.email": {"S": "g1.1"}}}}
    after = {"d": {"M": {"tr.op.email": {"S": "g1.2"}}}, "p": {"M": {"in.-.email": {"N": "1"}}}}

    assert concerned(before, after) == ["dm", "tr"]
    assert concerned(None, {"d": {"M": {}}}) == []


class ManySubjects(InMemorySubjects):
    """As many people as one likes, none of whom is anywhere until somebody asks."""

    def states(self, contacts: Any) -> Any:
        given = {"dm.pn.email": Decided(DecisionState.GIVEN, NOON - DAY, 1)}
        return {contact: Subject(contact, 1, contact.pseudonym, 1, decided=given) for contact in contacts}

    def reached(self, contacts: Any) -> Any:
        from consent_center.domain.audience import Reached

        return {
            contact: Reached(f"{contact.pseudonym}@example.com", "en", f"{contact.pseudonym}@example.com")
            for contact in contacts
        }


@dataclass
class ManyRecords:
    people: int
    shards: int = 1

    def records(self, controller: str, shard: int) -> Iterator[ContactPoint]:
        return (ContactPoint(controller, "email", "k1", f"reader{number:026d}") for number in range(self.people))


class Uncounted(InMemoryAudiences):
    """Lets rows pass by."""

    passed = 0

    def add_part(self, run: Any, shard: int, rows: Iterable[str], counted: Callable[[], Counted]) -> None:
        self.passed = sum(1 for _ in rows)
        super().add_part(run, shard, (), counted)


def test_memory_stays_flat_however_many_there_are(world: AudienceWorld) -> None:
    world.clock.now = NOON
    peaks = []
    for people in (1_000, 30_000):
        files = Uncounted()
        run = AudienceRun.beginning(PURPOSE, NOON + people)
        tracemalloc.start()
        assert world.make(run, 0, files=files, subjects=ManySubjects(), listing=ManyRecords(people))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert files.passed == people
    assert peaks[1] < 1.5 * peaks[0]


def test_who_is_suppressed_without_a_tag_is_in_no_audience_with_one_until_they_say_yes_again() -> None:
    world = AudienceWorld()
    tagged = "ada.lovelace+shop@example.com"
    world.confirm(world.asked("events", email=tagged))
    world.clock.move(seconds=60)
    # As an operator erases an address without its tag: what was agreed to under a tag stays, and must not be used.
    contact = world.contact()
    world.subjects.subjects[contact] = Subject(
        contact, 1, suppression=Suppression(Basis.ERASURE, world.clock(), "2026-11-01")
    )

    manifest, rows = world.made()
    assert (rows, manifest["left_out"]) == ([], {"suppressed": 1})
    assert [(one["may"], one["reason"]) for one in world.note(email=tagged)] == [(False, "suppressed")]

    world.clock.move(seconds=60)
    world.confirm(world.asked("product-news", email=tagged))
    _, rows = world.made()
    assert [(row["address"], row["topics"]) for row in rows] == [(tagged, ["product-news"])]
