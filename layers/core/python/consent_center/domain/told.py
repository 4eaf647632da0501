"""What people were told by letter without having asked: that the notice changed, and that others gave us their data.

Art. 13(3) and 14(4) GDPR: before data are used for something new. Art. 14(3)(a) and (b) GDPR: within a month, and at
the latest with the first communication, so the letter goes first. Telling somebody decides nothing for them.
"""

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from consent_center.domain.chain import Entry
from consent_center.domain.decision import DecisionState

TOLD = "told"
"""The kind of the event."""


class About(StrEnum):
    """What a letter told of."""

    NOTICE = "notice"
    SOURCE = "source"


class Telling(NamedTuple):
    """A letter that the mail service took. `of` is the edition, or the number of the event that brought the data."""

    about: About
    of: str
    follows: str | None
    """For an edition: `told` or `asked_again`."""
    language: str
    at: int
    """Epoch milliseconds at which it was handed over."""

    @property
    def facts(self) -> dict[str, Any]:
        """What its entry says, beside policy and door."""
        told = {"about": self.about.value, "language": self.language, "told_at": _timestamp(self.at)}
        if self.about is About.NOTICE:
            return {**told, "notice": self.of, "follows": self.follows}
        return {**told, "informs": int(self.of)}

    def is_told_by(self, entry: Entry) -> bool:
        """Whether an entry says this already."""
        named = "notice" if self.about is About.NOTICE else "informs"
        body = entry.body
        return entry.kind == TOLD and body.get("about") == self.about and body.get(named) == self.facts[named]


class Untold:
    """The events that brought data from others and that the person has not been told of, entry by entry."""

    def __init__(self) -> None:
        self.deadlines: dict[int, int] = {}
        """Epoch seconds by the number of the event."""

    def take(self, entry: Entry) -> None:
        """The next entry of the chain. KeyError, ValueError or TypeError for one that is not as we write them."""
        body = entry.body
        if body.get("informed"):
            self.deadlines.clear()
        if "inform_by" in body and any(DecisionState(one["after"]).permits for one in body.get("changes", ())):
            self.deadlines[entry.seq] = int(dt.datetime.fromisoformat(body["inform_by"]).timestamp())
        if entry.kind == TOLD and body.get("about") == About.SOURCE:
            self.deadlines.pop(int(body["informs"]), None)

    @property
    def inform_by(self) -> int:
        """By when the person must be told (epoch seconds); 0 where there is nothing to tell."""
        return min(self.deadlines.values(), default=0)


def untold(entries: Iterable[Entry]) -> Untold:
    """What a chain's entries, in order, leave to be told."""
    found = Untold()
    for entry in entries:
        found.take(entry)
    return found


def _timestamp(at: int) -> str:
    return dt.datetime.fromtimestamp(at / 1000, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
