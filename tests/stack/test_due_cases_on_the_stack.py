"""A due rights request on the running stack: found by the job, ordered, and looked at with the worker's own rights."""

import time
from collections.abc import Iterator

import pytest

from builders import a_contact
from consent_center.adapters.aws import wire
from consent_center.adapters.dynamodb.cases import DynamoCases
from consent_center.adapters.dynamodb.database import Database
from consent_center.adapters.sealed import SealedParticulars
from consent_center.domain.case import Case, CaseState, LogLine, Right
from fakes import no_pause, real_clock
from local import emulator, template
from local.stack import LocalStack
from world import Visitor


@pytest.fixture
def database(stack: LocalStack) -> Iterator[Database]:
    owner = {name.upper(): value for name, value in emulator.owner_credentials().items()}
    environment = {**owner, "AWS_REGION": template.REGION, "AWS_ENDPOINT_URL": stack.emulator_url}
    made = wire("dynamodb", environment, clock=real_clock, pause=no_pause)
    yield Database(made)
    made.connections.close()


def test_a_due_case_is_found_and_looked_at_and_is_then_not_due_any_more(stack: LocalStack, database: Database) -> None:
    cases = DynamoCases(database, stack.resources["CasesTable"], real_clock)
    now, number = real_clock(), time.time_ns()
    case = Case(
        id=f"case{number:022d}",
        right=Right.ACCESS,
        state=CaseState.UNPROVEN,
        contact=a_contact(f"case-{number}@example.com"),
        language="en",
        jurisdiction="DK",
        source="page",
        received_at=now,
        answer_by="2099-02-15",
        strict_answer_by="2099-02-13",
        due_at=now // 1000,
    )
    particulars = SealedParticulars(database, stack.resources["CasesTable"], stack.resources["CaseKeysTable"])
    particulars.keep(case.id, {"address": f"case-{number}@example.com"})
    cases.add(case, LogLine(now, "received", "person"))

    told = Visitor(stack).request("POST", "/_local/jobs/rights", b"{}", {"Content-Type": "application/json"}).json

    assert (told["job"], told["failed"]) == ("rights", 0)
    end = time.monotonic() + 30
    while (file := cases.load(case.id)) is not None and file.case.version == 1:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert case.id not in [due.case for shard in range(cases.shards) for due in cases.due(shard, now // 1000 + 1)]


def test_particulars_are_sealed_and_shredded_in_the_deployed_tables(stack: LocalStack, database: Database) -> None:
    resources, case = stack.resources, f"case-{time.time_ns()}"
    particulars = SealedParticulars(database, resources["CasesTable"], resources["CaseKeysTable"])
    particulars.keep(case, {"details": "all of it"})
    assert particulars.read(case) == {"details": "all of it"}

    particulars.shred(case)

    assert particulars.read(case) is None
