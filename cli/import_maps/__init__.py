"""How the columns of other tools are read: one file for each tool, and one for lists in our own words.

They lie here and not in the policy's layer, because only the command that reads a file needs them: what reaches a
deployment is in our own words already, and is checked there again.
"""

from pathlib import Path
from typing import Any

import yaml

from consent_center.domain.importing import STATES, ColumnMap, DecisionRule

FOLDER = Path(__file__).parent

_FIELDS = {
    *("recipient", "decision", "topics", "decided_at", "collected_at", "confirmed_at"),
    *("method", "wording", "notice", "language", "reference", "jurisdiction"),
}

_KEYS = {"columns", "decisions", "topic_separator", "topic_names", "opt_out_prefix", "times", "from_person", "method"}


class MapError(Exception):
    """A mapping file that cannot be used; the text says what to mend."""


def names() -> list[str]:
    """The tools that have a file here."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def load(name: str, topics: dict[str, str]) -> tuple[ColumnMap, str | None]:
    """The map of a tool, or of a file, and how its people agreed. `topics`: ours by what the tool calls them.

    MapError says what is wrong with it.
    """
    path = FOLDER / f"{name}.yaml" if name in names() else Path(name)
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise MapError(f"there is no map {name}; there are {', '.join(names())}, or name a file") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise MapError(f"{name} is no YAML in UTF-8") from None
    if not isinstance(said, dict) or not isinstance(said.get("columns"), dict):
        raise MapError(f"{name} has no columns")
    _require_known(said, _KEYS, name)
    _require_known(said["columns"], _FIELDS, f"{name}: columns")
    if "recipient" not in said["columns"] or not said.get("decisions"):
        raise MapError(f"{name} says neither who a row is about nor what it decides")
    known = said.get("topic_names")
    named = {_folded(key): str(value) for key, value in {**(known or {}), **topics}.items()}
    return ColumnMap(
        {field: tuple(map(_folded, columns)) for field, columns in said["columns"].items()},
        tuple(_rule(row, name) for row in said["decisions"]),
        said.get("topic_separator", ","),
        named if known is not None or topics else None,
        _folded(said["opt_out_prefix"]) if "opt_out_prefix" in said else None,
        tuple(said.get("times", ())),
        bool(said.get("from_person", True)),
    ), said.get("method")


def _rule(row: Any, name: str) -> DecisionRule:
    if not isinstance(row, dict):
        raise MapError(f"{name}: a decision is no mapping")
    _require_known(row, {"column", "values", "says", "at"}, f"{name}: decisions")
    if row.get("says") not in {*STATES, "nothing", "as written"}:
        raise MapError(f"{name}: says is one of {', '.join(STATES)}, nothing, as written")
    return DecisionRule(
        row["says"],
        _folded(row["column"]) if "column" in row else None,
        tuple(map(_folded, row.get("values", ()))),
        tuple(map(_folded, row.get("at", ()))),
    )


def _require_known(said: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(map(str, said)) - known)
    if unknown:
        raise MapError(f"{where}: nobody reads {', '.join(unknown)}")


def _folded(name: Any) -> str:
    return str(name).strip().casefold()
