"""Asking for the link to one's preferences: answered alike for all, mailed only where there is something to manage."""

from consent_center.domain.capability import expired_manage, open_withdrawal
from consent_center.domain.contact import ContactPoint, address_name, source_name
from consent_center.domain.errors import InvalidAddressError, InvalidFormError, InvalidTokenError, TooManyRequestsError
from consent_center.domain.letter import Letter
from consent_center.domain.policy import Brand
from consent_center.ports.basics import Addresses, Chance, Clock, Limits, Secrets
from consent_center.ports.letters import LetterOrder, Outbox
from consent_center.ports.people import Subjects
from consent_center.usecases.sign_up import MostSignUps
from consent_center.usecases.whereabouts import meant_by
from consent_center.usecases.whose import whose


def contact_of_address(
    email: str, brand: Brand, *, addresses: Addresses, subjects: Subjects, secrets: Secrets
) -> ContactPoint:
    """Whose the link is that somebody asks for who typed an address on a page of a brand.

    InvalidFormError for what is no address. What is read is the same for everybody, and decides only where the letter
    looks.
    """
    try:
        address = addresses(email)
    except InvalidAddressError as error:
        raise InvalidFormError({"email": str(error)}) from None
    return whose(address, controller=brand.controller, subjects=subjects, secrets=secrets)


def contact_of_link(token: str, *, subjects: Subjects, secrets: Secrets) -> ContactPoint:
    """Whom an unsubscribe link, or an expired link to preferences, was made for, wherever their record is since.

    Whoever holds the link gets nothing by it. InvalidTokenError for any other token.
    """
    keys = secrets.links()
    try:
        manage = expired_manage(token, keys)
        made_for, made_at = manage.contact, manage.made_at
    except InvalidTokenError:
        stop = open_withdrawal(token, keys)
        made_for, made_at = stop.contact, stop.meant_at
    return meant_by(subjects.load(made_for).subject, made_at, subjects)[0].contact


def ask_for_link(
    contact: ContactPoint,
    brand: Brand,
    *,
    network: str | None,
    most: MostSignUps,
    limits: Limits,
    outbox: Outbox,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
) -> None:
    """Order the letter, which goes to the address that the person has.

    It comes from `brand` if that is of their controller. Limited as sign-ups are, under names of its own; an address
    over its limit gets the same answer and no letter. TooManyRequestsError if `network` (already shortened) asked too
    often; UnavailableError if the letter could not be ordered.
    """
    now = clock() // 1000
    source = source_name(network or "unknown", contact.controller, secrets.peppers())
    if not limits.take(f"link#{source}", most.per_source, now):
        raise TooManyRequestsError
    if limits.take(f"link#{address_name(contact)}", most.per_address, now):
        outbox.order(LetterOrder(Letter.PREFERENCES, contact, chance.name(), brand.id))
