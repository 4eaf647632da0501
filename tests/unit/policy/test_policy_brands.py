"""Several brands and controllers in one policy: a form for each brand, and a notice for each controller."""

import json
from pathlib import Path

import pytest

import several_brands
from policy_compiler import compiler
from policy_compiler.problems import PolicyError
from several_brands import TODAY, folder_in, policy_in
from unit.policy.policy_copies import Copy

NEXT = """
  2027-02-01:
    published_on: 2027-02-01
    change: material
    summary: {en: More is carried.}
    approved_by: {en: Nora Nes}
"""


@pytest.fixture
def house(tmp_path: Path) -> Copy:
    return Copy(folder_in(tmp_path))


@pytest.fixture
def published(house: Copy) -> Copy:
    compiler.publish(house.folder, "2026-12-01", "first", TODAY)
    return house


def with_edition(copy: Copy, change: str = "material") -> None:
    path = copy.folder / "policy.yaml"
    path.write_text(path.read_text() + NEXT.replace("change: material", f"change: {change}"))


def notices(copy: Copy) -> set[str]:
    return {file.name for file in (copy.folder / "notices").glob("*.??.*json")}


def said(copy: Copy, name: str) -> str:
    return (copy.folder / "notices" / name).read_text()


def rules_broken(copy: Copy, compiling: bool = False) -> set[tuple[str, str]]:
    return {(one.rule, one.pointer) for one in copy.problems(compiling) if not one.is_warning}


def test_each_controller_has_a_notice_of_its_own_purposes_and_recipients(published: Copy) -> None:
    assert notices(published) == {"2026-12-01.en.havn.json", "2026-12-01.en.fjell.json"}
    havn, fjell = (said(published, f"2026-12-01.en.{one}.json") for one in ("havn", "fjell"))

    for word in ("Havn Forlag A/S", "Ditte Dam", "crime novels", "cooking", "What you read", "Trykkeriet ApS"):
        assert (word in havn, word in fjell) == (True, False)
    for word in ("Fjell Sport AS", "Nora Nes", "Letters about trips", "boots", "Baereriet AS", "trips"):
        assert (word in havn, word in fjell) == (False, True)
    for shared in ("The Danish authority", "The Norwegian authority", "Open requests", "Files about requests"):
        assert (shared in havn, shared in fjell) == (True, True)
    assert rules_broken(published, compiling=True) == set()


def test_an_edition_that_changes_one_controllers_notice_leaves_the_other_its_own(
    published: Copy, tmp_path: Path
) -> None:
    published.edit("Carries what was lent.", "Carries all that was lent.")
    assert [pointer for _, pointer in rules_broken(published, compiling=True)] == ["/notices/2026-12-01"]
    with_edition(published)
    compiler.publish(published.folder, "2027-02-01", "material", TODAY)

    assert {name for name in notices(published) if name.startswith("2027")} == {"2027-02-01.en.fjell.json"}
    compiler.compile_policy(published.folder, tmp_path / "out", TODAY)
    policy = policy_in(tmp_path / "out/consent_policy")
    assert (policy.notice_of("havn").version, policy.notice_of("fjell").version) == ("2026-12-01", "2027-02-01")
    assert list(policy.notices_of("havn")) == ["2026-12-01"]
    assert policy.newest_notice.version == "2027-02-01"


def test_words_that_stand_in_no_notice_make_an_edition_for_their_controller_too(published: Copy) -> None:
    path = published.folder / "policy.yaml"
    before, after = path.read_text().split("  trip-letters:\n", 1)
    path.write_text(f"{before}  trip-letters:\n{after.replace('Yes, {brand}', 'I agree that {brand}', 1)}")
    with_edition(published, "information")
    compiler.publish(published.folder, "2027-02-01", "information", TODAY)

    assert {name for name in notices(published) if name.startswith("2027")} == {"2027-02-01.en.fjell.json"}
    assert rules_broken(published, compiling=True) == set()


def test_what_all_controllers_do_is_an_edition_for_all(published: Copy) -> None:
    published.edit("Files about requests", "Files about what you ask")
    with_edition(published, "information")
    compiler.publish(published.folder, "2027-02-01", "information", TODAY)

    assert len([name for name in notices(published) if name.startswith("2027")]) == 2


def test_an_edition_that_changes_nothing_is_one_for_all(published: Copy) -> None:
    with_edition(published, "typo")
    compiler.publish(published.folder, "2027-02-01", "typo", TODAY)

    assert len([name for name in notices(published) if name.startswith("2027")]) == 2


def alone(house: Copy) -> str:
    """The policy as it was while there was one controller; what was taken out of it."""
    path = house.folder / "policy.yaml"
    whole = data = path.read_text()
    for start, end in (
        ("  fjell:\n    name: Fjell Sport AS", "\nbrands:"),
        ("  fjell:\n    controller: fjell", "\ncategories:"),
        ("  trip-letters:\n    code: tl", "\nform:"),
        ("  fjell:\n    purpose: trip-letters", "\nperiods:"),
    ):
        head, rest = data.split(start, 1)
        data = head + rest[rest.index(end) :]
    path.write_text(data)
    return whole


def test_the_notice_of_an_only_controller_stays_theirs_when_another_one_comes(house: Copy, tmp_path: Path) -> None:
    whole = alone(house)
    compiler.publish(house.folder, "2026-12-01", "first", TODAY)
    assert notices(house) == {"2026-12-01.en.json"}
    compiler.compile_policy(house.folder, tmp_path / "one", TODAY)
    (house.folder / "policy.yaml").write_text(whole)
    assert ("notice-is-current", "/controllers/fjell") in rules_broken(house, compiling=True)

    with_edition(house, "new_purpose")
    compiler.publish(house.folder, "2027-02-01", "new_purpose", TODAY)
    compiler.compile_policy(house.folder, tmp_path / "two", TODAY)
    policy = policy_in(tmp_path / "two/consent_policy")
    assert list(policy.notices_of("havn")) == ["2026-12-01", "2027-02-01"]
    assert list(policy.notices_of("fjell")) == ["2027-02-01"]
    before, after = (
        json.loads((tmp_path / name).read_text())
        for name in (
            "one/consent_policy/notices/2026-12-01.en.json",
            "two/consent_policy/notices/2026-12-01.en.havn.json",
        )
    )
    assert before == after
    assert policy_in(tmp_path / "one/consent_policy").notice_hash("2026-12-01", "en", "havn") == policy.notice_hash(
        "2026-12-01", "en", "havn"
    )


@pytest.mark.parametrize(
    ("old", "new", "rule", "pointer"),
    [
        ("forms:\n  larder:", "forms:\n  nobody:", "references-exist", "/forms/nobody"),
        ("purpose: recipe-letters", "purpose: trip-letters", "forms-speak-for-their-brands", "/forms/larder/purpose"),
        ("purpose: recipe-letters", "purpose: nothing", "references-exist", "/forms/larder/purpose"),
        ("purpose: trip-letters", "purpose: path-repairs", "form-asks-for-consent", "/forms/fjell/purpose"),
        ("forms:\n  larder:", "forms:\n  noir:", "forms-speak-for-their-brands", "/forms/noir"),
    ],
)
def test_a_form_speaks_for_its_brand_and_each_brand_has_one(
    house: Copy, old: str, new: str, rule: str, pointer: str
) -> None:
    house.edit(old, new)

    assert (rule, pointer) in rules_broken(house)


def test_a_controller_needs_a_brand_and_a_purpose(house: Copy) -> None:
    house.edit("  fjell:\n    controller: fjell", "  fjell:\n    controller: havn")
    assert ("controllers-have-brands", "/purposes/path-repairs/controller") in rules_broken(house)

    house.edit("    code: pp\n", "    code: pp\n    retired: true\n")
    assert ("controllers-have-brands", "/purposes/path-repairs/controller") in rules_broken(house)


def test_the_forms_are_compiled_by_brand_and_one_form_needs_no_list(tmp_path: Path) -> None:
    policy = policy_in(several_brands.compiled())
    assert {brand: form.purpose.id for brand, form in policy.forms.items()} == {
        "noir": "crime-letters",
        "larder": "recipe-letters",
        "fjell": "trip-letters",
    }
    assert policy.default_brand.id == "noir"
    assert (list(policy.interests_of("havn")), list(policy.interests_of("fjell"))) == (["island"], [])

    house = Copy(folder_in(tmp_path))
    alone(house)
    path = house.folder / "policy.yaml"
    before, after = path.read_text().split("\nforms:", 1)
    path.write_text(f"{before}\n{after[after.index('periods:') :]}")
    compiler.publish(house.folder, "2026-12-01", "first", TODAY)
    compiler.compile_policy(house.folder, tmp_path / "out", TODAY)
    assert "forms" not in json.loads((tmp_path / "out/consent_policy/policy.json").read_text())


def test_a_notice_that_was_changed_by_hand_is_refused_whosever_it_is(published: Copy) -> None:
    published.edit("Fjell Sport AS decides", "Nobody decides", file="notices/2026-12-01.en.fjell.json")

    with pytest.raises(PolicyError, match=r".") as refused:
        compiler.compile_policy(published.folder, None, TODAY)
    assert {(one.rule, one.file) for one in refused.value.problems} >= {
        ("published-editions-stay", "notices/2026-12-01.en.fjell.json")
    }
