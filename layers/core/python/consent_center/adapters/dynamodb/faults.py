"""DynamoDB's answers in the words of the domain."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException, TransactWriteError, VerboseClientError

from consent_center.domain.errors import StaleSubjectError, UnavailableError

_SOMEBODY_WAS_FIRST = {"ConditionalCheckFailed", "TransactionConflict"}


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Raise UnavailableError for whatever DynamoDB could not do, StaleSubjectError where somebody else was first.

    The cause is dropped, because its text may quote the item.
    """
    try:
        yield
    except TransactWriteError as error:
        reasons = {reason.code for reason in error.cancellation_reasons if reason is not None}
        if reasons & _SOMEBODY_WAS_FIRST and reasons <= _SOMEBODY_WAS_FIRST:
            raise StaleSubjectError from None
        raise UnavailableError(f"{operation}: {_code(error)} {sorted(filter(None, reasons))}") from None
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        raise UnavailableError(f"{operation}: {_code(error)}") from None


def condition_failed(error: PynamoDBException) -> bool:
    return error.cause_response_code == "ConditionalCheckFailedException"


def _code(error: Exception) -> str:
    if isinstance(error, PynamoDBException):
        return error.cause_response_code or type(error.cause).__name__
    if isinstance(error, ClientError | VerboseClientError):
        return str(error.response.get("Error", {}).get("Code"))
    return type(error).__name__
