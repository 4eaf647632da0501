"""The worker of rights requests, from event to order."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import rights_worker.app
from builders import NOON, PEOPLE, a_contact
from consent_center.domain.case import Case, CaseState, LogLine, Right
from consent_center.domain.deadline import CaseDays
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.ports.cases import Due
from consent_center.usecases.due_cases import HELD_BACK_SECONDS, MOST_TRIES, STUCK_SECONDS
from consent_center.usecases.staff_cases import list_cases
from consent_center.usecases.steps import Looked
from deployment import CONTEXT, Deployment


def a_due_case(deployment: Deployment, number: int = 1, **other: Any) -> Case:
    given: dict[str, Any] = {
        "id": f"case{number:022d}",
        "right": Right.ACCESS,
        "state": CaseState.UNPROVEN,
        "contact": a_contact(f"person-{number}@example.com"),
        "language": "en",
        "jurisdiction": "DK",
        "source": "page",
        "received_at": NOON,
        "answer_by": "2027-02-15",
        "strict_answer_by": "2027-02-13",
        "owes": ("prove",),
        "due_at": deployment.clock.now // 1000 - number,
    }
    case = Case(**{**given, **other})
    deployment.cases.add(case, LogLine(NOON, "received", "person"))
    return case


def metrics_of(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """What was counted since the last look."""
    counted: dict[str, float] = {}
    for line in capsys.readouterr().out.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        for metric in told.get("_aws", {}).get("CloudWatchMetrics", []):
            for one in metric["Metrics"]:
                value = told[one["Name"]]
                counted[one["Name"]] = counted.get(one["Name"], 0) + (sum(value) if isinstance(value, list) else value)
    return counted


def test_the_job_orders_a_look_at_every_due_case_once(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [a_due_case(deployment, number) for number in (1, 2, 3)]
    a_due_case(deployment, 4, right=Right.ERASURE, due_at=deployment.clock.now // 1000 + 60)

    assert deployment.job("rights") == {"job": "rights", "due": 3, "done": 3, "failed": 0}

    assert sorted(case for case, _ in deployment.case_orders.orders) == [case.id for case in cases]
    assert metrics_of(capsys) == {"CasesOrdered": 3, "RightsListed": 1}
    # The queue is still trying; the schedule comes again every five minutes.
    assert deployment.job("rights")["due"] == 0


def test_a_case_that_the_queue_gave_up_is_ordered_again(deployment: Deployment) -> None:
    case = a_due_case(deployment)
    deployment.job("rights")
    deployment.clock.move(seconds=HELD_BACK_SECONDS)

    assert deployment.job("rights")["due"] == 1
    assert [one for one, _ in deployment.case_orders.orders] == [case.id, case.id]


def test_the_heart_beats_where_nothing_is_due(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployment.job("rights") == {"job": "rights", "due": 0, "done": 0, "failed": 0}
    assert metrics_of(capsys) == {"CasesOrdered": 0, "RightsListed": 1}


def test_what_cannot_be_ordered_holds_up_nothing_and_is_ordered_by_the_next_run(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [a_due_case(deployment, number) for number in (1, 2, 3)]
    order = deployment.case_orders.order

    def failing(case: str, due_at: int) -> None:
        if case == cases[1].id:
            raise UnavailableError("order case: Throttling")
        order(case, due_at)

    with monkeypatch.context() as patched:
        patched.setattr(deployment.case_orders, "order", failing)
        with pytest.raises(UnavailableError):
            deployment.job("rights")
    assert metrics_of(capsys) == {"CasesOrdered": 2, "JobFailed": 1}

    assert deployment.job("rights") == {"job": "rights", "due": 1, "done": 1, "failed": 0}
    assert deployment.case_orders.orders[-1][0] == cases[1].id


def test_a_shard_that_cannot_be_read_holds_up_no_other_and_the_heart_does_not_beat(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [a_due_case(deployment, number) for number in range(1, 9)]
    due = deployment.cases.due

    def failing(shard: int, until: int) -> Iterator[Due]:
        if shard == 0:
            raise UnavailableError("due cases: Throttling")
        yield from due(shard, until)

    monkeypatch.setattr(deployment.cases, "due", failing)
    with pytest.raises(UnavailableError):
        deployment.job("rights")

    assert 0 < len(deployment.case_orders.orders) < len(cases)
    assert "RightsListed" not in metrics_of(capsys)


def test_a_run_that_is_killed_leaves_the_rest_to_the_next(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [a_due_case(deployment, number) for number in range(1, 7)]
    order = deployment.case_orders.order

    def dying(case: str, due_at: int) -> None:
        if len(deployment.case_orders.orders) == 2:
            raise KeyboardInterrupt
        order(case, due_at)

    with monkeypatch.context() as patched:
        patched.setattr(deployment.case_orders, "order", dying)
        with pytest.raises(KeyboardInterrupt):
            deployment.job("rights")

    assert deployment.job("rights")["due"] == 4
    assert sorted(case for case, _ in deployment.case_orders.orders) == [case.id for case in cases]


def test_another_job_is_not_this_workers(deployment: Deployment) -> None:
    with pytest.raises(UnknownNameError):
        rights_worker.app.lambda_handler({"job": "seal"}, CONTEXT)  # type: ignore[arg-type]


def test_a_message_has_its_case_looked_at(deployment: Deployment) -> None:
    case = a_due_case(deployment)
    deployment.job("rights")

    assert deployment.look() == {"batchItemFailures": []}

    (order,) = deployment.outbox.orders
    assert (order.letter, order.contact) == ("case", case.contact)
    assert order.request.startswith(f"{case.id}/prove/")
    assert deployment.job("rights")["due"] == 0


def test_a_case_that_fails_comes_again_alone(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = a_due_case(deployment, 1), a_due_case(deployment, 2)
    look = rights_worker.app._look

    def failing(case: str) -> Looked:
        if case == first.id:
            raise ValueError(PEOPLE[0])
        return look(case)

    monkeypatch.setattr(rights_worker.app, "_look", failing)
    failed = deployment.look({"case": first.id, "due_at": 1}, {"case": second.id, "due_at": 1})

    assert failed == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert [order.request.partition("/")[0] for order in deployment.outbox.orders] == [second.id]


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"case": ""}', '{"case": 1}', '"case"'])
def test_what_names_no_case_is_given_back_and_holds_nothing_up(deployment: Deployment, body: str) -> None:
    case = a_due_case(deployment)

    assert deployment.look(body, {"case": case.id}) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert len(deployment.outbox.orders) == 1


def test_a_case_that_is_not_there_is_no_failure(deployment: Deployment) -> None:
    assert deployment.look({"case": "case-none", "due_at": 1}) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("days_before", "counted"),
    [
        (15, {"CaseLookedAt": 1}),
        (5, {"CaseLookedAt": 1, "DeadlineNear": 1}),
        (-1, {"CaseLookedAt": 1, "DeadlineNear": 1}),
    ],
)
def test_an_end_that_is_near_or_over_is_counted(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], days_before: int, counted: dict[str, float]
) -> None:
    case = a_due_case(deployment, state=CaseState.WITH_STAFF, owes=())
    deployment.particulars.keep(case.id, {"address": PEOPLE[0]})
    deployment.clock.now = (CaseDays(deployment.services.policy).ends_at(case) - days_before * 86_400) * 1000
    deployment.look({"case": case.id})

    assert metrics_of(capsys) == counted


def test_an_end_that_is_near_is_counted_though_the_look_fails_after_it(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = a_due_case(deployment, state=CaseState.WITH_STAFF, owes=())
    deployment.clock.now = (CaseDays(deployment.services.policy).ends_at(case) - 5 * 86_400) * 1000
    commit = deployment.cases.commit

    def killed_after(changed: Case, log: Sequence[LogLine], *rest: Any) -> Case:
        stored = commit(changed, log, *rest)
        if stored.warned:
            raise MemoryError
        return stored

    monkeypatch.setattr(deployment.cases, "commit", killed_after)
    deployment.look({"case": case.id})

    assert metrics_of(capsys) == {"LookFailed": 1, "DeadlineNear": 1}


def deliveries(deployment: Deployment, case: Case, failing: bool = True) -> list[bool]:
    """What the queue does with a message: whether each of its deliveries is given back, until one is not."""
    given_back = []
    for tries in range(1, MOST_TRIES + 1):
        answer = deployment.look({"case": case.id}, tries=tries)
        given_back.append(bool(answer["batchItemFailures"]))
        if not given_back[-1]:
            break
        deployment.clock.move(seconds=1800)
    return given_back


def test_a_case_that_can_never_be_looked_at_is_set_aside_once_and_then_tried_daily(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = a_due_case(deployment)

    def failing(case: str) -> Looked:
        raise ValueError(PEOPLE[0])

    with monkeypatch.context() as patched:
        patched.setattr(rights_worker.app, "_look", failing)
        deployment.job("rights")
        # The last delivery that is given back is what the queue sets aside.
        assert deliveries(deployment, case) == [True] * MOST_TRIES
        assert deployment.cases.files[case.id].case.stuck_since > 0
        for _ in range(3):
            assert deployment.job("rights")["due"] == 0
            deployment.clock.move(seconds=STUCK_SECONDS)
            assert deployment.job("rights")["due"] == 1
            assert deliveries(deployment, case) == [True, False]
    assert [line.what for line in deployment.cases.files[case.id].log].count("stuck") == 1
    assert metrics_of(capsys)["LookFailed"] == MOST_TRIES + 3 * 2
    deployment.clock.move(seconds=STUCK_SECONDS)
    deployment.job("rights")
    assert deliveries(deployment, case) == [False]
    assert deployment.cases.files[case.id].case.stuck_since == 0


def test_a_case_that_cannot_be_read_is_set_aside_once_and_staff_see_that_it_is_there(deployment: Deployment) -> None:
    case = a_due_case(deployment)
    deployment.cases.unreadable.add(case.id)
    deployment.job("rights")
    assert deliveries(deployment, case) == [True] * MOST_TRIES
    for _ in range(3):
        assert deployment.job("rights")["due"] == 0
        deployment.clock.move(seconds=STUCK_SECONDS)
        assert deployment.job("rights")["due"] == 1
        assert deliveries(deployment, case) == [*[True] * (MOST_TRIES - 1), False]

    page = list_cases(deployment.cases)
    assert (page.cases, page.unreadable) == ([], [case.id])


def test_a_worker_that_is_killed_by_a_case_sets_it_aside_all_the_same(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = a_due_case(deployment)

    def killed(case: str) -> Looked:
        raise KeyboardInterrupt

    monkeypatch.setattr(rights_worker.app, "_look", killed)
    deployment.job("rights")
    for tries in range(1, MOST_TRIES + 1):
        with pytest.raises(KeyboardInterrupt):
            deployment.look({"case": case.id}, tries=tries)
        deployment.clock.move(seconds=1800)
    deployment.clock.move(seconds=STUCK_SECONDS)
    deployment.job("rights")
    with pytest.raises(KeyboardInterrupt):
        deployment.look({"case": case.id})
    assert deployment.look({"case": case.id}, tries=2) == {"batchItemFailures": []}
    assert deployment.job("rights")["due"] == 0
