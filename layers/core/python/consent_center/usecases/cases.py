"""Rights requests from the person's side: asking, proving that the mailbox asked, taking it back, and how it stands.

What a person wrote, and their address, go to the particulars before the case is stored; the case itself names nobody.
Every change asks for one look at the case; if the queue fails, the schedule finds it by `due_at`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from consent_center.domain.capability import (
    RightsLink,
    StatusLink,
    open_manage,
    open_rights,
    open_status,
    seal_status,
)
from consent_center.domain.case import Case, CaseLetter, CaseState, LogLine, Right
from consent_center.domain.contact import Address, ContactPoint, address_name, contact_points, source_name
from consent_center.domain.errors import (
    CaseGoneError,
    InvalidAddressError,
    InvalidFormError,
    InvalidTokenError,
    NothingHeldError,
    OpenCaseError,
    StaleCaseError,
    TooManyRequestsError,
    UnavailableError,
)
from consent_center.domain.lock import Ground
from consent_center.domain.policy import Policy
from consent_center.domain.request import require_no_faults
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Addresses, Chance, Clock, Limits, Pause, Secrets
from consent_center.ports.cases import CaseFile, CaseOrders, Cases, Particulars
from consent_center.ports.people import Subjects
from consent_center.usecases.askers import cases_of, is_former_holders, is_theirs, who_asked
from consent_center.usecases.attempts import ATTEMPTS
from consent_center.usecases.case_days import answer_days
from consent_center.usecases.case_stops import has_objected, stop_at_once, take_back
from consent_center.usecases.deadlines import closed
from consent_center.usecases.sign_up import MostSignUps
from consent_center.usecases.whereabouts import require_here
from consent_center.usecases.whose import whose

T = TypeVar("T")

LONGEST_DETAILS = 10_000
"""Characters that a person may write."""

MOST_PER_SOURCE = 20
"""Requests that one network may type in an hour: an office has few, and fifty must not become fifty letters."""

MOST_PER_LINK = 20
"""Requests that come from one person's preferences in an hour: a link that leaks must not fill the mailbox."""

MOST_TRIES = 10
"""How often the proof of one case may be pressed in an hour."""

ROLES = frozenset(
    {
        *("abuse", "accounts", "admin", "billing", "contact", "finance", "hello", "help", "hr", "info", "jobs"),
        *("kontakt", "mail", "marketing", "office", "orders", "ordre", "post", "postmaster", "press", "privacy"),
        *("purchasing", "reception", "salg", "sales", "service", "support", "team", "webmaster"),
    }
)
"""Local parts that several people read: what reaches them proves nobody."""

NEEDS_WORDS = frozenset((Right.RECTIFICATION, Right.COMPLAINT))
"""What nobody can answer without what the person wrote."""

_ABOUT_PURPOSES = (Right.RESTRICTION, Right.OBJECTION)

_UNTIL_STORED = 86_400
"""Seconds after which particulars are gone whose case was never stored, because whoever opened it was killed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed or chosen, unread."""

    right: str
    details: str = ""
    keep_fingerprint: str = ""
    """`yes`, `no` or nothing: whether an erasure leaves what keeps imports from bringing the person back."""
    ground: str = ""
    """A letter of Art. 18(1), or nothing."""
    scope: Sequence[str] = ()
    """Purposes that a restriction, or an objection, is about; none for all."""

    def __repr__(self) -> str:
        """Hides what the person wrote, because a repr ends up in logs and tracebacks."""
        return "Asked(…)"


@dataclass(frozen=True, slots=True)
class Read:
    """What was asked, read and found good."""

    right: Right
    details: str
    choices: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Hides what the person wrote, because a repr ends up in logs and tracebacks."""
        return f"Read({self.right!r})"


@dataclass(frozen=True, slots=True)
class Opened:
    """A case, and whether this call made, proved or cancelled it."""

    case: Case
    is_new: bool


def read_asked(asked: Asked, policy: Policy, controller: str) -> Read:
    """What a controller was asked. InvalidFormError names every wrong field."""
    require_no_faults(faults_of(asked, policy, controller))
    right = Right(asked.right)
    choices: dict[str, Any] = {}
    if right is Right.ERASURE and asked.keep_fingerprint:
        choices["keep_fingerprint"] = asked.keep_fingerprint == "yes"
    if right is Right.RESTRICTION and asked.ground:
        choices["ground"] = asked.ground
    if right in _ABOUT_PURPOSES and asked.scope:
        choices["purposes"] = sorted(set(asked.scope))
    return Read(right, _cleaned(asked.details), choices)


def faults_of(asked: Asked, policy: Policy, controller: str) -> dict[str, str]:
    """The rule that each wrong field breaks."""
    if asked.right not in tuple(Right):
        return {"type": "required"}
    wrong, right, details = {}, Right(asked.right), _cleaned(asked.details)
    if right is Right.RESTRICTION and asked.ground and asked.ground not in tuple(Ground):
        wrong["ground"] = "unknown"
    if right in _ABOUT_PURPOSES and not set(asked.scope) <= set(scopes_of(right, policy, controller)):
        wrong["scope"] = "unknown"
    if len(details) > LONGEST_DETAILS:
        wrong["details"] = "too_long"
    elif not details and right in NEEDS_WORDS:
        wrong["details"] = "required"
    return wrong


def scopes_of(right: Right, policy: Policy, controller: str) -> list[str]:
    """The controller's purposes that somebody may name: to restrict any, to object to what rests on an interest."""
    mine = [one for one in policy.purposes_of(controller) if not one.retired]
    return [one.id for one in mine if right is Right.RESTRICTION or one.may_be_objected_to]


def ask(
    asked: Asked,
    email: str,
    controller: str,
    *,
    language: str,
    network: str | None,
    most: MostSignUps,
    cool_off_hours: int,
    limits: Limits,
    policy: Policy,
    addresses: Addresses,
    subjects: Subjects,
    cases: Cases,
    particulars: Particulars,
    orders: CaseOrders,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> None:
    """Open a case with a controller for an address that was typed: a letter to it asks whether it came from there.

    Of everybody the same is read, so that known and unknown addresses cause the same calls, and it answers nothing, so
    that nobody learns anything. Over the limit of an address its open case sends no further letter, but a right that
    it has not asked for yet is never lost.

    InvalidFormError names every wrong field; TooManyRequestsError if `network` (already shortened) asked too often;
    UnavailableError.
    """
    try:
        address = addresses(email)
    except InvalidAddressError as error:
        raise InvalidFormError({**faults_of(asked, policy, controller), "email": str(error)}) from None
    read = read_asked(asked, policy, controller)
    now = clock() // 1000
    source = source_name(network or "unknown", controller, secrets.peppers())
    if not limits.take(f"rights#{source}", min(most.per_source, MOST_PER_SOURCE), now):
        raise TooManyRequestsError
    contact = whose(address, controller=controller, subjects=subjects, secrets=secrets)
    open_case(
        read,
        address,
        contact,
        source="page",
        by="person",
        language=language,
        proved=False,
        writes_again=limits.take(f"rights#{address_name(contact)}", most.per_address, now),
        cool_off_hours=cool_off_hours,
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


def ask_by_link(
    token: str,
    asked: Asked,
    *,
    cool_off_hours: int,
    limits: Limits,
    policy: Policy,
    subjects: Subjects,
    cases: Cases,
    particulars: Particulars,
    orders: CaseOrders,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> str:
    """Open a case from the preference page, whose link has proved the mailbox; answers the token of its status.

    InvalidTokenError, ExpiredTokenError; NothingHeldError where no address is held to answer to; InvalidFormError;
    TooManyRequestsError; UnavailableError.
    """
    now = clock() // 1000
    link = open_manage(token, secrets.links(), now=now)
    read = read_asked(asked, policy, link.contact.controller)
    if not limits.take(f"rights-link#{address_name(link.contact)}", MOST_PER_LINK, now):
        raise TooManyRequestsError
    held = subjects.holdings(link.contact)
    require_here(held.subject, link.made_at)
    if held.profile is None:
        raise NothingHeldError
    opened = open_case(
        read,
        held.profile.address,
        held.subject.contact,
        source="preferences",
        by="person",
        language=policy.spoken(held.subject.language),
        proved=True,
        cool_off_hours=cool_off_hours,
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
    return seal_status(StatusLink(opened.case.contact, opened.case.id), secrets.links())


def open_case(
    read: Read,
    address: Address,
    contact: ContactPoint,
    *,
    source: str,
    by: str,
    language: str,
    proved: bool,
    cool_off_hours: int,
    policy: Policy,
    subjects: Subjects,
    cases: Cases,
    particulars: Particulars,
    orders: CaseOrders,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    received_at: int | None = None,
    writes_again: bool = True,
) -> Opened:
    """Store a case with the contact point's controller, or find the open one of the same right; `proved` if the mailbox
    is, or staff are sure.

    `source` is the door, `by` who came (as in a LogLine), `received_at` when (epoch milliseconds; now by default). A
    case that is proved is stored unproven first, so that a kill leaves a case whose letter asks for the proof. One that
    is open already is proved by this; it takes what was written further only from a door that proves the mailbox, and
    otherwise has its letter sent again if `writes_again`. UnavailableError.
    """
    now = clock()
    received = now if received_at is None else received_at
    answer_by, strict = answer_days(policy, contact.controller, received)
    case = Case(
        id=chance.name(),
        right=read.right,
        state=CaseState.UNPROVEN,
        contact=contact,
        language=policy.spoken(language),
        jurisdiction=policy.country_of(contact.controller),
        source=source,
        received_at=received,
        answer_by=answer_by,
        strict_answer_by=strict,
        choices=read.choices,
        due_at=now // 1000,
    ).owing(CaseLetter.PROVE)
    # First, because a case without them could never be answered; for a day, in case it is never stored.
    particulars.keep(case.id, {"address": address.mailable, "details": read.details}, now // 1000 + _UNTIL_STORED)
    line = LogLine(now, "received", by, {"source": source})

    def lapse(former: Case) -> bool:
        """False for a case of which our part is done: recipients still answer for theirs."""
        if former.state is CaseState.PARTLY_DONE:
            return False
        lapsed = closed(replace(former, owes=()), CaseState.LAPSED, policy=policy, now=clock())
        # Whoever changes it at this moment is seen at the next try.
        with suppress(StaleCaseError):
            cases.commit(lapsed, [LogLine(clock(), "lapsed", "worker")])
            take_back(lapsed, policy=policy, subjects=subjects, chance=chance, clock=clock, pause=pause)
        return True

    known = _add_or_find(case, line, address, lapse, cases=cases, subjects=subjects, secrets=secrets)
    if known is not None:
        particulars.shred(case.id)
        if proved:
            _add_details(known, read.details, particulars)
            known = _add_choices(
                known,
                read.choices,
                by,
                policy=policy,
                subjects=subjects,
                cases=cases,
                chance=chance,
                clock=clock,
                pause=pause,
            )
        elif writes_again:
            _write_again(known, cases, clock)
        if not proved or known.state is not CaseState.UNPROVEN:
            _look(known, orders, clock)
            return Opened(known, is_new=False)
        case = known
    if not proved:
        _look(case, orders, clock)
        return Opened(case, is_new=True)
    return _prove(
        case.id,
        case.contact,
        by,
        cool_off_hours=cool_off_hours,
        policy=policy,
        subjects=subjects,
        cases=cases,
        particulars=particulars,
        orders=orders,
        chance=chance,
        clock=clock,
        pause=pause,
    )


def _add_or_find(
    case: Case,
    line: LogLine,
    address: Address,
    lapse: Callable[[Case], bool],
    *,
    cases: Cases,
    subjects: Subjects,
    secrets: Secrets,
) -> Case | None:
    """Store a case; or answer the open one of the same right, under whichever contact point of the person that is.

    What somebody else asked who had the address before is not found, and stands in nobody's way: who moved is answered
    where they are, and of who cannot be reached any more it lapses. Neither does one of which our part is done: what is
    asked after that is another request. One read of the record, for everybody alike. UnavailableError.
    """
    here, right = case.contact, case.right
    subject = subjects.load(here).subject
    points = contact_points(address, controller=here.controller, channel=here.channel, peppers=secrets.peppers())
    mine = {here, subject.contact, *points}
    if subject.came_from:
        before = cases_of(subject, address, cases=cases, subjects=subjects, secrets=secrets)
        open_ones = (one for one in before if one.right is right and not one.state.is_closed)
        known = next((one for one in open_ones if _takes_more(one)), None)
        if known is not None:
            return known
    others: set[str] = set()
    for _ in range(ATTEMPTS):
        try:
            cases.add(case, line, elsewhere=sorted(mine - {here}), others=others)
        except OpenCaseError as error:
            known_file = cases.load(error.case)
            if known_file is None or known_file.case.state.is_closed:
                # It was closed this very moment.
                raise UnavailableError("the case before is closing") from None
            if not _takes_more(known_file.case):
                others.add(error.case)
                continue
            if is_theirs(known_file.case, subject, mine, subjects):
                return known_file.case
            if not is_former_holders(known_file.case, subjects) or not lapse(known_file.case):
                others.add(error.case)
        else:
            return None
    raise UnavailableError("too many cases at one address at once")


def requests_of(
    subject: Subject, address: Address | None, *, cases: Cases, subjects: Subjects, secrets: Secrets
) -> list[tuple[Case, str]]:
    """What the person of a record asked for, the newest first, each with its status page's token. UnavailableError."""
    keys = secrets.links()
    found = cases_of(subject, address, cases=cases, subjects=subjects, secrets=secrets)
    return [(case, seal_status(StatusLink(case.contact, case.id), keys)) for case in found]


def look_at_proof(
    token: str, *, cases: Cases, particulars: Particulars, secrets: Secrets, clock: Clock
) -> tuple[Case, str]:
    """The case that a link would prove, and what was written in it. Reads only.

    InvalidTokenError, ExpiredTokenError; CaseGoneError once it was proved, taken back, lapsed or is gone.
    """
    link = open_rights(token, secrets.links(), now=clock() // 1000)
    case = _file(link, cases).case
    _require_unproven(case)
    return case, str((particulars.read(case.id) or {}).get("details", ""))


def prove(
    token: str,
    *,
    cool_off_hours: int,
    limits: Limits,
    policy: Policy,
    subjects: Subjects,
    cases: Cases,
    particulars: Particulars,
    orders: CaseOrders,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Opened:
    """Take the press on the letter's link as proof of the mailbox, once.

    InvalidTokenError, ExpiredTokenError; CaseGoneError; TooManyRequestsError; UnavailableError.
    """
    now = clock() // 1000
    link = open_rights(token, secrets.links(), now=now)
    if not limits.take(f"prove#{link.case}", MOST_TRIES, now):
        raise TooManyRequestsError
    _require_unproven(_file(link, cases).case)
    return _prove(
        link.case,
        link.contact,
        "person",
        cool_off_hours=cool_off_hours,
        policy=policy,
        subjects=subjects,
        cases=cases,
        particulars=particulars,
        orders=orders,
        chance=chance,
        clock=clock,
        pause=pause,
    )


def look_at_status(token: str, *, subjects: Subjects, cases: Cases, secrets: Secrets) -> CaseFile:
    """Everything about a case that the person may see.

    InvalidTokenError; CaseGoneError once it is gone, or the address has another holder; UnavailableError.
    """
    return _own_file(token, subjects, cases, secrets)


def cancel(
    token: str,
    *,
    policy: Policy,
    subjects: Subjects,
    cases: Cases,
    orders: CaseOrders,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Opened:
    """Take a request back, and with it exactly what had stopped because of it. Again is success without an event.

    InvalidTokenError; CaseGoneError; ForbiddenStepError once it is carried out; UnavailableError.
    """

    def attempt() -> Opened:
        case = _own_file(token, subjects, cases, secrets).case
        if case.state is CaseState.CANCELLED:
            return Opened(case, is_new=False)
        now = clock()
        ended = closed(replace(case, owes=()), CaseState.CANCELLED, CaseLetter.CANCELLED, policy=policy, now=now)
        return Opened(cases.commit(ended, [LogLine(now, "cancelled", "person")]), is_new=True)

    done = _afresh(attempt, pause)
    # After the case: whoever still carries it out must not find the person open again. Pressing again repeats it.
    take_back(done.case, policy=policy, subjects=subjects, chance=chance, clock=clock, pause=pause)
    _look(done.case, orders, clock)
    return done


# ---- Parts ------------------------------------------------------------------------------------------------------


def _prove(
    case_id: str,
    contact: ContactPoint,
    by: str,
    *,
    cool_off_hours: int,
    policy: Policy,
    subjects: Subjects,
    cases: Cases,
    particulars: Particulars,
    orders: CaseOrders,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Opened:
    """Stop what has to stop, then store that the case is proved: a kill between leaves a link that still works."""

    def attempt() -> Opened:
        case = _file(StatusLink(contact, case_id), cases).case
        if case.state is not CaseState.UNPROVEN:
            if case.state.is_closed and not case.proved_at:
                # It was taken back while this press stopped what it stops.
                take_back(case, policy=policy, subjects=subjects, chance=chance, clock=clock, pause=pause)
            return Opened(case, is_new=False)
        subject = who_asked(case, subjects) or Subject(contact)
        choices = dict(case.choices)
        if by == "person" and (subject.holder_since or _is_role(particulars.read(case_id))):
            choices["weak_proof"] = True
        if case.right is Right.ERASURE:
            choices.setdefault("keep_fingerprint", has_objected(subject))
        stop_at_once(case, policy=policy, subjects=subjects, chance=chance, clock=clock, pause=pause, asked_at=clock())
        now = clock()
        state = _after_proof(case.right, choices)
        cooled = now + cool_off_hours * 3_600_000 if state is CaseState.COOLING_OFF else 0
        proved = case.moved(
            state,
            chain=(who_asked(case, subjects) or subject).chain,
            choices=choices,
            proved_at=now,
            cool_off_until=cooled,
            due_at=now // 1000,
            owes=tuple(letter for letter in case.owes if letter != CaseLetter.PROVE),
        ).owing(CaseLetter.RECEIVED)
        return Opened(cases.commit(proved, [LogLine(now, "proved", by, {"state": state.value})]), is_new=True)

    done = _afresh(attempt, pause)
    _look(done.case, orders, clock)
    return done


def _after_proof(right: Right, choices: Mapping[str, Any]) -> CaseState:
    """What only stops the use of data goes on by itself; what hands out or changes data waits for staff in doubt."""
    if right is Right.OBJECTION:
        return CaseState.RUNNING
    if right is Right.RESTRICTION:
        # Ground (d) is weighed, and a person who named none is asked.
        known = choices.get("ground") in (Ground.ACCURACY, Ground.UNLAWFUL, Ground.CLAIMS)
        return CaseState.RUNNING if known else CaseState.WITH_STAFF
    if right in (Right.COMPLAINT, Right.RECTIFICATION) or choices.get("weak_proof"):
        return CaseState.WITH_STAFF
    return CaseState.COOLING_OFF if right is Right.ERASURE else CaseState.RUNNING


def _is_role(particulars: Mapping[str, Any] | None) -> bool:
    """Whether several people may read the mailbox."""
    local = str((particulars or {}).get("address", "")).partition("@")[0].lower()
    return local.partition("+")[0] in ROLES


def _require_unproven(case: Case) -> None:
    if case.state is CaseState.CANCELLED:
        raise CaseGoneError("cancelled")
    if case.state is CaseState.LAPSED:
        raise CaseGoneError("lapsed")
    if case.state is not CaseState.UNPROVEN:
        raise CaseGoneError("used")


def _file(link: RightsLink | StatusLink, cases: Cases) -> CaseFile:
    """The file of a case; a link of somebody else opens none."""
    file = cases.load(link.case)
    if file is None:
        raise CaseGoneError("gone")
    if file.case.contact != link.contact:
        raise InvalidTokenError
    return file


def _own_file(token: str, subjects: Subjects, cases: Cases, secrets: Secrets) -> CaseFile:
    """The file that a link to a case's page is about, unless the address has another holder since."""
    file = _file(open_status(token, secrets.links()), cases)
    if is_former_holders(file.case, subjects):
        raise CaseGoneError("gone")
    return file


def _add_choices(
    known: Case,
    choices: Mapping[str, Any],
    by: str,
    *,
    policy: Policy,
    subjects: Subjects,
    cases: Cases,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Case:
    """What a person chooses further in a request of theirs that is open: it stops at once, and recipients hear of it.

    Of a request that is not proved yet the choices may be a stranger's, and these take their place. UnavailableError.
    """

    def attempt() -> Case:
        file = cases.load(known.id)
        if file is None or file.case.state.is_closed or not _takes_more(file.case):
            raise UnavailableError("the case before is closing")
        case, now = file.case, clock()
        line = LogLine(now, "asked_further", by, {"choices": dict(choices)})
        if case.state is CaseState.UNPROVEN:
            return case if choices == case.choices else cases.commit(replace(case, choices=choices), [line])
        wide = replace(case, choices=_widened(case, choices))
        is_objection = case.right is Right.OBJECTION
        # To object without naming anything is to object to marketing: a purpose may have been named besides.
        stops = replace(case, choices=choices) if is_objection else wide
        is_besides = is_objection and "purposes" in choices and "purposes" not in case.choices
        was_said = any(one.what == line.what and one.facts == line.facts for one in file.log)
        # Also for the same once more: what stops may have been allowed again since.
        stop_at_once(stops, policy=policy, subjects=subjects, chance=chance, clock=clock, pause=pause, asked_at=now)
        if wide.choices == case.choices and (was_said or not is_besides):
            return case
        # It is begun anew, so that every recipient of what it is about by now is told.
        outcome = {name: value for name, value in case.outcome.items() if name != "started_at"}
        return cases.commit(replace(wide, outcome=outcome, due_at=now // 1000).owing(CaseLetter.RECEIVED), [line])

    return _afresh(attempt, pause)


def _takes_more(case: Case) -> bool:
    """Whether what is asked further becomes part of an open case: until our part is done, and staff have decided.

    An answer to access or portability is made at the end, of all that is held then.
    """
    if case.right in (Right.ACCESS, Right.PORTABILITY):
        return True
    is_decided = case.right is Right.RECTIFICATION and case.state in (CaseState.RUNNING, CaseState.PARTLY_DONE)
    return "own_at" not in case.outcome and not is_decided


def _widened(case: Case, choices: Mapping[str, Any]) -> dict[str, Any]:
    """The choices of a case with those that were made since: a purpose is added, none stands for all of them."""
    wide = dict(case.choices)
    if "ground" in choices:
        wide["ground"] = choices["ground"]
    if "keep_fingerprint" in choices and "started_at" not in case.outcome:
        wide["keep_fingerprint"] = choices["keep_fingerprint"]
    if case.right in _ABOUT_PURPOSES and "purposes" in wide:
        del wide["purposes"]
        if choices.get("purposes"):
            wide["purposes"] = sorted({*case.choices["purposes"], *choices["purposes"]})
    return wide


def _add_details(case: Case, details: str, particulars: Particulars) -> None:
    """What a person writes further about a request of theirs that is open; what does not fit any more is left out."""
    kept = particulars.read(case.id)
    if not details or kept is None or details in str(kept.get("details", "")):
        return
    both = "\n\n".join(text for text in (str(kept.get("details", "")), details) if text)
    particulars.keep(case.id, {**kept, "details": both[:LONGEST_DETAILS]})


def _write_again(case: Case, cases: Cases, clock: Clock) -> None:
    """Owe the letter of the open case once more. Whoever changes it at this moment writes anyway."""
    now = clock()
    letter = CaseLetter.PROVE if case.state is CaseState.UNPROVEN else CaseLetter.RECEIVED
    with suppress(StaleCaseError):
        cases.commit(replace(case, due_at=now // 1000).owing(letter), [LogLine(now, "asked_again", "person")])


def _look(case: Case, orders: CaseOrders, clock: Clock) -> None:
    # What the queue does not take the schedule finds.
    with suppress(UnavailableError):
        orders.order(case.id, clock() // 1000)


def _afresh(attempt: Callable[[], T], pause: Pause) -> T:
    """Read, decide and store; if somebody else was first, all of it again. UnavailableError when it never succeeds."""
    for number in range(ATTEMPTS):
        try:
            return attempt()
        except StaleCaseError:
            pause(number)
    raise UnavailableError("too many changes to one case at once")


def _cleaned(text: str) -> str:
    """What was written, with plain line ends and without signs that nobody can see."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", plain)
