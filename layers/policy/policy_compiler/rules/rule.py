"""What a rule is: a function that looks for one thing in a policy; its name with hyphens is its id."""

from collections.abc import Callable, Iterator
from functools import wraps

from policy_compiler.policy import Policy
from policy_compiler.problems import Problem

Finding = tuple[str, str, str]
"""Pointer into policy.yaml, what is wrong, the mend."""

Rule = Callable[[Policy], Iterator[Problem]]


def policy_rule(warns: bool = False) -> Callable[[Callable[[Policy], Iterator[Finding | Problem]]], Rule]:
    """Make a rule of a function that yields findings in policy.yaml, or whole problems in another file."""

    def made(find: Callable[[Policy], Iterator[Finding | Problem]]) -> Rule:
        @wraps(find)
        def rule(policy: Policy) -> Iterator[Problem]:
            for found in find(policy):
                yield found if isinstance(found, Problem) else policy.file.problem(*found, id_of(find), warns)

        return rule

    return made


def id_of(rule: Callable[[Policy], Iterator[Finding | Problem]]) -> str:
    return rule.__name__.replace("_", "-")
