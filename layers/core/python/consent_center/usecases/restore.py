"""After a table was restored from a backup: what people decided since is done again before anybody uses it."""

from collections.abc import Iterator
from dataclasses import replace

from consent_center.domain.chain import Entry
from consent_center.domain.contact import ContactPoint
from consent_center.domain.moving import MOVED
from consent_center.domain.policy import Policy
from consent_center.domain.restore import BroughtUp, Outcome, bring_up, came_since, set_aside
from consent_center.domain.subject import Subject, timestamp
from consent_center.domain.told import untold
from consent_center.ports.basics import Clock
from consent_center.ports.evidence import Ledger
from consent_center.ports.people import RestoredRecords, Subjects
from consent_center.usecases.suppress import left_until


def replay(
    contact: ContactPoint,
    *,
    records: RestoredRecords,
    subjects: Subjects,
    ledger: Ledger,
    policy: Policy,
    clock: Clock,
    original: Subject | None = None,
    until: int | None = None,
) -> BroughtUp:
    """Bring one record of a restored table up to the ledger; `subjects` reads and clears that table.

    With `original`, the state in the table that was damaged where that can still be read, only what lowers is taken
    over from it: a suppression, and of a record that the copy lacks its noes and locks. That comes after the record in
    the copy was brought up, which may have to make room. Entries later than `until` (epoch milliseconds) are left to
    a later run. Harmless to repeat: a run that was cut short is finished by the next one.
    StaleSubjectError if somebody uses the table already; UnavailableError.
    """
    subject = subjects.load(contact).subject
    brought = BroughtUp(Outcome.UNCHANGED, subject)
    if original is None and subject.chain is not None:
        brought = _brought_up(subject, subjects, ledger, policy, clock(), until)
    elif original and original.chain and subject.chain is None:
        known = max((kept.seq for kept in subjects.kept_payloads(original.chain)), default=0)
        if not known:
            brought = _carried_over(subject, original, subjects, ledger, policy, clock(), until)
        elif all(entry.kind != MOVED for entry in _after(original.chain, known, ledger)):
            # The copy has it under an older pepper, and the ledger has told it there what was decided since.
            return brought
    kept_out = _kept_out(brought.subject, original, clock())
    if kept_out is not brought.subject:
        outcome = Outcome.BROUGHT_UP if brought.outcome is Outcome.UNCHANGED else brought.outcome
        brought = BroughtUp(outcome, kept_out, brought.lost)
    if brought.outcome is not Outcome.UNCHANGED:
        records.put(brought.subject, subject.version)
    if brought.subject.erasing is not None:
        left = subjects.load(contact).subject
        subjects.clear(left, left_until(left, policy, clock()))
        return BroughtUp(Outcome.ERASED, brought.subject, brought.lost)
    return brought


def _brought_up(
    subject: Subject, subjects: Subjects, ledger: Ledger, policy: Policy, now: int, until: int | None
) -> BroughtUp:
    chain = str(subject.chain)
    brought = bring_up(
        subject,
        _after(chain, subject.seq, ledger, until),
        policy,
        has_proof=lambda seq: subjects.payload(chain, seq) is not None,
        now=now,
    )
    if not subject.inform_by or brought.outcome in (Outcome.UNCHANGED, Outcome.ERASED):
        return brought
    # The entry that brought the data from somebody else is older than the backup, and so was not done again.
    is_readable = brought.outcome is not Outcome.UNREADABLE
    inform_by = untold(ledger.entries(chain)).inform_by if is_readable else subject.inform_by
    return replace(brought, subject=replace(brought.subject, inform_by=inform_by))


def _carried_over(
    here: Subject,
    original: Subject,
    subjects: Subjects,
    ledger: Ledger,
    policy: Policy,
    now: int,
    until: int | None,
) -> BroughtUp:
    """The noes and locks of a record that is younger than the backup; where it has none it stays away."""
    start = came_since(here, original)
    entry = ledger.entry(str(original.chain), original.seq)
    if entry is None or entry.hash != original.head:
        return BroughtUp(Outcome.UNREADABLE, set_aside(start, now))
    brought = _brought_up(start, subjects, ledger, policy, now, until)
    if brought.outcome not in (Outcome.UNCHANGED, Outcome.BROUGHT_UP):
        return brought
    found = brought.subject
    if not found.decided and not found.locks:
        return BroughtUp(Outcome.UNCHANGED, here)
    return BroughtUp(Outcome.CARRIED_OVER, found, brought.lost)


def _after(chain: str, seq: int, ledger: Ledger, until: int | None = None) -> Iterator[Entry]:
    """The entries of a chain after `seq`, up to a moment, one read each: mostly there is none."""
    while (entry := ledger.entry(chain, seq + 1)) is not None and (until is None or entry.at <= timestamp(until)):
        yield entry
        seq += 1


def _kept_out(subject: Subject, original: Subject | None, now: int) -> Subject:
    """With the suppression that the damaged table knows and the restored one does not."""
    known = original.suppression if original else None
    if known is None or not known.holds_at(now) or subject.suppression is not None:
        return subject
    version = subject.version + 1
    return replace(subject, version=version, suppression=known)
