"""Links: what they may do, and what no altered link can do."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import LINKS, NOON, PEOPLE, a_contact
from consent_center.domain.capability import (
    AddressLink,
    Capability,
    FormShown,
    LetterLink,
    ManageLink,
    PackageLink,
    RequestLink,
    RightsLink,
    StatusLink,
    WaitingLink,
    WithdrawLink,
    open_address,
    open_form,
    open_letter,
    open_manage,
    open_package,
    open_request,
    open_rights,
    open_status,
    open_waiting,
    open_withdrawal,
    seal_address,
    seal_form,
    seal_letter,
    seal_manage,
    seal_package,
    seal_request,
    seal_rights,
    seal_status,
    seal_waiting,
    seal_withdrawal,
)
from consent_center.domain.contact import Keyring
from consent_center.domain.errors import ExpiredTokenError, InvalidTokenError

NOW = NOON // 1000
LINK = RequestLink(a_contact(), "request-1", NOW + 100)
WAITING = WaitingLink(a_contact(), "request-1", NOW + 100, "k1")
TOPIC_LINK = WithdrawLink(a_contact(), "dm", ("pn",))


def test_a_confirm_link_says_what_was_sealed_into_it() -> None:
    assert open_request(seal_request(LINK, LINKS), LINKS, now=NOW) == LINK


@pytest.mark.parametrize(
    "link",
    [
        TOPIC_LINK,
        WithdrawLink(a_contact(), "dm"),
        WithdrawLink(a_contact(), "dm", (), "request-1", made_at=NOON),
        WithdrawLink(a_contact(), "dm", ("pn", "ev"), "request-1", NOON),
    ],
    ids=["topic", "purpose", "of a dated request", "request"],
)
def test_a_withdraw_link_says_what_was_sealed_into_it(link: WithdrawLink) -> None:
    assert open_withdrawal(seal_withdrawal(link, LINKS), LINKS) == link


def test_a_form_says_when_it_was_shown() -> None:
    shown = FormShown(NOON, "2026-11-01", "en")

    assert open_form(seal_form(shown, LINKS), LINKS) == shown


def test_a_confirm_link_ends_at_its_second() -> None:
    token = seal_request(LINK, LINKS)

    open_request(token, LINKS, now=LINK.ends_at - 1)
    with pytest.raises(ExpiredTokenError):
        open_request(token, LINKS, now=LINK.ends_at)


def test_a_waiting_link_says_what_was_sealed_into_it_and_ends_at_its_second() -> None:
    token = seal_waiting(WAITING, LINKS)

    assert open_waiting(token, LINKS, now=WAITING.ends_at - 1) == WAITING
    with pytest.raises(ExpiredTokenError):
        open_waiting(token, LINKS, now=WAITING.ends_at)


def test_a_waiting_link_opens_after_the_key_was_rotated_and_still_names_the_key_of_its_digits() -> None:
    rotated = Keyring("k2", {**LINKS.keys, "k2": b"links-two"})

    assert open_waiting(seal_waiting(WAITING, LINKS), rotated, now=NOW) == WAITING
    with pytest.raises(InvalidTokenError):
        open_waiting(seal_waiting(WAITING, LINKS), Keyring("k2", {"k2": b"links-two"}), now=NOW)


@pytest.mark.parametrize("other", [seal_request(LINK, LINKS), seal_withdrawal(TOPIC_LINK, LINKS)])
def test_no_other_link_opens_the_page_that_waits(other: str) -> None:
    with pytest.raises(InvalidTokenError):
        open_waiting(other, LINKS, now=NOW)


def test_a_link_to_a_package_says_what_was_sealed_into_it_and_ends_at_its_second() -> None:
    link = PackageLink(a_contact(), "case-1", "answer-case-1.zip", NOW + 100)
    token = seal_package(link, LINKS)

    assert open_package(token, LINKS, now=NOW + 99) == link
    with pytest.raises(ExpiredTokenError):
        open_package(token, LINKS, now=NOW + 100)


def test_a_link_to_a_package_opens_nothing_else_and_nothing_else_opens_a_package() -> None:
    token = seal_package(PackageLink(a_contact(), "case-1", "answer.zip", NOW + 100), LINKS)

    for other in (open_request, open_waiting):
        with pytest.raises(InvalidTokenError):
            other(token, LINKS, now=NOW)
    for other_token in (seal_request(LINK, LINKS), seal_waiting(WAITING, LINKS), seal_withdrawal(TOPIC_LINK, LINKS)):
        with pytest.raises(InvalidTokenError):
            open_package(other_token, LINKS, now=NOW)


def test_a_waiting_link_confirms_nothing() -> None:
    with pytest.raises(InvalidTokenError):
        open_request(seal_waiting(WAITING, LINKS), LINKS, now=NOW)


def test_a_waiting_link_tells_a_stranger_neither_the_address_nor_its_pseudonym() -> None:
    """Else typing an address would show which forwarded letter is its."""
    tokens = [seal_waiting(replace(WAITING, request=f"request-{number}"), LINKS) for number in range(2)]
    claims = [json.loads(base64.urlsafe_b64decode(token.split(".")[2] + "==")) for token in tokens]

    assert WAITING.contact.pseudonym not in str(claims)
    assert "@" not in str(claims)
    assert claims[0][3] != claims[1][3]


def test_all_waiting_links_are_equally_long() -> None:
    people = [replace(WAITING, contact=a_contact(email), request=f"request-{n}") for n, email in enumerate(PEOPLE)]

    assert len({len(seal_waiting(link, LINKS)) for link in people}) == 1


@pytest.mark.parametrize("made_for", list(Capability))
@pytest.mark.parametrize("used_as", [Capability.WITHDRAW, Capability.NOT_ME])
def test_a_link_made_for_one_thing_does_no_other(made_for: Capability, used_as: Capability) -> None:
    token = seal_withdrawal(TOPIC_LINK, LINKS, made_for)

    if made_for is used_as:
        assert open_withdrawal(token, LINKS, used_as) == TOPIC_LINK
    else:
        with pytest.raises(InvalidTokenError):
            open_withdrawal(token, LINKS, used_as)


@given(st.data())
def test_no_altered_link_opens(data: st.DataObject) -> None:
    token = seal_withdrawal(TOPIC_LINK, LINKS)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != token[place]))

    with pytest.raises(InvalidTokenError):
        open_withdrawal(token[:place] + other + token[place + 1 :], LINKS)


@given(st.text(max_size=200))
def test_no_invented_link_opens(text: str) -> None:
    with pytest.raises(InvalidTokenError):
        open_withdrawal(text, LINKS)


@given(st.integers(0, 200))
def test_no_cut_link_opens(length: int) -> None:
    token = seal_withdrawal(TOPIC_LINK, LINKS)

    with pytest.raises(InvalidTokenError):
        open_withdrawal(token[: min(length, len(token) - 1)], LINKS)


def test_claims_cannot_be_exchanged_under_another_signature() -> None:
    version, key_id, _, mac = seal_withdrawal(TOPIC_LINK, LINKS).split(".")
    _, _, other_claims, _ = seal_withdrawal(WithdrawLink(a_contact(PEOPLE[1]), "dm"), LINKS).split(".")

    with pytest.raises(InvalidTokenError):
        open_withdrawal(f"{version}.{key_id}.{other_claims}.{mac}", LINKS)


def test_old_links_open_after_the_key_was_rotated() -> None:
    token = seal_withdrawal(TOPIC_LINK, LINKS)
    rotated = Keyring("k2", {**LINKS.keys, "k2": b"links-two"})

    assert open_withdrawal(token, rotated) == TOPIC_LINK
    assert seal_withdrawal(TOPIC_LINK, rotated).startswith("v1.k2.")


def test_links_of_an_unknown_key_do_not_open() -> None:
    with pytest.raises(InvalidTokenError):
        open_withdrawal(seal_withdrawal(TOPIC_LINK, LINKS), Keyring("k2", {"k2": b"links-two"}))


def test_what_a_letter_carries_stops_it_and_explains_it() -> None:
    letter = LetterLink(a_contact(), "dm", ("ev",), 1, NOW)
    token = seal_letter(letter, LINKS)

    assert open_withdrawal(token, LINKS) == WithdrawLink(a_contact(), "dm", ("ev",), made_at=NOW)
    assert open_letter(token, LINKS) == letter


def test_a_link_that_only_withdraws_is_no_letter() -> None:
    for token in (
        seal_withdrawal(TOPIC_LINK, LINKS),
        seal_withdrawal(TOPIC_LINK, LINKS, Capability.NOT_ME),
        seal_request(LINK, LINKS),
    ):
        with pytest.raises(InvalidTokenError):
            open_letter(token, LINKS)


PROOF = RightsLink(a_contact(), "case-1", NOW + 60)
STATUS = StatusLink(a_contact(), "case-1")
MANAGE = ManageLink(a_contact(), NOW + 60)
PACKAGE = PackageLink(a_contact(), "case-1", "answer.zip", NOW + 60)

OF_A_CASE: dict[str, tuple[str, Callable[[str, int], object]]] = {
    "rights": (seal_rights(PROOF, LINKS), lambda token, now: open_rights(token, LINKS, now=now)),
    "status": (seal_status(STATUS, LINKS), lambda token, _now: open_status(token, LINKS)),
    "package": (seal_package(PACKAGE, LINKS), lambda token, now: open_package(token, LINKS, now=now)),
    "confirm": (seal_request(LINK, LINKS), lambda token, now: open_request(token, LINKS, now=now)),
    "manage": (seal_manage(MANAGE, LINKS), lambda token, now: open_manage(token, LINKS, now=now)),
    "withdraw": (seal_withdrawal(TOPIC_LINK, LINKS), lambda token, _now: open_withdrawal(token, LINKS)),
}


def test_a_link_of_a_case_says_what_was_sealed_into_it() -> None:
    found = [OF_A_CASE[name][1](OF_A_CASE[name][0], NOW) for name in ("rights", "status", "package")]

    assert found == [PROOF, STATUS, PACKAGE]


@pytest.mark.parametrize("opened_as", list(OF_A_CASE))
@pytest.mark.parametrize("made_for", list(OF_A_CASE))
def test_a_link_of_a_case_opens_nothing_but_what_it_was_made_for(made_for: str, opened_as: str) -> None:
    token, open_it = OF_A_CASE[made_for][0], OF_A_CASE[opened_as][1]
    if made_for == opened_as:
        assert open_it(token, NOW)
        return
    with pytest.raises(InvalidTokenError):
        open_it(token, NOW)


@pytest.mark.parametrize("name", ["rights", "package"])
def test_a_proof_and_a_file_end_at_their_second_and_a_status_does_not(name: str) -> None:
    token, open_it = OF_A_CASE[name]
    assert open_it(token, NOW + 59)

    with pytest.raises(ExpiredTokenError):
        open_it(token, NOW + 60)
    assert open_status(OF_A_CASE["status"][0], LINKS) == STATUS


def test_no_link_holds_an_address() -> None:
    contact = a_contact()
    tokens = [
        seal_request(LINK, LINKS),
        seal_withdrawal(TOPIC_LINK, LINKS),
        seal_letter(LetterLink(contact, "dm", (), 1, NOW), LINKS),
    ]

    for token in tokens:
        claims = base64.urlsafe_b64decode(token.split(".")[2] + "==").decode()
        assert "@" not in claims
        assert not any(part in claims for part in PEOPLE[0].replace("@", ".").split(".") if len(part) > 3)
        assert isinstance(json.loads(claims), list)


def test_a_link_without_a_time_of_its_own_is_of_the_time_it_counts_from() -> None:
    assert WithdrawLink(a_contact(), "dm").meant_at == 0
    assert WithdrawLink(a_contact(), "dm", since=NOON).meant_at == NOON
    assert WithdrawLink(a_contact(), "dm", since=NOON, made_at=NOW).meant_at == NOW


def test_a_link_that_says_when_it_was_made_is_no_letter() -> None:
    with pytest.raises(InvalidTokenError):
        open_letter(seal_withdrawal(WithdrawLink(a_contact(), "dm", made_at=NOON), LINKS), LINKS)


def test_a_link_to_a_new_address_says_whose_record_moves_until_it_ends() -> None:
    link = AddressLink(a_contact(PEOPLE[1]), "request-1", a_contact(), NOW)
    token = seal_address(link, LINKS)

    assert open_address(token, LINKS, now=NOW - 1) == link
    with pytest.raises(ExpiredTokenError):
        open_address(token, LINKS, now=NOW)
    with pytest.raises(InvalidTokenError):
        open_request(token, LINKS, now=0)
