"""A person's change of address (Art. 16 GDPR): asked for on their page, confirmed from the new mailbox, then one act.

The answer on the page is the same whatever is known of the new address, so that nobody finds out about others. The old
address is told afterwards, so that nobody is moved without hearing of it.
"""

from dataclasses import dataclass

from consent_center.domain.capability import (
    AddressLink,
    Capability,
    open_address,
    open_manage,
)
from consent_center.domain.contact import Address, ContactPoint, address_name, source_name
from consent_center.domain.errors import (
    ExpiredTokenError,
    InvalidAddressError,
    InvalidFormError,
    NothingHeldError,
    RequestGoneError,
    TakenPlaceError,
    TooManyRequestsError,
    UnavailableError,
)
from consent_center.domain.letter import Letter
from consent_center.domain.moving import MOVED, UNDER_WAY_MS, AddressRequest, move
from consent_center.domain.policy import Policy
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.subject import Act
from consent_center.ports.basics import Addresses, Chance, Clock, Limits, Pause, Secrets
from consent_center.ports.letters import LetterOrder, Outbox
from consent_center.ports.people import AddressMoves, Holdings, Subjects
from consent_center.usecases.acts import facts
from consent_center.usecases.attempts import ATTEMPTS, decided_afresh
from consent_center.usecases.sign_up import MostSignUps
from consent_center.usecases.whereabouts import require_here
from consent_center.usecases.whose import whose


def look_at_address(
    token: str, *, policy: Policy, subjects: Subjects, secrets: Secrets, clock: Clock
) -> tuple[str, str]:
    """The address that we write to, and the person's language. Reads only.

    InvalidTokenError, ExpiredTokenError; NothingHeldError where no address is held.
    """
    held = _held(token, subjects, secrets, clock())
    if held.profile is None:
        raise NothingHeldError
    return held.profile.address.mailable, policy.spoken(held.subject.language)


def ask_to_move(
    token: str,
    email: str,
    *,
    network: str | None,
    most: MostSignUps,
    limits: Limits,
    policy: Policy,
    addresses: Addresses,
    subjects: Subjects,
    moves: AddressMoves,
    outbox: Outbox,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
) -> str:
    """Store the request at the new place, and order the letter that asks there. Nothing moves yet.

    Answers the person's language.
    A new address that was written to too often this hour gets the same answer and no letter, as at sign-up.
    InvalidFormError for what is no address (`email`: `same` for the one that is held); TooManyRequestsError if the
    network, already shortened, or the person asked too often; InvalidTokenError, ExpiredTokenError, NothingHeldError,
    UnavailableError.
    """
    now = clock()
    held = _held(token, subjects, secrets, now)
    contact = held.subject.contact
    if held.profile is None or held.subject.chain is None:
        raise NothingHeldError
    try:
        address = addresses(email)
    except InvalidAddressError as error:
        raise InvalidFormError({"email": str(error)}) from None
    if address.normalised == held.profile.address.normalised:
        raise InvalidFormError({"email": "same"})
    new = whose(address, controller=contact.controller, subjects=subjects, secrets=secrets)
    source = source_name(network or "unknown", contact.controller, secrets.peppers())
    for name, number in ((f"move#{source}", most.per_source), (f"move#{address_name(contact)}", most.per_address)):
        if not limits.take(name, number, now // 1000):
            raise TooManyRequestsError
    # The same count as of sign-ups: what is limited is how many letters one mailbox gets.
    language = policy.spoken(held.subject.language)
    if not limits.take(address_name(new), most.per_address, now // 1000):
        return language
    request = AddressRequest(
        id=chance.name(),
        contact=new,
        address=address,
        old=held.subject.contact,
        chain=held.subject.chain,
        language=language,
        requested_at=now,
        expires_at=policy.pending_period.after_epoch(now),
    )
    moves.ask(request)
    outbox.order(LetterOrder(Letter.ADDRESS, new, request.id))
    return language


@dataclass(frozen=True, slots=True)
class AddressChange:
    """What the link in the letter to the new address stands for."""

    language: str
    address: str
    """The new address."""
    contact: ContactPoint
    request: str
    is_done: bool = False
    """Whether it has been pressed already."""


def look_at_change(
    token: str, *, policy: Policy, subjects: Subjects, moves: AddressMoves, secrets: Secrets, clock: Clock
) -> AddressChange:
    """What the page asks, or that it is done. Reads only. InvalidTokenError; RequestGoneError: `expired` or `gone`."""
    link = _link(token, secrets, clock())
    request = moves.asked(link.contact, link.request)
    if request is None:
        return _done(link, policy, subjects)
    return AddressChange(request.language, request.address.mailable, request.contact, request.id)


def confirm_change(
    token: str,
    *,
    policy: Policy,
    subjects: Subjects,
    moves: AddressMoves,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> tuple[AddressChange, bool]:
    """Move the record to the address that the link reached; True if this press did it, False if it was done before.

    InvalidTokenError; RequestGoneError: `expired`, or `gone` if the record has moved elsewhere, was erased, or
    letters stopped reaching it and reach somebody again since;
    TakenPlaceError if somebody is known at the new address; UnavailableError.
    """
    link = _link(token, secrets, clock())

    def attempt() -> tuple[AddressChange, bool]:
        request = moves.asked(link.contact, link.request)
        if request is None:
            return _done(link, policy, subjects), False
        try:
            return once(request), True
        except (RequestGoneError, TakenPlaceError):
            # Another press of this very link was first.
            if moves.asked(link.contact, link.request) is None:
                return _done(link, policy, subjects), False
            raise

    def once(request: AddressRequest) -> AddressChange:
        held, there = subjects.holdings(request.old), subjects.load(request.contact).subject
        since = request.requested_at - UNDER_WAY_MS
        if held.profile is None or held.subject.chain != request.chain or held.subject.next_move(since) is not None:
            raise RequestGoneError("gone")
        if held.subject.holder_since > request.requested_at and UNDELIVERABLE not in held.subject.locks:
            # Letters stopped reaching whoever asked, and reach somebody again: that may be somebody else.
            raise RequestGoneError("gone")
        told = facts(policy, (), source="page", capability=Capability.ADDRESS.value)
        details = {"from": held.profile.address.mailable, "address": request.address.mailable, "request": request.id}
        act = Act(MOVED, by_person=True, facts=told, details=details)
        moving = move(held.subject, there, request.address, act, now=clock(), chance=chance.decision())
        moves.move(moving, request)
        place = moving.decision.subject.contact
        return AddressChange(request.language, request.address.mailable, place, request.id, is_done=True)

    return decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def move_address(
    old: ContactPoint,
    new: Address,
    *,
    source: str,
    client: str,
    policy: Policy,
    subjects: Subjects,
    moves: AddressMoves,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> str:
    """Move a record for a person who asked staff to, and whom they are sure of; the event that says so.

    `old` is where the record is, `source` the door it came by, `client` who came. NothingHeldError where no address is
    held; TakenPlaceError if somebody is known at the new address: one of the two records has to be erased first;
    TooManyRequestsError for a record that had too many addresses; UnavailableError.
    """

    def attempt() -> str:
        held = subjects.holdings(old)
        there = subjects.load(whose(new, controller=old.controller, subjects=subjects, secrets=secrets)).subject
        if held.profile is None or held.subject.chain is None:
            raise NothingHeldError
        told = {**facts(policy, (), source=source, capability=source), "recorded_by": client}
        details = {"from": held.profile.address.mailable, "address": new.mailable}
        act = Act(MOVED, by_person=False, facts=told, details=details)
        moving = move(held.subject, there, new, act, now=clock(), chance=chance.decision())
        moves.move(moving)
        return moving.decision.entry.evidence

    return decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def order_notice(change: AddressChange, *, outbox: Outbox) -> bool:
    """Order the letter that tells the old address; False if the queue takes no order now.

    The move is stored by then and stays: whoever presses again orders it again, and one letter goes out for each.
    """
    if not change.is_done:
        return False
    try:
        outbox.order(LetterOrder(Letter.ADDRESS_CHANGED, change.contact, change.request))
    except UnavailableError:
        return False
    return True


# ---- Parts ------------------------------------------------------------------------------------------------------


def _held(token: str, subjects: Subjects, secrets: Secrets, now: int) -> Holdings:
    link = open_manage(token, secrets.links(), now=now // 1000)
    held = subjects.holdings(link.contact)
    require_here(held.subject, link.made_at)
    return held


def _link(token: str, secrets: Secrets, now: int) -> AddressLink:
    try:
        return open_address(token, secrets.links(), now=now // 1000)
    except ExpiredTokenError:
        raise RequestGoneError("expired") from None


def _done(link: AddressLink, policy: Policy, subjects: Subjects) -> AddressChange:
    """That it was done before, as long as the record is still where it went. RequestGoneError."""
    held = subjects.holdings(link.contact)
    old = (link.old.key_id, link.old.pseudonym)
    if held.profile is None or not any(old == (one.key_id, one.pseudonym) for one in held.subject.came_from):
        raise RequestGoneError("gone")
    language = policy.spoken(held.subject.language)
    return AddressChange(language, held.profile.address.mailable, held.subject.contact, link.request, is_done=True)
