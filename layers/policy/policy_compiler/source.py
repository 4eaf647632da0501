"""Reads a YAML file so that every value can say on which line it stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from policy_compiler.problems import PolicyError, Problem

ROOT = "/"


# The parser written in C is ten times faster; it is missing only where PyYAML was built without it.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _PlainLoader(_SafeLoader):  # type: ignore[misc, valid-type]
    """YAML in which only true, false, null and whole numbers are anything but text.

    Common YAML reads the country code NO as "false" and 2026-11-01 as a date. People who write policies mean text.
    """


_PlainLoader.yaml_implicit_resolvers = {}
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^(?:0|[1-9][0-9]{0,8})$"), list("0123456789"))
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])

_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:bool": lambda text: text == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:null": lambda _: None,
}


def child(pointer: str, key: str | int) -> str:
    """The JSON pointer (RFC 6901) of a member of the value at `pointer`."""
    return f"{pointer.rstrip('/')}/{str(key).replace('~', '~0').replace('/', '~1')}"


def parent(pointer: str) -> str:
    return pointer.rpartition("/")[0] or ROOT


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file: its name, its data, and the line of every JSON pointer in it."""

    name: str
    data: Any
    lines: dict[str, int] = field(repr=False)

    def line(self, pointer: str) -> int:
        """The line of a value, or of the nearest value around it when it is missing."""
        while pointer not in self.lines and pointer != ROOT:
            pointer = parent(pointer)
        return self.lines.get(pointer, 1)

    def has(self, pointer: str) -> bool:
        return pointer in self.lines

    def problem(self, pointer: str, what: str, mend: str, rule: str, is_warning: bool = False) -> Problem:
        return Problem(self.name, self.line(pointer), pointer, what, mend, rule, is_warning)


def read(path: Path, name: str) -> Source:
    """Parse `path`, which messages call `name`; raise PolicyError when it is not usable YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        mend = f"Write the file {name}, or name the right folder with --policy."
        raise PolicyError([Problem(name, 1, ROOT, "The file does not exist.", mend, "yaml")]) from None
    except UnicodeDecodeError:
        mend = "Save the file as UTF-8."
        raise PolicyError([Problem(name, 1, ROOT, "The file is not UTF-8 text.", mend, "yaml")]) from None
    return parse(text, name)


def parse(text: str, name: str) -> Source:
    """Like `read`, of text at hand."""
    try:
        loader = _PlainLoader(text)
        node = loader.get_single_node()
    except (yaml.MarkedYAMLError, yaml.reader.ReaderError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = mark.line + 1 if mark else text[: getattr(error, "position", 0)].count("\n") + 1
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        what = f"This is not valid YAML: {reason}."
        mend = "Check the indentation, the colons, and that texts with a colon or a # in them stand in quotes."
        raise PolicyError([Problem(name, line, ROOT, what, mend, "yaml")]) from None
    if node is None:
        mend = "Write the policy into it, or restore it from version control."
        raise PolicyError([Problem(name, 1, ROOT, "The file is empty.", mend, "yaml")])
    problems: list[Problem] = []
    lines: dict[str, int] = {}
    data = _construct(node, ROOT, name, lines, problems)
    if problems:
        raise PolicyError(problems)
    return Source(name, data, lines)


def _construct(node: yaml.Node, pointer: str, name: str, lines: dict[str, int], problems: list[Problem]) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(pointer, line)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, pointer, name, lines, problems)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, child(pointer, i), name, lines, problems) for i, item in enumerate(node.value)]
    construct = _SCALARS.get(node.tag)
    if construct is None:
        what = f"The tag {node.tag} is not used in policies."
        problems.append(
            Problem(name, line, pointer, what, "Remove the word that begins with an exclamation mark.", "yaml")
        )
        return None
    return construct(node.value)


def _mapping(
    node: yaml.MappingNode, pointer: str, name: str, lines: dict[str, int], problems: list[Problem]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            problems.append(
                Problem(name, line, pointer, "A key is not a word.", "Write a word before the colon.", "yaml")
            )
            continue
        here = child(pointer, key.value)
        if key.value in found:
            what = f"“{key.value}” stands here twice; it is already on line {lines[here]}."
            mend = "Give one of the two another name, or remove it. An id names one thing only."
            problems.append(Problem(name, line, here, what, mend, "duplicate-key"))
            continue
        lines[here] = line
        found[key.value] = _construct(value, here, name, lines, problems)
    return found
