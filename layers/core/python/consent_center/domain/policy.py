"""The compiled privacy policy as the domain reads it: names, codes, texts and periods, none of them written in code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from consent_center.domain.errors import UnknownNameError

Texts = Mapping[str, str]
"""One text per language code."""


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in calendar months and days, as policies are written."""

    months: int = 0
    days: int = 0

    def after(self, start: datetime) -> datetime:
        """When the period ends; a day that the target month lacks becomes its last day (Reg. 1182/71, Art. 3(2)(c))."""
        month = start.month - 1 + self.months
        year, month = start.year + month // 12, month % 12 + 1
        first_of_next = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=start.tzinfo)
        last_day = (first_of_next - timedelta(days=1)).day
        return start.replace(year=year, month=month, day=min(start.day, last_day)) + timedelta(days=self.days)

    def after_epoch(self, start_ms: int) -> int:
        """When the period ends, in whole epoch seconds, for a start in epoch milliseconds."""
        return int(self.after(datetime.fromtimestamp(start_ms / 1000, UTC)).timestamp())


@dataclass(frozen=True, slots=True)
class Scope:
    """What one decision is about: a purpose, perhaps one topic of it, on one channel."""

    purpose: str
    topic: str | None
    channel: str
    code: str
    """The short form that is stored: it never changes and is never used for anything else."""


@dataclass(frozen=True, slots=True)
class Topic:
    id: str
    code: str
    retired: bool
    name: Texts
    description: Texts
    frequency: Texts


@dataclass(frozen=True, slots=True)
class Purpose:
    id: str
    code: str
    retired: bool
    name: Texts
    description: Texts
    controller: str
    brand: str | None
    legal_basis: str
    channels: tuple[str, ...]
    topics: tuple[Topic, ...]
    valid_for: Period | None
    consent_text: Texts | None
    withdrawal_text: Texts | None

    def topic(self, topic_id: str) -> Topic:
        """The topic, retired ones included, or UnknownNameError."""
        for topic in self.topics:
            if topic.id == topic_id:
                return topic
        raise UnknownNameError("topic")

    def is_retired(self, topic_id: str | None) -> bool:
        """Whether the purpose, or this topic of it, is no longer pursued: it can be withdrawn and no longer given."""
        return self.retired or (topic_id is not None and self.topic(topic_id).retired)

    def scope(self, topic_id: str | None, channel: str) -> Scope:
        """The scope of one topic, or of a purpose that has none; UnknownNameError for what the policy lacks."""
        if channel not in self.channels:
            raise UnknownNameError("channel")
        code = self.topic(topic_id).code if topic_id is not None else "-"
        return Scope(self.id, topic_id, channel, f"{self.code}.{code}.{channel}")

    def scopes(self, channel: str) -> tuple[Scope, ...]:
        """Every scope of the purpose on the channel, retired topics too: what was given there can be withdrawn."""
        if not self.topics:
            return (self.scope(None, channel),)
        return tuple(self.scope(topic.id, channel) for topic in self.topics)


@dataclass(frozen=True, slots=True)
class Brand:
    id: str
    controller: str
    name: str
    website: str
    sender_name: str
    sender_address: str
    stop_address: str
    colour: str
    list_domain: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One published version of the privacy notice; `hashes` addresses its text in each language."""

    version: str
    published_on: str
    hashes: Mapping[str, str]


class Policy:
    """The policy in force. Built once per process from the compiled file and never changed."""

    def __init__(self, compiled: Mapping[str, Any]) -> None:
        if compiled.get("format") != 1:
            raise ValueError("the compiled policy has a format that this version cannot read")
        self.raw = compiled
        self.hash: str = compiled["hash"]
        self.languages: tuple[str, ...] = tuple(compiled["languages"])
        self.default_language: str = compiled["default_language"]
        self.pending_period = _period(compiled["periods"]["pending"]) or Period()

    @cached_property
    def purposes(self) -> Mapping[str, Purpose]:
        return {row["id"]: _purpose(row) for row in self.raw["purposes"]}

    @cached_property
    def brands(self) -> Mapping[str, Brand]:
        return {row["id"]: _brand(row) for row in self.raw["brands"]}

    @cached_property
    def notices(self) -> Mapping[str, Notice]:
        return {
            row["version"]: Notice(row["version"], row["published_on"], row["languages"]) for row in self.raw["notices"]
        }

    @property
    def notice(self) -> Notice:
        """The version in force."""
        return self.notices[self.raw["current_notice"]]

    def purpose(self, purpose_id: str) -> Purpose:
        """The purpose, retired ones included, or UnknownNameError."""
        try:
            return self.purposes[purpose_id]
        except KeyError:
            raise UnknownNameError("purpose") from None

    def purpose_by_code(self, code: str) -> Purpose:
        for purpose in self.purposes.values():
            if purpose.code == code:
                return purpose
        raise UnknownNameError("purpose")

    def pending_days(self, now: int) -> int:
        """How many days a request made at `now` (epoch milliseconds) can be confirmed; at least 1."""
        return max(1, round((self.pending_period.after_epoch(now) - now / 1000) / 86400))

    @property
    def form_purpose(self) -> Purpose:
        """The purpose that the sign-up form asks for."""
        return self.purpose(self.raw["form"]["purpose"])

    @property
    def interests(self) -> Mapping[str, Texts]:
        return {row["id"]: row["name"] for row in self.raw["form"]["interests"]}

    def brand_of(self, purpose: Purpose) -> Brand:
        """The brand a purpose speaks for; a purpose without one speaks for its controller's first brand."""
        if purpose.brand is not None:
            return self.brands[purpose.brand]
        return next(brand for brand in self.brands.values() if brand.controller == purpose.controller)

    def controller(self, controller_id: str) -> Mapping[str, Any]:
        return self._row("controllers", controller_id)

    def authority(self, authority_id: str) -> Mapping[str, Any]:
        return self._row("authorities", authority_id)

    def text(self, texts: Texts, language: str) -> str:
        """The text in the language, or in the policy's default language."""
        return texts.get(language) or texts[self.default_language]

    def _row(self, table: str, row_id: str) -> Mapping[str, Any]:
        return next(row for row in self.raw[table] if row["id"] == row_id)


def _period(row: Mapping[str, int] | None) -> Period | None:
    return Period(row.get("months", 0), row.get("days", 0)) if row else None


def _topic(row: Mapping[str, Any]) -> Topic:
    return Topic(row["id"], row["code"], row["retired"], row["name"], row["description"], row["frequency"])


def _purpose(row: Mapping[str, Any]) -> Purpose:
    topics: Sequence[Mapping[str, Any]] = row["topics"]
    return Purpose(
        id=row["id"],
        code=row["code"],
        retired=row["retired"],
        name=row["name"],
        description=row["description"],
        controller=row["controller"],
        brand=row["brand"],
        legal_basis=row["legal_basis"],
        channels=tuple(row["channels"]),
        topics=tuple(_topic(topic) for topic in topics),
        valid_for=_period(row["valid_for"]),
        consent_text=row["consent_text"],
        withdrawal_text=row["withdrawal_text"],
    )


def _brand(row: Mapping[str, Any]) -> Brand:
    return Brand(
        id=row["id"],
        controller=row["controller"],
        name=row["name"],
        website=row["website"],
        sender_name=row["sender"]["name"],
        sender_address=row["sender"]["address"],
        stop_address=row["stop_address"],
        colour=row["colour"],
        list_domain=row["list_domain"],
    )
