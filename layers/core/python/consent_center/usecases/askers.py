"""Who asked in a case: the same person under a new pepper and at a new address, never who has the old address since.

A case keeps the contact point that it was opened under. A rotation leads on from there, and so does a change of address
that is later than the request; whoever came to the old address after that is somebody else.
"""

from collections.abc import Collection, Mapping
from typing import Any

from consent_center.domain.case import Case
from consent_center.domain.contact import Address, ContactPoint, contact_points
from consent_center.domain.moving import UNDER_WAY_MS
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Secrets
from consent_center.ports.cases import Cases, Particulars
from consent_center.ports.people import Subjects
from consent_center.usecases.whereabouts import meant_by
from consent_center.usecases.whose import is_known


def who_asked(case: Case, subjects: Subjects) -> Subject | None:
    """The record of who asked, where it is now; None for somebody whose address changed and who was erased since.

    Of somebody of whom nothing was known it is what is known at their place now. UnavailableError.
    """
    here = subjects.load(case.contact).subject
    if not has_left(case, here):
        return here
    (found,) = meant_by(here, case.received_at, subjects)
    return found if is_known(found) else None


def has_left(case: Case, here: Subject) -> bool:
    """Whether who asked has another address since, by the state at the place that they asked from."""
    return here.next_move(case.received_at - UNDER_WAY_MS) is not None


def is_former_holders(case: Case, subjects: Subjects) -> bool:
    """Whether letters stopped reaching the address after the request: who reads it now may be somebody else.

    UnavailableError.
    """
    asker = who_asked(case, subjects)
    return asker is not None and case.received_at <= asker.holder_since


def followed(
    case: Case, kept: Mapping[str, Any], *, subjects: Subjects, particulars: Particulars | None = None
) -> Mapping[str, Any] | None:
    """The particulars of a case with the address that its person has now; None if they moved, and nobody knows it.

    With `particulars` a new address is kept, because an erasure takes away what leads to it; those of before stay as
    `former_addresses`, because recipients may know the person by them. UnavailableError.
    """
    if kept.get("new_address") or not has_left(case, here := subjects.load(case.contact).subject):
        # Of an address that staff put right both are known, and both are told.
        return kept
    (found,) = meant_by(here, case.received_at, subjects)
    profile = subjects.holdings(found.contact).profile if is_known(found) else None
    if profile is None:
        return kept if kept.get("former_addresses") else None
    if kept["address"] == profile.address.mailable:
        return kept
    address = profile.address.mailable
    before = [one for one in (*kept.get("former_addresses", ()), kept["address"]) if one != address]
    moved = {**kept, "address": address, "former_addresses": list(dict.fromkeys(before))}
    if particulars is not None:
        particulars.keep(case.id, moved)
    return moved


def cases_of(
    subject: Subject, address: Address | None, *, cases: Cases, subjects: Subjects, secrets: Secrets
) -> list[Case]:
    """Every case of the person of a record, the newest first: also from before a rotation or a change of address.

    Without what somebody else asked who had the address before. Without `address` those under older peppers are found
    only where the record leads to them. UnavailableError.
    """
    mine = {subject.contact}
    if address is not None:
        controller, channel, *_ = subject.contact
        mine.update(contact_points(address, controller=controller, channel=channel, peppers=secrets.peppers()))
    before = [
        subject.contact._replace(key_id=move.key_id, pseudonym=move.pseudonym)
        for move in subject.came_from
        if not move.leads_nowhere
    ]
    found = cases.of(list(dict.fromkeys([*mine, *before])))
    return [case for case in found if is_theirs(case, subject, mine, subjects)]


def is_theirs(case: Case, subject: Subject, mine: Collection[ContactPoint], subjects: Subjects) -> bool:
    """Whether the person of a record asked in a case; `mine` are the contact points of their address."""
    if case.received_at <= subject.holder_since:
        return False
    asker = who_asked(case, subjects)
    return asker is not None and asker.contact in mine
