"""Announcements as events of Amazon EventBridge."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.errors import UnavailableError

SOURCE = "consent-center"
DETAIL_TYPE = "Preferences Changed"

_AT_ONCE = 10
"""As many events as one call takes."""


class EventBus:
    def __init__(self, wire: Wire, bus: str) -> None:
        self._wire, self._bus = wire, bus

    def publish(self, announcements: Sequence[Mapping[str, Any]]) -> None:
        entries = [
            {
                "Source": SOURCE,
                "DetailType": DETAIL_TYPE,
                "EventBusName": self._bus,
                "Detail": json.dumps(one, ensure_ascii=False, separators=(",", ":")),
            }
            for one in announcements
        ]
        calls = [{"Entries": entries[start : start + _AT_ONCE]} for start in range(0, len(entries), _AT_ONCE)]
        for answer in self._wire.call_all("PutEvents", calls):
            if isinstance(answer, CallFailedError):
                raise UnavailableError(f"announce: {answer.code}")
            if answer.get("FailedEntryCount"):
                raise UnavailableError("announce: some were not taken")
