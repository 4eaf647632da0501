"""What an erasure takes away, what stays and why, and which recipients a request reaches (Art. 17 and 19 GDPR).

All of it is read from the policy: nothing about any purpose stands in code.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from consent_center.domain.case import Right
from consent_center.domain.lock import HOLD, Lock, locks_of
from consent_center.domain.policy import Policy, Purpose
from consent_center.domain.recipient import Verb
from consent_center.domain.subject import Subject

_OWN_DUTY = frozenset({"legal_obligation", "legal_claims"})
"""Legal bases that an erasure leaves alone, at us and at whoever got data under them (Art. 17(3)(b) and (e))."""

VERBS = {
    Right.ACCESS: Verb.COLLECT,
    Right.PORTABILITY: Verb.COLLECT,
    Right.RECTIFICATION: Verb.CORRECT,
    Right.ERASURE: Verb.ERASE,
    Right.RESTRICTION: Verb.RESTRICT,
    Right.OBJECTION: Verb.STOP,
}
"""What recipients are asked in a case of each right; nothing for a complaint."""


class Stays(NamedTuple):
    """Something that an erasure leaves: `what` is `fingerprint`, `ledger` or `file`."""

    what: str
    rule: str | None = None
    """The retention rule of the policy that keeps it; None where nothing ends it."""
    until: int | None = None
    """Epoch seconds; None: the rule's clock has not begun, or has no end."""

    def as_facts(self) -> dict[str, Any]:
        """How it stands in the outcome of a case: the end as an ISO day."""
        day = datetime.fromtimestamp(self.until, UTC).date().isoformat() if self.until else None
        return {"what": self.what, "rule": self.rule, "until": day}


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What becomes of what is held of one person, if nothing holds it up."""

    goes: tuple[str, ...]
    """Ids of the policy's data types."""
    stays: tuple[Stays, ...]

    def as_facts(self) -> dict[str, Any]:
        """How it stands in the outcome of a case."""
        return {"goes": list(self.goes), "stays": [one.as_facts() for one in self.stays]}


def plan(policy: Policy, subject: Subject, *, keep_fingerprint: bool, now: int) -> ErasurePlan:
    """The plan of an erasure at `now` (epoch milliseconds).

    The ledger stays as a proof that leads to nobody; the file of the request stays by the policy's rule for it; the
    fingerprint stays if the person wants to be kept out, or was kept out before.
    """
    controller = subject.contact.controller
    goes = {
        str(name)
        for purpose in policy.purposes_of(controller)
        if purpose.legal_basis not in _OWN_DUTY
        for name in policy.purpose_row(purpose.id).get("data_types", ())
    }
    stays = [Stays("ledger")] if subject.chain else []
    known = subject.suppression if subject.suppression and subject.suppression.holds_at(now) else None
    if keep_fingerprint or known:
        rule = policy.rule_covering("suppression")
        until = known.until if known else rule.period.after_epoch(now) if rule and rule.period else None
        stays.append(Stays("fingerprint", rule.id if rule else None, until))
    file = policy.rule_covering("rights-file")
    stays.append(Stays("file", file.id if file else None))
    return ErasurePlan(tuple(sorted(goes)), tuple(stays))


def hold_on(subject: Subject, now: int) -> Lock | None:
    """The hold that an erasure has to wait for at `now` (epoch milliseconds): the one that ends last.

    Only the organisation's holds count. A restriction was the person's own wish, and an erasure is their newer one.
    """
    holds = [lock for lock in locks_of(subject, now) if lock.kind == HOLD]
    return max(holds, key=lambda lock: (lock.until is None, lock.until or 0), default=None)


def recipients_of(policy: Policy, controller: str, right: Right, purposes: Iterable[str] = ()) -> tuple[str, ...]:
    """The recipients that a request of this right reaches, by id, in the policy's order; `purposes` narrow it.

    Whoever gets data under a legal duty or for legal claims alone is not among them: they answer for that themselves.
    """
    wanted = set(purposes)
    names = [
        name
        for purpose in _reached(policy, controller, right)
        if not wanted or purpose.id in wanted
        for name in purpose.recipients
    ]
    return tuple(dict.fromkeys(names))


def _reached(policy: Policy, controller: str, right: Right) -> Iterator[Purpose]:
    for purpose in policy.purposes_of(controller):
        if purpose.legal_basis in _OWN_DUTY:
            continue
        # An objection reaches what rests on an interest and, without any weighing, marketing (Art. 21(1) and (2)).
        if right is not Right.OBJECTION or purpose.marketing or purpose.profiling or purpose.may_be_objected_to:
            yield purpose
