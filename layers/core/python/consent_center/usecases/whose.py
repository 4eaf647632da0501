"""From an address to its record, under whichever pepper that is: the one place where older peppers are looked at."""

from collections.abc import Mapping, Sequence

from consent_center.domain.contact import Address, ContactPoint, contact_points
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Secrets
from consent_center.ports.people import Subjects

CHANNEL = "email"


def whose(address: Address, *, controller: str, subjects: Subjects, secrets: Secrets) -> ContactPoint:
    """The contact point of an address: where something is known of it, or else that under the current pepper.

    With one pepper nothing is read. With several, the same is read for everybody, so that the time it takes says
    nothing about anybody. The current place is read first: whoever is moved meanwhile is found at their old
    place, which leads to the new one. UnavailableError.
    """
    places = contact_points(address, controller=controller, channel=CHANNEL, peppers=secrets.peppers())
    if len(places) == 1:
        return places[0]
    found = [subjects.load(place).subject for place in places]
    return next((subject.contact for subject in found if is_known(subject)), places[0])


def states_under_all(
    addresses: Mapping[ContactPoint, Address], *, subjects: Subjects, secrets: Secrets
) -> Mapping[ContactPoint, Subject]:
    """The states of contact points under the current pepper, each with the address that it was made from.

    Older peppers are looked at only for those of whom nothing is known under the current one, in one further batch. A
    state says where it really is; whoever could not be read under one of the peppers is left out.
    """
    read = subjects.states(list(addresses))
    peppers = secrets.peppers()
    if len(peppers.keys) == 1:
        return read
    older: dict[ContactPoint, Sequence[ContactPoint]] = {
        place: contact_points(addresses[place], controller=place.controller, channel=place.channel, peppers=peppers)[1:]
        for place, subject in read.items()
        if not is_known(subject)
    }
    there = subjects.states([one for several in older.values() for one in several]) if older else {}
    found = dict(read)
    for place, several in older.items():
        if any(one not in there for one in several):
            del found[place]
            continue
        known = (there[one] for one in several if is_known(there[one]))
        found[place] = next(known, read[place])
    return found


def is_known(subject: Subject) -> bool:
    """Whether a record or a suppression is there, or somebody whom a letter asks."""
    return bool(subject.chain or subject.suppression or subject.erasing or subject.requested)
