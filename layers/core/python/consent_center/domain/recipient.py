"""What a recipient of data is asked to do about one person, and what it answers (Art. 19 GDPR)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verb(StrEnum):
    """What a connector may be able to do."""

    COLLECT = "collect"
    CORRECT = "correct"
    RESTRICT = "restrict"
    STOP = "stop"
    ERASE = "erase"


class TaskState(StrEnum):
    WAITING = "waiting"
    """To be asked, for the first time or again, at `next_at`."""
    ASKED = "asked"
    """It was told and will answer later (call-back), or staff are to do it by hand."""
    DONE = "done"
    NOTHING_HELD = "nothing_held"
    """It does not know such a person: as good as done."""
    IMPOSSIBLE = "impossible"
    """Impossible or disproportionate, with a reason (Art. 19)."""
    FAILED = "failed"
    """Given up until somebody has it tried again."""

    @property
    def is_settled(self) -> bool:
        return self in {TaskState.DONE, TaskState.NOTHING_HELD, TaskState.IMPOSSIBLE}


@dataclass(frozen=True, slots=True)
class Task:
    """What one recipient is to do in one case. `version` as of a Case. Keyed by case and recipient."""

    recipient: str
    verb: Verb
    state: TaskState = TaskState.WAITING
    tries: int = 0
    next_at: int = 0
    """When it is tried (again), in epoch seconds."""
    told_at: int = 0
    """When it took the request, in epoch milliseconds."""
    answered_at: int = 0
    """Epoch milliseconds."""
    answer: str = ""
    """A code: what it said, or why the last try failed."""
    reason: str = ""
    """Why it is impossible or disproportionate, as staff wrote it."""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to one recipient. Sent again it has the same `key`, by which the recipient knows it."""

    case: str
    recipient: str
    verb: Verb
    key: str
    address: str
    """Personal data: never logged."""
    answer_by: str
    """ISO day."""
    corrections: Mapping[str, str] = field(default_factory=dict)
    """For `correct`: new values by field, such as `address`."""

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return f"Ask({self.recipient!r}, {self.verb!r})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What it said at once: DONE, NOTHING_HELD, ASKED (it answers later) or FAILED (it never will)."""

    state: TaskState
    code: str = ""
    collected: Mapping[str, Any] = field(default_factory=dict)
    """For `collect`: file names with their content as text; personal data."""

    def __repr__(self) -> str:
        """Hides what was collected."""
        return f"Answer({self.state!r}, {self.code!r})"
