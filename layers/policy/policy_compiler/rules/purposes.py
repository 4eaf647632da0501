"""What the law asks of a purpose: its legal basis, how people say no, tracking, and the data that it uses."""

from collections.abc import Iterator

from policy_compiler.policy import Policy
from policy_compiler.problems import Problem
from policy_compiler.rules.brands import forms
from policy_compiler.rules.rule import Finding, policy_rule
from policy_compiler.source import child


@policy_rule()
def consent_is_informed(policy: Policy) -> Iterator[Finding | Problem]:
    """What takes a consent has the text agreed to and says beforehand how to withdraw (GDPR Art. 7(3))."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose["legal_basis"] in ("consent", "soft_opt_in"):
            for key in ("consent_text", "withdrawal_text"):
                if key not in purpose:
                    yield f"{pointer}/{key}", f"A consent needs “{key}”.", f"Add “{key}” with a text per language."


@policy_rule()
def consent_names_topics(policy: Policy) -> Iterator[Finding | Problem]:
    """The text agreed to names the topics when there are any: consent is specific (GDPR Art. 4(11))."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose.get("topics") and "consent_text" in purpose:
            for language, words in purpose["consent_text"].items():
                if "{topics}" not in words:
                    where = f"{pointer}/consent_text/{language}"
                    yield where, "The text does not name the topics.", "Put {topics} where the topics belong."


@policy_rule()
def interest_is_weighed(policy: Policy) -> Iterator[Finding | Problem]:
    """A legitimate-interest purpose names the interest, weighs it, and tells how to object (GDPR Art. 6(1)(f), 21)."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose["legal_basis"] == "legitimate_interest":
            for key in ("interest", "balancing_test", "objection_text"):
                if key not in purpose:
                    what = f"A legitimate interest needs “{key}”."
                    yield f"{pointer}/{key}", what, f"Add “{key}” with a text per language."


@policy_rule()
def marketing_mail_is_confirmed(policy: Policy) -> Iterator[Finding | Problem]:
    """Consent to marketing by e-mail or text message counts only once it is confirmed from that address."""
    for pointer, _, purpose in policy.rows("purposes"):
        is_message = {"email", "sms"} & set(purpose["channels"])
        is_asked = purpose["legal_basis"] in ("consent", "soft_opt_in") and purpose.get("marketing")
        if is_asked and is_message and not purpose.get("double_opt_in"):
            what = "Marketing to an address nobody has confirmed may reach somebody who never asked."
            yield f"{pointer}/double_opt_in", what, "Write “double_opt_in: true”."


@policy_rule()
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


@policy_rule()
def imports_are_proven(policy: Policy) -> Iterator[Finding | Problem]:
    """An import brings consents only, and with double opt-in only those that were confirmed from the address."""
    for pointer, _, purpose in policy.rows("purposes"):
        if purpose.get("import_grades") and purpose["legal_basis"] != "consent":
            yield f"{pointer}/import_grades", "Only a consent can be imported.", "Remove “import_grades”."
        elif purpose.get("double_opt_in") and "B" in purpose.get("import_grades", []):
            what = "Evidence of grade B shows no confirmation, which “double_opt_in” asks for."
            yield f"{pointer}/import_grades", what, "Write “import_grades: [A]”."


@policy_rule()
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


@policy_rule()
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


@policy_rule()
def pauses_are_for_consent(policy: Policy) -> Iterator[Finding | Problem]:
    """Only what a person chose to receive can be paused, come less often or become stale."""
    for pointer, _, purpose in policy.rows("purposes"):
        for key in ("pauses", "fewer", "stale_after"):
            if purpose.get(key) and (purpose["legal_basis"] != "consent" or purpose.get("tracking")):
                what = "Only letters that people agreed to receive can be paused, come less often or become stale."
                yield f"{pointer}/{key}", what, f"Remove “{key}”."


@policy_rule(warns=True)
def used_data_is_declared(policy: Policy) -> Iterator[Finding | Problem]:
    """Data that a purpose or the form uses is listed in a category of that purpose, so that people are told."""
    purposes, categories = policy.data["purposes"], policy.data["categories"]
    used = [
        (f"{pointer}/data_types/{index}", key, purpose["categories"])
        for pointer, _, purpose in policy.rows("purposes")
        for index, key in enumerate(purpose["data_types"])
        if not purpose.get("retired")
    ]
    for place, _, form in forms(policy):
        of_form = purposes.get(form["purpose"], {}).get("categories", [])
        used += [(f"{place}/fields/{key}/data_type", row["data_type"], of_form) for key, row in form["fields"].items()]
    for pointer, key, of_purpose in used:
        if not any(key in categories[one]["data_types"] for one in of_purpose if one in categories):
            what = f"“{key}” is used but not declared in {' or '.join(of_purpose)}."
            yield pointer, what, "List it in the category, or stop using it."


@policy_rule(warns=True)
def declared_data_is_used(policy: Policy) -> Iterator[Finding | Problem]:
    """Data that is declared serves a purpose; otherwise there is no reason to collect it (GDPR Art. 5(1)(c))."""
    used = {key for _, _, row in policy.rows("purposes") if not row.get("retired") for key in row["data_types"]}
    for pointer, key, _ in policy.rows("data_types"):
        if key not in used:
            yield pointer, f"“{key}” serves no purpose.", "Add it to the purpose that needs it, or stop collecting it."
