"""The words for what can go wrong; each function says in one place which answer belongs to which."""


class DomainError(Exception):
    """Something a caller can be told about. Texts never carry personal data."""


class InvalidAddressError(DomainError):
    """What was given is no address that a letter can reach."""


class InvalidTokenError(DomainError):
    """A link was cut, altered, made for another purpose, or signed with a key we do not know."""


class ExpiredTokenError(DomainError):
    """A link was ours and is too old."""


class RequestGoneError(DomainError):
    """A sign-up can no longer be confirmed.

    `reason` is `expired`, `cancelled` or `withdrawn`, or `gone` for a change of address that cannot be made any
    more; `at` is when the person withdrew, in epoch milliseconds.
    """

    def __init__(self, reason: str, at: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


class NothingHeldError(DomainError):
    """A link was ours, and nothing is stored about whom it was made for."""


class WordingChangedError(DomainError):
    """The text on the page is not the text in force: it has to be shown again before anyone agrees to it."""


class InvalidFormError(DomainError):
    """A form was filled in wrongly. `fields` names each field and the rule it breaks, never what was typed."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(f"{field}: {rule}" for field, rule in fields.items()))
        self.fields = fields


class UnknownNameError(DomainError):
    """The policy has no such purpose, topic, channel or notice. `field` says which."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class MissingScopeError(DomainError):
    """The caller's token does not carry the scope that this call needs."""


class TooManyRequestsError(DomainError):
    """One source has asked for more than is taken from it in an hour."""


class TooManyTriesError(DomainError):
    """So many codes were typed for one request that no further one is compared, right or wrong."""


class TakenPlaceError(DomainError):
    """A record cannot be moved to where another one is."""


class StaleSubjectError(DomainError):
    """Somebody else changed this person's record first: read again and decide again."""


class ForbiddenTransitionError(DomainError):
    """Only the person can turn a withdrawal, an objection or a suppression into a consent."""


class ForbiddenStepError(DomainError):
    """A case cannot go from the state it is in to another one. `state` and `wanted` name them, `instead` a step to take
    in place of the one that was wanted, where there is one.
    """

    def __init__(self, state: str, wanted: str, instead: str = "") -> None:
        super().__init__(f"{state} -> {wanted}")
        self.state = state
        self.wanted = wanted
        self.instead = instead


class StaleCaseError(DomainError):
    """Somebody else changed this case first: read again and decide again."""


class CaseGoneError(DomainError):
    """A link of a case has nothing left to do. `reason` is `cancelled`, `lapsed`, `used`, or `gone` with its file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnreadableCaseError(DomainError):
    """What is stored of a case is nothing that this version of the product can read."""


class OpenCaseError(DomainError):
    """The same person has asked for the same already, and that case is open. `case` is its id."""

    def __init__(self, case: str) -> None:
        super().__init__("open already")
        self.case = case


class BadSignatureError(DomainError):
    """A message of another system is not signed, wrongly signed, or signed too long ago."""


class UnknownCaseError(DomainError):
    """There is no such case, or the case has asked no such recipient."""


class ClosedCaseError(DomainError):
    """The case is closed: nothing is changed any more."""


class SettledTaskError(DomainError):
    """The recipient has answered already, and said something else."""


class ParticularsTooLargeError(DomainError):
    """More was to be kept about the person of a case than there is room for."""


class SuppressedError(ForbiddenTransitionError):
    """The person is suppressed: nothing but their own act brings them back."""


class MovedAwayError(ForbiddenTransitionError):
    """What was stated is older than a change of address: it is about the person who had the address before."""


class UnavailableError(DomainError):
    """Something we depend on did not answer. Nothing was acknowledged; trying again is right."""


class UnreadableParticularsError(UnavailableError):
    """What a case knows about its person is there and cannot be opened: it was altered. Waiting mends nothing."""


class RecipientGoneError(DomainError):
    """A recipient says that it takes no more of what it is told."""


class LetterRefusedError(DomainError):
    """The mail service will never take this letter, however often it is tried."""


class UnreadableMessageError(DomainError):
    """What came on a queue is nothing that we know, and never will be."""


class UnreadableChangeError(DomainError):
    """A change of a table is not as any version of ours writes it."""
