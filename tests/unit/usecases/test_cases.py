"""Rights requests on fakes: races, kills between any two calls, and who is written to."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import PEOPLE
from consent_center.adapters.addresses import parse_address
from consent_center.domain.capability import RightsLink, StatusLink, seal_rights, seal_status
from consent_center.domain.case import Case, CaseLetter, CaseState, LogLine, Right
from consent_center.domain.deadline import CaseDays
from consent_center.domain.errors import (
    CaseGoneError,
    InvalidTokenError,
    LetterRefusedError,
    TooManyRequestsError,
    UnavailableError,
)
from consent_center.domain.lock import Lock, locks_of
from consent_center.domain.recipient import Task, TaskState, Verb
from consent_center.ports.letters import LetterOrder
from consent_center.texts import Texts
from consent_center.usecases.case_letters import deliver_case_letter
from consent_center.usecases.case_stops import stop_at_once, take_back
from consent_center.usecases.cases import Asked, Opened, Read, cancel, open_case, prove, read_asked
from consent_center.usecases.letters import Delivery
from fakes.cases import InMemoryCases, InMemoryParticulars, ListOfCaseOrders
from local import samples
from usecase_world import BASE_URL, PlainTexts, World

HOURS = 48


@dataclass
class Office:
    """The world with cases in it."""

    world: World
    cases: InMemoryCases = field(default_factory=InMemoryCases)
    particulars: InMemoryParticulars = field(default_factory=InMemoryParticulars)
    orders: ListOfCaseOrders = field(default_factory=ListOfCaseOrders)

    @property
    def ports(self) -> dict[str, Any]:
        return {**self.world.deciding, "cases": self.cases, "orders": self.orders}

    @property
    def stopping(self) -> dict[str, Any]:
        return {name: port for name, port in self.world.deciding.items() if name != "secrets"}

    def open(self, right: Right = Right.ACCESS, *, proved: bool = False, details: str = "", **other: Any) -> Opened:
        choices, email = other.pop("choices", {}), other.pop("email", PEOPLE[0])
        return open_case(
            Read(right, details, choices),
            parse_address(email),
            other.pop("contact", None) or self.world.contact(email),
            source=other.pop("source", "page"),
            by=other.pop("by", "person"),
            language="en",
            proved=proved,
            cool_off_hours=HOURS,
            particulars=self.particulars,
            **self.ports,
            **other,
        )

    def proof(self, case: Case) -> str:
        return seal_rights(
            RightsLink(case.contact, case.id, CaseDays(self.world.policy).ends_at(case)), self.world.secrets.links()
        )

    def prove(self, case: Case) -> Opened:
        return prove(
            self.proof(case),
            cool_off_hours=HOURS,
            limits=self.world.limits,
            particulars=self.particulars,
            **self.ports,
        )

    def cancel(self, case: Case) -> Opened:
        return cancel(seal_status(StatusLink(case.contact, case.id), self.world.secrets.links()), **self.ports)

    def now(self, case: Case) -> Case:
        file = self.cases.load(case.id)
        assert file
        return file.case

    def put(self, case: Case, *tasks: Task) -> Case:
        """The case changed by somebody else."""
        return self.cases.commit(replace(case, version=self.now(case).version), [], tasks)

    def deliver(self, case: Case, letter: str, n: int = 0, **other: Any) -> Delivery:
        order = LetterOrder("case", other.pop("contact", case.contact), f"{case.id}/{letter}/{n}")
        return deliver_case_letter(
            order,
            base_url=BASE_URL,
            site=lambda _brand, _language: {},
            policy=self.world.policy,
            subjects=self.world.subjects,
            cases=self.cases,
            particulars=self.particulars,
            claims=self.world.claims,
            mailer=self.world.mailer,
            texts=other.pop("texts", PlainTexts()),
            secrets=self.world.secrets,
            clock=self.world.clock,
        )


@pytest.fixture
def office(world: World) -> Office:
    world.confirm(world.asked())
    world.clock.move(seconds=3600)
    return Office(world)


def test_a_case_owes_the_letter_that_asks_and_is_due_at_once(office: Office) -> None:
    case = office.open().case

    assert (case.state, case.owes) == (CaseState.UNPROVEN, (CaseLetter.PROVE,))
    assert case.due_at == office.world.clock() // 1000
    assert office.orders.orders == [(case.id, case.due_at)]
    assert office.particulars.kept[case.id]["address"] == PEOPLE[0]
    assert PEOPLE[0] not in repr(case)


def test_the_period_runs_from_receipt_whenever_the_proof_comes(office: Office) -> None:
    case = office.open().case
    office.world.clock.move(days=5)
    after = office.prove(case).case

    assert (after.received_at, after.answer_by) == (case.received_at, case.answer_by)
    assert after.proved_at == case.received_at + 5 * 86_400_000


def test_an_erasure_cools_off_for_its_hours_and_then_owes_what_it_promised(office: Office) -> None:
    case = office.prove(office.open(Right.ERASURE).case).case

    assert case.state is CaseState.COOLING_OFF
    assert case.cool_off_until == office.world.clock() + HOURS * 3_600_000
    assert case.owes == (CaseLetter.RECEIVED,)
    assert case.chain == office.world.subjects.load(case.contact).subject.chain


def test_staff_who_are_sure_need_no_mailbox_and_doubt_no_role(office: Office) -> None:
    case = office.open(Right.ACCESS, proved=True, by="staff:desk", source="staff", email="info@example.com").case

    assert case.state is CaseState.RUNNING
    assert "weak_proof" not in case.choices


def test_particulars_are_kept_before_the_case_is_stored(office: Office) -> None:
    office.particulars.keep = _failing  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        office.open()

    assert not office.cases.files


def _failing(*_: object, **__: object) -> None:
    raise UnavailableError("down")


@pytest.mark.parametrize("right", [Right.ERASURE, Right.RESTRICTION, Right.OBJECTION])
def test_a_kill_at_any_call_of_a_proof_leaves_a_link_that_finishes_it(right: Right) -> None:
    """Whichever call of a port fails first: pressing again leads to the same end, with each event once."""
    ends = []
    for fails_at in range(1, 30):
        world = World()
        world.confirm(world.asked())
        world.clock.move(seconds=3600)
        office = Office(world)
        case = office.open(right).case
        calls = _killing(office, fails_at)
        with suppress(UnavailableError):
            office.prove(case)
        calls["left"] = -1
        try:
            office.prove(office.now(case))
        except CaseGoneError:
            assert office.now(case).state is not CaseState.UNPROVEN
        after = office.now(case)
        ends.append((after.state, after.owes, world.kinds(), world.reason("events")))
        if calls["seen"] < fails_at:
            break
    else:
        pytest.fail("there were more calls than were tried")

    assert len(ends) > 3
    assert all(end == ends[0] for end in ends)


def _killing(office: Office, fails_at: int) -> dict[str, int]:
    """Has the call of that number fail, counted over the ports that store."""
    calls = {"left": fails_at, "seen": 0}

    def killed(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            calls["left"] -= 1
            calls["seen"] += calls["left"] >= 0
            if calls["left"] == 0:
                raise UnavailableError("killed")
            return method(*arguments, **named)

        return call

    for port, names in (
        (office.cases, ("load", "commit")),
        (office.particulars, ("read",)),
        (office.world.subjects, ("load", "commit")),
    ):
        for name in names:
            setattr(port, name, killed(getattr(port, name)))
    return calls


def test_whoever_is_first_counts_and_the_other_decides_again(office: Office) -> None:
    case = office.open(Right.ERASURE).case
    commit, raced = office.cases.commit, []

    def first_another(changed: Case, log: list[LogLine], *rest: Any) -> Case:
        if not raced:
            raced.append(True)
            office.put(replace(case, warned=10))
        return commit(changed, log, *rest)

    office.cases.commit = first_another  # type: ignore[method-assign, assignment]
    after = office.prove(case).case

    assert after.state is CaseState.COOLING_OFF
    assert after.warned == 10


def test_a_press_on_the_proof_while_it_is_taken_back_does_not_bring_it_back(office: Office) -> None:
    case = office.open(Right.ERASURE).case
    load, raced = office.cases.load, []

    def taken_back(name: str) -> Any:
        file = load(name)
        if len(raced) == 1:
            raced.append(True)
            office.cancel(case)
        raced.append(True)
        return file

    office.cases.load = taken_back  # type: ignore[method-assign]
    office.prove(case)
    office.cases.load = load  # type: ignore[method-assign]

    assert office.now(case).state is CaseState.CANCELLED
    office.cancel(case)
    assert office.world.reason("events") == "given"


def test_tries_of_one_proof_are_limited(office: Office) -> None:
    case = office.open().case
    for _ in range(10):
        try:
            office.prove(case)
        except CaseGoneError:
            continue

    with pytest.raises(TooManyRequestsError):
        office.prove(case)


def test_taking_back_lifts_its_own_restriction_and_no_other(office: Office) -> None:
    restricted = office.open(Right.RESTRICTION, proved=True, choices={"ground": "a"}).case
    erased = office.open(Right.ERASURE, proved=True).case
    subject = office.world.subjects.load(erased.contact).subject
    assert {lock.ground for lock in locks_of(subject, office.world.clock())} == {"a", "erasure"}
    office.cancel(erased)

    subject = office.world.subjects.load(erased.contact).subject
    assert [Lock.read(text).ground for text in subject.locks] == ["a"]
    assert office.now(restricted).state is CaseState.RUNNING
    assert office.world.kinds()[-1] == "restriction_lifted"


def test_stopping_and_lifting_twice_are_one_event_each(office: Office) -> None:
    case = office.open(Right.ERASURE, proved=True).case
    for _ in range(2):
        stop_at_once(case, **office.stopping)
    for _ in range(2):
        take_back(case, **office.stopping)

    assert office.world.kinds() == ["given", "restricted", "restriction_lifted"]


def test_an_objection_of_somebody_unknown_is_kept_for_whoever_brings_them_in(office: Office) -> None:
    office.open(Right.OBJECTION, proved=True, email=PEOPLE[1])

    assert office.world.kinds(PEOPLE[1]) == ["objected", "objected"]
    assert office.world.reason("events", PEOPLE[1]) == "objected"


def test_nothing_is_stored_of_somebody_unknown_who_asks_for_an_erasure(office: Office) -> None:
    case = office.open(Right.ERASURE, proved=True, email=PEOPLE[1]).case

    assert case.chain is None
    assert office.world.subjects.load(case.contact).subject.version == 0


def test_an_objection_to_one_purpose_leaves_the_others(office: Office) -> None:
    named = [one.id for one in office.world.policy.purposes.values() if one.may_be_objected_to][:1]
    office.open(Right.OBJECTION, proved=True, choices={"purposes": named})

    assert office.world.reason("events") == "given"
    assert office.world.kinds() == ["given", "objected"]


def test_details_of_a_stranger_never_reach_a_request_that_is_open(office: Office) -> None:
    case = office.open(Right.RECTIFICATION, details="My name is Ada.").case
    office.open(Right.RECTIFICATION, details="My name is Eve.")
    assert office.particulars.kept[case.id]["details"] == "My name is Ada."

    office.open(Right.RECTIFICATION, proved=True, details="With one d.")
    assert office.particulars.kept[case.id]["details"] == "My name is Ada.\n\nWith one d."
    assert len(office.cases.files) == len(office.particulars.kept) == 1


def test_a_closed_case_stands_in_nobodys_way(office: Office) -> None:
    office.cancel(office.open().case)

    assert office.open().is_new
    assert len(office.cases.files) == 2


def test_signs_that_nobody_sees_are_not_kept(office: Office) -> None:
    read = read_asked(Asked("complaint", " a\r\nb\x00\x1b[31m "), office.world.policy, "fjordmeter")

    assert read.details == "a\nb[31m"


@given(st.text(min_size=8, max_size=60).map(lambda text: f"Zyzzyva {text}"), st.sampled_from(Right))
@settings(max_examples=60, deadline=None)
def test_whatever_somebody_writes_stays_with_the_particulars(words: str, right: Right) -> None:
    """Cases, logs, orders and letters are free of it; so is everything that a traceback would show."""
    office = Office(World())
    asked = Asked(right.value, words)
    case = office.prove(office.open(right, details=words).case).case
    office.deliver(case, "received")
    shown = "".join(map(repr, (asked, Read(right, words), office.cases.files, office.orders.orders)))
    shown += repr(office.world.outbox.orders) + office.proof(case)
    shown += "".join(letter.subject + letter.text + letter.html for letter in office.world.mailer.letters)

    assert "Zyzzyva" not in shown
    assert words.strip() not in shown
    assert office.particulars.kept[case.id]["details"] == words


def test_an_objection_to_a_purpose_that_is_gone_stops_rather_too_much(office: Office) -> None:
    office.open(Right.OBJECTION, proved=True, choices={"purposes": ["no-such-purpose"]})

    assert office.world.reason("events") == "objected"


# ---- Letters ----------------------------------------------------------------------------------------------------


def test_a_letter_goes_to_the_address_of_the_case_once(office: Office) -> None:
    case = office.open().case

    assert office.deliver(case, "prove") is Delivery.SENT
    assert office.deliver(case, "prove") is Delivery.SENT_BEFORE
    assert office.deliver(case, "prove", 1) is Delivery.SENT
    assert [letter.to for letter in office.world.mailer.letters[-2:]] == [PEOPLE[0]] * 2
    assert office.world.mailer.letters[-1].headers == {}


def test_the_link_in_the_letter_is_the_one_that_proves(office: Office) -> None:
    case = office.open().case
    office.deliver(case, "prove")

    assert f"{BASE_URL}/rights/verify/{office.proof(case)}" in office.world.mailer.letters[-1].text


def test_nobody_is_asked_for_a_proof_that_came_or_came_too_late(office: Office) -> None:
    case = office.open().case
    late = office.open(Right.PORTABILITY).case
    office.prove(case)
    assert office.deliver(case, "prove") is Delivery.NOTHING_TO_ASK

    told = LogLine(office.world.clock(), "told", "worker", {"letter": "prove"})
    office.cases.commit(office.now(late), [told])
    office.world.clock.move(days=40)
    assert office.deliver(late, "prove") is Delivery.NOTHING_TO_ASK


def test_a_rectified_address_is_told_at_both_places_once(office: Office) -> None:
    case = office.open(Right.RECTIFICATION, proved=True, details="New address.").case
    office.particulars.keep(case.id, {**office.particulars.kept[case.id], "new_address": PEOPLE[1]})
    office.put(replace(office.now(case), outcome={"own_at": office.world.clock()}))
    sent = len(office.world.mailer.letters)
    office.deliver(case, "done")
    office.deliver(case, "done")

    assert [letter.to for letter in office.world.mailer.letters[sent:]] == [PEOPLE[0], PEOPLE[1]]


def test_once_the_particulars_are_shredded_nobody_is_written_to(office: Office) -> None:
    case = office.open().case
    office.particulars.shred(case.id)

    assert office.deliver(case, "prove") is Delivery.NOTHING_HELD
    assert office.deliver(replace(case, id="none"), "prove") is Delivery.NOTHING_HELD


def test_an_order_for_somebody_else_or_for_no_letter_is_refused(office: Office) -> None:
    case = office.open().case
    with pytest.raises(LetterRefusedError):
        office.deliver(case, "prove", contact=office.world.contact(PEOPLE[1]))
    with pytest.raises(LetterRefusedError):
        office.deliver(case, "praise")

    assert all("case" not in letter.subject for letter in office.world.mailer.letters)


@pytest.mark.parametrize("letter", list(CaseLetter))
@pytest.mark.parametrize("right", list(Right))
def test_every_letter_can_be_written_about_every_right(office: Office, letter: CaseLetter, right: Right) -> None:
    texts = Texts()
    case = office.open(right, details="Zyzzyva.").case
    office.put(case, Task("mail-tool", Verb.ERASE, TaskState.IMPOSSIBLE, reason="Printed already."))
    outcome = office.deliver(case, letter, texts=_Speaking(texts, samples.a_site(texts)))
    written = office.world.mailer.letters[-1]

    assert outcome is Delivery.SENT
    assert "Fjordmeter" in written.subject
    assert case.number in written.text
    assert "Zyzzyva" not in written.text + written.html
    assert PEOPLE[0] not in written.text + written.html


@dataclass
class _Speaking:
    """The real texts, with a site that the little policy lacks."""

    texts: Any
    site: dict[str, Any]

    def letter(self, name: str, language: str, **context: Any) -> Any:
        return self.texts.letter(name, language, **{**context, "site": self.site})


def test_a_status_link_of_somebody_else_cancels_nothing(office: Office) -> None:
    case = office.open(Right.ERASURE).case
    other = replace(case, contact=office.world.contact(PEOPLE[1]))
    with pytest.raises(InvalidTokenError):
        office.cancel(other)

    assert office.now(case).state is CaseState.UNPROVEN
