"""A rights request from its receipt to its closing: what may follow what, and what is owed to the person next.

A case names nobody by itself: the address, and whatever a person wrote, are its particulars, which are kept apart and
shredded (`ports.Particulars`). Every change of a case is a new value of it with one line for its log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import ForbiddenStepError


class Right(StrEnum):
    """What somebody asks for; the articles are those of the GDPR."""

    ACCESS = "access"
    """Art. 15"""
    RECTIFICATION = "rectification"
    """Art. 16"""
    ERASURE = "erasure"
    """Art. 17"""
    RESTRICTION = "restriction"
    """Art. 18"""
    PORTABILITY = "portability"
    """Art. 20"""
    OBJECTION = "objection"
    """Art. 21"""
    COMPLAINT = "complaint"
    """No right of its own: somebody says that we did wrong."""


class CaseState(StrEnum):
    UNPROVEN = "unproven"
    """A letter asks whether the request came from the mailbox. The period runs all the same."""
    WITH_PERSON = "with_person"
    """We doubt who asks and have said why and what we need (Art. 12(6))."""
    COOLING_OFF = "cooling_off"
    """An erasure that the person may still take back. Nothing is sent meanwhile."""
    WITH_STAFF = "with_staff"
    """A person of ours has to decide or answer."""
    RUNNING = "running"
    """It is carried out: here, and by every recipient that has a task."""
    PARTLY_DONE = "partly_done"
    """Done here; a recipient has not answered, and the person knows."""
    DONE = "done"
    REFUSED = "refused"
    """With a ground, and the ways to challenge it (Art. 12(4))."""
    CANCELLED = "cancelled"
    """By the person."""
    LAPSED = "lapsed"
    """Nobody proved that the mailbox asked, or answered our question; or the address has another holder since."""

    @property
    def is_closed(self) -> bool:
        return self in _CLOSED


_CLOSED = {CaseState.DONE, CaseState.REFUSED, CaseState.CANCELLED, CaseState.LAPSED}

_FOLLOWS = {
    CaseState.UNPROVEN: {
        CaseState.COOLING_OFF,
        CaseState.WITH_STAFF,
        CaseState.RUNNING,
        CaseState.REFUSED,
        CaseState.CANCELLED,
        CaseState.LAPSED,
    },
    CaseState.WITH_PERSON: {CaseState.COOLING_OFF, CaseState.WITH_STAFF, CaseState.RUNNING, *_CLOSED}
    - {CaseState.DONE},
    CaseState.COOLING_OFF: {
        CaseState.WITH_PERSON,
        CaseState.WITH_STAFF,
        CaseState.RUNNING,
        CaseState.REFUSED,
        CaseState.CANCELLED,
        CaseState.LAPSED,
    },
    CaseState.WITH_STAFF: {CaseState.WITH_PERSON, CaseState.COOLING_OFF, CaseState.RUNNING, *_CLOSED},
    CaseState.RUNNING: {CaseState.WITH_STAFF, CaseState.PARTLY_DONE, *_CLOSED} - {CaseState.CANCELLED},
    CaseState.PARTLY_DONE: {CaseState.WITH_STAFF, CaseState.DONE},
    **{state: set() for state in _CLOSED},
}


_NEEDS_PROOF = {CaseState.COOLING_OFF, CaseState.RUNNING, CaseState.PARTLY_DONE, CaseState.DONE}
"""Nothing is carried out for somebody who only says who they are."""


class CaseLetter(StrEnum):
    """What a person is written about their case. All are statutory: they reach who withdrew or is suppressed, too."""

    PROVE = "prove"
    """Did you ask for this? With the link that proves it."""
    RECEIVED = "received"
    """Number, received on, answer by, what stops now, status and how to take it back, authority."""
    MORE_NEEDED = "more_needed"
    """What we need to be sure who asks, and why (Art. 12(6))."""
    EXTENDED = "extended"
    """Until when, and why (Art. 12(3))."""
    READY = "ready"
    """The answer or package can be fetched."""
    PARTLY = "partly"
    """What is done, who has not answered yet, and what happens next."""
    DONE = "done"
    """What was done, with the certificate; also that we hold nothing."""
    REFUSED = "refused"
    """The ground, the authority and the courts (Art. 12(4))."""
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    LIFTING = "lifting"
    """A restriction is about to be lifted (Art. 18(3))."""


class Extension(NamedTuple):
    """More time, told with its reasons within the first month (Art. 12(3))."""

    until: str
    """ISO day."""
    reasons: str
    """Codes, or what staff wrote, without personal data."""
    at: int
    """Epoch milliseconds."""


class Pause(NamedTuple):
    """A question that stops the period until it is answered (EDPB 01/2022, 159)."""

    reason: str
    asked_at: int
    """Epoch milliseconds."""
    answered_at: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One rights request. `version` is the one it was loaded with; 0 means that it is not stored yet."""

    id: str
    right: Right
    state: CaseState
    contact: ContactPoint
    language: str
    jurisdiction: str
    """Whose holidays and authority matter: a country of the policy."""
    source: str
    """The door: `page` (typed address), `preferences` (signed link), `staff` or `api`."""
    received_at: int
    """Epoch milliseconds."""
    answer_by: str
    """The last day to answer (ISO), by Regulation 1182/71, with pause and extension."""
    strict_answer_by: str
    """The same by the stricter reading: from the day of receipt, and no later for weekends and holidays."""
    version: int = 0
    chain: str | None = None
    """The person's chain, once the mailbox is proved and if we hold one."""
    proved_at: int = 0
    """When the mailbox was proved, or staff were sure; epoch milliseconds, 0 for not yet."""
    cool_off_until: int = 0
    """Epoch milliseconds."""
    pause: Pause | None = None
    extension: Extension | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    """What the person chose, without personal data: `keep_fingerprint`, `ground`, `scope`, `purposes`, …"""
    outcome: Mapping[str, Any] = field(default_factory=dict)
    """What became of it, without personal data: `ground` of a refusal, `held` false for nothing, `package`, …"""
    owes: tuple[str, ...] = ()
    """Letters (`CaseLetter`) that were promised in the same write and are not ordered yet."""
    told: Mapping[str, int] = field(default_factory=dict)
    """When each letter was ordered last, in epoch milliseconds."""
    warned: int = 0
    """How many days before the end staff were warned last (10, 5 or 1); 0 for not yet."""
    stuck_since: int = 0
    """Since when looking at it fails, however often it is tried; epoch milliseconds, 0: it does not."""
    due_at: int = 0
    """When somebody has to look again (epoch seconds); 0: never by the clock."""
    closed_at: int = 0
    """Epoch milliseconds."""
    expires_at: int = 0
    """When the file of a closed case is gone, by the policy's rule for such files (epoch seconds); 0: not by itself."""

    @property
    def number(self) -> str:
        return number_of(self.id)

    @property
    def can_be_taken_back(self) -> bool:
        """Whether the person may still cancel it: nothing was carried out yet."""
        return CaseState.CANCELLED in _FOLLOWS[self.state]

    def moved(self, state: CaseState, **changes: Any) -> "Case":
        """The case in another state; ForbiddenStepError if that may not follow, or not before the mailbox is proved."""
        is_unproven = not changes.get("proved_at", self.proved_at)
        if state not in _FOLLOWS[self.state] or (state in _NEEDS_PROOF and is_unproven):
            raise ForbiddenStepError(self.state.value, state.value)
        return replace(self, state=state, **changes)

    def owing(self, *letters: CaseLetter) -> "Case":
        """The case with letters promised, each once."""
        return replace(self, owes=tuple(dict.fromkeys([*self.owes, *(letter.value for letter in letters)])))


def number_of(case: str) -> str:
    """What a person quotes of a case, by its id: short, says nothing, and opens nothing."""
    return case[:8].upper()


@dataclass(frozen=True, slots=True)
class LogLine:
    """Something that happened in a case: shown to staff, and to the person where it concerns them."""

    at: int
    """Epoch milliseconds."""
    what: str
    """A code, such as `received`, `proved`, `task_failed`."""
    by: str
    """`person`, `staff:<client>`, `worker` or `recipient:<id>`."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Without personal data."""
