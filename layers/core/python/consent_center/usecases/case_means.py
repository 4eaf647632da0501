"""What the steps of a case share: what they work with, how they store what they did, and small questions to a case."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from consent_center.domain.case import Case, CaseState, LogLine
from consent_center.domain.policy import Policy
from consent_center.domain.recipient import Task
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Addresses, Chance, Clock, Pause, Secrets
from consent_center.ports.cases import Cases, Connectors, Days, Exports, Particulars, StoredPackage
from consent_center.ports.letters import Claims, Outbox
from consent_center.ports.people import AddressMoves, Subjects
from consent_center.usecases.askers import cases_of, followed, who_asked
from consent_center.usecases.whose import whose


@dataclass(frozen=True, slots=True)
class Means:
    """What the steps work with."""

    cases: Cases
    particulars: Particulars
    connectors: Connectors
    answers: Callable[[Case, Mapping[str, Any]], StoredPackage | None] | None
    stop: Callable[[Case], None] | None
    take_back: Callable[[Case], None] | None
    warn: Callable[[Case, int], None]
    outbox: Outbox
    claims: Claims
    days: Days
    policy: Policy
    subjects: Subjects
    moves: AddressMoves
    exports: Exports
    addresses: Addresses
    secrets: Secrets
    chance: Chance
    clock: Clock
    pause: Pause
    lapse_days: int
    given_up: list[str]
    """Recipients that were given up in this look."""

    def commit(self, case: Case, what: str, tasks: Sequence[Task] = (), **facts: Any) -> None:
        """Store a step with one line of the log. The case stays due until the look has come to its end."""
        now = self.clock()
        self.cases.commit(replace(case, due_at=now // 1000), [LogLine(now, what, "worker", facts)], tasks)

    def known_of(self, case: Case) -> Mapping[str, Any] | None:
        """The particulars of a case, with the address that its person has now; None where that cannot be read."""
        kept = self.particulars.read(case.id)
        if kept is None:
            return None
        return followed(case, kept, subjects=self.subjects, particulars=self.particulars)

    def leave_to_staff(self, case: Case) -> None:
        """What cannot be carried out without particulars that are gone."""
        self.commit(case.moved(CaseState.WITH_STAFF), "particulars_missing")

    def subject_of(self, case: Case, kept: Mapping[str, Any]) -> Subject:
        """From where the record is now: a pepper may have been changed since the case was opened."""
        place = whose(
            self.addresses(str(kept["address"])),
            controller=case.contact.controller,
            subjects=self.subjects,
            secrets=self.secrets,
        )
        return self.subjects.load(place).subject

    def cases_of_asker(self, case: Case) -> list[Case]:
        """All requests of who asked here, this one among them."""
        asker, kept = who_asked(case, self.subjects), self.known_of(case)
        if asker is None:
            return []
        address = self.addresses(str(kept["address"])) if kept is not None else None
        return cases_of(asker, address, cases=self.cases, subjects=self.subjects, secrets=self.secrets)

    def deciding(self, case: Case) -> dict[str, Any]:
        """What whoever decides about the person in this case is given."""
        return {
            "client": client_of(case),
            "policy": self.policy,
            "subjects": self.subjects,
            "addresses": self.addresses,
            "secrets": self.secrets,
            "chance": self.chance,
            "clock": self.clock,
            "pause": self.pause,
        }


def is_to_be_lifted(case: Case) -> bool:
    # Of somebody who was erased there is nothing left to lift, and nobody to write to.
    is_over = "lifted_at" in case.outcome or "shredded_at" in case.outcome
    return "lift_asked_at" in case.outcome and not is_over


def is_lifted(case: Case) -> bool:
    return "lifted_at" in case.outcome


def is_started(case: Case) -> bool:
    return case.state in {CaseState.RUNNING, CaseState.PARTLY_DONE} and "started_at" in case.outcome


def with_outcome(case: Case, **outcome: Any) -> Case:
    return replace(case, outcome={**case.outcome, **outcome})


def without_outcome(case: Case, name: str) -> Case:
    return replace(case, outcome={key: value for key, value in case.outcome.items() if key != name})


def client_of(case: Case) -> str:
    return f"case:{case.number}"
