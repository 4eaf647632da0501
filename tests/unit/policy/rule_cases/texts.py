"""Policies that break a rule of texts and languages."""

from tests.unit.policy.rule_cases.case import SALE, Case

CASES = [
    Case(
        "soft-opt-in-has-words",
        [SALE, ("  soft_opt_in: A sale, for our own similar products (soft opt-in)\n", "", "wording/en.yaml")],
        "/purposes/direct-marketing-email/legal_basis",
        "    legal_basis: soft_opt_in",
        "under bases",
    ),
    Case("languages-are-sound", [("default: en\n", "default: sv\n")], "/languages/default", "default: sv", "approved"),
    Case(
        "languages-are-sound",
        [("fallback: {}", "fallback: {sv: fi}")],
        "/languages/fallback/sv",
        "fallback: {sv: fi}",
        "approved",
    ),
    Case(
        "texts-are-complete",
        [("name: {en: Phone number,", "name: {fi: Puhelinnumero,")],
        "/data_types/phone/name",
        "Puhelinnumero",
        "en: …",
    ),
    Case(
        "texts-are-complete",
        [("name: {en: Phone number,", "name: {en: Phone number, fi: Puhelinnumero,")],
        "/data_types/phone/name/fi",
        "Puhelinnumero",
        "Approve",
        says="not a language",
    ),
    Case(
        "placeholders-are-known",
        [("may send me marketing by e-mail about: {topics}.", "may send me marketing about: {topics} {foo}.")],
        "/purposes/direct-marketing-email/consent_text/en",
        "Yes, {brand} may send me",
        "{brand}",
        says="{foo}",
        below=-1,
    ),
    Case(
        "placeholders-are-known",
        [("{en: Phone number,", '{en: "Phone {number}",')],
        "/data_types/phone/name/en",
        "Phone {number}",
        "without braces",
    ),
    Case(
        "wording-exists",
        [("approved: [en, da, nb, de] ", "approved: [en, da, nb, de, sv] ")],
        "/languages/approved/4",
        "approved: [en",
        "sv.yaml",
    ),
    Case(
        "wording-is-fillable",
        [("How {controller} uses", "How {company} uses")],
        "/title",
        "How {company}",
        "controller",
        file="wording/en.yaml",
    ),
    Case(
        "wording-names-countries",
        [("country: US", "country: CH")],
        "/recipients/survey-lab/country",
        "country: CH",
        "CH",
        times=4,
    ),
]
