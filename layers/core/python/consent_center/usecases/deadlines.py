"""The days of a case: until when it has to be answered, when staff are warned, and when its file and particulars go."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from consent_center.domain.case import Case, CaseLetter, CaseState
from consent_center.domain.policy import Period, Policy
from consent_center.ports import Days

WARNINGS = (10, 5, 1)
"""How many days before the end staff are warned."""

_QUESTION_DAYS = 3
"""A question stops the period only if it was asked so soon after receipt (EDPB 01/2022, 159)."""

_FILE, _PARTICULARS = "rights-file", "rights-payload"
"""What the policy's rules cover: the file of a case, and what it knows about the person."""

_FILE_KEPT, _PARTICULARS_KEPT = Period(months=36), Period(days=30)
"""Where the policy has no rule."""


class PlainDays:
    """Days in UTC on a calendar without weekends and holidays."""

    def of(self, case: Case) -> tuple[str, str]:
        months = 3 if case.extension else 1
        begun = datetime.fromtimestamp(case.received_at / 1000, UTC)
        end = Period(months=months).after(begun).date()
        pause = case.pause
        waited = timedelta(milliseconds=pause.answered_at - pause.asked_at) if pause and pause.answered_at else None
        return (end + (waited or timedelta())).isoformat(), (end - timedelta(days=1)).isoformat()

    def may_extend(self, case: Case, now: int) -> bool:
        if case.extension is not None:
            return False
        return now < self.ends_at(case) * 1000

    def may_pause(self, case: Case, now: int) -> bool:
        return case.pause is None and now < case.received_at + _QUESTION_DAYS * 86_400_000

    def warns_at(self, case: Case, days: int) -> int:
        earlier = min(case.answer_by, case.strict_answer_by)
        return _midnight(date.fromisoformat(earlier) - timedelta(days=days))

    def ends_at(self, case: Case) -> int:
        return _midnight(date.fromisoformat(case.answer_by) + timedelta(days=1))


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
    return replace(case, answer_by=answer_by, strict_answer_by=strict)


def _kept(policy: Policy, covers: str, otherwise: Period) -> Period:
    rule = policy.rule_covering(covers)
    return rule.period if rule and rule.period else otherwise


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
