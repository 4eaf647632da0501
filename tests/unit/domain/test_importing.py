"""What a row of another tool's list means, how well it is proven, and which of two rows holds."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import PEOPLE, PURPOSE, a_policy
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import InvalidFormError
from consent_center.domain.importing import (
    LONGEST_CELL,
    STATES,
    Claim,
    ColumnMap,
    DecisionRule,
    Evidence,
    Grade,
    ImportedRow,
    Problem,
    completed,
    refusal,
    rows_in,
    verdicts,
)

AT = datetime(2026, 1, 5, 10, tzinfo=UTC)
WHO = PEOPLE[0]
CONFIRMED = Evidence(AT, "fair", ("Yes.",), None, "en", AT)
PLAIN = ColumnMap({name: (name,) for name in ("recipient", "decision", "topics", "collected_at", "method")}, ())


def by(*rules: DecisionRule, **other: object) -> ColumnMap:
    columns = {name: (name,) for name in ("recipient", "decision", "topics", "decided_at", "collected_at", "method")}
    return ColumnMap(columns, rules, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "grade"),
    [
        (CONFIRMED, Grade.CONFIRMED),
        (Evidence(AT, "fair", (), "2026-11-01", "en", AT), Grade.CONFIRMED),
        (Evidence(AT, "fair", (), "2026-11-01", None, AT), Grade.DATED),
        (Evidence(AT, "fair", ("Yes.",), None, "en", None), Grade.DATED),
        (Evidence(AT, "fair"), Grade.DATED),
        (Evidence(AT, None, ("Yes.",), None, "en", AT), Grade.NONE),
        (Evidence(None, "fair", ("Yes.",), None, "en", AT), Grade.NONE),
        (Evidence(), Grade.NONE),
    ],
)
def test_evidence_is_graded_by_what_it_shows(evidence: Evidence, grade: Grade) -> None:
    assert evidence.grade is grade


def test_a_yes_needs_the_grade_that_the_policy_asks_for_and_a_no_needs_none() -> None:
    letters, tracking = a_policy().purpose(PURPOSE), a_policy().purpose("tracking")
    dated = ImportedRow(2, WHO, DecisionState.GIVEN, evidence=Evidence(AT, "fair"))
    unproven = ImportedRow(2, WHO, DecisionState.GIVEN)

    assert refusal(dated, letters) is Problem.GRADE_NOT_ACCEPTED
    assert refusal(dated, tracking) is None
    assert refusal(unproven, tracking) is Problem.NO_EVIDENCE
    assert refusal(ImportedRow(2, WHO, DecisionState.GIVEN, evidence=CONFIRMED), letters) is None
    for no in (DecisionState.WITHDRAWN, DecisionState.REFUSED, DecisionState.OBJECTED):
        assert refusal(ImportedRow(2, WHO, no), letters) is None


def test_the_first_rule_that_fits_decides() -> None:
    rules = by(
        DecisionRule("nothing", "cleaned"),
        DecisionRule("withdrawn", "unsub", at=("unsub",)),
        DecisionRule("given"),
    )
    cells = {"recipient": WHO, "cleaned": "", "unsub": "2026-01-05 10:00:00"}

    (row,) = rows_in(2, cells, rules, ())
    assert (row.state, row.decided_at) == (DecisionState.WITHDRAWN, AT)
    assert rows_in(2, {**cells, "cleaned": "2026"}, rules, ()) == []
    assert rows_in(2, {"recipient": WHO}, rules, ())[0].state is DecisionState.GIVEN


def test_a_no_whose_date_cannot_be_read_is_a_no_and_such_a_yes_is_wrong() -> None:
    rules = by(DecisionRule("as written"))

    (row,) = rows_in(2, {"recipient": WHO, "decision": "Withdrawn", "decided_at": "last week"}, rules, ())
    assert (row.state, row.decided_at) == (DecisionState.WITHDRAWN, None)
    with pytest.raises(InvalidFormError) as error:
        rows_in(2, {"recipient": WHO, "decision": "given", "collected_at": "31/12/2025"}, rules, ())
    assert error.value.fields == {"evidence/collected_at": "unreadable"}


def test_a_map_says_how_times_are_written() -> None:
    rules = by(DecisionRule("given"), times=("%d/%m/%Y %H:%M",))

    assert rows_in(2, {"recipient": WHO, "collected_at": "05/01/2026 10:00"}, rules, ())[0].at == AT


def test_a_row_that_opts_out_of_topics_says_two_things() -> None:
    rules = by(
        DecisionRule("withdrawn", "all", ("true",)),
        DecisionRule("given"),
        opt_out_prefix="opted out of email:",
        topic_names={"news": "product-news", "fairs": "events"},
    )
    cells = {"recipient": WHO, "all": "", "opted out of email: news": "true", "opted out of email: other": "true"}

    yes, no = rows_in(2, cells, rules, ("product-news", "events"))
    assert (yes.state, yes.topics) == (DecisionState.GIVEN, ("events",))
    assert (no.state, no.topics) == (DecisionState.WITHDRAWN, ("product-news",))
    (all_no,) = rows_in(2, {**cells, "all": "True"}, rules, ())
    assert (all_no.state, all_no.topics) == (DecisionState.WITHDRAWN, ())
    (only_no,) = rows_in(2, cells, rules, ("product-news",))
    assert only_no.state is DecisionState.WITHDRAWN


def test_words_of_the_tool_that_are_no_topics_of_ours_are_left_out() -> None:
    rules = by(DecisionRule("given"), topic_names={"product updates": "product-news"})

    (row,) = rows_in(2, {"recipient": WHO, "topics": '"Product updates","VIP"'}, rules, ("events",))
    assert row.topics == ("product-news",)
    assert rows_in(2, {"recipient": WHO, "topics": "VIP"}, rules, ("events",))[0].topics == ("events",)


@pytest.mark.parametrize(
    ("cells", "fields"),
    [
        ({"recipient": " ", "decision": "given"}, {"recipient": "required"}),
        ({"recipient": WHO, "decision": "perhaps"}, {"decision": "unknown"}),
        ({"recipient": WHO, "decision": "given", "note": "x" * (LONGEST_CELL + 1)}, {"note": "too_long"}),
    ],
)
def test_what_is_wrong_with_a_row_is_named_by_column(cells: dict[str, str], fields: dict[str, str]) -> None:
    with pytest.raises(InvalidFormError) as error:
        rows_in(2, cells, by(DecisionRule("as written")), ())
    assert error.value.fields == fields


def test_a_row_without_a_decision_says_nothing() -> None:
    assert rows_in(2, {"recipient": WHO, "decision": ""}, by(DecisionRule("as written")), ()) == []


def test_a_row_is_never_quoted() -> None:
    assert WHO not in repr(ImportedRow(2, WHO, DecisionState.GIVEN))


times = st.datetimes(timezones=st.just(UTC)) | st.none()
texts = st.text(max_size=20) | st.none()


@given(
    st.builds(
        ImportedRow,
        st.integers(1, 10**6),
        st.text(min_size=1, max_size=40),
        st.sampled_from(list(STATES.values())),
        st.lists(st.text(min_size=1), max_size=3).map(tuple),
        times,
        st.builds(Evidence, times, texts, st.lists(st.text(min_size=1), max_size=2).map(tuple), texts, texts, times),
    )
)
def test_a_row_that_is_written_and_read_is_the_same(row: ImportedRow) -> None:
    line = row.written(CONFIRMED)

    assert "\n" not in line
    read = ImportedRow.read(line, CONFIRMED)
    assert (read.number, read.recipient, read.state, read.topics) == (row.number, row.recipient, row.state, row.topics)
    assert read.evidence == completed(row.evidence, CONFIRMED)


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"row": 1}', '{"row": 1, "recipient": "x", "decision": "maybe"}'])
def test_a_line_that_is_no_row_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ImportedRow.read(line, Evidence())


def told(*claims: Claim) -> set[tuple[int, str, bool]]:
    return {(claim.row, problem.value, is_sent) for claim, problem, is_sent in verdicts(claims)}


def test_the_newest_of_two_dated_rows_holds() -> None:
    yes, no = Claim(2, True, 100, "A"), Claim(3, False, 200, "C")

    assert told(yes, no) == {(2, "superseded", False)}
    assert told(yes._replace(at=300), no) == {(3, "superseded", False)}


@pytest.mark.parametrize(("yes_at", "no_at"), [(None, 200), (100, None), (None, None), (100, 100)])
def test_where_the_newest_is_not_known_both_are_told_and_only_the_no_is_imported(
    yes_at: float | None, no_at: float | None
) -> None:
    yes, no = Claim(2, True, yes_at, "A"), Claim(3, False, no_at, "C")

    assert told(yes, no) == {(2, "contradictory", False), (3, "contradictory", True)}


def test_of_rows_that_say_the_same_the_best_proven_one_stays() -> None:
    dated, confirmed, again = Claim(2, True, 1, "B"), Claim(3, True, 1, "A"), Claim(4, True, 1, "A")

    assert told(dated, confirmed, again) == {(2, "duplicate", False), (4, "duplicate", False)}


@given(
    st.lists(st.tuples(st.booleans(), st.none() | st.integers(0, 3), st.sampled_from("ABC")), min_size=1, max_size=6)
)
def test_one_claim_at_most_is_imported_and_a_no_is_never_lost_to_a_guess(
    said: list[tuple[bool, int | None, str]],
) -> None:
    claims = [Claim(row, yes, at, grade) for row, (yes, at, grade) in enumerate(said)]
    lost = {claim.row for claim, _, is_sent in verdicts(claims) if not is_sent}
    left = [claim for claim in claims if claim.row not in lost]

    assert len(left) == 1
    nos = [claim for claim in claims if not claim.is_yes]
    if left[0].is_yes and nos:
        yes_at = [claim.at for claim in claims if claim.is_yes]
        assert all(claim.at is not None for claim in nos)
        assert max(at for at in yes_at if at is not None) > max(claim.at for claim in nos if claim.at is not None)
