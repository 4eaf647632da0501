"""One POST to somebody else's server, which must not be led to a place inside.

The name is resolved once, every address it has is looked at, and the connection goes to an address that was looked at:
so a name cannot point elsewhere the second time it is asked for. TLS is checked against the name. Nothing is followed,
and neither a slow answer nor a long one holds the caller up.
"""

import http.client
import io
import ipaddress
import json
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from consent_center.adapters.connections import tls, written

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
"""How long the whole answer may take, from the end of the request."""

LARGEST_ANSWER = 262_144
"""Bytes of an answer that are read, with its headers: more than a case can keep."""

_NAME = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])", re.ASCII
)
"""A name in the DNS whose last label is no number: `2130706433`, `0x7f.1` and `127.1` are addresses to some readers."""

_PATH = re.compile(r"/[\x21-\x7e]*", re.ASCII)

_INSIDE = tuple(
    ipaddress.ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48"),
    )
)
"""What IANA's registries of special addresses name within what is otherwise routed, and everything above unicast."""

_ROUTED = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is routed: neither mapped nor translated IPv4, nor loopback, link-local or unique local."""


class RefusedAddressError(Exception):
    """The address is not one that a recipient may have. Its text is a code word."""


class UnreachedError(Exception):
    """There was no answer, or none that could be read in time. Its text is the kind of what went wrong."""


class Reply(NamedTuple):
    status: int
    body: bytes


def is_outside(address: str) -> bool:
    """Whether an IP address is one that the whole internet can reach; False for what is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if found.version == 6 and found not in _ROUTED:
        return False
    return not any(found in network for network in _INSIDE if network.version == found.version)


Resolve = Callable[[str, int], list[str]]
"""The IP addresses of a name; OSError for none."""


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Outside:
    """Sends to https on port 443 of public addresses. `inside_too` also takes http, any port and any address."""

    inside_too: bool = False
    resolve: Resolve = _resolved
    connect: Callable[..., socket.socket] = socket.create_connection
    read_seconds: float = READ_SECONDS

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """What the server answers, whatever the status; RefusedAddressError, UnreachedError."""
        secure, host, port, path = self._place(url)
        opened = self._opened(host, port)
        try:
            if secure:
                opened = cast("socket.socket", tls().wrap_socket(opened, server_hostname=host))
            standard = 443 if secure else 80
            named = {"host": host if port == standard else f"{host}:{port}", "connection": "close", **headers}
            opened.settimeout(self.read_seconds)
            opened.sendall(_request(path, named, body))
            return _reply(opened, self.read_seconds)
        except (OSError, http.client.HTTPException) as error:
            raise UnreachedError(type(error).__name__) from None
        finally:
            opened.close()

    def _place(self, url: str) -> tuple[bool, str, int, str]:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise RefusedAddressError("url") from None
        host, secure = (parts.hostname or ""), parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # Readers differ about what stands before an @ or after a backslash, and about what # and blanks end.
        if "@" in parts.netloc or "\\" in url or parts.fragment or not _PATH.fullmatch(path):
            raise RefusedAddressError("url")
        if self.inside_too and parts.scheme in ("http", "https") and host:
            return secure, host, port or (443 if secure else 80), path
        if not secure:
            raise RefusedAddressError("not_https")
        if not _NAME.fullmatch(host):
            raise RefusedAddressError("no_name")
        if port not in (None, 443):
            raise RefusedAddressError("port")
        return True, host, 443, path

    def _opened(self, host: str, port: int) -> socket.socket:
        """A connection to one of the addresses of a name, all of which must be outside."""
        try:
            addresses = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise UnreachedError(type(error).__name__) from None
        if not self.inside_too and not all(is_outside(address) for address in addresses):
            raise RefusedAddressError("inside")
        failure = "NoAddress"
        for address in addresses[:2]:
            try:
                return self.connect((address, port), timeout=CONNECT_SECONDS)
            except OSError as error:
                failure = type(error).__name__
        raise UnreachedError(failure)


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body is; None for anything else."""
    try:
        said = json.loads(body)
        # Half of a surrogate pair is no text that anybody could store.
        json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    try:
        return written(path, headers, body)
    except ValueError:
        raise RefusedAddressError("header") from None


def _reply(opened: socket.socket, seconds: float) -> Reply:
    answer = http.client.HTTPResponse(cast("socket.socket", _Answering(opened, seconds)), method="POST")
    try:
        answer.begin()
        return Reply(answer.status, answer.read())
    finally:
        answer.close()


@dataclass(frozen=True, slots=True)
class _Answering:
    """As much of a socket as a response reads from."""

    socket: socket.socket
    seconds: float

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(_Bounded(self.socket, self.seconds))


class _Bounded(io.RawIOBase):
    """What comes through a socket until a moment, and no more than LARGEST_ANSWER of it.

    A server that sends a byte every few seconds would otherwise never run out of time.
    """

    def __init__(self, opened: socket.socket, seconds: float) -> None:
        self._socket, self._until, self._left = opened, time.monotonic() + seconds, LARGEST_ANSWER

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        if self._left <= 0:
            raise http.client.LineTooLong("answer")
        self._socket.settimeout(remaining)
        count = self._socket.recv_into(memoryview(buffer)[: self._left])
        self._left -= count
        return count
