"""Who would gain or lose permission under another policy: the product's own answers, asked twice of every record."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.stored import subject_in
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.objection import OBJECTIONS
from consent_center.domain.permission import AskedAbout
from consent_center.domain.policy import Period, Policy, Purpose
from consent_center.domain.subject import Subject

Item = Mapping[str, Any]
"""An item of the Subjects table in DynamoDB's own form: `{"pk": {"S": …}, …}`."""

NOT_IN_POLICY = "not_in_policy"
RETIRED = "retired"
"""Answers that a check has no reason for: what does not exist it refuses, and in what is retired it finds nothing."""

_OTHER_ITEMS = ("PENDING#", "SENT#")


class Move(NamedTuple):
    """A question whose answer is another under the new policy. `topic` None stands for any topic of the purpose."""

    purpose: str
    topic: str | None
    channel: str
    before: str
    after: str
    gains: bool


@dataclass
class Simulation:
    """What the simulation counted; its size depends on the policies and never on the number of people."""

    people: int = 0
    moves: Counter[Move] = field(default_factory=Counter)
    gaining: Counter[str] = field(default_factory=Counter)
    """People who gain anything, by purpose."""
    losing: Counter[str] = field(default_factory=Counter)
    orphaned: Counter[str] = field(default_factory=Counter)
    """Decisions under codes that the new policy lacks."""
    other_items: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    """Items that this version cannot read, by what is known of them."""

    @property
    def anybody_gains(self) -> bool:
        return bool(self.gaining)


class _Question:
    """One topic of a purpose on one channel, asked under one policy."""

    def __init__(self, policy: Policy, purpose: str, topic: str | None, channel: str) -> None:
        self.codes: set[str] = set()
        self._asked, self._fixed = None, NOT_IN_POLICY
        try:
            found = policy.purpose(purpose)
            self._asked = AskedAbout(found, channel, topic)
        except UnknownNameError:
            return
        if found.is_retired(topic):
            self._asked, self._fixed = None, RETIRED
            return
        self.codes = {scope.code for scope in ((found.scope(topic, channel),) if topic else found.scopes(channel))}

    def answer(self, subject: Subject, now: int) -> tuple[str, bool]:
        if self._asked is None:
            return self._fixed, False
        permission = self._asked.permission(subject, now)
        return str(permission.reason), permission.allowed


class Simulator:
    """`now` is the moment of the question, in epoch milliseconds."""

    def __init__(self, before: Policy, after: Policy, now: int) -> None:
        self.found = Simulation()
        self._now = now
        self._controllers: dict[str, str] = {}
        self._pairs: dict[tuple[str, str | None, str], tuple[_Question, _Question]] = {}
        self._by_code: dict[str, list[tuple[str, str | None, str]]] = {}
        for purpose, topic, channel in _questions(before, after):
            if before.purposes.get(purpose) == after.purposes.get(purpose):
                # An answer depends on the person and on this row alone, so nobody's can differ.
                continue
            pair = (_Question(before, purpose, topic, channel), _Question(after, purpose, topic, channel))
            self._pairs[purpose, topic, channel] = pair
            row = after.purposes.get(purpose) or before.purposes[purpose]
            self._controllers[purpose] = row.controller
            for code in pair[0].codes | pair[1].codes:
                self._by_code.setdefault(code, []).append((purpose, topic, channel))
        self._known = {scope.code for purpose in after.purposes.values() for scope in purpose.all_scopes()} | {
            *OBJECTIONS
        }
        # The answer about whoever decided nothing is the same for everybody, and worked out once.
        nobody = Subject(ContactPoint("", "", "", ""))
        self._baseline = [move for key in self._pairs if (move := self._ask(key, nobody))]

    def take(self, item: Item) -> None:
        """Count one item of the table in `found`."""
        found = self.found
        kind = _kind(item)
        if kind != keys.STATE:
            if kind is None:
                found.other_items += 1
            else:
                found.unknown[kind] += 1
            return
        try:
            subject = subject_in(item)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            version = item.get("v", {}).get("N", "?") if isinstance(item.get("v"), dict) else "?"
            found.unknown[f"STATE, layout {str(version)[:8]} ({type(error).__name__})"] += 1
            return
        found.people += 1
        found.orphaned.update(code for code in subject.decided if code not in self._known)
        moves = list(self._moves(subject))
        found.moves.update(moves)
        found.gaining.update({move.purpose for move in moves if move.gains})
        found.losing.update({move.purpose for move in moves if not move.gains})

    def _moves(self, subject: Subject) -> Iterator[Move]:
        codes = {*subject.decided, *subject.requested}
        if subject.locks or not codes.isdisjoint(OBJECTIONS):
            asked = set(self._pairs)
        else:
            asked = {key for code in codes for key in self._by_code.get(code, ())}
        controller = subject.contact.controller
        for key in asked:
            if self._is_of(key[0], controller) and (move := self._ask(key, subject)):
                yield move
        for move in self._baseline:
            if (move.purpose, move.topic, move.channel) not in asked and self._is_of(move.purpose, controller):
                yield move

    def _is_of(self, purpose: str, controller: str) -> bool:
        """Whoever decided nothing yet belongs to no controller, and is asked about under all."""
        return not controller or self._controllers[purpose] == controller

    def _ask(self, key: tuple[str, str | None, str], subject: Subject) -> Move | None:
        old, new = self._pairs[key]
        (before, was), (after, is_now) = old.answer(subject, self._now), new.answer(subject, self._now)
        return Move(*key, before, after, is_now) if was != is_now else None


def _kind(item: Item) -> str | None:
    """STATE; None for what the product keeps beside it; a name without personal data for anything else."""
    try:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
    except (KeyError, TypeError):
        return "an item without its keys"
    if pk.startswith("C#") and sk.startswith("E#"):
        return None
    if pk.startswith("S#"):
        if sk == keys.STATE:
            return keys.STATE
        if sk == keys.PROFILE or sk.startswith(_OTHER_ITEMS):
            return None
    # What follows the first sign of a key may lead to a person; what stands before it is ours.
    return f"{pk.partition('#')[0][:16]}# · {sk.partition('#')[0][:16]}"


def _questions(before: Policy, after: Policy) -> Iterator[tuple[str, str | None, str]]:
    for purpose in dict.fromkeys([*before.purposes, *after.purposes]):
        rows = [policy.purposes[purpose] for policy in (before, after) if purpose in policy.purposes]
        topics = dict.fromkeys(topic.id for row in rows for topic in row.topics)
        for channel in dict.fromkeys(channel for row in rows for channel in row.channels):
            for topic in (None, *topics):
                yield purpose, topic, channel


def edits(before: Policy, after: Policy) -> list[tuple[str, str]]:
    """What was edited about a purpose and may move permissions, as (purpose, what), in the order of the policies."""
    found: list[tuple[str, str]] = []
    for purpose, old in before.purposes.items():
        new = after.purposes.get(purpose)
        if new is None:
            found.append((purpose, f"is gone, with its code {old.code}"))
        else:
            found += [(purpose, what) for what in _edits(old, new)]
    for purpose, new in after.purposes.items():
        if purpose not in before.purposes:
            found.append((purpose, f"is new and rests on {new.legal_basis}"))
    return found


def _edits(old: Purpose, new: Purpose) -> Iterator[str]:
    if old.code != new.code:
        yield f"code {old.code} became {new.code}: decisions under the old one are not found"
    for name in ("legal_basis", "controller", "retired", "marketing", "profiling"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield f"{name}: {was} became {now}"
    yield from (f"no longer by {channel}" for channel in old.channels if channel not in new.channels)
    yield from (f"also by {channel}" for channel in new.channels if channel not in old.channels)
    yield from _edited_topics(old, new)
    if _length(new.valid_for) != _length(old.valid_for):
        how = "shorter" if _length(new.valid_for) < _length(old.valid_for) else "longer"
        yield f"valid_for is {how}: for consents given from then on; those given keep their end"


def _edited_topics(old: Purpose, new: Purpose) -> Iterator[str]:
    before, after = ({topic.id: topic for topic in purpose.topics} for purpose in (old, new))
    for topic_id, topic in before.items():
        now = after.get(topic_id)
        if now is None:
            yield f"topic {topic_id} is gone, with its code {topic.code}"
        elif now.code != topic.code:
            yield f"topic {topic_id}: code {topic.code} became {now.code}"
        elif now.retired != topic.retired:
            yield f"topic {topic_id}: retired {topic.retired} became {now.retired}"
    yield from (f"topic {topic_id} is new" for topic_id in after if topic_id not in before)


def _length(period: Period | None) -> float:
    """Days, to compare periods and never to compute dates."""
    return float("inf") if period is None else period.months * 30.44 + period.days
