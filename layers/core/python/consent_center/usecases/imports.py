"""Carrying out one part of an import: each row by the rules for what other systems state, with a report of each."""

import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from consent_center.domain.errors import (
    ForbiddenTransitionError,
    InvalidFormError,
    MovedAwayError,
    SuppressedError,
    UnavailableError,
    UnknownNameError,
)
from consent_center.domain.importing import INFORM_WITHIN, WORDS, Evidence, ImportedRow, refusal
from consent_center.domain.policy import Policy
from consent_center.domain.subject import timestamp
from consent_center.ports.basics import Addresses, Chance, Clock, Pause, Secrets
from consent_center.ports.evidence import Ledger
from consent_center.ports.exchange import Import, Imports
from consent_center.ports.people import Subjects
from consent_center.usecases.record import API, Proof, Recorded, Statement, record_decision

IMPORT = "import"
"""The source and the capability of what comes this way."""

AT_ONCE = 8
"""Rows that are under way at the same time: each waits for two answers of the database."""


class Outcome(StrEnum):
    """What became of a row. It is the same however often the row is carried out."""

    RECORDED = "recorded"
    """This import stored it."""
    ALREADY = "already"
    """It was so before this import."""
    OUTDATED = "outdated"
    """A no that is older than a yes which the person said on our own pages."""
    MOVED_AWAY = "moved_away"
    """A yes from before a change of address: it is about somebody who has another address since."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowReport:
    """One line of a report. `reason` says why a row was refused; `evidence` names the event that holds."""

    row: int
    decision: str
    topics: tuple[str, ...]
    grade: str | None
    outcome: Outcome
    reason: str | None = None
    evidence: str | None = None

    def written(self) -> str:
        """One line of JSON."""
        said = {
            "row": self.row,
            "decision": self.decision,
            "topics": list(self.topics),
            "grade": self.grade,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "evidence": self.evidence,
        }
        return json.dumps(said, ensure_ascii=False)


def statement_of(row: ImportedRow, purpose: str) -> Statement:
    """What a row states, in the words of what other systems may state."""
    evidence, proof = row.evidence, None
    if row.is_yes and evidence.collected_at is not None and evidence.method:
        proof = Proof(
            evidence.collected_at,
            evidence.method,
            evidence.wording,
            evidence.language or "",
            evidence.notice,
            evidence.reference,
            evidence.confirmed_at,
            evidence.jurisdiction,
        )
    return Statement(
        row.recipient,
        row.state,
        purpose,
        row.topics,
        proof=proof,
        decided_at=row.decided_at,
        jurisdiction=evidence.jurisdiction,
    )


def import_part(
    import_id: str,
    part: int,
    *,
    deadline: int,
    imports: Imports,
    policy: Policy,
    subjects: Subjects,
    ledger: Ledger,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Mapping[str, int] | None:
    """Carry out one part and store its report; how many rows had which outcome, or None if it was reported before.

    Safe to run twice and at the same time: a row that is stored is found again, and the first report stays. With the
    `deadline` (epoch milliseconds), and when the database does not answer, UnavailableError: trying again goes on
    where this stopped.
    """
    if imports.is_reported(import_id, part):
        return None
    about = imports.about(import_id)
    common = Evidence(
        method=about.method,
        wording=about.wording,
        notice=about.notice,
        language=about.language,
        jurisdiction=about.jurisdiction,
    )
    # Before there are threads, so that the keys are fetched once.
    secrets.peppers()

    def is_own_yes(chain: str, seq: int) -> bool:
        entry = ledger.entry(chain, seq)
        return entry is not None and entry.kind == "given" and entry.body.get("source") not in (API, IMPORT)

    def report(line: str) -> RowReport:
        if clock() >= deadline:
            raise UnavailableError("import: out of time")
        row = ImportedRow.read(line, common)
        problem = refusal(row, policy.purpose(about.purpose))
        if problem is not None:
            return _report(row, Outcome.REFUSED, problem)
        try:
            recorded = record_decision(
                statement_of(row, about.purpose),
                client=about.attested_by,
                source=IMPORT,
                told={"import": import_id, **_grade(row), **_duty_to_inform(about)},
                is_own_yes=is_own_yes,
                inform_by=0 if about.from_person else INFORM_WITHIN.after_epoch(about.at),
                policy=policy,
                subjects=subjects,
                addresses=addresses,
                secrets=secrets,
                chance=chance,
                clock=clock,
                pause=pause,
            )
        except InvalidFormError as error:
            return _report(row, Outcome.REFUSED, str(error))
        except UnknownNameError as error:
            return _report(row, Outcome.REFUSED, f"{error.field}: unknown")
        except ForbiddenTransitionError as error:
            return _forbidden(row, error)
        return _report(row, _outcome(row, recorded, import_id, ledger), None, recorded.evidence)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        reports = list(threads.map(report, imports.rows(import_id, part)))
    imports.add_report(import_id, part, (one.written() for one in reports))
    return Counter(one.outcome.value for one in reports)


def _forbidden(row: ImportedRow, error: ForbiddenTransitionError) -> RowReport:
    if isinstance(error, MovedAwayError):
        return _report(row, Outcome.MOVED_AWAY, None)
    return _report(row, Outcome.REFUSED, "suppressed" if isinstance(error, SuppressedError) else "persons_no")


def _outcome(row: ImportedRow, recorded: Recorded, import_id: str, ledger: Ledger) -> Outcome:
    """What the report of a row says. Who stored it is asked of the ledger, so that a run that was cut short counts."""
    if recorded.is_new:
        return Outcome.RECORDED
    if recorded.evidence is None:
        return Outcome.ALREADY
    chain, _, seq = recorded.evidence.rpartition(".")
    entry = ledger.entry(chain, int(seq))
    if entry is None:
        return Outcome.ALREADY
    if entry.body.get("import") == import_id:
        return Outcome.RECORDED
    return Outcome.OUTDATED if entry.kind == "given" and not row.is_yes else Outcome.ALREADY


def _grade(row: ImportedRow) -> dict[str, object]:
    """A no has none: it needs no evidence."""
    return {"grade": row.evidence.grade.value} if row.is_yes else {}


def _duty_to_inform(about: Import) -> dict[str, object]:
    """Data that somebody else gave us: by when the person must be told, whoever writes first (Art. 14(3) GDPR)."""
    if about.from_person:
        return {}
    due = INFORM_WITHIN.after_epoch(about.at)
    return {"from_person": False, "inform_by": timestamp(due * 1000)}


def _report(row: ImportedRow, outcome: Outcome, reason: str | None, evidence: str | None = None) -> RowReport:
    grade = row.evidence.grade.value if row.is_yes else None
    return RowReport(row.number, WORDS[row.state], row.topics, grade, outcome, reason, evidence)
