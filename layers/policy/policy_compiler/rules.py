"""What a policy must hold beyond its shape. Each rule is one function; its name with hyphens is the rule's id."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from policy_compiler import calendars, connectors, facts, logos, notices, periods, shape, source
from policy_compiler.build import content_hash, texts_of
from policy_compiler.policy import FILE, Policy, wording_file
from policy_compiler.problems import Problem
from policy_compiler.published import FOLDER, LOCK, codes_of, file_name
from policy_compiler.source import ROOT, child

Finding = tuple[str, str, str]
"""Pointer into policy.yaml, what is wrong, the mend."""

Rule = Callable[[Policy], Iterator[Problem]]

STATE_LIMIT = 4000
"""Bytes. The state of one person is one item that is read and written on every decision."""

_STATE_BASE, _STATE_ROW, _STATE_PREFERENCE = 1000, 44, 32
_STATE_LOCKS, _STATE_LOCK = 4, 56

EEA = frozenset((
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI",
    "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
))  # fmt: skip
"""The 27 member states with Iceland, Liechtenstein and Norway."""

ALWAYS: dict[str, Rule] = {}
"""Rules for every policy, published or not, by id."""

WHEN_COMPILING: dict[str, Rule] = {}
"""Rules about what was published: they hold when the policy is compiled, not while an edition is being published."""


def _rule(
    into: dict[str, Rule] = ALWAYS, warns: bool = False
) -> Callable[[Callable[[Policy], Iterator[Finding | Problem]]], Rule]:
    """Enter a rule under its id. A rule yields findings in policy.yaml, or whole problems in another file."""

    def enter(find: Callable[[Policy], Iterator[Finding | Problem]]) -> Rule:
        name = find.__name__.replace("_", "-")

        def rule(policy: Policy) -> Iterator[Problem]:
            for found in find(policy):
                yield found if isinstance(found, Problem) else policy.file.problem(*found, name, warns)

        rule.__doc__ = find.__doc__
        into[name] = rule
        return rule

    return enter


# ---- Languages and texts --------------------------------------------------------------------------------


@_rule()
def languages_are_sound(policy: Policy) -> Iterator[Finding | Problem]:
    """The default language and the target of every fall-back are approved languages."""
    named = policy.data["languages"]
    if named["default"] not in named["approved"]:
        yield "/languages/default", f"“{named['default']}” is not approved.", "Name one of the approved languages."
    for language, target in named.get("fallback", {}).items():
        if target not in named["approved"] or target == language:
            where = child("/languages/fallback", language)
            yield where, f"“{language}” falls back to “{target}”.", "Fall back to another, approved language."


@_rule()
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


@_rule()
def placeholders_are_known(policy: Policy) -> Iterator[Finding | Problem]:
    """Only a consent text has placeholders: {brand}, {controller} and {topics}."""
    for pointer, text in shape.each("text", policy.data):
        allowed = {"{brand}", "{controller}", "{topics}"} if pointer.endswith("/consent_text") else set()
        for language, words in text.items():
            for found in re.findall(r"\{[^{}]*\}|[{}]", words):
                if found not in allowed:
                    mend = f"Use only {', '.join(sorted(allowed))}." if allowed else "Write it out, without braces."
                    yield child(pointer, language), f"{found} cannot be filled in here.", mend


@_rule()
def wording_exists(policy: Policy) -> Iterator[Finding | Problem]:
    """Every approved language has a wording file for the notice."""
    for index, language in enumerate(policy.approved()):
        if language not in policy.wordings:
            mend = f"Copy the wording of another language to {wording_file(language)} and translate it."
            yield child("/languages/approved", index), f"{wording_file(language)} does not exist.", mend


@_rule()
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


@_rule()
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


# ---- Names, codes and references ------------------------------------------------------------------------

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


@_rule()
def references_exist(policy: Policy) -> Iterator[Finding | Problem]:
    """Whatever a row refers to by id stands in the policy."""
    for kind, keys in _REFERENCES.items():
        for pointer, _, row in policy.rows(kind):
            for key, target in keys.items():
                yield from _unknown(policy, f"{pointer}/{key}", row.get(key), target)
    for pointer, _, purpose in policy.rows("purposes"):
        yield from _unknown_rules(policy, f"{pointer}/retention", purpose["retention"])
    for pointer, brand, form in _forms(policy):
        yield from _unknown(policy, pointer, brand, "brands")
        yield from _unknown(policy, f"{pointer}/purpose", form["purpose"], "purposes")
        for key, field in form["fields"].items():
            yield from _unknown(policy, f"{pointer}/fields/{key}/data_type", field["data_type"], "data_types")


def _forms(policy: Policy) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """Pointer, brand and form of each sign-up form; that of the default brand is under no brand's name."""
    yield "/form", None, policy.data["form"]
    yield from policy.rows("forms")


def _brand_of(purpose: dict[str, Any], policy: Policy) -> Any:
    """The brand that a purpose speaks for; without one that is its controller's first."""
    own = (key for _, key, brand in policy.rows("brands") if brand["controller"] == purpose["controller"])
    return purpose.get("brand") or next(own, None)


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


@_rule()
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


@_rule()
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


@_rule()
def published_rows_stay(policy: Policy) -> Iterator[Finding | Problem]:
    """A purpose or topic that was published is retired and never removed."""
    now = {(one["purpose"], one["topic"]) for one in codes_of(policy.data)}
    for then in policy.published.codes:
        if (then["purpose"], then["topic"]) not in now:
            what = f"“{then['topic'] or then['purpose']}” was published and is gone."
            mend = f"Put it back with “code: {then['code']}” and “retired: true”."
            yield _pointer(then), what, mend


@_rule()
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


def _pointer(code: dict[str, Any]) -> str:
    purpose = child("/purposes", code["purpose"])
    return purpose if code["topic"] is None else child(f"{purpose}/topics", code["topic"])


@_rule()
def brands_belong(policy: Policy) -> Iterator[Finding | Problem]:
    """A purpose and its brand belong to the same controller."""
    for pointer, _, purpose in policy.rows("purposes"):
        brand = policy.data["brands"].get(purpose.get("brand"))
        if brand and brand["controller"] != purpose["controller"]:
            what = f"The brand belongs to “{brand['controller']}”, the purpose to “{purpose['controller']}”."
            yield f"{pointer}/brand", what, "Name a brand of the same controller."


@_rule()
def senders_are_apart(policy: Policy) -> Iterator[Finding | Problem]:
    """Brands of different controllers send from different addresses: a bounce may say nothing else of whose it is."""
    seen: dict[str, str] = {}
    for pointer, _, brand in policy.rows("brands"):
        address = brand["sender"]["address"].lower()
        first = seen.setdefault(address, brand["controller"])
        if first != brand["controller"]:
            yield f"{pointer}/sender/address", f"A brand of “{first}” sends from it too.", "Use another address."


@_rule()
def logos_only_draw(policy: Policy) -> Iterator[Finding | Problem]:
    """A logo is there, is small, can be seen where it stands, and neither runs nor loads anything."""
    for pointer, _, brand in policy.rows("brands"):
        if "dark_logo" in brand and "logo" not in brand:
            yield f"{pointer}/dark_logo", "It takes the place of a logo that is missing.", "Add “logo”."
        for key, ground in (("logo", logos.LIGHT), ("dark_logo", logos.DARK)):
            if key in brand and brand[key] not in policy.logos:
                yield f"{pointer}/{key}", f"{brand[key]} does not exist.", "Put the file there, or name another."
            elif key in brand:
                for what, mend in logos.faults(brand[key], policy.logos[brand[key]], ground):
                    yield f"{pointer}/{key}", what, mend


@_rule(warns=True)
def colours_can_be_read(policy: Policy) -> Iterator[Finding | Problem]:
    """Text in the colour of a brand can be read on white; pages darken what cannot (WCAG 2.2, 1.4.3)."""
    for pointer, _, brand in policy.rows("brands"):
        found = logos.contrast(brand["colour"], logos.LIGHT)
        if found < logos.TEXT_CONTRAST:
            what = f"On white its contrast is {found:.1f} : 1, so pages show a darker one."
            yield (
                f"{pointer}/colour",
                what,
                f"Choose one with at least {logos.TEXT_CONTRAST} : 1 to decide it yourself.",
            )


# ---- What the law asks of a purpose ---------------------------------------------------------------------


@_rule()
def consent_is_informed(policy: Policy) -> Iterator[Finding | Problem]:
    """What takes a consent has the text agreed to and says beforehand how to withdraw (GDPR Art. 7(3))."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose["legal_basis"] in ("consent", "soft_opt_in"):
            for key in ("consent_text", "withdrawal_text"):
                if key not in purpose:
                    yield f"{pointer}/{key}", f"A consent needs “{key}”.", f"Add “{key}” with a text per language."


@_rule()
def consent_names_topics(policy: Policy) -> Iterator[Finding | Problem]:
    """The text agreed to names the topics when there are any: consent is specific (GDPR Art. 4(11))."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose.get("topics") and "consent_text" in purpose:
            for language, words in purpose["consent_text"].items():
                if "{topics}" not in words:
                    where = f"{pointer}/consent_text/{language}"
                    yield where, "The text does not name the topics.", "Put {topics} where the topics belong."


@_rule()
def interest_is_weighed(policy: Policy) -> Iterator[Finding | Problem]:
    """A legitimate-interest purpose names the interest, weighs it, and tells how to object (GDPR Art. 6(1)(f), 21)."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose["legal_basis"] == "legitimate_interest":
            for key in ("interest", "balancing_test", "objection_text"):
                if key not in purpose:
                    what = f"A legitimate interest needs “{key}”."
                    yield f"{pointer}/{key}", what, f"Add “{key}” with a text per language."


@_rule()
def marketing_mail_is_confirmed(policy: Policy) -> Iterator[Finding | Problem]:
    """Consent to marketing by e-mail or text message counts only once it is confirmed from that address."""
    for pointer, _, purpose in policy.rows("purposes"):
        is_message = {"email", "sms"} & set(purpose["channels"])
        is_asked = purpose["legal_basis"] in ("consent", "soft_opt_in") and purpose.get("marketing")
        if is_asked and is_message and not purpose.get("double_opt_in"):
            what = "Marketing to an address nobody has confirmed may reach somebody who never asked."
            yield f"{pointer}/double_opt_in", what, "Write “double_opt_in: true”."


@_rule()
def soft_opt_in_is_narrow(policy: Policy) -> Iterator[Finding | Problem]:
    """Soft opt-in is marketing by message of one's own similar products, with a no offered (ePrivacy Art. 13(2))."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose["legal_basis"] != "soft_opt_in":
            continue
        if not purpose.get("marketing"):
            yield f"{pointer}/marketing", "A soft opt-in is marketing.", "Write “marketing: true”."
        for flag in ("tracking", "profiling"):
            if purpose.get(flag):
                what = f"Who never said yes cannot be subject to {flag}."
                yield f"{pointer}/{flag}", what, f"Write “{flag}: false”; ask for consent in a purpose of its own."
        if "objection_text" not in purpose:
            what = "A soft opt-in needs the words with which people could say no when they bought."
            yield f"{pointer}/objection_text", what, "Add “objection_text” with a text per language."
        if not purpose.get("topics"):
            what = "A soft opt-in holds for similar products only, and names no group of them."
            yield f"{pointer}/topics", what, "Add the product groups under “topics”."
        for index, channel in enumerate(purpose["channels"]):
            if channel not in ("email", "sms"):
                what = f"A soft opt-in is about electronic mail, not about “{channel}”."
                yield f"{pointer}/channels/{index}", what, "Use the channel email or sms."


@_rule()
def soft_opt_in_has_words(policy: Policy) -> Iterator[Finding | Problem]:
    """Every wording names the basis where a purpose rests on soft opt-in."""
    for pointer, _, purpose in policy.rows("purposes"):
        for language, wording in policy.wordings.items():
            for part in ("bases", "controls"):
                if purpose["legal_basis"] == "soft_opt_in" and "soft_opt_in" not in wording.data[part]:
                    mend = f"Add “soft_opt_in: …” under {part} in {wording_file(language)}."
                    yield f"{pointer}/legal_basis", f"The basis has no words in “{language}”.", mend


@_rule()
def imports_are_proven(policy: Policy) -> Iterator[Finding | Problem]:
    """An import brings consents only, and with double opt-in only those that were confirmed from the address."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose.get("import_grades") and purpose["legal_basis"] != "consent":
            yield f"{pointer}/import_grades", "Only a consent can be imported.", "Remove “import_grades”."
        elif purpose.get("double_opt_in") and "B" in purpose.get("import_grades", []):
            what = "Evidence of grade B shows no confirmation, which “double_opt_in” asks for."
            yield f"{pointer}/import_grades", what, "Write “import_grades: [A]”."


@_rule()
def tracking_is_asked(policy: Policy) -> Iterator[Finding | Problem]:
    """Tracking rests on consent, and what it records is profiled or marketed with on that consent only (ePrivacy)."""
    recorded = {
        key
        for _, _, purpose in policy.rows("purposes")
        if purpose.get("tracking")
        for key in purpose["data_types"]
        if policy.data["data_types"].get(key, {}).get("origin") == "observed"
    }
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose["legal_basis"] == "consent":
            continue
        if purpose.get("tracking"):
            what = "Recording what people do needs their consent."
            yield f"{pointer}/tracking", what, "Write “legal_basis: consent”, or “tracking: false”."
        elif purpose.get("profiling") or purpose.get("marketing"):
            for index, key in enumerate(purpose["data_types"]):
                if key in recorded:
                    what = f"“{key}” is recorded with consent to tracking and cannot be used on another basis."
                    mend = "Remove it here; use it in the purpose that asks for consent to tracking."
                    yield f"{pointer}/data_types/{index}", what, mend


@_rule()
def tracking_names_what_it_records(policy: Policy) -> Iterator[Finding | Problem]:
    """A topic that permits recording opens or clicks belongs to a purpose that is tracking by e-mail."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose.get("tracking") and "email" in purpose["channels"]:
            continue
        for key, topic in purpose.get("topics", {}).items():
            if "tracks" in topic:
                what = f"“{key}” permits to record {topic['tracks']}, and its purpose is not tracking by e-mail."
                mend = "Write “tracking: true” and the channel email in the purpose, or remove “tracks”."
                yield f"{child(child(f'{pointer}/topics', key), 'tracks')}", what, mend


@_rule()
def pauses_are_for_consent(policy: Policy) -> Iterator[Finding | Problem]:
    """Only what a person chose to receive can be paused, come less often or become stale."""
    for pointer, _, purpose in policy.rows("purposes"):
        for key in ("pauses", "fewer", "stale_after"):
            if purpose.get(key) and (purpose["legal_basis"] != "consent" or purpose.get("tracking")):
                what = "Only letters that people agreed to receive can be paused, come less often or become stale."
                yield f"{pointer}/{key}", what, f"Remove “{key}”."


@_rule()
def transfers_are_protected(policy: Policy) -> Iterator[Finding | Problem]:
    """A recipient outside the European Economic Area has a transfer tool (GDPR Chapter V)."""
    for pointer, _, recipient in policy.rows("recipients"):
        if recipient["country"] not in EEA and "transfer_tool" not in recipient:
            what = f"{recipient['country']} is outside the EEA and nothing protects the data there."
            mend = "Add “transfer_tool”, such as an adequacy decision or standard contractual clauses."
            yield f"{pointer}/transfer_tool", what, mend


@_rule()
def authorities_cover_jurisdictions(policy: Policy) -> Iterator[Finding | Problem]:
    """Every jurisdiction has an authority to complain to (GDPR Art. 13(2)(d))."""
    for index, country in enumerate(policy.data["jurisdictions"]):
        if country not in policy.data["authorities"]:
            where = child("/jurisdictions", index)
            yield where, f"{country} has no authority.", f"Add “{country}” under authorities, or remove it here."


@_rule()
def connectors_fit(policy: Policy) -> Iterator[Finding | Problem]:
    """A connector is told what its kind needs, nothing else, and only what its kind is able to do."""
    for row_pointer, _, recipient in policy.rows("recipients"):
        if "connector" not in recipient:
            continue
        connector, pointer = recipient["connector"], f"{row_pointer}/connector"
        kind = connectors.KINDS[connector["kind"]]
        for key in kind.needs:
            if key not in connector:
                yield f"{pointer}/{key}", f"A connector of the kind {connector['kind']} needs “{key}”.", f"Add “{key}”."
        for key in connector:
            if key not in ("kind", "verbs", *kind.needs, *kind.knows):
                what = f"A connector of the kind {connector['kind']} knows no “{key}”."
                yield f"{pointer}/{key}", what, f"Remove “{key}”."
        able = connectors.verbs_of(connector)
        for index, verb in enumerate(connector.get("verbs", ())):
            if verb not in able:
                what = f"A connector of this kind cannot {verb}."
                yield f"{pointer}/verbs/{index}", what, f"Choose among {', '.join(able)}."


# ---- Requests of people about their data ----------------------------------------------------------------


@_rule()
def rights_files_end(policy: Policy) -> Iterator[Finding | Problem]:
    """One rule says how long the file of a rights request is kept from its closing, and one what is in it."""
    for kind in ("rights-file", "rights-payload"):
        found = [(pointer, rule) for pointer, _, rule in policy.rows("retention_rules") if rule["covers"] == kind]
        if not found:
            mend = f"Add a rule with “covers: {kind}” and “clock: closing”."
            yield "/retention_rules", f"Nothing says how long a {kind} is kept.", mend
        elif found[0][1]["clock"] != "closing":
            pointer = f"{found[0][0]}/clock"
            yield pointer, "The file of a request is kept from the day it was closed.", "Write “clock: closing”."


@_rule()
def holidays_are_known(policy: Policy) -> Iterator[Finding | Problem]:
    """The public holidays of every jurisdiction are known, because a period that ends on one ends later."""
    subdivisions = policy.data.get("rights", {}).get("subdivisions", {})
    for country in calendars.countries(policy.data):
        parts = calendars.subdivisions_of(country)
        if parts is None:
            yield "/jurisdictions", f"No public holidays are known for {country}.", "Correct the country."
        elif country in subdivisions and subdivisions[country] not in parts:
            where = child("/rights/subdivisions", country)
            yield where, f"“{subdivisions[country]}” is no part of {country}.", f"Known are {', '.join(parts)}."
    for country in subdivisions:
        if country not in calendars.countries(policy.data):
            where = child("/rights/subdivisions", country)
            yield where, f"“{country}” is not under jurisdictions.", f"Add “{country}” under jurisdictions."


@_rule()
def clocks_are_known(policy: Policy) -> Iterator[Finding | Problem]:
    """Every controller has a clock, by which its days end."""
    for pointer, _, controller in policy.rows("controllers"):
        try:
            calendars.zone(calendars.time_zone(controller))
        except KeyError:
            what = f"No time zone is known for {controller.get('time_zone') or controller['country']}."
            yield f"{pointer}/time_zone", what, "Write “time_zone” with a name such as Europe/Copenhagen."


@_rule()
def closing_days_exist(policy: Policy) -> Iterator[Finding | Problem]:
    """Every closing day is in the calendar, and some day of the year is none."""
    days = policy.data.get("rights", {}).get("closing_days", [])
    for index, day in enumerate(days):
        try:
            date.fromisoformat(day if len(day) > 5 else f"2024-{day}")
        except ValueError:
            where = child("/rights/closing_days", index)
            yield where, f"“{day}” is not a day of the calendar.", "Correct the date."
    if len(days) > 60:
        yield "/rights/closing_days", "That is most of the working days.", "List at most 60 days."


@_rule()
def addresses_can_be_written_to(policy: Policy) -> Iterator[Finding | Problem]:
    """Every e-mail address has the form of one, in plain letters."""
    for pointer, address in shape.each("email", policy.data):
        if isinstance(address, str) and not _ADDRESS.fullmatch(address):
            yield pointer, "This is not an e-mail address.", "Write an address such as privacy@example.com."


# The part of RFC 5321 that every mail system takes: no quotes, no comments, no dot at an end or twice in a row.
_ADDRESS = re.compile(
    r"(?=.{6,254}$)(?=.{1,64}@)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)


@_rule()
def form_asks_for_consent(policy: Policy) -> Iterator[Finding | Problem]:
    """Each form serves a purpose in use that rests on consent, and asks for the address it needs."""
    for pointer, _, form in _forms(policy):
        purpose = policy.data["purposes"].get(form["purpose"])
        if purpose and (purpose["legal_basis"] != "consent" or purpose.get("retired")):
            mend = "Name a consent purpose not retired."
            yield f"{pointer}/purpose", "The form must ask for a consent that is in use.", mend
        if not form["fields"]["email"]["required"]:
            yield (
                f"{pointer}/fields/email/required",
                "Nobody can confirm without an address.",
                "Write “required: true”.",
            )


@_rule()
def forms_speak_for_their_brands(policy: Policy) -> Iterator[Finding | Problem]:
    """A form under the id of a brand serves a purpose of that brand, and each brand has one form."""
    default = _brand_of(policy.data["purposes"][policy.data["form"]["purpose"]], policy)
    for pointer, brand, form in policy.rows("forms"):
        purpose = policy.data["purposes"].get(form["purpose"])
        if brand == default:
            yield pointer, f"“{brand}” has its form under form.", "Remove one of the two."
        elif purpose and _brand_of(purpose, policy) != brand:
            what = f"“{form['purpose']}” speaks for “{_brand_of(purpose, policy)}”."
            yield f"{pointer}/purpose", what, f"Name a purpose with “brand: {brand}”."


@_rule()
def controllers_have_brands(policy: Policy) -> Iterator[Finding | Problem]:
    """Whoever is responsible for a purpose has a brand, in whose name letters about it are sent."""
    for pointer, _, purpose in policy.rows("purposes"):
        if _brand_of(purpose, policy) is None:
            what = f"“{purpose['controller']}” has no brand to speak in."
            yield f"{pointer}/controller", what, "Add a brand with this controller."
    for pointer, key, _ in policy.rows("controllers"):
        if not any(row["controller"] == key for _, _, row in policy.rows("purposes")):
            yield pointer, f"“{key}” is responsible for no purpose.", "Add a purpose, or remove the controller."


# ---- Keeping and deleting -------------------------------------------------------------------------------


@_rule()
def keeping_ends(policy: Policy) -> Iterator[Finding | Problem]:
    """Every retention rule has an end, and a hold also says whose interest it serves."""
    for pointer, _, rule in policy.rows("retention_rules"):
        has_clock = rule["clock"] != "none"
        if "period" not in rule and (has_clock or rule.get("hold")):
            yield f"{pointer}/period", "The rule has no end.", "Add “period”, such as 6 months."
        if "period" in rule and not has_clock:
            yield f"{pointer}/clock", "A period needs an event to count from.", "Name the clock, or remove the period."
        if rule.get("hold") and "justification" not in rule:
            yield f"{pointer}/justification", "A hold needs its reason.", "Say whose interest the hold serves and why."
        if "never_sent" in rule and rule["clock"] != "last_send":
            yield f"{pointer}/never_sent", "Only a last send can be missing.", "Remove it, or write “clock: last_send”."


@_rule()
def long_periods_are_justified(policy: Policy) -> Iterator[Finding | Problem]:
    """A period above an authority's figure has a justification, a signer and a review date."""
    for pointer, _, rule in policy.rows("retention_rules"):
        for figure in figures().values():
            applies = figure["jurisdiction"] in ("EU", *policy.data["jurisdictions"])
            if not applies or figure["covers"] != rule["covers"]:
                continue
            for key, limit in (("period", figure["at_most"]), ("never_sent", figure.get("never_sent"))):
                if key in rule and limit and _is_longer(rule[key], limit):
                    for missing in ("justification", "signed_by", "review_on"):
                        if missing not in rule:
                            what = f"“{rule[key]}” is longer than the authority's {limit} ({figure['source']})."
                            yield f"{pointer}/{missing}", what, f"Add “{missing}”, or shorten “{key}” to {limit}."


def _is_longer(period: str, limit: str) -> bool:
    return periods.longest_days(periods.parse(period)) > periods.longest_days(periods.parse(limit))


@cache
def figures() -> dict[str, dict[str, str]]:
    """What authorities have said about periods, with the source, by id."""
    file = resources.files("policy_compiler").joinpath("authority_figures.yaml")
    found: dict[str, dict[str, str]] = source.parse(file.read_text(encoding="utf-8"), file.name).data
    return found


@_rule()
def waiting_agrees(policy: Policy) -> Iterator[Finding | Problem]:
    """Unconfirmed requests are kept exactly as long as they wait."""
    waiting = policy.data["periods"]["pending"]
    for pointer, _, rule in policy.rows("retention_rules"):
        if rule["covers"] == "pending" and periods.parse(rule["period"]) != periods.parse(waiting):
            what = f"“{rule['period']}” differs from “pending: {waiting}” under periods."
            yield f"{pointer}/period", what, "Write the same period in both places."


@_rule()
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


# ---- Dates and the notice -------------------------------------------------------------------------------


@_rule()
def dates_exist(policy: Policy) -> Iterator[Finding | Problem]:
    """Every date is in the calendar."""
    written = [*shape.each("date", policy.data)]
    written += [(pointer, key[:10]) for pointer, key, _ in policy.rows("notices")]
    for pointer, day in written:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield pointer, f"“{day}” is not a day of the calendar.", "Correct the date."


@_rule()
def editions_are_in_order(policy: Policy) -> Iterator[Finding | Problem]:
    """Editions stand oldest first, and the first of them, and no other, is called first."""
    rows = list(policy.rows("notices"))
    for index, (pointer, key, row) in enumerate(rows):
        if (row["change"] == "first") != (index == 0):
            what = "Only the oldest edition is the first."
            yield f"{pointer}/change", what, "Write “first” for the oldest edition and another class for the rest."
        if index and (key <= rows[index - 1][1] or row["published_on"] < rows[index - 1][2]["published_on"]):
            yield pointer, "This edition is not younger than the one above it.", "Put the editions oldest first."


@_rule()
def new_purposes_are_announced(policy: Policy) -> Iterator[Finding | Problem]:
    """An edition that brings a purpose says so, because people are then told and asked."""
    known = {one["purpose"] for one in policy.published.codes}
    new = [key for key in policy.data["purposes"] if key not in known]
    *_, (pointer, version, row) = policy.rows("notices")
    is_open = all(one["version"] != version for one in policy.published.editions)
    if policy.published.editions and new and is_open and row["change"] != "new_purpose":
        yield f"{pointer}/change", f"This edition brings “{new[0]}”.", "Write “change: new_purpose”."


@_rule()
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


@_rule(WHEN_COMPILING)
def editions_are_published(policy: Policy) -> Iterator[Finding | Problem]:
    """Every edition in the policy was published, and every published edition is in the policy."""
    published = {edition["version"] for edition in policy.published.editions}
    for pointer, key, row in policy.rows("notices"):
        if key not in published:
            command = f"python -m policy_compiler publish --policy DIR --version {key} --change {row['change']}"
            yield pointer, "This edition is not published.", f"Run “{command}”."
    for version in published - set(policy.data["notices"]):
        yield child("/notices", version), "This edition was published and is gone.", "Put it back."


@_rule()
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


@_rule(WHEN_COMPILING)
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


# ---- Statements that the policy has to carry ------------------------------------------------------------


@_rule()
def statements_are_carried(policy: Policy) -> Iterator[Finding | Problem]:
    """What is said to carry a statement stands in the policy."""
    for pointer, _, row in policy.rows("seed"):
        for index, place in enumerate(row["carried_by"]):
            if place.startswith("/") and not policy.file.has(place):
                yield f"{pointer}/carried_by/{index}", f"{place} is not in the policy.", "Name the row that carries it."


# ---- Warnings -------------------------------------------------------------------------------------------


@_rule(warns=True)
def used_data_is_declared(policy: Policy) -> Iterator[Finding | Problem]:
    """Data that a purpose or the form uses is listed in a category of that purpose, so that people are told."""
    purposes, categories = policy.data["purposes"], policy.data["categories"]
    used = [
        (f"{pointer}/data_types/{index}", key, purpose["categories"])
        for pointer, _, purpose in policy.rows("purposes")
        for index, key in enumerate(purpose["data_types"])
        if not purpose.get("retired")
    ]
    for place, _, form in _forms(policy):
        of_form = purposes.get(form["purpose"], {}).get("categories", [])
        used += [(f"{place}/fields/{key}/data_type", row["data_type"], of_form) for key, row in form["fields"].items()]
    for pointer, key, of_purpose in used:
        if not any(key in categories[one]["data_types"] for one in of_purpose if one in categories):
            what = f"“{key}” is used but not declared in {' or '.join(of_purpose)}."
            yield pointer, what, "List it in the category, or stop using it."


@_rule(warns=True)
def declared_data_is_used(policy: Policy) -> Iterator[Finding | Problem]:
    """Data that is declared serves a purpose; otherwise there is no reason to collect it (GDPR Art. 5(1)(c))."""
    used = {key for _, _, row in policy.rows("purposes") if not row.get("retired") for key in row["data_types"]}
    for pointer, key, _ in policy.rows("data_types"):
        if key not in used:
            yield pointer, f"“{key}” serves no purpose.", "Add it to the purpose that needs it, or stop collecting it."


@_rule(warns=True)
def form_data_is_used(policy: Policy) -> Iterator[Finding | Problem]:
    """What a form asks for is used by the purpose of the form."""
    for pointer, _, form in _forms(policy):
        uses = policy.data["purposes"].get(form["purpose"], {}).get("data_types", [])
        for key, row in form["fields"].items():
            if row["data_type"] not in uses:
                what = f"The form asks for “{row['data_type']}”, which “{form['purpose']}” does not use."
                yield f"{pointer}/fields/{key}/data_type", what, "Add it to the purpose, or remove the field."


@_rule(warns=True)
def reviews_are_not_overdue(policy: Policy) -> Iterator[Finding | Problem]:
    """The review date of a retention rule lies ahead."""
    for pointer, _, rule in policy.rows("retention_rules"):
        if rule["review_on"] < policy.today.isoformat():
            what = f"The review was due on {rule['review_on']}."
            yield f"{pointer}/review_on", what, "Review the period with the signer, and write the next date."


def check(policy: Policy, compiling: bool) -> list[Problem]:
    """Every problem and warning: the shape first, then each rule."""
    found = shape.problems(policy.file, "policy")
    for wording in policy.wordings.values():
        found += shape.problems(wording, "wording")
    rules = {**ALWAYS, **(WHEN_COMPILING if compiling else {})}
    misshapen = bool(found)
    for rule in rules.values():
        try:
            found += list(rule(policy))
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            # A rule may trip over a value of the wrong shape or an unknown id, which is reported already.
            if not misshapen and not found:
                raise
    return found
