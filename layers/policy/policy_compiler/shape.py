"""Holds a file against the schema, and finds the values of one kind (texts, periods, addresses) in it."""

import difflib
import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator

from policy_compiler.problems import Problem
from policy_compiler.source import ROOT, Source, child

Schema = dict[str, Any]


@cache
def definitions() -> dict[str, Schema]:
    text = resources.files("policy_compiler").joinpath("schema.json").read_text(encoding="utf-8")
    found: dict[str, Schema] = json.loads(text)["$defs"]
    return found


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(_without_references({"$ref": f"#/$defs/{kind}"}))


def _without_references(schema: Any) -> Any:
    """The schema with every definition put where it is referred to, which makes checking twice as fast."""
    if isinstance(schema, list):
        return [_without_references(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _without_references(definitions()[schema["$ref"].rpartition("/")[2]])
    return {key: _without_references(value) for key, value in schema.items()}


def problems(source: Source, kind: str) -> list[Problem]:
    """Everything in `source` that does not have the shape of `kind`, a name in the schema."""
    found = (_explain(source, error) for error in _validator(kind).iter_errors(source.data))
    # jsonschema reports each missing key alone but always names all required ones, so the same problem comes twice.
    return list(dict.fromkeys(problem for several in found for problem in several))


# The types of jsonschema leave every part of its errors optional, which they are not here.
def _explain(source: Source, error: Any) -> Iterator[Problem]:
    pointer = ROOT
    for key in error.absolute_path:
        pointer = child(pointer, key)
    mend = _mend(error.schema)
    if error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield source.problem(child(pointer, key), f"“{key}” is missing.", mend, "missing-key")
        return
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        for key in error.instance:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
                hint = f"Write “{close[0]}”." if close else f"Remove it; known here are {', '.join(known)}."
                yield source.problem(child(pointer, key), f"The key “{key}” is unknown.", hint, "unknown-key")
        return
    if "propertyNames" in error.absolute_schema_path:
        pointer = child(pointer, error.instance)
        yield source.problem(pointer, f"The name “{error.instance}” cannot be used here.", mend, "wrong-value")
        return
    what = _WHAT.get(error.validator, "This value cannot be used here.")
    yield source.problem(pointer, what.format(value=_shown(error.instance)), mend, "wrong-value")


_WHAT = {
    "type": "{value} is not the kind of value that belongs here.",
    "enum": "{value} is not one of the values that are allowed here.",
    "const": "{value} is not the value that belongs here.",
    "pattern": "{value} is not written in the form that belongs here.",
    "minItems": "The list is empty.",
    "minProperties": "Nothing stands here.",
    "uniqueItems": "Something stands in the list twice.",
    "maxLength": "{value} is too long.",
    "minimum": "{value} is too little.",
    "maximum": "{value} is too much.",
}


def _mend(schema: Schema) -> str:
    return str(schema.get("description", "See docs/policy.md for what belongs here."))


def _shown(value: Any) -> str:
    if value is None:
        return "Nothing"
    if isinstance(value, dict | list):
        return "A group of values"
    return f"“{value}”" if len(str(value)) <= 60 else f"“{str(value)[:57]}…”"


def each(kind: str, data: Any, within: str = "policy", pointer: str = ROOT) -> Iterator[tuple[str, Any]]:
    """Pointer and value of everything in `data` that the schema calls `kind`. Values of a wrong shape are left out."""
    yield from _each(kind, data, {"$ref": f"#/$defs/{within}"}, pointer)


def _each(kind: str, data: Any, schema: Schema, pointer: str) -> Iterator[tuple[str, Any]]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    if reference == kind:
        yield pointer, data
        return
    schema = definitions()[reference] if reference else schema
    if isinstance(data, dict):
        others = schema.get("additionalProperties")
        for key, value in data.items():
            inner = schema.get("properties", {}).get(key, others)
            if isinstance(inner, dict):
                yield from _each(kind, value, inner, child(pointer, key))
    elif isinstance(data, list) and "items" in schema:
        for index, value in enumerate(data):
            yield from _each(kind, value, schema["items"], child(pointer, index))
