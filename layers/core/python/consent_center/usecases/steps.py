"""Carrying a case out: `look_at` does whatever is due in it now, and says when somebody has to look again.

It may be run twice, by two at once, and be killed between any two calls, and ends the same. Each step has effects that
are harmless to repeat and then one commit on the version that it was decided on. Until the last commit the case stays
due, so that the schedule finds again what was cut short.

What it writes into a case's `outcome` (docs/data-model.md): `stopped_at`, `taken_back_at`, `started_at`, `held`,
`goes`, `stays`, `hold`, `own_at`, `lock`, `package`, `missing`, `lifted_at`, `shredded_at`, `decision`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from consent_center.domain.case import Case
from consent_center.domain.errors import StaleCaseError, UnavailableError
from consent_center.domain.policy import Policy
from consent_center.ports.basics import Addresses, Chance, Clock, Pause, Secrets
from consent_center.ports.cases import Cases, Connectors, Days, Exports, Particulars, StoredPackage
from consent_center.ports.letters import Claims, Outbox
from consent_center.ports.people import AddressMoves, Subjects
from consent_center.usecases import case_endings, case_own_part, case_recipients, case_times
from consent_center.usecases.case_means import Means

MOST_STEPS = 300
"""In one look: more than any case has, so that a mistake of ours does not turn for ever."""

_LAPSE_DAYS = 30
"""How long a question to the person may stay unanswered."""

_STEPS = (
    case_own_part.stop,
    case_times.send_letters,
    case_times.lapse,
    case_times.warn,
    case_own_part.take_back,
    case_times.end_cool_off,
    case_own_part.start,
    case_own_part.do_own_part,
    case_recipients.ask_recipient,
    case_endings.answer,
    case_endings.finish,
    case_endings.lift,
    case_endings.shred,
)
"""In this order; after each that did something the case is loaded anew. Letters and warnings wait for nothing."""


@dataclass(slots=True)
class Looked:
    """What a look did, for numbers and logs."""

    number: str = ""
    """The case's, which says nothing about a person."""
    steps: int = 0
    given_up: Sequence[str] = ()
    """Recipients that will not be tried again by themselves."""


def look_at(
    case: str,
    *,
    cases: Cases,
    particulars: Particulars,
    connectors: Connectors,
    outbox: Outbox,
    claims: Claims,
    days: Days,
    policy: Policy,
    subjects: Subjects,
    moves: AddressMoves,
    exports: Exports,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    answers: Callable[[Case, Mapping[str, Any]], StoredPackage | None] | None = None,
    stop: Callable[[Case], None] | None = None,
    take_back: Callable[[Case], None] | None = None,
    warn: Callable[[Case, int], None] = lambda _case, _days: None,
    lapse_days: int = _LAPSE_DAYS,
) -> Looked:
    """Do all that is due in a case, by its id. Nothing happens where there is none.

    `answers` makes the answer to an access or portability request, None where nothing is held; without it staff answer.
    `stop` stops what a proved request stops at once, and `take_back` ends that where it is not carried out; both are
    harmless to repeat, and without them whoever takes the proof does so alone. `warn` tells staff how many days are
    left, 0 once it is late; it is called before that is noted, so that a warning may come twice and is never lost.
    `lapse_days` is how long we wait for the answer to a question. UnavailableError: what was done so far is stored, and
    looking again does the rest.
    """
    given_up: list[str] = []
    looked = Looked(given_up=given_up)
    means = Means(
        cases, particulars, connectors, answers, stop, take_back, warn, outbox, claims, days, policy, subjects,
        moves, exports, addresses, secrets, chance, clock, pause, lapse_days, given_up,
    )  # fmt: skip
    for turn in range(MOST_STEPS):
        file = cases.load(case)
        if file is None:
            return looked
        looked.number = file.case.number
        try:
            if any(step(file, means) for step in _STEPS):
                looked.steps += 1
                continue
            due_at = case_times.next_look(file, means)
            if due_at != file.case.due_at or file.case.stuck_since:
                cases.commit(replace(file.case, due_at=due_at, stuck_since=0), [])
            return looked
        except StaleCaseError:
            pause(min(turn, 4))
    raise UnavailableError("a case did not come to rest")
