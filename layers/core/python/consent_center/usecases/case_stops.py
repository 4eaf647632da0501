"""What stops the moment a rights request is proved, and how taking the request back lifts exactly that.

An objection is a decision of the person's and stays. While an erasure or a restriction is dealt with, a restriction of
its own keeps everything as it is and lets nobody use it: the permission check and the clocks respect it already.
"""

from collections.abc import Sequence

from consent_center.domain.capability import Capability
from consent_center.domain.case import Case, Right
from consent_center.domain.lock import RESTRICTED, Lock, facts_of, locks_of, with_lock, without_lock
from consent_center.domain.objection import Against
from consent_center.domain.policy import Policy, Scope
from consent_center.domain.recipient import TaskState, Verb
from consent_center.domain.subject import Act, Subject, timestamp, with_locks
from consent_center.domain.wishes import Change, Wish, object_to, object_to_all
from consent_center.ports.basics import Chance, Clock, Pause
from consent_center.ports.cases import CaseFile
from consent_center.ports.people import Subjects
from consent_center.usecases import changes
from consent_center.usecases.acts import facts
from consent_center.usecases.askers import who_asked
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh

PAGE = "page"


def stop_at_once(
    case: Case,
    *,
    policy: Policy,
    subjects: Subjects,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    asked_at: int | None = None,
) -> None:
    """Stop what a proved case stops. Doing it again changes nothing. UnavailableError.

    `asked_at` (epoch milliseconds) is when the person asked for it last, when the case was received by default: what
    they have allowed again after an objection that is newer than that stays allowed.

    An objection is stored also of somebody unknown, so that whoever brings them in later is stopped by it; a
    restriction of nothing is nothing.
    """
    if case.right is Right.OBJECTION:
        asker = who_asked(case, subjects)
        if asker is None:
            return
        for wish in _objections(case, case.received_at if asked_at is None else asked_at, policy):
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


def restriction_of(case: Case, subject: Subject, policy: Policy, now: int) -> Lock | None:
    """The restriction in force at `now` (epoch milliseconds) that says what a case asked for, whoever set it."""
    wanted = _lock(case, policy)
    return next((lock for lock in locks_of(subject, now) if lock.serves_as(wanted)), None)


def restrictions_set_by(case: Case, *, subjects: Subjects, clock: Clock) -> list[int]:
    """The numbers of the restrictions in force that a case has set, on the record of who asked. UnavailableError."""
    subject = who_asked(case, subjects)
    locks = locks_of(subject, clock()) if subject else ()
    return [lock.seq for lock in locks if subject and _set_by(lock, subject, subjects) == case.id]


def restrict_by_itself(
    case: Case, *, policy: Policy, subjects: Subjects, chance: Chance, clock: Clock, pause: Pause
) -> None:
    """Give a case that rests on what another one has set a restriction of its own, before that is lifted.

    Nothing happens where none is in force any more; harmless to repeat. UnavailableError.
    """

    def attempt() -> None:
        subject = who_asked(case, subjects)
        if subject is None or restriction_of(case, subject, policy, clock()) is None:
            return
        if not restrictions_set_by(case, subjects=subjects, clock=clock):
            _set(case, subject, policy, subjects, chance, clock)

    decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)


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


def _objections(case: Case, since: int, policy: Policy) -> list[Wish]:
    """To direct marketing and the profiling for it, or to the purposes that the person named."""
    named = [policy.purposes[name] for name in case.choices.get("purposes", ()) if name in policy.purposes]
    wishes = [
        _unless_decided(purpose.all_scopes(), since, object_to(purpose))
        for purpose in named
        if purpose.may_be_objected_to
    ]
    # Where the policy has none of them any more, rather too much stops than nothing.
    return wishes or [_unless_decided([against.scope], since, object_to_all(policy, against)) for against in Against]


def _unless_decided(scopes: Sequence[Scope], since: int, wish: Wish) -> Wish:
    """A wish that is none where all of these were decided since: it was carried out, and what came later is newer."""

    def wished(subject: Subject, now: int) -> Change | None:
        decided = [subject.decided.get(scope.code) for scope in scopes]
        return None if all(one is not None and one.at >= since for one in decided) else wish(subject, now)

    return wished


def _restrict(case: Case, *, policy: Policy, subjects: Subjects, chance: Chance, clock: Clock, pause: Pause) -> None:
    wanted = _lock(case, policy)

    def attempt() -> None:
        subject = who_asked(case, subjects)
        if subject is None or subject.chain is None:
            return
        same = (lock for lock in locks_of(subject, clock()) if lock.serves_as(wanted))
        # What systems of ours have set is theirs to lift: no request rests on it.
        if not any(_set_by(lock, subject, subjects) for lock in same):
            _set(case, subject, policy, subjects, chance, clock)

    decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)
    # Where the person asked for more, the wider one takes the place of what the same case had set.
    _lift_own(case, wanted, policy=policy, subjects=subjects, chance=chance, clock=clock, pause=pause)


def _set(case: Case, subject: Subject, policy: Policy, subjects: Subjects, chance: Chance, clock: Clock) -> None:
    """Four locks are the most that others may set; the person's own right is never refused for a number."""
    now = clock()
    lock = _lock(case, policy)._replace(seq=subject.seq + 1)
    act = _act("restricted", case, policy, facts_of(lock, policy))
    subjects.commit(with_locks(subject, with_lock(subject, lock, now), act, now=now, chance=chance.decision()))


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
        mine = next((lock for lock in others if _set_by(lock, subject, subjects) == case.id), None)
        if mine is None:
            return False
        told = {"person_told_at": timestamp(now), "lifts": mine.seq}
        act = _act("restriction_lifted", case, policy, told)
        decision = with_locks(subject, without_lock(subject, mine.seq, now), act, now=now, chance=chance.decision())
        subjects.commit(decision)
        return True

    while decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause):
        pass


def _set_by(lock: Lock, subject: Subject, subjects: Subjects) -> str | None:
    """The id of the case that set a restriction: the event says it, whatever was killed after it."""
    if lock.kind != RESTRICTED or subject.chain is None:
        return None
    payload = subjects.payload(subject.chain, lock.seq)
    named = payload.content.get("case") if payload is not None else None
    return str(named) if named else None


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
