"""The compiled privacy policy as the domain reads it: names, codes, texts and periods, none of them written in code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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

    def __str__(self) -> str:
        """How it is written in records and forms: `3.0` is three months, `0.14` two weeks."""
        return f"{self.months}.{self.days}"

    @classmethod
    def read(cls, text: str) -> "Period":
        """The period that was written so; ValueError for anything else."""
        months, days = text.split(".")
        return cls(int(months), int(days))

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

    @property
    def least_ms(self) -> int:
        """Milliseconds that it lasts at least, told without a calendar: no month has fewer than 28 days."""
        return (self.months * 28 + self.days) * 86_400_000


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
    tracks: str | None
    """What a yes permits to record: `opens`, `clicks`, or nothing."""


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
    marketing: bool
    tracking: bool
    profiling: bool
    double_opt_in: bool
    valid_for: Period | None
    stale_after: Period | None
    """A consent that was not used for so long may not be relied on any more."""
    pauses: tuple[Period, ...]
    """How long a person may pause it."""
    fewer: tuple[Period, ...]
    """A person may ask for at most one letter in such a time."""
    consent_text: Texts | None
    withdrawal_text: Texts | None
    interest: Texts | None
    objection_text: Texts | None
    recipients: tuple[str, ...]
    retention: str
    """The id of its retention rule, where no other is chosen for a jurisdiction."""
    import_grades: tuple[str, ...]
    """Grades of evidence with which a consent may be imported."""
    retention_in: Mapping[str, str] = field(default_factory=dict)
    """Ids of other retention rules, by jurisdiction (ISO 3166 country)."""
    _scopes: dict[str, tuple[Scope, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By channel, once they were asked for: every page and check asks for the same few."""

    def rule_in(self, jurisdiction: str) -> str:
        """The id of the retention rule for records of a jurisdiction."""
        return self.retention_in.get(jurisdiction, self.retention)

    @property
    def rests_on_consent(self) -> bool:
        return self.legal_basis == "consent"

    @property
    def rests_on_a_sale(self) -> bool:
        """Soft opt-in (Art. 13(2) of Directive 2002/58/EC). Its topics are the groups of similar products."""
        return self.legal_basis == "soft_opt_in"

    @property
    def takes_consent(self) -> bool:
        """Whether a person can say yes to it. To a soft opt-in too: their own yes then takes its place."""
        return self.rests_on_consent or self.rests_on_a_sale

    @property
    def may_be_objected_to(self) -> bool:
        """Art. 21(1) GDPR: what rests on an interest of the organisation."""
        return self.legal_basis == "legitimate_interest"

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
        """The scope of one topic, or of a purpose that has none; UnknownNameError for what the policy lacks.

        A purpose on channel `any` has no channel of its own, and is decided for all of them together.
        """
        if channel not in self.channels:
            if self.channels != ("any",):
                raise UnknownNameError("channel")
            channel = "any"
        code = self.topic(topic_id).code if topic_id is not None else "-"
        return Scope(self.id, topic_id, channel, f"{self.code}.{code}.{channel}")

    def scopes(self, channel: str) -> tuple[Scope, ...]:
        """Every scope of the purpose on the channel, retired topics too: what was given there can be withdrawn."""
        found = self._scopes.get(channel)
        if found is None:
            topics = [topic.id for topic in self.topics]
            found = self._scopes[channel] = self.scopes_of(topics, channel)
        return found

    def scopes_of(self, topics: Sequence[str], channel: str) -> tuple[Scope, ...]:
        """The scopes of these topics, or that of a purpose that has none."""
        return tuple(self.scope(topic, channel) for topic in topics or (None,))

    def all_scopes(self) -> tuple[Scope, ...]:
        """Every scope of the purpose on every channel of it."""
        return tuple(scope for channel in self.channels for scope in self.scopes(channel))

    def ends(self, scopes: Iterable[Scope], now: int) -> dict[str, int]:
        """When consents given at `now` (epoch milliseconds) end by themselves, in epoch seconds by scope code."""
        if self.valid_for is None:
            return {}
        return {scope.code: self.valid_for.after_epoch(now) for scope in scopes}

    def unused_since(self, given_at: int, last_send: int | None) -> int | None:
        """When a consent of this purpose becomes stale if nothing more is sent, in epoch seconds; None for never.

        `given_at`, and `last_send` if there was one, in epoch milliseconds. Denmark's Consumer Ombudsman takes a
        consent that nobody used for a year for lapsed.
        """
        if self.stale_after is None:
            return None
        return self.stale_after.after_epoch(max(given_at, last_send or 0))

    def went_unused(self, given_at: int, last_send: int | None, now: int) -> int | None:
        """As `unused_since`, if the consent is stale by `now` (epoch milliseconds); else None."""
        if self.stale_after is None or now - given_at < self.stale_after.least_ms:
            return None
        since = self.unused_since(given_at, last_send)
        return since if since is not None and since * 1000 <= now else None

    def may_be_renewed(self, given_at: int, now: int) -> bool:
        """Whether a consent is old enough to be stale (both in epoch milliseconds): then a new yes counts again.

        Whether letters went out since makes no difference, because agreeing once more does no harm.
        """
        since = self.unused_since(given_at, None)
        return since is not None and since * 1000 <= now

    def preference_key(self, channel: str) -> str:
        """What a person's pause and frequency for it are kept under."""
        return f"{self.code}.{channel}"


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long something is kept. `clock` names what the period counts from; without a period nothing ends it."""

    id: str
    covers: str
    clock: str
    period: Period | None
    never_sent: Period | None
    """Instead of `period` for people who were never sent anything."""


@dataclass(frozen=True, slots=True)
class Rights:
    """How requests of people about their data are dealt with."""

    cool_off_hours: int
    """How long a person may take an erasure back; nothing is sent meanwhile."""
    step_up_lapses_days: int
    """After how many days a question about who asks lapses."""
    file_kept: Period
    """From the closing of a case until the case is gone."""
    particulars_kept: Period
    """From the closing of a case until what it knows about the person is shredded."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How a recipient is told of a rights request. `manual`: by staff."""

    kind: str
    verbs: tuple[str, ...]
    settings: Mapping[str, str]
    events: bool = False
    """Whether it is told of every change of a record too."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that pages carry inside them: a data: address that was checked, and its size in CSS pixels."""

    url: str
    width: int
    height: int


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
    logo: Logo | None = None
    dark_logo: Logo | None = None
    """For dark pages; without it the other one stands on a light ground there."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One published version of the privacy notice; `hashes` addresses its text in each language."""

    version: str
    published_on: str
    hashes: Mapping[str, str]
    change: str
    """Its class: `first`, `typo`, `information`, `material` or `new_purpose`; the compiler holds it to what changed."""
    changes: tuple[tuple[str, str | None], ...]
    """What it does differently, as the compiler names it (docs/policy.md), and the purpose, or None for all."""
    summary: Texts


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
            row["version"]: Notice(
                row["version"],
                row["published_on"],
                row["languages"],
                row["change"],
                tuple((change["what"], change["purpose"]) for change in row["changes"]),
                row["summary"],
            )
            for row in self.raw["notices"]
        }

    @property
    def notice(self) -> Notice:
        """The version in force."""
        return self.notices[self.raw["current_notice"]]

    def notice_hash(self, version: str, language: str) -> str:
        """The hash of a notice's text in the language, or in the default language where it was not published in it."""
        hashes = self.notices[version].hashes
        return hashes[language if language in hashes else self.default_language]

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

    def scope_by_code(self, code: str) -> Scope:
        """The scope that is stored under a code; UnknownNameError for a code that is not of this policy."""
        purpose_code, _, channel = code.split(".")
        purpose = self.purpose_by_code(purpose_code)
        for scope in purpose.scopes(channel):
            if scope.code == code:
                return scope
        raise UnknownNameError("topic")

    def purposes_of(self, controller: str) -> list[Purpose]:
        """The purposes of one controller, in the policy's order, retired ones included."""
        return [purpose for purpose in self.purposes.values() if purpose.controller == controller]

    def pending_days(self, now: int) -> int:
        """How many days a request made at `now` (epoch milliseconds) can be confirmed; at least 1."""
        return max(1, round((self.pending_period.after_epoch(now) - now / 1000) / 86400))

    @property
    def form_purpose(self) -> Purpose:
        """The purpose that the sign-up form asks for."""
        return self.purpose(self.raw["form"]["purpose"])

    @cached_property
    def sources(self) -> frozenset[str]:
        """The ids of where data come from: what a link to the form may name."""
        return frozenset(row["id"] for row in self.raw.get("sources", ()))

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

    @property
    def jurisdictions(self) -> tuple[str, ...]:
        """The countries whose law the policy names."""
        return tuple(self.raw.get("jurisdictions", ()))

    def country_of(self, controller_id: str) -> str:
        """The country whose law a controller's records are kept by, unless a decision says another."""
        return str(self.controller(controller_id).get("country", ""))

    @cached_property
    def rights(self) -> Rights:
        kept = {kind: self.rule_covering(kind) for kind in ("rights-file", "rights-payload")}
        file, particulars = (rule.period if rule else None for rule in kept.values())
        if file is None or particulars is None:
            raise ValueError("the compiled policy does not say how long rights requests are kept")
        row = self.raw["rights"]
        return Rights(row["cool_off_hours"], row["step_up_lapses_days"], file, particulars)

    def recipient(self, recipient_id: str) -> Mapping[str, Any]:
        return self._row("recipients", recipient_id)

    def connection(self, recipient_id: str) -> Connection:
        """How the recipient is told of rights requests."""
        row = dict(self.recipient(recipient_id)["connector"])
        return Connection(row.pop("kind"), tuple(row.pop("verbs")), events=row.pop("events", False), settings=row)

    def retention_rule(self, rule_id: str) -> Mapping[str, Any]:
        return self._row("retention_rules", rule_id)

    @cached_property
    def rules(self) -> Mapping[str, RetentionRule]:
        """The retention rules by id."""
        return {
            row["id"]: RetentionRule(
                row["id"], row["covers"], row["clock"], _period(row["period"]), _period(row["never_sent"])
            )
            for row in self.raw["retention_rules"]
        }

    def rule_covering(self, kind: str) -> RetentionRule | None:
        """The rule for a kind of record, as the policy's `covers` names it; the first where several do."""
        return next((rule for rule in self.rules.values() if rule.covers == kind), None)

    def authority(self, authority_id: str) -> Mapping[str, Any]:
        return self._row("authorities", authority_id)

    def data_type(self, data_type_id: str) -> Mapping[str, Any]:
        return self._row("data_types", data_type_id)

    def purpose_row(self, purpose_id: str) -> Mapping[str, Any]:
        """All that the policy says of a purpose: what decides stands in `Purpose`, the rest is told to people."""
        return self._row("purposes", purpose_id)

    def spoken(self, language: str | None) -> str:
        """The language, if the policy has it; else its default language."""
        return language if language in self.languages else self.default_language

    def text(self, texts: Texts, language: str) -> str:
        """The text in the language, or in the policy's default language."""
        return texts.get(language) or texts[self.default_language]

    def sentence(self, texts: Texts, language: str) -> str:
        """As `text`, and with a full stop unless it ends in a mark of its own."""
        words = self.text(texts, language)
        return words if words.endswith((".", "!", "?", "…", "。")) else f"{words}."

    def _row(self, table: str, row_id: str) -> Mapping[str, Any]:
        return self._rows[table][row_id]

    @cached_property
    def _rows(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        tables = ("controllers", "recipients", "retention_rules", "authorities", "data_types", "purposes")
        return {table: {row["id"]: row for row in self.raw.get(table, ())} for table in tables}


def _period(row: Mapping[str, int] | None) -> Period | None:
    return Period(row.get("months", 0), row.get("days", 0)) if row else None


def _topic(row: Mapping[str, Any]) -> Topic:
    return Topic(
        row["id"], row["code"], row["retired"], row["name"], row["description"], row["frequency"], row["tracks"]
    )


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
        marketing=row["marketing"],
        tracking=row["tracking"],
        profiling=row["profiling"],
        double_opt_in=row["double_opt_in"],
        valid_for=_period(row["valid_for"]),
        stale_after=_period(row["stale_after"]),
        pauses=tuple(Period(period["months"], period["days"]) for period in row["pauses"]),
        fewer=tuple(Period(period["months"], period["days"]) for period in row["fewer"]),
        consent_text=row["consent_text"],
        withdrawal_text=row["withdrawal_text"],
        interest=row["interest"],
        objection_text=row["objection_text"],
        recipients=tuple(row["recipients"]),
        retention=row["retention"],
        import_grades=tuple(row["import_grades"]),
        retention_in=row.get("retention_in") or {},
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
        # Policies that were compiled earlier know no logos.
        logo=_logo(row.get("logo")),
        dark_logo=_logo(row.get("dark_logo")),
    )


def _logo(row: Mapping[str, Any] | None) -> Logo | None:
    return Logo(row["url"], row["width"], row["height"]) if row else None
