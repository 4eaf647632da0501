"""Audiences: files that say to a mail tool whom a purpose may write to, until when, and who left since.

Whether somebody is in one is never decided here: it is what `AskedAbout` answers, the same as before every letter. It
is asked twice, for the moment of the file and for its end, because a file outlives the moment that it was made at.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from consent_center.domain.errors import UnknownNameError
from consent_center.domain.permission import NOTHING_RECORDED, AskedAbout, Permission, Reason, Recording, RecordingRules
from consent_center.domain.policy import Policy, Purpose
from consent_center.domain.subject import Subject, timestamp
from consent_center.domain.suppression import Suppression

CHANNEL = "email"
"""Audiences are addresses of e-mail."""

VALID_FOR_MS = 36 * 3_600_000
"""How long a file may be used: over the next nightly run, and half a day for somebody to see that there was none."""

ENDS_SOON = "ends_soon"
"""Left out: time alone will say no before the file's end, because a consent ends, or goes stale."""

NO_ADDRESS = "no_address"
"""Left out: the record no longer holds an address to write to."""

FORMAT = 1


class AudienceRun(NamedTuple):
    """One making of an audience. `id` sorts as time does; the times are epoch milliseconds."""

    id: str
    purpose: str
    made_at: int
    valid_until: int

    @classmethod
    def beginning(cls, purpose: str, now: int) -> "AudienceRun":
        """The run that begins at `now` (epoch milliseconds); two that begin at once are the same."""
        return cls(stamp(now), purpose, now, now + VALID_FOR_MS)


def stamp(at: int) -> str:
    """A moment (epoch milliseconds) as it stands in names of files: it sorts as time does."""
    return timestamp(at).replace("-", "").replace(":", "").replace(".", "")


class Reached(NamedTuple):
    """Where a person is written to, and in which language."""

    address: str
    language: str
    normalised: str
    """The address as it is compared."""

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return "Reached(…)"


@dataclass(frozen=True, slots=True)
class Member:
    """What a file says of one contact point, or why it says nothing."""

    permission: Permission
    topics: tuple[str, ...] = ()
    recording: Recording = NOTHING_RECORDED
    valid_until: int | None = None
    """The earliest end of what allows, in epoch seconds, if any has one."""
    left_out: str | None = None


class AudienceRules:
    """Says who belongs to the audience of one purpose. Worked out once, not per person."""

    def __init__(self, policy: Policy, purpose_id: str) -> None:
        """UnknownNameError for a purpose that the policy lacks, or that is no marketing by e-mail."""
        self.purpose: Purpose = policy.purpose(purpose_id)
        if not self.purpose.marketing or CHANNEL not in self.purpose.channels:
            raise UnknownNameError("audience")
        self._any = AskedAbout(self.purpose, CHANNEL, None)
        self._topics = {
            topic.id: AskedAbout(self.purpose, CHANNEL, topic.id) for topic in self.purpose.topics if not topic.retired
        }
        self._recording = RecordingRules(policy, self.purpose.controller, CHANNEL)

    def needs_last_send(self, subject: Subject, now: int, until: int) -> bool:
        """Whether the answers at `now` or `until` depend on when the last letter went out (both epoch milliseconds)."""
        return self._any.needs_last_send(subject, now) or self._any.needs_last_send(subject, until)

    def member(
        self,
        subject: Subject,
        *,
        now: int,
        until: int,
        last_send: int | None = None,
        also: Suppression | None = None,
    ) -> Member:
        """What the file says of a contact point from `now` until its end at `until` (both epoch milliseconds).

        `last_send` in epoch milliseconds, where `needs_last_send`; `also` is the suppression of the address without its
        tag, if it has one.
        """
        permission = self._any.permission(subject, now, last_send, also)
        if not permission.allowed:
            return Member(permission, left_out=permission.reason.value)
        answers = {
            topic: answer
            for topic, asked in self._topics.items()
            if (answer := asked.permission(subject, now, last_send, also)).allowed
            and asked.permission(subject, until, last_send, also).allowed
        }
        stays = bool(answers) if self._topics else self._any.permission(subject, until, last_send, also).allowed
        if not stays:
            return Member(permission, left_out=ENDS_SOON)
        # The newest yes proves all topics that it covers; each topic's own end counts for the row.
        ends = [answer.valid_until for answer in (*answers.values(), permission) if answer.valid_until is not None]
        return Member(permission, tuple(answers), self._recording.of(subject, now), min(ends, default=None))


def row(subject: Subject, member: Member, reached: Reached) -> str:
    """One line of an audience: who, in which language, about what, and what proves it."""
    return _line({"contact": subject.chain, "address": reached.address, **_said(member, reached)})


def change_row(subject: Subject, member: Member, reached: Reached | None, looked_at: int) -> str:
    """One line about somebody who decided: whether they may be written to now, and why.

    `looked_at` in epoch milliseconds: of two lines about one contact the later counts, and of two at once the no.
    Somebody without an address cannot be written to, whatever was decided.
    """
    may = member.left_out is None and reached is not None
    said: dict[str, Any] = {"contact": subject.chain, "may": may, "at": timestamp(looked_at)}
    if reached is not None:
        said["address"] = reached.address
    if may and reached is not None:
        return _line({**said, "reason": member.permission.reason.value, **_said(member, reached)})
    return _line({**said, "reason": member.left_out or NO_ADDRESS})


def gone_row(chain: str, looked_at: int) -> str:
    """One line about a chain that no record has any more; `looked_at` in epoch milliseconds."""
    return _line({"contact": chain, "may": False, "at": timestamp(looked_at), "reason": Reason.NO_RECORD.value})


def _said(member: Member, reached: Reached) -> dict[str, Any]:
    return {
        "language": reached.language,
        "topics": list(member.topics),
        "may_track_opens": member.recording.opens,
        "may_track_clicks": member.recording.clicks,
        "may_profile": member.recording.profile,
        "evidence": member.permission.evidence,
        "valid_until": timestamp(member.valid_until * 1000) if member.valid_until is not None else None,
    }


def _line(said: Mapping[str, Any]) -> str:
    # ASCII only: no sign that some reader takes for the end of a line.
    return json.dumps(said, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class AudiencePart:
    """What became of one shard: its file, and whom it looked at. No person."""

    shard: int
    name: str
    """The file's name within the run: it carries the beginning of its SHA-256, so it never means two things."""
    sha256: str
    size: int
    """Bytes, as they lie there."""
    looked_at: int
    included: int
    left_out: Mapping[str, int]
    """How many were left out, by reason."""

    def written(self) -> str:
        return json.dumps({name: getattr(self, name) for name in AudiencePart.__slots__}, sort_keys=True)

    @classmethod
    def read(cls, text: str) -> "AudiencePart":
        """ValueError for what is no such part."""
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError("no part") from error


def manifest(run: AudienceRun, parts: Iterable[AudiencePart], policy: Policy) -> str:
    """What stands beside the parts once all are there: the same from whoever writes it."""
    ordered = sorted(parts, key=lambda part: part.shard)
    left_out: Counter[str] = Counter()
    for part in ordered:
        left_out.update(part.left_out)
    return json.dumps(
        {
            "format": FORMAT,
            "purpose": run.purpose,
            "channel": CHANNEL,
            "run": run.id,
            "made_at": timestamp(run.made_at),
            "valid_until": timestamp(run.valid_until),
            "policy": policy.hash,
            "notice": policy.notice_of(policy.purpose(run.purpose).controller).version,
            "looked_at": sum(part.looked_at for part in ordered),
            "included": sum(part.included for part in ordered),
            "left_out": dict(sorted(left_out.items())),
            "parts": [
                {"name": part.name, "sha256": part.sha256, "bytes": part.size, "rows": part.included}
                for part in ordered
            ],
        },
        indent=1,
    )
