"""After a table was restored from a backup: what people decided since is done again before anybody uses it."""

from collections.abc import Iterator
from dataclasses import replace

from consent_center.domain.chain import Entry
from consent_center.domain.contact import ContactPoint
from consent_center.domain.policy import Policy
from consent_center.domain.restore import BroughtUp, Outcome, bring_up, came_since, set_aside
from consent_center.domain.subject import Subject
from consent_center.ports import Clock, Ledger, RestoredRecords, Subjects
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
) -> BroughtUp:
    """Bring one record of a restored table up to the ledger; `subjects` reads and clears that table.

    With `original`, the state in the table that was damaged where that can still be read, only what lowers is taken
    over from it: a suppression, and of a record that the copy lacks its noes and locks. That comes after the record in
    the copy was brought up, which may have to make room. Harmless to repeat: a run that was cut short is finished by
    the next one.
    StaleSubjectError if somebody uses the table already; UnavailableError.
    """
    subject = subjects.load(contact).subject
    brought = BroughtUp(Outcome.UNCHANGED, subject)
    if original is None and subject.chain is not None:
        brought = _brought_up(subject, subjects, ledger, policy, clock())
    elif original and original.chain and subject.chain is None and not _is_elsewhere(original, subjects):
        brought = _carried_over(subject, original, subjects, ledger, policy, clock())
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


def _brought_up(subject: Subject, subjects: Subjects, ledger: Ledger, policy: Policy, now: int) -> BroughtUp:
    chain = str(subject.chain)
    return bring_up(
        subject,
        _since(subject, ledger),
        policy,
        has_proof=lambda seq: subjects.payload(chain, seq) is not None,
        now=now,
    )


def _carried_over(
    here: Subject, original: Subject, subjects: Subjects, ledger: Ledger, policy: Policy, now: int
) -> BroughtUp:
    """The noes and locks of a record that is younger than the backup; where it has none it stays away."""
    start = came_since(here, original)
    entry = ledger.entry(str(original.chain), original.seq)
    if entry is None or entry.hash != original.head:
        return BroughtUp(Outcome.UNREADABLE, set_aside(start, now))
    brought = _brought_up(start, subjects, ledger, policy, now)
    if brought.outcome not in (Outcome.UNCHANGED, Outcome.BROUGHT_UP):
        return brought
    found = brought.subject
    if not found.decided and not found.locks:
        return BroughtUp(Outcome.UNCHANGED, here)
    return BroughtUp(Outcome.CARRIED_OVER, found, brought.lost)


def _is_elsewhere(original: Subject, subjects: Subjects) -> bool:
    """Whether the copy has a record at an address that it had before: there it waits for staff."""
    places = [original.contact._replace(key_id=move.key_id, pseudonym=move.pseudonym) for move in original.came_from]
    return any(subjects.load(place).subject.chain == original.chain for place in places)


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
