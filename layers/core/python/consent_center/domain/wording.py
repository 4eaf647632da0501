"""The exact words a person agrees to: built from the policy, shown on the page, hashed into the evidence."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from consent_center.domain.chain import canonical
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.policy import Policy, Purpose, Topic


@dataclass(frozen=True, slots=True)
class Wording:
    """What was shown, paragraph by paragraph, in one language under one notice version."""

    paragraphs: tuple[str, ...]
    language: str
    notice: str

    @property
    def hash(self) -> str:
        """SHA-256 over language, notice version and paragraphs."""
        return hashlib.sha256(
            canonical({"language": self.language, "notice": self.notice, "paragraphs": list(self.paragraphs)})
        ).hexdigest()


def consent_wording(policy: Policy, purpose: Purpose, topics: Sequence[Topic], language: str) -> Wording:
    """The consent to some topics of a purpose: who sends what, how often, and how to withdraw (Art. 7(3) GDPR)."""
    if purpose.consent_text is None or purpose.withdrawal_text is None:
        raise UnknownNameError("purpose")
    brand = policy.brand_of(purpose)
    names = ", ".join(policy.text(topic.name, language) for topic in topics)
    words = {
        "brand": brand.name,
        "controller": str(policy.controller(purpose.controller)["name"]),
        "topics": names,
    }
    each = [
        f"{policy.text(topic.name, language)}: {policy.text(topic.description, language)} "
        f"{policy.sentence(topic.frequency, language)}"
        for topic in topics
    ]
    return Wording(
        (
            policy.text(purpose.consent_text, language).format_map(words),
            *each,
            policy.text(purpose.withdrawal_text, language).format_map(words),
        ),
        language,
        policy.notice_of(purpose.controller).version,
    )
