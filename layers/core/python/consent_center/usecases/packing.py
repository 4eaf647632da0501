"""Files put into a ZIP as a stream: whatever their size, no more than a few chunks are in memory."""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

_CHUNK = 1 << 16
"""Bytes that are gathered before they are handed on."""


class Packed(NamedTuple):
    """A file in a package, as the manifest names it."""

    name: str
    size: int
    sha256: str


class File(NamedTuple):
    """A file to be packed: its content is asked for when its turn comes."""

    name: str
    content: Iterable[str | bytes]


class _Pipe:
    """What a ZIP is written to: it cannot seek, so sizes and checksums follow each file in data descriptors."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def drained(self, least: int = 0) -> bytes:
        """What was written since, if it is at least so many bytes."""
        if len(self._waiting) < max(least, 1):
            return b""
        drained = bytes(self._waiting)
        self._waiting.clear()
        return drained


def packed(files: Iterable[File], at: int, done: list[Packed]) -> Iterator[bytes]:
    """A ZIP of files, which bear the time `at` (epoch milliseconds); each that is in it is added to `done`.

    A file may be one that tells what is `done` before it.
    """
    made = datetime.fromtimestamp(at / 1000, UTC).timetuple()[:6]
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for file in files:
            info = zipfile.ZipInfo(file.name, made)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            digest, size = hashlib.sha256(), 0
            with archive.open(info, "w") as member:
                for part in file.content:
                    data = part if isinstance(part, bytes) else part.encode()
                    digest.update(data)
                    size += len(data)
                    member.write(data)
                    if chunk := pipe.drained(_CHUNK):
                        yield chunk
            done.append(Packed(file.name, size, digest.hexdigest()))
    yield pipe.drained()
