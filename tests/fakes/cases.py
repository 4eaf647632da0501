"""The ports of rights requests in memory."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from consent_center.domain.case import Case, LogLine, Right
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import (
    OpenCaseError,
    ParticularsTooLargeError,
    StaleCaseError,
    UnavailableError,
    UnreadableCaseError,
)
from consent_center.domain.recipient import Answer, Ask, Task, TaskState, Verb
from consent_center.ports.basics import Clock
from consent_center.ports.cases import CaseFile, Due, OpenCase, StoredPackage

SHARDS = 4


@dataclass
class InMemoryCases:
    """Keeps versions and conditions as DynamoDB does."""

    files: dict[str, CaseFile] = field(default_factory=dict)
    shards: int = SHARDS
    calls: list[str] = field(default_factory=list)
    held_back: dict[str, tuple[int, int]] = field(default_factory=dict)
    clock: Clock | None = None
    """By which files expire; without one they stay."""
    unreadable: set[str] = field(default_factory=set)
    put_off_before: set[str] = field(default_factory=set)
    listed: int = 0
    """How many open cases were read for a list."""

    def add(
        self,
        case: Case,
        log: LogLine,
        *,
        elsewhere: Sequence[ContactPoint] = (),
        others: Collection[str] = (),
    ) -> None:
        self.calls.append("add")
        for place in (case.contact, *elsewhere):
            for other in self._of(place):
                if other.right is case.right and not other.state.is_closed and other.id not in others:
                    raise OpenCaseError(other.id)
        if case.id in self.files:
            raise StaleCaseError
        self.files[case.id] = CaseFile(replace(case, version=1), (), (log,))

    def load(self, case: str) -> CaseFile | None:
        self.calls.append("load")
        file = self.files.get(case)
        if case in self.unreadable:
            raise UnreadableCaseError("a stored case cannot be read")
        return None if file is None or self._is_gone(file.case) else file

    def commit(self, case: Case, log: Sequence[LogLine], tasks: Sequence[Task] = ()) -> Case:
        self.calls.append("commit")
        held = self.files.get(case.id)
        if held is None or held.case.version != case.version:
            raise StaleCaseError
        by_name = {task.recipient: task for task in held.tasks}
        for task in tasks:
            known = by_name.get(task.recipient)
            if (known.version if known else 0) != task.version:
                raise StaleCaseError
            by_name[task.recipient] = replace(task, version=task.version + 1)
        stored = replace(case, version=case.version + 1)
        lines = sorted([*held.log, *log], key=lambda line: line.at)
        self.files[case.id] = CaseFile(stored, tuple(by_name[name] for name in sorted(by_name)), tuple(lines))
        return stored

    def of(self, contacts: Sequence[ContactPoint]) -> list[Case]:
        found = [case for contact in contacts for case in self._of(contact) if not self._is_gone(case)]
        return sorted(found, key=lambda case: case.received_at, reverse=True)

    def due(self, shard: int, until: int) -> Iterator[Due]:
        dues = [Due(case.id, self._due_at(case)) for case in self._in(shard) if 0 < self._due_at(case) <= until]
        yield from sorted(dues, key=lambda due: due.due_at)

    def hold_back(self, due: Due, until: int) -> None:
        case = self.files[due.case].case
        if due.due_at and self._due_at(case) == due.due_at:
            self.held_back[due.case] = (case.version, until)

    def _due_at(self, case: Case) -> int:
        version, until = self.held_back.get(case.id, (0, 0))
        return until if version == case.version else case.due_at

    def put_off(self, case: str, until: int) -> bool:
        held = self.files[case].case
        is_first = case not in self.put_off_before
        self.put_off_before.add(case)
        self.held_back[case] = (held.version, until)
        return is_first

    def open_cases(self, shard: int, after: tuple[str, str] = ("", ""), most: int | None = None) -> Iterator[OpenCase]:
        for case in sorted(self._in(shard), key=lambda case: (case.answer_by, case.id)):
            if not case.state.is_closed and (case.answer_by, case.id) > after:
                self.listed += 1
                yield OpenCase(case.answer_by, case.id, None if case.id in self.unreadable else case)

    def _is_gone(self, case: Case) -> bool:
        return self.clock is not None and 0 < case.expires_at * 1000 <= self.clock()

    def _of(self, contact: ContactPoint) -> list[Case]:
        return [file.case for file in self.files.values() if file.case.contact == contact]

    def _in(self, shard: int) -> list[Case]:
        return [file.case for file in self.files.values() if sum(file.case.id.encode()) % SHARDS == shard]

    def open_of(self, contact: ContactPoint, right: Right) -> Case | None:
        """For tests: the one open case of a right."""
        return next((c for c in self._of(contact) if c.right is right and not c.state.is_closed), None)


@dataclass
class InMemoryParticulars:
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    shredded: set[str] = field(default_factory=set)
    ends: dict[str, int] = field(default_factory=dict)

    def keep(self, case: str, particulars: Mapping[str, Any], until: int = 0) -> None:
        if len(json.dumps(dict(particulars), ensure_ascii=False, separators=(",", ":")).encode()) > 200_000:
            raise ParticularsTooLargeError
        self.kept[case] = dict(particulars)
        self.shredded.discard(case)
        self.ends[case] = until

    def read(self, case: str) -> Mapping[str, Any] | None:
        return self.kept.get(case)

    def shred(self, case: str) -> None:
        self.kept.pop(case, None)
        self.shredded.add(case)


@dataclass
class ListOfCaseOrders:
    orders: list[tuple[str, int]] = field(default_factory=list)

    def order(self, case: str, due_at: int) -> None:
        self.orders.append((case, due_at))


@dataclass
class ScriptedConnector:
    """Answers as it was told to, and keeps what it was asked; the last answer is repeated for ever."""

    verbs: frozenset[Verb] = frozenset(Verb)
    script: list[Answer | Exception] = field(default_factory=lambda: [Answer(TaskState.DONE)])
    asked: list[Ask] = field(default_factory=list)

    def ask(self, ask: Ask) -> Answer:
        if ask.verb not in self.verbs:
            return Answer(TaskState.FAILED, "not_offered", was_sent=False)
        self.asked.append(ask)
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        return said

    @property
    def effects(self) -> set[str]:
        """The keys that it acted on: the same one twice is one effect."""
        return {ask.key for ask in self.asked}


@dataclass
class ConnectorsByName:
    by_name: dict[str, ScriptedConnector] = field(default_factory=dict)

    def of(self, recipient: str) -> ScriptedConnector:
        """Staff do by hand what no system does."""
        return self.by_name.get(recipient) or ScriptedConnector(script=[Answer(TaskState.ASKED, "manual")])


@dataclass
class FixedRecipientSecrets:
    by_name: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    is_away: bool = False

    def keys(self, name: str) -> tuple[bytes, ...]:
        if self.is_away:
            raise UnavailableError("secret of recipients: away")
        return self.by_name.get(name, ())


@dataclass
class InMemoryExports:
    kept: dict[tuple[str, str], tuple[bytes, int]] = field(default_factory=dict)
    kept_seconds: int = 7 * 86400
    is_full: bool = False

    def write(self, case: str, name: str, content: Iterable[bytes], now: int) -> StoredPackage:
        if self.is_full:
            raise UnavailableError("write export")
        data = b"".join(content)
        self.kept[case, name] = (data, now + self.kept_seconds)
        return StoredPackage(name, len(data), sha256(data).hexdigest(), now + self.kept_seconds)

    def link(self, case: str, name: str, seconds: int, now: int) -> str | None:
        kept = self.kept.get((case, name))
        return f"https://exports.invalid/{case}/{name}?{seconds}" if kept and now < kept[1] else None

    def remove(self, case: str) -> None:
        for key in [key for key in self.kept if key[0] == case]:
            del self.kept[key]
