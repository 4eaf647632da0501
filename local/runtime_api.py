"""Runs functions under Lambda's own runtime client, by serving it the Lambda Runtime API."""

import http.server
import json
import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO

from local.child_processes import Child

LARGEST_PAYLOAD = 6 * 1024 * 1024
"""Bytes of an event or an answer; a quota of Lambda."""

INIT_SECONDS = 10.0
"""How long a function may take to import its code; a quota of Lambda."""

PROCESSES = 2
"""Processes per function; further calls wait their turn."""

PROCESS_LIFETIME = 45 * 60.0
"""Seconds until a process is replaced, well before the hour for which its credentials are good."""


class FunctionError(Exception):
    """The function did not answer: it raised, timed out, ended, or said too much. `kind` is the error's type."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class PayloadTooLargeError(Exception):
    """The event is larger than Lambda accepts."""


class NoProcessFreeError(Exception):
    """Every process of the function was busy for as long as the caller could wait."""


@dataclass(frozen=True)
class Function:
    """What is needed to run one deployed function."""

    logical_id: str
    name: str
    arn: str
    handler: str
    timeout: float
    """Seconds one call may take."""
    memory: int
    """Megabytes, told to the function and not enforced."""
    environment: Mapping[str, str]
    """The variables the template gives the function."""
    python_path: tuple[Path, ...]
    """Folders of its layers."""


class FunctionPool:
    """The processes of one function. Safe to use from several threads."""

    def __init__(
        self,
        function: Function,
        *,
        python: Path,
        code: Path,
        log: Path,
        bytecode: Path,
        surroundings: Callable[[], Mapping[str, str]],
    ) -> None:
        """`surroundings` gives, for each new process, credentials and endpoints: what AWS would provide."""
        self.function = function
        self._python = python
        self._code = code
        self._log = log
        self._bytecode = bytecode
        self._surroundings = surroundings
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._changed = threading.Condition()
        self._closed = False

    def warm_up(self) -> None:
        """Start one process, so that the first call does not wait for the imports."""
        self._give_back(self._take(seconds=0.1))

    def invoke(self, event: bytes, *, patience: float = 30.0) -> bytes:
        """Call the function with a JSON event and return its JSON answer.

        Raises PayloadTooLargeError, NoProcessFreeError after `patience` seconds, or FunctionError.
        """
        if len(event) > LARGEST_PAYLOAD:
            raise PayloadTooLargeError
        process = self._take(patience)
        try:
            answer = process.call(event, self.function.timeout)
        except FunctionError:
            if not process.usable:
                self._discard(process)
                raise
            self._give_back(process)
            raise
        self._give_back(process)
        return answer

    def close(self) -> None:
        """End all processes; calls under way fail."""
        with self._changed:
            self._closed = True
            processes, self._all, self._idle = list(self._all), set(), []
            self._changed.notify_all()
        for process in processes:
            process.end()

    def _take(self, seconds: float) -> "_Process":
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                if self._closed:
                    raise NoProcessFreeError
                while self._idle:
                    process = self._idle.pop()
                    if process.usable and process.age < PROCESS_LIFETIME:
                        return process
                    self._all.discard(process)
                    process.end()
                if len(self._all) < PROCESSES:
                    process = _Process(self)
                    self._all.add(process)
                    break
                if not self._changed.wait(deadline - time.monotonic()):
                    raise NoProcessFreeError
        try:
            process.start()
        except BaseException:
            self._discard(process)
            raise
        return process

    def _give_back(self, process: "_Process") -> None:
        with self._changed:
            self._idle.append(process)
            self._changed.notify()

    def _discard(self, process: "_Process") -> None:
        with self._changed:
            self._all.discard(process)
            self._changed.notify()
        process.end()

    def environment(self) -> dict[str, str]:
        """The environment of a new process, but for the address of its Runtime API."""
        function = self.function
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": ":".join(str(folder) for folder in function.python_path),
            "PYTHONPYCACHEPREFIX": str(self._bytecode),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"local/{uuid.uuid4().hex}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": str(self._code),
            **function.environment,
            **self._surroundings(),
        }

    def start_child(self, environment: Mapping[str, str], address: str) -> Child:
        """A new process of the function whose Runtime API is at `address`."""
        with self._log.open("ab") as log:
            return Child(
                self._python,
                ["-m", "awslambdaric", self.function.handler],
                environment={**environment, "AWS_LAMBDA_RUNTIME_API": address},
                cwd=self._code,
                log=log,
            )


@dataclass
class _Call:
    """One call on its way: the event, and the outcome once it is there."""

    event: bytes
    deadline: float
    outcome: "queue.SimpleQueue[tuple[str, bytes]]"
    id: str


class _Process:
    """One process of a function with the Runtime API it talks to; handles one call at a time."""

    def __init__(self, pool: FunctionPool) -> None:
        self._pool = pool
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._current: _Call | None = None
        self._ready = threading.Event()
        self._server: _RuntimeServer | None = None
        self._child: Child | None = None
        self._born = time.monotonic()
        self._init_error: str | None = None
        self._lifecycle = threading.Lock()
        self.usable = True

    @property
    def age(self) -> float:
        return time.monotonic() - self._born

    def start(self) -> None:
        """Start the process, unless it was ended before it began."""
        environment = self._pool.environment()
        with self._lifecycle:
            if not self.usable:
                raise NoProcessFreeError
            self._server = _RuntimeServer(self)
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
            self._child = self._pool.start_child(environment, f"127.0.0.1:{self._server.server_address[1]}")

    def end(self) -> None:
        self.usable = False
        with self._lifecycle:
            self._calls.put(None)
            child, self._child = self._child, None
            server, self._server = self._server, None
        if child is not None:
            child.kill()
        if server is not None:
            server.shutdown()
            server.server_close()

    def call(self, event: bytes, timeout: float) -> bytes:
        """The function's answer; after a FunctionError look at `usable`."""
        deadline = time.monotonic() + INIT_SECONDS
        while not self._ready.wait(0.005):
            if self._has_ended():
                self._fail(self._init_error or "Runtime.ExitError")
            if time.monotonic() > deadline:
                self._fail("Runtime.InitTimeout")
        call = _Call(event, time.time() + timeout, queue.SimpleQueue(), str(uuid.uuid4()))
        self._calls.put(call)
        deadline = time.monotonic() + timeout
        while True:
            try:
                # A function that ends without a word is noticed within a fraction of a second.
                kind, content = call.outcome.get(timeout=min(0.2, max(0.0, deadline - time.monotonic())))
                break
            except queue.Empty:
                if self._has_ended():
                    self._fail("Runtime.ExitError")
                if time.monotonic() >= deadline:
                    self._fail("Sandbox.Timedout")
        if kind == "error":
            raise FunctionError(_error_type(content))
        if len(content) > LARGEST_PAYLOAD:
            raise FunctionError("Function.ResponseSizeTooLarge")
        return content

    def _has_ended(self) -> bool:
        child = self._child
        return child is None or child.exit_code is not None

    def _fail(self, kind: str) -> None:
        self.usable = False
        raise FunctionError(kind)

    # What the runtime client asks for and tells.

    def next_call(self) -> _Call | None:
        self._ready.set()
        self._current = self._calls.get()
        return self._current

    def finish(self, call_id: str, kind: str, content: bytes) -> None:
        if self._current is not None and self._current.id == call_id:
            self._current.outcome.put((kind, content))

    def fail_to_start(self, content: bytes) -> None:
        self._init_error = _error_type(content)

    @property
    def arn(self) -> str:
        return self._pool.function.arn


def _error_type(content: bytes) -> str:
    try:
        return str(json.loads(content)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Unhandled"


class _RuntimeServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, process: _Process) -> None:
        self.process = process
        super().__init__(("127.0.0.1", 0), _RuntimeHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed process drops its connection; that is no news."""


class _RuntimeHandler(http.server.BaseHTTPRequestHandler):
    """The four calls of the Runtime API."""

    protocol_version = "HTTP/1.1"
    # Without these two, every answer waits for the other side's delayed acknowledgement (40 ms).
    disable_nagle_algorithm = True
    wbufsize = -1

    server: _RuntimeServer

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it so
        """Keep the terminal quiet."""

    def do_GET(self) -> None:
        call = self.server.process.next_call()
        if call is None:
            self._answer(410)
            return
        self._answer(
            200,
            call.event,
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": call.id,
                "Lambda-Runtime-Deadline-Ms": str(int(call.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": self.server.process.arn,
                "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
            },
        )

    def do_POST(self) -> None:
        content = read_chunks(self.rfile) if "chunked" in self.headers.get("Transfer-Encoding", "") else self._sized()
        parts = self.path.split("/")
        if parts[-2] == "init":
            self.server.process.fail_to_start(content)
        else:
            self.server.process.finish(parts[-2], parts[-1], content)
        self._answer(202)

    def _answer(self, status: int, content: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _sized(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))


def read_chunks(stream: BinaryIO | BufferedIOBase, largest: int | None = None) -> bytes:
    """The content of a chunked message; reading stops once there are more than `largest` bytes."""
    parts: list[bytes] = []
    total = 0
    while size := int(stream.readline().split(b";")[0].strip() or b"0", 16):
        parts.append(stream.read(size))
        stream.readline()
        total += size
        if largest is not None and total > largest:
            return b"".join(parts)
    while stream.readline().strip():
        pass
    return b"".join(parts)
