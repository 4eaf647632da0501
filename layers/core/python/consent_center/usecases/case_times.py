"""What time brings in a case: the letters that it owes, warnings, the ends of waiting, and when the next look is."""

from dataclasses import replace

from consent_center.domain.case import Case, CaseLetter, CaseState, Right
from consent_center.domain.deadline import WARNINGS
from consent_center.domain.recipient import TaskState, Verb
from consent_center.ports.cases import CaseFile
from consent_center.ports.letters import LetterOrder
from consent_center.usecases.case_means import Means, is_lifted, is_started, is_to_be_lifted
from consent_center.usecases.case_stops import is_restricting
from consent_center.usecases.deadlines import closed, particulars_until, unproven_until

_TELL_DAYS = 5
"""So many days before the end the person hears what is still missing, and an answer is made without it."""

_SETTLED_SECONDS = 3600
"""An hour after a letter was ordered and sent, no queue is still trying to deliver it."""

_AGAIN_SECONDS = 900
"""When to look again for a letter that has not gone out; later and later, and daily in the end."""

_DAY = 86_400


def letter_order(file: CaseFile, letter: str) -> LetterOrder:
    """The order of a letter that a case owes: the same whenever it is made, and another for the next of its kind."""
    told = sum(line.what == "told" and line.facts.get("letter") == letter for line in file.log)
    # A letter that another use case ordered has no line: it must not lend its name to the next.
    number = max(told, int(letter in file.case.told))
    return LetterOrder("case", file.case.contact, f"{file.case.id}/{letter}/{number}")


def send_letters(file: CaseFile, means: Means) -> bool:
    case = file.case
    if not case.owes:
        return False
    letter, *others = case.owes
    means.outbox.order(letter_order(file, letter))
    means.commit(replace(case, owes=tuple(others), told={**case.told, letter: means.clock()}), "told", letter=letter)
    return True


def warn(file: CaseFile, means: Means) -> bool:
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


def lapse(file: CaseFile, means: Means) -> bool:
    case, now = file.case, means.clock()
    end = _lapses_at(file, means)
    if not end or now < end * 1000:
        return False
    means.commit(closed(case, CaseState.LAPSED, CaseLetter.LAPSED, policy=means.policy, now=now), "lapsed")
    return True


def end_cool_off(file: CaseFile, means: Means) -> bool:
    case = file.case
    if case.state is not CaseState.COOLING_OFF or means.clock() < case.cool_off_until:
        return False
    means.commit(case.moved(CaseState.RUNNING), "cool_off_over")
    return True


def next_look(file: CaseFile, means: Means) -> int:
    """The next moment at which something becomes due by itself, in epoch seconds; 0: none."""
    case, now = file.case, means.clock() // 1000
    if case.state.is_closed:
        moments = [shreds_at(file, means)]
        if is_to_be_lifted(case):
            moments.append(_again_at(case, CaseLetter.LIFTING, now))
        if is_lifted(case):
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
        if is_started(case):
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


def is_time_to_tell(case: Case, means: Means) -> bool:
    return means.clock() >= means.days.warns_at(case, _TELL_DAYS) * 1000


def _lapses_at(file: CaseFile, means: Means) -> int:
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


def shreds_at(file: CaseFile, means: Means) -> int:
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
    return now if has_gone_out(file, CaseLetter.DONE, means) else min(latest, _again_at(case, CaseLetter.DONE, now))


def has_gone_out(file: CaseFile, letter: CaseLetter, means: Means) -> bool:
    """Whether the newest letter of a kind was ordered and sent: whoever claims it can be killed before they send it."""
    if letter.value in file.case.owes or letter.value not in file.case.told:
        return False
    told = sum(line.what == "told" and line.facts.get("letter") == letter.value for line in file.log)
    return means.claims.was_sent(f"{file.case.id}/{letter}/{max(0, told - 1)}")


def _again_at(case: Case, letter: CaseLetter, now: int) -> int:
    waited = now - case.told.get(letter.value, 0) // 1000
    return now + min(max(waited, _AGAIN_SECONDS), _DAY)


def _last(file: CaseFile, what: str) -> int:
    """When something happened last, in epoch milliseconds; 0 for never."""
    return max((line.at for line in file.log if line.what == what), default=0)
