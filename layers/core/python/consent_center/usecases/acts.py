"""What the entry of an event says beside its changes: which policy, which words, which door, on which legal basis."""

from collections.abc import Iterable
from typing import Any

from consent_center.domain.policy import Policy, Scope
from consent_center.domain.wording import Wording


def facts(
    policy: Policy, scopes: Iterable[Scope], *, source: str, capability: str, is_consent: bool = False
) -> dict[str, Any]:
    """The facts of any act: its policy, its door, and legal basis and brand of each purpose it is about.

    With `is_consent` the basis is the person's yes, also for a purpose that rests on sales else.
    """
    purposes = {scope.purpose: policy.purpose(scope.purpose) for scope in scopes if scope.purpose in policy.purposes}
    return {
        "source": source,
        "capability": capability,
        "policy_hash": policy.hash,
        "purposes": {
            name: {"basis": "consent" if is_consent else one.legal_basis, "brand": one.brand}
            for name, one in purposes.items()
        },
    }


def wording_facts(policy: Policy, wording: Wording, controller: str, collection: str) -> dict[str, Any]:
    """What a consent adds: the words that were shown, their notice and language, and how it was collected."""
    return {
        "notice": wording.notice,
        "notice_hash": policy.notice_hash(wording.notice, wording.language, controller),
        "language": wording.language,
        "wording_hash": wording.hash,
        "collection": collection,
    }
