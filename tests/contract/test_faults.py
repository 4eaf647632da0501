"""What DynamoDB's refusals become: nothing is acknowledged that was not stored, and no refusal quotes an item."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from builders import NOON, PEOPLE, a_contact, a_decision
from consent_center.adapters.connections import Answer
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.domain.errors import DomainError, StaleSubjectError, UnavailableError
from consent_center.ports.people import Send
from fakes import no_pause


class Faulty:
    """Stands between a database's wire and DynamoDB, and spoils the answers to one operation."""

    def __init__(
        self, database: Database, *, operation: str, answer: Answer | Exception, after: bool = False, times: int = 99
    ) -> None:
        self._connections = database._wire.connections
        self._begin = self._connections.begin
        self._operation, self._answer, self._after, self._times = operation, answer, after, times
        self.count = 0
        self._connections.begin = self

    def __call__(self, path: str, headers: Mapping[str, str], body: bytes) -> Callable[[], Answer]:
        if not headers["x-amz-target"].endswith(f".{self._operation}") or self.count == self._times:
            return self._begin(path, headers, body)
        self.count += 1
        if self._after:
            self._begin(path, headers, body)()
        return self._tell

    def _tell(self) -> Answer:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def mend(self) -> None:
        self._connections.begin = self._begin


def refusal(code: str, status: int = 400, **more: object) -> Answer:
    """As DynamoDB writes it, with a person in the words for people."""
    told = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "Message": PEOPLE[0], **more}
    return Answer(status, "", json.dumps(told).encode())


@pytest.fixture
def subjects(moto_database: Database) -> DynamoSubjects:
    return DynamoSubjects(moto_database, no_pause, lambda: NOON)


CONFLICT = refusal(
    "TransactionCanceledException",
    CancellationReasons=[{"Code": "None"}, {"Code": "TransactionConflict", "Message": PEOPLE[0]}],
)
THROTTLED = refusal("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}])


@pytest.mark.parametrize(
    ("answer", "expected", "tries"),
    [
        (CONFLICT, StaleSubjectError, 1),
        (THROTTLED, UnavailableError, 1),
        (refusal("ProvisionedThroughputExceededException"), UnavailableError, 3),
        (refusal("InternalServerError", 500), UnavailableError, 3),
        (refusal("AccessDeniedException"), UnavailableError, 1),
        (Answer(503, "", b"<html>"), UnavailableError, 3),
        (TimeoutError(PEOPLE[0]), UnavailableError, 3),
        (ConnectionResetError(PEOPLE[0]), UnavailableError, 3),
    ],
)
def test_a_refused_decision_is_told_and_nothing_is_stored(
    moto_database: Database,
    subjects: DynamoSubjects,
    answer: Answer | Exception,
    expected: type[DomainError],
    tries: int,
) -> None:
    faulty = Faulty(moto_database, operation="TransactWriteItems", answer=answer)

    with pytest.raises(expected) as told:
        subjects.commit(a_decision())
    assert PEOPLE[0] not in f"{told.value!r} {told.value.__cause__!r}"
    assert faulty.count == tries
    faulty.mend()
    assert subjects.load(a_contact()).subject.version == 0


def test_a_decision_that_dynamodb_was_too_busy_for_is_stored_by_the_next_try(
    moto_database: Database, subjects: DynamoSubjects
) -> None:
    Faulty(moto_database, operation="TransactWriteItems", answer=refusal("ThrottlingException"), times=2)
    decision = a_decision()

    subjects.commit(decision)
    assert subjects.load(a_contact()).subject == decision.subject


def test_a_decision_whose_answer_was_lost_is_found_on_the_next_try(
    moto_database: Database, subjects: DynamoSubjects
) -> None:
    faulty = Faulty(moto_database, operation="TransactWriteItems", answer=TimeoutError(), after=True)
    decision = a_decision()
    with pytest.raises(UnavailableError):
        subjects.commit(decision)
    faulty.mend()

    assert subjects.load(a_contact()).subject == decision.subject
    assert DynamoLedger().entries("chain-1") == [decision.entry]


@pytest.mark.parametrize("operation", ["UpdateItem", "DeleteItem"])
def test_a_single_write_that_meets_a_transaction_is_worth_another_try(
    moto_database: Database, subjects: DynamoSubjects, operation: str
) -> None:
    Faulty(moto_database, operation=operation, answer=refusal("TransactionConflictException"))

    with pytest.raises(StaleSubjectError):
        subjects.cancel_request(a_contact(), "request-1", {}, NOON)


def test_people_in_a_batch_that_fails_are_left_out(moto_database: Database, subjects: DynamoSubjects) -> None:
    Faulty(moto_database, operation="BatchGetItem", answer=refusal("InternalServerError", 500))

    assert subjects.states([a_contact()]) == {}


def test_sends_in_a_batch_that_fails_are_reported(moto_database: Database, subjects: DynamoSubjects) -> None:
    Faulty(moto_database, operation="BatchWriteItem", answer=refusal("InternalServerError", 500))

    assert subjects.record_sends([Send(a_contact(), "direct-marketing-email", NOON)]) == {a_contact()}


def test_one_key_that_stays_unprocessed_is_left_out_and_no_other(
    moto_database: Database, subjects: DynamoSubjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = [a_contact(f"person-{number}@example.com") for number in range(3)]

    def leave_one(operation: str, calls: Sequence[Any]) -> list[Any]:
        (call,) = calls
        request = call["RequestItems"]["subjects"]
        first, rest = request["Keys"][:1], request["Keys"][1:]
        some = {"RequestItems": {"subjects": {**request, "Keys": rest}}}
        answer = moto_database.call(operation, **some) if rest else {"Responses": {}}
        return [{**answer, "UnprocessedKeys": {"subjects": {**request, "Keys": first}}}]

    monkeypatch.setattr(moto_database, "call_all", leave_one)
    assert set(subjects.states(contacts)) == set(contacts[1:])


@pytest.mark.parametrize("answer", [TimeoutError(PEOPLE[0]), refusal("InternalServerError", 500)])
def test_a_record_that_cannot_be_read_is_told_as_unavailable(
    moto_database: Database, subjects: DynamoSubjects, answer: Answer | Exception
) -> None:
    Faulty(moto_database, operation="GetItem", answer=answer)
    with pytest.raises(UnavailableError) as error:
        subjects.load(a_contact())
    assert PEOPLE[0] not in str(error.value)
