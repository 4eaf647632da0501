"""What a case does here: stop, start, put right, erase and restrict in our own record, and take a stop back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from consent_center.domain.case import Case, CaseState, Right
from consent_center.domain.erasure_plan import VERBS, hold_on, plan, recipients_of
from consent_center.domain.errors import InvalidFormError, TakenPlaceError, TooManyRequestsError
from consent_center.domain.recipient import Task, Verb
from consent_center.ports.basics import Chance
from consent_center.ports.cases import CaseFile, Particulars
from consent_center.usecases.case_means import Means, client_of, is_started, with_outcome, without_outcome
from consent_center.usecases.case_stops import has_objected, restriction_of
from consent_center.usecases.rectification import ADDRESS, put_right
from consent_center.usecases.suppress import erase
from consent_center.usecases.whose import is_known

SOURCE = "rights"
"""The door that is written into a person's chain."""

_STOPPING = frozenset({Right.ERASURE, Right.RESTRICTION, Right.OBJECTION})


def stop(file: CaseFile, means: Means) -> bool:
    """What stops at once stops though whoever took the proof was killed (Art. 18, 21(3) GDPR)."""
    case = file.case
    if case.state.is_closed or not case.proved_at or case.right not in _STOPPING or "stopped_at" in case.outcome:
        return False
    if means.stop is None:
        return False
    means.stop(case)
    means.commit(with_outcome(case, stopped_at=means.clock()), "stopped")
    return True


def take_back(file: CaseFile, means: Means) -> bool:
    """A request that is not carried out leaves nothing stopped; what the person asked anew meanwhile stays so."""
    case = file.case
    if not case.state.is_closed or case.state is CaseState.DONE or not case.proved_at:
        return False
    if case.right not in _STOPPING or "taken_back_at" in case.outcome or means.take_back is None:
        return False
    means.take_back(case)
    for other in means.cases_of_asker(case):
        # It may have found stopped what this one had stopped. What was erased before needs no stop any more.
        is_over = other.state.is_closed or (other.right is Right.ERASURE and "own_at" in other.outcome)
        if means.stop is not None and other.right is case.right and other.proved_at and not is_over:
            means.stop(other)
    means.commit(with_outcome(case, taken_back_at=means.clock()), "taken_back")
    return True


def start(file: CaseFile, means: Means) -> bool:
    """Fixes what will be done and by whom, in one write: later steps may change what it was worked out from."""
    case, now = file.case, means.clock()
    if case.state not in {CaseState.RUNNING, CaseState.PARTLY_DONE} or "started_at" in case.outcome:
        return False
    kept = means.known_of(case)
    if kept is None:
        means.leave_to_staff(case)
        return True
    subject = means.subject_of(case, kept)
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


def _tasks(case: Case, kept: Mapping[str, Any], means: Means) -> list[Task]:
    verb = VERBS.get(case.right)
    if verb is None or (verb is Verb.CORRECT and not corrections_of(kept)):
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
    return with_outcome(without_outcome(case, "own_at"), decision=name)


def corrections_of(kept: Mapping[str, Any]) -> dict[str, str]:
    moved = {ADDRESS: str(kept["new_address"])} if kept.get("new_address") else {}
    return {**kept.get("corrections", {}), **moved}


def do_own_part(file: CaseFile, means: Means) -> bool:
    """What the right asks of our own record."""
    case = file.case
    if not is_started(case) or "own_at" in case.outcome:
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
    means.commit(with_outcome(case, own_at=means.clock()), "own_part_done")
    return True


def _correct(case: Case, kept: Mapping[str, Any], means: Means) -> None:
    """Where the record cannot be corrected so staff decide, and no recipient has been told of it yet."""
    try:
        put_right(
            case,
            corrections_of(kept),
            source=SOURCE,
            client=client_of(case),
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
        means.commit(with_outcome(case, own_at=means.clock()), "own_part_done")


def _erase(case: Case, kept: Mapping[str, Any], means: Means) -> bool:
    now = means.clock()
    subject = means.subject_of(case, kept)
    hold = hold_on(subject, now)
    if hold is not None:
        found = {"until": hold.until, "interest": hold.ground}
        if case.outcome.get("hold") == found:
            return False
        means.commit(with_outcome(case, hold=found), "held", until=hold.until)
        return True
    _shred_others(case, means)
    keeps = bool(case.choices.get("keep_fingerprint"))
    # Erasing somebody who is unknown would write a record about them.
    if keeps or case.outcome.get("held") or is_known(subject):
        erase(
            means.addresses(str(kept["address"])),
            keep_fingerprint=keeps,
            source=SOURCE,
            client=client_of(case),
            controller=case.contact.controller,
            policy=means.policy,
            subjects=means.subjects,
            secrets=means.secrets,
            chance=means.chance,
            clock=means.clock,
            pause=means.pause,
        )
    means.commit(with_outcome(without_outcome(case, "hold"), own_at=now), "erased")
    return True


def _shred_others(case: Case, means: Means) -> None:
    """Destroy what the person's closed requests know of them, before the erasure takes away what leads to these."""
    for other in means.cases_of_asker(case):
        if not other.state.is_closed or "shredded_at" in other.outcome:
            continue
        means.particulars.shred(other.id)
        means.exports.remove(other.id)
        means.commit(with_outcome(other, shredded_at=means.clock()), "shredded")


def _restrict(case: Case, kept: Mapping[str, Any], means: Means) -> None:
    """The lock stands already, if there is a record: this notes which one it is, for when it is lifted."""
    standing = restriction_of(case, means.subject_of(case, kept), means.policy, means.clock())
    if standing is not None:
        means.commit(with_outcome(case, own_at=means.clock(), lock=standing.seq), "restricted")
    else:
        means.commit(with_outcome(case, own_at=means.clock()), "own_part_done")
