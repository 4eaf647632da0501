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


def load_notice(policy: Policy, version: str, language: str, controller: str) -> dict[str, Any]:
    """A controller's notice of a version, in the language or the policy's default one.

    UnknownNameError for a version that the controller has no text of.
    """
    name = notice_file(policy, version, language, controller)
    text: dict[str, Any] = json.loads(files("consent_policy").joinpath("notices", name).read_bytes())
    return text


def notice_file(policy: Policy, version: str, language: str, controller: str) -> str:
    """What the compiler called the file of that notice. UnknownNameError."""
    if version not in policy.notices_of(controller):
        raise UnknownNameError("version")
    hashes = policy.notices[version].hashes[controller]
    known = language if language in hashes else policy.default_language
    return f"{version}.{known}.{controller}.json" if len(policy.controllers) > 1 else f"{version}.{known}.json"


def load_stop_words(policy: Policy) -> StopWords:
    """How people say stop in the policy's languages."""
    words = json.loads(files("consent_center").joinpath("texts", "stop_words.json").read_bytes())
    return StopWords.of(words, policy.languages)
