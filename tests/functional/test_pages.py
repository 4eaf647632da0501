"""The public pages, from event to answer."""

import base64
import hashlib
import html
import io
import json
import re
from collections.abc import Callable

import pytest

from builders import NAMES, PEOPLE, texts_that_are_no_address
from consent_center.domain.capability import Capability, RequestLink, WithdrawLink, seal_request, seal_withdrawal
from consent_center.domain.contact import ContactPoint, Keyring
from consent_center.domain.errors import UnavailableError
from consent_center.domain.policy import Policy
from deployment import Answer, Deployment
from shipped_policy import compiled


def without_tokens(answer: Answer) -> str:
    """The body with the token of each link replaced by its length."""
    return re.sub(r"v1\.k1\.[\w-]+\.[\w-]+", lambda token: f"token of {len(token[0])}", answer.text)


def stored(deployment: Deployment) -> tuple[int, ...]:
    subjects = deployment.subjects
    return len(subjects.requests), len(subjects.subjects), len(subjects.entry_of), len(subjects.profiles)


def test_signing_up_confirming_and_asking_gives_a_yes(deployment: Deployment) -> None:
    token = deployment.asked("product-news", "events")
    assert deployment.check(topic="events").json["results"][0]["reason"] == "pending"
    answer = deployment.confirm(token)

    assert answer.status == 200
    result = deployment.check(topic="events").json["results"][0]
    assert (result["allowed"], result["reason"]) == (True, "given")
    assert deployment.kinds() == ["given"]


def test_the_letter_carries_both_unsubscribe_headers_and_says_who_asks(deployment: Deployment) -> None:
    deployment.asked()

    letter = deployment.mailer.letters[0]
    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter.headers["List-Unsubscribe"].startswith("<https://consent.example.com/u/v1.k1.")
    assert (letter.sender_address, letter.to) == ("news@example.com", PEOPLE[0])
    assert "Fjordmeter A/S" in letter.text
    assert "Fjordmeter A/S" in html.unescape(letter.html)


@pytest.mark.parametrize(
    "name",
    [
        "get-confirm",
        "head-confirm",
        "get-waiting",
        "head-waiting",
        "get-not-me",
        "get-unsubscribe",
        "head-unsubscribe",
        "options-unsubscribe",
        "get-subscribe",
        "head-subscribe",
        "get-notice",
        "get-notice-changes",
        "head-notice-changes",
        "get-home",
        "get-nowhere",
    ],
)
def test_opening_a_page_changes_nothing(deployment: Deployment, name: str) -> None:
    waiting, _ = deployment.waiting()
    route = "not-me" if "not-me" in name else "u" if "unsubscribe" in name else "confirm"
    token = waiting if "waiting" in name else deployment.link(route)
    before = stored(deployment)
    deployment.subjects.calls.clear()
    deployment.page(name, token)

    assert stored(deployment) == before
    assert set(deployment.subjects.calls) <= {"load"}


def test_the_confirm_page_shows_what_is_stored_with_the_press(deployment: Deployment) -> None:
    plain = deployment.page("get-confirm", deployment.asked())
    full = deployment.page("get-confirm", deployment.asked(name="Ada <Lovelace>", company="Engines", interest=["heat"]))

    assert "What we store with it" not in plain.text
    assert "Ada &lt;Lovelace&gt;" in full.body
    assert "Engines" in full.text


def test_confirming_twice_shows_success_twice_and_writes_one_event(deployment: Deployment) -> None:
    token = deployment.asked()
    answers = [deployment.confirm(token), deployment.confirm(token)]

    assert [answer.status for answer in answers] == [200, 200]
    assert deployment.kinds() == ["given"]


def test_confirming_after_a_withdrawal_raises_nothing_and_offers_a_new_sign_up(deployment: Deployment) -> None:
    token = deployment.asked()
    deployment.confirm(token)
    deployment.page("post-one-click-base64", deployment.stop_link())
    answer = deployment.confirm(token)

    assert answer.status == 410
    assert "You unsubscribed on " in answer.text
    assert "Subscribe again" in answer.text
    assert deployment.check().json["results"][0]["reason"] == "withdrawn"


def test_a_request_that_ended_says_so(deployment: Deployment) -> None:
    token = deployment.asked()
    deployment.clock.move(days=8)

    assert deployment.page("get-confirm", token).status == 410
    answer = deployment.confirm(token)
    assert answer.status == 410
    assert "The time to confirm is over" in answer.text
    assert "Subscribe again" in answer.text
    assert deployment.kinds() == []


def test_an_old_link_after_everything_was_deleted_raises_nothing(deployment: Deployment) -> None:
    token = deployment.asked()
    deployment.confirm(token)
    for kept in (deployment.subjects.subjects, deployment.subjects.requests, deployment.subjects.profiles):
        kept.clear()
    answer = deployment.confirm(token)

    assert answer.status == 410
    assert "Subscribe again" in answer.text
    assert stored(deployment) == (0, 0, 1, 0), "the proof stays, and nobody has said yes again"
    assert deployment.check().json["results"][0]["reason"] == "no_record"


def test_this_was_not_me_cancels(deployment: Deployment) -> None:
    token = deployment.asked()
    not_me = deployment.link("not-me")

    assert deployment.page("get-not-me", not_me).status == 200
    assert deployment.page("get-confirm", token).status == 200
    assert deployment.page("post-not-me", not_me).status == 200
    assert deployment.confirm(token).status == 410


def test_this_was_not_me_stops_what_somebody_else_confirmed_and_says_so(deployment: Deployment) -> None:
    token = deployment.asked()
    deployment.confirm(token)
    answer = deployment.page("post-not-me", deployment.link("not-me"))

    assert "we have stopped that too" in answer.text
    assert deployment.check().json["results"][0]["reason"] == "withdrawn"


def test_one_click_on_the_confirmation_letter_says_that_the_request_is_cancelled(deployment: Deployment) -> None:
    deployment.asked()
    answers = [deployment.page("post-one-click-base64", deployment.link("u")) for _ in range(2)]

    assert all("The request is cancelled" in answer.text for answer in answers)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_pages_do_not_do_is_refused_with_what_they_do(deployment: Deployment, method: str) -> None:
    context = deployment.event("subscription_links/get-subscribe")["requestContext"]
    context["http"]["method"] = method
    answer = deployment.page("get-subscribe", requestContext=context)

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST, OPTIONS")


def test_a_form_that_is_too_large_is_refused(deployment: Deployment) -> None:
    assert deployment.sign_up("events", name="n" * 20_001).status == 413
    assert stored(deployment) == (0, 0, 0, 0)


def test_even_a_failing_error_page_keeps_personal_data_out_of_the_log(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(PEOPLE[0])

    monkeypatch.setattr(deployment.services.texts, "page", fail)
    assert deployment.page("get-subscribe").status == 500


def test_names_of_every_script_are_taken_and_tricks_are_not(deployment: Deployment) -> None:
    assert deployment.sign_up("events", name="می\u200cخواهم").status == 200
    assert deployment.sign_up("events", name="abc\u202edef").status == 422


def test_a_changed_text_is_shown_again_before_anybody_agrees(deployment: Deployment) -> None:
    token = deployment.asked()
    answer = deployment.page("post-confirm", token, form={"shown": "another text"})

    assert answer.status == 409
    assert 'name="shown"' in answer.body
    assert deployment.kinds() == []


@pytest.mark.parametrize(
    "name",
    [
        "post-one-click-urlencoded",
        "post-one-click-base64",
        "post-one-click-multipart",
        "post-one-click-empty",
        "post-one-click-odd",
    ],
)
def test_one_click_is_stored_answered_plainly_and_harmless_to_repeat(deployment: Deployment, name: str) -> None:
    deployment.confirm(deployment.asked())
    token = deployment.stop_link("events")

    for _ in range(2):
        answer = deployment.page(name, token)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
        assert answer.cookies == []
    assert deployment.kinds() == ["given", "withdrawn"]
    assert list(deployment.subjects.entry_of.values())[-1].body["source"] == "one-click"
    assert deployment.check(topic="product-news").json["results"][0]["allowed"]


def test_the_pages_own_button_is_told_from_a_mail_program(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())
    deployment.page("post-unsubscribe-page", deployment.stop_link())

    assert list(deployment.subjects.entry_of.values())[-1].body["source"] == "page"


@pytest.mark.parametrize("token", ["", "x", "v1.k1.x.y", "v1.k9.W10.AAAA", "%00", "ü" * 10, "v1." * 400])
@pytest.mark.parametrize(
    "name",
    [
        "post-one-click-base64",
        "get-unsubscribe",
        "get-confirm",
        "post-confirm",
        "post-not-me",
        "get-waiting",
        "post-waiting",
    ],
)
def test_a_link_that_is_not_ours_is_refused_and_names_where_to_write(
    deployment: Deployment, name: str, token: str
) -> None:
    answer = deployment.page(name, token or "-")

    assert answer.status == 400
    assert "stop@example.com" in answer.body
    assert stored(deployment) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "name", ["post-one-click-base64", "get-unsubscribe", "get-confirm", "post-confirm", "post-not-me"]
)
def test_a_link_that_another_organisation_has_sealed_is_refused(deployment: Deployment, name: str) -> None:
    keys = Keyring("k1", {"k1": b"links-of-somebody-else"})
    contact = ContactPoint("tonwerk", "email", "k1", "a" * 26)
    token = {
        "post-not-me": seal_withdrawal(WithdrawLink(contact, "dm"), keys, Capability.NOT_ME),
        "get-confirm": seal_request(RequestLink(contact, "request-1", 9_999_999_999), keys),
        "post-confirm": seal_request(RequestLink(contact, "request-1", 9_999_999_999), keys),
    }.get(name) or seal_withdrawal(WithdrawLink(contact, "dm"), keys)
    answer = deployment.page(name, token)

    assert answer.status == 400
    assert "stop@example.com" in answer.body
    assert stored(deployment) == (0, 0, 0, 0)


def test_a_link_made_for_one_page_opens_no_other(deployment: Deployment) -> None:
    confirm = deployment.asked()
    stop = deployment.link("u")

    assert deployment.page("post-one-click-base64", confirm).status == 400
    assert deployment.page("post-confirm", stop).status == 400
    assert deployment.page("post-not-me", confirm).status == 400
    assert deployment.page("get-waiting", confirm).status == 400
    assert deployment.enter(confirm, "123456").status == 400


@pytest.mark.parametrize("text", [text for text, _ in texts_that_are_no_address()])
def test_what_is_no_address_gets_the_form_again_with_what_was_typed(deployment: Deployment, text: str) -> None:
    answer = deployment.sign_up("events", email=text, name=NAMES[0])

    assert answer.status == 422
    assert f'value="{NAMES[0]}"' in answer.body
    assert 'aria-invalid="true"' in answer.body
    assert stored(deployment) == (0, 0, 0, 0)
    assert deployment.outbox.orders == []


def test_every_wrong_field_is_named_at_once(deployment: Deployment) -> None:
    answer = deployment.sign_up("no-such-topic", email="ada", name="n" * 201)

    assert answer.status == 422
    for name in ("email", "topic", "name"):
        assert f'href="#{name}' in answer.body


def test_a_form_that_was_filled_in_faster_than_people_can_is_shown_again(deployment: Deployment) -> None:
    token = deployment.form_token()
    deployment.clock.move(seconds=-2)
    answer = deployment.page("post-subscribe", form={"email": PEOPLE[0], "topic": "events", "form": token})

    assert answer.status == 422
    assert PEOPLE[0] in answer.body
    assert stored(deployment) == (0, 0, 0, 0)


@pytest.mark.parametrize("hours", [25, 24 * 365])
def test_a_form_that_stayed_open_too_long_is_shown_again(deployment: Deployment, hours: int) -> None:
    token = deployment.form_token()
    deployment.clock.move(seconds=hours * 3600)

    answer = deployment.page("post-subscribe", form={"email": PEOPLE[0], "topic": "events", "form": token})
    assert answer.status == 422


def test_a_forged_form_is_shown_again(deployment: Deployment) -> None:
    answer = deployment.page("post-subscribe", form={"email": PEOPLE[0], "topic": "events", "form": "v1.k1.x.y"})

    assert answer.status == 422
    assert stored(deployment) == (0, 0, 0, 0)


def test_a_form_on_another_site_leads_to_our_page_and_stores_nothing(deployment: Deployment) -> None:
    answer = deployment.page("post-subscribe", form={"email": PEOPLE[0], "topic": "events"})

    assert answer.status == 200
    assert PEOPLE[0] in answer.body
    assert stored(deployment) == (0, 0, 0, 0)


def test_known_and_unknown_addresses_get_the_same_answer(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())
    known = deployment.sign_up(email=PEOPLE[0])
    unknown = deployment.sign_up(email=PEOPLE[1])

    assert known.status == unknown.status == 200
    assert known.headers == unknown.headers
    assert without_tokens(known).replace(PEOPLE[0], "") == without_tokens(unknown).replace(PEOPLE[1], "")


def _withdrawn(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked())
    deployment.page("post-one-click-base64", deployment.stop_link())


def _objecting(deployment: Deployment) -> None:
    deployment.press(deployment.subscribed(), do="object", to="direct-marketing")


def _who_said_it_was_somebody_else(deployment: Deployment) -> None:
    deployment.asked()
    deployment.page("post-not-me", deployment.link("not-me"))


@pytest.mark.parametrize(
    "become",
    [
        Deployment.sign_up,
        Deployment.asked,
        Deployment.subscribed,
        _withdrawn,
        _objecting,
        _who_said_it_was_somebody_else,
    ],
    ids=["asked", "pending", "known", "withdrawn", "suppressed by an objection", "suppressed by not-me"],
)
def test_whoever_is_signed_up_gets_the_same_answer_after_the_same_calls(
    deployment: Deployment, become: Callable[[Deployment], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    become(deployment)
    calls = _every_call(deployment, monkeypatch)
    answers, of_each = [], []
    for email in PEOPLE[:2]:
        calls.clear()
        answer = deployment.sign_up(email=email)
        page = answer.body.replace(email, "-").replace(deployment.waiting_token(answer), "-")
        answers.append((answer.status, answer.headers, page))
        of_each.append(list(calls))

    assert answers[0] == answers[1]
    assert of_each[0] == of_each[1] == ["limits.take", "limits.take", "subjects.add_request", "outbox.order"]


def _every_call(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of every port that knows people, from now on and in their order."""
    calls: list[str] = []

    def noting(called: str, method: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            calls.append(called)
            return method(*arguments, **named)

        return call

    for port in ("subjects", "limits", "claims", "outbox", "mailer", "dead_letters"):
        fake = getattr(deployment, port)
        for name in dir(fake):
            if not name.startswith("_") and callable(getattr(fake, name)):
                monkeypatch.setattr(fake, name, noting(f"{port}.{name}", getattr(fake, name)))
    return calls


def test_an_address_over_its_limit_gets_the_same_answer(deployment: Deployment) -> None:
    answers = [deployment.sign_up() for _ in range(6)]

    assert {(answer.status, without_tokens(answer)) for answer in answers} == {(200, without_tokens(answers[0]))}
    assert len(deployment.outbox.orders) == 5


def test_a_network_over_its_limit_is_asked_to_wait(deployment: Deployment) -> None:
    answers = [deployment.sign_up(email=f"person-{number}@example.com") for number in range(9)]

    assert [answer.status for answer in answers] == [200] * 8 + [429]
    assert answers[8].headers["retry-after"] == "3600"
    assert "wait an hour" in answers[8].text


def test_this_was_not_me_says_for_how_long_no_letter_comes(deployment: Deployment) -> None:
    deployment.asked()

    assert "For 7 days" in deployment.page("post-not-me", deployment.link("not-me")).text


def test_hostile_input_is_shown_as_text(deployment: Deployment) -> None:
    answer = deployment.sign_up("events", email="ada", name='"><script>alert(1)</script>')

    assert "<script" not in answer.body


def test_a_refusing_queue_means_try_again(deployment: Deployment) -> None:
    deployment.outbox.refuses = True
    answer = deployment.sign_up()

    assert answer.status == 503
    assert answer.headers["retry-after"]


def test_a_failing_table_means_try_again(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    token = deployment.asked()

    def unavailable(*_: object) -> None:
        raise UnavailableError("load: ProvisionedThroughputExceededException")

    monkeypatch.setattr(deployment.subjects, "load", unavailable)
    assert deployment.page("get-confirm", token).status == 503
    assert deployment.page("post-one-click-base64", deployment.link("u")).status == 503


def test_an_unexpected_failure_is_a_page_and_its_text_stays_out_of_the_log(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, printed: io.StringIO
) -> None:
    token = deployment.asked()

    def fail(*_: object) -> None:
        raise ValueError(f"no such item: {PEOPLE[0]}")

    monkeypatch.setattr(deployment.subjects, "load", fail)
    answer = deployment.page("get-confirm", token)

    assert answer.status == 500
    assert PEOPLE[0] not in answer.body
    logged = [json.loads(line) for line in printed.getvalue().splitlines()]
    assert any(line.get("exception_name") == "ValueError" and "confirm.py" in line["exception"] for line in logged)


@pytest.mark.parametrize(
    "name", ["get-subscribe", "get-notice", "get-notice-version", "get-notice-changes", "get-home", "get-nowhere"]
)
def test_every_page_is_closed_to_scripts_frames_caches_and_search_engines(deployment: Deployment, name: str) -> None:
    headers = deployment.page(name).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "noindex" in headers["x-robots-tag"]
    assert "set-cookie" not in headers


def test_the_style_is_exactly_the_one_that_the_policy_header_allows(deployment: Deployment) -> None:
    answer = deployment.page("get-subscribe")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]


def test_a_page_that_does_not_exist_is_a_page(deployment: Deployment) -> None:
    answer = deployment.page("get-nowhere")

    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_an_unknown_notice_is_not_found(deployment: Deployment) -> None:
    event_path = {"rawPath": "/notice/1999-01-01", "pathParameters": {"version": "1999-01-01"}}

    assert deployment.page("get-notice-version", **event_path).status == 404


def test_the_notice_in_force_names_the_controller_and_the_authority(deployment: Deployment) -> None:
    body = deployment.page("get-notice").text

    for part in ("Fjordmeter A/S", "Datatilsynet", "Astrid Holm"):
        assert part in body


def changes(deployment: Deployment, version: str, **query: str) -> Answer:
    return deployment.page(
        "get-notice-changes",
        rawPath=f"/notice/{version}/changes",
        pathParameters={"version": version},
        queryStringParameters=query,
    )


def test_the_page_of_what_changed_marks_what_went_and_what_came(deployment: Deployment) -> None:
    body = changes(deployment, "2026-11-22").body

    assert re.search(r"<del>.*2026-11-01\.</del> <ins>.*2026-11-22\.</ins>", body)
    assert "Nothing is done differently." in body
    assert "never widens a consent" in body


def test_what_changed_is_told_in_the_language_that_both_editions_have_and_marked_as_such(
    deployment: Deployment,
) -> None:
    answer = changes(deployment, "2026-11-22", lang="da")

    assert "De sammenlignes på dette sprog: English." in answer.text
    assert '<span lang="en">Changes to this notice</span>' in answer.body
    assert 'href="/notice/2026-11-22?lang=da"' in html.unescape(answer.body)


def test_the_first_edition_has_nothing_to_be_compared_with(deployment: Deployment) -> None:
    answer = changes(deployment, "2026-11-01")

    assert answer.status == 200
    assert "is the first" in answer.text


@pytest.mark.parametrize(
    ("version", "query"),
    [
        ("1999-01-01", {}),
        ("2026-11-22", {"since": "1999-01-01"}),
        ("2026-11-22", {"since": "../policy"}),
        ("2026-11-01", {"since": "2026-11-22"}),
    ],
)
def test_a_comparison_with_an_unknown_or_younger_edition_is_not_found(
    deployment: Deployment, version: str, query: dict[str, str]
) -> None:
    assert changes(deployment, version, **query).status == 404


def test_each_edition_but_the_first_leads_to_what_changed(deployment: Deployment) -> None:
    body = html.unescape(deployment.page("get-notice").body)

    assert set(re.findall(r'href="(/notice/[^"]+/changes)"', body)) == {
        f"/notice/2026-11-{day}/changes" for day in (22, 25)
    }


def test_only_pages_of_a_brand_with_a_logo_may_show_pictures_that_lie_in_them(deployment: Deployment) -> None:
    before = deployment.page("get-subscribe").headers["content-security-policy"]
    document = json.loads((compiled() / "consent_policy/policy.json").read_text())
    document["brands"][0]["logo"] = {"url": "data:image/svg+xml,%3Csvg/%3E", "width": 9, "height": 9}
    deployment.services.policy = Policy(document)
    page = deployment.page("get-subscribe")

    assert "img-src 'self';" in before
    assert "img-src 'self' data:;" in page.headers["content-security-policy"]
    assert 'alt="Fjordmeter" width="9" height="9"' in page.body
