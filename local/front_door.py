"""The web server in front of everything: the HTTP API's routes, and under /_local/ the local stack's own."""

import concurrent.futures
import hmac
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from local import http_api, pages
from local.authorizer import Denied, JwtAuthorizer
from local.errors import RefusedToStartError
from local.gallery import Gallery
from local.http_api import Request, Response, Routes
from local.issuer import AUDIENCE, LIFETIME, LONGEST_LIFETIME, Issuer
from local.mail_service import REPORTS, MailService
from local.mailbox import STATUS_OF_ERRORS, Mailbox, SesError
from local.recipient import BEHAVIOURS, DemoRecipients
from local.runtime_api import FunctionError, FunctionPool, NoProcessFreeError, PayloadTooLargeError, read_chunks

LONGEST_BACKGROUND_WAIT = 900.0
"""Seconds an event of the emulator may wait for a free process and run."""

JOBS = {
    "seal": "RetentionWorkerFunction",
    "review": "ExpiryWorkerFunction",
    "audience": "AudienceWorkerFunction",
    "rights": "RightsWorkerFunction",
}
"""Logical ids of the functions that run jobs, by the job."""

DRAINED = 64 * 1024 * 1024
"""Bytes of a refused body that are read and dropped, so that the sender sees the answer instead of a broken pipe."""


class FrontDoor:
    """Listens from the start, so that a taken port is found before anything else is touched; serves once `open`ed."""

    def __init__(self, port: int, *, log: Callable[[str], None], secret: str) -> None:
        """`log` takes one line per request; `secret` lets the emulator's functions hand events in.

        Raises RefusedToStartError when the port is taken.
        """
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        self._secret = secret
        self._pools: Mapping[str, FunctionPool] = {}
        self._names: Mapping[str, FunctionPool] = {}
        self._routes = Routes([])
        self._authorizer: JwtAuthorizer | None = None
        self._local: LocalPages | None = None
        self._recipients: DemoRecipients | None = None
        self._gallery: Gallery | None = None
        self._opened = threading.Event()
        self._executor = concurrent.futures.ThreadPoolExecutor(64, thread_name_prefix="function")
        try:
            self._server = _Server(self)
        except OSError:
            raise RefusedToStartError(
                f"PORT={port} is taken by another program; stop that one, or choose another PORT."
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def serve_local_pages(self, mailbox: Mailbox, issuer: Issuer, subscribe_path: str | None) -> None:
        """Answer under /_local/ from now on."""
        self._local = LocalPages(mailbox, issuer, subscribe_path)

    def serve_mail(self, service: MailService) -> None:
        """Take incoming mails and reports about letters from now on."""
        if self._local is not None:
            self._local.mail_service = service

    def serve_gallery(self, gallery: Gallery) -> None:
        """Show pages, letters and components with samples from now on."""
        self._gallery = gallery

    def serve_recipients(self, recipients: DemoRecipients) -> None:
        """Show what recipients were asked, and let them be told how to behave, from now on."""
        self._recipients = recipients

    def open(self, routes: Routes, pools: Mapping[str, FunctionPool], authorizer: JwtAuthorizer) -> None:
        """Answer the API's routes; `pools` holds the functions by logical id."""
        self._routes, self._pools, self._authorizer = routes, pools, authorizer
        self._names = {pool.function.name: pool for pool in pools.values()}
        self._opened.set()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def answer(self, request: Request) -> Response:
        """The response to any request."""
        if request.path.startswith("/_local"):
            return self._local_answer(request)
        started = time.monotonic()
        key, response = self._api_answer(request)
        # The route key and not the path: links in letters are secrets, and paths may name people.
        elapsed = (time.monotonic() - started) * 1000
        self._log(f"{time.strftime('%H:%M:%S')} {key} {response.status} {elapsed:.0f} ms")
        return response

    def _api_answer(self, request: Request) -> tuple[str, Response]:
        if not self._opened.is_set() or self._authorizer is None:
            return "-", http_api.function_silent()
        found = self._routes.find(request.method, request.path)
        if found is None:
            return "-", http_api.not_found()
        route, parameters = found
        if len(request.body) > http_api.LARGEST_REQUEST:
            return route.key, http_api.too_large()
        try:
            jwt = self._authorizer.check(request, route)
        except Denied as denied:
            return route.key, denied.response
        domain = request.header("host") or f"127.0.0.1:{self.port}"
        event = http_api.event(request, route, parameters, domain=domain, jwt=jwt)
        call = self._executor.submit(self._pools[route.function].invoke, json.dumps(event).encode())
        try:
            return route.key, http_api.response(call.result(http_api.LONGEST_WAIT), request.id)
        except PayloadTooLargeError:
            return route.key, http_api.too_large()
        except (NoProcessFreeError, TimeoutError):
            return route.key, http_api.function_silent()
        except FunctionError as failed:
            self._log(f"{time.strftime('%H:%M:%S')} {route.key} {failed.kind}")
            return route.key, http_api.function_failed()

    def _local_answer(self, request: Request) -> Response:
        # A page of another site that has its name point here must not read letters or tokens.
        if (request.header("host") or "") not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return http_api.message(403, "Forbidden")
        if request.method == "POST" and request.path.startswith("/_local/functions/"):
            return self._forwarded(request)
        if request.method == "POST" and request.path.startswith("/_local/jobs/"):
            return self._job(request)
        if request.path.startswith("/_local/recipients/"):
            return _recipient(request, self._recipients)
        if request.path.startswith(("/_local/components", "/_local/letters")):
            return _sample(request, self._gallery)
        if self._local is None:
            return http_api.function_silent()
        return self._local.answer(request)

    def _forwarded(self, request: Request) -> Response:
        """Run a function for the emulator: an event of a queue, a stream, a rule or a schedule."""
        if not hmac.compare_digest((request.header("x-local-secret") or "").encode(), self._secret.encode()):
            return http_api.message(403, "Forbidden")
        # After a restart the emulator may deliver before the functions are ready.
        self._opened.wait(http_api.LONGEST_WAIT)
        pool = self._names.get(request.path.rpartition("/")[2])
        if pool is None:
            return http_api.not_found()
        started = time.monotonic()
        try:
            outcome = b'{"result":%s}' % pool.invoke(request.body, patience=LONGEST_BACKGROUND_WAIT)
            told = "done"
        except (FunctionError, NoProcessFreeError, PayloadTooLargeError) as failed:
            told = getattr(failed, "kind", type(failed).__name__)
            outcome = json.dumps({"error": told}).encode()
        elapsed = (time.monotonic() - started) * 1000
        self._log(f"{time.strftime('%H:%M:%S')} event for {pool.function.logical_id}: {told} {elapsed:.0f} ms")
        return _json(outcome)

    def _job(self, request: Request) -> Response:
        """Run a job at once, which its schedule would start later."""
        # Demanding JSON keeps forms of other sites out.
        if (request.header("content-type") or "").split(";")[0] != "application/json":
            return http_api.message(415, "Send JSON")
        job = request.path.rpartition("/")[2]
        pool = self._pools.get(JOBS.get(job, ""))
        if pool is None:
            return http_api.not_found()
        event = json.dumps({"job": job}).encode()
        try:
            return _json(pool.invoke(event, patience=LONGEST_BACKGROUND_WAIT))
        except FunctionError as failed:
            return http_api.message(500, failed.kind)
        except NoProcessFreeError:
            return http_api.function_silent()


def _sample(request: Request, gallery: Gallery | None) -> Response:
    """A page, a letter or all components, as samples show them."""
    if gallery is None or request.method not in ("GET", "HEAD"):
        return http_api.not_found()
    try:
        found = gallery.show(request.path.removeprefix("/_local"), request.query)
    except RuntimeError as failed:
        return http_api.message(500, str(failed))
    return _html(found) if found is not None else http_api.not_found()


def _recipient(request: Request, recipients: DemoRecipients | None) -> Response:
    """What a demo recipient was asked; or it is told how to behave from now on."""
    name = request.path.rpartition("/")[2]
    if recipients is None or name not in recipients.names:
        return http_api.not_found()
    if request.method == "POST":
        # Demanding JSON keeps forms of other sites out.
        if (request.header("content-type") or "").split(";")[0] != "application/json":
            return http_api.message(415, "Send JSON")
        try:
            wanted = json.loads(request.body)
            seconds = wanted.get("seconds")
            recipients.behave(name, str(wanted["behaviour"]), None if seconds is None else float(seconds))
        except (ValueError, KeyError, TypeError, AttributeError):
            return http_api.message(400, f'Send {{"behaviour": one of {", ".join(BEHAVIOURS)}}}')
    return _json(recipients.shown(name))


class LocalPages:
    """Mailbox, issuer and index under /_local/, and the SES stand-in under /_local/sesv2/."""

    def __init__(self, mailbox: Mailbox, issuer: Issuer, subscribe_path: str | None) -> None:
        self._mailbox = mailbox
        self._issuer = issuer
        self._subscribe_path = subscribe_path
        self.mail_service: MailService | None = None

    def answer(self, request: Request) -> Response:
        path = request.path.removeprefix("/_local").rstrip("/") or "/"
        match ("GET" if request.method == "HEAD" else request.method), path:
            case "GET", "/":
                return _html(pages.index(self._subscribe_path))
            case "GET", "/mailbox":
                return _html(pages.mailbox(self._mailbox.letters()))
            case "GET", "/mailbox.json":
                return _json([asdict(letter) for letter in self._mailbox.letters()])
            case "POST", "/mailbox/fault":
                return self._fault(request)
            case "POST", "/mail" | "/mailbox/report":
                return self._brought_back(request, self.mail_service)
            case "GET", "/token":
                return self._token(request)
            case "GET", "/issuer/.well-known/openid-configuration":
                return _json(self._issuer.configuration())
            case "GET", "/issuer/.well-known/jwks.json":
                return _json(self._issuer.keys())
            case "POST", "/sesv2/v2/email/outbound-emails":
                return self._send(request)
        return http_api.not_found()

    def _token(self, request: Request) -> Response:
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        try:
            lifetime = min(int(query.get("expires_in", LIFETIME)), LONGEST_LIFETIME)
        except ValueError:
            return http_api.message(400, "expires_in is a number of seconds")
        token = self._issuer.token(
            query.get("scope", ""),
            client=query.get("client", "local-client"),
            audience=query.get("audience", AUDIENCE),
            lifetime=lifetime,
        )
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": lifetime})

    def _fault(self, request: Request) -> Response:
        # Demanding JSON keeps forms of other sites out.
        if (request.header("content-type") or "").split(";")[0] != "application/json":
            return http_api.message(415, "Send JSON")
        try:
            wanted = json.loads(request.body)
            times, kind = int(wanted["times"]), str(wanted["error"])
        except (ValueError, KeyError, TypeError):
            return http_api.message(400, 'Send {"times": number, "error": name}')
        if kind not in STATUS_OF_ERRORS:
            return http_api.message(400, f"error is one of {', '.join(STATUS_OF_ERRORS)}")
        self._mailbox.fail(times, kind)
        return Response(204, (), b"")

    def _brought_back(self, request: Request, service: MailService | None) -> Response:
        """A raw message arrives, of which the query may say what SES thinks; or something is reported of a letter."""
        if service is None:
            return http_api.not_found()
        if request.path.endswith("/report"):
            return self._report(request, service)
        # Demanding this type keeps forms of other sites out.
        if request.header("content-type") != "message/rfc822":
            return http_api.message(415, "Send a message/rfc822")
        verdicts = {name: values[-1] for name, values in parse_qs(request.query).items()}
        return _json({"name": service.receive(request.body, verdicts)})

    def _report(self, request: Request, service: MailService) -> Response:
        """About a letter in the mailbox, or one that a mail tool sent."""
        try:
            wanted = json.loads(request.body)
            letter = self._mailbox.find(wanted["letter"]) if "letter" in wanted else None
            to = letter.to if letter else str(wanted["to"])
            headers = letter.headers if letter else dict(wanted.get("headers") or {})
            tags = letter.tags if letter else dict(wanted.get("tags") or {})
            service.report(wanted["report"], to, headers, tags)
        except (ValueError, KeyError, TypeError):
            told = f'Send {{"report": one of {", ".join(REPORTS)}, "letter": id}}, or "to" and "headers" for "letter"'
            return http_api.message(400, told)
        return Response(204, (), b"")

    def _send(self, request: Request) -> Response:
        try:
            asked = json.loads(request.body)
            letter_id = self._mailbox.send(asked)
            letter = self._mailbox.find(letter_id)
            if letter is not None and self.mail_service is not None and asked.get("ConfigurationSetName"):
                self.mail_service.report_later("delivery", letter.to, letter.headers, letter.tags)
        except SesError as refused:
            return _ses_error(refused.kind, refused.status)
        except (ValueError, KeyError, TypeError, AttributeError):
            return _ses_error("BadRequestException", 400)
        return _json({"MessageId": letter_id})


def _ses_error(kind: str, status: int) -> Response:
    return http_api.message(status, kind, ("x-amzn-errortype", kind))


def _json(content: Any) -> Response:
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return Response(200, (("content-type", "application/json"), ("cache-control", "no-store")), body)


def _html(content: bytes) -> Response:
    return Response(
        200,
        (
            ("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"),
            ("content-security-policy", pages.POLICY), ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ),
        content,
    )  # fmt: skip


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    # A port still in use must be refused; one merely left in TIME_WAIT by the last run must not.
    allow_reuse_address = True

    def __init__(self, door: FrontDoor) -> None:
        self.door = door
        super().__init__(("127.0.0.1", door.port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 75

    server: _Server

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it so
        """The front door keeps its own log."""

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            response = http_api.too_large()
            self.close_connection = True
        else:
            response = self.server.door.answer(
                Request(self.command, self.path, tuple(self.headers.items()), body, self.client_address[0])
            )
        self._send(response)

    def _body(self) -> bytes | None:
        """The request's body, or None when it is larger than an HTTP API takes."""
        largest = http_api.LARGEST_REQUEST
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            body = read_chunks(self.rfile, largest)
            return body if len(body) <= largest else None
        length = int(self.headers.get("content-length") or 0)
        if length <= largest:
            return self.rfile.read(length)
        left = min(length, DRAINED)
        while left > 0 and (part := self.rfile.read(min(left, 1 << 20))):
            left -= len(part)
        return None

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers:
            # Headers are Latin-1 on the wire; anything else a function sends is made visible, not dropped.
            self.send_header(name, value.encode("latin-1", "backslashreplace").decode("latin-1"))
        self.send_header("date", self.date_time_string())
        if response.status not in (204, 304):
            self.send_header("content-length", str(len(response.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self.wfile.write(response.body)
        self.wfile.flush()
        if self.close_connection:
            self.connection.shutdown(socket.SHUT_WR)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815
