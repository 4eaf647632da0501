"""Taking a record to another place: its state and all that stands beside it, in one transaction."""

from collections.abc import Mapping
from typing import Any

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import translated
from consent_center.adapters.dynamodb.items import StateItem
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError, TakenPlaceError

_MOST_BESIDE = 49
"""Items beside a state that fit into a transaction of 100 with it: each is put there and deleted here."""

_COMES_AND_GOES = ("lang", "p", "review", "expires_at", "rule", "at", "name", "company", "interests")
"""What is written without a new version, by those who decide nothing."""


class DynamoMoves:
    def __init__(self, database: Database) -> None:
        self._database = database

    def move(self, old: ContactPoint, new: ContactPoint) -> bool:
        """Requests that do not fit stay behind: their links find them there, and they end within days."""
        table = StateItem.Meta.table_name
        with translated("move"):
            by_key = {item["sk"]["S"]: item for item in partition_of(self._database, old)}
            state = by_key.pop(keys.STATE, None)
            if state is None or "moved_to" in state:
                return False
            key = key_at(new, keys.STATE)
            place = self._database.call("GetItem", TableName=table, Key=key, ConsistentRead=True).get("Item")
        if place is not None and any(name in place for name in ("chain", "supp", "erasing", "moved_to")):
            raise TakenPlaceError
        here = [item for item in by_key.values() if "moved_to" not in item]
        beside = sorted(here, key=lambda item: keys.is_request(item["sk"]["S"]))[:_MOST_BESIDE]
        writes: list[dict[str, Any]] = [
            {
                "Put": {
                    "TableName": table,
                    "Item": _there(state, place, new),
                    **(unchanged(place) if place else {"ConditionExpression": "attribute_not_exists(pk)"}),
                }
            },
            {"Put": {"TableName": table, "Item": _marker(state, new), **unchanged(state)}},
        ]
        for item in beside:
            sort_key = item["sk"]["S"]
            moved = {**item, **key_at(new, sort_key), "moved_from": _name(old)}
            writes.append({"Put": {"TableName": table, "Item": moved}})
            if keys.is_request(sort_key):
                # Not deleted, because a request that is deleted counts as cancelled.
                marker = {**key_at(old, sort_key), "v": item["v"], "moved_to": _name(new)}
                marker |= {"expires_at": item["expires_at"]}
                writes.append({"Put": {"TableName": table, "Item": marker, **unchanged(item)}})
            else:
                writes.append({"Delete": {"TableName": table, "Key": key_at(old, sort_key), **unchanged(item)}})
        with translated("move"):
            try:
                self._database.call("TransactWriteItems", TransactItems=writes)
            except CallFailedError as error:
                if error.code == "TransactionCanceledException":
                    raise StaleSubjectError from None
                raise
        return True


def partition_of(database: Database, contact: ContactPoint) -> list[Mapping[str, Any]]:
    """Every item of a contact point, strongly consistent, in DynamoDB's own form."""
    return list(
        database.query(
            TableName=StateItem.Meta.table_name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": keys.of_contact(contact)}},
            ConsistentRead=True,
        )
    )


def key_at(contact: ContactPoint, sort_key: str) -> dict[str, Any]:
    """The key of an item in a contact point's partition, in DynamoDB's own form."""
    return {"pk": {"S": keys.of_contact(contact)}, "sk": {"S": sort_key}}


def _name(contact: ContactPoint) -> dict[str, str]:
    return {"S": f"{contact.key_id}#{contact.pseudonym}"}


def _there(state: Mapping[str, Any], place: Mapping[str, Any] | None, new: ContactPoint) -> dict[str, Any]:
    """The state at its new place. Letters may have asked there already: their marks come to those that it has."""
    versions = [int(one["version"]["N"]) for one in (state, place) if one is not None]
    item = {**state, **key_at(new, keys.STATE), "version": {"N": str(max(versions) + 1)}}
    # Gone with the next decision. Until then it tells who follows the table that nothing was decided.
    item["moved_from"] = {"S": state["pk"]["S"].removeprefix("S#")}
    if place is not None and "p" in place:
        item["p"] = {"M": {**place["p"]["M"], **state.get("p", {"M": {}})["M"]}}
    former = [text for one in (place, state) if one is not None for text in one.get("former", {"L": []})["L"]]
    if former:
        item["former"] = {"L": sorted(former, key=lambda text: int(text["S"].rpartition("@")[2]))}
    if "listed" in state:
        item["listed"] = {"S": keys.listed(new, is_living="chain" in state)}
    return item


def _marker(state: Mapping[str, Any], new: ContactPoint) -> dict[str, Any]:
    """What stays at the old place: where the record is. Links of old letters need it for as long as there are any."""
    kept = {name: state[name] for name in ("pk", "sk", "v", "controller") if name in state}
    version = {"N": str(int(state["version"]["N"]) + 1)}
    return {**kept, "version": version, "moved_to": _name(new)}


def unchanged(item: Mapping[str, Any]) -> dict[str, Any]:
    """A condition that an item is as it was read, also where a change moves no version."""
    names = [name for name in item if name not in ("pk", "sk")]
    gone = [name for name in _COMES_AND_GOES if name not in item]
    parts = [f"#{name} = :{name}" for name in names] + [f"attribute_not_exists(#{name})" for name in gone]
    return {
        "ConditionExpression": " AND ".join(parts),
        "ExpressionAttributeNames": {f"#{name}": name for name in [*names, *gone]},
        "ExpressionAttributeValues": {f":{name}": item[name] for name in names},
    }
