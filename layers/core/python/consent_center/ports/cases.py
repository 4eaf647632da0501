"""Rights requests: their files and particulars, recipients of data, and the packages that are made for people."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from consent_center.domain.case import Case, LogLine
from consent_center.domain.contact import ContactPoint
from consent_center.domain.recipient import Answer, Ask, Task, Verb


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All that is stored of a case but its particulars: its log is in the order of time."""

    case: Case
    tasks: Sequence[Task] = ()
    log: Sequence[LogLine] = ()


class Due(NamedTuple):
    """A case that somebody has to look at from the epoch second `due_at` on."""

    case: str
    due_at: int


class OpenCase(NamedTuple):
    """A case in the list of those that are open; `case` is None where what is stored cannot be read."""

    answer_by: str
    id: str
    case: Case | None


class Cases(Protocol):
    """Cases with their logs and tasks. What has expired is not there, however late it is removed."""

    shards: int

    def add(
        self,
        case: Case,
        log: LogLine,
        *,
        elsewhere: Sequence[ContactPoint] = (),
        others: Collection[str] = (),
    ) -> None:
        """Store a new case, whose particulars are kept already, and from now on without an end of their own.

        OpenCaseError if the same contact point, or one of `elsewhere`, has an open case of the same right that is none
        of `others`: these are somebody else's. UnavailableError.
        """

    def load(self, case: str) -> CaseFile | None:
        """The newest state of a case with its tasks and log, strongly consistent; None for none.

        UnreadableCaseError where what is stored cannot be read; UnavailableError.
        """

    def commit(self, case: Case, log: Sequence[LogLine], tasks: Sequence[Task] = ()) -> Case:
        """Store the case with log lines and changed tasks, all or none; the case with its new version.

        A closed case no longer stands in the way of another of the same right. With `expires_at` all that is stored
        of it ends then. StaleCaseError if the case, or one of the tasks, is no longer at its version. UnavailableError.
        """

    def of(self, contacts: Sequence[ContactPoint]) -> list[Case]:
        """Every case of these contact points, open or closed, the newest first. UnavailableError."""

    def due(self, shard: int, until: int) -> Iterator[Due]:
        """Open cases of a shard (from 0) that are due until an epoch second, earliest first, as a stream."""

    def hold_back(self, due: Due, until: int) -> None:
        """Leave a case that was ordered out of `due` until an epoch second, or until it is changed.

        Nothing happens if it was changed already. UnavailableError.
        """

    def put_off(self, case: str, until: int) -> bool:
        """Leave a case that cannot be read out of `due` until an epoch second; True the first time.

        UnavailableError.
        """

    def open_cases(self, shard: int, after: tuple[str, str] = ("", ""), most: int | None = None) -> Iterator[OpenCase]:
        """The open cases of a shard by the day to answer by and then by id, as a stream, for staff.

        From what comes `after` a day and an id on; `most` is how many somebody means to read. UnavailableError on the
        way.
        """


class Particulars(Protocol):
    """What a case knows about a person: sealed with a key of its own, which no backup holds."""

    def keep(self, case: str, particulars: Mapping[str, Any], until: int = 0) -> None:
        """Keep, in place of what was kept before: `address`, `details`, `new_address`, …

        Until an epoch second, unless the case is stored by then (`Cases.add`); 0 for without such an end.

        ParticularsTooLargeError for more than 200,000 bytes as JSON: then nothing was changed. UnavailableError.
        """

    def read(self, case: str) -> Mapping[str, Any] | None:
        """What is kept; None once it was shredded, or for a case that has none. UnavailableError."""

    def shred(self, case: str) -> None:
        """Destroy the key, so that nobody can ever read it again. Harmless to repeat. UnavailableError."""


class CaseOrders(Protocol):
    def order(self, case: str, due_at: int) -> None:
        """Have a case looked at, soon. Ordering it twice is harmless. UnavailableError."""


class Days(Protocol):
    """Reads a case's deadlines off a calendar."""

    def of(self, case: Case) -> tuple[str, str]:
        """The last day to answer and the same by the stricter reading, with the case's pause and extension (ISO)."""

    def may_extend(self, case: Case, now: int) -> bool:
        """Whether the person can still be told in time that it takes longer (Art. 12(3)); epoch milliseconds."""

    def may_pause(self, case: Case, now: int) -> bool:
        """Whether a question asked at `now` (epoch milliseconds) stops the period."""

    def warns_at(self, case: Case, days: int) -> int:
        """The epoch second at which so many days are left, by the earlier of both readings."""

    def ends_at(self, case: Case) -> int:
        """The epoch second at which the last day to answer is over."""


class Connector(Protocol):
    """One recipient's system."""

    verbs: frozenset[Verb]

    def ask(self, ask: Ask) -> Answer:
        """Tell it what to do; UnavailableError if it may answer another time. Asking twice has one effect there."""


class Connectors(Protocol):
    def of(self, recipient: str) -> Connector:
        """The connector of a recipient of the policy. One without any is a task for staff."""


class RecipientSecrets(Protocol):
    """What recipients and we sign messages with."""

    def keys(self, name: str) -> tuple[bytes, ...]:
        """The keys of a name, the newest first; none for a name that is not there. UnavailableError."""


class StoredPackage(NamedTuple):
    """A file that was made for a person: size in bytes, SHA-256 in hexadecimal, gone at an epoch second."""

    name: str
    size: int
    sha256: str
    expires_at: int


class Exports(Protocol):
    """Files made for one person. They leave by themselves."""

    def write(self, case: str, name: str, content: Iterable[bytes], now: int) -> StoredPackage:
        """Keep a file, as a stream, in place of one of the same name; `now` in epoch seconds. UnavailableError."""

    def link(self, case: str, name: str, seconds: int, now: int) -> str | None:
        """An address that fetches the file for so many seconds; None if it is gone. UnavailableError."""

    def remove(self, case: str) -> None:
        """Remove all files of a case. Harmless to repeat. UnavailableError."""
