"""Mails that come in."""

from dataclasses import dataclass, field

from consent_center.ports.letters import StoredMail


@dataclass
class InMemoryMails:
    """Mails that arrived, by name; `for_staff` are those that were set aside, with the reason."""

    arrived: dict[str, StoredMail] = field(default_factory=dict)
    for_staff: dict[str, str] = field(default_factory=dict)
    fails_with: Exception | None = None

    def read(self, name: str, most: int) -> StoredMail | None:
        stored = self.arrived.get(name)
        return StoredMail(stored.beginning[:most], stored.arrived_at) if stored else None

    def remove(self, name: str) -> None:
        if self.fails_with is not None:
            raise self.fails_with
        self.arrived.pop(name, None)

    def set_aside(self, name: str, reason: str) -> None:
        if self.arrived.pop(name, None) is not None:
            self.for_staff[name] = reason
