"""What all kinds of connectors share: declared verbs, and which of AWS's refusals last."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
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

    def __init__(self, verbs: Iterable[Verb]) -> None:
        self.verbs = frozenset(verbs) & self.possible

    def ask(self, ask: Ask) -> Answer:
        if ask.verb not in self.verbs:
            return failed("not_offered")
        try:
            return self._ways[ask.verb](ask)
        except CallFailedError as error:
            return refused_or_unavailable(ask.recipient, error.code)

    @property
    @abstractmethod
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        """How each possible verb is carried out."""


def failed(code: str) -> Answer:
    return Answer(TaskState.FAILED, code)


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
