"""What all kinds of connectors share: declared verbs, and which of AWS's refusals last."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from consent_center.adapters.wire import CallFailedError
from consent_center.domain.errors import UnavailableError
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb

NOTHING = Answer(TaskState.NOTHING_HELD)
DONE = Answer(TaskState.DONE)

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}", re.ASCII)

_LASTING = {
    *("AccessDenied", "AccessDeniedException", "NotAuthorizedException", "403"),
    *("ResourceNotFoundException", "NotFoundException", "NoSuchBucket", "404"),
    *("ValidationException", "InvalidParameterException", "BadRequestException", "InvalidArgument", "InvalidRequest"),
    *("UnsupportedOperationException", "MethodNotAllowed"),
}
"""AWS's words for what waiting does not mend: a right, a name or a setting is wrong."""


class Kind(ABC):
    """A connector that does what its recipient declares, of what its kind can do.

    A verb that was not declared is never carried out, whoever asks: its answer is FAILED with the code `not_offered`.
    """

    possible: ClassVar[frozenset[Verb]]
    takes_all_addresses: ClassVar[bool] = False
    """Whether one request names all addresses of the person; else each is asked for by itself."""

    def __init__(self, verbs: Iterable[Verb]) -> None:
        self.verbs = frozenset(verbs) & self.possible

    def ask(self, ask: Ask) -> Answer:
        if ask.verb not in self.verbs:
            return failed("not_offered", was_sent=False)
        one_each = () if self.takes_all_addresses else ask.former_addresses
        asks = [ask, *(replace(ask, address=address) for address in one_each)]
        try:
            return _together([self._ways[ask.verb](one) for one in asks])
        except CallFailedError as error:
            return refused_or_unavailable(ask.recipient, error.code)

    @property
    @abstractmethod
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        """How each possible verb is carried out."""


def _together(answers: Sequence[Answer]) -> Answer:
    """What was said of all addresses of one person: the worst that has to be seen to, and every file."""
    first, *others = answers
    for state in (TaskState.FAILED, TaskState.DONE):
        first = next((answer for answer in answers if answer.state is state), first) if others else first
        if first.state is TaskState.FAILED:
            return first
    files = {
        f"former-{number}-{name}" if number else name: content
        for number, answer in enumerate(answers)
        for name, content in answer.collected.items()
    }
    return replace(first, collected=files)


def failed(code: str, *, was_sent: bool = True) -> Answer:
    return Answer(TaskState.FAILED, code, was_sent=was_sent)


def refused_or_unavailable(recipient: str, code: str) -> Answer:
    """FAILED for a refusal that lasts; UnavailableError for what may pass."""
    if code in _LASTING:
        return failed(code)
    raise UnavailableError(f"recipient {recipient}: {code}") from None


def code_of(said: object) -> str:
    """A code as the recipient said it; nothing for what is no code, because it could be anything."""
    return said if isinstance(said, str) and _CODE.fullmatch(said) else ""


def spellings(address: str) -> list[str]:
    """How a recipient may have written an address: as it is, and in small letters."""
    return list(dict.fromkeys([address, address.lower()]))
