"""What goes over the wire, what comes back, and what happens when it breaks."""

import contextlib
import io
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, PEOPLE
from consent_center.adapters import connections
from consent_center.adapters.connections import RESTED_SECONDS, BrokenAnswerError
from consent_center.adapters.signing import Credentials, signed_headers
from consent_center.adapters.wire import AT_ONCE, CallFailedError, Service, Wire
from fakes import SettableClock, real_clock

CLOSE, SILENCE, RESET = object(), object(), object()

MANY = Service("table", "dynamodb", "TABLE", "application/x-amz-json-1.0", "Target.", seconds=0.2, attempts=3)
ONCE = Service("mail", "ses", "MAIL", "application/json", seconds=0.2, attempts=1)


def answer(body: Any, status: str = "200 OK", *headers: str) -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(text)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + text


def refusal(code: str, status: str = "400 Bad Request") -> bytes:
    return answer({"__type": f"com.amazonaws#{code}", "message": PEOPLE[0]}, status)


class Peer:
    """A server that answers what it was told to, one step after the other, whatever it is asked."""

    def __init__(self, *steps: object, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._steps, self._tls = list(steps), tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        # Closing alone would not wake the thread that waits in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                self.connections += 1
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as file:
            while self._steps:
                if self._steps[0] is CLOSE:
                    self._steps.pop(0)
                    return
                request = _read(file)
                if not request:
                    return
                self.requests.append(request)
                step = self._steps.pop(0)
                if step is RESET:
                    return
                if step is SILENCE:
                    file.read()
                    return
                assert isinstance(step, bytes)
                connection.sendall(step)
                if b"X-Cut" in step:
                    return


def _read(file: Any) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()
        if not line:
            return b""
        head += line
    (length,) = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return head + file.read(int(length))


_wires: list[Wire] = []


@pytest.fixture
def peers() -> Iterator[Callable[..., Peer]]:
    made: list[Peer] = []

    def start(*steps: object, **more: Any) -> Peer:
        made.append(Peer(*steps, **more))
        return made[-1]

    yield start
    while _wires:
        _wires.pop().connections.close()
    for peer in made:
        peer.close()


def wire_to(
    peer: Peer, service: Service = MANY, *, scheme: str = "http", host: str = "127.0.0.1", **more: Any
) -> tuple[Wire, list[int]]:
    """The wire, and the attempts that it paused after."""
    pauses: list[int] = []
    made = Wire(
        service,
        endpoint=f"{scheme}://{host}:{peer.port}",
        region="eu-north-1",
        credentials=lambda: Credentials("id", "secret-of-a-test", "token"),
        **{"clock": SettableClock(), "pause": pauses.append, **more},
    )
    _wires.append(made)
    return made, pauses


def test_a_call_names_its_operation_and_carries_its_arguments_as_json(peers: Callable[..., Peer]) -> None:
    peer = peers(answer({"Item": {"name": {"S": "Zoë 🐟"}}}))
    made, _ = wire_to(peer)

    assert made.call("GetItem", {"Key": "Åsa"}) == {"Item": {"name": {"S": "Zoë 🐟"}}}
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert b"x-amz-target: Target.GetItem\r\n" in head
    assert b"content-type: application/x-amz-json-1.0\r\n" in head
    assert f"host: 127.0.0.1:{peer.port}\r\n".encode() in head
    assert json.loads(body) == {"Key": "Åsa"}


def test_calls_follow_each_other_on_one_connection(peers: Callable[..., Peer]) -> None:
    peer = peers(*[answer({"n": number}) for number in range(5)])
    made, _ = wire_to(peer)

    assert [made.call("Query", {})["n"] for _ in range(5)] == [0, 1, 2, 3, 4]
    assert peer.connections == 1


def test_a_big_answer_comes_whole_in_one_piece_or_in_chunks(peers: Callable[..., Peer]) -> None:
    big = {"Items": [{"pk": {"S": f"person {number}"}} for number in range(50_000)]}
    text = json.dumps(big).encode()
    halves = [text[: len(text) // 2], text[len(text) // 2 :], b""]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(half), half) for half in halves)
    peer = peers(answer(text), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, answer({}))
    made, _ = wire_to(peer)

    assert made.call("Query", {}) == made.call("Query", {}) == big
    assert made.call("Query", {}) == {}
    assert peer.connections == 1


def test_a_message_before_the_answer_is_passed_over(peers: Callable[..., Peer]) -> None:
    peer = peers(b"HTTP/1.1 100 Continue\r\n\r\n" + answer({"n": 1}), answer({"n": 2}))
    made, _ = wire_to(peer)

    assert [made.call("Query", {})["n"] for _ in range(2)] == [1, 2]


def test_a_connection_whose_end_is_announced_is_not_used_again(peers: Callable[..., Peer]) -> None:
    peer = peers(answer({"n": 1}, "200 OK", "Connection: close"), CLOSE, answer({"n": 2}))
    made, _ = wire_to(peer)

    assert [made.call("Query", {})["n"] for _ in range(2)] == [1, 2]
    assert peer.connections == 2


@pytest.mark.parametrize("service", [MANY, ONCE])
def test_a_connection_that_was_closed_between_two_calls_is_replaced_and_is_no_attempt(
    peers: Callable[..., Peer], service: Service
) -> None:
    peer = peers(answer({"n": 1}), CLOSE, answer({"n": 2}))
    made, pauses = wire_to(peer, service)
    made.post("/", {})
    time.sleep(0.05)

    assert made.post("/", {}) == {"n": 2}
    assert (peer.connections, len(peer.requests), pauses) == (2, 2, [])


def test_a_kept_connection_that_breaks_before_it_answers_is_replaced_and_is_no_attempt(
    peers: Callable[..., Peer],
) -> None:
    peer = peers(answer({"n": 1}), RESET, answer({"n": 2}))
    made, pauses = wire_to(peer)
    made.call("PutItem", {})

    assert made.call("PutItem", {}) == {"n": 2}
    assert (peer.connections, len(peer.requests), pauses) == (2, 3, [])


def test_what_is_sent_once_is_not_sent_again_when_a_kept_connection_breaks(peers: Callable[..., Peer]) -> None:
    peer = peers(answer({"n": 1}), RESET, answer({"n": 2}))
    made, pauses = wire_to(peer, ONCE)
    made.post("/v2/email/outbound-emails", {})

    with pytest.raises(CallFailedError):
        made.post("/v2/email/outbound-emails", {})
    assert (len(peer.requests), pauses) == (2, [])


def test_what_is_sent_once_is_not_sent_again_when_sending_breaks(
    peers: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = peers(answer({"n": 1}), answer({"n": 2}))
    made, _ = wire_to(peer, ONCE)
    made.post("/", {})
    send, broken = connections._send, [ConnectionResetError()]

    def breaks_once(*arguments: Any) -> None:
        if broken:
            arguments[0].close()
            raise broken.pop()
        send(*arguments)

    monkeypatch.setattr(connections, "_send", breaks_once)
    with pytest.raises(CallFailedError):
        made.post("/", {})
    assert len(peer.requests) == 1


def test_what_is_sent_once_takes_no_connection_that_rested(peers: Callable[..., Peer]) -> None:
    peer = peers(answer({"n": 1}), answer({"n": 2}), answer({"n": 3}))
    clock = SettableClock()
    made, _ = wire_to(peer, ONCE, clock=clock)
    made.post("/", {})
    clock.move(seconds=RESTED_SECONDS - 1)
    made.post("/", {})
    assert peer.connections == 1
    clock.move(seconds=RESTED_SECONDS)
    # The server talks to one connection at a time, so the first has to be closed by now.
    made.post("/", {})

    assert peer.connections == 2


@pytest.mark.parametrize(
    "step",
    [
        refusal("ThrottlingException"),
        refusal("ProvisionedThroughputExceededException"),
        refusal("RequestLimitExceeded"),
        refusal("TransactionInProgressException"),
        refusal("InternalServerError", "500 Internal Server Error"),
        answer(b"<html>", "503 Service Unavailable"),
        answer(b"", "502 Bad Gateway"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Cut: yes\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Len X-Cut",
        SILENCE,
        RESET,
    ],
)
def test_what_may_go_better_the_next_time_is_tried_again(peers: Callable[..., Peer], step: object) -> None:
    peer = peers(step, step, answer({"n": 1}))
    made, pauses = wire_to(peer)

    assert made.call("PutItem", {}) == {"n": 1}
    assert (len(peer.requests), pauses) == (3, [1, 2])


CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;a=b\r\n{"n": \r\n2\r\n1}\r\n0\r\nX-End: 1\r\n\r\n'


@pytest.mark.parametrize("whole", [answer({"n": 1}), CHUNKED])
def test_no_part_of_an_answer_passes_for_an_answer(whole: bytes) -> None:
    assert connections._received(io.BytesIO(whole)).body == b'{"n": 1}'
    for length in range(len(whole)):
        with pytest.raises((BrokenAnswerError, ConnectionResetError)):
            connections._received(io.BytesIO(whole[:length]))


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (refusal("ThrottlingException"), "ThrottlingException"),
        (answer(b"<html>", "503 Service Unavailable"), "Http503"),
        (SILENCE, "TimeoutError"),
        (RESET, "ConnectionResetError"),
        (b"SSH-2.0-OpenSSH X-Cut\r\n", "BrokenAnswerError"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}X-Cut", "BrokenAnswerError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}X-Cut", "BrokenAnswerError"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}X-Cut", "BrokenAnswerError"),
    ],
)
def test_there_is_an_end_to_trying(peers: Callable[..., Peer], step: object, code: str) -> None:
    peer = peers(*[step] * 4)
    made, pauses = wire_to(peer)

    with pytest.raises(CallFailedError) as error:
        made.call("PutItem", {})
    assert (error.value.code, len(peer.requests), pauses) == (code, 3, [1, 2])


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (refusal("ConditionalCheckFailedException"), "ConditionalCheckFailedException"),
        (refusal("ResourceNotFoundException"), "ResourceNotFoundException"),
        (refusal("ValidationException"), "ValidationException"),
        (answer({"code": "AccessDenied"}, "403 Forbidden"), "AccessDenied"),
        (answer({"__type": "QueueDoesNotExist"}, "400 Bad Request"), "QueueDoesNotExist"),
        (answer({}, "400 Bad Request", "x-amzn-ErrorType: MessageRejected:http://a.b/"), "MessageRejected"),
        (answer(b"", "403 Forbidden"), "Http403"),
        (answer([1], "400 Bad Request"), "Http400"),
        (answer({"__type": f"{PEOPLE[0]} is refused"}, "400 Bad Request"), "Http400"),
        (answer({}, "301 Moved Permanently", "Location: https://elsewhere.invalid/"), "Http301"),
        (answer(b"{"), "UnreadableAnswer"),
        (answer([]), "UnreadableAnswer"),
    ],
)
def test_what_would_be_refused_again_is_not_tried_again(peers: Callable[..., Peer], step: bytes, code: str) -> None:
    peer = peers(step, answer({}))
    made, pauses = wire_to(peer)

    with pytest.raises(CallFailedError) as error:
        made.call("PutItem", {})
    assert (str(error.value), len(peer.requests), pauses) == (code, 1, [])


def test_a_cancelled_transaction_says_why_for_each_write_and_quotes_none(peers: Callable[..., Peer]) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": PEOPLE[0], "Item": {"a": PEOPLE[0]}}]
    told = {"__type": "x#TransactionCanceledException", "CancellationReasons": reasons}
    made, _ = wire_to(peers(answer(told, "400 Bad Request")))

    with pytest.raises(CallFailedError) as error:
        made.call("TransactWriteItems", {})
    assert error.value.reasons == ("None", "ConditionalCheckFailed")
    assert PEOPLE[0] not in repr(vars(error.value))


@pytest.mark.parametrize("step", [SILENCE, RESET, refusal("ThrottlingException"), answer(b"", "500 Oh")])
def test_what_is_sent_once_is_never_sent_again(peers: Callable[..., Peer], step: object) -> None:
    peer = peers(step, answer({}))
    made, pauses = wire_to(peer, ONCE)

    with pytest.raises(CallFailedError):
        made.post("/v2/email/outbound-emails", {})
    assert (len(peer.requests), pauses) == (1, [])


def test_nobody_there_is_a_failure_that_names_no_place(peers: Callable[..., Peer]) -> None:
    peer = peers()
    made, pauses = wire_to(peer)
    peer.close()

    with pytest.raises(CallFailedError) as error:
        made.call("PutItem", {"name": PEOPLE[0]})
    assert (str(error.value), pauses) == ("ConnectionRefusedError", [1, 2])
    # Nor is there a chain that leads to what was sent.
    assert error.value.__cause__ is None


def test_threads_do_not_get_each_others_answers(peers: Callable[..., Peer]) -> None:
    echo = _Echo()
    made, _ = wire_to(echo)  # type: ignore[arg-type]
    found: list[bool] = []

    def ask(number: int) -> None:
        found.extend(made.call("Query", {"n": [number, turn]}) == {"n": [number, turn]} for turn in range(20))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    echo.close()
    assert found == [True] * 160
    assert echo.connections <= 8


def test_of_many_calls_each_gets_its_own_answer_in_order(peers: Callable[..., Peer]) -> None:
    echo = _Echo()
    made, _ = wire_to(echo)  # type: ignore[arg-type]
    calls = [{"n": number} for number in range(AT_ONCE * 2 + 3)]

    assert made.call_all("Query", calls) == calls
    assert made.call_all("Query", []) == []
    assert echo.connections == AT_ONCE
    echo.close()


def test_of_many_calls_only_those_that_failed_are_sent_again(peers: Callable[..., Peer]) -> None:
    echo = _Echo(refuse={b'{"n":1}': [refusal("ThrottlingException")] * 2, b'{"n":3}': [refusal("Denied")]})
    made, pauses = wire_to(echo)  # type: ignore[arg-type]
    outcomes = made.call_all("Query", [{"n": number} for number in range(5)])
    echo.close()

    assert [outcome if isinstance(outcome, dict) else str(outcome) for outcome in outcomes] == [
        *({"n": 0}, {"n": 1}, {"n": 2}),
        "Denied",
        {"n": 4},
    ]
    assert pauses == [1, 2]
    assert len(echo.requests) == 7


def test_many_calls_wait_no_longer_for_silence_than_one(peers: Callable[..., Peer]) -> None:
    echo = _Echo(refuse={json.dumps({"n": number}).replace(" ", "").encode(): [SILENCE] * 3 for number in range(1, 9)})
    made, _ = wire_to(echo, clock=real_clock)  # type: ignore[arg-type]
    began = time.monotonic()
    outcomes = made.call_all("Query", [{"n": number} for number in range(10)])
    took = time.monotonic() - began
    echo.close()

    assert (outcomes[0], outcomes[9]) == ({"n": 0}, {"n": 9})
    assert {str(outcome) for outcome in outcomes[1:9]} == {"TimeoutError"}
    # Three attempts of 0.2 seconds; one after the other, they would take five.
    assert took < 2.5


def test_many_calls_try_no_longer_to_connect_than_one(peers: Callable[..., Peer]) -> None:
    made, pauses = wire_to(peers())
    attempts: list[str] = []

    def opened() -> None:
        attempts.append("attempt")
        raise TimeoutError

    made.connections._opened = opened  # type: ignore[assignment]
    outcomes = made.call_all("Query", [{"n": number} for number in range(AT_ONCE)])

    assert {str(outcome) for outcome in outcomes} == {"TimeoutError"}
    assert (len(outcomes), len(attempts), pauses) == (AT_ONCE, MANY.attempts, [1, 2])


class _Echo(Peer):
    """Answers each request with its body, to many connections at once; or first as it is told to."""

    def __init__(self, refuse: dict[bytes, list[object]] | None = None) -> None:
        self._refuse = refuse or {}
        super().__init__()

    def _converse(self, connection: socket.socket) -> None:
        threading.Thread(target=self._echo, args=(connection.dup(),), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as file:
            while request := _read(file):
                self.requests.append(request)
                body = request.partition(b"\r\n\r\n")[2]
                step = self._refuse[body].pop() if self._refuse.get(body) else answer(body)
                if step is SILENCE:
                    file.read()
                    return
                assert isinstance(step, bytes)
                connection.sendall(step)


def test_the_trace_of_the_event_in_hand_is_passed_on_unsigned(peers: Callable[..., Peer]) -> None:
    peer = peers(answer({}), answer({}))
    traces = iter(["Root=1-a;Sampled=1\r\nx-evil: 1", None])
    made, _ = wire_to(peer, trace=lambda: next(traces))
    made.call("PutItem", {})
    made.call("PutItem", {})

    assert b"x-amzn-trace-id: Root=1-a;Sampled=1%0D%0Ax-evil:%201\r\n" in peer.requests[0]
    assert b"trace-id;" not in peer.requests[0]
    assert b"trace-id" not in peer.requests[1]


def test_a_header_cannot_bring_another_header(peers: Callable[..., Peer]) -> None:
    peer = peers(answer({}))
    made, _ = wire_to(peer)

    with pytest.raises(ValueError, match="more than one line"):
        made.call("PutItem\r\nx-evil: 1", {})
    assert peer.requests == []


def test_what_could_be_a_secret_is_in_no_repr() -> None:
    assert "secret-of-a-test" not in repr(Credentials("id", "secret-of-a-test", "token"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> Iterator[ssl.SSLContext]:
    """The server's side. The wire's own is made anew, so that it trusts whom the test says."""
    connections.tls.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    yield context
    connections.tls.cache_clear()


def test_over_tls_a_certificate_of_a_known_authority_for_this_host_is_accepted(
    peers: Callable[..., Peer], tls: ssl.SSLContext, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    peer = peers(answer({"n": 1}), answer({"n": 2}), tls=tls)
    made, _ = wire_to(peer, scheme="https", host="localhost")

    assert [made.call("Query", {})["n"] for _ in range(2)] == [1, 2]
    assert peer.connections == 1


def test_over_tls_a_certificate_of_an_unknown_authority_is_refused_and_nothing_is_sent(
    peers: Callable[..., Peer], tls: ssl.SSLContext
) -> None:
    peer = peers(answer({}), tls=tls)
    made, _ = wire_to(peer, scheme="https", host="localhost")

    with pytest.raises(CallFailedError, match="SSLCertVerificationError"):
        made.call("Query", {})
    assert peer.requests == []


def test_over_tls_a_certificate_for_another_host_is_refused_and_nothing_is_sent(
    peers: Callable[..., Peer], tls: ssl.SSLContext, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    peer = peers(answer({}), tls=tls)
    made, _ = wire_to(peer, scheme="https", host="127.0.0.1")

    with pytest.raises(CallFailedError, match="SSLCertVerificationError"):
        made.call("Query", {})
    assert peer.requests == []


@pytest.mark.parametrize("endpoint", ["", "dynamodb.eu-north-1.amazonaws.com", "ftp://a", "https://"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        Wire(
            *(MANY,),
            endpoint=endpoint,
            region="eu-north-1",
            credentials=lambda: Credentials("a", "b"),
            clock=SettableClock(),
            pause=lambda _: None,
        )


_PRINTED = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
_PATHS = st.lists(st.text(st.sampled_from("abcXYZ019-_.~%20+=@:$"), min_size=1, max_size=8), max_size=4).map(
    lambda parts: "/" + "/".join(part for part in parts if part.strip("."))
)


class _At(SigV4Auth):  # type: ignore[misc] # botocore has no types.
    """botocore's own signature, at a time that a test sets."""

    def __init__(self, at: int, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))

    def add_auth(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self._stamp
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))


@given(
    path=_PATHS,
    body=st.binary(max_size=200),
    target=st.none() | st.text(_PRINTED, min_size=1, max_size=40),
    host=st.sampled_from(["dynamodb.eu-north-1.amazonaws.com", "localhost:4566", "127.0.0.1:8000"]),
    key=st.text(_PRINTED, min_size=1, max_size=40),
    token=st.none() | st.text(_PRINTED, min_size=1, max_size=400),
    at=st.integers(NOON // 1000 - 10**9, NOON // 1000 + 10**9),
    service=st.sampled_from(["dynamodb", "sqs", "secretsmanager", "ses"]),
)
def test_requests_are_signed_as_botocore_signs_them(
    path: str, body: bytes, target: str | None, host: str, key: str, token: str | None, at: int, service: str
) -> None:
    headers = {"content-type": "application/x-amz-json-1.0", "host": host}
    if target is not None:
        headers["x-amz-target"] = target
    ours = signed_headers(
        path, headers, body, Credentials("AKID", key, token), region="eu-north-1", service=service, at=at
    )
    request = AWSRequest("POST", f"https://{host}{path}", headers=headers, data=body)
    _At(at, BotocoreCredentials("AKID", key, token), service, "eu-north-1").add_auth(request)

    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")
