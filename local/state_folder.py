"""The folder that holds everything the local stack keeps between two runs."""

import fcntl
import shutil
from pathlib import Path
from typing import IO

from local.errors import RefusedToStartError

STATE_VERSION = "2"
"""Raised whenever an older folder could no longer be read; there is no upgrade of local data."""


class StateFolder:
    """One state folder, locked for as long as it is open.

    Its parts: `emulator/` (the emulated services' data), `logs/`, `mailbox.jsonl`, `issuer-key.pem`,
    `deployed.json` (what was last deployed) and `state-version`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.emulator = self.path / "emulator"
        self.logs = self.path / "logs"
        self.mailbox = self.path / "mailbox.jsonl"
        self.issuer_key = self.path / "issuer-key.pem"
        self.deployed = self.path / "deployed.json"
        self.bytecode = self.path / "bytecode"
        self._version = self.path / "state-version"
        self._lock: IO[str] | None = None

    def open(self, *, fresh: bool = False) -> None:
        """Create or check the folder and lock it; with `fresh` its content is removed first.

        Raises RefusedToStartError, with the data untouched, when the folder holds something else, was written by
        another version, or is in use by another run.
        """
        exists = self.path.is_dir() and any(self.path.iterdir())
        if self.path.exists() and not self.path.is_dir():
            raise RefusedToStartError(f"STATE={self.path} is not a folder; choose another one.")
        if exists and not self._version.is_file():
            raise RefusedToStartError(
                f"STATE={self.path} holds files that are not the local stack's; choose another folder. "
                "Nothing was changed."
            )
        found = self._version.read_text(encoding="utf-8").strip() if exists else STATE_VERSION
        if found != STATE_VERSION and not fresh:
            raise RefusedToStartError(
                f"STATE={self.path} was written by another version (found {found[:20]!r}, this one uses "
                f"{STATE_VERSION!r}). Nothing was changed. Choose another folder, or empty it with FRESH=1."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        if fresh:
            self._empty()
        for folder in (self.emulator, self.logs):
            folder.mkdir(exist_ok=True)
        self._version.write_text(f"{STATE_VERSION}\n", encoding="utf-8")

    def close(self) -> None:
        """Let another run use the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        lock = (self.path / "lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise RefusedToStartError(
                f"STATE={self.path} is in use by another local stack; stop that one, or choose another folder."
            ) from None
        # A crash between here and the end of `open` must not leave a folder that looks like somebody else's.
        if not self._version.is_file():
            self._version.write_text(f"{STATE_VERSION}\n", encoding="utf-8")
        self._lock = lock

    def _empty(self) -> None:
        for entry in self.path.iterdir():
            if entry.name in ("lock", self._version.name):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
