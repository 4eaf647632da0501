"""From a letter to whom it was about: a letter's links go on working for somebody whose address changed since.

Only what was made for an address before its person moved follows them. Whoever looks an address up, now, never does: it
may have somebody else by then (`whose.py`).
"""

from consent_center.domain.errors import ExpiredTokenError
from consent_center.domain.moving import UNDER_WAY_MS
from consent_center.domain.subject import Subject
from consent_center.ports.people import Subjects
from consent_center.usecases.whose import is_known


def meant_by(subject: Subject, made_at: int, subjects: Subjects) -> list[Subject]:
    """The records that a link made at `made_at` (epoch milliseconds) may be about, for the state at its own place.

    Without moves nothing is read. Whoever was erased since is a record in which nothing is. Where nobody knows when the
    link was made (0), all who were ever at that address are meant, and who is there now comes last: what only lowers
    may lower once too often. UnavailableError.
    """
    if not subject.former:
        return [subject]
    if made_at:
        return [_followed(subject, made_at - UNDER_WAY_MS, subjects)]
    moves = [move for move in reversed(subject.former) if not move.leads_nowhere]
    gone = [_followed(subject, move.at - 1, subjects) for move in moves]
    return [*gone, *([subject] if is_known(subject) or not gone else [])]


def require_here(subject: Subject, made_at: int) -> None:
    """Refuse a link that opens a record, and was made before the record moved away: ExpiredTokenError.

    `made_at` in epoch milliseconds. Whoever can read the old mailbox must not find the new address.
    """
    if subject.next_move(made_at - UNDER_WAY_MS) is not None:
        raise ExpiredTokenError


def _followed(subject: Subject, after: int, subjects: Subjects) -> Subject:
    """Where who was here at a moment is now. The times of one record's moves grow, so this ends."""
    while (move := subject.next_move(after)) is not None:
        if move.leads_nowhere:
            return Subject(subject.contact)
        after = move.at
        place = subject.contact._replace(key_id=move.key_id, pseudonym=move.pseudonym)
        subject = subjects.load(place).subject
    return subject
