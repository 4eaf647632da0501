"""What a policy does with data, beneath its words: what the class of a change is held against."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from policy_compiler import periods
from policy_compiler.build import content_hash, rules_of
from policy_compiler.notices import named_rules

Facts = dict[str, Any]

CLASSES = ("typo", "information", "material", "new_purpose")
"""The classes of a change, each saying more than the one before; `first` is none of them."""

LEAST = {
    "purpose-added": "new_purpose",
    "purpose-ended": "information",
    "basis": "material",
    "controller": "material",
    "recipient-added": "material",
    "recipient-removed": "information",
    "recipient-changed": "material",
    "kept-longer": "material",
    "kept-shorter": "information",
    "valid-longer": "material",
    "valid-shorter": "information",
    "data-added": "material",
    "data-removed": "information",
    "source-added": "material",
    "source-removed": "information",
    "channel-added": "material",
    "channel-removed": "information",
    "topic-added": "information",
    "topic-ended": "information",
    "marketing-began": "material",
    "marketing-ended": "information",
    "tracking-began": "material",
    "tracking-ended": "information",
    "profiling-began": "material",
    "profiling-ended": "information",
    "confirmation-dropped": "material",
    "confirmation-added": "information",
    "consent-wording": "information",
    "interest-wording": "information",
}
"""The lowest class that an edition with such a change may have."""


class Change(NamedTuple):
    """`purpose` is None for what concerns every purpose. `named` is what was added or taken away, if it has an id."""

    what: str
    purpose: str | None
    named: str
    pointer: str
    """Into policy.yaml."""


def facts_of(data: dict[str, Any]) -> Facts:
    """The facts of a policy, as the lock file keeps them for each edition."""
    rules = {key: _kept(rule) for key, rule in data["retention_rules"].items()}
    used = {rule for row in data["purposes"].values() for rule in named_rules(row)}
    return {
        "purposes": {key: _purpose(row, rules) for key, row in data["purposes"].items() if not row.get("retired")},
        "recipients": {
            key: {"role": row["role"], "country": row["country"], "transfer_tool": row.get("transfer_tool")}
            for key, row in data["recipients"].items()
        },
        "retention_rules": {key: kept for key, kept in rules.items() if key not in used},
        "pending": periods.longest_days(periods.parse(data["periods"]["pending"])),
    }


def _purpose(row: dict[str, Any], rules: dict[str, Facts]) -> Facts:
    topics = row.get("topics", {})
    default, by_jurisdiction = rules_of(row)
    kept_in = {country: rules[rule] for country, rule in by_jurisdiction.items()}
    return {
        **({"kept_in": kept_in} if kept_in else {}),
        "basis": row["legal_basis"],
        "controller": row["controller"],
        "channels": row["channels"],
        "topics": [key for key, topic in topics.items() if not topic.get("retired")],
        "data": row["data_types"],
        "sources": row["sources"],
        "recipients": row["recipients"],
        "kept": rules[default],
        "valid_for": _days(row.get("valid_for")),
        **{flag: bool(row.get(flag)) for flag in ("marketing", "tracking", "profiling", "double_opt_in")},
        "consent_text": _hashes(row.get("consent_text")),
        "interest": _hashes(row.get("interest")),
    }


def _kept(rule: dict[str, Any]) -> Facts:
    return {"clock": rule["clock"], "days": _days(rule.get("period")), "never_sent": _days(rule.get("never_sent"))}


def _days(period: str | None) -> int | None:
    return periods.longest_days(periods.parse(period)) if period else None


def _hashes(text: dict[str, str] | None) -> dict[str, str]:
    """By language, so that a language that is added later is no change of the others."""
    return {language: content_hash(words)[:16] for language, words in (text or {}).items()}


def changes(before: Facts, after: Facts) -> list[Change]:
    """What is done differently, in the order of the purposes; the same twice gives nothing."""
    return list(dict.fromkeys(_changes(before, after)))


def least_class(found: list[Change]) -> str:
    """The lowest class that says what was found."""
    return max((LEAST[one.what] for one in found), key=CLASSES.index, default=CLASSES[0])


def _changes(before: Facts, after: Facts) -> Iterator[Change]:
    for key, new in after["purposes"].items():
        pointer = f"/purposes/{key}"
        if key not in before["purposes"]:
            yield Change("purpose-added", key, key, pointer)
            continue
        old = before["purposes"][key]
        yield from _of_purpose(key, old, new, pointer)
        for recipient in new["recipients"]:
            was, now = before["recipients"].get(recipient), after["recipients"][recipient]
            if recipient in old["recipients"] and was != now:
                yield Change("recipient-changed", key, recipient, f"/recipients/{recipient}")
    for key in before["purposes"]:
        if key not in after["purposes"]:
            yield Change("purpose-ended", key, key, f"/purposes/{key}")
    for key, kept in after["retention_rules"].items():
        was = before["retention_rules"].get(key)
        if was is not None:
            yield from _of_period(None, was, kept, f"/retention_rules/{key}")
    yield from _of_number("kept", None, before["pending"], after["pending"], "/periods/pending")


def _of_purpose(key: str, old: Facts, new: Facts, pointer: str) -> Iterator[Change]:
    for fact, what, place in (("basis", "basis", "legal_basis"), ("controller", "controller", "controller")):
        if old[fact] != new[fact]:
            yield Change(what, key, str(new[fact]), f"{pointer}/{place}")
    yield from _of_lists(key, old, new, pointer)
    for flag in ("marketing", "tracking", "profiling"):
        if old[flag] != new[flag]:
            yield Change(f"{flag}-{'began' if new[flag] else 'ended'}", key, "", f"{pointer}/{flag}")
    if old["double_opt_in"] != new["double_opt_in"]:
        what = "confirmation-added" if new["double_opt_in"] else "confirmation-dropped"
        yield Change(what, key, "", f"{pointer}/double_opt_in")
    yield from _of_period(key, old["kept"], new["kept"], f"{pointer}/retention")
    old_in, new_in = old.get("kept_in", {}), new.get("kept_in", {})
    for country in sorted({*old_in, *new_in}):
        was, now = old_in.get(country, old["kept"]), new_in.get(country, new["kept"])
        # A jurisdiction without a rule of its own goes with the general one, which is told of already.
        if country in new_in or was != now:
            yield from _of_period(key, was, now, f"{pointer}/retention")
    yield from _of_number("valid", key, old["valid_for"], new["valid_for"], f"{pointer}/valid_for")
    for fact, what in (("consent_text", "consent-wording"), ("interest", "interest-wording")):
        shared = old[fact].keys() & new[fact].keys()
        if any(old[fact][language] != new[fact][language] for language in shared):
            yield Change(what, key, "", f"{pointer}/{fact}")


def _of_lists(key: str, old: Facts, new: Facts, pointer: str) -> Iterator[Change]:
    for fact, what, ended, place in (
        ("recipients", "recipient", "removed", "recipients"),
        ("data", "data", "removed", "data_types"),
        ("sources", "source", "removed", "sources"),
        ("channels", "channel", "removed", "channels"),
        ("topics", "topic", "ended", "topics"),
    ):
        for one in new[fact]:
            if one not in old[fact]:
                yield Change(f"{what}-added", key, one, f"{pointer}/{place}")
        for one in old[fact]:
            if one not in new[fact]:
                yield Change(f"{what}-{ended}", key, one, f"{pointer}/{place}")


def _of_period(purpose: str | None, old: Facts, new: Facts, pointer: str) -> Iterator[Change]:
    if old["clock"] != new["clock"]:
        # Two clocks cannot be compared, so this counts as the more.
        yield Change("kept-longer", purpose, "", pointer)
        return
    found = [*_of_number("kept", purpose, old["days"], new["days"], pointer)]
    # Without a period of their own, people who were sent nothing are under the general one.
    old_unsent, new_unsent = (one["days"] if one["never_sent"] is None else one["never_sent"] for one in (old, new))
    found += _of_number("kept", purpose, old_unsent, new_unsent, pointer)
    yield from dict.fromkeys(found)


def _of_number(what: str, purpose: str | None, old: int | None, new: int | None, pointer: str) -> Iterator[Change]:
    """Days; None is without end."""
    endless = float("inf")
    was, now = endless if old is None else old, endless if new is None else new
    if was != now:
        yield Change(f"{what}-{'longer' if now > was else 'shorter'}", purpose, "", pointer)
