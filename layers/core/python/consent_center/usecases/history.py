"""Looking back: everything a person decided, and why they got one letter."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from consent_center.domain.capability import open_letter, open_manage
from consent_center.domain.chain import Entry, Payload
from consent_center.domain.errors import InvalidTokenError, NothingHeldError, UnknownNameError
from consent_center.domain.permission import permission
from consent_center.domain.policy import Policy, Purpose, Topic
from consent_center.ports.basics import Clock, Secrets
from consent_center.ports.evidence import Ledger
from consent_center.ports.people import Holdings, Subjects
from consent_center.usecases.whereabouts import meant_by, require_here


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a person's record."""

    seq: int
    at: int
    """Epoch milliseconds."""
    kind: str
    about: tuple[tuple[str, tuple[str, ...]], ...]
    """Purposes (`*` for an objection to all of something), each with its topics."""
    wording: tuple[str, ...]
    """The words that were agreed to, as long as they are kept."""
    notice: str | None
    entry: Entry
    """What the ledger holds of it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a letter was allowed."""

    purpose: Purpose
    topic: Topic | None
    checked_at: int
    """Epoch milliseconds."""
    given_at: int | None
    """When the person agreed, in epoch milliseconds; None where nothing is held any more, or no consent was needed."""
    how: str | None
    """How the consent was collected, as the ledger says it: a source such as `form`."""
    notice: str | None
    still_allowed: bool
    """Whether such a letter would be allowed now."""
    is_by_sale: bool = False
    """Whether it was allowed by a soft opt-in: `given_at` is then when the sale was recorded."""


def look_back(
    token: str, *, policy: Policy, subjects: Subjects, ledger: Ledger, secrets: Secrets, clock: Clock
) -> tuple[list[Event], str]:
    """Every event of a person, oldest first, and their language. Reads only.

    InvalidTokenError, ExpiredTokenError; NothingHeldError where nothing is stored.
    """
    link = open_manage(token, secrets.links(), now=clock() // 1000)
    subject = subjects.load(link.contact).subject
    require_here(subject, link.made_at)
    if subject.chain is None:
        raise NothingHeldError
    payloads = subjects.payloads(subject.chain)
    events = [event_of(entry, payloads.get(entry.seq)) for entry in ledger.entries(subject.chain)]
    return events, policy.spoken(subject.language)


def explain(
    token: str, *, policy: Policy, subjects: Subjects, ledger: Ledger, secrets: Secrets, clock: Clock
) -> Explanation:
    """Why the letter that carries this link was allowed. Reads only; names nobody. InvalidTokenError."""
    link = open_letter(token, secrets.links())
    try:
        purpose = policy.purpose_by_code(link.purpose_code)
        topic = next((one for one in purpose.topics if (one.code,) == link.topics), None)
        held = subjects.holdings(link.contact)
        if held.subject.former:
            meant = meant_by(held.subject, link.at, subjects)[0]
            held = subjects.holdings(meant.contact) if meant.chain else Holdings(meant)
        subject, channel = held.subject, link.contact.channel
        entry = ledger.entry(subject.chain, link.seq) if subject.chain and link.seq else None
        if entry and purpose.rests_on_a_sale:
            # The link stops all product groups; which one the letter was about, the entry says.
            topic = next((purpose.topic(one) for one in _topics_of(entry, purpose)), None)
        now = permission(
            subject,
            purpose,
            channel=channel,
            topic=topic.id if topic else None,
            now=clock(),
            last_send=held.last_sends.get((purpose.id, channel)),
        )
    except UnknownNameError:
        # Codes are never removed from a policy, so this link was signed for one that is not ours.
        raise InvalidTokenError from None
    event = event_of(entry, None) if entry else None
    return Explanation(
        purpose,
        topic,
        link.at,
        event.at if event else None,
        str(entry.body.get("source")) if entry else None,
        event.notice if event else None,
        now.allowed,
        entry is not None and entry.kind == "soft_opt_in",
    )


def event_of(entry: Entry, payload: Payload | None) -> Event:
    """What an entry, and its payload as long as there is one, say to people."""
    changes: Sequence[dict[str, object]] = entry.body.get("changes", ())
    wording = payload.content.get("wording", ()) if payload else ()
    notice = entry.body.get("notice")
    return Event(
        entry.seq,
        int(dt.datetime.fromisoformat(entry.at).timestamp() * 1000),
        entry.kind,
        tuple((str(change["purpose"]), tuple(map(str, _topics(change)))) for change in changes),
        tuple(map(str, wording)),
        str(notice) if notice else None,
        entry,
    )


def _topics_of(entry: Entry, purpose: Purpose) -> list[str]:
    changes: Sequence[dict[str, object]] = entry.body.get("changes", ())
    return [str(topic) for change in changes if change["purpose"] == purpose.id for topic in _topics(change)]


def _topics(change: dict[str, object]) -> Sequence[object]:
    topics = change.get("topics")
    return topics if isinstance(topics, list) else ()
