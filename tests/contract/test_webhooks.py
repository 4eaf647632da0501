"""A recipient behind a webhook, at the other end of a real connection."""

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from builders import NOON, PEOPLE
from consent_center.adapters.connectors.outside import LARGEST_ANSWER, Outside, Reply
from consent_center.adapters.connectors.webhook import Webhook
from consent_center.domain.errors import UnavailableError
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb
from consent_center.domain.webhook import check, key_of, message
from fakes import real_clock
from fakes.cases import FixedRecipientSecrets
from local.recipient import DemoRecipients

KEY = b"recipients-secret-for-tests"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
ASK = Ask("case-1", "crm", Verb.ERASE, "case-1-crm-erase", PEOPLE[0], "2026-12-25")
COLLECT = replace(ASK, verb=Verb.COLLECT)
KEYS = FixedRecipientSecrets({"crm": (KEY,)})


@pytest.fixture
def demo() -> Iterator[DemoRecipients]:
    recipients = DemoRecipients({"crm": SECRET})
    yield recipients
    recipients.close()


def a_webhook(url: str, *, seconds: float = 10, secrets: FixedRecipientSecrets = KEYS, **other: Any) -> Webhook:
    settings: dict[str, Any] = {"secret_name": "crm", "clock": real_clock, "answer_to": None, **other}
    outside = settings.pop("outside", Outside(inside_too=True, read_seconds=seconds))
    return Webhook(Verb, url=url, secrets=secrets, outside=outside, **settings)


@dataclass
class Saying:
    """Answers every request with the same words."""

    words: Any

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Reply:
        return Reply(200, json.dumps(self.words).encode())


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """Starts a server that reads a request and answers with bytes, one piece after the other."""
    listening: list[socket.socket] = []

    def start(*pieces: bytes, pause: float = 0) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    try:
                        for piece in pieces:
                            connection.sendall(piece)
                            time.sleep(pause)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/hook"

    yield start
    for server in listening:
        server.close()


def http(status: str, body: bytes = b"", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        ("done", Answer(TaskState.DONE)),
        ("nobody", Answer(TaskState.NOTHING_HELD)),
        ("never", Answer(TaskState.ASKED)),
        ("later", Answer(TaskState.ASKED)),
        ("refuse", Answer(TaskState.FAILED, "http_400")),
    ],
)
def test_what_a_recipient_says_is_what_becomes_of_the_task(
    demo: DemoRecipients, behaviour: str, answer: Answer
) -> None:
    demo.behave("crm", behaviour, 60)

    assert a_webhook(f"{demo.url}/crm").ask(ASK) == answer


@pytest.mark.parametrize("behaviour", ["error", "silent", "slow"])
def test_a_recipient_that_is_ill_is_asked_again(demo: DemoRecipients, behaviour: str) -> None:
    demo.behave("crm", behaviour, 2)

    with pytest.raises(UnavailableError) as caught:
        a_webhook(f"{demo.url}/crm", seconds=0.3).ask(ASK)

    assert PEOPLE[0] not in str(caught.value)


def test_a_recipient_that_was_slow_and_is_asked_again_acts_once(demo: DemoRecipients) -> None:
    demo.behave("crm", "slow", 1)
    with pytest.raises(UnavailableError):
        a_webhook(f"{demo.url}/crm", seconds=0.2).ask(ASK)
    demo.behave("crm", "done")

    assert a_webhook(f"{demo.url}/crm").ask(ASK).state is TaskState.DONE

    (asked,) = demo.shown("crm")["asked"]
    assert (asked["key"], asked["times"], asked["acted"]) == (ASK.key, 2, True)


def test_what_is_collected_comes_under_names_that_are_safe_to_unpack(served: Callable[..., str]) -> None:
    files = {"a.json": "{}", "../../etc/passwd": "x", "a b": "1", "File-2.txt": "2", ".hidden": "y"}
    url = served(http("200 OK", json.dumps({"state": "done", "files": files}).encode()))

    assert a_webhook(url).ask(COLLECT).collected == {
        "a.json": "{}",
        "File-2.txt": "2",
        "file-1.txt": "x",
        "file-3.txt": "1",
        "file-4.txt": "y",
    }
    assert a_webhook(url).ask(ASK).collected == {}


@pytest.mark.parametrize(
    "said",
    [
        {"state": "done"},
        {"state": "done", "files": {}},
        {"state": "done", "files": None},
        {"state": "done", "files": ["a.txt"]},
        {"state": "done", "files": "a.txt"},
        {"state": "done", "files": {"a.txt": "1", "p.json": {"name": "Ada"}}},
        {"state": "nothing_held", "files": {"a.txt": "1"}},
    ],
)
def test_what_was_collected_never_goes_missing_in_an_answer_that_calls_itself_whole(said: dict[str, Any]) -> None:
    assert a_webhook("", outside=Saying(said)).ask(COLLECT) == Answer(TaskState.FAILED, "unreadable_files")
    assert a_webhook("", outside=Saying({**said, "state": "accepted"})).ask(COLLECT) == Answer(TaskState.ASKED)
    assert a_webhook("", outside=Saying(said)).ask(ASK).state is not TaskState.FAILED


def test_who_holds_nothing_gives_no_files() -> None:
    for files in ({}, {"files": {}}, {"files": None}):
        answer = a_webhook("", outside=Saying({"state": "nothing_held", **files})).ask(COLLECT)
        assert answer == Answer(TaskState.NOTHING_HELD)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(served: Callable[..., str], status: str, demo: DemoRecipients) -> None:
    answer = a_webhook(served(http(status, b"", f"location: {demo.url}/crm"))).ask(ASK)

    assert answer == Answer(TaskState.FAILED, f"http_{status[:3]}")
    assert demo.shown("crm") == {"behaviour": "done", "refused": 0, "asked": [], "events": []}


@pytest.mark.parametrize("status", ["408 Timeout", "425 Early", "429 Many", "500 Internal", "503 Away"])
def test_a_status_that_may_pass_is_unavailable(served: Callable[..., str], status: str) -> None:
    with pytest.raises(UnavailableError, match=f"http_{status[:3]}"):
        a_webhook(served(http(status))).ask(ASK)


@pytest.mark.parametrize("status", ["400 Bad", "401 Who", "403 No", "404 Where", "410 Gone", "422 What"])
def test_a_refusal_fails(served: Callable[..., str], status: str) -> None:
    assert a_webhook(served(http(status))).ask(ASK) == Answer(TaskState.FAILED, f"http_{status[:3]}")


def test_received_without_a_word_is_accepted(served: Callable[..., str]) -> None:
    assert a_webhook(served(http("204 No Content"))).ask(ASK) == Answer(TaskState.ASKED, "accepted")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-x\r\n",
        http("200 OK", b"<html>Back soon</html>"),
        http("200 OK", b'{"state": "perhaps"}'),
        http("200 OK", b"[" * 100_000),
        http("200 OK", b"\xff"),
        http("200 OK", rb'{"state": "done", "files": {"a.json": "\ud800"}}'),
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n",
    ],
)
def test_an_answer_that_cannot_be_read_is_unavailable(served: Callable[..., str], answer: bytes) -> None:
    with pytest.raises(UnavailableError):
        a_webhook(served(answer)).ask(ASK)


def test_an_endless_answer_is_not_read_to_its_end(served: Callable[..., str]) -> None:
    started = time.monotonic()
    with pytest.raises(UnavailableError):
        a_webhook(served(b"HTTP/1.1 200 OK\r\n\r\n", b" " * (LARGEST_ANSWER * 4))).ask(ASK)

    assert time.monotonic() - started < 5


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"])
def test_an_answer_that_drips_runs_out_of_time(served: Callable[..., str], start: bytes) -> None:
    url = served(start, *([b"x"] * 100), pause=0.1)
    started = time.monotonic()

    with pytest.raises(UnavailableError):
        a_webhook(url, seconds=0.5).ask(ASK)

    assert time.monotonic() - started < 3


def test_a_code_that_could_be_anything_is_dropped(served: Callable[..., str]) -> None:
    said = json.dumps({"state": "failed", "code": f"no {PEOPLE[0]}"}).encode()

    assert a_webhook(served(http("200 OK", said))).ask(ASK) == Answer(TaskState.FAILED, "")


def test_a_code_is_kept(served: Callable[..., str]) -> None:
    said = json.dumps({"state": "failed", "code": "contract.ended"}).encode()

    assert a_webhook(served(http("200 OK", said))).ask(ASK) == Answer(TaskState.FAILED, "contract.ended")


def test_a_recipient_without_a_secret_is_sent_nothing(demo: DemoRecipients) -> None:
    answer = a_webhook(f"{demo.url}/crm", secrets=FixedRecipientSecrets()).ask(ASK)

    assert answer == Answer(TaskState.FAILED, "no_secret", was_sent=False)
    assert demo.shown("crm")["asked"] == []


def test_secrets_that_cannot_be_read_are_unavailable(demo: DemoRecipients) -> None:
    with pytest.raises(UnavailableError):
        a_webhook(f"{demo.url}/crm", secrets=FixedRecipientSecrets(is_away=True)).ask(ASK)


def test_while_a_secret_is_changed_both_sign(demo: DemoRecipients) -> None:
    for keys in ((KEY, b"an-older-secret-of-theirs"), (b"a-newer-secret-than-theirs", KEY)):
        answer = a_webhook(f"{demo.url}/crm", secrets=FixedRecipientSecrets({"crm": keys})).ask(ASK)
        assert answer.state is TaskState.DONE


def test_a_wrong_secret_is_refused_by_the_recipient(demo: DemoRecipients) -> None:
    wrong = FixedRecipientSecrets({"crm": (b"another-secret-for-the-tests",)})

    assert a_webhook(f"{demo.url}/crm", secrets=wrong).ask(ASK) == Answer(TaskState.FAILED, "http_401")
    assert demo.shown("crm")["refused"] == 1


def test_a_recipient_is_told_whom_what_until_when_and_where_to_answer() -> None:
    sent: list[tuple[str, dict[str, str], bytes]] = []

    class Seen:
        def post(self, url: str, headers: dict[str, str], body: bytes) -> Any:
            sent.append((url, headers, body))
            return Reply(200, b'{"state": "done"}')

    url = "https://crm.example.com/hook"
    ask = Ask("case-1", "crm", Verb.CORRECT, "k-1", PEOPLE[0], "2026-12-25", {"address": PEOPLE[1]}, (PEOPLE[2],))
    a_webhook(url, outside=Seen(), clock=lambda: NOON, answer_to="https://c.example.com/answers").ask(ask)

    ((to, headers, body),) = sent
    assert to == url
    assert headers["webhook-id"] == "k-1"
    check(message(headers, body), [KEY], NOON // 1000)
    assert json.loads(body) == {
        "type": "rights.correct",
        "timestamp": "2027-01-15T08:00:00Z",
        "data": {
            "case": "case-1",
            "recipient": "crm",
            "verb": "correct",
            "key": "k-1",
            "address": PEOPLE[0],
            "answer_by": "2026-12-25",
            "former_addresses": [PEOPLE[2]],
            "corrections": {"address": PEOPLE[1]},
            "answer_to": "https://c.example.com/answers",
        },
    }


def test_the_secret_of_the_standard_makes_the_signature_of_the_standard() -> None:
    """The example of the Standard Webhooks specification and of its libraries."""
    from consent_center.domain.webhook import headers

    signed = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        [key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
    )

    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
