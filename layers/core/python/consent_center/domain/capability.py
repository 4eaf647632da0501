"""What a link may do: a signed permission for one thing, for one contact point, carried by the link itself.

A token is `v1.<key id>.<claims>.<MAC>`; claims are compact JSON, the MAC is HMAC-SHA256 cut to 128 bits over
everything before it and the capability's name, so that a token made for one capability is worthless for another.
No token holds an address.
"""

import base64
import hashlib
import hmac
import json
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from consent_center.domain.contact import ContactPoint, Keyring
from consent_center.domain.errors import ExpiredTokenError, InvalidTokenError

_T = TypeVar("_T")

_VERSION = "v1"
_MAC_BYTES = 16
_LONGEST_TOKEN = 2048
_BARE_CLAIMS = 8
"""Claims of a link that withdraws and does not say when it was made."""

_IN_ADDRESSES = bytes.maketrans(b"+/", b"-_")
_COMPACT = json.JSONEncoder(separators=(",", ":")).encode


MANAGE_SECONDS = 3600
"""How long the link to the preference page holds."""

SEND_GOOD_FOR_MS = 7 * 86_400_000
"""How long after its check a reserved send can be confirmed."""


class Capability(StrEnum):
    FORM = "form"
    CONFIRM = "confirm"
    NOT_ME = "not-me"
    WITHDRAW = "withdraw"
    MANAGE = "manage"
    DONE = "done"
    WAITING = "waiting"
    ADDRESS = "address"
    RIGHTS = "rights"
    STATUS = "status"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class RequestLink:
    """Confirms one sign-up request; `ends_at` in epoch seconds."""

    contact: ContactPoint
    request: str
    ends_at: int


@dataclass(frozen=True, slots=True)
class WithdrawLink:
    """Lowers, never raises. It has no end, because letters stay in mailboxes for years.

    `topics` holds topic codes; empty means the whole purpose. `request` is set on the letter that asks for
    confirmation: there the link cancels that request as well. What was given before `since` (epoch milliseconds) stays.
    `made_at` is when the letter was made (epoch milliseconds; 0: nobody knows): whoever had the address then is meant.
    """

    contact: ContactPoint
    purpose_code: str
    topics: tuple[str, ...] = ()
    request: str | None = None
    since: int = 0
    made_at: int = 0

    @property
    def meant_at(self) -> int:
        """The moment whose holder of the address is meant, in epoch milliseconds; 0 where nothing tells it."""
        return self.made_at or self.since


class LetterLink(NamedTuple):
    """One letter that a check allowed. Its token stops what the letter is about, as a WithdrawLink does, explains the
    letter, and is the id by which its sending is confirmed: whoever has the letter may do the first two anyway.

    `topics` as there; `seq` is the event that allowed the letter, 0 for none; `at` is when that was checked (epoch ms).
    """

    contact: ContactPoint
    purpose_code: str
    topics: tuple[str, ...]
    seq: int
    at: int


@dataclass(frozen=True, slots=True)
class ManageLink:
    """Opens the preference page of a contact point, and may change all that stands there; `ends_at` in epoch seconds.

    It can be used again until then, and needs no session.
    """

    contact: ContactPoint
    ends_at: int

    @property
    def made_at(self) -> int:
        """When it was made, in epoch milliseconds."""
        return (self.ends_at - MANAGE_SECONDS) * 1000


@dataclass(frozen=True, slots=True)
class DoneLink:
    """What a press has just done, so that the next page can say so and offer to undo it.

    `seq` is the event that it made, 0 for none; `about` is a purpose, or `<purpose>/<topic>`, or empty. Until `ends_at`
    (epoch seconds) it restores exactly what was there before that event, if nothing was decided since.
    """

    contact: ContactPoint
    did: str
    about: str
    seq: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class AddressLink:
    """Confirms, from the new address, that a record is to move there; `ends_at` in epoch seconds, as the request.

    `old` is where the record was when that was asked for: the link moves that record and no other.
    """

    contact: ContactPoint
    request: str
    old: ContactPoint
    ends_at: int


@dataclass(frozen=True, slots=True)
class WaitingLink:
    """The page that waits for the six digits of one sign-up request; `ends_at` in epoch seconds, as the request.

    It confirms nothing by itself. `key_id` is the key of links that the digits are made with, so that they still fit
    after a rotation. The page of a sign-up that nobody is mailed about has one too, for no request.
    """

    contact: ContactPoint
    request: str
    ends_at: int
    key_id: str


@dataclass(frozen=True, slots=True)
class RightsLink:
    """Proves that a rights request came from the mailbox; `ends_at` in epoch seconds. The case says if it was used."""

    contact: ContactPoint
    case: str
    ends_at: int


@dataclass(frozen=True, slots=True)
class StatusLink:
    """Shows how a case stands, and takes it back while that can be. It holds as long as the case is kept."""

    contact: ContactPoint
    case: str


@dataclass(frozen=True, slots=True)
class PackageLink:
    """Fetches one file that was made in a case; `ends_at` in epoch seconds."""

    contact: ContactPoint
    case: str
    name: str
    ends_at: int


@dataclass(frozen=True, slots=True)
class FormShown:
    """Which form a person saw, and when (epoch milliseconds)."""

    shown_at: int
    notice: str
    language: str
    source: str = ""
    """Where the link to the form was found, such as a fair: an id of the policy's sources, or empty."""


def seal_request(link: RequestLink, keys: Keyring) -> str:
    """A token that confirms a sign-up."""
    return _seal(Capability.CONFIRM, [*_of_contact(link.contact), link.request, link.ends_at], keys)


def open_request(token: str, keys: Keyring, *, now: int) -> RequestLink:
    """What the token says; InvalidTokenError, or ExpiredTokenError from `ends_at` on (`now` in epoch seconds)."""
    link = _open(Capability.CONFIRM, token, keys, lambda c: RequestLink(_contact(c), _text(c[4]), _number(c[5])))
    if now >= link.ends_at:
        raise ExpiredTokenError
    return link


def seal_withdrawal(link: WithdrawLink, keys: Keyring, capability: Capability = Capability.WITHDRAW) -> str:
    """A token that withdraws (WITHDRAW), or says "this was not me" (NOT_ME)."""
    claims = [*_of_contact(link.contact), link.purpose_code, link.topics, link.request or 0, link.since]
    # One claim more, where a letter has two: so that it can be none.
    return _seal(capability, [*claims, link.made_at] if link.made_at else claims, keys)


def open_withdrawal(token: str, keys: Keyring, capability: Capability = Capability.WITHDRAW) -> WithdrawLink:
    """What the token says, or InvalidTokenError. It never expires."""
    return _open(
        capability,
        token,
        keys,
        lambda c: WithdrawLink(
            _contact(c),
            _text(c[4]),
            tuple(_text(topic) for topic in c[5]),
            _text(c[6]) if c[6] else None,
            _number(c[7]),
            _number(c[-1]) if len(c) > _BARE_CLAIMS else 0,
        ),
    )


def seal_letter(link: LetterLink, keys: Keyring) -> str:
    """A token that goes into one letter, and withdraws as that of a WithdrawLink does."""
    return LetterSeals(link.purpose_code, link.topics, link.at, keys).seal(link.contact, link.seq)


class LetterSeals:
    """Makes the tokens of many letters about the same, as `seal_letter` does: what they share is written down once."""

    def __init__(self, purpose_code: str, topics: tuple[str, ...], at: int, keys: Keyring) -> None:
        """As the fields of a LetterLink."""
        self._about = _COMPACT([purpose_code, topics, 0, 0])[1:-1]
        self._at = at
        self._start = f"{_VERSION}.{keys.current}."
        # Copying a MAC that has begun is cheaper than beginning anew.
        self._mac = hmac.new(keys.keys[keys.current], digestmod=hashlib.sha256)
        self._mac.update(f"{Capability.WITHDRAW}\0{self._start}".encode())

    def seal(self, contact: ContactPoint, seq: int) -> str:
        """The token of one letter; `seq` as in a LetterLink."""
        controller, channel, key_id, pseudonym = contact
        claims = f'{_beginning(controller, channel, key_id)}"{pseudonym}",{self._about},{seq},{self._at}]'
        body = _base64(claims.encode())
        mac = self._mac.copy()
        mac.update(body.encode())
        return f"{self._start}{body}.{_base64(mac.digest()[:_MAC_BYTES])}"


@lru_cache(maxsize=64)
def _beginning(controller: str, channel: str, key_id: str) -> str:
    """Of the claims about a contact point; its pseudonym comes next, whose signs mean nothing to JSON."""
    return _COMPACT([controller, channel, key_id])[:-1] + ","


def open_letter(token: str, keys: Keyring) -> LetterLink:
    """The letter that a token stands for; InvalidTokenError for any other, also for links that only withdraw.

    It never expires, because letters stay in mailboxes for years.
    """
    return _open(
        Capability.WITHDRAW,
        token,
        keys,
        lambda c: LetterLink(
            _contact(c), _text(c[4]), tuple(_text(topic) for topic in c[5]), _number(c[8]), _number(c[9])
        ),
    )


def seal_form(form: FormShown, keys: Keyring) -> str:
    """The hidden field of a form."""
    return _seal(Capability.FORM, [form.shown_at, form.notice, form.language, form.source], keys)


def open_form(token: str, keys: Keyring) -> FormShown:
    """What the field says, or InvalidTokenError. Whether it is too old or too young is the reader's to say."""
    return _open(
        Capability.FORM,
        token,
        keys,
        # A form that was open while this field came about has none.
        lambda c: FormShown(_number(c[0]), _text(c[1]), _text(c[2]), _text(c[3]) if len(c) > 3 else ""),
    )


def seal_manage(link: ManageLink, keys: Keyring) -> str:
    """A token that opens the preference page."""
    return _seal(Capability.MANAGE, [*_of_contact(link.contact), link.ends_at], keys)


def open_manage(token: str, keys: Keyring, *, now: int) -> ManageLink:
    """What the token says; InvalidTokenError, or ExpiredTokenError from `ends_at` on (`now` in epoch seconds)."""
    link = expired_manage(token, keys)
    if link.ends_at <= now:
        raise ExpiredTokenError
    return link


def expired_manage(token: str, keys: Keyring) -> ManageLink:
    """What the token says however old it is: enough to be mailed a new one, and for nothing else."""
    return _open(Capability.MANAGE, token, keys, lambda c: ManageLink(_contact(c), _number(c[4])))


def seal_done(link: DoneLink, keys: Keyring) -> str:
    """A token that undoes one event."""
    return _seal(Capability.DONE, [*_of_contact(link.contact), link.did, link.about, link.seq, link.ends_at], keys)


def open_done(token: str, keys: Keyring) -> DoneLink:
    """What the token says, or InvalidTokenError. Whether it is too old to undo anything is the reader's to say."""
    return _open(
        Capability.DONE,
        token,
        keys,
        lambda c: DoneLink(_contact(c), _text(c[4]), _text(c[5]), _number(c[6]), _number(c[7])),
    )


def seal_address(link: AddressLink, keys: Keyring) -> str:
    """A token that confirms a new address."""
    claims = [*_of_contact(link.contact), link.request, link.old.key_id, link.old.pseudonym, link.ends_at]
    return _seal(Capability.ADDRESS, claims, keys)


def open_address(token: str, keys: Keyring, *, now: int) -> AddressLink:
    """What the token says; InvalidTokenError, or ExpiredTokenError from `ends_at` on (`now` in epoch seconds)."""

    def read(c: Sequence[Any]) -> AddressLink:
        contact = _contact(c)
        old = contact._replace(key_id=_text(c[5]), pseudonym=_text(c[6]))
        return AddressLink(contact, _text(c[4]), old, _number(c[7]))

    link = _open(Capability.ADDRESS, token, keys, read)
    if link.ends_at > now:
        return link
    raise ExpiredTokenError


def seal_waiting(link: WaitingLink, keys: Keyring) -> str:
    """A token that opens the page that waits for the six digits.

    It goes to whoever typed an address, so the pseudonym in it is hidden: nobody can find out by signing up an address
    which forwarded letter, or which record, is its.
    """
    contact = link.contact
    pad = _pad(link.request, keys.keys[link.key_id])
    hidden = base64.urlsafe_b64encode(_crossed(contact.pseudonym.encode(), pad)).decode()
    claims = [contact.controller, contact.channel, contact.key_id, hidden, link.request, link.ends_at, link.key_id]
    return _seal(Capability.WAITING, claims, keys)


def open_waiting(token: str, keys: Keyring, *, now: int) -> WaitingLink:
    """What the token says; InvalidTokenError, or ExpiredTokenError from `ends_at` on (`now` in epoch seconds)."""

    def read(c: Sequence[Any]) -> WaitingLink:
        link = WaitingLink(_contact(c), _text(c[4]), _number(c[5]), _text(c[6]))
        pad = _pad(link.request, keys.keys[link.key_id])
        pseudonym = _crossed(base64.urlsafe_b64decode(link.contact.pseudonym), pad).decode("ascii")
        return replace(link, contact=link.contact._replace(pseudonym=pseudonym))

    link = _open(Capability.WAITING, token, keys, read)
    if now < link.ends_at:
        return link
    raise ExpiredTokenError


def seal_rights(link: RightsLink, keys: Keyring) -> str:
    """A token that proves a rights request."""
    return _seal(Capability.RIGHTS, [*_of_contact(link.contact), link.case, link.ends_at], keys)


def open_rights(token: str, keys: Keyring, *, now: int) -> RightsLink:
    """What the token says; InvalidTokenError, or ExpiredTokenError from `ends_at` on (`now` in epoch seconds)."""
    link = _open(Capability.RIGHTS, token, keys, lambda c: RightsLink(_contact(c), _text(c[4]), _number(c[5])))
    _require_time_left(link.ends_at - now)
    return link


def seal_status(link: StatusLink, keys: Keyring) -> str:
    """A token that shows how a case stands."""
    return _seal(Capability.STATUS, [*_of_contact(link.contact), link.case], keys)


def open_status(token: str, keys: Keyring) -> StatusLink:
    """What the token says, or InvalidTokenError. It does not expire: the case does."""
    return _open(Capability.STATUS, token, keys, lambda c: StatusLink(_contact(c), _text(c[4])))


def seal_package(link: PackageLink, keys: Keyring) -> str:
    """A token that fetches one file of a case."""
    return _seal(Capability.PACKAGE, [*_of_contact(link.contact), link.case, link.name, link.ends_at], keys)


def open_package(token: str, keys: Keyring, *, now: int) -> PackageLink:
    """What the token says; InvalidTokenError, or ExpiredTokenError from `ends_at` on (`now` in epoch seconds)."""
    link = _open(
        Capability.PACKAGE, token, keys, lambda c: PackageLink(_contact(c), _text(c[4]), _text(c[5]), _number(c[6]))
    )
    _require_time_left(link.ends_at - now)
    return link


def claimed_controller(token: str) -> str | None:
    """The controller that a token of a contact point names, which nobody has verified; None where it names none.

    Enough to choose in whose name a page speaks, which is no secret, and for nothing else.
    """
    try:
        return str(_claims(token.split(".")[2])[0])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _require_time_left(seconds: int) -> None:
    if seconds <= 0:
        raise ExpiredTokenError


def _pad(request: str, key: bytes) -> bytes:
    """32 bytes that only the key tells, and that are used for one text: a request's id is never used again."""
    return hmac.digest(key, f"hidden\0{request}".encode(), hashlib.sha256)


def _crossed(text: bytes, pad: bytes) -> bytes:
    """Each byte combined with one of the pad; doing it again brings the text back. ValueError if the pad is shorter."""
    return bytes(one ^ other for one, other in zip(text, pad[: len(text)], strict=True))


def _of_contact(contact: ContactPoint) -> list[Any]:
    return [contact.controller, contact.channel, contact.key_id, contact.pseudonym]


def _contact(claims: Sequence[Any]) -> ContactPoint:
    return ContactPoint(_text(claims[0]), _text(claims[1]), _text(claims[2]), _text(claims[3]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value


def _seal(capability: Capability, claims: Sequence[Any], keys: Keyring) -> str:
    signed = f"{_VERSION}.{keys.current}.{_base64(_COMPACT(claims).encode())}"
    return f"{signed}.{_mac(capability, signed, keys.keys[keys.current])}"


def _open(capability: Capability, token: str, keys: Keyring, read: Callable[[Sequence[Any]], _T]) -> _T:
    try:
        if len(token) > _LONGEST_TOKEN:
            raise InvalidTokenError
        version, key_id, body, mac = token.encode("ascii").decode().split(".")
        if version != _VERSION or key_id not in keys.keys:
            raise InvalidTokenError
        if not hmac.compare_digest(mac, _mac(capability, f"{version}.{key_id}.{body}", keys.keys[key_id])):
            raise InvalidTokenError
        return read(_claims(body))
    except (ValueError, TypeError, LookupError):
        # The signature is checked first: what it covers and still cannot be read was signed by an older version.
        raise InvalidTokenError from None


def _claims(body: str) -> Any:
    return json.loads(base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True))


def _mac(capability: Capability, signed: str, key: bytes) -> str:
    return _base64(hmac.digest(key, (capability + "\0" + signed).encode(), hashlib.sha256)[:_MAC_BYTES])


def _base64(data: bytes) -> str:
    """With the signs that may stand in an address, and without padding (RFC 4648, 5)."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_IN_ADDRESSES).decode()
