"""The ends of a record's items, the records to look at again, and proofs of what was removed, in DynamoDB.

A record's state carries the day of its next review, in the sparse index `by-review`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.faults import condition_failed, translated
from consent_center.adapters.dynamodb.items import StateItem
from consent_center.adapters.dynamodb.stored import end_in, subject_of
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import StaleSubjectError, UnavailableError
from consent_center.ports.basics import Clock
from consent_center.ports.letters import Part
from consent_center.ports.people import Dossier, End, Removal


class DynamoRetention:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def dossier(self, contact: ContactPoint) -> Dossier | None:
        by_key = {item["sk"]["S"]: item for item in self._partition(keys.of_contact(contact))}
        state = by_key.get(keys.STATE)
        if state is None or "chain" not in state or self._is_gone(state):
            return None
        subject = subject_of(contact, state)
        events = list(self._partition(keys.of_chain(subject.chain or "")))
        ends: dict[Part, End | None] = {Part("state"): end_in(state)}
        if keys.PROFILE in by_key:
            ends[Part("profile")] = end_in(by_key[keys.PROFILE])
        # A send whose time is over may be of somebody who had the address before, and gets no new end.
        live = {key: item for key, item in by_key.items() if not self._is_gone(item)}
        sends = {send: item for key, item in live.items() if (send := keys.send_in(key))}
        ends |= {Part("sent", f"{purpose}#{channel}"): end_in(item) for (purpose, channel), item in sends.items()}
        ends |= {Part("payload", str(keys.seq_in(item["sk"]["S"]))): end_in(item) for item in events}
        return Dossier(
            subject,
            {send: int(item["at"]["N"]) for send, item in sends.items()},
            ends,
            frozenset(keys.seq_in(item["sk"]["S"]) for item in events if "more" in item),
            state["review"]["S"].partition("#")[0] if "review" in state else None,
        )

    def keep(
        self, dossier: Dossier, ends: Mapping[Part, End | None], bare: Iterable[int], review_on: str | None
    ) -> None:
        subject = dossier.subject
        review = keys.of_review(review_on, subject.contact) if review_on is not None else None
        state_end = ends.get(Part("state"), dossier.ends[Part("state")])
        # First, and on its version: whoever decided meanwhile has to be looked at again.
        state = _update({**_stored(state_end), "review": review})
        state["ExpressionAttributeNames"] |= {"#version": "version"}
        state["ExpressionAttributeValues"] = {
            **state.get("ExpressionAttributeValues", {}),
            ":version": {"N": str(subject.version)},
        }
        with translated("keep"):
            try:
                self._call(keys.of_contact(subject.contact), keys.STATE, state, "#version = :version")
            except CallFailedError as error:
                if condition_failed(error):
                    raise StaleSubjectError from None
                raise
        bare = set(bare)
        seqs = {int(part.of) for part in ends if part.kind == "payload"} | bare
        updates = [
            self._asked(
                keys.of_chain(subject.chain or ""),
                keys.of_event(seq),
                _update(
                    _stored(ends[part]) if (part := Part("payload", str(seq))) in ends else {},
                    remove=("more",) if seq in bare else (),
                ),
                "attribute_exists(pk)",
            )
            for seq in sorted(seqs)
        ] + [
            self._asked(keys.of_contact(subject.contact), _sort_key(part), _update(_stored(end)), _EXISTS)
            for part, end in ends.items()
            if part.kind in ("profile", "sent")
        ]
        for outcome in self._database.call_all("UpdateItem", updates):
            # What was removed meanwhile needs no end any more.
            if isinstance(outcome, CallFailedError) and not condition_failed(outcome):
                raise UnavailableError(f"keep: {outcome.code}")

    def end_strays(self, contact: ContactPoint, now: int) -> int:
        """A send that was recorded anew meanwhile is another one, and is looked at by itself."""
        items = {item["sk"]["S"]: item for item in self._partition(keys.of_contact(contact))}
        if "chain" in items.get(keys.STATE, {}):
            return 0
        strays = [item for key, item in items.items() if keys.send_in(key) and "expires_at" not in item]
        with translated("end strays"):
            for item in strays:
                update = _update({"expires_at": now})
                update["ExpressionAttributeNames"] |= {"#at": "at"}
                update["ExpressionAttributeValues"] |= {":at": item["at"]}
                try:
                    self._call(item["pk"]["S"], item["sk"]["S"], update, "#at = :at")
                except CallFailedError as error:
                    if not condition_failed(error):
                        raise
        return len(strays)

    def _partition(self, key: str) -> Iterator[Mapping[str, Any]]:
        """Every item of one partition, a page of 1 MB after the other."""
        start: dict[str, Any] = {}
        while True:
            with translated("dossier"):
                answer = self._database.call(
                    "Query",
                    TableName=StateItem.Meta.table_name,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues={":pk": {"S": key}},
                    ConsistentRead=True,
                    **start,
                )
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _call(self, partition_key: str, sort_key: str, update: Mapping[str, Any], condition: str) -> None:
        self._database.call("UpdateItem", **self._asked(partition_key, sort_key, update, condition))

    @staticmethod
    def _asked(partition_key: str, sort_key: str, update: Mapping[str, Any], condition: str) -> dict[str, Any]:
        return {
            "TableName": StateItem.Meta.table_name,
            "Key": {"pk": {"S": partition_key}, "sk": {"S": sort_key}},
            "ConditionExpression": condition,
            **update,
        }

    def _is_gone(self, item: Mapping[str, Any]) -> bool:
        end = end_in(item)
        return end is not None and end.at * 1000 <= self._clock()


_EXISTS = "attribute_exists(pk)"


def _sort_key(part: Part) -> str:
    return keys.PROFILE if part.kind == "profile" else keys.of_send(*part.of.rsplit("#", 1))


def _stored(end: End | None) -> dict[str, int | str | None]:
    return {"expires_at": end.at, "rule": end.rule} if end else {"expires_at": None, "rule": None}


def _update(values: Mapping[str, int | str | None], remove: Iterable[str] = ()) -> dict[str, Any]:
    """An update that sets what has a value and removes what has none."""
    given = {name: value for name, value in values.items() if value is not None}
    gone = [name for name, value in values.items() if value is None] + list(remove)
    parts = []
    if given:
        parts.append("SET " + ", ".join(f"#{name} = :{name}" for name in given))
    if gone:
        parts.append("REMOVE " + ", ".join(f"#{name}" for name in gone))
    asked: dict[str, Any] = {
        "UpdateExpression": " ".join(parts),
        "ExpressionAttributeNames": {f"#{name}": name for name in [*given, *gone]},
    }
    if given:
        asked["ExpressionAttributeValues"] = {
            f":{name}": {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in given.items()
        }
    return asked


REVIEW_INDEX = "by-review"


class DynamoReviewIndex:
    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, day: str) -> Iterator[ContactPoint]:
        with translated("reviews"):
            for shard in keys.shards_of_day(day):
                for item in self._database.query(
                    TableName=StateItem.Meta.table_name,
                    IndexName=REVIEW_INDEX,
                    KeyConditionExpression="#review = :shard",
                    ExpressionAttributeNames={"#review": "review"},
                    ExpressionAttributeValues={":shard": {"S": shard}},
                ):
                    yield keys.contact_of(item["pk"]["S"], item["controller"]["S"])


class DynamoRemovals:
    def __init__(self, database: Database, table: str) -> None:
        self._database, self._table = database, table

    def prove(self, removal: Removal, keep_until: int | None) -> None:
        item = {
            "pk": {"S": keys.of_removals(removal.removed_at, removal.key_hash)},
            "sk": {"S": removal.name},
            "v": {"N": "1"},
            "table": {"S": removal.table},
            "kind": {"S": removal.kind},
            "key_hash": {"S": removal.key_hash},
            "ended_at": {"N": str(removal.ended_at)},
            "removed_at": {"N": str(removal.removed_at)},
        }
        if removal.rule is not None:
            item["rule"] = {"S": removal.rule}
        if keep_until is not None:
            item["expires_at"] = {"N": str(keep_until)}
        with translated("prove removal"):
            try:
                self._database.call(
                    "PutItem", TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)"
                )
            except CallFailedError as error:
                if not condition_failed(error):
                    raise
