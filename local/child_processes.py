"""Child processes that never outlive the process that started them."""

import contextlib
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

WATCHED = Path(__file__).parent / "watched_child.py"


class Child:
    """A Python process that ends when its parent ends, however that happens.

    The child holds the reading end of a pipe whose writing end is held by the parent alone; when the parent is gone the
    pipe closes and the child stops itself. Unlike a death signal this works on every system and does not
    depend on which thread of the parent started the child.
    """

    def __init__(
        self, python: Path, arguments: Sequence[str], *, environment: Mapping[str, str], cwd: Path, log: IO[bytes]
    ) -> None:
        """Start `python` with `arguments` ("-m module …" or "script …").

        The child gets its own session, so that a Ctrl-C in the terminal reaches only the parent, which then
        stops its children in the right order.
        """
        self._process = subprocess.Popen(
            [str(python), "-u", str(WATCHED), *arguments],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while the process runs."""
        return self._process.poll()

    def terminate(self, seconds: float) -> None:
        """Ask the process to end, and kill it when it has not done so within `seconds`."""
        if self.exit_code is None:
            self._process.terminate()
            deadline = time.monotonic() + seconds
            while self.exit_code is None and time.monotonic() < deadline:
                time.sleep(0.02)
        self.kill()

    def kill(self) -> None:
        """End the process now and free what belongs to it."""
        if self.exit_code is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
