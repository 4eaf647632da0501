"""Cases on fakes: a world in which time passes, letters go out, and whoever works can be killed at any call."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from builders import PEOPLE, a_policy_with_recipients
from consent_center.adapters.addresses import parse_address
from consent_center.domain.case import Case, CaseLetter, CaseState, LogLine, Right
from consent_center.domain.deadline import CaseDays
from consent_center.domain.errors import UnavailableError
from consent_center.domain.recipient import Task
from consent_center.ports.cases import CaseFile, StoredPackage
from consent_center.usecases.case_stops import stop_at_once, take_back
from consent_center.usecases.cases import Opened
from consent_center.usecases.deadlines import reckoned
from consent_center.usecases.staff_cases import Filing, Step, Wanted, file_case, take_step
from consent_center.usecases.steps import Looked, look_at
from fakes import SettableClock
from fakes.cases import (
    ConnectorsByName,
    InMemoryCases,
    InMemoryExports,
    InMemoryParticulars,
    ListOfCaseOrders,
    ScriptedConnector,
)
from usecase_world import World

CASE = "case00000000000000000001"


class KilledError(BaseException):
    """The worker is gone."""


@dataclass
class Killer:
    """Counts the calls of ports, and kills before or after some of them."""

    at: set[tuple[int, str]] = field(default_factory=set)
    calls: int = 0

    def around(self, port: Any) -> Any:
        return _Watched(port, self)

    def strike(self, when: str) -> None:
        if (self.calls, when) in self.at:
            self.at.discard((self.calls, when))
            raise KilledError


class _Watched:
    def __init__(self, port: Any, killer: Killer) -> None:
        self._port, self._killer = port, killer

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._killer.calls += 1
            self._killer.strike("before")
            answer = found(*arguments, **named)
            self._killer.strike("after")
            return _Watched(answer, self._killer) if isinstance(answer, ScriptedConnector) else answer

        return call

    def __call__(self, *arguments: Any) -> Any:
        self._killer.calls += 1
        self._killer.strike("before")
        answer = self._port(*arguments)
        self._killer.strike("after")
        return answer


@dataclass
class CaseWorld:
    """One case at a time, two recipients, and the person's record."""

    id: str = CASE
    """Of the case that is opened, looked at and shown."""
    people: World = field(default_factory=lambda: World(policy=a_policy_with_recipients()))
    cases: InMemoryCases = field(default_factory=InMemoryCases)
    particulars: InMemoryParticulars = field(default_factory=InMemoryParticulars)
    exports: InMemoryExports = field(default_factory=InMemoryExports)
    orders: ListOfCaseOrders = field(default_factory=ListOfCaseOrders)
    crm: ScriptedConnector = field(default_factory=ScriptedConnector)
    post_house: ScriptedConnector = field(default_factory=ScriptedConnector)
    killer: Killer = field(default_factory=Killer)
    are_letters_delivered: bool = True
    warnings: list[int] = field(default_factory=list)
    """How many days were left, each time that staff were warned; 0 once it was late."""
    holds_nothing: bool = False

    @cached_property
    def days(self) -> CaseDays:
        return CaseDays(self.people.policy)

    @property
    def clock(self) -> SettableClock:
        return self.people.clock

    def subscribe(self) -> None:
        """Ada agreed to letters."""
        self.people.confirm(self.people.asked())
        self.people.outbox.orders.clear()
        self.clock.move(seconds=60)

    def open(self, right: Right, state: CaseState = CaseState.RUNNING, **changes: Any) -> Case:
        """File a case as intake does, proved unless the state says that it is not."""
        now = self.clock()
        is_proved = state is not CaseState.UNPROVEN
        case = Case(
            id=self.id,
            right=right,
            state=state,
            contact=self.people.contact(),
            language="en",
            jurisdiction="DK",
            source="page",
            received_at=now,
            answer_by="",
            strict_answer_by="",
            proved_at=now if is_proved else 0,
            cool_off_until=now + 48 * 3_600_000 if state is CaseState.COOLING_OFF else 0,
            owes=(CaseLetter.RECEIVED.value if is_proved else CaseLetter.PROVE.value,),
            due_at=now // 1000,
        )
        particulars = {"address": PEOPLE[0], **changes.pop("particulars", {})}
        case = reckoned(replace(case, **changes), self.days)
        self.particulars.keep(case.id, particulars)
        self.cases.add(case, LogLine(now, "received", "person"))
        return self.case

    @property
    def file(self) -> CaseFile:
        return self.cases.files[self.id]

    @property
    def case(self) -> Case:
        return self.file.case

    @property
    def tasks(self) -> dict[str, Task]:
        return {task.recipient: task for task in self.file.tasks}

    @property
    def lines(self) -> list[str]:
        return [line.what for line in self.file.log]

    @property
    def letters(self) -> list[str]:
        """The names of the letters that went out: an order that was claimed before sends nothing."""
        names = dict.fromkeys(order.request for order in self.people.outbox.orders if order.letter == "case")
        return [name.split("/", 1)[1] for name in names]

    def look(self) -> Looked:
        """One look, and then the delivery of what it ordered."""
        around = self.killer.around
        looked = look_at(
            self.id,
            cases=around(self.cases),
            particulars=around(self.particulars),
            connectors=around(ConnectorsByName({"crm": self.crm, "post-house": self.post_house})),
            answers=around(self.answer),
            stop=around(self.stop),
            take_back=around(self.take_back),
            warn=around(self.warn),
            outbox=around(self.people.outbox),
            claims=around(self.people.claims),
            days=self.days,
            policy=self.people.policy,
            subjects=around(self.people.subjects),
            moves=around(self.people.address_moves),
            exports=around(self.exports),
            addresses=parse_address,
            secrets=self.people.secrets,
            chance=self.people.chance,
            clock=self.clock,
            pause=self.people.pause,
        )
        self.deliver()
        return looked

    def deliver(self) -> None:
        if self.are_letters_delivered:
            for order in self.people.outbox.orders:
                self.people.claims.take(order.request, self.clock() // 1000)
                self.people.claims.finish(order.request, self.clock() // 1000)

    def answer(self, case: Case, particulars: Mapping[str, Any]) -> StoredPackage | None:
        if self.holds_nothing:
            return None
        content = repr(sorted(particulars.get("collected", {}).items())).encode()
        return self.exports.write(case.id, f"{case.right}.zip", [content], self.clock() // 1000)

    def warn(self, case: Case, days_left: int) -> None:
        self.warnings.append(days_left)

    def stop(self, case: Case) -> None:
        stop_at_once(case, **self.stopping)

    def take_back(self, case: Case) -> None:
        take_back(case, **self.stopping)

    @property
    def stopping(self) -> dict[str, Any]:
        """What stopping takes."""
        return {name: port for name, port in self.people.deciding.items() if name != "secrets"}

    def deciding(self) -> dict[str, Any]:
        """What every decision takes."""
        return {
            "client": "test",
            "policy": self.people.policy,
            "subjects": self.people.subjects,
            "addresses": parse_address,
            "secrets": self.people.secrets,
            "chance": self.people.chance,
            "clock": self.clock,
            "pause": self.people.pause,
        }

    def run(self, until_days: float = 3650) -> list[Looked]:
        """Let time pass from one due moment to the next until nothing is due, as schedule and queue do."""
        looks = []
        end = self.clock() + int(until_days * 86_400_000)
        for _ in range(2_000):
            due = self.case.due_at * 1000
            if not due or due > end:
                self.clock.now = max(self.clock.now, end) if due else self.clock.now
                return looks
            self.clock.now = max(self.clock.now, due)
            try:
                looks.append(self.look())
            except (KilledError, UnavailableError):
                # The queue delivers the message again a little later.
                self.deliver()
                self.clock.move(seconds=1)
        raise AssertionError("the case never comes to rest")


def file(world: CaseWorld, right: Right = Right.ACCESS, **changes: Any) -> Opened:
    """Staff file a request."""
    filing = Filing(right, PEOPLE[0], "all of it", "phone", world.clock(), is_identity_sure=True, language="en")
    return file_case(
        replace(filing, **changes),
        client="desk",
        cool_off_hours=48,
        policy=world.people.policy,
        cases=world.cases,
        particulars=world.particulars,
        orders=world.orders,
        subjects=world.people.subjects,
        addresses=parse_address,
        secrets=world.people.secrets,
        chance=world.people.chance,
        clock=world.clock,
        pause=world.people.pause,
    )


def step(world: CaseWorld, name: Step, reason: str = "two mailboxes", **wanted: Any) -> Case:
    """Staff take a step, on the version that the case has now unless another is named."""
    return take_step(
        world.id,
        Wanted(name, wanted.pop("version", 0) or world.case.version, reason, **wanted),
        client="desk",
        cool_off_hours=48,
        days=world.days,
        policy=world.people.policy,
        cases=world.cases,
        particulars=world.particulars,
        orders=world.orders,
        addresses=parse_address,
        chance=world.people.chance,
        clock=world.clock,
    )
