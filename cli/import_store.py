"""The bucket and the queue of imports, as the command that fills them sees them."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from cli.deployment import Deployment
from consent_center.adapters.imports_s3 import manifest_key, manifest_of, part_key, report_key
from consent_center.domain.importing import Evidence, ImportedRow
from consent_center.ports.exchange import Import

PART_ROWS = 250
"""Rows in a part: a worker ends it well within its time even where each answer takes half a second."""

_MESSAGES = 10


class Store:
    def __init__(self, deployment: Deployment) -> None:
        self._s3: Any = deployment.client("s3")
        self._sqs: Any = deployment.client("sqs")
        self._bucket = deployment.output("ImportsBucket")
        self._queue = deployment.output("ImportsQueue")
        self._failed = deployment.output("FailedImportsQueue")

    def about(self, import_id: str) -> Import | None:
        """What was uploaded under this name, once all of it was; None before."""
        try:
            said = json.loads(self._s3.get_object(Bucket=self._bucket, Key=manifest_key(import_id))["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
        return Import(**{**said, "wording": tuple(said["wording"])})

    def add_rows(self, import_id: str, rows: Iterator[ImportedRow], common: Evidence) -> Iterator[int]:
        """Upload rows part by part, answering how many rows each had. Parts left by a run that ended early go."""
        part = 0
        while lines := [row.written(common) for row in islice(rows, PART_ROWS)]:
            part += 1
            body = "".join(f"{line}\n" for line in lines).encode()
            self._s3.put_object(
                Bucket=self._bucket, Key=part_key(import_id, part), Body=body, ContentType="application/x-ndjson"
            )
            yield len(lines)

    def close(self, import_id: str, about: Import) -> None:
        """Say that all rows are there."""
        self._s3.put_object(
            Bucket=self._bucket,
            Key=manifest_key(import_id),
            Body=manifest_of(about),
            ContentType="application/json",
        )

    def order(self, import_id: str, parts: list[int]) -> None:
        """Have these parts carried out. Ordering one twice is harmless."""
        for start in range(0, len(parts), _MESSAGES):
            entries = [
                {"Id": str(part), "MessageBody": json.dumps({"import": import_id, "part": part})}
                for part in parts[start : start + _MESSAGES]
            ]
            answer = self._sqs.send_message_batch(QueueUrl=self._queue, Entries=entries)
            if answer.get("Failed"):
                raise ConnectionError("the queue did not take every part; run the same command again")

    def reported(self, import_id: str) -> set[int]:
        """The parts that are done."""
        prefix = report_key(import_id, 0).rpartition("/")[0] + "/"
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        keys = (item["Key"] for page in pages for item in page.get("Contents", []))
        return {int(key.rpartition("-")[2].partition(".")[0]) for key in keys}

    def reports(self, import_id: str, parts: int) -> Iterator[dict[str, Any]]:
        """What became of every row that was sent, in the order of the file."""
        for part in range(1, parts + 1):
            body = self._s3.get_object(Bucket=self._bucket, Key=report_key(import_id, part))["Body"].read().decode()
            yield from (json.loads(line) for line in body.split("\n") if line)

    def failed(self) -> int:
        """How many parts, of any import, wait in the dead-letter queue."""
        name = "ApproximateNumberOfMessages"
        answer = self._sqs.get_queue_attributes(QueueUrl=self._failed, AttributeNames=[name])
        return int(answer["Attributes"][name])
