"""What a policy must hold beyond its shape: every rule, in the order in which problems are told."""

from policy_compiler import shape
from policy_compiler.policy import Policy
from policy_compiler.problems import Problem
from policy_compiler.rules import brands, published, purposes, recipients, references, retention, texts
from policy_compiler.rules.rule import Rule, id_of

ALWAYS: dict[str, Rule] = {
    id_of(rule): rule
    for rule in (
        texts.languages_are_sound,
        texts.texts_are_complete,
        texts.placeholders_are_known,
        texts.wording_exists,
        texts.wording_is_fillable,
        texts.wording_names_countries,
        references.references_exist,
        references.codes_are_unique,
        published.codes_are_never_reused,
        published.published_rows_stay,
        published.published_brands_stay,
        brands.brands_belong,
        brands.senders_are_apart,
        brands.logos_only_draw,
        brands.colours_can_be_read,
        purposes.consent_is_informed,
        purposes.consent_names_topics,
        purposes.interest_is_weighed,
        purposes.marketing_mail_is_confirmed,
        purposes.soft_opt_in_is_narrow,
        texts.soft_opt_in_has_words,
        purposes.imports_are_proven,
        purposes.tracking_is_asked,
        purposes.tracking_names_what_it_records,
        purposes.pauses_are_for_consent,
        recipients.transfers_are_protected,
        brands.authorities_cover_jurisdictions,
        recipients.connectors_fit,
        retention.rights_files_end,
        retention.holidays_are_known,
        brands.clocks_are_known,
        retention.closing_days_exist,
        brands.addresses_can_be_written_to,
        brands.form_asks_for_consent,
        brands.forms_speak_for_their_brands,
        brands.controllers_have_brands,
        retention.keeping_ends,
        retention.long_periods_are_justified,
        retention.waiting_agrees,
        references.state_fits,
        retention.dates_exist,
        published.editions_are_in_order,
        published.new_purposes_are_announced,
        published.changes_are_not_understated,
        published.published_editions_stay,
        references.statements_are_carried,
        purposes.used_data_is_declared,
        purposes.declared_data_is_used,
        brands.form_data_is_used,
        retention.reviews_are_not_overdue,
    )
}
"""Rules for every policy, published or not, by id."""

WHEN_COMPILING: dict[str, Rule] = {
    id_of(rule): rule
    for rule in (
        published.editions_are_published,
        published.notice_is_current,
    )
}
"""Rules about what was published: they hold when the policy is compiled, not while an edition is being published."""


def check(policy: Policy, compiling: bool) -> list[Problem]:
    """Every problem and warning: the shape first, then each rule."""
    found = shape.problems(policy.file, "policy")
    for wording in policy.wordings.values():
        found += shape.problems(wording, "wording")
    rules = {**ALWAYS, **(WHEN_COMPILING if compiling else {})}
    misshapen = bool(found)
    for rule in rules.values():
        try:
            found += list(rule(policy))
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            # A rule may trip over a value of the wrong shape or an unknown id, which is reported already.
            if not misshapen and not found:
                raise
    return found
