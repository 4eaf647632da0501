"""Policies that break a rule of references, ids and codes."""

from tests.unit.policy.rule_cases.case import Case, T

MANY_TOPICS = "".join(f"      t{n}: {{code: t{n}, name: {T}, description: {T}, frequency: {T}}}\n" for n in range(48))

CASES = [
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
        "state-fits",
        [("      product-news:\n", MANY_TOPICS + "      product-news:\n")],
        "/purposes",
        "purposes:",
        "Join topics",
    ),
    Case(
        "statements-are-carried",
        [("carried_by: [/purposes/comply-with-law,", "carried_by: [/purposes/obey,")],
        "/seed/S16/carried_by/0",
        "/purposes/obey",
        "row that carries",
    ),
]
