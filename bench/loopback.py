"""A double of DynamoDB, SQS, SES, KMS and Secrets Manager on 127.0.0.1, in a process of its own: records each request.

It keeps items by key and takes every condition as met, which is enough to answer one person's flow after the other.
"""

import base64
import json
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Item = dict[str, Any]
Key = tuple[str, str]

PEPPER = "a pepper for measuring"
LINKS = "a key of links for measuring"
SECRETS = {"pepper": {"current": "k1", "k1": PEPPER}, "links": {"current": "k1", "k1": LINKS}}


class Tables:
    """Items by table and key, and what each call read and wrote."""

    def __init__(self) -> None:
        self.items: dict[str, dict[Key, Item]] = {}
        self.partitions: dict[tuple[str, str], set[Key]] = {}
        """The keys of what was put or written, by table and partition: what a query of a table may find."""
        self.records: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def call(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        work: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = getattr(self, f"_{operation}")
        record: dict[str, Any] = {
            "service": "dynamodb",
            "operation": operation,
            "transaction": operation.startswith("Transact"),
            "reads": [],
            "writes": [],
        }
        with self._lock:
            answer = work(asked, record)
            self.records.append(record)
        return answer

    def note(self, service: str, operation: str) -> None:
        with self._lock:
            self.records.append({"service": service, "operation": operation, "reads": [], "writes": []})

    def taken(self) -> list[dict[str, Any]]:
        with self._lock:
            records, self.records = self.records, []
        return records

    def put(self, table: str, items: Sequence[Item]) -> None:
        with self._lock:
            self.items.setdefault(table, {}).update({_key(item): item for item in items})
            for item in items:
                self._note_key(table, item)

    def fill(self, table: str, people: int) -> None:
        """Strangers, all with the same small record, so that the table has a size."""
        stranger = {"v": {"N": "1"}, "version": {"N": "1"}, "d": {"M": {}}, "p": {"M": {}}}
        with self._lock:
            rows = self.items.setdefault(table, {})
            rows.update({(f"S#k1#stranger-{number}", "STATE"): stranger for number in range(people)})

    def _read(self, record: dict[str, Any], table: str, key: Item, *, consistent: bool) -> Item | None:
        item = self.items.get(table, {}).get(_key(key))
        record["reads"].append({"table": table, "items": [item] if item else [], "consistent": consistent})
        return item

    def _write(self, record: dict[str, Any], table: str, key: Item, after: Item | None) -> None:
        rows = self.items.setdefault(table, {})
        record["writes"].append({"table": table, "before": rows.get(_key(key)), "after": after})
        if after is None:
            rows.pop(_key(key), None)
        else:
            rows[_key(key)] = after
            self._note_key(table, key)

    def _note_key(self, table: str, item: Item) -> None:
        self.partitions.setdefault((table, item["pk"]["S"]), set()).add(_key(item))

    def _GetItem(self, asked: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - DynamoDB's name
        consistent = asked.get("ConsistentRead", False)
        item = self._read(record, asked["TableName"], asked["Key"], consistent=consistent)
        return {"Item": item} if item else {}

    def _BatchGetItem(self, asked: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        answers = {}
        for table, wanted in asked["RequestItems"].items():
            consistent = wanted.get("ConsistentRead", False)
            names = wanted.get("ExpressionAttributeNames", {})
            projected = [names.get(name, name) for name in wanted.get("ProjectionExpression", "").split(", ") if name]
            found = [self._read(record, table, key, consistent=consistent) for key in wanted["Keys"]]
            answers[table] = [
                {name: value for name, value in item.items() if not projected or name in projected}
                for item in found
                if item
            ]
        return {"Responses": answers, "UnprocessedKeys": {}}

    def _Query(self, asked: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """One partition of the table or of an index, in pages of `Limit` items; without it whole, up to 1 MB."""
        rows = self.items.get(asked["TableName"], {})
        is_wanted = condition(asked)
        name = asked["KeyConditionExpression"].split()[2]
        partition = asked["ExpressionAttributeValues"][name]["S"]
        among = rows if "IndexName" in asked else self.partitions.get((asked["TableName"], partition), set())
        found = [rows[key] for key in sorted(key for key in among if key in rows and is_wanted(rows[key]))]
        found = [projected(item, asked.get("IndexName", "")) for item in found]
        if "ExclusiveStartKey" in asked:
            found = [item for item in found if _key(item) > _key(asked["ExclusiveStartKey"])]
        if len(found) > asked.get("Limit", len(found)):
            found = found[: asked["Limit"]]
            more = {"LastEvaluatedKey": {name: found[-1][name] for name in ("pk", "sk")}}
        else:
            more = {}
        record["reads"].append(
            {"table": asked["TableName"], "items": found, "consistent": asked.get("ConsistentRead", False)}
        )
        return {"Items": found, "Count": len(found), "ScannedCount": len(found), **more}

    def _PutItem(self, asked: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._write(record, asked["TableName"], asked["Item"], asked["Item"])
        return {}

    def _DeleteItem(self, asked: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._write(record, asked["TableName"], asked["Key"], None)
        return {}

    def _UpdateItem(self, asked: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        before = self.items.get(asked["TableName"], {}).get(_key(asked["Key"]))
        after = updated({**asked["Key"], **(before or {})}, asked)
        self._write(record, asked["TableName"], asked["Key"], after)
        return {"Attributes": after}

    def _BatchWriteItem(self, asked: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        for table, writes in asked["RequestItems"].items():
            for write in writes:
                self._write(record, table, write["PutRequest"]["Item"], write["PutRequest"]["Item"])
        return {"UnprocessedItems": {}}

    def _TransactWriteItems(self, asked: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        for part in asked["TransactItems"]:
            ((kind, write),) = part.items()
            getattr(self, f"_{kind}Item")(write, record)
        return {}


def _key(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


KEYS_ONLY = {"by-due": ("pk", "sk", "due_shard", "due_at")}
"""What the items of an index have; of others all is taken, which is no less than they have."""


def projected(item: Item, index: str) -> Item:
    return {name: item[name] for name in KEYS_ONLY[index]} if index in KEYS_ONLY else item


def condition(asked: dict[str, Any]) -> Callable[[Item], bool]:
    """Whether an item is one that a query asks for: `a = :x`, and perhaps one of `b <= :y`, `b BETWEEN :y AND :z`."""
    names, values = asked.get("ExpressionAttributeNames", {}), asked["ExpressionAttributeValues"]
    text = r"([#\w]+) = (:\w+)(?: AND (\w+) (?:<= (:\w+)|BETWEEN (:\w+) AND (:\w+)))?"
    match = re.fullmatch(text, asked["KeyConditionExpression"])
    if match is None:
        raise ValueError(asked["KeyConditionExpression"])
    hash_name, partition, range_name, most, first, last = match.groups()
    hash_name = names.get(hash_name, hash_name)

    def is_wanted(item: Item) -> bool:
        # Cheapest first: most items are of another partition.
        if item.get(hash_name) != values[partition]:
            return False
        if range_name is None:
            return True
        if most is not None:
            return bool(range_name in item and int(item[range_name]["N"]) <= int(values[most]["N"]))
        return bool(values[first]["S"] <= item[range_name]["S"] <= values[last]["S"])

    return is_wanted


def updated(item: Item, asked: dict[str, Any]) -> Item:
    """The item after an update expression of `SET a = b`, `ADD a b` and `REMOVE a`; ValueError for any other."""
    names = asked.get("ExpressionAttributeNames", {})
    values = asked.get("ExpressionAttributeValues", {})
    item = dict(item)
    parts = re.split(r"\b(SET|ADD|REMOVE|DELETE)\b", asked["UpdateExpression"])[1:]
    for action, clauses in zip(parts[::2], parts[1::2], strict=True):
        for clause in clauses.split(","):
            if action == "REMOVE":
                item.pop(names.get(clause.strip(), clause.strip()), None)
                continue
            name, value = clause.split("=") if action == "SET" else clause.split()
            attribute, given = names.get(name.strip(), name.strip()), values[value.strip()]
            if action == "ADD":
                given = {"N": str(int(item.get(attribute, {"N": "0"})["N"]) + int(given["N"]))}
            elif action != "SET":
                raise ValueError(action)
            item[attribute] = given
    return item


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    tables: Tables

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = json.loads(body) if body else {}
        service, _, operation = self.headers.get("X-Amz-Target", self.path).partition(".")
        try:
            answer = self._answer(service, operation, asked)
        except (AttributeError, KeyError, ValueError) as error:
            self._send(400, {"__type": "ValidationException", "message": f"not in the double: {error!r}"})
        else:
            self._send(200, answer)

    def _answer(self, service: str, operation: str, asked: dict[str, Any]) -> Any:
        if service.startswith("DynamoDB_"):
            return self.tables.call(operation, asked)
        if service == "secretsmanager":
            self.tables.note("secretsmanager", operation)
            return {"Name": asked["SecretId"], "SecretString": json.dumps(SECRETS[asked["SecretId"]])}
        if service == "AmazonSQS":
            self.tables.note("sqs", operation)
            return {"MessageId": "00000000-0000-4000-8000-000000000003"}
        if service == "TrentService":
            self.tables.note("kms", operation)
            return {"Signature": base64.b64encode(bytes(384)).decode()}
        if service == "/v2/email/outbound-emails":
            self.tables.note("ses", "SendEmail")
            return {"MessageId": "letter"}
        if service == "/_bench/records":
            return self.tables.taken()
        if service == "/_bench/put":
            self.tables.put(asked["table"], asked["items"])
            return {}
        if service == "/_bench/fill":
            self.tables.fill(asked["table"], asked["people"])
            return {}
        raise ValueError(service)

    def _send(self, status: int, answer: Any) -> None:
        body = json.dumps(answer, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Says nothing: requests are recorded, not logged."""


class Loopback:
    """The double while the block runs. `url` is its address."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-m", "bench.loopback"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def records(self) -> list[dict[str, Any]]:
        """What was asked since the last time, and forget it."""
        return list(control(self.url, "records", {}))


def control(url: str, what: str, body: dict[str, Any]) -> Any:
    """Speak to the double itself: `records`, `put` or `fill`."""
    request = urllib.request.Request(f"{url}/_bench/{what}", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def main() -> None:
    _Handler.tables = Tables()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
