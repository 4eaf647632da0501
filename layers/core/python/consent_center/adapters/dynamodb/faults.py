"""DynamoDB's answers in the words of the domain."""

from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.exceptions import PynamoDBException, TransactWriteError

from consent_center.adapters.wire import CallFailedError
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
    except (PynamoDBException, CallFailedError) as error:
        if _code(error) == "TransactionConflictException":
            # A single write met a transaction on the same item; DynamoDB's clients do not try that again by themselves.
            raise StaleSubjectError from None
        raise UnavailableError(f"{operation}: {_code(error)}") from None


def condition_failed(error: PynamoDBException | CallFailedError) -> bool:
    return _code(error) == "ConditionalCheckFailedException"


def _code(error: PynamoDBException | CallFailedError) -> str:
    """DynamoDB's word for the error, or its kind where there was no answer."""
    if isinstance(error, CallFailedError):
        return error.code
    return error.cause_response_code or type(error).__name__
