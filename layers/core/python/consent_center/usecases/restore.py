"""After a table was restored from a backup: what people decided since is done again before anybody uses it."""

from collections.abc import Iterator
from dataclasses import replace

from consent_center.domain.chain import Entry
from consent_center.domain.contact import ContactPoint
from consent_center.domain.policy import Policy
from consent_center.domain.restore import BroughtUp, Outcome, bring_up
from consent_center.domain.subject import Subject
from consent_center.ports import Clock, Ledger, RestoredRecords, Subjects


def replay(
    contact: ContactPoint,
    *,
    records: RestoredRecords,
    subjects: Subjects,
    ledger: Ledger,
    policy: Policy,
    clock: Clock,
    original: Subject | None = None,
) -> BroughtUp:
    """Bring one record of a restored table up to the ledger; `subjects` reads and clears that table.

    `original` is the state in the table that was damaged, where that can still be read: of it only what keeps the
    person out is taken. Harmless to repeat: a run that was cut short is finished by the next one.
    StaleSubjectError if somebody uses the table already; UnavailableError.
    """
    subject = subjects.load(contact).subject
    brought = BroughtUp(Outcome.UNCHANGED, subject)
    if subject.chain is not None:
        chain = subject.chain
        brought = bring_up(
            subject,
            _since(subject, ledger),
            policy,
            has_proof=lambda seq: subjects.payload(chain, seq) is not None,
            now=clock(),
        )
    kept_out = _kept_out(brought.subject, original, clock())
    if kept_out is not brought.subject:
        outcome = Outcome.BROUGHT_UP if brought.outcome is Outcome.UNCHANGED else brought.outcome
        brought = BroughtUp(outcome, kept_out, brought.lost)
    if brought.outcome is not Outcome.UNCHANGED:
        records.put(brought.subject, subject.version)
    if brought.subject.erasing is not None:
        left = subjects.load(contact).subject
        suppression = left.suppression
        until = suppression.until if suppression else policy.pending_period.after_epoch(clock())
        subjects.clear(left, until)
        return BroughtUp(Outcome.ERASED, brought.subject, brought.lost)
    return brought


def _since(subject: Subject, ledger: Ledger) -> Iterator[Entry]:
    """The entries of a record's chain that are newer than it, one read each: mostly there is none."""
    seq = subject.seq + 1
    while (entry := ledger.entry(str(subject.chain), seq)) is not None:
        yield entry
        seq += 1


def _kept_out(subject: Subject, original: Subject | None, now: int) -> Subject:
    """With the suppression that the damaged table knows and the restored one does not."""
    known = original.suppression if original else None
    if known is None or not known.holds_at(now) or subject.suppression is not None:
        return subject
    version = subject.version + 1
    return replace(subject, version=version, suppression=known)
