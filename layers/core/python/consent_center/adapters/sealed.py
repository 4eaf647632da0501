"""What a case knows about a person, sealed: the text in one table, and its key in another that no backup holds.

The text is where tables are restored from; without its key nobody can read it. Libsodium's secret box
(XSalsa20-Poly1305) seals it, with a random nonce each time and a key that no other case has.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.errors import ParticularsTooLargeError, UnavailableError, UnreadableParticularsError

LARGEST = 200_000
"""Bytes as JSON: sealed they fit into an item of DynamoDB, of 400 kB, with room to spare."""

_KEY = "KEY"


class SealedParticulars:
    def __init__(self, database: Database, table: str, keys_table: str) -> None:
        self._database, self._table, self._keys_table = database, table, keys_table

    def keep(self, case: str, particulars: Mapping[str, Any], until: int = 0) -> None:
        """The key stays the same until it is shredded, so that no reader meets one that does not fit.

        It has no end of its own: a key whose text is gone opens nothing and says nothing.
        """
        text = json.dumps(dict(particulars), ensure_ascii=False, separators=(",", ":")).encode()
        if len(text) > LARGEST:
            raise ParticularsTooLargeError
        with translated("keep particulars"):
            name, key = self._key_of(case) or self._new_key(case)
            item = {
                **_at(case, keys.PARTICULARS),
                "v": {"N": "1"},
                "key": {"S": name},
                "sealed": {"B": base64.b64encode(SecretBox(key).encrypt(text)).decode()},
                **({"expires_at": {"N": str(until)}} if until else {}),
            }
            self._database.call("PutItem", TableName=self._table, Item=item)

    def read(self, case: str) -> Mapping[str, Any] | None:
        with translated("read particulars"):
            item = self._get(self._table, _at(case, keys.PARTICULARS))
            found = self._key_of(case) if item is not None else None
        # A text that was written while its key was shredded stays unread, like any other without a key.
        if item is None or found is None or found[0] != item["key"]["S"]:
            return None
        try:
            particulars: Mapping[str, Any] = json.loads(
                SecretBox(found[1]).decrypt(base64.b64decode(item["sealed"]["B"]))
            )
        except CryptoError:
            raise UnreadableParticularsError("read particulars: the text was altered") from None
        return particulars

    def shred(self, case: str) -> None:
        """The key first: from then on nobody reads the text, wherever a copy of it lies."""
        with translated("shred particulars"):
            self._database.call("DeleteItem", TableName=self._keys_table, Key=_at(case, _KEY))
            self._database.call("DeleteItem", TableName=self._table, Key=_at(case, keys.PARTICULARS))

    def _key_of(self, case: str) -> tuple[str, bytes] | None:
        """The name of the key and the key."""
        item = self._get(self._keys_table, _at(case, _KEY))
        return (item["name"]["S"], base64.b64decode(item["key"]["B"])) if item is not None else None

    def _new_key(self, case: str) -> tuple[str, bytes]:
        name, key = secrets.token_hex(8), secrets.token_bytes(SecretBox.KEY_SIZE)
        item = {
            **_at(case, _KEY),
            "v": {"N": "1"},
            "name": {"S": name},
            "key": {"B": base64.b64encode(key).decode()},
        }
        try:
            self._database.call(
                "PutItem", TableName=self._keys_table, Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
        except CallFailedError as error:
            if not condition_failed(error):
                raise
            found = self._key_of(case)
            if found is None:
                raise UnavailableError("keep particulars: shredded at this moment") from None
            return found
        return name, key

    def _get(self, table: str, key: Mapping[str, Any]) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._database.call(
            "GetItem", TableName=table, Key=key, ConsistentRead=True
        ).get("Item")
        return found


def _at(case: str, sort_key: str) -> dict[str, Any]:
    return {"pk": {"S": keys.of_case(case)}, "sk": {"S": sort_key}}
