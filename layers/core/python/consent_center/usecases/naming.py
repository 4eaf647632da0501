"""What the codes and ids of a record are called in a person's language, all of it from the policy."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from consent_center.domain.errors import UnknownNameError
from consent_center.domain.policy import Policy, Scope
from consent_center.domain.recipient import content_of
from consent_center.domain.table import BYTE_ORDER_MARK, delimiter_of, line
from consent_center.ports.people import Profile
from consent_center.usecases.packing import File


class Told(NamedTuple):
    """Something that a person told us, by the data type of the policy that it is."""

    data_type: str
    name: str
    value: str | list[str]


class Names:
    def __init__(self, policy: Policy, controller: str, language: str) -> None:
        self._policy, self._controller, self._language = policy, controller, language

    def purpose(self, purpose: str) -> str:
        """A purpose by its id; one that the policy never had keeps its id."""
        try:
            return self._policy.text(self._policy.purpose(purpose).name, self._language)
        except UnknownNameError:
            return purpose

    def topic(self, purpose: str, topic: str) -> str:
        """A topic of a purpose, likewise."""
        try:
            return self._policy.text(self._policy.purpose(purpose).topic(topic).name, self._language)
        except UnknownNameError:
            return topic

    def scope(self, code: str) -> Scope | None:
        """The scope that is stored under a code; None for one that is of no purpose by itself."""
        try:
            return self._policy.scope_by_code(code)
        except (UnknownNameError, ValueError):
            return None

    def interest(self, interest: str) -> str:
        """An interest that a form of the controller offers; one that none does any more keeps its id."""
        interests = self._policy.interests_of(self._controller)
        return self._policy.text(interests[interest], self._language) if interest in interests else interest

    def recipient(self, recipient: str) -> str:
        """Who a recipient is; one that the policy no longer has keeps its id."""
        return recipient_name(recipient, self._policy)

    def about(self, change: Mapping[str, Any]) -> list[str]:
        """What a change of an entry was about: topics, or the whole purpose; `*` stands for more than one purpose."""
        purpose, topics = str(change["purpose"]), change.get("topics") or ()
        if purpose == "*":
            return [f"* {topic}" for topic in topics]
        return [self.topic(purpose, str(topic)) for topic in topics] or [self.purpose(purpose)]

    def told(self, profile: Profile | None) -> list[Told]:
        """Who somebody is, as the fields of the controller's forms and their data types name it.

        What none of these forms asks for is of the data type of the field's own id, and is never left out.
        """
        if profile is None:
            return []
        said: dict[str, str | list[str] | None] = {
            "email": profile.address.mailable,
            "name": profile.name,
            "company": profile.company,
            "interest": [self.interest(one) for one in profile.interests],
        }
        rows = {
            field: str(row["data_type"])
            for form in self._policy.forms_of(self._controller)
            for field, row in form.fields.items()
        }
        return [
            Told(rows.get(field, field), self._data_type(rows.get(field, field)), value)
            for field, value in said.items()
            if value
        ]

    def _data_type(self, data_type: str) -> str:
        """What a data type is called; one that the policy does not have keeps its id."""
        try:
            return self._policy.text(self._policy.data_type(data_type)["name"], self._language)
        except KeyError:
            return data_type


def recipient_name(recipient: str, policy: Policy) -> str:
    """What a recipient is called; one that the policy has no more, by its id."""
    try:
        return str(policy.recipient(recipient)["name"])
    except KeyError:
        return recipient


def collected_files(collected: Mapping[str, Mapping[str, Any]], policy: Policy) -> Iterator[tuple[str, Sequence[File]]]:
    """What recipients gave us, by their names, as files in a folder of each."""
    taken: set[str] = set()
    for recipient, files in sorted(collected.items()):
        found = []
        for file, kept in sorted(files.items()):
            name, content = _content(_safe(file), content_of(kept))
            path = f"from/{_safe(recipient)}/{name}"
            while path in taken:
                path = path.replace("from/", "from/_", 1)
            taken.add(path)
            found.append(File(path, content))
        yield recipient_name(recipient, policy), found


def _content(name: str, content: str | bytes) -> tuple[str, Sequence[str | bytes]]:
    """A file of somebody else as it is packed, and its name: a table must not run anything either."""
    if isinstance(content, bytes) or not name.lower().endswith(".csv"):
        return name, [content]
    try:
        return name, [BYTE_ORDER_MARK, *_harmless_lines(content.removeprefix(BYTE_ORDER_MARK))]
    except csv.Error:
        # As a text no spreadsheet opens it by itself.
        return f"{name}.txt", [content]


def _harmless_lines(table: str) -> Iterator[str]:
    """The lines of a table with its own delimiter, whatever ends them. csv.Error for what is none."""
    # Without a translation: an end of line within a cell stays what it is.
    lines = io.StringIO(table, newline="")
    delimiter = delimiter_of(lines.readline())
    lines.seek(0)
    for row in csv.reader(lines, delimiter=delimiter):
        yield line(row, delimiter)


def _safe(name: str) -> str:
    """A name that leads out of no folder, whatever a recipient called it."""
    return re.sub(r"[^\w.-]+", "_", name).lstrip(".")[:80] or "file"
