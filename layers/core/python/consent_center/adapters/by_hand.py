"""Recipients without a system of ours to ask: what they are to do is a task for staff."""

from consent_center.domain.recipient import Answer, Ask, TaskState, Verb


class ByHand:
    """Staff ask, and settle the task (docs/api.md)."""

    verbs = frozenset(Verb)

    def ask(self, ask: Ask) -> Answer:  # noqa: ARG002 - staff read it from the case
        return Answer(TaskState.ASKED, "manual")


class AllByHand:
    def of(self, recipient: str) -> ByHand:  # noqa: ARG002 - all are alike
        return ByHand()
