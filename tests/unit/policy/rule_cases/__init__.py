"""Policies that are each broken in one way, by subject as the rules are."""

from tests.unit.policy.rule_cases import brands, published, purposes, recipients, references, retention, texts

CASES = [
    *texts.CASES,
    *references.CASES,
    *purposes.CASES,
    *retention.CASES,
    *recipients.CASES,
    *brands.CASES,
    *published.CASES,
]
