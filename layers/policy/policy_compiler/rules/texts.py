"""Languages, texts and the words of the notice: everybody reads everything in a language that they know."""

import re
from collections.abc import Iterator

from policy_compiler import shape
from policy_compiler.policy import Policy, wording_file
from policy_compiler.problems import Problem
from policy_compiler.rules.rule import Finding, policy_rule
from policy_compiler.source import child


@policy_rule()
def languages_are_sound(policy: Policy) -> Iterator[Finding | Problem]:
    """The default language and the target of every fall-back are approved languages."""
    named = policy.data["languages"]
    if named["default"] not in named["approved"]:
        yield "/languages/default", f"“{named['default']}” is not approved.", "Name one of the approved languages."
    for language, target in named.get("fallback", {}).items():
        if target not in named["approved"] or target == language:
            where = child("/languages/fallback", language)
            yield where, f"“{language}” falls back to “{target}”.", "Fall back to another, approved language."


@policy_rule()
def texts_are_complete(policy: Policy) -> Iterator[Finding | Problem]:
    """Every text exists in every approved language, or the language has a named fall-back that does."""
    named = policy.data["languages"]
    fallback = named.get("fallback", {})
    for pointer, text in shape.each("text", policy.data):
        if re.match(r"/notices/", pointer):
            # What was published stays as it was; only the edition that is being prepared must speak every language.
            edition = pointer.split("/")[2]
            if any(one["version"] == edition for one in policy.published.editions):
                continue
        for language in named["approved"]:
            if language not in text and fallback.get(language) not in text:
                mend = f"Write “{language}: …”, or name a fall-back for it under languages."
                yield pointer, f"The text is missing in “{language}”.", mend
        for language in text:
            if language not in named["approved"] and language not in fallback:
                mend = "Approve the language under languages, name a fall-back for it, or remove the text."
                yield child(pointer, language), f"“{language}” is not a language of this policy.", mend


@policy_rule()
def placeholders_are_known(policy: Policy) -> Iterator[Finding | Problem]:
    """Only a consent text has placeholders: {brand}, {controller} and {topics}."""
    for pointer, text in shape.each("text", policy.data):
        allowed = {"{brand}", "{controller}", "{topics}"} if pointer.endswith("/consent_text") else set()
        for language, words in text.items():
            for found in re.findall(r"\{[^{}]*\}|[{}]", words):
                if found not in allowed:
                    mend = f"Use only {', '.join(sorted(allowed))}." if allowed else "Write it out, without braces."
                    yield child(pointer, language), f"{found} cannot be filled in here.", mend


@policy_rule()
def wording_exists(policy: Policy) -> Iterator[Finding | Problem]:
    """Every approved language has a wording file for the notice."""
    for index, language in enumerate(policy.approved()):
        if language not in policy.wordings:
            mend = f"Copy the wording of another language to {wording_file(language)} and translate it."
            yield child("/languages/approved", index), f"{wording_file(language)} does not exist.", mend


@policy_rule()
def wording_is_fillable(policy: Policy) -> Iterator[Finding | Problem]:
    """A wording uses only placeholders that can be filled in where they stand."""
    everywhere = {
        "controller",
        "brand",
        "dpo_name",
        "dpo_email",
        "email",
        "stop_address",
        "authority",
        "authority_url",
        "pending",
    }
    extra = {"clocks": {"period"}, "never_sent": {"period"}, "hold": {"period"}, "units": {"n"}}
    more = {"/sections/categories": {"categories"}, "/sections/changes": {"published_on"}}
    more["/labels/source_about_person"] = {"source"}
    literal = ("/labels", "/bases", "/controls", "/roles", "/origins", "/units", "/numbers", "/countries", "/and")
    for wording in policy.wordings.values():
        for pointer, phrase in shape.each("phrase", wording.data, within="wording"):
            allowed = set() if pointer.startswith(literal) else set(everywhere)
            allowed |= extra.get(pointer.split("/")[1], set())
            allowed |= {word for prefix, words in more.items() if pointer.startswith(prefix) for word in words}
            for found in re.findall(r"\{[^{}]*\}|[{}]", phrase):
                if found[1:-1] not in allowed:
                    mend = f"Known here: {', '.join(sorted(allowed)) or 'none'}."
                    what = f"{found} cannot be filled in here."
                    yield wording.problem(pointer, what, mend, "wording-is-fillable")


@policy_rule()
def wording_names_countries(policy: Policy) -> Iterator[Finding | Problem]:
    """Every country that the notice mentions has a name in every wording."""
    used = {key: pointer for pointer, key, _ in policy.rows("authorities")}
    for kind in ("controllers", "recipients"):
        used |= {row["country"]: f"{pointer}/country" for pointer, _, row in policy.rows(kind)}
    for language, wording in policy.wordings.items():
        for country, pointer in used.items():
            if country not in wording.data["countries"]:
                mend = f"Add “{country}: …” under countries in {wording_file(language)}."
                yield pointer, f"The country {country} has no name in “{language}”.", mend


@policy_rule()
def soft_opt_in_has_words(policy: Policy) -> Iterator[Finding | Problem]:
    """Every wording names the basis where a purpose rests on soft opt-in."""
    for pointer, _, purpose in policy.rows("purposes"):
        for language, wording in policy.wordings.items():
            for part in ("bases", "controls"):
                if purpose["legal_basis"] == "soft_opt_in" and "soft_opt_in" not in wording.data[part]:
                    mend = f"Add “soft_opt_in: …” under {part} in {wording_file(language)}."
                    yield f"{pointer}/legal_basis", f"The basis has no words in “{language}”.", mend
