"""How long a record stays: a person is walked through years, on the fake, on moto and on the local engine.

At each step stand the ends that the items get, and what a check answers at that moment.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from builders import PEOPLE, PURPOSE, a_policy
from consent_center.adapters.addresses import parse_address
from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.retention import DynamoRemovals, DynamoRetention, DynamoReviewIndex
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.domain import wishes
from consent_center.domain.chain import verify
from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import StaleSubjectError
from consent_center.domain.lock import Ground, Interest
from consent_center.domain.objection import Against
from consent_center.domain.policy import Policy
from consent_center.domain.retention import Reasons, Why
from consent_center.ports.letters import Part
from consent_center.ports.people import Dossier, End, Removal, Retention, Send
from consent_center.usecases.editions import CHAIN, note_editions
from consent_center.usecases.locks import Lifting, Locking, lift_lock, set_lock
from consent_center.usecases.record import Proof, Statement, record_decision
from consent_center.usecases.retention import Reconsidered, look_into, reconsider
from consent_center.usecases.suppress import erase
from consent_center.usecases.why_kept import why_kept
from fakes import (
    CollectingRemovals,
    CollectingReviews,
    InMemoryLedger,
    InMemoryRetention,
    InMemorySubjects,
    SettableClock,
    no_pause,
)
from policy_compiler import library, periods
from usecase_world import World

RULES: Mapping[str, dict[str, Any]] = {
    "proof": {"covers": "marketing-evidence", "clock": "last_send", "period": (36, 0), "never_sent": (6, 0)},
    "tracking-proof": {"covers": "consent-evidence", "clock": "decision", "period": (6, 0)},
    "contact": {"covers": "contact-data", "clock": "last_inbound_contact", "period": (24, 0)},
    "list": {"covers": "suppression", "clock": "creation", "period": (36, 0)},
}


LIBRARY: Mapping[str, dict[str, Any]] = {
    rule.id: {
        "covers": rule.covers,
        "clock": rule.clock,
        "period": tuple(periods.parse(rule.period).values()),
        "never_sent": tuple(periods.parse(rule.never_sent).values()) if rule.never_sent else None,
    }
    for rule in library.rules()
}
"""The named rules that a policy may choose."""


def a_policy_with(rules: Mapping[str, dict[str, Any]] = RULES) -> Policy:
    def period(value: tuple[int, int] | None) -> dict[str, int] | None:
        return {"months": value[0], "days": value[1]} if value else None

    compiled = dict(a_policy().raw)
    compiled["retention_rules"] = [
        {
            "id": name,
            "name": {"en": name},
            "hold": False,
            **rule,
            "period": period(rule["period"]),
            "never_sent": period(rule.get("never_sent")),
        }
        for name, rule in rules.items()
    ]
    compiled["purposes"] = [
        {**purpose, "retention": "tracking-proof"} if purpose["id"] == "tracking" else purpose
        for purpose in compiled["purposes"]
    ]
    return Policy(compiled)


def fading(policy: Policy) -> Policy:
    """The same policy, where a consent that nobody used for a year is stale."""
    return changed(policy, stale_after={"months": 12, "days": 0})


def changed(policy: Policy, **row: Any) -> Policy:
    purposes = [{**one, **row} if one["id"] == PURPOSE else one for one in policy.raw["purposes"]]
    return Policy({**policy.raw, "purposes": purposes})


def moment(day: str) -> int:
    """Noon of a day, in epoch seconds."""
    return int(datetime.fromisoformat(f"{day}T12:00+00:00").timestamp())


@dataclass
class Years:
    """One person and a clock that can be set to a day."""

    world: World
    retention: Retention
    clock: SettableClock

    def on(self, day: str) -> "Years":
        self.clock.now = moment(day) * 1000
        return self

    def gives(self) -> None:
        # Whoever asks again does so after the decision before.
        self.clock.move(ms=1)
        self.world.confirm(self.world.asked())

    def is_sent_a_letter(self) -> None:
        (answer,) = self.world.check(record_send=True)
        assert answer.permission.allowed

    def stops(self) -> None:
        assert self.world.withdraw(self.world.stop_token())[1]

    def presses(self, wish: wishes.Wish) -> None:
        assert self.world.wish(self.world.manage_token(), wish)

    def is_held(self, until: str, purposes: tuple[str, ...] = ()) -> int:
        end = datetime.fromtimestamp(moment(until), UTC)
        return self._sets(Locking(PEOPLE[0], Interest.PERSON, "claim 17", purposes, end))

    def is_restricted(self) -> int:
        return self._sets(Locking(PEOPLE[0], Ground.CLAIMS, "asked by phone"))

    def _sets(self, locking: Locking) -> int:
        locked = set_lock(locking, client="crm", addresses=parse_address, **self.world.deciding)
        assert locked.is_new
        return locked.number

    def lift_restriction(self, number: int) -> None:
        lifting = Lifting(PEOPLE[0], "restriction_lifted", number, "settled", datetime.fromtimestamp(0, UTC))
        assert lift_lock(lifting, client="crm", addresses=parse_address, **self.world.deciding).is_new

    def told(self) -> dict[str, Reasons]:
        """Why each item is still here."""
        account = why_kept(
            PEOPLE[0],
            policy=self.world.policy,
            subjects=self.world.subjects,
            retention=self.retention,
            ledger=self.world.ledger or InMemoryLedger(self.world.subjects),
            addresses=parse_address,
            secrets=self.world.secrets,
            clock=self.clock,
        )
        return {f"{item.what} {item.of}".strip(): item.reasons for item in account.items}

    def look(self) -> Reconsidered:
        return reconsider(
            self.world.contact(),
            policy=self.world.policy,
            subjects=self.world.subjects,
            retention=self.retention,
            ledger=self.world.ledger or InMemoryLedger(self.world.subjects),
            chance=self.world.chance,
            clock=self.clock,
            pause=no_pause,
        )

    def reconsider(self) -> int:
        return self.look().changed

    @property
    def dossier(self) -> Dossier:
        found = self.retention.dossier(self.world.contact())
        assert found is not None
        return found

    def ends(self) -> dict[str, str | None]:
        """The day on which each item goes, once they have been worked out."""
        self.reconsider()
        assert self.reconsider() == 0, "working it out again changes nothing"
        return {
            f"{part.kind} {part.of}".split("#", maxsplit=1)[0].strip(): end
            and datetime.fromtimestamp(end.at, UTC).date().isoformat()
            for part, end in self.dossier.ends.items()
        }

    def says(self, topic: str | None = None) -> str:
        return self.world.reason(topic)


@pytest.fixture(params=["in memory", "moto", "engine"])
def years(request: pytest.FixtureRequest) -> Years:
    clock, policy = SettableClock(), a_policy_with()
    if request.param == "in memory":
        subjects = InMemorySubjects(clock=clock)
        world = World(policy=policy, subjects=subjects, ledger=InMemoryLedger(subjects), clock=clock)
        return Years(world, InMemoryRetention(subjects), clock)
    database: Database = request.getfixturevalue(f"{request.param}_database")
    stored = DynamoSubjects(database, no_pause, clock)
    world = World(policy=policy, subjects=stored, ledger=DynamoLedger(), clock=clock)
    return Years(world, DynamoRetention(database, clock), clock)


SENT = f"sent {PURPOSE}"


def test_proof_stays_while_a_consent_is_in_force_and_three_years_after_the_last_letter(years: Years) -> None:
    years.on("2028-01-31").gives()
    assert set(years.ends().values()) == {None}

    years.on("2030-02-28").is_sent_a_letter()
    assert set(years.ends().values()) == {None}
    assert years.on("2035-01-01").says() == "given"

    years.on("2035-03-10").stops()
    # Nothing was sent after the last letter, so the later of the two is the withdrawal.
    assert years.ends() == {
        "state": "2038-03-10",
        SENT: "2038-03-10",
        "payload 1": "2038-03-10",
        "payload 2": "2038-03-10",
        "profile": "2037-03-10",
    }
    assert years.on("2038-03-09").says() == "withdrawn"
    assert years.on("2038-03-10").says() == "no_record"
    assert years.retention.dossier(years.world.contact()) is None
    assert years.world.subjects.payloads("name0000000000000000000000") == {}


def test_whoever_was_never_sent_anything_is_kept_for_the_shorter_period(years: Years) -> None:
    years.on("2027-08-31").gives()
    years.on("2027-08-31").stops()

    # The last day of a shorter month (Reg. 1182/71, Art. 3(2)(c)), and a leap year.
    assert years.ends()["state"] == "2028-02-29"
    assert years.on("2028-02-28").says() == "withdrawn"
    assert years.on("2028-02-29").says() == "no_record"


def test_a_letter_before_an_earlier_consent_ended_says_nothing_about_a_later_one(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.on("2028-02-10").is_sent_a_letter()
    years.on("2028-03-10").stops()
    years.on("2029-01-10").gives()
    years.on("2029-02-10").stops()

    ends = years.ends()
    assert ends["payload 1"] == ends["payload 2"] == "2031-03-10"
    assert ends["payload 3"] == ends["payload 4"] == ends["state"] == "2029-08-10"


def test_a_consent_given_again_is_kept_while_the_proof_of_the_one_before_runs_out(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.on("2028-03-10").stops()
    years.on("2028-04-10").gives()

    assert years.ends() == {
        "state": None,
        "profile": None,
        "payload 1": "2028-09-10",
        "payload 2": "2028-09-10",
        "payload 3": None,
    }
    assert years.on("2028-09-10").says() == "given"
    assert sorted(years.world.subjects.payloads(years.dossier.subject.chain)) == [3]


def test_undoing_a_withdrawal_takes_up_the_consent_that_it_had_ended(years: Years) -> None:
    years.on("2028-01-10").gives()
    token = years.world.manage_token()
    done = years.world.wish(token, wishes.stop_everything(years.world.policy))
    assert years.ends()["payload 1"] == "2028-07-10"
    years.world.undo(token, done)

    assert set(years.ends().values()) == {None}
    assert years.says() == "given"


def test_a_consent_that_ends_by_itself_is_looked_at_again_on_that_day(years: Years) -> None:
    tracking = years.world.policy.purpose("tracking")
    years.on("2028-01-10").gives()
    page = years.world.page(years.world.manage_token())
    (opens,) = [row for row in page.recorded[0].rows if row.topic and row.topic.id == "opens"]
    assert opens.wording is not None
    years.presses(wishes.start(years.world.policy, tracking, "opens", opens.wording.hash))
    years.reconsider()
    assert years.dossier.review_on == "2029-01-10"
    assert years.told()["payload 2"][:2] == (Why.ACTIVE, None)

    years.on("2029-01-11")
    assert years.look().noted == ("expired",)
    assert years.look().noted == ()
    assert years.world.kinds() == ["given", "given", "expired"]
    # As long as if nobody had noted it: from the end on, and not from the note.
    assert years.ends()["payload 2"] == years.ends()["payload 3"] == "2029-07-10"
    assert years.dossier.review_on is None
    (row,) = [
        row
        for row in years.world.page(years.world.manage_token()).recorded[0].rows
        if row.topic and row.topic.id == "opens"
    ]
    assert (row.is_on, row.ended_at) == (False, moment("2029-01-10"))


def test_a_consent_that_nobody_uses_becomes_stale_and_its_proof_runs_out(years: Years) -> None:
    years.world.policy = fading(years.world.policy)
    years.on("2028-01-10").gives()
    years.on("2028-05-10").is_sent_a_letter()
    years.reconsider()
    # Two months before, so that somebody can still do something about it.
    assert years.dossier.review_on == "2029-03-10"
    assert years.on("2029-03-10").look().going_stale == ((PURPOSE, moment("2029-05-10")),)
    assert (years.look().going_stale, years.dossier.review_on) == ((), "2029-05-10"), "each is told of once"

    years.on("2029-05-09").is_sent_a_letter()
    # Sending moves no record; on the day of the review the new date is found.
    assert set(years.on("2029-05-10").ends().values()) == {None}
    assert (years.dossier.review_on, years.says()) == ("2030-03-09", "given")

    years.on("2030-05-10")
    assert years.says() == "stale"
    token = years.world.manage_token()
    assert years.look().noted == ("stale",)
    assert years.world.kinds() == ["given", "stale"]
    assert (years.says(), years.says("events")) == ("stale", "stale"), "the note changes no answer"
    (row,) = [row for row in years.world.page(token).received[0].rows if row.scope.topic == "events"]
    assert (row.is_on, row.ended_at) == (False, moment("2030-05-09"))
    assert years.ends()["state"] == "2033-05-09"
    assert years.dossier.review_on is None


def test_a_request_that_is_older_than_the_note_of_an_end_can_still_be_confirmed(years: Years) -> None:
    years.world.policy = fading(years.world.policy)
    years.on("2028-01-10").gives()
    years.on("2028-02-01").is_sent_a_letter()
    token = years.on("2029-01-31").world.asked()
    years.on("2029-02-02")
    assert years.look().noted == ("stale",)

    assert years.world.confirm(token)[1]
    assert years.says() == "given"
    assert years.world.kinds() == ["given", "stale", "given"]


def test_whoever_decides_while_an_end_is_noted_comes_first(years: Years) -> None:
    years.world.policy = fading(years.world.policy)
    years.on("2028-01-10").gives()
    token = years.on("2029-01-10").world.asked()
    retention, contact = years.retention, years.world.contact()

    class Slow:
        """Hands over a record, and then the person confirms before anything is stored."""

        def __init__(self) -> None:
            self.keep = retention.keep
            self.is_first = True

        def dossier(self, contact: ContactPoint) -> Dossier | None:
            found = retention.dossier(contact)
            if self.is_first:
                self.is_first = False
                assert years.world.confirm(token)[1]
            return found

    years.retention = Slow()
    assert years.look().noted == ()
    years.retention = retention
    assert years.world.kinds() == ["given", "given"]
    assert (years.says(), retention.dossier(contact) is not None) == ("given", True)


def test_who_agrees_again_while_two_ends_are_noted_has_agreed(years: Years) -> None:
    tracking = {"valid_for": {"months": 6, "days": 0}, "double_opt_in": False}
    letters = {"valid_for": {"months": 12, "days": 0}}
    rows = {PURPOSE: letters, "tracking": tracking}
    raw = years.world.policy.raw
    years.world.policy = Policy(
        {**raw, "purposes": [{**purpose, **rows.get(purpose["id"], {})} for purpose in raw["purposes"]]}
    )
    years.on("2028-01-10").gives()
    token = years.world.manage_token()
    row = next(row for card in years.world.page(token).recorded for row in card.rows)
    years.presses(wishes.start(years.world.policy, row.purpose, row.topic.id, row.wording.hash))
    token = years.on("2029-02-10").world.asked()
    retention = years.retention

    class Slow:
        """Lets the person confirm once the first of the two ends is noted, just before the record is read again."""

        def __init__(self) -> None:
            self.keep = retention.keep
            self.reads = 0

        def dossier(self, contact: ContactPoint) -> Dossier | None:
            self.reads += 1
            if self.reads == 2:
                assert years.world.confirm(token)[1]
            return retention.dossier(contact)

    years.retention = Slow()
    assert years.look().noted == ("expired",)
    years.retention = retention
    assert years.world.kinds() == ["given", "given", "expired", "given"]
    assert years.says() == "given"


def test_a_fingerprint_that_is_kept_is_told_with_its_rule_and_end(years: Years) -> None:
    years.on("2028-01-10").gives()
    door = {"source": "operator", "client": "operator", "controller": "fjordmeter"}
    erase(parse_address(PEOPLE[0]), keep_fingerprint=True, **door, **years.world.deciding)

    (kept,) = years.on("2028-03-10").told().values()
    assert (kept.why, kept.rule, kept.until) == (Why.RULE, "list", moment("2031-01-10"))
    assert years.on("2031-03-10").told() == {}


def test_a_send_that_was_on_its_way_when_its_person_was_erased_ends_at_once(years: Years) -> None:
    contact = years.world.contact()
    years.world.subjects.record_sends([Send(contact, PURPOSE, years.clock())])
    assert years.world.subjects.holdings(contact).last_sends

    assert [years.reconsider(), years.reconsider()] == [1, 0]
    assert not years.world.subjects.holdings(contact).last_sends


def test_whoever_agrees_again_after_it_went_stale_has_agreed_again(years: Years) -> None:
    years.world.policy = fading(years.world.policy)
    years.on("2028-01-10").gives()
    token = years.on("2029-01-10").world.asked()
    assert years.says() == "stale"

    assert years.world.confirm(token)[1]
    assert years.says() == "given"
    assert not years.world.confirm(token)[1], "once"
    assert years.world.kinds() == ["given", "given"]
    assert set(years.ends().values()) == {None}


@pytest.mark.parametrize(
    ("rule", "sent", "end"),
    [
        ("dk-ombudsman", "2028-03-01", "2030-05-01"),
        ("dk-ombudsman", None, "2028-11-01"),
        ("dk-dpa", "2028-03-01", "2028-11-01"),
        ("dk-dpa", None, "2028-11-01"),
        ("seed", "2028-03-01", "2031-05-01"),
        ("seed", None, "2028-11-01"),
    ],
)
def test_a_named_rule_walks_with_a_person_from_given_to_gone(
    years: Years, rule: str, sent: str | None, end: str
) -> None:
    years.world.policy = changed(a_policy_with({**RULES, **LIBRARY}), retention=rule)
    years.on("2028-01-10").gives()
    assert years.told()["payload 1"][:4] == (Why.ACTIVE, None, None, rule)
    if sent is not None:
        years.on(sent).is_sent_a_letter()
    assert set(years.ends().values()) == {None}

    years.on("2028-05-01").stops()
    assert years.ends()["state"] == years.ends()["payload 1"] == years.ends()["payload 2"] == end
    assert years.told()["payload 1"][:4] == (Why.RULE, moment(end), None, rule)

    years.on("2028-06-01").is_held(until="2028-09-01")
    assert {ended for part, ended in years.ends().items()} == {None}
    assert years.told()["payload 1"][:4] == (Why.LOCKED, None, moment("2028-09-01"), rule)

    restriction = years.on("2028-08-01").is_restricted()
    assert years.told()["payload 1"][:4] == (Why.LOCKED, None, None, rule), "no end is known while it is restricted"
    assert years.says() == "restricted"
    years.on("2028-10-01").lift_restriction(restriction)
    assert years.ends()["payload 1"] == years.ends()["state"] == end
    assert years.says() == "withdrawn"

    years.clock.now = moment(end) * 1000 - 1
    assert years.says() == "withdrawn"
    years.clock.move(ms=1)
    assert years.says() == "no_record"
    # Contact data have a clock of their own.
    assert set(years.told()) <= {"profile"}
    years.clock.now = max(years.clock(), moment("2030-05-01") * 1000)
    assert years.told() == {}, "nothing is held"


def test_a_rule_of_a_jurisdiction_counts_where_the_decision_names_it(years: Years) -> None:
    policy = changed(
        a_policy_with({**RULES, **LIBRARY}), retention="dk-ombudsman", retention_in={"NO": "dk-dpa", "DK": "seed"}
    )
    country = {**policy.raw["controllers"][0], "country": "DK"}
    years.world.policy = Policy({**policy.raw, "jurisdictions": ["DK", "NO", "SE"], "controllers": [country]})
    rules = {}
    for jurisdiction, person in ((None, PEOPLE[0]), ("NO", PEOPLE[1]), ("SE", PEOPLE[2])):
        years.on("2028-01-10")
        at = datetime.fromtimestamp(years.clock() / 1000, UTC)
        proof = Proof(at, "by phone", ("Yes",), "en", None, None, at, jurisdiction)
        statement = Statement(person, DecisionState.GIVEN, PURPOSE, ("events",), None, proof)
        record_decision(statement, client="crm", addresses=parse_address, **years.world.deciding)
        found = years.retention.dossier(years.world.contact(person))
        assert found is not None
        ledger = years.world.ledger or InMemoryLedger(years.world.subjects)
        rules[jurisdiction] = look_into(found, policy=years.world.policy, ledger=ledger, now=years.clock()).state.rule

    assert rules == {None: "seed", "NO": "dk-dpa", "SE": "dk-ombudsman"}


def test_an_edition_is_entered_into_the_ledger_once_and_its_chain_verifies(years: Years) -> None:
    ledger = years.world.ledger or InMemoryLedger(years.world.subjects)
    compiled = dict(years.world.policy.raw)
    older = {**compiled["notices"][0], "version": "2026-01-01"}

    def note(*versions: str) -> list[str]:
        notices = [*compiled["notices"], *({**older, "version": one} for one in versions)]
        policy = Policy({**compiled, "notices": [older, *notices], "current_notice": notices[-1]["version"]})
        return note_editions(policy=policy, ledger=ledger, chance=years.world.chance, clock=years.clock)

    known = len(ledger.entries(CHAIN))
    assert known == 0
    assert note() == ["2026-11-01"], "nobody was shown the older one here"
    assert note() == []
    years.clock.now -= 86_400_000
    assert note("2027-01-01", "2027-02-01") == ["2027-01-01", "2027-02-01"]
    entries = ledger.entries(CHAIN)
    assert verify(CHAIN, entries) == []
    assert [entry.body["notice"] for entry in entries] == ["2026-11-01", "2027-01-01", "2027-02-01"]
    assert entries[0].body["notice_hashes"] == {"en": "a" * 64}
    with pytest.raises(StaleSubjectError):
        ledger.append(entries[1])


def test_an_objection_stays_for_the_period_of_the_list(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.on("2028-02-01").presses(wishes.object_to_all(years.world.policy, Against.MARKETING))

    ends = years.ends()
    assert (ends["state"], ends["payload 2"], ends["payload 1"]) == ("2031-02-01", "2031-02-01", "2028-08-01")
    assert years.on("2031-01-31").says() == "objected"
    assert years.on("2031-02-01").says() == "no_record"


def test_our_own_letters_are_no_word_from_the_person(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.on("2030-01-10").is_sent_a_letter()
    years.world.policy = a_policy_with({**RULES, "contact": {**RULES["contact"], "period": (1, 0)}})
    years.on("2030-02-01").stops()

    assert years.ends()["profile"] == "2030-03-01"


def test_the_profile_goes_before_the_proof_and_nobody_is_mailed_any_more(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.on("2028-02-10").is_sent_a_letter()
    years.on("2028-03-10").stops()
    years.reconsider()

    assert years.world.subjects.holdings(years.world.contact()).profile is not None
    held = years.on("2030-03-10").world.subjects.holdings(years.world.contact())
    assert held.profile is None
    assert held.subject.chain is not None


def test_a_restriction_stops_every_clock_until_it_is_lifted(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.stops()
    assert years.ends()["state"] == "2028-07-10"
    number = years.is_restricted()
    assert set(years.ends().values()) == {None}
    assert years.on("2040-01-01").says() == "restricted"
    assert {reasons.why for reasons in years.told().values()} == {Why.LOCKED}
    years.lift_restriction(number)
    # What ended meanwhile goes now, and not on a day that DynamoDB takes for a mistake.
    assert years.reconsider()
    assert years.retention.dossier(years.world.contact()) is None
    assert years.told() == {}


def test_a_hold_stops_every_clock_until_its_day_and_then_is_no_hold(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.stops()
    years.on("2028-07-01").is_held(until="2029-03-01")
    assert set(years.ends().values()) == {None}
    assert years.dossier.review_on == "2029-03-01"
    assert years.on("2029-02-28").says() == "withdrawn", "a hold stops no clock but those of keeping, and no answer"
    (why,) = {(told.why, told.until, told.rule) for told in years.told().values() if told.rule == "proof"}
    assert why == (Why.LOCKED, None, "proof")

    # Nobody lifts it: from its second on everything is as if it were not there.
    years.on("2029-03-01")
    assert set(years.told()) == {"profile"}
    assert years.reconsider()
    assert years.retention.dossier(years.world.contact()) is None
    # Contact data have a clock of their own.
    assert years.told()["profile"][:4] == (Why.RULE, moment("2030-01-10"), None, "contact")
    years.clock.now = moment("2030-01-10") * 1000
    assert years.told() == {}, "nothing is held"


def test_a_hold_that_is_over_before_the_period_is_changes_nothing(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.is_sent_a_letter()
    years.on("2028-02-10").stops()
    years.is_held(until="2028-12-01")
    years.reconsider()
    years.on("2028-12-02")

    assert years.ends()["payload 1"] == years.ends()["payload 2"] == "2031-02-10"
    assert years.dossier.review_on is None


def test_a_hold_of_another_purpose_leaves_the_proof_to_its_clock(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.stops()
    years.is_held(until="2028-12-01", purposes=("tracking",))

    ends = years.ends()
    assert (ends["payload 1"], ends["payload 2"], ends["state"]) == ("2028-07-10", "2028-07-10", None)


def test_the_circumstances_go_once_nothing_in_force_rests_on_them(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.clock.move(days=1)
    years.reconsider()
    assert years.dossier.with_circumstances == {1}

    years.stops()
    years.reconsider()
    # The consent is over; the withdrawal can still be undone.
    assert years.dossier.with_circumstances == {2}
    years.clock.move(seconds=15 * 60)
    years.reconsider()
    assert years.dossier.with_circumstances == frozenset()
    kept = years.world.subjects.payloads(years.dossier.subject.chain)
    assert kept[1].content["address"] == PEOPLE[0]
    assert years.world.kinds() == ["given", "withdrawn"], "the chain verifies without them"


def test_whoever_returns_after_everything_has_gone_begins_a_new_chain(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.stops()
    years.reconsider()
    first = years.dossier.subject.chain
    years.on("2030-07-10").gives()

    assert years.says() == "given"
    assert years.world.subjects.holdings(years.world.contact()).profile is not None
    assert years.dossier.subject.chain != first
    assert years.world.kinds() == ["given"]
    assert set(years.ends().values()) == {None}


def test_what_was_decided_meanwhile_is_looked_at_again(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.stops()
    stale = years.dossier
    years.gives()

    with pytest.raises(StaleSubjectError):
        years.retention.keep(stale, {Part("state"): End(1)}, (), None)
    assert set(years.ends().values()) - {None} == {"2028-07-10"}
    assert years.ends()["state"] is None


def test_a_send_that_is_confirmed_after_the_end_was_given_counts_and_ends_with_the_rest(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.is_sent_a_letter()
    years.stops()
    assert years.ends()["state"] == "2031-01-10"
    years.on("2028-01-15")
    years.world.subjects.record_sends([Send(years.world.contact(), PURPOSE, years.clock())])

    assert years.dossier.ends[Part("sent", f"{PURPOSE}#email")] is None
    ends = years.ends()
    assert ends["state"] == ends[SENT] == ends["payload 1"] == "2031-01-15"


def test_a_send_that_is_recorded_again_has_no_end(years: Years) -> None:
    years.on("2028-01-10").gives()
    years.is_sent_a_letter()
    years.stops()
    years.reconsider()
    years.gives()
    years.world.subjects.record_sends([Send(years.world.contact(), PURPOSE, years.clock())])

    assert years.dossier.ends[Part("sent", f"{PURPOSE}#email")] is None


def test_records_are_listed_under_the_day_of_their_review(years: Years, request: pytest.FixtureRequest) -> None:
    if isinstance(years.retention, InMemoryRetention):
        reviews: Callable[[str], Iterator[Any]] = CollectingReviews(years.world.subjects).due
    else:
        reviews = DynamoReviewIndex(years.world.subjects._database).due
    years.on("2028-01-10").gives()
    years.reconsider()
    dossier = years.dossier
    years.retention.keep(dossier, {}, (), "2029-01-10")

    assert list(reviews("2029-01-10")) == [years.world.contact()]
    assert list(reviews("2029-01-11")) == []
    years.retention.keep(dossier, {}, (), None)
    assert list(reviews("2029-01-10")) == []


@pytest.mark.parametrize("engine", ["in memory", "moto", "engine"])
def test_a_removal_that_is_told_twice_leaves_one_proof(engine: str, request: pytest.FixtureRequest) -> None:
    removal = Removal("event-1", "subjects", "PROFILE", "ab" * 32, 1_799_990_000, 1_800_000_000, "contact")
    told_again = replace(removal, kind="STATE")
    if engine == "in memory":
        kept = CollectingRemovals()
        kept.prove(removal, 1_900_000_000)
        kept.prove(told_again, None)
        assert kept.proved == {"event-1": (removal, 1_900_000_000)}
        return
    database: Database = request.getfixturevalue(f"{engine}_database")
    removals = DynamoRemovals(database, "ledger")
    removals.prove(removal, 1_900_000_000)
    removals.prove(told_again, None)

    (item,) = database.call(
        "Query",
        TableName="ledger",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": keys.of_removals(removal.removed_at, removal.key_hash)}},
    )["Items"]
    assert (item["kind"]["S"], item["rule"]["S"], item["expires_at"]["N"]) == ("PROFILE", "contact", "1900000000")
