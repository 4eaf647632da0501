"""What the API takes and gives, as its OpenAPI description says it."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from consent_center.domain.permission import Reason
from consent_center.usecases.check import Answer

MOST_RECIPIENTS = 1_000


class PermissionChecksIn(BaseModel):
    """One purpose and channel, perhaps one topic, and the people a letter is meant for."""

    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[StrictStr, Field(description="The purpose's id in the policy.")]
    channel: Annotated[StrictStr, Field(description="`email`.")]
    topic: Annotated[
        StrictStr | None,
        Field(description="The topic's id. Without it the answer is a yes if any topic of the purpose is given."),
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

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Self:
        return cls(
            results=[
                PermissionOut(
                    index=index,
                    allowed=answer.permission.allowed,
                    reason=answer.permission.reason,
                    evidence=answer.permission.evidence,
                    valid_until=answer.permission.valid_until,
                    send_id=answer.send_id,
                    headers=answer.headers,
                    why_url=answer.why_url,
                    may_track_opens=answer.recording.opens,
                    may_track_clicks=answer.recording.clicks,
                    may_profile=answer.recording.profile,
                )
                for index, answer in enumerate(answers)
            ]
        )
