"""A written letter, addressed: the one place that says who it is from."""

from collections.abc import Mapping, Sequence

from consent_center.domain.policy import Brand
from consent_center.ports.letters import Attachment, Envelope, WrittenLetter


def addressed(
    written: WrittenLetter,
    to: str,
    brand: Brand,
    *,
    headers: Mapping[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
) -> Envelope:
    """The letter from a brand to an address, with what its headers say and what goes with it."""
    return Envelope(
        to=to,
        sender_name=brand.sender_name,
        sender_address=brand.sender_address,
        subject=written.subject,
        text=written.text,
        html=written.html,
        headers=headers or {},
        attachments=attachments,
    )
