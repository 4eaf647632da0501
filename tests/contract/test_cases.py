"""What every implementation of the ports Cases and Particulars does."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from at_once import at_once
from builders import NOON, PEOPLE, a_contact
from consent_center.adapters.dynamodb import keys
from consent_center.adapters.dynamodb.cases import DynamoCases
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.sealed import LARGEST, SealedParticulars
from consent_center.domain.case import Case, CaseLetter, CaseState, Extension, LogLine, Pause, Right
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import (
    OpenCaseError,
    ParticularsTooLargeError,
    StaleCaseError,
    UnavailableError,
    UnreadableCaseError,
    UnreadableParticularsError,
)
from consent_center.domain.recipient import Task, TaskState, Verb
from consent_center.ports.cases import CaseFile, Cases, Due, Particulars
from fakes import SettableClock
from fakes.cases import InMemoryCases, InMemoryParticulars

NOW = NOON // 1000
YEAR = 365 * 86400
WHO = {"address": PEOPLE[0], "details": "Hej då, <b>all</b> of it", "collected": {"mail-tool/a.json": "{}"}}


@dataclass
class Place:
    cases: Cases
    particulars: Particulars
    clock: SettableClock
    database: Database | None = None

    def item(self, table: str, case: str, sort_key: str) -> Mapping[str, Any] | None:
        assert self.database is not None
        key = {"pk": {"S": keys.of_case(case)}, "sk": {"S": sort_key}}
        found: Mapping[str, Any] | None = self.database.call("GetItem", TableName=table, Key=key).get("Item")
        return found

    def items(self, partition: str) -> list[Mapping[str, Any]]:
        assert self.database is not None
        values = {":pk": {"S": partition}}
        return list(
            self.database.query(TableName="cases", KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values)
        )

    def replace_body(self, case: Case, body: str) -> None:
        assert self.database is not None
        self.database.call(
            "UpdateItem",
            TableName="cases",
            Key={"pk": {"S": keys.of_case(case.id)}, "sk": {"S": keys.CASE}},
            UpdateExpression="SET body = :body",
            ExpressionAttributeValues={":body": {"S": body}},
        )

    def added(self, number: int = 1, **other: Any) -> Case:
        """A case that was just stored, as whoever stored it reads it."""
        case = a_case(number, **other)
        self.particulars.keep(case.id, WHO, NOW + 60)
        self.cases.add(case, LogLine(case.received_at, "received", "person", {"source": case.source}))
        return self.file(case).case

    def file(self, case: Case) -> CaseFile:
        found = self.cases.load(case.id)
        assert found is not None
        return found

    def due(self, until: int) -> list[tuple[str, int]]:
        """In the order of the moments, through all shards."""
        found = [one for shard in range(self.cases.shards) for one in self.cases.due(shard, until)]
        return sorted(((one.case, one.due_at) for one in found), key=lambda one: one[1])

    def open(self) -> list[str]:
        return [case for _, case in sorted(self.listed())]

    def listed(self, after: tuple[str, str] = ("", ""), most: int | None = None) -> list[tuple[str, str]]:
        """The day and the id of each, shard by shard."""
        return [one[:2] for shard in range(self.cases.shards) for one in self.cases.open_cases(shard, after, most)]


def a_case(number: int = 1, **other: Any) -> Case:
    given: dict[str, Any] = {
        "id": f"case{number:022d}",
        "right": Right.ACCESS,
        "state": CaseState.UNPROVEN,
        "contact": a_contact(),
        "language": "da",
        "jurisdiction": "DK",
        "source": "page",
        "received_at": NOON + number,
        "answer_by": "2027-02-15",
        "strict_answer_by": "2027-02-13",
        "owes": ("prove",),
        "due_at": NOW,
    }
    return Case(**{**given, **other})


@pytest.fixture(params=["in memory", "moto", "engine"])
def place(request: pytest.FixtureRequest) -> Place:
    clock = SettableClock(NOON)
    if request.param == "in memory":
        return Place(InMemoryCases(clock=clock), InMemoryParticulars(), clock)
    return in_database(request.getfixturevalue(f"{request.param}_database"), clock)


@pytest.fixture
def moto_place(moto_database: Database) -> Place:
    return in_database(moto_database, SettableClock(NOON))


def in_database(database: Database, clock: SettableClock) -> Place:
    return Place(
        DynamoCases(database, "cases", clock), SealedParticulars(database, "cases", "case-keys"), clock, database
    )


def test_a_case_is_read_as_it_was_stored(place: Place) -> None:
    case = a_case(
        state=CaseState.WITH_STAFF,
        chain="f66h7l5n3mf7cv4krt6y6r7xvw",
        proved_at=NOON,
        cool_off_until=NOON + 1,
        pause=Pause("which account", NOON, 0),
        extension=Extension("2027-04-15", "complex", NOON),
        choices={"keep_fingerprint": True, "purposes": ["direct-marketing-email"]},
        outcome={"held": False},
        owes=("prove", "received"),
        told={"prove": NOON},
        warned=10,
    )
    place.particulars.keep(case.id, WHO)
    place.cases.add(case, LogLine(NOON, "received", "person", {"source": "page"}))

    assert place.file(case) == CaseFile(
        replace(case, version=1), (), (LogLine(NOON, "received", "person", {"source": "page"}),)
    )


def test_a_case_that_nobody_stored_is_not_there(place: Place) -> None:
    assert place.cases.load("case-none") is None


def test_a_change_is_stored_with_its_log_and_its_tasks(place: Place) -> None:
    case = place.added()
    tasks = [Task("mail-tool", Verb.ERASE, next_at=NOW), Task("crm", Verb.ERASE, TaskState.ASKED, tries=1)]
    lines = [LogLine(NOON + 9, "proved", "person"), LogLine(NOON + 9, "asked", "worker", {"recipient": "crm"})]

    stored = place.cases.commit(case.moved(CaseState.RUNNING, proved_at=NOON + 9), lines, tasks)

    file = place.file(case)
    assert (stored.version, file.case) == (2, stored)
    assert file.tasks == (replace(tasks[1], version=1), replace(tasks[0], version=1))
    assert [line.what for line in file.log] == ["received", "proved", "asked"]


def test_lines_of_one_moment_stay_in_the_order_in_which_they_were_written(place: Place) -> None:
    case = place.added()
    for number in range(3):
        case = place.cases.commit(case, [LogLine(NOON + 9, f"{number}{one}", "worker") for one in "ab"])

    assert [line.what for line in place.file(case).log[1:]] == ["0a", "0b", "1a", "1b", "2a", "2b"]


def test_who_is_second_changes_nothing_and_is_told(place: Place) -> None:
    case = place.added()
    place.cases.commit(replace(case, warned=10), [LogLine(NOON + 9, "warned", "worker")])

    with pytest.raises(StaleCaseError):
        place.cases.commit(replace(case, warned=5), [LogLine(NOON, "lost", "worker")], [Task("crm", Verb.STOP)])

    file = place.file(case)
    assert (file.case.warned, file.tasks, [line.what for line in file.log]) == (10, (), ["received", "warned"])


def test_a_stale_task_keeps_the_case_as_it_is(place: Place) -> None:
    case = place.cases.commit(place.added(), [], [Task("crm", Verb.ERASE)])
    (task,) = place.file(case).tasks
    case = place.cases.commit(case, [], [replace(task, state=TaskState.DONE)])

    for stale in (task, Task("crm", Verb.ERASE)):
        with pytest.raises(StaleCaseError):
            place.cases.commit(replace(case, warned=1), [], [replace(stale, state=TaskState.FAILED)])

    file = place.file(case)
    assert (file.case, file.tasks[0].state) == (case, TaskState.DONE)


def test_a_case_that_was_never_stored_cannot_be_changed(place: Place) -> None:
    with pytest.raises(StaleCaseError):
        place.cases.commit(a_case(version=1), [])


def test_one_person_has_one_open_case_of_a_right(place: Place) -> None:
    first = place.added(1)

    with pytest.raises(OpenCaseError) as refused:
        place.added(2)
    assert refused.value.case == first.id
    assert place.cases.load(a_case(2).id) is None

    place.added(3, right=Right.ERASURE)
    place.added(4, contact=a_contact(PEOPLE[1]))


def test_closing_lets_the_person_ask_for_the_same_again(place: Place) -> None:
    first = place.added(1)
    first = place.cases.commit(first.moved(CaseState.CANCELLED, closed_at=NOON), [])
    second = place.added(2)

    # The closed one still has letters to send, and takes nothing away from the other.
    place.cases.commit(first.owing(CaseLetter.CANCELLED), [])
    with pytest.raises(OpenCaseError) as refused:
        place.added(3)
    assert refused.value.case == second.id


def test_an_id_is_given_once(place: Place) -> None:
    case = place.added(1)
    place.cases.commit(case.moved(CaseState.CANCELLED), [])

    with pytest.raises(StaleCaseError):
        place.added(1, right=Right.ERASURE)


def test_due_cases_are_told_earliest_first_and_only_those(place: Place) -> None:
    late = place.added(1, due_at=NOW - 1)
    place.added(2, due_at=NOW + 1, right=Right.ERASURE)
    place.added(3, due_at=0, right=Right.OBJECTION)
    early = place.added(4, due_at=NOW - 60, right=Right.PORTABILITY)
    assert place.due(NOW) == [(early.id, NOW - 60), (late.id, NOW - 1)]

    place.cases.commit(replace(early, due_at=0), [])
    closed = place.cases.commit(late.moved(CaseState.LAPSED, due_at=NOW - 5), [])
    assert place.due(NOW) == [(closed.id, NOW - 5)]

    place.cases.commit(replace(closed, due_at=0), [])
    assert place.due(NOW) == []


def test_a_case_that_was_ordered_is_not_due_again_until_then_or_until_it_is_changed(place: Place) -> None:
    case = place.added(1, due_at=NOW)
    place.cases.hold_back(Due(case.id, NOW), NOW + 600)
    assert (place.due(NOW + 599), place.due(NOW + 600)) == ([], [(case.id, NOW + 600)])
    assert place.file(case).case == case

    changed = place.cases.commit(replace(case, due_at=NOW + 60), [])
    assert place.due(NOW + 60) == [(case.id, NOW + 60)]

    # Who lists it at this moment still knows the case as it was.
    place.cases.hold_back(Due(case.id, NOW), NOW + 600)
    assert place.due(NOW + 60) == [(case.id, NOW + 60)]
    place.cases.commit(replace(changed, due_at=0), [])
    place.cases.hold_back(Due(case.id, NOW + 60), NOW + 600)
    assert place.due(NOW + 600) == []


def test_within_a_shard_the_earliest_comes_first(place: Place) -> None:
    same = [n for n in range(1, 200) if sum(a_case(n).id.encode()) % 8 == sum(a_case(1).id.encode()) % 8][:3]
    for number, due_at in zip(same, (NOW - 1, NOW - 9, NOW - 5), strict=True):
        place.added(number, due_at=due_at, contact=a_contact(f"{number}@example.com"))

    by_shard = [[due.due_at for due in place.cases.due(shard, NOW)] for shard in range(place.cases.shards)]
    assert [NOW - 9, NOW - 5, NOW - 1] in by_shard


def test_a_case_is_opened_at_one_contact_point_of_a_person_only(place: Place) -> None:
    old, new = a_contact(), a_contact(PEOPLE[1])
    first = place.added(contact=old)
    second = a_case(2, contact=new)
    place.particulars.keep(second.id, WHO)
    with pytest.raises(OpenCaseError) as found:
        place.cases.add(second, LogLine(NOON, "received", "person"), elsewhere=[old])
    assert (found.value.case, place.cases.load(second.id)) == (first.id, None)

    place.cases.add(second, LogLine(NOON, "received", "person"), elsewhere=[old], others={first.id})
    assert [case.id for case in place.cases.of([new])] == [second.id]
    # What is not theirs keeps its own place, and closing it frees no other.
    place.cases.commit(replace(first, state=CaseState.CANCELLED), [])
    third = a_case(3, contact=new)
    place.particulars.keep(third.id, WHO)
    with pytest.raises(OpenCaseError) as found:
        place.cases.add(third, LogLine(NOON, "received", "person"), elsewhere=[old])
    assert found.value.case == second.id


def test_the_place_of_somebody_elses_case_is_taken_and_not_freed_by_it(place: Place) -> None:
    first = place.added()
    second = a_case(2)
    place.particulars.keep(second.id, WHO)
    place.cases.add(second, LogLine(NOON, "received", "person"), others={first.id})
    place.cases.commit(replace(first, state=CaseState.CANCELLED), [])

    third = a_case(3)
    place.particulars.keep(third.id, WHO)
    with pytest.raises(OpenCaseError) as found:
        place.cases.add(third, LogLine(NOON, "received", "person"))
    assert found.value.case == second.id


def test_particulars_lose_their_end_with_the_case_that_is_stored_and_only_then(moto_place: Place) -> None:
    case = a_case()
    moto_place.particulars.keep(case.id, WHO, NOW + 60)
    before = moto_place.item("cases", case.id, keys.PARTICULARS)
    assert before is not None
    assert before["expires_at"] == {"N": str(NOW + 60)}
    moto_place.cases.add(case, LogLine(NOON, "received", "person"))
    after = moto_place.item("cases", case.id, keys.PARTICULARS)
    assert after is not None
    assert "expires_at" not in after
    assert moto_place.particulars.read(case.id) == WHO


def test_a_case_without_particulars_is_not_stored(moto_place: Place) -> None:
    with pytest.raises(StaleCaseError):
        moto_place.cases.add(a_case(), LogLine(NOON, "received", "person"))

    assert moto_place.cases.load(a_case().id) is None
    assert moto_place.items(keys.of_asker(a_contact())) == []


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"right": "no-such-right"}'])
def test_what_cannot_be_read_is_listed_by_its_id_and_put_off(moto_place: Place, body: str) -> None:
    case = moto_place.added()
    good = moto_place.added(2, right=Right.ERASURE)
    moto_place.replace_body(case, body)
    with pytest.raises(UnreadableCaseError) as error:
        moto_place.cases.load(case.id)
    assert error.value.__cause__ is None

    listed = [one for shard in range(moto_place.cases.shards) for one in moto_place.cases.open_cases(shard)]
    assert {one.id: one.case for one in listed} == {case.id: None, good.id: good}
    assert moto_place.cases.put_off(case.id, NOW + 60)
    assert not moto_place.cases.put_off(case.id, NOW + 120)
    assert moto_place.due(NOW + 119) == [(good.id, NOW)]
    assert (case.id, NOW + 120) in moto_place.due(NOW + 120)


def test_a_page_of_open_cases_begins_where_the_one_before_ended(place: Place) -> None:
    days = ["2027-02-15", "2027-02-13", "2027-02-14"]
    for number in range(24):
        place.added(number, contact=a_contact(f"p{number}@example.com"), answer_by=days[number % 3])
    everything = sorted(place.listed())
    assert len(everything) == 24
    for start in (0, 3, 11, 23):
        after = everything[start]
        assert sorted(place.listed(after, most=2)) == everything[start + 1 :]
    one_shard = [one[:2] for one in place.cases.open_cases(0)]
    assert one_shard == sorted(one_shard)


def test_what_was_listed_before_is_not_read_again(moto_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        day = f"2027-02-{10 + number // 4}"
        moto_place.added(number, contact=a_contact(f"p{number}@example.com"), answer_by=day)
    assert moto_place.database is not None
    call, read = moto_place.database.call, []

    def counting(operation: str, **arguments: Any) -> Mapping[str, Any]:
        answer = call(operation, **arguments)
        read.append(len(answer["Items"]))
        return answer

    monkeypatch.setattr(moto_place.database, "call", counting)
    assert len(moto_place.listed(("2027-02-18", "zzz"))) == 4
    assert sum(read) <= 8
    read.clear()
    assert next(iter(moto_place.cases.open_cases(0, most=1))).case is not None
    assert sum(read) <= 2


def test_open_cases_are_listed_by_the_day_to_answer_by(place: Place) -> None:
    place.added(1, answer_by="2027-03-01")
    place.added(2, answer_by="2027-02-01", right=Right.ERASURE)
    closed = place.added(3, answer_by="2027-01-01", right=Right.OBJECTION)
    place.cases.commit(closed.moved(CaseState.CANCELLED), [])

    assert place.open() == [a_case(2).id, a_case(1).id]


def test_a_persons_cases_are_found_open_or_closed_the_newest_first(place: Place) -> None:
    first = place.added(1)
    place.cases.commit(first.moved(CaseState.CANCELLED), [])
    place.added(2)
    other = ContactPoint("fjordmeter", "email", "k0", "b" * 26)
    place.added(3, contact=other)
    place.added(4, contact=a_contact(PEOPLE[1]))

    found = place.cases.of([a_contact(), other, a_contact(PEOPLE[2])])

    assert [case.id for case in found] == [a_case(number).id for number in (3, 2, 1)]
    assert found[2].state is CaseState.CANCELLED


def test_a_closed_case_is_gone_at_its_end(place: Place) -> None:
    case = place.added(1)
    case = place.cases.commit(case.moved(CaseState.CANCELLED, expires_at=NOW + YEAR, due_at=0, owes=()), [])
    place.clock.move(seconds=YEAR - 1)
    assert place.file(case).case.expires_at == NOW + YEAR

    place.clock.move(seconds=1)

    assert place.cases.load(case.id) is None
    assert place.cases.of([a_contact()]) == []


def test_particulars_are_kept_and_replaced(place: Place) -> None:
    assert place.particulars.read("case-1") is None
    place.particulars.keep("case-1", {"address": PEOPLE[1]})
    place.particulars.keep("case-1", WHO)

    assert place.particulars.read("case-1") == WHO
    assert place.particulars.read("case-2") is None


def test_particulars_that_were_shredded_are_gone_and_shredding_again_is_harmless(place: Place) -> None:
    place.particulars.keep("case-1", WHO)
    place.particulars.shred("case-1")
    place.particulars.shred("case-1")
    assert place.particulars.read("case-1") is None

    place.particulars.keep("case-1", {"address": PEOPLE[1]})
    assert place.particulars.read("case-1") == {"address": PEOPLE[1]}


def test_details_of_ten_thousand_signs_and_what_recipients_sent_fit_and_more_is_refused(place: Place) -> None:
    room = LARGEST - len('{"details":"","collected":""}') - len(("æ" * 10_000).encode())
    most = {"details": "æ" * 10_000, "collected": "x" * room}
    place.particulars.keep("case-1", most)

    with pytest.raises(ParticularsTooLargeError):
        place.particulars.keep("case-1", {**most, "collected": "x" * (room + 1)})

    assert place.particulars.read("case-1") == most


# ---- What only a database shows ----------------------------------------------------------------------------------


def test_reading_a_file_does_not_read_the_particulars(moto_place: Place) -> None:
    case = moto_place.cases.commit(moto_place.added(1), [], [Task("zz-last", Verb.ERASE)])
    moto_place.particulars.keep(case.id, WHO)

    assert max(item["sk"]["S"] for item in moto_place.items(keys.of_case(case.id))) == keys.PARTICULARS
    assert len(list(moto_place.cases._items_of(case.id, keys.CASE, keys.LAST_OF_FILE))) == 3  # type: ignore[attr-defined]


def test_nothing_stored_of_a_case_names_the_person(moto_place: Place) -> None:
    case = moto_place.added(1)
    moto_place.particulars.keep(case.id, WHO)

    stored = json.dumps([moto_place.items(keys.of_case(case.id)), moto_place.items(keys.of_asker(case.contact))])
    assert all(text not in stored for text in (PEOPLE[0], "Hej", "mail-tool/a.json"))


def test_a_copy_of_the_table_without_the_keys_cannot_be_read(moto_place: Place) -> None:
    moto_place.particulars.keep("case-1", WHO)
    copy = moto_place.item("cases", "case-1", keys.PARTICULARS)
    moto_place.particulars.shred("case-1")
    assert moto_place.item("case-keys", "case-1", "KEY") is None

    assert moto_place.database is not None
    moto_place.database.call("PutItem", TableName="cases", Item=copy)
    assert moto_place.particulars.read("case-1") is None

    # A new key opens no old text either.
    moto_place.particulars.keep("case-1", WHO)
    moto_place.database.call("PutItem", TableName="cases", Item=copy)
    assert moto_place.particulars.read("case-1") is None


def test_every_case_has_a_key_of_its_own_and_every_text_a_nonce(moto_place: Place) -> None:
    moto_place.particulars.keep("case-1", WHO)
    moto_place.particulars.keep("case-2", WHO)
    key = moto_place.item("case-keys", "case-1", "KEY")
    before = moto_place.item("cases", "case-1", keys.PARTICULARS)
    moto_place.particulars.keep("case-1", WHO)

    after = moto_place.item("cases", "case-1", keys.PARTICULARS)
    other = moto_place.item("case-keys", "case-2", "KEY")
    assert key
    assert before
    assert after
    assert other
    assert moto_place.item("case-keys", "case-1", "KEY") == key
    assert key["key"] != other["key"]
    assert before["sealed"] != after["sealed"]


def test_particulars_that_were_altered_are_an_error_and_not_an_absence(moto_place: Place) -> None:
    moto_place.particulars.keep("case-1", WHO)
    item = moto_place.item("cases", "case-1", keys.PARTICULARS)
    assert item
    assert moto_place.database is not None
    text = str(item["sealed"]["B"])
    altered = text[:50] + ("A" if text[50] != "A" else "B") + text[51:]
    moto_place.database.call("PutItem", TableName="cases", Item={**item, "sealed": {"B": altered}})

    with pytest.raises(UnreadableParticularsError):
        moto_place.particulars.read("case-1")


@pytest.mark.parametrize("lines", [3, 120])
def test_closing_gives_everything_of_a_case_the_same_end(moto_place: Place, lines: int) -> None:
    case = moto_place.added(1)
    moto_place.particulars.keep(case.id, WHO)
    case = moto_place.cases.commit(case.moved(CaseState.RUNNING, proved_at=NOON), [], [Task("crm", Verb.ERASE)])
    for start in range(0, lines, 40):
        case = moto_place.cases.commit(
            case, [LogLine(NOON + start + one, "line", "worker") for one in range(min(40, lines - start))]
        )

    moto_place.cases.commit(case.moved(CaseState.DONE, expires_at=NOW + YEAR), [LogLine(NOON, "done", "worker")])

    stored = [*moto_place.items(keys.of_case(case.id)), *moto_place.items(keys.of_asker(case.contact))]
    assert {item.get("expires_at", {}).get("N") for item in stored} == {str(NOW + YEAR)}
    assert len(stored) == lines + 6


def test_what_a_later_version_wrote_beside_what_is_known_is_passed_over(moto_place: Place) -> None:
    case = moto_place.added(1)
    item = moto_place.item("cases", case.id, keys.CASE)
    assert item
    assert moto_place.database is not None
    body = json.dumps({**json.loads(item["body"]["S"]), "colour": "blue"})
    moto_place.database.call("PutItem", TableName="cases", Item={**item, "body": {"S": body}})

    assert moto_place.file(case).case == case


def test_no_case_is_acknowledged_while_the_database_is_away(moto_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    case = moto_place.added(1)

    def away(*_: Any, **__: Any) -> Callable[[], Any]:
        raise ConnectionResetError(PEOPLE[0])

    assert moto_place.database is not None
    monkeypatch.setattr(moto_place.database._wire.connections, "begin", away)
    acts: list[Callable[[], object]] = [
        lambda: moto_place.added(2, right=Right.ERASURE),
        lambda: moto_place.cases.load(case.id),
        lambda: moto_place.cases.commit(case, []),
        lambda: moto_place.cases.of([a_contact()]),
        lambda: list(moto_place.cases.due(0, NOW)),
        lambda: list(moto_place.cases.open_cases(0)),
        lambda: moto_place.particulars.keep(case.id, WHO),
        lambda: moto_place.particulars.read(case.id),
        lambda: moto_place.particulars.shred(case.id),
    ]
    for act in acts:
        with pytest.raises(UnavailableError) as failed:
            act()
        assert PEOPLE[0] not in str(failed.value)


@pytest.fixture
def engine_place(engine_database: Database) -> Place:
    return in_database(engine_database, SettableClock(NOON))


def test_of_two_who_move_a_case_at_once_one_does_it_and_the_other_is_told_on_the_engine(engine_place: Place) -> None:
    case = engine_place.added(1)
    acts = [
        lambda n=number: engine_place.cases.commit(replace(case, warned=n), [LogLine(NOON + 9, f"{n}", "worker")])
        for number in (1, 5)
    ]

    outcomes = at_once(*acts)

    won = [outcome for outcome in outcomes if isinstance(outcome, Case)]
    assert [type(outcome) for outcome in outcomes if outcome not in won] == [StaleCaseError]
    file = engine_place.file(case)
    assert (file.case, [line.what for line in file.log]) == (won[0], ["received", str(won[0].warned)])


def test_of_many_requests_of_one_right_at_once_one_is_opened_on_the_engine(engine_place: Place) -> None:
    outcomes = at_once(*[lambda n=number: engine_place.added(n) for number in range(1, 6)])

    opened = [outcome for outcome in outcomes if isinstance(outcome, Case)]
    assert len(opened) == 1
    assert all(isinstance(outcome, OpenCaseError | StaleCaseError) for outcome in outcomes if outcome not in opened)
    assert [case.id for case in engine_place.cases.of([a_contact()])] == [opened[0].id]


def test_of_two_who_keep_particulars_first_at_once_both_use_one_key_on_the_engine(engine_place: Place) -> None:
    at_once(*[lambda n=number: engine_place.particulars.keep("case-1", {"address": PEOPLE[n]}) for number in (0, 1)])

    found = engine_place.particulars.read("case-1")
    assert found is not None
    assert found["address"] in PEOPLE[:2]
