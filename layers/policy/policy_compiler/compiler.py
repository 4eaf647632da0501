"""The two things the compiler does: compile a policy, and publish an edition of its notice."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from policy_compiler import build, facts, notices, output, policy, published, rules
from policy_compiler.policy import FILE, Policy
from policy_compiler.problems import PolicyError, Problem
from policy_compiler.published import FOLDER, LOCK, Published, file_name
from policy_compiler.rules import references
from policy_compiler.source import child

PACKAGE = "consent_policy"

_PACKAGE_DOC = '"""The compiled privacy policy: policy.json, and the published notices in notices/."""\n'


def compile_policy(folder: Path, out: Path | None, today: date) -> tuple[list[Problem], str]:
    """Check the policy in `folder` and write the package consent_policy into `out`; with None, only check.

    Answers the warnings and a line that says what was done. Raises PolicyError with every problem, and then has
    written nothing. The same folder always gives the same bytes.
    """
    found = policy.read(folder, today)
    warnings = _checked(found, compiling=True)
    document = build.document(found.data, found.published.editions, found.logos)
    size = f"largest state {references.state_size(found.data)} of {references.STATE_LIMIT} bytes"
    if out is not None:
        _write_package(out / PACKAGE, document, found)
    return warnings, f"policy {document['hash'][:12]}, notice {document['current_notice']}, {size}"


def draft(folder: Path, today: date) -> tuple[list[Problem], build.Document]:
    """The policy in `folder` as it would be compiled, whether or not its newest edition is published yet.

    Answers the warnings and the document. Raises PolicyError with every problem; nothing is written.
    """
    found = policy.read(folder, today)
    warnings = _checked(found, compiling=False)
    if not found.published.editions:
        raise PolicyError(
            [found.file.problem("/notices", "Nothing is published yet.", "Publish an edition.", "publish")]
        )
    return warnings, build.document(found.data, found.published.editions, found.logos)


def publish(folder: Path, version: str, change: str, today: date) -> tuple[list[Problem], str]:
    """Write the notice of `version` in every approved language and enter it in the lock file, for ever.

    Answers and raises like `compile_policy`.
    """
    found = policy.read(folder, today)
    warnings = _checked(found, compiling=False)
    problem = _unpublishable(found, version, change)
    if problem:
        raise PolicyError([problem, *warnings])
    row = found.data["notices"][version]
    done = facts.facts_of(found.data)
    written = {key: text for key, text in _texts(found, version).items() if _is_news(found, key[1], done)}
    # An edition that changes nothing for anybody is published all the same, because somebody wanted it.
    written = written or _texts(found, version)
    hashes: build.Document = {}
    for (language, controller), content in written.items():
        text = build.content_hash(content)
        hashes[language] = {**hashes.get(language, {}), controller: text} if controller else text
    edition = {"version": version, **row, "languages": hashes, "facts": done, "changes": _changes(found, done)}
    codes = found.published.codes + [one for one in published.codes_of(found.data) if one not in found.published.codes]
    lock = published.lock_document(
        replace(found.published, editions=[*found.published.editions, edition], codes=codes, brands=_brands(found))
    )
    for key, content in written.items():
        output.replace(folder / FOLDER / file_name(version, *key), output.json_text(content))
    # The lock comes last: without it the files above are drafts that the next run writes anew.
    output.replace(folder / LOCK, output.json_text(lock))
    return warnings, f"published {version} in {', '.join(hashes)}"


def _brands(found: Policy) -> list[build.Document]:
    """The brands that were ever published, and those that are now."""
    known = found.published.brands
    return known + [one for one in published.brands_of(found.data) if one not in known]


def record(folder: Path, today: date) -> tuple[list[Problem], str]:
    """Enter into the lock file what the edition in force says, and the brands, for one published before that was kept.

    Refused like `compile_policy`, so that a policy which has moved on since cannot be taken for the published one.
    """
    found = policy.read(folder, today)
    warnings = _checked(found, compiling=True)
    *earlier, newest = found.published.editions
    if "facts" in newest and found.published.brands:
        return warnings, f"{newest['version']} is recorded already"
    done = facts.facts_of(found.data)
    complete = {"changes": _changes(replace(found, published=Published(earlier)), done), "facts": done, **newest}
    lock = published.lock_document(replace(found.published, editions=[*earlier, complete], brands=_brands(found)))
    output.replace(folder / LOCK, output.json_text(lock))
    return warnings, f"recorded {newest['version']}"


def _texts(found: Policy, version: str) -> dict[tuple[str, str | None], build.Document]:
    """What people read in an edition, by language and controller."""
    return {
        (language, controller): notices.render(told, wording.data, language, version)
        for controller in notices.tellers(found.data)
        for told in [notices.of_controller(found.data, controller)]
        for language, wording in found.wordings.items()
    }


def _is_news(found: Policy, controller: str | None, done: facts.Facts) -> bool:
    """Whether an edition changes anything for one of several controllers: if not, their edition before stays."""
    newest = found.published.newest_of(controller, found.data)
    if controller is None or newest is None:
        return True
    edition, texts = newest
    changed = facts.changes(edition.get("facts") or done, done)
    purposes = {key for key, row in found.data["purposes"].items() if row["controller"] == controller}
    if any(one.purpose is None or one.purpose in purposes for one in changed):
        return True
    # As it would read on the day of the edition before.
    now = {
        language: text for (language, whose), text in _texts(found, edition["version"]).items() if whose == controller
    }
    return now != {language: text for language, (_, text) in texts.items()}


def _changes(found: Policy, done: facts.Facts) -> list[dict[str, str | None]]:
    """What an edition with these facts changes, as the lock file and the compiled policy keep it."""
    before = found.published.newest_facts
    changed = facts.changes(before, done) if before else []
    return [{"what": what, "purpose": purpose} for what, purpose in dict.fromkeys((c.what, c.purpose) for c in changed)]


def _checked(found: Policy, compiling: bool) -> list[Problem]:
    problems = rules.check(found, compiling)
    if any(not problem.is_warning for problem in problems):
        raise PolicyError(problems)
    return sorted(set(problems))


def _unpublishable(found: Policy, version: str, change: str) -> Problem | None:
    pointer = child("/notices", version)
    rows = found.data["notices"]

    def problem(what: str, mend: str) -> Problem:
        return found.file.problem(pointer, what, mend, "publish")

    if version not in rows:
        return problem("This edition is not in the policy.", f"Add it under notices in {FILE}.")
    published_before = [edition["version"] for edition in found.published.editions]
    if version in published_before:
        return problem("This edition is published already.", "Add a new edition; a published one never changes.")
    if published_before and found.published.newest_facts is None:
        mend = "Go back to the policy as it was published and run “python -m policy_compiler record --policy DIR”."
        return problem("It is not recorded what the edition in force says beneath its words.", mend)
    if list(rows) != [*published_before, version]:
        return problem("Editions are published in order, one at a time.", "Publish the oldest open edition first.")
    if rows[version]["change"] != change:
        what = f"The policy calls this change “{rows[version]['change']}”, the command “{change}”."
        return problem(what, "Decide which it is, and write it in both places.")
    return None


def _write_package(folder: Path, document: build.Document, found: Policy) -> None:
    names = {}
    for (version, language, controller), content in found.published.files.items():
        (edition,) = [one for one in document["notices"] if one["version"] == version]
        hashes = edition["languages"].get(language)
        # A text that all shared is each one's own once there are several.
        whose = [controller] if controller else [None] if isinstance(hashes, str) else hashes or ()
        names |= {file_name(version, language, one if isinstance(hashes, dict) else None): content for one in whose}
    output.replace(folder / "__init__.py", _PACKAGE_DOC)
    for name, content in names.items():
        output.replace(folder / FOLDER / name, output.json_text(content))
    # The document comes last: whoever reads it finds every notice that it names.
    output.replace(folder / "policy.json", output.json_text(document))
    for stray in (folder / FOLDER).iterdir():
        if stray.name not in names:
            stray.unlink()
