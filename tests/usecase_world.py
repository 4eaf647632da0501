"""A small world of fakes, and a person moving through it."""

import re
from dataclasses import dataclass, field
from typing import Any

from builders import PEOPLE, PURPOSE, a_policy
from consent_center.adapters.addresses import parse_address
from consent_center.domain.capability import Capability, FormShown
from consent_center.domain.chain import Entry, verify
from consent_center.domain.contact import ContactPoint, contact_point
from consent_center.domain.policy import Policy
from consent_center.domain.wishes import Wish
from consent_center.ports.basics import Pause
from consent_center.ports.evidence import Ledger
from consent_center.usecases import confirm as confirming
from consent_center.usecases import lost_link, preferences, waiting
from consent_center.usecases import move_address as moving
from consent_center.usecases.address_letters import deliver_address_request
from consent_center.usecases.check import Answer, Question, check_permissions
from consent_center.usecases.letters import Delivery, deliver_confirmation, deliver_preferences_link
from consent_center.usecases.sign_up import MostSignUps, SignUp, request_subscription
from consent_center.usecases.withdraw import Coverage, Withdrawal, block_letters, withdraw
from fakes import (
    CollectingMailer,
    CollectingOutbox,
    CountingChance,
    FixedSecrets,
    InMemoryAddressMoves,
    InMemoryClaims,
    InMemoryLedger,
    InMemoryLimits,
    InMemorySubjects,
    SettableClock,
    no_pause,
)

BASE_URL = "https://consent.example.com"


@dataclass(frozen=True)
class PlainLetter:
    subject: str
    text: str
    html: str


class PlainTexts:
    """Letters that say nothing but their links and their code."""

    def letter(self, name: str, language: str, **context: Any) -> PlainLetter:
        links = "\n".join(f"{key} {value}" for key, value in context.items() if key.endswith("_url") or key == "code")
        return PlainLetter(f"{name} {language}", links, links)


@dataclass
class World:
    policy: Policy = field(default_factory=a_policy)
    subjects: Any = field(default_factory=InMemorySubjects)
    """In memory, or any other implementation of the port."""
    ledger: Ledger | None = None
    address_moves: Any = None
    """By default of the same kind of store as `subjects` in memory."""
    network: str | None = "192.0.2.0/24"
    secrets: FixedSecrets = field(default_factory=FixedSecrets)
    outbox: CollectingOutbox = field(default_factory=CollectingOutbox)
    mailer: CollectingMailer = field(default_factory=CollectingMailer)
    claims: InMemoryClaims = field(default_factory=InMemoryClaims)
    limits: Any = field(default_factory=InMemoryLimits)
    most: MostSignUps = field(default_factory=lambda: MostSignUps(per_address=5, per_source=100))
    chance: CountingChance = field(default_factory=CountingChance)
    clock: SettableClock = field(default_factory=SettableClock)
    pause: Pause = no_pause

    def __post_init__(self) -> None:
        if self.address_moves is None:
            self.address_moves = InMemoryAddressMoves(self.subjects)

    def contact(self, email: str = PEOPLE[0]) -> ContactPoint:
        return contact_point(
            parse_address(email), controller="fjordmeter", channel="email", peppers=self.secrets.peppers()
        )

    def sign_up(self, *topics: str, email: str = PEOPLE[0], brand: str = "fjordmeter", **other: Any) -> str:
        """Answers the token of the page that waits for the code."""
        return request_subscription(
            SignUp(email, topics or ("product-news", "events"), **other),
            self.policy.forms[brand],
            FormShown(self.clock(), "2026-11-01", "en"),
            network=self.network,
            most=self.most,
            limits=self.limits,
            policy=self.policy,
            addresses=parse_address,
            subjects=self.subjects,
            outbox=self.outbox,
            secrets=self.secrets,
            chance=self.chance,
            clock=self.clock,
        )

    def deliver(self) -> Delivery:
        return deliver_confirmation(
            self.outbox.orders[-1],
            base_url=BASE_URL,
            site=lambda _brand, _language: {},
            policy=self.policy,
            subjects=self.subjects,
            claims=self.claims,
            limits=self.limits,
            mailer=self.mailer,
            texts=PlainTexts(),
            secrets=self.secrets,
            clock=self.clock,
        )

    def letter_token(self, link: str) -> str:
        """The token behind `confirm_url`, `not_me_url` or `stop_url` of the newest letter."""
        found = re.search(rf"{link} {BASE_URL}/[a-z-]+/([^\s?]+)", self.mailer.letters[-1].text)
        assert found
        return found[1]

    def asked(self, *topics: str, email: str = PEOPLE[0], **other: Any) -> str:
        """Sign up, get the letter, and take the confirm token out of it."""
        self.sign_up(*topics, email=email, **other)
        assert self.deliver() is Delivery.SENT
        return self.letter_token("confirm_url")

    def letter_code(self) -> str:
        """The six digits of the newest letter, as they stand in it."""
        found = re.search(r"^code (\d{3} \d{3})$", self.mailer.letters[-1].text, re.MULTILINE)
        assert found
        return found[1]

    def enter(self, token: str, typed: str) -> str:
        return waiting.enter_code(
            token,
            typed,
            network=self.network,
            most_per_source=self.most.per_source,
            limits=self.limits,
            claims=self.claims,
            secrets=self.secrets,
            clock=self.clock,
        )

    def look(self, token: str) -> confirming.Confirmation:
        return confirming.look_at_request(
            token, policy=self.policy, subjects=self.subjects, secrets=self.secrets, clock=self.clock
        )

    def confirm(self, token: str, shown: str | None = None) -> tuple[confirming.Confirmation, bool]:
        return confirming.confirm(
            token,
            self.look(token).wording.hash if shown is None else shown,
            policy=self.policy,
            subjects=self.subjects,
            secrets=self.secrets,
            chance=self.chance,
            clock=self.clock,
            pause=self.pause,
        )

    def not_me(self, token: str) -> tuple[Coverage, bool]:
        block_letters(token, policy=self.policy, limits=self.limits, secrets=self.secrets, clock=self.clock)
        return self.withdraw(token, "not-me", Capability.NOT_ME)

    def withdraw(
        self, token: str, route: str = "one-click", capability: Capability = Capability.WITHDRAW
    ) -> tuple[Coverage, bool]:
        found = self.withdrawal(token, route, capability)
        return found.coverage, found.is_new

    def withdrawal(
        self, token: str, route: str = "page", capability: Capability = Capability.WITHDRAW, **other: Any
    ) -> Withdrawal:
        return withdraw(
            token,
            **other,
            route=route,
            capability=capability,
            policy=self.policy,
            subjects=self.subjects,
            secrets=self.secrets,
            chance=self.chance,
            clock=self.clock,
            pause=self.pause,
        )

    def ask_for_link(self, email: str = PEOPLE[0]) -> None:
        brand = self.policy.default_brand
        contact = lost_link.contact_of_address(
            email, brand, addresses=parse_address, subjects=self.subjects, secrets=self.secrets
        )
        lost_link.ask_for_link(
            contact,
            brand,
            network=self.network,
            most=self.most,
            limits=self.limits,
            outbox=self.outbox,
            secrets=self.secrets,
            chance=self.chance,
            clock=self.clock,
        )

    def deliver_link(self) -> Delivery:
        return deliver_preferences_link(
            self.outbox.orders[-1],
            base_url=BASE_URL,
            site=lambda _brand, _language: {},
            policy=self.policy,
            subjects=self.subjects,
            claims=self.claims,
            mailer=self.mailer,
            texts=PlainTexts(),
            secrets=self.secrets,
            clock=self.clock,
        )

    def manage_token(self, email: str = PEOPLE[0]) -> str:
        """Ask for the link, and take it out of the letter."""
        self.ask_for_link(email)
        assert self.deliver_link() is Delivery.SENT
        return self.letter_token("preferences_url")

    def ask_to_move(self, token: str, to: str) -> None:
        moving.ask_to_move(
            token,
            to,
            network=self.network,
            most=self.most,
            limits=self.limits,
            policy=self.policy,
            addresses=parse_address,
            subjects=self.subjects,
            moves=self.address_moves,
            outbox=self.outbox,
            secrets=self.secrets,
            chance=self.chance,
            clock=self.clock,
        )

    def deliver_address_request(self) -> Delivery:
        return deliver_address_request(
            self.outbox.orders[-1],
            base_url=BASE_URL,
            site=lambda _brand, _language: {},
            policy=self.policy,
            moves=self.address_moves,
            claims=self.claims,
            limits=self.limits,
            mailer=self.mailer,
            texts=PlainTexts(),
            secrets=self.secrets,
            clock=self.clock,
        )

    def asked_to_move(self, to: str, email: str = PEOPLE[0]) -> str:
        """Ask for it on the page, get the letter at the new address, and take the token out of it."""
        self.ask_to_move(self.manage_token(email), to)
        assert self.deliver_address_request() is Delivery.SENT
        return self.letter_token("address_url")

    def look_at_change(self, token: str) -> moving.AddressChange:
        return moving.look_at_change(
            token,
            policy=self.policy,
            subjects=self.subjects,
            moves=self.address_moves,
            secrets=self.secrets,
            clock=self.clock,
        )

    def confirm_change(self, token: str) -> tuple[moving.AddressChange, bool]:
        return moving.confirm_change(token, moves=self.address_moves, **self.deciding)

    def move(self, to: str, email: str = PEOPLE[0]) -> None:
        """The whole change of address, ten seconds after whatever was before and ten before whatever follows."""
        self.clock.move(seconds=10)
        assert self.confirm_change(self.asked_to_move(to, email))[1]
        self.clock.move(seconds=10)

    def page(self, token: str, done: str | None = "") -> preferences.PreferencePage:
        return preferences.look_at_preferences(
            token,
            done or "",
            policy=self.policy,
            subjects=self.subjects,
            secrets=self.secrets,
            clock=self.clock,
        )

    def wish(self, token: str, wish: Wish, did: str = "done", about: str = "") -> str | None:
        return preferences.change_preferences(token, wish, did, about, **self.deciding)

    def undo(self, token: str, done: str | None) -> str:
        return preferences.undo_change(token, done or "", **self.deciding)

    @property
    def deciding(self) -> dict[str, Any]:
        return {
            "policy": self.policy,
            "subjects": self.subjects,
            "secrets": self.secrets,
            "chance": self.chance,
            "clock": self.clock,
            "pause": self.pause,
        }

    def start_by_letter(self, token: str, topic: str | None, purpose: str = PURPOSE) -> str:
        return preferences.ask_to_start(
            token,
            purpose,
            topic,
            most_per_address=self.most.per_address,
            policy=self.policy,
            subjects=self.subjects,
            outbox=self.outbox,
            limits=self.limits,
            secrets=self.secrets,
            chance=self.chance,
            clock=self.clock,
        )

    def check(self, *recipients: str, topic: str | None = None, **other: Any) -> list[Answer]:
        return check_permissions(
            Question(PURPOSE, "email", topic, recipients or (PEOPLE[0],), **other),
            base_url=BASE_URL,
            policy=self.policy,
            subjects=self.subjects,
            addresses=parse_address,
            secrets=self.secrets,
            clock=self.clock,
        )

    def reason(self, topic: str | None = None, email: str = PEOPLE[0]) -> str:
        return self.check(email, topic=topic)[0].permission.reason.value

    def stop_token(self, topic: str | None = None, email: str = PEOPLE[0]) -> str:
        headers = self.check(email, topic=topic)[0].headers
        assert headers
        return headers["List-Unsubscribe"].rsplit("/", 1)[1].rstrip(">")

    def events(self, email: str = PEOPLE[0]) -> list[Entry]:
        """The person's ledger entries, once the chain has been verified."""
        subject = self.subjects.load(self.contact(email)).subject
        if subject.chain is None:
            return []
        entries = (self.ledger or InMemoryLedger(self.subjects)).entries(subject.chain)
        assert verify(subject.chain, entries, self.subjects.payloads(subject.chain), subject.head) == []
        return entries

    def kinds(self, email: str = PEOPLE[0]) -> list[str]:
        return [entry.kind for entry in self.events(email)]
