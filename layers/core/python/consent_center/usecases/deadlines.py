"""The days of a case: until when it has to be answered, when staff are warned, and when its file and particulars go."""

import datetime as dt
from dataclasses import replace
from typing import Any

from consent_center.domain.case import Case, CaseLetter, CaseState
from consent_center.domain.policy import Period, Policy
from consent_center.ports.cases import CaseFile, Days

_FILE, _PARTICULARS = "rights-file", "rights-payload"
"""What the policy's rules cover: the file of a case, and what it knows about the person."""

_DAY = 86_400

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


def unproven_until(file: CaseFile, days: Days, lapse_days: int, now: int) -> int:
    """Until when a request may be proved, in epoch seconds: to the end of its period, which ran from its receipt.

    Whoever filed it late leaves the person `lapse_days` from the first letter that asks; `now` (epoch seconds) stands
    for a letter that has not been noted yet.
    """
    asked = [
        line.at // 1000 for line in file.log if line.what == "told" and line.facts.get("letter") == CaseLetter.PROVE
    ]
    return max(days.ends_at(file.case), min(asked, default=now) + lapse_days * _DAY)


def proof_day(case: Case, days: Days, until: int) -> str:
    """The last day (ISO) on which a request may be proved, for people; `until` is the moment after it."""
    if until == days.ends_at(case):
        return case.answer_by
    return dt.datetime.fromtimestamp(until - 1, dt.UTC).date().isoformat()


def reckoned(case: Case, days: Days) -> Case:
    """The case with its days as they follow from its receipt, pause and extension."""
    answer_by, strict = days.of(case)
    extension = case.extension._replace(until=answer_by) if case.extension is not None else None
    return replace(case, answer_by=answer_by, strict_answer_by=strict, extension=extension)


def _kept(policy: Policy, covers: str, otherwise: Period) -> Period:
    rule = policy.rule_covering(covers)
    return rule.period if rule and rule.period else otherwise
