"""Every rule finds what it is for, says where, and says what to do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from tests.unit.policy.policy_copies import ROOT, Copy

from policy_compiler import rules, shape


@dataclass(frozen=True, slots=True)
class Case:
    """A policy broken in one way: `edits` are pairs of old and new text, perhaps with another file; `on` stands on the
    line to be named, or `below` lines above."""

    rule: str
    edits: Sequence[tuple[str, ...]]
    pointer: str
    on: str
    mend: str
    warns: bool = False
    file: str = "policy.yaml"
    says: str = ""
    below: int = 0
    times: int = 1
    """How often it is told: what is missing in every language, once for each."""


T = "{en: T, da: T, nb: T, de: T}"

MANY_TOPICS = "".join(f"      t{n}: {{code: t{n}, name: {T}, description: {T}, frequency: {T}}}\n" for n in range(48))

SISTER = """\
  sister:
    name: Sister
    address: ["1"]
    country: DK
    email: s@example.com
    dpo: {name: D, email: d@example.com}
    authority: DK
"""

SISTERS_BRAND = """\
  sister:
    controller: sister
    name: Sister
    website: https://www.example.org
    sender: {name: Sister, address: News@example.com}
    stop_address: stop@example.org
    colour: "#0b5c7b"
    list_domain: example.org
"""

FIELD = f"{{data_type: email, required: true, consequence: {T}}}"

SECOND_FORM = f"""
forms:
  fjordmeter:
    purpose: direct-marketing-email
    fields: {{email: {FIELD}}}
"""

UNSIGNED = '    review_on: "2027-11-01"\n  consent-evidence'
SIGNED = '    signed_by: "Astrid Holm, data protection officer"\n' + UNSIGNED

EDITION = f"{{published_on: 2026-12-01, change: typo, summary: {T}, approved_by: {T}}}"

END_OF_NOTICES = "# ---- Where this policy came from"

NEXT_EDITION = (END_OF_NOTICES, f'  "2026-12-01": {EDITION}\n{END_OF_NOTICES}')
"""One more edition, which nobody has published."""

SALE = (
    'consent\n    law: "Danish Marketing Practices Act s. 10; GDPR Art. 6(1)(a)"\n    marketing: true\n',
    'soft_opt_in\n    law: "Danish Marketing Practices Act s. 10(2)"\n    marketing: true\n',
)
"""The newsletter, as if it rested on sales."""

LAWYERS = "    name: Advokathuset Lodline P/S\n"
PLACE = "/recipients/lawyers/connector"

CASES = [
    *(
        Case("soft-opt-in-is-narrow", [(SALE[0], new)], f"/purposes/direct-marketing-email/{where}", on, mend)
        for new, where, on, mend in (
            (SALE[1], "objection_text", "  direct-marketing-email:", "Add “objection_text”"),
            (SALE[1].replace("true", "false"), "marketing", "    marketing: false", "marketing: true"),
            (SALE[1].replace("law:", "profiling: true  # too\n    law:"), "profiling", "true  # too", "false"),
        )
    ),
    Case(
        "soft-opt-in-is-narrow",
        [SALE, ("    channels: [email]\n    pauses", "    channels: [post]\n    pauses")],
        "/purposes/direct-marketing-email/channels/0",
        "    channels: [post]",
        "email or sms",
    ),
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
    Case(
        "references-exist",
        [("recipients: [dk-authorities, lawyers]", "recipients: [dk-authorities, judges]")],
        "/purposes/inspections/recipients/1",
        "judges",
        "judges",
    ),
    Case(
        "references-exist",
        [("data_type: employer", "data_type: boss")],
        "/form/fields/company/data_type",
        "boss",
        "boss",
    ),
    Case(
        "references-exist",
        [("authority: DK\n", "authority: FI\n")],
        "/controllers/fjordmeter/authority",
        "authority: FI",
        "FI",
    ),
    Case(
        "codes-are-unique",
        [("code: kn", "code: pn")],
        "/purposes/direct-marketing-email/topics/knowledge/code",
        "Knowledge and cases",
        "never used",
        below=-2,
    ),
    Case(
        "codes-are-unique",
        [("code: st\n", "code: pf\n")],
        "/purposes/site-tracking/code",
        "Following how you use our website",
        "never used",
        below=-2,
    ),
    Case(
        "codes-are-never-reused",
        [("code: dm\n", "code: nl\n")],
        "/purposes/direct-marketing-email/code",
        "code: nl",
        "code: dm",
    ),
    Case(
        "codes-are-never-reused",
        [("      events:\n        code: ev", "      fairs:\n        code: ev")],
        "/purposes/direct-marketing-email/topics/fairs/code",
        "code: ev",
        "never used",
        says="published for “events”",
    ),
    Case(
        "published-rows-stay",
        [("      surveys:\n        code: su", "      polls:\n        code: po")],
        "/purposes/direct-marketing-email/topics/surveys",
        "      product-news:",
        "retired: true",
        below=-1,
    ),
    Case(
        "published-rows-stay",
        [("  statistics:\n    code: sa", "  counting:\n    code: co")],
        "/purposes/statistics",
        "purposes:",
        "retired: true",
    ),
    Case(
        "logos-only-draw",
        [('    colour: "#0b5c7a"\n', '    colour: "#0b5c7a"\n    logo: logos/none.svg\n')],
        "/brands/fjordmeter/logo",
        "    logo: logos/none.svg",
        "Put the file there",
    ),
    Case(
        "logos-only-draw",
        [('    colour: "#0b5c7a"\n', '    colour: "#0b5c7a"\n    dark_logo: logos/none.svg\n')],
        "/brands/fjordmeter/dark_logo",
        "    dark_logo: logos/none.svg",
        "Add “logo”",
        times=2,
    ),
    Case(
        "colours-can-be-read",
        [('    colour: "#0b5c7a"', '    colour: "#ffdd00"')],
        "/brands/fjordmeter/colour",
        '    colour: "#ffdd00"',
        "at least 4.5",
        warns=True,
        says="1.3 : 1",
    ),
    Case(
        "published-brands-stay",
        [("brands:\n  fjordmeter:\n", "brands:\n  meters:\n")],
        "/brands/fjordmeter",
        "brands:",
        "Put it back",
    ),
    Case(
        "senders-are-apart",
        [
            ("    authority: DK\n\n", f"    authority: DK\n{SISTER}\n"),
            ("brands:\n", f"brands:\n{SISTERS_BRAND}"),
        ],
        "/brands/fjordmeter/sender/address",
        "    sender: {name: Fjordmeter, address: news@example.com}",
        "another address",
        says="“sister”",
    ),
    Case(
        "brands-belong",
        [
            (
                "    authority: DK\n\n",
                f"    authority: DK\n{SISTER}\n",
            ),
            ("    controller: fjordmeter\n    name: Fjordmeter", "    controller: sister\n    name: Fjordmeter"),
        ],
        "/purposes/direct-marketing-email/brand",
        "We send you marketing about our meters",
        "same controller",
        below=5,
    ),
    Case(
        "consent-is-informed",
        [
            (
                "    withdrawal_text:\n      en: >-\n        You can withdraw your consent at any time, free",
                "    interest:\n      en: >-\n        Free",
            )
        ],
        "/purposes/direct-marketing-email/withdrawal_text",
        "  direct-marketing-email:",
        "withdrawal_text",
    ),
    Case(
        "consent-is-informed",
        [
            (
                '    legal_basis: legitimate_interest\n    law: "GDPR Art. 6(1)(f), 4(4)',
                '    legal_basis: consent\n    law: "GDPR Art. 6(1)(f), 4(4)',
            )
        ],
        "/purposes/profiling/consent_text",
        "  profiling:",
        "consent_text",
    ),
    Case(
        "consent-names-topics",
        [("may send me marketing by e-mail about: {topics}.", "may send me marketing by e-mail.")],
        "/purposes/direct-marketing-email/consent_text/en",
        "may send me marketing by e-mail.",
        "{topics}",
        below=-1,
    ),
    Case(
        "interest-is-weighed",
        [
            (
                "    balancing_test:\n      en: >-\n        The data are counted",
                "    withdrawal_text:\n      en: >-\n        The data are counted",
            )
        ],
        "/purposes/statistics/balancing_test",
        "  statistics:",
        "balancing_test",
    ),
    Case(
        "interest-is-weighed",
        [("    objection_text:\n      en: You may object. We", "    withdrawal_text:\n      en: You may object. We")],
        "/purposes/improve-website/objection_text",
        "  improve-website:",
        "objection_text",
    ),
    Case(
        "interest-is-weighed",
        [("    interest:\n      en: Knowing how many", "    withdrawal_text:\n      en: Knowing how many")],
        "/purposes/statistics/interest",
        "  statistics:",
        "interest",
    ),
    Case(
        "marketing-mail-is-confirmed",
        [
            (
                "retention: marketing-evidence\n    double_opt_in: true",
                "retention: marketing-evidence\n    double_opt_in: false",
            )
        ],
        "/purposes/direct-marketing-email/double_opt_in",
        "double_opt_in: false",
        "double_opt_in: true",
    ),
    Case(
        "imports-are-proven",
        [("import_grades: [A] ", "import_grades: [A, B] ")],
        "/purposes/direct-marketing-email/import_grades",
        "import_grades: [A, B]",
        "[A]",
    ),
    Case(
        "tracking-is-asked",
        [("    profiling: true\n    channels: [any]", "    profiling: true\n    tracking: true\n    channels: [any]")],
        "/purposes/profiling/tracking",
        "GDPR Art. 6(1)(f), 4(4)",
        "legal_basis: consent",
        below=3,
    ),
    Case(
        "tracking-is-asked",
        [("metering-information, fairs-attended, segment", "metering-information, email-clicks, segment")],
        "/purposes/profiling/data_types/5",
        "email-clicks, segment",
        "Remove it",
    ),
    Case(
        "tracking-names-what-it-records",
        [("        code: su\n", "        code: su\n        tracks: opens\n")],
        "/purposes/direct-marketing-email/topics/surveys/tracks",
        "code: su",
        "remove “tracks”",
        below=1,
    ),
    Case(
        "pauses-are-for-consent",
        [
            (
                "    profiling: true\n    channels: [any]",
                "    profiling: true\n    pauses: [1 month]\n    channels: [any]",
            )
        ],
        "/purposes/profiling/pauses",
        "pauses: [1 month]",
        "Remove “pauses”",
    ),
    Case(
        "pauses-are-for-consent",
        [
            (
                "    profiling: true\n    channels: [any]",
                "    profiling: true\n    stale_after: 2 years\n    channels: [any]",
            )
        ],
        "/purposes/profiling/stale_after",
        "stale_after: 2 years",
        "Remove “stale_after”",
    ),
    Case(
        "transfers-are-protected",
        [
            ('    transfer_tool: "EU standard', '    contract: "EU standard'),
            ("    contract: Data processing agreement FM-2026-04\n", ""),
        ],
        "/recipients/survey-lab/transfer_tool",
        "  survey-lab:",
        "transfer_tool",
    ),
    Case(
        "authorities-cover-jurisdictions",
        [("jurisdictions: [DK, NO, SE, DE]", "jurisdictions: [DK, NO, SE, DE, FI]")],
        "/jurisdictions/4",
        "jurisdictions: [",
        "FI",
    ),
    Case(
        "addresses-can-be-written-to",
        [("stop_address: stop@example.com", "stop_address: stop@example..com")],
        "/brands/fjordmeter/stop_address",
        "stop@example..com",
        "privacy@example.com",
    ),
    Case(
        "addresses-can-be-written-to",
        [("dpo: {name: Astrid Holm, email: dpo@example.com}", 'dpo: {name: A, email: "dpo@example.com,x"}')],
        "/controllers/fjordmeter/dpo/email",
        "dpo@example.com,x",
        "privacy@example.com",
    ),
    Case(
        "form-asks-for-consent",
        [("  purpose: direct-marketing-email", "  purpose: disputes")],
        "/form/purpose",
        "purpose: disputes",
        "consent",
    ),
    Case(
        "form-asks-for-consent",
        [("data_type: email\n      required: true", "data_type: email\n      required: false")],
        "/form/fields/email/required",
        "We need it to send you anything",
        "required: true",
        below=-2,
    ),
    Case(
        "forms-speak-for-their-brands",
        [
            (
                "\nperiods:\n",
                f"{SECOND_FORM}\nperiods:\n",
            )
        ],
        "/forms/fjordmeter",
        "forms:",
        "Remove one of the two",
        below=1,
    ),
    Case(
        "controllers-have-brands",
        [("    authority: DK\n\n", f"    authority: DK\n{SISTER}\n")],
        "/controllers/sister",
        "    name: Sister",
        "Add a purpose",
        below=-1,
    ),
    Case(
        "keeping-ends",
        [("    period: 90 days\n", "")],
        "/retention_rules/security-log/period",
        "  security-log:",
        "period",
    ),
    Case(
        "keeping-ends",
        [("clock: creation\n    period: 90 days", "clock: none\n    period: 90 days")],
        "/retention_rules/security-log/clock",
        "clock: none",
        "Name the clock",
    ),
    Case(
        "keeping-ends",
        [("    period: 90 days\n", "    period: 90 days\n    hold: true\n")],
        "/retention_rules/security-log/justification",
        "  security-log:",
        "whose interest",
    ),
    Case(
        "long-periods-are-justified",
        [("    period: 6 months\n    legal_source", "    period: 7 months\n    legal_source")],
        "/retention_rules/consent-evidence/justification",
        "  consent-evidence:",
        "shorten “period” to 6 months",
    ),
    Case(
        "long-periods-are-justified",
        [(SIGNED, UNSIGNED)],
        "/retention_rules/marketing-evidence/signed_by",
        "  marketing-evidence:",
        "signed_by",
        says="longer than the authority's",
    ),
    Case(
        "long-periods-are-justified",
        [
            (SIGNED, UNSIGNED),
            ("period: 3 years\n    never_sent: 6 months", "period: 2 years\n    never_sent: 7 months"),
        ],
        "/retention_rules/marketing-evidence/signed_by",
        "  marketing-evidence:",
        "shorten “never_sent” to 6 months",
        says="“7 months” is longer",
    ),
    *(
        Case("connectors-fit", [(LAWYERS, f"{LAWYERS}    connector: {connector}\n")], f"{PLACE}/{where}", on, mend)
        for connector, where, on, mend in (
            ("{kind: webhook, url: https://a.example.org}", "secret_name", "    connector:", "Add “secret_name”"),
            ("{kind: ses, contact_list: a, table: b}", "table", "contact_list: a", "Remove “table”"),
            ("{kind: manual, events: true}", "events", "events: true", "Remove “events”"),
            (
                "{kind: cognito, user_pool: a, verbs: [erase, stop]}",
                "verbs/1",
                "user_pool: a",
                "Choose among collect, cor",
            ),
            (
                "{kind: s3, bucket: a, pattern: b, format: objects, verbs: [correct]}",
                "verbs/0",
                "bucket: a",
                "Choose among collect, erase",
            ),
        )
    ),
    Case(
        "rights-files-end",
        [("    covers: rights-payload\n", "    covers: export\n")],
        "/retention_rules",
        "retention_rules:",
        "covers: rights-payload",
    ),
    Case(
        "rights-files-end",
        [("    covers: rights-file\n    clock: closing", "    covers: rights-file\n    clock: creation")],
        "/retention_rules/rights-file/clock",
        "    covers: rights-file",
        "clock: closing",
        below=1,
    ),
    Case(
        "holidays-are-known",
        [("jurisdictions: [DK, NO, SE, DE]", "jurisdictions: [DK, NO, SE, DE, XX]")],
        "/jurisdictions",
        "jurisdictions: [DK",
        "Correct the country",
    ),
    *(
        Case(
            "holidays-are-known",
            [("  closing_days:", f"  subdivisions: {{{named}}}\n  closing_days:")],
            f"/rights/subdivisions/{country}",
            "  subdivisions:",
            mend,
        )
        for named, country, mend in (("DE: QQ", "DE", "Known are BB, BE"), ("FR: BL", "FR", "Add “FR”"))
    ),
    Case(
        "clocks-are-known",
        [("time_zone: Europe/Copenhagen", "time_zone: Europe/Kobenhavn")],
        "/controllers/fjordmeter/time_zone",
        "Europe/Kobenhavn",
        "Europe/Copenhagen",
    ),
    Case(
        "clocks-are-known",
        [("    time_zone: Europe/Copenhagen ", "    # "), ("    country: DK\n    #", "    country: US\n    #")],
        "/controllers/fjordmeter/time_zone",
        "    name: Fjordmeter A/S",
        "Write “time_zone”",
        below=-1,
    ),
    Case(
        "closing-days-exist",
        [("closing_days: [12-24, 12-31]", "closing_days: [12-24, 2027-02-29]")],
        "/rights/closing_days/1",
        "2027-02-29",
        "Correct",
    ),
    Case(
        "waiting-agrees",
        [("  pending: 7 days ", "  pending: 9 days ")],
        "/retention_rules/pending-request/period",
        "Requests that are not confirmed",
        "same period",
        below=6,
    ),
    Case(
        "state-fits",
        [("      product-news:\n", MANY_TOPICS + "      product-news:\n")],
        "/purposes",
        "purposes:",
        "Join topics",
    ),
    Case(
        "dates-exist",
        [('review_on: "2027-11-01"\n  contact-record', 'review_on: "2027-02-30"\n  contact-record')],
        "/retention_rules/consent-evidence/review_on",
        "2027-02-30",
        "Correct",
    ),
    Case(
        "editions-are-in-order",
        [("    change: first\n", "    change: typo\n")],
        "/notices/2026-11-01/change",
        "change: typo",
        "first",
    ),
    Case(
        "editions-are-in-order",
        [
            (
                'notices:\n  "2026-11-01":\n',
                f'notices:\n  "2026-12-01": {EDITION.replace("typo", "first")}\n  "2026-11-01":\n',
            )
        ],
        "/notices/2026-11-01",
        '  "2026-11-01":',
        "oldest first",
    ),
    Case(
        "new-purposes-are-announced",
        [
            ("  statistics:\n    code: sa", "  counting:\n    code: co"),
            NEXT_EDITION,
        ],
        "/notices/2026-12-01/change",
        "change: typo",
        "new_purpose",
    ),
    Case(
        "changes-are-not-understated",
        [("recipients: [post-house, crm, cloud]", "recipients: [post-house, crm, cloud, survey-lab]"), NEXT_EDITION],
        "/notices/2026-12-01/change",
        "change: typo",
        "material",
        says="recipient-added (“survey-lab”)",
    ),
    Case(
        "editions-are-published",
        [NEXT_EDITION],
        "/notices/2026-12-01",
        "change: typo",
        "publish --policy DIR --version 2026-12-01 --change typo",
    ),
    Case(
        "editions-are-published",
        [('  "2026-11-01":\n', '  "2026-11-02":\n')],
        "/notices/2026-11-01",
        "notices:",
        "Put it back",
    ),
    Case(
        "published-editions-stay",
        [('approved_by: {en: "Astrid Holm, data protection officer"}', "approved_by: {en: Somebody else}")],
        "/notices/2026-11-01/approved_by",
        "Somebody else",
        "Restore",
    ),
    Case(
        "published-editions-stay",
        [("Who we are", "Who we were")],
        "/",
        "{",
        "version control",
        file="notices/2026-11-01.en.json",
    ),
    Case(
        "notice-is-current",
        [("en: We count. The results", "en: We add up. The results")],
        "/notices/2026-11-25",
        '  "2026-11-25":',
        "run publish",
        says="purpose-statistics",
    ),
    Case(
        "statements-are-carried",
        [("carried_by: [/purposes/comply-with-law,", "carried_by: [/purposes/obey,")],
        "/seed/S16/carried_by/0",
        "/purposes/obey",
        "row that carries",
    ),
    Case(
        "used-data-is-declared",
        [("connection-data, visit-history, on-site-actions]", "connection-data, on-site-actions]")],
        "/purposes/site-tracking/data_types/0",
        "data_types: [visit-history",
        "List it in the category",
        warns=True,
    ),
    Case(
        "used-data-is-declared",
        [("connection-data, visit-history, on-site-actions]", "connection-data, visit-history]")],
        "/purposes/site-tracking/data_types/1",
        "data_types: [visit-history",
        "List it in the category",
        warns=True,
    ),
    Case(
        "used-data-is-declared",
        [("email-clicks, survey-answers, metering", "email-clicks, metering")],
        "/purposes/statistics/data_types/3",
        "interests, employer, fairs-attended, survey-answers, permissions",
        "List it in the category",
        warns=True,
    ),
    Case(
        "declared-data-is-used",
        [
            (
                "data_types: [connection-data, account-login, email, data-logs]",
                "data_types: [connection-data, account-login, email]",
            ),
            (
                "                 data-logs, product-information, fairs-attended]",
                "                 product-information, fairs-attended]",
            ),
        ],
        "/data_types/data-logs",
        "  data-logs:",
        "stop collecting",
        warns=True,
    ),
    Case(
        "form-data-is-used",
        [
            (
                "data_types: [email, name, employer, job-title, interests, permissions]",
                "data_types: [email, name, job-title, interests, permissions]",
            )
        ],
        "/form/fields/company/data_type",
        "data_type: employer",
        "remove the field",
        warns=True,
    ),
    Case(
        "reviews-are-not-overdue",
        [('review_on: "2027-11-01"\n  contact-record', 'review_on: "2026-11-30"\n  contact-record')],
        "/retention_rules/consent-evidence/review_on",
        "2026-11-30",
        "next date",
        warns=True,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}:{case.pointer}")
def test_a_broken_policy_is_told_where_what_and_how_to_mend_it(example: Copy, case: Case) -> None:
    for old, new, *file in case.edits:
        example.edit(old, new, *(file or [case.file]))

    found = [one for one in example.problems() if (one.rule, one.pointer) == (case.rule, case.pointer)]

    assert len(found) == case.times, [str(one) for one in example.problems()]
    assert found[0].file == case.file
    assert found[0].line == example.line_of(case.on, case.file) + case.below
    assert case.mend in found[0].mend
    assert case.says in found[0].what
    assert found[0].is_warning == case.warns


def test_every_rule_has_a_broken_policy() -> None:
    assert {case.rule for case in CASES} == {*rules.ALWAYS, *rules.WHEN_COMPILING}


def test_every_rule_is_one_sentence() -> None:
    for name, rule in {**rules.ALWAYS, **rules.WHEN_COMPILING}.items():
        assert re.fullmatch(r"[A-Z“][^\n]*\.", rule.__doc__ or ""), name


def test_every_rule_is_documented() -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
    assert documented >= {*rules.ALWAYS, *rules.WHEN_COMPILING, *OTHER_IDS}


OTHER_IDS = {"yaml", "duplicate-key", "missing-key", "unknown-key", "wrong-value", "lock-intact", "publish"}
"""What is found before or beside the rules."""


def test_the_shipped_policy_has_neither_errors_nor_warnings(example: Copy) -> None:
    assert example.problems() == []


def test_all_problems_are_told_at_once(example: Copy) -> None:
    example.edit("stop_address: stop@example.com", "stop_address: nowhere")
    example.edit("country: US", "country: CH")
    example.edit("data_type: employer", "data_type: boss")

    found = {one.rule for one in example.problems()}

    assert found >= {"addresses-can-be-written-to", "wording-names-countries", "references-exist"}


@pytest.mark.parametrize("figure", rules.figures().values(), ids=list(rules.figures()))
def test_every_figure_names_its_source(figure: dict[str, str]) -> None:
    assert set(figure) - {"never_sent"} == {"jurisdiction", "covers", "at_most", "source"}
    assert figure["covers"] in shape.definitions()["retention_rule"]["properties"]["covers"]["enum"]


def test_an_authoritys_figure_holds_in_its_jurisdiction_only(example: Copy) -> None:
    example.edit("    period: 6 months\n    legal_source", "    period: 7 months\n    legal_source")
    example.edit("jurisdictions: [DK, NO, SE, DE]", "jurisdictions: [NO, SE, DE]")

    assert "long-periods-are-justified" not in {one.rule for one in example.problems()}


def test_a_retired_topic_may_stay_retired(example: Copy) -> None:
    example.edit("        code: su\n", "        code: su\n        retired: true\n")

    assert {one.rule for one in example.problems()} == {"notice-is-current"}


@pytest.mark.parametrize("hours", ["73", "-1", "48.5"])
def test_a_person_waits_at_most_three_days_for_an_erasure_to_begin(example: Copy, hours: str) -> None:
    example.edit("cool_off_hours: 48", f"cool_off_hours: {hours}")

    found = [one for one in example.problems() if one.pointer == "/rights/cool_off_hours"]

    assert [one.mend for one in found] == ["Write a number of hours from 0 to 72."]


def test_how_requests_are_dealt_with_is_no_change_that_people_are_told(example: Copy) -> None:
    example.edit("cool_off_hours: 48", "cool_off_hours: 24")
    example.edit("closing_days: [12-24, 12-31]", "subdivisions: {DE: BY}")
    example.edit(LAWYERS, f"{LAWYERS}    connector: {{kind: ses, contact_list: a, verbs: [stop]}}\n")

    assert example.problems() == []


def test_every_key_is_documented() -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    notice_only = {"wording", "section", "section_with_list"}
    kinds = (kind for name, kind in shape.definitions().items() if name not in notice_only)
    keys = {key for kind in kinds for key in kind.get("properties", {})}

    assert {key for key in keys if f"`{key}`" not in page} == set()
