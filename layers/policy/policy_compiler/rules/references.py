"""What names something else in the policy, the codes that decisions are stored under, and the room they need."""

from collections.abc import Iterator
from typing import Any

from policy_compiler.policy import Policy
from policy_compiler.problems import Problem
from policy_compiler.rules.brands import forms
from policy_compiler.rules.rule import Finding, policy_rule
from policy_compiler.source import child

_REFERENCES = {
    "controllers": {"authority": "authorities"},
    "brands": {"controller": "controllers"},
    "categories": {"data_types": "data_types"},
    "purposes": {
        "controller": "controllers",
        "brand": "brands",
        "categories": "categories",
        "data_types": "data_types",
        "sources": "sources",
        "recipients": "recipients",
    },
}


@policy_rule()
def references_exist(policy: Policy) -> Iterator[Finding | Problem]:
    """Whatever a row refers to by id stands in the policy."""
    for kind, keys in _REFERENCES.items():
        for pointer, _, row in policy.rows(kind):
            for key, target in keys.items():
                yield from _unknown(policy, f"{pointer}/{key}", row.get(key), target)
    for pointer, _, purpose in policy.rows("purposes"):
        yield from _unknown_rules(policy, f"{pointer}/retention", purpose["retention"])
    for pointer, brand, form in forms(policy):
        yield from _unknown(policy, pointer, brand, "brands")
        yield from _unknown(policy, f"{pointer}/purpose", form["purpose"], "purposes")
        for key, field in form["fields"].items():
            yield from _unknown(policy, f"{pointer}/fields/{key}/data_type", field["data_type"], "data_types")


def _unknown(policy: Policy, pointer: str, named: Any, target: str) -> Iterator[Finding]:
    several = enumerate(named) if isinstance(named, list) else [(None, named)] if named is not None else []
    for index, key in several:
        if key not in policy.data[target]:
            where = pointer if index is None else child(pointer, index)
            yield where, f"“{key}” is not under {target}.", f"Correct the id, or add “{key}” under {target}."


def _unknown_rules(policy: Policy, pointer: str, chosen: Any) -> Iterator[Finding]:
    """Ids of retention rules that are not there, and jurisdictions that the policy does not name."""
    if isinstance(chosen, str):
        yield from _unknown(policy, pointer, chosen, "retention_rules")
        return
    yield from _unknown(policy, f"{pointer}/default", chosen["default"], "retention_rules")
    for country, rule in chosen["by_jurisdiction"].items():
        where = f"{pointer}/by_jurisdiction/{country}"
        yield from _unknown(policy, where, rule, "retention_rules")
        if country not in policy.data["jurisdictions"]:
            yield where, f"“{country}” is not under jurisdictions.", f"Add “{country}” under jurisdictions."


@policy_rule()
def codes_are_unique(policy: Policy) -> Iterator[Finding | Problem]:
    """No two purposes, and no two topics of a purpose, have the same code, retired ones included."""
    yield from _repeated("/purposes", policy.data["purposes"])
    for pointer, _, purpose in policy.rows("purposes"):
        yield from _repeated(f"{pointer}/topics", purpose.get("topics", {}))


def _repeated(pointer: str, rows: dict[str, Any]) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for key, row in rows.items():
        first = taken.setdefault(row["code"], key)
        if first != key:
            what = f"The code “{row['code']}” already belongs to “{first}”."
            yield f"{child(pointer, key)}/code", what, "Choose a code that was never used."


STATE_LIMIT = 4000
"""Bytes. The state of one person is one item that is read and written on every decision."""

_STATE_BASE, _STATE_ROW, _STATE_PREFERENCE = 1000, 44, 32
_STATE_LOCKS, _STATE_LOCK = 4, 56


@policy_rule()
def state_fits(policy: Policy) -> Iterator[Finding | Problem]:
    """One person's decisions about everything fit into 4,000 bytes."""
    size = state_size(policy.data)
    if size > STATE_LIMIT:
        what = f"A person who decided about everything would need {size} bytes; {STATE_LIMIT} is the most."
        yield "/purposes", what, "Join topics or channels, or shorten codes that are not published yet."


def state_size(data: dict[str, Any]) -> int:
    """Bytes of the largest state of a person under this policy."""
    codes = sum(len(purpose["code"]) + 1 for purpose in data["purposes"].values())
    size = _STATE_BASE + _STATE_LOCKS * (_STATE_LOCK + codes)
    for purpose in data["purposes"].values():
        if purpose["legal_basis"] in ("consent", "soft_opt_in", "legitimate_interest"):
            topics = [topic["code"] for topic in purpose.get("topics", {}).values()] or ["-"]
            for topic in topics:
                for channel in purpose["channels"]:
                    size += len(f"{purpose['code']}.{topic}.{channel}") + _STATE_ROW
            if purpose.get("pauses") or purpose.get("fewer"):
                size += len(purpose["channels"]) * (len(purpose["code"]) + _STATE_PREFERENCE)
    return size


@policy_rule()
def statements_are_carried(policy: Policy) -> Iterator[Finding | Problem]:
    """What is said to carry a statement stands in the policy."""
    for pointer, _, row in policy.rows("seed"):
        for index, place in enumerate(row["carried_by"]):
            if place.startswith("/") and not policy.file.has(place):
                yield f"{pointer}/carried_by/{index}", f"{place} is not in the policy.", "Name the row that carries it."
