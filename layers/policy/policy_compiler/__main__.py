"""Command line: check and compile a policy, publish an edition of its notice, or record what the newest one says."""

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from policy_compiler import compiler
from policy_compiler.problems import PolicyError, Problem


def main(arguments: list[str] | None = None) -> int:
    """Run the command; answer 0 when all is well, 1 when the policy has errors, 2 when the command is wrong."""
    words = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="policy_compiler", description=__doc__)
    if words[:1] == ["publish"]:
        parser.add_argument("command", choices=["publish"])
        parser.add_argument("--version", required=True, help="the edition, as named under notices")
        parser.add_argument("--change", required=True, help="its class, once more: first, typo, information, …")
    elif words[:1] == ["record"]:
        parser.add_argument("command", choices=["record"])
    else:
        parser.add_argument(
            "--out", type=Path, help="folder that gets the package consent_policy; left out: only check"
        )
    parser.add_argument("--policy", required=True, type=Path, help="folder with policy.yaml")
    options = parser.parse_args(words)
    today = datetime.now(UTC).date()  # noqa: TID251  # The command line is where the clock comes from.
    try:
        warnings, done = _run(options, today)
    except PolicyError as error:
        _print(error.problems)
        errors = sum(not problem.is_warning for problem in error.problems)
        print(f"{errors} {'error' if errors == 1 else 'errors'}; nothing was written.", file=sys.stderr)
        return 1
    _print(warnings)
    print(done)
    return 0


def _run(options: argparse.Namespace, today: date) -> tuple[list[Problem], str]:
    if "version" in options:
        return compiler.publish(options.policy, options.version, options.change, today)
    if "command" in options:
        return compiler.record(options.policy, today)
    return compiler.compile_policy(options.policy, options.out, today)


def _print(problems: list[Problem]) -> None:
    for problem in problems:
        print(problem, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
