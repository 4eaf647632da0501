"""Kept connections to one place, and as much of HTTP/1.1 as asking AWS for JSON takes."""

import re
import select
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

from consent_center.ports.basics import Clock

CONNECT_SECONDS = 1

RESTED_SECONDS = 5
"""A connection that rested longer does not carry what is sent only once: AWS may have closed it unheard."""

_NO_TIME = 0.05
"""Seconds in which nothing else was waited for: then an answer has all of its time still."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")
_LONGEST_LINE = 65_536


class Answer(NamedTuple):
    status: int
    error_type: str
    body: bytes
    last: bool = False
    """Whether the other side will say no more on this connection."""


class BrokenAnswerError(Exception):
    """What came back is no HTTP, or only a part of an answer."""


class _Connection(NamedTuple):
    socket: socket.socket
    file: BinaryIO

    def close(self) -> None:
        self.file.close()
        self.socket.close()


class Connections:
    """Threads may share them: each request has a connection to itself, which is kept for the next."""

    def __init__(self, endpoint: str, *, seconds: float, once: bool, clock: Clock) -> None:
        """`endpoint` is an http or https URL; ValueError for any other. `seconds` is how long an answer may take.

        With `once`, nothing is ever sent a second time.
        """
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an endpoint is an http or https URL")
        self._seconds, self._once, self._clock = seconds, once, clock
        self._secure = parts.scheme == "https"
        standard = 443 if self._secure else 80
        self._address = parts.hostname, parts.port or standard
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.host = host if self._address[1] == standard else f"{host}:{parts.port}"
        """As the header of that name says it."""
        self.base = parts.path.rstrip("/")
        """What precedes every path."""
        self._kept: list[tuple[_Connection, int]] = []

    def close(self) -> None:
        """Close what was kept. A function never does: its connections end with its process."""
        while self._kept:
            self._kept.pop()[0].close()

    def begin(self, path: str, headers: Mapping[str, str], body: bytes) -> Callable[[], Answer]:
        """Send a POST; what comes back waits for its answer. So many can be under way at once, without threads.

        Both raise OSError or BrokenAnswerError if there is no answer, `begin` also ValueError for an unlawful header.
        """
        request = written(path, headers, body)
        kept = self._still_open()
        if kept is not None:
            try:
                _send(kept, request)
            except TimeoutError:
                raise
            except OSError:
                # A function that was frozen does not hear that its connection was closed; that is no attempt yet.
                if self._once:
                    raise
            else:
                return partial(self._collect, kept, self._clock(), None if self._once else request)
        opened = self._opened()
        _send(opened, request)
        return partial(self._collect, opened, self._clock(), None)

    def _collect(self, connection: _Connection, since: int, again: bytes | None) -> Answer:
        """The answer to what was sent at `since`; `again` is what to send once more if a kept connection was closed."""
        try:
            return self._received(connection, since)
        except TimeoutError:
            raise
        except OSError:
            if again is None:
                raise
        opened = self._opened()
        _send(opened, again)
        return self._received(opened, self._clock())

    def _received(self, connection: _Connection, since: int) -> Answer:
        try:
            waited = (self._clock() - since) / 1000
            if waited > _NO_TIME and not _has_something_to_read(connection, self._seconds - waited):
                raise TimeoutError
            answer = _received(connection.file)
        except BaseException:
            connection.close()
            raise
        if answer.last:
            connection.close()
        else:
            self._kept.append((connection, self._clock()))
        return answer

    def _still_open(self) -> _Connection | None:
        """A connection that was used before and, as far as this side has heard, can be used again."""
        while True:
            try:
                connection, since = self._kept.pop()
            except IndexError:
                return None
            # What may be sent again finds out by sending; asking costs as much as sending does.
            if not self._once:
                return connection
            if (self._clock() - since) / 1000 < RESTED_SECONDS and not _has_something_to_read(connection):
                return connection
            connection.close()

    def _opened(self) -> _Connection:
        opened = socket.create_connection(self._address, timeout=CONNECT_SECONDS)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._secure:
                opened = tls().wrap_socket(opened, server_hostname=self._address[0])
            opened.settimeout(self._seconds)
        except BaseException:
            opened.close()
            raise
        return _Connection(opened, opened.makefile("rb"))


@cache
def tls() -> Any:
    """Verifies certificates and names. One for all, because reading the authorities takes longer than many calls."""
    import ssl

    return ssl.create_default_context()


def written(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A request as it is sent: in one piece, so that it is one packet if it fits."""
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header has more than one line")
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode("latin-1") + body


def _received(file: BinaryIO) -> Answer:
    """A whole answer. AWS always says how long it is, so the end of a connection is never the end of one."""
    first = file.readline(_LONGEST_LINE)
    if not first:
        raise ConnectionResetError
    while True:
        found = _STATUS.match(first)
        if found is None:
            raise BrokenAnswerError
        headers = {}
        while line := _line(file):
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        status = int(found[1])
        if status >= 200:
            break
        first = _line(file)
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        body = b"".join(_chunks(file))
    else:
        body = _exactly(file, headers.get(b"content-length", b""), 10)
    return Answer(
        status,
        headers.get(b"x-amzn-errortype", b"").decode("latin-1"),
        body,
        last=headers.get(b"connection", b"").lower() == b"close" or first.startswith(b"HTTP/1.0"),
    )


def _line(file: BinaryIO) -> bytes:
    line = file.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise BrokenAnswerError
    return line.rstrip(b"\r\n")


def _exactly(file: BinaryIO, length: bytes, base: int) -> bytes:
    try:
        wanted = int(length, base)
    except ValueError:
        raise BrokenAnswerError from None
    # A negative length would read to the end of the connection.
    body = file.read(max(wanted, 0))
    if len(body) != wanted:
        raise BrokenAnswerError
    return body


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := _exactly(file, _line(file).partition(b";")[0], 16):
        yield chunk
        if _line(file):
            raise BrokenAnswerError
    while _line(file):
        pass  # Trailers say nothing that is needed.


def _has_something_to_read(connection: _Connection, seconds: float = 0) -> bool:
    """Whether something comes within that time. Between two calls it can only be the end of a connection."""
    poll = select.poll()
    poll.register(connection.socket, select.POLLIN)
    return bool(poll.poll(max(0, seconds) * 1000))


def _send(connection: _Connection, request: bytes) -> None:
    try:
        connection.socket.sendall(request)
    except BaseException:
        connection.close()
        raise
