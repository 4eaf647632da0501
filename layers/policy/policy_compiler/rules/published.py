"""What was published: its rows, codes and brands stay, and its editions are in order, in force and told truly."""

from collections.abc import Iterator
from typing import Any

from policy_compiler import facts, notices
from policy_compiler.build import content_hash, texts_of
from policy_compiler.policy import FILE, Policy
from policy_compiler.problems import Problem
from policy_compiler.published import FOLDER, LOCK, codes_of, file_name
from policy_compiler.rules.rule import Finding, policy_rule
from policy_compiler.source import ROOT, child


@policy_rule()
def codes_are_never_reused(policy: Policy) -> Iterator[Finding | Problem]:
    """A published code keeps meaning the same, and what was published keeps its code."""
    for now in codes_of(policy.data):
        pointer = _pointer(now)
        for then in policy.published.codes:
            same_name = (now["purpose"], now["topic"]) == (then["purpose"], then["topic"])
            same_space = now["topic"] is None and then["topic"] is None
            same_space |= None not in (now["topic"], then["topic"]) and now["purpose"] == then["purpose"]
            if same_name and now["code"] != then["code"]:
                what = f"The code was published as “{then['code']}”, and people's decisions are stored under it."
                yield f"{pointer}/code", what, f"Write “code: {then['code']}”."
            elif same_space and not same_name and now["code"] == then["code"]:
                what = f"The code “{now['code']}” was published for “{then['topic'] or then['purpose']}”."
                yield f"{pointer}/code", what, "Choose a code that was never used; ids and codes are never changed."


@policy_rule()
def published_rows_stay(policy: Policy) -> Iterator[Finding | Problem]:
    """A purpose or topic that was published is retired and never removed."""
    now = {(one["purpose"], one["topic"]) for one in codes_of(policy.data)}
    for then in policy.published.codes:
        if (then["purpose"], then["topic"]) not in now:
            what = f"“{then['topic'] or then['purpose']}” was published and is gone."
            mend = f"Put it back with “code: {then['code']}” and “retired: true”."
            yield _pointer(then), what, mend


def _pointer(code: dict[str, Any]) -> str:
    purpose = child("/purposes", code["purpose"])
    return purpose if code["topic"] is None else child(f"{purpose}/topics", code["topic"])


@policy_rule()
def published_brands_stay(policy: Policy) -> Iterator[Finding | Problem]:
    """A brand that was published keeps its id and its controller: letters and forms on other sites name it."""
    for then in policy.published.brands:
        brand = policy.data["brands"].get(then["brand"])
        if brand is None:
            what = f"“{then['brand']}” was published and is gone, and links that people have name it."
            yield child("/brands", then["brand"]), what, "Put it back under this id; its name may change."
        elif brand["controller"] != then["controller"]:
            what = f"The brand was published for “{then['controller']}”, and links that people have name it."
            mend = f"Write “controller: {then['controller']}”, and give a brand of another id to whoever takes over."
            yield f"{child('/brands', then['brand'])}/controller", what, mend


@policy_rule()
def editions_are_in_order(policy: Policy) -> Iterator[Finding | Problem]:
    """Editions stand oldest first, and the first of them, and no other, is called first."""
    rows = list(policy.rows("notices"))
    for index, (pointer, key, row) in enumerate(rows):
        if (row["change"] == "first") != (index == 0):
            what = "Only the oldest edition is the first."
            yield f"{pointer}/change", what, "Write “first” for the oldest edition and another class for the rest."
        if index and (key <= rows[index - 1][1] or row["published_on"] < rows[index - 1][2]["published_on"]):
            yield pointer, "This edition is not younger than the one above it.", "Put the editions oldest first."


@policy_rule()
def new_purposes_are_announced(policy: Policy) -> Iterator[Finding | Problem]:
    """An edition that brings a purpose says so, because people are then told and asked."""
    known = {one["purpose"] for one in policy.published.codes}
    new = [key for key in policy.data["purposes"] if key not in known]
    *_, (pointer, version, row) = policy.rows("notices")
    is_open = all(one["version"] != version for one in policy.published.editions)
    if policy.published.editions and new and is_open and row["change"] != "new_purpose":
        yield f"{pointer}/change", f"This edition brings “{new[0]}”.", "Write “change: new_purpose”."


@policy_rule()
def changes_are_not_understated(policy: Policy) -> Iterator[Finding | Problem]:
    """The class of an open edition is not lower than what is done differently since the edition in force."""
    before = policy.published.newest_facts
    *_, (pointer, version, row) = policy.rows("notices")
    is_open = all(one["version"] != version for one in policy.published.editions)
    if before is None or not is_open or row["change"] not in facts.CLASSES:
        return
    found = facts.changes(before, facts.facts_of(policy.data))
    least = facts.least_class(found)
    known = {one["purpose"] for one in policy.published.codes}
    for one in found:
        # A purpose that was never published is told by a rule of its own.
        is_told = one.what == "purpose-added" and one.purpose not in known
        if not is_told and facts.CLASSES.index(facts.LEAST[one.what]) > facts.CLASSES.index(row["change"]):
            line = policy.file.line(one.pointer)
            what = f"“{row['change']}” says less than {one.pointer} on line {line} does: {one.what}{_of_what(one)}."
            yield f"{pointer}/change", what, f"Write “change: {least}”."


@policy_rule()
def editions_are_published(policy: Policy) -> Iterator[Finding | Problem]:
    """Every edition in the policy was published, and every published edition is in the policy."""
    published = {edition["version"] for edition in policy.published.editions}
    for pointer, key, row in policy.rows("notices"):
        if key not in published:
            command = f"python -m policy_compiler publish --policy DIR --version {key} --change {row['change']}"
            yield pointer, "This edition is not published.", f"Run “{command}”."
    for version in published - set(policy.data["notices"]):
        yield child("/notices", version), "This edition was published and is gone.", "Put it back."


@policy_rule()
def published_editions_stay(policy: Policy) -> Iterator[Finding | Problem]:
    """A published edition and its files are as they were on the day of publication."""
    for edition in policy.published.editions:
        row = policy.data["notices"].get(edition["version"], {})
        for key in row:
            if row[key] != edition.get(key):
                pointer = child(child("/notices", edition["version"]), key)
                yield pointer, f"“{key}” of a published edition was changed.", f"Restore it as it stands in {LOCK}."
        for language, controller, expected in texts_of(edition):
            content = policy.published.files[edition["version"], language, controller]
            name = f"{FOLDER}/{file_name(edition['version'], language, controller)}"
            if content is None or content_hash(content) != expected:
                what = "A published notice is missing." if content is None else "A published notice was changed."
                mend = "Restore the file from version control; changes belong into a new edition."
                yield Problem(name, 1, ROOT, what, mend, "published-editions-stay")


@policy_rule()
def notice_is_current(policy: Policy) -> Iterator[Finding | Problem]:
    """The notice that is in force says what the policy says, in every approved language, and was classed with it."""
    if not policy.published.editions:
        return
    mend = f"Add an edition under notices in {FILE} and run publish with its version."
    is_current = True
    for controller in notices.tellers(policy.data):
        for problem in _outdated(policy, controller):
            yield *problem, mend
            is_current = False
    # The words agreed to, channels and the like stand in no notice, and still are the reason of a class.
    version = policy.published.editions[-1]["version"]
    if is_current and policy.published.newest_facts is not None:
        for one in facts.changes(policy.published.newest_facts, facts.facts_of(policy.data)):
            yield one.pointer, f"This has changed since {version}: {one.what}{_of_what(one)}.", mend


def _outdated(policy: Policy, controller: str | None) -> Iterator[tuple[str, str]]:
    """What a controller's notice in force does not say any more, or yet."""
    newest = policy.published.newest_of(controller, policy.data)
    if newest is None:
        yield f"/controllers/{controller}", f"“{controller}” has no published notice."
        return
    edition, texts = newest
    version = edition["version"]
    pointer, told = child("/notices", version), notices.of_controller(policy.data, controller)
    for language, wording in policy.wordings.items():
        fresh = notices.render(told, wording.data, language, version)
        if language not in texts:
            yield pointer, f"The notice in force was not published in “{language}”."
        elif content_hash(fresh) != texts[language][0]:
            place = _first_difference(texts[language][1], fresh)
            yield pointer, f"What people read in “{language}” has changed since {version}{place}."


def _of_what(change: facts.Change) -> str:
    return f" (“{change.named}”)" if change.named else ""


def _first_difference(old: Any, new: dict[str, Any]) -> str:
    if not isinstance(old, dict) or "sections" not in old:
        return ""
    before = {one["id"]: one for one in old["sections"]}
    changed = [one["id"] for one in new["sections"] if before.get(one["id"]) != one]
    changed += [one for one in before if one not in {section["id"] for section in new["sections"]}]
    return f", first in the section “{changed[0]}”" if changed else ""
