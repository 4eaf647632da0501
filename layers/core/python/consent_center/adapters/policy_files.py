"""The compiled policy and its notices, from the package that the policy layer brings, and words in its languages."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from consent_center.domain.errors import UnknownNameError
from consent_center.domain.incoming import StopWords
from consent_center.domain.policy import Policy


@cache
def load_policy() -> Policy:
    return Policy(json.loads(files("consent_policy").joinpath("policy.json").read_bytes()))


def load_notice(policy: Policy, version: str, language: str) -> dict[str, Any]:
    """The notice of a version, in the language or the policy's default one; UnknownNameError for no such version."""
    if version not in policy.notices:
        raise UnknownNameError("version")
    hashes = policy.notices[version].hashes
    known = language if language in hashes else policy.default_language
    text: dict[str, Any] = json.loads(
        files("consent_policy").joinpath("notices", f"{version}.{known}.json").read_bytes()
    )
    return text


def load_stop_words(policy: Policy) -> StopWords:
    """How people say stop in the policy's languages."""
    words = json.loads(files("consent_center").joinpath("texts", "stop_words.json").read_bytes())
    return StopWords.of(words, policy.languages)
