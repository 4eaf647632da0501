"""What the API takes and gives about rights requests, as its OpenAPI description says it."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from consent_center.domain.case import Case, CaseState, LogLine, Right
from consent_center.domain.errors import InvalidFormError
from consent_center.domain.lock import Ground
from consent_center.domain.recipient import GivenFile, Task, TaskState, Verb
from consent_center.ports.cases import CaseFile
from consent_center.usecases.cases import Opened
from consent_center.usecases.staff_cases import Filing, Page, Refusal, Step, Wanted

_Reason = Annotated[
    StrictStr,
    Field(
        max_length=1_000,
        description="Why, without personal data: it stays in the log, and the person reads it where they are told.",
    ),
]


class CaseIn(BaseModel):
    """A request that reached your staff."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[Right, Field(description="Which right.")]
    email: Annotated[StrictStr, Field(description="The address to answer to, and that the request is about.")]
    details: Annotated[StrictStr, Field(max_length=10_000, description="What they wrote or said.")] = ""
    method: Literal["phone", "letter", "email", "counter", "other"]
    received_at: Annotated[AwareDatetime, Field(description="When it reached you (RFC 3339): the period begins.")]
    identity_checked: Annotated[
        StrictBool, Field(description="You are sure that the person asked. If not, a letter asks the mailbox.")
    ]
    language: Annotated[StrictStr, Field(max_length=20, description="One of the policy's languages.")] = ""
    keep_fingerprint: Annotated[
        StrictBool | None,
        Field(description="Of an erasure: whether to keep what stops imports of them."),
    ] = None
    ground: Annotated[Ground | None, Field(description="Of a restriction: the letter of Art. 18(1) GDPR.")] = None
    purposes: Annotated[
        list[StrictStr],
        Field(max_length=100, description="Of a restriction or objection: ids of purposes; none for all."),
    ] = []
    controller: Annotated[
        StrictStr | None,
        Field(max_length=40, description="Whom they asked: its id; required where the policy has several."),
    ] = None

    def filing(self) -> Filing:
        choices: dict[str, Any] = {}
        if self.type is Right.ERASURE and self.keep_fingerprint is not None:
            choices["keep_fingerprint"] = self.keep_fingerprint
        if self.type is Right.RESTRICTION and self.ground is not None:
            choices["ground"] = self.ground.value
        if self.type in {Right.RESTRICTION, Right.OBJECTION} and self.purposes:
            choices["purposes"] = sorted(set(self.purposes))
        received_at = round(self.received_at.astimezone(UTC).timestamp() * 1000)
        return Filing(
            self.type,
            self.email,
            self.details,
            self.method,
            received_at,
            self.identity_checked,
            self.language,
            choices,
            self.controller,
        )


class TransitionIn(BaseModel):
    """A step in a case, on the version of it that you saw."""

    model_config = ConfigDict(extra="forbid")

    step: Step
    version: Annotated[StrictInt, Field(ge=1, description="The `version` that the case had when you read it.")]
    reason: _Reason = ""
    ground: Annotated[Refusal | None, Field(description="Of a refusal.")] = None
    corrections: Annotated[
        dict[StrictStr, StrictStr],
        Field(max_length=50, description="To start a rectification: what is right, by field, here and for recipients."),
    ] = {}

    def wanted(self) -> Wanted:
        return Wanted(self.step, self.version, self.reason.strip(), self.ground, self.corrections)


class FileIn(BaseModel):
    """A file that your staff collected from a recipient by hand: `text`, or `base64` for what is no text."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        StrictStr, Field(description="Letters, digits, hyphens and underscores, and an ending: `customer-17.pdf`.")
    ]
    text: StrictStr | None = None
    base64: StrictStr | None = None

    def given(self) -> GivenFile:
        if (self.text is None) == (self.base64 is None):
            raise InvalidFormError({"files": "file_content"})
        try:
            content = self.text.encode() if self.text is not None else b64decode(self.base64 or "", validate=True)
        except ValueError:
            raise InvalidFormError({"files": "file_content"}) from None
        return GivenFile(self.name, content)


class TaskIn(BaseModel):
    """What became of a task, or that it is to be tried again."""

    model_config = ConfigDict(extra="forbid")

    do: Annotated[Literal["settle", "redrive"], Field(description="`redrive` has the recipient asked once more.")]
    state: Annotated[
        Literal["done", "nothing_held", "impossible"] | None, Field(description="To settle: what became of it.")
    ] = None
    reason: Annotated[StrictStr, Field(max_length=1_000, description="Why it is impossible or disproportionate.")] = ""
    files: Annotated[
        list[FileIn],
        Field(description="With `done` of a `collect`: what the person gets, at most 262,144 bytes in all."),
    ] = []


class CaseOut(BaseModel):
    """A request, without anything about the person."""

    id: str
    number: Annotated[str, Field(description="What the person quotes.")]
    controller: Annotated[str, Field(description="Whom they asked.")]
    type: Right
    state: CaseState
    version: Annotated[int, Field(description="Name it in a transition.")]
    source: str
    language: str
    received_at: Annotated[str, Field(description="RFC 3339")]
    answer_by: Annotated[str, Field(description="The last day to answer.")]
    strict_answer_by: Annotated[str, Field(description="The same by the stricter reading.")]
    proved_at: Annotated[str | None, Field(description="When it was certain who asks.")]
    closed_at: str | None
    stuck_since: Annotated[
        str | None, Field(description="Since when nothing can be done in it by itself; it is tried once a day.")
    ]

    @classmethod
    def of(cls, case: Case) -> Self:
        return cls(**cls.fields_of(case))

    @staticmethod
    def fields_of(case: Case) -> dict[str, Any]:
        return {
            "id": case.id,
            "number": case.number,
            "controller": case.contact.controller,
            "type": case.right,
            "state": case.state,
            "version": case.version,
            "source": case.source,
            "language": case.language,
            "received_at": _time(case.received_at),
            "answer_by": case.answer_by,
            "strict_answer_by": case.strict_answer_by,
            "proved_at": _time(case.proved_at),
            "closed_at": _time(case.closed_at),
            "stuck_since": _time(case.stuck_since),
        }


class CaseFiledOut(CaseOut):
    """A request that is now filed."""

    recorded: Annotated[bool, Field(description="False where the same person's request of this type was open already.")]

    @classmethod
    def of_filed(cls, filed: Opened) -> Self:
        return cls(**cls.fields_of(filed.case), recorded=filed.is_new)


class CasesOut(BaseModel):
    """Open requests, the first to be answered first."""

    cases: list[CaseOut]
    cursor: Annotated[str | None, Field(description="Hand it in for the next ones; null at the end.")]
    unreadable: Annotated[list[str], Field(description="Ids of open requests whose stored data cannot be read.")]

    @classmethod
    def of(cls, page: Page) -> Self:
        cases = [CaseOut.of(case) for case in page.cases]
        return cls(cases=cases, cursor=page.cursor or None, unreadable=list(page.unreadable))


class TaskOut(BaseModel):
    """What one recipient is to do."""

    recipient: str
    verb: Verb
    state: TaskState
    tries: int
    told_at: Annotated[str | None, Field(description="When it took the request.")]
    answered_at: str | None
    next_at: Annotated[str | None, Field(description="When it is tried again.")]
    answer: Annotated[str, Field(description="What it said, or why the last try failed.")]
    reason: str

    @classmethod
    def of(cls, task: Task) -> Self:
        return cls(
            recipient=task.recipient,
            verb=task.verb,
            state=task.state,
            tries=task.tries,
            told_at=_time(task.told_at),
            answered_at=_time(task.answered_at),
            next_at=_time(task.next_at * 1000) if task.state is TaskState.WAITING else None,
            answer=task.answer,
            reason=task.reason,
        )


class LogLineOut(BaseModel):
    """Something that happened."""

    at: str | None
    what: str
    by: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, line: LogLine) -> Self:
        return cls(at=_time(line.at), what=line.what, by=line.by, facts=dict(line.facts))


class CaseFileOut(CaseOut):
    """A request with all that is known of it."""

    choices: dict[str, Any]
    outcome: dict[str, Any]
    tasks: list[TaskOut]
    log: list[LogLineOut]
    particulars: Annotated[
        dict[str, Any] | None,
        Field(description="`address`, `details` and what else the person wrote; null without `cases.decide`."),
    ]

    @classmethod
    def of_file(cls, file: CaseFile, particulars: Mapping[str, Any] | None) -> Self:
        written = {"address", "former_addresses", "details", "new_address", "corrections"}
        kept = {name: value for name, value in particulars.items() if name in written} if particulars else None
        return cls(
            **cls.fields_of(file.case),
            choices=dict(file.case.choices),
            outcome=dict(file.case.outcome),
            tasks=[TaskOut.of(task) for task in file.tasks],
            log=[LogLineOut.of(line) for line in file.log],
            particulars=kept,
        )


def _time(at: int) -> str | None:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds") if at else None
