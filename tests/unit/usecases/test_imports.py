"""Parts of imports over fakes: what is stored, what is reported, and that repeating changes neither."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import PEOPLE, PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.domain.contact import Keyring
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import UnavailableError
from consent_center.domain.importing import Evidence, ImportedRow
from consent_center.domain.policy import Policy
from consent_center.ports.exchange import Import
from consent_center.usecases.imports import import_part
from consent_center.usecases.suppress import erase
from fakes import InMemoryImports, InMemoryLedger, InMemorySubjects
from usecase_world import World

NAME = "import-1"
ADA, GRACE, EDSGER = PEOPLE
COMMON = Evidence(method="fair", notice="2026-11-01", language="en")


class ImportWorld(World):
    """The world with a bucket beside it."""

    def __init__(self, **other: Any) -> None:
        super().__init__(**other)
        self.imports = InMemoryImports()

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.clock() / 1000, UTC)

    def proven(self, days_ago: int = 1) -> Evidence:
        at = self.moment - timedelta(days=days_ago)
        return Evidence(collected_at=at, confirmed_at=at)

    def yes(self, who: str = ADA, number: int = 2, evidence: Evidence | None = None) -> ImportedRow:
        proof = self.proven() if evidence is None else evidence
        return ImportedRow(number, who, DecisionState.GIVEN, ("product-news",), evidence=proof)

    def no(self, who: str = ADA, number: int = 2, at: datetime | None = None) -> ImportedRow:
        return ImportedRow(number, who, DecisionState.WITHDRAWN, (), at)

    def put(self, *rows: ImportedRow, name: str = NAME, purpose: str = PURPOSE, from_person: bool = True) -> None:
        self.imports.kept[name] = Import(
            purpose, "list-team", self.clock(), 1, len(rows), from_person, COMMON.method, (), COMMON.notice, "en"
        )
        self.imports.parts[name, 1] = [row.written(COMMON) for row in rows]

    def run(self, name: str = NAME, deadline: int = 2**60) -> dict[str, int] | None:
        done = import_part(
            name,
            1,
            deadline=deadline,
            imports=self.imports,
            ledger=InMemoryLedger(self.subjects),
            addresses=parse_address,
            **self.deciding,
        )
        return dict(done) if done is not None else None

    def bring(self, *rows: ImportedRow, name: str = NAME, **other: Any) -> list[dict[str, Any]]:
        """Import rows and answer their reports."""
        self.put(*rows, name=name, **other)
        self.run(name)
        return self.reported(name)

    def reported(self, name: str = NAME) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.imports.reports[name, 1]]


@pytest.fixture
def world() -> ImportWorld:
    return ImportWorld()


def test_a_proven_yes_is_stored_with_its_grade_its_import_and_who_answers_for_it(world: ImportWorld) -> None:
    (report,) = world.bring(world.yes())

    (entry,) = world.events()
    assert world.reason("product-news") == "given"
    assert {name: entry.body[name] for name in ("source", "capability", "import", "grade", "recorded_by")} == {
        "source": "import",
        "capability": "import",
        "import": NAME,
        "grade": "A",
        "recorded_by": "list-team",
    }
    assert report == {
        "row": 2,
        "decision": "given",
        "topics": ["product-news"],
        "grade": "A",
        "outcome": "recorded",
        "reason": None,
        "evidence": entry.evidence,
    }
    assert "inform_by" not in entry.body


def test_a_row_says_by_which_countrys_rule_its_decision_is_kept(world: ImportWorld) -> None:
    countries(world, "DK", "NO")
    no = replace(world.no(GRACE, 3), evidence=Evidence(jurisdiction="NO"))
    reports = world.bring(world.yes(evidence=replace(world.proven(), jurisdiction="NO")), no, world.yes(EDSGER, 4))

    assert [one["outcome"] for one in reports] == ["recorded"] * 3
    assert [[entry.body.get("jurisdiction") for entry in world.events(who)] for who in PEOPLE] == [
        ["NO"],
        ["NO"],
        [None],
    ]


def test_a_country_may_be_said_for_all_rows_at_once(world: ImportWorld) -> None:
    countries(world, "DK", "NO")
    world.put(world.yes(), world.yes(GRACE, 3, replace(world.proven(), jurisdiction="DK")))
    world.imports.kept[NAME] = replace(world.imports.kept[NAME], jurisdiction="NO")
    world.run()

    assert [world.events(who)[0].body["jurisdiction"] for who in (ADA, GRACE)] == ["NO", "DK"]


def test_a_country_that_the_policy_lacks_stops_a_yes_and_no_no(world: ImportWorld) -> None:
    countries(world, "DK")
    no = replace(world.no(GRACE, 3), evidence=Evidence(jurisdiction="XX"))
    yes, stored = world.bring(world.yes(evidence=replace(world.proven(), jurisdiction="XX")), no)

    assert (yes["outcome"], yes["reason"]) == ("refused", "evidence/jurisdiction: unknown")
    assert stored["outcome"] == "recorded"
    assert "jurisdiction" not in world.events(GRACE)[0].body


def countries(world: ImportWorld, *codes: str) -> None:
    world.policy = Policy({**world.policy.raw, "jurisdictions": list(codes)})


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (Evidence(), "no_evidence"),
        (Evidence(collected_at=datetime(2026, 1, 1, tzinfo=UTC)), "grade_not_accepted"),
        (
            Evidence(collected_at=datetime(2099, 1, 1, tzinfo=UTC), confirmed_at=datetime(2099, 1, 1, tzinfo=UTC)),
            "evidence/collected_at: future, evidence/confirmed_at: future",
        ),
    ],
)
def test_a_yes_without_what_the_policy_asks_for_is_not_stored(
    world: ImportWorld, evidence: Evidence, reason: str
) -> None:
    (report,) = world.bring(world.yes(evidence=evidence))

    assert (report["outcome"], report["reason"], report["evidence"]) == ("refused", reason, None)
    assert world.subjects.subjects == {}


def test_a_no_needs_no_evidence(world: ImportWorld) -> None:
    (report,) = world.bring(world.no())

    assert (report["outcome"], report["grade"]) == ("recorded", None)
    assert world.reason("product-news") == "withdrawn"
    assert "grade" not in world.events()[0].body


def test_bad_rows_do_not_hold_up_the_others(world: ImportWorld) -> None:
    reports = world.bring(
        world.yes("nobody", 2),
        replace(world.yes(GRACE, 3), topics=("no-such-topic",)),
        replace(world.yes(GRACE, 4), topics=()),
        replace(world.yes(GRACE, 5), topics=("paper",)),
        world.yes(EDSGER, 6),
    )

    assert [(one["row"], one["reason"]) for one in reports] == [
        (2, "recipient: address"),
        (3, "topic: unknown"),
        (4, "topics: required"),
        (5, "topics: retired"),
        (6, None),
    ]
    assert world.reason("product-news", EDSGER) == "given"


def test_whoever_said_no_here_is_not_brought_back(world: ImportWorld) -> None:
    world.confirm(world.asked("product-news"))
    world.withdraw(world.stop_token())
    world.clock.move(days=1)

    (report,) = world.bring(world.yes(evidence=world.proven(0)))

    assert (report["outcome"], report["reason"]) == ("refused", "persons_no")
    assert world.reason("product-news") == "withdrawn"


def test_an_old_no_leaves_a_newer_yes_of_the_person_alone_and_a_new_one_does_not(world: ImportWorld) -> None:
    earlier = world.moment
    world.clock.move(days=1)
    world.confirm(world.asked("product-news"))
    world.clock.move(days=1)

    (report,) = world.bring(replace(world.no(at=earlier), topics=("product-news",)))
    assert (report["outcome"], world.reason("product-news")) == ("outdated", "given")
    (report,) = world.bring(world.no(at=world.moment), name="import-2")
    assert (report["outcome"], world.reason("product-news")) == ("recorded", "withdrawn")


def test_an_old_no_ends_a_yes_that_only_another_list_told_of(world: ImportWorld) -> None:
    world.bring(world.yes(evidence=world.proven(30)))

    world.bring(world.no(at=world.moment - timedelta(days=10)), name="import-2")

    assert world.reason("product-news") == "withdrawn"


def test_a_part_is_carried_out_once(world: ImportWorld) -> None:
    reports = world.bring(world.yes(), world.no(GRACE, 3))

    assert world.run() is None
    assert world.reported() == reports
    assert len(world.subjects.entry_of) == 2


def test_a_run_that_was_killed_before_its_report_is_reported_as_if_it_had_not_been(world: ImportWorld) -> None:
    reports = world.bring(world.yes(), world.no(GRACE, 3), world.yes("nobody", 4))
    world.imports.reports.clear()

    assert world.run() == {"recorded": 2, "refused": 1}
    assert world.reported() == reports
    assert len(world.subjects.entry_of) == 2


def test_a_run_that_ends_in_the_middle_goes_on_where_it_stopped(world: ImportWorld) -> None:
    world.put(*(world.no(f"ada.lovelace{number}@example.org", number) for number in range(2, 22)))
    commit, left = world.subjects.commit, [7]

    def failing(decision: Any, profile: Any = None) -> None:
        if not left[0]:
            raise UnavailableError("commit: Throttling")
        left[0] -= 1
        commit(decision, profile)

    world.subjects.commit = failing
    with pytest.raises(UnavailableError):
        world.run()
    assert world.imports.reports == {}
    world.subjects.commit = commit

    assert world.run() == {"recorded": 20}
    assert len(world.subjects.entry_of) == 20


def test_without_time_nothing_is_begun_and_nothing_is_reported(world: ImportWorld) -> None:
    world.put(world.yes())

    with pytest.raises(UnavailableError, match="out of time"):
        world.run(deadline=world.clock())
    assert world.imports.reports == {}
    assert world.subjects.subjects == {}


def test_what_was_so_already_is_told_apart_from_what_this_import_did(world: ImportWorld) -> None:
    world.bring(world.yes())

    (report,) = world.bring(world.yes(), name="import-2")

    assert report["outcome"] == "already"
    assert report["evidence"] == world.events()[0].evidence
    assert len(world.events()) == 1


def test_data_from_somebody_else_start_the_clock_of_article_14(world: ImportWorld) -> None:
    world.clock.now = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp() * 1000)

    world.bring(world.yes(), from_person=False)

    (entry,) = world.events()
    assert (entry.body["from_person"], entry.body["inform_by"]) == (False, "2026-02-28T12:00:00.000Z")


def test_of_a_lower_grade_where_the_policy_takes_it(world: ImportWorld) -> None:
    row = ImportedRow(
        2, ADA, DecisionState.GIVEN, ("opens",), evidence=Evidence(collected_at=world.moment - timedelta(days=1))
    )

    (report,) = world.bring(row, purpose="tracking")

    assert (report["outcome"], report["grade"]) == ("recorded", "B")


def test_an_address_is_the_same_in_every_spelling(world: ImportWorld) -> None:
    world.bring(world.no(ADA))

    (report,) = world.bring(world.yes(ADA.upper()), name="import-2")

    assert report["reason"] == "persons_no"


def test_the_fake_is_asked_no_more_than_twice_for_a_new_row() -> None:
    world = ImportWorld(subjects=InMemorySubjects())

    world.bring(world.yes())

    assert world.subjects.calls == ["load", "commit"]


SPELLINGS = (
    "ada@bücher.example.com",
    "ADA@bücher.example.com",
    "Ada@BÜCHER.example.com",
    "ada@xn--bcher-kva.example.com",
    "ada@XN--BCHER-KVA.Example.Com",
    " ada@bücher.example.com",
    "ada@bücher.example.com ",
    "ada+news@bücher.example.com",
    "Ada+Fair-2026@xn--bcher-kva.example.com",
    "ADA+X+Y@bu\u0308cher.example.com",
)


@pytest.mark.parametrize("rotations", [0, 2])
def test_an_erased_person_is_refused_in_every_spelling_and_through_rotations(rotations: int) -> None:
    world = ImportWorld()
    world.bring(world.yes(SPELLINGS[0]))
    erase(
        parse_address(SPELLINGS[0]),
        keep_fingerprint=True,
        source="operator",
        client="operator",
        controller="fjordmeter",
        **world.deciding,
    )
    for number in range(rotations):
        known = world.secrets.pepper.keys
        world.secrets.pepper = Keyring(f"new{number}", {**known, f"new{number}": f"pepper-{number}".encode()})

    reports = world.bring(*(world.yes(one, number) for number, one in enumerate(SPELLINGS, 2)), name="again-1")

    assert [(one["outcome"], one["reason"]) for one in reports] == [("refused", "suppressed")] * len(SPELLINGS)
    assert {world.reason(email=one.strip()) for one in SPELLINGS} == {"suppressed"}
