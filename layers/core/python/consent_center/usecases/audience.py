"""Making audiences: every night a file of whom a purpose may write to, and between nights lines about who decided."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from consent_center.domain.audience import (
    CHANNEL,
    NO_ADDRESS,
    VALID_FOR_MS,
    AudienceRules,
    AudienceRun,
    Member,
    Reached,
    change_row,
    gone_row,
    manifest,
    row,
)
from consent_center.domain.contact import Address, ContactPoint, contact_point
from consent_center.domain.errors import UnavailableError
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Subject
from consent_center.domain.suppression import Suppression, base_of
from consent_center.ports.basics import Clock, Secrets
from consent_center.ports.exchange import AudienceFiles, AudienceOrders, Counted
from consent_center.ports.people import Listing, Subjects
from consent_center.usecases.whose import states_under_all

AT_ONCE = 500
"""Records that are read together. No more than these are in memory, however many there are."""


def order_audiences(
    purposes: Sequence[str], *, policy: Policy, listing: Listing, orders: AudienceOrders, clock: Clock
) -> int:
    """Have an audience made for each purpose, shard by shard; how many shards were ordered.

    UnknownNameError, before anything is ordered, for a purpose that can have none. UnavailableError: running it again
    begins another run, and what the one before left behind is never used.
    """
    for purpose in purposes:
        AudienceRules(policy, purpose)
    now = clock()
    for purpose in purposes:
        for shard in range(listing.shards):
            orders.order(AudienceRun.beginning(purpose, now), shard)
    return len(purposes) * listing.shards


def make_part(
    run: AudienceRun,
    shard: int,
    *,
    policy: Policy,
    subjects: Subjects,
    listing: Listing,
    files: AudienceFiles,
    secrets: Secrets,
    clock: Clock,
) -> bool:
    """Write one shard's part of an audience, and the manifest if it was the last; whether the audience is whole now.

    Safe to run twice and at the same time: what is there stays. A run whose end has come is left as it is.
    UnavailableError if anybody could not be read, because nobody may be missing without being counted.
    """
    if clock() >= run.valid_until:
        return False
    if files.part(run, shard) is None:
        rules = AudienceRules(policy, run.purpose)
        counts = _Counts()
        found = listing.records(rules.purpose.controller, shard)
        rows = _rows(run, rules, found, counts, subjects, secrets, clock)
        files.add_part(run, shard, rows, lambda: counts.counted)
    parts = []
    for number in range(listing.shards):
        part = files.part(run, number)
        if part is None:
            return False
        parts.append(part)
    files.finish(run, manifest(run, parts, policy))
    return True


class _Counts:
    def __init__(self) -> None:
        self.included, self.left_out = 0, Counter[str]()

    @property
    def counted(self) -> Counted:
        return Counted(self.included + self.left_out.total(), self.included, dict(sorted(self.left_out.items())))


def _rows(
    run: AudienceRun,
    rules: AudienceRules,
    contacts: Iterator[ContactPoint],
    counts: _Counts,
    subjects: Subjects,
    secrets: Secrets,
    clock: Clock,
) -> Iterator[str]:
    while several := list(islice(contacts, AT_ONCE)):
        members, reached = _members(rules, several, subjects, secrets, clock(), run.valid_until)
        for subject, member in members:
            if member.left_out is not None:
                counts.left_out[member.left_out] += 1
            elif (at := reached[subject.contact]) is None:
                counts.left_out[NO_ADDRESS] += 1
            else:
                counts.included += 1
                yield row(subject, member, at)


def _members(
    rules: AudienceRules,
    contacts: Sequence[ContactPoint],
    subjects: Subjects,
    secrets: Secrets,
    now: int,
    until: int,
    *,
    addresses_of_all: bool = False,
) -> tuple[list[tuple[Subject, Member]], Mapping[ContactPoint, Reached | None]]:
    """What is said of each, and where those are written to who may be; of the others the address is not read."""
    states = subjects.states(contacts)
    choosy = [contact for contact, subject in states.items() if rules.needs_last_send(subject, now, until)]
    last_sends = subjects.last_sends(choosy, rules.purpose.id, CHANNEL) if choosy else {}
    if len(states) < len(set(contacts)) or len(last_sends) < len(choosy):
        raise UnavailableError("audience: somebody could not be read")

    def member(contact: ContactPoint, also: Suppression | None = None) -> Member:
        last_send = last_sends.get(contact) or None
        return rules.member(states[contact], now=now, until=until, last_send=last_send, also=also)

    members = {contact: member(contact) for contact in states}
    wanted = [contact for contact, one in members.items() if addresses_of_all or one.left_out is None]
    reached = _reached([states[contact].contact for contact in wanted], subjects)
    for contact, also in _suppressed_without_tag(wanted, states, reached, subjects, secrets).items():
        members[contact] = member(contact, also)
    return [(states[contact], one) for contact, one in members.items()], reached


def _suppressed_without_tag(
    contacts: Sequence[ContactPoint],
    states: Mapping[ContactPoint, Subject],
    reached: Mapping[ContactPoint, Reached | None],
    subjects: Subjects,
    secrets: Secrets,
) -> Mapping[ContactPoint, Suppression]:
    """Of addresses with a tag, the suppression of the address without it: it keeps out every tag, as in the check."""
    bases: dict[ContactPoint, ContactPoint] = {}
    addresses: dict[ContactPoint, Address] = {}
    for contact in contacts:
        at = reached[states[contact].contact]
        base = base_of(Address(at.address, at.normalised)) if at is not None and "+" in at.normalised else None
        if base is not None:
            controller = contact.controller
            place = contact_point(base, controller=controller, channel=CHANNEL, peppers=secrets.peppers())
            bases[contact], addresses[place] = place, base
    if not bases:
        return {}
    found = states_under_all(addresses, subjects=subjects, secrets=secrets)
    if len(found) < len(addresses):
        raise UnavailableError("audience: somebody could not be read")
    return {
        contact: suppression
        for contact, place in bases.items()
        if (suppression := found[place].suppression) is not None
    }


def _reached(contacts: Sequence[ContactPoint], subjects: Subjects) -> Mapping[ContactPoint, Reached | None]:
    reached = subjects.reached(contacts) if contacts else {}
    if len(reached) < len(contacts):
        raise UnavailableError("audience: somebody could not be read")
    return reached


class Change(NamedTuple):
    """Somebody decided: the contact point, its chain at that moment, and the codes of the purposes concerned."""

    contact: ContactPoint
    chain: str
    purposes: tuple[str, ...]


def note_changes(
    changed: Iterable[Change],
    purposes: Sequence[str],
    *,
    policy: Policy,
    subjects: Subjects,
    files: AudienceFiles,
    secrets: Secrets,
    clock: Clock,
) -> int:
    """Write lines about people who decided something, one file for each purpose; how many lines there are.

    `purposes` are the ids of those that have an audience. A line says what holds when the record is read, which may be
    more than the decision that it is about; of a chain that its record no longer has, because the person was erased, it
    says no. UnavailableError: trying again writes the
    lines anew, which says the same or something newer.
    """
    by_code: dict[str, set[tuple[ContactPoint, str]]] = {}
    for contact, chain, codes in changed:
        for code in codes:
            by_code.setdefault(code, set()).add((contact, chain))
    lines = 0
    for purpose_id in purposes:
        rules = AudienceRules(policy, purpose_id)
        known = {
            (contact, chain)
            for contact, chain in by_code.get(rules.purpose.code, ())
            if contact.controller == rules.purpose.controller and contact.channel == CHANNEL
        }
        contacts = sorted({contact for contact, _ in known})
        if not contacts:
            continue
        now = clock()
        members, reached = _members(rules, contacts, subjects, secrets, now, now + VALID_FOR_MS, addresses_of_all=True)
        rows = [
            change_row(subject, member, reached[subject.contact], now) for subject, member in members if subject.chain
        ]
        chains = {subject.chain for subject, _ in members}
        rows += [gone_row(chain, now) for chain in sorted({chain for _, chain in known} - chains)]
        if rows:
            files.add_changes(purpose_id, now, rows)
            lines += len(rows)
    return lines


def concerned(before: Mapping[str, object] | None, after: Mapping[str, object]) -> list[str]:
    """The codes of purposes that a stored state, as it was or as it is, says something about.

    What it said counts too: an undone yes leaves nothing behind, and has to leave the audience. What was only asked
    about is not decided. Codes of objections (Art. 21 GDPR) are no purpose's own; the purposes that they end are those
    decided beside them.
    """
    codes: set[str] = set()
    for image in (before or {}, after):
        decided = image.get("d")
        if isinstance(decided, Mapping):
            codes |= {str(code).partition(".")[0] for code in decided.get("M", {})}
    return sorted(codes)
