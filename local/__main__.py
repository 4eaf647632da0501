"""Starts the local stack and keeps it running until Ctrl-C: `python -m local [--port N] [--state DIR] [--fresh]`."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from local.errors import LocalStackError
from local.installation import ROOT
from local.stack import LocalStack

HIGHEST_PORT = 65_535
LOWEST_PORT = 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="Run the template on this computer.")
    parser.add_argument("--port", type=int, default=8000, help="where to answer on 127.0.0.1")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder for everything that is kept")
    parser.add_argument("--fresh", action="store_true", help="empty the state folder first")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder with template.yaml, functions/ and layers/")
    parser.add_argument("--no-recipients", action="store_true", help="play no recipients: staff do what they are asked")
    arguments = parser.parse_args()
    if not LOWEST_PORT <= arguments.port <= HIGHEST_PORT:
        sys.stderr.write(f"PORT={arguments.port}: choose one from {LOWEST_PORT} to {HIGHEST_PORT}.\n")
        return 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop_once)
    # The computer's own AWS profile has no say here, and need not even exist.
    os.environ.pop("AWS_PROFILE", None)
    stack = LocalStack(
        arguments.port,
        arguments.state,
        arguments.fresh,
        root=arguments.root,
        recipients=not arguments.no_recipients,
        tell=_say,
    )
    try:
        stack.start()
        _say(f"Ready: {stack.url}    (letters: {stack.url}/_local/mailbox)")
        while True:
            # Short sleeps rather than signal.pause(), which would miss a signal that comes just before it.
            time.sleep(0.3)
    except LocalStackError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        _say("Stopping")
        stack.stop()
        return 0


def _stop_once(*_: object) -> None:
    """Begin to stop; what arrives while stopping is not heard, so that the data is written to the end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(line: str) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:
        # The terminal is gone; the stack goes on, and when it stops it writes its data all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
