"""Rights requests as staff file, follow and decide them.

Every change names the version that it was decided on, so that two people do not overwrite each other: StaleCaseError
where the case has moved on. It asks for one look at the case; if the queue fails, the schedule finds it by `due_at`.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from consent_center.domain.case import Case, CaseLetter, CaseState, Extension, LogLine, Pause, Right
from consent_center.domain.errors import (
    ForbiddenStepError,
    InvalidAddressError,
    InvalidFormError,
    StaleCaseError,
    UnavailableError,
    UnknownCaseError,
)
from consent_center.domain.lock import Ground
from consent_center.domain.policy import Policy
from consent_center.ports.basics import Addresses, Chance, Clock, Secrets
from consent_center.ports.basics import Pause as Waiting
from consent_center.ports.cases import CaseFile, CaseOrders, Cases, Days, OpenCase, Particulars
from consent_center.ports.people import Subjects
from consent_center.usecases.case_own_part import start_correction
from consent_center.usecases.case_stops import is_restricting
from consent_center.usecases.cases import Opened, Read, open_case
from consent_center.usecases.deadlines import closed, reckoned
from consent_center.usecases.rectification import ADDRESS, corrections_in
from consent_center.usecases.whose import whose

LONGEST_LIST = 100
"""Cases in one answer."""


class Step(StrEnum):
    """What staff can do with a case."""

    ASK_IDENTITY = "ask_identity"
    """Ask for what is needed to be sure who asks (Art. 12(6))."""
    IDENTITY_SURE = "identity_sure"
    """Go on: we are sure who asks."""
    EXTEND = "extend"
    """Two further months, told with the reasons (Art. 12(3))."""
    REFUSE = "refuse"
    """With a ground, and told how to challenge it (Art. 12(4))."""
    START = "start"
    """Carry it out."""
    COMPLETE = "complete"
    """It was answered."""
    CANCEL = "cancel"
    """The person took it back by another way."""
    LIFT = "lift"
    """End a restriction, once the person was told (Art. 18(3))."""


DECISIONS = frozenset({Step.IDENTITY_SURE, Step.REFUSE, Step.START, Step.COMPLETE, Step.LIFT})
"""The steps that decide about somebody's right, or about who they are."""


class Refusal(StrEnum):
    """The grounds to refuse a request."""

    NOT_IDENTIFIED = "not_identified"
    """We cannot tell whose data are asked for (Art. 11(2), 12(2))."""
    UNFOUNDED = "unfounded"
    """Manifestly (Art. 12(5)(b))."""
    EXCESSIVE = "excessive"
    """Art. 12(5)(b)"""
    OTHERS_RIGHTS = "rights_of_others"
    """Art. 15(4), 20(4)"""
    LEGAL_OBLIGATION = "legal_obligation"
    """Art. 17(3)(b)"""
    LEGAL_CLAIMS = "legal_claims"
    """Art. 17(3)(e), 21(1)"""
    COMPELLING_GROUNDS = "compelling_grounds"
    """Art. 21(1): never against an objection to direct marketing (Art. 21(3))."""
    ACCURATE = "accurate"
    """We checked the data, and they are right (Art. 16)."""
    NO_GROUND = "no_ground"
    """None of the cases in which the law gives this right (Art. 16, 17(1), 18(1), 20(1))."""


_ANY = frozenset({Refusal.NOT_IDENTIFIED, Refusal.UNFOUNDED, Refusal.EXCESSIVE})

_GROUNDS = {
    Right.ACCESS: _ANY | {Refusal.OTHERS_RIGHTS},
    Right.PORTABILITY: _ANY | {Refusal.OTHERS_RIGHTS, Refusal.NO_GROUND},
    Right.RECTIFICATION: _ANY | {Refusal.ACCURATE, Refusal.NO_GROUND},
    Right.ERASURE: _ANY | {Refusal.LEGAL_OBLIGATION, Refusal.LEGAL_CLAIMS, Refusal.NO_GROUND},
    Right.RESTRICTION: _ANY | {Refusal.NO_GROUND},
    Right.OBJECTION: _ANY | {Refusal.COMPELLING_GROUNDS, Refusal.LEGAL_CLAIMS},
    Right.COMPLAINT: _ANY,
}
"""What each right can be refused on."""


@dataclass(frozen=True, slots=True)
class Filing:
    """A request that reached staff: by phone, by letter, in a mail."""

    right: Right
    email: str
    details: str
    method: str
    """How they asked: a code."""
    received_at: int
    """Epoch milliseconds: the period runs from then, whenever it is filed."""
    is_identity_sure: bool
    """Whether staff are sure who asked. If not, a letter asks the mailbox."""
    language: str
    choices: Mapping[str, Any] = field(default_factory=dict)
    controller: str | None = None
    """Whom they asked; the only controller where none is named."""

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return f"Filing({self.right!r})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step that staff want to take, on the version of the case that they saw."""

    step: Step
    version: int
    reason: str = ""
    """Why, without personal data: told to the person where the law says so."""
    ground: Refusal | None = None
    corrections: Mapping[str, str] = field(default_factory=dict)
    """To start a rectification: the right values by field. Personal data."""

    def __repr__(self) -> str:
        """Hides the corrections, because a repr ends up in logs and tracebacks."""
        return f"Wanted({self.step!r})"


class Page(NamedTuple):
    """Some of the open cases, and where the next ones begin; empty at the end."""

    cases: Sequence[Case]
    cursor: str
    unreadable: Sequence[str] = ()
    """Ids of cases among them of which nothing more can be said: what is stored cannot be read."""


def file_case(
    filing: Filing,
    *,
    client: str,
    cool_off_hours: int,
    policy: Policy,
    cases: Cases,
    particulars: Particulars,
    orders: CaseOrders,
    subjects: Subjects,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Waiting,
) -> Opened:
    """Open a case for somebody who asked staff; the open one if they asked for the same before.

    `client` is the system that files it. InvalidFormError names each field that is wrong; UnavailableError.
    """
    now = clock()
    try:
        address = addresses(filing.email)
    except InvalidAddressError as error:
        raise InvalidFormError({"email": str(error)}) from None
    if filing.received_at > now:
        raise InvalidFormError({"received_at": "future"})
    controller = policy.controller_meant(filing.controller)
    _refuse_unknown_choices(filing, policy, controller)
    return open_case(
        Read(filing.right, filing.details, {**filing.choices, "method": filing.method}),
        address,
        whose(address, controller=controller, subjects=subjects, secrets=secrets),
        source="staff",
        by=f"staff:{client}",
        language=filing.language,
        proved=filing.is_identity_sure,
        cool_off_hours=cool_off_hours,
        received_at=filing.received_at,
        policy=policy,
        subjects=subjects,
        cases=cases,
        particulars=particulars,
        orders=orders,
        secrets=secrets,
        chance=chance,
        clock=clock,
        pause=pause,
    )


def list_cases(
    cases: Cases,
    *,
    cursor: str = "",
    controller: str | None = None,
    right: Right | None = None,
    state: CaseState | None = None,
    most: int = 50,
) -> Page:
    """Open cases by the day to answer by, after the one that `cursor` names; those with one controller, of a right or
    in a state only.

    InvalidFormError for a cursor that is not ours; UnavailableError.
    """
    after, most = _place(cursor), min(most, LONGEST_LIST)
    # Of each shard no more than the page, unless most of what is read is not wanted.
    reads = None if controller or right or state else most + 1
    streams = [cases.open_cases(shard, after, reads) for shard in range(cases.shards)]
    wanted = _wanted(heapq.merge(*streams, key=_order_of), controller, right, state)
    found = list(islice(wanted, most + 1))
    page = found[:most]
    return Page(
        [one.case for one in page if one.case is not None],
        ".".join(_order_of(page[-1])) if len(found) > len(page) else "",
        [one.id for one in page if one.case is None],
    )


def look_into(
    case: str, *, with_particulars: bool, cases: Cases, particulars: Particulars
) -> tuple[CaseFile, Mapping[str, Any] | None]:
    """A case with its log and tasks, and what the person wrote where that is asked for. UnknownCaseError."""
    file = _load(cases, case)
    return file, particulars.read(case) if with_particulars else None


def take_step(
    case: str,
    wanted: Wanted,
    *,
    client: str,
    cool_off_hours: int,
    days: Days,
    policy: Policy,
    cases: Cases,
    particulars: Particulars,
    orders: CaseOrders,
    addresses: Addresses,
    chance: Chance,
    clock: Clock,
) -> Case:
    """Do what staff decided about a case; `client` is the system they work with.

    UnknownCaseError; StaleCaseError if the case is no longer at the version that they saw; ForbiddenStepError for
    what may not follow; InvalidFormError for a ground, reason or correction that does not do; UnavailableError.
    """
    known = _load(cases, case)
    if known.case.version != wanted.version:
        raise StaleCaseError
    now = clock()
    after = _STEPS[wanted.step](known, wanted, _Desk(days, policy, addresses, cool_off_hours, now))
    if wanted.corrections and wanted.step is Step.START:
        right = dict(wanted.corrections)
        if ADDRESS in right:
            # As letters and recipients need it.
            right[ADDRESS] = addresses(right[ADDRESS]).mailable
        after = start_correction(after, right, particulars=particulars, chance=chance)
    facts = {name: value for name, value in (("reason", wanted.reason), ("ground", wanted.ground)) if value}
    line = LogLine(now, _LINES[wanted.step], f"staff:{client}", facts)
    if wanted.step in _TOLD_BY:
        # Also where it is empty: what was written at another step is no reason of this one.
        after = replace(after, outcome={**after.outcome, _TOLD_BY[wanted.step]: wanted.reason})
    stored = cases.commit(replace(after, due_at=now // 1000), [line])
    _order(orders, case, now)
    return stored


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a step is decided with."""

    days: Days
    policy: Policy
    addresses: Addresses
    cool_off_hours: int
    now: int


def _ask_identity(file: CaseFile, wanted: Wanted, desk: _Desk) -> Case:
    """Later than three days after receipt a question still may be asked; the period then runs on."""
    _require_reason(wanted)
    case = file.case
    pause = Pause(wanted.reason, desk.now) if desk.days.may_pause(case, desk.now) else case.pause
    return case.moved(CaseState.WITH_PERSON, pause=pause).owing(CaseLetter.MORE_NEEDED)


def _identity_sure(file: CaseFile, _: Wanted, desk: _Desk) -> Case:
    case = file.case
    if case.pause is not None and not case.pause.answered_at:
        case = reckoned(replace(case, pause=case.pause._replace(answered_at=desk.now), warned=0), desk.days)
    if case.state not in {CaseState.UNPROVEN, CaseState.WITH_PERSON, CaseState.WITH_STAFF}:
        raise ForbiddenStepError(case.state.value, Step.IDENTITY_SURE.value)
    goes_on = replace(case, choices={name: value for name, value in case.choices.items() if name != "weak_proof"})
    if case.state is CaseState.UNPROVEN:
        owes = tuple(letter for letter in case.owes if letter != CaseLetter.PROVE)
        goes_on = replace(goes_on, owes=owes).owing(CaseLetter.RECEIVED)
    return _proved(goes_on, desk.cool_off_hours, desk.now)


def _extend(file: CaseFile, wanted: Wanted, desk: _Desk) -> Case:
    _require_reason(wanted)
    case = file.case
    if case.state.is_closed or not desk.days.may_extend(case, desk.now):
        raise ForbiddenStepError(case.state.value, Step.EXTEND.value)
    longer = replace(case, extension=Extension("", wanted.reason, desk.now), warned=0)
    return reckoned(longer, desk.days).owing(CaseLetter.EXTENDED)


def _refuse(file: CaseFile, wanted: Wanted, desk: _Desk) -> Case:
    case = file.case
    if wanted.ground is None:
        raise InvalidFormError({"ground": "required"})
    if wanted.ground not in _GROUNDS[case.right] or _is_absolute(case, wanted.ground, desk.policy):
        raise InvalidFormError({"ground": "not_for_this_right"})
    if "own_at" in case.outcome or any(task.told_at for task in file.tasks):
        raise ForbiddenStepError(case.state.value, CaseState.REFUSED.value)
    return closed(
        case, CaseState.REFUSED, CaseLetter.REFUSED, policy=desk.policy, now=desk.now, ground=wanted.ground.value
    )


def _is_absolute(case: Case, ground: Refusal, policy: Policy) -> bool:
    """An objection to direct marketing, and to the profiling for it, needs no reason and is weighed against nothing."""
    if case.right is not Right.OBJECTION or ground in _ANY:
        return False
    purposes = case.choices.get("purposes") or ()
    return not purposes or any(policy.purpose(name).marketing for name in purposes)


def _start(file: CaseFile, wanted: Wanted, desk: _Desk) -> Case:
    case = file.case
    if case.state is not CaseState.WITH_STAFF:
        raise ForbiddenStepError(case.state.value, Step.START.value)
    if not case.proved_at:
        raise ForbiddenStepError(case.state.value, CaseState.RUNNING.value)
    if case.right is Right.RECTIFICATION and not wanted.corrections:
        raise InvalidFormError({"corrections": "required"})
    corrections_in(wanted.corrections, case.contact.controller, policy=desk.policy, addresses=desk.addresses)
    if case.right is Right.ERASURE and case.cool_off_until > desk.now:
        return case.moved(CaseState.COOLING_OFF)
    return case.moved(CaseState.RUNNING)


def _complete(file: CaseFile, _: Wanted, desk: _Desk) -> Case:
    """Only what staff answer themselves: what is carried out here and by recipients ends once it is done."""
    case = file.case
    if case.state is not CaseState.WITH_STAFF or not case.proved_at:
        raise ForbiddenStepError(case.state.value, CaseState.DONE.value)
    if case.right not in _ANSWERED_BY_STAFF and "own_at" not in case.outcome:
        raise ForbiddenStepError(case.state.value, CaseState.DONE.value, Step.START.value)
    if any(not task.state.is_settled for task in file.tasks):
        raise ForbiddenStepError("waiting for a recipient", CaseState.DONE.value)
    return closed(case, CaseState.DONE, CaseLetter.DONE, policy=desk.policy, now=desk.now)


_ANSWERED_BY_STAFF = frozenset({Right.ACCESS, Right.PORTABILITY, Right.RECTIFICATION, Right.COMPLAINT})
"""Nobody can delete, restrict or stop by hand what the letter says was deleted, restricted or stopped."""


def _cancel(file: CaseFile, _: Wanted, desk: _Desk) -> Case:
    return closed(file.case, CaseState.CANCELLED, CaseLetter.CANCELLED, policy=desk.policy, now=desk.now)


def _lift(file: CaseFile, wanted: Wanted, desk: _Desk) -> Case:
    """The letter goes first, and the restriction ends once it has gone out."""
    case = file.case
    is_over = not case.outcome.keys().isdisjoint({"lift_asked_at", "shredded_at"})
    if case.state is not CaseState.DONE or not is_restricting(file) or is_over:
        raise ForbiddenStepError(case.state.value, Step.LIFT.value)
    _require_reason(wanted)
    asked = replace(case, outcome={**case.outcome, "lift_asked_at": desk.now})
    return asked.owing(CaseLetter.LIFTING)


_STEPS = {
    Step.ASK_IDENTITY: _ask_identity,
    Step.IDENTITY_SURE: _identity_sure,
    Step.EXTEND: _extend,
    Step.REFUSE: _refuse,
    Step.START: _start,
    Step.COMPLETE: _complete,
    Step.CANCEL: _cancel,
    Step.LIFT: _lift,
}


_LINES = {
    Step.ASK_IDENTITY: "identity_asked",
    Step.IDENTITY_SURE: "identity_sure",
    Step.EXTEND: "extended",
    Step.REFUSE: "refused",
    Step.START: "start_decided",
    Step.COMPLETE: "done",
    Step.CANCEL: "cancelled",
    Step.LIFT: "lift_asked",
}
"""What the log says of each step."""

_TOLD_BY = {
    Step.ASK_IDENTITY: "question",
    Step.REFUSE: "reasons",
    Step.COMPLETE: "reasons",
    Step.LIFT: "reasons",
}
"""Where the outcome keeps what staff wrote for the person; of an extension the case does."""


def _proved(case: Case, cool_off_hours: int, now: int) -> Case:
    """Where a case goes once it is certain who asks."""
    proved = replace(case, proved_at=case.proved_at or now)
    if case.right is Right.ERASURE:
        until = max(case.cool_off_until, now + cool_off_hours * 3_600_000)
        return proved.moved(CaseState.COOLING_OFF, cool_off_until=until)
    is_weighed = case.right is Right.RESTRICTION and case.choices.get("ground") == Ground.OBJECTION
    if case.right in {Right.COMPLAINT, Right.RECTIFICATION} or is_weighed:
        return proved if case.state is CaseState.WITH_STAFF else proved.moved(CaseState.WITH_STAFF)
    return proved.moved(CaseState.RUNNING)


def _refuse_unknown_choices(filing: Filing, policy: Policy, controller: str) -> None:
    ground = filing.choices.get("ground")
    if filing.right is Right.RESTRICTION and ground is None:
        raise InvalidFormError({"ground": "required"})
    for name in filing.choices.get("purposes") or ():
        policy.purpose_of(controller, name)


def _require_reason(wanted: Wanted) -> None:
    if not wanted.reason.strip():
        raise InvalidFormError({"reason": "required"})


def _load(cases: Cases, case: str) -> CaseFile:
    file = cases.load(case)
    if file is None:
        raise UnknownCaseError
    return file


def _order(orders: CaseOrders, case: str, now: int) -> None:
    with suppress(UnavailableError):
        orders.order(case, now // 1000)


def _order_of(one: OpenCase) -> tuple[str, str]:
    return one.answer_by, one.id


def _place(cursor: str) -> tuple[str, str]:
    if not cursor:
        return "", ""
    day, dot, case = cursor.partition(".")
    if not dot or len(day) != len("2026-11-25"):
        raise InvalidFormError({"cursor": "unknown"})
    return day, case


def _wanted(
    listed: Iterable[OpenCase], controller: str | None, right: Right | None, state: CaseState | None
) -> Iterator[OpenCase]:
    """What cannot be read is always wanted: nobody else would see it."""
    asked = (controller, right, state)
    for one in listed:
        case = one.case
        if case is None or all(
            wanted is None or wanted == found
            for wanted, found in zip(asked, (case.contact.controller, case.right, case.state), strict=True)
        ):
            yield one
