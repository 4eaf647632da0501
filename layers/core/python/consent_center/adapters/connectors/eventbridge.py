"""A recipient that listens to an event bus. An event is heard by many or by nobody, so it answers by a call-back."""

import json
from collections.abc import Callable, Iterable, Mapping

from consent_center.adapters.connectors.kind import DONE, Kind
from consent_center.adapters.connectors.webhook import told
from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb
from consent_center.ports.basics import Clock

SOURCE = "consent-center"
DETAIL_TYPE = "Rights Request"


class EventBridge(Kind):
    possible = frozenset({Verb.CORRECT, Verb.RESTRICT, Verb.LIFT, Verb.STOP, Verb.ERASE})
    """An event has no way back for data."""
    takes_all_addresses = True

    def __init__(
        self, verbs: Iterable[Verb], *, wire: Wire, bus: str, clock: Clock, answer_to: str | None, answers: bool = True
    ) -> None:
        """With `answers` false nobody calls back: having told the bus is all that can be known."""
        super().__init__(verbs)
        self._wire, self._bus, self._clock, self._answer_to, self._answers = wire, bus, clock, answer_to, answers

    @property
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return dict.fromkeys(self.possible, self._put)

    def _put(self, ask: Ask) -> Answer:
        detail = told(ask, self._clock(), self._answer_to if self._answers else None)
        entry = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "EventBusName": self._bus,
            "Detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
        }
        answer = self._wire.call("PutEvents", {"Entries": [entry]})
        if answer.get("FailedEntryCount"):
            (taken, *_) = answer.get("Entries") or [{}]
            raise CallFailedError(str(taken.get("ErrorCode") or "NotTaken"))
        return Answer(TaskState.ASKED, "told") if self._answers else DONE
