"""Policies that break a rule of purposes, their legal bases and their data."""

from tests.unit.policy.rule_cases.case import SALE, Case

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
]
