"""Writes the register of processing (GDPR Art. 30(1)) from the policy, one activity for each purpose in use."""

from typing import Any

from policy_compiler.build import rules_of, text
from policy_compiler.notices import Document, Writer
from policy_compiler.rules.recipients import EEA

FIELDS = {
    "activity": "Activity",
    "controller": "Controller and contact (a)",
    "joint_controllers": "Joint controllers (a)",
    "dpo": "Data protection officer (a)",
    "purpose": "Purpose (b)",
    "legal_basis": "Legal basis",
    "people": "Categories of people (c)",
    "data": "Categories of data (c)",
    "sources": "Sources",
    "recipients": "Recipients (d)",
    "third_countries": "Transfers to third countries and safeguards (e)",
    "kept": "Time limit for erasure (f)",
    "security": "Security measures (g)",
}
"""What each activity says, with the letter of Art. 30(1) that asks for it, in the order of the columns."""


def activities(data: Document, wording: Document, language: str) -> list[dict[str, str]]:
    """An activity for each purpose in use, with all of FIELDS as text; empty where the policy is silent."""
    return [_Register(data, wording, language, list(data["notices"])[-1]).activity(key) for key in _in_use(data)]


def _in_use(data: Document) -> list[str]:
    return [key for key, row in data["purposes"].items() if not row.get("retired")]


class _Register(Writer):
    def activity(self, key: str) -> dict[str, str]:
        row = self._data["purposes"][key]
        controller = self._data["controllers"][row["controller"]]
        recipients = [self._data["recipients"][one] for one in row["recipients"]]
        default, by_jurisdiction = rules_of(row)
        said: dict[str, Any] = {
            "activity": key,
            "controller": "; ".join(self._identity(controller)),
            "joint_controllers": "; ".join(self._named(one) for one in recipients if one["role"] == "joint"),
            "dpo": f"{controller['dpo']['name']}, {controller['dpo']['email']}",
            "purpose": f"{self._text(row['name'])}: {self._text(row['description'])}",
            "legal_basis": self._basis(row),
            "people": self._names("categories", row["categories"]),
            "data": self._names("data_types", row["data_types"]),
            "sources": self._names("sources", row["sources"]),
            "recipients": "; ".join(self._received(one) for one in recipients),
            "third_countries": "; ".join(self._transferred(one) for one in recipients if one["country"] not in EEA),
            "kept": "; ".join(
                [self._rule(default), *(f"{country}: {self._rule(one)}" for country, one in by_jurisdiction.items())]
            ),
            "security": text(self._data["security"], self._language, self._data) if "security" in self._data else "",
        }
        return {field: said[field] for field in FIELDS}

    def _rule(self, key: str) -> str:
        rule = self._data["retention_rules"][key]
        return f"{self._text(rule['name'])}: {self._kept(rule)} ({self._cited(rule['legal_source'])})"

    def _named(self, recipient: Document) -> str:
        return f"{recipient['name']}, {self._country(recipient['country'])}"

    def _received(self, recipient: Document) -> str:
        role = self._wording["roles"][recipient["role"]]
        return f"{self._named(recipient)} ({role}): {self._text(recipient['purpose_of_sharing'])}"

    def _transferred(self, recipient: Document) -> str:
        return f"{self._named(recipient)}: {self._cited(recipient['transfer_tool'])}"
