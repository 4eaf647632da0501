"""The evidence chain of one contact point: entries that hold no personal data, each sealed to the one before it.

An entry commits to the personal details of its event by `commitment = SHA-256(salt || canonical content)`. While salt
and payload exist the entry proves them; once they are deleted it proves nothing about anybody, and the chain still
verifies. What is needed for a while only, the circumstances, stands in the payload as a commitment of its own, so that
it can go alone. Canonical JSON is RFC 8785 for the values used here: strings, whole numbers, booleans, null, lists,
objects with ASCII keys.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

GENESIS = "0" * 64
"""What the first entry of a chain names as its predecessor."""

ENTRY_VERSION = 1


def canonical(value: Any) -> bytes:
    """The one spelling of a value that hashes are taken of (RFC 8785). TypeError for fractions and non-ASCII keys."""
    _require_canonical(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _require_canonical(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise TypeError("a key that is not ASCII text has no canonical place")
            _require_canonical(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _require_canonical(inner)
    elif isinstance(value, float):
        raise TypeError("fractions have no canonical spelling here")


@dataclass(frozen=True, slots=True)
class Change:
    """What an event did to one scope; `before` and `after` are DPV state names."""

    purpose: str
    topic: str | None
    channel: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Payload:
    """The personal details of one event, apart from the ledger so that they can go while the proof stays."""

    salt: str
    """A random text."""
    content: Mapping[str, Any]
    circumstances: Mapping[str, Any] | None = None
    """What goes before the rest does: the network of a press, what undoing it needs. Has a `salt` of its own."""

    @classmethod
    def of(
        cls, salt: str, details: Mapping[str, Any], circumstances: Mapping[str, Any], circumstances_salt: str
    ) -> "Payload":
        """A payload whose content commits to its circumstances, if there are any."""
        if not circumstances:
            return cls(salt, details)
        salted = {**circumstances, "salt": circumstances_salt}
        return cls(salt, {**details, _CIRCUMSTANCES: _short_hash(salted)}, salted)

    @property
    def circumstances_hold(self) -> bool:
        """Whether the circumstances are gone, or are those that the content commits to."""
        return self.circumstances is None or self.content.get(_CIRCUMSTANCES) == _short_hash(self.circumstances)

    @property
    def commitment(self) -> str:
        return hashlib.sha256(self.salt.encode() + canonical(self.content)).hexdigest()

    def __repr__(self) -> str:
        """Hides the content, because a repr ends up in logs and tracebacks."""
        return "Payload(…)"


_CIRCUMSTANCES = "more"


def _short_hash(value: Mapping[str, Any]) -> str:
    """SHA-256 of a value's canonical form, in base64url: every payload holds one."""
    digest = hashlib.sha256(canonical(dict(value))).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in the ledger. `body` is exactly what is stored; `hash` is SHA-256 over its canonical form."""

    body: Mapping[str, Any]
    hash: str

    @property
    def chain(self) -> str:
        return str(self.body["chain"])

    @property
    def seq(self) -> int:
        return int(self.body["seq"])

    @property
    def kind(self) -> str:
        return str(self.body["kind"])

    @property
    def at(self) -> str:
        """UTC, RFC 3339 with milliseconds."""
        return str(self.body["at"])

    @property
    def evidence(self) -> str:
        """How others refer to this entry."""
        return evidence_id(self.chain, self.seq)


def evidence_id(chain: str, seq: int) -> str:
    return f"{chain}.{seq}"


def extend(
    *,
    chain: str,
    seq: int,
    prev: str,
    at: str,
    kind: str,
    changes: Iterable[Change],
    facts: Mapping[str, Any],
    payload: Payload,
) -> Entry:
    """The next entry of a chain. `facts` are further fields without personal data (notice, language, source, …)."""
    body = {
        **facts,
        "v": ENTRY_VERSION,
        "chain": chain,
        "seq": seq,
        "prev": prev,
        "at": at,
        "kind": kind,
        "changes": _grouped(changes),
        "commitment": payload.commitment,
    }
    return Entry(body, _hash_of(body))


def _grouped(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """One row for all topics that changed alike: an entry of many topics stays as cheap to store as that of one."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for change in changes:
        topics = rows.setdefault((change.purpose, change.channel, change.before, change.after), [])
        if change.topic is not None:
            topics.append(change.topic)
    return [
        {"purpose": purpose, "topics": topics, "channel": channel, "before": before, "after": after}
        for (purpose, channel, before, after), topics in rows.items()
    ]


class Fault(StrEnum):
    """What can be wrong with a chain."""

    ALTERED = "the entry does not have the hash that was recorded for it"
    MISSING = "an entry is missing or out of order"
    BROKEN_LINK = "the entry does not follow from the one before it"
    FOREIGN = "the entry belongs to another chain"
    BACK_DATED = "the entry is dated before the one it follows"
    ALTERED_PAYLOAD = "the personal details are not the ones that were recorded"
    WRONG_HEAD = "the newest entry is not the one the record points at"


@dataclass(frozen=True, slots=True)
class Finding:
    seq: int
    fault: Fault


def verify(
    chain: str, entries: Iterable[Entry], payloads: Mapping[int, Payload] | None = None, head: str | None = None
) -> list[Finding]:
    """Everything wrong with a chain, given its entries in order; an empty list means that it holds.

    `payloads` by seq are checked where they still exist; `head` is the hash that the person's record names as newest.
    """
    findings = []
    prev, last_at, newest = GENESIS, "", GENESIS
    for place, entry in enumerate(entries, start=1):
        body = entry.body
        if not is_whole(entry):
            findings.append(Finding(place, Fault.ALTERED))
        if body.get("chain") != chain:
            findings.append(Finding(place, Fault.FOREIGN))
        if body.get("seq") != place:
            findings.append(Finding(place, Fault.MISSING))
        elif body.get("prev") != prev:
            findings.append(Finding(place, Fault.BROKEN_LINK))
        if str(body.get("at")) < last_at:
            findings.append(Finding(place, Fault.BACK_DATED))
        payload = (payloads or {}).get(place)
        if payload is not None and not _matches(payload, body.get("commitment")):
            findings.append(Finding(place, Fault.ALTERED_PAYLOAD))
        prev = newest = entry.hash
        last_at = str(body.get("at"))
    if head is not None and head != newest:
        findings.append(Finding(0, Fault.WRONG_HEAD))
    return findings


def is_whole(entry: Entry) -> bool:
    """Whether the hash that was recorded for an entry is the one that its body has."""
    return _readable_hash_of(entry.body) == entry.hash


def _hash_of(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(dict(body))).hexdigest()


def _readable_hash_of(body: Mapping[str, Any]) -> str | None:
    """The hash, or None for what no version of this code can have written."""
    try:
        return _hash_of(body)
    except (TypeError, ValueError):
        return None


def _matches(payload: Payload, commitment: Any) -> bool:
    try:
        return bool(payload.commitment == commitment and payload.circumstances_hold)
    except (TypeError, ValueError):
        return False
