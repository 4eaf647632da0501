"""What recipients are told of changes, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from consent_center.domain.errors import UnavailableError


@dataclass
class CollectingAnnouncements:
    told: list[Mapping[str, Any]] = field(default_factory=list)
    refuses: bool = False

    def publish(self, announcements: Sequence[Mapping[str, Any]]) -> None:
        if self.refuses:
            raise UnavailableError("announce")
        self.told += announcements


@dataclass
class CollectingAnnouncementOrders:
    ordered: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    put_offs: list[tuple[str, int]] = field(default_factory=list)
    refuses: bool = False

    def order(self, orders: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        if self.refuses:
            raise UnavailableError("order announcement")
        self.ordered += orders

    def put_off(self, receipt: str, seconds: int) -> None:
        if self.refuses:
            raise UnavailableError("put off announcement")
        self.put_offs.append((receipt, seconds))


@dataclass
class ScriptedRecipients:
    """Say what they were told to, one answer after the other; the last is repeated for ever."""

    script: list[bool | Exception] = field(default_factory=lambda: [True])
    told: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """What was taken."""

    def tell(self, recipient: str, announcement: Mapping[str, Any]) -> bool:
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        if said:
            self.told.append((recipient, announcement))
        return said
