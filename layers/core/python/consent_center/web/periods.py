"""Periods for the templates, which put them into words."""

from typing import Any

from consent_center.domain.policy import Period


def period_in_words(period: Period) -> dict[str, Any]:
    """How a period is posted (`value`), and its months, else weeks where it is whole weeks, else days."""
    weeks = period.days // 7 if period.days % 7 == 0 and not period.months else 0
    return {"period": str(period), "months": period.months, "weeks": weeks, "days": 0 if weeks else period.days}
