"""What holds of every record, however often somebody changed their mind: its proof stays, and then it goes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from builders import NOON, PURPOSE, a_contact, a_policy
from consent_center.domain.chain import Entry
from consent_center.domain.decision import DecisionState
from consent_center.domain.lock import HOLD, Lock
from consent_center.domain.objection import Against
from consent_center.domain.permission import Reason, permission
from consent_center.domain.policy import Period, Policy
from consent_center.domain.retention import EXPIRED, STALE, Keeping, Plan, Why, ended, plan
from consent_center.domain.subject import Act, Randomness, Subject, decide, end_by_itself, tell, timestamp
from consent_center.domain.told import TOLD, About, Telling

POLICY = a_policy()
FADING = Policy(
    {
        **POLICY.raw,
        "purposes": [
            {**row, "stale_after": {"months": 12, "days": 0}} if row["id"] == PURPOSE else row
            for row in POLICY.raw["purposes"]
        ],
        "retention_rules": [
            *POLICY.raw["retention_rules"],
            {
                **POLICY.raw["retention_rules"][0],
                "id": "contact",
                "covers": "contact-data",
                "clock": "last_inbound_contact",
            },
        ],
    }
)
"""The same, where a consent that nobody used for a year is stale."""
TOPICS = ("product-news", "events")
DAY = 86_400_000
YEAR = 366 * DAY

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["given", "withdrawn", "refused", "restored"]),
        st.lists(st.sampled_from(TOPICS), min_size=1, max_size=2, unique=True),
        st.integers(-5 * DAY, 400 * DAY),
        st.none() | st.integers(1, 500),
    ),
    min_size=1,
    max_size=8,
)
"""What was done, to which topics, how long after the act before (a clock may go backwards), and for how many days."""

AFTER = {
    "given": DecisionState.GIVEN,
    "restored": DecisionState.GIVEN,
    "withdrawn": DecisionState.WITHDRAWN,
    "refused": DecisionState.REFUSED,
}


def lived(acts: Sequence[tuple[str, list[str], int, int | None]]) -> tuple[Subject, list[Entry], int]:
    """The record after these acts, its entries, and the moment of the last one."""
    subject, entries, now = Subject(a_contact()), [], NOON
    purpose = POLICY.purpose(PURPOSE)
    for number, (kind, topics, later, days) in enumerate(acts):
        now = max(0, now + later)
        scopes = [purpose.scope(topic, "email") for topic in topics]
        ends = {scope.code: now // 1000 + days * 86400 for scope in scopes} if days else None
        act = Act(kind, by_person=True, facts={}, details={"n": number})
        decision = decide(
            subject,
            [(scope, AFTER[kind]) for scope in scopes],
            act,
            now=now,
            chance=Randomness("chain-1", "salt", "more"),
            valid_until=ends,
        )
        subject, now = decision.subject, decision.subject.last_at
        entries.append(decision.entry)
    return subject, entries, now


def of(subject: Subject, entries: Sequence[Entry], now: int, sent_at: int | None = None) -> Plan:
    return plan(subject, entries, {PURPOSE: sent_at} if sent_at else {}, POLICY, now)


@given(ACTS, st.integers(0, 5 * YEAR), st.none() | st.integers(NOON - YEAR, NOON + 5 * YEAR))
def test_what_proves_a_consent_in_force_has_no_end(
    acts: list[tuple[str, list[str], int, int | None]], later: int, sent_at: int | None
) -> None:
    subject, entries, last = lived(acts)
    now = last + later
    found = of(subject, entries, now, sent_at)
    in_force = [answer for answer in subject.decided.values() if answer.permits_at(now)]

    for answer in in_force:
        assert found.payloads[answer.seq].until is None
        assert answer.seq not in found.bare
    assert (found.state.why is Why.ACTIVE) == bool(in_force)
    if not in_force:
        assert found.state.until is not None
        assert set(found.payloads) == {entry.seq for entry in entries}
        assert all(keeping.until is not None for keeping in found.payloads.values())


@given(ACTS, st.integers(0, 5 * YEAR), st.none() | st.integers(NOON - YEAR, NOON + 5 * YEAR))
def test_time_alone_moves_no_end_that_is_set(
    acts: list[tuple[str, list[str], int, int | None]], later: int, sent_at: int | None
) -> None:
    subject, entries, last = lived(acts)
    before, after = of(subject, entries, last, sent_at), of(subject, entries, last + later, sent_at)

    for seq, keeping in before.payloads.items():
        assert keeping.until is None or after.payloads[seq] == keeping
    assert before.state.until is None or after.state == before.state


@given(ACTS, st.none() | st.integers(NOON - YEAR, NOON + 5 * YEAR))
@example([("given", ["product-news"], 0, None), ("given", ["product-news"], -86_400_001, 1)], None)
def test_nothing_goes_before_its_period_has_passed(
    acts: list[tuple[str, list[str], int, int | None]], sent_at: int | None
) -> None:
    subject, entries, last = lived(acts)
    found = of(subject, entries, last, sent_at)
    period = Period(months=24)

    for entry in entries:
        until = found.payloads[entry.seq].until
        at = round(datetime.fromisoformat(entry.at).timestamp() * 1000)
        assert until is None or until >= period.after_epoch(at)
    assert found.state.until is None or found.state.until >= max(
        period.after_epoch(answer.at) for answer in subject.decided.values()
    )


@given(ACTS, st.integers(0, 5 * YEAR), st.none() | st.integers(NOON - YEAR, NOON + 5 * YEAR), st.sampled_from(About))
def test_that_somebody_was_told_neither_lengthens_nor_shortens_anything(
    acts: list[tuple[str, list[str], int, int | None]], later: int, sent_at: int | None, about: About
) -> None:
    subject, entries, last = lived(acts)
    facts = Telling(about, "1", None, "en", last).facts
    act = Act(TOLD, by_person=False, facts=facts, details={})
    told = tell(subject, act, inform_by=0, now=last + later, chance=Randomness("chain-1", "salt", "more"))
    before = of(subject, entries, last + later, sent_at)
    after = of(told.subject, [*entries, told.entry], last + later, sent_at)

    payloads = dict(after.payloads)
    assert payloads.pop(told.entry.seq) == before.state
    assert replace(after, payloads=payloads, bare=after.bare - {told.entry.seq}) == before
    assert (told.subject.heard_at, told.subject.decided) == (subject.heard_at, subject.decided)


@given(ACTS, st.integers(0, 20 * YEAR), st.sampled_from(["restricted", "hold"]))
def test_a_lock_keeps_everything(acts: list[tuple[str, list[str], int, int | None]], later: int, lock: str) -> None:
    subject, entries, last = lived(acts)
    found = of(replace(subject, locks=(lock,)), entries, last + later)

    assert {found.state.until, found.profile.until, *(keeping.until for keeping in found.payloads.values())} == {None}
    assert not found.bare


@given(ACTS, st.integers(0, 5 * YEAR), st.none() | st.integers(NOON - YEAR, NOON + 5 * YEAR), st.booleans())
@example([("given", ["product-news"], 0, 1)], YEAR, None, False)
def test_noting_an_end_neither_lengthens_nor_shortens_anything(
    acts: list[tuple[str, list[str], int, int | None]], later: int, sent_at: int | None, is_silent: bool
) -> None:
    subject, entries, last = lived(acts)
    if is_silent:
        # Recorded for the person: then contact data count from the newest event.
        subject = replace(subject, heard_at=0)
    now = last + later
    sends = {PURPOSE: sent_at} if sent_at else {}
    before = plan(subject, entries, sends, FADING, now)
    noted, more = subject, list(entries)
    for one in ended(subject, sends, FADING, now):
        decision = end_by_itself(
            noted,
            one.scopes,
            Act(STALE if one.is_stale else EXPIRED, False, {"ended_at": timestamp(one.at * 1000)}, {}),
            ended_at=one.at,
            is_stale=one.is_stale,
            now=now,
            chance=Randomness("chain-1", "salt", "more"),
        )
        noted, more = decision.subject, [*more, decision.entry]
    after = plan(noted, more, sends, FADING, now)

    assert ended(noted, sends, FADING, now) == [], "once"
    assert (after.state.until, after.profile.until) == (before.state.until, before.profile.until)
    assert {seq: after.payloads[seq].until for seq in before.payloads} == {
        seq: keeping.until for seq, keeping in before.payloads.items()
    }
    assert after.review_at == before.review_at
    for topic in TOPICS:
        answer = [
            permission(one, FADING.purpose(PURPOSE), channel="email", topic=topic, now=now, last_send=sent_at).reason
            for one in (subject, noted)
        ]
        # Of a consent that went unused before its day, and whose day is over too, either is true.
        if any(decided.has_ended_at(now) for decided in subject.decided.values()):
            answer = [Reason.EXPIRED if reason is Reason.STALE else reason for reason in answer]
        assert answer[0] == answer[1]


def test_what_an_objection_ended_is_not_noted_as_an_end_by_itself() -> None:
    subject, _, last = lived([("given", ["events"], 0, 1)])
    against = Against.MARKETING.scope
    objected = decide(
        subject,
        [(against, DecisionState.OBJECTED)],
        Act("objected", True, {}, {}),
        now=last + 1,
        chance=Randomness("chain-1", "salt", "more"),
    ).subject

    assert [one.is_stale for one in ended(subject, {}, POLICY, last + 2 * DAY)] == [False]
    assert ended(objected, {}, POLICY, last + 2 * DAY) == []


def test_a_lock_of_one_purpose_keeps_its_proof_and_the_state_and_not_the_profile() -> None:
    subject, entries, last = lived([("given", ["events"], 0, None), ("withdrawn", ["events"], DAY, None)])
    with_hold = replace(subject, locks=(str(Lock(HOLD, 3, last // 1000 + 86_400, "person", ("dm",))),))
    elsewhere = replace(subject, locks=(str(Lock(HOLD, 3, None, "person", ("tr",))),))
    free = of(subject, entries, last)

    held = of(with_hold, entries, last)
    assert held.state == Keeping(Why.LOCKED, None, "proof", last // 1000 + 86_400)
    assert set(held.payloads.values()) == {held.state}
    assert held.profile == free.profile
    assert held.review_at == last // 1000 + 86_400
    assert of(with_hold, entries, last + DAY) == of(subject, entries, last + DAY), "a hold is over at its second"
    assert of(elsewhere, entries, last).payloads == free.payloads
    assert of(elsewhere, entries, last).state.why is Why.LOCKED


@given(st.datetimes(datetime(1980, 1, 1), datetime(2090, 12, 31)), st.integers(0, 120), st.integers(0, 400))  # noqa: DTZ001
@example(datetime(2028, 2, 29), 12, 0)  # noqa: DTZ001
@example(datetime(2027, 10, 31, 2, 30), 6, 0)  # noqa: DTZ001
def test_a_period_ends_on_the_same_day_of_a_later_month_or_on_its_last(start: datetime, months: int, days: int) -> None:
    start = start.replace(tzinfo=UTC)
    end = Period(months).after(start)

    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)
    assert end.time() == start.time()
    assert Period(months, days).after(start) >= end
