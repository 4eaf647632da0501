"""Rights requests from the person's side: real events into the real handlers, from the page to the letters."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders import PEOPLE
from consent_center.domain.capability import RightsLink, StatusLink, seal_rights, seal_status
from consent_center.domain.case import CaseState, Pause, Right
from consent_center.domain.contact import ContactPoint
from consent_center.domain.errors import UnavailableError
from consent_center.domain.lock import locks_of
from deployment import Answer, Deployment

WORDS = "My name is <b>Ada</b>, not Eda. Zyzzyva."
"""What somebody wrote: markup, and a word that stands nowhere else."""

ALL = [right.value for right in Right]


def form_token(deployment: Deployment) -> str:
    token = re.search(r'name="form" value="([^"]+)"', deployment.preferences("rights-get").body)
    assert token
    deployment.clock.move(seconds=5)
    return token[1]


def ask(deployment: Deployment, right: str = "access", email: str = PEOPLE[0], **fields: Any) -> Answer:
    """Fill in the form for whoever comes without a link."""
    words = {"details": WORDS} if right in ("rectification", "complaint") else {}
    form = {"form": form_token(deployment), "type": right, "email": email, **words, **fields}
    return deployment.preferences("rights-post", form=form)


def send_letters(deployment: Deployment) -> None:
    """Let the worker look at what was ordered, and the letters go out."""
    deployment.look()
    deployment.case_orders.orders.clear()
    assert deployment.deliver() == {"batchItemFailures": []}
    deployment.outbox.orders.clear()


def asked(deployment: Deployment, right: str = "access", email: str = PEOPLE[0], **fields: Any) -> str:
    """Ask, get the letter, and take the link out of it that proves the mailbox."""
    assert ask(deployment, right, email, **fields).status == 200
    send_letters(deployment)
    return deployment.link("rights/verify")


def press(deployment: Deployment, token: str) -> Answer:
    return deployment.preferences("rights-post-verify", token, form={})


def proved(deployment: Deployment, right: str = "access", email: str = PEOPLE[0], **fields: Any) -> str:
    """The token of the status page, once the mailbox is proved."""
    answer = press(deployment, asked(deployment, right, email, **fields))
    assert answer.status == 303
    return answer.headers["location"].removeprefix("/rights/status/")


def case_of(deployment: Deployment, right: str = "access", contact: ContactPoint | None = None) -> Any:
    found = [file.case for file in deployment.cases.files.values() if file.case.right == right]
    return next(case for case in found if contact in (None, case.contact))


def status(deployment: Deployment, token: str) -> Answer:
    return deployment.preferences("rights-get-status", token)


def reason(deployment: Deployment) -> str:
    return str(deployment.check(topic="events").json["results"][0]["reason"])


def test_the_page_explains_every_kind_and_says_that_it_is_free_and_by_when(deployment: Deployment) -> None:
    page = deployment.preferences("rights-get")

    assert page.status == 200
    for right in ALL:
        assert f'name="type" value="{right}"' in page.body
    assert "free of charge" in page.text
    assert re.search(r"You have our answer by \d+ \w+ \d{4} at the latest", page.text)
    assert not re.search(r"<input[^>]* checked", page.body)


@pytest.mark.parametrize("right", ALL)
def test_a_request_leads_from_the_page_over_the_mailbox_to_its_status(deployment: Deployment, right: str) -> None:
    deployment.subscribed()
    token = asked(deployment, right)
    page = deployment.preferences("rights-get-verify", token)
    assert page.status == 200
    assert case_of(deployment, right).state is CaseState.UNPROVEN, "opening the link proves nothing"

    answer = press(deployment, token)
    send_letters(deployment)
    shown = status(deployment, answer.headers["location"].removeprefix("/rights/status/"))
    case = case_of(deployment, right)
    assert shown.status == 200
    assert case.state is not CaseState.UNPROVEN
    assert case.number in shown.text
    assert "We know that it was you" in shown.text
    letter = deployment.mailer.letters[-1]
    assert "We have your request" in letter.subject
    assert case.number in letter.text
    for told in ("at the latest", "free of charge", "complain to", "go to court", "/rights/status/"):
        assert told in " ".join(letter.text.split())


@pytest.mark.parametrize(
    ("right", "state"),
    [
        ("access", CaseState.RUNNING),
        ("portability", CaseState.RUNNING),
        ("objection", CaseState.RUNNING),
        ("erasure", CaseState.COOLING_OFF),
        ("rectification", CaseState.WITH_STAFF),
        ("complaint", CaseState.WITH_STAFF),
        ("restriction", CaseState.WITH_STAFF),
    ],
)
def test_what_comes_after_the_proof_depends_on_the_right(deployment: Deployment, right: str, state: CaseState) -> None:
    deployment.subscribed()
    proved(deployment, right)

    assert case_of(deployment, right).state is state


@pytest.mark.parametrize(
    ("right", "stopped"), [("erasure", "restricted"), ("restriction", "restricted"), ("objection", "objected")]
)
def test_what_is_asked_stops_the_moment_it_is_proved_and_not_before(
    deployment: Deployment, right: str, stopped: str
) -> None:
    deployment.subscribed()
    token = asked(deployment, right)
    assert reason(deployment) == "given"

    press(deployment, token)
    assert reason(deployment) == stopped


def test_taking_an_erasure_back_restores_exactly_what_was_there(deployment: Deployment) -> None:
    deployment.subscribed()
    (contact,) = [subject.contact for subject in deployment.subjects.subjects.values()]
    before = deployment.subjects.load(contact).subject
    token = proved(deployment, "erasure")
    assert "until" in status(deployment, token).text
    assert reason(deployment) == "restricted"

    answer = deployment.preferences("rights-post-status", token)
    after = deployment.subjects.load(contact).subject
    assert answer.status == 303
    assert reason(deployment) == "given"
    assert (after.decided, after.locks, after.preferences) == (before.decided, before.locks, before.preferences)
    send_letters(deployment)
    assert "taken back" in deployment.mailer.letters[-1].subject
    assert "taken back" in status(deployment, token).text


def test_taking_it_back_twice_is_success_twice_and_lifts_what_a_kill_left_behind(deployment: Deployment) -> None:
    deployment.subscribed()
    token = proved(deployment, "erasure")
    kept = deployment.subjects.commit
    deployment.subjects.commit = _unavailable  # type: ignore[method-assign]
    assert deployment.preferences("rights-post-status", token).status == 503
    deployment.subjects.commit = kept  # type: ignore[method-assign]
    assert reason(deployment) == "restricted"

    assert deployment.preferences("rights-post-status", token).status == 303
    assert reason(deployment) == "given"
    (file,) = deployment.cases.files.values()
    assert [line.what for line in file.log].count("cancelled") == 1


def _unavailable(*_: object, **__: object) -> None:
    raise UnavailableError("down")


def test_the_page_asks_what_staff_asked_last_and_says_until_when_it_can_be_proved(deployment: Deployment) -> None:
    token = proved(deployment, "complaint")
    case = case_of(deployment, "complaint")
    waits = case.moved(CaseState.WITH_PERSON, outcome={"question": "Question two"})
    deployment.cases.commit(replace(waits, pause=Pause("Question one", 1, 2)), [])
    assert "Question two" in status(deployment, token).text
    assert "Question one" not in status(deployment, token).text

    asked(deployment, "access")
    unproven = case_of(deployment)
    late = replace(unproven, answer_by="2020-01-31", strict_answer_by="2020-01-31")
    deployment.cases.commit(late, [])
    keys = deployment.services.secrets.links()
    page = status(deployment, seal_status(StatusLink(unproven.contact, unproven.id), keys))
    assert "ends by itself on" in page.text
    assert "ends by itself on 31 January 2020" not in page.text


def test_what_is_carried_out_already_cannot_be_taken_back(deployment: Deployment) -> None:
    deployment.subscribed()
    token = proved(deployment, "access")
    answer = deployment.preferences("rights-post-status", token)

    assert answer.status == 409
    assert "cannot be taken back any more" in answer.text
    assert "Take the request back" not in answer.text
    assert case_of(deployment).state is CaseState.RUNNING


def test_a_post_that_asks_for_nothing_changes_nothing(deployment: Deployment) -> None:
    deployment.subscribed()
    token = proved(deployment, "erasure")

    assert deployment.preferences("rights-post-status", token, form={}).status == 200
    assert case_of(deployment, "erasure").state is CaseState.COOLING_OFF


def test_the_link_in_the_letter_proves_once(deployment: Deployment) -> None:
    token = asked(deployment)
    assert press(deployment, token).status == 303

    for answer in (press(deployment, token), deployment.preferences("rights-get-verify", token)):
        assert answer.status == 410
        assert "You pressed this link before" in answer.text
    (file,) = deployment.cases.files.values()
    assert [line.what for line in file.log].count("proved") == 1


def test_a_link_of_a_request_that_was_taken_back_proves_nothing(deployment: Deployment) -> None:
    token = asked(deployment, "erasure")
    assert deployment.preferences("rights-post-status", deployment.link("rights/status")).status == 303

    answer = press(deployment, token)
    assert answer.status == 410
    assert "taken back" in answer.text
    assert case_of(deployment, "erasure").state is CaseState.CANCELLED


def test_a_link_ends_with_the_day_to_answer_by(deployment: Deployment) -> None:
    token = asked(deployment)
    deployment.clock.move(days=40)

    for answer in (press(deployment, token), deployment.preferences("rights-get-verify", token)):
        assert answer.status == 410
        assert "no longer valid" in answer.text


def test_a_case_whose_file_is_gone_says_so(deployment: Deployment) -> None:
    token = proved(deployment)
    deployment.cases.files.clear()

    answer = status(deployment, token)
    assert answer.status == 410
    assert "no longer keep" in answer.text


def test_a_stranger_is_answered_too(deployment: Deployment) -> None:
    token = proved(deployment, "access", PEOPLE[2])

    assert case_of(deployment).state is CaseState.RUNNING
    assert case_of(deployment).chain is None
    assert status(deployment, token).status == 200


def test_known_and_unknown_addresses_get_the_same_answer_after_the_same_calls(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.subscribed()
    calls = _every_call(deployment, monkeypatch)
    answers, of_each = [], []
    for email in PEOPLE[:2]:
        token = form_token(deployment)
        calls.clear()
        answer = deployment.preferences("rights-post", form={"form": token, "type": "access", "email": email})
        answers.append((answer.status, answer.headers, answer.body.replace(email, "-"), answer.cookies))
        of_each.append(list(calls))

    assert answers[0] == answers[1]
    assert of_each[0] == of_each[1]
    # Of the person's record only what they ask from is read, once; the rest is how the fake does that.
    of_ports = [call for call in of_each[0] if not call.startswith("subjects.") or call == "subjects.load"]
    assert of_ports == [
        *("limits.take", "limits.take", "particulars.keep", "subjects.load", "cases.add", "case_orders.order")
    ]


def test_asking_again_gets_the_same_answer_and_makes_no_second_case(deployment: Deployment) -> None:
    answers = [ask(deployment) for _ in range(3)]

    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert len(deployment.cases.files) == 1
    assert len(deployment.particulars.kept) == 1
    send_letters(deployment)
    assert len(deployment.mailer.letters) == 1


def _every_call(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []

    def noting(called: str, method: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            calls.append(called)
            return method(*arguments, **named)

        return call

    for port in ("subjects", "limits", "claims", "outbox", "mailer", "cases", "particulars", "case_orders"):
        fake = getattr(deployment, port)
        for name in dir(fake):
            if not name.startswith("_") and callable(getattr(fake, name)) and name != "clock":
                monkeypatch.setattr(fake, name, noting(f"{port}.{name}", getattr(fake, name)))
    return calls


def test_fifty_requests_an_hour_from_one_source_do_not_become_fifty_letters(deployment: Deployment) -> None:
    deployment.settings["SIGN_UPS_PER_SOURCE"] = "100"
    answers = [ask(deployment, email=f"person{number}@example.com") for number in range(50)]
    send_letters(deployment)

    assert [answer.status for answer in answers].count(200) == len(deployment.mailer.letters) == 20
    assert {answer.status for answer in answers} == {200, 429}


def test_an_address_over_its_limit_gets_no_further_letter_of_the_same_case_and_loses_no_right(
    deployment: Deployment,
) -> None:
    deployment.settings["SIGN_UPS_PER_SOURCE"] = "100"
    for _ in range(6):
        ask(deployment, "access")
        send_letters(deployment)
    assert len(deployment.mailer.letters) == 5
    assert ask(deployment, "erasure").status == 200

    send_letters(deployment)
    assert len(deployment.mailer.letters) == 6
    assert {file.case.right for file in deployment.cases.files.values()} == {Right.ACCESS, Right.ERASURE}


def test_ten_thousand_characters_are_kept_and_one_more_is_told_with_all_that_was_typed(deployment: Deployment) -> None:
    long = "å" * 10_000
    assert ask(deployment, "complaint", details=long).status == 200
    (kept,) = deployment.particulars.kept.values()
    assert kept["details"] == long

    answer = ask(deployment, "complaint", PEOPLE[1], details=long + "b")
    assert answer.status == 422
    assert "at most 10,000 characters" in answer.text
    assert long + "b" in answer.text
    assert PEOPLE[1] in answer.text
    assert re.search(r'value="complaint" checked', answer.body)
    assert len(deployment.cases.files) == 1


def test_what_can_never_be_a_request_is_refused_as_too_large(deployment: Deployment) -> None:
    assert ask(deployment, "complaint", details="x" * 300_000).status == 413
    assert not deployment.cases.files


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"type": ""}, "Choose what your request is about"),
        ({"type": "everything"}, "Choose what your request is about"),
        ({"email": "ada@"}, "Enter an e-mail address like name@example.com"),
        ({"type": "complaint", "details": " \r\n "}, "Write what we should know"),
        ({"type": "restriction", "ground": "e"}, "Choose one of the reasons shown"),
        ({"type": "restriction", "scope": "no-such-purpose"}, "Choose among the uses shown"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    deployment: Deployment, fields: dict[str, str], told: str
) -> None:
    form = {"form": form_token(deployment), "type": "access", "email": PEOPLE[0], "details": "kept as it was", **fields}
    answer = deployment.preferences("rights-post", form=form)

    assert answer.status == 422
    assert told in answer.text
    assert answer.text.count("<title>Error:") == 1
    if "details" not in fields:
        assert "kept as it was" in answer.text
    assert not deployment.cases.files
    assert not deployment.particulars.kept


@pytest.mark.parametrize("token", ["", "v1.k1.forged.mac"])
def test_a_form_that_is_not_ours_is_shown_again_with_what_was_typed(deployment: Deployment, token: str) -> None:
    form = {"form": token, "type": "complaint", "email": PEOPLE[0], "details": WORDS}
    answer = deployment.preferences("rights-post", form=form)

    assert answer.status == 422
    assert "Nothing has been stored yet" in answer.text
    assert WORDS in answer.text
    assert not deployment.cases.files


def test_a_form_that_was_filled_in_faster_than_people_can_is_shown_again(deployment: Deployment) -> None:
    token = form_token(deployment)
    deployment.clock.move(seconds=-5)
    answer = deployment.preferences("rights-post", form={"form": token, "type": "access", "email": PEOPLE[0]})

    assert answer.status == 422
    assert not deployment.cases.files


def test_markup_in_details_is_text(deployment: Deployment) -> None:
    page = deployment.preferences("rights-get-verify", asked(deployment, "rectification"))

    assert "&lt;b&gt;Ada" in page.body
    assert "<b>Ada" not in page.body


def test_who_comes_from_their_preferences_needs_no_letter_to_prove_it(deployment: Deployment) -> None:
    token = deployment.subscribed()
    assert f"/preferences/{token}/rights" in deployment.preferences("get-preferences", token).text
    page = deployment.preferences("rights-get-own", token)
    assert page.status == 200
    assert 'name="email"' not in page.body
    assert f"/preferences/{token}/address" in page.text
    answer = deployment.preferences("rights-post-own", token, form={"type": "access"})

    assert answer.status == 303
    assert case_of(deployment).state is CaseState.RUNNING
    assert status(deployment, answer.headers["location"].removeprefix("/rights/status/")).status == 200


def test_a_person_finds_their_requests_again_and_nobody_elses(deployment: Deployment) -> None:
    token = deployment.subscribed()
    asked(deployment, "erasure", PEOPLE[1])
    status_token = proved(deployment, "access")
    page = deployment.preferences("rights-get-own", token)

    assert re.findall(r"/rights/status/([^?]+)", page.text) == [status_token]
    assert "Number " + case_of(deployment).number in page.text
    assert "We are carrying out your request" in page.text


def test_a_link_that_leaks_does_not_fill_the_mailbox(deployment: Deployment) -> None:
    token = deployment.subscribed()
    answers = [deployment.preferences("rights-post-own", token, form={"type": "access"}) for _ in range(21)]

    assert [answer.status for answer in answers] == [303] * 20 + [429]


def test_a_request_from_the_preferences_proves_the_one_that_was_typed(deployment: Deployment) -> None:
    token = deployment.subscribed()
    assert ask(deployment, "erasure").status == 200
    deployment.preferences("rights-post-own", token, form={"type": "erasure", "details": "Please be quick."})

    assert len(deployment.cases.files) == 1
    assert case_of(deployment, "erasure").state is CaseState.COOLING_OFF
    assert deployment.particulars.kept[case_of(deployment, "erasure").id]["details"] == "Please be quick."


def test_an_expired_link_to_the_preferences_opens_no_request(deployment: Deployment) -> None:
    token = deployment.subscribed()
    deployment.clock.move(seconds=3601)

    assert deployment.preferences("rights-get-own", token).status == 410
    assert deployment.preferences("rights-post-own", token, form={"type": "erasure"}).status == 410
    assert not deployment.cases.files


@pytest.mark.parametrize(("choice", "kept"), [("yes", True), ("no", False)])
def test_a_person_chooses_whether_a_fingerprint_stays(deployment: Deployment, choice: str, kept: bool) -> None:
    token = deployment.subscribed()
    deployment.preferences("rights-post-own", token, form={"type": "erasure", "keep_fingerprint": choice})

    assert case_of(deployment, "erasure").choices["keep_fingerprint"] is kept


@pytest.mark.parametrize("has_objected", [True, False])
def test_who_chooses_neither_keeps_a_fingerprint_only_after_an_objection(
    deployment: Deployment, has_objected: bool
) -> None:
    token = deployment.subscribed()
    if has_objected:
        deployment.press(token, do="object", to="direct-marketing")
    assert " checked" not in deployment.preferences("rights-get-own", token).body

    deployment.preferences("rights-post-own", token, form={"type": "erasure"})

    assert case_of(deployment, "erasure").choices["keep_fingerprint"] is has_objected


def test_a_restriction_with_a_ground_and_a_scope_stops_that_and_nothing_else(deployment: Deployment) -> None:
    token = deployment.subscribed()
    form = {"type": "restriction", "ground": "a", "scope": ["direct-marketing-email"]}
    deployment.preferences("rights-post-own", token, form=form)
    (subject,) = deployment.subjects.subjects.values()
    (lock,) = locks_of(subject, deployment.clock())

    assert (lock.ground, len(lock.purposes)) == ("a", 1)
    assert case_of(deployment, "restriction").state is CaseState.RUNNING
    assert reason(deployment) == "restricted"


@pytest.mark.parametrize("right", ["access", "portability", "erasure"])
def test_a_mailbox_that_several_people_read_proves_nobody(deployment: Deployment, right: str) -> None:
    proved(deployment, right, "Info@example.com")

    case = case_of(deployment, right)
    assert case.state is CaseState.WITH_STAFF
    assert case.choices["weak_proof"] is True


def test_an_address_that_had_another_holder_gets_no_data_by_its_mailbox_alone(deployment: Deployment) -> None:
    deployment.subscribed()
    for key, subject in deployment.subjects.subjects.items():
        deployment.subjects.subjects[key] = replace(subject, holder_since=deployment.clock())
    proved(deployment, "access")

    assert case_of(deployment).state is CaseState.WITH_STAFF
    assert case_of(deployment).choices["weak_proof"] is True


def test_a_queue_that_fails_loses_nothing(deployment: Deployment) -> None:
    deployment.case_orders.order = _unavailable  # type: ignore[method-assign]

    assert ask(deployment).status == 200
    assert 0 < case_of(deployment).due_at <= deployment.clock() // 1000


def test_nothing_that_was_written_leaves_its_place(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], printed: io.StringIO
) -> None:
    deployment.subscribed()
    said = []
    for right in ALL:
        token = asked(deployment, right, details=WORDS)
        answer = press(deployment, token)
        said.append(answer.headers["location"])
        send_letters(deployment)
        deployment.preferences("rights-post-status", answer.headers["location"].removeprefix("/rights/status/"))
    logs = capsys.readouterr()
    written = logs.out + logs.err + printed.getvalue() + "".join(said)
    written += repr(deployment.cases.files) + repr(deployment.case_orders.orders) + repr(deployment.outbox.orders)
    written += "".join(letter.subject + letter.text + letter.html for letter in deployment.mailer.letters)

    assert "RightsRequested" in written
    assert "Zyzzyva" not in written
    assert PEOPLE[0] not in written


def test_no_token_of_one_person_opens_anything_of_another(deployment: Deployment) -> None:
    """Every token of A, at every page, also with B's case in it: nothing of B is shown, and nothing changes."""
    deployment.subscribed()
    mine = {"verify": asked(deployment, "access", PEOPLE[0]), "status": deployment.link("rights/status")}
    theirs = {"verify": asked(deployment, "erasure", PEOPLE[1]), "status": deployment.link("rights/status")}
    manage = deployment.manage_token()
    secret = "<dd>Your data deleted</dd>"
    assert secret in status(deployment, theirs["status"]).body
    before = dict(deployment.cases.files)
    tokens = {**mine, "manage": manage, "mixed": _with_the_case_of(theirs["status"], mine["status"])}
    for name, token in tokens.items():
        for page in ("verify", "status", "own"):
            for method in ("get", "post"):
                if (method, name, page) in (("post", "verify", "verify"), ("post", "status", "status")):
                    continue
                form = {"form": None} if method == "get" else {"form": {"do": "cancel", "type": ""}}
                answer = deployment.preferences(f"rights-{method}-{page}", token, **form)
                assert secret not in answer.body
                assert (answer.status == 200) == (
                    (name, page) in (("verify", "verify"), ("status", "status"), ("manage", "own")) and method == "get"
                ), (name, page, method)

    assert deployment.cases.files == before


def test_a_token_whose_case_belongs_to_somebody_else_is_refused(deployment: Deployment) -> None:
    """As if a case had been copied, or a token been made for the wrong contact point."""
    asked(deployment, "erasure", PEOPLE[1])
    case = case_of(deployment, "erasure")
    other = case.contact._replace(pseudonym="a" * 26)
    keys = deployment.services.secrets.links()
    proof = seal_rights(RightsLink(other, case.id, deployment.clock() // 1000 + 60), keys)

    assert press(deployment, proof).status == 400
    assert deployment.preferences("rights-get-verify", proof).status == 400
    assert status(deployment, seal_status(StatusLink(other, case.id), keys)).status == 400
    assert case_of(deployment, "erasure").state is CaseState.UNPROVEN


def _with_the_case_of(donor: str, token: str) -> str:
    """A token with the claims of another: what somebody may try who has read how they are made."""
    parts, other = token.split("."), donor.split(".")
    return ".".join([parts[0], parts[1], other[2], parts[3]])


@pytest.mark.parametrize("language", ["da", "nb", "de"])
def test_letters_and_pages_go_on_in_the_language_of_the_request(deployment: Deployment, language: str) -> None:
    answer = ask(deployment, "access", language=language)
    assert answer.status == 200
    send_letters(deployment)
    token = deployment.link("rights/verify")

    page = deployment.preferences("rights-get-verify", token)
    assert page.headers["content-language"] == language
    location = press(deployment, token).headers["location"]
    assert status(deployment, location.removeprefix("/rights/status/")).headers["content-language"] == language


@pytest.mark.parametrize("name", ["rights-head", "rights-head-verify", "rights-head-status", "rights-head-own"])
def test_a_program_that_looks_at_the_headers_changes_nothing(deployment: Deployment, name: str) -> None:
    token = deployment.subscribed()
    proof = asked(deployment, "erasure")
    tokens = {"rights-head-verify": proof, "rights-head-status": deployment.link("rights/status")}
    before = dict(deployment.cases.files)

    assert deployment.preferences(name, tokens.get(name, token)).status == 200
    assert deployment.cases.files == before


@pytest.mark.parametrize("state", [CaseState.RUNNING, CaseState.PARTLY_DONE])
def test_who_is_not_deleted_because_of_a_legal_claim_is_not_told_that_we_are_done(
    deployment: Deployment, state: CaseState
) -> None:
    token = proved(deployment, "erasure")
    case = case_of(deployment, "erasure")
    held = {**case.outcome, "started_at": 1, "hold": {"until": None, "interest": "controller"}}
    deployment.cases.commit(replace(case, state=state, outcome=held), [])
    page = status(deployment, token)

    assert "for a legal claim first, and delete them as soon as that is over" in page.text
    assert "We are done" not in page.text
