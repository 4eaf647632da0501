"""Contact points in DynamoDB: state, profile and requests in one partition, event payloads under the chain."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.transactions import TransactWrite

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.dynamodb.items import EntryItem, PayloadItem, ProfileItem, RequestItem, StateItem
from consent_center.adapters.dynamodb.ledger import item_of
from consent_center.adapters.dynamodb.stored import (
    end_in,
    moved_to,
    moves_in,
    number,
    payload_item,
    payload_of,
    profile_actions,
    profile_of,
    request_item,
    request_of,
    state_item,
    subject_of,
    suppressed,
    written_move,
)
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.audience import Reached
from consent_center.domain.capability import SEND_GOOD_FOR_MS
from consent_center.domain.chain import Payload
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError, UnavailableError
from consent_center.domain.request import Request
from consent_center.domain.subject import Decision, Move, Subject
from consent_center.observability import logger
from consent_center.ports.basics import Clock, Pause
from consent_center.ports.people import Holdings, KeptPayload, Profile, Record, Send

_CHECKED = ("pk", "chain", "d", "p", "locks", "prefs", "supp", "inform", "expires_at", "moved_to")
_WHOSE = ("former", "holder", "here")
"""What says whose a letter was."""

# What is read of the states of many. Every name is aliased, because DynamoDB reserves several of them.
_ANSWERS = {f"#{name}": name for name in (*_CHECKED, *_WHOSE)}

_SENDS = {f"#{name}": name for name in ("pk", "at", "expires_at")}

_REACHED = {f"#{name}": name for name in ("pk", "address", "normalised", "lang", "expires_at")}

_MOST_MOVES = 16
"""Rotations that an old link is followed through; more cannot be without a loop."""

_BATCH_GET = 100
_BATCH_WRITE = 25
_BATCH_ATTEMPTS = 5
_TRANSACTION = 100

_CANCELLED_KEPT_SECONDS = 3600
"""How long a state stays that records nothing but a cancellation: longer than any confirmation can be under way."""


class DynamoSubjects:
    """Whatever has expired is not there, however late DynamoDB removes it."""

    def __init__(self, database: Database, pause: Pause, clock: Clock) -> None:
        self._database = database
        self._pause = pause
        self._clock = clock

    def add_request(self, request: Request) -> None:
        with translated("add request"):
            request_item(request).save()

    def load(self, contact: ContactPoint, request: str | None = None) -> Record:
        """One strongly consistent read of the state, then one of the request if it is wanted.

        In this order: a cancellation deletes the request before it moves the state's version on, so whoever still
        finds the request holds a state that the cancellation will make stale.
        """
        with translated("load"):
            place, item = self._followed(contact)
            subject = self._subject(place, item)
            found = self._item(place, keys.of_request(request)) if request is not None else None
            if found is None and request is not None and place != contact:
                # It was stored while the record was being moved, or did not fit into the move.
                found = self._item(contact, keys.of_request(request))
            if found is not None and "moved_to" in found:
                found = None
        return Record(subject, request_of(place, RequestItem.from_raw_data(dict(found))) if found else None)

    def _followed(self, contact: ContactPoint) -> tuple[ContactPoint, Mapping[str, Any] | None]:
        """Where a contact point's record is now, and its state there."""
        for _ in range(_MOST_MOVES):
            item = self._item(contact, keys.STATE)
            onward = moved_to(contact, item)
            if onward is None:
                return contact, item
            contact = onward
        raise UnavailableError("a record that was moved in a circle")

    def holdings(self, contact: ContactPoint) -> Holdings:
        """One strongly consistent query over the contact point's partition, a page of 1 MB after the other."""
        items: list[Mapping[str, Any]] = []
        start: dict[str, Any] = {}
        with translated("holdings"):
            while True:
                answer = self._database.call(
                    "Query",
                    TableName=StateItem.Meta.table_name,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues={":pk": {"S": keys.of_contact(contact)}},
                    ConsistentRead=True,
                    **start,
                )
                items += answer["Items"]
                if "LastEvaluatedKey" not in answer:
                    break
                start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        by_key = {item["sk"]["S"]: item for item in items}
        state = by_key.pop(keys.STATE, None)
        onward = moved_to(contact, state)
        if onward is not None:
            return self.holdings(onward)
        by_key = {key: item for key, item in by_key.items() if not self._is_gone(number(item, "expires_at"))}
        profile = by_key.get(keys.PROFILE)
        return Holdings(
            self._subject(contact, state),
            profile_of(profile) if profile else None,
            tuple(
                request_of(contact, RequestItem.from_raw_data(dict(item)))
                for key, item in by_key.items()
                if keys.is_request(key)
            ),
            {send: number(item, "at") for key, item in by_key.items() if (send := keys.send_in(key))},
            end_in(profile) if profile else None,
        )

    def last_sends(self, contacts: Sequence[ContactPoint], purpose: str, channel: str) -> Mapping[ContactPoint, int]:
        by_key = {keys.of_contact(contact): contact for contact in contacts}
        answered, items = self._read_all(list(by_key), keys.of_send(purpose, channel), _SENDS)
        found = {by_key[key]: 0 for key in answered}
        live = [item for item in items if not self._is_gone(number(item, "expires_at"))]
        return found | {by_key[item["pk"]["S"]]: number(item, "at") for item in live}

    def save_language(self, contact: ContactPoint, language: str) -> None:
        """Language is no decision: it moves no version, so that it cannot get in the way of one."""
        with translated("save language"):
            for item, action in (
                (StateItem(keys.of_contact(contact), keys.STATE), StateItem.lang.set(language)),
                (ProfileItem(keys.of_contact(contact), keys.PROFILE), ProfileItem.lang.set(language)),
            ):
                condition = type(item).pk.exists()
                if isinstance(item, StateItem):
                    condition &= StateItem.moved_to.does_not_exist()
                try:
                    item.update([action], condition=condition)
                except UpdateError as error:
                    if not condition_failed(error):
                        raise
                    if isinstance(item, StateItem) and (place := self._followed(contact)[0]) != contact:
                        self.save_language(place, language)
                        return

    def mark_requested(self, contact: ContactPoint, requested: Mapping[str, int]) -> None:
        item = StateItem(keys.of_contact(contact), keys.STATE)
        marks = [StateItem.p.set(dict(requested)), StateItem.v.set(1), StateItem.version.add(0)]
        with translated("mark requested"):
            place = self._update_state(contact, item, marks, ends_alone=max(requested.values()))
        if place is not None:
            self.mark_requested(place, requested)

    def cancel_request(self, contact: ContactPoint, request: str, requested: Mapping[str, int], now: int) -> None:
        with translated("cancel request"):
            RequestItem(keys.of_contact(contact), keys.of_request(request)).delete()
            item = StateItem(keys.of_contact(contact), keys.STATE)
            marks = [StateItem.p.set(dict(requested)), StateItem.v.set(1), StateItem.version.add(1)]
            kept_until = now // 1000 + _CANCELLED_KEPT_SECONDS
            place = self._update_state(contact, item, marks, ends_alone=max([kept_until, *requested.values()]))
        if place is not None:
            self.cancel_request(place, request, requested, now)

    def _update_state(
        self, contact: ContactPoint, item: StateItem, actions: list[Any], *, ends_alone: int
    ) -> ContactPoint | None:
        """Update a state that may not exist yet. Only one without decisions or a suppression may leave by itself, and
        not before it would have left anyway.

        Answers where the record is, if it was moved: nothing was updated then.
        """
        is_here = StateItem.moved_to.does_not_exist()
        try:
            nobody = (
                StateItem.chain.does_not_exist()
                & StateItem.supp.does_not_exist()
                & StateItem.erasing.does_not_exist()
                & (StateItem.pk.does_not_exist() | (StateItem.expires_at < ends_alone))
                & is_here
            )
            item.update([*actions, StateItem.expires_at.set(ends_alone)], condition=nobody)
        except UpdateError as error:
            if not condition_failed(error):
                raise
            try:
                item.update(actions, condition=StateItem.pk.exists() & is_here)
            except UpdateError as error:
                place = self._followed(contact)[0] if condition_failed(error) else contact
                if place == contact:
                    raise
                return place
        return None

    def commit(self, decision: Decision, profile: Profile | None = None) -> None:
        subject, entry = decision.subject, decision.entry
        unchanged = (
            StateItem.version == decision.replaces_version
            if decision.replaces_version
            else StateItem.pk.does_not_exist() | (StateItem.version == 0)
        )
        # The token makes a retry of an unanswered write harmless for ten minutes; after that the version does.
        with (
            translated("commit"),
            TransactWrite(connection=self._database.connection, client_request_token=entry.hash[:36]) as transaction,
        ):
            transaction.save(state_item(subject), condition=unchanged)
            transaction.save(
                item_of(entry),
                condition=EntryItem.pk.does_not_exist(),
            )
            transaction.save(
                payload_item(entry, decision.payload),
                condition=PayloadItem.pk.does_not_exist(),
            )
            if profile is not None:
                transaction.update(
                    ProfileItem(keys.of_contact(subject.contact), keys.PROFILE), actions=profile_actions(profile)
                )

    def clear(self, subject: Subject, until: int | None) -> None:
        """Requests, sends and profile go in transactions on the state's version, so that whoever returns meanwhile
        keeps what is theirs; the old chain's payloads go without, because nothing else leads to them.
        """
        table, partition = StateItem.Meta.table_name, keys.of_contact(subject.contact)
        state = {"pk": {"S": partition}, "sk": {"S": keys.STATE}}
        on_version: dict[str, Any] = {
            "ConditionExpression": "#version = :version",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":version": {"N": str(subject.version)}},
        }
        with translated("clear"), _on_the_version():
            for move in subject.came_from:
                forget_move(self._database, subject, move, self._clock())
            # Who has a chain again is back, and what stands beside the state is theirs.
            for chunk in _chunks([] if subject.chain else self._beside(partition), _TRANSACTION - 1):
                self._database.call(
                    "TransactWriteItems",
                    TransactItems=[
                        {"ConditionCheck": {"TableName": table, "Key": state, **on_version}},
                        *({"Delete": {"TableName": table, "Key": key}} for key in chunk),
                    ],
                )
            if subject.erasing is not None:
                chain = keys.of_chain(subject.erasing)
                for key in self._beside(chain):
                    self._database.call("DeleteItem", TableName=table, Key=key)
            names, values = {"#version": "version"}, {**on_version["ExpressionAttributeValues"], ":one": {"N": "1"}}
            changed, removed = ["#version = #version + :one"], ["erasing", "came"]
            # What leads on to somebody who was here before has no end of its own.
            if subject.chain is None and until is not None and (subject.suppression or not subject.leads_on):
                changed.append("expires_at = :until")
                values[":until"] = {"N": str(until)}
            self._database.call(
                "UpdateItem",
                TableName=table,
                Key=state,
                UpdateExpression=f"SET {', '.join(changed)} REMOVE {', '.join(removed)}",
                ConditionExpression="#version = :version",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )

    def _beside(self, partition: str) -> list[dict[str, Any]]:
        """The keys of a partition's items, but for the state."""
        found: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            answer = self._database.call(
                "Query",
                TableName=StateItem.Meta.table_name,
                KeyConditionExpression="pk = :pk",
                ProjectionExpression="pk, sk",
                ExpressionAttributeValues={":pk": {"S": partition}},
                ConsistentRead=True,
                **start,
            )
            found += [{"pk": item["pk"], "sk": item["sk"]} for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return [key for key in found if key["sk"]["S"] != keys.STATE]
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def states(self, contacts: Sequence[ContactPoint]) -> Mapping[ContactPoint, Subject]:
        by_key = {keys.of_contact(contact): contact for contact in contacts}
        answered, items = self._read_all(list(by_key), keys.STATE, _ANSWERS)
        stored = {item["pk"]["S"]: item for item in items}
        found = {by_key[key]: self._subject(by_key[key], stored.get(key)) for key in answered}
        if any("moved_to" in item for item in items):
            places = ((by_key[key], moved_to(by_key[key], item)) for key, item in stored.items())
            moved = {contact: onward for contact, onward in places if onward is not None}
            there = self.states(list(moved.values()))
            found = {contact: subject for contact, subject in found.items() if contact not in moved}
            found |= {contact: there[onward] for contact, onward in moved.items() if onward in there}
        return found

    def reached(self, contacts: Sequence[ContactPoint]) -> Mapping[ContactPoint, Reached | None]:
        by_key = {keys.of_contact(contact): contact for contact in contacts}
        answered, items = self._read_all(list(by_key), keys.PROFILE, _REACHED)
        found: dict[ContactPoint, Reached | None] = {by_key[key]: None for key in answered}
        live = [item for item in items if not self._is_gone(number(item, "expires_at"))]
        return found | {
            by_key[item["pk"]["S"]]: Reached(item["address"]["S"], item["lang"]["S"], item["normalised"]["S"])
            for item in live
        }

    def record_sends(self, sends: Sequence[Send]) -> set[ContactPoint]:
        table = StateItem.Meta.table_name
        by_key = {keys.of_contact(send.contact): send.contact for send in sends}
        writes = [
            {
                "PutRequest": {
                    "Item": {
                        "pk": {"S": keys.of_contact(send.contact)},
                        "sk": {"S": keys.of_send(send.purpose, send.contact.channel)},
                        "v": {"N": "1"},
                        "at": {"N": str(send.at)},
                        "controller": {"S": send.contact.controller},
                    }
                }
            }
            for send in sends
        ]
        unstored = self._in_batches(
            writes,
            _BATCH_WRITE,
            "BatchWriteItem",
            lambda chunk: {"RequestItems": {table: chunk}},
            lambda answer: answer.get("UnprocessedItems", {}).get(table, []),
        )
        return {by_key[write["PutRequest"]["Item"]["pk"]["S"]] for write in unstored}

    def payload(self, chain: str, seq: int) -> Payload | None:
        with translated("payload"):
            try:
                item = PayloadItem.get(keys.of_chain(chain), keys.of_event(seq), consistent_read=True)
            except DoesNotExist:
                return None
        return None if self._is_gone(item.expires_at) else payload_of(item)

    def payloads(self, chain: str) -> Mapping[int, Payload]:
        return {kept.seq: kept.payload for kept in self.kept_payloads(chain)}

    def kept_payloads(self, chain: str) -> Iterator[KeptPayload]:
        with translated("payloads"):
            for item in self._database.query(
                TableName=PayloadItem.Meta.table_name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": keys.of_chain(chain)}},
                ConsistentRead=True,
            ):
                if not self._is_gone(number(item, "expires_at")):
                    # A model for each of a hundred thousand items would take longer than all the rest.
                    more = json.loads(item["more"]["S"]) if "more" in item else None
                    payload = Payload(item["salt"]["S"], json.loads(item["content"]["S"]), more)
                    yield KeptPayload(keys.seq_in(item["sk"]["S"]), payload, end_in(item))

    def _is_gone(self, expires_at: float | None) -> bool:
        return bool(expires_at) and int(expires_at or 0) * 1000 <= self._clock()

    def _subject(self, contact: ContactPoint, item: Mapping[str, Any] | None) -> Subject:
        if item is None:
            return Subject(contact)
        if "expires_at" in item and self._is_gone(number(item, "expires_at")):
            # What takes its place has to name the version that DynamoDB still holds.
            return Subject(contact, number(item, "version"), former=moves_in(item, "former"))
        return subject_of(contact, item)

    def _item(self, contact: ContactPoint, sort_key: str) -> Mapping[str, Any] | None:
        answer = self._database.call(
            "GetItem",
            TableName=StateItem.Meta.table_name,
            Key={"pk": {"S": keys.of_contact(contact)}, "sk": {"S": sort_key}},
            ConsistentRead=True,
        )
        found: Mapping[str, Any] | None = answer.get("Item")
        return found

    def _read_all(
        self, partition_keys: list[str], sort_key: str, names: Mapping[str, str]
    ) -> tuple[list[str], list[Mapping[str, Any]]]:
        """The keys that were answered, and the items among them that exist, as far as `names` goes."""
        table = StateItem.Meta.table_name
        items: list[Mapping[str, Any]] = []
        what = {"ConsistentRead": True, "ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}

        def take(answer: Mapping[str, Any]) -> list[Any]:
            items.extend(answer["Responses"].get(table, []))
            left: list[Any] = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            return left

        unread = self._in_batches(
            [{"pk": {"S": key}, "sk": {"S": sort_key}} for key in partition_keys],
            _BATCH_GET,
            "BatchGetItem",
            lambda chunk: {"RequestItems": {table: {"Keys": chunk, **what}}},
            take,
        )
        unanswered = {key["pk"]["S"] for key in unread}
        return [key for key in partition_keys if key not in unanswered], items

    def _in_batches(
        self,
        rows: list[Any],
        size: int,
        operation: str,
        request: Callable[[list[Any]], Mapping[str, Any]],
        take: Callable[[Mapping[str, Any]], list[Any]],
    ) -> list[Any]:
        """The rows that could not be handled in the end. `take` reads an answer and gives back what it left undone."""
        failed: list[Any] = []
        for attempt in range(_BATCH_ATTEMPTS):
            chunks = _chunks(rows, size)
            rows = []
            for chunk, answer in zip(
                chunks, self._database.call_all(operation, [request(chunk) for chunk in chunks]), strict=True
            ):
                if isinstance(answer, CallFailedError):
                    failed += chunk
                    # Whoever could not be asked about or stored by now is left out, and so denied.
                    logger.warning("a batch failed", operation=operation, reason=answer.code, rows=len(chunk))
                else:
                    rows += take(answer)
            if not rows:
                break
            self._pause(attempt)
        return failed + rows


def forget_move(database: Database, subject: Subject, move: Move, now: int) -> None:
    """Remove what leads from an earlier address of a record to it; `now` in epoch milliseconds.

    Whose suppression stays is suppressed there too, unless somebody else has the address by now: lists that others
    hold name the old address. Raises as the database does where somebody decides at this moment.
    """
    contact = subject.contact._replace(key_id=move.key_id, pseudonym=move.pseudonym)
    for _ in range(_MOST_MOVES):
        item = state_at(database, contact)
        onward = moved_to(contact, item)
        if onward is None:
            break
        contact = onward
    if item is None or not any(text["S"].endswith(f"@{move.at}") for text in item.get("former", {"L": []})["L"]):
        return
    moves = [one.forgotten() if one.at == move.at else one for one in moves_in(item, "former")]
    # Where nobody is and nothing leads on, the time of it is of no use either.
    is_empty = all(one.leads_nowhere for one in moves) and not any(name in item for name in ("chain", "erasing"))
    left = [] if is_empty else [{"S": written_move(one)} for one in moves]
    changed: dict[str, Any] = {"former": {"L": left}} if left else {}
    kept = subject.suppression
    if kept is not None and not any(name in item for name in ("chain", "supp", "erasing")):
        changed |= {"supp": {"S": suppressed(kept)}, "listed": {"S": keys.listed(contact, is_living=False)}}
        changed |= {"expires_at": {"N": str(kept.until)}} if kept.until is not None else {}
    elif is_empty:
        there = subject_of(contact, item)
        # Letters of whoever was here can be confirmed for a while, and are not the next holder's.
        ends = [(now + SEND_GOOD_FOR_MS) // 1000, *there.requested.values()]
        until = there.suppression.until if there.suppression else 0
        if until is not None:
            changed["expires_at"] = {"N": str(max([*ends, until]))}
    names = ["version", *changed, *([] if left else ["former"])]
    sets = ", ".join(["#version = #version + :one", *(f"#{name} = :{name}" for name in changed)])
    database.call(
        "UpdateItem",
        TableName=StateItem.Meta.table_name,
        Key={"pk": item["pk"], "sk": item["sk"]},
        UpdateExpression=f"SET {sets}" + ("" if left else " REMOVE #former"),
        ConditionExpression="#version = :version",
        ExpressionAttributeNames={f"#{name}": name for name in names},
        ExpressionAttributeValues={
            ":version": item["version"],
            ":one": {"N": "1"},
            **{f":{name}": value for name, value in changed.items()},
        },
    )


def state_at(database: Database, contact: ContactPoint) -> Mapping[str, Any] | None:
    """The stored state at a place, for whoever may only query."""
    found = database.query(
        TableName=StateItem.Meta.table_name,
        KeyConditionExpression="pk = :pk AND sk = :sk",
        ExpressionAttributeValues={":pk": {"S": keys.of_contact(contact)}, ":sk": {"S": keys.STATE}},
        ConsistentRead=True,
    )
    return next(iter(found), None)


@contextmanager
def _on_the_version() -> Iterator[None]:
    """StaleSubjectError for a write whose condition on the version did not hold: somebody decided meanwhile."""
    try:
        yield
    except CallFailedError as error:
        if condition_failed(error) or error.code == "TransactionCanceledException":
            raise StaleSubjectError from None
        raise


def _chunks(rows: list[Any], size: int) -> list[list[Any]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
