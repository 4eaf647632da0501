"""Letters that go out: their orders, who sends them, what was sent, and what it leaves to be noted."""

from dataclasses import dataclass, field

from consent_center.adapters.dynamodb.claims import HELD_SECONDS
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import UnavailableError
from consent_center.domain.told import Telling
from consent_center.ports.letters import Envelope, LetterOrder


@dataclass
class CollectingOutbox:
    orders: list[LetterOrder] = field(default_factory=list)
    refuses: bool = False

    def order(self, order: LetterOrder) -> None:
        if self.refuses:
            raise UnavailableError("order letter: refused")
        self.orders.append(order)


@dataclass
class InMemoryClaims:
    held: dict[str, int] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)

    def take(self, name: str, now: int, until: int = 0) -> bool:
        if name in self.sent:
            return False
        if self.held.get(name, 0) > now:
            raise UnavailableError("somebody else is sending this letter")
        self.held[name] = now + HELD_SECONDS
        return True

    def finish(self, name: str, now: int) -> None:
        self.sent.add(name)

    def was_taken(self, name: str) -> bool:
        return name in self.held

    def was_sent(self, name: str) -> bool:
        return name in self.sent


@dataclass
class CollectingMailer:
    letters: list[Envelope] = field(default_factory=list)
    fails_with: Exception | None = None

    def send(self, envelope: Envelope) -> None:
        if self.fails_with is not None:
            raise self.fails_with
        self.letters.append(envelope)


@dataclass
class CollectingDeadLetters:
    orders: list[tuple[str, str]] = field(default_factory=list)

    def set_aside(self, order: str, reason: str) -> None:
        self.orders.append((order, reason))


@dataclass
class CollectingTellings:
    """Letters that were handed over: those to be entered now, and those to be entered later."""

    noted: list[tuple[ContactPoint, Telling]] = field(default_factory=list)
    put_back: list[tuple[ContactPoint, Telling]] = field(default_factory=list)
    refuses: bool = False

    def note(self, contact: ContactPoint, telling: Telling) -> None:
        if self.refuses:
            raise UnavailableError("note telling: refused")
        self.noted.append((contact, telling))

    def put_off(self, contact: ContactPoint, telling: Telling) -> None:
        self.put_back.append((contact, telling))
