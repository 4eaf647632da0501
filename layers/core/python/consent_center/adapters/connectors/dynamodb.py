"""A table with one item for each person, whose partition key is the address or its hash, and which has no sort key."""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from consent_center.adapters.connectors.kind import DONE, NOTHING, Kind, failed, spellings
from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb

STOPPED, RESTRICTED = "consent_stopped", "consent_restricted"
"""What is set to true in an item for a stop and for a restriction, and to false once that is lifted."""

_HASHED = "sha256:"

_ADDRESS = "address"
"""The correction that moves an item, because its key is made of the address."""

_MOVED_BEFORE = ("ConditionalCheckFailed", "ConditionalCheckFailed")
"""Of a move: something is at the new address and nothing at the old one, as after another worker's move."""


class Table(Kind):
    possible = frozenset(Verb)

    def __init__(self, verbs: Iterable[Verb], *, wire: Wire, table: str, key: str) -> None:
        """`key` is the name of the partition key that holds the address, or `sha256:` and the name of one that holds
        the SHA-256 of the address in small letters, in hexadecimal.
        """
        super().__init__(verbs)
        self._wire, self._table = wire, table
        self._hashed, self._key = key.startswith(_HASHED), key.removeprefix(_HASHED)

    @property
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return {
            Verb.COLLECT: self._collect,
            Verb.CORRECT: self._correct,
            Verb.RESTRICT: lambda ask: self._mark(ask, RESTRICTED, on=True),
            Verb.LIFT: lambda ask: self._mark(ask, RESTRICTED, on=False),
            Verb.STOP: lambda ask: self._mark(ask, STOPPED, on=True),
            Verb.ERASE: self._erase,
        }

    def _keys(self, address: str) -> list[dict[str, Any]]:
        values = [sha256(address.lower().encode()).hexdigest()] if self._hashed else spellings(address)
        return [{self._key: {"S": value}} for value in values]

    def _get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        asked = {"TableName": self._table, "Key": key, "ConsistentRead": True}
        return self._wire.call("GetItem", asked).get("Item")

    def _erase(self, ask: Ask) -> Answer:
        removed = [
            self._wire.call("DeleteItem", {"TableName": self._table, "Key": key, "ReturnValues": "ALL_OLD"})
            for key in self._keys(ask.address)
        ]
        return DONE if any(one.get("Attributes") for one in removed) else NOTHING

    def _mark(self, ask: Ask, attribute: str, *, on: bool) -> Answer:
        # Every spelling is marked: the first one that is there must not end the search.
        marked = [self._set(key, {attribute: {"BOOL": on}}) for key in self._keys(ask.address)]
        return DONE if any(marked) else NOTHING

    def _set(self, key: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        """Whether there was an item to set attributes in."""
        names = {f"#{n}": name for n, name in enumerate(values)}
        update = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": "SET " + ", ".join(f"#{n} = :{n}" for n in range(len(values))),
            "ConditionExpression": "attribute_exists(#key)",
            "ExpressionAttributeNames": {**names, "#key": self._key},
            "ExpressionAttributeValues": {f":{n}": value for n, value in enumerate(values.values())},
        }
        try:
            self._wire.call("UpdateItem", update)
        except CallFailedError as error:
            if error.code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _correct(self, ask: Ask) -> Answer:
        values = {name: {"S": text} for name, text in ask.corrections.items() if name not in (_ADDRESS, self._key)}
        held = [(key, item) for key in self._keys(ask.address) if (item := self._get(key)) is not None]
        new_address = ask.corrections.get(_ADDRESS)
        if new_address is None:
            found = [self._set(key, values) for key, _ in held] if values else [bool(held)]
            return DONE if any(found) else NOTHING
        new_key = self._keys(new_address)[0]
        if not held:
            # Asked again after it was moved, it is there already.
            return DONE if self._get(new_key) is not None else NOTHING
        key, item = held[0]
        if key == new_key:
            return DONE if not values or self._set(key, values) else NOTHING
        # The address may stand beside the key too, above all where the key is its hash.
        new = {"S": new_address}
        renamed = {name: new if _says(value, ask.address) else value for name, value in item.items()}
        return self._moved(key, {**renamed, **values, **new_key})

    def _moved(self, key: Mapping[str, Any], item: Mapping[str, Any]) -> Answer:
        name = {"#key": self._key}
        put = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": name,
        }
        delete = {
            "TableName": self._table,
            "Key": key,
            "ConditionExpression": "attribute_exists(#key)",
            "ExpressionAttributeNames": name,
        }
        # The token makes a call that is sent again, because its answer was lost, harmless.
        moved = {"TransactItems": [{"Put": put}, {"Delete": delete}], "ClientRequestToken": secrets.token_hex(16)}
        try:
            self._wire.call("TransactWriteItems", moved)
        except CallFailedError as error:
            if error.reasons == _MOVED_BEFORE:
                return DONE
            if error.reasons[:1] == ("ConditionalCheckFailed",):
                # Somebody else is at the new address, perhaps the same person twice: nobody merges two items unasked.
                return failed("taken")
            raise
        return DONE

    def _collect(self, ask: Ask) -> Answer:
        held = [item for key in self._keys(ask.address) if (item := self._get(key)) is not None]
        if not held:
            return NOTHING
        text = json.dumps([plain({"M": item}) for item in held], ensure_ascii=False, indent=1)
        return Answer(TaskState.DONE, "", {f"{self._table}.json": text})


def _says(typed: Mapping[str, Any], address: str) -> bool:
    return str(typed.get("S", "")).lower() == address.lower()


def plain(typed: Mapping[str, Any]) -> Any:
    """A value of DynamoDB's JSON as ordinary JSON. Numbers stay as they are written, because they may be exact."""
    ((kind, value),) = typed.items()
    if kind == "M":
        return {name: plain(inner) for name, inner in value.items()}
    if kind == "L":
        return [plain(inner) for inner in value]
    return None if kind == "NULL" else value
