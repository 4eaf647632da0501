"""The six digits in the letter: what they follow from, and how they are read."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from builders import LINKS, NOON, PEOPLE, a_contact
from consent_center.domain.capability import WaitingLink
from consent_center.domain.contact import Keyring
from consent_center.domain.passcode import fits, grouped, passcode, read_passcode

LINK = WaitingLink(a_contact(), "request-1", NOON // 1000, "k1")
ZEROS = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Nd" and chr(code).isdigit()]
ZEROS = [zero for zero in ZEROS if unicodedata.digit(zero) == 0]
"""The zero of every script; its digits follow it in order."""

CODES = st.integers(0, 999_999).map(lambda number: f"{number:06d}")


def codes_of(count: int, **changes: object) -> list[str]:
    return [passcode(replace(LINK, request=f"request-{number}", **changes), LINKS) for number in range(count)]  # type: ignore[arg-type]


@given(st.text(), st.binary(min_size=1), st.text())
def test_a_code_is_six_digits_whatever_it_follows_from(request_id: str, key: bytes, pseudonym: str) -> None:
    link = replace(LINK, request=request_id, contact=LINK.contact._replace(pseudonym=pseudonym))
    code = passcode(link, Keyring("k1", {"k1": key}))

    assert len(code) == 6
    assert code.isascii()
    assert code.isdecimal()
    assert fits(code, link, Keyring("k1", {"k1": key}))


def test_each_request_has_its_own_code() -> None:
    # Of 1,000 among a million, about one pair is alike by chance.
    assert len(set(codes_of(1_000))) > 990


def test_each_contact_point_has_its_own_code() -> None:
    others = codes_of(100, contact=a_contact(PEOPLE[1]))

    assert sum(one == other for one, other in zip(codes_of(100), others, strict=True)) <= 1


@pytest.mark.parametrize("part", ["controller", "channel", "key_id", "pseudonym"])
def test_every_part_of_a_contact_point_counts(part: str) -> None:
    others = codes_of(100, contact=LINK.contact._replace(**{part: "another"}))

    assert sum(one == other for one, other in zip(codes_of(100), others, strict=True)) <= 1


def test_a_code_is_made_with_the_key_that_the_link_names() -> None:
    rotated = Keyring("k2", {**LINKS.keys, "k2": b"links-two"})
    of_new_key = [passcode(replace(LINK, request=f"request-{number}", key_id="k2"), rotated) for number in range(100)]

    assert passcode(LINK, rotated) == passcode(LINK, LINKS)
    assert sum(one == other for one, other in zip(codes_of(100), of_new_key, strict=True)) <= 1
    with pytest.raises(KeyError):
        passcode(LINK, Keyring("k2", {"k2": b"links-two"}))


def test_all_digits_are_equally_likely_in_every_place() -> None:
    codes = codes_of(5_000)

    for place in range(6):
        for digit in "0123456789":
            assert 400 < sum(code[place] == digit for code in codes) < 600


@given(CODES)
def test_only_the_code_of_the_link_fits(code: str) -> None:
    assume(code != passcode(LINK, LINKS))

    assert not fits(code, LINK, LINKS)


@given(CODES)
def test_a_code_is_read_as_it_was_written(code: str) -> None:
    assert read_passcode(grouped(code)) == code
    assert len(grouped(code)) == 7


@given(CODES, st.sampled_from(ZEROS), st.data())
def test_digits_of_every_script_are_read_with_blanks_and_hyphens_anywhere(
    code: str, zero: str, data: st.DataObject
) -> None:
    typed = "".join(
        chr(ord(zero) + int(digit))
        + data.draw(
            st.text(st.sampled_from(" -\u00a0\u2009\u3000\t\r\n\u2010\u2011\u2013\u2014\uff0d\u200b\u200e\u2066"))
        )
        for digit in code
    )

    assert read_passcode(f"  {typed}") == code


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "-",
        "12345",
        "1234567",
        "12345a",
        "abcdef",
        "123.456",
        "+123456",
        "1e5000",
        "½½½½½½",
        "一二三四五六",
        "٣",
    ],
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_passcode(typed) is None


@given(st.text())
def test_whatever_is_typed_is_read_as_six_digits_or_nothing(typed: str) -> None:
    code = read_passcode(typed)

    assert code is None or (len(code) == 6 and code.isascii() and code.isdecimal())
