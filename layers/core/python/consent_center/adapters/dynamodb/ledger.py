"""The ledger in DynamoDB: written with the decision it proves, read for verification, never changed."""

import json

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.faults import translated
from consent_center.adapters.dynamodb.items import EntryItem
from consent_center.domain.chain import Entry


class DynamoLedger:
    def entries(self, chain: str) -> list[Entry]:
        with translated("entries"):
            return [
                Entry(json.loads(item.body), item.hash)
                for item in EntryItem.query(keys.of_chain(chain), consistent_read=True)
            ]
