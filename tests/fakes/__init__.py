"""Ports in memory. Each is held to the same contract as the adapter it stands for (tests/contract)."""

from fakes.announcements import CollectingAnnouncementOrders, CollectingAnnouncements, ScriptedRecipients
from fakes.basics import CountingChance, FixedSecrets, InMemoryLimits, PlainKeys, SettableClock, no_pause, real_clock
from fakes.counts import InMemoryStatistics
from fakes.files import CollectingAudienceOrders, InMemoryAudiences, InMemoryImports
from fakes.ledger import HashingSigner, InMemoryDayIndex, InMemoryLedger, InMemorySeals
from fakes.letters import CollectingDeadLetters, CollectingMailer, CollectingOutbox, CollectingTellings, InMemoryClaims
from fakes.listing import InMemoryListing
from fakes.mails import InMemoryMails
from fakes.moves import InMemoryAddressMoves, InMemoryMoves
from fakes.restore import InMemoryRestoredRecords
from fakes.retention import CollectingRemovals, CollectingReviews, InMemoryRetention
from fakes.subjects import InMemorySubjects

__all__ = [
    "CollectingAnnouncementOrders",
    "CollectingAnnouncements",
    "CollectingAudienceOrders",
    "CollectingDeadLetters",
    "CollectingMailer",
    "CollectingOutbox",
    "CollectingRemovals",
    "CollectingReviews",
    "CollectingTellings",
    "CountingChance",
    "FixedSecrets",
    "HashingSigner",
    "InMemoryAddressMoves",
    "InMemoryAudiences",
    "InMemoryClaims",
    "InMemoryDayIndex",
    "InMemoryImports",
    "InMemoryLedger",
    "InMemoryLimits",
    "InMemoryListing",
    "InMemoryMails",
    "InMemoryMoves",
    "InMemoryRestoredRecords",
    "InMemoryRetention",
    "InMemorySeals",
    "InMemoryStatistics",
    "InMemorySubjects",
    "PlainKeys",
    "ScriptedRecipients",
    "SettableClock",
    "no_pause",
    "real_clock",
]
