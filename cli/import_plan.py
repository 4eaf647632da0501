"""What an import would do, worked out before anything is sent: which rows are kept, which are not, and why.

The rows are read twice and never held. What is known of each person meanwhile lies in a scratch database under a hash
whose key is thrown away.
"""

import base64
import hashlib
import json
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from cli import import_files
from consent_center.adapters.addresses import parse_address
from consent_center.domain.errors import InvalidAddressError, InvalidFormError, UnknownNameError
from consent_center.domain.importing import (
    WORDS,
    Claim,
    ColumnMap,
    Evidence,
    ImportedRow,
    Problem,
    completed,
    refusal,
    rows_in,
    verdicts,
)
from consent_center.domain.policy import Policy
from consent_center.usecases.imports import statement_of
from consent_center.usecases.record import require_valid

MOST_ROWS = 1_000_000

_FORMAT = 1
"""Goes into the id of an import: a version that reads files otherwise makes other imports of them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator says about a whole file. `attested_by` is the id of who answers for it."""

    purpose: str
    attested_by: str
    topics: tuple[str, ...] = ()
    from_person: bool = True
    evidence: Evidence = field(default_factory=Evidence)
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that will be sent."""

    row: ImportedRow


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row, or what it says about some topics, that will not be sent; or one that is sent and worth a look."""

    number: int
    decision: str | None
    topics: tuple[str, ...]
    reason: str
    is_sent: bool = False


class Plan:
    """The outcome for every row of a file. A context manager, because it has a scratch folder while it is open."""

    def __init__(self, path: Path, by: ColumnMap, settings: Settings, policy: Policy, now: int) -> None:
        """`now` in epoch milliseconds. UnknownNameError for a purpose or topic that the policy lacks."""
        self._path, self._by, self._settings, self._policy, self._now = path, by, settings, policy, now
        self._purpose = policy.purpose(settings.purpose)
        for topic in settings.topics:
            self._purpose.topic(topic)
        self._key = secrets.token_bytes(32)
        self._folder = tempfile.TemporaryDirectory(prefix="import-")
        self._scratch = sqlite3.connect(Path(self._folder.name) / "scratch")
        self._scratch.execute("PRAGMA journal_mode = OFF")
        self._scratch.execute("PRAGMA synchronous = OFF")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()
        self._folder.cleanup()

    @property
    def id(self) -> str:
        """The name of this import: the same file read the same way under the same policy has the same one."""
        with self._path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        said = [_FORMAT, content, repr(self._by), asdict(self._settings), self._policy.hash]
        digest = hashlib.sha256(json.dumps(said, default=str).encode()).digest()
        return base64.b32encode(digest)[:26].decode().lower()

    def compare(self) -> None:
        """Read the file once and find the people who stand in it several times. FileRefusedError."""
        self._scratch.execute("CREATE TABLE claim (who BLOB, scope TEXT, row INT, yes INT, at REAL, grade TEXT)")
        self._scratch.execute("CREATE TABLE verdict (row INT, yes INT, scope TEXT, problem TEXT, is_sent INT)")
        self._scratch.executemany("INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?)", self._claims())
        self._scratch.execute("CREATE INDEX by_person ON claim (who, scope)")
        self._scratch.executemany("INSERT INTO verdict VALUES (?, ?, ?, ?, ?)", self._verdicts())
        self._scratch.execute("CREATE INDEX by_row ON verdict (row)")
        self._scratch.execute("DROP TABLE claim")

    def outcomes(self) -> Iterator[Kept | Dropped]:
        """Read the file again: what becomes of each row, in their order. After `compare`."""
        (count,) = self._scratch.execute("SELECT COUNT(*) FROM verdict").fetchone()
        for outcome in self._readings():
            if isinstance(outcome, Dropped) or not count:
                yield Kept(outcome) if isinstance(outcome, ImportedRow) else outcome
            else:
                yield from self._compared(outcome)

    def _compared(self, row: ImportedRow) -> Iterator[Kept | Dropped]:
        found = self._scratch.execute(
            "SELECT scope, problem, is_sent FROM verdict WHERE row = ? AND yes = ?", (row.number, row.is_yes)
        ).fetchall()
        by_problem: dict[tuple[str, bool], list[str]] = {}
        for scope, problem, is_sent in found:
            by_problem.setdefault((problem, bool(is_sent)), []).append(scope)
        for (problem, is_sent), scopes in by_problem.items():
            topics = tuple(scope for scope in scopes if scope != "-")
            yield Dropped(row.number, WORDS[row.state], topics, problem, is_sent)
        lost = {scope for scope, _, is_sent in found if not is_sent}
        if not lost:
            yield Kept(row)
            return
        left = tuple(scope for scope in self._scopes(row) if scope not in lost)
        if left:
            yield Kept(replace(row, topics=left))

    def _readings(self) -> Iterator[ImportedRow | Dropped]:
        """Each row on its own."""
        for count, row in enumerate(import_files.read(self._path, self._settings.encoding), start=1):
            if count > MOST_ROWS:
                raise import_files.FileRefusedError(f"the file has more than {MOST_ROWS:,} rows; divide it")
            if row.problem is not None:
                yield Dropped(row.number, None, (), row.problem)
                continue
            try:
                said = rows_in(row.number, row.cells, self._by, self._settings.topics)
            except InvalidFormError as error:
                yield Dropped(row.number, None, (), str(error))
                continue
            if not said:
                yield Dropped(row.number, None, (), Problem.NO_DECISION)
            for one in said:
                yield self._checked(one)

    def _checked(self, row: ImportedRow) -> ImportedRow | Dropped:
        row = replace(row, evidence=completed(row.evidence, self._settings.evidence)) if row.is_yes else row
        reason = self._wrong(row)
        return row if reason is None else Dropped(row.number, WORDS[row.state], row.topics, reason)

    def _wrong(self, row: ImportedRow) -> str | None:
        try:
            parse_address(row.recipient)
        except InvalidAddressError as error:
            return f"recipient: {error}"
        problem = refusal(row, self._purpose)
        if problem is not None:
            return problem
        try:
            require_valid(statement_of(row, self._purpose.id), policy=self._policy, now=self._now)
        except InvalidFormError as error:
            return str(error)
        except UnknownNameError as error:
            return f"{error.field}: unknown"
        return None

    def _scopes(self, row: ImportedRow) -> tuple[str, ...]:
        return row.topics or tuple(topic.id for topic in self._purpose.topics) or ("-",)

    def _claims(self) -> Iterator[tuple[bytes, str, int, bool, float | None, str]]:
        for row in self._readings():
            if isinstance(row, Dropped):
                continue
            normalised = parse_address(row.recipient).normalised
            who = hashlib.blake2b(normalised.encode(), key=self._key, digest_size=16).digest()
            at = row.at.timestamp() if row.at else None
            for scope in self._scopes(row):
                yield who, scope, row.number, row.is_yes, at, row.evidence.grade.value

    def _verdicts(self) -> Iterator[tuple[int, bool, str, str, bool]]:
        several = self._scratch.execute(
            "SELECT who, scope, row, yes, at, grade FROM claim JOIN "
            "(SELECT who, scope FROM claim GROUP BY who, scope HAVING COUNT(*) > 1) USING (who, scope) "
            "ORDER BY who, scope, row"
        )
        about: tuple[bytes, str] | None = None
        claims: list[Claim] = []
        for who, scope, row, yes, at, grade in several:
            if (who, scope) != about:
                yield from _told(about, claims)
                about, claims = (who, scope), []
            claims.append(Claim(row, bool(yes), at, grade))
        yield from _told(about, claims)


def _told(about: tuple[bytes, str] | None, claims: list[Claim]) -> Iterator[tuple[int, bool, str, str, bool]]:
    if about is None:
        return
    for claim, problem, is_sent in verdicts(claims):
        yield claim.row, claim.is_yes, about[1], problem.value, is_sent
