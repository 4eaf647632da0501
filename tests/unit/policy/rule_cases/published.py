"""Policies that break a rule of what was published."""

from tests.unit.policy.rule_cases.case import EDITION, NEXT_EDITION, Case

CASES = [
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
        "published-brands-stay",
        [("brands:\n  fjordmeter:\n", "brands:\n  meters:\n")],
        "/brands/fjordmeter",
        "brands:",
        "Put it back",
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
]
