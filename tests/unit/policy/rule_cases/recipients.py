"""Policies that break a rule of recipients and their connectors."""

from tests.unit.policy.rule_cases.case import LAWYERS, Case

PLACE = "/recipients/lawyers/connector"

CASES = [
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
]
