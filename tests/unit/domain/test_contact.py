"""Addresses, pseudonyms, networks: what is told apart, and what is never shown."""

import pytest

from builders import PEOPLE, PEPPERS, a_contact, a_request, an_act, an_address, texts_that_are_no_address
from consent_center.adapters.addresses import parse_address
from consent_center.domain.chain import Payload
from consent_center.domain.contact import Keyring, pseudonym
from consent_center.domain.errors import InvalidAddressError
from consent_center.domain.network import shortened
from consent_center.ports.letters import Envelope
from consent_center.ports.people import Profile
from consent_center.usecases.check import Question
from consent_center.usecases.sign_up import SignUp


def same(one: str, other: str) -> bool:
    return parse_address(one).normalised == parse_address(other).normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "ADA@Example.COM"),
        ("ada@bücher.example.com", "ada@xn--bcher-kva.example.com"),
        ("  ada@example.com ", "ada@example.com"),
        ('"ada"@example.com', "ada@example.com"),
    ],
)
def test_spellings_of_one_mailbox_are_one_contact_point(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada+news@example.com", "ada@example.com"),
        ("a.da@example.com", "ada@example.com"),
        ("ada@example.com", "ada@example.org"),
        ('"a da"@example.com', "ada@example.com"),
    ],
)
def test_what_may_be_two_mailboxes_is_two_contact_points(one: str, other: str) -> None:
    assert not same(one, other)


@pytest.mark.parametrize(("text", "rule"), texts_that_are_no_address())
def test_what_is_no_address_is_refused_by_its_rule(text: str, rule: str) -> None:
    with pytest.raises(InvalidAddressError, match=f"^{rule}$"):
        parse_address(text)


@pytest.mark.parametrize("text", PEOPLE)
def test_addresses_of_the_reserved_test_domains_are_addresses(text: str) -> None:
    assert parse_address(text).mailable == text


def test_the_longest_address_is_taken() -> None:
    domain = ".".join(["d" * 60] * 3) + ".example.com"
    local = "l" * (254 - 1 - len(domain))

    assert parse_address(f"{local[:64]}@{domain}").mailable.endswith(domain)


def test_the_spelling_a_person_chose_is_the_one_that_is_written_to() -> None:
    address = parse_address("Ada.Lovelace@Example.COM")

    assert (address.mailable, address.normalised) == ("Ada.Lovelace@example.com", "ada.lovelace@example.com")


def test_a_pseudonym_depends_on_key_controller_channel_and_address() -> None:
    key = b"pepper"
    fingerprints = {
        pseudonym(key, "a", "email", "x@example.com"),
        pseudonym(b"other", "a", "email", "x@example.com"),
        pseudonym(key, "b", "email", "x@example.com"),
        pseudonym(key, "a", "sms", "x@example.com"),
        pseudonym(key, "a", "email", "y@example.com"),
    }

    assert len(fingerprints) == 5
    assert all(len(fingerprint) == 26 and fingerprint.isalnum() for fingerprint in fingerprints)


def test_nothing_that_holds_a_person_shows_them_when_printed() -> None:
    address = an_address()
    holders = [
        address,
        a_request(),
        an_act(),
        PEPPERS,
        Keyring("k1", {"k1": PEOPLE[0].encode()}),
        Payload("aa" * 32, {"address": PEOPLE[0]}),
        Profile(address, "Ada Lovelace", None, (), "en"),
        Envelope(PEOPLE[0], "", "", PEOPLE[0], PEOPLE[0], PEOPLE[0], {}),
        SignUp(PEOPLE[0], [], name="Ada Lovelace"),
        Question("p", "email", None, [PEOPLE[0]]),
        a_contact(),
    ]

    for holder in holders:
        assert PEOPLE[0] not in f"{holder!r} {holder}"
        assert "Ada" not in repr(holder)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("", None),
        (None, None),
        ("not an address", None),
    ],
)
def test_only_the_network_of_a_source_is_kept(address: str | None, network: str | None) -> None:
    assert shortened(address) == network
