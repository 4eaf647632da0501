"""Ports in memory. Each is held to the same contract as the adapter it stands for (tests/contract)."""

from fakes.memory import (
    CollectingMailer,
    CollectingOutbox,
    CountingChance,
    FixedSecrets,
    InMemoryClaims,
    InMemoryLedger,
    InMemorySubjects,
    SettableClock,
    no_pause,
)

__all__ = [
    "CollectingMailer",
    "CollectingOutbox",
    "CountingChance",
    "FixedSecrets",
    "InMemoryClaims",
    "InMemoryLedger",
    "InMemorySubjects",
    "SettableClock",
    "no_pause",
]
