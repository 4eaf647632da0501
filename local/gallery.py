"""Pages, letters and components with samples, rendered by a process that lives for one look."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

SECONDS = 20.0
"""How long a look may take."""

NO_SUCH_PAGE = 4
"""What the process exits with where there is nothing to show."""


class Gallery:
    def __init__(self, root: Path, python: Path, packages: Iterable[Path]) -> None:
        """`root` holds the templates, `packages` what renders them; both are read anew for each look."""
        self._command = [str(python), "-m", "local.samples"]
        self._root = root
        self._path = [root, root / "layers/core/python", *packages]

    def show(self, path: str, query: str) -> bytes | None:
        """The page at a path below `/_local`; None if there is none. RuntimeError with the last line of what failed."""
        done = subprocess.run(
            [*self._command, path, query],
            cwd=self._root,
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": os.pathsep.join(map(str, self._path)),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode == NO_SUCH_PAGE:
            return None
        if done.returncode != 0:
            raise RuntimeError((done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1])
        return done.stdout
