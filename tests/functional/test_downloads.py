"""Fetching the package of a rights request."""

from dataclasses import replace

import pytest

from builders import PEOPLE
from consent_center.domain.capability import PackageLink, seal_package
from consent_center.domain.case import Case, CaseState, LogLine, Right
from consent_center.domain.contact import contact_point
from consent_center.domain.errors import StaleCaseError
from consent_center.usecases.downloads import MOST_PER_HOUR, TOKEN_SECONDS, package_token
from deployment import Answer, Deployment
from fakes.cases import InMemoryCases, InMemoryExports

NAME = "answer-case0001.zip"


def address_of(email: str, deployment: Deployment) -> Case:
    services = deployment.services
    contact = contact_point(
        services.addresses(email), controller="fjordmeter", channel="email", peppers=services.secrets.peppers()
    )
    now = deployment.clock()
    case_id = f"case0001{email[:3]}"
    return Case(case_id, Right.ACCESS, CaseState.DONE, contact, "en", "DK", "page", now, "2027-02-15", "2027-02-15")


@pytest.fixture
def case(deployment: Deployment) -> Case:
    cases, exports = InMemoryCases(), InMemoryExports()
    deployment.services.cases = cases
    deployment.services.exports = exports
    case = address_of(PEOPLE[0], deployment)
    cases.add(case, LogLine(case.received_at, "received", "person"))
    exports.write(case.id, NAME, [b"content"], deployment.clock() // 1000)
    return case


def token_of(deployment: Deployment, case: Case, name: str = NAME) -> str:
    return package_token(case, name, secrets=deployment.services.secrets, clock=deployment.clock)


def fetch(deployment: Deployment, token: str, event: str = "get-rights-download", **changes: object) -> Answer:
    return deployment.preferences(event, token, **changes)


def log_of(deployment: Deployment, case: Case) -> list[tuple[str, str]]:
    file = deployment.services.cases.load(case.id)
    assert file
    return [(line.what, line.by) for line in file.log]


def test_a_press_leads_to_the_file_for_a_minute_and_is_noted(deployment: Deployment, case: Case) -> None:
    answer = fetch(deployment, token_of(deployment, case))

    assert answer.status == 303
    assert answer.headers["location"] == f"https://exports.invalid/{case.id}/{NAME}?60"
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert log_of(deployment, case) == [("received", "person"), ("downloaded", "person")]


def test_fetching_changes_nothing_of_the_case_but_its_log(deployment: Deployment, case: Case) -> None:
    before = deployment.services.cases.load(case.id)
    fetch(deployment, token_of(deployment, case))
    after = deployment.services.cases.load(case.id)

    assert before
    assert after
    assert replace(after.case, version=before.case.version) == before.case


@pytest.mark.parametrize(
    ("event", "headers"),
    [("head-rights-download", {}), ("get-rights-download", {"sec-purpose": "prefetch"})],
)
def test_what_only_looks_ahead_gets_nothing_and_is_not_noted(
    deployment: Deployment, case: Case, event: str, headers: dict[str, str]
) -> None:
    named = {"headers": headers} if headers else {}
    answer = fetch(deployment, token_of(deployment, case), event, **named)

    assert (answer.status, answer.body) == (204, "")
    assert "location" not in answer.headers
    assert log_of(deployment, case) == [("received", "person")]


def test_after_an_hour_a_page_says_how_to_ask_again(deployment: Deployment, case: Case) -> None:
    token = token_of(deployment, case)
    deployment.clock.move(seconds=TOKEN_SECONDS)

    answer = fetch(deployment, token)

    assert answer.status == 410
    assert "This file can no longer be fetched" in answer.text
    assert 'href="/rights"' in answer.text


def test_a_file_that_is_gone_is_told_as_such(deployment: Deployment, case: Case) -> None:
    deployment.services.exports.remove(case.id)

    assert fetch(deployment, token_of(deployment, case)).status == 410
    assert log_of(deployment, case) == [("received", "person")]


def test_a_link_of_one_person_opens_no_case_of_another(deployment: Deployment, case: Case) -> None:
    other = address_of(PEOPLE[1], deployment)
    deployment.services.cases.add(other, LogLine(other.received_at, "received", "person"))
    ends_at = deployment.clock() // 1000 + 60
    keys = deployment.services.secrets.links()

    crossed = [
        seal_package(PackageLink(other.contact, case.id, NAME, ends_at), keys),
        seal_package(PackageLink(case.contact, other.id, NAME, ends_at), keys),
        seal_package(PackageLink(case.contact, "no-such-case", NAME, ends_at), keys),
    ]

    assert [fetch(deployment, token).status for token in crossed] == [400, 400, 400]
    assert fetch(deployment, token_of(deployment, other)).status == 410
    assert log_of(deployment, case) == [("received", "person")]


def test_whoever_has_the_mailbox_now_does_not_get_what_was_made_for_the_holder_before(
    deployment: Deployment, case: Case
) -> None:
    deployment.subscribed("events")
    subject = deployment.subjects.subjects[case.contact]
    deployment.subjects.subjects[case.contact] = replace(subject, holder_since=deployment.clock())

    answer = fetch(deployment, token_of(deployment, case))

    assert answer.status == 410
    assert "location" not in answer.headers


@pytest.mark.parametrize("token", ["", "x", "v1.k1.e30.AAAA"])
def test_a_broken_link_is_refused_and_says_so(deployment: Deployment, case: Case, token: str) -> None:
    assert fetch(deployment, token or "v1").status == 400


def test_a_link_of_another_kind_fetches_nothing(deployment: Deployment, case: Case) -> None:
    assert fetch(deployment, deployment.subscribed("events")).status == 400


def test_fetching_over_and_over_is_limited_so_that_the_log_stays_short(deployment: Deployment, case: Case) -> None:
    token = token_of(deployment, case)
    answers = [fetch(deployment, token).status for _ in range(MOST_PER_HOUR + 1)]

    assert answers == [303] * MOST_PER_HOUR + [429]
    assert len(log_of(deployment, case)) == MOST_PER_HOUR + 1


def test_whoever_changes_the_case_meanwhile_does_not_lose_the_note(
    deployment: Deployment, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = deployment.services.cases
    commit, tries = cases.commit, []

    def stale_at_first(*given: object) -> object:
        tries.append(given)
        if len(tries) == 1:
            raise StaleCaseError
        return commit(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(cases, "commit", stale_at_first)

    assert fetch(deployment, token_of(deployment, case)).status == 303
    assert log_of(deployment, case)[-1] == ("downloaded", "person")


def test_a_file_that_cannot_be_noted_is_not_handed_out(deployment: Deployment, case: Case) -> None:
    def never(*_: object) -> None:
        raise StaleCaseError

    deployment.services.cases.commit = never  # type: ignore[assignment,method-assign]
    answer = fetch(deployment, token_of(deployment, case))

    assert answer.status == 503
    assert "location" not in answer.headers
