"""An edition of the notice and the people it reaches: how many, a letter for each, and who was told."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from consent_center.domain.affected import Follows, who_is_affected
from consent_center.domain.chain import Entry
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.domain.policy import Notice, Policy
from consent_center.domain.subject import Subject
from consent_center.domain.told import TOLD, About
from consent_center.ports.basics import Clock
from consent_center.ports.evidence import Ledger
from consent_center.ports.letters import Outbox
from consent_center.ports.people import Listing, Subjects
from consent_center.usecases.telling import notice_order

AT_ONCE = 500
"""Records that are read together."""


class Reach(NamedTuple):
    """How many records of a controller there are, and what follows for how many of them."""

    controller: str
    told: int
    asked_again: int
    left_in_peace: int


def count_reach(
    version: str, *, in_force_from: int, policy: Policy, subjects: Subjects, listing: Listing, clock: Clock
) -> list[Reach]:
    """What follows from an edition for everybody, by controller; nothing is sent and nothing is stored.

    `in_force_from` is when people began to be shown it (epoch milliseconds). UnknownNameError for an edition that the
    policy lacks; UnavailableError if anybody could not be read, because a count that leaves people out is none.
    """
    edition = _edition(version, policy)
    now = clock()
    found = []
    for controller in _controllers(policy):
        follows = Counter(
            who_is_affected(subject, edition, policy, in_force_from=in_force_from, now=now).follows
            for subject in _everybody(controller, subjects, listing)
        )
        found.append(Reach(controller, follows[Follows.TOLD], follows[Follows.ASKED_AGAIN], follows[Follows.NOBODY]))
    return found


def announce_edition(
    version: str,
    *,
    in_force_from: int,
    policy: Policy,
    subjects: Subjects,
    listing: Listing,
    outbox: Outbox,
    clock: Clock,
    progress: Callable[[], None] = lambda: None,
) -> int:
    """Order a letter for everybody who must hear of an edition; how many. `progress` is called for each record.

    Whoever writes the letters looks again, and sends each person one: so ordering all of them again, after a fault or
    by mistake, is harmless. UnknownNameError, UnavailableError as for the count.
    """
    edition = _edition(version, policy)
    now = clock()
    ordered = 0
    for controller in _controllers(policy):
        for subject in _everybody(controller, subjects, listing):
            affected = who_is_affected(subject, edition, policy, in_force_from=in_force_from, now=now)
            if affected.follows is not Follows.NOBODY:
                outbox.order(notice_order(subject.contact, version, in_force_from))
                ordered += 1
            progress()
    return ordered


class DayOfTelling(NamedTuple):
    """How many people were told of an edition on a day (UTC), and how many of them were asked again."""

    day: str
    told: int
    asked_again: int


class Log(NamedTuple):
    """Who was told of an edition, without people. `untold` are those who must hear of it and have not so far."""

    days: tuple[DayOfTelling, ...]
    untold: int
    left_in_peace: int


def log_of_telling(
    version: str,
    *,
    in_force_from: int,
    policy: Policy,
    subjects: Subjects,
    listing: Listing,
    ledger: Ledger,
    clock: Clock,
) -> Log:
    """Who was told of an edition and when, counted from the chains themselves; nothing is stored.

    UnknownNameError, UnavailableError as for the count.
    """
    edition = _edition(version, policy)
    now = clock()
    days: Counter[tuple[str, str]] = Counter()
    untold = peace = 0
    for controller in _controllers(policy):
        for subject in _everybody(controller, subjects, listing):
            told = _told_of(version, ledger.entries(subject.chain)) if subject.chain else None
            if told is not None:
                days[told] += 1
            else:
                follows = who_is_affected(subject, edition, policy, in_force_from=in_force_from, now=now).follows
                untold += follows is not Follows.NOBODY
                peace += follows is Follows.NOBODY
    rows = [
        DayOfTelling(day, days[day, Follows.TOLD], days[day, Follows.ASKED_AGAIN])
        for day in sorted({day for day, _ in days})
    ]
    return Log(tuple(rows), untold, peace)


def _told_of(version: str, entries: Iterable[Entry]) -> tuple[str, str] | None:
    """The day on which a letter about an edition was handed over, and what follows from it."""
    for entry in entries:
        body = entry.body
        if entry.kind == TOLD and body.get("about") == About.NOTICE and body.get("notice") == version:
            return str(body["told_at"])[:10], str(body["follows"])
    return None


def _edition(version: str, policy: Policy) -> Notice:
    edition = policy.notices.get(version)
    if edition is None:
        raise UnknownNameError("notice")
    return edition


def _controllers(policy: Policy) -> Iterable[str]:
    return dict.fromkeys(purpose.controller for purpose in policy.purposes.values())


def _everybody(controller: str, subjects: Subjects, listing: Listing) -> Iterator[Subject]:
    """Every record of a controller. UnavailableError if anybody cannot be read: who is left out would not be told."""
    for shard in range(listing.shards):
        contacts = listing.records(controller, shard)
        while several := list(islice(contacts, AT_ONCE)):
            states = subjects.states(several)
            if len(states) < len(set(several)):
                raise UnavailableError("notices: somebody could not be read")
            yield from states.values()
