"""What other systems are told when something about a contact point changed: never who it is.

A change is told at least once, and perhaps late. `seq` grows along a chain, so whoever is told keeps the highest it
has seen of a chain and drops what is lower. A recipient of data is told of what concerns it, and of no more.
"""

from collections.abc import Mapping
from typing import Any

from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.lock import Lock
from consent_center.domain.objection import OBJECTIONS, Against
from consent_center.domain.policy import Policy, Scope
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.subject import Preference, Subject, timestamp

VERSION = 1
"""Of the form of an announcement."""

_WAITS = (20, 300, 3_600, 36_000)
"""Seconds to wait after each try that a recipient did not take: five tries within half a day."""


_OF_THE_WHOLE = frozenset({"locks", "suppressed"})
"""What is told only where it changed, and is of no purpose; `suppressed` may be told and false."""


def announcement(before: Subject | None, after: Subject, policy: Policy) -> dict[str, Any] | None:
    """What to tell of a record that went from one state to another, as JSON takes it; None if nothing changed.

    The chain is the same name that evidence has in the API's answers, so a system that asked about an address knows
    whose it is. A record that was erased is told under the chain that it had.
    """
    chain = after.chain or (before.chain if before else None)
    if chain is None:
        return None
    # A person who came back after an erasure has another chain, and nothing in common with the one before.
    known = before if before is not None and before.chain == chain else None
    moved = len(after.came_from) > (len(before.came_from) if before else 0)
    if moved:
        # The record came here whole: what it says was told when it was decided.
        known = after
    told: dict[str, Any] = {
        "changes": _changes(known, after, policy),
        "preferences": _preferences(known, after, policy),
    }
    if moved or (known.locks if known else ()) != after.locks:
        told["locks"] = sorted({Lock.read(text).kind for text in after.locks})
        told["deliverable"] = UNDELIVERABLE not in after.locks
    erased = after.chain is None
    if moved or (not erased and _suppression(known) != _suppression(after)):
        told |= _suppression(after)
    if not erased and not moved and not any(told.values()) and not told.keys() & _OF_THE_WHOLE:
        return None
    return {
        "version": VERSION,
        "controller": after.contact.controller or (known.contact.controller if known else ""),
        "chain": chain,
        "seq": max(after.seq, known.seq if known else 0),
        "at": timestamp(max(after.last_at, known.last_at if known else 0)),
        "language": after.language,
        "erased": erased,
        "moved": moved,
        **told,
    }


def concerning(recipient: str, told: Mapping[str, Any], policy: Policy) -> dict[str, Any] | None:
    """What of an announcement is told to a recipient of data, by its id in the policy; None for nothing.

    Changes of the purposes that name it, and objections that cover one of these (Art. 5(1)(c) GDPR). Whoever is named
    by any purpose of the controller may hold the person's data, so it is told of locks, suppression, moves, erasures.
    """
    purposes = [purpose for purpose in policy.purposes_of(told["controller"]) if recipient in purpose.recipients]
    if not purposes:
        return None
    names = {purpose.id for purpose in purposes}
    changes = [
        change
        for change in told["changes"]
        if change["purpose"] in names
        or ("objection" in change and any(map(Against(change["objection"]).covers, purposes)))
    ]
    preferences = [preference for preference in told["preferences"] if preference["purpose"] in names]
    if not (changes or preferences or told.keys() & _OF_THE_WHOLE or told["erased"] or told["moved"]):
        return None
    return {**told, "changes": changes, "preferences": preferences}


def message_id(recipient: str, told: Mapping[str, Any]) -> str:
    """By what a recipient knows an announcement again: the same for every try.

    An erasure is no event of the chain, so it bears the number of the last one and needs a word of its own.
    """
    erased = "-erased" if told["erased"] else ""
    return f"{told['chain']}-{told['seq']}{erased}-{recipient}"


def again_after(tries: int) -> int:
    """Seconds until a recipient is tried again that did not take so many tries; 0 once there are no more."""
    return _WAITS[tries - 1] if tries <= len(_WAITS) else 0


def _suppression(subject: Subject | None) -> dict[str, Any]:
    """Whether marketing is kept from the person, and until when; None for as long as nobody lifts it."""
    suppression = subject.suppression if subject else None
    until = suppression.until if suppression else None
    return {
        "suppressed": suppression is not None,
        "suppressed_until": timestamp(until * 1000) if until is not None else None,
    }


def _changes(before: Subject | None, after: Subject, policy: Policy) -> list[dict[str, Any]]:
    was = before.decided if before else {}
    rows = []
    for code in sorted({*was, *after.decided}):
        old, new = was.get(code), after.decided.get(code)
        if old == new:
            continue
        rows.append({
            **_named(code, policy),
            "before": (old.state if old else DecisionState.UNKNOWN).value,
            "after": (new.state if new else DecisionState.UNKNOWN).value,
            "valid_until": timestamp(new.valid_until * 1000) if new and new.valid_until is not None else None,
        })  # fmt: skip
    return rows


def _named(code: str, policy: Policy) -> dict[str, Any]:
    """A scope in the policy's ids. One that this policy lacks keeps its code, because a change is never left out."""
    if code in OBJECTIONS:
        return {"purpose": None, "topic": None, "channel": None, "objection": OBJECTIONS[code].value}
    try:
        scope: Scope = policy.scope_by_code(code)
    except UnknownNameError:
        purpose, topic, channel = code.split(".")
        return {"purpose": purpose, "topic": topic, "channel": channel}
    return {"purpose": scope.purpose, "topic": scope.topic, "channel": scope.channel}


def _preferences(before: Subject | None, after: Subject, policy: Policy) -> list[dict[str, Any]]:
    was = before.preferences if before else {}
    return [
        {**_key_named(key, policy), **_wanted(after.preferences.get(key, Preference()))}
        for key in sorted({*was, *after.preferences})
        if was.get(key) != after.preferences.get(key)
    ]


def _key_named(key: str, policy: Policy) -> Mapping[str, Any]:
    code, channel = key.split(".")
    try:
        return {"purpose": policy.purpose_by_code(code).id, "channel": channel}
    except UnknownNameError:
        return {"purpose": code, "channel": channel}


def _wanted(preference: Preference) -> Mapping[str, Any]:
    until, every = preference.paused_until, preference.at_most_every
    return {
        "paused_until": timestamp(until * 1000) if until is not None else None,
        "at_most_every": str(every) if every is not None else None,
    }
