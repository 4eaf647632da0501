"""Plain addresses are read without the library; they must come out exactly as the library would have them."""

import unicodedata

import email_validator
import pytest
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent_center.adapters import addresses
from consent_center.domain.errors import InvalidAddressError

LABELS = st.from_regex(r"[A-Za-z0-9_-]{1,4}|x{62,64}|xn--[a-z]{1,3}|ab--c", fullmatch=True)
ENDS = st.sampled_from(["com", "ORG", "invalid", "test", "local", "example", "c", "c1", "xn--p1ai", "museum", "lan"])
LOCALS = st.from_regex(r"[A-Za-z0-9._+'!-]{1,8}|l{63,65}|Info|postmaster|a\.b\+c", fullmatch=True)
TEXTS = st.one_of(
    st.builds(
        lambda local, labels, end: f"{local}@{'.'.join([*labels, end])}", LOCALS, st.lists(LABELS, max_size=5), ENDS
    ),
    st.from_regex(r"[a-zA-Z0-9.@_\-]{1,20}", fullmatch=True),
    st.text(max_size=12).map(lambda text: f"{text}@example.org"),
)


def by_the_library(text: str) -> tuple[str, str] | None:
    """Mailable and normalised as the library alone would have them."""
    try:
        read = addresses._validator()(
            text, check_deliverability=False, allow_quoted_local=True, allow_smtputf8=False, strict=True
        )
    except ValueError:
        return None
    mailable = read.ascii_email or read.normalized
    return mailable, unicodedata.normalize("NFC", mailable).lower()


@settings(max_examples=600, deadline=None)
@given(TEXTS)
@example("Info@Example.COM")
@example("a@b.co")
@example(f"a@{'d' * 63}.{'d' * 63}.{'d' * 63}.{'d' * 50}.example")
@example(f"{'l' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 57}.org")
@example("a@ab--cd.com")
@example("a@1.2.3.com")
@example("a@example.com\n")
def test_a_plain_address_is_read_as_the_library_reads_it(text: str) -> None:
    if len(text) > addresses.LONGEST_ADDRESS or addresses._plain(text) is None:
        return
    read = addresses.parse_address(text)

    assert (read.mailable, read.normalised) == by_the_library(text)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_nothing_is_taken_that_the_library_refuses(text: str) -> None:
    try:
        addresses.parse_address(text)
    except InvalidAddressError:
        return

    assert by_the_library(text.strip(" ")) is not None


@pytest.mark.parametrize(
    "text", ["a@b.c", "a@localhost", '"a b"@example.org', "a@xn--p1ai.com", "a@b_c.com", "a.@b.org"]
)
def test_whatever_is_unusual_is_left_to_the_library(text: str) -> None:
    assert addresses._plain(text) is None


def test_every_end_that_the_library_has_an_opinion_about_is_left_to_it() -> None:
    ends = {name.rpartition(".")[2] for name in email_validator.SPECIAL_USE_DOMAIN_NAMES}

    assert ends <= addresses._SPECIAL


def test_every_mailbox_that_the_library_writes_in_lower_case_is_left_to_it() -> None:
    assert set(CASE_INSENSITIVE_MAILBOX_NAMES) <= addresses._ROLES


def test_the_library_may_be_made_ready_again_by_another_thread() -> None:
    for _ in range(2):
        addresses._validator.cache_clear()
        assert addresses.parse_address('"quoted ada"@example.invalid').normalised == '"quoted ada"@example.invalid'
