"""How many people an edition of the notice reaches, before anybody is written to."""

from collections import Counter
from itertools import islice
from typing import NamedTuple

from consent_center.domain.affected import Follows, who_is_affected
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.domain.policy import Policy
from consent_center.ports import Clock, Listing, Subjects

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
    edition = policy.notices.get(version)
    if edition is None:
        raise UnknownNameError("notice")
    now = clock()
    found = []
    for controller in dict.fromkeys(purpose.controller for purpose in policy.purposes.values()):
        follows: Counter[Follows] = Counter()
        for shard in range(listing.shards):
            contacts = listing.records(controller, shard)
            while several := list(islice(contacts, AT_ONCE)):
                states = subjects.states(several)
                if len(states) < len(set(several)):
                    raise UnavailableError("notices: somebody could not be read")
                follows.update(
                    who_is_affected(subject, edition, policy, in_force_from=in_force_from, now=now).follows
                    for subject in states.values()
                )
        found.append(Reach(controller, follows[Follows.TOLD], follows[Follows.ASKED_AGAIN], follows[Follows.NOBODY]))
    return found
