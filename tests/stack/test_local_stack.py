"""The local stack itself: that it imitates what it stands for, keeps what it should and refuses what it must."""

import base64
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from local import http_api
from local.errors import LocalStackError, RefusedToStartError
from local.http_api import Request, Routes
from local.issuer import Issuer
from local.mailbox import Mailbox
from local.runtime_api import FunctionError
from local.stack import LocalStack, free_port
from local.template import Route

LITTLE_APP = Path(__file__).parent / "little_app"
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


def call(
    stack: LocalStack, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=40)
    try:
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


def event_of(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200
    event: dict[str, Any] = answer.json["event"]
    return event


def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def _newest_snapshot(state: Path) -> int:
    """When the emulator last wrote down all that it holds, in epoch nanoseconds; 0 if it never did."""
    stamp = state / "emulator/last-snapshot"
    return int(stamp.read_text(encoding="utf-8") or 0) if stamp.exists() else 0


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


class TestRequests:
    def test_a_request_becomes_an_event_of_payload_format_2(self, little: LocalStack) -> None:
        answer = call(
            little, "GET", "/items/a%2Fb%20c?x=1&x=2&empty=&p=%26", headers={"Cookie": "a=1; b=2", "X-Tag": "one"}
        )

        event = event_of(answer)
        assert event["version"] == "2.0"
        assert event["routeKey"] == "GET /items/{id}"
        assert event["rawPath"] == "/items/a/b c"
        assert event["rawQueryString"] == "x=1&x=2&empty=&p=%26"
        assert event["queryStringParameters"] == {"x": "1,2", "empty": "", "p": "&"}
        assert event["pathParameters"] == {"id": "a/b c"}
        assert event["cookies"] == ["a=1", "b=2"]
        assert "cookie" not in event["headers"]
        assert event["headers"]["x-tag"] == "one"
        assert event["isBase64Encoded"] is False
        assert "body" not in event
        context = event["requestContext"]
        assert context["stage"] == "$default"
        assert context["routeKey"] == event["routeKey"]
        assert context["domainName"] == f"127.0.0.1:{little.port}"
        assert context["http"]["method"] == "GET"
        assert context["http"]["path"] == "/items/a/b c"
        assert context["http"]["protocol"] == "HTTP/1.1"
        assert context["http"]["sourceIp"] == "127.0.0.1"
        assert context["requestId"] == answer.header("apigw-requestid")
        assert abs(context["timeEpoch"] / 1000 - time.time()) < 60
        assert "authorizer" not in context

    def test_repeated_headers_are_joined_by_commas(self, little: LocalStack) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", little.port, timeout=40)
        connection.putrequest("GET", "/do/show")
        connection.putheader("X-Tag", "one")
        connection.putheader("x-tag", "two")
        connection.endheaders()
        event = json.loads(connection.getresponse().read())["event"]
        connection.close()

        assert event["headers"]["x-tag"] == "one,two"

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8", "application/xml"])
    def test_a_text_body_arrives_as_text(self, little: LocalStack, content_type: str) -> None:
        event = event_of(call(little, "POST", "/do/show", '{"å": 1}'.encode(), {"content-type": content_type}))

        assert (event["body"], event["isBase64Encoded"]) == ('{"å": 1}', False)

    @pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "image/png", ""])
    def test_every_other_body_arrives_as_base64_and_forms_too(self, little: LocalStack, content_type: str) -> None:
        event = event_of(call(little, "POST", "/do/show", b"email=a%40example.com", {"content-type": content_type}))

        assert event["isBase64Encoded"] is True
        assert base64.b64decode(event["body"]) == b"email=a%40example.com"

    def test_a_chunked_body_arrives_whole(self, little: LocalStack) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", little.port, timeout=40)
        connection.request("POST", "/do/show", iter([b"one,", b"two"]), {"content-type": "text/plain"})
        event = json.loads(connection.getresponse().read())["event"]
        connection.close()

        assert event["body"] == "one,two"

    def test_a_body_over_ten_megabytes_is_refused(self, little: LocalStack) -> None:
        answer = call(little, "POST", "/do/show", b"x" * (10 * 1024 * 1024 + 1))

        assert (answer.status, answer.json) == (413, {"message": "Request Entity Too Large"})

    def test_an_event_over_lambdas_six_megabytes_is_refused(self, little: LocalStack) -> None:
        answer = call(little, "POST", "/do/show", b"x" * (5 * 1024 * 1024))

        assert (answer.status, answer.json) == (413, {"message": "Request Entity Too Large"})


class TestRoutes:
    def test_an_exact_route_wins_over_a_variable_one(self, little: LocalStack) -> None:
        assert event_of(call(little, "GET", "/items/special"))["routeKey"] == "GET /items/special"

    def test_a_greedy_variable_takes_the_rest_of_the_path(self, little: LocalStack) -> None:
        assert event_of(call(little, "POST", "/files/a/b"))["pathParameters"] == {"path": "a/b"}

    @pytest.mark.parametrize(("method", "target"), [("GET", "/nowhere"), ("HEAD", "/items/1"), ("GET", "/items/1/")])
    def test_without_a_route_the_api_itself_answers(self, little: LocalStack, method: str, target: str) -> None:
        answer = call(little, method, target)

        assert answer.status == 404
        assert answer.header("content-type") == "application/json"
        if method != "HEAD":
            assert answer.json == {"message": "Not Found"}

    def test_what_has_no_route_goes_to_the_default_route_head_requests_too(self) -> None:
        routes = Routes([_route("GET", "/a"), _route("ANY", "$default")])

        found = routes.find("HEAD", "/a")

        assert found is not None
        assert found[0].key == "$default"

    def test_a_method_of_its_own_wins_over_any_method(self) -> None:
        routes = Routes([_route("ANY", "/a"), _route("POST", "/a")])

        assert [routes.find(method, "/a")[0].method for method in ("POST", "PUT")] == ["POST", "ANY"]  # type: ignore[index]

    def test_a_head_answer_has_no_body_and_tells_its_length(self, little: LocalStack) -> None:
        answer = call(little, "HEAD", "/do/show")

        assert (answer.status, answer.body) == (200, b"")
        assert int(answer.header("content-length") or 0) > 100


class TestAnswers:
    def test_cookies_leave_as_one_header_each(self, little: LocalStack) -> None:
        answer = call(little, "GET", "/do/cookies")

        assert answer.status == 204
        assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1; Path=/", "b=2"]

    def test_a_base64_answer_leaves_as_bytes(self, little: LocalStack) -> None:
        answer = call(little, "GET", "/do/picture")

        assert answer.header("content-type") == "image/png"
        assert answer.body == bytes(range(256))

    def test_an_answer_without_a_status_is_the_body(self, little: LocalStack) -> None:
        answer = call(little, "GET", "/do/bare")

        assert (answer.status, answer.json) == (200, {"no": "status"})

    def test_a_header_cannot_bring_another_one_along(self) -> None:
        answer = http_api.response(b'{"statusCode": 200, "headers": {"x": "a\\r\\nset-cookie: b"}}', "id")

        assert ("x", "a  set-cookie: b") in answer.headers

    @pytest.mark.parametrize("action", ["raise", "exit", "large", "nonsense"])
    def test_a_function_that_fails_is_a_500_and_the_next_call_works(self, little: LocalStack, action: str) -> None:
        answer = call(little, "GET", f"/do/{action}")

        assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})
        assert call(little, "GET", "/do/show").status == 200

    def test_a_function_over_its_timeout_is_stopped_and_replaced(self, little: LocalStack) -> None:
        before = call(little, "GET", "/impatient/show").json["process"]

        assert call(little, "GET", "/impatient/sleep?seconds=30").status == 500
        assert call(little, "GET", "/impatient/show").json["process"] != before

    def test_the_api_gives_up_on_a_function_that_takes_too_long(
        self, little: LocalStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http_api, "LONGEST_WAIT", 0.2)

        answer = call(little, "GET", "/do/sleep?seconds=1")

        assert (answer.status, answer.json) == (503, {"message": "Service Unavailable"})


class TestTokens:
    def test_a_token_with_the_scope_passes_and_its_claims_reach_the_function(self, little: LocalStack) -> None:
        token = call(little, "GET", "/_local/token?scope=consent.check+consent.record&client=shop").json["access_token"]

        event = event_of(call(little, "GET", "/v1/check", headers=bearer(token)))

        jwt = event["requestContext"]["authorizer"]["jwt"]
        assert jwt["scopes"] == ["consent.check", "consent.record"]
        assert jwt["claims"]["scope"] == "consent.check consent.record"
        assert jwt["claims"]["sub"] == "shop"
        assert jwt["claims"]["exp"].isdigit()

    def test_a_route_without_scopes_takes_any_token(self, little: LocalStack) -> None:
        event = event_of(call(little, "GET", "/v1/known", headers=bearer(little.issuer.token())))

        assert event["requestContext"]["authorizer"]["jwt"]["scopes"] is None

    def test_a_token_without_the_scope_is_forbidden(self, little: LocalStack) -> None:
        answer = call(little, "GET", "/v1/check", headers=bearer(little.issuer.token("consent.record")))

        assert (answer.status, answer.json) == (403, {"message": "Forbidden"})

    def test_no_token_is_unauthorized(self, little: LocalStack) -> None:
        answer = call(little, "GET", "/v1/check")

        assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
        assert answer.header("www-authenticate") == "Bearer"

    @pytest.mark.parametrize(
        "wrong", [{"lifetime": -60}, {"audience": "somebody-else"}, {"issuer": "https://www.example.com"}]
    )
    def test_a_token_that_is_not_meant_for_now_or_here_is_unauthorized(
        self, little: LocalStack, wrong: dict[str, Any]
    ) -> None:
        token = little.issuer.token("consent.check", **wrong)

        assert call(little, "GET", "/v1/check", headers=bearer(token)).status == 401

    def test_a_token_signed_by_somebody_else_is_unauthorized(self, little: LocalStack, tmp_path: Path) -> None:
        other = Issuer(little.issuer.url, tmp_path / "key.pem")
        header = little.issuer.token("consent.check").split(".")[0]
        forged = ".".join([header, *other.token("consent.check").split(".")[1:]])

        for token in (other.token("consent.check"), forged, "no.such.token", "nonsense"):
            assert call(little, "GET", "/v1/check", headers=bearer(token)).status == 401

    def test_the_issuer_publishes_its_keys_and_keeps_the_private_one_to_itself(self, little: LocalStack) -> None:
        found = call(little, "GET", "/_local/issuer/.well-known/openid-configuration").json

        keys = call(little, "GET", found["jwks_uri"].removeprefix(little.url)).json["keys"]
        assert found["issuer"] == little.issuer.url
        assert set(keys[0]) == {"kty", "use", "alg", "n", "e", "kid"}
        assert little.access_log.parents[1].joinpath("issuer-key.pem").stat().st_mode & 0o077 == 0


class TestFunctions:
    def test_a_function_has_its_layers_and_its_environment_and_nothing_of_the_local_stacks_own(
        self, little: LocalStack
    ) -> None:
        shown = call(little, "GET", "/do/show").json

        assert shown["greeting"] == "hello from the layer"
        assert shown["public_url"] == little.url
        assert shown["modules"] == []

    def test_a_function_has_the_rights_of_its_role_and_no_others(self, little: LocalStack) -> None:
        assert call(little, "POST", "/do/put?key=rights").status == 200
        assert call(little, "POST", "/do/delete").body == b"AccessDeniedException"
        assert call(little, "GET", "/do/secret").json == ["current", "k1"]

    def test_tests_may_take_a_role_as_well(self, little: LocalStack) -> None:
        table = little.outputs["TableName"]
        owner, function = little.client("dynamodb"), little.client("dynamodb", role="EchoFunctionRole")
        function.put_item(TableName=table, Item={"pk": {"S": "role"}, "sk": {"S": "x"}})

        with pytest.raises(function.exceptions.ClientError, match="AccessDenied"):
            function.get_item(TableName=table, Key={"pk": {"S": "role"}, "sk": {"S": "x"}})
        assert "Item" in owner.get_item(TableName=table, Key={"pk": {"S": "role"}, "sk": {"S": "x"}})

    def test_a_function_can_be_run_with_any_event(self, little: LocalStack) -> None:
        assert little.invoke("PostmanFunction", {"Records": []}) == {"batchItemFailures": []}
        with pytest.raises(FunctionError, match="KeyError"):
            little.invoke("PostmanFunction", {})

    def test_what_the_emulators_cloudformation_ignores_is_applied(self, little: LocalStack) -> None:
        dynamodb, s3 = little.client("dynamodb"), little.client("s3")
        table = little.resources["Table"]

        ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        rules = s3.get_bucket_lifecycle_configuration(Bucket=little.resources["Files"])["Rules"]
        assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        assert rules[0]["Expiration"] == {"Days": 7}

    def test_the_access_log_names_the_route_and_never_the_path(self, little: LocalStack) -> None:
        call(little, "GET", "/items/a-secret-token?who=ada")

        log = eventually(lambda: "GET /items/{id} 200" in (text := little.access_log.read_text()) and text)
        assert "a-secret-token" not in log
        assert "ada" not in log
        assert "127.0.0.1" not in log


class TestLetters:
    def test_a_queued_message_becomes_a_letter_within_two_seconds(self, little: LocalStack) -> None:
        call(little, "POST", "/do/send?letter=first")

        letter = eventually(lambda: _letter(little, "first"), seconds=2)
        assert set(letter) >= {"id", "to", "subject", "headers", "text", "html", "links", "sent_at"}
        assert letter["to"] == "ada@example.com"
        assert letter["headers"]["List-Unsubscribe"] == "<https://www.example.com/u/1>"
        assert letter["headers"]["From"] == '"Fjordmeter" <news@example.com>'
        assert letter["links"] == ["https://www.example.com/a?x=1&y=2", "https://www.example.com/b"]

    def test_a_refused_letter_is_tried_again(self, little: LocalStack) -> None:
        _fault(little, 1, "TooManyRequestsException")

        call(little, "POST", "/do/send?letter=again")

        # The SDK may try again by itself; the queue does in any case.
        assert eventually(lambda: _letter(little, "again"))

    def test_a_letter_refused_again_and_again_ends_in_the_dead_letter_queue(self, little: LocalStack) -> None:
        _fault(little, 20, "MessageRejected")
        call(little, "POST", "/do/send?letter=never")

        sqs = little.client("sqs")
        dead = eventually(
            lambda: sqs.receive_message(QueueUrl=little.resources["DeadQueue"]).get("Messages"), seconds=20
        )
        _fault(little, 0, "MessageRejected")
        assert json.loads(dead[0]["Body"]) == {"letter": "never"}
        assert "refused MessageRejected" in little.function_log_text()

    def test_the_mailbox_shows_letters_without_running_them(self, little: LocalStack) -> None:
        call(little, "POST", "/do/send?letter=shown")
        eventually(lambda: _letter(little, "shown"))

        page = call(little, "GET", "/_local/mailbox")
        text = page.body.decode()
        assert "Letter &lt;shown&gt;" in text
        assert "<script" not in text
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in text
        assert "default-src 'none'" in (page.header("content-security-policy") or "")

    def test_an_empty_mailbox_says_so(self, tmp_path: Path) -> None:
        from local import pages

        assert b"No letter has been sent yet" in pages.mailbox(Mailbox(tmp_path / "letters").letters())

    def test_a_raw_message_is_taken_apart(self, tmp_path: Path) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "news@example.com", "ada@example.com", "Måler"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content("Text with (https://www.example.com/t).")
        message.add_alternative("<a href='https://www.example.com/h'>h</a>", subtype="html")
        mailbox = Mailbox(tmp_path / "letters")

        mailbox.send({"Content": {"Raw": {"Data": base64.b64encode(message.as_bytes()).decode()}}})

        letter = Mailbox(tmp_path / "letters").letters()[0]
        assert (letter.to, letter.subject) == ("ada@example.com", "Måler")
        assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert letter.links == ["https://www.example.com/t", "https://www.example.com/h"]


class TestLocalPages:
    def test_the_index_leads_to_the_mailbox(self, little: LocalStack) -> None:
        assert b'href="/_local/mailbox"' in call(little, "GET", "/_local/").body

    @pytest.mark.parametrize("target", ["/_local/mailbox.json", "/_local/token"])
    def test_another_name_for_this_computer_is_refused(self, little: LocalStack, target: str) -> None:
        assert call(little, "GET", target, headers={"host": "rebound.example.com"}).status == 403

    def test_only_the_emulator_may_hand_events_in(self, little: LocalStack) -> None:
        name = little.client("lambda").get_function_configuration(FunctionName=little.resources["PostmanFunction"])
        target = f"/_local/functions/{name['FunctionName']}"

        assert call(little, "POST", target, b"{}").status == 403
        assert call(little, "POST", target, b"{}", {"x-local-secret": "guess"}).status == 403


class TestStarting:
    def test_a_taken_port_is_refused_with_one_line(self, little: LocalStack, tmp_path: Path) -> None:
        done = _run("--port", str(little.port), "--state", str(tmp_path / "state"))

        assert done.returncode == 2
        assert (
            done.stderr == f"PORT={little.port} is taken by another program; stop that one, or choose another PORT.\n"
        )
        assert not (tmp_path / "state").exists()

    def test_a_state_folder_of_another_version_is_refused_and_untouched(self, tmp_path: Path) -> None:
        state = tmp_path / "state"
        state.mkdir()
        (state / "state-version").write_text("0\n")
        (state / "data").write_text("precious")

        done = _run("--port", str(free_port()), "--state", str(state))

        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "another version" in done.stderr
        assert sorted(file.name for file in state.iterdir()) == ["data", "state-version"]

    @pytest.mark.parametrize("fresh", [False, True])
    def test_a_folder_that_is_not_ours_is_never_emptied(self, tmp_path: Path, fresh: bool) -> None:
        (tmp_path / "thesis.txt").write_text("precious")

        with pytest.raises(RefusedToStartError, match="not the local stack's"):
            LocalStack(free_port(), tmp_path, fresh, root=LITTLE_APP).start()

        assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]

    def test_a_state_folder_in_use_is_refused(self, little: LocalStack) -> None:
        with pytest.raises(RefusedToStartError, match="in use by another local stack"):
            LocalStack(free_port(), little.access_log.parents[1], root=LITTLE_APP).start()

        assert call(little, "GET", "/do/show").status == 200

    def test_a_template_that_cannot_be_deployed_is_told_in_one_line(self, tmp_path: Path) -> None:
        app = _copy_of_the_app(tmp_path, "VisibilityTimeout: 1", "VisibilityTimeout: 99999999")

        with pytest.raises(LocalStackError, match=r"could not be deployed: Queue \(AWS::SQS::Queue\): \S+") as told:
            LocalStack(free_port(), tmp_path / "state", root=app).start()

        assert "\n" not in str(told.value)


class TestKeeping:
    def test_a_restart_on_another_port_keeps_data_secrets_letters_and_goes_on_sending(self, tmp_path: Path) -> None:
        with _little(tmp_path / "state") as stack:
            call(stack, "POST", "/do/put?key=kept")
            call(stack, "POST", "/do/send?letter=one")
            eventually(lambda: _letter(stack, "one"))
            token, secret, resources = stack.issuer.token("consent.check"), _secret(stack), stack.resources

        started = time.monotonic()
        with _little(tmp_path / "state") as stack:
            assert time.monotonic() - started < 15
            assert _keys(stack) == ["kept"]
            assert _secret(stack) == secret
            assert stack.resources["Table"] == resources["Table"]
            assert _letter(stack, "one")
            assert call(stack, "GET", "/do/show").json["public_url"] == stack.url
            # The key is kept, but the issuer's address is another one now.
            assert call(stack, "GET", "/v1/check", headers=bearer(token)).status == 401
            call(stack, "POST", "/do/send?letter=two")
            eventually(lambda: _letter(stack, "two"))

    def test_a_second_start_asks_the_network_for_nothing(self, tmp_path: Path) -> None:
        with _little(tmp_path / "state") as stack:
            call(stack, "POST", "/do/put?key=kept")
        nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "PIP_INDEX_URL"), "http://127.0.0.1:9")
        command = [
            *(sys.executable, "-m", "local", "--port", str(free_port())),
            *("--state", str(tmp_path / "state"), "--root", str(LITTLE_APP)),
        ]
        environment = {**os.environ, **nowhere, "NO_PROXY": "127.0.0.1"}
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert any(line.startswith("Ready: ") for line in process.stdout)
            process.send_signal(signal.SIGINT)
            process.communicate()
        assert process.returncode == 0

    def test_a_changed_template_is_deployed_over_the_data(self, tmp_path: Path) -> None:
        with _little(tmp_path / "state") as stack:
            call(stack, "POST", "/do/put?key=kept")
            port, secret = stack.port, _secret(stack)

        app = _copy_of_the_app(tmp_path, "PUBLIC_URL: !Ref PublicUrl", "PUBLIC_URL: https://www.example.com")
        with _little(tmp_path / "state", port=port, root=app) as stack:
            assert call(stack, "GET", "/do/show").json["public_url"] == "https://www.example.com"
            assert (_keys(stack), _secret(stack)) == (["kept"], secret)

    def test_fresh_empties_the_state(self, tmp_path: Path) -> None:
        with _little(tmp_path / "state") as stack:
            call(stack, "POST", "/do/put?key=gone")

        with _little(tmp_path / "state", fresh=True) as stack:
            assert _keys(stack) == []

    def test_a_killed_emulator_loses_no_more_than_the_last_seconds(self, tmp_path: Path) -> None:
        with _little(tmp_path / "state") as stack:
            call(stack, "POST", "/do/put?key=kept")
            # The second snapshot from now was begun after that.
            for _ in range(2):
                before = _newest_snapshot(tmp_path / "state")
                eventually(lambda before=before: _newest_snapshot(tmp_path / "state") > before, seconds=60)
            os.kill(stack.emulator_pid or 0, signal.SIGKILL)
            secret = None

        with _little(tmp_path / "state") as stack:
            assert _keys(stack) == ["kept"]
            secret = _secret(stack)
            assert secret

    def test_everything_ends_with_the_process_that_was_started(self, tmp_path: Path) -> None:
        state, port = tmp_path / "state", free_port()
        command = [sys.executable, "-m", "local", "--port", str(port), "--state", str(state), "--root", str(LITTLE_APP)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            while not process.stdout.readline().startswith(f"Ready: http://127.0.0.1:{port}"):
                assert process.poll() is None
            with _client_of(port) as stack:
                call(stack, "POST", "/do/put?key=kept")
            process.kill()

        eventually(lambda: _nobody_listens(port) and _nobody_listens(port + 10_000 if port < 55_536 else port - 10_000))
        with _little(state) as stack:
            assert _keys(stack) == ["kept"]

    def test_a_terminal_that_is_gone_keeps_no_data_from_being_written(self, tmp_path: Path) -> None:
        state, port = tmp_path / "state", free_port()
        command = [sys.executable, "-m", "local", "--port", str(port), "--state", str(state), "--root", str(LITTLE_APP)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert any(line.startswith("Ready: ") for line in process.stdout)
            process.stdout.close()
            try:
                with _client_of(port) as stack:
                    call(stack, "POST", "/do/put?key=kept")
                process.send_signal(signal.SIGHUP)
                assert process.wait(timeout=30) == 0
            finally:
                process.kill()

        with _little(state) as stack:
            assert _keys(stack) == ["kept"]

    def test_ctrl_c_and_sigterm_stop_cleanly(self, tmp_path: Path) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            command = [sys.executable, "-m", "local", "--port", str(free_port()), "--state", str(tmp_path / "state")]
            with subprocess.Popen(
                [*command, "--root", str(LITTLE_APP)],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            ) as process:  # fmt: skip
                assert process.stdout is not None
                while not process.stdout.readline().startswith("Ready: "):
                    assert process.poll() is None
                process.send_signal(number)
                try:
                    output, errors = process.communicate(timeout=20)
                finally:
                    process.kill()
            assert (process.returncode, output, errors) == (0, "Stopping\n", "")

    def test_two_stacks_run_side_by_side(self, little: LocalStack, tmp_path: Path) -> None:
        with _little(tmp_path / "state") as other:
            call(other, "POST", "/do/put?key=other")

            assert _keys(other) == ["other"]
            assert "other" not in _keys(little)


def _route(method: str, path: str) -> Route:
    return Route(method, path, function="Function", authorizer=None, scopes=())


def test_a_request_knows_its_path_and_query() -> None:
    request = Request("GET", "/a?b=c?d", (), b"", "127.0.0.1")

    assert (request.path, request.query) == ("/a", "b=c?d")


@contextmanager
def _little(
    state: Path, *, port: int | None = None, root: Path = LITTLE_APP, fresh: bool = False
) -> Iterator[LocalStack]:
    with LocalStack(port or free_port(), state, fresh, root=root) as stack:
        yield stack


@contextmanager
def _client_of(port: int) -> Iterator[LocalStack]:
    """Stands for a stack of another process: good for calls only."""
    yield LocalStack(port, Path("unused"))


def _copy_of_the_app(folder: Path, before: str, after: str) -> Path:
    app = folder / "app"
    shutil.copytree(LITTLE_APP, app)
    template = app / "template.yaml"
    text = template.read_text()
    assert before in text
    template.write_text(text.replace(before, after))
    return app


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def _letter(stack: LocalStack, name: str) -> dict[str, Any] | None:
    letters = call(stack, "GET", "/_local/mailbox.json").json
    return next((letter for letter in letters if letter["subject"] == f"Letter <{name}>"), None)


def _fault(stack: LocalStack, times: int, error: str) -> None:
    body = json.dumps({"times": times, "error": error}).encode()
    assert call(stack, "POST", "/_local/mailbox/fault", body, {"content-type": "application/json"}).status == 204


def _keys(stack: LocalStack) -> list[str]:
    items = stack.client("dynamodb").scan(TableName=stack.resources["Table"])["Items"]
    return sorted(item["pk"]["S"] for item in items)


def _secret(stack: LocalStack) -> str:
    secret = stack.client("secretsmanager").get_secret_value(SecretId=stack.resources["Secret"])
    return str(secret["SecretString"])


def _nobody_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
