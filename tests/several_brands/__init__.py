"""A policy of two controllers and three brands, published and compiled as a deployment does it."""

import json
import shutil
import tempfile
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from consent_center.adapters.policy_files import notice_file
from consent_center.bootstrap import Services
from consent_center.domain.policy import Policy
from policy_compiler import compiler

WORDING = Path(__file__).parents[2] / "layers/policy/wording/en.yaml"
TODAY = date(2026, 12, 1)


def folder_in(place: Path) -> Path:
    """A folder with the policy and its wording, of which nothing is published yet."""
    folder = place / "policy"
    (folder / "wording").mkdir(parents=True)
    shutil.copy(Path(__file__).parent / "policy.yaml", folder)
    shutil.copy(WORDING, folder / "wording")
    return folder


@cache
def compiled() -> Path:
    """The folder of the compiled policy, with its notices."""
    place = Path(tempfile.mkdtemp(prefix="several-brands-"))
    folder = folder_in(place)
    compiler.publish(folder, "2026-12-01", "first", TODAY)
    compiler.compile_policy(folder, place / "out", TODAY)
    return place / "out/consent_policy"


def policy_in(package: Path) -> Policy:
    """The policy of a compiled package."""
    return Policy(json.loads((package / "policy.json").read_text()))


def run_on(services: Services, package: Path) -> Policy:
    """Let functions run on a compiled package instead of the shipped one."""
    policy = policy_in(package)

    def notice(version: str, language: str, controller: str) -> Any:
        return json.loads((package / "notices" / notice_file(policy, version, language, controller)).read_text())

    services.policy = policy
    services.notice_text = notice
    return policy
