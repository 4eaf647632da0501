"""The page that waits for the code, from event to answer."""

import re
from typing import Any

import pytest

from builders import PEOPLE
from consent_center.domain.errors import UnavailableError
from deployment import Answer, Deployment

NOBODY = "nobody.knows@example.com"


def alike(answer: Answer, email: str) -> tuple[int, dict[str, str], str]:
    """All of an answer that could tell people apart: tokens are replaced by their length, the address by a word."""
    body = re.sub(r"v1\.k1\.[\w-]+\.[\w-]+", lambda token: f"token of {len(token[0])}", answer.text)
    return answer.status, answer.headers, body.replace(email, "the address")


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code.replace(' ', '')) + by) % 1_000_000:06d}"


@pytest.fixture
def calls(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the collaborators, in order, under the names of the methods."""
    made: list[str] = []

    def watched(name: str, method: Any) -> Any:
        def call(*arguments: Any) -> Any:
            made.append(name)
            return method(*arguments)

        return call

    for collaborator in (deployment.subjects, deployment.limits, deployment.claims, deployment.outbox):
        for name in dir(collaborator):
            if not name.startswith("_") and callable(getattr(collaborator, name)):
                monkeypatch.setattr(collaborator, name, watched(name, getattr(collaborator, name)))
    return made


def signed_up_as(deployment: Deployment, who: str) -> str:
    """Make somebody of that kind; answers the address."""
    if who == "known":
        deployment.confirm(deployment.asked())
    elif who == "pending":
        deployment.asked()
    elif who == "withdrawn":
        deployment.confirm(deployment.asked())
        deployment.page("post-one-click-base64", deployment.stop_link())
    elif who == "blocked":
        deployment.asked()
        deployment.page("post-not-me", deployment.link("not-me"))
    elif who == "rate-limited":
        for _ in range(5):
            deployment.sign_up()
    else:
        return NOBODY
    return PEOPLE[0]


KINDS = ["known", "pending", "withdrawn", "blocked", "rate-limited", "unknown"]


@pytest.mark.parametrize("who", KINDS)
def test_everybody_gets_the_same_answer_to_a_sign_up_but_for_the_token(deployment: Deployment, who: str) -> None:
    email = signed_up_as(deployment, who)
    other = "somebody@example.com"

    assert alike(deployment.sign_up(email=email), email) == alike(deployment.sign_up(email=other), other)


@pytest.mark.parametrize("who", KINDS)
def test_everybody_signed_up_causes_the_same_calls_in_the_same_order(
    deployment: Deployment, calls: list[str], who: str
) -> None:
    email = signed_up_as(deployment, who)
    calls.clear()
    deployment.sign_up(email=email)

    # Whoever is over the limit of an hour gets no letter, so nothing may be stored or ordered any more.
    assert calls == ["take", "take", "add_request", "order"][: 2 if who == "rate-limited" else 4]


@pytest.mark.parametrize("who", KINDS)
def test_a_wrong_code_gets_the_same_answer_after_the_same_calls_whoever_waits(
    deployment: Deployment, calls: list[str], who: str
) -> None:
    email = signed_up_as(deployment, who)
    token = deployment.waiting_token(deployment.sign_up(email=email))
    other = deployment.waiting_token(deployment.sign_up(email="somebody@example.com"))
    deployment.deliver()
    calls.clear()
    answers = [deployment.enter(token, "000000") for _ in range(6)]
    of_one = list(calls)
    calls.clear()
    # The network has used up its hour.
    deployment.clock.move(seconds=3600)
    others = [deployment.enter(other, "000000") for _ in range(6)]

    assert [alike(answer, email) for answer in answers] == [alike(answer, email) for answer in others]
    assert [answer.status for answer in answers] == [422] * 5 + [429]
    assert of_one == calls == ["take", "take_until"] * 6


def test_a_code_from_the_letter_leads_to_the_confirm_page_whose_button_gives_consent(deployment: Deployment) -> None:
    token, code = deployment.waiting("events")
    answer = deployment.enter(token, code)

    assert (answer.status, answer.body) == (303, "")
    assert answer.headers["location"] == f"/confirm/{deployment.link('confirm')}"
    assert answer.headers["cache-control"] == "no-store"
    assert deployment.kinds() == []
    assert deployment.confirm(answer.headers["location"].removeprefix("/confirm/")).status == 200
    assert deployment.check(topic="events").json["results"][0]["reason"] == "given"


@pytest.mark.parametrize(
    "written",
    [
        lambda code: code.replace(" ", ""),
        lambda code: code.replace(" ", "-"),
        lambda code: f"  {code}\r\n",
        lambda code: "".join(chr(0xFF10 + int(digit)) for digit in code.replace(" ", "")),
        lambda code: "".join(chr(0x0660 + int(digit)) for digit in code.replace(" ", "")),
        lambda code: " ".join(code.replace(" ", "")),
    ],
    ids=["together", "hyphen", "blanks", "full width", "arabic", "apart"],
)
def test_a_code_is_taken_however_it_is_written(deployment: Deployment, written: Any) -> None:
    token, code = deployment.waiting()

    assert deployment.enter(token, written(code)).status == 303


def test_a_wrong_code_shows_the_page_again_with_what_was_typed_and_what_to_do(deployment: Deployment) -> None:
    token, code = deployment.waiting()
    answer = deployment.enter(token, wrong(code))

    assert answer.status == 422
    assert f'value="{wrong(code)}"' in answer.text
    assert 'aria-invalid="true" aria-describedby="code-hint code-error"' in answer.text
    assert "open the link in it" in answer.text
    assert deployment.enter(token, code).status == 303


@pytest.mark.parametrize("typed", ["", "12345", "abc", "1" * 5_000, '"><script>alert(1)</script>'])
def test_what_is_no_code_is_told_and_counts_as_no_try(deployment: Deployment, typed: str) -> None:
    token, code = deployment.waiting()
    answers = [deployment.enter(token, typed) for _ in range(6)]

    assert {answer.status for answer in answers} == {422}
    assert "<script" not in answers[0].body
    assert "1111111111111111111111" not in answers[0].body
    assert deployment.enter(token, code).status == 303


def test_after_five_wrong_codes_only_the_link_works(deployment: Deployment) -> None:
    token, code = deployment.waiting()
    for by in range(1, 6):
        assert deployment.enter(token, wrong(code, by)).status == 422
    answer = deployment.enter(token, code)

    assert answer.status == 429
    assert "only the link in the e-mail works now" in answer.text
    assert "<form" not in answer.body
    deployment.clock.move(days=1)
    assert deployment.enter(token, code).status == 429
    assert deployment.confirm(deployment.link("confirm")).status == 200


def test_a_network_that_types_too_many_codes_is_asked_to_wait(deployment: Deployment) -> None:
    tokens = [deployment.waiting_token(deployment.sign_up(email=f"person-{number}@example.com")) for number in range(2)]
    answers = [deployment.enter(token, "000000") for token in tokens for _ in range(5)]

    assert [answer.status for answer in answers] == [422] * 8 + [429] * 2
    assert answers[9].headers["retry-after"] == "3600"


def test_the_page_can_be_opened_again_and_again_and_asks_for_nothing(deployment: Deployment, calls: list[str]) -> None:
    token, _ = deployment.waiting()
    calls.clear()
    answers = [deployment.page(name, token) for name in ("get-waiting", "head-waiting", "get-waiting")]

    assert [answer.status for answer in answers] == [200] * 3
    assert answers[0].body == answers[2].body
    assert f'action="/waiting/{token}"' in answers[0].text
    assert PEOPLE[0] not in answers[0].text
    assert calls == []


def test_a_page_that_waited_too_long_offers_a_new_sign_up(deployment: Deployment) -> None:
    token, code = deployment.waiting()
    deployment.clock.move(days=8)

    for answer in (deployment.page("get-waiting", token), deployment.enter(token, code)):
        assert answer.status == 410
        assert 'href="/subscribe"' in answer.text


def test_the_page_goes_on_in_the_language_of_the_form(deployment: Deployment) -> None:
    danish = {"queryStringParameters": {"lang": "da"}}
    form = re.search(r'name="form" value="([^"]+)"', deployment.page("get-subscribe", **danish).body)
    assert form
    deployment.clock.move(seconds=2)
    page = deployment.page("post-subscribe", form={"email": PEOPLE[0], "topic": "events", "form": form[1]})
    token = deployment.waiting_token(page)
    deployment.deliver()

    assert f'action="/waiting/{token}?lang=da"' in page.text
    assert "Eller indtast denne kode på den side, der venter på den:" in deployment.mailer.letters[-1].text
    assert "Kode fra e-mailen" in deployment.enter(token, "000000", **danish).text
    answer = deployment.enter(token, deployment.letter_code(), **danish)
    assert answer.headers["location"].endswith("?lang=da")


def test_the_subject_of_the_letter_does_not_show_the_code(deployment: Deployment) -> None:
    _, code = deployment.waiting()
    subject = deployment.mailer.letters[-1].subject

    assert code not in subject
    assert code.replace(" ", "") not in subject


def test_a_failing_table_means_try_again_(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    token, code = deployment.waiting()

    def unavailable(*_: object) -> None:
        raise UnavailableError("take from limit: ProvisionedThroughputExceededException")

    with monkeypatch.context() as patched:
        patched.setattr(deployment.limits, "take_until", unavailable)
        assert deployment.enter(token, code).status == 503
    assert deployment.enter(token, code).status == 303
