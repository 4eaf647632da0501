"""What a recipient of data is asked to do about one person, and what it answers (Art. 19 GDPR)."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

from consent_center.domain.errors import InvalidFormError

_WAITS = (60, 300, 1_800, 7_200, 43_200)
"""Seconds to wait after the first tries that failed; then a day each."""

_MOST_TRIES = 12
"""After these, about a week has passed."""

LARGEST_FILES = 262_144
"""Bytes of all files that one recipient gives: as much as an answer to a webhook may have."""

_MOST_FILES = 100

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}(?:\.[A-Za-z0-9]{1,10})?", re.ASCII)


def takes_events(connector: Mapping[str, Any]) -> bool:
    """Whether the settings of a recipient's connector have it told of every change that concerns it."""
    return connector.get("kind") == "webhook" and connector.get("events") is True


class Verb(StrEnum):
    """What a connector may be able to do."""

    COLLECT = "collect"
    CORRECT = "correct"
    RESTRICT = "restrict"
    LIFT = "lift"
    """The restriction is over: what was restricted may be used again (Art. 18(3))."""
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

    def key(self, case: str) -> str:
        """By what the recipient knows a request again: the same for every try."""
        return f"{case}/{self.recipient}/{self.verb}"

    def is_due_at(self, now: int) -> bool:
        """Whether it is to be asked at `now` (epoch seconds)."""
        return self.state is TaskState.WAITING and self.next_at <= now

    def after_failure(self, case: str, code: str, now: int) -> "Task":
        """The task once a try failed at `now` (epoch seconds): it waits longer each time, and is given up in a week.

        Up to a fifth is added to each wait, by the task and the try, so that those who failed together spread out.
        """
        tries = self.tries + 1
        if tries > _MOST_TRIES:
            return replace(self, state=TaskState.FAILED, tries=tries, answer=code)
        wait = _WAITS[tries - 1] if tries <= len(_WAITS) else 86_400
        spread = sha256(f"{self.key(case)}/{tries}".encode()).digest()[0] / 255
        return replace(self, tries=tries, next_at=now + wait + int(wait * spread / 5), answer=code)


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
    former_addresses: tuple[str, ...] = ()
    """Where the person was before, since they asked: the recipient may know them by any of these. Personal data."""

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return f"Ask({self.recipient!r}, {self.verb!r})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What it said at once: DONE, NOTHING_HELD, ASKED (it answers later) or FAILED (it never will)."""

    state: TaskState
    code: str = ""
    collected: Mapping[str, Any] = field(default_factory=dict)
    """For `collect`: files by name, as `content_of` reads them; personal data."""
    was_sent: bool = True
    """Whether the request went out at all: it does not where settings, a secret or a safe address are missing."""

    def __repr__(self) -> str:
        """Hides what was collected."""
        return f"Answer({self.state!r}, {self.code!r})"


class GivenFile(NamedTuple):
    """A file that somebody collected by hand. Personal data."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        """Hides what was collected."""
        return f"GivenFile({len(self.content)} bytes)"


def is_file_name(name: str) -> bool:
    """Whether a file of this name is safe to unpack anywhere: it leads nowhere, and begins no formula."""
    return _FILE_NAME.fullmatch(name) is not None


def as_collected(files: Sequence[GivenFile]) -> dict[str, Any]:
    """Files as an answer has them: by name a text as it is, and anything else as `{"base64": …}`.

    InvalidFormError for a name that is not safe or comes twice, for a table in which nobody could look for formulas,
    and for more than 100 files or 262,144 bytes.
    """
    if len(files) > _MOST_FILES or sum(len(file.content) for file in files) > LARGEST_FILES:
        raise InvalidFormError({"files": "too_large"})
    if not all(is_file_name(file.name) for file in files):
        raise InvalidFormError({"files": "file_name"})
    # Some systems unpack A.txt over a.txt.
    if len({file.name.lower() for file in files}) < len(files):
        raise InvalidFormError({"files": "twice"})
    return {file.name: _collected(file) for file in files}


def content_of(collected: Any) -> str | bytes:
    """A file's content, as `as_collected` or a recipient's own answer wrote it down."""
    return base64.b64decode(collected["base64"]) if isinstance(collected, Mapping) else str(collected)


def _collected(file: GivenFile) -> Any:
    try:
        return file.content.decode()
    except UnicodeDecodeError:
        if file.name.lower().endswith(".csv"):
            raise InvalidFormError({"files": "not_utf8"}) from None
        return {"base64": base64.b64encode(file.content).decode()}
