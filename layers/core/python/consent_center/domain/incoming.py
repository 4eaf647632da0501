"""A mail that somebody wrote to the stop address: what it says, who vouches for its sender, and whether it says stop.

Everything in a mail is the sender's to choose, so nothing here raises for any bytes whatever. Attachments stay shut.
"""

import email
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import getaddresses
from html.parser import HTMLParser
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    _Policy = EmailPolicy[EmailMessage]
else:
    _Policy = EmailPolicy

T = TypeVar("T")

READ_BYTES = 262_144
"""How much of a mail is read: what a person wrote and the letter they quote stand at its beginning."""

_FIRST_LINES = 5
"""Who wants to stop says so at once; further down stand other people's words."""

_LONGEST_HEADER = 2_000
_LONGEST_TEXT = 65_536
_MOST_PARTS = 50

_TOKEN = re.compile(r"(v1\.\w{1,32}\.[\w-]{8,2000}\.[\w-]{22})(?![\w-])", re.ASCII)
_ANSWERS = re.compile(r"(?:re|sv|vs|aw|antw|fwd?|vb|wg|tr)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_OLD_HEADER = re.compile(r"[>*\s]*(?:from|fra|från|von|de)\s*:", re.IGNORECASE)
_WORD = re.compile(r"[\w']+")
_PROOFS = (("dmarc", "header.from"), ("dkim", "header.i"), ("dkim", "header.d"), ("spf", "envelope-from"))
"""Each method with the word before the domain that it proved (RFC 8601)."""

_BROKEN = (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
"""What the standard library's reader raises for mails that keep to no rule."""


@dataclass(frozen=True, slots=True)
class StopWords:
    """How people say stop, in some languages, as runs of lower-case words."""

    commands: frozenset[tuple[str, ...]]
    """Say stop where a line has nothing else but courtesy."""
    phrases: tuple[tuple[str, ...], ...]
    """Say stop anywhere in a line, unless a negation stands right before."""
    courtesy: frozenset[str]
    negations: frozenset[str]
    quoted: frozenset[str]
    """End a line that announces somebody else's words: `wrote:`."""
    away: tuple[tuple[str, ...], ...]
    """Stand in the subject of a mail that a computer answers with while its owner is away."""

    @classmethod
    def of(cls, words: Mapping[str, Mapping[str, Sequence[str]]], languages: Iterable[str]) -> "StopWords":
        """Those of the languages, and those under `*` that people use in every one."""
        chosen = [words[language] for language in ("*", *languages) if language in words]

        def every(kind: str) -> list[tuple[str, ...]]:
            return [run for one in chosen for text in one[kind] if (run := _words(text))]

        return cls(
            frozenset(every("commands")),
            tuple(every("phrases")),
            frozenset(word for run in every("courtesy") for word in run),
            frozenset(word for run in every("negations") for word in run),
            frozenset(word for run in every("quoted") for word in run),
            tuple(every("away")),
        )


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """What a mail says, as far as it matters here."""

    senders: tuple[str, ...]
    """The addresses in `From`, as written."""
    recipients: tuple[str, ...]
    """The addresses that it was written to."""
    tokens_of_subject: tuple[str, ...]
    """Texts in its subject that look like tokens of ours: a `mailto:` link puts one there."""
    tokens: tuple[str, ...]
    """Those anywhere else: in the letter that it quotes, or the headers that name that letter."""
    says_stop: bool
    is_automatic: bool
    """Whether a computer wrote it by itself (RFC 3834)."""
    is_vouched_for: bool
    """Whether the receiving service proved that it comes from the domain in `From`."""
    verdict: str | None
    """`virus` or `spam` where the receiving service says so."""

    def __repr__(self) -> str:
        """Hides the mail, because a repr ends up in logs and tracebacks."""
        return "IncomingMail(…)"


def read_mail(raw: bytes, words: StopWords) -> IncomingMail:
    """Read the beginning of a mail, as Amazon SES stored it. Never raises, whatever the bytes are."""
    message = _safely(lambda: _parsed(raw[:READ_BYTES]), EmailMessage())
    headers = _headers(message)
    subject = _decoded(headers.get("subject", ("",))[0])
    plain, html = _body(message, "plain"), _body(message, "html")
    senders = _addresses(headers.get("from", ()))
    named = " ".join([*headers.get("in-reply-to", ()), *headers.get("references", ())])
    return IncomingMail(
        senders,
        _addresses([*headers.get("to", ()), *headers.get("cc", ()), *headers.get("delivered-to", ())]),
        _tokens(subject),
        _tokens(named, plain, html),
        _says_stop([*_subject_line(subject), *_own_lines(plain or _text_of(html), words)], words),
        _is_automatic(headers, subject, senders, words),
        len(senders) == 1 and _is_vouched_for(headers, senders[0]),
        _verdict(headers),
    )


class _ShortHeaders(_Policy):
    """The standard library's rules, and no header so long that reading it takes minutes."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


_POLICY = _ShortHeaders()


def _parsed(raw: bytes) -> EmailMessage:
    """Nothing of a mail with more parts in parts than anybody writes: each makes every line slower to read."""
    if raw.lower().count(b"multipart/") > _MOST_PARTS:
        return EmailMessage()
    return email.message_from_bytes(raw, policy=_POLICY)


_NO_PAIRS: tuple[tuple[str, str], ...] = ()


def _safely(read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except _BROKEN:
        return otherwise


def _headers(message: EmailMessage) -> Mapping[str, tuple[str, ...]]:
    """By lower-case name, each cut, in the order in which they stand: what the receiving service wrote comes first."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in _safely(lambda: tuple(message.raw_items()), _NO_PAIRS):
        text = " ".join(str(value)[:_LONGEST_HEADER].split())
        found[name.lower()] = (*found.get(name.lower(), ()), text)
    return found


def _decoded(header: str) -> str:
    return _safely(lambda: str(make_header(decode_header(header))), header)


def _addresses(headers: Iterable[str]) -> tuple[str, ...]:
    read = _safely(lambda: tuple(getaddresses(list(headers))), _NO_PAIRS)
    return tuple(dict.fromkeys(address for _, address in read if "@" in address))


def _body(message: EmailMessage, kind: str) -> str:
    """The text of the first part of this kind that is no attachment; empty where there is none."""

    def read() -> str:
        for number, part in enumerate(message.walk()):
            if number >= _MOST_PARTS:
                break
            if part.get_content_type() == f"text/{kind}" and part.get_content_disposition() != "attachment":
                return _content(part)
        return ""

    return _safely(read, "")


def _content(part: EmailMessage) -> str:
    """In the charset that it claims, or in one that reads any bytes."""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    charset = _safely(lambda: str(part.get_content_charset("utf-8")), "utf-8")
    text = _safely(lambda: data.decode(charset, "replace"), "") or data.decode("utf-8", "replace")
    return text[:_LONGEST_TEXT]


class _Reader(HTMLParser):
    """The words of a page, line by line, without those that it quotes."""

    _BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "blockquote"})
    _UNREAD = frozenset({"style", "script", "head", "title", "blockquote"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self._unread: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base's
        if tag in self._BREAKS:
            self.text.append("\n")
        if tag in self._UNREAD:
            self._unread.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unread:
            del self._unread[self._unread.index(tag) :]
        if tag in self._BREAKS:
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.text.append(data.replace("\n", " "))


def _text_of(html: str) -> str:
    reader = _Reader()
    _safely(lambda: reader.feed(html), None)
    return "".join(reader.text)


def _tokens(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(token for text in texts for token in _TOKEN.findall(text)))


def _subject_line(subject: str) -> list[str]:
    """The subject, unless it is that of the letter which is answered."""
    return [] if _ANSWERS.match(subject.strip()) else [subject]


def _own_lines(text: str, words: StopWords) -> list[str]:
    """The first lines that the sender wrote: no quoted text, no signature."""
    own: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith(">"):
            continue
        announces = stripped.endswith(":") and not words.quoted.isdisjoint(_words(stripped))
        if announces or stripped.startswith(("--", "____")) or _OLD_HEADER.match(stripped):
            break
        own.append(stripped)
        if len(own) == _FIRST_LINES:
            break
    return own


def _words(line: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", line[:_LONGEST_HEADER]).replace("’", "'").casefold()))


def _says_stop(lines: Iterable[str], words: StopWords) -> bool:
    for line in lines:
        said = _words(line)
        if tuple(word for word in said if word not in words.courtesy) in words.commands:
            return True
        for phrase in words.phrases:
            for place in range(len(said) - len(phrase) + 1):
                before = said[max(0, place - 2) : place]
                if said[place : place + len(phrase)] == phrase and words.negations.isdisjoint(before):
                    return True
    return False


def _is_automatic(
    headers: Mapping[str, tuple[str, ...]], subject: str, senders: Sequence[str], words: StopWords
) -> bool:
    """RFC 3834, and what computers did before it."""
    submitted = headers.get("auto-submitted", ("no",))[0].partition(";")[0].strip().lower()
    precedence = headers.get("precedence", ("",))[0].lower()
    kind = headers.get("content-type", ("",))[0].lower()
    nobody = any(sender.partition("@")[0].lower() in ("mailer-daemon", "postmaster") for sender in senders)
    said = _words(subject)
    away = any(said[place : place + len(run)] == run for run in words.away for place in range(len(said) - len(run) + 1))
    return (
        submitted != "no"
        or precedence in ("bulk", "junk", "list", "auto_reply")
        or bool(headers.keys() & {"x-autoreply", "x-autorespond", "x-auto-reply"})
        or headers.get("return-path", ("",))[0] == "<>"
        or kind.startswith("multipart/report")
        or nobody
        or away
    )


def _is_vouched_for(headers: Mapping[str, tuple[str, ...]], sender: str) -> bool:
    """DMARC passed, or DKIM or SPF for the very domain in `From`.

    Only the first such header counts: the receiving service puts its own on top of whatever the sender wrote.
    """
    results = headers.get("authentication-results", ("",))[0].lower()
    service, _, rest = results.partition(";")
    domain = sender.rpartition("@")[2].lower()
    if service.strip() != "amazonses.com" or not domain:
        return False
    methods = [method.strip() for method in re.sub(r"\([^()]*\)", "", rest).split(";")]
    return any(
        method.startswith(f"{name}=pass") and _names(method, where, domain)
        for method in methods
        for name, where in _PROOFS
    )


def _names(method: str, where: str, domain: str) -> bool:
    found = re.search(rf"{re.escape(where)}=\"?([^\s;\"]*)", method)
    return found is not None and found[1].rpartition("@")[2] == domain


def _verdict(headers: Mapping[str, tuple[str, ...]]) -> str | None:
    for name in ("virus", "spam"):
        if headers.get(f"x-ses-{name}-verdict", ("",))[0].upper() == "FAIL":
            return name
    return None
