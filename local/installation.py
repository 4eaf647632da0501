"""Where this repository and what was installed for it lie."""

from pathlib import Path

from local.errors import LocalStackError

ROOT = Path(__file__).resolve().parents[1]
BUILT_LAYERS = ROOT / ".build" / "layers"


def interpreter(purpose: str) -> Path:
    """The Python of a virtual environment: "emulator" or "runtime"; LocalStackError when it is not installed."""
    environment = ROOT / f".venv-{purpose}"
    if not (environment / "installed").is_file():
        raise LocalStackError(f"{environment.name} is not installed; run `make build` first.")
    return environment / "bin" / "python"
