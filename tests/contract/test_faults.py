"""What DynamoDB's refusals become: nothing is acknowledged that was not stored, and no refusal quotes an item."""

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from builders import NOON, PEOPLE, a_contact, a_decision
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.dynamodb.ledger import DynamoLedger
from consent_center.adapters.dynamodb.subjects import DynamoSubjects
from consent_center.domain.errors import DomainError, StaleSubjectError, UnavailableError
from consent_center.ports import Send
from fakes import no_pause


class Faulty:
    """Stands before a database's client and spoils its answers."""

    def __init__(self, database: Database, *, operation: str, error: Exception, after: bool = False) -> None:
        self._client = database.connection.client
        self._call = self._client._make_api_call
        self._operation, self._error, self._after = operation, error, after
        self.count = 0
        self._client._make_api_call = self

    def __call__(self, operation: str, arguments: object) -> object:
        if operation != self._operation:
            return self._call(operation, arguments)
        self.count += 1
        if self._after:
            self._call(operation, arguments)
        raise self._error

    def mend(self) -> None:
        self._client._make_api_call = self._call


def refusal(code: str, operation: str = "TransactWriteItems", **more: object) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": PEOPLE[0]}, **more}, operation)  # type: ignore[arg-type]


@pytest.fixture
def subjects(moto_database: Database) -> DynamoSubjects:
    return DynamoSubjects(moto_database, no_pause)


CONFLICT = refusal("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])
THROTTLED = refusal("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CONFLICT, StaleSubjectError),
        (THROTTLED, UnavailableError),
        (refusal("ProvisionedThroughputExceededException"), UnavailableError),
        (refusal("InternalServerError"), UnavailableError),
        (refusal("AccessDeniedException"), UnavailableError),
        (ReadTimeoutError(endpoint_url="https://dynamodb"), UnavailableError),
    ],
)
def test_a_refused_decision_is_told_and_nothing_is_stored(
    moto_database: Database, subjects: DynamoSubjects, error: Exception, expected: type[DomainError]
) -> None:
    Faulty(moto_database, operation="TransactWriteItems", error=error)

    with pytest.raises(expected) as told:
        subjects.commit(a_decision())
    assert PEOPLE[0] not in f"{told.value!r} {told.value.__cause__!r}"
    assert subjects.load(a_contact()).subject.version == 0


def test_a_decision_whose_answer_was_lost_is_found_on_the_next_try(
    moto_database: Database, subjects: DynamoSubjects
) -> None:
    lost = ReadTimeoutError(endpoint_url="https://dynamodb")
    faulty = Faulty(moto_database, operation="TransactWriteItems", error=lost, after=True)
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
    Faulty(moto_database, operation=operation, error=refusal("TransactionConflictException", operation))

    with pytest.raises(StaleSubjectError):
        subjects.cancel_request(a_contact(), "request-1", {}, NOON)


def test_people_in_a_batch_that_fails_are_left_out(moto_database: Database, subjects: DynamoSubjects) -> None:
    Faulty(moto_database, operation="BatchGetItem", error=refusal("InternalServerError"))

    assert subjects.states([a_contact()]) == {}


def test_sends_in_a_batch_that_fails_are_reported(moto_database: Database, subjects: DynamoSubjects) -> None:
    Faulty(moto_database, operation="BatchWriteItem", error=refusal("InternalServerError"))

    assert subjects.record_sends([Send(a_contact(), "direct-marketing-email", NOON)]) == {a_contact()}


def test_one_key_that_stays_unprocessed_is_left_out_and_no_other(
    moto_database: Database, subjects: DynamoSubjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = [a_contact(f"person-{number}@example.com") for number in range(3)]
    call = moto_database.call

    def leave_one(operation: str, **arguments: object) -> object:
        request = arguments["RequestItems"]["subjects"]  # type: ignore[index]
        first, rest = request["Keys"][:1], request["Keys"][1:]
        answer = call(operation, RequestItems={"subjects": {**request, "Keys": rest}}) if rest else {"Responses": {}}
        return {**answer, "UnprocessedKeys": {"subjects": {**request, "Keys": first}}}

    monkeypatch.setattr(moto_database, "call", leave_one)
    assert set(subjects.states(contacts)) == set(contacts[1:])
