"""What is not a policy at all is refused with its line, and YAML holds no surprises."""

import pytest
from tests.unit.policy.policy_copies import Copy

from policy_compiler import source
from policy_compiler.problems import PolicyError, Problem


def refused(text: str) -> list[Problem]:
    with pytest.raises(PolicyError) as refusal:
        source.parse(text, "policy.yaml")
    return refusal.value.problems


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3),
        ("a: 1\n  b: 2\n", 2),
        ("a: text: more\n", 1),
        ("a: 1\n\tb: 2\n", 2),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: *nobody\n", 1),
        ("a: 1\nb: \x07\n", 2),
    ],
)
def test_broken_yaml_is_refused_with_its_line(text: str, line: int) -> None:
    (problem,) = refused(text)

    assert (problem.rule, problem.line, problem.pointer) == ("yaml", line, "/")
    assert "indentation" in problem.mend


def test_an_id_that_stands_twice_is_refused() -> None:
    (problem,) = refused("purposes:\n  a: 1\n  b: 2\n  a: 3\n")

    assert (problem.rule, problem.line, problem.pointer) == ("duplicate-key", 4, "/purposes/a")
    assert "line 2" in problem.what


def test_tags_and_keys_that_are_no_words_are_refused_together() -> None:
    assert [one.line for one in refused("a: !!python/name:os.system x\n? [b]\n: 1\n")] == [1, 2]


def test_an_empty_file_is_refused() -> None:
    assert refused("# nothing\n")[0].what == "The file is empty."


def test_norway_dates_and_octal_numbers_stay_text() -> None:
    found = source.parse("c: NO\nd: 2026-11-01\ne: 010\nf: yes\ng: 1.5\nNO: on\n", "x").data

    assert found == {"c": "NO", "d": "2026-11-01", "e": "010", "f": "yes", "g": "1.5", "NO": "on"}


def test_true_false_null_and_numbers_are_what_they_look_like() -> None:
    assert source.parse("[true, false, ~, null, 7, '7']", "x").data == [True, False, None, None, 7, "7"]


def test_keys_with_slashes_have_pointers_of_their_own() -> None:
    found = source.parse("a/b:\n  c~d: 1\n", "x")

    assert found.lines == {"/": 1, "/a~1b": 1, "/a~1b/c~0d": 2}


def test_a_missing_policy_is_refused(example: Copy) -> None:
    (example.folder / "policy.yaml").unlink()

    (problem,) = example.problems()

    assert "does not exist" in problem.what


def test_a_policy_in_another_encoding_is_refused(example: Copy) -> None:
    (example.folder / "policy.yaml").write_bytes("name: Målervej".encode("latin-1"))

    assert "UTF-8" in example.problems()[0].mend


@pytest.mark.parametrize("text", ["[]", "just words", "languages: []", "languages: {approved: en}", "purposes: [1]"])
def test_any_shape_is_answered_with_problems(example: Copy, text: str) -> None:
    (example.folder / "policy.yaml").write_text(text, encoding="utf-8")

    assert example.problems()


def test_an_unknown_key_is_refused_with_the_nearest_known_one(example: Copy) -> None:
    example.edit("stop_address: stop@", "stop_adress: stop@")

    (unknown,) = [one for one in example.problems() if one.rule == "unknown-key"]
    (missing,) = [one for one in example.problems() if one.rule == "missing-key"]

    assert (unknown.pointer, unknown.line) == ("/brands/fjordmeter/stop_adress", example.line_of("stop_adress"))
    assert unknown.mend == "Write “stop_address”."
    assert missing.pointer == "/brands/fjordmeter/stop_address"


@pytest.mark.parametrize(
    ("old", "new", "pointer", "mend"),
    [
        ("audience: business ", "audience: everybody ", "/audience", "Write business, consumers or children."),
        ("period: 90 days", "period: 90 nights", "/retention_rules/security-log/period", "7 days"),
        ("code: kn", "code: know", "/purposes/direct-marketing-email/topics/knowledge/code", "one to three"),
        ("code: kn", "code: 12", "/purposes/direct-marketing-email/topics/knowledge/code", "in quotes"),
        ("website: https://www.example.com", "website: www.example.com", "/brands/fjordmeter/website", "https://"),
        ("country: US", "country: USA", "/recipients/survey-lab/country", "two capital letters"),
        ("channels: [email]\n    pauses", "channels: []\n    pauses",
         "/purposes/direct-marketing-email/channels", "at least one channel"),
        ("  statistics:\n    code", "  Statistics_2:\n    code", "/purposes/Statistics_2", "small letters"),
        ("sender: {name: Fjordmeter,", 'sender: {name: "Fjord <meter>",', "/brands/fjordmeter/sender/name", "without"),
        ("{en: Every other month,", "{en: Every, other month,",
         "/purposes/direct-marketing-email/topics/knowledge/frequency/other month", "stands in quotes"),
        ("    retention: security-log\n", "", "/purposes/keep-secure/retention", "Write code, name"),
        ('    approved_by: {en: "Astrid Holm, data protection officer"}\n', "", "/notices/2026-11-01/approved_by",
         "approved_by"),
        ("    dpo: {name: Astrid Holm, email: dpo@example.com}\n", "", "/controllers/fjordmeter/dpo", "dpo"),
        ("    authority: DK\n", "", "/controllers/fjordmeter/authority", "authority"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_shape_is_refused(example: Copy, old: str, new: str, pointer: str, mend: str) -> None:
    example.edit(old, new)

    found = [one for one in example.problems() if one.pointer == pointer]

    assert any(mend in one.mend and one.line > 0 for one in found), [str(one) for one in example.problems()]


def test_a_phrase_missing_in_the_wording_is_refused_in_that_file(example: Copy) -> None:
    example.edit("  processor: Works for us\n", "", "wording/en.yaml")

    found = {(one.file, one.pointer) for one in example.problems()}

    assert ("wording/en.yaml", "/roles/processor") in found
