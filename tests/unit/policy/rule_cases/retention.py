"""Policies that break a rule of keeping, and of days."""

from tests.unit.policy.rule_cases.case import Case

UNSIGNED = '    review_on: "2027-11-01"\n  consent-evidence'

SIGNED = '    signed_by: "Astrid Holm, data protection officer"\n' + UNSIGNED

CASES = [
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
        "dates-exist",
        [('review_on: "2027-11-01"\n  contact-record', 'review_on: "2027-02-30"\n  contact-record')],
        "/retention_rules/consent-evidence/review_on",
        "2027-02-30",
        "Correct",
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
