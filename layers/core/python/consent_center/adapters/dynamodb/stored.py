"""People as DynamoDB holds them, and back: state, profile, requests, and the payloads of events."""

import json
from collections.abc import Mapping
from typing import Any

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.items import PayloadItem, ProfileItem, RequestItem, StateItem
from consent_center.domain.chain import GENESIS, Entry, Payload, canonical
from consent_center.domain.contact import Address, ContactPoint
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.offline import read_attestation
from consent_center.domain.policy import Period
from consent_center.domain.request import Request
from consent_center.domain.subject import Move, Preference, Subject
from consent_center.domain.suppression import Basis, Suppression
from consent_center.ports.people import End, Profile

_CODES = {
    DecisionState.GIVEN: "g",
    DecisionState.RENEWED: "n",
    DecisionState.WITHDRAWN: "w",
    DecisionState.REFUSED: "f",
    DecisionState.OBJECTED: "o",
    DecisionState.EXPIRED: "x",
    DecisionState.TERMINATED: "t",
    DecisionState.INVALIDATED: "i",
    DecisionState.LIFTED: "l",
    DecisionState.SOFT_OPT_IN: "s",
}
_STATES = {code: state for state, code in _CODES.items()}


def _encode(decided: Decided) -> str:
    end = f".{decided.valid_until}" if decided.valid_until is not None else ""
    return f"{_CODES[decided.state]}{decided.at}.{decided.seq}{end}"


def _decode(text: str) -> Decided:
    parts = text[1:].split(".")
    return Decided(_STATES[text[0]], int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) > 2 else None)


def _decisions(texts: Mapping[str, Any]) -> dict[str, Decided]:
    """By code. Topics are mostly decided several at once, and then the text is the same and read once."""
    read: dict[str, Decided] = {}
    decisions = {}
    for code, value in texts.items():
        text = value["S"]
        decided = read.get(text)
        if decided is None:
            decided = read[text] = _decode(text)
        decisions[code] = decided
    return decisions


def _wish(preference: Preference) -> str:
    """A preference as `<epoch s until which it is paused>/<months.days between letters>`; either may be empty."""
    return f"{preference.paused_until or ''}/{preference.at_most_every or ''}"


def _preference(text: str) -> Preference:
    paused_until, every = text.split("/")
    return Preference(int(paused_until) if paused_until else None, Period.read(every) if every else None)


def number(item: Mapping[str, Any], name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def end_in(item: Mapping[str, Any]) -> End | None:
    """The end that an item was given."""
    if "expires_at" not in item:
        return None
    return End(int(item["expires_at"]["N"]), item["rule"]["S"] if "rule" in item else None)


def subject_of(contact: ContactPoint, item: Mapping[str, Any]) -> Subject:
    """A stored state. Straight from DynamoDB's own form: a thousand of these are made in one permission check."""
    return Subject(
        contact,
        number(item, "version"),
        item["chain"]["S"] if "chain" in item else None,
        number(item, "seq"),
        item["head"]["S"] if "head" in item else GENESIS,
        number(item, "at"),
        item["lang"]["S"] if "lang" in item else None,
        _decisions(item["d"]["M"]) if "d" in item else {},
        {code: int(value["N"]) for code, value in item["p"]["M"].items()} if "p" in item else {},
        **({} if _SELDOM.isdisjoint(item) else _seldom_in(item)),
    )


_SELDOM = frozenset({"locks", "prefs", "heard", "holder", "here", "supp", "erasing", "inform", "former", "came"})
"""What most records lack, or what a check does not read: asking for each of them would show."""


def _seldom_in(item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a subject that `_SELDOM` names."""
    return {
        "locks": tuple(lock["S"] for lock in item["locks"]["L"]) if "locks" in item else (),
        "preferences": {key: _preference(value["S"]) for key, value in item["prefs"]["M"].items()}
        if "prefs" in item
        else {},
        "heard_at": number(item, "heard"),
        "holder_since": number(item, "holder"),
        "here_since": number(item, "here"),
        "suppression": _suppression(item["supp"]["S"]) if "supp" in item else None,
        "erasing": item["erasing"]["S"] if "erasing" in item else None,
        "inform_by": number(item, "inform"),
        "former": moves_in(item, "former"),
        "came_from": moves_in(item, "came"),
    }


def moved_to(contact: ContactPoint, item: Mapping[str, Any] | None) -> ContactPoint | None:
    """Where a stored state says that the record went, if it went anywhere."""
    if item is None or "moved_to" not in item:
        return None
    key_id, pseudonym = item["moved_to"]["S"].split("#")
    return contact._replace(key_id=key_id, pseudonym=pseudonym)


def written_move(move: Move) -> str:
    """A change of address as `<key id>#<pseudonym>@<epoch ms>`."""
    return f"{move.key_id}#{move.pseudonym}@{move.at}"


def moves_in(item: Mapping[str, Any], name: str) -> tuple[Move, ...]:
    return tuple(_move(text["S"]) for text in item[name]["L"]) if name in item else ()


def _move(text: str) -> Move:
    place, _, at = text.rpartition("@")
    key_id, pseudonym = place.split("#")
    return Move(key_id, pseudonym, int(at))


def suppressed(suppression: Suppression) -> str:
    """A suppression as `<basis>/<epoch ms>/<epoch s of its end>/<notice>`; the end may be empty."""
    return f"{suppression.basis.value}/{suppression.at}/{suppression.until or ''}/{suppression.notice}"


def _suppression(text: str) -> Suppression:
    basis, at, until, notice = text.split("/", 3)
    return Suppression(Basis(basis), int(at), notice, int(until) if until else None)


def state_item(subject: Subject) -> StateItem:
    """A state as it is stored."""
    return StateItem(
        keys.of_contact(subject.contact),
        keys.STATE,
        version=subject.version,
        chain=subject.chain,
        seq=subject.seq,
        head=subject.head,
        at=subject.last_at,
        controller=subject.contact.controller,
        listed=keys.listed(subject.contact, is_living=subject.chain is not None)
        if subject.chain or subject.suppression
        else None,
        lang=subject.language,
        d={code: _encode(decided) for code, decided in subject.decided.items()},
        p=dict(subject.requested),
        locks=list(subject.locks) or None,
        prefs={key: _wish(preference) for key, preference in subject.preferences.items()} or None,
        heard=subject.heard_at or None,
        holder=subject.holder_since or None,
        here=subject.here_since or None,
        supp=suppressed(subject.suppression) if subject.suppression else None,
        erasing=subject.erasing,
        inform=subject.inform_by or None,
        former=[written_move(move) for move in subject.former] or None,
        came=[written_move(move) for move in subject.came_from] or None,
    )


def profile_actions(profile: Profile) -> list[Any]:
    """What the person filled in takes the place of what was known; what was left out stays."""
    actions = [
        ProfileItem.v.set(1),
        ProfileItem.address.set(profile.address.mailable),
        ProfileItem.normalised.set(profile.address.normalised),
        ProfileItem.lang.set(profile.language),
        # Whoever is there again stays until the clocks are worked out anew.
        ProfileItem.expires_at.remove(),
    ]
    if profile.name is not None:
        actions.append(ProfileItem.name.set(profile.name))
    if profile.company is not None:
        actions.append(ProfileItem.company.set(profile.company))
    if profile.interests:
        actions.append(ProfileItem.interests.set(list(profile.interests)))
    return actions


def profile_of(item: Mapping[str, Any]) -> Profile:
    return Profile(
        Address(item["address"]["S"], item["normalised"]["S"]),
        item["name"]["S"] if "name" in item else None,
        item["company"]["S"] if "company" in item else None,
        tuple(interest["S"] for interest in item["interests"]["L"]) if "interests" in item else (),
        item["lang"]["S"],
    )


def payload_item(entry: Entry, payload: Payload) -> PayloadItem:
    """The personal details of an event as they are stored."""
    return PayloadItem(
        keys.of_chain(entry.chain),
        keys.of_event(entry.seq),
        salt=payload.salt,
        content=canonical(dict(payload.content)).decode(),
        more=_circumstances(payload),
    )


def _circumstances(payload: Payload) -> str | None:
    return canonical(dict(payload.circumstances)).decode() if payload.circumstances is not None else None


def payload_of(item: PayloadItem) -> Payload:
    circumstances = json.loads(item.more) if item.more is not None else None
    return Payload(item.salt, json.loads(item.content), circumstances)


def request_item(request: Request) -> RequestItem:
    return RequestItem(
        keys.of_contact(request.contact),
        keys.of_request(request.id),
        address=request.address.mailable,
        normalised=request.address.normalised,
        controller=request.contact.controller,
        channel=request.contact.channel,
        purpose=request.purpose,
        topics=list(request.topics),
        lang=request.language,
        notice=request.notice,
        requested_at=request.requested_at,
        expires_at=request.expires_at,
        name=request.name,
        company=request.company,
        interests=list(request.interests),
        source=request.source,
        code_key=request.code_key,
        attested=request.attested.written() if request.attested else None,
    )


def request_of(contact: ContactPoint, item: RequestItem) -> Request:
    return Request(
        id=item.sk.removeprefix(keys.of_request("")),
        contact=contact,
        address=Address(item.address, item.normalised),
        purpose=item.purpose,
        topics=tuple(item.topics),
        language=item.lang,
        notice=item.notice,
        requested_at=int(item.requested_at),
        expires_at=int(item.expires_at),
        name=item.name,
        company=item.company,
        interests=tuple(item.interests),
        source=item.source,
        code_key=item.code_key,
        attested=read_attestation(item.attested) if item.attested else None,
    )


def subject_in(item: Mapping[str, Any]) -> Subject:
    """The subject that a STATE item in DynamoDB's own form holds, for whoever reads a copy of the table.

    The item does not say on which channel its address is, so the contact point has none. KeyError, ValueError,
    TypeError or AttributeError for an item of a layout that this version does not know.
    """
    if item["v"]["N"] != "1":
        raise ValueError("a state of another layout")
    key_id, pseudonym = keys.contact_in(item["pk"]["S"])
    controller = item["controller"]["S"] if "controller" in item else ""
    return subject_of(ContactPoint(controller, "", key_id, pseudonym), item)
