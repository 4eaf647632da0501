"""A request to somebody else's server ends nowhere inside."""

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_center.adapters.connectors.outside import Outside, RefusedAddressError, UnreachedError, is_outside

INSIDE = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.1", "198.18.0.1", "224.0.0.1"),
    *("255.255.255.255", "240.0.0.1", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1"),
    *("64:ff9b:1::a9fe:a9fe", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "fe80::1%eth0", "", "localhost"),
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:400f::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_outside(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_internet_is_outside(address: str) -> None:
    assert is_outside(address)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_whatever_python_calls_private_is_not_outside(address: Any) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not is_outside(str(address))


class Net:
    """A network in which every name has these addresses, and which notes what was connected to."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked: list[str] = []
        self.reached: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.addresses

    def connect(self, address: tuple[str, int], timeout: float) -> socket.socket:
        self.reached.append(address)
        raise ConnectionRefusedError

    @property
    def outside(self) -> Outside:
        return Outside(resolve=self.resolve, connect=self.connect)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://crm.example.com/", "not_https"),
        ("ftp://crm.example.com/", "not_https"),
        ("file:///etc/passwd", "not_https"),
        ("//crm.example.com/", "not_https"),
        ("https://", "no_name"),
        ("https://127.0.0.1/", "no_name"),
        ("https://8.8.8.8/", "no_name"),
        ("https://2130706433/", "no_name"),
        ("https://0x7f000001/", "no_name"),
        ("https://0x7f.0x1/", "no_name"),
        ("https://017700000001/", "no_name"),
        ("https://127.1/", "no_name"),
        ("https://[::1]/", "no_name"),
        ("https://[::ffff:127.0.0.1]/", "no_name"),
        ("https://localhost/", "no_name"),
        ("https://crm.example.com./", "no_name"),
        ("https://crm_1.example.com/", "no_name"),
        ("https://ⓔxample.com/", "no_name"),
        ("https://crm.example.com@127.0.0.1/", "url"),
        ("https://user:word@crm.example.com/", "url"),
        ("https://127.0.0.1\\@crm.example.com/", "url"),
        ("https://crm.example.com\\.evil.example/", "url"),
        ("https://crm.example.com/#@127.0.0.1", "url"),
        ("https://crm.example.com/a b", "url"),
        ("https://crm.example.com/\x00", "url"),
        ("https://crm.example.com:99999/", "url"),
        ("https://crm.example.com:x/", "url"),
        ("https://crm.example.com:22/", "port"),
        ("https://crm.example.com:8443/", "port"),
        ("https://[::1", "url"),
    ],
)
def test_an_address_that_only_looks_like_a_name_is_refused_before_anybody_is_asked(url: str, reason: str) -> None:
    net = Net("8.8.8.8")

    with pytest.raises(RefusedAddressError, match=reason):
        net.outside.post(url, {}, b"{}")

    assert net.asked == net.reached == []


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_resolves_to_a_place_inside_is_refused(address: str) -> None:
    for net in (Net(address), Net("8.8.8.8", address), Net(address, "8.8.8.8")):
        with pytest.raises(RefusedAddressError, match="inside"):
            net.outside.post("https://crm.example.com/", {}, b"{}")

        assert net.reached == []


def test_a_name_is_asked_for_once_and_the_address_that_was_looked_at_is_connected_to() -> None:
    net = Net("8.8.8.8", "2606:4700::1111")

    with pytest.raises(UnreachedError, match="ConnectionRefusedError"):
        net.outside.post("https://crm.example.com/", {}, b"{}")

    assert net.asked == ["crm.example.com"]
    assert net.reached == [("8.8.8.8", 443), ("2606:4700::1111", 443)]


def test_a_name_without_an_address_is_not_reached() -> None:
    with pytest.raises(UnreachedError):
        Net().outside.post("https://crm.example.com/", {}, b"{}")


def test_a_server_that_is_not_who_it_says_is_told_nothing() -> None:
    """A plain server at the checked address gets the beginning of a handshake, and not a word of the request."""
    server = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def connect(_: tuple[str, int], timeout: float) -> socket.socket:
        client = socket.create_connection(server.getsockname(), timeout)
        accepted, _peer = server.accept()
        accepted.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        accepted.shutdown(socket.SHUT_WR)
        heard.append(b"")
        opened.append(accepted)
        return client

    opened: list[socket.socket] = []
    outside = Outside(resolve=lambda *_: ["8.8.8.8"], connect=connect)
    with pytest.raises(UnreachedError):
        outside.post("https://crm.example.com/", {}, b"SECRET-BODY")

    received = opened[0].recv(65_536)
    opened[0].close()
    server.close()
    assert b"SECRET-BODY" not in received
    assert b"crm.example.com" in received, "TLS is asked for by name"


def test_a_header_cannot_carry_another() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    with pytest.raises(RefusedAddressError, match="header"):
        Outside(inside_too=True).post(url, {"webhook-id": "a\r\nhost: b"}, b"")
    server.close()
