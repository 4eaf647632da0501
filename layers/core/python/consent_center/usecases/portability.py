"""The package that a person takes along to somebody else (Art. 20 GDPR): JSON for programs, CSV for people."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from consent_center.domain.policy import Policy
from consent_center.domain.portability import SCHEMA, is_own_word, portable_changes, portable_data_types
from consent_center.domain.subject import timestamp
from consent_center.domain.table import BYTE_ORDER_MARK, line
from consent_center.ports.letters import FileTexts
from consent_center.usecases.naming import Names, collected_files
from consent_center.usecases.packing import File, Packed
from consent_center.usecases.person_file import Happened, PersonFile

DATA, MANIFEST = "portability.json", "manifest.json"

_DECISION = ("purpose", "purpose_name", "topic", "topic_name", "channel", "state")


def portability_files(
    person: PersonFile, *, policy: Policy, texts: FileTexts, site: Mapping[str, Any], language: str, done: list[Packed]
) -> Iterator[File]:
    """The files of the package in their order; `done` is what was packed of them, for the manifest."""
    made = _Portability(person, policy, language)
    collected = list(collected_files(person.collected, policy))
    words = {"address": person.address, "number": person.case.number, "made_at": person.now // 1000}
    has_any = bool(made.data or made.decisions or collected)
    readme = texts.file("portability_readme.txt", language, site=site, has_any=has_any, **words)
    yield File("README.txt", [readme])
    yield File(DATA, made.json(site, {name: [file.name for file in files] for name, files in collected}))
    yield File("data.csv", made.data_csv())
    yield File("decisions.csv", made.decisions_csv())
    yield File("events.csv", made.events_csv())
    yield File("schema.json", [pretty(SCHEMA)])
    for _, files in collected:
        yield from files
    yield File(MANIFEST, _manifest(person.now, done))


class _Portability:
    def __init__(self, person: PersonFile, policy: Policy, language: str) -> None:
        self._person, self._policy, self._language = person, policy, language
        self._names = Names(policy, person.case.contact.controller, language)
        self.data = list(self._data())
        self.decisions = list(self._decisions())

    def _data(self) -> Iterator[dict[str, Any]]:
        portable = portable_data_types(self._person.portable_purposes, self._policy)
        controller = self._person.case.contact.controller
        declared = {
            data_type
            for purpose in self._policy.purposes_of(controller)
            for data_type in self._policy.purpose_row(purpose.id)["data_types"]
        }
        origins = {row["id"]: row["origin"] for row in self._policy.raw["data_types"]}
        for one in self._names.told(self._person.profile):
            # What no purpose of the controller uses any more was still given by the person, with a consent.
            if one.data_type in portable or one.data_type not in declared:
                origin = origins.get(one.data_type, "provided")
                yield {"data_type": one.data_type, "name": one.name, "origin": origin, "value": one.value}

    def _decisions(self) -> Iterator[dict[str, Any]]:
        for code, decided in sorted(self._person.subject.decided.items()):
            scope = self._names.scope(code)
            if scope is None or scope.purpose not in self._person.portable_purposes or not is_own_word(decided.state):
                continue
            row = self._decision(scope.purpose, scope.topic, scope.channel, decided.state)
            until = timestamp(decided.valid_until * 1000) if decided.valid_until is not None else None
            yield {**row, "at": timestamp(decided.at), "until": until}

    def _decision(self, purpose: str, topic: str | None, channel: str, state: str) -> dict[str, Any]:
        names = self._names
        row = (purpose, names.purpose(purpose), topic, names.topic(purpose, topic) if topic else None, channel, state)
        return dict(zip(_DECISION, map(_plain, row), strict=True))

    def _events(self) -> Iterator[tuple[Happened, list[dict[str, Any]]]]:
        for happened in self._person.events():
            rows = [
                self._decision(str(change["purpose"]), topic, str(change["channel"]), str(change["after"]))
                for change in portable_changes(happened.entry, self._policy)
                for topic in change.get("topics") or [None]
            ]
            if rows:
                yield happened, rows

    def json(self, site: Mapping[str, Any], collected: Mapping[str, Sequence[str]]) -> Iterator[str]:
        head = {
            "format": 1,
            "made_at": timestamp(self._person.now),
            "language": self._language,
            "controller": {name: site["controller"][name] for name in ("name", "address", "email")},
            "data": self.data,
            "decisions": self.decisions,
            "collected": [{"recipient": name, "files": files} for name, files in collected.items()],
        }
        events = (
            {"number": happened.entry.seq, "at": happened.entry.at, "changes": rows, "wording": happened.wording}
            for happened, rows in self._events()
        )
        return with_rows(head, "events", events)

    def data_csv(self) -> Iterator[str]:
        rows = ((one["data_type"], one["name"], one["origin"], _joined(one["value"])) for one in self.data)
        return as_csv(("data_type", "name", "origin", "value"), rows)

    def decisions_csv(self) -> Iterator[str]:
        columns = (*_DECISION, "at", "until")
        return as_csv(columns, (tuple(row[name] for name in columns) for row in self.decisions))

    def events_csv(self) -> Iterator[str]:
        rows = (
            (happened.entry.seq, happened.entry.at, *(row[name] for name in _DECISION), "\n".join(happened.wording))
            for happened, changes in self._events()
            for row in changes
        )
        return as_csv(("number", "at", *_DECISION, "wording"), rows)


def _plain(value: str | None) -> str | None:
    return None if value is None else str(value)


def _joined(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else "; ".join(value)


def _manifest(now: int, done: list[Packed]) -> Iterator[str]:
    yield pretty({"format": 1, "made_at": timestamp(now), "files": [one._asdict() for one in done]})


def pretty(value: Any) -> str:
    """JSON for people to look at."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def with_rows(head: Mapping[str, Any], name: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A JSON object whose last field is a list of any length, as a stream: a line for each of its rows."""
    yield pretty(head).rstrip().removesuffix("}").rstrip() + f",\n {json.dumps(name)}: ["
    separator = "\n  "
    for row in rows:
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n  "
    yield "\n ]\n}\n"


def as_csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table as a stream of lines, which spreadsheets open without running anything."""
    yield BYTE_ORDER_MARK + line(heading)
    yield from map(line, rows)
