"""Letters that go out, the texts of letters and files, and mail that comes in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from consent_center.domain.contact import ContactPoint
from consent_center.domain.told import Telling


@dataclass(frozen=True, slots=True)
class LetterOrder:
    """A letter to be written and sent; ids only, so that a queue never holds a person.

    `request` is the sign-up that the letter asks about; for a receipt, and for where data came from, the number of the
    event (`seq`); for a changed notice `<edition>/<epoch ms since when people are shown it>`; for a letter of a case
    `<case>/<what it says>/<how many there were before>`; for other letters a random name, so that duplicates are seen.
    `brand` is the one that was asked, for a link to preferences; other letters tell it by what they are about.
    """

    letter: str
    contact: ContactPoint
    request: str
    brand: str | None = None


class Outbox(Protocol):
    def order(self, order: LetterOrder) -> None:
        """Queue a letter, or UnavailableError."""


class Tellings(Protocol):
    """Letters that were handed over, for whoever may write evidence."""

    def note(self, contact: ContactPoint, telling: Telling) -> None:
        """Have it entered that a person was told, or UnavailableError. Harmless to repeat."""

    def put_off(self, contact: ContactPoint, telling: Telling) -> None:
        """The same, once what the person does now can no longer be undone."""


class Claims(Protocol):
    def take(self, name: str, now: int, until: int = 0) -> bool:
        """Claim a letter before sending it (`now` in epoch seconds). False: it was sent already.

        The claim is kept while a queue may deliver an order again, and at least until the epoch second `until`.
        UnavailableError while somebody else holds it.
        """

    def finish(self, name: str, now: int) -> None:
        """Note that the letter was sent."""

    def was_taken(self, name: str) -> bool:
        """Whether a letter was ever claimed: it was sent, or was about to be."""

    def was_sent(self, name: str) -> bool:
        """Whether somebody who claimed a letter noted that it was sent."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter."""

    name: str
    media_type: str
    content: bytes

    def __repr__(self) -> str:
        """Hides the content, because a repr ends up in logs and tracebacks."""
        return f"Attachment({self.name!r})"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One letter to one address."""

    to: str
    sender_name: str
    sender_address: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    attachments: Sequence[Attachment] = ()

    def __repr__(self) -> str:
        """Hides the letter, because a repr ends up in logs and tracebacks."""
        return "Envelope(…)"


class Mailer(Protocol):
    def send(self, envelope: Envelope) -> None:
        """Hand a letter over. LetterRefusedError if it will never be taken, UnavailableError if it may be later."""


class WrittenLetter(Protocol):
    @property
    def subject(self) -> str:
        """One line."""

    @property
    def text(self) -> str:
        """The letter as plain text."""

    @property
    def html(self) -> str:
        """The same letter as HTML."""


class LetterTexts(Protocol):
    def letter(self, name: str, language: str, **context: Any) -> WrittenLetter:
        """The letter of that name in a language."""


class FileTexts(Protocol):
    def page(self, name: str, language: str, **context: Any) -> str:
        """The page of that name as HTML that needs nothing else."""

    def file(self, name: str, language: str, **context: Any) -> str:
        """The file of that name as plain text."""


class Part(NamedTuple):
    """One item of a record: `state`, `profile`, `sent` of `<purpose>#<channel>`, or `payload` of a seq."""

    kind: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class StoredMail:
    """The beginning of a mail that arrived, and when that was in epoch milliseconds."""

    beginning: bytes
    arrived_at: int

    def __repr__(self) -> str:
        """Hides the mail, because a repr ends up in logs and tracebacks."""
        return "StoredMail(…)"


class IncomingMails(Protocol):
    def read(self, name: str, most: int) -> StoredMail | None:
        """The first `most` bytes of a mail that arrived; None if it was dealt with before. UnavailableError."""

    def remove(self, name: str) -> None:
        """Forget a mail that was dealt with. Harmless to repeat. UnavailableError."""

    def set_aside(self, name: str, reason: str) -> None:
        """Move a mail to where people will look for it. Harmless to repeat. UnavailableError."""
