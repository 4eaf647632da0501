"""What a recipient says later about what it was asked to do: by call-back, or through staff who did it by hand."""

from collections.abc import Sequence
from dataclasses import replace

from consent_center.domain.case import Case, LogLine
from consent_center.domain.errors import (
    ClosedCaseError,
    ForbiddenStepError,
    InvalidFormError,
    ParticularsTooLargeError,
    SettledTaskError,
    StaleCaseError,
    UnavailableError,
    UnknownCaseError,
)
from consent_center.domain.recipient import GivenFile, Task, TaskState, Verb, as_collected
from consent_center.ports.basics import Clock
from consent_center.ports.cases import CaseFile, CaseOrders, Cases, Particulars

ATTEMPTS = 5

COLLECTED = "collected"
"""The answer of a task whose files lie in the case."""

ANSWERS = frozenset({TaskState.DONE, TaskState.NOTHING_HELD, TaskState.FAILED})
"""What a recipient may say by itself; that something is impossible is for staff to accept, with a reason."""


def note_answer(
    case: str,
    recipient: str,
    state: TaskState,
    code: str = "",
    *,
    cases: Cases,
    orders: CaseOrders,
    clock: Clock,
    by: str = "",
    reason: str = "",
    message: str = "",
) -> bool:
    """Note a recipient's answer and have the case looked at; False if it had said the same before.

    `by` names the member of staff who settles it; without one it is the recipient itself, and `message` is the
    fingerprint of what it sent, by which it is known when it comes again. UnknownCaseError where the
    case is not there or has not asked this recipient; ClosedCaseError; SettledTaskError if it had said something else;
    UnavailableError.
    """
    for _ in range(ATTEMPTS):
        now = clock()
        file = _file(cases, case)
        task = _task(file, recipient)
        if state not in ANSWERS and not (by and state is TaskState.IMPOSSIBLE):
            raise InvalidFormError({"state": "unknown"})
        if state is TaskState.IMPOSSIBLE and not reason.strip():
            raise InvalidFormError({"reason": "required"})
        if task.state is state and (state is TaskState.FAILED or task.state.is_settled):
            return False
        _refuse_closed(file.case, task)
        if task.state.is_settled:
            raise SettledTaskError
        answered = replace(task, state=state, answered_at=now, next_at=0, answer=code or str(state), reason=reason)
        facts = {"recipient": recipient, "answer": code, **({"message": message} if message else {})}
        line = LogLine(now, f"task_{state}", by or f"recipient:{recipient}", facts)
        try:
            _store(cases, file.case, line, answered, now)
        except StaleCaseError:
            continue
        _order(orders, case, now)
        return True
    raise UnavailableError("too many changes to one case at once")


def hand_in(
    case: str,
    recipient: str,
    files: Sequence[GivenFile],
    *,
    by: str,
    cases: Cases,
    particulars: Particulars,
    orders: CaseOrders,
    clock: Clock,
) -> bool:
    """Take the files that staff collected from a recipient by hand: its task is done with them; False if it was before.

    They are kept before the task says so, and whoever is cut short hands them in again. UnknownCaseError,
    ClosedCaseError; InvalidFormError for files that are too large or have wrong names, and where nothing was to be
    collected; SettledTaskError if the task is settled otherwise or with other files; UnavailableError.
    """
    given = as_collected(files)
    file = _file(cases, case)
    task = _task(file, recipient)
    if task.verb is not Verb.COLLECT:
        raise InvalidFormError({"files": "not_collected"})
    kept = particulars.read(case)
    collected = kept.get("collected", {}) if kept else {}
    if task.state is TaskState.DONE and collected.get(recipient) == given:
        return False
    _refuse_closed(file.case, task)
    if task.state.is_settled:
        raise SettledTaskError
    if kept is None:
        raise UnavailableError("the particulars of an open case are gone")
    try:
        particulars.keep(case, {**kept, "collected": {**collected, recipient: given}})
    except ParticularsTooLargeError:
        raise InvalidFormError({"files": "too_large"}) from None
    return note_answer(case, recipient, TaskState.DONE, COLLECTED, by=by, cases=cases, orders=orders, clock=clock)


def try_again(
    case: str, recipient: str, *, by: str, cases: Cases, orders: CaseOrders, clock: Clock, message: str = ""
) -> None:
    """Have a recipient asked once more that was given up, or that has never answered; `by` is the member of staff.

    The recipient may say itself that it is ready; then `message` is the fingerprint of what it sent. It knows the
    request by its key, so that nothing is done twice. UnknownCaseError, ClosedCaseError; ForbiddenStepError if it is
    settled; UnavailableError.
    """
    for _ in range(ATTEMPTS):
        now = clock()
        file = _file(cases, case)
        task = _task(file, recipient)
        _refuse_closed(file.case, task)
        if task.state.is_settled:
            raise ForbiddenStepError(task.state.value, TaskState.WAITING.value)
        again = replace(task, state=TaskState.WAITING, tries=0, next_at=now // 1000, answer="")
        facts = {"recipient": recipient, **({"message": message} if message else {})}
        line = LogLine(now, "task_again", by, facts)
        try:
            _store(cases, file.case, line, again, now)
        except StaleCaseError:
            continue
        _order(orders, case, now)
        return
    raise UnavailableError("too many changes to one case at once")


def _file(cases: Cases, case: str) -> CaseFile:
    file = cases.load(case)
    if file is None:
        raise UnknownCaseError
    return file


def _task(file: CaseFile, recipient: str) -> Task:
    for task in file.tasks:
        if task.recipient == recipient:
            return task
    raise UnknownCaseError


def _refuse_closed(case: Case, task: Task) -> None:
    # That a restriction is lifted is told in a case that was closed when it was set.
    if case.state.is_closed and task.verb is not Verb.LIFT:
        raise ClosedCaseError


def _store(cases: Cases, case: Case, line: LogLine, task: Task, now: int) -> None:
    cases.commit(replace(case, due_at=now // 1000), [line], [task])


def _order(orders: CaseOrders, case: str, now: int) -> None:
    """The schedule finds what could not be ordered."""
    try:
        orders.order(case, now // 1000)
    except UnavailableError:
        return
