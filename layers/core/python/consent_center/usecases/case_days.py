"""Until when a rights request is to be answered."""

from datetime import UTC, date, datetime, timedelta

from consent_center.domain.policy import Period, Policy


def answer_days(policy: Policy, jurisdiction: str, received_at: int) -> tuple[str, str]:
    """The last day to answer, and the same by the stricter reading that counts the day of receipt (ISO days).

    One month from the day of receipt (Art. 12(3) GDPR); `received_at` in epoch milliseconds.
    """
    del policy, jurisdiction  # A calendar with the holidays of the country knows better than plain months do.
    last = Period(months=1).after(datetime.fromtimestamp(received_at / 1000, UTC)).date()
    return last.isoformat(), (last - timedelta(days=1)).isoformat()


def day_ends(day: str) -> int:
    """The epoch second at which an ISO day is over."""
    after = date.fromisoformat(day) + timedelta(days=1)
    return int(datetime(after.year, after.month, after.day, tzinfo=UTC).timestamp())
