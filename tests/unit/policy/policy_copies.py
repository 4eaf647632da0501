"""Copies of policies that a test may edit."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from policy_compiler import policy, rules
from policy_compiler.problems import PolicyError, Problem

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "layers" / "policy"
OTHER = Path(__file__).parent / "other_policy"
TODAY = date(2026, 12, 1)


@dataclass(frozen=True, slots=True)
class Copy:
    """A policy folder of its own."""

    folder: Path

    def edit(self, old: str, new: str, file: str = "policy.yaml") -> None:
        """Replace the only occurrence of `old`."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{text.count(old)} times in {file}: {old}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def line_of(self, words: str, file: str = "policy.yaml") -> int:
        """The number of the only line that is `words`, or else of the only one that contains them."""
        lines = list(enumerate((self.folder / file).read_text(encoding="utf-8").splitlines(), start=1))
        found = [number for number, line in lines if line == words] or [
            number for number, line in lines if words in line
        ]
        assert len(found) == 1, f"{len(found)} lines contain: {words}"
        return found[0]

    def problems(self, compiling: bool = True) -> list[Problem]:
        try:
            return rules.check(policy.read(self.folder, TODAY), compiling)
        except PolicyError as error:
            return error.problems
