"""Runs inside the emulator's own virtual environment: ministack with snapshots, so that a crash loses seconds.

ministack writes its state only when it is stopped cleanly. This program writes it every few seconds as well, and at
once on SIGUSR1; after each snapshot it touches the file named by LOCAL_SNAPSHOT_STAMP.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

BUSY_SECONDS = 2.0
"""Between two snapshots while requests arrive, as long as there is little to write: what a crash may lose."""

SHARE = 20
"""A snapshot is everything there is: writing takes at most one part of so many of the time, however much that is."""

IDLE_SECONDS = 30.0
"""Between two snapshots while nothing is asked: timers inside the emulator may still change something."""


def forget_stream_positions(state: Path) -> None:
    """Remove the saved read positions of stream mappings.

    Streams start empty after a restart, whereas the positions are kept: new records would be skipped.
    """
    saved = state / "lambda.json"
    if not saved.is_file():
        return
    content = json.loads(saved.read_text(encoding="utf-8"))
    without(content, "dynamodb_stream_positions")
    saved.write_text(json.dumps(content), encoding="utf-8")


def without(value: object, key: str) -> None:
    """Remove `key` from every object inside `value`."""
    if isinstance(value, dict):
        value.pop(key, None)
        for inner in value.values():
            without(inner, key)
    elif isinstance(value, list):
        for inner in value:
            without(inner, key)


def follow_the_port(state: Path, port: str) -> None:
    """Let the saved addresses of queues name the port in use: the emulator finds a queue by its whole address."""
    noted = state / "port"
    before = noted.read_text(encoding="utf-8") if noted.is_file() else port
    if before != port:
        for saved in state.glob("*.json"):
            content = saved.read_text(encoding="utf-8")
            saved.write_text(content.replace(f"127.0.0.1:{before}/", f"127.0.0.1:{port}/"), encoding="utf-8")
    noted.write_text(port, encoding="utf-8")


class Snapshots:
    """Writes the state of all services now and then, more often while there are requests."""

    def __init__(self, emulator, stamp: Path) -> None:  # type: ignore[no-untyped-def]
        self._emulator = emulator
        self._stamp = stamp
        self._asked_for = threading.Event()
        self._last_request = time.monotonic()
        serve = emulator.app

        async def noting_requests(scope, receive, send):  # type: ignore[no-untyped-def]
            if scope["type"] == "http" and "/health" not in scope["path"]:
                self._last_request = time.monotonic()
            await serve(scope, receive, send)

        emulator.app = noting_requests

    def ask_for_one(self, *_: object) -> None:
        self._asked_for.set()

    def keep_writing(self) -> None:
        last, rest = time.monotonic(), BUSY_SECONDS
        while True:
            asked = self._asked_for.wait(rest)
            self._asked_for.clear()
            now = time.monotonic()
            # A request may be followed by work in the background, hence the snapshots for a while after it.
            busy = now - self._last_request < 2 * BUSY_SECONDS + rest
            if asked or busy or now - last > IDLE_SECONDS:
                self._emulator.save_all(self._emulator._build_persistence_save_dict())  # noqa: SLF001 - there is no public way
                self._stamp.write_text(str(time.time_ns()), encoding="utf-8")
                last = time.monotonic()
                rest = max(BUSY_SECONDS, SHARE * (last - now))


def tell_the_signing_algorithm(iam_actions) -> None:  # type: ignore[no-untyped-def]
    """Let conditions of roles see `kms:SigningAlgorithm`, as on AWS: without it they would allow every algorithm."""
    known = iam_actions.request_tag_context

    def context(service, action, body, *others):  # type: ignore[no-untyped-def]
        told = known(service, action, body, *others)
        if action == "kms:Sign":
            told = {**told, "kms:SigningAlgorithm": str(json.loads(body).get("SigningAlgorithm", ""))}
        return told

    iam_actions.request_tag_context = context


def main() -> None:
    state = Path(os.environ["STATE_DIR"])
    forget_stream_positions(state)
    follow_the_port(state, os.environ["GATEWAY_PORT"])
    # ministack reads its environment when it is imported.
    from ministack import app
    from ministack.core import iam_actions

    tell_the_signing_algorithm(iam_actions)
    snapshots = Snapshots(app, Path(os.environ["LOCAL_SNAPSHOT_STAMP"]))
    signal.signal(signal.SIGUSR1, snapshots.ask_for_one)
    threading.Thread(target=snapshots.keep_writing, daemon=True).start()
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
