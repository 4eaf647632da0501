"""Until when a rights request is to be answered."""

from consent_center.domain.deadline import CaseDays
from consent_center.domain.policy import Policy


def answer_days(policy: Policy, controller: str, received_at: int) -> tuple[str, str]:
    """The last day to answer, and the same by the stricter reading that counts the day of receipt (ISO days).

    One month from the day of receipt (Art. 12(3) GDPR), by the controller's calendar; `received_at` in epoch
    milliseconds.
    """
    jurisdiction = policy.country_of(controller)
    return CaseDays(policy).of_request(received_at, controller=controller, jurisdiction=jurisdiction)
