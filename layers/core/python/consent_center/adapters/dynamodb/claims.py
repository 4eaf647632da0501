"""Which letters are being sent or were sent: short-lived records that keep a queue's duplicates from the mailbox."""

from pynamodb.exceptions import DoesNotExist, PutError

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.dynamodb.items import LetterItem
from consent_center.domain.errors import UnavailableError

HELD_SECONDS = 30
"""Longer than a worker may run, shorter than the queue waits before it delivers a message again."""

KEPT_SECONDS = 15 * 86400
"""Longer than a queue or its dead-letter queue keeps a message."""


class DynamoClaims:
    def take(self, name: str, now: int, until: int = 0) -> bool:
        kept_until = max(now + KEPT_SECONDS, until)
        mine = LetterItem(keys.of_letter(name), "CLAIM", held_until=now + HELD_SECONDS, expires_at=kept_until)
        free = LetterItem.pk.does_not_exist() | ((LetterItem.sent == 0) & (LetterItem.held_until <= now))
        with translated("take claim"):
            try:
                mine.save(condition=free)
            except PutError as error:
                if not condition_failed(error):
                    raise
            else:
                return True
            found = LetterItem.get(keys.of_letter(name), "CLAIM", consistent_read=True)
        if found.sent:
            return False
        raise UnavailableError("somebody else is sending this letter")

    def finish(self, name: str, now: int) -> None:
        with translated("finish claim"):
            LetterItem(keys.of_letter(name), "CLAIM").update([LetterItem.sent.set(now)])

    def was_taken(self, name: str) -> bool:
        with translated("was claim taken"):
            try:
                LetterItem.get(keys.of_letter(name), "CLAIM", consistent_read=True)
            except DoesNotExist:
                return False
        return True

    def was_sent(self, name: str) -> bool:
        with translated("was letter sent"):
            try:
                found = LetterItem.get(keys.of_letter(name), "CLAIM", consistent_read=True)
            except DoesNotExist:
                return False
        return bool(found.sent)
