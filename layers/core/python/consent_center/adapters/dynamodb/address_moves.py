"""Changes of address in DynamoDB: requests at the new place, and the move itself in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.dynamodb.items import AddressRequestItem, StateItem
from consent_center.adapters.dynamodb.ledger import item_of
from consent_center.adapters.dynamodb.moves import key_at, partition_of, unchanged
from consent_center.adapters.dynamodb.stored import moved_to, payload_item, state_item, written_move
from consent_center.adapters.dynamodb.subjects import forget_move, state_at
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.contact import Address, ContactPoint
from consent_center.domain.errors import StaleSubjectError
from consent_center.domain.moving import AddressRequest, Moving
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Clock

_ABSENT = {"ConditionExpression": "attribute_not_exists(pk)"}

_MOST_BESIDE = 40
"""Sends that fit into a transaction of 100: each is put there and deleted here."""


class DynamoAddressMoves:
    def __init__(self, database: Database, clock: Clock, ledger_table: Callable[[], str]) -> None:
        self._database, self._clock, self._ledger_table = database, clock, ledger_table

    def ask(self, request: AddressRequest) -> None:
        with translated("ask to move"):
            AddressRequestItem(
                keys.of_contact(request.contact),
                keys.of_address_request(request.id),
                address=request.address.mailable,
                normalised=request.address.normalised,
                controller=request.contact.controller,
                channel=request.contact.channel,
                moves=f"{request.old.key_id}#{request.old.pseudonym}",
                chain=request.chain,
                lang=request.language,
                requested_at=request.requested_at,
                expires_at=request.expires_at,
            ).save()

    def asked(self, contact: ContactPoint, request: str) -> AddressRequest | None:
        """A request is looked for where its place was moved to as well: a rotation takes it along."""
        sort_key = keys.of_address_request(request)
        with translated("asked to move"):
            item = self._item(contact, sort_key)
            if item is None:
                onward = moved_to(contact, self._item(contact, keys.STATE))
                return self.asked(onward, request) if onward is not None else None
        key_id, pseudonym = item["moves"]["S"].split("#")
        return AddressRequest(
            request,
            contact,
            Address(item["address"]["S"], item["normalised"]["S"]),
            contact._replace(key_id=key_id, pseudonym=pseudonym),
            item["chain"]["S"] if "chain" in item else "",
            item["lang"]["S"],
            int(item["requested_at"]["N"]),
            int(item["expires_at"]["N"]),
        )

    def move(self, moving: Moving, request: AddressRequest | None = None) -> None:
        """What was read is compared attribute by attribute: a language or an end is written without a new version."""
        old, new = moving.old.contact, moving.decision.subject.contact
        table, entry = StateItem.Meta.table_name, moving.decision.entry
        with translated("change address"):
            here = {item["sk"]["S"]: item for item in partition_of(self._database, old)}
            place = self._item(new, keys.STATE)
        state = here.get(keys.STATE)
        read = (moving.old.version, moving.decision.replaces_version)
        if state is None or (_version(state), _version(place)) != read:
            raise StaleSubjectError
        writes: list[dict[str, Any]] = [
            _put(table, state_item(moving.decision.subject).to_dynamodb_dict(), unchanged(place) if place else _ABSENT),
            _put(table, state_item(moving.left).to_dynamodb_dict(), unchanged(state)),
            _put(self._ledger_table(), item_of(entry).to_dynamodb_dict(), _ABSENT),
            _put(table, payload_item(entry, moving.decision.payload).to_dynamodb_dict(), _ABSENT),
        ]
        sends = [item for sort_key, item in here.items() if keys.send_in(sort_key)][:_MOST_BESIDE]
        for item in [*([here[keys.PROFILE]] if keys.PROFILE in here else []), *sends]:
            sort_key = item["sk"]["S"]
            # It was there before, under another key: nobody has to be told of it.
            there = {**item, **key_at(new, sort_key), "moved_from": {"S": f"{old.key_id}#{old.pseudonym}"}}
            if sort_key == keys.PROFILE:
                there |= {"address": {"S": moving.address.mailable}, "normalised": {"S": moving.address.normalised}}
                there.pop("expires_at", None)
                there.pop("rule", None)
            writes.append(_put(table, there, {}))
            writes.append({"Delete": {"TableName": table, "Key": key_at(old, sort_key), **unchanged(item)}})
        if request is not None:
            writes.append({"Delete": _once(table, request)})
        with translated("change address"):
            try:
                self._database.call("TransactWriteItems", TransactItems=writes)
            except CallFailedError as error:
                if error.code == "TransactionCanceledException":
                    raise StaleSubjectError from None
                raise

    def settle(self, ended: Subject) -> None:
        """A stub that its own record took along when it ended is put back; what leads to the record goes."""
        # What is over keeps nobody out any more.
        contact, over = ended.contact, replace(ended, suppression=None)
        with translated("settle"):
            for move in ended.came_from:
                try:
                    forget_move(self._database, over, move, self._clock())
                except CallFailedError as error:
                    if condition_failed(error):
                        raise StaleSubjectError from None
                    raise
            if not ended.leads_on:
                return
            former = {"L": [{"S": written_move(move)} for move in ended.former]}
            stub = Subject(contact, ended.version + 1, last_at=ended.last_at, former=ended.former)
            try:
                self._database.call(
                    "PutItem", TableName=StateItem.Meta.table_name, Item=state_item(stub).to_dynamodb_dict(), **_ABSENT
                )
            except CallFailedError as error:
                if not condition_failed(error):
                    raise
                self._add_former(contact, former)

    def _add_former(self, contact: ContactPoint, former: Mapping[str, Any]) -> None:
        """Somebody came to the place before its stub was back."""
        try:
            self._database.call(
                "UpdateItem",
                TableName=StateItem.Meta.table_name,
                Key=key_at(contact, keys.STATE),
                UpdateExpression="SET #former = :former, #version = #version + :one REMOVE #end",
                ConditionExpression="attribute_not_exists(#former) AND attribute_not_exists(#moved)",
                ExpressionAttributeNames={
                    "#former": "former",
                    "#version": "version",
                    "#end": "expires_at",
                    "#moved": "moved_to",
                },
                ExpressionAttributeValues={":former": former, ":one": {"N": "1"}},
            )
        except CallFailedError as error:
            # It is back already: this end was told twice.
            if not condition_failed(error):
                raise

    def _item(self, contact: ContactPoint, sort_key: str) -> Mapping[str, Any] | None:
        if sort_key == keys.STATE:
            return state_at(self._database, contact)
        answer = self._database.call(
            "GetItem", TableName=StateItem.Meta.table_name, Key=key_at(contact, sort_key), ConsistentRead=True
        )
        found: Mapping[str, Any] | None = answer.get("Item")
        return found


def _version(item: Mapping[str, Any] | None) -> int:
    return int(item["version"]["N"]) if item is not None and "version" in item else 0


def _put(table: str, item: Mapping[str, Any], condition: Mapping[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item, **condition}}


def _once(table: str, request: AddressRequest) -> dict[str, Any]:
    """A request moves a record once."""
    key = key_at(request.contact, keys.of_address_request(request.id))
    return {"TableName": table, "Key": key, "ConditionExpression": "attribute_exists(pk)"}
