"""Moving records to the current pepper, one by one: nothing about anybody changes, so no entry says anything."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from consent_center.domain.contact import Address, ContactPoint, contact_point, pseudonym
from consent_center.domain.errors import InvalidAddressError, TakenPlaceError
from consent_center.domain.moving import has_left
from consent_center.ports.basics import Addresses, Pause, Secrets
from consent_center.ports.people import Moves, Subjects
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh


class Outcome(StrEnum):
    """What became of a record that was to be moved."""

    MOVED = "moved"
    CURRENT = "current"
    """It is under the current pepper, or was moved by somebody else."""
    NO_ADDRESS = "no_address"
    """The address is no longer held. It stays readable where it is, as long as its pepper is held."""
    TAKEN = "taken"
    """Another record of the same address is under the current pepper."""


def move_to_current(
    contact: ContactPoint, *, subjects: Subjects, moves: Moves, addresses: Addresses, secrets: Secrets, pause: Pause
) -> Outcome:
    """Move one record to the current pepper. Harmless to repeat, and by two at once; who decides meanwhile wins.

    UnavailableError.
    """
    peppers = secrets.peppers()
    if contact.key_id == peppers.current:
        return Outcome.CURRENT
    pepper = peppers.keys.get(contact.key_id)

    def attempt() -> Outcome:
        held = subjects.holdings(contact)
        if held.subject.contact != contact:
            return Outcome.CURRENT
        known = [held.profile.address] if held.profile else []
        known += _addresses_told(held.subject.chain, subjects, addresses)
        for address in known:
            # An address that is not the record's own, such as one from before a change, would move it to somebody else.
            if pepper and pseudonym(pepper, contact.controller, contact.channel, address.normalised) == (
                contact.pseudonym
            ):
                new = contact_point(address, controller=contact.controller, channel=contact.channel, peppers=peppers)
                return Outcome.MOVED if moves.move(contact, new) else Outcome.CURRENT
        return Outcome.NO_ADDRESS

    try:
        return decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)
    except TakenPlaceError:
        return Outcome.TAKEN


def _addresses_told(chain: str | None, subjects: Subjects, addresses: Addresses) -> Iterator[Address]:
    """The addresses that events still tell, the newest first."""
    payloads = subjects.payloads(chain) if chain is not None else {}
    for seq in sorted(payloads, reverse=True):
        try:
            yield addresses(str(payloads[seq].content["address"]))
        except (InvalidAddressError, KeyError):
            continue


def is_move(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> bool:
    """Whether a change of a stored item is part of a move: of such, nobody has to be told and nothing is counted.

    A change of address is told once, by the state at the new place (`domain/announcement.py`).
    """
    came = after is not None and "moved_from" in after and (before is None or "moved_from" not in before)
    if came or any(image is not None and "moved_to" in image for image in (before, after)):
        return True
    # Of a change of address, the new place tells.
    return has_left(_former(before), _former(after))


def _former(image: Mapping[str, object] | None) -> Sequence[object]:
    """What a stored state says of records that were at its place before, from an image as a stream has it."""
    stored = (image or {}).get("former")
    listed = stored.get("L") if isinstance(stored, Mapping) else None
    return listed if isinstance(listed, list) else ()
