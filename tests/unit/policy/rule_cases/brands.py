"""Policies that break a rule of controllers, brands and forms."""

from tests.unit.policy.rule_cases.case import Case, T

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

CASES = [
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
]
