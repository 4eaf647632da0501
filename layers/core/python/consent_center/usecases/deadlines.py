"""The days of a case: until when it has to be answered, when staff are warned, and when its file and particulars go."""

from dataclasses import replace
from typing import Any

from consent_center.domain.case import Case, CaseLetter, CaseState
from consent_center.domain.policy import Period, Policy
from consent_center.ports import Days

_FILE, _PARTICULARS = "rights-file", "rights-payload"
"""What the policy's rules cover: the file of a case, and what it knows about the person."""

_FILE_KEPT, _PARTICULARS_KEPT = Period(months=36), Period(days=30)
"""Where the policy has no rule."""


def closed(case: Case, state: CaseState, *letters: CaseLetter, policy: Policy, now: int, **outcome: Any) -> Case:
    """The case closed at `now` (epoch milliseconds) in a state, with what came of it and the letters that say so.

    ForbiddenStepError if it may not end so.
    """
    kept = _kept(policy, _FILE, _FILE_KEPT)
    ended = case.moved(
        state,
        closed_at=now,
        due_at=now // 1000,
        expires_at=kept.after_epoch(now),
        outcome={**case.outcome, **outcome},
    )
    return ended.owing(*letters)


def particulars_until(case: Case, policy: Policy) -> int:
    """When the particulars of a closed case go at the latest, in epoch seconds."""
    return _kept(policy, _PARTICULARS, _PARTICULARS_KEPT).after_epoch(case.closed_at)


def reckoned(case: Case, days: Days) -> Case:
    """The case with its days as they follow from its receipt, pause and extension."""
    answer_by, strict = days.of(case)
    extension = case.extension._replace(until=answer_by) if case.extension is not None else None
    return replace(case, answer_by=answer_by, strict_answer_by=strict, extension=extension)


def _kept(policy: Policy, covers: str, otherwise: Period) -> Period:
    rule = policy.rule_covering(covers)
    return rule.period if rule and rule.period else otherwise
