"""Decisions that other tools and lists tell about: what a row says, how well it is proven, and which of two holds.

A row's evidence has a grade. A: when and how the person agreed, to which words, and when they confirmed it from the
address itself. B: when and how. C: less than that. A yes of grade C is never imported (Art. 7(1) GDPR); a no needs no
evidence (Art. 7(3)).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import InvalidFormError
from consent_center.domain.policy import Period, Purpose

LONGEST_CELL = 10_000
"""Signs in one field: as long as a paragraph of wording may be that the API takes."""

INFORM_WITHIN = Period(months=1)
"""How long after the data came from somebody else the person must know of it at the latest (Art. 14(3)(a) GDPR)."""

STATES = {
    "given": DecisionState.GIVEN,
    "withdrawn": DecisionState.WITHDRAWN,
    "refused": DecisionState.REFUSED,
    "objected": DecisionState.OBJECTED,
}
"""What a row can say, by the word for it."""

WORDS = {state: word for word, state in STATES.items()}
"""The word for each of them."""


class Grade(StrEnum):
    """How well a row's yes is proven."""

    CONFIRMED = "A"
    DATED = "B"
    NONE = "C"


class Problem(StrEnum):
    """Why a row, or a part of it, is not imported."""

    BROKEN = "broken"
    """It cannot be taken apart into fields."""
    TOO_LONG = "too_long"
    NOT_THIS_ENCODING = "encoding"
    NO_DECISION = "no_decision"
    """It says nothing that is a decision: a bounced address, a contact who was never asked."""
    NO_EVIDENCE = "no_evidence"
    GRADE_NOT_ACCEPTED = "grade_not_accepted"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    """Another row says otherwise at a later time."""
    CONTRADICTORY = "contradictory"
    """Another row says otherwise, and it is not known which is newer: a no is imported, a yes is not."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about how somebody agreed. `language` is one of the policy's; `notice` the edition they saw."""

    collected_at: datetime | None = None
    method: str | None = None
    wording: tuple[str, ...] = ()
    notice: str | None = None
    language: str | None = None
    confirmed_at: datetime | None = None
    reference: str | None = None
    jurisdiction: str | None = None
    """The country whose retention rule counts, if that is not the controller's. All that a no may say here."""

    @property
    def grade(self) -> Grade:
        if self.collected_at is None or not self.method:
            return Grade.NONE
        knows_the_words = bool(self.wording or (self.notice and self.language))
        return Grade.CONFIRMED if knows_the_words and self.confirmed_at is not None else Grade.DATED


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What one row says about one person. No topics stand for all of the purpose's."""

    number: int
    """As a spreadsheet counts: the names of the columns are row 1."""
    recipient: str
    state: DecisionState
    topics: tuple[str, ...] = ()
    decided_at: datetime | None = None
    """When a no was said, if that is known."""
    evidence: Evidence = field(default_factory=Evidence)

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return f"ImportedRow({self.number})"

    @property
    def is_yes(self) -> bool:
        return self.state is DecisionState.GIVEN

    @property
    def at(self) -> datetime | None:
        """When it was decided, as far as that is known."""
        return (self.evidence.confirmed_at or self.evidence.collected_at) if self.is_yes else self.decided_at

    def written(self, common: Evidence) -> str:
        """One line of JSON, which `read` understands. What all rows share is left out."""
        evidence = Evidence(
            **{name: value for name in _EVIDENCE if (value := getattr(self.evidence, name)) != getattr(common, name)}
        )
        said = {
            "row": self.number,
            "recipient": self.recipient,
            "decision": WORDS[self.state],
            "topics": list(self.topics),
            "decided_at": _iso(self.decided_at),
            "collected_at": _iso(evidence.collected_at),
            "method": evidence.method,
            "wording": list(evidence.wording),
            "notice": evidence.notice,
            "language": evidence.language,
            "confirmed_at": _iso(evidence.confirmed_at),
            "reference": evidence.reference,
            "jurisdiction": evidence.jurisdiction,
        }
        return json.dumps({key: value for key, value in said.items() if value not in (None, [])}, ensure_ascii=False)

    @classmethod
    def read(cls, line: str, common: Evidence) -> "ImportedRow":
        """The row that was written so; `common` is what all rows of the import share. ValueError for anything else."""
        try:
            said = json.loads(line)
            evidence = Evidence(
                _time(said.get("collected_at")),
                said.get("method"),
                tuple(said.get("wording", ())),
                said.get("notice"),
                said.get("language"),
                _time(said.get("confirmed_at")),
                said.get("reference"),
                said.get("jurisdiction"),
            )
            return cls(
                int(said["row"]),
                str(said["recipient"]),
                STATES[said["decision"]],
                tuple(said.get("topics", ())),
                _time(said.get("decided_at")),
                completed(evidence, common),
            )
        except (KeyError, TypeError, AttributeError):
            raise ValueError("no row of an import") from None


def completed(evidence: Evidence, common: Evidence) -> Evidence:
    """A row's evidence, with what it does not say itself taken from what all rows share."""
    return Evidence(**{name: getattr(evidence, name) or getattr(common, name) for name in _EVIDENCE})


_EVIDENCE = ("collected_at", "method", "wording", "notice", "language", "confirmed_at", "reference", "jurisdiction")


def refusal(row: ImportedRow, purpose: Purpose) -> Problem | None:
    """Why the row's yes may not be imported for want of evidence; a no needs none."""
    if not row.is_yes:
        return None
    grade = row.evidence.grade
    if grade is Grade.NONE:
        return Problem.NO_EVIDENCE
    return None if grade in purpose.import_grades else Problem.GRADE_NOT_ACCEPTED


class Claim(NamedTuple):
    """What one row says about one scope of one person. `at` in epoch seconds, if it is known."""

    row: int
    is_yes: bool
    at: float | None
    grade: str


def verdicts(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Problem, bool]]:
    """What is wrong with the claims about one scope of one person: which, why, and whether it is imported all the same.

    Of rows that say the same the best proven one stays, the first of equals. Where rows say different things the newest
    holds if the newest yes and the newest no are both dated; otherwise all are reported, and only a no is imported.
    """
    sides = {side: [claim for claim in claims if claim.is_yes is side] for side in (True, False)}
    for side in sides.values():
        yield from ((claim, Problem.DUPLICATE, False) for claim in side if claim is not _best(side))
    if not (sides[True] and sides[False]):
        return
    yes, no = _best(sides[True]), _best(sides[False])
    # An undated row may be the newest of its side, so one is enough to leave the question open.
    dates = [[claim.at for claim in side] for side in (sides[True], sides[False])]
    if all(at is not None for side in dates for at in side):
        newest_yes, newest_no = (max(at for at in side if at is not None) for side in dates)
        if newest_yes != newest_no:
            yield (no if newest_yes > newest_no else yes), Problem.SUPERSEDED, False
            return
    yield yes, Problem.CONTRADICTORY, False
    yield no, Problem.CONTRADICTORY, True


def _best(side: Sequence[Claim]) -> Claim:
    return min(side, key=lambda claim: (claim.grade, -(claim.at or 0), claim.row))


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """What a row means whose column holds one of some values, or anything at all; without a column, any row."""

    says: str
    """A word of STATES, or `nothing`."""
    column: str | None = None
    values: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    """Columns of which the first that is filled says when."""

    def fits(self, cells: Mapping[str, str]) -> bool:
        if self.column is None:
            return True
        held = cells.get(self.column, "").strip().casefold()
        return held in self.values if self.values else bool(held)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How a tool's columns are read. `columns` lead from a field to the columns that may hold it, the best first.

    Columns, and what the tool calls topics, are written in lower case here.
    """

    columns: Mapping[str, tuple[str, ...]]
    rules: tuple[DecisionRule, ...]
    topic_separator: str = ","
    topic_names: Mapping[str, str] | None = None
    """The policy's topics by what the tool calls them; other words are no topics. None: the tool says ours."""
    opt_out_prefix: str | None = None
    """Columns that begin so hold a no to the topic that the rest of their name says."""
    times: tuple[str, ...] = ()
    """How times are written where it is not ISO 8601, as `strptime` has it. Without a zone they are UTC."""
    from_person: bool = True


_YES = {"true", "yes", "1", "y", "t"}


def rows_in(number: int, cells: Mapping[str, str], by: ColumnMap, topics: Sequence[str]) -> list[ImportedRow]:
    """What a row of a tool's list says: mostly one thing, one more where single topics are opted out of.

    `topics` are meant where the row names none for a yes. InvalidFormError names each field that is wrong.
    """
    wrong = {column: "too_long" for column, cell in cells.items() if len(cell) > LONGEST_CELL}
    recipient = _cell(cells, by, "recipient")
    if not recipient:
        wrong["recipient"] = "required"
    rule = next((rule for rule in by.rules if rule.fits(cells)), None)
    says = rule.says if rule else "nothing"
    if says == "as written":
        says = _cell(cells, by, "decision").casefold() or "nothing"
    if says != "nothing" and says not in STATES:
        wrong["decision"] = "unknown"
    if wrong:
        raise InvalidFormError(wrong)
    opted_out = tuple(_opted_out(cells, by))
    said = None
    if says == "given":
        said = _yes(number, recipient, cells, by, topics, opted_out)
    elif says != "nothing":
        # Who opted out of everything has said no to each topic already.
        return [_no(number, recipient, STATES[says], rule, cells, by)]
    if not opted_out:
        return [said] if said else []
    evidence = Evidence(jurisdiction=_country(cells, by))
    refused = ImportedRow(number, recipient, DecisionState.WITHDRAWN, opted_out, evidence=evidence)
    return [*([said] if said else []), refused]


def _no(
    number: int,
    recipient: str,
    state: DecisionState,
    rule: DecisionRule | None,
    cells: Mapping[str, str],
    by: ColumnMap,
) -> ImportedRow:
    """A no whose date cannot be read is a no. One in a tool's own words is about everything."""
    topics = tuple(_topics(_cell(cells, by, "topics"), by)) if by.topic_names is None else ()
    at = next((cells[name] for name in (rule.at if rule else ()) if cells.get(name, "").strip()), "")
    decided_at = _readable(at or _cell(cells, by, "decided_at"), by)
    return ImportedRow(number, recipient, state, topics, decided_at, Evidence(jurisdiction=_country(cells, by)))


def _yes(
    number: int,
    recipient: str,
    cells: Mapping[str, str],
    by: ColumnMap,
    default: Sequence[str],
    opted_out: Sequence[str],
) -> ImportedRow | None:
    """A yes with its evidence; None if the person opted out of each topic of it. InvalidFormError."""
    named = tuple(_topics(_cell(cells, by, "topics"), by))
    wrong = {}
    times: dict[str, datetime | None] = {}
    for name in ("collected_at", "confirmed_at"):
        text = _cell(cells, by, name)
        times[name] = _readable(text, by)
        if text and times[name] is None:
            wrong[f"evidence/{name}"] = "unreadable"
    if wrong:
        raise InvalidFormError(wrong)
    left = tuple(topic for topic in named or default if topic not in opted_out)
    if (named or default) and not left:
        return None
    wording = _cell(cells, by, "wording")
    evidence = Evidence(
        times["collected_at"],
        _cell(cells, by, "method") or None,
        (wording,) if wording else (),
        _cell(cells, by, "notice") or None,
        _cell(cells, by, "language") or None,
        times["confirmed_at"],
        _cell(cells, by, "reference") or None,
        _country(cells, by),
    )
    return ImportedRow(number, recipient, DecisionState.GIVEN, left, evidence=evidence)


def _country(cells: Mapping[str, str], by: ColumnMap) -> str | None:
    return _cell(cells, by, "jurisdiction").upper() or None


def _cell(cells: Mapping[str, str], by: ColumnMap, name: str) -> str:
    """What the first filled column of a field holds."""
    return next((text for column in by.columns.get(name, ()) if (text := cells.get(column, "").strip())), "")


def _topics(text: str, by: ColumnMap) -> Iterator[str]:
    for part in text.split(by.topic_separator):
        name = part.strip().strip('"').strip()
        if by.topic_names is None:
            if name:
                yield name
        elif name.casefold() in by.topic_names:
            yield by.topic_names[name.casefold()]


def _opted_out(cells: Mapping[str, str], by: ColumnMap) -> Iterator[str]:
    if by.opt_out_prefix is None:
        return
    for column, cell in cells.items():
        name = column.removeprefix(by.opt_out_prefix).strip()
        if column.startswith(by.opt_out_prefix) and cell.strip().casefold() in _YES and name in (by.topic_names or {}):
            yield (by.topic_names or {})[name]


def _readable(text: str, by: ColumnMap) -> datetime | None:
    try:
        return _time(text)
    except ValueError:
        pass
    for form in by.times:
        try:
            return _in_utc(datetime.strptime(text, form))  # noqa: DTZ007 - the next call gives it a zone
        except ValueError:
            continue
    return None


def _time(text: str | None) -> datetime | None:
    """A time as ISO 8601 has it, in UTC where it names no zone; ValueError."""
    return _in_utc(datetime.fromisoformat(text)) if text else None


def _in_utc(at: datetime) -> datetime:
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise ValueError("no time") from None


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
