"""Rights requests in DynamoDB: a partition for each case, and one for each person with what leads to their cases.

A case is one text of canonical JSON and the few attributes that indexes need: `due_shard` and `due_at` while somebody
has to look at it, `open_shard` and `answer_by` while it is open.
"""

import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import groupby
from typing import Any

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.case import Case, CaseState, Extension, LogLine, Pause, Right
from consent_center.domain.chain import canonical
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import OpenCaseError, StaleCaseError, UnavailableError, UnreadableCaseError
from consent_center.domain.recipient import Task, TaskState, Verb
from consent_center.ports.basics import Clock
from consent_center.ports.cases import CaseFile, Due, OpenCase

DUE_INDEX, OPEN_INDEX = "by-due", "by-open"

LARGEST_TRANSACTION = 100
"""Writes that DynamoDB takes in one."""

_SOMEBODY_WAS_FIRST = {"ConditionalCheckFailed", "TransactionConflict"}

_READERS = {
    "right": Right,
    "state": CaseState,
    "contact": lambda value: ContactPoint(*value),
    "extension": lambda value: Extension(*value) if value is not None else None,
    "pause": lambda value: Pause(*value) if value is not None else None,
    "owes": tuple,
}
"""How fields of a case are made from JSON that are not JSON's own."""

_NOT_THERE = "attribute_not_exists(pk)"


class DynamoCases:
    shards = keys.CASE_SHARDS

    def __init__(self, database: Database, table: str, clock: Clock) -> None:
        self._database, self._table, self._clock = database, table, clock

    def add(
        self,
        case: Case,
        log: LogLine,
        *,
        elsewhere: Sequence[ContactPoint] = (),
        others: Collection[str] = (),
    ) -> None:
        stored = replace(case, version=1)
        places = [self._key(keys.of_asker(place), keys.of_open(case.right)) for place in (case.contact, *elsewhere)]
        writes = [
            self._put(_case_item(stored), _NOT_THERE),
            self._put(_log_item(stored, log, 0), _NOT_THERE),
            self._put(_link(stored), _NOT_THERE),
            {
                "Put": {
                    "TableName": self._table,
                    "Item": {**places[0], "v": {"N": "1"}, "case": {"S": case.id}},
                    **_free(others),
                }
            },
            *({"ConditionCheck": {"TableName": self._table, "Key": place, **_free(others)}} for place in places[1:]),
            {
                "Update": {
                    "TableName": self._table,
                    "Key": self._key(keys.of_case(case.id), keys.PARTICULARS),
                    "UpdateExpression": "REMOVE expires_at",
                    "ConditionExpression": "attribute_exists(pk)",
                }
            },
        ]
        try:
            self._write("add case", writes)
        except StaleCaseError:
            with translated("add case"):
                found = [item["case"]["S"] for place in places if (item := self._get(place)) is not None]
            known = [one for one in found if one not in others]
            if known:
                raise OpenCaseError(known[0]) from None
            raise

    def load(self, case: str) -> CaseFile | None:
        """One strongly consistent query, which leaves the particulars out."""
        items: list[Mapping[str, Any]] = []
        with translated("load case"):
            items.extend(self._items_of(case, keys.CASE, keys.LAST_OF_FILE))
        by_key = {item["sk"]["S"]: item for item in items}
        found = by_key.get(keys.CASE)
        if found is None or self._is_gone(found):
            return None
        return CaseFile(
            _case(found),
            tuple(_task(item) for key, item in by_key.items() if keys.is_task(key)),
            tuple(_line(item) for key, item in by_key.items() if keys.is_log(key)),
        )

    def commit(self, case: Case, log: Sequence[LogLine], tasks: Sequence[Task] = ()) -> Case:
        stored = replace(case, version=case.version + 1)
        writes = [self._put(_case_item(stored), "#version = :version", case.version)]
        writes += [self._put(_log_item(stored, line, n), _NOT_THERE) for n, line in enumerate(log)]
        for task in tasks:
            item = _task_item(stored, replace(task, version=task.version + 1))
            condition = ("#version = :version", task.version) if task.version else (_NOT_THERE, None)
            writes.append(self._put(item, *condition))
        if case.state.is_closed:
            writes += self._freed(case)
        if case.expires_at:
            self._end(stored, writes)
        self._write("commit case", writes)
        return stored

    def of(self, contacts: Sequence[ContactPoint]) -> list[Case]:
        """One query for each contact point, and one read for each case."""
        with translated("cases of"):
            links = [
                link
                for contact in contacts
                for link in self._database.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :case)",
                    ExpressionAttributeValues={":pk": {"S": keys.of_asker(contact)}, ":case": {"S": keys.of_case("")}},
                    ConsistentRead=True,
                )
            ]
        reads = [
            {"TableName": self._table, "Key": self._key(link["sk"]["S"], keys.CASE), "ConsistentRead": True}
            for link in links
        ]
        found = []
        for answer in self._database.call_all("GetItem", reads):
            if isinstance(answer, CallFailedError):
                raise UnavailableError(f"cases of: {answer.code}")
            item = answer.get("Item")
            if item is not None and not self._is_gone(item):
                found.append(_case(item))
        return sorted(found, key=lambda case: case.received_at, reverse=True)

    def due(self, shard: int, until: int) -> Iterator[Due]:
        """From an index that is a moment behind: a case may be told that is not due any more."""
        with translated("due cases"):
            for item in self._database.query(
                TableName=self._table,
                IndexName=DUE_INDEX,
                KeyConditionExpression="due_shard = :shard AND due_at <= :until",
                ExpressionAttributeValues={":shard": {"S": str(shard)}, ":until": {"N": str(until)}},
            ):
                yield Due(keys.case_in(item["pk"]["S"]), int(item["due_at"]["N"]))

    def hold_back(self, due: Due, until: int) -> None:
        """Moves the case in the index alone: its version stays, and its next change puts it where it belongs."""
        with translated("hold case back"):
            try:
                self._database.call(
                    "UpdateItem",
                    TableName=self._table,
                    Key=self._key(keys.of_case(due.case), keys.CASE),
                    UpdateExpression="SET due_at = :until",
                    ConditionExpression="due_at = :due_at",
                    ExpressionAttributeValues={":until": {"N": str(until)}, ":due_at": {"N": str(due.due_at)}},
                )
            except CallFailedError as error:
                if not condition_failed(error) and error.code != "TransactionConflictException":
                    raise

    def put_off(self, case: str, until: int) -> bool:
        """As `hold_back`; a case that is changed, because it can be read again, loses the mark."""
        with translated("put case off"):
            before = self._database.call(
                "UpdateItem",
                TableName=self._table,
                Key=self._key(keys.of_case(case), keys.CASE),
                UpdateExpression="SET due_at = :until, put_off = :until",
                ConditionExpression="attribute_exists(due_at)",
                ExpressionAttributeValues={":until": {"N": str(until)}},
                ReturnValues="UPDATED_OLD",
            )
        return "put_off" not in before["Attributes"]

    def open_cases(self, shard: int, after: tuple[str, str] = ("", ""), most: int | None = None) -> Iterator[OpenCase]:
        """From an index that is a moment behind, and that has the cases of one day in no order."""
        day, last = after
        with translated("open cases"):
            items = self._database.query(
                TableName=self._table,
                IndexName=OPEN_INDEX,
                KeyConditionExpression="open_shard = :shard AND answer_by >= :day",
                # No text is empty in an index, and no day comes before this one.
                ExpressionAttributeValues={":shard": {"S": str(shard)}, ":day": {"S": day or "0"}},
                **({"Limit": most} if most else {}),
            )
            for answer_by, of_day in groupby(items, key=lambda item: item["answer_by"]["S"]):
                found = sorted((_open_case(item) for item in of_day), key=lambda one: one.id)
                yield from (one for one in found if (answer_by, one.id) > (day, last))

    def _freed(self, case: Case) -> list[dict[str, Any]]:
        """What lets the person ask for the same again, if it is this case that stands in the way."""
        opened = self._key(keys.of_asker(case.contact), keys.of_open(case.right))
        with translated("commit case"):
            found = self._get(opened)
        if found is None or found["case"]["S"] != case.id:
            return []
        return [{"Delete": {"TableName": self._table, "Key": opened}}]

    def _end(self, case: Case, writes: list[dict[str, Any]]) -> None:
        """Add the same end for all that is stored of a case and is not written anew.

        What does not fit into one transaction gets its end before: of a case that then stays open it is years away.
        """
        end = {"N": str(case.expires_at)}
        mine = {_key_text(write["Put"]["Item"]) for write in writes if "Put" in write}
        with translated("commit case"):
            links = [self._get(self._key(keys.of_asker(case.contact), keys.of_case(case.id)))]
            items = [
                *filter(None, links),
                *self._items_of(case.id, keys.CASE, keys.PARTICULARS, names="pk, sk, expires_at"),
            ]
        ends = [
            {
                "TableName": self._table,
                "Key": {"pk": item["pk"], "sk": item["sk"]},
                "UpdateExpression": "SET expires_at = :end",
                # Particulars may be shredded at this moment, and must not come back as a shell.
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {":end": end},
            }
            for item in items
            if item.get("expires_at") != end and _key_text(item) not in mine
        ]
        room = LARGEST_TRANSACTION - len(writes)
        before, within = ends[: max(0, len(ends) - room)], ends[max(0, len(ends) - room) :]
        for outcome in self._database.call_all("UpdateItem", before):
            if isinstance(outcome, CallFailedError):
                raise UnavailableError(f"commit case: {outcome.code}")
        writes += [{"Update": update} for update in within]

    def _write(self, operation: str, writes: list[dict[str, Any]]) -> None:
        # The token makes a retry of an unanswered write harmless for ten minutes; after that the version does.
        token = secrets.token_hex(16)
        try:
            self._database.call("TransactWriteItems", TransactItems=writes, ClientRequestToken=token)
        except CallFailedError as error:
            reasons = {reason for reason in error.reasons if reason != "None"}
            if reasons and reasons <= _SOMEBODY_WAS_FIRST:
                raise StaleCaseError from None
            raise UnavailableError(f"{operation}: {error.code} {sorted(reasons)}") from None

    def _items_of(self, case: str, first: str, last: str, names: str | None = None) -> Iterator[Mapping[str, Any]]:
        """The items of a case whose sort keys lie between two; whole, or of each some attributes."""
        return self._database.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": keys.of_case(case)},
                ":first": {"S": first},
                ":last": {"S": last},
            },
            ConsistentRead=True,
            **({"ProjectionExpression": names} if names else {}),
        )

    def _get(self, key: Mapping[str, Any]) -> Mapping[str, Any] | None:
        answer = self._database.call("GetItem", TableName=self._table, Key=key, ConsistentRead=True)
        found: Mapping[str, Any] | None = answer.get("Item")
        return found

    def _put(self, item: Mapping[str, Any], condition: str, version: int | None = None) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table, "Item": item, "ConditionExpression": condition}
        if version is not None:
            put["ExpressionAttributeNames"] = {"#version": "version"}
            put["ExpressionAttributeValues"] = {":version": {"N": str(version)}}
        return {"Put": put}

    def _is_gone(self, item: Mapping[str, Any]) -> bool:
        return "expires_at" in item and int(item["expires_at"]["N"]) * 1000 <= self._clock()

    @staticmethod
    def _key(partition_key: str, sort_key: str) -> dict[str, Any]:
        return {"pk": {"S": partition_key}, "sk": {"S": sort_key}}


def _free(others: Collection[str]) -> dict[str, Any]:
    """The condition that nobody's case stands at a place, or that of somebody else."""
    if not others:
        return {"ConditionExpression": _NOT_THERE}
    values = {f":other{number}": {"S": other} for number, other in enumerate(sorted(others))}
    return {
        "ConditionExpression": f"{_NOT_THERE} OR #case IN ({', '.join(values)})",
        "ExpressionAttributeNames": {"#case": "case"},
        "ExpressionAttributeValues": values,
    }


def _key_text(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _item(case: Case, sort_key: str, version: int | None, body: Mapping[str, Any]) -> dict[str, Any]:
    item = {
        "pk": {"S": keys.of_case(case.id)},
        "sk": {"S": sort_key},
        "v": {"N": "1"},
        "body": {"S": canonical(_plain(body)).decode()},
    }
    if version is not None:
        item["version"] = {"N": str(version)}
    if case.expires_at:
        item["expires_at"] = {"N": str(case.expires_at)}
    return item


def _case_item(case: Case) -> dict[str, Any]:
    item = _item(case, keys.CASE, case.version, _values(case))
    shard = {"S": str(keys.case_shard(case.id))}
    if case.due_at:
        item |= {"due_shard": shard, "due_at": {"N": str(case.due_at)}}
    if not case.state.is_closed:
        item |= {"open_shard": shard, "answer_by": {"S": case.answer_by}}
    return item


def _log_item(case: Case, line: LogLine, number: int) -> dict[str, Any]:
    return _item(case, keys.of_log(line.at, case.version, number), None, _values(line))


def _task_item(case: Case, task: Task) -> dict[str, Any]:
    return _item(case, keys.of_task(task.recipient), task.version, _values(task))


def _link(case: Case) -> dict[str, Any]:
    return {"pk": {"S": keys.of_asker(case.contact)}, "sk": {"S": keys.of_case(case.id)}, "v": {"N": "1"}}


def _values(stored: Case | Task | LogLine) -> dict[str, Any]:
    """The fields of what is stored; its version stands beside them, where conditions see it."""
    return {field.name: getattr(stored, field.name) for field in fields(stored) if field.name != "version"}


def _plain(value: Any) -> Any:
    """Mappings and sequences of any kind as JSON has them."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _case(item: Mapping[str, Any]) -> Case:
    try:
        body = json.loads(item["body"]["S"])
        read = {name: reader(body[name]) for name, reader in _READERS.items() if name in body}
        return Case(**{**_known(Case, body), **read}, version=int(item["version"]["N"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        # Its text may quote what is stored.
        raise UnreadableCaseError("a stored case cannot be read") from None


def _open_case(item: Mapping[str, Any]) -> OpenCase:
    answer_by, case = item["answer_by"]["S"], keys.case_in(item["pk"]["S"])
    try:
        return OpenCase(answer_by, case, _case(item))
    except UnreadableCaseError:
        return OpenCase(answer_by, case, None)


def _task(item: Mapping[str, Any]) -> Task:
    body = json.loads(item["body"]["S"])
    read = {"verb": Verb(body["verb"]), "state": TaskState(body["state"])}
    return Task(**{**_known(Task, body), **read}, version=int(item["version"]["N"]))


def _line(item: Mapping[str, Any]) -> LogLine:
    return LogLine(**_known(LogLine, json.loads(item["body"]["S"])))


def _known(kind: type[Case | Task | LogLine], body: Mapping[str, Any]) -> dict[str, Any]:
    """What this version knows of a body that another version may have written."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in body.items() if name in names}
