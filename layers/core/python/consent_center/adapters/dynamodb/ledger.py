"""The ledger in DynamoDB: written with the decision it proves, read for verification, never changed."""

import json
from collections.abc import Iterator
from typing import Any

from pynamodb.exceptions import DoesNotExist, PutError

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.dynamodb.items import EntryItem
from consent_center.domain.chain import Entry, canonical
from consent_center.domain.errors import StaleSubjectError


class DynamoLedger:
    def entries(self, chain: str) -> list[Entry]:
        return list(self.stream(chain))

    def stream(self, chain: str) -> Iterator[Entry]:
        with translated("entries"):
            for item in EntryItem.query(keys.of_chain(chain), consistent_read=True):
                yield Entry(_body(item.body), item.hash)

    def entry(self, chain: str, seq: int) -> Entry | None:
        with translated("entry"):
            try:
                item = EntryItem.get(keys.of_chain(chain), keys.of_event(seq), consistent_read=True)
            except DoesNotExist:
                return None
        return Entry(_body(item.body), item.hash)

    def append(self, entry: Entry) -> None:
        item = item_of(entry)
        with translated("append"):
            try:
                item.save(condition=EntryItem.pk.does_not_exist())
            except PutError as error:
                if condition_failed(error):
                    raise StaleSubjectError from None
                raise


def item_of(entry: Entry) -> EntryItem:
    """An entry as it is stored."""
    return EntryItem(
        keys.of_chain(entry.chain),
        keys.of_event(entry.seq),
        body=canonical(dict(entry.body)).decode(),
        hash=entry.hash,
        day=keys.of_day(entry.at, entry.hash),
    )


def _body(text: str) -> dict[str, Any]:
    """What was stored; a text that is no JSON object any more is kept as such, for verification to point at."""
    try:
        body = json.loads(text)
    except ValueError:
        return {"unreadable": text}
    return body if isinstance(body, dict) else {"unreadable": text}
