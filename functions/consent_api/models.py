"""What the API takes and gives, as its OpenAPI description says it."""

from collections.abc import Sequence
from datetime import UTC
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic_core import to_json

from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.lock import Ground, Interest, names_of
from consent_center.domain.objection import Against
from consent_center.domain.offline import Method, ProofFile
from consent_center.domain.permission import Reason
from consent_center.domain.policy import Period, Policy
from consent_center.domain.retention import Why
from consent_center.domain.statistics import Row, Table
from consent_center.usecases.check import Answer
from consent_center.usecases.locks import Lifting, Locked, Locking
from consent_center.usecases.lookup import Finding, Overview
from consent_center.usecases.offline import Asked
from consent_center.usecases.record import Proof, Recorded, Statement
from consent_center.usecases.sends import SendOutcome
from consent_center.usecases.why_kept import Account

MOST_RECIPIENTS = 1_000


Controller = Annotated[
    StrictStr | None,
    Field(max_length=40, description="Whose records: a controller's id; required where the policy has several."),
]


class PermissionChecksIn(BaseModel):
    """One purpose and channel, perhaps one topic, and the people a letter is meant for."""

    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[StrictStr, Field(description="The purpose's id in the policy.")]
    channel: Annotated[StrictStr, Field(description="`email`.")]
    topic: Annotated[
        StrictStr | None,
        Field(description="The topic's id. Without it the answer is a yes if any topic of the purpose is given."),
    ] = None
    product_group: Annotated[
        StrictStr | None,
        Field(description="What the letter offers; required where the purpose rests on soft opt-in."),
    ] = None
    recipients: Annotated[
        list[StrictStr],
        Field(
            max_length=MOST_RECIPIENTS,
            description="E-mail addresses; duplicates are answered per row.",
        ),
    ]
    record_send: Annotated[
        StrictBool, Field(description="Count every yes as sent now, so that no second call is needed.")
    ] = False


class PermissionOut(BaseModel):
    """The answer for one row."""

    index: Annotated[int, Field(description="The row in `recipients`, from 0.")]
    allowed: bool
    reason: Reason
    evidence: Annotated[str | None, Field(description="The ledger entry that allows it: `<chain>.<seq>`.")]
    valid_until: Annotated[int | None, Field(description="Epoch seconds from which this yes no longer holds.")]
    send_id: Annotated[str | None, Field(description="Reserved for this letter.")]
    headers: Annotated[
        dict[str, str] | None, Field(description="The unsubscribe headers for exactly this letter (RFC 8058).")
    ]
    why_url: Annotated[
        str | None, Field(description="Where the person reads why they got this letter: put it into the letter.")
    ]
    may_track_opens: Annotated[bool, Field(description="Whether you may record that the letter was opened.")]
    may_track_clicks: Annotated[bool, Field(description="Whether you may record which links are followed.")]
    may_profile: Annotated[bool, Field(description="Whether the person may be grouped or scored.")]


class PermissionChecksOut(BaseModel):
    """One answer per row, in the order asked."""

    results: list[PermissionOut]

    @staticmethod
    def written(answers: Sequence[Answer]) -> str:
        """The JSON text. It is made without the models, which would be a fifth of a check of a thousand people."""
        rows = [
            {
                "index": index,
                "allowed": permission.allowed,
                # The writer would look at the class of each reason.
                "reason": permission.reason.value,
                "evidence": permission.evidence,
                "valid_until": permission.valid_until,
                "send_id": send_id,
                "headers": headers,
                "why_url": why_url,
                "may_track_opens": recording.opens,
                "may_track_clicks": recording.clicks,
                "may_profile": recording.profile,
            }
            for index, (permission, send_id, headers, why_url, recording) in enumerate(answers)
        ]
        return to_json({"results": rows}).decode()


class SendIn(BaseModel):
    """One letter that was sent."""

    model_config = ConfigDict(extra="forbid")

    send_id: Annotated[StrictStr, Field(max_length=2_048, description="As the check answered it.")]


class SendsIn(BaseModel):
    """Letters that were really sent, up to 1,000."""

    model_config = ConfigDict(extra="forbid")

    sends: Annotated[list[SendIn], Field(max_length=MOST_RECIPIENTS)]


class SendOut(BaseModel):
    """What became of one row."""

    index: Annotated[int, Field(description="The row in `sends`, from 0.")]
    recorded: bool
    reason: SendOutcome


class SendsOut(BaseModel):
    """One outcome per row, in the order given."""

    results: list[SendOut]

    @classmethod
    def of(cls, outcomes: Sequence[SendOutcome]) -> Self:
        return cls(
            results=[
                SendOut(index=index, recorded=outcome is SendOutcome.RECORDED, reason=outcome)
                for index, outcome in enumerate(outcomes)
            ]
        )


class LookupIn(BaseModel):
    """One person, in the body and never in an address of a page."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[StrictStr, Field(description="An e-mail address.")]
    controller: Controller = None


class ScopeOut(BaseModel):
    """What holds for one purpose, or one topic of it, on one channel."""

    purpose: str
    topic: str | None
    channel: str
    state: Annotated[str | None, Field(description="The newest decision in DPV's words; null where there is none.")]
    since: Annotated[int | None, Field(description="When it was decided, in epoch seconds.")]
    valid_until: Annotated[int | None, Field(description="Epoch seconds from which a consent ends by itself.")]
    allowed: bool
    reason: Reason
    evidence: Annotated[str | None, Field(description="With a consent: the ledger entry that allows it.")]

    @classmethod
    def of(cls, found: Finding) -> Self:
        decided = found.decided
        return cls(
            purpose=found.scope.purpose,
            topic=found.scope.topic,
            channel=found.scope.channel,
            state=decided.state.value if decided else None,
            since=_seconds(decided),
            valid_until=decided.valid_until if decided else None,
            allowed=found.permission.allowed,
            reason=found.permission.reason,
            evidence=found.permission.evidence,
        )


class PreferenceOut(BaseModel):
    """How the person wants what they agreed to."""

    purpose: str
    paused_until: Annotated[int | None, Field(description="Epoch seconds.")]
    at_most_every: Annotated[str | None, Field(description="An ISO 8601 duration, such as P3M or P14D.")]


class ObjectionOut(BaseModel):
    """An objection to everything of a kind."""

    against: Against
    since: Annotated[int | None, Field(description="Epoch seconds; null where there is none.")]


class LookupOut(BaseModel):
    """Everything that may be done about one person. Somebody unknown is answered in the same shape."""

    permissions: list[ScopeOut]
    objections: list[ObjectionOut]
    preferences: list[PreferenceOut]
    language: str | None
    may_track_opens: bool
    may_track_clicks: bool
    may_profile: bool

    @classmethod
    def of(cls, found: Overview) -> Self:
        return cls(
            permissions=[ScopeOut.of(one) for one in found.findings],
            objections=[
                ObjectionOut(against=against, since=_seconds(decided)) for against, decided in found.objections.items()
            ],
            preferences=[
                PreferenceOut(
                    purpose=purpose, paused_until=one.paused_until, at_most_every=_duration(one.at_most_every)
                )
                for purpose, one in found.preferences.items()
            ],
            language=found.language,
            may_track_opens=found.recording.opens,
            may_track_clicks=found.recording.clicks,
            may_profile=found.recording.profile,
        )


class DecisionIn(StrEnum):
    """What a person decided."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    OBJECTED = "objected"
    SOFT_OPT_IN = "soft_opt_in"


_STATES = {
    DecisionIn.GIVEN: DecisionState.GIVEN,
    DecisionIn.WITHDRAWN: DecisionState.WITHDRAWN,
    DecisionIn.REFUSED: DecisionState.REFUSED,
    DecisionIn.OBJECTED: DecisionState.OBJECTED,
    DecisionIn.SOFT_OPT_IN: DecisionState.SOFT_OPT_IN,
}


class EvidenceIn(BaseModel):
    """What shows that the person really decided so."""

    model_config = ConfigDict(extra="forbid")

    collected_at: Annotated[AwareDatetime, Field(description="When they agreed (RFC 3339), not in the future.")]
    method: Annotated[StrictStr, Field(min_length=1, max_length=200, description="How, such as `form on our website`.")]
    wording: Annotated[
        list[Annotated[StrictStr, Field(max_length=10_000)]],
        Field(min_length=1, max_length=20, description="The words they agreed to, paragraph by paragraph."),
    ]
    language: Annotated[StrictStr, Field(max_length=20, description="One of the policy's languages.")]
    notice: Annotated[StrictStr | None, Field(max_length=40, description="The edition of the notice they saw.")] = None
    reference: Annotated[
        StrictStr | None,
        Field(max_length=200, description="Your own key to the proof; with `soft_opt_in` the sale, and required."),
    ] = None
    confirmed_at: Annotated[
        AwareDatetime | None,
        Field(description="When they confirmed it from the address itself; required with double opt-in."),
    ] = None
    jurisdiction: Annotated[
        StrictStr | None,
        Field(max_length=2, description="The country whose retention rule counts; one of the policy's jurisdictions."),
    ] = None
    opt_out_offered: Annotated[
        StrictBool,
        Field(description="With `soft_opt_in`: they could say no when you collected the address. Must be true."),
    ] = False


class DecisionsIn(BaseModel):
    """One decision of one person, made somewhere else."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[StrictStr, Field(description="An e-mail address.")]
    decision: DecisionIn
    purpose: Annotated[StrictStr | None, Field(description="The purpose's id; left out with `objection`.")] = None
    topics: Annotated[
        list[StrictStr],
        Field(max_length=100, description="Topics of the purpose. Without any, a no is about all of them."),
    ] = []
    product_group: Annotated[
        StrictStr | None, Field(description="With `soft_opt_in`, in place of topics: what they bought belongs to it.")
    ] = None
    objection: Annotated[
        Against | None, Field(description="An objection to everything of a kind, in place of a purpose.")
    ] = None
    controller: Annotated[
        StrictStr | None,
        Field(max_length=40, description="With `objection`: whom it binds; required where the policy has several."),
    ] = None
    evidence: Annotated[EvidenceIn | None, Field(description="Required for a yes and a soft opt-in.")] = None

    def statement(self) -> Statement:
        proof = self.evidence
        return Statement(
            self.recipient,
            _STATES[self.decision],
            self.purpose,
            (self.product_group,) if self.product_group is not None else tuple(dict.fromkeys(self.topics)),
            self.objection,
            Proof(
                proof.collected_at.astimezone(UTC),
                proof.method,
                proof.wording,
                proof.language,
                proof.notice,
                proof.reference,
                proof.confirmed_at.astimezone(UTC) if proof.confirmed_at else None,
                proof.jurisdiction,
                proof.opt_out_offered,
            )
            if proof
            else None,
            controller=self.controller,
        )


class SuppressionsIn(BaseModel):
    """A person who asked to be kept out."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[StrictStr, Field(description="An e-mail address.")]
    controller: Controller = None


class SuppressionsOut(BaseModel):
    """What is stored now."""

    evidence: Annotated[str, Field(description="The ledger entry that says so: `<chain>.<seq>`.")]


class ProofFileIn(BaseModel):
    """A file that shows what was asked. You keep it; its hash ties it to the evidence."""

    model_config = ConfigDict(extra="forbid")

    sha256: Annotated[StrictStr, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file, in hexadecimal.")]
    media_type: Literal["application/pdf", "image/png", "image/jpeg"]


class OfflineRequestIn(BaseModel):
    """Somebody asked your staff for letters. They get one that asks whether they meant it."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[StrictStr, Field(description="An e-mail address.")]
    purpose: Annotated[StrictStr, Field(description="The purpose's id; one that is confirmed by letter.")]
    topics: Annotated[list[StrictStr], Field(max_length=100, description="What they asked for, if it has topics.")] = []
    language: Annotated[StrictStr, Field(max_length=20, description="One of the policy's languages.")]
    method: Method
    collected_at: Annotated[AwareDatetime, Field(description="When they asked (RFC 3339), not in the future.")]
    asked_by_person: Annotated[
        StrictBool, Field(description="You attest that the person themselves asked for it. Must be true.")
    ]
    reference: Annotated[StrictStr | None, Field(max_length=200, description="Your own key to the proof.")] = None
    proof: ProofFileIn | None = None
    name: StrictStr = ""
    company: StrictStr = ""

    def asked(self) -> Asked:
        return Asked(
            self.recipient,
            self.purpose,
            tuple(dict.fromkeys(self.topics)),
            self.language,
            self.method,
            self.collected_at.astimezone(UTC),
            self.asked_by_person,
            self.reference,
            ProofFile(self.proof.sha256, self.proof.media_type) if self.proof else None,
            self.name,
            self.company,
        )


class OfflineRequestOut(BaseModel):
    """The same for everybody, known or not."""

    request: Annotated[str, Field(description="The request, as long as nobody confirmed it or it has not ended.")]


class DecisionsOut(BaseModel):
    """What is stored now."""

    recorded: Annotated[bool, Field(description="False where it was decided so before.")]
    evidence: Annotated[str | None, Field(description="The ledger entry that proves it: `<chain>.<seq>`.")]

    @classmethod
    def of(cls, found: Recorded) -> Self:
        return cls(recorded=found.is_new, evidence=found.evidence)


class StatisticsRowOut(BaseModel):
    """One group: its names by what the table is grouped by, and its counts."""

    group: Annotated[dict[str, str], Field(description="An empty text where nothing says it.")]
    counts: Annotated[
        dict[str, int | None],
        Field(description="By measure: `null` for a number from 1 to 4, else rounded to a multiple of 5."),
    ]
    withheld: Annotated[list[str], Field(description="The measures that are `null`.")]


class StatisticsOut(BaseModel):
    """What happened from one day through another (UTC)."""

    first: Annotated[str, Field(alias="from")]
    last: Annotated[str, Field(alias="to")]
    group: list[str]
    measures: list[str]
    rows: list[StatisticsRowOut]
    total: StatisticsRowOut

    @staticmethod
    def written(table: Table) -> str:
        """The answer as JSON text, without a model per row: there may be ten thousand."""

        def row(one: Row) -> dict[str, object]:
            told = one.told
            names = dict(zip(table.group, one.names, strict=False))
            return {"group": names, "counts": told, "withheld": [name for name, n in told.items() if n is None]}

        return to_json(
            {
                "from": table.first,
                "to": table.last,
                "group": table.group,
                "measures": table.measures,
                "rows": [row(one) for one in table.rows],
                "total": row(table.total),
            }
        ).decode()


_Words = Annotated[StrictStr, Field(min_length=1, max_length=2_000, description="Why, in words, for people.")]
_Purposes = Annotated[
    list[StrictStr],
    Field(max_length=100, description="Ids of purposes that it covers; none for everything that is held."),
]
_NUMBER = "The `number` that was answered when it was set."
_Number = Annotated[StrictInt, Field(ge=1, description=_NUMBER)]


class HoldIn(BaseModel):
    """Keep what is held about one person for a legal claim, until a day."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[StrictStr, Field(description="An e-mail address.")]
    interest: Annotated[Interest, Field(description="Whose claim it is.")]
    reason: _Words
    until: Annotated[AwareDatetime, Field(description="When it ends by itself; the policy's rule has a latest day.")]
    purposes: _Purposes = []
    controller: Controller = None

    def locking(self) -> Locking:
        return Locking(
            self.recipient, self.interest, self.reason, tuple(self.purposes), self.until, controller=self.controller
        )


class RestrictionIn(BaseModel):
    """Keep what is held about one person, and use it no more (Art. 18 GDPR)."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[StrictStr, Field(description="An e-mail address.")]
    ground: Annotated[Ground, Field(description="The letter of Art. 18(1) GDPR.")]
    note: _Words
    purposes: _Purposes = []
    controller: Controller = None

    def locking(self) -> Locking:
        return Locking(self.recipient, self.ground, self.note, tuple(self.purposes), controller=self.controller)


class HoldLiftIn(BaseModel):
    """The end of a hold before its day."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[StrictStr, Field(description="An e-mail address.")]
    number: _Number
    reason: _Words
    controller: Controller = None

    def lifting(self) -> Lifting:
        return Lifting(self.recipient, "hold_lifted", self.number, self.reason, controller=self.controller)


class RestrictionLiftIn(BaseModel):
    """The end of a restriction. The person has to be told before (Art. 18(3) GDPR)."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[StrictStr, Field(description="An e-mail address.")]
    number: Annotated[StrictInt, Field(ge=0, description=f"{_NUMBER} 0 for one that a restore set.")]
    note: _Words
    person_told_at: Annotated[AwareDatetime, Field(description="When the person was told that it will be lifted.")]
    controller: Controller = None

    def lifting(self) -> Lifting:
        return Lifting(
            self.recipient, "restriction_lifted", self.number, self.note, self.person_told_at, self.controller
        )


class LockedOut(BaseModel):
    """What is stored now."""

    recorded: Annotated[bool, Field(description="False where it was so before.")]
    number: Annotated[int, Field(description="Names the hold or restriction when it is lifted.")]
    evidence: Annotated[str | None, Field(description="The ledger entry that proves it: `<chain>.<seq>`.")]

    @classmethod
    def of(cls, found: Locked) -> Self:
        return cls(recorded=found.is_new, number=found.number, evidence=found.evidence)


class KeptOut(BaseModel):
    """One item that is held."""

    what: Annotated[str, Field(description="`state`, `profile`, `sent`, `payload` (of an event) or `request`.")]
    of: Annotated[str, Field(description="The purpose of a `sent` or `request`, the event's number of a `payload`.")]
    kind: Annotated[str, Field(description="The kind of the event of a `payload`.")]
    why: Annotated[Why, Field(description="What keeps it.")]
    until: Annotated[int | None, Field(description="Epoch seconds from which it is gone; null: nothing ends it yet.")]
    held_until: Annotated[int | None, Field(description="Epoch seconds when the hold that keeps it is over.")]
    rule: Annotated[str | None, Field(description="The retention rule's id; under a lock, the one that runs next.")]
    name: str | None
    legal_source: str | None
    justification: str | None
    review_on: Annotated[str | None, Field(description="The day on which the rule itself is reviewed.")]


class LockOut(BaseModel):
    """A hold or restriction in force."""

    kind: str
    number: int
    ground: str
    until: Annotated[int | None, Field(description="Epoch seconds when it is over by itself; null: when it is lifted.")]
    purposes: Annotated[list[str], Field(description="Ids of what it covers; none for everything.")]


class RetentionOut(BaseModel):
    """Everything that is held about one person, and why. With nothing held the lists are empty."""

    holds_anything: bool
    items: list[KeptOut]
    locks: list[LockOut]

    @classmethod
    def of(cls, found: Account, policy: Policy) -> Self:
        return cls(
            holds_anything=bool(found.items),
            items=[KeptOut(what=one.what, of=one.of, kind=one.kind, **one.reasons._asdict()) for one in found.items],
            locks=[
                LockOut(
                    kind=lock.kind,
                    number=lock.seq,
                    ground=lock.ground,
                    until=lock.until,
                    purposes=names_of(lock, policy),
                )
                for lock in found.locks
            ],
        )


def _seconds(decided: Decided | None) -> int | None:
    return decided.at // 1000 if decided else None


def _duration(period: Period | None) -> str | None:
    """As ISO 8601 writes it."""
    if period is None:
        return None
    return "P" + (f"{period.months}M" if period.months else "") + (f"{period.days}D" if period.days else "")
