"""The shipped policy, compiled as a deployment compiles it, on the import path of this process."""

import sys
import tempfile
from functools import cache
from pathlib import Path

from policy_compiler.__main__ import main

ROOT = Path(__file__).parents[1]


@cache
def compiled() -> Path:
    """The folder that holds the package `consent_policy`."""
    folder = Path(tempfile.mkdtemp(prefix="consent-policy-"))
    if main(["--policy", str(ROOT / "layers/policy"), "--out", str(folder)]) != 0:
        raise RuntimeError("the shipped policy does not compile")
    sys.path.append(str(folder))
    return folder
