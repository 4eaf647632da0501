"""Whose message it is."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_center.domain.errors import BadSignatureError
from consent_center.domain.webhook import TOLERANCE_SECONDS, Message, check, headers, key_of, message

KEY, OTHER = b"a-key-of-twenty-four-bytes", b"another-key-of-24-bytes--"
AT = 1_800_000_000
BODY = b'{"case": "1"}'


def a_message(**changes: Any) -> Message:
    return message(headers("m-1", AT, BODY, [KEY]), BODY)._replace(**changes)


@given(st.binary(max_size=200), st.integers(-TOLERANCE_SECONDS, TOLERANCE_SECONDS))
def test_what_was_signed_is_believed_for_five_minutes_before_and_after(body: bytes, late: int) -> None:
    check(message(headers("m-1", AT, body, [KEY]), body), [KEY], AT + late)


@pytest.mark.parametrize("late", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1, 86_400])
def test_what_was_signed_at_another_time_is_not_believed(late: int) -> None:
    with pytest.raises(BadSignatureError):
        check(a_message(), [KEY], AT + late)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": BODY + b" "},
        {"id": "m-2"},
        {"id": ""},
        {"id": "m 1"},
        {"id": "m.1"},
        {"id": "m" * 201},
        {"timestamp": str(AT + 1)},
        {"timestamp": ""},
        {"timestamp": "now"},
        {"timestamp": f" {AT}"},
        {"timestamp": "\u0661" * 10},
        {"timestamp": "1" * 5_000},
        {"signature": ""},
        {"signature": "v1,"},
        {"signature": "v1,æøå"},
        {"signature": "v1,\ud800"},
        {"signature": "v2" + a_message().signature[2:]},
        {"signature": a_message().signature[3:]},
        {"signature": " ".join(["v1,AAAA"] * 50 + [a_message().signature])},
    ],
    ids=repr,
)
def test_what_was_changed_is_not_believed(changes: dict[str, Any]) -> None:
    with pytest.raises(BadSignatureError):
        check(a_message(**changes), [KEY], AT)


def test_a_full_stop_cannot_move_between_the_parts_that_are_signed() -> None:
    signed = headers("m-1", AT, b"1.{}", [KEY])["webhook-signature"]

    with pytest.raises(BadSignatureError):
        check(Message(f"m-1.{AT}", "1", signed, b"{}"), [KEY], 1)


def test_nobody_is_believed_without_a_key() -> None:
    with pytest.raises(BadSignatureError):
        check(a_message(), [], AT)
    with pytest.raises(BadSignatureError):
        check(a_message(), [OTHER], AT)


def test_any_of_several_signatures_and_keys_is_enough() -> None:
    signed = headers("m-1", AT, BODY, [OTHER, KEY])

    check(message(signed, BODY), [KEY], AT)
    check(a_message(), [OTHER, KEY], AT)


def test_a_secret_is_base64_after_its_prefix_and_else_itself() -> None:
    assert key_of("whsec_" + base64.b64encode(KEY).decode()) == KEY
    assert key_of(f" {KEY.decode()}\n") == KEY


@pytest.mark.parametrize("secret", ["", "short", "whsec_", "whsec_AAAA", "whsec_" + "!" * 40])
def test_a_secret_that_could_be_guessed_is_none(secret: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64 has its own kind of it
        key_of(secret)
