"""How a case ends: the answer, what is done or missing, the end of a restriction, and of what we know."""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from consent_center.domain.case import Case, CaseLetter, CaseState, Right
from consent_center.domain.errors import NothingHeldError, UnavailableError
from consent_center.domain.recipient import TaskState, Verb
from consent_center.ports.cases import CaseFile
from consent_center.usecases.answers_of_recipients import COLLECTED
from consent_center.usecases.case_means import Means, is_lifted, is_started, is_to_be_lifted, with_outcome
from consent_center.usecases.case_stops import restrict_by_itself, restriction_of, restrictions_set_by
from consent_center.usecases.case_times import has_gone_out, is_time_to_tell, shreds_at
from consent_center.usecases.deadlines import closed
from consent_center.usecases.locks import Lifting, lift_lock

_ANSWERED = frozenset({Right.ACCESS, Right.PORTABILITY})


def answer(file: CaseFile, means: Means) -> bool:
    """The answer to an access or portability request, with what recipients sent in time."""
    case, now = file.case, means.clock()
    if case.right not in _ANSWERED or case.state is not CaseState.RUNNING or "own_at" not in case.outcome:
        return False
    missing = [task for task in file.tasks if not task.state.is_settled]
    open_ones = [task for task in missing if task.state is not TaskState.FAILED]
    if open_ones and not is_time_to_tell(case, means):
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


def finish(file: CaseFile, means: Means) -> bool:
    """Closes what is done everywhere; tells the person in time when something is still missing."""
    case, now = file.case, means.clock()
    if case.right in _ANSWERED or not is_started(case):
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
    if not nobody_left and not is_time_to_tell(case, means):
        return False
    told = case.moved(
        CaseState.PARTLY_DONE, outcome={**case.outcome, "missing": [task.recipient for task in missing]}
    ).owing(CaseLetter.PARTLY)
    means.commit(told, "partly_done", missing=told.outcome["missing"])
    return True


def lift(file: CaseFile, means: Means) -> bool:
    """A restriction ends once the person was told that it will (Art. 18(3) GDPR). Recipients hear of it then."""
    case = file.case
    if not is_to_be_lifted(case) or not has_gone_out(file, CaseLetter.LIFTING, means):
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
            lift_lock(lifting, **means.deciding(case))
    now = means.clock()
    tasks = [
        replace(task, verb=Verb.LIFT, state=TaskState.WAITING, tries=0, next_at=now // 1000, answered_at=0, answer="")
        for task in file.tasks
        if task.state is TaskState.DONE
    ]
    means.commit(with_outcome(case, lifted_at=now), "lifted", tasks, recipients=[task.recipient for task in tasks])
    return True


def _other_restrictions(case: Case, means: Means) -> list[Case]:
    """The person's other requests to restrict that are proved and neither over nor lifted."""
    return [
        other
        for other in means.cases_of_asker(case)
        if other.id != case.id and other.right is Right.RESTRICTION and other.proved_at and not is_lifted(other)
        if other.state is CaseState.DONE or not other.state.is_closed
    ]


def is_restricted_again(case: Case, recipient: str, kept: Mapping[str, Any], means: Means) -> bool:
    """Whether another request of this person restricts what a recipient holds: it hears of the last end alone."""
    subject, now = means.subject_of(case, kept), means.clock()
    others = [
        means.cases.load(other.id)
        for other in _other_restrictions(case, means)
        # Of somebody unknown there is no lock, and only recipients hold data.
        if "lock" not in other.outcome or restriction_of(other, subject, means.policy, now)
    ]
    return any(task.recipient == recipient and task.told_at for file in others if file for task in file.tasks)


def shred(file: CaseFile, means: Means) -> bool:
    case = file.case
    due_at = shreds_at(file, means)
    if not due_at or means.clock() < due_at * 1000:
        return False
    means.particulars.shred(case.id)
    means.commit(with_outcome(case, shredded_at=means.clock()), "shredded")
    return True
