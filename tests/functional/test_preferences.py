"""The preference pages: real events into the real handler."""

import re
from typing import Any

import pytest

from builders import PEOPLE
from consent_center.domain.capability import LetterLink, seal_letter
from consent_center.domain.errors import UnavailableError
from deployment import Answer, Deployment

LETTERS = "direct-marketing-email"


@pytest.fixture
def token(deployment: Deployment) -> str:
    return deployment.subscribed()


def reasons(deployment: Deployment, *topics: str) -> list[str]:
    return [deployment.check(topic=topic).json["results"][0]["reason"] for topic in topics]


def field(page: Answer, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.body)
    assert found, f"the page has no {name}"
    return found[1]


def test_the_page_shows_the_person_what_they_receive(deployment: Deployment, token: str) -> None:
    page = deployment.preferences("get-preferences", token)

    assert page.status == 200
    for words in ("Product news", "Events and fairs", "Knowledge and cases", PEOPLE[0]):
        assert words in page.text
    assert page.headers["content-language"] == "en"


def test_every_button_does_one_thing_and_leads_to_a_page_that_says_so(deployment: Deployment, token: str) -> None:
    answer = deployment.preferences(
        "post-preferences", token, form={"do": "stop", "purpose": LETTERS, "topic": "events"}
    )

    assert answer.status == 303
    assert answer.headers["location"].startswith(f"/preferences/{token}?done=v1.")
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    page = deployment.press(token, do="stop", purpose=LETTERS, topic="product-news")
    assert "“Product news” stops now." in page.text
    assert reasons(deployment, "events", "product-news") == ["withdrawn", "withdrawn"]


def test_reloading_the_page_after_a_press_does_nothing_again(deployment: Deployment, token: str) -> None:
    answer = deployment.preferences("post-preferences", token, form={"do": "stop_everything"})
    query = {"done": answer.headers["location"].partition("done=")[2]}
    for _ in range(3):
        deployment.preferences("get-preferences", token, queryStringParameters=query)

    assert deployment.kinds() == ["given", "withdrawn"]


def test_the_undo_button_restores_what_was_there(deployment: Deployment, token: str) -> None:
    page = deployment.press(token, do="stop_everything")
    assert reasons(deployment, "events") == ["withdrawn"]
    page = deployment.press(token, do="undo", done=field(page, "done"))

    assert "everything is as it was before" in page.text
    assert reasons(deployment, "events", "product-news") == ["given", "given"]
    assert 'name="done"' not in page.body, "what was undone is not offered to be undone"


def test_an_undo_that_comes_too_late_says_so(deployment: Deployment, token: str) -> None:
    page = deployment.press(token, do="stop_everything")
    done = field(page, "done")
    deployment.clock.move(seconds=15 * 60)

    assert "cannot be undone any more" in deployment.press(token, do="undo", done=done).text
    assert reasons(deployment, "events") == ["withdrawn"]


def test_what_undoes_one_persons_press_is_refused_for_another(deployment: Deployment, token: str) -> None:
    done = field(deployment.press(token, do="stop_everything"), "done")
    deployment.confirm(deployment.asked(email=PEOPLE[1]))
    other = deployment.manage_token(PEOPLE[1])
    before = deployment.kinds()
    answer = deployment.preferences("post-preferences", other, form={"do": "undo", "done": done})

    assert answer.status == 400
    assert "stop@example.com" in answer.text
    assert deployment.kinds() == before
    assert reasons(deployment, "events") == ["withdrawn"]


def test_starting_a_topic_sends_the_letter_and_says_so(deployment: Deployment, token: str) -> None:
    page = deployment.press(token, do="start", purpose=LETTERS, topic="surveys")

    assert "We have sent you an e-mail about “Surveys”" in page.text
    assert reasons(deployment, "surveys") == ["no_record"]
    assert deployment.deliver() == {"batchItemFailures": []}
    deployment.clock.move(seconds=1)
    assert deployment.confirm(deployment.link("confirm")).status == 200
    assert reasons(deployment, "surveys", "events") == ["given", "given"]


@pytest.mark.parametrize("to", ["direct-marketing", "profiling"])
def test_an_objection_takes_effect_at_once_and_can_be_taken_back(deployment: Deployment, token: str, to: str) -> None:
    page = deployment.press(token, do="object", to=to)
    assert "We stop now, and you need give no reason." in page.text
    assert deployment.kinds()[-1] == "objected"
    assert (reasons(deployment, "events") == ["objected"]) == (to == "direct-marketing")

    page = deployment.press(token, do="allow", to=to)
    assert "Your objection is taken back." in page.text
    assert deployment.kinds()[-1] == "lifted"


def test_pause_and_frequency_are_set_and_ended(deployment: Deployment, token: str) -> None:
    deployment.press(token, do="pause", purpose=LETTERS, period="1.0")
    assert reasons(deployment, "events") == ["paused"]
    deployment.press(token, do="pause", purpose=LETTERS, period="")
    assert reasons(deployment, "events") == ["given"]
    page = deployment.press(token, do="fewer", purpose=LETTERS, period="3.0")
    assert "How often you get “News by e-mail” is changed." in page.text


def test_what_one_person_chose_stands_on_no_page_of_another(deployment: Deployment, token: str) -> None:
    def chosen(page: Answer) -> list[str]:
        return re.findall(r'name="period" value="([^"]*)" aria-current="true"', page.body)

    def offered(page: Answer) -> list[str]:
        return re.findall(r'name="do" value="(\w+)">\s*<input [^>]*value="statistics">', page.body)

    deployment.confirm(deployment.asked(email=PEOPLE[1]))
    other = deployment.manage_token(PEOPLE[1])
    deployment.press(token, do="fewer", purpose=LETTERS, period="3.0")
    mine = deployment.press(token, do="object", to="statistics")
    theirs = deployment.preferences("get-preferences", other)

    assert (chosen(mine), chosen(theirs)) == (["3.0"], [""])
    assert (offered(mine), offered(theirs)) == (["allow"], ["object"])


@pytest.mark.parametrize("language", ["da", "nb", "de"])
def test_the_language_is_kept_for_letters_and_pages(deployment: Deployment, token: str, language: str) -> None:
    page = deployment.press(token, do="language", language=language)
    assert page.headers["content-language"] == language

    assert deployment.preferences("get-preferences", token).headers["content-language"] == language
    deployment.manage_token()
    assert f"lang={language}" in deployment.mailer.letters[-1].text


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"do": "fly"},
        {"do": "stop"},
        {"do": "stop", "purpose": "no-such-purpose"},
        {"do": "stop", "purpose": LETTERS, "topic": "no-such-topic"},
        {"do": "start", "purpose": LETTERS, "topic": "no-such-topic"},
        {"do": "object", "to": LETTERS},
        {"do": "allow", "to": "nothing"},
        {"do": "pause", "purpose": LETTERS, "period": "99.0"},
        {"do": "fewer", "purpose": LETTERS, "period": "x"},
        {"do": "language", "language": "tlh"},
        {"do": "start", "purpose": "site-tracking"},
    ],
)
def test_a_choice_that_does_not_exist_is_refused_and_changes_nothing(
    deployment: Deployment, token: str, form: dict[str, Any]
) -> None:
    answer = deployment.preferences("post-preferences", token, form=form)

    assert answer.status == 422
    assert "That choice no longer exists. Nothing was changed." in answer.text
    assert deployment.kinds() == ["given"]


def test_a_form_of_half_a_book_is_refused_and_changes_nothing(deployment: Deployment, token: str) -> None:
    form = {"do": "stop", "purpose": LETTERS, "topic": "events" * 5_000}
    answer = deployment.preferences("post-preferences", token, form=form)

    assert answer.status == 413
    assert deployment.kinds() == ["given"]


@pytest.mark.parametrize("did", ["everything", "stopped", "objected", "<b>", "undone"])
def test_an_address_cannot_make_the_page_say_what_was_not_done(deployment: Deployment, token: str, did: str) -> None:
    page = deployment.preferences("get-preferences", token, rawQueryString="", queryStringParameters={"did": did})

    assert page.status == 200
    assert 'role="status"' not in page.body


@pytest.mark.parametrize("name", ["get-preferences", "post-preferences", "get-history"])
def test_a_link_that_is_not_ours_is_refused(deployment: Deployment, token: str, name: str) -> None:
    withdraw = deployment.stop_link()
    for wrong in (token[:-2], token[:-1] + ("A" if token[-1] != "A" else "B"), "x", withdraw):
        answer = deployment.preferences(name, wrong)
        assert answer.status == 400
        assert "stop@example.com" in answer.text
    assert deployment.kinds() == ["given"]


@pytest.mark.parametrize("name", ["get-preferences", "post-preferences", "get-history"])
def test_a_link_that_is_too_old_offers_a_new_one_without_typing(deployment: Deployment, token: str, name: str) -> None:
    deployment.clock.move(seconds=3600)
    answer = deployment.preferences(name, token)

    assert answer.status == 410
    assert field(answer, "link") == token
    assert deployment.preferences("post-lost-link", form={"link": token}).status == 200
    deployment.deliver()
    assert deployment.preferences("get-preferences", deployment.link("preferences")).status == 200
    assert deployment.kinds() == ["given"]


def test_an_unsubscribe_link_can_be_swapped_for_a_letter_and_for_nothing_else(
    deployment: Deployment, token: str
) -> None:
    letters = len(deployment.mailer.letters)
    answer = deployment.preferences("post-lost-link", form={"link": deployment.stop_link()})

    assert answer.status == 200
    assert PEOPLE[0] not in answer.text
    deployment.deliver()
    assert len(deployment.mailer.letters) == letters + 1
    assert deployment.mailer.letters[-1].to == PEOPLE[0]
    assert deployment.preferences("post-lost-link", form={"link": "v1.k1.x.y"}).status == 400


def test_known_and_unknown_addresses_get_the_same_answer_after_the_same_calls(
    deployment: Deployment, token: str
) -> None:
    answers, calls = [], []
    for email in (PEOPLE[0], "grace.hopper@example.org"):
        deployment.subjects.calls.clear()
        answer = deployment.preferences("post-lost-link", form={"email": email})
        answers.append((answer.status, answer.text.replace(email, "-"), answer.headers))
        calls.append((list(deployment.subjects.calls), len(deployment.outbox.orders)))
    assert answers[0] == answers[1]
    # Before them: the orders of the sign-up, of its receipt, and of the link that the test has.
    assert calls == [([], 4), ([], 5)]
    letters = len(deployment.mailer.letters)
    deployment.deliver()
    assert len(deployment.mailer.letters) == letters + 1, "somebody unknown gets no letter"


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "l" * 300 + "@example.com", "ada@example.com\r\nBcc: x@example.com"]
)
def test_what_is_no_address_is_named_and_kept(deployment: Deployment, email: str) -> None:
    answer = deployment.preferences("post-lost-link", form={"email": email})

    assert answer.status == 422
    assert 'id="email-error"' in answer.body
    assert deployment.outbox.orders == []


def test_one_network_cannot_ask_for_ever(deployment: Deployment) -> None:
    answers = [
        deployment.preferences("post-lost-link", form={"email": f"person-{number}@example.com"}).status
        for number in range(9)
    ]

    assert answers == [200] * 8 + [429]


def test_a_busy_database_is_a_page_that_says_try_again(deployment: Deployment, token: str) -> None:
    deployment.outbox.refuses = True
    for answer in (
        deployment.preferences("post-lost-link", form={"email": PEOPLE[0]}),
        deployment.preferences("post-preferences", token, form={"do": "start", "purpose": LETTERS, "topic": "surveys"}),
    ):
        assert (answer.status, answer.headers["retry-after"]) == (503, "30")


@pytest.mark.parametrize("page", ["lost-link", "preferences", "history", "why"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_a_page_changes_nothing(deployment: Deployment, token: str, method: str, page: str) -> None:
    link = seal_letter(
        LetterLink(next(iter(deployment.subjects.subjects)), "dm", ("ev",), 1, deployment.clock()),
        deployment.services.secrets.links(),
    )
    before = (dict(deployment.subjects.subjects), dict(deployment.limits.used), list(deployment.outbox.orders))
    deployment.subjects.calls.clear()
    answer = deployment.preferences(f"{method}-{page}", link if page == "why" else token)

    assert answer.status == 200
    assert (dict(deployment.subjects.subjects), dict(deployment.limits.used), list(deployment.outbox.orders)) == before
    assert set(deployment.subjects.calls) <= {"load", "holdings"}


def test_the_history_shows_every_event_with_the_words_agreed_to(deployment: Deployment, token: str) -> None:
    deployment.press(token, do="stop", purpose=LETTERS, topic="events")
    page = deployment.preferences("get-history", token)

    assert page.text.count("You said yes") == 1
    assert page.text.count("You stopped") == 1
    assert "Yes, Fjordmeter may send me marketing by e-mail about: Product news, Events and fairs." in page.text


def test_the_page_of_somebody_who_is_gone_says_that_nothing_is_held(deployment: Deployment, token: str) -> None:
    deployment.subjects.subjects.clear()
    deployment.subjects.profiles.clear()

    assert deployment.preferences("get-preferences", token).status == 410
    assert deployment.preferences("get-history", token).status == 410
    assert deployment.press(token, do="stop_everything").status in (200, 410)


def test_why_explains_the_letter_and_names_nobody(deployment: Deployment, token: str) -> None:
    link = seal_letter(
        LetterLink(next(iter(deployment.subjects.subjects)), "dm", ("ev",), 1, deployment.clock()),
        deployment.services.secrets.links(),
    )
    page = deployment.preferences("get-why", link)

    assert page.status == 200
    assert "Events and fairs" in page.text
    assert "Your consent" in page.text
    assert PEOPLE[0] not in page.text
    assert deployment.preferences("get-why", link[:-1]).status == 400


def test_pages_carry_the_strict_headers_and_no_cookie(deployment: Deployment, token: str) -> None:
    page = deployment.preferences("get-preferences", token)

    assert page.cookies == []
    assert "set-cookie" not in page.headers
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.headers["cache-control"] == "no-store"


def test_the_unsubscribe_page_says_what_still_comes_and_undoes(deployment: Deployment, token: str) -> None:
    link = deployment.stop_link("events")
    page = deployment.page("post-unsubscribe-page", link)
    assert "Product news" in page.text

    undo = {"do": "undo", "done": field(page, "done")}
    assert deployment.page("post-unsubscribe-page", link, form=undo).status == 200
    assert reasons(deployment, "events") == ["given"]
    deployment.page("post-unsubscribe-page", link)
    assert deployment.page("post-unsubscribe-page", link, form=undo).status == 409
    assert reasons(deployment, "events") == ["withdrawn"]


def test_everything_can_be_stopped_from_the_unsubscribe_page(deployment: Deployment, token: str) -> None:
    link = deployment.stop_link("events")
    deployment.page("post-unsubscribe-page", link)
    page = deployment.page("post-unsubscribe-page", link, form={"do": "everything", "by": "page"})

    assert page.status == 200
    assert reasons(deployment, "events", "product-news") == ["withdrawn", "withdrawn"]


def test_a_reason_is_counted_and_kept_about_nobody(deployment: Deployment, token: str) -> None:
    link = deployment.stop_link("events")
    deployment.page("post-unsubscribe-page", link)
    events, stored = deployment.kinds(), repr(deployment.subjects.subjects)
    page = deployment.page("post-unsubscribe-page", link, form={"do": "reason", "reason": "too_many"})

    assert page.status == 200
    assert deployment.kinds() == events
    assert repr(deployment.subjects.subjects) == stored
    ((cell, number),) = deployment.statistics.numbers.items()
    assert (cell[1:], number) == (("stopped_too_many", "fjordmeter", "fjordmeter", LETTERS, "page", "en"), 1)
    assert deployment.page("post-unsubscribe-page", "x", form={"do": "reason", "reason": "other"}).status == 400


def test_a_link_answers_once_however_often_the_page_is_sent_again(
    deployment: Deployment, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    link = deployment.stop_link("events")
    capsys.readouterr()
    for reason in ("never_asked", "never_asked", "other"):
        page = deployment.page("post-unsubscribe-page", link, form={"do": "reason", "reason": reason})
        assert "Your answer is counted" in page.text

    assert [(cell.measure, number) for cell, number in deployment.statistics.numbers.items()] == [
        ("stopped_never_asked", 1)
    ]
    said = capsys.readouterr().out
    assert said.count('"ReasonNeverAsked":[1.0]') == 1
    assert "ReasonOther" not in said


@pytest.mark.parametrize("reason", ["", "too_many ", "because ada@example.org wrote to me"])
def test_what_is_no_answer_of_ours_is_counted_nowhere(deployment: Deployment, token: str, reason: str) -> None:
    page = deployment.page(
        "post-unsubscribe-page", deployment.stop_link("events"), form={"do": "reason", "reason": reason}
    )

    assert "No answer was chosen" in page.text
    assert not deployment.statistics.numbers


def test_an_answer_that_cannot_be_counted_is_not_called_counted(deployment: Deployment, token: str) -> None:
    deployment.statistics.fails_with = UnavailableError("count")
    page = deployment.page(
        "post-unsubscribe-page", deployment.stop_link("events"), form={"do": "reason", "reason": "other"}
    )

    assert page.status == 503
    assert "Your answer is counted" not in page.text


def test_a_one_click_withdrawal_sends_no_letter(deployment: Deployment, token: str) -> None:
    orders = len(deployment.outbox.orders)
    deployment.page("post-one-click-base64", deployment.stop_link("events"))

    assert len(deployment.outbox.orders) == orders
