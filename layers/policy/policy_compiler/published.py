"""The editions of the notice that were published, and the codes that are taken for ever."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policy_compiler.build import Document, content_hash
from policy_compiler.problems import PolicyError, Problem
from policy_compiler.source import ROOT

FOLDER = "notices"
LOCK = f"{FOLDER}/published.lock.json"


@dataclass(frozen=True, slots=True)
class Published:
    """What stands in the lock file, and which of its notices the folder really holds.

    `editions`: version, published_on, change, summary, approved_by, languages (hash by language), facts and changes
    (since the edition before: what, purpose or None), oldest first. Editions of earlier versions lack the last two.
    `codes`: purposes and topics that were ever published: purpose, topic or None, code.
    `files`: content by (version, language); None when it is missing or not JSON.
    """

    editions: list[Document] = field(default_factory=list)
    codes: list[Document] = field(default_factory=list)
    files: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def newest_facts(self) -> Document | None:
        """What the edition in force says beneath its words; None if nothing is published, or it was not kept."""
        found: Document | None = self.editions[-1].get("facts") if self.editions else None
        return found


def file_name(version: str, language: str) -> str:
    return f"{version}.{language}.json"


def read(folder: Path) -> Published:
    """What was published from the policy in `folder`; nothing if there is no lock file yet."""
    path = folder / LOCK
    if not path.exists():
        return Published()
    lock = _json(path)
    if not isinstance(lock, dict) or lock.get("hash") != content_hash({**lock, "hash": None}):
        what = "The list of published notices was changed by hand."
        mend = "Restore the file from version control; only the publish command writes it."
        raise PolicyError([Problem(LOCK, 1, ROOT, what, mend, "lock-intact")])
    named = [(edition["version"], language) for edition in lock["editions"] for language in edition["languages"]]
    files = {key: _json(folder / FOLDER / file_name(*key)) for key in named}
    return Published(lock["editions"], lock["codes"], files)


def lock_document(published: Published) -> Document:
    lock: Document = {"format": 1, "editions": published.editions, "codes": published.codes, "hash": None}
    return {**lock, "hash": content_hash(lock)}


def codes_of(data: Document) -> list[Document]:
    """Every code that the policy uses, retired ones included."""
    found: list[Document] = []
    for purpose, row in data["purposes"].items():
        found.append({"purpose": purpose, "topic": None, "code": row["code"]})
        found += [{"purpose": purpose, "topic": key, "code": one["code"]} for key, one in row.get("topics", {}).items()]
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
