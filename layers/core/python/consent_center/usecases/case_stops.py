"""What stops the moment a rights request is proved, and how taking the request back lifts exactly that.

An objection is a decision of the person's and stays. While an erasure or a restriction is dealt with, a restriction of
its own keeps everything as it is and lets nobody use it: the permission check and the clocks respect it already.
"""

from consent_center.domain.capability import Capability
from consent_center.domain.case import Case, Right
from consent_center.domain.lock import RESTRICTED, Lock, facts_of, locks_of, with_lock, without_lock
from consent_center.domain.objection import Against
from consent_center.domain.policy import Policy
from consent_center.domain.recipient import TaskState, Verb
from consent_center.domain.subject import Act, Subject, timestamp, with_locks
from consent_center.domain.wishes import Wish, object_to, object_to_all
from consent_center.ports import CaseFile, Chance, Clock, Pause, Subjects
from consent_center.usecases import changes
from consent_center.usecases.acts import facts
from consent_center.usecases.askers import who_asked
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh

PAGE = "page"


def stop_at_once(case: Case, *, policy: Policy, subjects: Subjects, chance: Chance, clock: Clock, pause: Pause) -> None:
    """Stop what a proved case stops. Doing it again changes nothing. UnavailableError.

    An objection is stored also of somebody unknown, so that whoever brings them in later is stopped by it; a
    restriction of nothing is nothing.
    """
    if case.right is Right.OBJECTION:
        asker = who_asked(case, subjects)
        if asker is None:
            return
        for wish in _objections(case, policy):
            changes.carry_out(
                asker.contact,
                wish,
                Capability.RIGHTS,
                policy=policy,
                subjects=subjects,
                chance=chance,
                clock=clock,
                pause=pause,
            )
    elif case.right in (Right.ERASURE, Right.RESTRICTION):
        _restrict(case, policy=policy, subjects=subjects, chance=chance, clock=clock, pause=pause)


def take_back(case: Case, *, policy: Policy, subjects: Subjects, chance: Chance, clock: Clock, pause: Pause) -> None:
    """Lift the restrictions that a case which is not carried out had set, and nothing else. Harmless to repeat.

    For a case that the person cancelled, that was refused, or that lapsed. What stood before it, or was set for another
    case, stays. UnavailableError.
    """
    if case.right in (Right.ERASURE, Right.RESTRICTION):
        _lift_own(case, None, policy=policy, subjects=subjects, chance=chance, clock=clock, pause=pause)


def has_objected(subject: Subject) -> bool:
    """Whether somebody is kept out by their own wish: what an import must never bring back."""
    return subject.suppression is not None or any(
        decided.state.is_the_persons_no
        for against in Against
        if (decided := subject.decided.get(against.scope.code)) is not None
    )


def is_restricting(file: CaseFile) -> bool:
    """Whether a restriction that was carried out is in force: here, or at a recipient that was told of it."""
    outcome = file.case.outcome
    told = any(task.verb is Verb.RESTRICT and task.state is TaskState.DONE for task in file.tasks)
    return ("lock" in outcome or told) and "lifted_at" not in outcome


def _objections(case: Case, policy: Policy) -> list[Wish]:
    """To direct marketing and the profiling for it, or to the purposes that the person named."""
    named = [policy.purposes[name] for name in case.choices.get("purposes", ()) if name in policy.purposes]
    wishes = [object_to(purpose) for purpose in named if purpose.may_be_objected_to]
    # Where the policy has none of them any more, rather too much stops than nothing.
    return wishes or [object_to_all(policy, against) for against in Against]


def _restrict(case: Case, *, policy: Policy, subjects: Subjects, chance: Chance, clock: Clock, pause: Pause) -> None:
    wanted = _lock(case, policy)

    def attempt() -> None:
        now = clock()
        subject = who_asked(case, subjects)
        if subject is None or subject.chain is None or any(lock.serves_as(wanted) for lock in locks_of(subject, now)):
            return
        # Four locks are the most that others may set; the person's own right is never refused for a number.
        lock = wanted._replace(seq=subject.seq + 1)
        act = _act("restricted", case, policy, facts_of(lock, policy))
        decision = with_locks(subject, with_lock(subject, lock, now), act, now=now, chance=chance.decision())
        subjects.commit(decision)

    decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)
    # Where the person asked for more, the wider one takes the place of what the same case had set.
    _lift_own(case, wanted, policy=policy, subjects=subjects, chance=chance, clock=clock, pause=pause)


def _lift_own(
    case: Case,
    keeps: Lock | None,
    *,
    policy: Policy,
    subjects: Subjects,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> None:
    """Lift every restriction that a case has set, but for one that says the same as `keeps`."""

    def attempt() -> bool:
        now = clock()
        subject = who_asked(case, subjects)
        if subject is None:
            return False
        others = (lock for lock in locks_of(subject, now) if keeps is None or not lock.serves_as(keeps))
        mine = next((lock for lock in others if _is_set_by(case, lock, subject, subjects)), None)
        if mine is None:
            return False
        told = {"person_told_at": timestamp(now), "lifts": mine.seq}
        act = _act("restriction_lifted", case, policy, told)
        decision = with_locks(subject, without_lock(subject, mine.seq, now), act, now=now, chance=chance.decision())
        subjects.commit(decision)
        return True

    while decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause):
        pass


def _is_set_by(case: Case, lock: Lock, subject: Subject, subjects: Subjects) -> bool:
    """Whether the event that set a lock was about this case: the event says so, whatever was killed after it."""
    if lock.kind != RESTRICTED or subject.chain is None:
        return False
    payload = subjects.payload(subject.chain, lock.seq)
    return payload is not None and payload.content.get("case") == case.id


def _lock(case: Case, policy: Policy) -> Lock:
    """As `usecases/locks.py` would write it for the same ground and purposes, so that it is found there."""
    if case.right is Right.ERASURE:
        return Lock(RESTRICTED, ground=case.right.value)
    named = [name for name in case.choices.get("purposes", ()) if name in policy.purposes]
    codes = tuple(sorted(policy.purpose(name).code for name in named))
    return Lock(RESTRICTED, ground=str(case.choices.get("ground") or case.right.value), purposes=codes)


def _act(kind: str, case: Case, policy: Policy, told: dict[str, object]) -> Act:
    common = facts(policy, (), source=PAGE, capability=Capability.RIGHTS.value)
    return Act(
        kind, by_person=True, facts={**common, **told}, details={"route": Capability.RIGHTS.value, "case": case.id}
    )
