"""The compiled privacy policy as the domain reads it: names, codes, texts and periods, none of them written in code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from consent_center.domain.errors import InvalidFormError, UnknownNameError

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
    is_default: bool = False
    """Whether pages that name no brand are its."""
    is_only: bool = True
    """Whether the policy has no other."""

    @property
    def query(self) -> Mapping[str, str]:
        """What the address of a page says, so that the page is this brand's, whichever is the default one later."""
        return {} if self.is_only else {"brand": self.id}

    def said(self, language: str = "") -> str:
        """The same as it follows a path, with the language; neither needs any escaping."""
        query = {**({"lang": language} if language else {}), **self.query}
        return f"?{'&'.join(f'{name}={value}' for name, value in query.items())}" if query else ""


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """The form of one brand. `fields` as the policy has them, by id; `interests` by id too."""

    brand: Brand
    purpose: Purpose
    """What it asks for."""
    fields: Mapping[str, Mapping[str, Any]]
    interests: Mapping[str, Texts]


@dataclass(frozen=True, slots=True)
class Notice:
    """One published version of the privacy notice; `hashes` addresses its text by controller and language.

    A controller that it changed nothing for has no text of it, and keeps the version before.
    """

    version: str
    published_on: str
    hashes: Mapping[str, Mapping[str, str]]
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
        purpose = self.purpose(self.raw["form"]["purpose"])
        default = purpose.brand or next(
            row["id"] for row in self.raw["brands"] if row["controller"] == purpose.controller
        )
        is_only = len(self.raw["brands"]) == 1
        return {row["id"]: _brand(row, is_default=row["id"] == default, is_only=is_only) for row in self.raw["brands"]}

    @cached_property
    def forms(self) -> Mapping[str, SignUpForm]:
        """The sign-up forms by the brand that each speaks for; that of the default brand is the first."""
        forms = [_form(row, self) for row in (self.raw["form"], *self.raw.get("forms", ()))]
        return {form.brand.id: form for form in forms}

    @cached_property
    def notices(self) -> Mapping[str, Notice]:
        return {
            row["version"]: Notice(
                row["version"],
                row["published_on"],
                self._hashes(row["languages"]),
                row["change"],
                tuple((change["what"], change["purpose"]) for change in row["changes"]),
                row["summary"],
            )
            for row in self.raw["notices"]
        }

    def _hashes(self, languages: Mapping[str, str | Mapping[str, str]]) -> dict[str, dict[str, str]]:
        """By controller and language. With one controller the compiler names none."""
        found: dict[str, dict[str, str]] = {one: {} for one in self.controllers}
        for language, hashes in languages.items():
            by_controller = dict.fromkeys(found, hashes) if isinstance(hashes, str) else hashes
            for controller, text in by_controller.items():
                found.setdefault(controller, {})[language] = text
        return found

    @property
    def newest_notice(self) -> Notice:
        """The newest version, whichever controllers it changed something for."""
        return self.notices[self.raw["current_notice"]]

    @cached_property
    def _in_force(self) -> Mapping[str, Notice]:
        return {one: notice for notice in self.notices.values() for one, texts in notice.hashes.items() if texts}

    def notice_of(self, controller: str) -> Notice:
        """The version of a controller's notice that is in force."""
        return self._in_force[controller]

    def notices_of(self, controller: str) -> Mapping[str, Notice]:
        """The versions of a controller's notice, oldest first."""
        return {version: one for version, one in self.notices.items() if one.hashes.get(controller)}

    def notice_hash(self, version: str, language: str, controller: str) -> str:
        """The hash of a notice's text in the language, or in the default language where it was not published in it."""
        hashes = self.notices[version].hashes[controller]
        return hashes[language if language in hashes else self.default_language]

    def purpose(self, purpose_id: str) -> Purpose:
        """The purpose, retired ones included, or UnknownNameError."""
        try:
            return self.purposes[purpose_id]
        except KeyError:
            raise UnknownNameError("purpose") from None

    def purpose_of(self, controller: str, purpose_id: str) -> Purpose:
        """The purpose, if it is this controller's; UnknownNameError for another's as for one that does not exist."""
        purpose = self.purpose(purpose_id)
        if purpose.controller != controller:
            raise UnknownNameError("purpose")
        return purpose

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

    def is_source_of(self, source: str, purpose: Purpose) -> bool:
        """Whether data of the purpose come from there too: what a link to its form may name."""
        return source in self.purpose_row(purpose.id).get("sources", ())

    def forms_of(self, controller: str) -> list[SignUpForm]:
        """The sign-up forms of one controller's brands."""
        return [form for form in self.forms.values() if form.brand.controller == controller]

    def interests_of(self, controller: str) -> Mapping[str, Texts]:
        """The names of interests that any form of the controller offers, by id; the first form's where they differ."""
        return {one: name for form in reversed(self.forms_of(controller)) for one, name in form.interests.items()}

    @cached_property
    def default_brand(self) -> Brand:
        """Whose pages are those that name no brand: the one of the policy's `form`."""
        return next(brand for brand in self.brands.values() if brand.is_default)

    def brands_of(self, controller: str) -> list[Brand]:
        """The brands of one controller, in the policy's order."""
        return [brand for brand in self.brands.values() if brand.controller == controller]

    def brand_for(self, controller: str, wanted: str | None = None) -> Brand:
        """The brand in which a controller speaks: the one that is wanted if it is theirs, or else their first."""
        own = self.brands_of(controller)
        return next((brand for brand in own if brand.id == wanted), own[0])

    def brand_of(self, purpose: Purpose) -> Brand:
        """The brand a purpose speaks for; a purpose without one speaks for its controller's first brand."""
        return self.brand_for(purpose.controller, purpose.brand)

    @cached_property
    def controllers(self) -> tuple[str, ...]:
        """The ids of everybody who is responsible, in the policy's order."""
        return tuple(row["id"] for row in self.raw["controllers"])

    def controller_meant(self, named: str | None) -> str:
        """The controller of that id; where none is named, the only one.

        UnknownNameError for one that the policy lacks; InvalidFormError where it has several and none is named.
        """
        if named is None and len(self.controllers) > 1:
            raise InvalidFormError({"controller": "which"})
        if named is not None and named not in self.controllers:
            raise UnknownNameError("controller")
        return named or self.controllers[0]

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


def _form(row: Mapping[str, Any], policy: Policy) -> SignUpForm:
    purpose = policy.purpose(row["purpose"])
    return SignUpForm(
        policy.brand_of(purpose),
        purpose,
        {field["id"]: field for field in row["fields"]},
        {one["id"]: one["name"] for one in row["interests"]},
    )


def _brand(row: Mapping[str, Any], *, is_default: bool, is_only: bool) -> Brand:
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
        is_default=is_default,
        is_only=is_only,
    )


def _logo(row: Mapping[str, Any] | None) -> Logo | None:
    return Logo(row["url"], row["width"], row["height"]) if row else None
