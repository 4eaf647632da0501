"""What recipients do in a case: each is asked, and what it answers or gives is noted."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from consent_center.domain.case import Case, CaseState
from consent_center.domain.errors import ParticularsTooLargeError, UnavailableError
from consent_center.domain.recipient import Answer, Ask, Task, TaskState, Verb
from consent_center.ports.cases import CaseFile
from consent_center.usecases.answers_of_recipients import COLLECTED
from consent_center.usecases.case_endings import is_restricted_again
from consent_center.usecases.case_means import Means, is_lifted, is_started
from consent_center.usecases.case_own_part import corrections_of
from consent_center.usecases.whose import is_known

_STILL = "still_restricted"
"""The answer in place of a recipient that is not told of an end, because another request restricts the same there."""

_TASK_LINES = {
    TaskState.WAITING: "task_retry",
    TaskState.ASKED: "task_asked",
    TaskState.DONE: "task_done",
    TaskState.NOTHING_HELD: "task_nothing_held",
    TaskState.IMPOSSIBLE: "task_impossible",
    TaskState.FAILED: "task_failed",
}
"""Lines of the log about a task, by the state that it came to."""


def ask_recipient(file: CaseFile, means: Means) -> bool:
    """One recipient for each step, so that a kill loses no more than its answer, which it will give again."""
    case, now = file.case, means.clock()
    if not is_started(case) and not is_lifted(case):
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
        means.given_up.append(task.recipient)
    means.commit(case, _TASK_LINES[asked.state], [asked], recipient=task.recipient, answer=asked.answer)
    return True


def _give_up_lifting(file: CaseFile, means: Means) -> None:
    code = "particulars_missing"
    lost = [task for task in file.tasks if task.state is TaskState.WAITING]
    given_up = [replace(task, state=TaskState.FAILED, next_at=0, answer=code) for task in lost]
    means.given_up.extend(task.recipient for task in lost)
    means.commit(file.case, code, given_up, recipients=[task.recipient for task in lost])


def _asked(case: Case, task: Task, kept: Mapping[str, Any], means: Means) -> Task:
    now = means.clock()
    if task.verb is Verb.LIFT and is_restricted_again(case, task.recipient, kept, means):
        return replace(task, verb=Verb.RESTRICT, state=TaskState.DONE, next_at=0, answered_at=now, answer=_STILL)
    ask = Ask(
        case.id,
        task.recipient,
        task.verb,
        task.key(case.id),
        str(kept["address"]),
        case.answer_by,
        corrections_of(kept) if task.verb is Verb.CORRECT else {},
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


def _collected(case: Case, task: Task, answer: Answer, kept: Mapping[str, Any], means: Means) -> str:
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


def _former_addresses(case: Case, kept: Mapping[str, Any], means: Means) -> tuple[str, ...]:
    """Without those at which somebody else is known since."""
    return tuple(
        address
        for address in kept.get("former_addresses", ())
        if not is_known(means.subject_of(case, {"address": address}))
    )
