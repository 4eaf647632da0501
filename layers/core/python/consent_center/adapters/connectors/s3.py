"""Objects in a bucket: a person's own objects, or files of lines of which some are the person's.

S3 speaks XML, so this is a client of botocore's; only workers come here. A file is read as a stream, and written anew
as a stream only if a line of the person is in it: memory does not grow with the file. It replaces the file that was
read and no other (If-Match), so nothing that was added meanwhile gets lost.
"""

import contextlib
import csv
import fnmatch
import io
import itertools
import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

from consent_center.adapters.connectors.kind import DONE, NOTHING, Kind, failed
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb
from consent_center.domain.table import delimiter_of

HASH = "{sha256}"
"""Where the SHA-256 of the address in small letters, in hexadecimal, stands in a pattern."""

PART_BYTES = 8_388_608
"""How much of a file is in memory while it is written; S3 takes parts from 5 MiB on."""

LARGEST_COLLECTED = 150_000
"""Bytes that are collected from one recipient: what a case can keep."""

_READ_BYTES = 65_536
_LONGEST_LINE = 1_048_576
_DELETED_AT_ONCE = 1_000

_KEPT = ("ContentType", "ContentDisposition", "ContentLanguage", "CacheControl", "Metadata", "StorageClass")
"""What is said of an object and stays when it is written anew."""


class _UnreadableError(Exception):
    """A file is not what its format says, or too large. Its text is a code word."""


def s3_client() -> Any:
    """A client with short times and few tries: whoever calls has a queue behind it that tries again."""
    import botocore.session
    from botocore.config import Config

    settings = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
    return botocore.session.get_session().create_client("s3", config=settings)


class _InBucket(Kind):
    def __init__(self, verbs: Iterable[Verb], *, client: Callable[[], Any], bucket: str, prefix: str) -> None:
        super().__init__(verbs)
        self._client, self._bucket, self._prefix = client, bucket, prefix

    @property
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return {verb: partial(_translating, way) for verb, way in self._s3_ways.items()}

    @property
    @abstractmethod
    def _s3_ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        """How each verb is carried out, with botocore's errors."""

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            yield from (str(found["Key"]) for found in page.get("Contents", ()))


class OwnObjects(_InBucket):
    """Objects that are about one person alone: every one whose key begins with the prefix and the pattern."""

    possible = frozenset({Verb.COLLECT, Verb.ERASE})

    def __init__(
        self, verbs: Iterable[Verb], *, client: Callable[[], Any], bucket: str, prefix: str, pattern: str
    ) -> None:
        """ValueError for a pattern without the hash, which would be about everybody."""
        super().__init__(verbs, client=client, bucket=bucket, prefix=prefix)
        if HASH not in pattern:
            raise ValueError("a pattern of objects has the hash of the address in it")
        self._pattern = pattern

    @property
    def _s3_ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return {Verb.COLLECT: self._collect, Verb.ERASE: self._erase}

    def _of(self, address: str) -> Iterator[str]:
        digest = sha256(address.lower().encode()).hexdigest()
        return self._keys(self._prefix + self._pattern.replace(HASH, digest))

    def _erase(self, ask: Ask) -> Answer:
        keys, found = self._of(ask.address), False
        while batch := list(itertools.islice(keys, _DELETED_AT_ONCE)):
            found = True
            asked = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
            errors = self._client().delete_objects(Bucket=self._bucket, Delete=asked).get("Errors")
            if errors:
                raise CallFailedError(str(errors[0].get("Code", "Unknown")))
        return DONE if found else NOTHING

    def _collect(self, ask: Ask) -> Answer:
        files: dict[str, str] = {}
        size = 0
        for number, key in enumerate(self._of(ask.address), 1):
            with closing(self._client().get_object(Bucket=self._bucket, Key=key)["Body"]) as body:
                content = body.read(LARGEST_COLLECTED + 1)
            size += len(content)
            if size > LARGEST_COLLECTED:
                raise _UnreadableError("too_large")
            # The name of the object holds a hash of the address; its end tells what kind of file it is.
            kind = key.rpartition("/")[2].rpartition(".")[2]
            files[f"object-{number}.{kind if kind.isalnum() and len(kind) <= 8 else 'bin'}"] = _text(content)
        return Answer(TaskState.DONE, "", files) if files else NOTHING


class _Row(NamedTuple):
    """One record of a file as it is stored, and what its column says."""

    raw: bytes
    value: str = ""
    corrected: Callable[[Mapping[str, str]], bytes] = lambda _: b""
    is_header: bool = False


class Lines(_InBucket):
    """Files below the prefix in which each line (of CSV, each record) is about one person, named in one column."""

    possible = frozenset({Verb.COLLECT, Verb.CORRECT, Verb.ERASE})

    def __init__(
        self,
        verbs: Iterable[Verb],
        *,
        client: Callable[[], Any],
        bucket: str,
        prefix: str,
        pattern: str,
        form: str,
        column: str,
    ) -> None:
        """`pattern` is what a key has after the prefix, with * and ? as in a shell; `form` is `csv` or `ndjson`."""
        super().__init__(verbs, client=client, bucket=bucket, prefix=prefix)
        self._pattern, self._column = pattern, column
        self._rows_of = {"csv": _csv_rows, "ndjson": _ndjson_rows}[form]

    @property
    def _s3_ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return {Verb.COLLECT: self._collect, Verb.CORRECT: self._correct, Verb.ERASE: self._erase}

    def _files(self) -> Iterator[str]:
        for key in self._keys(self._prefix):
            if fnmatch.fnmatchcase(key.removeprefix(self._prefix), self._pattern):
                yield key

    def _rows(self, body: Any) -> Iterator[_Row]:
        try:
            yield from self._rows_of(_lines(body), self._column)
        except (ValueError, RecursionError, csv.Error):
            # To leave such a file as it is and call it done would be to keep what should go.
            raise _UnreadableError("unreadable_file") from None

    def _erase(self, ask: Ask) -> Answer:
        return self._rewritten(ask.address, lambda _: b"")

    def _correct(self, ask: Ask) -> Answer:
        values = {self._column if name == "address" else name: text for name, text in ask.corrections.items()}
        if not values:
            return failed("not_offered", was_sent=False)
        answer = self._rewritten(ask.address, lambda row: row.corrected(values))
        new_address = values.get(self._column)
        if answer is NOTHING and new_address is not None and any(self._with(new_address)):
            # Asked again after the address was corrected.
            return DONE
        return answer

    def _with(self, address: str) -> Iterator[tuple[str, str]]:
        """The files that have a line of somebody, each with its version."""
        for key in self._files():
            found = self._client().get_object(Bucket=self._bucket, Key=key)
            with closing(found["Body"]) as body:
                if any(_is_about(row, address) for row in self._rows(body)):
                    yield key, found["ETag"]

    def _rewritten(self, address: str, instead: Callable[[_Row], bytes]) -> Answer:
        changed = False
        for key, version in self._with(address):
            found = self._client().get_object(Bucket=self._bucket, Key=key, IfMatch=version)
            with closing(found["Body"]) as body:
                rows = self._rows(body)
                pieces = (instead(row) if _is_about(row, address) else row.raw for row in rows)
                self._replace(key, version, {name: found[name] for name in _KEPT if found.get(name)}, pieces)
            changed = True
        return DONE if changed else NOTHING

    def _replace(self, key: str, version: str, about: Mapping[str, Any], pieces: Iterable[bytes]) -> None:
        """Put a stream in the place of the version of a file that was read, in parts if it is long."""
        parts = _parts(pieces)
        first, second = next(parts, b""), next(parts, None)
        client, where = self._client(), {"Bucket": self._bucket, "Key": key}
        if second is None:
            client.put_object(**where, Body=first, IfMatch=version, **about)
            return
        upload = client.create_multipart_upload(**where, **about)["UploadId"]
        try:
            sent = []
            for number, part in enumerate(itertools.chain((first, second), parts), 1):
                etag = client.upload_part(**where, UploadId=upload, PartNumber=number, Body=part)["ETag"]
                sent.append({"PartNumber": number, "ETag": etag})
            client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": sent}, IfMatch=version)
        except BaseException:
            with contextlib.suppress(Exception):
                client.abort_multipart_upload(**where, UploadId=upload)
            raise

    def _collect(self, ask: Ask) -> Answer:
        files: dict[str, str] = {}
        size = 0
        for number, (key, _) in enumerate(self._with(ask.address), 1):
            with closing(self._client().get_object(Bucket=self._bucket, Key=key)["Body"]) as body:
                lines = []
                for row in self._rows(body):
                    if row.is_header or _is_about(row, ask.address):
                        lines.append(row.raw)
                        size += len(row.raw)
                    if size > LARGEST_COLLECTED:
                        raise _UnreadableError("too_large")
            files[f"lines-{number}.{'csv' if self._rows_of is _csv_rows else 'ndjson'}"] = _text(b"".join(lines))
        return Answer(TaskState.DONE, "", files) if files else NOTHING


def _translating(way: Callable[[Ask], Answer], ask: Ask) -> Answer:
    """CallFailedError with S3's code for its errors; its own words are dropped, because they name the key."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        return way(ask)
    except _UnreadableError as error:
        return failed(str(error))
    except ClientError as error:
        raise CallFailedError(str(error.response.get("Error", {}).get("Code", "Unknown"))) from None
    except (BotoCoreError, HTTPClientError) as error:
        raise CallFailedError(type(error).__name__) from None


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _is_about(row: _Row, address: str) -> bool:
    return row.value.strip().lower() == address.lower()


def _lines(body: Any) -> Iterator[bytes]:
    """The lines of a stream with their ends. ValueError for one that is longer than any record of ours could be."""
    rest = b""
    for chunk in body.iter_chunks(_READ_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(rest) > _LONGEST_LINE:
            raise ValueError("a line is too long")
    if rest:
        yield rest


def _csv_rows(lines: Iterator[bytes], column: str) -> Iterator[_Row]:
    first = next(lines, None)
    if first is None:
        return
    delimiter = delimiter_of(first.decode("utf-8-sig"))
    pulled: list[bytes] = []

    def texts() -> Iterator[str]:
        for line in itertools.chain((first,), lines):
            pulled.append(line)
            yield line.decode("utf-8-sig" if line is first else "utf-8")

    header: list[str] = []
    # Strict, because a quotation mark that is never closed would make the records of others part of this one.
    for fields in csv.reader(texts(), delimiter=delimiter, strict=True):
        # A record may go over several lines; what was pulled since the last one is how it is stored.
        raw = b"".join(pulled)
        pulled.clear()
        if not header:
            header = [name.strip() for name in fields]
            at = header.index(column)
            yield _Row(raw, is_header=True)
        else:
            value = fields[at] if at < len(fields) else ""
            yield _Row(raw, value, partial(_csv_corrected, raw, header, fields, delimiter))


def _csv_corrected(
    raw: bytes, header: list[str], fields: list[str], delimiter: str, values: Mapping[str, str]
) -> bytes:
    written = io.StringIO()
    end = "\r\n" if raw.endswith(b"\r\n") else "\n" if raw.endswith(b"\n") else ""
    new = [values.get(name, field) for name, field in zip(header, fields, strict=False)] + fields[len(header) :]
    csv.writer(written, delimiter=delimiter, lineterminator=end).writerow(new)
    return written.getvalue().encode()


def _ndjson_rows(lines: Iterator[bytes], column: str) -> Iterator[_Row]:
    for line in lines:
        said = json.loads(line) if line.strip() else None
        if isinstance(said, dict):
            yield _Row(line, str(said.get(column, "")), partial(_ndjson_corrected, line, said))
        else:
            yield _Row(line)


def _ndjson_corrected(raw: bytes, said: Mapping[str, Any], values: Mapping[str, str]) -> bytes:
    new = {**said, **{name: text for name, text in values.items() if name in said}}
    return json.dumps(new, ensure_ascii=False).encode() + (b"\n" if raw.endswith(b"\n") else b"")


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A stream in parts that S3 takes, of which only the last is shorter."""
    part = bytearray()
    for piece in pieces:
        part += piece
        if len(part) >= PART_BYTES:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)
