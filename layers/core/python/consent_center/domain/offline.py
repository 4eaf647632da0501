"""Somebody asked in person, on paper or by phone, and staff tell us so: what they attest, and what shows it."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from consent_center.domain.chain import canonical


class Method(StrEnum):
    """How somebody asked."""

    FAIR = "fair"
    PHONE = "phone"
    PAPER = "paper"
    MEETING = "meeting"
    COUNTER = "counter"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A file that shows what was asked. Whoever attests it keeps it; the hash ties it to the evidence."""

    sha256: str
    """In hexadecimal, small letters."""
    media_type: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """Staff answer for it that the person asked themselves. No consent: only the person's own press is one."""

    method: Method
    collected_at: int
    """When the person asked, in epoch milliseconds."""
    recorded_at: int
    """When we were told, in epoch milliseconds."""
    by: str
    """The system that told us, as its token names it: an id, never an address."""
    reference: str | None = None
    proof: ProofFile | None = None

    @property
    def source(self) -> str:
        """The door that the request came by, as the ledger says it."""
        return f"offline:{self.method.value}"

    def details(self) -> dict[str, Any]:
        """As it stands in the evidence and beside the request; what is not known is left out."""
        proof = {"sha256": self.proof.sha256, "media_type": self.proof.media_type} if self.proof else None
        said = {
            "method": self.method.value,
            "collected_at": self.collected_at,
            "recorded_at": self.recorded_at,
            "attested_by": self.by,
            "reference": self.reference,
            "proof": proof,
        }
        return {name: value for name, value in said.items() if value is not None}

    def written(self) -> str:
        """One line of JSON, which `read_attestation` understands."""
        return canonical(self.details()).decode()

    def __repr__(self) -> str:
        """Hides the reference, because a repr ends up in logs and tracebacks."""
        return f"Attestation({self.method.value!r})"


def read_attestation(text: str) -> Attestation:
    """What `Attestation.written` wrote."""
    said = json.loads(text)
    proof = said.get("proof")
    return Attestation(
        Method(said["method"]),
        said["collected_at"],
        said["recorded_at"],
        said["attested_by"],
        said.get("reference"),
        ProofFile(proof["sha256"], proof["media_type"]) if proof else None,
    )
