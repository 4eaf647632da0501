"""Who else gets data, under which protection, and by which connector."""

from collections.abc import Iterator

from policy_compiler import connectors
from policy_compiler.policy import Policy
from policy_compiler.problems import Problem
from policy_compiler.rules.rule import Finding, policy_rule

EEA = frozenset((
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI",
    "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
))  # fmt: skip
"""The 27 member states with Iceland, Liechtenstein and Norway."""


@policy_rule()
def transfers_are_protected(policy: Policy) -> Iterator[Finding | Problem]:
    """A recipient outside the European Economic Area has a transfer tool (GDPR Chapter V)."""
    for pointer, _, recipient in policy.rows("recipients"):
        if recipient["country"] not in EEA and "transfer_tool" not in recipient:
            what = f"{recipient['country']} is outside the EEA and nothing protects the data there."
            mend = "Add “transfer_tool”, such as an adequacy decision or standard contractual clauses."
            yield f"{pointer}/transfer_tool", what, mend


@policy_rule()
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
