"""A policy as the rules see it: its file, its wording, what was published before, and today's date."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from policy_compiler import published, source
from policy_compiler.published import Published
from policy_compiler.source import Source

FILE = "policy.yaml"


def wording_file(language: str) -> str:
    return f"wording/{language}.yaml"


@dataclass(frozen=True, slots=True)
class Policy:
    """`wordings` holds the wording file of each approved language that has one, `logos` the pictures that are there."""

    file: Source
    wordings: dict[str, Source]
    published: Published
    today: date
    logos: dict[str, bytes]

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.file.data
        return found

    def rows(self, kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Pointer, id and row of each row of a kind, such as "purposes"."""
        for key, row in self.data.get(kind, {}).items():
            yield f"/{kind}/{key}", key, row

    def approved(self) -> list[str]:
        found: list[str] = self.data["languages"]["approved"]
        return found


def read(folder: Path, today: date) -> Policy:
    """The policy in `folder`; raise PolicyError when a file of it cannot be read at all."""
    file = source.read(folder / FILE, FILE)
    languages = file.data.get("languages") if isinstance(file.data, dict) else None
    approved = languages.get("approved") if isinstance(languages, dict) else None
    # A value of the wrong shape is reported by the schema; here it only means that there is no wording to read.
    named = [one for one in approved if isinstance(one, str)] if isinstance(approved, list) else []
    paths = {one: folder / wording_file(one) for one in named}
    wordings = {one: source.read(path, wording_file(one)) for one, path in paths.items() if path.exists()}
    logos = {f"logos/{path.name}": path.read_bytes() for path in sorted((folder / "logos").glob("*.*"))}
    return Policy(file, wordings, published.read(folder), today, logos)
