"""Whether letters reach an address, and what becomes of its record when they no longer do.

An address that takes no mail may be given to somebody else. So a hard bounce ends the time of whoever held it: what
they agreed to ends, their no stays, and no letter goes out until somebody confirms from that address again.
"""

from dataclasses import replace

from consent_center.domain.subject import Decision

UNDELIVERABLE = "undeliverable"
"""The lock of a contact point that letters no longer reach. It stops every letter, whatever allows it."""


def unreachable(decision: Decision) -> Decision:
    """The same decision about a contact point that letters no longer reach, from the moment of the decision on."""
    subject = decision.subject
    locks = (*subject.locks, *([] if UNDELIVERABLE in subject.locks else [UNDELIVERABLE]))
    return replace(decision, subject=replace(subject, locks=locks, holder_since=subject.last_at))


def reached(decision: Decision) -> Decision:
    """The same decision, made from the address itself: letters reach it."""
    subject = decision.subject
    if UNDELIVERABLE not in subject.locks:
        return decision
    return replace(
        decision, subject=replace(subject, locks=tuple(lock for lock in subject.locks if lock != UNDELIVERABLE))
    )
