"""A policy is tried out on copies of real records before anybody notices it."""

import gzip
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from tests.unit.policy.policy_copies import EXAMPLE
from typer.testing import CliRunner

from builders import NOON, PURPOSE, a_contact, a_decision, a_policy
from cli import exports, simulation
from cli.__main__ import app
from cli.exports import Export, ExportError, local_export, s3_export
from cli.simulation import Move, Simulation, Simulator, edits
from consent_center.adapters.dynamodb.stored import state_item
from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.objection import Against
from consent_center.domain.permission import AskedAbout
from consent_center.domain.policy import Policy
from consent_center.domain.subject import Subject

NOW = NOON + 1000


def item(subject: Subject) -> dict[str, Any]:
    """As the product stores it, in the form that an export has."""
    stored: dict[str, Any] = state_item(subject).to_dynamodb_dict()
    return stored


def edited(**changes: dict[str, Any]) -> Policy:
    """The small policy with rows of purposes changed; None takes a purpose away."""
    rows = []
    for row in a_policy().raw["purposes"]:
        change = changes.get(row["id"].replace("-", "_"), {})
        rows += [] if change is None else [{**row, **change}]
    return Policy({**a_policy().raw, "purposes": rows, "hash": "e" * 64})


NEWS = PURPOSE.replace("-", "_")


def simulated(items: Iterable[Any], after: Policy, before: Policy | None = None) -> Simulation:
    simulator = Simulator(before or a_policy(), after, NOW)
    for one in items:
        simulator.take(one)
    return simulator.found


def subscriber(*topics: str, **other: Any) -> Subject:
    return a_decision(topics=topics or ("product-news",), **other).subject


def topics(**changes: Any) -> list[dict[str, Any]]:
    (row,) = [row for row in a_policy().raw["purposes"] if row["id"] == PURPOSE]
    return [{**topic, **changes.get(topic["code"], {})} for topic in row["topics"]]


def test_the_same_policy_moves_nobody() -> None:
    found = simulated([item(subscriber()), item(subscriber("events", to=DecisionState.WITHDRAWN))], a_policy())

    assert (found.people, dict(found.moves), found.anybody_gains) == (2, {}, False)


def test_a_retired_topic_is_lost_by_those_who_had_it_and_by_nobody_else() -> None:
    after = edited(**{NEWS: {"topics": topics(pn={"retired": True})}})

    found = simulated(
        [item(subscriber()), item(subscriber("events")), item(subscriber("product-news", "events"))], after
    )

    lost = Move(PURPOSE, "product-news", "email", "given", "retired", gains=False)
    any_topic = Move(PURPOSE, None, "email", "given", "no_record", gains=False)
    assert dict(found.moves) == {lost: 2, any_topic: 1}
    assert dict(found.losing) == {PURPOSE: 2}
    assert not found.anybody_gains


def test_another_code_loses_every_consent_and_names_the_decisions_that_nobody_can_reach() -> None:
    found = simulated([item(subscriber())], edited(**{NEWS: {"code": "zz"}}))

    assert dict(found.losing) == {PURPOSE: 1}
    assert dict(found.orphaned) == {"dm.pn.email": 1}


def test_a_purpose_that_is_gone_is_lost() -> None:
    found = simulated([item(subscriber())], edited(**{NEWS: None}))

    assert Move(PURPOSE, "product-news", "email", "given", "not_in_policy", gains=False) in found.moves


def test_a_channel_that_is_gone_is_lost() -> None:
    found = simulated([item(subscriber())], edited(**{NEWS: {"channels": ["sms"]}}))

    assert dict(found.losing) == {PURPOSE: 1}


def test_another_basis_gives_what_nobody_gave_to_whoever_did_not_object() -> None:
    after = edited(tracking={"legal_basis": "legitimate_interest", "marketing": False})
    objected = a_decision(topics=("events",)).subject
    objected = Subject(
        objected.contact,
        version=2,
        chain="c",
        decided={Against.PROFILING.scope.code: Decided(DecisionState.OBJECTED, NOON, 1)},
    )

    found = simulated([item(subscriber()), item(objected)], after)

    assert dict(found.gaining) == {"tracking": 1}
    assert found.anybody_gains


def test_people_of_another_controller_are_not_counted() -> None:
    other = Subject(ContactPoint("other", "email", "k1", "a" * 26), version=1, chain="c")

    assert simulated([item(other)], edited(tracking={"legal_basis": "contract", "marketing": False})).moves == {}


def test_a_shorter_validity_takes_nothing_from_what_was_given_and_is_named() -> None:
    after = edited(tracking={"valid_for": {"months": 1, "days": 0}})

    assert simulated([item(subscriber())], after).moves == {}
    assert [what for _, what in edits(a_policy(), after)] == [
        "valid_for is shorter: for consents given from then on; those given keep their end"
    ]


def test_every_edit_that_may_move_permissions_is_named() -> None:
    after = edited(
        **{
            NEWS: {"code": "zz", "channels": ["sms"], "topics": topics(ev={"retired": True})[1:]},
            "tracking": {"legal_basis": "contract"},
            "grouping": None,
        }
    )

    assert edits(a_policy(), after) == [
        (PURPOSE, "code dm became zz: decisions under the old one are not found"),
        (PURPOSE, "no longer by email"),
        (PURPOSE, "also by sms"),
        (PURPOSE, "topic product-news is gone, with its code pn"),
        (PURPOSE, "topic events: retired False became True"),
        ("tracking", "legal_basis: consent became contract"),
        ("grouping", "is gone, with its code gr"),
    ]


CODES = [scope.code for purpose in a_policy().purposes.values() for scope in purpose.all_scopes()]
CODES += [against.scope.code for against in Against]
SUBJECTS = st.builds(
    lambda decided, requested, locks: Subject(
        a_contact(), 1, "c", 1, "h" * 64, NOON, "en", decided, requested, ("restricted",) if locks else ()
    ),
    st.dictionaries(
        st.sampled_from(CODES),
        st.builds(
            Decided,
            st.sampled_from([DecisionState.GIVEN, DecisionState.WITHDRAWN, DecisionState.OBJECTED]),
            st.integers(NOON - 5, NOON),
            st.integers(1, 3),
            st.sampled_from([None, NOON // 1000 - 5, NOON // 1000 + 500]),
        ),
        max_size=4,
    ),
    st.dictionaries(st.sampled_from(CODES), st.just(NOON // 1000 + 500), max_size=1),
    st.booleans(),
)
AFTER = [
    a_policy(),
    edited(**{NEWS: {"topics": topics(pn={"retired": True}, pa={"retired": False})}}),
    edited(**{NEWS: {"marketing": False}, "grouping": {"legal_basis": "consent"}}),
    edited(tracking={"legal_basis": "legitimate_interest", "marketing": False}, insight={"retired": True}),
]


@given(SUBJECTS, st.sampled_from(AFTER))
def test_the_shortcut_for_undecided_purposes_changes_no_answer(subject: Subject, after: Policy) -> None:
    expected = set()
    for key in simulation._questions(a_policy(), after):
        purpose, topic, channel = key
        answers = []
        for policy in (a_policy(), after):
            asked = AskedAbout(policy.purpose(purpose), channel, topic)
            answers.append(asked.permission(subject, NOW).allowed)
        if answers[0] != answers[1]:
            expected.add((key, answers[1]))

    found = simulated([item(subject)], after).moves

    assert {((move.purpose, move.topic, move.channel), move.gains) for move in found} == expected


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"pk": {"S": "S#k1#abc"}, "sk": {"S": "STATE"}, "v": {"N": "2"}}, "STATE, layout 2 (ValueError)"),
        ({"pk": {"S": "S#k1#abc"}, "sk": {"S": "STATE"}}, "STATE, layout ? (KeyError)"),
        ({"pk": {"S": "S#k1#abc"}, "sk": {"S": "STATE"}, "v": {"N": "1"}, "d": {"M": {"x": {"S": "?"}}}}, "STATE"),
        ({"pk": {"S": "S#k1#abc"}, "sk": {"S": "TASK#ada@example.org"}}, "S# · TASK"),
        ({"pk": {"S": "P#2026"}, "sk": {"S": "x"}}, "P# · x"),
        ({"pk": {"S": "S#k1#abc"}}, "an item without its keys"),
    ],
)
def test_an_item_of_an_unknown_layout_is_counted_and_named(other: dict[str, Any], named: str) -> None:
    found = simulated([other, item(subscriber())], a_policy())

    ((kind, count),) = found.unknown.items()
    assert kind.startswith(named)
    assert "abc" not in kind
    assert "ada@" not in kind
    assert (count, found.people) == (1, 1)


def test_what_the_product_keeps_beside_a_state_is_no_stranger() -> None:
    others = [("S#k1#a", "PROFILE"), ("S#k1#a", "PENDING#r"), ("S#k1#a", "SENT#dm#email"), ("C#c", "E#0000000001")]

    found = simulated([{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in others], a_policy())

    assert (found.other_items, dict(found.unknown)) == (4, {})


# ---- Exports --------------------------------------------------------------------------------------------


def packed(items: list[dict[str, Any]]) -> bytes:
    return gzip.compress(b"".join(json.dumps({"Item": one}).encode() + b"\n" for one in items))


def written(folder: Path, *files: list[dict[str, Any]], said: int = 0) -> Path:
    """An export as DynamoDB writes it; `said` is how many items too many the manifest promises."""
    home = folder / "AWSDynamoDB" / "01700000000000-0123abcd"
    (home / "data").mkdir(parents=True)
    manifest = ""
    for number, items in enumerate(files):
        (home / "data" / f"{number}.json.gz").write_bytes(packed(items))
        key = f"some/AWSDynamoDB/01700000000000-0123abcd/data/{number}.json.gz"
        manifest += json.dumps({"itemCount": len(items) + said, "dataFileS3Key": key, "etag": "x"}) + "\n"
    (home / exports.MANIFEST).write_text(manifest)
    (home / exports.SUMMARY).write_text(json.dumps({"exportFormat": "DYNAMODB_JSON", "itemCount": 3}))
    return home


def test_an_export_in_a_folder_is_read_whole(tmp_path: Path) -> None:
    written(tmp_path, [item(subscriber())], [item(subscriber("events")), item(subscriber())])

    export = local_export(tmp_path)

    assert export.expected == len(list(export.items())) == 3


@mock_aws
def test_an_export_is_read_where_dynamodb_put_it(tmp_path: Path) -> None:
    home, client = written(tmp_path, [item(subscriber())]), boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="exports")
    for file in home.rglob("*.*"):
        client.upload_file(str(file), "exports", f"some/AWSDynamoDB/{file.relative_to(home.parent)}")

    export = s3_export("s3://exports/some/AWSDynamoDB/01700000000000-0123abcd/", client)

    assert [one["sk"]["S"] for one in export.items()] == ["STATE"]


def test_an_export_that_lacks_items_is_refused(tmp_path: Path) -> None:
    written(tmp_path, [item(subscriber())], said=1)

    with pytest.raises(ExportError, match="1 items, and the manifest says 2"):
        list(local_export(tmp_path).items())


def test_a_broken_file_is_named_without_what_stands_in_it() -> None:
    cut = packed([item(subscriber())] * 50)[:-20]
    export = Export([("0.json.gz", 50)], lambda _: io.BytesIO(cut))

    with pytest.raises(ExportError, match=r"0\.json\.gz: cannot be read after \d+ items \(EOFError\)"):
        list(export.items())


@pytest.mark.parametrize(
    "said", [{"exportFormat": "ION"}, {"exportFormat": "DYNAMODB_JSON", "exportType": "INCREMENTAL_EXPORT"}]
)
def test_another_kind_of_export_is_refused(tmp_path: Path, said: dict[str, str]) -> None:
    home = written(tmp_path, [])
    (home / exports.SUMMARY).write_text(json.dumps(said))

    with pytest.raises(ExportError, match="a full export in DYNAMODB_JSON is needed"):
        local_export(tmp_path)


def test_two_exports_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    written(tmp_path / "a", [])
    written(tmp_path / "b", [])

    with pytest.raises(ExportError, match="2 files"):
        local_export(tmp_path)


# ---- The command ----------------------------------------------------------------------------------------


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["policy", "simulate", *arguments])


def test_the_command_ends_with_status_3_when_anybody_would_gain(tmp_path: Path) -> None:
    before = {**json.loads(json.dumps(a_policy().raw)), "purposes": []}
    (tmp_path / "policy.json").write_text(json.dumps(before))
    export = written(tmp_path / "export", [item(subscriber())])

    answer = run("--in-force", str(tmp_path), "--policy", str(EXAMPLE), "--export", str(export), "--json")

    document = json.loads(answer.stdout)
    assert answer.exit_code == 3
    assert document["people"] == 1
    assert "keep-secure" in document["gaining"]
    assert "keep-secure" in [one["purpose"] for one in document["edits"]]


def test_the_command_shows_a_table_and_ends_well_when_nobody_gains(tmp_path: Path) -> None:
    export = written(tmp_path / "export", [item(subscriber())])

    answer = run("--in-force", str(EXAMPLE), "--policy", str(EXAMPLE), "--export", str(export))

    assert answer.exit_code == 0
    assert "1 people" in answer.stdout
    assert "Nobody would gain or lose" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--export", "/no/such/export"], 2, "cannot be read"),
        ([], 2, "name either"),
        (["--export", "x", "--local", "8000"], 2, "name either"),
        (["--export", "x", "--in-force", "/no/such/policy"], 2, "no compiled policy"),
    ],
)
def test_wrong_use_is_told_in_one_line(arguments: list[str], status: int, says: str) -> None:
    answer = run("--in-force", str(EXAMPLE), "--policy", str(EXAMPLE), *arguments)

    assert answer.exit_code == status
    assert says in answer.output
    assert "Traceback" not in answer.output
