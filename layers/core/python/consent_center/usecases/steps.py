"""Carrying a case out: `look_at` does whatever is due in it now, and says when somebody has to look again.

It may be run twice, by two at once, and be killed between any two calls, and ends the same. Each step has effects that
are harmless to repeat and then one commit on the version that it was decided on. Until the last commit the case stays
due, so that the schedule finds again what was cut short.

What it writes into a case's `outcome` (docs/data-model.md): `stopped_at`, `taken_back_at`, `started_at`, `held`,
`goes`, `stays`, `hold`, `own_at`, `lock`, `package`, `missing`, `lifted_at`, `shredded_at`, `decision`.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from consent_center.domain.case import Case, CaseLetter, CaseState, LogLine, Right
from consent_center.domain.contact import ContactPoint
from consent_center.domain.deadline import WARNINGS
from consent_center.domain.erasure_plan import VERBS, hold_on, plan, recipients_of
from consent_center.domain.errors import (
    InvalidFormError,
    NothingHeldError,
    ParticularsTooLargeError,
    StaleCaseError,
    TakenPlaceError,
    TooManyRequestsError,
    UnavailableError,
)
from consent_center.domain.policy import Policy
from consent_center.domain.recipient import Answer, Ask, Task, TaskState, Verb
from consent_center.domain.subject import Subject
from consent_center.ports import (
    Addresses,
    AddressMoves,
    CaseFile,
    Cases,
    Chance,
    Claims,
    Clock,
    Connectors,
    Days,
    Exports,
    LetterOrder,
    Outbox,
    Particulars,
    Pause,
    Secrets,
    StoredPackage,
    Subjects,
)
from consent_center.usecases.answers_of_recipients import COLLECTED
from consent_center.usecases.askers import cases_of, followed, who_asked
from consent_center.usecases.case_stops import (
    has_objected,
    is_restricting,
    restrict_by_itself,
    restriction_of,
    restrictions_set_by,
)
from consent_center.usecases.deadlines import closed, particulars_until, unproven_until
from consent_center.usecases.locks import Lifting, lift_lock
from consent_center.usecases.rectification import ADDRESS, put_right
from consent_center.usecases.suppress import erase
from consent_center.usecases.whose import is_known, whose

MOST_STEPS = 300
"""In one look: more than any case has, so that a mistake of ours does not turn for ever."""

SOURCE = "rights"
"""The door that is written into a person's chain."""

_LAPSE_DAYS = 30
"""How long a question to the person may stay unanswered."""

_TELL_DAYS = 5
"""So many days before the end the person hears what is still missing, and an answer is made without it."""

_SETTLED_SECONDS = 3600
"""An hour after a letter was ordered and sent, no queue is still trying to deliver it."""

_AGAIN_SECONDS = 900
"""When to look again for a letter that has not gone out; later and later, and daily in the end."""

_DAY = 86_400

_STILL = "still_restricted"
"""The answer in place of a recipient that is not told of an end, because another request restricts the same there."""


@dataclass(slots=True)
class Looked:
    """What a look did, for numbers and logs."""

    number: str = ""
    """The case's, which says nothing about a person."""
    steps: int = 0
    given_up: Sequence[str] = ()
    """Recipients that will not be tried again by themselves."""


@dataclass(frozen=True, slots=True)
class _Means:
    """What the steps work with."""

    cases: Cases
    particulars: Particulars
    connectors: Connectors
    answers: Callable[[Case, Mapping[str, Any]], StoredPackage | None] | None
    stop: Callable[[Case], None] | None
    take_back: Callable[[Case], None] | None
    warn: Callable[[Case, int], None]
    outbox: Outbox
    claims: Claims
    days: Days
    policy: Policy
    subjects: Subjects
    moves: AddressMoves
    exports: Exports
    addresses: Addresses
    secrets: Secrets
    chance: Chance
    clock: Clock
    pause: Pause
    lapse_days: int
    looked: Looked

    def commit(self, case: Case, what: str, tasks: Sequence[Task] = (), **facts: Any) -> None:
        """Store a step with one line of the log. The case stays due until the look has come to its end."""
        now = self.clock()
        self.cases.commit(replace(case, due_at=now // 1000), [LogLine(now, what, "worker", facts)], tasks)

    def known_of(self, case: Case) -> Mapping[str, Any] | None:
        """The particulars of a case, with the address that its person has now; None where that cannot be read."""
        kept = self.particulars.read(case.id)
        if kept is None:
            return None
        return followed(case, kept, subjects=self.subjects, particulars=self.particulars)

    def leave_to_staff(self, case: Case) -> None:
        """What cannot be carried out without particulars that are gone."""
        self.commit(case.moved(CaseState.WITH_STAFF), "particulars_missing")


def look_at(
    case: str,
    *,
    cases: Cases,
    particulars: Particulars,
    connectors: Connectors,
    outbox: Outbox,
    claims: Claims,
    days: Days,
    policy: Policy,
    subjects: Subjects,
    moves: AddressMoves,
    exports: Exports,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    answers: Callable[[Case, Mapping[str, Any]], StoredPackage | None] | None = None,
    stop: Callable[[Case], None] | None = None,
    take_back: Callable[[Case], None] | None = None,
    warn: Callable[[Case, int], None] = lambda _case, _days: None,
    lapse_days: int = _LAPSE_DAYS,
) -> Looked:
    """Do all that is due in a case, by its id. Nothing happens where there is none.

    `answers` makes the answer to an access or portability request, None where nothing is held; without it staff answer.
    `stop` stops what a proved request stops at once, and `take_back` ends that where it is not carried out; both are
    harmless to repeat, and without them whoever takes the proof does so alone. `warn` tells staff how many days are
    left, 0 once it is late; it is called before that is noted, so that a warning may come twice and is never lost.
    `lapse_days` is how long we wait for the answer to a question. UnavailableError: what was done so far is stored, and
    looking again does the rest.
    """
    looked = Looked()
    means = _Means(
        cases, particulars, connectors, answers, stop, take_back, warn, outbox, claims, days, policy, subjects,
        moves, exports, addresses, secrets, chance, clock, pause, lapse_days, looked,
    )  # fmt: skip
    for turn in range(MOST_STEPS):
        file = cases.load(case)
        if file is None:
            return looked
        looked.number = file.case.number
        try:
            if any(step(file, means) for step in _STEPS):
                looked.steps += 1
                continue
            due_at = _next_look(file, means)
            if due_at != file.case.due_at or file.case.stuck_since:
                cases.commit(replace(file.case, due_at=due_at, stuck_since=0), [])
            return looked
        except StaleCaseError:
            pause(min(turn, 4))
    raise UnavailableError("a case did not come to rest")


# ---- Letters and time ---------------------------------------------------------------------------------------------


def letter_order(file: CaseFile, letter: str) -> LetterOrder:
    """The order of a letter that a case owes: the same whenever it is made, and another for the next of its kind."""
    told = sum(line.what == "told" and line.facts.get("letter") == letter for line in file.log)
    # A letter that another use case ordered has no line: it must not lend its name to the next.
    number = max(told, int(letter in file.case.told))
    return LetterOrder("case", file.case.contact, f"{file.case.id}/{letter}/{number}")


def _send_letters(file: CaseFile, means: _Means) -> bool:
    case = file.case
    if not case.owes:
        return False
    letter, *others = case.owes
    means.outbox.order(letter_order(file, letter))
    means.commit(replace(case, owes=tuple(others), told={**case.told, letter: means.clock()}), "told", letter=letter)
    return True


def _warn(file: CaseFile, means: _Means) -> bool:
    case, now = file.case, means.clock()
    if not _is_waited_for(case):
        return False
    if now >= means.days.ends_at(case) * 1000 and not _rests(case):
        if now < _last(file, "overdue") + _DAY * 1000:
            return False
        means.warn(case, 0)
        means.commit(case, "overdue")
        return True
    passed = [days for days in WARNINGS if now >= means.days.warns_at(case, days) * 1000]
    if not passed or (case.warned and case.warned <= min(passed)):
        return False
    means.warn(case, min(passed))
    means.commit(replace(case, warned=min(passed)), "deadline_near", days=min(passed))
    return True


def _lapse(file: CaseFile, means: _Means) -> bool:
    case, now = file.case, means.clock()
    end = _lapses_at(file, means)
    if not end or now < end * 1000:
        return False
    means.commit(closed(case, CaseState.LAPSED, CaseLetter.LAPSED, policy=means.policy, now=now), "lapsed")
    return True


def _end_cool_off(file: CaseFile, means: _Means) -> bool:
    case = file.case
    if case.state is not CaseState.COOLING_OFF or means.clock() < case.cool_off_until:
        return False
    means.commit(case.moved(CaseState.RUNNING), "cool_off_over")
    return True


def _stop(file: CaseFile, means: _Means) -> bool:
    """What stops at once stops though whoever took the proof was killed (Art. 18, 21(3) GDPR)."""
    case = file.case
    if case.state.is_closed or not case.proved_at or case.right not in _STOPPING or "stopped_at" in case.outcome:
        return False
    if means.stop is None:
        return False
    means.stop(case)
    means.commit(_with(case, stopped_at=means.clock()), "stopped")
    return True


_STOPPING = frozenset({Right.ERASURE, Right.RESTRICTION, Right.OBJECTION})


def _take_back(file: CaseFile, means: _Means) -> bool:
    """A request that is not carried out leaves nothing stopped; what the person asked anew meanwhile stays so."""
    case = file.case
    if not case.state.is_closed or case.state is CaseState.DONE or not case.proved_at:
        return False
    if case.right not in _STOPPING or "taken_back_at" in case.outcome or means.take_back is None:
        return False
    means.take_back(case)
    for other in _cases_of_asker(case, means):
        # It may have found stopped what this one had stopped. What was erased before needs no stop any more.
        is_over = other.state.is_closed or (other.right is Right.ERASURE and "own_at" in other.outcome)
        if means.stop is not None and other.right is case.right and other.proved_at and not is_over:
            means.stop(other)
    means.commit(_with(case, taken_back_at=means.clock()), "taken_back")
    return True


def _cases_of_asker(case: Case, means: _Means) -> list[Case]:
    asker, kept = who_asked(case, means.subjects), means.known_of(case)
    if asker is None:
        return []
    address = means.addresses(str(kept["address"])) if kept is not None else None
    return cases_of(asker, address, cases=means.cases, subjects=means.subjects, secrets=means.secrets)


# ---- What is done here --------------------------------------------------------------------------------------------


def _start(file: CaseFile, means: _Means) -> bool:
    """Fixes what will be done and by whom, in one write: later steps may change what it was worked out from."""
    case, now = file.case, means.clock()
    if case.state not in {CaseState.RUNNING, CaseState.PARTLY_DONE} or "started_at" in case.outcome:
        return False
    kept = means.known_of(case)
    if kept is None:
        means.leave_to_staff(case)
        return True
    subject = _subject(case, kept, means)
    outcome: dict[str, Any] = {"started_at": now, "held": is_known(subject)}
    choices = dict(case.choices)
    if case.right is Right.ERASURE:
        # Whoever had objected and did not choose stays kept out: nothing else would remember it.
        keeps = bool(choices.setdefault("keep_fingerprint", has_objected(subject)))
        outcome |= plan(means.policy, subject, keep_fingerprint=keeps, now=now).as_facts()
    there = {task.recipient for task in file.tasks}
    tasks = [task for task in _tasks(case, kept, means) if task.recipient not in there]
    means.commit(
        replace(case, choices=choices, outcome={**case.outcome, **outcome}),
        "started",
        tasks,
        recipients=[task.recipient for task in tasks],
    )
    return True


def _tasks(case: Case, kept: Mapping[str, Any], means: _Means) -> list[Task]:
    verb = VERBS.get(case.right)
    if verb is None or (verb is Verb.CORRECT and not _corrections(kept)):
        return []
    names = recipients_of(means.policy, case.contact.controller, case.right, case.choices.get("purposes") or ())
    if verb is Verb.COLLECT:
        # An answer is complete without those of whom the policy does not say that they hold something of their own.
        names = tuple(name for name in names if verb in means.connectors.of(name).verbs)
    return [Task(name, verb) for name in names]


def start_correction(case: Case, corrections: Mapping[str, str], *, particulars: Particulars, chance: Chance) -> Case:
    """Note what is right, by field, here and for every recipient, before the case that this returns is stored.

    Both bear the same name, because who decides at the same time keeps other corrections over these. UnavailableError.
    """
    name = chance.name()
    fields = {field: value for field, value in corrections.items() if field != ADDRESS}
    noted = {"corrections": fields, "new_address": corrections.get(ADDRESS, ""), "decision": name}
    particulars.keep(case.id, {**(particulars.read(case.id) or {}), **noted})
    # What was put right by an earlier decision says nothing of this one.
    return _with(_without(case, "own_at"), decision=name)


def _corrections(kept: Mapping[str, Any]) -> dict[str, str]:
    moved = {ADDRESS: str(kept["new_address"])} if kept.get("new_address") else {}
    return {**kept.get("corrections", {}), **moved}


def _own_part(file: CaseFile, means: _Means) -> bool:
    """What the right asks of our own record."""
    case = file.case
    if not _is_started(case) or "own_at" in case.outcome:
        return False
    kept = means.known_of(case)
    if kept is None:
        means.leave_to_staff(case)
        return True
    if case.right is Right.ERASURE:
        return _erase(case, kept, means)
    if case.right is Right.RESTRICTION:
        _restrict(case, kept, means)
        return True
    if case.right is Right.RECTIFICATION:
        _correct(case, kept, means)
        return True
    means.commit(_with(case, own_at=means.clock()), "own_part_done")
    return True


def _correct(case: Case, kept: Mapping[str, Any], means: _Means) -> None:
    """Where the record cannot be corrected so staff decide, and no recipient has been told of it yet."""
    try:
        put_right(
            case,
            _corrections(kept),
            source=SOURCE,
            client=_client(case),
            policy=means.policy,
            subjects=means.subjects,
            moves=means.moves,
            addresses=means.addresses,
            secrets=means.secrets,
            chance=means.chance,
            clock=means.clock,
            pause=means.pause,
        )
    except TakenPlaceError:
        means.commit(case.moved(CaseState.WITH_STAFF), "not_corrected", why="address_taken")
    except TooManyRequestsError:
        means.commit(case.moved(CaseState.WITH_STAFF), "not_corrected", why="too_many_addresses")
    except InvalidFormError:
        # Another edition of the policy is in force since it was decided.
        means.commit(case.moved(CaseState.WITH_STAFF), "not_corrected", why="unknown")
    else:
        means.commit(_with(case, own_at=means.clock()), "own_part_done")


def _erase(case: Case, kept: Mapping[str, Any], means: _Means) -> bool:
    now = means.clock()
    subject = _subject(case, kept, means)
    hold = hold_on(subject, now)
    if hold is not None:
        found = {"until": hold.until, "interest": hold.ground}
        if case.outcome.get("hold") == found:
            return False
        means.commit(_with(case, hold=found), "held", until=hold.until)
        return True
    _shred_others(case, means)
    keeps = bool(case.choices.get("keep_fingerprint"))
    # Erasing somebody who is unknown would write a record about them.
    if keeps or case.outcome.get("held") or is_known(subject):
        erase(
            means.addresses(str(kept["address"])),
            keep_fingerprint=keeps,
            source=SOURCE,
            client=_client(case),
            controller=case.contact.controller,
            policy=means.policy,
            subjects=means.subjects,
            secrets=means.secrets,
            chance=means.chance,
            clock=means.clock,
            pause=means.pause,
        )
    means.commit(_with(_without(case, "hold"), own_at=now), "erased")
    return True


def _shred_others(case: Case, means: _Means) -> None:
    """Destroy what the person's closed requests know of them, before the erasure takes away what leads to these."""
    for other in _cases_of_asker(case, means):
        if not other.state.is_closed or "shredded_at" in other.outcome:
            continue
        means.particulars.shred(other.id)
        means.exports.remove(other.id)
        means.commit(_with(other, shredded_at=means.clock()), "shredded")


def _restrict(case: Case, kept: Mapping[str, Any], means: _Means) -> None:
    """The lock stands already, if there is a record: this notes which one it is, for when it is lifted."""
    standing = restriction_of(case, _subject(case, kept, means), means.policy, means.clock())
    if standing is not None:
        means.commit(_with(case, own_at=means.clock(), lock=standing.seq), "restricted")
    else:
        means.commit(_with(case, own_at=means.clock()), "own_part_done")


# ---- What recipients do -------------------------------------------------------------------------------------------


def _ask(file: CaseFile, means: _Means) -> bool:
    """One recipient for each step, so that a kill loses no more than its answer, which it will give again."""
    case, now = file.case, means.clock()
    if not _is_started(case) and not _is_lifted(case):
        return False
    task = next((task for task in file.tasks if task.is_due_at(now // 1000)), None)
    if task is None:
        return False
    kept = means.known_of(case)
    if kept is None and case.state.is_closed:
        # The person was erased meanwhile: nobody knows any more whose restriction it was.
        _give_up_lifting(file, means)
        return True
    if kept is None:
        means.leave_to_staff(case)
        return True
    if task.verb is Verb.CORRECT and kept.get("decision") != case.outcome.get("decision"):
        # Whoever decided at the same time and came too late has kept theirs: only staff know what is right.
        means.commit(case.moved(CaseState.WITH_STAFF), "corrections_lost")
        return True
    asked = _asked(case, task, kept, means)
    if asked.state is TaskState.FAILED:
        means.looked.given_up = [*means.looked.given_up, task.recipient]
    means.commit(case, _TASK_LINES[asked.state], [asked], recipient=task.recipient, answer=asked.answer)
    return True


def _give_up_lifting(file: CaseFile, means: _Means) -> None:
    code = "particulars_missing"
    lost = [task for task in file.tasks if task.state is TaskState.WAITING]
    given_up = [replace(task, state=TaskState.FAILED, next_at=0, answer=code) for task in lost]
    means.looked.given_up = [*means.looked.given_up, *(task.recipient for task in lost)]
    means.commit(file.case, code, given_up, recipients=[task.recipient for task in lost])


_TASK_LINES = {
    TaskState.WAITING: "task_retry",
    TaskState.ASKED: "task_asked",
    TaskState.DONE: "task_done",
    TaskState.NOTHING_HELD: "task_nothing_held",
    TaskState.IMPOSSIBLE: "task_impossible",
    TaskState.FAILED: "task_failed",
}
"""Lines of the log about a task, by the state that it came to."""


def _asked(case: Case, task: Task, kept: Mapping[str, Any], means: _Means) -> Task:
    now = means.clock()
    if task.verb is Verb.LIFT and _is_restricted_again(case, task.recipient, kept, means):
        return replace(task, verb=Verb.RESTRICT, state=TaskState.DONE, next_at=0, answered_at=now, answer=_STILL)
    ask = Ask(
        case.id,
        task.recipient,
        task.verb,
        task.key(case.id),
        str(kept["address"]),
        case.answer_by,
        _corrections(kept) if task.verb is Verb.CORRECT else {},
        _former_addresses(case, kept, means),
    )
    try:
        connector = means.connectors.of(task.recipient)
        answer = connector.ask(ask) if task.verb in connector.verbs else Answer(TaskState.ASKED, "manual")
    except UnavailableError:
        return task.after_failure(case.id, "unavailable", now // 1000)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one recipient holds up no other
        return task.after_failure(case.id, type(error).__name__, now // 1000)
    code = _collected(case, task, answer, kept, means) if answer.collected else answer.code
    if answer.collected and code != COLLECTED:
        # Staff fetch it another way: asking again would bring the same.
        return replace(task, state=TaskState.FAILED, told_at=now, answered_at=now, answer=code)
    return replace(
        task,
        state=answer.state,
        tries=task.tries + 1,
        next_at=0,
        told_at=_told_at(task, answer, now),
        answered_at=0 if answer.state is TaskState.ASKED else now,
        answer=code,
    )


def _told_at(task: Task, answer: Answer, now: int) -> int:
    if not answer.was_sent:
        return task.told_at
    # Until it hears of the end, what it was told last is the restriction.
    return now if task.verb is Verb.LIFT else task.told_at or now


def _collected(case: Case, task: Task, answer: Answer, kept: Mapping[str, Any], means: _Means) -> str:
    """COLLECTED once what a recipient gave lies in the case; else why it cannot."""
    kept_now = means.particulars.read(case.id) or kept
    collected = {**kept_now.get("collected", {}), task.recipient: dict(answer.collected)}
    try:
        means.particulars.keep(case.id, {**kept_now, "collected": collected})
    except ParticularsTooLargeError:
        return "too_large"
    except UnicodeEncodeError:
        return "unreadable_files"
    return COLLECTED


def _former_addresses(case: Case, kept: Mapping[str, Any], means: _Means) -> tuple[str, ...]:
    """Without those at which somebody else is known since."""
    return tuple(
        address
        for address in kept.get("former_addresses", ())
        if not is_known(_subject(case, {"address": address}, means))
    )


# ---- The end ------------------------------------------------------------------------------------------------------


def _answer(file: CaseFile, means: _Means) -> bool:
    """The answer to an access or portability request, with what recipients sent in time."""
    case, now = file.case, means.clock()
    if case.right not in _ANSWERED or case.state is not CaseState.RUNNING or "own_at" not in case.outcome:
        return False
    missing = [task for task in file.tasks if not task.state.is_settled]
    open_ones = [task for task in missing if task.state is not TaskState.FAILED]
    if open_ones and not _is_time_to_tell(case, means):
        return False
    kept = means.known_of(case)
    if kept is None:
        means.leave_to_staff(case)
        return True
    lost = [task for task in file.tasks if task.answer == COLLECTED and task.recipient not in kept.get("collected", {})]
    if lost:
        # Two looks at once kept what they had collected over each other: ask again for what is not there.
        again = [replace(task, state=TaskState.WAITING, next_at=now // 1000, answer="") for task in lost]
        means.commit(case, "task_retry", again, recipients=[task.recipient for task in lost])
        return True
    if means.answers is None:
        means.commit(case.moved(CaseState.WITH_STAFF), "answer_by_hand")
        return True
    package = means.answers(case, kept)
    outcome: dict[str, Any] = {"missing": [task.recipient for task in missing]}
    if package is not None:
        outcome["package"] = package._asdict()
    ended = closed(
        case,
        CaseState.DONE,
        CaseLetter.READY if package is not None else CaseLetter.DONE,
        policy=means.policy,
        now=now,
        **outcome,
    )
    given_up = [replace(task, state=TaskState.FAILED, answer="too_late") for task in open_ones]
    means.commit(ended, "packed" if package is not None else "done", given_up, missing=outcome["missing"])
    return True


_ANSWERED = frozenset({Right.ACCESS, Right.PORTABILITY})


def _finish(file: CaseFile, means: _Means) -> bool:
    """Closes what is done everywhere; tells the person in time when something is still missing."""
    case, now = file.case, means.clock()
    if case.right in _ANSWERED or not _is_started(case):
        return False
    missing = [task for task in file.tasks if not task.state.is_settled]
    if not missing and "own_at" in case.outcome:
        ended = closed(case, CaseState.DONE, CaseLetter.DONE, policy=means.policy, now=now, missing=[])
        means.commit(ended, "done")
        return True
    if case.state is not CaseState.RUNNING:
        return False
    # While anybody may still answer in time, the person is not written to twice.
    nobody_left = all(task.state is TaskState.FAILED for task in missing)
    if not nobody_left and not _is_time_to_tell(case, means):
        return False
    told = case.moved(
        CaseState.PARTLY_DONE, outcome={**case.outcome, "missing": [task.recipient for task in missing]}
    ).owing(CaseLetter.PARTLY)
    means.commit(told, "partly_done", missing=told.outcome["missing"])
    return True


def _lift(file: CaseFile, means: _Means) -> bool:
    """A restriction ends once the person was told that it will (Art. 18(3) GDPR). Recipients hear of it then."""
    case = file.case
    if not _is_to_be_lifted(case) or not _has_gone_out(file, CaseLetter.LIFTING, means):
        return False
    kept = means.known_of(case)
    if kept is None:
        raise UnavailableError("the particulars of a restriction are gone")
    told_at = dt.datetime.fromtimestamp(case.told[CaseLetter.LIFTING.value] / 1000, dt.UTC)
    own = restrictions_set_by(case, subjects=means.subjects, clock=means.clock)
    for other in _other_restrictions(case, means) if own else ():
        # It may have found restricted what this one had restricted.
        restrict_by_itself(
            other,
            policy=means.policy,
            subjects=means.subjects,
            chance=means.chance,
            clock=means.clock,
            pause=means.pause,
        )
    # If the person was erased since, the restriction went with them; of somebody unknown only recipients held data.
    for number in own:
        lifting = Lifting(str(kept["address"]), "restriction_lifted", number, f"request {case.number}", told_at)
        with suppress(NothingHeldError):
            lift_lock(lifting, **_deciding(case, means))
    now = means.clock()
    tasks = [
        replace(task, verb=Verb.LIFT, state=TaskState.WAITING, tries=0, next_at=now // 1000, answered_at=0, answer="")
        for task in file.tasks
        if task.state is TaskState.DONE
    ]
    means.commit(_with(case, lifted_at=now), "lifted", tasks, recipients=[task.recipient for task in tasks])
    return True


def _other_restrictions(case: Case, means: _Means) -> list[Case]:
    """The person's other requests to restrict that are proved and neither over nor lifted."""
    return [
        other
        for other in _cases_of_asker(case, means)
        if other.id != case.id and other.right is Right.RESTRICTION and other.proved_at and not _is_lifted(other)
        if other.state is CaseState.DONE or not other.state.is_closed
    ]


def _is_restricted_again(case: Case, recipient: str, kept: Mapping[str, Any], means: _Means) -> bool:
    """Whether another request of this person restricts what a recipient holds: it hears of the last end alone."""
    subject, now = _subject(case, kept, means), means.clock()
    others = [
        means.cases.load(other.id)
        for other in _other_restrictions(case, means)
        # Of somebody unknown there is no lock, and only recipients hold data.
        if "lock" not in other.outcome or restriction_of(other, subject, means.policy, now)
    ]
    return any(task.recipient == recipient and task.told_at for file in others if file for task in file.tasks)


def _shred(file: CaseFile, means: _Means) -> bool:
    case = file.case
    due_at = _shreds_at(file, means)
    if not due_at or means.clock() < due_at * 1000:
        return False
    means.particulars.shred(case.id)
    means.commit(_with(case, shredded_at=means.clock()), "shredded")
    return True


_STEPS = (
    _stop, _send_letters, _lapse, _warn, _take_back, _end_cool_off, _start, _own_part, _ask, _answer, _finish, _lift,
    _shred,
)  # fmt: skip
"""In this order; after each that did something the case is loaded anew. Letters and warnings wait for nothing."""


# ---- When ---------------------------------------------------------------------------------------------------------


def _next_look(file: CaseFile, means: _Means) -> int:
    """The next moment at which something becomes due by itself, in epoch seconds; 0: none."""
    case, now = file.case, means.clock() // 1000
    if case.state.is_closed:
        moments = [_shreds_at(file, means)]
        if _is_to_be_lifted(case):
            moments.append(_again_at(case, CaseLetter.LIFTING, now))
        if _is_lifted(case):
            moments += [task.next_at for task in file.tasks if task.state is TaskState.WAITING]
    else:
        moments = [_lapses_at(file, means)]
        if case.state is CaseState.COOLING_OFF:
            moments.append(-(-case.cool_off_until // 1000))
        if _is_waited_for(case):
            moments += [means.days.warns_at(case, days) for days in WARNINGS if not case.warned or days < case.warned]
            if not _rests(case):
                end = means.days.ends_at(case)
                moments.append(end if now < end else _last(file, "overdue") // 1000 + _DAY)
        if _is_started(case):
            moments += [task.next_at for task in file.tasks if task.state is TaskState.WAITING]
            if case.state is CaseState.RUNNING:
                moments.append(means.days.warns_at(case, _TELL_DAYS))
            if hold := case.outcome.get("hold"):
                # It may be lifted or set again before its end.
                moments.append(min(now + _DAY, hold["until"] or now + _DAY))
    return min((moment for moment in moments if moment >= now), default=0)


def _is_waited_for(case: Case) -> bool:
    """Whether staff have to see to it that the person gets an answer in time. No question stops the strict day."""
    return not case.state.is_closed and case.state not in {CaseState.UNPROVEN, CaseState.PARTLY_DONE}


def _rests(case: Case) -> bool:
    """Whether a question to the person stops the period that they were told."""
    return case.pause is not None and not case.pause.answered_at


def _is_time_to_tell(case: Case, means: _Means) -> bool:
    return means.clock() >= means.days.warns_at(case, _TELL_DAYS) * 1000


def _lapses_at(file: CaseFile, means: _Means) -> int:
    """When a case ends because the person has not proved or answered, in epoch seconds; 0: it does not."""
    case = file.case
    if case.state is CaseState.UNPROVEN:
        return unproven_until(file, means.days, means.lapse_days, means.clock() // 1000)
    if case.state is not CaseState.WITH_PERSON:
        return 0
    if case.pause is not None and _rests(case):
        return case.pause.asked_at // 1000 + means.lapse_days * _DAY
    # A question that came late, and stops no period, can be answered for as long as any other.
    return max(means.days.ends_at(case), _last(file, "identity_asked") // 1000 + means.lapse_days * _DAY)


def _shreds_at(file: CaseFile, means: _Means) -> int:
    """When the particulars of a case go, in epoch seconds; 0: they are gone, or something still needs them."""
    case = file.case
    if not case.state.is_closed or case.owes or "shredded_at" in case.outcome:
        return 0
    if is_restricting(file) or any(task.verb is Verb.LIFT and not task.state.is_settled for task in file.tasks):
        # The letter before a restriction is lifted, and what recipients hear after, need the address.
        return 0
    latest = particulars_until(case, means.policy)
    if case.right is not Right.ERASURE or case.state is not CaseState.DONE:
        return latest
    ordered = case.told.get(CaseLetter.DONE.value, 0) // 1000 + _SETTLED_SECONDS
    now = means.clock() // 1000
    if now < ordered:
        return ordered
    return now if _has_gone_out(file, CaseLetter.DONE, means) else min(latest, _again_at(case, CaseLetter.DONE, now))


def _has_gone_out(file: CaseFile, letter: CaseLetter, means: _Means) -> bool:
    """Whether the newest letter of a kind was ordered and sent: whoever claims it can be killed before they send it."""
    if letter.value in file.case.owes or letter.value not in file.case.told:
        return False
    told = sum(line.what == "told" and line.facts.get("letter") == letter.value for line in file.log)
    return means.claims.was_sent(f"{file.case.id}/{letter}/{max(0, told - 1)}")


def _again_at(case: Case, letter: CaseLetter, now: int) -> int:
    waited = now - case.told.get(letter.value, 0) // 1000
    return now + min(max(waited, _AGAIN_SECONDS), _DAY)


def _is_to_be_lifted(case: Case) -> bool:
    # Of somebody who was erased there is nothing left to lift, and nobody to write to.
    is_over = "lifted_at" in case.outcome or "shredded_at" in case.outcome
    return "lift_asked_at" in case.outcome and not is_over


def _is_lifted(case: Case) -> bool:
    return "lifted_at" in case.outcome


def _is_started(case: Case) -> bool:
    return case.state in {CaseState.RUNNING, CaseState.PARTLY_DONE} and "started_at" in case.outcome


def _last(file: CaseFile, what: str) -> int:
    """When something happened last, in epoch milliseconds; 0 for never."""
    return max((line.at for line in file.log if line.what == what), default=0)


# ---- Small things -------------------------------------------------------------------------------------------------


def _with(case: Case, **outcome: Any) -> Case:
    return replace(case, outcome={**case.outcome, **outcome})


def _without(case: Case, name: str) -> Case:
    return replace(case, outcome={key: value for key, value in case.outcome.items() if key != name})


def _client(case: Case) -> str:
    return f"case:{case.number}"


def _subject(case: Case, kept: Mapping[str, Any], means: _Means) -> Subject:
    return means.subjects.load(_place(case, kept, means)).subject


def _place(case: Case, kept: Mapping[str, Any], means: _Means) -> ContactPoint:
    """Where the person's record is now: a pepper may have been changed since the case was opened."""
    return whose(
        means.addresses(str(kept["address"])),
        controller=case.contact.controller,
        subjects=means.subjects,
        secrets=means.secrets,
    )


def _deciding(case: Case, means: _Means) -> dict[str, Any]:
    return {
        "client": _client(case),
        "policy": means.policy,
        "subjects": means.subjects,
        "addresses": means.addresses,
        "secrets": means.secrets,
        "chance": means.chance,
        "clock": means.clock,
        "pause": means.pause,
    }
