"""No system at all: a person of ours does it by hand, and says so in the case."""

from collections.abc import Callable, Mapping

from consent_center.adapters.connectors.kind import Kind
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb


def _for_staff(_: Ask) -> Answer:
    return Answer(TaskState.ASKED, "manual")


class Manual(Kind):
    possible = frozenset(Verb)
    takes_all_addresses = True

    @property
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return dict.fromkeys(Verb, _for_staff)
