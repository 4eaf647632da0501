"""Everything that is held about who a case is about, read as a stream; what a former holder of the address did is not.

A mailbox proves who has it today. Where letters once stopped reaching somebody (`holder_since`), whatever happened
until then may be another person's, and is left out of every answer (Art. 15(4) and 20(4) GDPR).
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from consent_center.domain.case import Case
from consent_center.domain.chain import Entry
from consent_center.domain.decision import DecisionState
from consent_center.domain.lock import Lock, locks_of
from consent_center.domain.moving import MOVED
from consent_center.domain.policy import Policy
from consent_center.domain.portability import BASES, bases_in
from consent_center.domain.request import Request
from consent_center.domain.retention import Outline, outline
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Addresses, Secrets
from consent_center.ports.cases import CaseFile, Cases, Particulars
from consent_center.ports.evidence import Ledger
from consent_center.ports.people import KeptPayload, Profile, Subjects
from consent_center.usecases.askers import cases_of
from consent_center.usecases.rectification import CORRECTED
from consent_center.usecases.whose import whose

_BRINGS_A_PROFILE = frozenset({"given", "soft_opt_in"})
"""Kinds of the events that come with who somebody is, where they permit something."""

_PUTS_A_PROFILE_RIGHT = frozenset({MOVED, CORRECTED})
"""Kinds of the events that change who somebody is, and nothing else."""

_NOT_TOLD = frozenset({"recorded_by", "attested_by", "salt", "more", "before"})
"""Who of our staff it was, and what only proves or undoes an event, is nothing about the person (Art. 15(4) GDPR)."""


class Happened(NamedTuple):
    """An event with its personal details, as long as they are kept."""

    entry: Entry
    kept: KeptPayload | None

    @property
    def wording(self) -> list[str]:
        return list(map(str, self.kept.payload.content.get("wording", ()))) if self.kept else []

    @property
    def details(self) -> dict[str, Any] | None:
        """The personal details without what is about others."""
        if self.kept is None:
            return None
        payload = self.kept.payload
        told: dict[str, Any] = without_staff({**payload.content, **(payload.circumstances or {})})
        return told


@dataclass(frozen=True)
class PersonFile:
    """What is held about one person at `now` (epoch milliseconds)."""

    case: Case
    address: str
    now: int
    subject: Subject
    """As far as it is theirs: without what a former holder decided."""
    profile: Profile | None
    requests: Sequence[Request]
    last_sends: Mapping[tuple[str, str], int]
    locks: Sequence[Lock]
    kept: Outline
    purposes: Mapping[str, frozenset[str]]
    """The purposes that events were about, each with the legal bases that it rested on."""
    cases: Sequence[CaseFile]
    """The newest first."""
    details_of: Mapping[str, str]
    """What they wrote in a request, by its case, as long as that is kept."""
    collected: Mapping[str, Mapping[str, Any]]
    """Files from recipients: by recipient and name, as `content_of` reads them."""
    _subjects: Subjects
    _ledger: Ledger

    @property
    def holds_anything(self) -> bool:
        subject = self.subject
        decided = subject.decided or subject.suppression or subject.requested
        return bool(decided or self.purposes or self.profile or self.requests or self.last_sends or self.collected)

    @property
    def portable_purposes(self) -> set[str]:
        """The purposes that they agreed to, or have a contract about."""
        return {name for name, bases in self.purposes.items() if bases & BASES}

    def events(self) -> Iterator[Happened]:
        """What happened, oldest first; begins anew at each call and ends where it ended at the first. As a stream."""
        subject = self.subject
        if subject.chain is None:
            return
        payloads = self._subjects.kept_payloads(subject.chain)
        kept = next(payloads, None)
        for entry in _entries(self._ledger, subject):
            while kept is not None and kept.seq < entry.seq:
                kept = next(payloads, None)
            yield Happened(entry, kept if kept is not None and kept.seq == entry.seq else None)


def person_file(
    case: Case,
    particulars: Mapping[str, Any],
    *,
    policy: Policy,
    addresses: Addresses,
    subjects: Subjects,
    ledger: Ledger,
    cases: Cases,
    kept: Particulars,
    secrets: Secrets,
    now: int,
) -> PersonFile:
    """Read what is held about who a case is about. UnavailableError."""
    address = addresses(str(particulars["address"]))
    held = subjects.holdings(whose(address, controller=case.contact.controller, subjects=subjects, secrets=secrets))
    subject = held.subject
    since = subject.holder_since
    last_sends = {send: at for send, at in held.last_sends.items() if at > since}
    read = _Read(policy)
    found = outline(subject, read.through(_all_entries(ledger, subject), since), _by_purpose(last_sends), policy, now)
    owned = replace(
        subject,
        decided={code: one for code, one in subject.decided.items() if one.at > since},
        suppression=subject.suppression if subject.suppression and subject.suppression.at > since else None,
    )
    mine = cases_of(subject, address, cases=cases, subjects=subjects, secrets=secrets)
    files = [file for one in mine if (file := cases.load(one.id))]
    known = {file.case.id: kept.read(file.case.id) for file in files if file.case.id != case.id}
    known[case.id] = particulars
    return PersonFile(
        case,
        str(particulars["address"]),
        now,
        owned,
        held.profile if not since or read.has_profile else None,
        [one for one in held.requests if one.is_pending_at(now) and one.requested_at > since],
        last_sends,
        [lock for lock in locks_of(subject, now) if not since or lock.seq >= read.first > 0],
        found,
        {name: frozenset(bases) for name, bases in read.purposes.items()},
        files,
        {name: str(one["details"]) for name, one in known.items() if one and one.get("details")},
        particulars.get("collected") or {},
        subjects,
        ledger,
    )


def without_staff(value: Any) -> Any:
    """A value without who of our staff it was: people are told roles, not names (C-579/21, Pankki S)."""
    if isinstance(value, Mapping):
        return {name: without_staff(inner) for name, inner in value.items() if name not in _NOT_TOLD}
    if isinstance(value, list | tuple):
        return [without_staff(inner) for inner in value]
    return value


class _Read:
    """Notes what an answer has to know of all events, while they pass by."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.purposes: dict[str, set[str]] = {}
        self.first = 0
        """The first event that is this person's."""
        self.has_profile = False

    def through(self, entries: Iterator[Entry], since: int) -> Iterator[Entry]:
        for entry in entries:
            if epoch_ms(entry.at) > since:
                self._take(entry)
            yield entry

    def _take(self, entry: Entry) -> None:
        self.first = self.first or entry.seq
        gives = any(DecisionState(change["after"]).permits for change in entry.body.get("changes", ()))
        self.has_profile = self.has_profile or (gives and entry.kind in _BRINGS_A_PROFILE)
        self.has_profile = self.has_profile or entry.kind in _PUTS_A_PROFILE_RIGHT
        for name, basis in bases_in(entry, self._policy).items():
            self.purposes.setdefault(name, set()).add(basis)


def _all_entries(ledger: Ledger, subject: Subject) -> Iterator[Entry]:
    """Those that the record knows of: what comes after it was read belongs to the next answer."""
    if subject.chain is not None:
        yield from (entry for entry in ledger.stream(subject.chain) if entry.seq <= subject.seq)


def _entries(ledger: Ledger, subject: Subject) -> Iterator[Entry]:
    yield from (entry for entry in _all_entries(ledger, subject) if epoch_ms(entry.at) > subject.holder_since)


def _by_purpose(last_sends: Mapping[tuple[str, str], int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for (purpose, _), at in last_sends.items():
        found[purpose] = max(at, found.get(purpose, 0))
    return found


def epoch_ms(at: str) -> int:
    """The time that an entry bears, in epoch milliseconds."""
    return round(dt.datetime.fromisoformat(at).timestamp() * 1000)
