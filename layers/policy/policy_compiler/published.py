"""The editions of the notice that were published, and the codes that are taken for ever."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policy_compiler.build import Document, content_hash, controllers_of, texts_of
from policy_compiler.problems import PolicyError, Problem
from policy_compiler.source import ROOT

FOLDER = "notices"
LOCK = f"{FOLDER}/published.lock.json"


@dataclass(frozen=True, slots=True)
class Published:
    """What stands in the lock file, and which of its notices the folder really holds.

    `editions`: version, published_on, change, summary, approved_by, languages (hash by language; where the policy has
    several controllers by language and controller), facts and changes (since the edition before: what, purpose or
    None), oldest first. Editions of earlier versions lack the last two.
    `brands`: brands that were ever published: brand, controller. Lock files of earlier versions have none.
    `codes`: purposes and topics that were ever published: purpose, topic or None, code.
    `files`: content by (version, language, controller or None); None when it is missing or not JSON.
    """

    editions: list[Document] = field(default_factory=list)
    codes: list[Document] = field(default_factory=list)
    files: dict[tuple[str, str, str | None], Any] = field(default_factory=dict)
    brands: list[Document] = field(default_factory=list)

    @property
    def newest_facts(self) -> Document | None:
        """What the edition in force says beneath its words; None if nothing is published, or it was not kept."""
        found: Document | None = self.editions[-1].get("facts") if self.editions else None
        return found

    def texts_for(self, edition: Document, controller: str | None, data: Document) -> dict[str, tuple[str, Any]]:
        """Hash and content by language of what one controller has of an edition; None stands for the only one."""
        mine = {controller} if controller else set(data["controllers"])
        return {
            language: (text, self.files.get((edition["version"], language, whose)))
            for language, whose, text in texts_of(edition)
            if not mine.isdisjoint([whose] if whose else controllers_of(edition, data))
        }

    def newest_of(self, controller: str | None, data: Document) -> tuple[Document, dict[str, tuple[str, Any]]] | None:
        """The newest edition that has a text for a controller, with its `texts_for`; None for who has none yet."""
        told = ((edition, self.texts_for(edition, controller, data)) for edition in reversed(self.editions))
        return next(((edition, texts) for edition, texts in told if texts), None)


def file_name(version: str, language: str, controller: str | None = None) -> str:
    """`controller` where the policy has several."""
    return f"{version}.{language}.{controller}.json" if controller else f"{version}.{language}.json"


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
    named = [(edition["version"], *text[:2]) for edition in lock["editions"] for text in texts_of(edition)]
    files = {key: _json(folder / FOLDER / file_name(*key)) for key in named}
    return Published(lock["editions"], lock["codes"], files, lock.get("brands", []))


def lock_document(published: Published) -> Document:
    lock: Document = {"format": 1, "editions": published.editions, "codes": published.codes, "hash": None}
    lock["brands"] = published.brands
    return {**lock, "hash": content_hash(lock)}


def codes_of(data: Document) -> list[Document]:
    """Every code that the policy uses, retired ones included."""
    found: list[Document] = []
    for purpose, row in data["purposes"].items():
        found.append({"purpose": purpose, "topic": None, "code": row["code"]})
        found += [{"purpose": purpose, "topic": key, "code": one["code"]} for key, one in row.get("topics", {}).items()]
    return found


def brands_of(data: Document) -> list[Document]:
    """Every brand with its controller."""
    return [{"brand": brand, "controller": row["controller"]} for brand, row in data["brands"].items()]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
