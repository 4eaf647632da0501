"""Ports in memory. Each is held to the same contract as the adapter it stands for (tests/contract)."""

from fakes.memory import (
    CollectingDeadLetters,
    CollectingMailer,
    CollectingOutbox,
    CountingChance,
    FixedSecrets,
    InMemoryClaims,
    InMemoryImports,
    InMemoryLedger,
    InMemoryLimits,
    InMemorySubjects,
    SettableClock,
    no_pause,
    real_clock,
)

__all__ = [
    "CollectingDeadLetters",
    "CollectingMailer",
    "CollectingOutbox",
    "CountingChance",
    "FixedSecrets",
    "InMemoryClaims",
    "InMemoryImports",
    "InMemoryLedger",
    "InMemoryLimits",
    "InMemorySubjects",
    "SettableClock",
    "no_pause",
    "real_clock",
]
